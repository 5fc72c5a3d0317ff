// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";
import {
    QuorumAssurance,
    QuorumParams,
    QuorumState,
    QuorumTerms,
    QuorumView,
    Replica,
    ReplicaState
} from "../types/Quorum.sol";
import {IParameters} from "./IParameters.sol";

/// @title One inference by several operators who cannot copy from each other (protocol.md 3.10, 3.14)
/// @notice A client orders 1, 3 or 5 replicas, or one that may be audited. Operators are drawn by stake after a block
/// that nobody knew at the order; each commits to its result blindly, bound to chain, quorum, job and operator; all
/// open them together. What most say is provisional: whoever knows better takes a replica out of the quorum, which makes
/// it an ordinary job, and disputes it as any. Votes alone never slash.
///
///   OPEN -> COMMITTING -> REVEALING -> PROVISIONAL -> FINAL
///    |         |   ^ |         |        |   ^ |
///    |         v   | |         |        v   | `-----> another round: the window begins again
///    |       AUDITING|         `-----> SPLIT-+-> FAILED
///    `-> EXPIRED     `-> FAILED                         any but the last four -> VOIDED (refund mode)
///
/// Rounds. A round ends with its window, when the jobs of all replicas taken out are over:
/// - a result with a proof wins, and whoever said otherwise is slashed;
/// - a provisional result of which nothing was refuted wins; who said otherwise loses the fee and S_miss, no more;
/// - a verdict against one replica puts all who said the same under suspicion. They have one more window to take their
///   own replica out and stand behind it (`extract`, by anybody). If one of them is not beaten the result stands; if
///   none is, those who kept silent are slashed whole, and the next result by number is provisional. So a cheat cannot
///   hide behind a representative, and nobody can have honest operators slashed by losing for them on purpose;
/// - a replica whose job ended otherwise (cured, two signed results, an output that was not delivered) is out, and the
///   window begins again for the rest;
/// - without a result that has more replicas than any other, only a proof decides: a replica can be taken out by
///   challenging it (`challenge`), and what is left is counted again. A round without any job ends it without result.
/// Every round but the last takes a replica away or uses a result's one hearing up, so there are at most 2 * 5 + 1.
///
/// A replica's job has the terms of the quorum, no masks, and the salt uint256(keccak256(abi.encode(quorumId,
/// replica))): its id is known from the draw on, its escrow and lock lie under it, and nobody else can make that job.
/// All deadlines are seconds of the market's clock; while it stands no step is possible.
///
/// Assumptions on what surrounds it:
/// - vault, registry, market, game and beacon are those of one deployment;
/// - operators enlist for versions whose plan of adjudication, if any, they have recomputed;
/// - operators watch for results of theirs that come under suspicion, and then stand behind them.
///
/// WARNING: Owners with separate keys cannot be told apart. Distinct owners and tags keep those apart who want it known
/// that they belong together; somebody with a share r of the stake behind many keys has all of n replicas with
/// probability about r^n, and most of them more often. The lock is computed for r = 10 % (Economics), the weight of one
/// owner is capped (ICandidatePool), and a majority of such replicas is beaten by any one who disputes it. An auditor
/// can see on chain that it is the second; what it cannot see is the result.
interface IQuorum is IParameters {
    /* ERRORS: beside these, those of the market, the vault and the beacon, with a quorum in the place of the job */

    /// @notice Thrown by the constructor when a neighbour was built for another deployment.
    error ForeignModule(address module);
    /// @notice Thrown by the constructor when the probability of an audit exceeds one.
    error BadAuditRate(uint256 auditBps);
    /// @notice Thrown when there is no such quorum.
    error UnknownQuorum(JobId quorumId);
    /// @notice Thrown when the client has already ordered exactly this, salt included.
    error QuorumExists(JobId quorumId);
    /// @notice Thrown when the quorum is not in the state that the step needs.
    error WrongQuorumState(JobId quorumId, QuorumState state, QuorumState required);
    /// @notice Thrown when the replica is not in the state that the step needs.
    error WrongReplicaState(JobId quorumId, uint256 replica, ReplicaState state, ReplicaState required);
    /// @notice Thrown when a number of replicas other than 1, 3 or 5 is ordered, or an audit of more than one.
    error WrongReplicaCount(uint256 count, bool isAudited);
    /// @notice Thrown when fewer operators fit than are needed.
    error TooFewCandidates(JobId quorumId, uint256 found, uint256 required);
    /// @notice Thrown when the caller works for none of the quorum's operators.
    error NoReplica(JobId quorumId, address caller);
    /// @notice Thrown when a commitment is zero, or another replica's.
    error BadCommitment(JobId quorumId, bytes32 commitment);
    /// @notice Thrown when what is revealed is not what the operator committed to, for this replica on this chain.
    error WrongOpening(JobId quorumId, uint256 replica, bytes32 got, bytes32 commitment);
    /// @notice Thrown when a replica is taken out that does not say what is provisional.
    error NotProvisional(JobId quorumId, uint256 replica);
    /// @notice Thrown when a round would end while a job, or the airgap of its slash, is not over.
    error ReplicaPending(JobId quorumId, uint256 replica, JobId jobId);

    /* EVENTS */

    /// @notice OPEN; with these terms everybody can recompute the id.
    event QuorumCreated(
        JobId indexed quorumId, address indexed client, QuorumTerms terms, uint256 drawUntil, string inputUri
    );
    /// @notice Nobody fixed the beacon's seed in time; another is asked for.
    event SeedMissed(JobId indexed quorumId);
    /// @notice The operator's stake is locked behind a replica, whose blinded result is due. An auditor's is no different.
    event ReplicaDrawn(
        JobId indexed quorumId,
        JobId indexed jobId,
        address indexed operator,
        uint256 replica,
        uint256 lock,
        uint256 commitUntil
    );
    /// @notice A blinded result is on chain.
    event ReplicaCommitted(JobId indexed quorumId, address indexed operator, uint256 replica, bytes32 commitment);
    /// @notice The one replica has committed; the beacon decides whether it is audited.
    event AuditPending(JobId indexed quorumId);
    /// @notice The beacon has decided. An audit that was drawn may still find nobody fit for it.
    event AuditDecided(JobId indexed quorumId, bool isDrawn);
    /// @notice REVEALING.
    event RevealsOpened(JobId indexed quorumId, uint256 revealUntil);
    /// @notice A replica's result is known.
    event ReplicaRevealed(JobId indexed quorumId, address indexed operator, uint256 replica, bytes32 outDigest);
    /// @notice A round begins: PROVISIONAL with this result, or SPLIT with none (0).
    event RoundOpened(JobId indexed quorumId, bytes32 indexed outDigest, bool isSuspect, uint256 challengeUntil);
    /// @notice A replica is a job of its own, COMMITTED.
    event ReplicaExtracted(JobId indexed quorumId, JobId indexed jobId, uint256 replica);
    /// @notice A replica came to its end; the vault's events beside it tell of the money.
    event ReplicaEnded(JobId indexed quorumId, address indexed operator, uint256 replica, ReplicaState state);
    /// @notice The quorum came to its end.
    event QuorumEnded(JobId indexed quorumId, QuorumState state, bytes32 outDigest, bool isProven);

    /* OPERATORS */

    /// @notice Commits to a result, blindly, for the replica of the caller's owner.
    /// @param commitment `hashCommitment` of it.
    function commitBlinded(JobId quorumId, bytes32 commitment) external;

    /// @notice Gives the caller's replica back, in the first quarter of T_exec after its draw: nobody can compute on an
    /// input that cannot be had, or is none of the model's (protocol.md 3.11). Nobody is drawn in its place.
    function refuse(JobId quorumId) external;

    /* CLIENT */

    /// @notice Orders; fee * (count + one for an audit) comes along exactly, or is taken from the client's allowance to
    /// the vault. An order cannot be withdrawn: a client that could would choose among draws.
    function createQuorum(QuorumParams calldata params) external payable returns (JobId quorumId);

    /* ANYBODY */

    /// @notice Draws the replicas, or asks for another seed if the last one was missed.
    function draw(JobId quorumId) external;

    /// @notice Refunds a quorum for which no replicas were drawn in time.
    function expireQuorum(JobId quorumId) external;

    /// @notice Lets the beacon decide whether the one replica is audited. A missed seed counts as drawn.
    function drawAudit(JobId quorumId) external;

    /// @notice Ends the time for commitments: opens the reveals, or ends a quorum with too few of them.
    function closeCommits(JobId quorumId) external;

    /// @notice Opens a commitment.
    function reveal(JobId quorumId, uint256 replica, bytes32 outDigest, bytes32 salt) external;

    /// @notice Counts what was revealed, and settles the replicas that missed a step.
    function tally(JobId quorumId) external;

    /// @notice Makes a replica of the provisional result a COMMITTED job, with a whole window of its own: to dispute it,
    /// or to stand behind it.
    function extract(JobId quorumId, uint256 replica) external returns (JobId jobId);

    /// @notice Makes a replica a job, unless it is one, and challenges it in the caller's name with the bond that comes
    /// along. While the quorum is SPLIT there is no other way out of it: unchallenged, nobody would be paid for nothing.
    function challenge(JobId quorumId, uint256 replica) external payable returns (JobId jobId);

    /// @notice Ends a round.
    function settle(JobId quorumId) external;

    /// @notice In the refund mode: gives everybody its own money back. Jobs taken out are voided as jobs are.
    function voidQuorum(JobId quorumId) external;

    /* VIEWS */

    /// @notice How much a consumer may rely on the quorum's result.
    function assuranceOf(JobId quorumId) external view returns (QuorumAssurance);
    /// @notice Returns a quorum; reverts with UnknownQuorum if there is none.
    function getQuorum(JobId quorumId) external view returns (QuorumView memory);
    /// @notice The replicas drawn, in order.
    function getReplicas(JobId quorumId) external view returns (Replica[] memory);
    /// @notice The id of the job that a replica is, or would be.
    function computeReplicaJobId(JobId quorumId, uint256 replica) external view returns (JobId);
    /// @notice keccak256(abi.encode("zkDPS quorum", chain id, this, terms)).
    function computeQuorumId(QuorumTerms memory terms) external view returns (JobId);
    /// @notice keccak256(abi.encode("zkDPS replica", chain id, this, jobId, operator, outDigest, salt)).
    function hashCommitment(JobId jobId, address operator, bytes32 outDigest, bytes32 salt)
        external
        view
        returns (bytes32);
    /// @notice Lock of a replica now: the market's, and never below what makes cheating unprofitable (Economics). A
    /// single replica without audit can insure nothing: NoDetection.
    function computeReplicaLock(address token, uint96 fee, uint256 count, uint96 insured, bool isAudited)
        external
        view
        returns (uint256);
    /// @notice The vault.
    function VAULT() external view returns (address);
    /// @notice The registry of models.
    function REGISTRY() external view returns (address);
    /// @notice The market of jobs.
    function MARKET() external view returns (address);
    /// @notice The game.
    function GAME() external view returns (address);
    /// @notice The beacon.
    function BEACON() external view returns (address);
    /// @notice Those who would serve replicas.
    function POOL() external view returns (address);
    /// @notice Probability of an audit that was ordered, in hundredths of a percent.
    function AUDIT_BPS() external view returns (uint256);
}
