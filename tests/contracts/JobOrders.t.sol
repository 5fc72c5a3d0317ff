// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Adoption, Job, JobState, JobTerms, PROOF_REQUIRED} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Jobs that other modules bring into being, seen from the market: orders that are taken, results that are
/// adopted.
contract JobOrdersTest is JobSteps {
    uint256 private constant SALT = uint256(keccak256("an order's hash"));

    function setUp() public override {
        super.setUp();
        vm.startPrank(CLIENT);
        vault.fund{value: FEE}(ETH, FEE);
        vault.fund(address(token), FEE);
        vm.stopPrank();
    }

    function terms() private view returns (JobTerms memory) {
        return JobTerms(CLIENT, version, IN_DIGEST, ETH, FEE, 0, 0, SALT);
    }

    function openAs(address worker, JobTerms memory t) private returns (JobId jobId) {
        vm.prank(address(orders));
        (jobId,) = market.openOrder(t, worker, "file:input");
        jobs.push(jobId);
        remember(jobId, t);
    }

    function checkOpenRefused(address worker, JobTerms memory t, bytes memory reason) private {
        JobId jobId = market.computeJobId(t);
        bytes memory call = abi.encodeCall(IJobMarket.openOrder, (t, worker, ""));
        checkRefused(jobId, address(orders), address(market), 0, call, reason);
    }

    function adoption() private view returns (Adoption memory) {
        return Adoption(OWNER, OUT_DIGEST, uint40(block.timestamp + 7), registry.numberOf(version), 700);
    }

    function adopt() private returns (JobId) {
        (JobTerms memory t, Adoption memory a) = (terms(), adoption());
        vm.prank(address(sessions));
        return market.adoptJob(t, a);
    }

    function checkAdoptRefused(address caller, JobTerms memory t, bytes memory reason) private {
        bytes memory call = abi.encodeCall(IJobMarket.adoptJob, (t, adoption()));
        checkRefused(market.computeJobId(t), caller, address(market), 0, call, reason);
    }

    /* openOrder */

    function test_openOrder__terms_that_createJob_refuses__reverts() public {
        JobTerms memory t = terms();
        t.verifyMask = 2;
        checkOpenRefused(WORKER, t, abi.encodeWithSelector(IJobMarket.UnsupportedVerifyMask.selector, 2));
        t = terms();
        t.privacyMask = 1;
        checkOpenRefused(WORKER, t, abi.encodeWithSelector(IJobMarket.UnsupportedPrivacyMask.selector, 1));
        t = terms();
        t.fee = 0;
        checkOpenRefused(WORKER, t, abi.encodeWithSelector(IJobMarket.ZeroFee.selector));
        t = terms();
        t.inDigest = 0;
        checkOpenRefused(WORKER, t, abi.encodeWithSelector(IJobMarket.ZeroDigest.selector));
        t = terms();
        t.token = STRANGER;
        checkOpenRefused(WORKER, t, abi.encodeWithSelector(IJobMarket.UnsupportedFeeToken.selector, STRANGER));
        t = terms();
        t.version = keccak256("unknown");
        checkOpenRefused(WORKER, t, abi.encodeWithSelector(IJobMarket.UnknownModelVersion.selector, t.version));
    }

    function test_openOrder__proof_required__as_in_createJob() public {
        JobTerms memory t = terms();
        (t.verifyMask, t.token) = (PROOF_REQUIRED, address(token));
        checkOpenRefused(WORKER, t, abi.encodeWithSelector(IJobMarket.UnsupportedFeeToken.selector, address(token)));
        t.token = ETH;
        uint256 required = market.computeProofFee(version);
        t.fee = uint96(required - 1);
        checkOpenRefused(WORKER, t, abi.encodeWithSelector(IJobMarket.FeeBelowProof.selector, t.fee, required));
        t.fee = uint96(required);
        JobId jobId = openAs(WORKER, t);
        assertTrue(market.getJob(jobId).proofRequired, "required");
        assertConserved();
    }

    function test_openOrder__credit_too_small__reverts() public {
        JobTerms memory t = terms();
        t.fee = FEE + 1;
        bytes memory reason = abi.encodeWithSelector(IStakeVault.InsufficientCredit.selector, CLIENT, FEE, FEE + 1);
        checkOpenRefused(WORKER, t, reason);
        t.client = STRANGER;
        reason = abi.encodeWithSelector(IStakeVault.InsufficientCredit.selector, STRANGER, 0, FEE + 1);
        checkOpenRefused(WORKER, t, reason);
    }

    function test_openOrder__worker_of_nobody_or_stake_too_small__reverts() public {
        checkOpenRefused(STRANGER, terms(), abi.encodeWithSelector(IStakeVault.NotWorker.selector, STRANGER));
        vm.prank(OWNER);
        vault.requestUnbond(ETH, uint96(STAKE));
        bytes memory poor = abi.encodeWithSelector(IStakeVault.InsufficientStake.selector, OWNER, 0, LOCK);
        checkOpenRefused(WORKER, terms(), poor);
    }

    function test_openOrder__twice_or_stopped__reverts() public {
        JobId jobId = openAs(WORKER, terms());
        checkOpenRefused(WORKER, terms(), abi.encodeWithSelector(IJobMarket.JobExists.selector, jobId));
        JobTerms memory t = terms();
        ++t.salt;
        actAsGuardian(IGuardian.Action.PAUSE);
        uint256 until = block.timestamp + 72 hours;
        bytes memory paused = abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, until);
        checkOpenRefused(WORKER, t, paused);
        enterRefundMode();
        vm.warp(until);
        checkOpenRefused(WORKER, t, refundMode());
    }

    function test_openOrder__assigned_and_paid_from_the_credit() public {
        JobTerms memory t = terms();
        JobId expected = market.computeJobId(t);
        vm.expectEmit(address(market));
        emit IJobMarket.JobCreated(expected, CLIENT, version, t, START + 60, "file:input");
        vm.expectEmit(address(vault));
        emit IStakeVault.CreditCharged(ETH, expected, CLIENT, FEE);
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeLocked(ETH, expected, OWNER, LOCK);
        vm.expectEmit(address(market));
        emit IJobMarket.JobAccepted(expected, OWNER, START + 20);
        JobId jobId = openAs(WORKER, t);
        assertState(jobId, JobState.ASSIGNED);
        assertEq(market.getJob(jobId).deadline, START + 20, "deadline");
        assertEq(accountOf(CLIENT).credit, 0, "credit");
        assertEq(vault.getFunds(ETH, jobId).escrow, FEE, "escrow");
        assertLock(jobId, LockStatus.ACTIVE);
        assertConserved();
        // From here on a job as any other.
        commit(jobId);
        warpPastJob(jobId);
        vm.prank(WORKER);
        market.finalise(jobId);
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE, "paid");
        assertSettled(jobId);
    }

    /* adoptJob */

    function test_adoptJob__by_others_or_stopped__reverts() public {
        address[4] memory callers = [CLIENT, WORKER, address(game), address(orders)];
        for (uint256 i = 0; i < callers.length; ++i) {
            bytes memory notSessions = abi.encodeWithSelector(IJobMarket.NotSessions.selector, callers[i]);
            checkAdoptRefused(callers[i], terms(), notSessions);
        }
        enterRefundMode();
        checkAdoptRefused(address(sessions), terms(), refundMode());
    }

    function test_adoptJob__a_job_that_exists__reverts() public {
        JobId ordered = createJob();
        bytes memory exists = abi.encodeWithSelector(IJobMarket.JobExists.selector, ordered);
        checkAdoptRefused(address(sessions), termsOf(ordered), exists);
        JobId adopted = adopt();
        checkAdoptRefused(address(sessions), terms(), abi.encodeWithSelector(IJobMarket.JobExists.selector, adopted));
    }

    function test_adoptJob__committed_as_told() public {
        JobId jobId = adopt();
        assertEq(JobId.unwrap(jobId), JobId.unwrap(market.computeJobId(terms())), "id");
        Job memory job = market.getJob(jobId);
        assertState(jobId, JobState.COMMITTED);
        assertEq(job.client, CLIENT, "client");
        assertEq(job.operator, OWNER, "operator");
        assertEq(job.fee, FEE, "fee");
        assertEq(job.version, version, "version");
        assertEq(job.outDigest, OUT_DIGEST, "result");
        assertEq(job.deadline, START + 7, "deadline");
    }

    /* stepTime */

    function test_stepTime__the_clock__unless_steps_are_stopped() public {
        assertEq(market.stepTime(), START, "time");
        actAsGuardian(IGuardian.Action.PAUSE);
        vm.expectRevert(abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, START + 72 hours));
        market.stepTime();
        vm.warp(START + 72 hours + 5);
        assertEq(market.stepTime(), START + 5, "after a pause");
        enterRefundMode();
        vm.expectRevert(refundMode());
        market.stepTime();
    }
}
