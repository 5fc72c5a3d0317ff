// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {DisputeHeads} from "../libraries/DisputeHeads.sol";
import {SearchMetas} from "../libraries/SearchMetas.sol";
import {TraceTree} from "../libraries/TraceTree.sol";
import {JobId} from "../types/Ids.sol";
import {Head, Phase, Search, SearchMeta, Tree} from "../types/Pinpoint.sol";
import {TraceOpenings} from "./TraceOpenings.sol";

/// @title What every move of a search begins and ends with
abstract contract SearchMoves is TraceOpenings {
    using SearchMetas for SearchMeta;

    /* TYPES */

    /// @dev A dispute and the move that is being made in it.
    struct Move {
        JobId jobId;
        bytes32 id;
        Head head;
        uint256 time;
        SearchMeta at;
    }

    /* CONSTANTS */

    /// @dev Where a position among a layer's operators has the layer.
    uint256 internal constant LAYER_SHIFT = 32;
    /// @dev Of a position among a layer's operators: the number of the node in its level.
    uint256 internal constant NUMBER_MASK = (1 << LAYER_SHIFT) - 1;

    /* MOVES */

    function beginReveal(JobId jobId, address challenger, Search calldata state)
        internal
        view
        returns (Move memory move)
    {
        move = findMove(jobId, challenger, hashPosition(state));
        move.at = state.meta;
        if (move.head.phase != Phase.REVEAL) revert WrongPhase(move.id, move.head.phase);
        requireInTime(move.id, move.head.deadline, move.time);
    }

    /// @dev A move of the caller in its own search: after what was revealed, or after the trace that it asked for.
    function beginChoice(JobId jobId, Search calldata state) internal view returns (Move memory move) {
        move = beginChoice(jobId, hashPosition(state));
        move.at = state.meta;
    }

    function beginChoice(JobId jobId, bytes32 position) internal view returns (Move memory move) {
        move = findMove(jobId, msg.sender, position);
        if (move.head.phase == Phase.TRACE) {
            bool isPosted;
            (isPosted, move.head.deadline) = findAnswer(jobId, move.head.deadline);
            if (!isPosted) revert WrongPhase(move.id, Phase.TRACE);
        } else if (move.head.phase != Phase.SELECT) {
            revert WrongPhase(move.id, move.head.phase);
        }
        requireInTime(move.id, move.head.deadline, move.time);
    }

    function findMove(JobId jobId, address challenger, bytes32 position) private view returns (Move memory move) {
        // INVARIANT: nothing moves in a search once the job is settled.
        (move.jobId, move.time) = (jobId, IJobMarket(MARKET).stepDisputed(jobId));
        (move.id, move.head) = findHead(jobId, computeSearchKey(challenger));
        requireHash(move.id, move.head, position);
    }

    function hashPosition(Search calldata state) private pure returns (bytes32 hash) {
        // Equivalent to hashSearch(state)
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, state, 0x60)
            hash := keccak256(at, 0x60)
        }
    }

    /// @dev The mover's clock stops with what is left, the other's goes on with what it had left, raised to the least a
    /// turn begins with.
    function passTurn(Move memory move, Phase phase, bytes32 node, bytes32 context) internal {
        SearchMeta at = move.at;
        uint256 left = at.getClock();
        if (left < EXTENSION_SECONDS) {
            // INVARIANT: a clock is raised so often at most: an end is in sight however deep the trees are.
            bool isAsserter = phase == Phase.REVEAL;
            if (at.getExtensions(isAsserter) < MAX_EXTENSIONS) {
                (left, at) = (EXTENSION_SECONDS, at.extend(isAsserter));
            }
        }
        // No underflow: the mover was in time.
        move.at = at.withClock(move.head.deadline - move.time);
        writeSearch(move, phase, move.time + left, node, context);
    }

    function writeSearch(Move memory move, Phase phase, uint256 deadline, bytes32 node, bytes32 context) internal {
        (bytes32 id, JobId jobId, SearchMeta meta) = (move.id, move.jobId, move.at);
        bytes32 topic = SearchMoved.selector;
        bytes32 hash;
        // Equivalent to hash = hashSearch(state); emit SearchMoved(id, jobId, phase, deadline, state)
        // where state = Search(node, context, meta)
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, phase)
            mstore(add(at, 0x20), deadline)
            mstore(add(at, 0x40), node)
            mstore(add(at, 0x60), context)
            mstore(add(at, 0x80), meta)
            hash := keccak256(add(at, 0x40), 0x60)
            log3(at, 0xa0, topic, id, jobId)
        }
        writeHead(id, move.head.place, phase, deadline, hash);
    }

    /// @dev Ends a search in a claim.
    function writeClaim(Move memory move, ClaimCore memory core, address operator) internal {
        bytes32 pinId = computeId(move.jobId, computePinKey(core.op, core.elem));
        // INVARIANT: an element that was found consistent is not disputed again.
        if (heads[pinId] == DisputeHeads.packEnd(Phase.DEFENDER_PROVEN)) revert DisputeExists(pinId);
        core.seed = drawSeed(move.id);
        uint256 proveBy = move.time + IDisputeGame(GAME).computeProveSeconds(core.version, operator);
        writeHead(move.id, move.head.place, Phase.LEAF, proveBy, hashClaim(core));
        emit OperatorPinned(move.id, move.jobId, core.op, core.elem, proveBy, core.seed);
    }

    function requireTrace(JobId jobId, bytes32 root, bytes32 expected) internal pure {
        if (root != expected) revert UnexpectedTrace(jobId, root, expected);
    }

    /* TREES */

    /// @dev The node to be revealed; of a layer that had no root when it was selected, the root it was given since.
    function findNode(Move memory move, Search calldata state) internal view returns (bytes32 node) {
        node = state.node;
        if (node == 0 && move.at.getTree() == Tree.OPS && !move.at.isOpGranular()) {
            uint256 layer = move.at.getIndex() >> LAYER_SHIFT;
            node = opRoots[move.jobId][layer];
            if (node == 0) revert NotExpanded(move.jobId, layer);
        }
    }

    /// @dev The levels that a move among nodes goes down. Leaves of layers and operators are shown with what they hash.
    function requireInner(Move memory move) internal pure returns (uint256) {
        (Tree tree, uint256 height) = (move.at.getTree(), move.at.getHeight());
        bool isInner = height > TraceTree.LEVELS && (tree == Tree.LAYERS || tree == Tree.OPS);
        if (!isInner && !(height != 0 && tree == Tree.TILES)) revertWrongTree(move);
        return Math.min(height, TraceTree.LEVELS);
    }

    function countTiles(SearchMeta at) internal pure returns (uint256) {
        (uint8 bytesPerElement, uint32 rows, uint32 cols) = at.getOutput();
        return Math.ceilDiv(uint256(bytesPerElement) * rows * cols, TraceTree.TILE_BYTES);
    }

    function requireNode(bytes32 got, bytes32 node) internal pure {
        if (got != node) revert WrongOpening(got, node);
    }

    function revertWrongTree(Move memory move) internal pure {
        revert WrongTree(move.id, move.at.getTree(), move.at.getHeight());
    }
}
