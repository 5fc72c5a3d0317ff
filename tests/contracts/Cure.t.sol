// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {DisputeState, SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState, JobTerms} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice The airgap: a slashed lock is divided after it, or cured within it.
contract CureTest is JobSteps {
    uint256 private constant DEFAULTED = START + PROVE + 1;

    function wrongDispute(JobId jobId, DisputeState required) private view returns (bytes memory) {
        DisputeState state = game.getDispute(jobId).state;
        return abi.encodeWithSelector(IDisputeGame.WrongDisputeState.selector, jobId, state, required);
    }

    function checkCureRefused(JobId jobId, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IDisputeGame.cure, (jobId, termsOf(jobId), "input", "output", "proof"));
        checkRefused(jobId, WORKER, address(game), 0, call, expected);
    }

    function checkDistributeRefused(JobId jobId, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IDisputeGame.distributeSlash, (jobId));
        checkRefused(jobId, STRANGER, address(game), 0, call, expected);
    }

    function fraudulentJob() private returns (JobId jobId) {
        jobId = committedJob();
        bytes32 other = keccak256("another result");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(3, game.hashResult(jobId, other));
        SignedResult memory first = SignedResult(OUT_DIGEST, "");
        SignedResult memory second = SignedResult(other, abi.encodePacked(r, s, v));
        game.announceEvidence(keccak256(abi.encode(STRANGER, jobId, first, second, bytes32(0))));
        vm.roll(block.number + 1);
        vm.prank(STRANGER);
        game.proveEquivocation(jobId, first, second, 0);
    }

    /* CURE */

    function test_cure__no_default__reverts() public {
        JobId jobId = committedJob();
        checkCureRefused(jobId, abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, jobId));
        challenge(jobId);
        checkCureRefused(jobId, wrongDispute(jobId, DisputeState.DEFAULT));
        proveAs(WORKER, jobId);
        checkCureRefused(jobId, wrongDispute(jobId, DisputeState.DEFAULT));
    }

    function test_cure__fraud__reverts() public {
        JobId jobId = fraudulentJob();
        checkCureRefused(jobId, wrongDispute(jobId, DisputeState.DEFAULT));
    }

    function test_cure__one_second_late__reverts() public {
        JobId jobId = defaultedJob();
        vm.warp(DEFAULTED + AIRGAP + 1);
        checkCureRefused(
            jobId,
            abi.encodeWithSelector(IDisputeGame.AirgapOver.selector, jobId, DEFAULTED + AIRGAP, DEFAULTED + AIRGAP + 1)
        );
    }

    function test_cure__refused_proof__changes_nothing() public {
        JobId jobId = defaultedJob();
        verifier.setMode(MockVerifier.Mode.REJECT);
        checkCureRefused(jobId, abi.encodeWithSelector(IProofVerifier.PairingFailed.selector));
    }

    function test_cure__terms_of_another_job__revert() public {
        JobId jobId = defaultedJob();
        JobTerms memory terms = termsOf(jobId);
        terms.salt += 1;
        bytes memory call = abi.encodeCall(IDisputeGame.cure, (jobId, terms, "input", "output", "proof"));
        bytes memory expected =
            abi.encodeWithSelector(IDisputeGame.WrongTerms.selector, jobId, market.computeJobId(terms));
        checkRefused(jobId, WORKER, address(game), 0, call, expected);
    }

    function test_cure__twice_or_after_the_division__reverts() public {
        JobId cured = defaultedJob();
        cureAs(WORKER, cured);
        checkCureRefused(cured, wrongDispute(cured, DisputeState.DEFAULT));
        checkDistributeRefused(cured, wrongDispute(cured, DisputeState.DEFAULT));
    }

    function test_cure__statement_is_that_of_the_challenge() public {
        JobId jobId = defaultedJob();
        verifier.expectStatement(game.getStatement(jobId, termsOf(jobId), WORKER));
        bytes32 got = keccak256(abi.encode(game.getStatement(jobId, termsOf(jobId), STRANGER)));
        bytes memory expected =
            abi.encodeWithSelector(MockVerifier.UnexpectedStatement.selector, got, verifier.expectedStatement());
        vm.expectRevert(expected);
        cureAs(STRANGER, jobId);
        cureAs(WORKER, jobId);
        assertDispute(jobId, DisputeState.CURED);
    }

    function test_cure__on_the_last_second__gives_four_fifths_back() public {
        JobId jobId = defaultedJob();
        vm.warp(DEFAULTED + AIRGAP);
        vm.expectEmit(address(game));
        emit IDisputeGame.SlashCured(jobId, STRANGER);
        // Anybody may, the operator gets it.
        cureAs(STRANGER, jobId);
        assertState(jobId, JobState.REJECTED);
        assertDispute(jobId, DisputeState.CURED);
        assertEq(accountOf(OWNER).free, STAKE - LOCK / 5, "operator");
        assertEq(accountOf(CLIENT).credit, FEE + LOCK / 10, "client");
        assertEq(accountOf(CHALLENGER).credit, BOND + LOCK / 20, "challenger");
        assertEq(vault.burned(ETH), LOCK / 20, "burned");
        assertEq(sumAccount(ETH, STRANGER), 0, "prover");
        assertLock(jobId, LockStatus.DIVIDED);
        assertSettled(jobId);
    }

    function test_cure__in_tokens__returns_tokens() public {
        JobId jobId = createTokenJob(FEE);
        accept(jobId);
        commit(jobId);
        challenge(jobId);
        defaultJob(jobId);
        cureAs(WORKER, jobId);
        assertEq(tokenAccountOf(OWNER).free, STAKE - LOCK / 5, "operator");
        assertEq(tokenAccountOf(CHALLENGER).credit, LOCK / 20, "challenger's share");
        assertEq(accountOf(CHALLENGER).credit, BOND, "challenger's bond is ETH");
        assertSettled(jobId);
    }

    function test_cure__while_paused__reverts_and_the_airgap_waits() public {
        JobId jobId = defaultedJob();
        actAsGuardian(IGuardian.Action.PAUSE);
        bytes memory paused = abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, block.timestamp + 72 hours);
        checkCureRefused(jobId, paused);
        vm.warp(block.timestamp + 72 hours + AIRGAP);
        cureAs(WORKER, jobId);
        assertDispute(jobId, DisputeState.CURED);
    }

    /* DISTRIBUTE */

    function test_distributeSlash__no_slash__reverts() public {
        JobId jobId = committedJob();
        checkDistributeRefused(jobId, abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, jobId));
        challenge(jobId);
        checkDistributeRefused(jobId, wrongDispute(jobId, DisputeState.DEFAULT));
        proveAs(WORKER, jobId);
        checkDistributeRefused(jobId, wrongDispute(jobId, DisputeState.DEFAULT));
    }

    function test_distributeSlash__on_the_last_second_of_the_airgap__reverts() public {
        JobId jobId = defaultedJob();
        vm.warp(DEFAULTED + AIRGAP);
        checkDistributeRefused(
            jobId,
            abi.encodeWithSelector(IDisputeGame.AirgapRunning.selector, jobId, DEFAULTED + AIRGAP, DEFAULTED + AIRGAP)
        );
    }

    function test_distributeSlash__while_paused__reverts() public {
        JobId jobId = defaultedJob();
        warpPastJob(jobId);
        actAsGuardian(IGuardian.Action.PAUSE);
        checkDistributeRefused(
            jobId, abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, block.timestamp + 72 hours)
        );
    }

    function test_distributeSlash__after_the_airgap__divides_40_35_25() public {
        JobId jobId = defaultedJob();
        vm.warp(DEFAULTED + AIRGAP + 1);
        vm.expectEmit(address(game));
        emit IDisputeGame.SlashDistributed(jobId);
        vm.prank(STRANGER);
        game.distributeSlash(jobId);
        assertState(jobId, JobState.REJECTED);
        assertDispute(jobId, DisputeState.DISTRIBUTED);
        assertEq(accountOf(CLIENT).credit, FEE + LOCK * 40 / 100, "client");
        assertEq(accountOf(CHALLENGER).credit, BOND + LOCK * 35 / 100, "challenger");
        assertEq(vault.burned(ETH), LOCK * 25 / 100, "burned");
        assertEq(sumAccount(ETH, OWNER), STAKE - LOCK, "operator");
        assertLock(jobId, LockStatus.DIVIDED);
        assertSettled(jobId);
        checkDistributeRefused(jobId, wrongDispute(jobId, DisputeState.DEFAULT));
    }

    function test_distributeSlash__fraud__pays_the_reporter() public {
        JobId jobId = fraudulentJob();
        vm.warp(START + AIRGAP);
        checkDistributeRefused(
            jobId, abi.encodeWithSelector(IDisputeGame.AirgapRunning.selector, jobId, START + AIRGAP, START + AIRGAP)
        );
        distribute(jobId);
        assertEq(accountOf(STRANGER).credit, LOCK * 35 / 100, "reporter");
        assertSettled(jobId);
    }

    /// @notice No lock is so large that its shares could not be credited.
    function test_largest_lock__is_slashed_and_divided__a_larger_one_refused() public {
        uint96 fee = type(uint80).max / 35;
        uint256 lock = 35 * uint256(fee);
        vm.deal(CLIENT, 3 * uint256(fee));
        vm.deal(OWNER, 2 * lock);
        vm.prank(OWNER);
        vault.deposit{value: 2 * lock}(ETH, 2 * lock);
        JobId jobId = createJob(fee + 1);
        bytes memory expected = abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 80, lock + 35);
        checkRefused(jobId, WORKER, address(market), 0, abi.encodeCall(IJobMarket.acceptJob, (jobId)), expected);
        jobId = createJob(fee);
        accept(jobId);
        commit(jobId);
        challenge(jobId);
        defaultJob(jobId);
        distribute(jobId);
        assertEq(accountOf(CLIENT).credit, fee + lock * 40 / 100, "client");
        assertSettled(jobId);
    }
}
