// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {Standing} from "../../contracts/types/Stake.sol";
import {VaultBase} from "./VaultBase.sol";

/// @notice Who works for whom; jail.
contract WorkersTest is VaultBase {
    uint256 private constant SLASH_JAIL = 60;
    uint256 private constant MISS_JAIL = 20;
    uint256 private constant WINDOW = 120;

    /* PROPOSING */

    function propose(address owner, address worker) private {
        vm.prank(owner);
        vault.proposeWorker(worker);
    }

    function acceptOwner(address worker, address owner) private {
        vm.prank(worker);
        vault.acceptOwner(owner);
    }

    function expectTaken(address worker, address owner) private {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WorkerTaken.selector, worker, owner));
    }

    function expectNotProposed(address owner, address worker) private {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotProposed.selector, owner, worker));
    }

    function test_proposeWorker__oneself__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WorkerIsOwner.selector, OWNER));
        propose(OWNER, OWNER);
    }

    function test_proposeWorker__worker_of_another__reverts() public {
        expectTaken(WORKER, OWNER);
        propose(STRANGER, WORKER);
    }

    function test_proposeWorker__worker_that_left_another__reverts() public {
        vm.prank(WORKER);
        vault.leaveOwner();
        expectTaken(WORKER, OWNER);
        propose(STRANGER, WORKER);
    }

    function test_proposeWorker__binds_nobody_yet() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.WorkerProposed(OWNER, STRANGER);
        propose(OWNER, STRANGER);
        assertEq(vault.proposedWorker(OWNER), STRANGER, "proposed");
        assertEq(vault.workerOf(OWNER), WORKER, "still the present one");
        assertEq(vault.operatorOf(STRANGER), address(0), "serves nobody");
        assertEq(vault.servedOwner(STRANGER), address(0), "served nobody");
    }

    function test_proposeWorker__nobody__ends_the_service_and_the_proposal() public {
        propose(OWNER, STRANGER);
        vm.expectEmit(address(vault));
        emit IStakeVault.WorkerProposed(OWNER, address(0));
        vm.expectEmit(address(vault));
        emit IStakeVault.WorkerSet(OWNER, address(0), WORKER);
        propose(OWNER, address(0));
        assertEq(vault.operatorOf(WORKER), address(0), "no owner");
        assertEq(vault.workerOf(OWNER), address(0), "no worker");
        assertEq(vault.servedOwner(WORKER), OWNER, "what it signed stays signed");
        expectNotProposed(OWNER, STRANGER);
        acceptOwner(STRANGER, OWNER);
    }

    function test_proposeWorker__nobody_instead_of_nobody__binds_no_zero() public {
        vm.recordLogs();
        propose(STRANGER, address(0));
        assertEq(vm.getRecordedLogs().length, 1, "the proposal alone");
        assertEq(vault.operatorOf(address(0)), address(0), "address 0 serves nobody");
        assertEq(vault.servedOwner(address(0)), address(0), "address 0 never served");
    }

    /* AGREEING */

    function test_acceptOwner__without_proposal__reverts() public {
        expectNotProposed(OWNER, STRANGER);
        acceptOwner(STRANGER, OWNER);
        propose(OWNER, STRANGER);
        expectNotProposed(OWNER, CLIENT);
        acceptOwner(CLIENT, OWNER);
    }

    function test_acceptOwner__twice__reverts() public {
        expectNotProposed(OWNER, WORKER);
        acceptOwner(WORKER, OWNER);
    }

    /// @dev Two owners propose one address before it agrees to either.
    function test_acceptOwner__having_served_another__reverts() public {
        propose(OWNER, STRANGER);
        propose(CLIENT, STRANGER);
        acceptOwner(STRANGER, CLIENT);
        expectTaken(STRANGER, CLIENT);
        acceptOwner(STRANGER, OWNER);
        vm.prank(STRANGER);
        vault.leaveOwner();
        expectTaken(STRANGER, CLIENT);
        acceptOwner(STRANGER, OWNER);
    }

    function test_acceptOwner__replaces_the_worker_before() public {
        propose(OWNER, STRANGER);
        vm.expectEmit(address(vault));
        emit IStakeVault.WorkerSet(OWNER, STRANGER, WORKER);
        acceptOwner(STRANGER, OWNER);
        assertEq(vault.operatorOf(WORKER), address(0), "previous worker");
        assertEq(vault.operatorOf(STRANGER), OWNER, "present worker");
        assertEq(vault.workerOf(OWNER), STRANGER, "worker of owner");
        assertEq(vault.servedOwner(STRANGER), OWNER, "served");
        assertEq(vault.proposedWorker(OWNER), address(0), "proposal done");
    }

    function test_acceptOwner__the_present_worker_again__changes_nothing() public {
        bind(OWNER, WORKER);
        assertEq(vault.operatorOf(WORKER), OWNER, "still serves");
        assertEq(vault.workerOf(OWNER), WORKER, "still the worker");
    }

    function test_acceptOwner__after_leaving__comes_back() public {
        vm.prank(WORKER);
        vault.leaveOwner();
        bind(OWNER, WORKER);
        assertEq(vault.operatorOf(WORKER), OWNER, "serves again");
    }

    function test_leaveOwner__of_nobody__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotWorker.selector, STRANGER));
        vm.prank(STRANGER);
        vault.leaveOwner();
    }

    function test_leaveOwner__ends_the_service() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.WorkerSet(OWNER, address(0), WORKER);
        vm.prank(WORKER);
        vault.leaveOwner();
        assertEq(vault.operatorOf(WORKER), address(0), "no owner");
        assertEq(vault.workerOf(OWNER), address(0), "no worker");
        assertEq(vault.operatorOf(address(0)), address(0), "address 0 serves nobody");
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotWorker.selector, WORKER));
        lockStake(1);
    }

    /* UNTIL WHEN A WORKER'S WORD COUNTED */

    function test_servedUntil__however_the_service_ends__is_that_second() public {
        assertEq(vault.servedUntil(WORKER), 0, "serves");
        setClock(START + 5);
        vm.prank(WORKER);
        vault.leaveOwner();
        assertEq(vault.servedUntil(WORKER), START + 5, "left");

        bind(OWNER, WORKER);
        assertEq(vault.servedUntil(WORKER), 0, "serves again");
        setClock(START + 6);
        bind(OWNER, STRANGER);
        assertEq(vault.servedUntil(WORKER), START + 6, "replaced");
        assertEq(vault.servedUntil(STRANGER), 0, "the next one serves");

        setClock(START + 7);
        propose(OWNER, address(0));
        assertEq(vault.servedUntil(STRANGER), START + 7, "dismissed");
        assertEq(vault.servedUntil(WORKER), START + 6, "who left before is not concerned");
    }

    function test_servedUntil__of_a_worker_bound_again_without_leaving__is_zero() public {
        bind(OWNER, WORKER);
        assertEq(vault.servedUntil(WORKER), 0, "serves");
    }

    function test_servedUntil__of_nobody__is_zero() public {
        bind(CLIENT, STRANGER);
        assertEq(vault.servedUntil(address(0)), 0, "nobody was replaced");
    }

    /* JAIL */

    function jail() private {
        vm.prank(address(market));
        vault.jail(OWNER);
    }

    function miss() private {
        vm.prank(address(market));
        vault.recordMiss(OWNER);
    }

    function unjailAs(address account) private {
        vm.prank(account);
        vault.unjail();
    }

    function assertStanding(uint256 jailedUntil, uint256 windowStart, uint256 misses) private view {
        Standing memory standing = vault.getStanding(OWNER);
        assertEq(standing.jailedUntil, jailedUntil, "jailed until");
        assertEq(standing.windowStart, windowStart, "window start");
        assertEq(standing.misses, misses, "misses");
    }

    function expectJailed(uint256 until) private {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.OperatorJailed.selector, OWNER, until));
        lockStake(1);
    }

    function test_jail_and_recordMiss__by_another_than_the_market__revert() public {
        vm.startPrank(GAME);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotMarket.selector, GAME));
        vault.jail(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotMarket.selector, GAME));
        vault.recordMiss(OWNER);
        vm.stopPrank();
    }

    function test_jail__takes_no_jobs_until_it_leaves() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.Jailed(OWNER, START + SLASH_JAIL);
        jail();
        assertStanding(START + SLASH_JAIL, 0, 0);
        expectJailed(START + SLASH_JAIL);
        // Its time being over is not enough: it has to leave.
        setClock(START + SLASH_JAIL);
        expectJailed(START + SLASH_JAIL);
        unjailAs(WORKER);
        lockStake(1);
    }

    function test_jail__again_while_in_jail__lasts_longer() public {
        jail();
        setClock(START + 10);
        jail();
        assertStanding(START + 10 + SLASH_JAIL, 0, 0);
    }

    function test_jail__after_misses__never_becomes_shorter() public {
        jail();
        miss();
        miss();
        vm.recordLogs();
        miss();
        assertStanding(START + SLASH_JAIL, 0, 0);
        assertEq(
            bytes32(vm.getRecordedLogs()[1].data), bytes32(uint256(START + SLASH_JAIL)), "the event tells what holds"
        );
    }

    function test_unjail__free_operator__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotJailed.selector, OWNER));
        unjailAs(WORKER);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotJailed.selector, OWNER));
        unjailAs(OWNER);
    }

    function test_unjail__by_a_stranger__reverts() public {
        jail();
        setClock(START + SLASH_JAIL);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotJailed.selector, STRANGER));
        unjailAs(STRANGER);
    }

    function test_unjail__one_second_early__reverts() public {
        jail();
        setClock(START + SLASH_JAIL - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillJailed.selector, OWNER, START + SLASH_JAIL));
        unjailAs(OWNER);
    }

    function test_unjail__by_owner_or_worker__leaves() public {
        address[2] memory callers = [OWNER, WORKER];
        for (uint256 i = 0; i < callers.length; ++i) {
            jail();
            setClock(market.clock() + SLASH_JAIL);
            vm.expectEmit(address(vault));
            emit IStakeVault.Unjailed(OWNER);
            unjailAs(callers[i]);
            assertStanding(0, 0, 0);
        }
    }

    /// @dev An address may be an operator itself and work for another.
    function test_unjail__by_an_operator_that_works_for_another__means_itself_first() public {
        jail();
        vm.prank(address(market));
        vault.jail(WORKER);
        setClock(START + SLASH_JAIL);
        unjailAs(WORKER);
        assertEq(vault.getStanding(WORKER).jailedUntil, 0, "itself");
        assertStanding(START + SLASH_JAIL, 0, 0);
        unjailAs(WORKER);
        assertStanding(0, 0, 0);
    }

    /* MISSES */

    function test_recordMiss__counts_within_a_window() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.MissRecorded(OWNER, 1, START);
        miss();
        setClock(START + WINDOW);
        vm.expectEmit(address(vault));
        emit IStakeVault.MissRecorded(OWNER, 2, START);
        miss();
        assertStanding(0, START, 2);
        vm.prank(address(market));
        vault.lockStake(ETH, OTHER_JOB, WORKER, 1);
    }

    function test_recordMiss__first_of_all__starts_the_window_however_early() public {
        setClock(WINDOW);
        miss();
        assertStanding(0, WINDOW, 1);
    }

    function test_recordMiss__after_the_window__counts_afresh() public {
        miss();
        miss();
        setClock(START + WINDOW + 1);
        vm.expectEmit(address(vault));
        emit IStakeVault.MissRecorded(OWNER, 1, START + WINDOW + 1);
        miss();
        assertStanding(0, START + WINDOW + 1, 1);
    }

    function test_recordMiss__too_many__jails_and_counts_afresh() public {
        miss();
        miss();
        setClock(START + WINDOW);
        vm.expectEmit(address(vault));
        emit IStakeVault.MissRecorded(OWNER, 3, START);
        vm.expectEmit(address(vault));
        emit IStakeVault.Jailed(OWNER, START + WINDOW + MISS_JAIL);
        miss();
        assertStanding(START + WINDOW + MISS_JAIL, 0, 0);
        expectJailed(START + WINDOW + MISS_JAIL);
        miss();
        assertStanding(START + WINDOW + MISS_JAIL, START + WINDOW, 1);
    }

    function test_recordMiss__any_times__jails_exactly_with_the_third_in_a_window(uint16[8] memory gaps) public {
        uint256 time = START;
        (uint256 start, uint256 count, uint256 until) = (0, 0, 0);
        for (uint256 i = 0; i < gaps.length; ++i) {
            time += bound(gaps[i], 0, 150);
            setClock(time);
            miss();
            if (count == 0 || time > start + WINDOW) (start, count) = (time, 0);
            if (++count == 3) (start, count, until) = (0, 0, time + MISS_JAIL);
            assertStanding(until, start, count);
        }
    }
}
