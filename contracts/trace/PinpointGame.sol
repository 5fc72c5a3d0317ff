// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdjudicatorRegistry} from "../interfaces/IAdjudicatorRegistry.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IPinpointDisputes} from "../interfaces/IPinpointDisputes.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Position, SearchMetas} from "../libraries/SearchMetas.sol";
import {TraceTree} from "../libraries/TraceTree.sol";
import {Hold} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Parameters} from "../types/Parameters.sol";
import {Phase, Pin, Search, SearchMeta, Trace, Tree, WHOLE} from "../types/Pinpoint.sol";
import {Plan} from "../types/Plan.sol";
import {Rulings} from "./Rulings.sol";
import {SearchMoves} from "./SearchMoves.sol";
import {TraceBook} from "./TraceBook.sol";
import {TraceSearches} from "./TraceSearches.sol";

/// @title The game of pinpointing: the shortest ways from a doubt to a verdict
/// @notice What is done in every dispute that nobody delays is here, so that it costs no detour: openings, the moves of a
/// search among nodes, verdicts.
contract PinpointGame is SearchMoves, Rulings {
    using SearchMetas for Position;
    using SearchMetas for SearchMeta;

    /* IMMUTABLES */

    /// @inheritdoc IPinpointDisputes
    address public immutable SEARCHES;

    /* CONSTRUCTOR */

    constructor(
        address vault,
        address registry,
        address market,
        address game,
        address adjudicators,
        Parameters memory p
    ) TraceBook(readSettings(vault, registry, market, game, adjudicators, p)) {
        // A game across two deployments would move money under foreign rules. The vault has validated the parameters.
        if (
            IStakeVault(vault).PINPOINT() != address(this) || IStakeVault(vault).MARKET() != market
                || IStakeVault(vault).GAME() != game || IParameters(vault).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(vault);
        if (IJobMarket(market).VAULT() != vault || IJobMarket(market).REGISTRY() != registry) {
            revert ForeignModule(market);
        }
        if (
            IAdjudicatorRegistry(adjudicators).REGISTRY() != registry
                || IAdjudicatorRegistry(adjudicators).MARKET() != market
                || IParameters(adjudicators).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(adjudicators);
        SEARCHES = address(new TraceSearches(readSettings(vault, registry, market, game, adjudicators, p)));
    }

    function readSettings(
        address vault,
        address registry,
        address market,
        address game,
        address adjudicators,
        Parameters memory p
    ) private pure returns (Settings memory) {
        return Settings({
            vault: vault,
            registry: registry,
            market: market,
            game: game,
            adjudicators: adjudicators,
            parametersHash: ParameterRules.hash(p),
            traceSeconds: ParameterRules.computeTraceSeconds(p),
            clockSeconds: ParameterRules.computeClockSeconds(p),
            extensionSeconds: ParameterRules.computeExtensionSeconds(p),
            shareBlocks: p.shareBlocks,
            airgapSeconds: p.airgapSeconds,
            execAndChallengeSeconds: uint256(p.execSeconds) + p.challengeSeconds
        });
    }

    /* EVERYTHING ELSE */

    /// @notice Has everything else done in this game's name.
    /// SAFETY: the code that runs is this deployment's, made by this contract's constructor, and its storage is laid out
    /// by the same TraceBook. What takes no money there refuses it itself.
    fallback() external payable {
        address searches = SEARCHES;
        // Equivalent to returning, or reverting with, the result of searches.delegatecall(msg.data)
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, 0, calldatasize())
            let success := delegatecall(gas(), searches, at, calldatasize(), 0, 0)
            returndatacopy(at, 0, returndatasize())
            if iszero(success) { revert(at, returndatasize()) }
            return(at, returndatasize())
        }
    }

    /// @dev Money comes with a bond alone.
    receive() external payable {
        revert UnknownDispute(0);
    }

    /* CHALLENGERS */

    /// @inheritdoc IPinpointDisputes
    function openDispute(JobId jobId, bytes32 expectedOutDigest) external payable returns (bytes32 id) {
        Hold memory hold = IDisputeGame(GAME).holdFor(jobId, expectedOutDigest);
        Plan memory plan = getPlan(jobId, hold.version, hold.deadline);
        Trace memory trace = traces[jobId];
        uint256 time = tick();
        uint256 key = computeSearchKey(msg.sender);
        // Without a trace the position is all zero.
        Search memory state;
        if (trace.postedAt == 0) {
            return open(jobId, key, hold, trace, Phase.TRACE, time + TRACE_SECONDS, hashSearch(state));
        }
        (state.node, state.meta) = (trace.root, positionAtRoot(trace, plan));
        uint256 deadline = time + CLOCK_SECONDS;
        id = open(jobId, key, hold, trace, Phase.REVEAL, deadline, hashSearch(state));
        emit SearchMoved(id, jobId, Phase.REVEAL, deadline, state);
    }

    /// @inheritdoc IPinpointDisputes
    function pinpoint(JobId jobId, bytes32 expectedOutDigest, bytes32 expectedTraceRoot, Pin calldata pin)
        external
        payable
        returns (bytes32 id)
    {
        Hold memory hold = IDisputeGame(GAME).holdFor(jobId, expectedOutDigest);
        Trace memory trace = findTrace(jobId);
        requireTrace(jobId, trace.root, expectedTraceRoot);
        Plan memory plan = getPlan(jobId, hold.version, hold.deadline);
        (ClaimCore memory core, OpHead memory head) = openPin(jobId, hold.version, trace, plan, pin);
        requireDecidable(pin.op, pin.elem, head);

        uint256 key = computePinKey(pin.op, pin.elem);
        core.seed = drawSeed(computeId(jobId, key));
        uint256 proveBy = tick() + hold.proveSeconds;
        id = open(jobId, key, hold, trace, Phase.LEAF, proveBy, hashClaim(core));
        emit OperatorPinned(id, jobId, pin.op, pin.elem, proveBy, core.seed);
    }

    /* MOVES OF A SEARCH */

    /// @inheritdoc IPinpointDisputes
    function reveal(JobId jobId, address challenger, Search calldata state, bytes32[] calldata words) external {
        Move memory move = beginReveal(jobId, challenger, state);
        uint256 levels = requireInner(move);
        requireLength(words.length, 1 << levels);
        bytes32 node = findNode(move, state);
        requireNode(TraceTree.computeRoot(words), node);
        passTurn(move, Phase.SELECT, node, state.context);
    }

    /// @inheritdoc IPinpointDisputes
    function revealOps(
        JobId jobId,
        address challenger,
        Search calldata state,
        bytes32[] calldata digests,
        bytes32[] calldata opDigests
    ) external {
        Move memory move = beginReveal(jobId, challenger, state);
        bytes32 node = findNode(move, state);
        bytes32 got = move.at.getTree() == Tree.OPS
            ? hashOps(move, digests, opDigests)
            : hashLayersOfOps(move, digests, opDigests);
        requireNode(got, node);
        move.at = move.at.at(Tree.NONE, move.at.getIndex(), 0);
        passTurn(move, Phase.SELECT, node, 0);
    }

    /// @inheritdoc IPinpointDisputes
    function search(JobId jobId, bytes32 expectedTraceRoot) external {
        Search memory none;
        Move memory move = beginChoice(jobId, hashSearch(none));
        Trace memory trace = traces[jobId];
        if (move.head.phase != Phase.TRACE) revert WrongPhase(move.id, move.head.phase);
        requireTrace(jobId, trace.root, expectedTraceRoot);
        move.at = positionAtRoot(trace, getPlan(IModelRegistry(REGISTRY).versionAt(trace.versionNumber)));
        passTurn(move, Phase.REVEAL, trace.root, 0);
    }

    /// @inheritdoc IPinpointDisputes
    function select(JobId jobId, Search calldata state, uint256 index, bytes32 child, bytes32[] calldata siblings)
        external
    {
        Move memory move = beginChoice(jobId, state);
        uint256 levels = requireInner(move);
        TraceTree.checkWhole(child, index, siblings, levels, state.node);
        (Tree tree, uint256 height) = (move.at.getTree(), move.at.getHeight() - levels);
        uint256 number = move.at.getIndex();
        // The layer's number stays where it is.
        uint256 high = tree == Tree.OPS ? number & ~NUMBER_MASK : 0;
        number = high | (number - high) << levels | index;
        // INVARIANT: nobody has to reveal a tile that does not exist: it would have no preimage.
        if (tree == Tree.TILES && height == 0) {
            uint256 tiles = countTiles(move.at);
            if (number >= tiles) revert OutOfRange(number, tiles);
        }
        move.at = move.at.at(tree, number, height);
        passTurn(move, Phase.REVEAL, child, state.context);
    }

    /// @inheritdoc IPinpointDisputes
    function pinSearched(JobId jobId, Search calldata state, Pin calldata pin) external {
        Move memory move = beginChoice(jobId, state);
        Trace memory trace = findTrace(jobId);
        bytes32 version = IModelRegistry(REGISTRY).versionAt(trace.versionNumber);
        (ClaimCore memory core, OpHead memory head) = openPin(jobId, version, trace, getPlan(version), pin);
        requireDecidable(pin.op, pin.elem, head);
        writeClaim(move, core, trace.operator);
    }

    /// @inheritdoc IPinpointDisputes
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
        Position memory at = move.at.unpack();
        (at.tree, at.index) = (Tree.DIGEST, 0);
        (at.bytesPerElement, at.rows, at.cols) = (head.bytesPerElement, head.rows, head.cols);
        at.height = Math.log2(countTiles(at.pack()), Math.Rounding.Ceil);
        move.at = at.pack();
        passTurn(move, Phase.REVEAL, core.outDigest, hashClaim(core));
    }

    /* STEPS */

    function hashOps(Move memory move, bytes32[] calldata digests, bytes32[] calldata opDigests)
        private
        pure
        returns (bytes32)
    {
        (uint256 index, uint256 height) = (move.at.getIndex(), move.at.getHeight());
        if (height > TraceTree.LEVELS) revertWrongTree(move);
        requireLength(digests.length, 0);
        requireLength(opDigests.length, 1 << height);
        return TraceTree.hashOps(opDigests, 0, opDigests.length, (index & NUMBER_MASK) << height);
    }

    function hashLayersOfOps(Move memory move, bytes32[] calldata digests, bytes32[] calldata opDigests)
        private
        pure
        returns (bytes32)
    {
        SearchMeta at = move.at;
        bool fits = at.getHeight() + at.getOpDepth() <= TraceTree.LEVELS;
        if (at.getTree() != Tree.LAYERS || !at.isOpGranular() || !fits) revertWrongTree(move);
        uint256 width = 1 << at.getOpDepth();
        requireLength(digests.length, 1 << at.getHeight());
        requireLength(opDigests.length, digests.length * width);
        uint256 layer = at.getIndex() << at.getHeight();
        bytes32[] memory leaves = new bytes32[](digests.length);
        for (uint256 i = 0; i < digests.length; ++i) {
            // A layer without digest is padding, and so its leaf stays zero.
            if (digests[i] != 0) {
                // INVARIANT: as in `revealLeaves`.
                if (layer >= at.getLayers()) revert OutOfRange(layer, at.getLayers());
                bytes32 opRoot = TraceTree.hashOps(opDigests, i * width, width, 0);
                leaves[i] = TraceTree.hashLayer(layer, digests[i], opRoot);
            }
            ++layer;
        }
        return TraceTree.consume(leaves, 0, leaves.length);
    }
}
