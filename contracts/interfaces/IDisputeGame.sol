// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Dispute, DisputeState} from "../types/Dispute.sol";
import {DisputeId, JobId} from "../types/Ids.sol";
import {Statement} from "../types/Statement.sol";
import {IParameters} from "./IParameters.sol";

/// @title The game of prove-it
/// @notice Anybody who doubts a committed result posts a bond; the operator, or anybody in its place, then has to
/// publish a proof of the whole result before a deadline. A valid proof makes the job PROVEN and final at once; silence
/// makes it REJECTED. A proof that fails proves nothing and changes nothing.
///
/// A job has at most one dispute: proof and default both settle the job, whoever opened the dispute, so a second
/// challenger has nothing to add. That the first challenger is the operator's accomplice does not help it: without a
/// proof 65 % of the lock are lost to both (protocol.md A.14).
///
/// Assumptions on what surrounds it:
/// - the version's verifier reverts unless the proof is valid; it never returns a verdict that could be ignored;
/// - block.prevrandao is not constant: nobody knows it when the result is committed.
interface IDisputeGame is IParameters {
    /* ERRORS */

    /// @notice Thrown when there is no such dispute.
    error UnknownDispute(DisputeId disputeId);
    /// @notice Thrown when the dispute is over.
    error DisputeResolved(DisputeId disputeId, DisputeState state);
    /// @notice Thrown when the bond sent does not cover what is required now.
    error BondTooSmall(JobId jobId, uint256 sent, uint256 required);
    /// @notice Thrown when a proof comes after its last second.
    error ProofTooLate(DisputeId disputeId, uint256 proveBy, uint256 time);
    /// @notice Thrown when a default is claimed while a proof may still come.
    error ProofStillDue(DisputeId disputeId, uint256 proveBy, uint256 time);

    /* EVENTS */

    /// @notice The dispute is OPEN; a proof is due until `proveBy`. The operator has one more challenge open.
    event ResultChallenged(
        DisputeId indexed disputeId,
        JobId indexed jobId,
        address indexed challenger,
        address operator,
        uint256 bond,
        uint256 proveBy,
        bytes32 challengeSeed
    );
    /// @notice DEFENDER_PROVEN, by `prover`; `beneficiary` (the operator if its owner or worker proved) earns the share
    /// of the bond. The operator has one challenge less open.
    event ResultProven(DisputeId indexed disputeId, JobId indexed jobId, address indexed prover, address beneficiary);
    /// @notice DEFAULT. The operator has one challenge less open.
    event DefaultClaimed(DisputeId indexed disputeId, JobId indexed jobId, address indexed challenger);

    /* MOVES */

    /// @notice Demands a proof of a committed result. The bond is `computeBond(version)`, which moves with the base
    /// fee; what is sent beyond it is credited to the caller in the vault.
    /// @param expectedOutDigest The result the caller saw: a reorganisation cannot turn the challenge against another.
    function challenge(JobId jobId, bytes32 expectedOutDigest) external payable returns (DisputeId disputeId);

    /// @notice Proves the committed result; anybody may, until `proveBy`. The proof must be made for the caller: the
    /// statement names msg.sender as prover, so a copied proof serves nobody else.
    /// Reverts with the verifier's error, and changes nothing, if the proof is not valid; a verifier that runs out of
    /// gas reverts the whole transaction.
    /// @param input The input tensor's bytes.
    /// @param output The output tensor's bytes.
    function prove(DisputeId disputeId, bytes calldata input, bytes calldata output, bytes calldata proof) external;

    /// @notice Settles against an operator that did not prove in time; anybody may.
    function claimDefault(DisputeId disputeId) external;

    /* VIEWS */

    /// @notice The vault of this deployment.
    function VAULT() external view returns (address);
    /// @notice The registry of this deployment.
    function REGISTRY() external view returns (address);
    /// @notice The market of this deployment.
    function MARKET() external view returns (address);
    /// @notice Number of disputes so far; the last dispute's id.
    function disputeCount() external view returns (uint256);
    /// @notice Returns a dispute; reverts with UnknownDispute if there is none.
    function getDispute(DisputeId disputeId) external view returns (Dispute memory);
    /// @notice The dispute of a job, or 0.
    function disputeOf(JobId jobId) external view returns (DisputeId);
    /// @notice Number of challenges that are open against an operator.
    function openChallenges(address operator) external view returns (uint256);
    /// @notice Bond of a challenge made now (protocol.md A.12):
    ///
    ///   ceil(3 * (proveSeconds * provingPrice + 3 * proofGas * max(basefee, floor)) / 2)
    ///
    /// In English: one and a half times what a proof costs its maker, at three times the present price of gas.
    function computeBond(bytes32 version) external view returns (uint256);
    /// @notice The same, for the version of a job.
    function requiredBond(JobId jobId) external view returns (uint256);
    /// @notice Seconds to prove for a challenge made now: the shorter of the cap and
    ///
    ///   W_prove + proveSeconds * (openChallenges + 1)
    function computeProveSeconds(bytes32 version, address operator) external view returns (uint256);
    /// @notice The statement that a proof by `prover` has to prove.
    function getStatement(DisputeId disputeId, address prover) external view returns (Statement memory);
}
