// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {Pin, PinpointDispute, Ruling, Trace} from "../types/Pinpoint.sol";
import {IHeldChallengers} from "./IHeldChallengers.sol";
import {IPinpointBook} from "./IPinpointBook.sol";

/// @title Disputes over traces: opened, decided, ended
/// @notice What the game of pinpointing (IPinpointGame) does itself; the moves of a search are in ITraceSearches.
interface IPinpointDisputes is IPinpointBook, IHeldChallengers {
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

    /// @notice Shares the dispute about an operator that was opened a few blocks ago, with the same bond.
    /// @param expectedTraceRoot The trace the caller saw.
    function join(JobId jobId, uint256 key, bytes32 expectedTraceRoot) external payable;

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

    /// @notice Ends a dispute in which the side on turn let its clock run out, or the asserter left a claim undecided.
    function claimTimeout(JobId jobId, uint256 key) external;

    /// @notice Decides a pinned claim as consistent after its default, within the airgap: most of the lock goes back to
    /// the operator; the result stays REJECTED.
    /// Only if nothing else was due at the default: with another dispute of the job open, or the proof of the whole result
    /// demanded, that proof alone cures it. An accomplice's claim about something right spares no cheater.
    function cure(JobId jobId, uint256 key, Claim calldata claim, Ruling[] calldata rulings) external;

    /// @notice Ends a dispute whose job was settled by something else, or that the refund mode ends.
    function resolve(JobId jobId, uint256 key) external;

    /// @notice Pays the operator of a result that withstood every dispute, after the window.
    function finaliseDefended(JobId jobId) external;

    /// @notice In the refund mode: gives everybody its money back from a disputed job that waits for no proof.
    function voidHeld(JobId jobId) external;

    /* VIEWS */

    /// @notice The part of this game's code that has the moves of a search (ITraceSearches); holds nothing itself.
    function SEARCHES() external view returns (address);
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
