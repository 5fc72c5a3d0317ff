// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {JobId} from "../types/Ids.sol";
import {FLAG_PROOF_REQUIRED, JobState, StoredJob} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Exit} from "../types/Split.sol";
import {JobBook} from "./JobBook.sol";
import {JobOrders} from "./JobOrders.sol";

/// @title The life of a job
contract JobMarket is JobOrders {
    /* CONSTANTS */

    /// @dev An unusable input shows at once: who says so later than this part of T_exec has computed.
    uint256 private constant REFUSAL_PART = 4;

    /* CONSTRUCTOR */

    constructor(address vault, address registry, address guardian, address orders, Parameters memory p)
        JobBook(vault, registry, guardian, orders, p)
    {}

    /* CLIENT */

    /// @inheritdoc IJobMarket
    function cancelJob(JobId jobId) external {
        tick();
        StoredJob storage job = expectJob(jobId, JobState.OPEN);
        requireClient(jobId, job);

        job.state = JobState.CANCELLED;
        emit JobCancelled(jobId);
        settle(jobId, job, Exit.CANCELLED, address(0));
    }

    /* WORKER */

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
        requireOverdue(jobId, job.deadline, time);
        // INVARIANT: a job that requires a proof is never final without one.
        if (has(job.flags, FLAG_PROOF_REQUIRED)) revert ProofRequired(jobId);
        if (isDeliveryDue(job)) revert DeliveryDue(jobId, deliveries[jobId].deliverBy);

        closeFinal(jobId, job, msg.sender, time);
    }

    /// @inheritdoc IJobMarket
    function expireJob(JobId jobId) external {
        uint40 time = tick();
        StoredJob storage job = expectJob(jobId, JobState.OPEN);
        uint256 deadline = job.deadline;
        requireOverdue(jobId, deadline, time);

        job.state = JobState.EXPIRED;
        emit JobExpired(jobId);
        settle(jobId, job, Exit.EXPIRED, findKeeper(job, msg.sender, deadline, time));
    }

    /// @inheritdoc IJobMarket
    function failJob(JobId jobId) external {
        uint40 time = tick();
        StoredJob storage job = findJob(jobId);
        uint256 deadline = findFailure(jobId, job);
        requireOverdue(jobId, deadline, time);
        closeFailed(jobId, job, msg.sender, deadline, time);
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
