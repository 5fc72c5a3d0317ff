// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAdjudicator} from "../interfaces/IAdjudicator.sol";
import {IAdjudicatorRegistry} from "../interfaces/IAdjudicatorRegistry.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Claim, Verdict} from "../types/Claim.sol";
import {Parameters} from "../types/Parameters.sol";
import {Plan, PlanParams, Vector} from "../types/Plan.sol";
import {Version} from "../types/Version.sol";

/// @title Plans of versions, tested before they become active, immutable afterwards
contract AdjudicatorRegistry is IAdjudicatorRegistry {
    using SafeCast for uint256;

    /* TYPES */

    /// @dev Vectors decided as expected.
    struct Tally {
        uint128 consistent;
        uint128 inconsistent;
    }

    /* CONSTANTS */

    /// @inheritdoc IAdjudicatorRegistry
    uint256 public constant REQUIRED_VECTORS = 2;

    /// @dev A plan has a bit for each adjudicator.
    uint256 private constant MAX_ADJUDICATORS = 8;
    bytes1 private constant PLAN_LEAF = 0x13;
    bytes1 private constant NODE = 0x01;
    bytes1 private constant DAMAGE = 0x01;
    /// @dev A damaged vector gets this many times the gas that the sound one took, and a little more.
    uint256 private constant GAS_MULTIPLE = 2;
    uint256 private constant GAS_SLACK = 100_000;
    /// @dev What encoding and measuring a call takes beside the call itself.
    uint256 private constant GAS_RESERVE = 20_000;
    /// @dev EIP-150: of the gas that is left, one part in 64 stays with the caller.
    uint256 private constant KEPT_PART = 64;
    /// @dev A refusal has a four-byte selector; running out of gas has none.
    uint256 private constant SELECTOR_BYTES = 4;

    /* IMMUTABLES */

    /// @inheritdoc IAdjudicatorRegistry
    address public immutable REGISTRY;
    /// @inheritdoc IAdjudicatorRegistry
    address public immutable MARKET;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;

    /* STORAGE */

    address[] private adjudicators;
    mapping(bytes32 version => Plan) private plans;
    mapping(bytes32 version => mapping(uint256 adjudicator => Tally)) private tallies;
    /// @dev keccak(version, adjudicator, operator, element, verdict) of vectors that were counted.
    mapping(bytes32 vector => bool) private isCounted;

    /* CONSTRUCTOR */

    /// @param registry Registry of versions.
    /// @param market Market whose clock is used.
    /// @param adjudicators_ Those that plans may name, now and for ever.
    constructor(address registry, address market, address[] memory adjudicators_, Parameters memory p) {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
        if (IJobMarket(market).REGISTRY() != registry || IParameters(market).PARAMETERS_HASH() != PARAMETERS_HASH) {
            revert ForeignModule(market);
        }
        uint256 count = adjudicators_.length;
        if (count == 0 || count > MAX_ADJUDICATORS) revert WrongNumberOfAdjudicators(count, MAX_ADJUDICATORS);
        for (uint256 i = 0; i < count; ++i) {
            if (adjudicators_[i].code.length == 0) revert NotAContract(adjudicators_[i]);
        }
        (REGISTRY, MARKET, adjudicators) = (registry, market, adjudicators_);
    }

    /* THE VERSION'S OWNER */

    /// @inheritdoc IAdjudicatorRegistry
    function submitPlan(PlanParams calldata params) external {
        uint256 graphOps = checkOwner(params.version);
        if (plans[params.version].planRoot != 0) revert PlanExists(params.version);
        checkPlan(params, graphOps);

        plans[params.version] = Plan({
            planRoot: params.planRoot,
            ops: params.ops,
            layers: params.layers,
            planDepth: params.planDepth,
            layerDepth: params.layerDepth,
            opDepth: params.opDepth,
            adjudicators: params.adjudicators,
            activeAt: 0
        });
        emit PlanSubmitted(params.version, msg.sender, params);
    }

    /// @inheritdoc IAdjudicatorRegistry
    function testPlan(bytes32 version, uint256 adjudicator, Vector[] calldata vectors) external {
        checkOwner(version);
        Plan memory plan = expectInactive(version);
        uint256 named = plan.adjudicators;
        if (adjudicator >= MAX_ADJUDICATORS || (named >> adjudicator) & 1 == 0) {
            revert AdjudicatorNotNamed(adjudicator, named);
        }
        Tally memory tally = tallies[version][adjudicator];
        for (uint256 i = 0; i < vectors.length; ++i) {
            checkVector(version, plan, vectors[i]);
            enter(version, adjudicator, vectors[i], tally);
            decide(IAdjudicator(adjudicators[adjudicator]), i, vectors[i]);
        }
        tallies[version][adjudicator] = tally;
        emit PlanTested(version, adjudicator, tally.consistent, tally.inconsistent);
    }

    /// @inheritdoc IAdjudicatorRegistry
    function activatePlan(bytes32 version) external {
        checkOwner(version);
        Plan memory plan = expectInactive(version);
        for (uint256 i = 0; i < MAX_ADJUDICATORS; ++i) {
            if ((plan.adjudicators >> i) & 1 == 0) continue;
            Tally memory tally = tallies[version][i];
            expectEnough(i, Verdict.CONSISTENT, tally.consistent);
            expectEnough(i, Verdict.INCONSISTENT, tally.inconsistent);
        }
        uint40 time = IJobMarket(MARKET).clock();
        plans[version].activeAt = time;
        emit PlanActivated(version, plan.planRoot, time);
    }

    /* VIEWS */

    /// @inheritdoc IAdjudicatorRegistry
    function getPlan(bytes32 version) external view returns (Plan memory) {
        return plans[version];
    }

    /// @inheritdoc IAdjudicatorRegistry
    function countVectors(bytes32 version, uint256 adjudicator)
        external
        view
        returns (uint256 consistent, uint256 inconsistent)
    {
        Tally storage tally = tallies[version][adjudicator];
        return (tally.consistent, tally.inconsistent);
    }

    /// @inheritdoc IAdjudicatorRegistry
    function adjudicatorAt(uint256 index) external view returns (address) {
        if (index >= adjudicators.length) revert UnknownAdjudicator(index);
        return adjudicators[index];
    }

    /// @inheritdoc IAdjudicatorRegistry
    function adjudicatorCount() external view returns (uint256) {
        return adjudicators.length;
    }

    /* PLANS */

    /// @dev Returns the number of operators of the version's graph.
    function checkOwner(bytes32 version) private view returns (uint256) {
        Version memory found = IModelRegistry(REGISTRY).getVersion(version);
        if (msg.sender != found.owner) revert NotVersionOwner(version, msg.sender, found.owner);
        return found.opCount;
    }

    function expectInactive(bytes32 version) private view returns (Plan memory plan) {
        plan = plans[version];
        if (plan.planRoot == 0) revert UnknownPlan(version);
        // INVARIANT: nothing about an active plan ever changes.
        if (plan.activeAt != 0) revert PlanIsActive(version);
    }

    /// @dev What everybody recomputes is only checked for being possible at all.
    function checkPlan(PlanParams calldata params, uint256 graphOps) private view {
        if (params.planRoot == 0) revert ZeroPlanRoot();
        (uint256 ops, uint256 layers) = (params.ops, params.layers);
        // A trace has no more operators than the graph: accumulators belong to those that requantise them.
        if (ops == 0 || ops > graphOps) revert OpsOutOfRange(ops, graphOps);
        if (layers == 0 || layers > ops) revert LayersOutOfRange(layers, ops);
        expectDepth(params.planDepth, Math.log2(ops, Math.Rounding.Ceil));
        expectDepth(params.layerDepth, Math.log2(layers, Math.Rounding.Ceil));
        uint256 longest = params.opDepth;
        // The longest layer has at least the mean number of operators, and at most all of them.
        uint256 least = Math.log2(Math.ceilDiv(ops, layers), Math.Rounding.Ceil);
        if (longest < least) revert WrongDepth(longest, least);
        if (longest > params.planDepth) revert WrongDepth(longest, params.planDepth);
        uint256 named = params.adjudicators;
        if (named == 0 || named >> adjudicators.length != 0) revert WrongAdjudicators(named);
    }

    function expectDepth(uint256 got, uint256 expected) private pure {
        if (got != expected) revert WrongDepth(got, expected);
    }

    function expectEnough(uint256 adjudicator, Verdict verdict, uint256 got) private pure {
        if (got < REQUIRED_VECTORS) revert TooFewVectors(adjudicator, verdict, got, REQUIRED_VECTORS);
    }

    /* VECTORS */

    /// @dev Requires the vector to be about an operator of the plan.
    function checkVector(bytes32 version, Plan memory plan, Vector calldata vector) private pure {
        Claim calldata claim = vector.claim;
        if (claim.version != version) revert WrongVersion(claim.version, version);
        uint256 op = claim.op;
        if (op >= plan.ops) revert UnknownOperator(op, plan.ops);
        expectDepth(vector.path.length, plan.planDepth);
        bytes32 node = keccak256(abi.encodePacked(PLAN_LEAF, uint64(op), keccak256(claim.desc)));
        for (uint256 i = 0; i < vector.path.length; ++i) {
            bytes32 sibling = vector.path[i];
            node = (op >> i) & 1 == 0
                ? keccak256(abi.encodePacked(NODE, node, sibling))
                : keccak256(abi.encodePacked(NODE, sibling, node));
        }
        if (node != plan.planRoot) revert WrongDescriptor(op, node, plan.planRoot);
        if (vector.expected == Verdict.NONE) revert NoExpectation();
        if (vector.mutateAt >= vector.evidence.length) {
            revert NothingToMutate(vector.mutateAt, vector.evidence.length);
        }
    }

    function enter(bytes32 version, uint256 adjudicator, Vector calldata vector, Tally memory tally) private {
        (uint256 op, uint256 elem) = (vector.claim.op, vector.claim.elem);
        bytes32 key = keccak256(abi.encode(version, adjudicator, op, elem, vector.expected));
        // INVARIANT: one computation does not count twice.
        if (isCounted[key]) revert VectorExists(op, elem, vector.expected);
        isCounted[key] = true;
        if (vector.expected == Verdict.CONSISTENT) ++tally.consistent;
        else ++tally.inconsistent;
    }

    /// @dev The sound vector first: what it takes says how much gas the damaged one must be given, so that it can only
    /// fail by its own fault. Gas that runs out further down, where a caller turns it into an error of its own, leaves
    /// at most one part in 64 at each of the few levels, and the damaged vector is given twice what it needs: so a
    /// failure that has used more than seven parts in eight is taken for one.
    function decide(IAdjudicator adjudicator, uint256 index, Vector calldata vector) private view {
        uint256 gasUsed = gasleft();
        Verdict verdict = adjudicator.adjudicate(vector.claim, vector.evidence);
        gasUsed -= gasleft();
        if (verdict != vector.expected) revert WrongVerdict(index, verdict, vector.expected);

        bytes memory damaged = vector.evidence;
        damaged[vector.mutateAt] ^= DAMAGE;
        damaged = abi.encodeCall(IAdjudicator.adjudicate, (vector.claim, damaged));
        uint256 gasGiven = GAS_MULTIPLE * gasUsed + GAS_SLACK;
        uint256 available = gasleft();
        // INVARIANT: the call below is given all that it asks for.
        if (available - available / KEPT_PART < gasGiven + GAS_RESERVE) {
            revert GasTooLow(available - available / KEPT_PART, gasGiven + GAS_RESERVE);
        }
        bool success;
        uint256 reasonBytes;
        assembly ("memory-safe") {
            gasUsed := gas()
            success := staticcall(gasGiven, adjudicator, add(damaged, 0x20), mload(damaged), 0, 0)
            gasUsed := sub(gasUsed, gas())
            reasonBytes := returndatasize()
        }
        if (success) revert DamageAccepted(index);
        if (reasonBytes < SELECTOR_BYTES || gasUsed > gasGiven - gasGiven / 8) {
            revert UnclearFailure(index, gasUsed, gasGiven);
        }
    }
}
