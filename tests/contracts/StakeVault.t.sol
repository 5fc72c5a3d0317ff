// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobSplit} from "../../contracts/types/Split.sol";
import {Account, LockStatus} from "../../contracts/types/Stake.sol";
import {VaultBase} from "./VaultBase.sol";

/// @notice Escrow, lock and settlement of a job.
contract StakeVaultTest is VaultBase {
    /* ESCROW */

    function test_addEscrow__by_another_than_the_market__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotMarket.selector, GAME));
        vm.prank(GAME);
        vault.addEscrow{value: 1}(ETH, JOB, CLIENT, 1, true);
    }

    function test_addEscrow__wrong_value__reverts() public {
        vm.startPrank(address(market));
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 1, 2));
        vault.addEscrow{value: 1}(ETH, JOB, CLIENT, 2, true);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 2, 0));
        vault.addEscrow{value: 2}(address(token), JOB, CLIENT, 2, true);
        vm.stopPrank();
    }

    function test_addEscrow__first_of_a_funded_job__reverts() public {
        addEscrow(5);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.AlreadyFunded.selector, JOB));
        addEscrow(5);
    }

    function test_addEscrow__first_of_a_job_with_a_lock__reverts() public {
        lockStake(100);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.AlreadyFunded.selector, JOB));
        addEscrow(5);
        settle(paid(0, 100));
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.AlreadyFunded.selector, JOB));
        addEscrow(5);
    }

    function test_addEscrow__more_to_a_job_without_active_lock__reverts() public {
        addEscrow(5);
        checkNoMore(LockStatus.NONE);
        lockStake(100);
        settle(slashed(5, 100));
        checkNoMore(LockStatus.SLASHED);
    }

    function checkNoMore(LockStatus status) private {
        vm.expectRevert(wrongStatus(status));
        vm.prank(address(market));
        vault.addEscrow{value: 1}(ETH, JOB, CLIENT, 1, false);
    }

    function test_addEscrow__wider_than_credit__reverts() public {
        uint96 amount = uint96(type(uint80).max) + 1;
        vm.deal(address(market), amount);
        vm.expectRevert(tooWide(80, amount));
        addEscrow(amount);
    }

    function test_addEscrow__counts(uint96 first, uint96 more, bool inToken) public {
        (first, more) = (uint96(bound(first, 1, 400 ether)), uint96(bound(more, 1, 400 ether)));
        address asset = inToken ? address(token) : ETH;
        vm.startPrank(address(market));
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowAdded(asset, JOB, CLIENT, first);
        vault.addEscrow{value: inToken ? 0 : first}(asset, JOB, CLIENT, first, true);
        assertFunds(asset, first, 0, LockStatus.NONE);
        vault.lockStake(asset, JOB, WORKER, 100);
        vault.addEscrow{value: inToken ? 0 : more}(asset, JOB, CLIENT, more, false);
        vm.stopPrank();
        assertFunds(asset, uint256(first) + more, 100, LockStatus.ACTIVE);
        assertBalanced();
    }

    /* LOCK */

    function test_lockStake__by_another_than_the_market__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotMarket.selector, WORKER));
        vm.prank(WORKER);
        vault.lockStake(ETH, JOB, WORKER, 1);
    }

    function test_lockStake__by_nobodys_worker__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotWorker.selector, OWNER));
        vm.prank(address(market));
        vault.lockStake(ETH, JOB, OWNER, 1);
    }

    function test_lockStake__more_than_free__reverts() public {
        vm.expectRevert(insufficient(STAKE, STAKE + 1));
        lockStake(uint96(STAKE + 1));
        unbond(1);
        vm.expectRevert(insufficient(STAKE - 1, STAKE));
        lockStake(uint96(STAKE));
        lockStake(uint96(STAKE - 1));
        assertEq(accountOf(OWNER).free, 0, "all of it can be locked");
    }

    function test_lockStake__stake_of_the_other_token__does_not_count() public {
        vm.prank(OWNER);
        vault.requestUnbond(address(token), uint96(STAKE));
        vm.expectRevert(insufficient(0, 1));
        vm.prank(address(market));
        vault.lockStake(address(token), JOB, WORKER, 1);
    }

    function test_lockStake__twice__reverts() public {
        lockStake(1 ether);
        vm.expectRevert(wrongStatus(LockStatus.ACTIVE));
        lockStake(1 ether);
    }

    function test_lockStake__of_a_settled_job__reverts() public {
        lockStake(100);
        settle(paid(0, 100));
        vm.expectRevert(wrongStatus(LockStatus.RELEASED));
        lockStake(100);
    }

    function test_lockStake__locks(uint96 amount) public {
        amount = uint96(bound(amount, 1, STAKE));
        addEscrow(5);
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeLocked(ETH, JOB, OWNER, amount);
        vm.prank(address(market));
        address operator = vault.lockStake(ETH, JOB, WORKER, amount);
        assertEq(operator, OWNER, "operator");
        assertEq(accountOf(OWNER).free, STAKE - amount, "free");
        assertEq(accountOf(OWNER).locked, amount, "locked");
        assertFunds(ETH, 5, amount, LockStatus.ACTIVE);
        assertBalanced();
    }

    /* SETTLING A JOB */

    function test_settleJob__by_another_than_the_market__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotMarket.selector, GAME));
        vm.prank(GAME);
        vault.settleJob(ETH, JOB, parties(), paid(0, 0));
    }

    function test_settleJob__fee_parts_do_not_add_up__reverts() public {
        addEscrow(5);
        lockStake(100);
        vm.expectRevert(unbalanced(4, 5));
        settle(paid(4, 100));
        vm.expectRevert(unbalanced(6, 5));
        settle(paid(6, 100));
    }

    function test_settleJob__lock_parts_do_not_add_up__reverts() public {
        addEscrow(5);
        lockStake(100);
        vm.expectRevert(unbalanced(99, 100));
        settle(paid(5, 99));
        JobSplit memory split = paid(5, 100);
        split.lockToBurn = 1;
        vm.expectRevert(unbalanced(101, 100));
        settle(split);
    }

    function test_settleJob__lock_held_in_part__reverts() public {
        lockStake(100);
        JobSplit memory split = slashed(0, 60);
        split.lockToOperator = 40;
        vm.expectRevert(unbalanced(60, 100));
        settle(split);
    }

    function test_settleJob__lock_parts_without_lock__reverts() public {
        addEscrow(5);
        vm.expectRevert(unbalanced(1, 0));
        settle(slashed(5, 1));
        vm.expectRevert(unbalanced(1, 0));
        settle(paid(5, 1));
    }

    function test_settleJob__released_lock__cannot_be_slashed() public {
        lockStake(100);
        settle(paid(0, 100));
        vm.expectRevert(wrongStatus(LockStatus.RELEASED));
        settle(slashed(0, 100));
    }

    function test_settleJob__slashed_lock__cannot_be_slashed_or_released_again() public {
        lockStake(100);
        settle(slashed(0, 100));
        vm.expectRevert(wrongStatus(LockStatus.SLASHED));
        settle(slashed(0, 100));
        vm.expectRevert(wrongStatus(LockStatus.SLASHED));
        settle(paid(0, 100));
    }

    function test_settleJob__without_lock__pays_the_escrow() public {
        addEscrow(5);
        settle(slashed(5, 0));
        assertEq(accountOf(CLIENT).credit, 5, "client");
        assertFunds(ETH, 0, 0, LockStatus.NONE);
        assertBalanced();
    }

    function test_settleJob__released__returns_the_lock_and_pays_at_once() public {
        addEscrow(5);
        lockStake(100);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockReleased(ETH, JOB, OWNER, 100, 0);
        vm.expectEmit(address(vault));
        emit IStakeVault.Credited(ETH, JOB, OWNER, 5);
        settle(paid(5, 100));
        Account memory a = accountOf(OWNER);
        assertEq(a.credit, 5, "credit");
        assertEq(a.free, STAKE, "free");
        assertEq(a.locked, 0, "locked");
        assertFunds(ETH, 0, 0, LockStatus.RELEASED);
        assertBalanced();
    }

    function test_settleJob__fined__returns_the_rest() public {
        lockStake(100);
        JobSplit memory split = paid(0, 70);
        (split.lockToClient, split.lockToKeeper, split.lockToBurn) = (15, 5, 10);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockReleased(ETH, JOB, OWNER, 70, 30);
        vm.expectEmit(address(vault));
        emit IStakeVault.Credited(ETH, JOB, CLIENT, 15);
        vm.expectEmit(address(vault));
        emit IStakeVault.Credited(ETH, JOB, KEEPER, 5);
        vm.expectEmit(address(vault));
        emit IStakeVault.Burned(ETH, JOB, 10);
        settle(split);
        assertEq(accountOf(OWNER).free, STAKE - 30, "free");
        assertEq(accountOf(OWNER).locked, 0, "locked");
        assertFunds(ETH, 0, 0, LockStatus.RELEASED);
        assertBalanced();
    }

    function test_settleJob__slashed__refunds_at_once_and_holds_the_lock() public {
        addEscrow(5);
        lockStake(100);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockSlashed(ETH, JOB, OWNER, 100);
        vm.expectEmit(address(vault));
        emit IStakeVault.Credited(ETH, JOB, CLIENT, 5);
        settle(slashed(5, 100));
        assertEq(accountOf(CLIENT).credit, 5, "refund");
        assertEq(accountOf(OWNER).free, STAKE - 100, "free");
        assertEq(accountOf(OWNER).locked, 0, "locked");
        assertFunds(ETH, 0, 100, LockStatus.SLASHED);
        assertBalanced();
    }

    /// @dev Every part reaches its account and no other, whatever the amounts.
    function test_settleJob__any_split__pays_each_part(uint96[10] memory parts, bool inToken) public {
        for (uint256 i = 0; i < parts.length; ++i) {
            parts[i] = uint96(bound(parts[i], 0, 1 ether));
        }
        JobSplit memory split = JobSplit({
            feeToOperator: parts[0],
            feeToClient: parts[1],
            feeToModelOwner: parts[2],
            feeToKeeper: parts[3],
            feeToBurn: parts[4],
            lockToOperator: parts[5],
            lockToClient: parts[6],
            lockToKeeper: parts[7],
            lockToBurn: parts[8],
            lockHeld: 0
        });
        address asset = inToken ? address(token) : ETH;
        uint96 lock = parts[5] + parts[6] + parts[7] + parts[8];
        uint96 fee = parts[0] + parts[1] + parts[2] + parts[3] + parts[4];
        vm.startPrank(address(market));
        vault.addEscrow{value: inToken ? 0 : fee}(asset, JOB, CLIENT, fee, true);
        vault.lockStake(asset, JOB, WORKER, lock);
        vm.stopPrank();
        settleToken(asset, split);

        assertEq(vault.getAccount(asset, OWNER).credit, parts[0], "operator's fee");
        assertEq(vault.getAccount(asset, OWNER).free, STAKE - lock + parts[5], "operator's stake");
        assertEq(vault.getAccount(asset, CLIENT).credit, parts[1] + parts[6], "client");
        assertEq(vault.getAccount(asset, MODEL_OWNER).credit, parts[2], "model owner");
        assertEq(vault.getAccount(asset, KEEPER).credit, parts[3] + parts[7], "keeper");
        assertEq(vault.burned(asset), parts[4] + parts[8], "burned");
        assertFunds(asset, 0, 0, LockStatus.RELEASED);
        assertBalanced();
    }
}
