// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {IPinpointDisputes} from "../../contracts/interfaces/IPinpointDisputes.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {ITraceSearches} from "../../contracts/interfaces/ITraceSearches.sol";
import {Claim} from "../../contracts/types/Claim.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Pin, Search, WHOLE} from "../../contracts/types/Pinpoint.sol";
import {AccessTable} from "./AccessTable.sol";
import {Deployment} from "./Deployment.sol";
import {PinpointSteps} from "./PinpointSteps.sol";

/// @notice One good call of each entry point of the game of pinpointing, whichever of its two contracts has it, each about
/// a job of its own. Two layers of three operators with room for four; an output has two tiles.
abstract contract PinpointScene is PinpointSteps, AccessTable {
    /// @dev A call that succeeds, and how it is refused where it is out of place; 0: it is not.
    struct Call {
        string name;
        JobId jobId;
        uint256 key;
        address caller;
        uint256 value;
        bytes data;
        Mode mode;
        Refusals refusals;
        /// First and last bits of its words that are the caller's choice, padding, or read by nobody.
        uint256 free;
    }

    struct Refusals {
        bytes4 paused;
        bytes4 refunding;
        /// Sent twice.
        bytes4 again;
        /// Once the whole result is proven.
        bytes4 proven;
        /// When every clock has run out.
        bytes4 late;
    }

    uint256 internal constant OP = 0; // reads the job's input
    uint256 private constant STAGES = 10; // of a search
    bytes32 private constant SALT = keccak256("salt");
    bytes4 private immutable STOPPED = IProtocolClock.ProtocolPaused.selector;
    bytes4 private immutable ENDED = IProtocolClock.InRefundMode.selector;
    bytes4 private immutable SETTLED = IPinpointBook.WrongJobState.selector;
    bytes4 private immutable SETTLED_BY_MARKET = IJobMarket.WrongJobState.selector;
    bytes4 private immutable WRONG_PHASE = IPinpointBook.WrongPhase.selector;
    bytes4 private immutable TOO_LATE = IPinpointBook.ClockOver.selector;

    uint256 private immutable PIN = pinKey(OP, ELEM);
    uint256 private immutable SEARCH = searchKey(CHALLENGER);

    Call[] internal calls;
    bytes32[] private tiles;
    JobId private overdue;
    JobId private defended;
    JobId private defaulted;
    Claim private defaultedClaim;

    function setUp() public virtual override(PinpointSteps, Deployment) {
        super.setUp();
        setRoles();
        buildPast();
        buildEnds();
        buildDisputes();
        buildTraces();
        buildSearches();
        buildReports();
    }

    function useModel() internal override {
        makeModel(2, 3, 4, IN_DIGEST, OUT_DIGEST);
        (outRows, outCols) = (2, 1024);
        for (uint256 i = 0; i < 2; ++i) {
            tiles.push(keccak256(abi.encodePacked(uint8(0), uint64(i), sha256(tileOf(i)))));
        }
        digests[OP] = keccak256(abi.encodePacked(uint8(2), uint8(1), uint8(2), outRows, outCols, rootOf(tiles)));
    }

    function tileOf(uint256 i) private pure returns (bytes memory tile) {
        tile = new bytes(1024);
        tile[0] = bytes1(uint8(i + 1));
    }

    /* THE PAST */

    function buildPast() private {
        overdue = committedJob();
        openSearch(overdue);
        defended = tracedJob();
        Claim memory claim = pin(defended, OP);
        ruleAs(WORKER, defended, PIN, claim, CONSISTENT);
        defaulted = tracedJob();
        defaultedClaim = pin(defaulted, OP);
        warpPast(disputeOf(defaulted, PIN).deadline);
        nextBlock();
    }

    /* THE TABLE */

    function addCall(
        JobId jobId,
        uint256 key,
        address caller,
        uint256 value,
        bytes memory data,
        Refusals memory refusals
    ) private {
        calls.push(Call("", jobId, key, caller, value, data, mode, refusals, 0));
    }

    /// @dev The rows of the access matrix beside the calls.
    function add(string memory name, uint256 allowed, bytes4 refusal) private {
        add(name, allowed, refusal, 0);
    }

    function add(string memory name, uint256 allowed, bytes4 refusal, uint256 free) private {
        Call storage c = calls[calls.length - 1];
        (c.name, c.free) = (name, free);
        addPaid(name, address(pins), c.value, c.data, allowed, refusal);
    }

    /* ENDS */

    function buildEnds() private {
        bytes memory call = abi.encodeCall(ITraceSearches.claimTimeout, (overdue, SEARCH));
        Refusals memory refusals = Refusals(STOPPED, ENDED, WRONG_PHASE, 0, 0);
        addCall(overdue, SEARCH, STRANGER, 0, call, refusals);
        add("PinpointGame.claimTimeout", EVERYBODY, 0);

        JobId proven = tracedJob();
        pin(proven, OP);
        challengeAs(STRANGER, proven);
        proveAs(WORKER, proven);
        call = abi.encodeCall(ITraceSearches.resolve, (proven, PIN));
        addCall(proven, PIN, STRANGER, 0, call, Refusals(0, 0, WRONG_PHASE, 0, 0));
        add("PinpointGame.resolve", EVERYBODY, 0);

        call = abi.encodeCall(ITraceSearches.finaliseDefended, (defended));
        refusals = Refusals(STOPPED, ENDED, SETTLED_BY_MARKET, 0, 0);
        addCall(defended, PIN, STRANGER, 0, call, refusals);
        add("PinpointGame.finaliseDefended", EVERYBODY, 0);

        mode = Mode.REFUND;
        call = abi.encodeCall(ITraceSearches.voidHeld, (defended));
        addCall(defended, PIN, STRANGER, 0, call, Refusals(0, 0, SETTLED_BY_MARKET, 0, 0));
        add("PinpointGame.voidHeld", EVERYBODY, 0);
        mode = Mode.RUNNING;
    }

    /* DISPUTES */

    function buildDisputes() private {
        bytes4 exists = IPinpointBook.DisputeExists.selector;
        bytes4 windowOver = IJobMarket.DeadlinePassed.selector;
        JobId jobId = committedJob();
        bytes memory call = abi.encodeCall(IPinpointDisputes.openDispute, (jobId, OUT_DIGEST));
        Refusals memory refusals = Refusals(STOPPED, ENDED, exists, SETTLED_BY_MARKET, windowOver);
        addCall(jobId, SEARCH, CHALLENGER, BOND, call, refusals);
        add("PinpointGame.openDispute", EVERYBODY, 0);

        jobId = tracedJob();
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        call = abi.encodeCall(IPinpointDisputes.pinpoint, (jobId, OUT_DIGEST, traceRoot(true), p));
        addCall(jobId, PIN, CHALLENGER, BOND, call, refusals);
        add("PinpointGame.pinpoint", EVERYBODY, 0, 4);

        jobId = tracedJob();
        pin(jobId, OP);
        call = abi.encodeCall(ITraceSearches.join, (jobId, PIN, traceRoot(true)));
        bytes4 inside = IPinpointBook.AlreadyChallenging.selector;
        addCall(jobId, PIN, STRANGER, BOND, call, Refusals(STOPPED, ENDED, inside, SETTLED, TOO_LATE));
        add("PinpointGame.join", EVERYBODY & ~THE_CHALLENGER, inside);

        jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        call = abi.encodeCall(IPinpointDisputes.adjudicate, (jobId, PIN, claim, rulings(CONSISTENT)));
        addCall(jobId, PIN, WORKER, 0, call, Refusals(STOPPED, ENDED, WRONG_PHASE, SETTLED, TOO_LATE));
        add("PinpointGame.adjudicate", EVERYBODY, 0, 4);
    }

    /* TRACES */

    function buildTraces() private {
        bytes4 notAsserter = IPinpointBook.NotAsserter.selector;
        JobId jobId = committedJob();
        bytes32[] memory path = buildPath(layerLeaves(true), layers - 1);
        bytes32 root = traceRoot(true);
        bytes memory call =
            abi.encodeCall(ITraceSearches.postTrace, (jobId, root, true, opRootOf(layers - 1), path, "file:trace"));
        Refusals memory refusals = Refusals(STOPPED, ENDED, IPinpointBook.TraceExists.selector, SETTLED, 0);
        addCall(jobId, 0, WORKER, 0, call, refusals);
        add("PinpointGame.postTrace", THE_OWNER | THE_WORKER, notAsserter, 3);

        jobId = committedJob();
        postTrace(jobId, false);
        call = abi.encodeCall(ITraceSearches.expand, (jobId, makeEnd(1, false)));
        refusals.again = IPinpointBook.AlreadyExpanded.selector;
        addCall(jobId, 0, WORKER, 0, call, refusals);
        add("PinpointGame.expand", THE_OWNER | THE_WORKER, notAsserter, 1);
    }

    /* SEARCHES */

    function buildSearches() private {
        bytes4 notYours = IPinpointBook.UnknownDispute.selector;
        addMove(0);
        add("PinpointGame.search", THE_CHALLENGER, notYours);
        addMove(1);
        add("PinpointGame.revealLeaves", EVERYBODY, 0);
        addMove(2);
        add("PinpointGame.selectLayer", THE_CHALLENGER, notYours);
        addMove(3);
        add("PinpointGame.revealOps", EVERYBODY, 0, 1);
        addMove(4);
        add("PinpointGame.searchTiles", THE_CHALLENGER, notYours, 3);
        addMove(5);
        add("PinpointGame.revealTileRoot", EVERYBODY, 0);
        addMove(6);
        add("PinpointGame.reveal", EVERYBODY, 0);
        addMove(7);
        add("PinpointGame.select", THE_CHALLENGER, notYours);
        addMove(8);
        add("PinpointGame.revealTile", EVERYBODY, 0);
        addMove(9);
        add("PinpointGame.pinElement", THE_CHALLENGER, notYours, 6);
        addMove(STAGES);
        add("PinpointGame.pinSearched", THE_CHALLENGER, notYours, 4);
    }

    /// @dev A search that has come to a stage, and the move that is due in it.
    function addMove(uint256 stage) private {
        JobId jobId = committedJob();
        Search memory at = openSearch(jobId);
        postTrace(jobId, true);
        bytes memory call;
        // Naming an element of an operator is the other way on from stage 4.
        for (uint256 i = 0; i < (stage == STAGES ? 4 : stage); ++i) {
            call = moveOf(jobId, i, at);
            vm.recordLogs();
            vm.prank(CHALLENGER);
            (bool success,) = address(pins).call(call);
            assertTrue(success, "move");
            at = lastState();
        }
        call = moveOf(jobId, stage, at);
        // What is revealed within a second leaves the position as it was; it is the other side's turn.
        bytes4 again = stage == 1 || stage == 6 ? WRONG_PHASE : IPinpointBook.StaleMove.selector;
        Refusals memory refusals = Refusals(STOPPED, ENDED, again, SETTLED_BY_MARKET, TOO_LATE);
        addCall(jobId, SEARCH, CHALLENGER, 0, call, refusals);
    }

    function moveOf(JobId jobId, uint256 stage, Search memory at) private view returns (bytes memory) {
        bytes32[] memory none;
        if (stage == 0) return abi.encodeCall(IPinpointDisputes.search, (jobId, traceRoot(true)));
        if (stage == 1) {
            (bytes32[] memory tops, bytes32[] memory roots) = (new bytes32[](2), new bytes32[](2));
            for (uint256 l = 0; l < 2; ++l) {
                (tops[l], roots[l]) = (layerDigestOf(l), opRootOf(l));
            }
            return abi.encodeCall(ITraceSearches.revealLeaves, (jobId, CHALLENGER, at, tops, roots));
        }
        if (stage == 2) {
            bytes32[] memory path = buildPath(layerLeaves(true), 0);
            return abi.encodeCall(ITraceSearches.selectLayer, (jobId, at, 0, layerDigestOf(0), opRootOf(0), path));
        }
        if (stage == 3) {
            return abi.encodeCall(IPinpointDisputes.revealOps, (jobId, CHALLENGER, at, none, opDigests(0)));
        }
        return moveInTiles(jobId, stage, at);
    }

    function moveInTiles(JobId jobId, uint256 stage, Search memory at) private view returns (bytes memory) {
        Pin memory p = makePin(OP, stage == STAGES ? ELEM : WHOLE, true, termsOf(jobId));
        if (stage == STAGES) return abi.encodeCall(IPinpointDisputes.pinSearched, (jobId, at, p));
        if (stage == 4) return abi.encodeCall(IPinpointDisputes.searchTiles, (jobId, at, p));
        if (stage == 5) {
            return abi.encodeCall(ITraceSearches.revealTileRoot, (jobId, CHALLENGER, at, rootOf(tiles)));
        }
        if (stage == 6) return abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, at, tiles));
        if (stage == 7) {
            return abi.encodeCall(IPinpointDisputes.select, (jobId, at, 1, tiles[1], buildPath(tiles, 1)));
        }
        if (stage == 8) return abi.encodeCall(ITraceSearches.revealTile, (jobId, CHALLENGER, at, tileOf(1)));
        Claim memory claim = claimOf(jobId, p, 0);
        claim.elem = 1024;
        return abi.encodeCall(ITraceSearches.pinElement, (jobId, at, claim));
    }

    /* FRAUD */

    function buildReports() private {
        bytes4 notAnnounced = IPinpointBook.NotAnnounced.selector;
        addReport(0);
        add("PinpointGame.proveFraud", THE_CHALLENGER, notAnnounced);
        addReport(1);
        add("PinpointGame.proveStructural", THE_CHALLENGER, notAnnounced);
        addReport(2);
        add("PinpointGame.provePadding", THE_CHALLENGER, notAnnounced);
        nextBlock();

        pins.claimTimeout(defaulted, PIN);
        bytes memory call =
            abi.encodeCall(IPinpointDisputes.cure, (defaulted, PIN, defaultedClaim, rulings(CONSISTENT)));
        bytes4 over = IDisputeGame.AirgapOver.selector;
        Refusals memory refusals = Refusals(STOPPED, ENDED, WRONG_PHASE, 0, over);
        addCall(defaulted, PIN, STRANGER, 0, call, refusals);
        add("PinpointGame.cure", EVERYBODY, 0, 4);
    }

    function addReport(uint256 kind) private {
        if (kind == 1) layerDigests[0] = keccak256("other");
        if (kind == 2) paddings[1] = keccak256("junk");
        JobId jobId = tracedJob();
        bytes memory call = reportOf(jobId, kind);
        delete layerDigests[0];
        delete paddings[1];
        vm.prank(CHALLENGER);
        game.announceEvidence(keccak256(abi.encode(CHALLENGER, keccak256(call))));
        addCall(jobId, 0, CHALLENGER, 0, call, Refusals(STOPPED, ENDED, SETTLED, SETTLED, 0));
    }

    function reportOf(JobId jobId, uint256 kind) private view returns (bytes memory) {
        if (kind == 0) {
            Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
            return abi.encodeCall(IPinpointDisputes.proveFraud, (jobId, p, rulings(INCONSISTENT), SALT));
        }
        if (kind == 1) return abi.encodeCall(ITraceSearches.proveStructural, (jobId, makeEnd(0, true), SALT));
        bytes32[] memory path = buildPath(opLeaves(1), 3);
        return abi.encodeCall(ITraceSearches.provePadding, (jobId, makeEnd(1, true), 3, paddings[1], path, SALT));
    }
}
