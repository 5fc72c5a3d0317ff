// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {LayerEnd, Pin, PinpointDispute, Search, Trace} from "../types/Pinpoint.sol";
import {IHeldChallengers} from "./IHeldChallengers.sol";
import {IPinpointBook} from "./IPinpointBook.sol";

/// @title Traces, what is rarer in their searches, and how disputes end without a verdict
/// @notice What the game of pinpointing (IPinpointGame) has another contract do in its name.
interface ITraceSearches is IPinpointBook, IHeldChallengers {
    /* CHALLENGERS */

    /// @notice Shares the dispute about an operator that was opened a few blocks ago, with the same bond.
    /// @param expectedTraceRoot The trace the caller saw.
    function join(JobId jobId, uint256 key, bytes32 expectedTraceRoot) external payable;

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

    /// @notice Reveals the root of the tiles of the output that is searched; the turn goes on.
    function revealTileRoot(JobId jobId, address challenger, Search calldata state, bytes32 root) external;

    /// @notice Reveals a tile of the output that is searched: 1024 bytes.
    function revealTile(JobId jobId, address challenger, Search calldata state, bytes calldata tile) external;

    /* THE CHALLENGER, in its own search and on its turn */

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

    /// @notice Names the element of the output that was searched.
    /// @param claim The claim about the pinned operator, with the element and seed zero.
    function pinElement(JobId jobId, Search calldata state, Claim calldata claim) external;

    /* ANYBODY, for an end */

    /// @notice Ends a dispute in which the side on turn let its clock run out, or the asserter left a claim undecided.
    function claimTimeout(JobId jobId, uint256 key) external;

    /// @notice Ends a dispute whose job was settled by something else, or that the refund mode ends.
    function resolve(JobId jobId, uint256 key) external;

    /// @notice Pays the operator of a result that withstood every dispute, after the window.
    function finaliseDefended(JobId jobId) external;

    /// @notice In the refund mode: gives everybody its money back from a disputed job that waits for no proof.
    function voidHeld(JobId jobId) external;

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

    /* VIEWS */

    /// @notice The trace of a job; all zero if it has none.
    function getTrace(JobId jobId) external view returns (Trace memory);
    /// @notice Root over the operators of a layer that was expanded; 0 if it was not.
    function getOpRoot(JobId jobId, uint256 layer) external view returns (bytes32);
    /// @notice Returns a dispute; its phase is NONE if there is none.
    function getDispute(JobId jobId, uint256 key) external view returns (PinpointDispute memory);
    /// @notice Returns who challenges in an open dispute, the first one first.
    function getChallengers(JobId jobId, uint256 key) external view returns (address[] memory);
    /// @notice Bond of a dispute opened now: computeBond(version) * 2^floor(challengers of open disputes / 4).
    function requiredBond(JobId jobId) external view returns (uint256);
    /// @notice Number of open disputes about a job.
    function countOpen(JobId jobId) external view returns (uint256);
}
