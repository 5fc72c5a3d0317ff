// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {DisputeId, JobId} from "../../contracts/types/Ids.sol";
import {Assurance, Job, JobParams, JobState} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {Deployment} from "./Deployment.sol";

contract JobMarketTest is Deployment {
    uint256 private constant LOCK = 0.07 ether; // 35 fees

    function wrongState(JobId jobId, JobState required) private view returns (bytes memory) {
        return abi.encodeWithSelector(IJobMarket.WrongJobState.selector, jobId, stateOf(jobId), required);
    }

    function tooLate(JobId jobId) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IJobMarket.DeadlinePassed.selector, jobId, market.getJob(jobId).deadline, block.timestamp
        );
    }

    function tooEarly(JobId jobId) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IJobMarket.DeadlineNotReached.selector, jobId, market.getJob(jobId).deadline, block.timestamp
        );
    }

    /* CREATE */

    function checkCreateRefused(JobParams memory params, uint256 value, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(CLIENT);
        market.createJob{value: value}(params);
        assertEq(market.jobCount(), 0, "no job");
        assertEq(address(vault).balance, STAKE, "no money moved");
    }

    function test_createJob__reserved_masks__revert() public {
        JobParams memory params = jobParams(FEE);
        params.verifyMask = 1;
        checkCreateRefused(params, FEE, abi.encodeWithSelector(IJobMarket.UnsupportedVerifyMask.selector, 1));
        params = jobParams(FEE);
        params.privacyMask = 128;
        checkCreateRefused(params, FEE, abi.encodeWithSelector(IJobMarket.UnsupportedPrivacyMask.selector, 128));
    }

    function test_createJob__zero_fee_or_digest__reverts() public {
        checkCreateRefused(jobParams(0), 0, abi.encodeWithSelector(IJobMarket.ZeroFee.selector));
        JobParams memory params = jobParams(FEE);
        params.inDigest = 0;
        checkCreateRefused(params, FEE, abi.encodeWithSelector(IJobMarket.ZeroDigest.selector));
    }

    function test_createJob__value_is_not_the_fee__reverts() public {
        checkCreateRefused(jobParams(FEE), FEE - 1, abi.encodeWithSelector(IJobMarket.WrongFee.selector, FEE - 1, FEE));
        checkCreateRefused(jobParams(FEE), FEE + 1, abi.encodeWithSelector(IJobMarket.WrongFee.selector, FEE + 1, FEE));
    }

    function test_createJob__unknown_version__reverts() public {
        JobParams memory params = jobParams(FEE);
        params.version = keccak256("unknown");
        checkCreateRefused(params, FEE, abi.encodeWithSelector(IJobMarket.UnknownModelVersion.selector, params.version));
    }

    function test_createJob__escrows_the_fee() public {
        vm.expectEmit(address(market));
        emit IJobMarket.JobCreated(JobId.wrap(1), CLIENT, version, IN_DIGEST, FEE, START + 60, "file:input");
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowOpened(ETH, JobId.wrap(1), FEE);
        JobId jobId = createJob();
        Job memory job = market.getJob(jobId);
        assertEq(JobId.unwrap(jobId), 1, "id");
        assertEq(market.jobCount(), 1, "count");
        assertEq(job.client, CLIENT, "client");
        assertEq(job.fee, FEE, "fee");
        assertEq(job.operator, address(0), "operator");
        assertEq(job.deadline, START + 60, "deadline");
        assertEq(job.version, version, "version");
        assertEq(job.inDigest, IN_DIGEST, "input");
        assertEq(job.outDigest, 0, "output");
        assertState(jobId, JobState.OPEN);
        assertEq(vault.escrowOf(ETH, jobId), FEE, "escrow");
        assertConserved();
    }

    /* CANCEL AND EXPIRE */

    function test_cancelJob__by_another__reverts() public {
        JobId jobId = createJob();
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotClient.selector, jobId, STRANGER, CLIENT));
        vm.prank(STRANGER);
        market.cancelJob(jobId);
    }

    function test_cancelJob__once_taken__reverts() public {
        JobId jobId = acceptedJob();
        vm.expectRevert(wrongState(jobId, JobState.OPEN));
        vm.prank(CLIENT);
        market.cancelJob(jobId);
    }

    function test_cancelJob__refunds() public {
        JobId jobId = createJob();
        vm.prank(CLIENT);
        market.cancelJob(jobId);
        assertState(jobId, JobState.CANCELLED);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertConserved();
    }

    function test_expireJob__on_the_last_second__reverts() public {
        JobId jobId = createJob();
        vm.warp(START + 60);
        vm.expectRevert(tooEarly(jobId));
        market.expireJob(jobId);
    }

    function test_expireJob__one_second_later__refunds() public {
        JobId jobId = createJob();
        vm.warp(START + 61);
        vm.prank(STRANGER);
        market.expireJob(jobId);
        assertState(jobId, JobState.EXPIRED);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertConserved();
    }

    /* ACCEPT */

    function test_acceptJob__by_nobodys_worker__reverts() public {
        JobId jobId = createJob();
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotWorker.selector, OWNER));
        vm.prank(OWNER);
        market.acceptJob(jobId);
    }

    function test_acceptJob__one_second_late__reverts() public {
        JobId jobId = createJob();
        vm.warp(START + 61);
        vm.expectRevert(tooLate(jobId));
        vm.prank(WORKER);
        market.acceptJob(jobId);
    }

    function test_acceptJob__on_the_last_second__locks() public {
        JobId jobId = createJob();
        vm.warp(START + 60);
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeLocked(ETH, jobId, OWNER, LOCK);
        vm.expectEmit(address(market));
        emit IJobMarket.JobAccepted(jobId, OWNER, START + 80);
        vm.prank(WORKER);
        market.acceptJob(jobId);
        assertState(jobId, JobState.ASSIGNED);
        assertEq(market.getJob(jobId).operator, OWNER, "operator");
        assertEq(accountOf(OWNER).locked, LOCK, "locked");
        assertEq(accountOf(OWNER).free, STAKE - LOCK, "free");
    }

    function test_acceptJob__twice__reverts() public {
        JobId jobId = acceptedJob();
        vm.expectRevert(wrongState(jobId, JobState.OPEN));
        vm.prank(WORKER);
        market.acceptJob(jobId);
    }

    function test_acceptJob__stake_one_wei_short__reverts() public {
        JobId jobId = createJob();
        vm.prank(OWNER);
        vault.requestUnbond(uint96(STAKE - LOCK + 1));
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientStake.selector, OWNER, LOCK - 1, LOCK));
        vm.prank(WORKER);
        market.acceptJob(jobId);
    }

    function test_acceptJob__stake_just_enough__locks_all() public {
        JobId jobId = createJob();
        vm.prank(OWNER);
        vault.requestUnbond(uint96(STAKE - LOCK));
        vm.prank(WORKER);
        market.acceptJob(jobId);
        assertEq(accountOf(OWNER).free, 0, "free");
    }

    function test_computeLock__follows_the_base_fee_above_the_floor() public {
        uint256 floor = 5_142_857_142_857_143;
        assertEq(market.computeLock(1), floor, "floor price");
        vm.fee(1 gwei);
        assertEq(market.computeLock(1), floor, "base fee at the floor");
        vm.fee(7 gwei);
        assertEq(market.computeLock(1), 36 * 1e15, "3 * 600000 * 7 gwei * 100 / 35");
        assertEq(market.computeLock(1 ether), 35 ether, "fees above the floor");
    }

    function test_acceptJob__smallest_fee__locks_the_dispute_floor() public {
        JobId jobId = createJob(1);
        vm.prank(WORKER);
        market.acceptJob(jobId);
        assertEq(accountOf(OWNER).locked, market.computeLock(1), "locked");
    }

    function test_createJob__fee_wider_than_credit__reverts() public {
        uint96 fee = uint96(type(uint80).max) + 1;
        vm.deal(CLIENT, fee);
        JobParams memory params = jobParams(fee);
        vm.expectRevert(abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 80, fee));
        vm.prank(CLIENT);
        market.createJob{value: fee}(params);
    }

    function test_largest_fee__is_locked_slashed_and_paid_out() public {
        uint96 fee = type(uint80).max;
        uint256 lock = 35 * uint256(fee);
        vm.deal(CLIENT, fee);
        vm.deal(OWNER, lock);
        vm.prank(OWNER);
        vault.deposit{value: lock}();
        JobId jobId = createJob(fee);
        vm.prank(WORKER);
        market.acceptJob(jobId);
        commit(jobId);
        DisputeId disputeId = challenge(jobId);
        warpPast(disputeId);
        game.claimDefault(disputeId);
        vm.warp(block.timestamp + 10);
        vm.prank(CLIENT);
        vault.withdrawCredit(ETH);
        assertEq(CLIENT.balance, fee + lock * 40 / 100, "refund and share");
        assertConserved();
    }

    /* COMMIT AND FAIL */

    function test_commitResult__zero_digest__reverts() public {
        JobId jobId = acceptedJob();
        vm.expectRevert(IJobMarket.ZeroDigest.selector);
        vm.prank(WORKER);
        market.commitResult(jobId, 0, "");
    }

    function test_commitResult__by_another_operator__reverts() public {
        JobId jobId = acceptedJob();
        vm.prank(CLIENT);
        vault.setWorker(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotOperator.selector, jobId, STRANGER, OWNER));
        vm.prank(STRANGER);
        market.commitResult(jobId, OUT_DIGEST, "");
    }

    function test_commitResult__before_acceptance__reverts() public {
        JobId jobId = createJob();
        vm.expectRevert(wrongState(jobId, JobState.ASSIGNED));
        vm.prank(WORKER);
        market.commitResult(jobId, OUT_DIGEST, "");
    }

    function test_commitResult__one_second_late__reverts() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 21);
        vm.expectRevert(tooLate(jobId));
        commit(jobId);
    }

    function test_commitResult__twice__reverts() public {
        JobId jobId = committedJob();
        vm.expectRevert(wrongState(jobId, JobState.ASSIGNED));
        commit(jobId);
    }

    function test_commitResult__on_the_last_second__commits() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 20);
        vm.expectEmit(address(market));
        emit IJobMarket.ResultCommitted(jobId, OWNER, OUT_DIGEST, START + 35, "file:output");
        commit(jobId);
        assertState(jobId, JobState.COMMITTED);
        assertEq(market.getJob(jobId).outDigest, OUT_DIGEST, "digest");
        assertEq(market.getJob(jobId).deadline, START + 35, "challenge until");
    }

    function test_commitResult__by_a_rotated_worker__commits() public {
        JobId jobId = acceptedJob();
        vm.prank(OWNER);
        vault.setWorker(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotOperator.selector, jobId, WORKER, OWNER));
        commit(jobId);
        vm.prank(STRANGER);
        market.commitResult(jobId, OUT_DIGEST, "");
        assertState(jobId, JobState.COMMITTED);
    }

    function test_failJob__on_the_last_second__reverts() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 20);
        vm.expectRevert(tooEarly(jobId));
        market.failJob(jobId);
    }

    function test_failJob__after_a_commit__reverts() public {
        JobId jobId = committedJob();
        vm.warp(START + 100);
        vm.expectRevert(wrongState(jobId, JobState.ASSIGNED));
        market.failJob(jobId);
    }

    function test_failJob__refunds_and_fines_one_fee() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 21);
        vm.expectEmit(address(market));
        emit IJobMarket.JobFailed(jobId, OWNER);
        vm.prank(STRANGER);
        market.failJob(jobId);
        assertState(jobId, JobState.FAILED);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertEq(accountOf(CLIENT).held, FEE / 2, "client's half of the fine");
        assertEq(vault.burned(ETH), FEE / 2, "burned half");
        assertEq(accountOf(OWNER).free, STAKE - FEE, "the rest of the lock returns");
        assertEq(accountOf(OWNER).locked, 0, "locked");
        assertEq(uint256(vault.getLock(ETH, jobId).status), uint256(LockStatus.SLASHED), "status");
        assertConserved();
    }

    /* FINALISE */

    function test_finalise__on_the_last_second__reverts() public {
        JobId jobId = committedJob();
        vm.warp(START + 15);
        vm.expectRevert(tooEarly(jobId));
        market.finalise(jobId);
    }

    function test_finalise__challenged_job__reverts() public {
        (JobId jobId,) = challengedJob();
        vm.warp(START + 1000);
        vm.expectRevert(wrongState(jobId, JobState.COMMITTED));
        market.finalise(jobId);
    }

    function test_finalise__pays_and_releases() public {
        JobId jobId = committedJob();
        vm.warp(START + 16);
        vm.expectEmit(address(market));
        emit IJobMarket.JobFinalised(jobId, OWNER);
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowReleased(ETH, jobId, OWNER, FEE);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockReleased(ETH, jobId, OWNER, LOCK);
        vm.prank(STRANGER);
        market.finalise(jobId);
        assertState(jobId, JobState.FINAL);
        assertEq(accountOf(OWNER).credit, FEE, "fee");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertConserved();
    }

    function test_finalise__twice__reverts() public {
        JobId jobId = committedJob();
        vm.warp(START + 16);
        market.finalise(jobId);
        vm.expectRevert(wrongState(jobId, JobState.COMMITTED));
        market.finalise(jobId);
    }

    /* ASSURANCE */

    function test_assurance__follows_the_exit() public {
        assertEq(uint256(market.assurance(JobId.wrap(99))), uint256(Assurance.NONE), "unknown");
        JobId jobId = committedJob();
        assertEq(uint256(market.assurance(jobId)), uint256(Assurance.NONE), "committed");
        (JobId proven, DisputeId disputeId) = challengedJob();
        assertEq(uint256(market.assurance(proven)), uint256(Assurance.NONE), "disputed");
        proveAs(WORKER, disputeId);
        assertEq(uint256(market.assurance(proven)), uint256(Assurance.PROVEN), "proven");
        warpPast(jobId);
        market.finalise(jobId);
        assertEq(uint256(market.assurance(jobId)), uint256(Assurance.UNCHALLENGED), "final");
    }

    function test_assurance__client_who_is_its_own_operator__is_only_unchallenged() public {
        vm.prank(OWNER);
        JobId jobId = market.createJob{value: FEE}(jobParams(FEE));
        vm.prank(WORKER);
        market.acceptJob(jobId);
        vm.prank(WORKER);
        market.commitResult(jobId, keccak256("anything"), "");
        warpPast(jobId);
        market.finalise(jobId);
        assertEq(uint256(market.assurance(jobId)), uint256(Assurance.UNCHALLENGED), "assurance");
    }

    /* UNKNOWN JOBS */

    function test_every_step__unknown_job__reverts() public {
        bytes[7] memory steps = [
            abi.encodeCall(IJobMarket.cancelJob, (JobId.wrap(9))),
            abi.encodeCall(IJobMarket.acceptJob, (JobId.wrap(9))),
            abi.encodeCall(IJobMarket.commitResult, (JobId.wrap(9), OUT_DIGEST, "")),
            abi.encodeCall(IJobMarket.finalise, (JobId.wrap(9))),
            abi.encodeCall(IJobMarket.expireJob, (JobId.wrap(9))),
            abi.encodeCall(IJobMarket.failJob, (JobId.wrap(9))),
            abi.encodeCall(IJobMarket.getJob, (JobId.wrap(9)))
        ];
        for (uint256 i = 0; i < steps.length; ++i) {
            (bool success, bytes memory reason) = address(market).call(steps[i]);
            assertTrue(!success, "refused");
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSelector(IJobMarket.UnknownJob.selector, JobId.wrap(9))),
                "reason"
            );
        }
    }
}
