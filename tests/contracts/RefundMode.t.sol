// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {DisputeState, SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobParams, JobState} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice The refund mode gives everybody its own money back, and stops everything else.
contract RefundModeTest is JobSteps {
    function checkVoidJobRefused(JobId jobId, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IJobMarket.voidJob, (jobId));
        checkRefused(jobId, STRANGER, address(market), 0, call, expected);
    }

    function checkVoidDisputeRefused(JobId jobId, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IDisputeGame.voidDispute, (jobId));
        checkRefused(jobId, STRANGER, address(game), 0, call, expected);
    }

    /* WITHOUT IT */

    function test_voids__without_the_refund_mode__revert() public {
        checkVoidJobRefused(createJob(), noRefundMode());
        checkVoidDisputeRefused(challengedJob(), noRefundMode());
        checkVoidDisputeRefused(defaultedJob(), noRefundMode());
    }

    /* WHAT IT STOPS */

    function test_every_step__in_the_refund_mode__reverts() public {
        JobId open = createJob();
        JobId assigned = acceptedJob();
        JobId committed = committedJob();
        JobId disputed = challengedJob();
        JobId proofJob = createProofJob(FEE);
        accept(proofJob);
        commit(proofJob);
        JobParams memory params = jobParams(FEE);
        uint32[] memory dims = new uint32[](0);
        enterRefundMode();
        bytes memory stopped = refundMode();

        address m = address(market);
        checkRefused(open, CLIENT, m, FEE, abi.encodeCall(IJobMarket.createJob, (params)), stopped);
        checkRefused(open, CLIENT, m, 0, abi.encodeCall(IJobMarket.cancelJob, (open)), stopped);
        checkRefused(open, WORKER, m, 0, abi.encodeCall(IJobMarket.acceptJob, (open)), stopped);
        checkRefused(assigned, WORKER, m, 0, abi.encodeCall(IJobMarket.rejectJob, (assigned)), stopped);
        bytes memory commitCall = abi.encodeCall(IJobMarket.commitResult, (assigned, OUT_DIGEST, ""));
        checkRefused(assigned, WORKER, m, 0, commitCall, stopped);
        checkRefused(committed, CLIENT, m, FEE, abi.encodeCall(IJobMarket.requestDelivery, (committed)), stopped);
        bytes memory deliverCall = abi.encodeCall(IJobMarket.deliverOutput, (committed, 1, dims, ""));
        checkRefused(committed, WORKER, m, 0, deliverCall, stopped);
        checkGameStopped(committed, disputed, proofJob, stopped);
        vm.warp(START + 1000);
        checkRefused(open, STRANGER, m, 0, abi.encodeCall(IJobMarket.expireJob, (open)), stopped);
        checkRefused(assigned, STRANGER, m, 0, abi.encodeCall(IJobMarket.failJob, (assigned)), stopped);
        checkRefused(committed, STRANGER, m, 0, abi.encodeCall(IJobMarket.finalise, (committed)), stopped);
        bytes memory defaultCall = abi.encodeCall(IDisputeGame.claimDefault, (disputed));
        checkRefused(disputed, STRANGER, address(game), 0, defaultCall, stopped);
    }

    function checkGameStopped(JobId committed, JobId disputed, JobId proofJob, bytes memory stopped) private {
        address g = address(game);
        bytes memory call = abi.encodeCall(IDisputeGame.challenge, (committed, OUT_DIGEST));
        checkRefused(committed, CHALLENGER, g, BOND, call, stopped);
        call = abi.encodeCall(IDisputeGame.challenge, (disputed, OUT_DIGEST));
        checkRefused(disputed, STRANGER, g, BOND, call, stopped);
        call = abi.encodeCall(IDisputeGame.requestProof, (proofJob, OUT_DIGEST));
        checkRefused(proofJob, STRANGER, g, 0, call, stopped);
        call = abi.encodeCall(IDisputeGame.prove, (disputed, termsOf(disputed), "input", "output", "proof"));
        checkRefused(disputed, WORKER, g, 0, call, stopped);
        (SignedResult memory first, SignedResult memory second) = equivocation(committed);
        call = abi.encodeCall(IDisputeGame.proveEquivocation, (committed, first, second, 0));
        checkRefused(committed, STRANGER, g, 0, call, stopped);
    }

    /// @dev Announced by STRANGER.
    function equivocation(JobId jobId) private returns (SignedResult memory first, SignedResult memory second) {
        bytes32 other = keccak256("another result");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(3, game.hashResult(jobId, other));
        (first, second) = (SignedResult(OUT_DIGEST, ""), SignedResult(other, abi.encodePacked(r, s, v)));
        game.announceEvidence(keccak256(abi.encode(STRANGER, jobId, first, second, bytes32(0))));
        vm.roll(block.number + 1);
    }

    function test_cure__in_the_refund_mode__reverts() public {
        JobId jobId = defaultedJob();
        enterRefundMode();
        bytes memory call = abi.encodeCall(IDisputeGame.cure, (jobId, termsOf(jobId), "input", "output", "proof"));
        checkRefused(jobId, WORKER, address(game), 0, call, refundMode());
    }

    /* JOBS */

    function test_voidJob__disputed_or_terminal__reverts() public {
        JobId final_ = committedJob();
        JobId proven = challengedJob();
        proveAs(WORKER, proven);
        warpPastJob(final_);
        market.finalise(final_);
        JobId[3] memory jobIds = [final_, proven, challengedJob()];
        enterRefundMode();
        for (uint256 i = 0; i < jobIds.length; ++i) {
            checkVoidJobRefused(jobIds[i], wrongState(jobIds[i], JobState.OPEN));
        }
    }

    function test_voidJob__open__refunds() public {
        JobId jobId = createJob();
        enterRefundMode();
        vm.expectEmit(address(market));
        emit IJobMarket.JobVoided(jobId);
        vm.prank(STRANGER);
        market.voidJob(jobId);
        assertState(jobId, JobState.VOIDED);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertSettled(jobId);
        checkVoidJobRefused(jobId, wrongState(jobId, JobState.OPEN));
    }

    function test_voidJob__assigned__refunds_and_releases() public {
        JobId jobId = acceptedJob();
        // Overdue or not: nobody could do its part any more.
        vm.warp(START + 1000);
        enterRefundMode();
        market.voidJob(jobId);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertEq(vault.getStanding(OWNER).misses, 0, "no miss");
        assertSettled(jobId);
    }

    function test_voidJob__committed_with_a_delivery__refunds_both() public {
        JobId jobId = committedJob();
        uint256 payment = market.computeDeliveryPayment(jobId);
        vm.prank(CLIENT);
        market.requestDelivery{value: payment}(jobId);
        enterRefundMode();
        market.voidJob(jobId);
        assertEq(accountOf(CLIENT).credit, FEE + payment, "refund");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertSettled(jobId);
    }

    function test_voidJob__in_tokens__refunds_tokens() public {
        JobId jobId = createTokenJob(FEE);
        accept(jobId);
        enterRefundMode();
        market.voidJob(jobId);
        assertEq(tokenAccountOf(CLIENT).credit, FEE, "refund");
        assertEq(tokenAccountOf(OWNER).free, STAKE, "stake");
        assertSettled(jobId);
    }

    /* DISPUTES */

    function test_voidDispute__no_dispute__reverts() public {
        JobId jobId = committedJob();
        enterRefundMode();
        checkVoidDisputeRefused(jobId, abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, jobId));
    }

    function test_voidDispute__resolved__reverts() public {
        JobId proven = challengedJob();
        proveAs(WORKER, proven);
        JobId cured = defaultedJob();
        cureAs(WORKER, cured);
        JobId[2] memory jobIds = [proven, cured];
        enterRefundMode();
        for (uint256 i = 0; i < jobIds.length; ++i) {
            DisputeState state = game.getDispute(jobIds[i]).state;
            bytes memory expected =
                abi.encodeWithSelector(IDisputeGame.WrongDisputeState.selector, jobIds[i], state, DisputeState.DEFAULT);
            checkVoidDisputeRefused(jobIds[i], expected);
        }
    }

    function test_voidDispute__open__gives_bonds_escrow_and_lock_back() public {
        JobId jobId = challengedJob();
        challengeAs(STRANGER, jobId);
        enterRefundMode();
        vm.expectEmit(address(game));
        emit IDisputeGame.DisputeVoided(jobId);
        game.voidDispute(jobId);
        assertState(jobId, JobState.VOIDED);
        assertDispute(jobId, DisputeState.VOIDED);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertEq(accountOf(CHALLENGER).credit, BOND, "first bond (I6)");
        assertEq(accountOf(STRANGER).credit, BOND, "second bond (I6)");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertEq(vault.burned(ETH), 0, "nothing burned");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertSettled(jobId);
    }

    function test_voidDispute__requested_proof__has_no_bond_to_return() public {
        JobId jobId = createProofJob(FEE);
        accept(jobId);
        commit(jobId);
        game.requestProof(jobId, OUT_DIGEST);
        enterRefundMode();
        game.voidDispute(jobId);
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertSettled(jobId);
    }

    function test_voidDispute__within_the_airgap__gives_the_lock_back() public {
        JobId jobId = defaultedJob();
        enterRefundMode();
        vm.warp(market.getJob(jobId).deadline);
        game.voidDispute(jobId);
        assertState(jobId, JobState.REJECTED);
        assertDispute(jobId, DisputeState.VOIDED);
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond");
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertEq(vault.burned(ETH), 0, "nothing burned");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertLock(jobId, LockStatus.DIVIDED);
        assertSettled(jobId);
        checkVoidDisputeRefused(
            jobId,
            abi.encodeWithSelector(
                IDisputeGame.WrongDisputeState.selector, jobId, DisputeState.VOIDED, DisputeState.DEFAULT
            )
        );
    }

    function test_voidDispute__fraud_within_the_airgap__gives_the_lock_back() public {
        JobId jobId = committedJob();
        (SignedResult memory first, SignedResult memory second) = equivocation(jobId);
        vm.prank(STRANGER);
        game.proveEquivocation(jobId, first, second, 0);
        enterRefundMode();
        game.voidDispute(jobId);
        assertEq(accountOf(OWNER).free, STAKE - (STAKE - LOCK) / 10, "the burned tenth is gone");
        assertSettled(jobId);
    }

    function test_voidDispute__after_the_airgap__reverts_and_the_slash_is_divided() public {
        JobId jobId = defaultedJob();
        uint256 until = market.getJob(jobId).deadline;
        enterRefundMode();
        vm.warp(until + 1);
        checkVoidDisputeRefused(jobId, tooLate(jobId, until));
        game.distributeSlash(jobId);
        assertEq(accountOf(CLIENT).credit, FEE + LOCK * 40 / 100, "client");
        assertSettled(jobId);
    }

    /// @notice Voiding waits for nobody: a pause that stands when the refund mode begins stops it no more.
    function test_voids__while_the_clock_stands__work() public {
        JobId jobId = acceptedJob();
        JobId disputed = challengedJob();
        actAsGuardian(IGuardian.Action.PAUSE);
        enterRefundMode();
        market.voidJob(jobId);
        game.voidDispute(disputed);
        assertSettled(jobId);
        assertSettled(disputed);
    }

    /* FUZZ */

    /// @notice Whatever was going on, in the refund mode all go home with exactly what they brought.
    function testFuzz_refund__returns_exactly_what_was_brought(uint96 fee, uint64 baseFee, uint8 stage) public {
        vm.fee(bound(baseFee, 0, 1000 gwei));
        vm.deal(OWNER, 1000 ether);
        vm.prank(OWNER);
        vault.deposit{value: 1000 ether}(ETH, 1000 ether);
        fee = uint96(bound(fee, 1, 20 ether));
        uint256 stake = sumAccount(ETH, OWNER);
        JobId jobId = createJob(fee);
        stage = uint8(bound(stage, 0, 4));
        if (stage > 0) accept(jobId);
        if (stage > 1) commit(jobId);
        uint256 bond = game.requiredBond(jobId);
        if (stage > 2) challenge(jobId);
        if (stage > 3) defaultJob(jobId);
        enterRefundMode();
        if (stage < 3) market.voidJob(jobId);
        else game.voidDispute(jobId);
        assertEq(accountOf(CLIENT).credit, fee, "client");
        assertEq(accountOf(CHALLENGER).credit, stage > 2 ? bond : 0, "challenger");
        assertEq(accountOf(OWNER).free, stake, "operator");
        assertEq(vault.burned(ETH), 0, "burned");
        assertSettled(jobId);
    }
}
