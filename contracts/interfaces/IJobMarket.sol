// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";
import {Assurance, Job, JobParams, JobState} from "../types/Job.sol";
import {IParameters} from "./IParameters.sol";

/// @title The life of a job
/// @notice A client escrows a fee for one inference; a worker takes it with its owner's stake, commits the result's
/// digest in clear, and is paid when the window passes without objection or a proof is accepted.
///
///   OPEN -> ASSIGNED -> COMMITTED -> FINAL
///    |         |            `-----> DISPUTED -> PROVEN | REJECTED
///    |         `-> FAILED
///    `-> EXPIRED | CANCELLED
///
/// A deadline is the last second at which the awaited step counts; one second later the step that punishes its absence
/// does. Both never count together.
///
/// Assumptions on what surrounds it:
/// - vault, registry and game are those of one deployment;
/// - operators fetch and check an input before they take a job: the chain cannot see a missing one.
///
/// WARNING: FINAL says only that nobody objected, and a client may be its own operator. Contracts that use a result
/// ask `assurance`.
interface IJobMarket is IParameters {
    /* ERRORS */

    /// @notice Thrown when there is no such job.
    error UnknownJob(JobId jobId);
    /// @notice Thrown when the job is not in the state that the step needs.
    error WrongJobState(JobId jobId, JobState state, JobState required);
    /// @notice Thrown when the step comes after its last second.
    error DeadlinePassed(JobId jobId, uint256 deadline, uint256 time);
    /// @notice Thrown when the step comes while the awaited one may still come.
    error DeadlineNotReached(JobId jobId, uint256 deadline, uint256 time);
    /// @notice Thrown when the model version is not registered.
    error UnknownModelVersion(bytes32 version);
    /// @notice Thrown when a job asks for a way of checking that does not exist here.
    error UnsupportedVerifyMask(uint8 verifyMask);
    /// @notice Thrown when a job asks for privacy that does not exist here.
    error UnsupportedPrivacyMask(uint8 privacyMask);
    /// @notice Thrown when the fee is zero.
    error ZeroFee();
    /// @notice Thrown when the money sent along is not the fee.
    error WrongFee(uint256 sent, uint256 fee);
    /// @notice Thrown when a digest is zero.
    error ZeroDigest();
    /// @notice Thrown when somebody else than the client cancels.
    error NotClient(JobId jobId, address caller, address client);
    /// @notice Thrown when the caller is not the worker of the job's operator.
    error NotOperator(JobId jobId, address caller, address operator);
    /// @notice Thrown when somebody else than the game calls a function of the game.
    error NotDisputeGame(address caller);
    /// @notice Thrown when the committed result is not the one the challenger saw.
    error UnexpectedResult(JobId jobId, bytes32 committed, bytes32 expected);

    /* EVENTS */

    /// @notice OPEN until `assignUntil`.
    event JobCreated(
        JobId indexed jobId,
        address indexed client,
        bytes32 indexed version,
        bytes32 inDigest,
        uint256 fee,
        uint256 assignUntil,
        string inputUri
    );
    /// @notice CANCELLED.
    event JobCancelled(JobId indexed jobId);
    /// @notice EXPIRED.
    event JobExpired(JobId indexed jobId);
    /// @notice ASSIGNED; the result is due at `commitUntil`.
    event JobAccepted(JobId indexed jobId, address indexed operator, uint256 commitUntil);
    /// @notice FAILED.
    event JobFailed(JobId indexed jobId, address indexed operator);
    /// @notice COMMITTED; anybody may challenge until `challengeUntil`.
    event ResultCommitted(
        JobId indexed jobId, address indexed operator, bytes32 outDigest, uint256 challengeUntil, string outputUri
    );
    /// @notice FINAL.
    event JobFinalised(JobId indexed jobId, address indexed operator);
    /// @notice DISPUTED.
    event JobDisputed(JobId indexed jobId);
    /// @notice PROVEN.
    event JobProven(JobId indexed jobId, address indexed operator);
    /// @notice REJECTED.
    event JobRejected(JobId indexed jobId, address indexed operator, address indexed challenger);

    /* CLIENT */

    /// @notice Orders one inference; the fee comes along, exactly.
    function createJob(JobParams calldata params) external payable returns (JobId jobId);

    /// @notice Takes back a job that nobody has taken.
    function cancelJob(JobId jobId) external;

    /* WORKER */

    /// @notice Takes a job: locks `computeLock(fee)` of the stake of the caller's owner.
    function acceptJob(JobId jobId) external;

    /// @notice Commits the digest of the result, in clear and once.
    /// @param outputUri Where the output can be fetched; only emitted.
    function commitResult(JobId jobId, bytes32 outDigest, string calldata outputUri) external;

    /* ANYBODY */

    /// @notice Pays the operator of a result that nobody challenged in time.
    function finalise(JobId jobId) external;

    /// @notice Refunds the client of a job that nobody took in time.
    function expireJob(JobId jobId) external;

    /// @notice Refunds the client of a job whose operator committed nothing in time, and fines the operator.
    function failJob(JobId jobId) external;

    /* THE GAME */

    /// @notice Marks a job as disputed, if it may still be challenged and has the expected result. Only the game.
    /// @return job The job, as it is now.
    function disputeJob(JobId jobId, bytes32 expectedOutDigest) external returns (Job memory job);

    /// @notice Settles a disputed job in the operator's favour. Only the game.
    function settleProven(JobId jobId) external;

    /// @notice Settles a disputed job against its operator. Only the game.
    function settleRejected(JobId jobId, address challenger) external;

    /* VIEWS */

    /// @notice The vault of this deployment.
    function VAULT() external view returns (address);
    /// @notice The registry of this deployment.
    function REGISTRY() external view returns (address);
    /// @notice T_assign.
    function ASSIGN_SECONDS() external view returns (uint256);
    /// @notice T_exec.
    function EXEC_SECONDS() external view returns (uint256);
    /// @notice W_chal.
    function CHALLENGE_SECONDS() external view returns (uint256);
    /// @notice Number of jobs so far; the last job's id.
    function jobCount() external view returns (uint256);
    /// @notice Returns a job; reverts with UnknownJob if there is none.
    function getJob(JobId jobId) external view returns (Job memory);
    /// @notice How much a consumer may rely on the job's result.
    function assurance(JobId jobId) external view returns (Assurance);
    /// @notice Lock of a job taken now (protocol.md A.14):
    ///
    ///   max(lockFees * fee, ceil(3 * disputeGas * max(basefee, floor) * 100 / 35))
    ///
    /// In English: enough that cheating never pays, and that the challenger's 35 % are worth three times its gas.
    function computeLock(uint96 fee) external view returns (uint256 amount);
}
