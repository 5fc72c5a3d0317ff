// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ModuleStub} from "../../contracts/mocks/ModuleStub.sol";
import {PlainToken} from "../../contracts/mocks/PlainToken.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Modules} from "../../contracts/types/Modules.sol";
import {BondSplit, JobSplit, Parties, SlashSplit} from "../../contracts/types/Split.sol";
import {Account, JobFunds, LockStatus} from "../../contracts/types/Stake.sol";
import {Presets} from "./Presets.sol";

/// @notice The vault alone, with the tests speaking for market and game: what holds whatever the modules ask for.
/// The protocol's clock is far from block.timestamp, so that nothing can take one for the other.
abstract contract VaultBase is Presets {
    address internal constant ETH = address(0);
    JobId internal constant JOB = JobId.wrap(bytes32(uint256(7)));
    JobId internal constant OTHER_JOB = JobId.wrap(bytes32(uint256(8)));
    uint256 internal constant STAKE = 10 ether;
    uint40 internal constant START = 1_000_000;
    uint256 internal constant TIMESTAMP = 5_000_000;
    uint256 internal constant UNBOND = 728;
    uint256 internal constant ACTORS = 7;

    address internal immutable CLIENT = vm.addr(1);
    address internal immutable OWNER = vm.addr(2);
    address internal immutable WORKER = vm.addr(3);
    address internal immutable CHALLENGER = vm.addr(4);
    address internal immutable STRANGER = vm.addr(5);
    address internal immutable MODEL_OWNER = vm.addr(6);
    address internal immutable KEEPER = vm.addr(7);
    address internal immutable GAME = vm.addr(8);
    address internal immutable SESSIONS = vm.addr(9);
    address internal immutable PINPOINT = vm.addr(10);
    address internal immutable QUORUM = vm.addr(11);

    StakeVault internal vault;
    ModuleStub internal market;
    PlainToken internal token;

    function setUp() public virtual {
        vm.warp(TIMESTAMP);
        market = new ModuleStub();
        market.setClock(START);
        token = new PlainToken();
        vault = newVault(address(token));
        for (uint256 key = 1; key <= ACTORS; ++key) {
            fund(vm.addr(key));
        }
        vm.deal(address(market), 1000 ether);
        vm.deal(GAME, 1000 ether);
        vm.deal(PINPOINT, 1000 ether);
        giveStake(OWNER, STAKE);
        bind(OWNER, WORKER);
    }

    function newVault(address token_) internal returns (StakeVault) {
        Modules memory modules = Modules(address(market), GAME, SESSIONS, PINPOINT, QUORUM, address(0));
        return new StakeVault(modules, token_, localPreset());
    }

    function fund(address account) internal {
        vm.deal(account, 1000 ether);
        token.mint(account, 1000 ether);
        vm.prank(account);
        token.approve(address(vault), type(uint256).max);
    }

    function giveStake(address owner, uint256 amount) internal {
        vm.startPrank(owner);
        vault.deposit{value: amount}(ETH, amount);
        vault.deposit(address(token), amount);
        vm.stopPrank();
    }

    function bind(address owner, address worker) internal {
        vm.prank(owner);
        vault.proposeWorker(worker);
        vm.prank(worker);
        vault.acceptOwner(owner);
    }

    /* STEPS */

    function setClock(uint256 time) internal {
        market.setClock(uint40(time));
    }

    function addEscrow(uint96 amount) internal {
        vm.prank(address(market));
        vault.addEscrow{value: amount}(ETH, JOB, CLIENT, amount, true);
    }

    function addTokenEscrow(uint96 amount) internal {
        vm.prank(address(market));
        vault.addEscrow(address(token), JOB, CLIENT, amount, true);
    }

    function lockStake(uint96 amount) internal {
        vm.prank(address(market));
        vault.lockStake(ETH, JOB, WORKER, amount);
    }

    function settle(JobSplit memory split) internal {
        settleToken(ETH, split);
    }

    function settleToken(address token_, JobSplit memory split) internal {
        vm.prank(address(market));
        vault.settleJob(token_, JOB, parties(), split);
    }

    function divide(address[] memory challengers, SlashSplit memory split) internal {
        vm.prank(address(market));
        vault.divideSlash(ETH, JOB, OWNER, CLIENT, challengers, split);
    }

    function addBond(address challenger, uint96 amount, uint256 value) internal {
        vm.prank(GAME);
        vault.addBond{value: value}(JOB, challenger, amount);
    }

    function settleBonds(address[] memory challengers, BondSplit memory split) internal {
        vm.prank(GAME);
        vault.settleBonds(JOB, challengers, OWNER, split);
    }

    function unbond(uint96 amount) internal {
        vm.prank(OWNER);
        vault.requestUnbond(ETH, amount);
    }

    /* SPLITS */

    function parties() internal view returns (Parties memory) {
        return Parties({client: CLIENT, operator: OWNER, modelOwner: MODEL_OWNER, keeper: KEEPER});
    }

    /// @notice All of the fee and of the lock to the operator.
    function paid(uint96 fee, uint96 lock) internal pure returns (JobSplit memory split) {
        split.feeToOperator = fee;
        split.lockToOperator = lock;
    }

    /// @notice All of the fee to the client, the lock held.
    function slashed(uint96 fee, uint96 lock) internal pure returns (JobSplit memory split) {
        split.feeToClient = fee;
        split.lockHeld = lock;
    }

    function challengersOf(uint256 count) internal pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = vm.addr(4 + i);
        }
    }

    /* READS */

    function accountOf(address account) internal view returns (Account memory) {
        return vault.getAccount(ETH, account);
    }

    function assertFunds(address token_, uint256 escrow, uint256 lock, LockStatus status) internal view {
        JobFunds memory f = vault.getFunds(token_, JOB);
        assertEq(f.escrow, escrow, "escrow");
        assertEq(f.lock, lock, "lock");
        assertEq(uint256(f.status), uint256(status), "lock status");
    }

    function assertBalanced() internal view {
        assertEq(
            address(vault).balance, sumLedger(ETH) + vault.bondsOf(JOB) + vault.pinpointBonds(), "ETH against ledger"
        );
        assertEq(token.balanceOf(address(vault)), sumLedger(address(token)), "tokens against ledger");
    }

    function sumLedger(address token_) internal view returns (uint256 sum) {
        for (uint256 key = 1; key <= ACTORS; ++key) {
            Account memory a = vault.getAccount(token_, vm.addr(key));
            sum += uint256(a.free) + a.locked + a.unbonding + a.credit;
        }
        JobFunds memory f = vault.getFunds(token_, JOB);
        sum += f.escrow + vault.burned(token_);
        if (f.status == LockStatus.SLASHED) sum += f.lock;
    }

    function insufficient(uint256 free, uint256 required) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IStakeVault.InsufficientStake.selector, OWNER, free, required);
    }

    function wrongStatus(LockStatus status) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IStakeVault.WrongLockStatus.selector, JOB, status);
    }

    function unbalanced(uint256 parts, uint256 whole) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IStakeVault.Unbalanced.selector, parts, whole);
    }

    function tooWide(uint256 bits, uint256 value) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", bits, value);
    }
}
