// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {DisputeId, JobId} from "../types/Ids.sol";
import {Parameters} from "../types/Parameters.sol";
import {BondSplit, JobSplit} from "../types/Split.sol";
import {Account, Held, Lock, LockStatus} from "../types/Stake.sol";

/// @title The only holder of value
contract StakeVault is IStakeVault, ReentrancyGuardTransient {
    using SafeCast for uint256;

    /* CONSTANTS */

    address private constant ETH = address(0);

    /// @inheritdoc IStakeVault
    uint256 public constant HELD_PER_CALL = 32; // bounds a withdrawal to some 300 k gas

    /* IMMUTABLES */

    /// @inheritdoc IStakeVault
    address public immutable DEPLOYER;
    /// @inheritdoc IStakeVault
    uint256 public immutable AIRGAP;
    /// @inheritdoc IStakeVault
    uint256 public immutable UNBOND;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;

    /* STORAGE */

    /// @inheritdoc IStakeVault
    address public market;
    /// @inheritdoc IStakeVault
    address public game;
    /// @inheritdoc IStakeVault
    mapping(address worker => address owner) public operatorOf;
    /// @inheritdoc IStakeVault
    mapping(address owner => address worker) public workerOf;
    /// @inheritdoc IStakeVault
    mapping(address token => uint256) public burned;
    /// @inheritdoc IStakeVault
    mapping(address token => mapping(JobId => uint256)) public escrowOf;
    /// @inheritdoc IStakeVault
    mapping(address token => mapping(DisputeId => uint256)) public bondOf;

    mapping(address token => mapping(address account => Account)) private accounts;
    mapping(address token => mapping(address account => Held[])) private heldQueues;
    mapping(address token => mapping(JobId => Lock)) private locks;

    /* CONSTRUCTOR */

    constructor(Parameters memory p) {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
        DEPLOYER = msg.sender;
        AIRGAP = p.airgapSeconds;
        UNBOND = p.unbondSeconds;
    }

    /* MODIFIERS */

    modifier onlyMarket() {
        if (msg.sender != market) revert NotMarket(msg.sender);
        _;
    }

    modifier onlyGame() {
        if (msg.sender != game) revert NotGame(msg.sender);
        _;
    }

    /* WIRING */

    /// @inheritdoc IStakeVault
    function setModules(address market_, address game_) external {
        if (msg.sender != DEPLOYER) revert NotDeployer(msg.sender);
        if (market != address(0)) revert ModulesAlreadySet(market, game);
        checkModules(IJobMarket(market_), IDisputeGame(game_));

        market = market_;
        game = game_;
        emit ModulesSet(market_, game_);
    }

    /// @dev A deployment wired across two others would move money under foreign rules.
    function checkModules(IJobMarket market_, IDisputeGame game_) private view {
        address registry = market_.REGISTRY();
        if (market_.VAULT() != address(this) || market_.PARAMETERS_HASH() != PARAMETERS_HASH) {
            revert ForeignModule(address(market_));
        }
        if (
            game_.VAULT() != address(this) || game_.MARKET() != address(market_) || game_.REGISTRY() != registry
                || game_.PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(address(game_));
        if (IParameters(registry).PARAMETERS_HASH() != PARAMETERS_HASH) revert ForeignModule(registry);
    }

    /* OWNERS */

    /// @inheritdoc IStakeVault
    function deposit() external payable {
        if (msg.value == 0) revert ZeroAmount();

        accounts[ETH][msg.sender].free += msg.value.toUint88();
        emit Deposited(ETH, msg.sender, msg.value);
    }

    /// @inheritdoc IStakeVault
    function requestUnbond(uint96 amount) external {
        Account storage account = accounts[ETH][msg.sender];
        if (amount == 0) revert ZeroAmount();
        if (account.free < amount) revert InsufficientStake(msg.sender, account.free, amount);

        uint256 readyAt = block.timestamp + UNBOND;
        account.free -= uint256(amount).toUint88();
        account.unbonding += uint256(amount).toUint88();
        account.unbondReadyAt = readyAt.toUint40();
        emit UnbondRequested(ETH, msg.sender, amount, readyAt);
    }

    /// @inheritdoc IStakeVault
    function withdrawUnbonded() external nonReentrant {
        Account storage account = accounts[ETH][msg.sender];
        uint256 amount = account.unbonding;
        if (amount == 0) revert ZeroAmount();
        // INVARIANT: stake leaves only after every job it could answer for is settled.
        if (block.timestamp < account.unbondReadyAt) revert StillUnbonding(msg.sender, account.unbondReadyAt);

        account.unbonding = 0;
        emit UnbondedWithdrawn(ETH, msg.sender, amount);
        sendEth(msg.sender, amount);
    }

    /// @inheritdoc IStakeVault
    function setWorker(address worker) external {
        address served = operatorOf[worker];
        if (worker == msg.sender) revert WorkerIsOwner(msg.sender);
        // INVARIANT: a worker serves one owner.
        if (served != address(0)) revert WorkerTaken(worker, served);

        bindWorker(msg.sender, worker);
    }

    /// @inheritdoc IStakeVault
    function leaveOwner() external {
        address owner = operatorOf[msg.sender];
        if (owner == address(0)) revert NotWorker(msg.sender);

        bindWorker(owner, address(0));
    }

    /* EVERYBODY */

    /// @inheritdoc IStakeVault
    function withdrawCredit(address token) external nonReentrant {
        if (token != ETH) revert UnsupportedToken(token);
        Account storage account = accounts[token][msg.sender];
        uint256 amount = releaseHeld(token, msg.sender) + account.credit;
        if (amount == 0) revert NothingToWithdraw(msg.sender, account.held);

        account.credit = 0;
        emit CreditWithdrawn(token, msg.sender, amount);
        sendEth(msg.sender, amount);
    }

    /* THE MARKET */

    /// @inheritdoc IStakeVault
    function openEscrow(address token, JobId jobId, uint96 amount) external payable onlyMarket {
        if (token != ETH) revert UnsupportedToken(token);
        if (msg.value != amount) revert WrongValue(msg.value, amount);
        if (escrowOf[token][jobId] != 0) revert AlreadyFunded(JobId.unwrap(jobId));

        // Narrowed, so that whatever comes in can be credited when it goes out.
        escrowOf[token][jobId] = uint256(amount).toUint80();
        emit EscrowOpened(token, jobId, amount);
    }

    /// @inheritdoc IStakeVault
    function lockStake(address token, JobId jobId, address worker, uint96 amount)
        external
        onlyMarket
        returns (address operator)
    {
        operator = operatorOf[worker];
        Account storage account = accounts[token][operator];
        Lock storage lock = locks[token][jobId];
        if (operator == address(0)) revert NotWorker(worker);
        if (lock.status != LockStatus.NONE) revert WrongLockStatus(jobId, lock.status);
        // INVARIANT: locks never exceed stake.
        if (account.free < amount) revert InsufficientStake(operator, account.free, amount);

        uint88 locked = uint256(amount).toUint88();
        account.free -= locked;
        account.locked += locked;
        locks[token][jobId] = Lock(operator, locked, LockStatus.ACTIVE);
        emit StakeLocked(token, jobId, operator, amount);
    }

    /// @inheritdoc IStakeVault
    function settleJob(address token, JobId jobId, address client, address challenger, JobSplit calldata split)
        external
        onlyMarket
    {
        Lock memory lock = locks[token][jobId];
        settleEscrow(token, jobId, client, lock.operator, split);
        if (lock.status == LockStatus.NONE) {
            checkBalance(sumLock(split) + split.stakeToBurn, 0);
            return;
        }
        // INVARIANT: a lock leaves ACTIVE once: no second slash, no second release.
        if (lock.status != LockStatus.ACTIVE) revert WrongLockStatus(jobId, lock.status);
        // INVARIANT: a slash takes the lock, never more of it than there is.
        checkBalance(sumLock(split), lock.amount);

        if (split.lockToOperator == lock.amount) releaseLock(token, jobId, lock);
        else slashLock(token, jobId, lock, client, challenger, split);
        if (split.stakeToBurn != 0) slashStake(token, jobId, lock.operator, split.stakeToBurn);
    }

    /* THE GAME */

    /// @inheritdoc IStakeVault
    function openBond(address token, DisputeId disputeId, address challenger, uint96 amount) external payable onlyGame {
        if (token != ETH) revert UnsupportedToken(token);
        if (msg.value < amount) revert WrongValue(msg.value, amount);
        if (bondOf[token][disputeId] != 0) revert AlreadyFunded(DisputeId.unwrap(disputeId));

        bondOf[token][disputeId] = uint256(amount).toUint80();
        emit BondOpened(token, disputeId, challenger, amount);
        uint256 excess = msg.value - amount;
        if (excess != 0) {
            accounts[token][challenger].credit += excess.toUint80();
            emit Credited(token, challenger, excess);
        }
    }

    /// @inheritdoc IStakeVault
    function settleBond(
        address token,
        DisputeId disputeId,
        address challenger,
        address defender,
        BondSplit calldata split
    ) external onlyGame {
        checkBalance(uint256(split.toChallenger) + split.toDefender + split.toBurn, bondOf[token][disputeId]);

        delete bondOf[token][disputeId];
        releaseBond(token, disputeId, challenger, split.toChallenger);
        releaseBond(token, disputeId, defender, split.toDefender);
        burn(token, split.toBurn);
    }

    /* LEDGER STEPS */

    /// @dev Takes the owner's worker away and gives it `worker`, which may be nobody.
    function bindWorker(address owner, address worker) private {
        address previous = workerOf[owner];
        delete operatorOf[previous];
        workerOf[owner] = worker;
        if (worker != address(0)) operatorOf[worker] = owner;
        emit WorkerSet(owner, worker, previous);
    }

    /// @dev Takes what the airgap lets go out of the queue, oldest first. Entries ripen in order, because the airgap is
    /// one constant. The sum is credit that the caller pays out at once.
    function releaseHeld(address token, address owner) private returns (uint256 sum) {
        Account storage account = accounts[token][owner];
        Held[] storage queue = heldQueues[token][owner];
        uint256 index = account.heldNext;
        uint256 end = Math.min(queue.length, index + HELD_PER_CALL);
        for (; index < end && queue[index].readyAt <= block.timestamp; ++index) {
            uint256 amount = queue[index].amount;
            sum += amount;
            emit CreditReleased(token, owner, index, amount);
        }
        account.held -= sum.toUint88();
        account.heldNext = index.toUint40();
    }

    function settleEscrow(address token, JobId jobId, address client, address operator, JobSplit calldata split)
        private
    {
        checkBalance(uint256(split.feeToOperator) + split.feeToClient, escrowOf[token][jobId]);

        delete escrowOf[token][jobId];
        releaseEscrow(token, jobId, operator, split.feeToOperator);
        releaseEscrow(token, jobId, client, split.feeToClient);
    }

    function releaseEscrow(address token, JobId jobId, address account, uint96 amount) private {
        if (amount == 0) return;
        accounts[token][account].credit += uint256(amount).toUint80();
        emit EscrowReleased(token, jobId, account, amount);
    }

    function releaseLock(address token, JobId jobId, Lock memory lock) private {
        Account storage account = accounts[token][lock.operator];
        account.locked -= lock.amount;
        account.free += lock.amount;
        locks[token][jobId].status = LockStatus.RELEASED;
        emit LockReleased(token, jobId, lock.operator, lock.amount);
    }

    function slashLock(
        address token,
        JobId jobId,
        Lock memory lock,
        address client,
        address challenger,
        JobSplit calldata split
    ) private {
        Account storage account = accounts[token][lock.operator];
        account.locked -= lock.amount;
        account.free += uint256(split.lockToOperator).toUint88();
        locks[token][jobId].status = LockStatus.SLASHED;
        emit LockSlashed(token, jobId, lock.operator, lock.amount - split.lockToOperator, split.lockToOperator);

        hold(token, client, split.lockToClient);
        hold(token, challenger, split.lockToChallenger);
        burn(token, split.lockToBurn);
    }

    /// @dev Unbonding stake answers too: whoever sees a slash coming cannot step out of its way.
    function slashStake(address token, JobId jobId, address operator, uint96 amount) private {
        Account storage account = accounts[token][operator];
        uint256 fromFree = Math.min(amount, account.free);
        uint256 fromUnbonding = amount - fromFree;
        if (account.unbonding < fromUnbonding) {
            revert InsufficientStake(operator, uint256(account.free) + account.unbonding, amount);
        }

        account.free -= fromFree.toUint88();
        account.unbonding -= fromUnbonding.toUint88();
        emit StakeSlashed(token, jobId, operator, fromFree, fromUnbonding);
        burn(token, amount);
    }

    function releaseBond(address token, DisputeId disputeId, address account, uint96 amount) private {
        if (amount == 0) return;
        accounts[token][account].credit += uint256(amount).toUint80();
        emit BondReleased(token, disputeId, account, amount);
    }

    function hold(address token, address account, uint96 amount) private {
        if (amount == 0) return;
        Held[] storage queue = heldQueues[token][account];
        uint256 index = queue.length;
        uint256 readyAt = block.timestamp + AIRGAP;
        queue.push(Held(amount, readyAt.toUint40()));
        accounts[token][account].held += uint256(amount).toUint88();
        emit CreditHeld(token, account, index, amount, readyAt);
    }

    function burn(address token, uint256 amount) private {
        if (amount == 0) return;
        burned[token] += amount;
        emit Burned(token, amount);
    }

    /// @dev The only outgoing transfer; its callers have settled their accounts before.
    function sendEth(address account, uint256 amount) private {
        (bool success,) = account.call{value: amount}("");
        if (!success) revert TransferFailed(account, amount);
    }

    function checkBalance(uint256 parts, uint256 whole) private pure {
        if (parts != whole) revert Unbalanced(parts, whole);
    }

    function sumLock(JobSplit calldata split) private pure returns (uint256) {
        return uint256(split.lockToOperator) + split.lockToClient + split.lockToChallenger + split.lockToBurn;
    }

    /* VIEWS */

    /// @inheritdoc IStakeVault
    function getAccount(address token, address account) external view returns (Account memory) {
        return accounts[token][account];
    }

    /// @inheritdoc IStakeVault
    function withdrawable(address token, address account) external view returns (uint256 amount) {
        Held[] storage queue = heldQueues[token][account];
        uint256 index = accounts[token][account].heldNext;
        uint256 end = Math.min(queue.length, index + HELD_PER_CALL);
        amount = accounts[token][account].credit;
        for (; index < end && queue[index].readyAt <= block.timestamp; ++index) {
            amount += queue[index].amount;
        }
    }

    /// @inheritdoc IStakeVault
    function getHeld(address token, address account) external view returns (uint256 count, Held[] memory entries) {
        Held[] storage queue = heldQueues[token][account];
        uint256 next = accounts[token][account].heldNext;
        count = queue.length;
        entries = new Held[](count - next);
        for (uint256 i = next; i < count; ++i) {
            entries[i - next] = queue[i];
        }
    }

    /// @inheritdoc IStakeVault
    function getLock(address token, JobId jobId) external view returns (Lock memory) {
        return locks[token][jobId];
    }
}
