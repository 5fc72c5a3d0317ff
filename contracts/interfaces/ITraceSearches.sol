// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {LayerEnd, Pin, Search} from "../types/Pinpoint.sol";
import {IPinpointBook} from "./IPinpointBook.sol";

/// @title Traces and their searches
/// @notice The asserter's and the challenger's moves in what the game of pinpointing (IPinpointGame) is about.
interface ITraceSearches is IPinpointBook {
    /* THE ASSERTER */

    /// @notice Posts the trace of a committed result, once: by the operator's owner or worker. The leaf of the last layer
    /// must hold the committed output.
    /// @param isOpGranular Whether the leaves hold the roots over the layers' operators.
    /// @param lastOpRoot That root in the last layer's leaf, 0 without.
    /// @param lastPath Siblings of the last layer's leaf.
    /// @param uri Where the digests can be fetched; only emitted.
    function postTrace(
        JobId jobId,
        bytes32 root,
        bool isOpGranular,
        bytes32 lastOpRoot,
        bytes32[] calldata lastPath,
        string calldata uri
    ) external;

    /// @notice Tells the root over the operators of a layer of a trace of LAYER granularity, once: by the operator's
    /// owner or worker. The last operator's leaf must hold the layer's digest.
    function expand(JobId jobId, LayerEnd calldata end) external;

    /* ANYBODY, on the asserter's turn */

    /// @notice Reveals the 32 descendants five levels below the node of a search, or fewer right above the tiles.
    function reveal(JobId jobId, address challenger, Search calldata state, bytes32[] calldata words) external;

    /// @notice Reveals the leaves of the layers below a node that is at most five levels above them. Behind the last layer
    /// there is nothing to reveal.
    /// @param digests The layers' digests, zero where there is no layer.
    /// @param opRoots The roots over their operators; of a trace of LAYER granularity none.
    function revealLeaves(
        JobId jobId,
        address challenger,
        Search calldata state,
        bytes32[] calldata digests,
        bytes32[] calldata opRoots
    ) external;

    /// @notice Reveals the digests of all operators below a node: of a layer's operators, or of the layers themselves if
    /// the trace is of OP granularity; at most five levels in all.
    /// @param digests The layers' digests, if the node is one of theirs.
    /// @param opDigests The operators' digests, as many to each layer as the widest has room for, zero where there is no
    /// operator.
    function revealOps(
        JobId jobId,
        address challenger,
        Search calldata state,
        bytes32[] calldata digests,
        bytes32[] calldata opDigests
    ) external;

    /// @notice Reveals the root of the tiles of the output that is searched; the turn goes on.
    function revealTileRoot(JobId jobId, address challenger, Search calldata state, bytes32 root) external;

    /// @notice Reveals a tile of the output that is searched: 1024 bytes.
    function revealTile(JobId jobId, address challenger, Search calldata state, bytes calldata tile) external;

    /* THE CHALLENGER, in its own search and on its turn */

    /// @notice Starts to search the trace that was posted in answer to the caller's dispute.
    function search(JobId jobId, bytes32 expectedTraceRoot) external;

    /// @notice Goes on below one of the descendants that were revealed.
    /// @param index Which one, from the left.
    /// @param siblings Its siblings up to the node.
    function select(JobId jobId, Search calldata state, uint256 index, bytes32 child, bytes32[] calldata siblings)
        external;

    /// @notice Goes on among the operators of one of the layers that were revealed.
    /// @param index Which one, from the left.
    /// @param digest The layer's digest.
    /// @param opRoot The root over its operators; of a trace of LAYER granularity 0.
    /// @param siblings Its siblings up to the node.
    function selectLayer(
        JobId jobId,
        Search calldata state,
        uint256 index,
        bytes32 digest,
        bytes32 opRoot,
        bytes32[] calldata siblings
    ) external;

    /// @notice Pins an operator on the caller's turn in its own search.
    function pinSearched(JobId jobId, Search calldata state, Pin calldata pin) external;

    /// @notice Pins an operator as a whole and goes on in the tiles of its output, which the asserter has to reveal. Once a
    /// search: every turn goes down.
    function searchTiles(JobId jobId, Search calldata state, Pin calldata pin) external;

    /// @notice Names the element of the output that was searched.
    /// @param claim The claim about the pinned operator, with the element and seed zero.
    function pinElement(JobId jobId, Search calldata state, Claim calldata claim) external;

    /* ANYBODY */

    /// @notice Shows without a bond that a layer of a trace of OP granularity ends with another digest than its own.
    /// Announced like IPinpointDisputes.proveFraud.
    function proveStructural(JobId jobId, LayerEnd calldata end, bytes32 salt) external;

    /// @notice Shows without a bond that a layer of a trace of OP granularity has a digest behind its last operator: else
    /// a search could be led there, where nothing can be pinned. Announced likewise.
    /// @param position Behind the layer's last operator.
    /// @param digest Its digest.
    /// @param siblings Of its leaf, among the operators of the layer.
    function provePadding(
        JobId jobId,
        LayerEnd calldata end,
        uint256 position,
        bytes32 digest,
        bytes32[] calldata siblings,
        bytes32 salt
    ) external;
}
