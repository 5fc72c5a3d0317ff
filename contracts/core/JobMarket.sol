// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Pricing} from "../libraries/Pricing.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {JobId} from "../types/Ids.sol";
import {Assurance, Job, JobParams, JobState, StoredJob} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Exit} from "../types/Split.sol";

/// @title The life of a job
contract JobMarket is IJobMarket {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev The token of fees and stakes.
    address private constant ETH = address(0);

    /* IMMUTABLES */

    /// @inheritdoc IJobMarket
    address public immutable VAULT;
    /// @inheritdoc IJobMarket
    address public immutable REGISTRY;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;
    /// @inheritdoc IJobMarket
    uint256 public immutable ASSIGN_SECONDS;
    /// @inheritdoc IJobMarket
    uint256 public immutable EXEC_SECONDS;
    /// @inheritdoc IJobMarket
    uint256 public immutable CHALLENGE_SECONDS;

    uint256 private immutable LOCK_FEES;
    uint256 private immutable MISS_FEES;
    uint256 private immutable DISPUTE_GAS;
    uint256 private immutable GAS_PRICE_FLOOR;

    /* STORAGE */

    /// @dev Starts at 1: counting up a word that is never zero costs the first client no more than the others.
    uint256 private nextJob = 1;

    mapping(JobId => StoredJob) private jobs;

    /* CONSTRUCTOR */

    constructor(address vault, address registry, Parameters memory p) {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
        VAULT = vault;
        REGISTRY = registry;
        ASSIGN_SECONDS = p.assignSeconds;
        EXEC_SECONDS = p.execSeconds;
        CHALLENGE_SECONDS = p.challengeSeconds;
        LOCK_FEES = p.lockFees;
        MISS_FEES = p.missFees;
        DISPUTE_GAS = p.disputeGas;
        GAS_PRICE_FLOOR = p.gasPriceFloor;
    }

    /* MODIFIERS */

    modifier onlyGame() {
        // The vault knows the game of this deployment; it is wired once, after both exist.
        if (msg.sender != IStakeVault(VAULT).game()) revert NotDisputeGame(msg.sender);
        _;
    }

    /* CLIENT */

    /// @inheritdoc IJobMarket
    function createJob(JobParams calldata params) external payable returns (JobId jobId) {
        if (params.verifyMask != 0) revert UnsupportedVerifyMask(params.verifyMask);
        if (params.privacyMask != 0) revert UnsupportedPrivacyMask(params.privacyMask);
        if (params.fee == 0) revert ZeroFee();
        if (msg.value != params.fee) revert WrongFee(msg.value, params.fee);
        if (params.inDigest == 0) revert ZeroDigest();
        // The version fixes the verifier too: a version never changes.
        uint32 versionNumber = IModelRegistry(REGISTRY).numberOf(params.version);
        if (versionNumber == 0) revert UnknownModelVersion(params.version);

        jobId = JobId.wrap(nextJob++);
        StoredJob storage job = jobs[jobId];
        uint40 assignUntil = computeDeadline(ASSIGN_SECONDS);
        (job.client, job.fee) = (msg.sender, params.fee);
        (job.state, job.deadline, job.versionNumber) = (JobState.OPEN, assignUntil, versionNumber);
        job.inDigest = params.inDigest;
        emit JobCreated(jobId, msg.sender, params.version, params.inDigest, params.fee, assignUntil, params.inputUri);
        IStakeVault(VAULT).openEscrow{value: msg.value}(ETH, jobId, params.fee);
    }

    /// @inheritdoc IJobMarket
    function cancelJob(JobId jobId) external {
        StoredJob storage job = expectJob(jobId, JobState.OPEN);
        if (msg.sender != job.client) revert NotClient(jobId, msg.sender, job.client);

        job.state = JobState.CANCELLED;
        emit JobCancelled(jobId);
        settle(jobId, job, Exit.CANCELLED, address(0));
    }

    /* WORKER */

    /// @inheritdoc IJobMarket
    function acceptJob(JobId jobId) external {
        StoredJob storage job = expectJob(jobId, JobState.OPEN);
        checkInTime(jobId, job.deadline);
        uint96 amount = computeLock(job.fee).toUint96();
        uint40 commitUntil = computeDeadline(EXEC_SECONDS);

        (job.state, job.deadline) = (JobState.ASSIGNED, commitUntil);
        // SAFETY: the vault is this deployment's and calls nobody; only it knows whom the worker serves.
        address operator = IStakeVault(VAULT).lockStake(ETH, jobId, msg.sender, amount);
        job.operator = operator;
        emit JobAccepted(jobId, operator, commitUntil);
    }

    /// @inheritdoc IJobMarket
    function commitResult(JobId jobId, bytes32 outDigest, string calldata outputUri) external {
        StoredJob storage job = expectJob(jobId, JobState.ASSIGNED);
        address operator = job.operator;
        checkInTime(jobId, job.deadline);
        if (outDigest == 0) revert ZeroDigest();
        if (IStakeVault(VAULT).operatorOf(msg.sender) != operator) revert NotOperator(jobId, msg.sender, operator);

        uint40 challengeUntil = computeDeadline(CHALLENGE_SECONDS);
        (job.state, job.deadline) = (JobState.COMMITTED, challengeUntil);
        job.outDigest = outDigest;
        emit ResultCommitted(jobId, operator, outDigest, challengeUntil, outputUri);
    }

    /* ANYBODY */

    /// @inheritdoc IJobMarket
    function finalise(JobId jobId) external {
        // INVARIANT: a challenged job is DISPUTED, and never final without a verdict.
        StoredJob storage job = expectJob(jobId, JobState.COMMITTED);
        checkOverdue(jobId, job.deadline);

        job.state = JobState.FINAL;
        emit JobFinalised(jobId, job.operator);
        settle(jobId, job, Exit.FINAL, address(0));
    }

    /// @inheritdoc IJobMarket
    function expireJob(JobId jobId) external {
        StoredJob storage job = expectJob(jobId, JobState.OPEN);
        checkOverdue(jobId, job.deadline);

        job.state = JobState.EXPIRED;
        emit JobExpired(jobId);
        settle(jobId, job, Exit.EXPIRED, address(0));
    }

    /// @inheritdoc IJobMarket
    function failJob(JobId jobId) external {
        StoredJob storage job = expectJob(jobId, JobState.ASSIGNED);
        checkOverdue(jobId, job.deadline);

        job.state = JobState.FAILED;
        emit JobFailed(jobId, job.operator);
        settle(jobId, job, Exit.FAILED, address(0));
    }

    /* THE GAME */

    /// @inheritdoc IJobMarket
    function disputeJob(JobId jobId, bytes32 expectedOutDigest) external onlyGame returns (Job memory) {
        StoredJob storage job = expectJob(jobId, JobState.COMMITTED);
        checkInTime(jobId, job.deadline);
        if (job.outDigest != expectedOutDigest) revert UnexpectedResult(jobId, job.outDigest, expectedOutDigest);

        job.state = JobState.DISPUTED;
        emit JobDisputed(jobId);
        return readJob(job);
    }

    /// @inheritdoc IJobMarket
    function settleProven(JobId jobId) external onlyGame {
        StoredJob storage job = expectJob(jobId, JobState.DISPUTED);

        job.state = JobState.PROVEN;
        emit JobProven(jobId, job.operator);
        settle(jobId, job, Exit.PROVEN, address(0));
    }

    /// @inheritdoc IJobMarket
    function settleRejected(JobId jobId, address challenger) external onlyGame {
        StoredJob storage job = expectJob(jobId, JobState.DISPUTED);

        job.state = JobState.REJECTED;
        emit JobRejected(jobId, job.operator, challenger);
        settle(jobId, job, Exit.REJECTED, challenger);
    }

    /* STEPS */

    function settle(JobId jobId, StoredJob storage job, Exit exit, address challenger) private {
        uint96 fee = job.fee;
        uint96 lock = 0;
        if (job.operator != address(0)) lock = IStakeVault(VAULT).getLock(ETH, jobId).amount;
        // No truncation of the fine: it is at most the lock, because missFees <= lockFees.
        uint96 fine = exit == Exit.FAILED ? (MISS_FEES * fee).toUint96() : 0;
        IStakeVault(VAULT)
            .settleJob(ETH, jobId, job.client, challenger, Settlement.computeJobSplit(exit, fee, lock, fine));
    }

    function expectJob(JobId jobId, JobState required) private view returns (StoredJob storage job) {
        job = jobs[jobId];
        JobState state = job.state;
        if (state == JobState.NONE) revert UnknownJob(jobId);
        if (state != required) revert WrongJobState(jobId, state, required);
    }

    function readJob(StoredJob storage job) private view returns (Job memory) {
        return Job({
            client: job.client,
            fee: job.fee,
            operator: job.operator,
            state: job.state,
            deadline: job.deadline,
            version: IModelRegistry(REGISTRY).versionAt(job.versionNumber),
            inDigest: job.inDigest,
            outDigest: job.outDigest
        });
    }

    function checkInTime(JobId jobId, uint256 deadline) private view {
        if (block.timestamp > deadline) revert DeadlinePassed(jobId, deadline, block.timestamp);
    }

    function checkOverdue(JobId jobId, uint256 deadline) private view {
        if (block.timestamp <= deadline) revert DeadlineNotReached(jobId, deadline, block.timestamp);
    }

    function computeDeadline(uint256 duration) private view returns (uint40) {
        return (block.timestamp + duration).toUint40();
    }

    /* VIEWS */

    /// @inheritdoc IJobMarket
    function jobCount() external view returns (uint256) {
        return nextJob - 1;
    }

    /// @inheritdoc IJobMarket
    function getJob(JobId jobId) external view returns (Job memory) {
        StoredJob storage job = jobs[jobId];
        if (job.state == JobState.NONE) revert UnknownJob(jobId);
        return readJob(job);
    }

    /// @inheritdoc IJobMarket
    function assurance(JobId jobId) external view returns (Assurance) {
        JobState state = jobs[jobId].state;
        if (state == JobState.FINAL) return Assurance.UNCHALLENGED;
        if (state == JobState.PROVEN) return Assurance.PROVEN;
        return Assurance.NONE;
    }

    /// @inheritdoc IJobMarket
    function computeLock(uint96 fee) public view returns (uint256) {
        return Pricing.computeLock(fee, LOCK_FEES, DISPUTE_GAS, Math.max(block.basefee, GAS_PRICE_FLOOR));
    }
}
