// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {JobId} from "../types/Ids.sol";
import {
    Adoption,
    FLAG_PROOF_REQUIRED,
    FLAG_TOKEN,
    JobParams,
    JobState,
    JobTerms,
    PROOF_REQUIRED,
    StoredJob
} from "../types/Job.sol";
import {Verdicts} from "./Verdicts.sol";

/// @title How jobs come into being: ordered by a client, taken with a signed order, or adopted from a session or quorum
abstract contract JobOrders is Verdicts {
    using SafeCast for uint256;

    /* CLIENT */

    /// @inheritdoc IJobMarket
    function createJob(JobParams calldata params) external payable returns (JobId jobId) {
        uint40 time = tick();
        uint256 value = params.token == ETH ? params.fee : 0;
        if (msg.value != value) revert WrongFee(msg.value, value);

        (jobId,) = open(readTerms(params), params.inputUri, time);
        // SAFETY: the vault is this deployment's; it calls nobody but the ERC-20 that the deployment chose.
        IStakeVault(VAULT).addEscrow{value: msg.value}(params.token, jobId, msg.sender, params.fee, true);
    }

    /* WORKER */

    /// @inheritdoc IJobMarket
    function acceptJob(JobId jobId) external {
        uint40 time = tick();
        StoredJob storage job = expectJob(jobId, JobState.OPEN);
        requireInTime(jobId, job.deadline, time);
        assign(jobId, job, msg.sender, time);
    }

    /* OTHER MODULES */

    /// @inheritdoc IJobMarket
    function openOrder(JobTerms calldata terms, address worker, string calldata inputUri)
        external
        returns (JobId jobId, address operator)
    {
        if (msg.sender != ORDERS) revert NotOrders(msg.sender);
        uint40 time = tick();

        StoredJob storage job;
        (jobId, job) = open(terms, inputUri, time);
        // SAFETY: the vault is this deployment's and calls nobody in these two steps.
        IStakeVault(VAULT).chargeCredit(terms.token, jobId, terms.client, terms.fee);
        operator = assign(jobId, job, worker, time);
    }

    /// @inheritdoc IJobMarket
    function adoptJob(JobTerms calldata terms, Adoption calldata adoption) external returns (JobId jobId) {
        if (msg.sender != SESSIONS && msg.sender != QUORUM) revert NotSessions(msg.sender);
        uint40 time = tick();
        StoredJob storage job;
        (jobId, job) = findUnused(terms);

        (job.client, job.fee, job.royaltyBps) = (terms.client, uint256(terms.fee).toUint80(), adoption.royaltyBps);
        (job.operator, job.state, job.deadline) = (adoption.operator, JobState.COMMITTED, adoption.challengeUntil);
        (job.versionNumber, job.flags) = (adoption.versionNumber, computeFlags(terms));
        job.outDigest = adoption.outDigest;
        // Ordered, taken and committed in one step: the first two have no deadline left to wait for.
        emit JobCreated(jobId, terms.client, terms.version, terms, time, "");
        emit JobAccepted(jobId, adoption.operator, time);
        emit ResultCommitted(jobId, adoption.operator, adoption.outDigest, adoption.challengeUntil, "");
    }

    /* STEPS */

    /// @dev Writes a job that nobody has taken; its escrow follows.
    function open(JobTerms memory terms, string calldata inputUri, uint40 time)
        private
        returns (JobId jobId, StoredJob storage job)
    {
        checkOrder(terms);
        checkFee(terms);
        // The version fixes verifier and royalty too: a version never changes.
        (uint32 versionNumber, uint16 royaltyBps) = IModelRegistry(REGISTRY).getOrderTerms(terms.version);
        if (versionNumber == 0) revert UnknownModelVersion(terms.version);
        (jobId, job) = findUnused(terms);
        uint40 assignUntil = computeDeadline(time, ASSIGN_SECONDS);

        // Narrowed, so that whatever comes in can be credited when it goes out.
        (job.client, job.fee, job.royaltyBps) = (terms.client, uint256(terms.fee).toUint80(), royaltyBps);
        (job.state, job.deadline, job.versionNumber, job.flags) =
        (JobState.OPEN, assignUntil, versionNumber, computeFlags(terms));
        emit JobCreated(jobId, terms.client, terms.version, terms, assignUntil, inputUri);
    }

    function assign(JobId jobId, StoredJob storage job, address worker, uint40 time)
        private
        returns (address operator)
    {
        address token = getToken(job);
        // Narrowed to the width of a credit, so that every share of it can be paid.
        uint80 amount = computeLock(token, job.fee).toUint80();
        uint40 commitUntil = computeDeadline(time, EXEC_SECONDS);

        (job.state, job.deadline) = (JobState.ASSIGNED, commitUntil);
        // SAFETY: the vault is this deployment's and calls nobody; only it knows whom the worker serves.
        operator = IStakeVault(VAULT).lockStake(token, jobId, worker, amount);
        job.operator = operator;
        emit JobAccepted(jobId, operator, commitUntil);
    }

    /* CHECKS */

    function checkOrder(JobTerms memory terms) private pure {
        if (terms.verifyMask & ~PROOF_REQUIRED != 0) revert UnsupportedVerifyMask(terms.verifyMask);
        if (terms.privacyMask != 0) revert UnsupportedPrivacyMask(terms.privacyMask);
        if (terms.fee == 0) revert ZeroFee();
        if (terms.inDigest == 0) revert ZeroDigest();
    }

    function checkFee(JobTerms memory terms) private view {
        bool proofRequired = terms.verifyMask == PROOF_REQUIRED;
        if (terms.token != ETH && (terms.token != TOKEN || proofRequired)) revert UnsupportedFeeToken(terms.token);
        if (!proofRequired) return;
        uint256 required = computeProofFee(terms.version);
        if (terms.fee < required) revert FeeBelowProof(terms.fee, required);
    }

    function findUnused(JobTerms memory terms) private view returns (JobId jobId, StoredJob storage job) {
        jobId = computeJobId(terms);
        job = jobs[jobId];
        // INVARIANT: an id names one job for ever, also after its end.
        if (job.state != JobState.NONE) revert JobExists(jobId);
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
            // INVARIANT: 64 bits wide: nobody can make the job that a hash names in advance.
            salt: params.salt
        });
    }

    function computeFlags(JobTerms memory terms) private pure returns (uint16) {
        return (terms.token == ETH ? 0 : FLAG_TOKEN) | (terms.verifyMask == PROOF_REQUIRED ? FLAG_PROOF_REQUIRED : 0);
    }
}
