// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ModuleStub} from "../../contracts/mocks/ModuleStub.sol";
import {ReentrantOwner} from "../../contracts/mocks/ReentrantOwner.sol";
import {RefusingOwner} from "../../contracts/mocks/RefusingOwner.sol";
import {DisputeId, JobId} from "../../contracts/types/Ids.sol";
import {BondSplit, JobSplit} from "../../contracts/types/Split.sol";
import {Account, Held, Lock, LockStatus} from "../../contracts/types/Stake.sol";
import {Deployment} from "./Deployment.sol";

/// @notice The vault alone, with this test speaking for market and game: what holds whatever the modules ask for.
contract StakeVaultTest is Deployment {
    JobId private constant JOB = JobId.wrap(7);
    DisputeId private constant DISPUTE = DisputeId.wrap(9);

    address private module;

    function setUp() public override {
        super.setUp();
        vault = new StakeVault(localPreset());
        module = address(new ModuleStub(vault));
        vm.deal(module, 1000 ether);
        vault.setModules(module, module);
        vm.prank(OWNER);
        vault.deposit{value: STAKE}();
        vm.prank(OWNER);
        vault.setWorker(WORKER);
    }

    /* STEPS */

    function openEscrow(uint96 amount) private {
        vm.prank(module);
        vault.openEscrow{value: amount}(ETH, JOB, amount);
    }

    function lockStake(uint96 amount) private {
        vm.prank(module);
        vault.lockStake(ETH, JOB, WORKER, amount);
    }

    function settle(JobSplit memory split) private {
        vm.prank(module);
        vault.settleJob(ETH, JOB, CLIENT, CHALLENGER, split);
    }

    function unbond(uint96 amount) private {
        vm.prank(OWNER);
        vault.requestUnbond(amount);
    }

    function assertBalanced() private view {
        uint256 sum = vault.escrowOf(ETH, JOB) + vault.bondOf(ETH, DISPUTE) + vault.burned(ETH);
        for (uint256 key = 1; key <= 5; ++key) {
            sum += sumAccount(vm.addr(key));
        }
        assertEq(address(vault).balance, sum, "balance against ledger");
    }

    function insufficient(uint256 free, uint256 required) private view returns (bytes memory) {
        return abi.encodeWithSelector(IStakeVault.InsufficientStake.selector, OWNER, free, required);
    }

    /* DEPOSIT AND UNBOND */

    function test_deposit__nothing__reverts() public {
        vm.expectRevert(IStakeVault.ZeroAmount.selector);
        vault.deposit();
    }

    function test_deposit__more_than_the_ledger_counts__reverts() public {
        uint256 amount = uint256(type(uint88).max) + 1;
        vm.deal(STRANGER, amount);
        vm.expectRevert(abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 88, amount));
        vm.prank(STRANGER);
        vault.deposit{value: amount}();
    }

    function test_transfer__without_a_function__reverts() public {
        vm.prank(STRANGER);
        (bool success,) = address(vault).call{value: 1}("");
        assertTrue(!success, "plain transfer refused");
    }

    function test_requestUnbond__nothing__reverts() public {
        vm.expectRevert(IStakeVault.ZeroAmount.selector);
        vm.prank(OWNER);
        vault.requestUnbond(0);
    }

    function test_requestUnbond__more_than_free__reverts() public {
        vm.expectRevert(insufficient(STAKE, STAKE + 1));
        unbond(uint96(STAKE + 1));
        lockStake(4 ether);
        vm.expectRevert(insufficient(6 ether, 6 ether + 1));
        unbond(6 ether + 1);
    }

    function test_requestUnbond__starts_the_clock() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.UnbondRequested(ETH, OWNER, 3 ether, START + vault.UNBOND());
        unbond(3 ether);
        Account memory a = accountOf(OWNER);
        assertEq(a.free, 7 ether, "free");
        assertEq(a.unbonding, 3 ether, "unbonding");
        assertEq(a.unbondReadyAt, START + 330, "ready at");
        assertBalanced();
    }

    function test_requestUnbond__again__restarts_the_clock_for_all() public {
        unbond(3 ether);
        vm.warp(START + 100);
        unbond(1 ether);
        assertEq(accountOf(OWNER).unbonding, 4 ether, "unbonding");
        assertEq(accountOf(OWNER).unbondReadyAt, START + 430, "ready at");
    }

    function test_withdrawUnbonded__nothing__reverts() public {
        vm.expectRevert(IStakeVault.ZeroAmount.selector);
        vm.prank(OWNER);
        vault.withdrawUnbonded();
    }

    function test_withdrawUnbonded__one_second_early__reverts() public {
        unbond(3 ether);
        vm.warp(START + 329);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillUnbonding.selector, OWNER, START + 330));
        vm.prank(OWNER);
        vault.withdrawUnbonded();
    }

    function test_withdrawUnbonded__on_time__pays_once() public {
        unbond(3 ether);
        vm.warp(START + 330);
        uint256 before = OWNER.balance;
        vm.expectEmit(address(vault));
        emit IStakeVault.UnbondedWithdrawn(ETH, OWNER, 3 ether);
        vm.prank(OWNER);
        vault.withdrawUnbonded();
        assertEq(OWNER.balance - before, 3 ether, "paid");
        assertBalanced();
        vm.expectRevert(IStakeVault.ZeroAmount.selector);
        vm.prank(OWNER);
        vault.withdrawUnbonded();
    }

    function test_withdrawUnbonded__refused_by_its_owner__reverts_and_keeps_the_money() public {
        RefusingOwner owner = new RefusingOwner();
        owner.deposit{value: 1 ether}(vault);
        owner.requestUnbond(vault, 1 ether);
        vm.warp(START + 330);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.TransferFailed.selector, address(owner), 1 ether));
        owner.withdrawUnbonded(vault);
        assertEq(accountOf(address(owner)).unbonding, 1 ether, "kept");
    }

    /* WORKERS */

    function test_setWorker__oneself__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WorkerIsOwner.selector, OWNER));
        vm.prank(OWNER);
        vault.setWorker(OWNER);
    }

    function test_setWorker__worker_of_another__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WorkerTaken.selector, WORKER, OWNER));
        vm.prank(STRANGER);
        vault.setWorker(WORKER);
    }

    function test_setWorker__own_worker_again__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WorkerTaken.selector, WORKER, OWNER));
        vm.prank(OWNER);
        vault.setWorker(WORKER);
    }

    function test_setWorker__rotates() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.WorkerSet(OWNER, STRANGER, WORKER);
        vm.prank(OWNER);
        vault.setWorker(STRANGER);
        assertEq(vault.operatorOf(WORKER), address(0), "previous worker");
        assertEq(vault.operatorOf(STRANGER), OWNER, "present worker");
        assertEq(vault.workerOf(OWNER), STRANGER, "worker of owner");
        vm.prank(CLIENT);
        vault.setWorker(WORKER);
        assertEq(vault.operatorOf(WORKER), CLIENT, "a freed worker may serve another");
    }

    function test_setWorker__nobody__clears() public {
        vm.prank(OWNER);
        vault.setWorker(address(0));
        assertEq(vault.operatorOf(WORKER), address(0), "no owner");
        assertEq(vault.workerOf(OWNER), address(0), "no worker");
        assertEq(vault.operatorOf(address(0)), address(0), "address 0 serves nobody");
        vm.prank(CLIENT);
        vault.setWorker(address(0));
        assertEq(vault.operatorOf(address(0)), address(0), "address 0 serves nobody");
    }

    function test_leaveOwner__of_nobody__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotWorker.selector, STRANGER));
        vm.prank(STRANGER);
        vault.leaveOwner();
    }

    function test_leaveOwner__frees_the_worker() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.WorkerSet(OWNER, address(0), WORKER);
        vm.prank(WORKER);
        vault.leaveOwner();
        assertEq(vault.operatorOf(WORKER), address(0), "no owner");
        assertEq(vault.workerOf(OWNER), address(0), "no worker");
    }

    /* ESCROW AND LOCK */

    function test_openEscrow__other_token__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.UnsupportedToken.selector, STRANGER));
        vm.prank(module);
        vault.openEscrow{value: 1}(STRANGER, JOB, 1);
    }

    function test_openEscrow__wrong_value__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 1, 2));
        vm.prank(module);
        vault.openEscrow{value: 1}(ETH, JOB, 2);
    }

    function test_openEscrow__twice__reverts() public {
        openEscrow(5);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.AlreadyFunded.selector, 7));
        openEscrow(5);
    }

    function test_lockStake__by_nobodys_worker__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotWorker.selector, OWNER));
        vm.prank(module);
        vault.lockStake(ETH, JOB, OWNER, 1);
    }

    function test_lockStake__more_than_free__reverts() public {
        vm.expectRevert(insufficient(STAKE, STAKE + 1));
        lockStake(uint96(STAKE + 1));
        unbond(1);
        vm.expectRevert(insufficient(STAKE - 1, STAKE));
        lockStake(uint96(STAKE));
    }

    function test_lockStake__of_another_token__finds_no_stake() public {
        vm.expectRevert(insufficient(0, 1));
        vm.prank(module);
        vault.lockStake(STRANGER, JOB, WORKER, 1);
    }

    function test_lockStake__twice__reverts() public {
        lockStake(1 ether);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongLockStatus.selector, JOB, LockStatus.ACTIVE));
        lockStake(1 ether);
    }

    function test_lockStake__all_of_it__locks() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeLocked(ETH, JOB, OWNER, STAKE);
        lockStake(uint96(STAKE));
        assertEq(accountOf(OWNER).free, 0, "free");
        assertEq(accountOf(OWNER).locked, STAKE, "locked");
        Lock memory lock = vault.getLock(ETH, JOB);
        assertEq(lock.operator, OWNER, "operator");
        assertEq(lock.amount, STAKE, "amount");
        assertEq(uint256(lock.status), uint256(LockStatus.ACTIVE), "status");
    }

    /* SETTLING A JOB */

    function paid(uint96 fee, uint96 lock) private pure returns (JobSplit memory split) {
        split.feeToOperator = fee;
        split.lockToOperator = lock;
    }

    function slashed(uint96 fee) private pure returns (JobSplit memory split) {
        split.feeToClient = fee;
        split.lockToClient = 40;
        split.lockToChallenger = 35;
        split.lockToBurn = 25;
    }

    function test_settleJob__fee_parts_do_not_add_up__reverts() public {
        openEscrow(5);
        lockStake(100);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.Unbalanced.selector, 4, 5));
        settle(paid(4, 100));
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.Unbalanced.selector, 6, 5));
        settle(paid(6, 100));
    }

    function test_settleJob__lock_parts_do_not_add_up__reverts() public {
        openEscrow(5);
        lockStake(101);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.Unbalanced.selector, 100, 101));
        settle(slashed(5));
        JobSplit memory split = slashed(5);
        split.lockToOperator = 2;
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.Unbalanced.selector, 102, 101));
        settle(split);
    }

    function test_settleJob__lock_parts_without_lock__reverts() public {
        openEscrow(5);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.Unbalanced.selector, 100, 0));
        settle(slashed(5));
        JobSplit memory split;
        split.feeToClient = 5;
        split.stakeToBurn = 1;
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.Unbalanced.selector, 1, 0));
        settle(split);
    }

    function test_settleJob__released_lock__cannot_be_slashed() public {
        lockStake(100);
        settle(paid(0, 100));
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongLockStatus.selector, JOB, LockStatus.RELEASED));
        settle(slashed(0));
    }

    function test_settleJob__slashed_lock__cannot_be_slashed_or_released_again() public {
        lockStake(100);
        settle(slashed(0));
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongLockStatus.selector, JOB, LockStatus.SLASHED));
        settle(slashed(0));
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongLockStatus.selector, JOB, LockStatus.SLASHED));
        settle(paid(0, 100));
    }

    function test_settleJob__released__pays_at_once() public {
        openEscrow(5);
        lockStake(100);
        settle(paid(5, 100));
        Account memory a = accountOf(OWNER);
        assertEq(a.credit, 5, "credit");
        assertEq(a.free, STAKE, "free");
        assertEq(a.locked, 0, "locked");
        assertEq(uint256(vault.getLock(ETH, JOB).status), uint256(LockStatus.RELEASED), "status");
        assertEq(vault.escrowOf(ETH, JOB), 0, "escrow");
        assertBalanced();
    }

    function test_settleJob__slashed__refunds_at_once_and_holds_the_proceeds() public {
        openEscrow(5);
        lockStake(100);
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowReleased(ETH, JOB, CLIENT, 5);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockSlashed(ETH, JOB, OWNER, 100, 0);
        vm.expectEmit(address(vault));
        emit IStakeVault.CreditHeld(ETH, CLIENT, 0, 40, START + 10);
        vm.expectEmit(address(vault));
        emit IStakeVault.CreditHeld(ETH, CHALLENGER, 0, 35, START + 10);
        vm.expectEmit(address(vault));
        emit IStakeVault.Burned(ETH, 25);
        settle(slashed(5));
        assertEq(accountOf(CLIENT).credit, 5, "refund");
        assertEq(accountOf(CLIENT).held, 40, "client's proceeds");
        assertEq(accountOf(CHALLENGER).held, 35, "challenger's proceeds");
        assertEq(vault.burned(ETH), 25, "burned");
        assertEq(accountOf(OWNER).free, STAKE - 100, "free");
        assertEq(accountOf(OWNER).locked, 0, "locked");
        assertBalanced();
    }

    function test_settleJob__partly_slashed__returns_the_rest() public {
        lockStake(110);
        JobSplit memory split = slashed(0);
        split.lockToOperator = 10;
        settle(split);
        assertEq(accountOf(OWNER).free, STAKE - 100, "free");
        assertEq(uint256(vault.getLock(ETH, JOB).status), uint256(LockStatus.SLASHED), "status");
        assertBalanced();
    }

    function test_settleJob__operator_level_slash__reaches_unbonding_stake() public {
        lockStake(100);
        unbond(4 ether);
        JobSplit memory split = slashed(0);
        split.stakeToBurn = uint96(STAKE - 4 ether - 100 + 1 ether);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockSlashed(ETH, JOB, OWNER, 100, 0);
        vm.expectEmit(address(vault));
        emit IStakeVault.CreditHeld(ETH, CLIENT, 0, 40, START + 10);
        vm.expectEmit(address(vault));
        emit IStakeVault.CreditHeld(ETH, CHALLENGER, 0, 35, START + 10);
        vm.expectEmit(address(vault));
        emit IStakeVault.Burned(ETH, 25);
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeSlashed(ETH, JOB, OWNER, STAKE - 4 ether - 100, 1 ether);
        settle(split);
        assertEq(accountOf(OWNER).free, 0, "free first");
        assertEq(accountOf(OWNER).unbonding, 3 ether, "unbonding second");
        assertBalanced();
    }

    function test_settleJob__operator_level_slash__spares_unbonding_stake_while_free_covers() public {
        lockStake(100);
        unbond(4 ether);
        JobSplit memory split = slashed(0);
        split.stakeToBurn = 1 ether;
        settle(split);
        assertEq(accountOf(OWNER).free, 5 ether - 100, "free");
        assertEq(accountOf(OWNER).unbonding, 4 ether, "unbonding");
    }

    function test_settleJob__operator_level_slash_above_the_stake__reverts() public {
        lockStake(100);
        unbond(4 ether);
        JobSplit memory split = slashed(0);
        split.stakeToBurn = uint96(STAKE - 99);
        vm.expectRevert(insufficient(STAKE - 100, STAKE - 99));
        settle(split);
    }

    /* BONDS */

    function test_openBond__too_little_or_twice_or_other_token__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 9, 10));
        vm.prank(module);
        vault.openBond{value: 9}(ETH, DISPUTE, CHALLENGER, 10);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.UnsupportedToken.selector, STRANGER));
        vm.prank(module);
        vault.openBond{value: 10}(STRANGER, DISPUTE, CHALLENGER, 10);
        vm.prank(module);
        vault.openBond{value: 10}(ETH, DISPUTE, CHALLENGER, 10);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.AlreadyFunded.selector, 9));
        vm.prank(module);
        vault.openBond{value: 10}(ETH, DISPUTE, CHALLENGER, 10);
    }

    function test_openBond__too_much__credits_the_excess() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.BondOpened(ETH, DISPUTE, CHALLENGER, 10);
        vm.expectEmit(address(vault));
        emit IStakeVault.Credited(ETH, CHALLENGER, 3);
        vm.prank(module);
        vault.openBond{value: 13}(ETH, DISPUTE, CHALLENGER, 10);
        assertEq(vault.bondOf(ETH, DISPUTE), 10, "bond");
        assertEq(accountOf(CHALLENGER).credit, 3, "excess");
        assertBalanced();
    }

    function test_settleBond__parts_do_not_add_up__reverts() public {
        vm.prank(module);
        vault.openBond{value: 10}(ETH, DISPUTE, CHALLENGER, 10);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.Unbalanced.selector, 11, 10));
        vm.prank(module);
        vault.settleBond(ETH, DISPUTE, CHALLENGER, OWNER, BondSplit(5, 5, 1));
    }

    function test_settleBond__splits_once() public {
        vm.prank(module);
        vault.openBond{value: 10}(ETH, DISPUTE, CHALLENGER, 10);
        vm.prank(module);
        vault.settleBond(ETH, DISPUTE, CHALLENGER, OWNER, BondSplit(1, 7, 2));
        assertEq(accountOf(CHALLENGER).credit, 1, "challenger");
        assertEq(accountOf(OWNER).credit, 7, "defender");
        assertEq(vault.burned(ETH), 2, "burned");
        assertBalanced();
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.Unbalanced.selector, 10, 0));
        vm.prank(module);
        vault.settleBond(ETH, DISPUTE, CHALLENGER, OWNER, BondSplit(1, 7, 2));
    }

    /* WITHDRAWING CREDIT */

    function test_withdrawCredit__other_token__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.UnsupportedToken.selector, STRANGER));
        vault.withdrawCredit(STRANGER);
    }

    function test_withdrawCredit__nothing__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NothingToWithdraw.selector, STRANGER, 0));
        vm.prank(STRANGER);
        vault.withdrawCredit(ETH);
    }

    function test_withdrawCredit__stake_is_no_credit__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NothingToWithdraw.selector, OWNER, 0));
        vm.prank(OWNER);
        vault.withdrawCredit(ETH);
    }

    function test_withdrawCredit__one_second_before_the_airgap_ends__reverts() public {
        lockStake(100);
        settle(slashed(0));
        vm.warp(START + 9);
        assertEq(vault.withdrawable(ETH, CHALLENGER), 0, "withdrawable");
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NothingToWithdraw.selector, CHALLENGER, 35));
        vm.prank(CHALLENGER);
        vault.withdrawCredit(ETH);
    }

    function test_withdrawCredit__after_the_airgap__pays_the_proceeds() public {
        lockStake(100);
        settle(slashed(0));
        vm.warp(START + 10);
        assertEq(vault.withdrawable(ETH, CHALLENGER), 35, "withdrawable");
        uint256 before = CHALLENGER.balance;
        vm.expectEmit(address(vault));
        emit IStakeVault.CreditReleased(ETH, CHALLENGER, 0, 35);
        vm.expectEmit(address(vault));
        emit IStakeVault.CreditWithdrawn(ETH, CHALLENGER, 35);
        vm.prank(CHALLENGER);
        vault.withdrawCredit(ETH);
        assertEq(CHALLENGER.balance - before, 35, "paid");
        assertEq(accountOf(CHALLENGER).held, 0, "held");
        assertBalanced();
    }

    function test_withdrawCredit__refund_does_not_wait_for_the_airgap() public {
        openEscrow(5);
        lockStake(100);
        settle(slashed(5));
        uint256 before = CLIENT.balance;
        vm.prank(CLIENT);
        vault.withdrawCredit(ETH);
        assertEq(CLIENT.balance - before, 5, "refund");
        assertEq(accountOf(CLIENT).held, 40, "held");
    }

    function test_withdrawCredit__later_proceeds_do_not_delay_earlier_ones() public {
        lockStake(100);
        settle(slashed(0));
        vm.warp(START + 9);
        vm.prank(module);
        vault.lockStake(ETH, JobId.wrap(8), WORKER, 100);
        vm.prank(module);
        vault.settleJob(ETH, JobId.wrap(8), CLIENT, CHALLENGER, slashed(0));
        vm.warp(START + 10);
        vm.prank(CHALLENGER);
        vault.withdrawCredit(ETH);
        assertEq(accountOf(CHALLENGER).held, 35, "the later one waits");
        (uint256 count, Held[] memory entries) = vault.getHeld(ETH, CHALLENGER);
        assertEq(count, 2, "entries so far");
        assertEq(entries.length, 1, "entries left");
        assertEq(entries[0].readyAt, START + 19, "ready at");
    }

    function test_withdrawCredit__long_queue__is_paid_in_pages() public {
        uint256 entries = vault.HELD_PER_CALL() + 3;
        for (uint256 i = 0; i < entries; ++i) {
            vm.prank(module);
            vault.lockStake(ETH, JobId.wrap(100 + i), WORKER, 100);
            vm.prank(module);
            vault.settleJob(ETH, JobId.wrap(100 + i), CLIENT, CHALLENGER, slashed(0));
        }
        vm.warp(START + 10);
        uint256 before = CHALLENGER.balance;
        assertEq(vault.withdrawable(ETH, CHALLENGER), 35 * 32, "first page");
        vm.prank(CHALLENGER);
        uint256 gas = gasleft();
        vault.withdrawCredit(ETH);
        assertLe(gas - gasleft(), 300_000, "gas of a full page");
        assertEq(CHALLENGER.balance - before, 35 * 32, "first page paid");
        vm.prank(CHALLENGER);
        vault.withdrawCredit(ETH);
        assertEq(CHALLENGER.balance - before, 35 * entries, "second page paid");
    }

    /* REENTRANCY */

    function test_withdrawCredit__reentered__pays_once() public {
        ReentrantOwner attacker = new ReentrantOwner(vault);
        vm.prank(module);
        vault.openBond{value: 110}(ETH, DISPUTE, address(attacker), 10);
        attacker.arm(abi.encodeCall(IStakeVault.withdrawCredit, (ETH)));
        attacker.act(abi.encodeCall(IStakeVault.withdrawCredit, (ETH)), 0);
        checkRefused(attacker);
        assertEq(address(attacker).balance, 100, "paid once");
    }

    function test_withdrawUnbonded__reentered_into_either_withdrawal__pays_once() public {
        bytes[2] memory attacks =
            [abi.encodeCall(IStakeVault.withdrawUnbonded, ()), abi.encodeCall(IStakeVault.withdrawCredit, (ETH))];
        for (uint256 i = 0; i < attacks.length; ++i) {
            ReentrantOwner attacker = new ReentrantOwner(vault);
            vm.prank(module);
            vault.openBond{value: 110}(ETH, DisputeId.wrap(20 + i), address(attacker), 10);

            vm.deal(address(attacker), 50);
            attacker.act(abi.encodeCall(IStakeVault.deposit, ()), 50);
            attacker.act(abi.encodeCall(IStakeVault.requestUnbond, (50)), 0);
            vm.warp(block.timestamp + 330);
            attacker.arm(attacks[i]);
            attacker.act(abi.encodeCall(IStakeVault.withdrawUnbonded, ()), 0);
            checkRefused(attacker);
            assertEq(address(attacker).balance, 50, "paid once");
            assertEq(accountOf(address(attacker)).credit, 100, "credit untouched");
        }
    }

    function checkRefused(ReentrantOwner attacker) private view {
        assertTrue(!attacker.succeeded(), "call back refused");
        assertEq(
            keccak256(attacker.answer()),
            keccak256(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)),
            "for the reason of reentrancy"
        );
    }
}
