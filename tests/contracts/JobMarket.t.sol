// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Assurance, Job, JobParams, JobState, JobTerms} from "../../contracts/types/Job.sol";
import {JobSteps} from "./JobSteps.sol";

contract JobMarketTest is JobSteps {
    JobId private constant UNKNOWN = JobId.wrap(bytes32(uint256(9)));

    /* CREATE */

    function checkCreateRefused(JobParams memory params, uint256 value, bytes memory expected) private {
        checkRefused(UNKNOWN, CLIENT, address(market), value, abi.encodeCall(IJobMarket.createJob, (params)), expected);
    }

    function test_createJob__reserved_masks__revert() public {
        JobParams memory params = jobParams(FEE);
        params.verifyMask = 2;
        checkCreateRefused(params, FEE, abi.encodeWithSelector(IJobMarket.UnsupportedVerifyMask.selector, 2));
        params.verifyMask = 3;
        checkCreateRefused(params, FEE, abi.encodeWithSelector(IJobMarket.UnsupportedVerifyMask.selector, 3));
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

    function test_createJob__unknown_token__reverts() public {
        JobParams memory params = jobParams(FEE);
        params.token = STRANGER;
        checkCreateRefused(params, 0, abi.encodeWithSelector(IJobMarket.UnsupportedFeeToken.selector, STRANGER));
    }

    function test_createJob__eth_with_a_fee_in_tokens__reverts() public {
        JobParams memory params = jobParams(FEE);
        params.token = address(token);
        checkCreateRefused(params, FEE, abi.encodeWithSelector(IJobMarket.WrongFee.selector, FEE, 0));
    }

    function test_createJob__unknown_version__reverts() public {
        JobParams memory params = jobParams(FEE);
        params.version = keccak256("unknown");
        checkCreateRefused(params, FEE, abi.encodeWithSelector(IJobMarket.UnknownModelVersion.selector, params.version));
    }

    function test_createJob__fee_wider_than_credit__reverts() public {
        uint96 fee = uint96(type(uint80).max) + 1;
        vm.deal(CLIENT, fee);
        bytes memory expected = abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 80, fee);
        checkCreateRefused(jobParams(fee), fee, expected);
    }

    function test_createJob__same_terms_again__revert_also_after_the_end() public {
        JobParams memory params = jobParams(FEE);
        JobId jobId = createJobAs(CLIENT, params);
        bytes memory exists = abi.encodeWithSelector(IJobMarket.JobExists.selector, jobId);
        checkCreateRefused(params, FEE, exists);
        vm.prank(CLIENT);
        market.cancelJob(jobId);
        checkCreateRefused(params, FEE, exists);
        // Another salt or another client is another job.
        params.salt += 1;
        assertTrue(JobId.unwrap(createJobAs(CLIENT, params)) != JobId.unwrap(jobId), "another salt");
        params.salt -= 1;
        assertTrue(JobId.unwrap(createJobAs(STRANGER, params)) != JobId.unwrap(jobId), "another client");
        assertConserved();
    }

    function test_createJob__escrows_the_fee() public {
        JobParams memory params = jobParams(FEE);
        JobTerms memory terms = JobTerms(CLIENT, version, IN_DIGEST, ETH, FEE, 0, 0, params.salt);
        JobId id = JobId.wrap(keccak256(abi.encode(block.chainid, address(market), terms)));
        vm.expectEmit(address(market));
        emit IJobMarket.JobCreated(id, CLIENT, version, terms, START + 60, "file:input");
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowAdded(ETH, id, CLIENT, FEE);
        JobId jobId = createJobAs(CLIENT, params);
        assertEq(JobId.unwrap(jobId), JobId.unwrap(id), "id");
        assertEq(JobId.unwrap(market.computeJobId(terms)), JobId.unwrap(id), "computed id");
        Job memory expected = Job(CLIENT, ETH, FEE, address(0), JobState.OPEN, uint40(START + 60), version, 0, false, 0);
        assertEq(keccak256(abi.encode(market.getJob(jobId))), keccak256(abi.encode(expected)), "job");
        assertEq(vault.getFunds(ETH, jobId).escrow, FEE, "escrow");
        assertConserved();
    }

    function test_createJob__in_tokens__takes_the_fee_from_the_allowance() public {
        JobId jobId = createTokenJob(FEE);
        assertEq(market.getJob(jobId).token, address(token), "token");
        assertEq(vault.getFunds(address(token), jobId).escrow, FEE, "escrow");
        assertEq(token.balanceOf(CLIENT), 1000 ether - FEE, "paid");
        assertConserved();
    }

    /* CANCEL */

    function test_cancelJob__by_another__reverts() public {
        JobId jobId = createJob();
        bytes memory expected = abi.encodeWithSelector(IJobMarket.NotClient.selector, jobId, STRANGER, CLIENT);
        checkRefused(jobId, STRANGER, address(market), 0, abi.encodeCall(IJobMarket.cancelJob, (jobId)), expected);
    }

    function test_cancelJob__once_taken__reverts() public {
        JobId jobId = acceptedJob();
        bytes memory expected = wrongState(jobId, JobState.OPEN);
        checkRefused(jobId, CLIENT, address(market), 0, abi.encodeCall(IJobMarket.cancelJob, (jobId)), expected);
    }

    function test_cancelJob__refunds() public {
        JobId jobId = createJob();
        vm.prank(CLIENT);
        market.cancelJob(jobId);
        assertState(jobId, JobState.CANCELLED);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertSettled(jobId);
    }

    /* ACCEPT */

    function checkAcceptRefused(JobId jobId, address worker, bytes memory expected) private {
        checkRefused(jobId, worker, address(market), 0, abi.encodeCall(IJobMarket.acceptJob, (jobId)), expected);
    }

    function test_acceptJob__by_nobodys_worker__reverts() public {
        checkAcceptRefused(createJob(), OWNER, abi.encodeWithSelector(IStakeVault.NotWorker.selector, OWNER));
    }

    function test_acceptJob__one_second_late__reverts() public {
        JobId jobId = createJob();
        vm.warp(START + 61);
        checkAcceptRefused(jobId, WORKER, tooLate(jobId));
    }

    function test_acceptJob__twice__reverts() public {
        JobId jobId = acceptedJob();
        checkAcceptRefused(jobId, WORKER, wrongState(jobId, JobState.OPEN));
    }

    function test_acceptJob__stake_one_wei_short__reverts() public {
        JobId jobId = createJob();
        vm.prank(OWNER);
        vault.requestUnbond(ETH, uint96(STAKE - LOCK + 1));
        bytes memory expected = abi.encodeWithSelector(IStakeVault.InsufficientStake.selector, OWNER, LOCK - 1, LOCK);
        checkAcceptRefused(jobId, WORKER, expected);
    }

    function test_acceptJob__stake_just_enough__locks_all() public {
        JobId jobId = createJob();
        vm.prank(OWNER);
        vault.requestUnbond(ETH, uint96(STAKE - LOCK));
        accept(jobId);
        assertEq(accountOf(OWNER).free, 0, "free");
    }

    function test_acceptJob__on_the_last_second__locks() public {
        JobId jobId = createJob();
        vm.warp(START + 60);
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeLocked(ETH, jobId, OWNER, LOCK);
        vm.expectEmit(address(market));
        emit IJobMarket.JobAccepted(jobId, OWNER, START + 80);
        accept(jobId);
        assertState(jobId, JobState.ASSIGNED);
        assertEq(market.getJob(jobId).operator, OWNER, "operator");
        assertEq(market.getJob(jobId).deadline, START + 80, "deadline");
        assertEq(accountOf(OWNER).locked, LOCK, "locked");
        assertEq(accountOf(OWNER).free, STAKE - LOCK, "free");
    }

    function test_acceptJob__in_tokens__locks_tokens() public {
        JobId jobId = createTokenJob(FEE);
        vm.fee(1000 gwei);
        accept(jobId);
        assertEq(tokenAccountOf(OWNER).locked, LOCK, "the base fee of ETH says nothing about tokens");
        assertEq(accountOf(OWNER).locked, 0, "no ETH");
        assertConserved();
    }

    function test_computeLock__follows_the_base_fee_above_the_floor() public {
        uint256 floor = 5_142_857_142_857_143;
        assertEq(market.computeLock(ETH, 1), floor, "floor price");
        vm.fee(1 gwei);
        assertEq(market.computeLock(ETH, 1), floor, "base fee at the floor");
        vm.fee(7 gwei);
        assertEq(market.computeLock(ETH, 1), 36 * 1e15, "3 * 600000 * 7 gwei * 100 / 35");
        assertEq(market.computeLock(ETH, 1 ether), 35 ether, "fees above the floor");
        assertEq(market.computeLock(address(token), 1), floor, "the token's price is a parameter");
    }

    /* COMMIT */

    function checkCommitRefused(JobId jobId, address worker, bytes32 digest, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IJobMarket.commitResult, (jobId, digest, ""));
        checkRefused(jobId, worker, address(market), 0, call, expected);
    }

    function test_commitResult__zero_digest__reverts() public {
        checkCommitRefused(acceptedJob(), WORKER, 0, abi.encodeWithSelector(IJobMarket.ZeroDigest.selector));
    }

    function test_commitResult__by_another_operator__reverts() public {
        JobId jobId = acceptedJob();
        giveStake(CHALLENGER, STRANGER, STAKE);
        bytes memory expected = abi.encodeWithSelector(IJobMarket.NotOperator.selector, jobId, STRANGER, OWNER);
        checkCommitRefused(jobId, STRANGER, OUT_DIGEST, expected);
    }

    function test_commitResult__in_another_state__reverts() public {
        JobId open = createJob();
        checkCommitRefused(open, WORKER, OUT_DIGEST, wrongState(open, JobState.ASSIGNED));
        JobId committed = committedJob();
        checkCommitRefused(committed, WORKER, OUT_DIGEST, wrongState(committed, JobState.ASSIGNED));
    }

    function test_commitResult__one_second_late__reverts() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 21);
        checkCommitRefused(jobId, WORKER, OUT_DIGEST, tooLate(jobId));
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
        vault.proposeWorker(STRANGER);
        vm.prank(STRANGER);
        vault.acceptOwner(OWNER);
        bytes memory expected = abi.encodeWithSelector(IJobMarket.NotOperator.selector, jobId, WORKER, OWNER);
        checkCommitRefused(jobId, WORKER, OUT_DIGEST, expected);
        vm.prank(STRANGER);
        market.commitResult(jobId, OUT_DIGEST, "");
        assertState(jobId, JobState.COMMITTED);
    }

    /* ASSURANCE */

    function assertAssurance(JobId jobId, Assurance expected) private view {
        assertEq(uint256(market.assurance(jobId)), uint256(expected), "assurance");
    }

    function test_assurance__follows_the_exit() public {
        assertAssurance(UNKNOWN, Assurance.NONE);
        JobId jobId = committedJob();
        assertAssurance(jobId, Assurance.NONE);
        JobId proven = challengedJob();
        assertAssurance(proven, Assurance.NONE);
        JobId rejected = challengedJob();
        proveAs(WORKER, proven);
        assertAssurance(proven, Assurance.PROVEN);
        defaultJob(rejected);
        assertAssurance(rejected, Assurance.NONE);
        market.finalise(jobId);
        assertAssurance(jobId, Assurance.UNCHALLENGED);
        // A cure gives money back, not the result.
        cureAs(WORKER, rejected);
        assertAssurance(rejected, Assurance.NONE);
    }

    function test_assurance__client_who_is_its_own_operator__is_only_unchallenged() public {
        JobId jobId = createJobAs(OWNER, jobParams(FEE));
        accept(jobId);
        vm.prank(WORKER);
        market.commitResult(jobId, keccak256("anything"), "");
        warpPastJob(jobId);
        market.finalise(jobId);
        assertAssurance(jobId, Assurance.UNCHALLENGED);
    }

    /* WHO MAY CALL WHAT, AND UNKNOWN JOBS */

    function test_every_step__unknown_job__reverts() public {
        bytes[12] memory steps = [
            abi.encodeCall(IJobMarket.cancelJob, (UNKNOWN)),
            abi.encodeCall(IJobMarket.acceptJob, (UNKNOWN)),
            abi.encodeCall(IJobMarket.rejectJob, (UNKNOWN)),
            abi.encodeCall(IJobMarket.commitResult, (UNKNOWN, OUT_DIGEST, "")),
            abi.encodeCall(IJobMarket.requestDelivery, (UNKNOWN)),
            abi.encodeCall(IJobMarket.deliverOutput, (UNKNOWN, 1, new uint32[](0), "")),
            abi.encodeCall(IJobMarket.finalise, (UNKNOWN)),
            abi.encodeCall(IJobMarket.expireJob, (UNKNOWN)),
            abi.encodeCall(IJobMarket.failJob, (UNKNOWN)),
            abi.encodeCall(IJobMarket.getJob, (UNKNOWN)),
            abi.encodeCall(IJobMarket.computeDeliveryPayment, (UNKNOWN)),
            abi.encodeCall(IJobMarket.expectDisputed, (UNKNOWN, OUT_DIGEST))
        ];
        bytes memory unknown = abi.encodeWithSelector(IJobMarket.UnknownJob.selector, UNKNOWN);
        for (uint256 i = 0; i < steps.length; ++i) {
            checkRefused(UNKNOWN, STRANGER, address(market), 0, steps[i], unknown);
        }
        enterRefundMode();
        bytes memory step = abi.encodeCall(IJobMarket.voidJob, (UNKNOWN));
        checkRefused(UNKNOWN, STRANGER, address(market), 0, step, unknown);
    }

    function test_functions_of_the_game__by_anybody_else__revert() public {
        JobId jobId = committedJob();
        bytes[6] memory steps = [
            abi.encodeCall(IJobMarket.disputeJob, (jobId, OUT_DIGEST, false)),
            abi.encodeCall(IJobMarket.settleProven, (jobId)),
            abi.encodeCall(IJobMarket.settleDefended, (jobId, STRANGER)),
            abi.encodeCall(IJobMarket.settleRejected, (jobId, 1000)),
            abi.encodeCall(IJobMarket.divideSlash, (jobId, new address[](0), false)),
            abi.encodeCall(IJobMarket.settleVoided, (jobId))
        ];
        address[4] memory callers = [CLIENT, OWNER, address(vault), address(guardian)];
        for (uint256 i = 0; i < steps.length; ++i) {
            for (uint256 j = 0; j < callers.length; ++j) {
                bytes memory expected = abi.encodeWithSelector(IJobMarket.NotDisputeGame.selector, callers[j]);
                checkRefused(jobId, callers[j], address(market), 0, steps[i], expected);
            }
        }
    }
}
