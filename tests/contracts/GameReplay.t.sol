// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IPinpointGame} from "../../contracts/interfaces/IPinpointGame.sol";
import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {Claim} from "../../contracts/types/Claim.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {Phase, Pin, PinpointDispute, Ruling, Search, SearchMeta} from "../../contracts/types/Pinpoint.sol";
import {Log} from "./Cheats.sol";
import {GameScene} from "./GameScene.sol";

/// @notice Plays of the executable model (tests/game/rules.py) on the contracts: every step has to be possible or refused
/// as there, every dispute in the same phase, and in the end everybody as rich, to the wei.
contract GameReplayTest is GameScene {
    /* ERRORS */

    /// @notice A play ends otherwise than the model says.
    error PlayFailed(uint256 play, bytes reason);
    /// @notice A step is refused, or possible, against the model.
    error StepFailed(uint256 number, Name name, bytes reason);

    /* TYPES */

    enum Name {
        POST,
        EXPAND,
        REVEAL,
        OPEN_SEARCH,
        SEARCH,
        SELECT_LAYER,
        PIN_SEARCHED,
        PINPOINT,
        JOIN,
        CHALLENGE,
        ADJUDICATE,
        REPORT,
        CLAIM_TIMEOUT,
        RESOLVE,
        PROVE,
        CLAIM_DEFAULT,
        CURE,
        DISTRIBUTE,
        FINALISE,
        WAIT
    }

    struct Step {
        uint256 time;
        address actor;
        Name name;
        uint256 kind;
        uint256 a;
        uint256 b;
        uint256 value;
        bool isRefused;
    }

    /* CONSTANTS */

    uint256 private constant SEARCH_KEY = 1 << 255;
    uint256 private constant ACCOUNTS = 6;
    uint256 private constant OP_GRANULAR = 2; // of the values of a posted trace
    uint256 private constant BROKEN = 3;
    uint256 private constant FIRST_LAYER = 4; // values 4 and 5 are layers 0 and 1

    /* STORAGE */

    IPinpointGame private pin_;
    JobId private jobId;
    uint256 private start;
    uint256 private fault;
    bool private isReal;
    mapping(address challenger => Search) private searches;
    mapping(bytes32 id => bytes32) private seeds;
    mapping(bytes32 id => uint256) private claims; // op << 8 | elem

    /* TESTS */

    function setUp() public override {
        super.setUp();
        pin_ = IPinpointGame(pinpoint);
    }

    function test_terms__model_and_contracts__are_the_same() public {
        load();
        setScene(NO_FAULT);
        jobId = commitScene();
        assertEq(readTerm("fee"), FEE, "fee");
        assertEq(readTerm("lock"), market.computeLock(ETH, FEE), "lock");
        assertEq(readTerm("bond"), game.computeBond(version), "bond");
        assertEq(readTerm("window"), market.CHALLENGE_SECONDS(), "window");
        assertEq(readTerm("trace"), pin_.TRACE_SECONDS(), "trace");
        assertEq(readTerm("clock"), pin_.CLOCK_SECONDS(), "clock");
        assertEq(readTerm("extension"), pin_.EXTENSION_SECONDS(), "extension");
        assertEq(readTerm("max_extensions"), pin_.MAX_EXTENSIONS(), "extensions");
    }

    function test_plays__all__end_as_in_the_model() public {
        load();
        (uint256 count, uint256 real) = (0, 0);
        uint256 state = vm.snapshotState();
        (bool isThere, uint256 wrong, bool wasReal, bytes memory steps) = readPlay();
        while (isThere) {
            try this.play(wrong, wasReal, steps) {
                ++count;
                if (wasReal) ++real;
            } catch (bytes memory reason) {
                revert PlayFailed(count, reason);
            }
            vm.revertToState(state);
            state = vm.snapshotState();
            (isThere, wrong, wasReal, steps) = readPlay();
        }
        assertTrue(count >= 300, "there are 300 plays");
        assertTrue(real >= 20, "20 plays are judged by the element check");
    }

    /// @notice One play; external, so that a failure names it in its call.
    function play(uint256 wrong, bool wasReal, bytes calldata steps) external {
        (fault, isReal) = (wrong, wasReal);
        setScene(fault);
        jobId = commitScene();
        uint256[ACCOUNTS] memory before = measure();
        before[0] -= market.computeLock(ETH, FEE);
        vm.recordLogs();

        uint256 at;
        uint256 end = steps.length - 16 * ACCOUNTS;
        for (uint256 number = 0; at < end; ++number) {
            perform(number, readStep(steps, at));
            at += 9;
            assertEq(uint256(uint8(steps[at])), modelState(stateOf(jobId)), "job state");
            at = checkPhases(steps, at + 1);
        }
        uint256[ACCOUNTS] memory found = measure();
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            int256 gain = int256(int128(uint128(readUint(steps, end + 16 * i, 16))));
            assertEq(uint256(int256(before[i]) + gain), found[i], "money of an account");
        }
        assertConserved();
    }

    /* THE SCENE */

    function commitScene() private returns (JobId id) {
        id = createJob();
        accept(id);
        vm.prank(WORKER);
        market.commitResult(id, digests[OPS - 1], "");
        start = block.timestamp;
    }

    /// @dev Operator with its worker, client, honest, other, stranger, burn.
    function measure() private view returns (uint256[ACCOUNTS] memory wealth) {
        wealth[0] = sumAccount(ETH, OWNER) + WORKER.balance + OWNER.balance;
        for (uint256 i = 1; i < ACCOUNTS - 1; ++i) {
            wealth[i] = sumAccount(ETH, actorAt(i)) + actorAt(i).balance;
        }
        wealth[ACCOUNTS - 1] = vault.burned(ETH);
    }

    function actorAt(uint256 index) private view returns (address) {
        return [WORKER, CLIENT, CHALLENGER, STRANGER, REGISTRANT][index];
    }

    function modelState(JobState state) private pure returns (uint256) {
        if (state == JobState.COMMITTED) return 0;
        if (state == JobState.DISPUTED) return 1;
        if (state == JobState.FINAL) return 2;
        if (state == JobState.PROVEN) return 3;
        if (state == JobState.REJECTED) return 4;
        revert("a state that the model does not know");
    }

    /* STEPS */

    function perform(uint256 number, Step memory step) private {
        vm.warp(start + step.time);
        vm.roll(block.number + 1);
        if (step.name == Name.WAIT) return;
        if (step.name == Name.POST) preparePost(step.value);
        if (step.name == Name.PROVE) prepareProof(step.actor);
        (address target, uint256 value, bytes memory data) = build(step);
        vm.prank(step.actor);
        (bool success, bytes memory reason) = target.call{value: value}(data);
        if (success == step.isRefused) revert StepFailed(number, step.name, reason);
        readLogs();
    }

    function preparePost(uint256 value) private {
        isOpGranular = value >= OP_GRANULAR;
        if (value == BROKEN) breakTrace();
    }

    /// @dev The operator demands of itself what nobody else demanded.
    function prepareProof(address actor) private {
        if (game.getDispute(jobId).state != DisputeState.NONE) return;
        vm.prank(actor);
        game.requestProof(jobId, digests[OPS - 1]);
    }

    function build(Step memory step) private returns (address target, uint256 value, bytes memory data) {
        target = address(pin_);
        if (step.name == Name.OPEN_SEARCH) {
            data = abi.encodeCall(pin_.openDispute, (jobId, digests[OPS - 1]));
            return (target, pin_.requiredBond(jobId), data);
        }
        if (step.name == Name.PINPOINT) {
            Pin memory pinned = buildPin(jobId, step.a, step.b);
            data = abi.encodeCall(pin_.pinpoint, (jobId, digests[OPS - 1], pin_.getTrace(jobId).root, pinned));
            return (target, pin_.requiredBond(jobId), data);
        }
        if (step.name == Name.JOIN) {
            PinpointDispute memory dispute = pin_.getDispute(jobId, keyOf(step));
            // More than any share of the bonds: what is beyond comes back as credit.
            value = dispute.bonds == 0 ? 1 ether : dispute.bonds;
            data = abi.encodeCall(pin_.join, (jobId, keyOf(step), pin_.getTrace(jobId).root));
            return (target, value, data);
        }
        if (uint256(step.name) < uint256(Name.JOIN)) return (target, 0, buildSearchMove(step));
        if (step.name == Name.ADJUDICATE) {
            return (target, 0, abi.encodeCall(pin_.adjudicate, (jobId, keyOf(step), claimOf(step), rulings(step))));
        }
        if (step.name == Name.REPORT) return (target, 0, buildReport(step.actor));
        if (step.name == Name.CLAIM_TIMEOUT) {
            return (target, 0, abi.encodeCall(pin_.claimTimeout, (jobId, keyOf(step))));
        }
        if (step.name == Name.RESOLVE) return (target, 0, abi.encodeCall(pin_.resolve, (jobId, keyOf(step))));
        if (step.name == Name.CURE && step.kind != 0) {
            return (target, 0, abi.encodeCall(pin_.cure, (jobId, keyOf(step), claimOf(step), rulings(step))));
        }
        return buildJobMove(step.name);
    }

    function buildSearchMove(Step memory step) private view returns (bytes memory) {
        Search memory state = searches[step.actor];
        if (step.name == Name.POST) {
            bytes32 lastRoot = leafRoot(LAYERS - 1);
            return abi.encodeCall(pin_.postTrace, (jobId, traceRoot(), isOpGranular, lastRoot, lastPath(), ""));
        }
        if (step.name == Name.EXPAND) return abi.encodeCall(pin_.expand, (jobId, buildEnd(step.value - FIRST_LAYER)));
        if (step.name == Name.REVEAL) return buildReveal(actorAt(step.a), step.value == OP_GRANULAR);
        if (step.name == Name.SEARCH) return abi.encodeCall(pin_.search, (jobId, pin_.getTrace(jobId).root));
        if (step.name == Name.SELECT_LAYER) {
            uint256 layer = step.value - FIRST_LAYER;
            return abi.encodeCall(
                pin_.selectLayer, (jobId, state, layer, layerDigest(layer), leafRoot(layer), layerPath(layer))
            );
        }
        return abi.encodeCall(pin_.pinSearched, (jobId, state, buildPin(jobId, step.a, step.b)));
    }

    /// @dev Layers, or all operators below the node that the search is at.
    function buildReveal(address challenger, bool isOps) private view returns (bytes memory) {
        Search memory state = searches[challenger];
        if (!isOps) {
            return abi.encodeCall(pin_.revealLeaves, (jobId, challenger, state, layerDigests(), leafRoots()));
        }
        uint256 meta = SearchMeta.unwrap(state.meta);
        // Tree.LAYERS is 0, Tree.OPS 1; of the latter the position's upper half is the layer.
        bool isLayer = (meta >> 112) & 0xff == 1;
        uint256 layer = (meta & type(uint64).max) >> 32;
        bytes32[] memory tops = isLayer ? new bytes32[](0) : layerDigests();
        bytes32[] memory ops = isLayer ? opDigests(layer * LAYER_OPS, LAYER_OPS) : opDigests(0, OPS);
        return abi.encodeCall(pin_.revealOps, (jobId, challenger, state, tops, ops));
    }

    function buildReport(address actor) private returns (bytes memory) {
        bytes memory data;
        if (isBroken) {
            data = abi.encodeCall(pin_.proveStructural, (jobId, buildEnd(0), bytes32(0)));
        } else {
            data = abi.encodeCall(pin_.proveFraud, (jobId, buildPin(jobId, fault, 0), ruling(fault, 0), bytes32(0)));
        }
        vm.prank(actor);
        game.announceEvidence(keccak256(abi.encode(actor, keccak256(data))));
        vm.roll(block.number + 1);
        return data;
    }

    function buildJobMove(Name name) private view returns (address target, uint256 value, bytes memory data) {
        target = address(game);
        if (name == Name.CHALLENGE) {
            data = abi.encodeCall(IDisputeGame.challenge, (jobId, digests[OPS - 1]));
            return (target, game.requiredBond(jobId), data);
        }
        if (name == Name.PROVE) {
            return (target, 0, abi.encodeCall(IDisputeGame.prove, (jobId, termsOf(jobId), "input", "output", "proof")));
        }
        if (name == Name.CURE) {
            return (target, 0, abi.encodeCall(IDisputeGame.cure, (jobId, termsOf(jobId), "input", "output", "proof")));
        }
        if (name == Name.CLAIM_DEFAULT) return (target, 0, abi.encodeCall(IDisputeGame.claimDefault, (jobId)));
        if (name == Name.DISTRIBUTE) return (target, 0, abi.encodeCall(IDisputeGame.distributeSlash, (jobId)));
        if (stateOf(jobId) == JobState.COMMITTED) {
            return (address(market), 0, abi.encodeCall(market.finalise, (jobId)));
        }
        return (address(pin_), 0, abi.encodeCall(pin_.finaliseDefended, (jobId)));
    }

    /* CLAIMS */

    function keyOf(Step memory step) private view returns (uint256) {
        return keyOf(step.kind, step.a, step.b);
    }

    function keyOf(uint256 kind, uint256 a, uint256 b) private view returns (uint256) {
        return kind == 1 ? SEARCH_KEY | uint160(actorAt(a)) : a << 64 | b;
    }

    function claimOf(Step memory step) private view returns (Claim memory) {
        bytes32 id = pin_.computeId(jobId, keyOf(step));
        return buildClaim(jobId, claims[id] >> 8, claims[id] & 0xff, seeds[id]);
    }

    function rulings(Step memory step) private view returns (Ruling[] memory) {
        bytes32 id = pin_.computeId(jobId, keyOf(step));
        return ruling(claims[id] >> 8, claims[id] & 0xff);
    }

    function ruling(uint256 op, uint256 elem) private view returns (Ruling[] memory list) {
        list = new Ruling[](1);
        if (isReal) list[0] = Ruling(0, readEvidence(fault, op, elem));
        else list[0] = Ruling(uint8(JUDGE), "");
    }

    /* WHAT THE CONTRACTS TELL */

    function readLogs() private {
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == IPinpointBook.SearchMoved.selector) {
                (,, Search memory state) = abi.decode(logs[i].data, (Phase, uint256, Search));
                for (uint256 k = 2; k < ACCOUNTS - 1; ++k) {
                    if (pin_.computeId(jobId, keyOf(1, k, 0)) == logs[i].topics[1]) searches[actorAt(k)] = state;
                }
            } else if (topic == IPinpointBook.OperatorPinned.selector) {
                (uint256 op, uint256 elem,, bytes32 seed) =
                    abi.decode(logs[i].data, (uint256, uint256, uint256, bytes32));
                (claims[logs[i].topics[1]], seeds[logs[i].topics[1]]) = (op << 8 | elem, seed);
            }
        }
    }

    function checkPhases(bytes calldata steps, uint256 at) private view returns (uint256) {
        uint256 count = uint8(steps[at++]);
        for (uint256 i = 0; i < count; ++i) {
            uint256 key = keyOf(uint8(steps[at]), uint8(steps[at + 1]), uint8(steps[at + 2]));
            assertEq(uint256(pin_.getDispute(jobId, key).phase), uint8(steps[at + 3]), "phase of a dispute");
            at += 4;
        }
        return at;
    }

    function readStep(bytes calldata steps, uint256 at) private view returns (Step memory step) {
        step.time = readUint(steps, at, 2);
        step.actor = actorAt(uint8(steps[at + 2]));
        step.name = Name(uint8(steps[at + 3]));
        (step.kind, step.a, step.b) = (uint8(steps[at + 4]), uint8(steps[at + 5]), uint8(steps[at + 6]));
        (step.value, step.isRefused) = (uint8(steps[at + 7]), steps[at + 8] != 0);
    }

    function readUint(bytes calldata data, uint256 at, uint256 size) private pure returns (uint256 value) {
        for (uint256 i = 0; i < size; ++i) {
            value = value << 8 | uint8(data[at + i]);
        }
    }
}
