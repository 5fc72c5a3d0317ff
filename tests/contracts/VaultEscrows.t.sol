// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ReentrantToken} from "../../contracts/mocks/ReentrantToken.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobSplit} from "../../contracts/types/Split.sol";
import {Account, JobFunds, LockStatus} from "../../contracts/types/Stake.sol";
import {VaultBase} from "./VaultBase.sol";

/// @notice Money that moves between credits, sessions, batches and jobs: each door by each module, to the wei.
contract VaultEscrowsTest is VaultBase {
    JobId private constant SESSION = JobId.wrap(keccak256("session"));
    JobId private constant BATCH = JobId.wrap(keccak256("batch"));

    function setUp() public override {
        super.setUp();
        vm.deal(SESSIONS, 1000 ether);
    }

    function fundCredit(uint96 amount) private {
        vm.prank(CLIENT);
        vault.fund{value: amount}(ETH, amount);
    }

    function charge(uint96 amount) private {
        vm.prank(address(market));
        vault.chargeCredit(ETH, JOB, CLIENT, amount);
    }

    function addDeposit(uint96 amount) private {
        vm.prank(SESSIONS);
        vault.addDeposit{value: amount}(ETH, SESSION, CLIENT, amount);
    }

    function fundBatch(uint96 escrow, uint96 lock) private {
        vm.prank(SESSIONS);
        vault.fundBatch(ETH, SESSION, BATCH, WORKER, escrow, lock);
    }

    function split(uint96 escrow, uint96 lock) private {
        vm.prank(SESSIONS);
        vault.splitFunds(ETH, BATCH, JOB, escrow, lock);
    }

    function check(JobId id, uint256 escrow, uint256 lock, LockStatus status) private view {
        JobFunds memory f = vault.getFunds(ETH, id);
        assertEq(f.escrow, escrow, "escrow");
        assertEq(f.lock, lock, "lock");
        assertEq(uint256(f.status), uint256(status), "status");
    }

    function checkConserved() private view {
        uint256 sum = sumLedger(ETH) + vault.getFunds(ETH, SESSION).escrow + vault.getFunds(ETH, BATCH).escrow;
        assertEq(address(vault).balance, sum, "ETH against ledger");
    }

    function wrongStatusOf(JobId id, LockStatus status) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IStakeVault.WrongLockStatus.selector, id, status);
    }

    function alreadyFunded(JobId id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IStakeVault.AlreadyFunded.selector, id);
    }

    /* fund */

    function test_fund__nothing_or_another_value_or_token__reverts() public {
        vm.startPrank(CLIENT);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.ZeroAmount.selector));
        vault.fund(ETH, 0);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 4, 5));
        vault.fund{value: 4}(ETH, 5);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 5, 0));
        vault.fund{value: 5}(address(token), 5);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.UnsupportedToken.selector, STRANGER));
        vault.fund(STRANGER, 5);
    }

    function test_fund__beyond_a_credits_width__reverts() public {
        vm.deal(CLIENT, type(uint96).max);
        vm.startPrank(CLIENT);
        vm.expectRevert(tooWide(80, uint256(type(uint80).max) + 1));
        vault.fund{value: uint256(type(uint80).max) + 1}(ETH, uint96(type(uint80).max) + 1);
        vault.fund{value: type(uint80).max}(ETH, type(uint80).max);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        vault.fund{value: 1}(ETH, 1);
        vault.withdrawCredit(ETH);
        assertEq(CLIENT.balance, type(uint96).max, "all of it came back");
    }

    function test_fund__adds_to_the_callers_credit_and_can_be_withdrawn() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.Funded(ETH, CLIENT, 5);
        fundCredit(5);
        vm.prank(CLIENT);
        vault.fund(address(token), 7);
        assertEq(accountOf(CLIENT).credit, 5, "ETH");
        assertEq(vault.getAccount(address(token), CLIENT).credit, 7, "tokens");
        assertBalanced();
        uint256 before = CLIENT.balance;
        vm.prank(CLIENT);
        vault.withdrawCredit(ETH);
        assertEq(CLIENT.balance, before + 5, "withdrawn");
        assertBalanced();
    }

    /// @dev The credit of a transfer that is not done yet cannot be taken out in the middle of it.
    function test_fund__withdrawal_in_the_middle__refused() public {
        ReentrantToken bad = new ReentrantToken();
        token = bad;
        vault = newVault(address(bad));
        fund(CLIENT);
        bad.mint(address(bad), 100);
        bad.arm(address(vault), abi.encodeCall(IStakeVault.withdrawCredit, (address(bad))));
        vm.prank(CLIENT);
        vault.fund(address(bad), 10);
        assertTrue(!bad.succeeded(), "inner call");
        assertEq(vault.getAccount(address(bad), CLIENT).credit, 10, "credit");
        assertEq(bad.balanceOf(address(vault)), 10, "balance");
    }

    /* chargeCredit */

    function test_chargeCredit__by_others__reverts() public {
        fundCredit(5);
        address[4] memory callers = [CLIENT, GAME, SESSIONS, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotMarket.selector, callers[i]));
            vm.prank(callers[i]);
            vault.chargeCredit(ETH, JOB, CLIENT, 5);
        }
    }

    function test_chargeCredit__more_than_the_credit_or_of_another_token__reverts() public {
        fundCredit(5);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientCredit.selector, CLIENT, 5, 6));
        charge(6);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientCredit.selector, CLIENT, 0, 5));
        vm.prank(address(market));
        vault.chargeCredit(address(token), JOB, CLIENT, 5);
        // Stake is not credit.
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientCredit.selector, OWNER, 0, 1));
        vm.prank(address(market));
        vault.chargeCredit(ETH, JOB, OWNER, 1);
        charge(5);
        assertEq(accountOf(CLIENT).credit, 0, "all of it can be charged");
    }

    function test_chargeCredit__funded_before__reverts() public {
        fundCredit(10);
        charge(5);
        vm.expectRevert(alreadyFunded(JOB));
        charge(5);
        lockStake(1);
        settle(paid(5, 1));
        vm.expectRevert(alreadyFunded(JOB));
        charge(5);
    }

    function test_chargeCredit__a_credit_becomes_an_escrow() public {
        fundCredit(10);
        vm.expectEmit(address(vault));
        emit IStakeVault.CreditCharged(ETH, JOB, CLIENT, 7);
        charge(7);
        assertEq(accountOf(CLIENT).credit, 3, "credit");
        check(JOB, 7, 0, LockStatus.NONE);
        assertBalanced();
        JobSplit memory refund;
        refund.feeToClient = 7;
        settle(refund);
        assertEq(accountOf(CLIENT).credit, 10, "refund");
        assertBalanced();
    }

    /* addDeposit */

    function test_session_steps__by_others__revert() public {
        address[4] memory callers = [CLIENT, GAME, address(market), STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            bytes memory notSessions = abi.encodeWithSelector(IStakeVault.NotSessions.selector, callers[i]);
            vm.startPrank(callers[i]);
            vm.expectRevert(notSessions);
            vault.addDeposit{value: 1}(ETH, SESSION, CLIENT, 1);
            vm.expectRevert(notSessions);
            vault.fundBatch(ETH, SESSION, BATCH, WORKER, 0, 0);
            vm.expectRevert(notSessions);
            vault.splitFunds(ETH, BATCH, JOB, 0, 0);
            vm.stopPrank();
        }
    }

    function test_addDeposit__on_something_with_a_lock__reverts() public {
        addEscrow(5);
        vm.prank(address(market));
        vault.lockStake(ETH, JOB, WORKER, 1);
        vm.expectRevert(wrongStatusOf(JOB, LockStatus.ACTIVE));
        vm.prank(SESSIONS);
        vault.addDeposit{value: 5}(ETH, JOB, CLIENT, 5);
    }

    function test_addDeposit__adds_up() public {
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowAdded(ETH, SESSION, CLIENT, 5);
        addDeposit(5);
        addDeposit(6);
        check(SESSION, 11, 0, LockStatus.NONE);
        checkConserved();
    }

    /* fundBatch */

    function test_fundBatch__more_than_the_session_has__reverts() public {
        addDeposit(5);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientEscrow.selector, SESSION, 5, 6));
        fundBatch(6, 1);
        // Nor out of another token's escrow.
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientEscrow.selector, SESSION, 0, 5));
        vm.prank(SESSIONS);
        vault.fundBatch(address(token), SESSION, BATCH, WORKER, 5, 1);
    }

    function test_fundBatch__more_than_the_stake__reverts() public {
        addDeposit(5);
        vm.expectRevert(insufficient(STAKE, STAKE + 1));
        fundBatch(5, uint96(STAKE + 1));
    }

    function test_fundBatch__a_batch_or_job_that_has_funds__reverts() public {
        addDeposit(5);
        fundBatch(2, 1);
        vm.expectRevert(alreadyFunded(BATCH));
        fundBatch(2, 1);
        addEscrow(3);
        vm.expectRevert(alreadyFunded(JOB));
        vm.prank(SESSIONS);
        vault.fundBatch(ETH, SESSION, JOB, WORKER, 2, 1);
    }

    function test_fundBatch__by_a_worker_of_nobody__reverts() public {
        addDeposit(5);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotWorker.selector, STRANGER));
        vm.prank(SESSIONS);
        vault.fundBatch(ETH, SESSION, BATCH, STRANGER, 5, 1);
    }

    function test_fundBatch__moves_and_locks() public {
        addDeposit(10);
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowMoved(ETH, SESSION, BATCH, 6);
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeLocked(ETH, BATCH, OWNER, 9);
        vm.prank(SESSIONS);
        assertEq(vault.fundBatch(ETH, SESSION, BATCH, WORKER, 6, 9), OWNER, "operator");
        check(SESSION, 4, 0, LockStatus.NONE);
        check(BATCH, 6, 9, LockStatus.ACTIVE);
        assertEq(accountOf(OWNER).free, STAKE - 9, "free");
        assertEq(accountOf(OWNER).locked, 9, "locked");
        checkConserved();
    }

    /* splitFunds */

    function test_splitFunds__out_of_what_is_no_live_batch__reverts() public {
        addDeposit(10);
        vm.expectRevert(wrongStatusOf(SESSION, LockStatus.NONE));
        vm.prank(SESSIONS);
        vault.splitFunds(ETH, SESSION, JOB, 1, 0);
        fundBatch(6, 9);
        JobSplit memory all = paid(6, 9);
        vm.prank(SESSIONS);
        vault.settleJob(ETH, BATCH, parties(), all);
        vm.expectRevert(wrongStatusOf(BATCH, LockStatus.RELEASED));
        split(0, 0);
    }

    function test_splitFunds__more_than_there_is__reverts() public {
        addDeposit(10);
        fundBatch(6, 9);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientEscrow.selector, BATCH, 6, 7));
        split(7, 3);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        split(2, 10);
    }

    function test_splitFunds__into_what_has_funds__reverts() public {
        addDeposit(10);
        fundBatch(6, 9);
        addEscrow(3);
        vm.expectRevert(alreadyFunded(JOB));
        split(2, 3);
    }

    function test_splitFunds__moves_escrow_and_lock_and_no_stake() public {
        addDeposit(10);
        fundBatch(6, 9);
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowMoved(ETH, BATCH, JOB, 2);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockMoved(ETH, BATCH, JOB, 3);
        split(2, 3);
        check(BATCH, 4, 6, LockStatus.ACTIVE);
        check(JOB, 2, 3, LockStatus.ACTIVE);
        assertEq(accountOf(OWNER).locked, 9, "locked");
        checkConserved();
        // Each ends by itself: the job slashed, the batch released.
        settle(slashed(2, 3));
        JobSplit memory rest = paid(4, 6);
        vm.prank(SESSIONS);
        vault.settleJob(ETH, BATCH, parties(), rest);
        assertEq(accountOf(OWNER).locked, 0, "locked");
        assertEq(accountOf(OWNER).free, STAKE - 3, "free");
        check(BATCH, 0, 0, LockStatus.RELEASED);
        check(JOB, 0, 3, LockStatus.SLASHED);
        checkConserved();
    }

    function test_splitFunds__any_parts__add_up(uint80 escrow, uint80 lock, uint80 a, uint80 b) public {
        escrow = uint80(1 + uint256(escrow) % 100 ether);
        lock = uint80(uint256(lock) % STAKE);
        (a, b) = (uint80(uint256(a) % (uint256(escrow) + 1)), uint80(uint256(b) % (uint256(lock) + 1)));
        addDeposit(escrow);
        fundBatch(escrow, lock);
        split(a, b);
        JobFunds memory batch = vault.getFunds(ETH, BATCH);
        JobFunds memory job = vault.getFunds(ETH, JOB);
        assertEq(uint256(batch.escrow) + job.escrow, escrow, "escrow");
        assertEq(uint256(batch.lock) + job.lock, lock, "lock");
        assertEq(accountOf(OWNER).locked, lock, "locked");
        checkConserved();
    }

    /* settleJob */

    function test_settleJob__by_market_or_sessions_alone() public {
        addDeposit(10);
        JobSplit memory refund;
        refund.feeToClient = 10;
        address[3] memory callers = [CLIENT, GAME, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotMarket.selector, callers[i]));
            vm.prank(callers[i]);
            vault.settleJob(ETH, SESSION, parties(), refund);
        }
        vm.prank(SESSIONS);
        vault.settleJob(ETH, SESSION, parties(), refund);
        assertEq(accountOf(CLIENT).credit, 10, "credit");
        check(SESSION, 0, 0, LockStatus.NONE);
        checkConserved();
    }
}
