// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {JobId} from "../types/Ids.sol";
import {Account} from "../types/Stake.sol";
import {VaultModules} from "./VaultModules.sol";

/// @title Accounts, and the vault's only doors for money
/// @notice Money comes in through `takeIn` and leaves through `payOut`; all other steps move it between fields.
abstract contract Ledger is VaultModules, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /* CONSTANTS */

    address internal constant ETH = address(0);

    /* IMMUTABLES */

    /// @inheritdoc IStakeVault
    address public immutable TOKEN;
    /// @inheritdoc IStakeVault
    uint256 public immutable UNBOND;

    /* STORAGE */

    /// @inheritdoc IStakeVault
    mapping(address token => uint256) public burned;

    mapping(address token => mapping(address account => Account)) internal accounts;

    /* CONSTRUCTOR */

    constructor(address token, uint256 unbondSeconds) {
        if (token != ETH && token.code.length == 0) revert NotAToken(token);
        TOKEN = token;
        UNBOND = unbondSeconds;
    }

    /* OWNERS */

    /// @inheritdoc IStakeVault
    function deposit(address token, uint256 amount) external payable {
        if (amount == 0) revert ZeroAmount();

        Account storage account = accounts[token][msg.sender];
        account.free += amount.toUint88();
        // INVARIANT: free stake has room for every lock that comes back: no owner can stop a settlement by a deposit.
        (uint256(account.free) + account.locked).toUint88();
        emit Deposited(token, msg.sender, amount);
        takeIn(token, msg.sender, amount);
    }

    /// @inheritdoc IStakeVault
    function requestUnbond(address token, uint96 amount) external {
        Account storage account = accounts[token][msg.sender];
        uint88 free = account.free;
        if (amount == 0) revert ZeroAmount();
        if (free < amount) revert InsufficientStake(msg.sender, free, amount);

        uint88 moved = uint256(amount).toUint88();
        uint40 readyAt = (readClock() + UNBOND).toUint40();
        account.free = free - moved;
        account.unbonding += moved;
        account.unbondReadyAt = readyAt;
        emit UnbondRequested(token, msg.sender, amount, readyAt);
    }

    /// @inheritdoc IStakeVault
    function withdrawUnbonded(address token) external nonReentrant {
        Account storage account = accounts[token][msg.sender];
        uint256 amount = account.unbonding;
        if (amount == 0) revert ZeroAmount();
        // INVARIANT: stake leaves only after every job it could answer for is settled.
        if (readClock() < account.unbondReadyAt) revert StillUnbonding(msg.sender, account.unbondReadyAt);

        account.unbonding = 0;
        emit UnbondedWithdrawn(token, msg.sender, amount);
        payOut(token, msg.sender, amount);
    }

    /* EVERYBODY */

    /// @inheritdoc IStakeVault
    function withdrawCredit(address token) external nonReentrant {
        Account storage account = accounts[token][msg.sender];
        uint256 amount = account.credit;
        if (amount == 0) revert NothingToWithdraw(msg.sender);

        account.credit = 0;
        emit CreditWithdrawn(token, msg.sender, amount);
        payOut(token, msg.sender, amount);
    }

    /// @inheritdoc IStakeVault
    function fund(address token, uint96 amount) external payable {
        if (amount == 0) revert ZeroAmount();

        accounts[token][msg.sender].credit += uint256(amount).toUint80();
        emit Funded(token, msg.sender, amount);
        takeIn(token, msg.sender, amount);
    }

    /* STEPS */

    function credit(address token, JobId jobId, address account, uint256 amount) internal {
        if (amount == 0) return;
        uint80 held = accounts[token][account].credit;
        // INVARIANT: nobody who lets its credit grow can stop the settlement of others: what has no room is burned.
        uint256 added = Math.min(amount, type(uint80).max - held);
        accounts[token][account].credit = (held + added).toUint80();
        emit Credited(token, jobId, account, added);
        burn(token, jobId, amount - added);
    }

    /// @dev Credits the same to each account.
    /// @return rest What does not divide; all of it if there is no account.
    function creditEqually(address token, JobId jobId, address[] calldata list, uint256 amount)
        internal
        returns (uint256 rest)
    {
        if (amount == 0 || list.length == 0) return amount;
        uint256 share = amount / list.length;
        // No unbounded loop: the game bounds the challengers of a job (I18).
        for (uint256 i = 0; i < list.length; ++i) {
            credit(token, jobId, list[i], share);
        }
        return amount - share * list.length;
    }

    function burn(address token, JobId jobId, uint256 amount) internal {
        if (amount == 0) return;
        burned[token] += amount;
        emit Burned(token, jobId, amount);
    }

    /* THE DOORS */

    /// @dev Takes exactly `amount` from `payer`: the ETH that came along, or ERC-20 from its allowance. Its callers have
    /// written their books before.
    function takeIn(address token, address payer, uint256 amount) internal {
        uint256 requiredValue = token == ETH ? amount : 0;
        if (msg.value != requiredValue) revert WrongValue(msg.value, requiredValue);
        if (token == ETH) return;
        // INVARIANT: only money of the two tokens is ever in the books.
        if (token != TOKEN) revert UnsupportedToken(token);
        pullToken(token, payer, amount);
    }

    /// @dev SAFETY: no other transfer can happen within this one and be taken for it.
    function pullToken(address token, address payer, uint256 amount) private nonReentrant {
        uint256 before = IERC20(token).balanceOf(address(this));
        // SAFETY: the payer is the caller of deposit or fund, or a module's caller, who pays for its own job or session.
        IERC20(token).safeTransferFrom(payer, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert FeeOnTransfer(token, received, amount);
    }

    /// @dev The only outgoing transfer; its callers have settled their accounts before.
    function payOut(address token, address account, uint256 amount) private {
        if (token == ETH) {
            (bool success,) = account.call{value: amount}("");
            if (!success) revert TransferFailed(account, amount);
            return;
        }
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(account, amount);
        uint256 sent = before - IERC20(token).balanceOf(address(this));
        if (sent != amount) revert FeeOnTransfer(token, sent, amount);
    }

    /* VIEWS */

    /// @inheritdoc IStakeVault
    function getAccount(address token, address account) external view returns (Account memory) {
        return accounts[token][account];
    }
}
