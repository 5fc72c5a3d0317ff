// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Verdict} from "../types/Claim.sol";
import {Plan, PlanParams, Vector} from "../types/Plan.sol";
import {IParameters} from "./IParameters.sol";

/// @title Plans of versions, and the adjudicators that disputes about them may be decided by
/// @notice A plan commits to the descriptors of a version's operators and names some of the adjudicators that this
/// registry was built with. It becomes active once each of them has decided vectors of that very plan as expected and
/// has refused each of them with one bit of its evidence changed. From then on nothing about it ever changes.
///
/// Assumptions on what surrounds it:
/// - the adjudicators named at construction are sound;
/// - a plan is not trusted: whether its descriptors are those of the version's graph and weights is for everybody to
///   recompute before they rely on the version, like everything else that a registrant declares (protocol.md A.15).
interface IAdjudicatorRegistry is IParameters {
    /* ERRORS */

    /// @notice Thrown by the constructor when a neighbour was built for another deployment.
    error ForeignModule(address module);
    /// @notice Thrown by the constructor when an account cannot be an adjudicator: it has no code.
    error NotAContract(address adjudicator);
    /// @notice Thrown by the constructor when there are no adjudicators or more than a plan can name.
    error WrongNumberOfAdjudicators(uint256 got, uint256 maximum);
    /// @notice Thrown when there is no adjudicator of this number.
    error UnknownAdjudicator(uint256 adjudicator);
    /// @notice Thrown when somebody else than the version's owner acts for it.
    error NotVersionOwner(bytes32 version, address caller, address owner);
    /// @notice Thrown when the version has a plan already.
    error PlanExists(bytes32 version);
    /// @notice Thrown when the version has no plan.
    error UnknownPlan(bytes32 version);
    /// @notice Thrown when the plan is active and can neither be tested nor activated again.
    error PlanIsActive(bytes32 version);
    /// @notice Thrown when the root is zero.
    error ZeroPlanRoot();
    /// @notice Thrown when there are no operators, or more than the version's graph has.
    error OpsOutOfRange(uint256 got, uint256 maximum);
    /// @notice Thrown when there are no layers, or more than operators.
    error LayersOutOfRange(uint256 got, uint256 maximum);
    /// @notice Thrown when a tree's depth is not what the number of its leaves asks for.
    error WrongDepth(uint256 got, uint256 expected);
    /// @notice Thrown when a plan names no adjudicator, or one that does not exist.
    error WrongAdjudicators(uint256 got);
    /// @notice Thrown when the plan does not name the adjudicator.
    error AdjudicatorNotNamed(uint256 adjudicator, uint256 named);
    /// @notice Thrown when a vector is about another version.
    error WrongVersion(bytes32 got, bytes32 expected);
    /// @notice Thrown when a vector names an operator that the plan does not have.
    error UnknownOperator(uint256 op, uint256 ops);
    /// @notice Thrown when a vector's descriptor is not the plan's.
    error WrongDescriptor(uint256 op, bytes32 root, bytes32 planRoot);
    /// @notice Thrown when a vector expects no verdict.
    error NoExpectation();
    /// @notice Thrown when a vector of the same operator, element and verdict was counted before.
    error VectorExists(uint256 op, uint256 elem, Verdict expected);
    /// @notice Thrown when the byte to damage lies behind the evidence.
    error NothingToMutate(uint256 mutateAt, uint256 size);
    /// @notice Thrown when an adjudicator decides a vector otherwise than expected.
    error WrongVerdict(uint256 vector, Verdict got, Verdict expected);
    /// @notice Thrown when an adjudicator decides a vector whose evidence was damaged.
    error DamageAccepted(uint256 vector);
    /// @notice Thrown when too little gas is left for a damaged vector to fail by its own fault.
    error GasTooLow(uint256 got, uint256 needed);
    /// @notice Thrown when a damaged vector failed without a reason or with hardly any gas left: out of gas, perhaps.
    error UnclearFailure(uint256 vector, uint256 gasUsed, uint256 gasGiven);
    /// @notice Thrown when an adjudicator that the plan names has decided too few vectors of this verdict.
    error TooFewVectors(uint256 adjudicator, Verdict verdict, uint256 got, uint256 needed);

    /* EVENTS */

    /// @notice A version has a plan, which is not active yet.
    event PlanSubmitted(bytes32 indexed version, address indexed owner, PlanParams params);
    /// @notice An adjudicator has decided vectors as expected; how many of each verdict it has by now.
    event PlanTested(bytes32 indexed version, uint256 indexed adjudicator, uint256 consistent, uint256 inconsistent);
    /// @notice The plan is active, for ever.
    event PlanActivated(bytes32 indexed version, bytes32 planRoot, uint256 activeAt);

    /* THE VERSION'S OWNER */

    /// @notice Declares the plan of a version, once.
    function submitPlan(PlanParams calldata params) external;

    /// @notice Has an adjudicator that the plan names decide vectors: each as expected, and not at all with one bit of
    /// its evidence changed.
    /// @dev Gas: twice what a vector takes, and as much again in reserve for the damaged one. In a vector's proof the
    /// market is this contract.
    function testPlan(bytes32 version, uint256 adjudicator, Vector[] calldata vectors) external;

    /// @notice Makes the plan active, once every adjudicator that it names has decided REQUIRED_VECTORS of each verdict.
    function activatePlan(bytes32 version) external;

    /* VIEWS */

    /// @notice The plan of a version, whether active or not; all zero if there is none.
    function getPlan(bytes32 version) external view returns (Plan memory);
    /// @notice How many vectors an adjudicator has decided for a plan, by verdict.
    function countVectors(bytes32 version, uint256 adjudicator)
        external
        view
        returns (uint256 consistent, uint256 inconsistent);
    /// @notice Adjudicator `index`; reverts with UnknownAdjudicator if there is none.
    function adjudicatorAt(uint256 index) external view returns (address);
    /// @notice Number of adjudicators.
    function adjudicatorCount() external view returns (uint256);
    /// @notice Vectors of each verdict that an adjudicator must have decided.
    function REQUIRED_VECTORS() external view returns (uint256);
    /// @notice Registry of versions.
    function REGISTRY() external view returns (address);
    /// @notice Market whose clock is used.
    function MARKET() external view returns (address);
}
