// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {JobId} from "../types/Ids.sol";
import {
    FLAG_PROOF_REQUIRED,
    FLAG_TOKEN,
    JobParams,
    JobState,
    JobTerms,
    PROOF_REQUIRED,
    StoredJob
} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Exit} from "../types/Split.sol";
import {JobBook} from "./JobBook.sol";
import {Verdicts} from "./Verdicts.sol";

/// @title The life of a job
contract JobMarket is Verdicts {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev An unusable input shows at once: who says so later than this part of T_exec has computed.
    uint256 private constant REFUSAL_PART = 4;

    /* CONSTRUCTOR */

    constructor(address vault, address registry, address guardian, Parameters memory p)
        JobBook(vault, registry, guardian, p)
    {}

    /* CLIENT */

    /// @inheritdoc IJobMarket
    function createJob(JobParams calldata params) external payable returns (JobId jobId) {
        uint40 assignUntil = computeDeadline(tick(), ASSIGN_SECONDS);
        checkOrder(params);
        checkFee(params);
        // The version fixes verifier and royalty too: a version never changes.
        (uint32 versionNumber, uint16 royaltyBps) = IModelRegistry(REGISTRY).getOrderTerms(params.version);
        if (versionNumber == 0) revert UnknownModelVersion(params.version);
        JobTerms memory terms = readTerms(params);
        jobId = computeJobId(terms);
        StoredJob storage job = jobs[jobId];
        // INVARIANT: an id names one job for ever, also after its end.
        if (job.state != JobState.NONE) revert JobExists(jobId);

        // Narrowed, so that whatever comes in can be credited when it goes out.
        (job.client, job.fee, job.royaltyBps) = (msg.sender, uint256(params.fee).toUint80(), royaltyBps);
        (job.state, job.deadline, job.versionNumber, job.flags) =
        (JobState.OPEN, assignUntil, versionNumber, computeFlags(params));
        emit JobCreated(jobId, msg.sender, params.version, terms, assignUntil, params.inputUri);
        // SAFETY: the vault is this deployment's; it calls nobody but the ERC-20 that the deployment chose.
        IStakeVault(VAULT).addEscrow{value: msg.value}(params.token, jobId, msg.sender, params.fee, true);
    }

    /// @inheritdoc IJobMarket
    function cancelJob(JobId jobId) external {
        tick();
        StoredJob storage job = expectJob(jobId, JobState.OPEN);
        requireClient(jobId, job);

        job.state = JobState.CANCELLED;
        emit JobCancelled(jobId);
        settle(jobId, job, Exit.CANCELLED, address(0));
    }

    function checkOrder(JobParams calldata params) private pure {
        if (params.verifyMask & ~PROOF_REQUIRED != 0) revert UnsupportedVerifyMask(params.verifyMask);
        if (params.privacyMask != 0) revert UnsupportedPrivacyMask(params.privacyMask);
        if (params.fee == 0) revert ZeroFee();
        if (params.inDigest == 0) revert ZeroDigest();
    }

    function checkFee(JobParams calldata params) private view {
        bool isEth = params.token == ETH;
        bool proofRequired = params.verifyMask == PROOF_REQUIRED;
        if (!isEth && (params.token != TOKEN || proofRequired)) revert UnsupportedFeeToken(params.token);
        uint256 value = isEth ? params.fee : 0;
        if (msg.value != value) revert WrongFee(msg.value, value);
        if (proofRequired) {
            uint256 required = computeProofFee(params.version);
            if (params.fee < required) revert FeeBelowProof(params.fee, required);
        }
    }

    function readTerms(JobParams calldata params) private view returns (JobTerms memory) {
        return JobTerms({
            client: msg.sender,
            version: params.version,
            inDigest: params.inDigest,
            token: params.token,
            fee: params.fee,
            verifyMask: params.verifyMask,
            privacyMask: params.privacyMask,
            salt: params.salt
        });
    }

    function computeFlags(JobParams calldata params) private pure returns (uint16) {
        return (params.token == ETH ? 0 : FLAG_TOKEN) | (params.verifyMask == PROOF_REQUIRED ? FLAG_PROOF_REQUIRED : 0);
    }

    /* WORKER */

    /// @inheritdoc IJobMarket
    function acceptJob(JobId jobId) external {
        uint40 time = tick();
        StoredJob storage job = expectJob(jobId, JobState.OPEN);
        requireInTime(jobId, job.deadline, time);
        address token = getToken(job);
        // Narrowed to the width of a credit, so that every share of it can be paid.
        uint80 amount = computeLock(token, job.fee).toUint80();
        uint40 commitUntil = computeDeadline(time, EXEC_SECONDS);

        (job.state, job.deadline) = (JobState.ASSIGNED, commitUntil);
        // SAFETY: the vault is this deployment's and calls nobody; only it knows whom the worker serves.
        address operator = IStakeVault(VAULT).lockStake(token, jobId, msg.sender, amount);
        job.operator = operator;
        emit JobAccepted(jobId, operator, commitUntil);
    }

    /// @inheritdoc IJobMarket
    function rejectJob(JobId jobId) external {
        uint40 time = tick();
        StoredJob storage job = expectJob(jobId, JobState.ASSIGNED);
        address operator = job.operator;
        requireWorker(jobId, operator);
        // The job was taken at deadline - EXEC_SECONDS.
        uint256 until = job.deadline - EXEC_SECONDS + EXEC_SECONDS / REFUSAL_PART;
        if (time > until) revert RefusalTooLate(jobId, until, time);

        job.state = JobState.REFUSED;
        emit JobRefused(jobId, operator);
        settle(jobId, job, Exit.REFUSED, address(0));
    }

    /// @inheritdoc IJobMarket
    function commitResult(JobId jobId, bytes32 outDigest, string calldata outputUri) external {
        uint40 time = tick();
        StoredJob storage job = expectJob(jobId, JobState.ASSIGNED);
        address operator = job.operator;
        requireInTime(jobId, job.deadline, time);
        if (outDigest == 0) revert ZeroDigest();
        requireWorker(jobId, operator);

        uint40 challengeUntil = computeDeadline(time, CHALLENGE_SECONDS);
        (job.state, job.deadline) = (JobState.COMMITTED, challengeUntil);
        job.outDigest = outDigest;
        emit ResultCommitted(jobId, operator, outDigest, challengeUntil, outputUri);
    }

    /* ANYBODY */

    /// @inheritdoc IJobMarket
    function finalise(JobId jobId) external {
        uint40 time = tick();
        // INVARIANT: a challenged job is DISPUTED, and never final without a verdict.
        StoredJob storage job = expectJob(jobId, JobState.COMMITTED);
        uint256 deadline = job.deadline;
        requireOverdue(jobId, deadline, time);
        // INVARIANT: a job that requires a proof is never final without one.
        if (has(job.flags, FLAG_PROOF_REQUIRED)) revert ProofRequired(jobId);
        if (isDeliveryDue(job)) revert DeliveryDue(jobId, deliveries[jobId].deliverBy);

        job.state = JobState.FINAL;
        emit JobFinalised(jobId, job.operator);
        settle(jobId, job, Exit.FINAL, findKeeper(job, deadline, time));
    }

    /// @inheritdoc IJobMarket
    function expireJob(JobId jobId) external {
        uint40 time = tick();
        StoredJob storage job = expectJob(jobId, JobState.OPEN);
        uint256 deadline = job.deadline;
        requireOverdue(jobId, deadline, time);

        job.state = JobState.EXPIRED;
        emit JobExpired(jobId);
        settle(jobId, job, Exit.EXPIRED, findKeeper(job, deadline, time));
    }

    /// @inheritdoc IJobMarket
    function failJob(JobId jobId) external {
        uint40 time = tick();
        StoredJob storage job = findJob(jobId);
        uint256 deadline = findFailure(jobId, job);
        requireOverdue(jobId, deadline, time);
        address operator = job.operator;

        job.state = JobState.FAILED;
        emit JobFailed(jobId, operator);
        settle(jobId, job, Exit.FAILED, findKeeper(job, deadline, time));
        IStakeVault(VAULT).recordMiss(operator);
    }

    /// @inheritdoc IJobMarket
    function voidJob(JobId jobId) external {
        tickInRefundMode();
        StoredJob storage job = findJob(jobId);
        // INVARIANT: a disputed job is voided by the game, with its bonds; a terminal one has no money left.
        if (job.state > JobState.COMMITTED) revert WrongJobState(jobId, job.state, JobState.OPEN);

        closeVoided(jobId, job);
    }

    /// @dev Last second at which the operator can still keep the job from failing.
    function findFailure(JobId jobId, StoredJob storage job) private view returns (uint256 deadline) {
        deadline = job.deadline;
        if (job.state == JobState.ASSIGNED) return deadline;
        bool proofRequired = has(job.flags, FLAG_PROOF_REQUIRED);
        bool deliveryDue = isDeliveryDue(job);
        // Without either a committed job becomes final, not failed.
        if (job.state != JobState.COMMITTED || !(proofRequired || deliveryDue)) {
            revert WrongJobState(jobId, job.state, JobState.ASSIGNED);
        }
        if (!deliveryDue) return deadline;
        uint256 deliverBy = deliveries[jobId].deliverBy;
        return proofRequired ? Math.min(deadline, deliverBy) : deliverBy;
    }
}
