// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";
import {BondSplit, JobSplit, Parties, SlashSplit} from "../types/Split.sol";
import {Account, JobFunds, LockStatus, Standing} from "../types/Stake.sol";
import {IParameters} from "./IParameters.sol";

/// @title The only holder of value
/// @notice A ledger keyed by token (ETH is address 0; one ERC-20 may stand beside it) and account, with the escrow and
/// lock of every job, the bonds of every dispute and what was burned. Money leaves through `withdrawCredit` and
/// `withdrawUnbonded` only, always to the caller. At all times, for every token:
///
///   balance = sum over accounts (free + locked + unbonding + credit)
///           + sum over jobs (escrow + slashed locks not yet divided + bonds) + burned
///
/// A session and a batch of one have an id, an escrow and, the batch, a lock just as a job has; so have a quorum and a
/// replica of one. Bonds lie under the id of a job (a demand to prove all of it) or of a dispute (pinpointing).
///
/// Assumptions on what surrounds it:
/// - the modules are those named at construction; they may move money inside the ledger, never out;
/// - the ERC-20 moves exactly what it is told to (a fee on transfer is refused) and does not rebase;
/// - money sent by force (not through a function) belongs to nobody and stays.
///
/// WARNING: an owner is one address and cannot be moved. Keep it cold; give the daily work to a worker address.
interface IStakeVault is IParameters {
    /* ERRORS */

    /// @notice Thrown when somebody else than the market, or whichever module shares the function, calls it.
    error NotMarket(address caller);
    /// @notice Thrown when neither of the two games calls a function of theirs.
    error NotGame(address caller);
    /// @notice Thrown when somebody else than the sessions' market, or the quorums where they share the function, calls
    /// a function of the sessions.
    error NotSessions(address caller);
    /// @notice Thrown when the ledger does not hold the token.
    error UnsupportedToken(address token);
    /// @notice Thrown by the constructor when the ERC-20's address has no code.
    error NotAToken(address token);
    /// @notice Thrown when a transfer moved another amount than it was told to.
    error FeeOnTransfer(address token, uint256 received, uint256 expected);
    /// @notice Thrown when an amount of zero would be moved by its owner.
    error ZeroAmount();
    /// @notice Thrown when the owner's free stake does not cover the amount.
    error InsufficientStake(address owner, uint256 free, uint256 required);
    /// @notice Thrown when the account's credit does not cover the amount.
    error InsufficientCredit(address account, uint256 credit, uint256 required);
    /// @notice Thrown when an escrow (of a session, or of a batch) does not cover the amount.
    error InsufficientEscrow(JobId jobId, uint256 escrow, uint256 required);
    /// @notice Thrown when unbonding stake is asked for before its time.
    error StillUnbonding(address owner, uint256 readyAt);
    /// @notice Thrown when the caller has nothing to withdraw.
    error NothingToWithdraw(address account);
    /// @notice Thrown when the caller refused its own money.
    error TransferFailed(address account, uint256 amount);
    /// @notice Thrown when an owner names itself as worker.
    error WorkerIsOwner(address owner);
    /// @notice Thrown when the worker serves, or ever served, another owner.
    error WorkerTaken(address worker, address owner);
    /// @notice Thrown when the owner has not proposed the caller as its worker.
    error NotProposed(address owner, address worker);
    /// @notice Thrown when the caller serves no owner.
    error NotWorker(address caller);
    /// @notice Thrown when a jailed operator takes a job.
    error OperatorJailed(address operator, uint256 until);
    /// @notice Thrown when an operator would leave jail that is not in it.
    error NotJailed(address operator);
    /// @notice Thrown when an operator would leave jail before its time.
    error StillJailed(address operator, uint256 until);
    /// @notice Thrown when the ETH sent along is not the amount it is for.
    error WrongValue(uint256 sent, uint256 required);
    /// @notice Thrown when a job already has an escrow.
    error AlreadyFunded(JobId jobId);
    /// @notice Thrown when a lock is not in the status that the step needs.
    error WrongLockStatus(JobId jobId, LockStatus status);
    /// @notice Thrown when the parts of a split do not add up to what is split.
    error Unbalanced(uint256 parts, uint256 whole);

    /* EVENTS: together they rebuild the ledger */

    /// @notice `owner` would like `worker` to work for it (zero: nobody); the worker has to agree.
    event WorkerProposed(address indexed owner, address indexed worker);
    /// @notice `owner`'s work is done by `worker` from now on (zero: by nobody); `previous` serves nobody any more.
    event WorkerSet(address indexed owner, address indexed worker, address indexed previous);
    /// @notice free[owner] += amount.
    event Deposited(address indexed token, address indexed owner, uint256 amount);
    /// @notice free[owner] -= amount, unbonding[owner] += amount; all of it may leave at `readyAt`.
    event UnbondRequested(address indexed token, address indexed owner, uint256 amount, uint256 readyAt);
    /// @notice unbonding[owner] -= amount; the amount left the vault.
    event UnbondedWithdrawn(address indexed token, address indexed owner, uint256 amount);
    /// @notice credit[account] += amount, out of the escrow, lock or bonds of a job, or of money sent beyond a bond.
    event Credited(address indexed token, JobId indexed jobId, address indexed account, uint256 amount);
    /// @notice credit[account] -= amount; the amount left the vault.
    event CreditWithdrawn(address indexed token, address indexed account, uint256 amount);
    /// @notice credit[account] += amount; the amount came into the vault.
    event Funded(address indexed token, address indexed account, uint256 amount);
    /// @notice credit[account] -= amount, escrow[jobId] += amount.
    event CreditCharged(address indexed token, JobId indexed jobId, address indexed account, uint256 amount);
    /// @notice escrow[jobId] += amount.
    event EscrowAdded(address indexed token, JobId indexed jobId, address indexed payer, uint256 amount);
    /// @notice escrow[from] -= amount, escrow[to] += amount.
    event EscrowMoved(address indexed token, JobId indexed from, JobId indexed to, uint256 amount);
    /// @notice lock[from] -= amount, lock[to] += amount, and the lock of `to` is ACTIVE; no account's stake changes.
    event LockMoved(address indexed token, JobId indexed from, JobId indexed to, uint256 amount);
    /// @notice free[operator] -= amount, locked[operator] += amount; the lock is ACTIVE.
    event StakeLocked(address indexed token, JobId indexed jobId, address indexed operator, uint256 amount);
    /// @notice locked[operator] -= returned + fined, free[operator] += returned; the lock is RELEASED. The fine is in the
    /// Credited and Burned beside it.
    event LockReleased(
        address indexed token, JobId indexed jobId, address indexed operator, uint256 returned, uint256 fined
    );
    /// @notice locked[operator] -= amount; the lock is SLASHED and held.
    event LockSlashed(address indexed token, JobId indexed jobId, address indexed operator, uint256 amount);
    /// @notice The held lock is DIVIDED: free[operator] += returned, the rest is in the Credited and Burned beside it.
    event SlashDivided(address indexed token, JobId indexed jobId, address indexed operator, uint256 returned);
    /// @notice free[operator] -= fromFree, unbonding[operator] -= fromUnbonding; a Burned of the sum follows.
    event StakeSlashed(
        address indexed token, JobId indexed jobId, address indexed operator, uint256 fromFree, uint256 fromUnbonding
    );
    /// @notice bonds[jobId] += amount (ETH).
    event BondAdded(JobId indexed jobId, address indexed challenger, uint256 amount);
    /// @notice bonds[jobId] = 0; where they went is in the Credited and Burned beside it.
    event BondsSettled(JobId indexed jobId, uint256 amount);
    /// @notice burned += amount. Burned money stays in the vault for ever; no function reaches it.
    event Burned(address indexed token, JobId indexed jobId, uint256 amount);
    /// @notice The operator takes no jobs before it leaves jail, at `until` at the earliest.
    event Jailed(address indexed operator, uint256 until);
    /// @notice The operator may take jobs again.
    event Unjailed(address indexed operator);
    /// @notice The operator missed a deadline, for the `misses`-th time since `windowStart`.
    event MissRecorded(address indexed operator, uint256 misses, uint256 windowStart);

    /* OWNERS */

    /// @notice Adds to the caller's free stake: the ETH sent, or ERC-20 from the caller's allowance.
    function deposit(address token, uint256 amount) external payable;

    /// @notice Starts to unbond `amount` of the caller's free stake. A second request joins the first and starts the
    /// clock again for both. Unbonding stake backs no job and stays slashable until it is withdrawn.
    function requestUnbond(address token, uint96 amount) external;

    /// @notice Pays the caller's unbonding stake out, once its time is over.
    function withdrawUnbonded(address token) external;

    /// @notice Proposes a worker, which serves the caller once it agrees; address 0 ends the present worker's service
    /// at once. The worker accepts jobs, commits and proves; it can move no money out.
    function proposeWorker(address worker) external;

    /// @notice Leaves jail, once its time is over; the caller is the owner or its worker.
    function unjail() external;

    /* WORKERS */

    /// @notice Agrees to work for an owner that has proposed the caller. A worker address serves one owner in its life,
    /// so what it signed stays that owner's; a worker that the owner had before ends its service.
    function acceptOwner(address owner) external;

    /// @notice Ends the calling worker's service.
    function leaveOwner() external;

    /* EVERYBODY */

    /// @notice Pays the caller's credit out. Nobody can block it, and no pause stops it.
    function withdrawCredit(address token) external;

    /// @notice Adds to the caller's credit: the ETH sent, or ERC-20 from the caller's allowance. Signed orders are paid
    /// from it; whatever no order took can be withdrawn at any time.
    function fund(address token, uint96 amount) external payable;

    /* THE MARKET: only it, or whom the function names, may call these */

    /// @notice Adds to a job's escrow: the ETH that comes along, or ERC-20 from the payer's allowance.
    /// @param isFirst Whether the job must not have any funds yet.
    function addEscrow(address token, JobId jobId, address payer, uint96 amount, bool isFirst) external payable;

    /// @notice Moves `amount` of the payer's credit into the escrow of a job that has none yet. The market's word that the
    /// payer ordered the job counts.
    function chargeCredit(address token, JobId jobId, address payer, uint96 amount) external;

    /// @notice Locks `amount` of the free stake of the owner whom `worker` serves; the owner is not in jail.
    /// @return operator The owner.
    function lockStake(address token, JobId jobId, address worker, uint96 amount) external returns (address operator);

    /// @notice Splits a job's escrow, and its lock if it has one. The lock becomes SLASHED and is held if
    /// `split.lockHeld` is not 0, RELEASED otherwise. The sessions' market may call it too, for sessions and batches, and the
    /// quorums, for quorums and replicas.
    function settleJob(address token, JobId jobId, Parties calldata parties, JobSplit calldata split) external;

    /// @notice Divides a SLASHED lock. The quorums may call it too.
    function divideSlash(
        address token,
        JobId jobId,
        address operator,
        address client,
        address[] calldata challengers,
        SlashSplit calldata split
    ) external;

    /// @notice Burns `bps` hundredths of a percent of the operator's free and unbonding stake: the slash at operator
    /// level. Unbonding stake answers too: whoever sees a slash coming cannot step out of its way.
    function slashStake(address token, JobId jobId, address operator, uint256 bps) external;

    /// @notice Jails an operator after a slash. The quorums may call it too.
    function jail(address operator) external;

    /// @notice Counts a miss, and jails after too many. The quorums may call it too.
    function recordMiss(address operator) external;

    /* SESSIONS AND QUORUMS: only their markets may call these, and quorums not the last */

    /// @notice Adds to the escrow of a session or quorum: the ETH that comes along, or ERC-20 from the payer's allowance.
    function addDeposit(address token, JobId sessionId, address payer, uint96 amount) external payable;

    /// @notice Moves `escrow` from a session to a batch, or from a quorum to a replica, and locks `lock` of the free stake of the owner whom `worker`
    /// serves behind it; the owner is not in jail.
    /// @return operator The owner.
    function fundBatch(address token, JobId sessionId, JobId batchId, address worker, uint96 escrow, uint96 lock)
        external
        returns (address operator);

    /// @notice Moves one result's part of a batch's escrow and lock to a job of its own.
    function splitFunds(address token, JobId batchId, JobId jobId, uint96 escrow, uint96 lock) external;

    /* THE GAMES: only they may call these */

    /// @notice Adds to the bonds of a job, or of the game of pinpointing for one of its disputes; what comes along beyond
    /// `amount` is credited to the challenger.
    function addBond(JobId jobId, address challenger, uint96 amount) external payable;

    /// @notice Splits the bonds of a job, all of them; or those of one dispute of the game of pinpointing, at most what it
    /// holds for all of its disputes: it keeps the single amounts itself.
    function settleBonds(JobId jobId, address[] calldata challengers, address defender, BondSplit calldata split)
        external;

    /* VIEWS */

    /// @notice The ERC-20 beside ETH, or 0.
    function TOKEN() external view returns (address);
    /// @notice The market.
    function MARKET() external view returns (address);
    /// @notice The game of prove-it.
    function GAME() external view returns (address);
    /// @notice The market of sessions.
    function SESSIONS() external view returns (address);
    /// @notice The game of pinpointing.
    function PINPOINT() external view returns (address);
    /// @notice The market of replicated jobs.
    function QUORUM() external view returns (address);
    /// @notice What draws results that have to be proven.
    function AUDITS() external view returns (address);
    /// @notice Seconds between a request to unbond and the withdrawal.
    function UNBOND() external view returns (uint256);
    /// @notice The owner whom `worker` serves, or zero.
    function operatorOf(address worker) external view returns (address owner);
    /// @notice The worker of `owner`, or zero.
    function workerOf(address owner) external view returns (address worker);
    /// @notice The worker that `owner` has proposed and that has not agreed yet, or zero.
    function proposedWorker(address owner) external view returns (address worker);
    /// @notice The one owner that `worker` ever served, or zero: what it signed while it served is that owner's word.
    function servedOwner(address worker) external view returns (address owner);
    /// @notice Second, on the protocol's clock, in which `worker` ended its service; 0 while it serves, or never did.
    function servedUntil(address worker) external view returns (uint40);
    /// @notice The ledger of one account.
    function getAccount(address token, address account) external view returns (Account memory);
    /// @notice How an operator behaved.
    function getStanding(address operator) external view returns (Standing memory);
    /// @notice Escrow and lock of a job, a session or a batch.
    function getFunds(address token, JobId jobId) external view returns (JobFunds memory);
    /// @notice Sum of the bonds of a job, put up in the game of prove-it.
    function bondsOf(JobId jobId) external view returns (uint256);
    /// @notice Sum of the bonds of all open disputes of the game of pinpointing.
    function pinpointBonds() external view returns (uint256);
    /// @notice What was burned so far.
    function burned(address token) external view returns (uint256);
}
