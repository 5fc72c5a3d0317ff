// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {JobId} from "../types/Ids.sol";
import {FLAG_PROOF_REQUIRED, Job, JobState, StoredJob} from "../types/Job.sol";
import {Exit, SlashSplit} from "../types/Split.sol";
import {OutputDelivery} from "./OutputDelivery.sol";

/// @title What the game does to jobs: disputes, verdicts and the slashed locks
abstract contract Verdicts is OutputDelivery {
    /* MODIFIERS */

    modifier onlyGame() {
        if (msg.sender != GAME) revert NotDisputeGame(msg.sender);
        _;
    }

    /* DISPUTES */

    /// @inheritdoc IJobMarket
    function disputeJob(JobId jobId, bytes32 expectedOutDigest, bool onlyIfRequired)
        external
        onlyGame
        returns (Job memory)
    {
        uint40 time = tick();
        // A job may be disputed in more than one way at a time; the game keeps them apart.
        StoredJob storage job = expectResult(jobId);
        bool isDisputed = job.state == JobState.DISPUTED;
        requireInTime(jobId, job.deadline, time);
        requireResult(jobId, job, expectedOutDigest);
        if (onlyIfRequired && !has(job.flags, FLAG_PROOF_REQUIRED)) revert ProofNotRequired(jobId);

        if (!isDisputed) {
            job.state = JobState.DISPUTED;
            emit JobDisputed(jobId);
        }
        return readJob(jobId, job);
    }

    /// @inheritdoc IJobMarket
    function stepDisputed(JobId jobId) external view returns (uint40 time) {
        time = tick();
        expectJob(jobId, JobState.DISPUTED);
    }

    /// @inheritdoc IJobMarket
    function expectDisputed(JobId jobId, bytes32 expectedOutDigest)
        external
        view
        returns (Job memory job, uint40 time)
    {
        time = tick();
        StoredJob storage stored = expectJob(jobId, JobState.DISPUTED);
        requireResult(jobId, stored, expectedOutDigest);
        job = readJob(jobId, stored);
    }

    /* VERDICTS */

    /// @inheritdoc IJobMarket
    function settleProven(JobId jobId) external onlyGame {
        tick();
        StoredJob storage job = expectJob(jobId, JobState.DISPUTED);

        job.state = JobState.PROVEN;
        emit JobProven(jobId, job.operator);
        settle(jobId, job, Exit.PROVEN, address(0));
    }

    /// @inheritdoc IJobMarket
    function settleDefended(JobId jobId, address caller) external onlyGame {
        uint40 time = tick();
        StoredJob storage job = expectJob(jobId, JobState.DISPUTED);
        requireOverdue(jobId, job.deadline, time);
        if (!isDeliveryDue(job)) {
            closeFinal(jobId, job, caller, time);
            return;
        }
        // INVARIANT: nobody is paid for a result that it keeps to itself by having it disputed.
        uint256 deliverBy = deliveries[jobId].deliverBy;
        if (time <= deliverBy) revert DeliveryDue(jobId, deliverBy);
        closeFailed(jobId, job, caller, deliverBy, time);
    }

    /// @inheritdoc IJobMarket
    function settleRejected(JobId jobId, uint256 stakeBps) external onlyGame returns (uint40 airgapUntil) {
        uint40 time = tick();
        StoredJob storage job = findJob(jobId);
        JobState state = job.state;
        // INVARIANT: one verdict a job; an OPEN one has no operator, a terminal one no lock to slash. Before the commit only
        // signatures can be wrong, and they cost other stake, too.
        if (!hasResult(job) && !(stakeBps != 0 && state == JobState.ASSIGNED)) {
            revert WrongJobState(jobId, state, JobState.DISPUTED);
        }
        (address operator, address token) = (job.operator, getToken(job));

        airgapUntil = computeDeadline(time, AIRGAP_SECONDS);
        (job.state, job.deadline) = (JobState.REJECTED, airgapUntil);
        emit JobRejected(jobId, operator, airgapUntil);
        settle(jobId, job, Exit.REJECTED, address(0));
        if (stakeBps != 0) IStakeVault(VAULT).slashStake(token, jobId, operator, stakeBps);
        IStakeVault(VAULT).jail(operator);
    }

    /* SLASHED LOCKS: the vault lets each leave SLASHED once */

    /// @inheritdoc IJobMarket
    function divideSlash(JobId jobId, address[] calldata challengers, bool isCured) external onlyGame {
        // After the airgap the refund mode changes nothing: the verdict stands.
        if (isCured) tick();
        else tickInAnyMode();
        StoredJob storage job = expectJob(jobId, JobState.REJECTED);

        uint96 lock = IStakeVault(VAULT).getFunds(getToken(job), jobId).lock;
        divide(jobId, job, challengers, Settlement.computeSlashSplit(lock, isCured, challengers.length != 0));
    }

    /// @inheritdoc IJobMarket
    function settleVoided(JobId jobId) external onlyGame {
        uint40 time = tickInRefundMode();
        StoredJob storage job = findJob(jobId);
        if (job.state == JobState.DISPUTED) {
            closeVoided(jobId, job);
            return;
        }
        // INVARIANT: REJECTED is absorbing; only its lock, not yet divided, goes back.
        if (job.state != JobState.REJECTED) revert WrongJobState(jobId, job.state, JobState.DISPUTED);
        requireInTime(jobId, job.deadline, time);

        SlashSplit memory split;
        split.toOperator = IStakeVault(VAULT).getFunds(getToken(job), jobId).lock;
        divide(jobId, job, new address[](0), split);
    }

    /* STEPS */

    /// @dev Pays the operator of a result that nobody could refute in time.
    function closeFinal(JobId jobId, StoredJob storage job, address caller, uint40 time) internal {
        job.state = JobState.FINAL;
        emit JobFinalised(jobId, job.operator);
        settle(jobId, job, Exit.FINAL, findKeeper(job, caller, job.deadline, time));
    }

    /// @dev Fines the operator for what did not come by `deadline`.
    function closeFailed(JobId jobId, StoredJob storage job, address caller, uint256 deadline, uint256 time) internal {
        address operator = job.operator;
        job.state = JobState.FAILED;
        emit JobFailed(jobId, operator);
        settle(jobId, job, Exit.FAILED, findKeeper(job, caller, deadline, time));
        IStakeVault(VAULT).recordMiss(operator);
    }

    function closeVoided(JobId jobId, StoredJob storage job) internal {
        job.state = JobState.VOIDED;
        emit JobVoided(jobId);
        settle(jobId, job, Exit.VOIDED, address(0));
    }

    function divide(JobId jobId, StoredJob storage job, address[] memory challengers, SlashSplit memory split) private {
        IStakeVault(VAULT).divideSlash(getToken(job), jobId, job.operator, job.client, challengers, split);
    }

    function requireResult(JobId jobId, StoredJob storage job, bytes32 expected) private view {
        if (job.outDigest != expected) revert UnexpectedResult(jobId, job.outDigest, expected);
    }
}
