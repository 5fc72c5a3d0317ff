// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IHeldChallengers} from "../interfaces/IHeldChallengers.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ITraceSearches} from "../interfaces/ITraceSearches.sol";
import {DisputeHeads} from "../libraries/DisputeHeads.sol";
import {SearchMetas} from "../libraries/SearchMetas.sol";
import {TraceTree} from "../libraries/TraceTree.sol";
import {Claim} from "../types/Claim.sol";
import {DisputeState} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobState} from "../types/Job.sol";
import {
    Head,
    LayerEnd,
    Phase,
    Pin,
    PinpointDispute,
    Search,
    SearchMeta,
    StoredEntry,
    Trace,
    Tree,
    WHOLE
} from "../types/Pinpoint.sol";
import {Plan} from "../types/Plan.sol";
import {SearchMoves} from "./SearchMoves.sol";
import {TraceBook} from "./TraceBook.sol";

/// @title What of the game of pinpointing is not in PinpointGame
/// @notice Traces, the moves of a search at its leaves and in the tiles of an output, reports, ends that are no verdicts,
/// and what can be read. Never called but by PinpointGame, whose storage it has.
contract TraceSearches is SearchMoves, ITraceSearches {
    using SafeCast for uint256;
    using SearchMetas for SearchMeta;

    /* CONSTRUCTOR */

    constructor(Settings memory settings) TraceBook(settings) {}

    /* CHALLENGERS */

    /// @inheritdoc ITraceSearches
    function join(JobId jobId, uint256 key, bytes32 expectedTraceRoot) external payable {
        uint256 time = tick();
        (bytes32 id, Head memory head, StoredEntry memory entry) = findDispute(jobId, key, Phase.LEAF);
        // INVARIANT: nobody shares a search, which its challenger could lose for all.
        if (isSearch(key)) revert WrongPhase(id, head.phase);
        // Who joins has to bear the risk of a verdict.
        requireInTime(id, head.deadline, time);
        getDisputedJob(jobId);
        Trace storage trace = traces[jobId];
        requireTrace(jobId, trace.root, expectedTraceRoot);
        uint256 untilBlock = uint256(entry.openedAtBlock) + SHARE_BLOCKS;
        if (block.number > untilBlock) revert TooLateToJoin(id, untilBlock, block.number);
        requireRoom(jobId, id, head.place, entry);
        uint96 bond = getBond(entry);
        requireBond(jobId, bond);

        joiners[jobId][head.place][entry.joined] = msg.sender;
        entries[jobId][head.place].joined = entry.joined + 1;
        ++trace.places;
        emit DisputeJoined(id, jobId, msg.sender, bond);
        IStakeVault(VAULT).addBond{value: msg.value}(JobId.wrap(id), msg.sender, bond);
    }

    /* THE ASSERTER */

    /// @inheritdoc ITraceSearches
    function postTrace(
        JobId jobId,
        bytes32 root,
        bool isOpGranular,
        bytes32 lastOpRoot,
        bytes32[] calldata lastPath,
        string calldata uri
    ) external {
        uint256 time = tick();
        Trace storage trace = traces[jobId];
        // INVARIANT: a job has one trace.
        if (trace.postedAt != 0) revert TraceExists(jobId, trace.root);
        if (isOpGranular != (lastOpRoot != 0)) revert WrongGranularity(jobId, isOpGranular);
        Job memory job = getLiveJob(jobId);
        requireAsserter(jobId, job.operator);
        checkLast(getPlan(jobId, job.version, job.deadline), job.outDigest, root, lastOpRoot, lastPath);

        (trace.root, trace.postedAt, trace.isOpGranular) = (root, time.toUint40(), isOpGranular);
        trace.versionNumber = uint256(IModelRegistry(REGISTRY).numberOf(job.version)).toUint24();
        trace.operator = job.operator;
        emit TracePosted(jobId, root, isOpGranular, uri);
    }

    /// @inheritdoc ITraceSearches
    function expand(JobId jobId, LayerEnd calldata end) external {
        tick();
        Job memory job = getLiveJob(jobId);
        requireAsserter(jobId, job.operator);
        Trace memory trace = findTrace(jobId);
        if (trace.isOpGranular) revert WrongGranularity(jobId, true);
        uint256 layer = checkEnd(trace, getPlan(job.version), end).layer;
        if (end.lastDigest != end.layerDigest) revert WrongLayerEnd(end.lastDigest, end.layerDigest);
        // INVARIANT: what a layer's operators are said to be is said once.
        if (opRoots[jobId][layer] != 0) revert AlreadyExpanded(jobId, layer);

        opRoots[jobId][layer] = end.opRoot;
        emit LayerExpanded(jobId, layer, end.layerDigest, end.opRoot);
    }

    /* THE ASSERTER'S TURN */

    /// @inheritdoc ITraceSearches
    function revealLeaves(
        JobId jobId,
        address challenger,
        Search calldata state,
        bytes32[] calldata digests,
        bytes32[] calldata roots
    ) external {
        Move memory move = beginReveal(jobId, challenger, state);
        uint256 height = requireLayers(move);
        uint256 count = 1 << height;
        requireLength(digests.length, count);
        requireLength(roots.length, move.at.isOpGranular() ? count : 0);
        (uint256 first, uint256 layers) = (move.at.getIndex() << height, move.at.getLayers());
        bytes32[] memory leaves = TraceTree.hashLayers(digests, roots, first);
        // INVARIANT: behind the last layer nothing is revealed but padding, so that no search is led there.
        for (uint256 i = count; i != 0 && first + i > layers; --i) {
            if (leaves[i - 1] != 0) revert OutOfRange(first + i - 1, layers);
        }
        requireNode(TraceTree.consume(leaves, 0, count), state.node);
        passTurn(move, Phase.SELECT, state.node, 0);
    }

    /// @inheritdoc ITraceSearches
    function revealTileRoot(JobId jobId, address challenger, Search calldata state, bytes32 root) external {
        Move memory move = beginReveal(jobId, challenger, state);
        SearchMeta at = move.at;
        if (at.getTree() != Tree.DIGEST) revertWrongTree(move);
        (uint8 bytesPerElement, uint32 rows, uint32 cols) = at.getOutput();
        requireNode(TraceTree.hashMatrix(bytesPerElement, rows, cols, root), state.node);
        move.at = at.at(Tree.TILES, at.getIndex(), at.getHeight());
        // The turn goes on, so neither clock changes.
        writeSearch(move, Phase.REVEAL, move.head.deadline, root, state.context);
    }

    /// @inheritdoc ITraceSearches
    function revealTile(JobId jobId, address challenger, Search calldata state, bytes calldata tile) external {
        Move memory move = beginReveal(jobId, challenger, state);
        SearchMeta at = move.at;
        if (at.getTree() != Tree.TILES || at.getHeight() != 0) revertWrongTree(move);
        requireLength(tile.length, TraceTree.TILE_BYTES);
        requireNode(TraceTree.hashTile(at.getIndex(), tile), state.node);
        move.at = at.at(Tree.NONE, at.getIndex(), 0);
        passTurn(move, Phase.SELECT, state.node, state.context);
    }

    /* THE CHALLENGER'S TURN */

    /// @inheritdoc ITraceSearches
    function selectLayer(
        JobId jobId,
        Search calldata state,
        uint256 index,
        bytes32 digest,
        bytes32 opRoot,
        bytes32[] calldata siblings
    ) external {
        Move memory move = beginChoice(jobId, state);
        uint256 layer = (move.at.getIndex() << requireLayers(move)) + index;
        bytes32 leaf = TraceTree.hashLayer(layer, digest, opRoot);
        TraceTree.checkWhole(leaf, index, siblings, requireLayers(move), state.node);
        SearchMeta at = move.at;
        // INVARIANT: nobody has to reveal the operators of a layer that does not exist.
        if (layer >= at.getLayers()) revert OutOfRange(layer, at.getLayers());
        move.at = at.at(Tree.OPS, layer << LAYER_SHIFT, at.getOpDepth());
        // Zero while the layer is not expanded: then that is the first half of the asserter's answer.
        passTurn(move, Phase.REVEAL, at.isOpGranular() ? opRoot : opRoots[jobId][layer], 0);
    }

    /// @inheritdoc ITraceSearches
    function pinElement(JobId jobId, Search calldata state, Claim calldata claim) external {
        Move memory move = beginChoice(jobId, state);
        ClaimCore memory core = readCore(claim);
        (core.elem, core.seed) = (WHOLE, 0);
        bytes32 got = hashClaim(core);
        if (got != state.context) revert StaleMove(move.id, state.context, got);
        (, uint32 rows, uint32 cols) = move.at.getOutput();
        requireElement(claim.elem, rows, cols);
        core.elem = claim.elem;
        writeClaim(move, core, traces[jobId].operator);
    }

    /* ENDS */

    /// @inheritdoc ITraceSearches
    function claimTimeout(JobId jobId, uint256 key) external {
        uint256 time = tick();
        (bytes32 id, Head memory head, StoredEntry memory entry) = findDispute(jobId, key);
        address operator = getDisputedJob(jobId).operator;
        (bool isAsserter, uint256 deadline) = findTurn(jobId, id, head);
        // INVARIANT: nobody times out while the move may still come.
        if (time <= deadline) revert ClockRunning(id, deadline, time);

        if (!isAsserter) {
            close(jobId, id, head, entry, Phase.CHALLENGER_TIMEOUT, operator, operator);
            return;
        }
        address[] memory challengers = listChallengers(jobId, address(0));
        close(jobId, id, head, entry, Phase.DEFAULT, operator, address(0));
        // INVARIANT: a proof of the whole result that is due is not made up for by one of a part.
        if (IDisputeGame(GAME).getDispute(jobId).state == DisputeState.OPEN) writeEnd(id, Phase.DEFAULT);
        IDisputeGame(GAME).rejectFor(jobId, challengers, true);
    }

    /// @inheritdoc ITraceSearches
    function resolve(JobId jobId, uint256 key) external {
        (bytes32 id, Head memory head, StoredEntry memory entry) = findDispute(jobId, key);
        // INVARIANT: bonds go out once.
        if (head.phase == Phase.DEFAULT) revert WrongPhase(id, Phase.DEFAULT);
        Job memory job = IJobMarket(MARKET).getJob(jobId);

        close(jobId, id, head, entry, findEnd(id, job.state), job.operator, job.operator);
    }

    /// @inheritdoc ITraceSearches
    function finaliseDefended(JobId jobId) external {
        uint256 disputes = traces[jobId].open;
        // INVARIANT: a job is never final while a dispute is open.
        if (disputes != 0) revert StillDisputed(jobId, disputes);
        IDisputeGame(GAME).settleDefended(jobId, msg.sender);
    }

    /// @inheritdoc ITraceSearches
    function voidHeld(JobId jobId) external {
        IDisputeGame(GAME).voidFor(jobId);
    }

    /* ANYBODY */

    /// @inheritdoc ITraceSearches
    function proveStructural(JobId jobId, LayerEnd calldata end, bytes32) external {
        checkReported(jobId, end);
        if (end.lastDigest == end.layerDigest) revert NoContradiction(end.layerDigest);
        report(jobId, end.op, true);
    }

    /// @inheritdoc ITraceSearches
    function provePadding(
        JobId jobId,
        LayerEnd calldata end,
        uint256 position,
        bytes32 digest,
        bytes32[] calldata siblings,
        bytes32
    ) external {
        (uint256 layerOps, uint256 depth) = checkReported(jobId, end);
        if (position < layerOps || digest == 0) revert NoContradiction(digest);
        TraceTree.checkWhole(TraceTree.hashOp(position, digest), position, siblings, depth, end.opRoot);
        report(jobId, end.op, true);
    }

    /// @dev Opens the layer whose fault the caller has announced.
    function checkReported(JobId jobId, LayerEnd calldata end) private view returns (uint256 layerOps, uint256 depth) {
        tick();
        requireAnnounced();
        Job memory job = getLiveJob(jobId);
        Trace memory trace = findTrace(jobId);
        // A trace of layers alone says nothing about operators until it is expanded, and `expand` allows no contradiction.
        if (!trace.isOpGranular) revert WrongGranularity(jobId, false);
        Plan memory plan = getPlan(jobId, job.version, job.deadline);
        return (checkEnd(trace, plan, end).layerOps, plan.opDepth);
    }

    /* STEPS */

    /// @dev The levels above the leaves of layers that are shown, or chosen from, now.
    function requireLayers(Move memory move) private pure returns (uint256 height) {
        height = move.at.getHeight();
        if (move.at.getTree() != Tree.LAYERS || height > TraceTree.LEVELS) revertWrongTree(move);
    }

    /// @dev Whose turn it is, and its last second.
    function findTurn(JobId jobId, bytes32 id, Head memory head)
        private
        view
        returns (bool isAsserter, uint256 deadline)
    {
        deadline = head.deadline;
        if (head.phase == Phase.TRACE) {
            bool isPosted;
            (isPosted, deadline) = findAnswer(jobId, deadline);
            return (!isPosted, deadline);
        }
        isAsserter = head.phase == Phase.REVEAL || head.phase == Phase.LEAF;
        if (!isAsserter && head.phase != Phase.SELECT) revert WrongPhase(id, head.phase);
    }

    /// @dev How a dispute ends whose job was settled by something else.
    function findEnd(bytes32 id, JobState state) private view returns (Phase) {
        if (state == JobState.PROVEN) return Phase.DEFENDER_PROVEN;
        if (state == JobState.REJECTED) return Phase.CANCELLED;
        // A job that is disputed is voided by `voidHeld`, or with the proof that is due; no verdict comes any more.
        if (state == JobState.VOIDED || IProtocolClock(MARKET).isRefundMode()) return Phase.VOIDED;
        revert NothingToResolve(id, state);
    }

    /// @dev INVARIANT: nobody challenges twice, and the list stays short.
    function requireRoom(JobId jobId, bytes32 id, uint256 place, StoredEntry memory entry) private view {
        if (entry.joined >= MAX_JOINED || traces[jobId].places >= MAX_PLACES) revert NoPlace(jobId, MAX_PLACES);
        bool isInside = entry.challenger == msg.sender;
        for (uint256 i = 0; i < entry.joined; ++i) {
            if (joiners[jobId][place][i] == msg.sender) isInside = true;
        }
        if (isInside) revert AlreadyChallenging(id, msg.sender);
    }

    /// @dev INVARIANT: a trace ends with the committed output.
    function checkLast(Plan memory plan, bytes32 outDigest, bytes32 root, bytes32 lastOpRoot, bytes32[] calldata path)
        private
        pure
    {
        uint256 last = plan.layers - 1;
        bytes32 leaf = TraceTree.hashLayer(last, outDigest, lastOpRoot);
        TraceTree.checkWhole(leaf, last, path, plan.layerDepth, root);
    }

    /* VIEWS */

    /// @inheritdoc ITraceSearches
    function getTrace(JobId jobId) external view returns (Trace memory) {
        return traces[jobId];
    }

    /// @inheritdoc ITraceSearches
    function getOpRoot(JobId jobId, uint256 layer) external view returns (bytes32) {
        return opRoots[jobId][layer];
    }

    /// @inheritdoc ITraceSearches
    function requiredBond(JobId jobId) external view returns (uint256) {
        bytes32 version = IJobMarket(MARKET).getJob(jobId).version;
        return raiseBond(IDisputeGame(GAME).computeBond(version), traces[jobId].places);
    }

    /// @inheritdoc ITraceSearches
    function getDispute(JobId jobId, uint256 key) external view returns (PinpointDispute memory dispute) {
        dispute.id = computeId(jobId, key);
        Head memory head = DisputeHeads.unpack(heads[dispute.id]);
        // NONE if there never was one.
        dispute.phase = head.phase;
        if (head.hash == 0) return dispute;
        StoredEntry memory entry = entries[jobId][head.place];
        (dispute.challenger, dispute.openedAtBlock) = (entry.challenger, entry.openedAtBlock);
        (dispute.deadline, dispute.head) = (uint40(head.deadline), head.hash);
        // After a default the bonds are back.
        if (head.phase != Phase.DEFAULT) dispute.bonds = sumBonds(entry);
    }

    /// @inheritdoc ITraceSearches
    function getChallengers(JobId jobId, uint256 key) external view returns (address[] memory challengers) {
        (, Head memory head, StoredEntry memory entry) = findDispute(jobId, key);
        challengers = new address[](1 + entry.joined);
        addChallengers(challengers, 0, jobId, head.place, entry);
    }

    /// @inheritdoc IHeldChallengers
    function getOpenChallengers(JobId jobId) external view returns (address[] memory) {
        return listChallengers(jobId, address(0));
    }

    /// @inheritdoc ITraceSearches
    function countOpen(JobId jobId) external view returns (uint256 count) {
        for (uint256 open_ = traces[jobId].open; open_ != 0; open_ >>= 1) {
            count += open_ & 1;
        }
    }
}
