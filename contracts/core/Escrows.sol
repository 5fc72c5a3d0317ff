// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {JobId} from "../types/Ids.sol";
import {Account, JobFunds, LockStatus} from "../types/Stake.sol";
import {Ledger} from "./Ledger.sol";
import {Workers} from "./Workers.sol";

/// @title Escrows and locks: how money comes to lie in a job, a session or a batch, and how it moves between them
abstract contract Escrows is Ledger, Workers {
    using SafeCast for uint256;

    /* STORAGE */

    mapping(address token => mapping(JobId => JobFunds)) internal funds;

    /* THE MARKET */

    /// @inheritdoc IStakeVault
    function addEscrow(address token, JobId jobId, address payer, uint96 amount, bool isFirst)
        external
        payable
        onlyMarket
    {
        JobFunds storage job = funds[token][jobId];
        (uint80 escrow, LockStatus status) = (job.escrow, job.status);
        if (isFirst && (escrow != 0 || status != LockStatus.NONE)) revert AlreadyFunded(jobId);
        // INVARIANT: nothing is added to a job that is settled.
        if (!isFirst && status != LockStatus.ACTIVE) revert WrongLockStatus(jobId, status);

        // Narrowed, so that whatever comes in can be credited when it goes out.
        job.escrow = escrow + uint256(amount).toUint80();
        emit EscrowAdded(token, jobId, payer, amount);
        takeIn(token, payer, amount);
    }

    /// @inheritdoc IStakeVault
    function chargeCredit(address token, JobId jobId, address payer, uint96 amount) external onlyMarket {
        requireUnfunded(token, jobId);
        Account storage account = accounts[token][payer];
        uint80 held = account.credit;
        // INVARIANT: nobody pays with more than is its own.
        if (held < amount) revert InsufficientCredit(payer, held, amount);

        uint80 charged = uint256(amount).toUint80();
        account.credit = held - charged;
        funds[token][jobId].escrow = charged;
        emit CreditCharged(token, jobId, payer, amount);
    }

    /// @inheritdoc IStakeVault
    function lockStake(address token, JobId jobId, address worker, uint96 amount)
        external
        onlyMarket
        returns (address operator)
    {
        return lockOf(token, jobId, worker, amount);
    }

    /* SESSIONS AND QUORUMS */

    /// @inheritdoc IStakeVault
    function addDeposit(address token, JobId sessionId, address payer, uint96 amount) external payable onlyDistributor {
        JobFunds storage session = funds[token][sessionId];
        // INVARIANT: a session or quorum never has a lock; its batches or replicas do.
        if (session.status != LockStatus.NONE) revert WrongLockStatus(sessionId, session.status);

        // Narrowed, so that whatever comes in can be credited when it goes out.
        session.escrow += uint256(amount).toUint80();
        emit EscrowAdded(token, sessionId, payer, amount);
        takeIn(token, payer, amount);
    }

    /// @inheritdoc IStakeVault
    function fundBatch(address token, JobId sessionId, JobId batchId, address worker, uint96 escrow, uint96 lock)
        external
        onlyDistributor
        returns (address operator)
    {
        requireUnfunded(token, batchId);
        moveEscrow(token, sessionId, batchId, escrow);
        return lockOf(token, batchId, worker, lock);
    }

    /// @inheritdoc IStakeVault
    function splitFunds(address token, JobId batchId, JobId jobId, uint96 escrow, uint96 lock) external onlySessions {
        requireUnfunded(token, jobId);
        JobFunds storage batch = funds[token][batchId];
        // INVARIANT: nothing is taken out of a batch that is settled.
        if (batch.status != LockStatus.ACTIVE) revert WrongLockStatus(batchId, batch.status);
        moveEscrow(token, batchId, jobId, escrow);

        uint88 moved = uint256(lock).toUint88();
        // No check that there is so much: a part above the whole fails the subtraction.
        batch.lock -= moved;
        (funds[token][jobId].lock, funds[token][jobId].status) = (moved, LockStatus.ACTIVE);
        emit LockMoved(token, batchId, jobId, lock);
    }

    /* STEPS */

    function moveEscrow(address token, JobId from, JobId to, uint96 amount) private {
        JobFunds storage source = funds[token][from];
        uint80 held = source.escrow;
        // INVARIANT: what is promised to a result is there.
        if (held < amount) revert InsufficientEscrow(from, held, amount);

        uint80 moved = uint256(amount).toUint80();
        source.escrow = held - moved;
        funds[token][to].escrow = moved;
        emit EscrowMoved(token, from, to, amount);
    }

    function lockOf(address token, JobId jobId, address worker, uint96 amount) private returns (address operator) {
        operator = requireOperator(worker);
        Account storage account = accounts[token][operator];
        JobFunds storage job = funds[token][jobId];
        (uint88 free, uint88 locked, LockStatus status) = (account.free, account.locked, job.status);
        if (status != LockStatus.NONE) revert WrongLockStatus(jobId, status);
        // INVARIANT: locks never exceed stake (I21).
        if (free < amount) revert InsufficientStake(operator, free, amount);

        uint88 lock = uint256(amount).toUint88();
        (account.free, account.locked) = (free - lock, locked + lock);
        (job.lock, job.status) = (lock, LockStatus.ACTIVE);
        emit StakeLocked(token, jobId, operator, amount);
    }

    /// @dev INVARIANT: what one id names is funded once; nothing joins the money of something else.
    function requireUnfunded(address token, JobId jobId) private view {
        JobFunds storage job = funds[token][jobId];
        if (job.escrow != 0 || job.status != LockStatus.NONE) revert AlreadyFunded(jobId);
    }

    /* VIEWS */

    /// @inheritdoc IStakeVault
    function getFunds(address token, JobId jobId) external view returns (JobFunds memory) {
        return funds[token][jobId];
    }
}
