// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IQuorum} from "../../contracts/interfaces/IQuorum.sol";
import {SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {QuorumAssurance, QuorumState, ReplicaState} from "../../contracts/types/Quorum.sol";
import {QuorumSteps} from "./QuorumSteps.sol";

/// @notice From opened results to the end: who is provisional, whom jobs decide about, who is paid and who pays.
contract QuorumRoundsTest is QuorumSteps {
    int256 private constant PAY = int256(uint256(FEE)) * 99 / 100; // less the protocol's share

    function wrongQuorum(JobId id, QuorumState required) private view returns (bytes memory) {
        return abi.encodeWithSelector(IQuorum.WrongQuorumState.selector, id, stateOfQuorum(id), required);
    }

    function wrongReplica(JobId id, uint256 i, ReplicaState required) private view returns (bytes memory) {
        ReplicaState state = i < quorum.getReplicas(id).length ? quorum.getReplicas(id)[i].state : ReplicaState.NONE;
        return abi.encodeWithSelector(IQuorum.WrongReplicaState.selector, id, i, state, required);
    }

    function late(JobId id) private view returns (bytes memory) {
        uint256 deadline = quorum.getQuorum(id).deadline;
        return abi.encodeWithSelector(IJobMarket.DeadlinePassed.selector, id, deadline, block.timestamp);
    }

    function early(JobId id) private view returns (bytes memory) {
        uint256 deadline = quorum.getQuorum(id).deadline;
        return abi.encodeWithSelector(IJobMarket.DeadlineNotReached.selector, id, deadline, block.timestamp);
    }

    function pending(JobId id, uint256 i) private view returns (bytes memory) {
        return abi.encodeWithSelector(IQuorum.ReplicaPending.selector, id, i, quorum.computeReplicaJobId(id, i));
    }

    function revealCall(JobId id, uint256 i, bytes32 digest, bytes32 salt) private pure returns (bytes memory) {
        return abi.encodeCall(IQuorum.reveal, (id, i, digest, salt));
    }

    function committed(uint8 count) private returns (JobId id) {
        id = drawn(count);
        for (uint256 i = 0; i < count; ++i) {
            commitTo(id, i, OUT_DIGEST);
        }
    }

    /* reveal */

    function test_reveal__not_what_was_committed__reverts() public {
        JobId id = committed(3);
        JobId job = quorum.computeReplicaJobId(id, 1);
        bytes32 commitment = blind(id, 1, OUT_DIGEST);
        bytes32 got = quorum.hashCommitment(job, operatorOf(id, 1), WRONG, saltOf(1));
        bytes memory reason = abi.encodeWithSelector(IQuorum.WrongOpening.selector, id, 1, got, commitment);
        checkQuorumRefused(id, STRANGER, 0, revealCall(id, 1, WRONG, saltOf(1)), reason);
        got = quorum.hashCommitment(job, operatorOf(id, 1), OUT_DIGEST, saltOf(2));
        reason = abi.encodeWithSelector(IQuorum.WrongOpening.selector, id, 1, got, commitment);
        checkQuorumRefused(id, STRANGER, 0, revealCall(id, 1, OUT_DIGEST, saltOf(2)), reason);
        bytes memory zero = abi.encodeWithSelector(IJobMarket.ZeroDigest.selector);
        checkQuorumRefused(id, STRANGER, 0, revealCall(id, 1, 0, saltOf(1)), zero);
    }

    function test_reveal__anothers_opening__reverts() public {
        // Who copies what another opened has committed to nothing that says so (I15).
        JobId id = committed(3);
        revealTo(id, 0, OUT_DIGEST);
        bytes32 got = quorum.hashCommitment(quorum.computeReplicaJobId(id, 1), operatorOf(id, 1), OUT_DIGEST, saltOf(0));
        bytes32 commitment = blind(id, 1, OUT_DIGEST);
        bytes memory reason = abi.encodeWithSelector(IQuorum.WrongOpening.selector, id, 1, got, commitment);
        checkQuorumRefused(id, workerOf(id, 1), 0, revealCall(id, 1, OUT_DIGEST, saltOf(0)), reason);
    }

    function test_reveal__too_early_twice_or_late__reverts() public {
        JobId id = drawn(3);
        commitTo(id, 0, OUT_DIGEST);
        bytes memory call = revealCall(id, 0, OUT_DIGEST, saltOf(0));
        checkQuorumRefused(id, STRANGER, 0, call, wrongQuorum(id, QuorumState.REVEALING));
        commitTo(id, 1, OUT_DIGEST);
        commitTo(id, 2, OUT_DIGEST);
        revealTo(id, 0, OUT_DIGEST);
        checkQuorumRefused(id, STRANGER, 0, call, wrongReplica(id, 0, ReplicaState.COMMITTED));
        checkQuorumRefused(
            id, STRANGER, 0, revealCall(id, 3, OUT_DIGEST, saltOf(0)), wrongReplica(id, 3, ReplicaState.COMMITTED)
        );
        warpPast(quorum.getQuorum(id).deadline);
        checkQuorumRefused(id, STRANGER, 0, revealCall(id, 1, OUT_DIGEST, saltOf(1)), late(id));
        vm.warp(quorum.getQuorum(id).deadline);
        revealTo(id, 1, OUT_DIGEST);
    }

    /* tally */

    function test_tally__while_an_opening_may_come__reverts() public {
        JobId id = committed(3);
        revealTo(id, 0, OUT_DIGEST);
        revealTo(id, 1, OUT_DIGEST);
        vm.warp(quorum.getQuorum(id).deadline);
        checkQuorumRefused(id, STRANGER, 0, abi.encodeCall(IQuorum.tally, (id)), early(id));
        revealTo(id, 2, OUT_DIGEST);
        quorum.tally(id);
        assertQuorum(id, QuorumState.PROVISIONAL);
        checkQuorumRefused(id, STRANGER, 0, abi.encodeCall(IQuorum.tally, (id)), wrongQuorum(id, QuorumState.REVEALING));
    }

    function test_tally__one_replica__is_provisional() public {
        JobId id = tallied(say(OUT_DIGEST));
        assertQuorum(id, QuorumState.PROVISIONAL);
        endRound(id);
        assertAssurance(id, QuorumAssurance.UNCHALLENGED);
        assertGain(operatorOf(id, 0), PAY, "paid");
        assertAllSettled(id);
    }

    function test_tally__unrevealed__loses_the_whole_lock() public {
        JobId id = committed(3);
        revealTo(id, 0, OUT_DIGEST);
        revealTo(id, 1, OUT_DIGEST);
        uint256 before = accountOf(CLIENT).credit;
        uint256 burned = vault.burned(ETH);
        warpPast(quorum.getQuorum(id).deadline);
        quorum.tally(id);
        assertReplica(id, 2, ReplicaState.SLASHED);
        assertGain(operatorOf(id, 2), -int256(LOCK), "whole lock");
        assertEq(accountOf(CLIENT).credit - before, FEE + LOCK * 40 / 100, "fee and 40 % of the lock");
        assertEq(vault.burned(ETH) - burned, LOCK - LOCK * 40 / 100, "rest burned");
        assertTrue(vault.getStanding(operatorOf(id, 2)).jailedUntil != 0, "jailed");
        endRound(id);
        assertAssurance(id, QuorumAssurance.QUORUM);
        assertAllSettled(id);
    }

    function test_tally__uncommitted__pays_the_miss() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, 0));
        assertReplica(id, 2, ReplicaState.MISSED);
        assertGain(operatorOf(id, 2), -int256(uint256(MISS)), "S_miss");
        assertEq(vault.getStanding(operatorOf(id, 2)).misses, 1, "a miss");
        endRound(id);
        assertAssurance(id, QuorumAssurance.QUORUM);
        assertAllSettled(id);
    }

    function test_tally__too_few_reveals__fails_with_refunds() public {
        JobId id = committed(3);
        revealTo(id, 1, OUT_DIGEST);
        uint256 before = accountOf(CLIENT).credit;
        warpPast(quorum.getQuorum(id).deadline);
        quorum.tally(id);
        assertQuorum(id, QuorumState.FAILED);
        assertReplica(id, 1, ReplicaState.RELEASED);
        assertGain(operatorOf(id, 1), 0, "lock back");
        assertEq(accountOf(CLIENT).credit - before, 3 * FEE + 2 * (LOCK * 40 / 100), "fees and shares");
        assertAssurance(id, QuorumAssurance.NONE);
        assertAllSettled(id);
    }

    function test_tally__ties_and_pluralities__are_split() public {
        bytes32 third = keccak256("third");
        JobId[3] memory ids = [
            tallied(say(OUT_DIGEST, WRONG, third)),
            tallied(say(OUT_DIGEST, WRONG, 0)),
            // The most, but not more than half of those ordered.
            tallied(say(OUT_DIGEST, OUT_DIGEST, WRONG, third, 0))
        ];
        for (uint256 i = 0; i < 3; ++i) {
            assertQuorum(ids[i], QuorumState.SPLIT);
            assertEq(quorum.getQuorum(ids[i]).outDigest, bytes32(0), "no result");
        }
    }

    /* WITHOUT A DISPUTE */

    function test_settle__majority__paid_and_silent_minority_fined() public {
        JobId id = tallied(say(OUT_DIGEST, WRONG, OUT_DIGEST));
        uint256 before = accountOf(CLIENT).credit;
        bytes memory call = abi.encodeCall(IQuorum.settle, (id));
        vm.warp(quorum.getQuorum(id).deadline);
        checkQuorumRefused(id, STRANGER, 0, call, early(id));
        endRound(id);
        assertQuorum(id, QuorumState.FINAL);
        assertAssurance(id, QuorumAssurance.QUORUM);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "result");
        assertGain(operatorOf(id, 0), PAY, "first paid");
        assertGain(operatorOf(id, 2), PAY, "third paid");
        // Votes never slash: the fee and S_miss, no strike.
        assertReplica(id, 1, ReplicaState.SILENT);
        assertGain(operatorOf(id, 1), -int256(uint256(MISS)), "S_miss");
        assertEq(vault.getStanding(operatorOf(id, 1)).misses, 0, "no miss");
        assertEq(accountOf(CLIENT).credit - before, FEE + MISS / 2, "client");
        assertAllSettled(id);
        checkQuorumRefused(id, STRANGER, 0, call, wrongQuorum(id, QuorumState.PROVISIONAL));
    }

    function test_settle__split_without_a_job__fails_and_slashes_nobody() public {
        JobId id = tallied(say(OUT_DIGEST, WRONG, keccak256("third")));
        uint256 before = accountOf(CLIENT).credit;
        endRound(id);
        assertQuorum(id, QuorumState.FAILED);
        for (uint256 i = 0; i < 3; ++i) {
            assertReplica(id, i, ReplicaState.RELEASED);
            assertGain(operatorOf(id, i), 0, "lock back");
        }
        assertEq(accountOf(CLIENT).credit - before, 3 * FEE, "fees back");
        assertAllSettled(id);
    }

    function test_settle__in_time_or_by_those_concerned__pays_no_keeper() public {
        JobId id = tallied(say(OUT_DIGEST));
        vm.warp(quorum.getQuorum(id).deadline + 10);
        vm.prank(STRANGER);
        quorum.settle(id);
        assertEq(accountOf(STRANGER).credit, 0, "at the last second of the delay");
        id = tallied(say(OUT_DIGEST));
        vm.warp(quorum.getQuorum(id).deadline + 11);
        address worker = workerOf(id, 0);
        vm.prank(worker);
        quorum.settle(id);
        assertEq(accountOf(worker).credit, 0, "by the operator's worker");
        id = tallied(say(OUT_DIGEST));
        vm.warp(quorum.getQuorum(id).deadline + 11);
        uint256 before = accountOf(CLIENT).credit;
        vm.prank(CLIENT);
        quorum.settle(id);
        assertEq(accountOf(CLIENT).credit, before, "by the client");
        assertAllSettled(id);
    }

    function test_settle__forgotten__pays_a_keeper() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, OUT_DIGEST));
        vm.warp(quorum.getQuorum(id).deadline + 11);
        vm.prank(STRANGER);
        quorum.settle(id);
        assertEq(accountOf(STRANGER).credit, 3 * uint256(TIP), "tips");
        assertGain(operatorOf(id, 0), PAY - int256(uint256(TIP)), "less the tip");
        assertAllSettled(id);
    }

    function test_settle__royalty__goes_to_the_models_owner() public {
        useRoyalty(1000);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            enlist(i);
        }
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, OUT_DIGEST));
        endRound(id);
        assertEq(accountOf(REGISTRANT).credit, 3 * FEE / 10, "royalties");
        assertAllSettled(id);
    }

    /* JOBS */

    function test_extract__wrong_state_result_or_time__reverts() public {
        JobId id = revealed(say(OUT_DIGEST, WRONG, OUT_DIGEST));
        bytes memory first = abi.encodeCall(IQuorum.extract, (id, 0));
        checkQuorumRefused(id, STRANGER, 0, first, wrongQuorum(id, QuorumState.PROVISIONAL));
        bytes memory challenge = abi.encodeCall(IQuorum.challenge, (id, 0));
        checkQuorumRefused(id, STRANGER, 1 ether, challenge, wrongQuorum(id, QuorumState.PROVISIONAL));
        quorum.tally(id);
        // A minority cannot take itself out to be paid as a job that nobody objected to.
        bytes memory reason = abi.encodeWithSelector(IQuorum.NotProvisional.selector, id, 1);
        checkQuorumRefused(id, STRANGER, 0, abi.encodeCall(IQuorum.extract, (id, 1)), reason);
        checkQuorumRefused(id, STRANGER, 1 ether, abi.encodeCall(IQuorum.challenge, (id, 1)), reason);
        bytes memory fourth = abi.encodeCall(IQuorum.extract, (id, 3));
        checkQuorumRefused(id, STRANGER, 0, fourth, wrongReplica(id, 3, ReplicaState.REVEALED));
        warpPast(quorum.getQuorum(id).deadline);
        checkQuorumRefused(id, STRANGER, 0, first, late(id));
        vm.warp(quorum.getQuorum(id).deadline);
        extract(id, 0);
        checkQuorumRefused(id, STRANGER, 0, first, wrongReplica(id, 0, ReplicaState.REVEALED));
    }

    function test_extract__split__only_by_a_challenge() public {
        JobId id = tallied(say(OUT_DIGEST, WRONG, 0));
        bytes memory call = abi.encodeCall(IQuorum.extract, (id, 0));
        checkQuorumRefused(id, STRANGER, 0, call, wrongQuorum(id, QuorumState.PROVISIONAL));
        JobId job = challengeReplica(id, 0);
        assertState(job, JobState.DISPUTED);
    }

    function test_challenge__bond_too_small__takes_nothing_out() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, WRONG));
        uint256 bond = game.computeBond(version);
        bytes memory reason = abi.encodeWithSelector(
            IDisputeGame.BondTooSmall.selector, quorum.computeReplicaJobId(id, 0), bond - 1, bond
        );
        checkQuorumRefused(id, CHALLENGER, bond - 1, abi.encodeCall(IQuorum.challenge, (id, 0)), reason);
    }

    function test_extract__at_the_last_second__leaves_a_whole_window_to_object() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, OUT_DIGEST));
        vm.warp(quorum.getQuorum(id).deadline);
        JobId job = extract(id, 0);
        assertEq(market.getJob(job).deadline, block.timestamp + WINDOW, "a whole window");
        assertEq(market.getJob(job).operator, operatorOf(id, 0), "operator");
        assertEq(market.getJob(job).outDigest, OUT_DIGEST, "result");
        warpPast(quorum.getQuorum(id).deadline);
        checkQuorumRefused(id, STRANGER, 0, abi.encodeCall(IQuorum.settle, (id)), pending(id, 0));
        warpPastJob(job);
        market.finalise(job);
        endRound(id);
        assertQuorum(id, QuorumState.FINAL);
        assertReplica(id, 0, ReplicaState.PAID);
        assertAssurance(id, QuorumAssurance.QUORUM);
        assertAllSettled(id);
    }

    function test_challenge__taken_out_before__joins_or_opens() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, OUT_DIGEST));
        JobId job = extract(id, 0);
        challengeReplica(id, 0);
        assertState(job, JobState.DISPUTED);
        uint256 bond = game.computeBond(version);
        vm.prank(STRANGER);
        quorum.challenge{value: bond}(id, 0);
        assertEq(game.getChallengers(job).length, 2, "joined");
    }

    /* VERDICTS */

    function test_settle__proven__slashes_the_minority_whole() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, WRONG));
        JobId job = challengeReplica(id, 1);
        checkPending(id, 1);
        proveAs(workerOf(id, 1), job);
        uint256 before = accountOf(CLIENT).credit;
        endRound(id);
        assertAssurance(id, QuorumAssurance.PROVEN);
        assertReplica(id, 0, ReplicaState.PAID);
        assertReplica(id, 1, ReplicaState.PAID);
        assertReplica(id, 2, ReplicaState.SLASHED);
        assertGain(operatorOf(id, 0), PAY, "paid by the quorum");
        assertGain(operatorOf(id, 1), PAY + int256(BOND * 80 / 100), "paid by its job, and for its proof");
        assertGain(operatorOf(id, 2), -int256(LOCK), "beaten by the proof");
        assertEq(accountOf(CLIENT).credit - before, FEE + LOCK * 40 / 100, "client");
        assertAllSettled(id);
    }

    function checkPending(JobId id, uint256 i) private {
        uint256 time = block.timestamp;
        warpPast(quorum.getQuorum(id).deadline);
        checkQuorumRefused(id, STRANGER, 0, abi.encodeCall(IQuorum.settle, (id)), pending(id, i));
        vm.warp(time);
    }

    /// @dev Replicas 0 and 1 collude; 2 is honest, disputes 0 and wins; 1 stays silent in the hearing.
    function test_settle__refuted_majority__every_member_is_slashed_and_the_minority_paid() public {
        JobId id = tallied(say(WRONG, WRONG, OUT_DIGEST));
        JobId job = challengeReplica(id, 0);
        defaultJob(job);
        // The airgap of the slash is waited for: until then a proof may still come.
        checkPending(id, 0);
        distribute(job);
        endRound(id);
        assertQuorum(id, QuorumState.PROVISIONAL);
        assertTrue(quorum.getQuorum(id).isSuspect, "hearing");
        assertReplica(id, 0, ReplicaState.OUT);
        assertReplica(id, 1, ReplicaState.REVEALED);
        endRound(id);
        assertReplica(id, 1, ReplicaState.SLASHED);
        assertReplica(id, 2, ReplicaState.REVEALED);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "the minority's is provisional");
        assertTrue(!quorum.getQuorum(id).isSuspect, "and not suspect");
        endRound(id);
        assertQuorum(id, QuorumState.FINAL);
        // One of three said so, and nobody objected: no more than that.
        assertAssurance(id, QuorumAssurance.UNCHALLENGED);
        assertGain(operatorOf(id, 0), -int256(LOCK), "colluder");
        assertGain(operatorOf(id, 1), -int256(LOCK), "silent colluder");
        assertGain(operatorOf(id, 2), PAY, "honest");
        assertAllSettled(id);
    }

    /// @dev Replica 0 says what is right and loses on purpose; the honest 1 stands behind the result and keeps its lock.
    function test_settle__treacherous_member__cannot_have_the_others_slashed() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, OUT_DIGEST));
        beat(id, 0);
        endRound(id);
        JobId job = extract(id, 1);
        warpPastJob(job);
        market.finalise(job);
        endRound(id);
        assertQuorum(id, QuorumState.FINAL);
        assertGain(operatorOf(id, 0), -int256(LOCK), "traitor");
        assertGain(operatorOf(id, 1), PAY, "stood behind it");
        assertGain(operatorOf(id, 2), PAY, "vindicated");
        assertAssurance(id, QuorumAssurance.QUORUM);
        assertAllSettled(id);
    }

    function test_settle__colluder_stands_up_and_is_beaten__result_falls() public {
        JobId id = tallied(say(WRONG, WRONG, WRONG, OUT_DIGEST, OUT_DIGEST));
        beat(id, 0);
        endRound(id);
        beat(id, 1);
        endRound(id);
        assertReplica(id, 1, ReplicaState.OUT);
        assertReplica(id, 2, ReplicaState.SLASHED);
        endRound(id);
        assertQuorum(id, QuorumState.FINAL);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "result");
        for (uint256 i = 0; i < 3; ++i) {
            assertGain(operatorOf(id, i), -int256(LOCK), "colluder");
        }
        assertGain(operatorOf(id, 3), PAY, "honest");
        assertAllSettled(id);
    }

    function test_settle__final_beside_a_refuted_one__does_not_clear_the_result() public {
        // A colluder that slips through unchallenged in the round of the verdict does not vouch for the others.
        JobId id = tallied(say(WRONG, WRONG, WRONG, OUT_DIGEST, OUT_DIGEST));
        JobId first = extract(id, 0);
        beat(id, 1);
        vm.prank(STRANGER);
        market.finalise(first);
        endRound(id);
        assertTrue(quorum.getQuorum(id).isSuspect, "hearing");
        endRound(id);
        assertReplica(id, 2, ReplicaState.SLASHED);
        endRound(id);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "result");
        assertAllSettled(id);
    }

    function test_settle__all_out_and_one_of_them_refuted__next_result_is_provisional() public {
        JobId id = tallied(say(WRONG, WRONG, OUT_DIGEST));
        JobId first = extract(id, 0);
        beat(id, 1);
        vm.prank(STRANGER);
        market.finalise(first);
        endRound(id);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "what was not refuted");
        endRound(id);
        assertQuorum(id, QuorumState.FINAL);
        assertAllSettled(id);
    }

    function test_settle__all_out_one_cured_and_one_final__result_stands() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, WRONG));
        JobId first = extract(id, 1);
        JobId second = challengeReplica(id, 0);
        defaultJob(second);
        cureAs(workerOf(id, 0), second);
        vm.prank(STRANGER);
        market.finalise(first);
        endRound(id);
        assertQuorum(id, QuorumState.FINAL);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "a late proof refutes nothing");
        assertAllSettled(id);
    }

    function test_settle__whole_majority_beaten__next_result_is_provisional() public {
        JobId id = tallied(say(WRONG, WRONG, OUT_DIGEST));
        JobId first = challengeReplica(id, 0);
        JobId second = challengeReplica(id, 1);
        warpPast(game.getDispute(second).proveBy);
        game.claimDefault(first);
        game.claimDefault(second);
        distribute(first);
        game.distributeSlash(second);
        endRound(id);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "at once");
        assertTrue(!quorum.getQuorum(id).isSuspect, "no hearing");
        endRound(id);
        assertQuorum(id, QuorumState.FINAL);
        assertAllSettled(id);
    }

    function test_settle__nobody_left__fails() public {
        JobId id = tallied(say(WRONG));
        beat(id, 0);
        uint256 before = accountOf(CLIENT).credit;
        endRound(id);
        assertQuorum(id, QuorumState.FAILED);
        assertEq(accountOf(CLIENT).credit, before, "its job refunded the client");
        assertAllSettled(id);
    }

    function test_settle__cured__takes_the_replica_out_and_begins_the_window_again() public {
        // Nothing is said about the result by a proof that came late: others may still object.
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, WRONG));
        JobId job = challengeReplica(id, 0);
        defaultJob(job);
        cureAs(workerOf(id, 0), job);
        endRound(id);
        assertQuorum(id, QuorumState.PROVISIONAL);
        assertReplica(id, 0, ReplicaState.OUT);
        assertTrue(!quorum.getQuorum(id).isSuspect, "no hearing");
        endRound(id);
        assertAssurance(id, QuorumAssurance.UNCHALLENGED);
        assertGain(operatorOf(id, 1), PAY, "paid");
        assertAllSettled(id);
    }

    function test_settle__two_signed_results__say_nothing_about_the_others() public {
        // Who signs two results on purpose loses its lock, but nobody else has to answer for it.
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, OUT_DIGEST));
        JobId job = extract(id, 0);
        equivocate(id, job);
        distribute(job);
        endRound(id);
        assertReplica(id, 0, ReplicaState.OUT);
        assertQuorum(id, QuorumState.PROVISIONAL);
        assertTrue(!quorum.getQuorum(id).isSuspect, "no hearing");
        endRound(id);
        assertAssurance(id, QuorumAssurance.QUORUM);
        assertGain(operatorOf(id, 1), PAY, "paid");
        assertAllSettled(id);
    }

    /// @dev The worker of replica 0 signs another result than the one its job holds.
    function equivocate(JobId id, JobId job) private {
        uint256 key = WORKER_KEY;
        while (vm.addr(key) != workerOf(id, 0)) ++key;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, game.hashResult(job, WRONG));
        SignedResult memory first = SignedResult(OUT_DIGEST, "");
        SignedResult memory second = SignedResult(WRONG, abi.encodePacked(r, s, v));
        game.announceEvidence(keccak256(abi.encode(STRANGER, job, first, second, bytes32(0))));
        vm.roll(block.number + 1);
        vm.prank(STRANGER);
        game.proveEquivocation(job, first, second, 0);
    }

    function test_settle__split_decided_by_a_proof() public {
        JobId id = tallied(say(OUT_DIGEST, WRONG, keccak256("third")));
        JobId job = challengeReplica(id, 0);
        proveAs(workerOf(id, 0), job);
        endRound(id);
        assertAssurance(id, QuorumAssurance.PROVEN);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "proven");
        assertReplica(id, 1, ReplicaState.SLASHED);
        assertReplica(id, 2, ReplicaState.SLASHED);
        assertAllSettled(id);
    }

    function test_settle__split_decided_by_a_default() public {
        JobId id = tallied(say(OUT_DIGEST, WRONG, 0));
        beat(id, 1);
        endRound(id);
        assertQuorum(id, QuorumState.PROVISIONAL);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "what is left");
        endRound(id);
        assertAssurance(id, QuorumAssurance.UNCHALLENGED);
        assertGain(operatorOf(id, 0), PAY, "paid");
        assertAllSettled(id);
    }

    /* GAS (I18) */

    function test_settle__five_replicas_of_everything__below_five_million_gas() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, OUT_DIGEST, WRONG, WRONG));
        JobId job = challengeReplica(id, 0);
        proveAs(workerOf(id, 0), job);
        warpPast(quorum.getQuorum(id).deadline);
        quorum.settle(id);
        assertTrue(vm.lastCallGas().gasTotalUsed < 1_500_000, "gas of settle");
        assertAllSettled(id);
    }
}
