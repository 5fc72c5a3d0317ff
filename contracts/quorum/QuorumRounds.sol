// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IQuorum} from "../interfaces/IQuorum.sol";
import {Dispute, DisputeState} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Adoption, JobState} from "../types/Job.sol";
import {QuorumState, Replica, ReplicaState, Round, StoredQuorum} from "../types/Quorum.sol";
import {QuorumDraws} from "./QuorumDraws.sol";

/// @title From opened results to the end: the count, the jobs that decide, the rounds
abstract contract QuorumRounds is QuorumDraws {
    /* THE COUNT */

    /// @inheritdoc IQuorum
    function reveal(JobId quorumId, uint256 index, bytes32 outDigest, bytes32 salt) external {
        uint40 time = tick();
        StoredQuorum storage quorum = expectQuorum(quorumId, QuorumState.REVEALING);
        requireInTime(quorumId, quorum.deadline, time);
        Replica storage replica = expectReplica(quorumId, index, ReplicaState.COMMITTED);
        if (outDigest == 0) revert IJobMarket.ZeroDigest();
        JobId jobId = computeReplicaJob(quorumId, quorum, index);
        bytes32 got = hashCommitment(jobId, replica.operator, outDigest, salt);
        // INVARIANT: a result counts only for the operator and the replica that it was committed for (I15).
        if (got != replica.commitment) revert WrongOpening(quorumId, index, got, replica.commitment);

        (replica.state, replica.outDigest) = (ReplicaState.REVEALED, outDigest);
        emit ReplicaRevealed(quorumId, replica.operator, index, outDigest);
    }

    /// @inheritdoc IQuorum
    function tally(JobId quorumId) external {
        uint40 time = tick();
        StoredQuorum storage quorum = expectQuorum(quorumId, QuorumState.REVEALING);
        (uint256 size, uint256 count) = (quorum.size, quorum.count);
        // INVARIANT: nobody's opening is cut off.
        if (countReplicas(quorumId, size, ReplicaState.COMMITTED, 0) != 0) {
            requireOverdue(quorumId, quorum.deadline, time);
        }
        settleMissed(quorumId, quorum);
        uint256 revealed = countReplicas(quorumId, size, ReplicaState.REVEALED, 0);
        if (revealed < computeMajority(count)) return failQuorum(quorumId, quorum);
        // An auditor makes two of one: unless both say the same, neither has more than the other.
        countAgain(quorumId, quorum, computeMajority(count), time);
    }

    /// @dev The result with the most replicas among those that still count becomes provisional if it has at least
    /// `required` and no other has as many.
    function countAgain(JobId quorumId, StoredQuorum storage quorum, uint256 required, uint40 time) private {
        uint256 size = quorum.size;
        (uint256 most, uint256 second, bytes32 top) = (0, 0, 0);
        for (uint256 i = 0; i < size; ++i) {
            Replica storage replica = replicas[quorumId][i];
            if (replica.state != ReplicaState.REVEALED || replica.outDigest == top) continue;
            uint256 votes = countReplicas(quorumId, size, ReplicaState.REVEALED, replica.outDigest);
            if (votes > most) (most, second, top) = (votes, most, replica.outDigest);
            // A result that is met again is as often second as it is.
            else if (votes > second) second = votes;
        }
        if (most == 0) return failQuorum(quorumId, quorum);
        if (most < required || most == second) openRound(quorumId, quorum, QuorumState.SPLIT, 0, time);
        else openRound(quorumId, quorum, QuorumState.PROVISIONAL, top, time);
    }

    function openRound(JobId quorumId, StoredQuorum storage quorum, QuorumState state, bytes32 outDigest, uint40 time)
        private
    {
        uint40 challengeUntil = computeDeadline(time, CHALLENGE_SECONDS);
        (quorum.state, quorum.deadline, quorum.outDigest) = (state, challengeUntil, outDigest);
        emit RoundOpened(quorumId, outDigest, quorum.isSuspect, challengeUntil);
    }

    /* JOBS */

    /// @inheritdoc IQuorum
    function extract(JobId quorumId, uint256 index) external returns (JobId jobId) {
        StoredQuorum storage quorum = expectQuorum(quorumId, QuorumState.PROVISIONAL);
        jobId = takeOut(quorumId, quorum, index);
    }

    /// @inheritdoc IQuorum
    function challenge(JobId quorumId, uint256 index) external payable returns (JobId jobId) {
        StoredQuorum storage quorum = findQuorum(quorumId);
        Replica storage replica = replicas[quorumId][index];
        // INVARIANT: nobody can keep a challenger out by taking the replica out first.
        if (replica.state == ReplicaState.EXTRACTED) jobId = computeReplicaJob(quorumId, quorum, index);
        else jobId = takeOut(quorumId, quorum, index);
        // SAFETY: the game is this deployment's and calls nobody outside of it.
        IDisputeGame(GAME).challengeFor{value: msg.value}(jobId, replica.outDigest, msg.sender);
    }

    function takeOut(JobId quorumId, StoredQuorum storage quorum, uint256 index) private returns (JobId jobId) {
        uint40 time = tick();
        QuorumState state = quorum.state;
        if (state != QuorumState.PROVISIONAL && state != QuorumState.SPLIT) {
            revert WrongQuorumState(quorumId, state, QuorumState.PROVISIONAL);
        }
        // INVARIANT: a replica leaves its quorum before the round can end without it.
        requireInTime(quorumId, quorum.deadline, time);
        Replica storage replica = expectReplica(quorumId, index, ReplicaState.REVEALED);
        // Who says otherwise than what is provisional is not paid, so it is no job that could be final.
        if (state == QuorumState.PROVISIONAL && replica.outDigest != quorum.outDigest) {
            revert NotProvisional(quorumId, index);
        }
        jobId = computeReplicaJob(quorumId, quorum, index);

        replica.state = ReplicaState.EXTRACTED;
        emit ReplicaExtracted(quorumId, jobId, index);
        // INVARIANT: a whole window begins here: who takes its own replica out at the last second wins nothing by it.
        // SAFETY: the market is this deployment's and calls nobody in this step.
        IJobMarket(MARKET)
            .adoptJob(
                buildTerms(quorumId, quorum, index),
                Adoption({
                operator: replica.operator,
                outDigest: replica.outDigest,
                challengeUntil: computeDeadline(time, CHALLENGE_SECONDS),
                versionNumber: quorum.versionNumber,
                royaltyBps: quorum.royaltyBps
            })
            );
    }

    /* THE END OF A ROUND */

    /// @inheritdoc IQuorum
    function settle(JobId quorumId) external {
        uint40 time = tick();
        StoredQuorum storage quorum = findQuorum(quorumId);
        QuorumState state = quorum.state;
        if (state != QuorumState.SPLIT) expectQuorum(quorumId, QuorumState.PROVISIONAL);
        requireOverdue(quorumId, quorum.deadline, time);
        Round memory round = closeRound(quorumId, quorum);

        if (round.proven != 0) finish(quorumId, quorum, round.proven, true);
        else if (state == QuorumState.SPLIT) endSplit(quorumId, quorum, round, time);
        else if (quorum.isSuspect) endHearing(quorumId, quorum, round, time);
        else endProvisional(quorumId, quorum, round, time);
    }

    /// @dev Reads what the jobs of the replicas taken out have come to; none of them counts again.
    function closeRound(JobId quorumId, StoredQuorum storage quorum) private returns (Round memory round) {
        uint256 size = quorum.size;
        for (uint256 i = 0; i < size; ++i) {
            Replica storage replica = replicas[quorumId][i];
            if (replica.state != ReplicaState.EXTRACTED) continue;
            JobId jobId = computeReplicaJob(quorumId, quorum, i);
            JobState job = IJobMarket(MARKET).getJob(jobId).state;
            bool isPaid = job == JobState.FINAL || job == JobState.PROVEN;
            bool isRefuted = !isPaid && requireOver(quorumId, i, jobId, job);
            ++round.ended;
            if (job == JobState.PROVEN) round.proven = replica.outDigest;
            if (isPaid) round.unbeaten = replica.outDigest;
            else round.isHurt = true;
            if (isRefuted) round.isRefuted = true;

            ReplicaState state = isPaid ? ReplicaState.PAID : ReplicaState.OUT;
            replica.state = state;
            emit ReplicaEnded(quorumId, replica.operator, i, state);
        }
    }

    /// @dev Reverts unless the job is over, its airgap included.
    /// @return isRefuted Whether a verdict, or silence, stands against the result, and not only against its operator:
    /// not after a cure, nor after two signed results, where no proof was due.
    function requireOver(JobId quorumId, uint256 index, JobId jobId, JobState job)
        private
        view
        returns (bool isRefuted)
    {
        if (job < JobState.FINAL) revert ReplicaPending(quorumId, index, jobId);
        if (job != JobState.REJECTED) return false;
        Dispute memory dispute = IDisputeGame(GAME).getDispute(jobId);
        if (dispute.state == DisputeState.DEFAULT || dispute.state == DisputeState.FRAUD_PROVEN) {
            revert ReplicaPending(quorumId, index, jobId);
        }
        return dispute.state == DisputeState.DISTRIBUTED && dispute.proveBy != 0;
    }

    /// @dev Nothing refuted: the result stands. A verdict: whoever else said so has to stand behind it.
    function endProvisional(JobId quorumId, StoredQuorum storage quorum, Round memory round, uint40 time) private {
        bytes32 outDigest = quorum.outDigest;
        if (!round.isHurt) return finish(quorumId, quorum, outDigest, false);
        if (countReplicas(quorumId, quorum.size, ReplicaState.REVEALED, outDigest) != 0) {
            quorum.isSuspect = round.isRefuted;
            return openRound(quorumId, quorum, QuorumState.PROVISIONAL, outDigest, time);
        }
        if (round.unbeaten == outDigest && !round.isRefuted) return finish(quorumId, quorum, outDigest, false);
        countAgain(quorumId, quorum, 1, time);
    }

    /// @dev The result stands if anybody stood behind it and was not beaten. Else who kept silent is slashed (I14).
    function endHearing(JobId quorumId, StoredQuorum storage quorum, Round memory round, uint40 time) private {
        bytes32 outDigest = quorum.outDigest;
        if (round.unbeaten == outDigest) return finish(quorumId, quorum, outDigest, false);
        uint256 size = quorum.size;
        for (uint256 i = 0; i < size; ++i) {
            Replica storage replica = replicas[quorumId][i];
            if (replica.state != ReplicaState.REVEALED || replica.outDigest != outDigest) continue;
            settleReplica(quorumId, quorum, i, ReplicaState.SLASHED, 0);
        }
        quorum.isSuspect = false;
        countAgain(quorumId, quorum, 1, time);
    }

    /// @dev Without a proof, what the verdicts left is counted again; without a verdict there is no result.
    function endSplit(JobId quorumId, StoredQuorum storage quorum, Round memory round, uint40 time) private {
        if (round.ended == 0) failQuorum(quorumId, quorum);
        else countAgain(quorumId, quorum, 1, time);
    }

    /// @dev Pays those who said so. Who said otherwise loses the fee and S_miss, or, against a proof, the lock.
    function finish(JobId quorumId, StoredQuorum storage quorum, bytes32 outDigest, bool isProven) private {
        (uint256 size, uint256 deadline) = (quorum.size, quorum.deadline);
        for (uint256 i = 0; i < size; ++i) {
            Replica storage replica = replicas[quorumId][i];
            if (replica.state != ReplicaState.REVEALED) continue;
            if (replica.outDigest == outDigest) {
                settleReplica(quorumId, quorum, i, ReplicaState.PAID, deadline);
            } else {
                settleReplica(quorumId, quorum, i, isProven ? ReplicaState.SLASHED : ReplicaState.SILENT, 0);
            }
        }
        (quorum.outDigest, quorum.isProven) = (outDigest, isProven);
        endQuorum(quorumId, quorum, QuorumState.FINAL);
    }

    /* NAMES */

    /// @inheritdoc IQuorum
    function hashCommitment(JobId jobId, address operator, bytes32 outDigest, bytes32 salt)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode("zkDPS replica", block.chainid, address(this), jobId, operator, outDigest, salt));
    }
}
