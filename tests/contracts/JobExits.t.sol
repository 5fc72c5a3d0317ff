// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Every way in which a job without objection ends, with the money counted.
contract JobExitsTest is JobSteps {
    function checkStepRefused(bytes memory call, JobId jobId, bytes memory expected) private {
        checkRefused(jobId, STRANGER, address(market), 0, call, expected);
    }

    /* EXPIRE */

    function test_expireJob__on_the_last_second__reverts() public {
        JobId jobId = createJob();
        vm.warp(START + 60);
        checkStepRefused(abi.encodeCall(IJobMarket.expireJob, (jobId)), jobId, tooEarly(jobId));
    }

    function test_expireJob__taken_job__reverts() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 1000);
        bytes memory expected = wrongState(jobId, JobState.OPEN);
        checkStepRefused(abi.encodeCall(IJobMarket.expireJob, (jobId)), jobId, expected);
    }

    function test_expireJob__one_second_later__refunds() public {
        JobId jobId = createJob();
        vm.warp(START + 61);
        vm.expectEmit(address(market));
        emit IJobMarket.JobExpired(jobId);
        vm.prank(STRANGER);
        market.expireJob(jobId);
        assertState(jobId, JobState.EXPIRED);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertSettled(jobId);
    }

    function test_expireJob__by_a_keeper__costs_the_client_the_tip() public {
        JobId jobId = createJob();
        vm.warp(START + 71);
        vm.prank(STRANGER);
        market.expireJob(jobId);
        assertEq(accountOf(STRANGER).credit, TIP, "tip");
        assertEq(accountOf(CLIENT).credit, FEE - TIP, "refund");
        assertSettled(jobId);
    }

    /* REFUSE */

    function checkRejectRefused(JobId jobId, address worker, bytes memory expected) private {
        checkRefused(jobId, worker, address(market), 0, abi.encodeCall(IJobMarket.rejectJob, (jobId)), expected);
    }

    function test_rejectJob__before_acceptance_or_after_the_commit__reverts() public {
        JobId open = createJob();
        checkRejectRefused(open, WORKER, wrongState(open, JobState.ASSIGNED));
        JobId committed = committedJob();
        checkRejectRefused(committed, WORKER, wrongState(committed, JobState.ASSIGNED));
    }

    function test_rejectJob__by_another__reverts() public {
        JobId jobId = acceptedJob();
        giveStake(CHALLENGER, STRANGER, STAKE);
        address[3] memory others = [STRANGER, OWNER, CLIENT];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory expected = abi.encodeWithSelector(IJobMarket.NotOperator.selector, jobId, others[i], OWNER);
            checkRejectRefused(jobId, others[i], expected);
        }
    }

    function test_rejectJob__after_a_quarter_of_the_time__reverts() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 6);
        bytes memory expected = abi.encodeWithSelector(IJobMarket.RefusalTooLate.selector, jobId, START + 5, START + 6);
        checkRejectRefused(jobId, WORKER, expected);
    }

    function test_rejectJob__in_a_quarter_of_the_time__refunds_without_a_fine() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 5);
        vm.expectEmit(address(market));
        emit IJobMarket.JobRefused(jobId, OWNER);
        vm.prank(WORKER);
        market.rejectJob(jobId);
        assertState(jobId, JobState.REFUSED);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertEq(accountOf(OWNER).free, STAKE, "lock back");
        assertEq(vault.getStanding(OWNER).misses, 0, "no miss");
        assertLock(jobId, LockStatus.RELEASED);
        assertSettled(jobId);
    }

    /* FAIL */

    function test_failJob__on_the_last_second__reverts() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 20);
        checkStepRefused(abi.encodeCall(IJobMarket.failJob, (jobId)), jobId, tooEarly(jobId));
    }

    function test_failJob__open_committed_or_disputed__reverts() public {
        JobId[3] memory jobIds = [createJob(), committedJob(), challengedJob()];
        vm.warp(START + 1000);
        for (uint256 i = 0; i < jobIds.length; ++i) {
            bytes memory expected = wrongState(jobIds[i], JobState.ASSIGNED);
            checkStepRefused(abi.encodeCall(IJobMarket.failJob, (jobIds[i])), jobIds[i], expected);
        }
    }

    function test_failJob__refunds_and_fines_one_fee() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 21);
        vm.expectEmit(address(market));
        emit IJobMarket.JobFailed(jobId, OWNER);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockReleased(ETH, jobId, OWNER, LOCK - FEE, FEE);
        vm.prank(STRANGER);
        market.failJob(jobId);
        assertState(jobId, JobState.FAILED);
        assertEq(accountOf(CLIENT).credit, FEE + FEE / 2, "refund and half of the fine");
        assertEq(vault.burned(ETH), FEE / 2, "burned half");
        assertEq(accountOf(OWNER).free, STAKE - FEE, "the rest of the lock returns");
        assertEq(accountOf(OWNER).locked, 0, "locked");
        assertEq(vault.getStanding(OWNER).misses, 1, "a miss");
        assertLock(jobId, LockStatus.RELEASED);
        assertSettled(jobId);
    }

    function test_failJob__by_a_keeper__pays_the_tip_out_of_the_burn() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 31);
        vm.prank(STRANGER);
        market.failJob(jobId);
        assertEq(accountOf(STRANGER).credit, TIP, "tip");
        assertEq(accountOf(CLIENT).credit, FEE + FEE / 2, "refund and half of the fine");
        assertEq(vault.burned(ETH), FEE / 2 - TIP, "burned");
        assertSettled(jobId);
    }

    function test_failJob__three_misses__jail() public {
        for (uint256 i = 0; i < 3; ++i) {
            JobId jobId = acceptedJob();
            warpPastJob(jobId);
            market.failJob(jobId);
        }
        JobId next = createJob();
        bytes memory expected = abi.encodeWithSelector(IStakeVault.OperatorJailed.selector, OWNER, block.timestamp + 20);
        checkRefused(next, WORKER, address(market), 0, abi.encodeCall(IJobMarket.acceptJob, (next)), expected);
    }

    /* FINALISE */

    function test_finalise__on_the_last_second__reverts() public {
        JobId jobId = committedJob();
        vm.warp(START + 15);
        checkStepRefused(abi.encodeCall(IJobMarket.finalise, (jobId)), jobId, tooEarly(jobId));
    }

    function test_finalise__in_another_state__reverts() public {
        JobId[3] memory jobIds = [createJob(), acceptedJob(), challengedJob()];
        vm.warp(START + 1000);
        for (uint256 i = 0; i < jobIds.length; ++i) {
            bytes memory expected = wrongState(jobIds[i], JobState.COMMITTED);
            checkStepRefused(abi.encodeCall(IJobMarket.finalise, (jobIds[i])), jobIds[i], expected);
        }
    }

    function test_finalise__pays_and_releases() public {
        JobId jobId = committedJob();
        vm.warp(START + 16);
        vm.expectEmit(address(market));
        emit IJobMarket.JobFinalised(jobId, OWNER);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockReleased(ETH, jobId, OWNER, LOCK, 0);
        vm.expectEmit(address(vault));
        emit IStakeVault.Credited(ETH, jobId, OWNER, FEE - PROTOCOL_FEE);
        vm.expectEmit(address(vault));
        emit IStakeVault.Burned(ETH, jobId, PROTOCOL_FEE);
        vm.prank(STRANGER);
        market.finalise(jobId);
        assertState(jobId, JobState.FINAL);
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE, "fee");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertSettled(jobId);
    }

    function test_finalise__twice__reverts() public {
        JobId jobId = committedJob();
        warpPastJob(jobId);
        market.finalise(jobId);
        bytes memory expected = wrongState(jobId, JobState.COMMITTED);
        checkStepRefused(abi.encodeCall(IJobMarket.finalise, (jobId)), jobId, expected);
    }

    function test_finalise__pays_the_model_owners_royalty() public {
        useRoyalty(2000);
        JobId jobId = committedJob();
        warpPastJob(jobId);
        market.finalise(jobId);
        assertEq(accountOf(REGISTRANT).credit, FEE / 5, "royalty");
        assertEq(accountOf(OWNER).credit, FEE - FEE / 5 - PROTOCOL_FEE, "operator");
        assertSettled(jobId);
    }

    function test_finalise__in_tokens__pays_tokens_only() public {
        useRoyalty(1000);
        JobId jobId = createTokenJob(FEE);
        accept(jobId);
        commit(jobId);
        vm.warp(START + 26);
        vm.prank(STRANGER);
        market.finalise(jobId);
        assertEq(tokenAccountOf(REGISTRANT).credit, FEE / 10, "royalty");
        assertEq(tokenAccountOf(STRANGER).credit, TIP, "tip");
        assertEq(tokenAccountOf(OWNER).credit, FEE - FEE / 10 - PROTOCOL_FEE - TIP, "operator");
        assertEq(tokenAccountOf(OWNER).free, STAKE, "stake");
        assertEq(vault.burned(address(token)), PROTOCOL_FEE, "protocol fee");
        assertEq(accountOf(OWNER).credit, 0, "no ETH");
        assertSettled(jobId);
    }

    /* KEEPERS */

    function test_keeper__on_the_last_second_of_the_delay__earns_nothing() public {
        JobId jobId = committedJob();
        vm.warp(START + 25);
        vm.prank(STRANGER);
        market.finalise(jobId);
        assertEq(accountOf(STRANGER).credit, 0, "tip");
        assertSettled(jobId);
    }

    function test_keeper__those_concerned__earn_nothing() public {
        address[3] memory concerned = [CLIENT, OWNER, WORKER];
        for (uint256 i = 0; i < concerned.length; ++i) {
            uint256 credits = accountOf(OWNER).credit;
            JobId jobId = committedJob();
            vm.warp(block.timestamp + 26);
            vm.prank(concerned[i]);
            market.finalise(jobId);
            assertEq(accountOf(OWNER).credit - credits, FEE - PROTOCOL_FEE, "operator gets all");
        }
        assertEq(accountOf(CLIENT).credit + accountOf(WORKER).credit, 0, "no tips");
        JobId open = createJob();
        vm.warp(block.timestamp + 71);
        vm.prank(CLIENT);
        market.expireJob(open);
        assertEq(accountOf(CLIENT).credit, FEE, "whole refund");
        assertConserved();
    }

    function test_keeper__anothers_worker__earns_the_tip() public {
        giveStake(CHALLENGER, STRANGER, 1 ether);
        JobId jobId = committedJob();
        vm.warp(START + 26);
        vm.prank(STRANGER);
        market.finalise(jobId);
        assertEq(accountOf(STRANGER).credit, TIP, "tip");
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE - TIP, "operator");
        assertSettled(jobId);
    }

    /* FUZZ */

    /// @notice Whatever fee, royalty and base fee, every exit adds up to the wei (I2), and pays what the table says.
    function testFuzz_exits__add_up(uint96 fee, uint16 royalty, uint64 baseFee, uint8 exit, bool late) public {
        fee = uint96(bound(fee, 1, 20 ether));
        useRoyalty(uint16(bound(royalty, 1, 2000)));
        vm.fee(bound(baseFee, 0, 1000 gwei));
        vm.deal(OWNER, 1000 ether);
        vm.prank(OWNER);
        vault.deposit{value: 1000 ether}(ETH, 1000 ether);
        JobId jobId = createJob(fee);
        exit = uint8(bound(exit, 0, 3));
        if (exit != 0) accept(jobId);
        if (exit == 2) commit(jobId);
        if (exit != 3) vm.warp(market.getJob(jobId).deadline + (late ? 11 : 1));
        (uint256 stake, uint256 paid) = (sumAccount(ETH, OWNER), uint256(fee) * 50 / 10_000);
        if (exit == 0) market.expireJob(jobId);
        if (exit == 1) market.failJob(jobId);
        if (exit == 2) market.finalise(jobId);
        if (exit == 3) {
            vm.prank(WORKER);
            market.rejectJob(jobId);
        }
        uint256 tip = accountOf(address(this)).credit;
        assertEq(tip, late && exit != 3 ? (exit == 1 && paid > fee - fee / 2 ? fee - fee / 2 : paid) : 0, "tip");
        if (exit == 1) assertEq(stake - sumAccount(ETH, OWNER), fee, "fine");
        if (exit == 2) assertLe(sumAccount(ETH, OWNER) - stake, fee, "earned");
        // The keeper is no actor of the ledger.
        assertEq(address(vault).balance, sumLedger(ETH) + tip, "conserved");
        assertEq(vault.getFunds(ETH, jobId).escrow + accountOf(OWNER).locked, 0, "nothing held");
    }
}
