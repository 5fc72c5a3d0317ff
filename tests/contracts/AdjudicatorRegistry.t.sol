// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AdjudicatorRegistry} from "../../contracts/adjudication/AdjudicatorRegistry.sol";
import {IAdjudicator} from "../../contracts/interfaces/IAdjudicator.sol";
import {IAdjudicatorRegistry} from "../../contracts/interfaces/IAdjudicatorRegistry.sol";
import {ParameterRules} from "../../contracts/libraries/ParameterRules.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {Plan, PlanParams, Vector} from "../../contracts/types/Plan.sol";
import {Version} from "../../contracts/types/Version.sol";
import {Presets} from "./Presets.sol";

/// @notice Registry of versions and market in one: one version, one clock.
contract Neighbours {
    bytes32 public immutable PARAMETERS_HASH;
    address private immutable OWNER;
    uint64 private immutable OPS;
    uint40 public clock = 1_000;
    address public REGISTRY = address(this);

    constructor(address owner, uint64 ops, Parameters memory p) {
        (OWNER, OPS, PARAMETERS_HASH) = (owner, ops, ParameterRules.hash(p));
    }

    function getVersion(bytes32) external view returns (Version memory version) {
        (version.owner, version.opCount) = (OWNER, OPS);
    }

    function moveRegistry(address registry) external {
        REGISTRY = registry;
    }

    function tick(uint40 time) external {
        clock = time;
    }
}

/// @notice Decides by the evidence's first byte, its verdict; the second one has to be 0 and says how to fail if not.
contract ByteAdjudicator is IAdjudicator {
    error Damaged(uint8 by);

    function adjudicate(Claim calldata, bytes calldata evidence) external view returns (Verdict) {
        // Work that takes gas as a proof does.
        for (uint256 i = 0; i < 100; ++i) {
            if (keccak256(abi.encode(i, evidence)) == 0) revert Damaged(0);
        }
        (uint8 verdict, uint8 kind, uint8 damage) = (uint8(evidence[0]), uint8(evidence[1]), uint8(evidence[2]));
        if (damage != 0) fail(kind);
        return Verdict(verdict);
    }

    function fail(uint8 kind) private view {
        if (kind == 0) revert Damaged(kind);
        // Accepted all the same.
        if (kind == 1) return;
        // No reason.
        if (kind == 2) {
            assembly {
                revert(0, 0)
            }
        }
        // All gas.
        if (kind == 3) {
            assembly {
                invalid()
            }
        }
        // All gas of a call further down, and a reason from here.
        try ByteAdjudicator(address(this)).burn() {}
        catch {
            revert Damaged(kind);
        }
    }

    function burn() external pure {
        assembly {
            invalid()
        }
    }

    function covers(uint8) external pure returns (bool) {
        return true;
    }
}

/// @notice Plans become active when every adjudicator that they name has decided vectors as it must, and then never
/// change.
contract AdjudicatorRegistryTest is Presets {
    uint256 private constant OPS = 3;
    bytes32 private constant VERSION = keccak256("version");
    uint64 private constant WHOLE = type(uint64).max;

    AdjudicatorRegistry private registry;
    Neighbours private neighbours;
    address[] private adjudicators;

    event PlanSubmitted(bytes32 indexed version, address indexed owner, PlanParams params);
    event PlanTested(bytes32 indexed version, uint256 indexed adjudicator, uint256 consistent, uint256 inconsistent);
    event PlanActivated(bytes32 indexed version, bytes32 planRoot, uint256 activeAt);

    function setUp() public {
        Parameters memory p = localPreset();
        neighbours = new Neighbours(address(this), uint64(OPS + 1), p);
        for (uint256 i = 0; i < 3; ++i) {
            adjudicators.push(address(new ByteAdjudicator()));
        }
        registry = new AdjudicatorRegistry(address(neighbours), address(neighbours), adjudicators, p);
    }

    /* A PLAN OF THREE OPERATORS */

    function desc(uint256 op) private pure returns (bytes memory) {
        return abi.encodePacked("descriptor of operator ", bytes32(op));
    }

    function leaf(uint256 op) private pure returns (bytes32) {
        return op < OPS ? keccak256(abi.encodePacked(uint8(0x13), uint64(op), keccak256(desc(op)))) : bytes32(0);
    }

    function join(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0x01), left, right));
    }

    function path(uint256 op) private pure returns (bytes32[] memory siblings) {
        siblings = new bytes32[](2);
        siblings[0] = leaf(op ^ 1);
        siblings[1] = op < 2 ? join(leaf(2), leaf(3)) : join(leaf(0), leaf(1));
    }

    function params() private pure returns (PlanParams memory) {
        bytes32 root = join(join(leaf(0), leaf(1)), join(leaf(2), leaf(3)));
        return PlanParams({
            version: VERSION,
            planRoot: root,
            ops: uint32(OPS),
            layers: 2,
            planDepth: 2,
            layerDepth: 1,
            opDepth: 1,
            adjudicators: 5,
            uri: "here"
        });
    }

    function vector(uint32 op, uint64 elem, Verdict expected) private pure returns (Vector memory v) {
        v.claim.version = VERSION;
        v.claim.jobId = JobId.wrap(0);
        v.claim.op = op;
        v.claim.elem = elem;
        v.claim.desc = desc(op);
        v.path = path(op);
        v.evidence = abi.encodePacked(uint8(expected), uint8(0), uint8(0));
        v.expected = expected;
        v.mutateAt = 2;
    }

    function single(Vector memory v) private pure returns (Vector[] memory list) {
        list = new Vector[](1);
        list[0] = v;
    }

    function enough() private pure returns (Vector[] memory list) {
        list = new Vector[](4);
        list[0] = vector(0, 0, Verdict.CONSISTENT);
        list[1] = vector(0, 0, Verdict.INCONSISTENT);
        list[2] = vector(2, 7, Verdict.CONSISTENT);
        list[3] = vector(2, WHOLE, Verdict.INCONSISTENT);
    }

    function submit() private {
        registry.submitPlan(params());
    }

    function activate() private {
        submit();
        registry.testPlan(VERSION, 0, enough());
        registry.testPlan(VERSION, 2, enough());
        registry.activatePlan(VERSION);
    }

    function expectRevertWith(bytes memory reason) private {
        vm.expectRevert(reason);
    }

    /* THE WHOLE WAY */

    function test_plan_submittedTestedActivated_isActive() public {
        PlanParams memory p = params();
        vm.expectEmit(address(registry));
        emit PlanSubmitted(VERSION, address(this), p);
        registry.submitPlan(p);
        require(registry.getPlan(VERSION).activeAt == 0, "active before its tests");
        vm.expectEmit(address(registry));
        emit PlanTested(VERSION, 0, 2, 2);
        registry.testPlan(VERSION, 0, enough());
        registry.testPlan(VERSION, 2, enough());
        neighbours.tick(1_234);
        vm.expectEmit(address(registry));
        emit PlanActivated(VERSION, p.planRoot, 1_234);
        registry.activatePlan(VERSION);

        Plan memory plan = registry.getPlan(VERSION);
        require(plan.planRoot == p.planRoot && plan.ops == 3 && plan.layers == 2, "contents");
        require(plan.planDepth == 2 && plan.layerDepth == 1 && plan.opDepth == 1, "depths");
        require(plan.adjudicators == 5 && plan.activeAt == 1_234, "state");
        (uint256 consistent, uint256 inconsistent) = registry.countVectors(VERSION, 2);
        require(consistent == 2 && inconsistent == 2, "counts");
    }

    function test_plan_testsInPieces_addUp() public {
        submit();
        Vector[] memory all = enough();
        for (uint256 i = 0; i < 4; ++i) {
            registry.testPlan(VERSION, 0, single(all[i]));
        }
        (uint256 consistent, uint256 inconsistent) = registry.countVectors(VERSION, 0);
        require(consistent == 2 && inconsistent == 2, "counts");
    }

    function test_plan_onceActive_neverChanges() public {
        activate();
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.PlanExists.selector, VERSION));
        registry.submitPlan(params());
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.PlanIsActive.selector, VERSION));
        registry.testPlan(VERSION, 0, enough());
        neighbours.tick(9_999);
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.PlanIsActive.selector, VERSION));
        registry.activatePlan(VERSION);
        require(registry.getPlan(VERSION).activeAt == 1_000, "changed");
    }

    function test_views_numberTheAdjudicators() public {
        require(registry.adjudicatorCount() == 3, "count");
        require(registry.adjudicatorAt(1) == adjudicators[1], "at");
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.UnknownAdjudicator.selector, 3));
        registry.adjudicatorAt(3);
        require(registry.getPlan("other").planRoot == 0, "a plan of nothing");
    }

    /* WHO */

    function test_plan_byAStranger_reverts() public {
        address stranger = address(0xbad);
        bytes memory reason =
            abi.encodeWithSelector(IAdjudicatorRegistry.NotVersionOwner.selector, VERSION, stranger, address(this));
        vm.prank(stranger);
        expectRevertWith(reason);
        registry.submitPlan(params());
        submit();
        vm.prank(stranger);
        expectRevertWith(reason);
        registry.testPlan(VERSION, 0, enough());
        vm.prank(stranger);
        expectRevertWith(reason);
        registry.activatePlan(VERSION);
    }

    function test_plan_unknown_reverts() public {
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.UnknownPlan.selector, VERSION));
        registry.testPlan(VERSION, 0, enough());
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.UnknownPlan.selector, VERSION));
        registry.activatePlan(VERSION);
    }

    /* IMPOSSIBLE PLANS */

    function refuse(PlanParams memory p, bytes memory reason) private {
        expectRevertWith(reason);
        registry.submitPlan(p);
    }

    function test_submitPlan_impossible_reverts() public {
        PlanParams memory p = params();
        p.planRoot = 0;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.ZeroPlanRoot.selector));
        p = params();
        p.ops = 0;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.OpsOutOfRange.selector, 0, OPS + 1));
        p.ops = uint32(OPS + 2);
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.OpsOutOfRange.selector, OPS + 2, OPS + 1));
        p = params();
        p.layers = 0;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.LayersOutOfRange.selector, 0, OPS));
        p.layers = 4;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.LayersOutOfRange.selector, 4, OPS));
        p = params();
        p.planDepth = 3;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.WrongDepth.selector, 3, 2));
        p = params();
        p.layerDepth = 0;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.WrongDepth.selector, 0, 1));
        p = params();
        p.opDepth = 0;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.WrongDepth.selector, 0, 1));
        p.opDepth = 3;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.WrongDepth.selector, 3, 2));
        p = params();
        p.adjudicators = 0;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.WrongAdjudicators.selector, 0));
        p.adjudicators = 8;
        refuse(p, abi.encodeWithSelector(IAdjudicatorRegistry.WrongAdjudicators.selector, 8));
    }

    function test_constructor_impossible_reverts() public {
        Parameters memory p = localPreset();
        address[] memory none = new address[](0);
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.WrongNumberOfAdjudicators.selector, 0, 8));
        new AdjudicatorRegistry(address(neighbours), address(neighbours), none, p);
        address[] memory empty = new address[](1);
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.NotAContract.selector, address(0)));
        new AdjudicatorRegistry(address(neighbours), address(neighbours), empty, p);
        neighbours.moveRegistry(address(1));
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.ForeignModule.selector, address(neighbours)));
        new AdjudicatorRegistry(address(neighbours), address(neighbours), adjudicators, p);
        neighbours.moveRegistry(address(neighbours));
        p.unbondSeconds += 1;
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.ForeignModule.selector, address(neighbours)));
        new AdjudicatorRegistry(address(neighbours), address(neighbours), adjudicators, p);
    }

    /* VECTORS */

    function refuseVector(Vector memory v, bytes memory reason) private {
        expectRevertWith(reason);
        registry.testPlan(VERSION, 0, single(v));
    }

    function test_testPlan_unnamedAdjudicator_reverts() public {
        submit();
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.AdjudicatorNotNamed.selector, 1, 5));
        registry.testPlan(VERSION, 1, enough());
        expectRevertWith(abi.encodeWithSelector(IAdjudicatorRegistry.AdjudicatorNotNamed.selector, 256, 5));
        registry.testPlan(VERSION, 256, enough());
    }

    function test_testPlan_foreignVector_reverts() public {
        submit();
        Vector memory v = vector(0, 0, Verdict.CONSISTENT);
        v.claim.version = "other";
        refuseVector(v, abi.encodeWithSelector(IAdjudicatorRegistry.WrongVersion.selector, bytes32("other"), VERSION));
        v = vector(0, 0, Verdict.CONSISTENT);
        v.claim.op = 3;
        refuseVector(v, abi.encodeWithSelector(IAdjudicatorRegistry.UnknownOperator.selector, 3, OPS));
        v = vector(0, 0, Verdict.CONSISTENT);
        v.claim.desc = desc(1);
        bytes32 other = keccak256(abi.encodePacked(uint8(0x13), uint64(0), keccak256(desc(1))));
        other = join(join(other, leaf(1)), join(leaf(2), leaf(3)));
        refuseVector(
            v, abi.encodeWithSelector(IAdjudicatorRegistry.WrongDescriptor.selector, 0, other, params().planRoot)
        );
        v = vector(0, 0, Verdict.CONSISTENT);
        v.path = new bytes32[](1);
        refuseVector(v, abi.encodeWithSelector(IAdjudicatorRegistry.WrongDepth.selector, 1, 2));
    }

    function test_testPlan_uselessVector_reverts() public {
        submit();
        Vector memory v = vector(0, 0, Verdict.NONE);
        refuseVector(v, abi.encodeWithSelector(IAdjudicatorRegistry.NoExpectation.selector));
        v = vector(0, 0, Verdict.CONSISTENT);
        v.mutateAt = 3;
        refuseVector(v, abi.encodeWithSelector(IAdjudicatorRegistry.NothingToMutate.selector, 3, 3));
    }

    function test_testPlan_vectorTwice_reverts() public {
        submit();
        Vector memory v = vector(1, 4, Verdict.CONSISTENT);
        registry.testPlan(VERSION, 0, single(v));
        refuseVector(v, abi.encodeWithSelector(IAdjudicatorRegistry.VectorExists.selector, 1, 4, Verdict.CONSISTENT));
        // For another adjudicator it is another vector.
        registry.testPlan(VERSION, 2, single(v));
    }

    function test_testPlan_otherVerdict_reverts() public {
        submit();
        Vector memory v = vector(0, 0, Verdict.CONSISTENT);
        v.evidence[0] = bytes1(uint8(Verdict.INCONSISTENT));
        refuseVector(
            v,
            abi.encodeWithSelector(
                IAdjudicatorRegistry.WrongVerdict.selector, 0, Verdict.INCONSISTENT, Verdict.CONSISTENT
            )
        );
        v.evidence[0] = bytes1(uint8(Verdict.NONE));
        refuseVector(
            v, abi.encodeWithSelector(IAdjudicatorRegistry.WrongVerdict.selector, 0, Verdict.NONE, Verdict.CONSISTENT)
        );
    }

    function test_testPlan_refusedVector_reverts() public {
        submit();
        Vector memory v = vector(0, 0, Verdict.CONSISTENT);
        v.evidence[2] = 0x01;
        refuseVector(v, abi.encodeWithSelector(ByteAdjudicator.Damaged.selector, 0));
    }

    function test_testPlan_damageAccepted_reverts() public {
        submit();
        Vector memory v = vector(0, 0, Verdict.CONSISTENT);
        v.evidence[1] = 0x01;
        refuseVector(v, abi.encodeWithSelector(IAdjudicatorRegistry.DamageAccepted.selector, 0));
    }

    /// @dev No reason, all gas, all gas further down: whoever fails like that may have been short of gas.
    function test_testPlan_unclearFailure_reverts() public {
        submit();
        for (uint8 kind = 2; kind < 5; ++kind) {
            Vector memory v = vector(0, 0, Verdict.CONSISTENT);
            v.evidence[1] = bytes1(kind);
            try registry.testPlan(VERSION, 0, single(v)) {
                revert("accepted");
            } catch (bytes memory reason) {
                require(bytes4(reason) == IAdjudicatorRegistry.UnclearFailure.selector, "other error");
            }
        }
    }

    /// @dev Less gas never turns damage into a refusal: a vector whose damage is accepted never passes.
    function test_testPlan_littleGas_neverPasses() public {
        submit();
        Vector memory v = vector(0, 0, Verdict.CONSISTENT);
        v.evidence[1] = 0x01;
        uint256 tooLow;
        uint256 accepted;
        for (uint256 gasGiven = 50_000; gasGiven < 600_000; gasGiven += 2_003) {
            try registry.testPlan{gas: gasGiven}(VERSION, 0, single(v)) {
                revert("passed");
            } catch (bytes memory reason) {
                if (bytes4(reason) == IAdjudicatorRegistry.GasTooLow.selector) ++tooLow;
                if (bytes4(reason) == IAdjudicatorRegistry.DamageAccepted.selector) ++accepted;
            }
        }
        require(tooLow > 0 && accepted > 0, "gas was not short, or never enough");
    }

    /* ACTIVATION */

    function test_activatePlan_tooFewVectors_reverts() public {
        submit();
        registry.testPlan(VERSION, 0, enough());
        expectRevertWith(
            abi.encodeWithSelector(IAdjudicatorRegistry.TooFewVectors.selector, 2, Verdict.CONSISTENT, 0, 2)
        );
        registry.activatePlan(VERSION);
        registry.testPlan(VERSION, 2, single(vector(0, 0, Verdict.CONSISTENT)));
        registry.testPlan(VERSION, 2, single(vector(1, 0, Verdict.CONSISTENT)));
        registry.testPlan(VERSION, 2, single(vector(1, 0, Verdict.INCONSISTENT)));
        expectRevertWith(
            abi.encodeWithSelector(IAdjudicatorRegistry.TooFewVectors.selector, 2, Verdict.INCONSISTENT, 1, 2)
        );
        registry.activatePlan(VERSION);
        registry.testPlan(VERSION, 2, single(vector(2, 0, Verdict.INCONSISTENT)));
        registry.activatePlan(VERSION);
        require(registry.getPlan(VERSION).activeAt == 1_000, "not active");
    }
}
