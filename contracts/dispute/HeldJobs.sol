// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {DisputeState, Hold} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobState} from "../types/Job.sol";
import {Challenges} from "./Challenges.sol";

/// @title What the game of pinpointing does to jobs
/// @notice It decides its disputes alone; whatever they do to the job goes through here, where it meets prove-it: a job
/// has one verdict, and one list of those who are rewarded for it.
abstract contract HeldJobs is Challenges {
    using SafeCast for uint256;

    /* MODIFIERS */

    modifier onlyPinpoint() {
        if (msg.sender != PINPOINT) revert NotPinpoint(msg.sender);
        _;
    }

    /* WHILE THE RESULT IS DOUBTED */

    /// @inheritdoc IDisputeGame
    function holdFor(JobId jobId, bytes32 expectedOutDigest) external onlyPinpoint returns (Hold memory hold) {
        // INVARIANT: nothing is doubted after its verdict: the market refuses any job but committed and disputed ones.
        Job memory job = IJobMarket(MARKET).disputeJob(jobId, expectedOutDigest, false);
        // INVARIANT: a job that requires a proof never becomes final by winning lesser disputes.
        if (job.proofRequired) revert IJobMarket.ProofRequired(jobId);
        countOpen(job.operator);
        (uint256 bond, uint256 proveSeconds) = computeTerms(job.version, job.operator);
        hold = Hold({
            version: job.version,
            operator: job.operator,
            deadline: job.deadline,
            bond: bond.toUint96(),
            proveSeconds: proveSeconds.toUint40()
        });
    }

    /// @inheritdoc IDisputeGame
    function releaseFor(JobId, address operator) external onlyPinpoint {
        countClosed(operator);
    }

    /// @inheritdoc IDisputeGame
    function settleDefended(JobId jobId, address caller) external onlyPinpoint {
        expectUndisputed(jobId);
        IJobMarket(MARKET).settleDefended(jobId, caller);
    }

    /* VERDICTS */

    /// @inheritdoc IDisputeGame
    function rejectFor(JobId jobId, address[] calldata challengers, bool isCurable) external onlyPinpoint {
        Job memory job = IJobMarket(MARKET).getJob(jobId);
        // INVARIANT: silence counts against a result that was disputed, fraud against one that was committed.
        bool isShown = !isCurable && job.state == JobState.COMMITTED;
        if (job.state != JobState.DISPUTED && !isShown) {
            revert IJobMarket.WrongJobState(jobId, job.state, JobState.DISPUTED);
        }
        emit ResultRefuted(jobId, job.operator, isCurable);
        DisputeState verdict = isCurable ? DisputeState.DEFAULT : DisputeState.FRAUD_PROVEN;
        reject(jobId, job.operator, verdict, getClock(), challengers);
    }

    /// @inheritdoc IDisputeGame
    function cureFor(JobId jobId, address prover) external onlyPinpoint {
        expectCurable(jobId);
        closeCured(jobId, prover);
    }

    /// @inheritdoc IDisputeGame
    function voidFor(JobId jobId) external onlyPinpoint {
        expectUndisputed(jobId);
        IJobMarket(MARKET).settleVoided(jobId);
    }
}
