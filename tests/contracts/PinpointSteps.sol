// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {IPinpointGame} from "../../contracts/interfaces/IPinpointGame.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {MockAdjudicator} from "../../contracts/mocks/MockAdjudicator.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Phase, Pin, PinpointDispute, Ruling, Search} from "../../contracts/types/Pinpoint.sol";
import {PlanParams, Vector} from "../../contracts/types/Plan.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {Log} from "./Cheats.sol";
import {JobSteps} from "./JobSteps.sol";
import {TraceModel} from "./TraceModel.sol";

/// @notice A deployment whose version has a plan, with adjudicators that do what they are told, and the steps of
/// disputes over its traces. The model has 2 layers of 4 operators unless a test says otherwise.
abstract contract PinpointSteps is JobSteps, TraceModel {
    uint256 internal constant TRACE = 10; // half of T_exec
    uint256 internal constant CLOCK = 30; // W_prove
    uint256 internal constant EXTENSION = 3; // a tenth of it
    uint256 internal constant SHARE = 5;
    uint64 internal constant ELEM = 5;
    uint256 private constant MAX_OPS = 1 << 20;

    bytes internal constant CONSISTENT = hex"a1";
    bytes internal constant INCONSISTENT = hex"a2";

    IPinpointGame internal pins;

    function setUp() public virtual override {
        super.setUp();
        prepare();
    }

    /// @dev After a deployment: adjudicators that do what they are told, and a version with a plan.
    function prepare() internal {
        pins = IPinpointGame(address(pinpoint));
        address mock = address(new MockAdjudicator());
        for (uint256 i = 0; i < 3; ++i) {
            vm.etch(adjudicators.adjudicatorAt(i), mock.code);
        }
        useModel();
        version = registerLongVersion();
        makePlan();
        // Jobs taken from now on could see the plan.
        vm.warp(START + 100);
        vm.roll(block.number + 10);
    }

    function useModel() internal virtual {
        makeModel(2, 4, 4, IN_DIGEST, OUT_DIGEST);
    }

    /* THE PLAN */

    /// @dev A version whose graph has as many operators as a plan may name.
    function registerLongVersion() private returns (bytes32) {
        VersionParams memory params = versionParams();
        params.uri = "file:long";
        bytes memory key = abi.encode(params.vkHash, params.graphHash, params.programHash, params.srsId, MAX_OPS);
        vm.mockCall(params.verifier, abi.encodeCall(IProofVerifier.inspect, (params.vkData)), key);
        return registerVersion(params);
    }

    function makePlan() internal {
        PlanParams memory params = PlanParams({
            version: version,
            planRoot: rootOf(planLeaves()),
            ops: uint32(digests.length),
            layers: uint32(layers),
            planDepth: uint8(planDepth),
            layerDepth: uint8(layerDepth),
            opDepth: uint8(opDepth),
            adjudicators: 3,
            uri: "file:plan"
        });
        vm.startPrank(REGISTRANT);
        adjudicators.submitPlan(params);
        adjudicators.testPlan(version, 0, makeVectors());
        adjudicators.testPlan(version, 1, makeVectors());
        adjudicators.activatePlan(version);
        vm.stopPrank();
    }

    function makeVectors() private view returns (Vector[] memory vectors) {
        vectors = new Vector[](4);
        for (uint256 i = 0; i < 4; ++i) {
            (vectors[i].claim.version, vectors[i].claim.elem) = (version, uint64(i));
            vectors[i].claim.desc = describe(0);
            vectors[i].claim.inDigests = new bytes32[](1);
            vectors[i].path = buildPath(planLeaves(), 0);
            vectors[i].expected = i % 2 == 0 ? Verdict.CONSISTENT : Verdict.INCONSISTENT;
            vectors[i].evidence = i % 2 == 0 ? CONSISTENT : INCONSISTENT;
        }
    }

    /* JOBS AND TRACES */

    /// @notice A committed job with a trace of OP granularity.
    function tracedJob() internal returns (JobId jobId) {
        jobId = committedJob();
        postTrace(jobId, true);
    }

    function postTrace(JobId jobId, bool isOp) internal {
        bytes32[] memory path = buildPath(layerLeaves(isOp), layers - 1);
        bytes32 root = traceRoot(isOp);
        bytes32 last = isOp ? opRootOf(layers - 1) : bytes32(0);
        vm.prank(WORKER);
        pins.postTrace(jobId, root, isOp, last, path, "file:trace");
    }

    function expand(JobId jobId, uint256 layer) internal {
        vm.prank(WORKER);
        pins.expand(jobId, makeEnd(layer, false));
    }

    /* DISPUTES */

    function pinKey(uint256 op, uint64 elem) internal pure returns (uint256) {
        return op << 64 | elem;
    }

    function searchKey(address challenger) internal pure returns (uint256) {
        return 1 << 255 | uint160(challenger);
    }

    function pin(JobId jobId, uint256 op) internal returns (Claim memory) {
        return pinAs(CHALLENGER, jobId, op, ELEM);
    }

    /// @return claim As OperatorPinned tells it.
    function pinAs(address challenger, JobId jobId, uint256 op, uint64 elem) internal returns (Claim memory claim) {
        Pin memory p = makePin(op, elem, true, termsOf(jobId));
        bytes32 root = traceRoot(true);
        uint256 bond = pins.requiredBond(jobId);
        vm.prank(challenger);
        bytes32 id = pins.pinpoint{value: bond}(jobId, OUT_DIGEST, root, p);
        return claimOf(jobId, p, seedOf(id, challenger));
    }

    function claimOf(JobId jobId, Pin memory p, bytes32 seed) internal view returns (Claim memory) {
        return Claim({
            version: version,
            jobId: jobId,
            seed: seed,
            prover: address(0),
            op: p.op,
            elem: p.elem,
            outDigest: p.outDigest,
            inDigests: p.inDigests,
            desc: p.desc
        });
    }

    function seedOf(bytes32 id, address challenger) internal view returns (bytes32) {
        return keccak256(abi.encode(block.prevrandao, id, challenger));
    }

    /// @notice Opens a search; the position is the one that the last SearchMoved told, if there was one.
    function openSearch(JobId jobId) internal returns (Search memory state) {
        return openSearchAs(CHALLENGER, jobId);
    }

    function openSearchAs(address challenger, JobId jobId) internal returns (Search memory state) {
        uint256 bond = pins.requiredBond(jobId);
        vm.recordLogs();
        vm.prank(challenger);
        pins.openDispute{value: bond}(jobId, OUT_DIGEST);
        return lastState();
    }

    /// @notice The position in the last SearchMoved since vm.recordLogs.
    function lastState() internal returns (Search memory state) {
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IPinpointBook.SearchMoved.selector) continue;
            (,, state) = abi.decode(logs[i].data, (Phase, uint256, Search));
        }
    }

    function rulings(bytes memory evidence) internal pure returns (Ruling[] memory list) {
        list = new Ruling[](1);
        list[0].evidence = evidence;
    }

    function ruleAs(address prover, JobId jobId, uint256 key, Claim memory claim, bytes memory evidence) internal {
        vm.prank(prover);
        pins.adjudicate(jobId, key, claim, rulings(evidence));
    }

    function nextBlock() internal {
        vm.roll(block.number + 1);
    }

    /* READS */

    function disputeOf(JobId jobId, uint256 key) internal view returns (PinpointDispute memory) {
        return pins.getDispute(jobId, key);
    }

    function assertPhase(JobId jobId, uint256 key, Phase expected) internal view {
        assertEq(uint256(disputeOf(jobId, key).phase), uint256(expected), "phase");
    }

    function idOf(JobId jobId, uint256 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(jobId, key));
    }

    /// @notice The vault's ETH is what it owes, the bonds of disputes over traces included (I1).
    function assertMoney() internal view {
        assertEq(address(vault).balance, sumLedger(ETH) + vault.pinpointBonds(), "vault's ETH against ledger");
    }

    /// @notice What the game says it holds for these disputes is what the vault holds for it.
    function assertBonds(JobId jobId, uint256[] memory keys) internal view {
        uint256 bonds;
        for (uint256 i = 0; i < keys.length; ++i) {
            bonds += disputeOf(jobId, keys[i]).bonds;
        }
        assertEq(vault.pinpointBonds(), bonds, "the vault's bonds against the game's");
    }

    /// @notice A refused move: nothing has changed that money, verdicts or searches depend on.
    function checkMove(JobId jobId, uint256 key, address caller, uint256 value, bytes memory call, bytes memory reason)
        internal
    {
        bytes32 before = keccak256(abi.encode(snapshot(jobId), stateOf(jobId, key)));
        vm.prank(caller);
        (bool success, bytes memory got) = address(pins).call{value: value}(call);
        assertTrue(!success, "refused");
        assertEq(keccak256(got), keccak256(reason), "reason");
        assertEq(keccak256(abi.encode(snapshot(jobId), stateOf(jobId, key))), before, "nothing changed");
    }

    function checkMove(JobId jobId, uint256 key, address caller, bytes memory call, bytes memory reason) internal {
        checkMove(jobId, key, caller, 0, call, reason);
    }

    function stateOf(JobId jobId, uint256 key) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                pins.getTrace(jobId), pins.getDispute(jobId, key), pins.getOpRoot(jobId, 0), pins.getOpRoot(jobId, 1)
            )
        );
    }

    /* REVERTS */

    function wrongPhase(JobId jobId, uint256 key, Phase phase) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IPinpointBook.WrongPhase.selector, idOf(jobId, key), phase);
    }

    function unknown(JobId jobId, uint256 key) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IPinpointBook.UnknownDispute.selector, idOf(jobId, key));
    }

    function clockOver(JobId jobId, uint256 key, uint256 deadline) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IPinpointBook.ClockOver.selector, idOf(jobId, key), deadline, block.timestamp);
    }

    function clockRunning(JobId jobId, uint256 key, uint256 deadline) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IPinpointBook.ClockRunning.selector, idOf(jobId, key), deadline, block.timestamp);
    }

    function stale(JobId jobId, uint256 key, bytes32 got) internal view returns (bytes memory) {
        bytes32 id = idOf(jobId, key);
        PinpointDispute memory d = disputeOf(jobId, key);
        return abi.encodeWithSelector(IPinpointBook.StaleMove.selector, id, d.head, got);
    }

    function wrongOpening(bytes32 got, bytes32 expected) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IPinpointBook.WrongOpening.selector, got, expected);
    }

    function wrongLength(uint256 got, uint256 expected) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IPinpointBook.WrongLength.selector, got, expected);
    }

    function outOfRange(uint256 index, uint256 limit) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IPinpointBook.OutOfRange.selector, index, limit);
    }
}
