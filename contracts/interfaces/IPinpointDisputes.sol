// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {Pin, Ruling, Search} from "../types/Pinpoint.sol";
import {IPinpointBook} from "./IPinpointBook.sol";

/// @title Disputes over traces: opened, searched, decided
/// @notice What the game of pinpointing (IPinpointGame) does itself; the rest is in ITraceSearches.
interface IPinpointDisputes is IPinpointBook {
    /* CHALLENGERS */

    /// @notice Disputes a committed result whose trace, or what lies under its root, is not to be had. The bond is
    /// `requiredBond`; what is sent beyond it is credited to the caller in the vault.
    /// @param expectedOutDigest The result the caller saw.
    function openDispute(JobId jobId, bytes32 expectedOutDigest) external payable returns (bytes32 id);

    /// @notice Disputes one operator of a trace in one transaction.
    /// @param expectedOutDigest The result the caller saw.
    /// @param expectedTraceRoot The trace the caller saw.
    function pinpoint(JobId jobId, bytes32 expectedOutDigest, bytes32 expectedTraceRoot, Pin calldata pin)
        external
        payable
        returns (bytes32 id);

    /* MOVES OF A SEARCH: anybody on the asserter's turn, the challenger on its own */

    /// @notice Reveals the 32 descendants five levels below the node of a search, or fewer right above the tiles.
    function reveal(JobId jobId, address challenger, Search calldata state, bytes32[] calldata words) external;

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

    /// @notice Starts to search the trace that was posted in answer to the caller's dispute.
    function search(JobId jobId, bytes32 expectedTraceRoot) external;

    /// @notice Goes on below one of the descendants that were revealed.
    /// @param index Which one, from the left.
    /// @param siblings Its siblings up to the node.
    function select(JobId jobId, Search calldata state, uint256 index, bytes32 child, bytes32[] calldata siblings)
        external;

    /// @notice Pins an operator on the caller's turn in its own search.
    function pinSearched(JobId jobId, Search calldata state, Pin calldata pin) external;

    /// @notice Pins an operator as a whole and goes on in the tiles of its output, which the asserter has to reveal. Once a
    /// search: every turn goes down.
    function searchTiles(JobId jobId, Search calldata state, Pin calldata pin) external;

    /* ANYBODY */

    /// @notice Decides a pinned claim; the evidence is judged in the caller's name. Several rulings, by different
    /// adjudicators, must agree. Reverts with the adjudicator's error, and changes nothing, if one of them reverts.
    /// @param claim The claim; its prover does not matter.
    function adjudicate(JobId jobId, uint256 key, Claim calldata claim, Ruling[] calldata rulings) external;

    /// @notice Shows without a bond that an operator of a trace is inconsistent, before the job is settled. The caller has
    /// announced exactly this call to the game of prove-it in an earlier block, so that a copy comes too late:
    /// announceEvidence(keccak256(abi.encode(msg.sender, keccak256(msg.data)))).
    /// @dev The claim has seed 0, so adjudicators of proofs refuse it: a proof could have been made in advance.
    /// @param salt Keeps the announcement from being guessed.
    function proveFraud(JobId jobId, Pin calldata pin, Ruling[] calldata rulings, bytes32 salt) external;

    /// @notice Decides a pinned claim as consistent after its default, within the airgap: most of the lock goes back to
    /// the operator; the result stays REJECTED.
    /// Only if nothing else was due at the default: with another dispute of the job open, or the proof of the whole result
    /// demanded, that proof alone cures it. An accomplice's claim about something right spares no cheater.
    function cure(JobId jobId, uint256 key, Claim calldata claim, Ruling[] calldata rulings) external;

    /* VIEWS */

    /// @notice The part of this game's code that has what is in ITraceSearches; holds nothing itself.
    function SEARCHES() external view returns (address);
}
