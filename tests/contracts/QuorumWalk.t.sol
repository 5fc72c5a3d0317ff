// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {QuorumParams, QuorumState, Replica, ReplicaState} from "../../contracts/types/Quorum.sol";
import {QuorumSteps} from "./QuorumSteps.sol";

/// @notice Quorums played at random to their end: operators that are honest, wrong in one of two ways, silent or coy;
/// jobs that are taken out, disputed, proven, cured or defaulted; a watcher that looks or not; the refund mode.
///
/// After every step the vault holds what its books say (I1). At the end nothing is left in a quorum (I2), it has ended
/// within a bounded number of rounds (I16), an honest operator has lost nothing that a verdict could take (I9), and
/// where somebody looked no wrong result is final (I10) and whoever said so has lost its lock (I14).
contract QuorumWalkTest is QuorumSteps {
    /// @dev What an operator does; the first two kinds are honest.
    enum Kind {
        HONEST,
        ALSO_HONEST,
        WRONG_ONE,
        WRONG_OTHER,
        MISSING,
        COY
    }

    uint256 private constant MAX_ROUNDS = 11;
    bytes32 private constant OTHER = keccak256("wrong in another way");

    uint256 private seed;
    uint256 private kindSeed;
    bool private isWatched;
    bool private isRefundAllowed;
    mapping(QuorumState => uint256) private reached;
    mapping(ReplicaState => uint256) private ended;
    uint256 private hearings;

    function pick(uint256 count) private returns (uint256) {
        seed = uint256(keccak256(abi.encode(seed)));
        return seed % count;
    }

    /// @dev Another in every quorum.
    function kindOf(address operator) private view returns (Kind) {
        return Kind(uint256(keccak256(abi.encode(kindSeed, operator))) % 6);
    }

    /* A QUORUM */

    function play(uint256 seed_) private {
        (seed, kindSeed) = (seed_, seed_);
        isWatched = pick(2) == 0;
        JobId id = begin();
        passBlocks();
        vm.roll(block.number + pick(100));
        if (!tryDraw(id)) return;
        mayRefund(id);
        commitPhase(id);
        auditPhase(id);
        revealPhase(id);
        uint256 rounds = 0;
        while (isLive(id)) {
            assertLe(++rounds, MAX_ROUNDS, "I16: rounds");
            roundPhase(id);
        }
        check(id);
    }

    function begin() private returns (JobId id) {
        QuorumParams memory params = orderParams([1, 3, 5][pick(3)], false);
        params.isAudited = params.count == 1 && pick(2) == 0;
        if (pick(3) == 0) params.token = address(token);
        if (params.count != 1) params.insured = uint96(pick(1 ether));
        id = orderAs(CLIENT, params);
        assertAllConserved();
    }

    /// @dev Jails and empty pockets can leave too few; then the client has its money back.
    function tryDraw(JobId id) private returns (bool isDrawn) {
        (isDrawn,) = address(quorum).call(abi.encodeCall(quorum.draw, (id)));
        if (isDrawn) return true;
        pass(quorum.getQuorum(id).deadline);
        quorum.expireQuorum(id);
        check(id);
    }

    function commitPhase(JobId id) private {
        if (stateOfQuorum(id) != QuorumState.COMMITTING) return;
        Replica[] memory list = quorum.getReplicas(id);
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i].state != ReplicaState.DRAWN) continue;
            if (!is_(list[i], Kind.MISSING)) commitTo(id, i, resultOf(list[i]));
            else if (pick(2) == 0) refuse(id, i);
        }
        if (stateOfQuorum(id) == QuorumState.COMMITTING) {
            pass(quorum.getQuorum(id).deadline);
            quorum.closeCommits(id);
        }
        assertAllConserved();
        mayRefund(id);
    }

    /// @dev Time has not passed since the draw.
    function refuse(JobId id, uint256 i) private {
        address worker = workerOf(id, i);
        vm.prank(worker);
        quorum.refuse(id);
        assertReplica(id, i, ReplicaState.RELEASED);
    }

    function auditPhase(JobId id) private {
        while (stateOfQuorum(id) == QuorumState.AUDITING) {
            vm.roll(block.number + (pick(4) == 0 ? DELAY + 257 : DELAY + 1));
            quorum.drawAudit(id);
        }
        commitPhase(id);
    }

    function revealPhase(JobId id) private {
        if (stateOfQuorum(id) != QuorumState.REVEALING) return;
        Replica[] memory list = quorum.getReplicas(id);
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i].state != ReplicaState.COMMITTED || is_(list[i], Kind.COY)) continue;
            revealTo(id, i, resultOf(list[i]));
        }
        mayRefund(id);
        if (stateOfQuorum(id) != QuorumState.REVEALING) return;
        if (hasSealed(id)) pass(quorum.getQuorum(id).deadline);
        quorum.tally(id);
        assertAllConserved();
    }

    function hasSealed(JobId id) private view returns (bool) {
        Replica[] memory list = quorum.getReplicas(id);
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i].state == ReplicaState.COMMITTED) return true;
        }
        return false;
    }

    /* A ROUND */

    function roundPhase(JobId id) private {
        ++reached[stateOfQuorum(id)];
        if (quorum.getQuorum(id).isSuspect) ++hearings;
        Replica[] memory list = quorum.getReplicas(id);
        bool isDoubted = false;
        for (uint256 i = 0; i < list.length; ++i) {
            isDoubted = act(id, i, list[i], isDoubted);
        }
        mayRefund(id);
        if (!isLive(id)) return;
        endJobs(id, list.length);
        pass(quorum.getQuorum(id).deadline);
        vm.prank(pick(2) == 0 ? CLIENT : STRANGER);
        quorum.settle(id);
        assertAllConserved();
    }

    /// @dev Watched: of those who are wrong and may be paid one is challenged, the others perhaps. Honest members stand
    /// behind a suspect result. Beyond that, anything.
    function act(JobId id, uint256 i, Replica memory replica, bool isDoubted) private returns (bool) {
        if (replica.state != ReplicaState.REVEALED) return isDoubted;
        bool isSplit = stateOfQuorum(id) == QuorumState.SPLIT;
        if (!isSplit && replica.outDigest != quorum.getQuorum(id).outDigest) return isDoubted;
        bool isRight = replica.outDigest == OUT_DIGEST;
        if (isWatched && !isRight) {
            if (isDoubted && !isSplit && pick(2) == 0) return true;
            challengeReplica(id, i);
            isDoubted = true;
        } else if (!isSplit && isRight && quorum.getQuorum(id).isSuspect) {
            extract(id, i);
        } else {
            uint256 choice = pick(5);
            if (choice == 0) challengeReplica(id, i);
            if (choice == 1 && !isSplit) extract(id, i);
        }
        assertAllConserved();
        return isDoubted;
    }

    /// @dev What is right is proven in time or, sometimes, late; what is wrong never.
    function endJobs(JobId id, uint256 size) private {
        for (uint256 i = 0; i < size; ++i) {
            Replica memory replica = quorum.getReplicas(id)[i];
            if (replica.state != ReplicaState.EXTRACTED) continue;
            JobId jobId = quorum.computeReplicaJobId(id, i);
            if (stateOf(jobId) == JobState.COMMITTED) {
                pass(market.getJob(jobId).deadline);
                vm.prank(STRANGER);
                market.finalise(jobId);
            } else if (replica.outDigest == OUT_DIGEST && block.timestamp <= game.getDispute(jobId).proveBy) {
                proveAs(workerOf(id, i), jobId);
            } else {
                endDefault(id, i, jobId, replica.outDigest == OUT_DIGEST);
            }
            assertAllConserved();
        }
    }

    function endDefault(JobId id, uint256 i, JobId jobId, bool isRight) private {
        pass(game.getDispute(jobId).proveBy);
        game.claimDefault(jobId);
        assertAllConserved();
        if (isRight) {
            cureAs(workerOf(id, i), jobId);
            return;
        }
        pass(market.getJob(jobId).deadline);
        game.distributeSlash(jobId);
    }

    /// @dev Time never goes back.
    function pass(uint256 deadline) private {
        if (block.timestamp <= deadline) vm.warp(deadline + 1);
    }

    /* REFUNDS */

    /// @dev Rarely, and for ever: what is left of the walk is voiding.
    function mayRefund(JobId id) private {
        if (market.isRefundMode() || !isRefundAllowed || pick(40) != 0) return;
        enterRefundMode();
        if (isLive(id)) quorum.voidQuorum(id);
        Replica[] memory list = quorum.getReplicas(id);
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i].state != ReplicaState.EXTRACTED) continue;
            JobId jobId = quorum.computeReplicaJobId(id, i);
            if (stateOf(jobId) == JobState.COMMITTED) market.voidJob(jobId);
            else if (game.getDispute(jobId).state == DisputeState.OPEN) game.voidDispute(jobId);
        }
    }

    /* WHAT HOLDS */

    function check(JobId id) private {
        assertAllSettled(id);
        QuorumState state = stateOfQuorum(id);
        ++reached[state];
        Replica[] memory list = quorum.getReplicas(id);
        for (uint256 i = 0; i < list.length; ++i) {
            ++ended[list[i].state];
            checkEnd(list[i], quorum.getQuorum(id).outDigest);
        }
        bytes32 outDigest = quorum.getQuorum(id).outDigest;
        if (state != QuorumState.FINAL) assertEq(outDigest, bytes32(0), "no result");
        else if (isWatched) assertEq(outDigest, OUT_DIGEST, "I10: a wrong result is final");
    }

    function checkEnd(Replica memory replica, bytes32 outDigest) private view {
        bool isHonest = uint256(kindOf(replica.operator)) < uint256(Kind.WRONG_ONE);
        ReplicaState end = replica.state;
        assertTrue(end > ReplicaState.EXTRACTED || market.isRefundMode(), "ended");
        if (isHonest) assertTrue(end != ReplicaState.SLASHED && end != ReplicaState.MISSED, "I9: honest");
        if (end == ReplicaState.PAID) {
            assertTrue(replica.outDigest == outDigest || !isWatched, "I13: paid for nothing");
        }
        // Where somebody looked, whoever revealed what was once provisional and wrong has lost its lock (I14); a minority
        // that nobody had to challenge has lost its fee and S_miss.
        bool isWrong = replica.outDigest == WRONG || replica.outDigest == OTHER;
        if (isWatched && isWrong) assertTrue(end != ReplicaState.PAID, "I14: paid");
    }

    function isLive(JobId id) private view returns (bool) {
        return stateOfQuorum(id) <= QuorumState.SPLIT;
    }

    function is_(Replica memory replica, Kind kind) private view returns (bool) {
        return kindOf(replica.operator) == kind;
    }

    function resultOf(Replica memory replica) private view returns (bytes32) {
        Kind kind = kindOf(replica.operator);
        if (kind == Kind.WRONG_ONE) return WRONG;
        return kind == Kind.WRONG_OTHER ? OTHER : OUT_DIGEST;
    }

    /* WALKS */

    /// forge-config: default.fuzz.runs = 64
    function test_walk__any_choices__conserve_money_and_spare_the_honest(uint256 seed_) public {
        isRefundAllowed = true;
        for (uint256 i = 0; i < 2 && !market.isRefundMode(); ++i) {
            this.playOne(uint256(keccak256(abi.encode(seed_, i))));
        }
    }

    /// @notice The walks above are not true for want of action.
    function test_walk__many__reach_every_end() public {
        for (uint256 i = 0; !market.isRefundMode(); ++i) {
            isRefundAllowed = i > 60;
            this.playOne(uint256(keccak256(abi.encode("reach", i))));
        }
        for (uint256 s = uint256(QuorumState.PROVISIONAL); s < uint256(QuorumState.VOIDED); ++s) {
            // Too few candidates are rare here.
            if (s == uint256(QuorumState.EXPIRED)) continue;
            assertTrue(reached[QuorumState(s)] > 2, string.concat("quorum: ", vm.toString(s)));
        }
        for (uint256 s = uint256(ReplicaState.PAID); s < uint256(ReplicaState.VOIDED); ++s) {
            assertTrue(ended[ReplicaState(s)] > 2, string.concat("replica: ", vm.toString(s)));
        }
        assertTrue(hearings > 1, "hearings");
    }

    /// @notice A call of its own, so that its memory is its own.
    function playOne(uint256 seed_) external {
        unjailAll();
        delete orders_; // what is over has been checked
        play(seed_);
    }

    function unjailAll() private {
        vm.warp(block.timestamp + 61);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            if (vault.getStanding(ownerAt(i)).jailedUntil == 0) continue;
            vm.prank(ownerAt(i));
            vault.unjail();
        }
    }
}
