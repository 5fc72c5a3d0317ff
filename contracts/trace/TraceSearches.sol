// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {ITraceSearches} from "../interfaces/ITraceSearches.sol";
import {DisputeHeads} from "../libraries/DisputeHeads.sol";
import {Position, SearchMetas} from "../libraries/SearchMetas.sol";
import {TraceTree} from "../libraries/TraceTree.sol";
import {Claim} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {Job} from "../types/Job.sol";
import {Head, LayerEnd, Phase, Pin, Search, SearchMeta, Trace, Tree, WHOLE} from "../types/Pinpoint.sol";
import {Plan} from "../types/Plan.sol";
import {TraceBook} from "./TraceBook.sol";
import {TraceOpenings} from "./TraceOpenings.sol";

/// @title Searches: the asserter reveals, the challenger chooses, each on its own clock
contract TraceSearches is TraceOpenings, ITraceSearches {
    using SafeCast for uint256;
    using SearchMetas for Position;
    using SearchMetas for SearchMeta;

    /* TYPES */

    /// @dev A dispute and the move that is being made in it.
    struct Move {
        JobId jobId;
        bytes32 id;
        Head head;
        uint256 time;
        Position at;
    }

    /* CONSTANTS */

    uint256 private constant LAYER_SHIFT = 32;
    uint256 private constant NUMBER_MASK = (1 << LAYER_SHIFT) - 1;

    /* CONSTRUCTOR */

    constructor(Settings memory settings) TraceBook(settings) {}

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
    function reveal(JobId jobId, address challenger, Search calldata state, bytes32[] calldata words) external {
        Move memory move = beginReveal(jobId, challenger, state);
        uint256 levels = requireInner(move);
        requireLength(words.length, 1 << levels);
        bytes32 node = findNode(move, state);
        requireNode(TraceTree.computeRoot(words), node);
        passTurn(move, Phase.SELECT, node, state.context);
    }

    /// @inheritdoc ITraceSearches
    function revealLeaves(
        JobId jobId,
        address challenger,
        Search calldata state,
        bytes32[] calldata digests,
        bytes32[] calldata roots
    ) external {
        Move memory move = beginReveal(jobId, challenger, state);
        Position memory at = move.at;
        if (at.tree != Tree.LAYERS || at.height > TraceTree.LEVELS) revertWrongTree(move);
        uint256 count = 1 << at.height;
        requireLength(digests.length, count);
        requireLength(roots.length, at.isOpGranular ? count : 0);
        uint256 first = at.index << at.height;
        bytes32[] memory leaves = TraceTree.hashLayers(digests, roots, first);
        // INVARIANT: behind the last layer nothing is revealed but padding, so that no search is led there.
        for (uint256 i = count; i != 0 && first + i > at.layers; --i) {
            if (leaves[i - 1] != 0) revert OutOfRange(first + i - 1, at.layers);
        }
        requireNode(TraceTree.consume(leaves, 0, count), state.node);
        passTurn(move, Phase.SELECT, state.node, 0);
    }

    /// @inheritdoc ITraceSearches
    function revealOps(
        JobId jobId,
        address challenger,
        Search calldata state,
        bytes32[] calldata digests,
        bytes32[] calldata opDigests
    ) external {
        Move memory move = beginReveal(jobId, challenger, state);
        bytes32 node = findNode(move, state);
        bytes32 got =
            move.at.tree == Tree.OPS ? hashOps(move, digests, opDigests) : hashLayersOfOps(move, digests, opDigests);
        requireNode(got, node);
        (move.at.tree, move.at.height) = (Tree.NONE, 0);
        passTurn(move, Phase.SELECT, node, 0);
    }

    /// @inheritdoc ITraceSearches
    function revealTileRoot(JobId jobId, address challenger, Search calldata state, bytes32 root) external {
        Move memory move = beginReveal(jobId, challenger, state);
        Position memory at = move.at;
        if (at.tree != Tree.DIGEST) revertWrongTree(move);
        requireNode(TraceTree.hashMatrix(at.bytesPerElement, at.rows, at.cols, root), state.node);
        at.tree = Tree.TILES;
        // The turn goes on, so neither clock changes.
        writeSearch(move, Phase.REVEAL, move.head.deadline, Search(root, state.context, at.pack()));
    }

    /// @inheritdoc ITraceSearches
    function revealTile(JobId jobId, address challenger, Search calldata state, bytes calldata tile) external {
        Move memory move = beginReveal(jobId, challenger, state);
        Position memory at = move.at;
        if (at.tree != Tree.TILES || at.height != 0) revertWrongTree(move);
        requireLength(tile.length, TraceTree.TILE_BYTES);
        requireNode(TraceTree.hashTile(at.index, tile), state.node);
        at.tree = Tree.NONE;
        passTurn(move, Phase.SELECT, state.node, state.context);
    }

    /* THE CHALLENGER'S TURN */

    /// @inheritdoc ITraceSearches
    function search(JobId jobId, bytes32 expectedTraceRoot) external {
        Search memory none;
        Move memory move = beginChoice(jobId, none);
        Trace memory trace = traces[jobId];
        if (move.head.phase != Phase.TRACE) revert WrongPhase(move.id, move.head.phase);
        if (trace.root != expectedTraceRoot) revert UnexpectedTrace(jobId, trace.root, expectedTraceRoot);
        move.at = positionAtRoot(trace, getPlan(IModelRegistry(REGISTRY).versionAt(trace.versionNumber)));
        passTurn(move, Phase.REVEAL, trace.root, 0);
    }

    /// @inheritdoc ITraceSearches
    function select(JobId jobId, Search calldata state, uint256 index, bytes32 child, bytes32[] calldata siblings)
        external
    {
        Move memory move = beginChoice(jobId, state);
        Position memory at = move.at;
        uint256 levels = requireInner(move);
        TraceTree.checkWhole(child, index, siblings, levels, state.node);
        at.height -= levels;
        // The layer's number stays where it is.
        uint256 high = at.tree == Tree.OPS ? at.index & ~NUMBER_MASK : 0;
        at.index = high | (at.index - high) << levels | index;
        // INVARIANT: nobody has to reveal a tile that does not exist: it would have no preimage.
        if (at.tree == Tree.TILES && at.height == 0) {
            uint256 tiles = countTiles(at.bytesPerElement, at.rows, at.cols);
            if (at.index >= tiles) revert OutOfRange(at.index, tiles);
        }
        passTurn(move, Phase.REVEAL, child, state.context);
    }

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
        Position memory at = move.at;
        if (at.tree != Tree.LAYERS || at.height > TraceTree.LEVELS) revertWrongTree(move);
        uint256 layer = (at.index << at.height) + index;
        bytes32 leaf = TraceTree.hashLayer(layer, digest, opRoot);
        TraceTree.checkWhole(leaf, index, siblings, at.height, state.node);
        // INVARIANT: nobody has to reveal the operators of a layer that does not exist.
        if (layer >= at.layers) revert OutOfRange(layer, at.layers);
        (at.tree, at.index, at.height) = (Tree.OPS, layer << LAYER_SHIFT, at.opDepth);
        // Zero while the layer is not expanded: then that is the first half of the asserter's answer.
        passTurn(move, Phase.REVEAL, at.isOpGranular ? opRoot : opRoots[jobId][layer], 0);
    }

    /// @inheritdoc ITraceSearches
    function pinSearched(JobId jobId, Search calldata state, Pin calldata pin) external {
        Move memory move = beginChoice(jobId, state);
        Trace memory trace = findTrace(jobId);
        bytes32 version = IModelRegistry(REGISTRY).versionAt(trace.versionNumber);
        (ClaimCore memory core, OpHead memory head) = openPin(jobId, version, trace, getPlan(version), pin);
        requireDecidable(pin.op, pin.elem, head);
        writeClaim(move, core, trace.operator);
    }

    /// @inheritdoc ITraceSearches
    function searchTiles(JobId jobId, Search calldata state, Pin calldata pin) external {
        Move memory move = beginChoice(jobId, state);
        // INVARIANT: every turn goes down a tree: nobody wears an honest asserter's clock out by searching for ever.
        if (state.context != 0) revertWrongTree(move);
        Trace memory trace = findTrace(jobId);
        bytes32 version = IModelRegistry(REGISTRY).versionAt(trace.versionNumber);
        Plan memory plan = getPlan(version);
        (ClaimCore memory core, OpHead memory head) = openPin(jobId, version, trace, plan, pin);
        if (pin.elem != WHOLE) revert OutOfRange(pin.elem, WHOLE);
        // In phase TRACE there is no position yet.
        if (move.head.phase == Phase.TRACE) move.at = positionAtRoot(trace, plan);
        Position memory at = move.at;
        (at.tree, at.index) = (Tree.DIGEST, 0);
        (at.bytesPerElement, at.rows, at.cols) = (head.bytesPerElement, head.rows, head.cols);
        at.height = Math.log2(countTiles(head.bytesPerElement, head.rows, head.cols), Math.Rounding.Ceil);
        passTurn(move, Phase.REVEAL, core.outDigest, hashClaim(core));
    }

    /// @inheritdoc ITraceSearches
    function pinElement(JobId jobId, Search calldata state, Claim calldata claim) external {
        Move memory move = beginChoice(jobId, state);
        ClaimCore memory core = readCore(claim);
        (core.elem, core.seed) = (WHOLE, 0);
        bytes32 got = hashClaim(core);
        if (got != state.context) revert StaleMove(move.id, state.context, got);
        requireElement(claim.elem, move.at.rows, move.at.cols);
        core.elem = claim.elem;
        writeClaim(move, core, traces[jobId].operator);
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

    /* MOVES */

    function beginReveal(JobId jobId, address challenger, Search calldata state)
        private
        view
        returns (Move memory move)
    {
        move = findMove(jobId, challenger, state);
        if (move.head.phase != Phase.REVEAL) revert WrongPhase(move.id, move.head.phase);
        requireInTime(move.id, move.head.deadline, move.time);
    }

    /// @dev A move of the caller in its own search: after what was revealed, or after the trace that it asked for.
    function beginChoice(JobId jobId, Search memory state) private view returns (Move memory move) {
        move = findMove(jobId, msg.sender, state);
        if (move.head.phase == Phase.TRACE) {
            bool isPosted;
            (isPosted, move.head.deadline) = findAnswer(jobId, move.head.deadline);
            if (!isPosted) revert WrongPhase(move.id, Phase.TRACE);
        } else if (move.head.phase != Phase.SELECT) {
            revert WrongPhase(move.id, move.head.phase);
        }
        requireInTime(move.id, move.head.deadline, move.time);
    }

    function findMove(JobId jobId, address challenger, Search memory state) private view returns (Move memory move) {
        // INVARIANT: nothing moves in a search once the job is settled.
        (move.jobId, move.time) = (jobId, IJobMarket(MARKET).stepDisputed(jobId));
        (move.id, move.head) = findHead(jobId, computeSearchKey(challenger));
        requireHash(move.id, move.head, hashSearch(state));
        move.at = state.meta.unpack();
    }

    /// @dev The mover's clock stops with what is left, the other's goes on with what it had left, raised to the least a
    /// turn begins with.
    function passTurn(Move memory move, Phase phase, bytes32 node, bytes32 context) private {
        Position memory at = move.at;
        uint256 left = at.clock;
        if (left < EXTENSION_SECONDS) {
            // INVARIANT: a clock is raised so often at most: an end is in sight however deep the trees are.
            bool isAsserter = phase == Phase.REVEAL;
            uint256 used = isAsserter ? at.asserterExtensions : at.challengerExtensions;
            if (used < MAX_EXTENSIONS) {
                left = EXTENSION_SECONDS;
                if (isAsserter) at.asserterExtensions = used + 1;
                else at.challengerExtensions = used + 1;
            }
        }
        // No underflow: the mover was in time.
        at.clock = move.head.deadline - move.time;
        writeSearch(move, phase, move.time + left, Search(node, context, at.pack()));
    }

    function writeSearch(Move memory move, Phase phase, uint256 deadline, Search memory state) private {
        writeHead(move.id, move.head.place, phase, deadline, hashSearch(state));
        emit SearchMoved(move.id, move.jobId, phase, deadline, state);
    }

    /// @dev Ends a search in a claim.
    function writeClaim(Move memory move, ClaimCore memory core, address operator) private {
        bytes32 pinId = computeId(move.jobId, computePinKey(core.op, core.elem));
        // INVARIANT: an element that was found consistent is not disputed again.
        if (heads[pinId] == DisputeHeads.packEnd(Phase.DEFENDER_PROVEN)) revert DisputeExists(pinId);
        core.seed = drawSeed(move.id);
        uint256 proveBy = move.time + IDisputeGame(GAME).computeProveSeconds(core.version, operator);
        writeHead(move.id, move.head.place, Phase.LEAF, proveBy, hashClaim(core));
        emit OperatorPinned(move.id, move.jobId, core.op, core.elem, proveBy, core.seed);
    }

    /* TREES */

    /// @dev INVARIANT: a trace ends with the committed output.
    function checkLast(Plan memory plan, bytes32 outDigest, bytes32 root, bytes32 lastOpRoot, bytes32[] calldata path)
        private
        pure
    {
        uint256 last = plan.layers - 1;
        bytes32 leaf = TraceTree.hashLayer(last, outDigest, lastOpRoot);
        TraceTree.checkWhole(leaf, last, path, plan.layerDepth, root);
    }

    /// @dev The node to be revealed; of a layer that had no root when it was selected, the root it was given since.
    function findNode(Move memory move, Search calldata state) private view returns (bytes32 node) {
        node = state.node;
        if (node == 0 && move.at.tree == Tree.OPS && !move.at.isOpGranular) {
            uint256 layer = move.at.index >> LAYER_SHIFT;
            node = opRoots[move.jobId][layer];
            if (node == 0) revert NotExpanded(move.jobId, layer);
        }
    }

    /// @dev The levels that a move among nodes goes down. Leaves of layers and operators are shown with what they hash.
    function requireInner(Move memory move) private pure returns (uint256) {
        (Tree tree, uint256 height) = (move.at.tree, move.at.height);
        bool isInner = height > TraceTree.LEVELS && (tree == Tree.LAYERS || tree == Tree.OPS);
        if (!isInner && !(height != 0 && tree == Tree.TILES)) revertWrongTree(move);
        return Math.min(height, TraceTree.LEVELS);
    }

    function hashOps(Move memory move, bytes32[] calldata digests, bytes32[] calldata opDigests)
        private
        pure
        returns (bytes32)
    {
        Position memory at = move.at;
        if (at.height > TraceTree.LEVELS) revertWrongTree(move);
        requireLength(digests.length, 0);
        requireLength(opDigests.length, 1 << at.height);
        return TraceTree.hashOps(opDigests, 0, opDigests.length, (at.index & NUMBER_MASK) << at.height);
    }

    function hashLayersOfOps(Move memory move, bytes32[] calldata digests, bytes32[] calldata opDigests)
        private
        pure
        returns (bytes32)
    {
        Position memory at = move.at;
        bool fits = at.height + at.opDepth <= TraceTree.LEVELS;
        if (at.tree != Tree.LAYERS || !at.isOpGranular || !fits) revertWrongTree(move);
        (uint256 count, uint256 width) = (1 << at.height, 1 << at.opDepth);
        requireLength(digests.length, count);
        requireLength(opDigests.length, count * width);
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            // A layer without digest is padding, and so its leaf stays zero.
            if (digests[i] == 0) continue;
            bytes32 opRoot = TraceTree.hashOps(opDigests, i * width, width, 0);
            uint256 layer = (at.index << at.height) + i;
            // INVARIANT: as in `revealLeaves`.
            if (layer >= at.layers) revert OutOfRange(layer, at.layers);
            leaves[i] = TraceTree.hashLayer(layer, digests[i], opRoot);
        }
        return TraceTree.consume(leaves, 0, count);
    }

    function countTiles(uint8 bytesPerElement, uint32 rows, uint32 cols) private pure returns (uint256) {
        return Math.ceilDiv(uint256(bytesPerElement) * rows * cols, TraceTree.TILE_BYTES);
    }

    function requireNode(bytes32 got, bytes32 node) private pure {
        if (got != node) revert WrongOpening(got, node);
    }

    function revertWrongTree(Move memory move) private pure {
        revert WrongTree(move.id, move.at.tree, move.at.height);
    }
}
