// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IHeldChallengers} from "../../contracts/interfaces/IHeldChallengers.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {Dispute, DisputeState, Hold, SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice What the game of pinpointing and the audits do to jobs: the tests speak in their names.
contract HeldJobsTest is JobSteps {
    uint256 private constant WINDOW = 15;
    bytes32 private constant RANDOM = keccak256("prevrandao");

    function setUp() public override {
        super.setUp();
        vm.prevrandao(RANDOM);
    }

    /* STEPS */

    function hold(JobId jobId) private returns (Hold memory) {
        vm.prank(vault.PINPOINT());
        return game.holdFor(jobId, OUT_DIGEST);
    }

    function heldJob() private returns (JobId jobId) {
        jobId = committedJob();
        hold(jobId);
    }

    function release(JobId jobId) private {
        vm.prank(vault.PINPOINT());
        game.releaseFor(jobId, OWNER);
    }

    function reject(JobId jobId, address[] memory challengers, bool isCurable) private {
        vm.prank(vault.PINPOINT());
        game.rejectFor(jobId, challengers, isCurable);
    }

    function audit(JobId jobId) private {
        vm.prank(vault.AUDITS());
        game.auditFor(jobId, OUT_DIGEST);
    }

    function requestAs(address caller, JobId jobId) private {
        vm.prank(caller);
        game.requestProof(jobId, OUT_DIGEST);
    }

    /// @notice Accounts that nobody else here uses.
    function crowd(uint256 count) private pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = vm.addr(1000 + i);
        }
    }

    function only(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }

    function none() private pure returns (address[] memory) {}

    /// @notice Lets the game of pinpointing say who doubts a result there.
    function setDoubters(JobId jobId, address[] memory doubters) private {
        bytes memory call = abi.encodeCall(IHeldChallengers.getOpenChallengers, (jobId));
        vm.mockCall(vault.PINPOINT(), call, abi.encode(doubters));
    }

    /* REFUSALS */

    function checkPinpointRefused(bytes memory call, bytes memory expected) private {
        checkRefused(jobs[0], vault.PINPOINT(), address(game), 0, call, expected);
    }

    function checkHoldRefused(JobId jobId, bytes32 digest, bytes memory expected) private {
        checkPinpointRefused(abi.encodeCall(IDisputeGame.holdFor, (jobId, digest)), expected);
    }

    function checkDefendedRefused(JobId jobId, bytes memory expected) private {
        checkPinpointRefused(abi.encodeCall(IDisputeGame.settleDefended, (jobId, STRANGER)), expected);
    }

    function checkRejectRefused(JobId jobId, bool isCurable, bytes memory expected) private {
        checkPinpointRefused(abi.encodeCall(IDisputeGame.rejectFor, (jobId, none(), isCurable)), expected);
    }

    function wrongDispute(JobId jobId, DisputeState required) private view returns (bytes memory) {
        DisputeState state = game.getDispute(jobId).state;
        return abi.encodeWithSelector(IDisputeGame.WrongDisputeState.selector, jobId, state, required);
    }

    /* HOLD */

    function test_holdFor__not_committed__reverts() public {
        JobId jobId = createJob();
        checkHoldRefused(jobId, OUT_DIGEST, wrongState(jobId, JobState.COMMITTED));
        accept(jobId);
        checkHoldRefused(jobId, OUT_DIGEST, wrongState(jobId, JobState.COMMITTED));
        commit(jobId);
        warpPastJob(jobId);
        market.finalise(jobId);
        checkHoldRefused(jobId, OUT_DIGEST, wrongState(jobId, JobState.COMMITTED));
    }

    function test_holdFor__after_the_window_or_another_result__reverts() public {
        JobId jobId = heldJob();
        bytes32 other = keccak256("another result");
        checkHoldRefused(
            jobId, other, abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, other)
        );
        vm.warp(START + WINDOW + 1);
        checkHoldRefused(jobId, OUT_DIGEST, tooLate(jobId));
    }

    function test_holdFor__proof_required__reverts() public {
        JobId jobId = createProofJob(0.01 ether);
        accept(jobId);
        commit(jobId);
        checkHoldRefused(jobId, OUT_DIGEST, abi.encodeWithSelector(IJobMarket.ProofRequired.selector, jobId));
        requestAs(STRANGER, jobId);
        checkHoldRefused(jobId, OUT_DIGEST, abi.encodeWithSelector(IJobMarket.ProofRequired.selector, jobId));
    }

    function test_holdFor__paused__reverts() public {
        JobId jobId = committedJob();
        actAsGuardian(IGuardian.Action.PAUSE);
        checkHoldRefused(
            jobId, OUT_DIGEST, abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, START + 72 hours)
        );
    }

    function test_holdFor__disputes_once_and_counts_each() public {
        JobId jobId = committedJob();
        uint40 deadline = market.getJob(jobId).deadline;
        vm.expectEmit(address(market));
        emit IJobMarket.JobDisputed(jobId);
        Hold memory held = hold(jobId);
        assertEq(held.version, version, "version");
        assertEq(held.operator, OWNER, "operator");
        assertEq(held.deadline, deadline, "deadline");
        assertEq(held.bond, game.computeBond(version), "bond");
        assertEq(held.proveSeconds, game.computeProveSeconds(version, OWNER), "time to prove");
        assertState(jobId, JobState.DISPUTED);
        vm.recordLogs();
        hold(jobId);
        assertEq(vm.getRecordedLogs().length, 0, "told once");
        assertEq(game.openChallenges(OWNER), 2, "open");
        assertEq(market.getJob(jobId).deadline, deadline, "window");
        release(jobId);
        assertEq(game.openChallenges(OWNER), 1, "released");
    }

    function test_held__makes_proofs_due_later() public {
        uint256 alone = game.computeProveSeconds(version, OWNER);
        heldJob();
        assertEq(game.computeProveSeconds(version, OWNER), alone + PROVE_SECONDS, "one more before it");
    }

    /* PROVE-IT BESIDE IT */

    function test_challenge__of_a_held_job__is_taken() public {
        JobId jobId = heldJob();
        challenge(jobId);
        assertEq(uint256(game.getDispute(jobId).state), uint256(DisputeState.OPEN), "state");
        hold(jobId);
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
        assertEq(game.openChallenges(OWNER), 2, "the held ones are pinpointing's to release");
    }

    function test_challenge__of_a_held_job_after_the_window__reverts() public {
        JobId jobId = heldJob();
        vm.warp(START + WINDOW + 1);
        bytes memory call = abi.encodeCall(IDisputeGame.challenge, (jobId, OUT_DIGEST));
        checkRefused(jobId, CHALLENGER, address(game), BOND, call, tooLate(jobId));
    }

    function test_requestProof__of_a_held_job__operator_alone() public {
        JobId jobId = heldJob();
        bytes memory call = abi.encodeCall(IDisputeGame.requestProof, (jobId, OUT_DIGEST));
        bytes4 refusal = IJobMarket.NotOperator.selector;
        bytes memory expected = abi.encodeWithSelector(refusal, jobId, STRANGER, OWNER);
        checkRefused(jobId, STRANGER, address(game), 0, call, expected);
        uint256 state = vm.snapshotState();
        requestAs(OWNER, jobId);
        assertEq(game.getDispute(jobId).bond, 0, "without a bond");
        vm.revertToState(state);
        // Its last word may come after the window.
        vm.warp(START + WINDOW + 1);
        requestAs(WORKER, jobId);
        assertEq(game.getDispute(jobId).proveBy, START + WINDOW + 1 + PROVE + PROVE_SECONDS, "prove by");
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
    }

    function test_requestProof__of_a_held_job__another_result_or_twice__reverts() public {
        JobId jobId = heldJob();
        bytes32 other = keccak256("another result");
        bytes memory call = abi.encodeCall(IDisputeGame.requestProof, (jobId, other));
        bytes memory expected = abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, other);
        checkRefused(jobId, WORKER, address(game), 0, call, expected);
        requestAs(WORKER, jobId);
        call = abi.encodeCall(IDisputeGame.requestProof, (jobId, OUT_DIGEST));
        checkRefused(jobId, WORKER, address(game), 0, call, wrongDispute(jobId, DisputeState.NONE));
    }

    function test_claimDefault__after_the_operator_asked__rewards_doubters() public {
        JobId jobId = heldJob();
        requestAs(WORKER, jobId);
        setDoubters(jobId, only(STRANGER));
        defaultJob(jobId);
        warpPastJob(jobId);
        uint256 before = accountOf(STRANGER).credit;
        game.distributeSlash(jobId);
        assertEq(accountOf(STRANGER).credit - before, LOCK * 35 / 100, "reward");
        assertConserved();
    }

    function test_proveEquivocation__of_a_held_job__shares_with_doubters() public {
        JobId jobId = heldJob();
        setDoubters(jobId, only(CHALLENGER));
        reportAs(STRANGER, jobId);
        address[] memory rewarded = game.getChallengers(jobId);
        assertEq(rewarded.length, 2, "count");
        assertEq(rewarded[0], STRANGER, "reporter");
        assertEq(rewarded[1], CHALLENGER, "doubter");
    }

    function reportAs(address reporter, JobId jobId) private {
        bytes32 other = keccak256("another result");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(3, game.hashResult(jobId, other));
        SignedResult memory first = SignedResult(OUT_DIGEST, "");
        SignedResult memory second = SignedResult(other, abi.encodePacked(r, s, v));
        game.announceEvidence(keccak256(abi.encode(reporter, jobId, first, second, bytes32(0))));
        vm.roll(block.number + 1);
        vm.prank(reporter);
        game.proveEquivocation(jobId, first, second, 0);
    }

    /* DEFENDED */

    function test_settleDefended__too_early_or_not_held__reverts() public {
        JobId jobId = heldJob();
        vm.warp(START + WINDOW);
        checkDefendedRefused(jobId, tooEarly(jobId));
        JobId other = committedJob();
        warpPastJob(other);
        checkDefendedRefused(other, wrongState(other, JobState.DISPUTED));
    }

    function test_settleDefended__proof_due__reverts() public {
        JobId jobId = heldJob();
        challenge(jobId);
        vm.warp(START + WINDOW + 1);
        checkDefendedRefused(jobId, wrongDispute(jobId, DisputeState.NONE));
    }

    function test_settleDefended__pays_like_a_final_job() public {
        JobId jobId = heldJob();
        vm.warp(START + WINDOW + 1);
        uint256 before = accountOf(OWNER).credit;
        vm.prank(vault.PINPOINT());
        vm.expectEmit(address(market));
        emit IJobMarket.JobFinalised(jobId, OWNER);
        game.settleDefended(jobId, STRANGER);
        assertState(jobId, JobState.FINAL);
        assertEq(accountOf(OWNER).credit - before, FEE - PROTOCOL_FEE, "fee");
        assertEq(uint256(vault.getFunds(ETH, jobId).status), uint256(LockStatus.RELEASED), "lock");
        assertConserved();
    }

    function test_settleDefended__long_forgotten__tips_the_caller() public {
        JobId jobId = heldJob();
        vm.warp(START + WINDOW + localPreset().keeperDelaySeconds + 1);
        vm.prank(vault.PINPOINT());
        game.settleDefended(jobId, STRANGER);
        assertEq(accountOf(STRANGER).credit, TIP, "tip");
        JobId another = committedJob();
        hold(another);
        vm.warp(block.timestamp + WINDOW + localPreset().keeperDelaySeconds + 1);
        uint256 before = accountOf(OWNER).credit;
        vm.prank(vault.PINPOINT());
        game.settleDefended(another, WORKER);
        assertEq(accountOf(OWNER).credit - before, FEE - PROTOCOL_FEE, "none for the operator's worker");
        assertConserved();
    }

    /* REJECTED */

    function test_rejectFor__no_result_or_settled__reverts() public {
        JobId jobId = acceptedJob();
        checkRejectRefused(jobId, false, wrongState(jobId, JobState.DISPUTED));
        commit(jobId);
        checkRejectRefused(jobId, true, wrongState(jobId, JobState.DISPUTED));
        warpPastJob(jobId);
        market.finalise(jobId);
        checkRejectRefused(jobId, false, wrongState(jobId, JobState.DISPUTED));
    }

    function test_rejectFor__twice__reverts() public {
        JobId jobId = heldJob();
        reject(jobId, only(STRANGER), true);
        checkRejectRefused(jobId, false, wrongState(jobId, JobState.DISPUTED));
        checkHoldRefused(jobId, OUT_DIGEST, wrongState(jobId, JobState.COMMITTED));
        checkDefendedRefused(jobId, wrongDispute(jobId, DisputeState.NONE));
    }

    function test_rejectFor__silence__slashes_the_lock_alone_and_can_be_cured() public {
        JobId jobId = heldJob();
        uint256 free = accountOf(OWNER).free;
        vm.expectEmit(address(game));
        emit IDisputeGame.ResultRefuted(jobId, OWNER, true);
        reject(jobId, only(STRANGER), true);
        assertState(jobId, JobState.REJECTED);
        assertEq(accountOf(OWNER).free, free, "free stake");
        Dispute memory dispute = game.getDispute(jobId);
        assertEq(uint256(dispute.state), uint256(DisputeState.DEFAULT), "state");
        assertEq(dispute.challengeSeed, keccak256(abi.encode(RANDOM, jobId, STRANGER)), "a proof has its seed");
        assertEq(dispute.proveBy, block.timestamp, "when");
        assertEq(dispute.openedAtBlock, block.number, "in which block");
        vm.prank(WORKER);
        game.cure(jobId, termsOf(jobId), "input", "output", "proof");
        assertEq(uint256(game.getDispute(jobId).state), uint256(DisputeState.CURED), "cured by a full proof");
        assertEq(accountOf(STRANGER).credit, LOCK * 5 / 100, "reward");
        assertConserved();
    }

    function test_rejectFor__fraud__costs_the_lock_alone_and_stands() public {
        JobId jobId = committedJob();
        uint256 free = accountOf(OWNER).free;
        reject(jobId, only(STRANGER), false);
        assertEq(accountOf(OWNER).free, free, "free stake");
        assertEq(uint256(game.getDispute(jobId).state), uint256(DisputeState.FRAUD_PROVEN), "state");
        assertLe(1, game.getDispute(jobId).proveBy, "told apart from two signed results");
        checkPinpointRefused(
            abi.encodeCall(IDisputeGame.cureFor, (jobId, OWNER)), wrongDispute(jobId, DisputeState.DEFAULT)
        );
        warpPastJob(jobId);
        game.distributeSlash(jobId);
        assertEq(accountOf(STRANGER).credit, LOCK * 35 / 100, "reward");
        assertConserved();
    }

    function test_rejectFor__returns_bonds_and_shares_the_reward() public {
        JobId jobId = heldJob();
        challenge(jobId);
        address[] memory others = new address[](3);
        (others[0], others[1], others[2]) = (STRANGER, CHALLENGER, STRANGER);
        uint256 open = game.openChallenges(OWNER);
        reject(jobId, others, false);
        assertEq(game.openChallenges(OWNER), open - 1, "prove-it is over, holds are not");
        assertEq(vault.bondsOf(jobId), 0, "bonds");
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond back");
        warpPastJob(jobId);
        game.distributeSlash(jobId);
        uint256 each = LOCK * 35 / 100 / 2;
        assertEq(accountOf(CHALLENGER).credit, BOND + each, "no share twice");
        assertEq(accountOf(STRANGER).credit, each, "half");
        assertConserved();
    }

    function test_rejectFor__too_many__the_first_have_places() public {
        JobId jobId = heldJob();
        challenge(jobId);
        uint256 places = localPreset().maxChallengers + 17;
        reject(jobId, crowd(40), true);
        address[] memory rewarded = game.getChallengers(jobId);
        assertEq(rewarded.length, places, "places");
        assertEq(rewarded[0], CHALLENGER, "who demanded a proof comes first");
        assertEq(rewarded[places - 1], vm.addr(1000 + places - 2), "then the others in order");
    }

    function test_rejectFor__nobody__burns_their_part() public {
        JobId jobId = heldJob();
        reject(jobId, none(), true);
        assertEq(game.getChallengers(jobId).length, 0, "nobody");
        uint256 before = vault.burned(ETH);
        warpPastJob(jobId);
        game.distributeSlash(jobId);
        assertEq(vault.burned(ETH) - before, LOCK * 60 / 100, "burned");
    }

    /// @notice I18: the dearest ends stay far below what a block holds.
    function test_rejectFor__with_all_places_taken__stays_below_five_million_gas() public {
        JobId jobId = heldJob();
        uint256 gas = gasleft();
        reject(jobId, crowd(40), true);
        assertLe(gas - gasleft(), 5_000_000, "reject");
        warpPastJob(jobId);
        gas = gasleft();
        game.distributeSlash(jobId);
        assertLe(gas - gasleft(), 5_000_000, "divide");
    }

    /* CURED AND VOIDED */

    function test_cureFor__within_the_airgap__as_a_proof() public {
        JobId jobId = heldJob();
        reject(jobId, only(STRANGER), true);
        uint256 free = accountOf(OWNER).free;
        vm.warp(START + AIRGAP);
        vm.expectEmit(address(game));
        emit IDisputeGame.SlashCured(jobId, WORKER);
        vm.prank(vault.PINPOINT());
        game.cureFor(jobId, WORKER);
        assertEq(accountOf(OWNER).free - free, LOCK * 80 / 100, "most of the lock");
        assertConserved();
    }

    function test_cureFor__late_or_without_default__reverts() public {
        JobId jobId = heldJob();
        bytes memory call = abi.encodeCall(IDisputeGame.cureFor, (jobId, OWNER));
        checkPinpointRefused(call, abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, jobId));
        reject(jobId, only(STRANGER), true);
        (uint256 until, uint256 time) = (START + AIRGAP, START + AIRGAP + 1);
        vm.warp(time);
        checkPinpointRefused(call, abi.encodeWithSelector(IDisputeGame.AirgapOver.selector, jobId, until, time));
    }

    function test_voidFor__outside_the_refund_mode__reverts() public {
        JobId jobId = heldJob();
        checkPinpointRefused(abi.encodeCall(IDisputeGame.voidFor, (jobId)), noRefundMode());
    }

    function test_voidFor__gives_everything_back() public {
        JobId jobId = heldJob();
        enterRefundMode();
        vm.prank(vault.PINPOINT());
        game.voidFor(jobId);
        assertState(jobId, JobState.VOIDED);
        assertEq(accountOf(CLIENT).credit, FEE, "fee");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertConserved();
    }

    function test_voidFor__proof_due__is_prove_its_to_void() public {
        JobId jobId = heldJob();
        challenge(jobId);
        enterRefundMode();
        bytes memory call = abi.encodeCall(IDisputeGame.voidFor, (jobId));
        checkPinpointRefused(call, wrongDispute(jobId, DisputeState.NONE));
        game.voidDispute(jobId);
        assertState(jobId, JobState.VOIDED);
        assertConserved();
    }

    /* AUDITS */

    function test_auditFor__demands_a_proof_without_a_bond() public {
        JobId jobId = committedJob();
        vm.expectEmit(address(game));
        emit IDisputeGame.ResultAudited(jobId);
        audit(jobId);
        Dispute memory dispute = game.getDispute(jobId);
        assertEq(uint256(dispute.state), uint256(DisputeState.OPEN), "state");
        assertEq(dispute.challenger, address(0), "nobody");
        assertTrue(game.isAudited(jobId), "audited");
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
        assertConserved();
    }

    function test_auditFor__late_or_another_result__reverts() public {
        JobId jobId = committedJob();
        bytes memory call = abi.encodeCall(IDisputeGame.auditFor, (jobId, IN_DIGEST));
        bytes memory expected =
            abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, IN_DIGEST);
        checkRefused(jobId, vault.AUDITS(), address(game), 0, call, expected);
        warpPastJob(jobId);
        call = abi.encodeCall(IDisputeGame.auditFor, (jobId, OUT_DIGEST));
        checkRefused(jobId, vault.AUDITS(), address(game), 0, call, tooLate(jobId));
    }

    function test_auditFor__default__burns_300_fees_of_other_stake() public {
        JobId jobId = committedJob();
        audit(jobId);
        uint256 free = accountOf(OWNER).free;
        defaultJob(jobId);
        // 0.6 of 9.93 ether, to the hundredth of a percent above.
        assertEq(free - accountOf(OWNER).free, free * 605 / 10_000, "burned");
        assertLe(300 * uint256(FEE), free - accountOf(OWNER).free, "at least 300 fees");
        assertConserved();
    }

    function test_auditFor__default__of_unbonding_stake_too() public {
        JobId jobId = committedJob();
        uint256 free = accountOf(OWNER).free;
        unbond(free - 0.1 ether);
        audit(jobId);
        defaultJob(jobId);
        // The same 605 hundredths of a percent of both.
        assertEq(accountOf(OWNER).free, 0.1 ether - 0.1 ether * 605 / 10_000, "free");
        assertEq(accountOf(OWNER).unbonding, (free - 0.1 ether) - (free - 0.1 ether) * 605 / 10_000, "unbonding");
        assertConserved();
    }

    function test_auditFor__poor_operator__loses_all_its_stake() public {
        JobId jobId = committedJob();
        unbond(accountOf(OWNER).free);
        vm.warp(START + WINDOW);
        audit(jobId);
        vm.warp(START + localPreset().unbondSeconds);
        vm.startPrank(OWNER);
        vault.withdrawUnbonded(ETH);
        vault.deposit{value: 0.5 ether}(ETH, 0.5 ether);
        vm.stopPrank();
        game.claimDefault(jobId);
        assertEq(accountOf(OWNER).free, 0, "all of it");
        assertConserved();
    }

    function unbond(uint256 amount) private {
        vm.prank(OWNER);
        vault.requestUnbond(ETH, uint96(amount));
    }

    /// @notice An accomplice who challenges first does not spare an operator the audit's slash.
    function test_auditFor__of_a_challenged_job__is_marked() public {
        JobId jobId = challengedJob();
        audit(jobId);
        assertEq(game.getDispute(jobId).challenger, CHALLENGER, "the dispute stays");
        uint256 free = accountOf(OWNER).free;
        defaultJob(jobId);
        assertLe(300 * uint256(FEE), free - accountOf(OWNER).free, "at least 300 fees");
        assertConserved();
    }

    function test_auditFor__then_refuted_by_pinpointing__slashed_all_the_same() public {
        JobId jobId = heldJob();
        audit(jobId);
        uint256 free = accountOf(OWNER).free;
        uint256 state = vm.snapshotState();
        reject(jobId, only(STRANGER), true);
        assertLe(300 * uint256(FEE), free - accountOf(OWNER).free, "silence does not evade it");
        vm.revertToState(state);
        reject(jobId, only(STRANGER), false);
        assertLe(300 * uint256(FEE), free - accountOf(OWNER).free, "nor does being wrong");
        assertConserved();
    }
}
