// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Dispute, DisputeState, Hold, SignedResult} from "../types/Dispute.sol";
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
/// Besides, a job may be doubted in the game of pinpointing, where the first wrong operator of the model is named and
/// judged alone. That game keeps its own disputes and bonds; what they do to the job goes through here. While one is open
/// the job is held: DISPUTED, and nobody's proof is due unless somebody demands one here as well. One proof of the whole
/// result ends every dispute of its job. Whichever game brings a cheat to its end, all who doubted share the reward.
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
    /// @notice Thrown when neither the sessions' market nor the quorums challenge for others.
    error NotSessions(address caller);
    /// @notice Thrown when somebody else than the game of pinpointing calls a function of that game.
    error NotPinpoint(address caller);
    /// @notice Thrown when somebody else than the audits draws a result.
    error NotAudits(address caller);
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
    /// @notice DEFAULT where `isCurable`, else FRAUD_PROVEN, by pinpointing. A demand for a proof, where there was one, is
    /// open no more.
    event ResultRefuted(JobId indexed jobId, address indexed operator, bool isCurable);
    /// @notice `account` shares the challengers' reward: it reported fraud, or doubted the result in the game of
    /// pinpointing. Told in the order of `getChallengers`.
    event RewardShared(JobId indexed jobId, address indexed account);
    /// @notice The result was drawn for an audit: a default also costs the operator other stake.
    event ResultAudited(JobId indexed jobId);
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

    /// @notice The same for somebody else, who sent the bond along: only the sessions' market and the quorums may,
    /// for whoever challenges a result out of a batch, or a replica's.
    function challengeFor(JobId jobId, bytes32 expectedOutDigest, address challenger) external payable;

    /// @notice Begins the proof of a job that requires one; anybody may, without a bond, while the window is open. Of a
    /// job that is held by pinpointing its operator's owner or worker may, at any time: its proof ends all disputes.
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

    /* THE GAME OF PINPOINTING: only it may call these */

    /// @notice Holds a job that may still be challenged, or is held already, and that requires no proof; the operator has
    /// one more challenge open.
    /// @return hold Of the job, which is DISPUTED.
    function holdFor(JobId jobId, bytes32 expectedOutDigest) external returns (Hold memory hold);

    /// @notice One of the disputes that held the job is over: the operator has one challenge less open.
    function releaseFor(JobId jobId, address operator) external;

    /// @notice Rejects a held job, or a COMMITTED one where fraud is shown. Those who demanded a proof get their bonds back
    /// and share the reward with `challengers`, of whom nobody counts twice and those beyond the places (MAX_CHALLENGERS,
    /// the client and 16) not at all. Does not release the disputes that held the job.
    /// @param isCurable DEFAULT: the operator was silent, and a proof within the airgap counts; else FRAUD_PROVEN, and a
    /// tenth of the operator's free and unbonding stake is burned.
    function rejectFor(JobId jobId, address[] calldata challengers, bool isCurable) external;

    /// @notice Divides the lock after a DEFAULT, within the airgap, as after a proof: `prover` has shown that what the
    /// operator was silent about is right. The result stays REJECTED.
    function cureFor(JobId jobId, address prover) external;

    /// @notice Pays the operator of a held job whose window is over and of which no proof is due; or fails the job, if its
    /// output was asked for and did not come in time.
    /// @param caller Who settles it; it may earn the keeper's tip.
    function settleDefended(JobId jobId, address caller) external;

    /// @notice In the refund mode: VOIDED for a held job of which no proof is due.
    function voidFor(JobId jobId) external;

    /* AUDITS: only they may call this */

    /// @notice Demands a proof without a bond, of a result that may still be challenged or is challenged. A default also
    /// burns min(stake, 300 fees) of the operator's free and unbonding stake, to the hundredth of a percent above; a cure
    /// gives nothing of that back.
    function auditFor(JobId jobId, bytes32 expectedOutDigest) external;

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
    /// @notice Whether the job's result was drawn for an audit.
    function isAudited(JobId jobId) external view returns (bool);
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
