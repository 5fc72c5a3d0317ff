// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {DisputeId, JobId} from "../types/Ids.sol";
import {BondSplit, JobSplit} from "../types/Split.sol";
import {Account, Held, Lock, LockStatus} from "../types/Stake.sol";
import {IParameters} from "./IParameters.sol";

/// @title The only holder of value
/// @notice A ledger keyed by token (ETH is address 0) and account, with the escrow of every job, the bond of every
/// dispute and what was burned. Money leaves through `withdrawCredit` and `withdrawUnbonded` only, always to the
/// caller. At all times, for every token:
///
///   balance = sum over accounts (free + locked + unbonding + credit + held) + escrows + bonds + burned
///
/// Assumptions on what surrounds it:
/// - the market and the game are those the deployer named once; they may move money inside the ledger, never out;
/// - ETH sent by force (not through a function) belongs to nobody and stays.
///
/// WARNING: an owner is one address and cannot be moved. Keep it cold; give the daily work to a worker address.
interface IStakeVault is IParameters {
    /* ERRORS */

    /// @notice Thrown when the caller may not wire the deployment.
    error NotDeployer(address caller);
    /// @notice Thrown when the modules are named a second time.
    error ModulesAlreadySet(address market, address game);
    /// @notice Thrown when a module is no part of this deployment: other parameters, vault or market.
    error ForeignModule(address module);
    /// @notice Thrown when somebody else than the market calls a function of the market.
    error NotMarket(address caller);
    /// @notice Thrown when somebody else than the game calls a function of the game.
    error NotGame(address caller);
    /// @notice Thrown when the ledger does not hold the token.
    error UnsupportedToken(address token);
    /// @notice Thrown when an amount of zero would be moved by its owner.
    error ZeroAmount();
    /// @notice Thrown when the owner's free stake does not cover the amount.
    error InsufficientStake(address owner, uint256 free, uint256 required);
    /// @notice Thrown when unbonding stake is asked for before its time.
    error StillUnbonding(address owner, uint256 readyAt);
    /// @notice Thrown when the caller has nothing to withdraw now; `held` is still behind the airgap.
    error NothingToWithdraw(address account, uint256 held);
    /// @notice Thrown when the caller refused its own money.
    error TransferFailed(address account, uint256 amount);
    /// @notice Thrown when an owner names itself as worker.
    error WorkerIsOwner(address owner);
    /// @notice Thrown when the worker already serves an owner.
    error WorkerTaken(address worker, address owner);
    /// @notice Thrown when the caller serves no owner.
    error NotWorker(address caller);
    /// @notice Thrown when money sent along is not the amount it is for.
    error WrongValue(uint256 sent, uint256 required);
    /// @notice Thrown when a job already has an escrow, or a dispute a bond.
    error AlreadyFunded(uint256 id);
    /// @notice Thrown when a lock is not in the status that the step needs.
    error WrongLockStatus(JobId jobId, LockStatus status);
    /// @notice Thrown when the parts of a split do not add up to what is split.
    error Unbalanced(uint256 parts, uint256 whole);

    /* EVENTS: together they rebuild the ledger */

    /// @notice The deployment is wired; it can never be again.
    event ModulesSet(address indexed market, address indexed game);
    /// @notice `owner`'s work is done by `worker` from now on (zero: by nobody); `previous` serves nobody any more.
    event WorkerSet(address indexed owner, address indexed worker, address indexed previous);
    /// @notice free[owner] += amount.
    event Deposited(address indexed token, address indexed owner, uint256 amount);
    /// @notice free[owner] -= amount, unbonding[owner] += amount; all of it may leave at `readyAt`.
    event UnbondRequested(address indexed token, address indexed owner, uint256 amount, uint256 readyAt);
    /// @notice unbonding[owner] -= amount; the amount left the vault.
    event UnbondedWithdrawn(address indexed token, address indexed owner, uint256 amount);
    /// @notice credit[account] += amount (money sent beyond what was asked for).
    event Credited(address indexed token, address indexed account, uint256 amount);
    /// @notice held[account] += amount, as entry `index` of the account's queue.
    event CreditHeld(
        address indexed token, address indexed account, uint256 indexed index, uint256 amount, uint256 readyAt
    );
    /// @notice held[account] -= amount, credit[account] += amount: the airgap of entry `index` is over.
    event CreditReleased(address indexed token, address indexed account, uint256 indexed index, uint256 amount);
    /// @notice credit[account] -= amount; the amount left the vault.
    event CreditWithdrawn(address indexed token, address indexed account, uint256 amount);
    /// @notice escrow[jobId] = amount.
    event EscrowOpened(address indexed token, JobId indexed jobId, uint256 amount);
    /// @notice escrow[jobId] -= amount, credit[account] += amount.
    event EscrowReleased(address indexed token, JobId indexed jobId, address indexed account, uint256 amount);
    /// @notice free[operator] -= amount, locked[operator] += amount; the lock is ACTIVE.
    event StakeLocked(address indexed token, JobId indexed jobId, address indexed operator, uint256 amount);
    /// @notice locked[operator] -= amount, free[operator] += amount; the lock is RELEASED.
    event LockReleased(address indexed token, JobId indexed jobId, address indexed operator, uint256 amount);
    /// @notice locked[operator] -= slashed + returned, free[operator] += returned; the lock is SLASHED. What was
    /// slashed is the sum of the CreditHeld and Burned that follow.
    event LockSlashed(
        address indexed token, JobId indexed jobId, address indexed operator, uint256 slashed, uint256 returned
    );
    /// @notice free[operator] -= fromFree, unbonding[operator] -= fromUnbonding; a Burned of the sum follows.
    event StakeSlashed(
        address indexed token, JobId indexed jobId, address indexed operator, uint256 fromFree, uint256 fromUnbonding
    );
    /// @notice bond[disputeId] = amount.
    event BondOpened(address indexed token, DisputeId indexed disputeId, address indexed challenger, uint256 amount);
    /// @notice bond[disputeId] -= amount, credit[account] += amount. A part of the bond that is burned is in the
    /// Burned that follows.
    event BondReleased(address indexed token, DisputeId indexed disputeId, address indexed account, uint256 amount);
    /// @notice burned += amount. Burned money stays in the vault for ever; no function reaches it.
    event Burned(address indexed token, uint256 amount);

    /* WIRING */

    /// @notice Names the market and the game, once. Afterwards the deployment has no owner.
    function setModules(address market, address game) external;

    /* OWNERS */

    /// @notice Adds the ETH sent to the caller's free stake.
    function deposit() external payable;

    /// @notice Starts to unbond `amount` of the caller's free stake. A second request joins the first and starts the
    /// clock again for both. Unbonding stake backs no job and stays slashable until it is withdrawn.
    function requestUnbond(uint96 amount) external;

    /// @notice Pays the caller's unbonding stake out, once its time is over.
    function withdrawUnbonded() external;

    /// @notice Names the caller's worker, or none with address 0. The worker accepts jobs, commits and proves; it can
    /// move no money out. A worker serves one owner; running jobs go on under the worker named last.
    function setWorker(address worker) external;

    /// @notice Frees the calling worker from its owner, so that nobody can bind an address against its will.
    function leaveOwner() external;

    /* EVERYBODY */

    /// @notice Pays the caller's credit out, together with what the airgap lets go (at most HELD_PER_CALL entries a
    /// call, so that a long queue can never block the withdrawal).
    function withdrawCredit(address token) external;

    /* THE MARKET */

    /// @notice Takes a job's fee into escrow; the ETH comes along. Only the market.
    function openEscrow(address token, JobId jobId, uint96 amount) external payable;

    /// @notice Locks `amount` of the free stake of the owner whom `worker` serves. Only the market.
    /// @return operator The owner.
    function lockStake(address token, JobId jobId, address worker, uint96 amount) external returns (address operator);

    /// @notice Splits a job's escrow, and its lock if it has one. Only the market.
    /// The lock is RELEASED when all of it returns to the operator, SLASHED otherwise; a slash's proceeds are held for
    /// the airgap. `split.stakeToBurn` reaches free and unbonding stake and must be covered by them.
    /// @param client Gets the client's parts.
    /// @param challenger Gets the challenger's part.
    function settleJob(address token, JobId jobId, address client, address challenger, JobSplit calldata split) external;

    /* THE GAME */

    /// @notice Takes a dispute's bond; the ETH comes along and what it has beyond `amount` is credited to the
    /// challenger. Only the game.
    function openBond(address token, DisputeId disputeId, address challenger, uint96 amount) external payable;

    /// @notice Splits a dispute's bond. Only the game.
    function settleBond(
        address token,
        DisputeId disputeId,
        address challenger,
        address defender,
        BondSplit calldata split
    ) external;

    /* VIEWS */

    /// @notice The account that wires the deployment.
    function DEPLOYER() external view returns (address);
    /// @notice Seconds that slash proceeds are held.
    function AIRGAP() external view returns (uint256);
    /// @notice Seconds between a request to unbond and the withdrawal.
    function UNBOND() external view returns (uint256);
    /// @notice Held entries that one withdrawal releases at most.
    function HELD_PER_CALL() external view returns (uint256);
    /// @notice The market; zero until wired.
    function market() external view returns (address);
    /// @notice The game; zero until wired.
    function game() external view returns (address);
    /// @notice The owner whom `worker` serves, or zero.
    function operatorOf(address worker) external view returns (address owner);
    /// @notice The worker of `owner`, or zero.
    function workerOf(address owner) external view returns (address worker);
    /// @notice The ledger of one account.
    function getAccount(address token, address account) external view returns (Account memory);
    /// @notice What `withdrawCredit` would pay `account` now.
    function withdrawable(address token, address account) external view returns (uint256);
    /// @notice Number of entries ever held for `account`, and the entries not yet released.
    function getHeld(address token, address account) external view returns (uint256 count, Held[] memory);
    /// @notice The lock behind a job.
    function getLock(address token, JobId jobId) external view returns (Lock memory);
    /// @notice A job's escrow.
    function escrowOf(address token, JobId jobId) external view returns (uint256);
    /// @notice A dispute's bond.
    function bondOf(address token, DisputeId disputeId) external view returns (uint256);
    /// @notice What was burned so far.
    function burned(address token) external view returns (uint256);
}
