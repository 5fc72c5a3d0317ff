// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Dispute, DisputeState, SignedResult} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {JobTerms} from "../types/Job.sol";
import {Statement} from "../types/Statement.sol";
import {IParameters} from "./IParameters.sol";

/// @title The game of prove-it
/// @notice Anybody who doubts a committed result posts a bond; the operator, or anybody in its place, then has to
/// publish a proof of the whole result before a deadline. A valid proof makes the job PROVEN and final at once; silence
/// makes it REJECTED. A proof that fails proves nothing and changes nothing.
///
/// A job has one dispute: proof and default settle the job, whoever opened it. Challenges of the next few blocks join
/// it with a bond of their own and share the reward equally, so an accomplice who comes first cannot take the whole
/// reward from an honest watcher (protocol.md A.14); the client has a place of its own until the window closes.
///
/// A slashed lock is divided only after an airgap. Within it a proof cures a default: the result stays REJECTED, but the
/// operator gets 80 % of its lock back.
///
/// Assumptions on what surrounds it:
/// - the version's verifier reverts unless the proof is valid; it never returns a verdict that could be ignored;
/// - block.prevrandao is not constant: nobody knows it when the result is committed.
interface IDisputeGame is IParameters {
    /* ERRORS */

    /// @notice Thrown by the constructor when a neighbour was built for another deployment.
    error ForeignModule(address module);
    /// @notice Thrown when somebody else than the sessions' market challenges for others.
    error NotSessions(address caller);
    /// @notice Thrown when the job has no dispute.
    error UnknownDispute(JobId jobId);
    /// @notice Thrown when the dispute is not in the state that the step needs.
    error WrongDisputeState(JobId jobId, DisputeState state, DisputeState required);
    /// @notice Thrown when the bond sent does not cover what is required now.
    error BondTooSmall(JobId jobId, uint256 sent, uint256 required);
    /// @notice Thrown when a challenge comes too late to share the first one's reward.
    error TooLateToJoin(JobId jobId, uint256 untilBlock, uint256 blockNumber);
    /// @notice Thrown when the job has as many challengers as it has room for.
    error NoRoomToJoin(JobId jobId, uint256 maximum);
    /// @notice Thrown when the caller challenges the job already.
    error AlreadyChallenging(JobId jobId, address challenger);
    /// @notice Thrown when the terms are not those of the job.
    error WrongTerms(JobId jobId, JobId got);

    /// @notice Thrown when the version's data contract no longer holds the key that was registered.
    error WrongKey(JobId jobId, bytes32 got, bytes32 registered);
    /// @notice Thrown when a proof comes after its last second.
    error ProofTooLate(JobId jobId, uint256 proveBy, uint256 time);
    /// @notice Thrown when a default is claimed while a proof may still come.
    error ProofStillDue(JobId jobId, uint256 proveBy, uint256 time);
    /// @notice Thrown when a slash would be divided within the airgap, in which it may still be cured or refunded.
    error AirgapRunning(JobId jobId, uint256 until, uint256 time);
    /// @notice Thrown when a cure comes after the airgap.
    error AirgapOver(JobId jobId, uint256 until, uint256 time);
    /// @notice Thrown when evidence was not announced in an earlier block by the caller.
    error NotAnnounced(bytes32 commitment);
    /// @notice Thrown when the two results are one.
    error SameResult(bytes32 outDigest);
    /// @notice Thrown when a signature is not one of the operator's owner or of a worker that served it since the job
    /// was taken: a key that was replaced before cannot speak against its owner any more.
    error NotSignedByOperator(JobId jobId, address signer, address operator);

    /* EVENTS */

    /// @notice The dispute is OPEN; a proof is due until `proveBy`. The operator has one more challenge open.
    event ResultChallenged(
        JobId indexed jobId,
        address indexed challenger,
        address indexed operator,
        uint256 bond,
        uint256 proveBy,
        bytes32 challengeSeed
    );
    /// @notice `challenger` shares the dispute, with the same bond.
    event ChallengeJoined(JobId indexed jobId, address indexed challenger, uint256 bond);
    /// @notice DEFENDER_PROVEN, by `prover`; `beneficiary` (the operator if its owner or worker proved) earns the share
    /// of the bonds. The operator has one challenge less open.
    event ResultProven(JobId indexed jobId, address indexed prover, address indexed beneficiary);
    /// @notice DEFAULT. The operator has one challenge less open.
    event DefaultClaimed(JobId indexed jobId, address indexed operator);
    /// @notice FRAUD_PROVEN by two signed results; `reporter` shares the challengers' reward with those who challenged,
    /// whose bonds go back.
    event EquivocationProven(
        JobId indexed jobId, address indexed operator, address indexed reporter, bytes32 first, bytes32 second
    );
    /// @notice Evidence may be used by the announcer from the next block on.
    event EvidenceAnnounced(bytes32 indexed commitment);
    /// @notice DISTRIBUTED.
    event SlashDistributed(JobId indexed jobId);
    /// @notice CURED, by `prover`.
    event SlashCured(JobId indexed jobId, address indexed prover);
    /// @notice VOIDED.
    event DisputeVoided(JobId indexed jobId);

    /* MOVES */

    /// @notice Demands a proof of a committed result, or joins those who did a few blocks ago. The bond is
    /// `computeBond(version)`, which moves with the base fee, for the first, and the first one's bond for who joins;
    /// what is sent beyond it is credited to the caller in the vault.
    /// @param expectedOutDigest The result the caller saw: a reorganisation cannot turn the challenge against another.
    function challenge(JobId jobId, bytes32 expectedOutDigest) external payable;

    /// @notice The same for somebody else, who sent the bond along: only the sessions' market may, for whoever challenges
    /// a result out of a batch.
    function challengeFor(JobId jobId, bytes32 expectedOutDigest, address challenger) external payable;

    /// @notice Begins the proof of a job that requires one; anybody may, without a bond, while the window is open.
    function requestProof(JobId jobId, bytes32 expectedOutDigest) external;

    /// @notice Proves the committed result; anybody may, until `proveBy`. The proof must be made for the caller: the
    /// statement names msg.sender as prover, so a copied proof serves nobody else.
    /// Reverts with the verifier's error, and changes nothing, if the proof is not valid; a verifier that runs out of
    /// gas reverts the whole transaction.
    /// @param terms The job's terms, as JobCreated emitted them.
    /// @param input The input tensor's bytes.
    /// @param output The output tensor's bytes.
    function prove(
        JobId jobId,
        JobTerms calldata terms,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external;

    /// @notice Settles against an operator that did not prove in time; anybody may.
    function claimDefault(JobId jobId) external;

    /// @notice Proves the result after a default, within the airgap: the lock is divided at once, most of it back to the
    /// operator. The result stays REJECTED.
    function cure(
        JobId jobId,
        JobTerms calldata terms,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external;

    /// @notice Divides a slashed lock after the airgap; anybody may.
    function distributeSlash(JobId jobId) external;

    /// @notice Announces evidence, so that who copies it from the pool comes too late:
    /// commitment = keccak256(abi.encode(reporter, jobId, first, second, salt)).
    function announceEvidence(bytes32 commitment) external;

    /// @notice Rejects a job, before it is settled, whose operator signed two different results for it. The caller has
    /// announced exactly this in an earlier block.
    function proveEquivocation(JobId jobId, SignedResult calldata first, SignedResult calldata second, bytes32 salt)
        external;

    /// @notice In the refund mode: gives bonds, escrow and lock of a disputed job back, or the lock of a rejected job
    /// whose airgap was not over.
    function voidDispute(JobId jobId) external;

    /* VIEWS */

    /// @notice The vault of this deployment.
    function VAULT() external view returns (address);
    /// @notice The registry of this deployment.
    function REGISTRY() external view returns (address);
    /// @notice The market of this deployment.
    function MARKET() external view returns (address);
    /// @notice Returns the dispute of a job; its state is NONE if there is none.
    function getDispute(JobId jobId) external view returns (Dispute memory);
    /// @notice Returns all who challenge a job, the first one first.
    function getChallengers(JobId jobId) external view returns (address[] memory);
    /// @notice Number of challenges that are open against an operator.
    function openChallenges(address operator) external view returns (uint256);
    /// @notice Block in which evidence was announced; 0 if it was not.
    function announcedAt(bytes32 commitment) external view returns (uint256 blockNumber);
    /// @notice Bond of a challenge made now (protocol.md A.12):
    ///
    ///   ceil(3 * (proveSeconds * provingPrice + 3 * proofGas * max(basefee, floor)) / 2)
    ///
    /// In English: one and a half times what a proof costs its maker, at three times the present price of gas.
    function computeBond(bytes32 version) external view returns (uint256);
    /// @notice Bond of a challenge to this job made now: that of its version, or of the dispute it would join.
    function requiredBond(JobId jobId) external view returns (uint256);
    /// @notice Seconds to prove for a challenge made now: the shorter of the cap and
    ///
    ///   W_prove + proveSeconds * (openChallenges + 1)
    function computeProveSeconds(bytes32 version, address operator) external view returns (uint256);
    /// @notice The statement that a proof by `prover` has to prove.
    function getStatement(JobId jobId, JobTerms calldata terms, address prover) external view returns (Statement memory);
    /// @notice What an operator's key signs to vouch for a result: the EIP-712 digest of Result(jobId, outDigest).
    function hashResult(JobId jobId, bytes32 outDigest) external view returns (bytes32);
}
