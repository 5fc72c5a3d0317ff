// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBeacon} from "../../contracts/interfaces/IBeacon.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IQuorum} from "../../contracts/interfaces/IQuorum.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {Economics} from "../../contracts/libraries/Economics.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {QuorumAssurance, QuorumParams, QuorumState, ReplicaState, SeedState} from "../../contracts/types/Quorum.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {QuorumSteps} from "./QuorumSteps.sol";
import {Seeds} from "./Seeds.sol";

/// @notice From the order to blinded results: who may order what, who is drawn, what may be committed, who is audited.
contract QuorumDrawsTest is QuorumSteps, Seeds {
    function wrongQuorum(JobId id, QuorumState required) private view returns (bytes memory) {
        return abi.encodeWithSelector(IQuorum.WrongQuorumState.selector, id, stateOfQuorum(id), required);
    }

    function wrongReplica(JobId id, uint256 i, ReplicaState state, ReplicaState required)
        private
        pure
        returns (bytes memory)
    {
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

    function checkOrderRefused(QuorumParams memory params, uint256 value, bytes memory reason) private {
        checkQuorumRefused(JobId.wrap(0), CLIENT, value, abi.encodeCall(IQuorum.createQuorum, (params)), reason);
    }

    /* createQuorum */

    function test_createQuorum__wrong_number__reverts() public {
        QuorumParams memory params = orderParams(1, false);
        uint8[5] memory counts = [0, 2, 4, 6, 7];
        for (uint256 i = 0; i < counts.length; ++i) {
            params.count = counts[i];
            bytes memory reason = abi.encodeWithSelector(IQuorum.WrongReplicaCount.selector, counts[i], false);
            checkOrderRefused(params, FEE * counts[i], reason);
        }
        (params.count, params.isAudited) = (3, true);
        checkOrderRefused(params, FEE * 4, abi.encodeWithSelector(IQuorum.WrongReplicaCount.selector, 3, true));
    }

    function test_createQuorum__bad_terms__revert() public {
        QuorumParams memory params = orderParams(3, false);
        params.fee = 0;
        checkOrderRefused(params, 0, abi.encodeWithSelector(IJobMarket.ZeroFee.selector));
        (params.fee, params.inDigest) = (FEE, 0);
        checkOrderRefused(params, 3 * FEE, abi.encodeWithSelector(IJobMarket.ZeroDigest.selector));
        (params.inDigest, params.version) = (IN_DIGEST, bytes32(uint256(1)));
        bytes memory unknown = abi.encodeWithSelector(IJobMarket.UnknownModelVersion.selector, params.version);
        checkOrderRefused(params, 3 * FEE, unknown);
        (params.version, params.token) = (version, STRANGER);
        bytes memory foreign = abi.encodeWithSelector(IJobMarket.UnsupportedFeeToken.selector, STRANGER);
        checkOrderRefused(params, 3 * FEE, foreign);
        params.token = ETH;
        bytes memory value = abi.encodeWithSelector(IStakeVault.WrongValue.selector, 3 * FEE - 1, 3 * FEE);
        checkOrderRefused(params, 3 * FEE - 1, value);
    }

    function test_createQuorum__insured_without_anybody_who_looks__reverts() public {
        QuorumParams memory params = orderParams(1, false);
        params.insured = 1;
        checkOrderRefused(params, FEE, abi.encodeWithSelector(Economics.NoDetection.selector, 0));
    }

    function test_createQuorum__twice__reverts() public {
        QuorumParams memory params = orderParams(3, false);
        JobId id = orderAs(CLIENT, params);
        checkOrderRefused(params, 3 * FEE, abi.encodeWithSelector(IQuorum.QuorumExists.selector, id));
    }

    function test_createQuorum__otherwise__open_with_all_fees_in_escrow() public {
        JobId id = order(3);
        assertQuorum(id, QuorumState.OPEN);
        assertEq(vault.getFunds(ETH, id).escrow, 3 * FEE, "escrow");
        assertEq(quorum.getQuorum(id).deadline, block.timestamp + ASSIGN, "deadline");
        assertTrue(JobId.unwrap(quorum.computeQuorumId(quorum.getQuorum(id).terms)) == JobId.unwrap(id), "id of terms");
        assertEq(vault.getFunds(ETH, orderAudited()).escrow, 2 * FEE, "audit's fee too");
        assertAllConserved();
    }

    function test_computeReplicaLock__grows_with_what_is_insured() public view {
        assertEq(quorum.computeReplicaLock(ETH, FEE, 1, 0, false), LOCK, "the market's");
        assertEq(quorum.computeReplicaLock(ETH, FEE, 3, 0, false), LOCK, "the market's is enough");
        // q = 45 %: ceil((0.55 V + F) / 0.45) - F, of which 65 % count.
        uint256 slash = uint256(5500 * uint256(10 ether) + 10_000 * uint256(FEE) + 4499) / 4500 - FEE;
        assertEq(quorum.computeReplicaLock(ETH, FEE, 1, 10 ether, true), (slash * 100 + 64) / 65, "audited");
        assertTrue(
            quorum.computeReplicaLock(ETH, FEE, 5, 1000 ether, false)
                < quorum.computeReplicaLock(ETH, FEE, 3, 1000 ether, false),
            "more replicas, less lock"
        );
    }

    /* draw */

    function test_draw__before_the_block_is_known__reverts() public {
        JobId id = order(3);
        vm.roll(block.number + DELAY);
        bytes memory reason =
            abi.encodeWithSelector(IBeacon.SeedNotReady.selector, address(quorum), JobId.unwrap(id), SeedState.WAITING);
        checkQuorumRefused(id, STRANGER, 0, abi.encodeCall(IQuorum.draw, (id)), reason);
    }

    function test_draw__too_few__reverts_and_expires_with_a_refund() public {
        for (uint256 i = 2; i < OPERATORS; ++i) {
            vm.prank(ownerAt(i));
            pool.leave(version, ETH);
        }
        JobId id = order(3);
        passBlocks();
        bytes memory reason = abi.encodeWithSelector(IQuorum.TooFewCandidates.selector, id, 2, 3);
        checkQuorumRefused(id, STRANGER, 0, abi.encodeCall(IQuorum.draw, (id)), reason);
        bytes memory expire = abi.encodeCall(IQuorum.expireQuorum, (id));
        vm.warp(START + ASSIGN);
        checkQuorumRefused(id, STRANGER, 0, expire, early(id));
        vm.warp(START + ASSIGN + 1);
        checkQuorumRefused(id, STRANGER, 0, abi.encodeCall(IQuorum.draw, (id)), late(id));
        uint256 before = accountOf(CLIENT).credit;
        quorum.expireQuorum(id);
        assertQuorum(id, QuorumState.EXPIRED);
        assertEq(accountOf(CLIENT).credit - before, 3 * FEE, "refund");
        assertAllSettled(id);
        checkQuorumRefused(id, STRANGER, 0, expire, wrongQuorum(id, QuorumState.OPEN));
    }

    function test_draw__missed_seed__asks_again() public {
        JobId id = order(3);
        vm.roll(block.number + DELAY + 257);
        quorum.draw(id);
        assertQuorum(id, QuorumState.OPEN);
        passBlocks();
        quorum.draw(id);
        assertQuorum(id, QuorumState.COMMITTING);
    }

    function test_draw__otherwise__distinct_operators_with_fee_and_lock() public {
        JobId id = drawn(5);
        assertQuorum(id, QuorumState.COMMITTING);
        assertEq(quorum.getQuorum(id).deadline, block.timestamp + EXEC, "deadline");
        for (uint256 i = 0; i < 5; ++i) {
            JobId jobId = quorum.computeReplicaJobId(id, i);
            assertEq(vault.getFunds(ETH, jobId).escrow, FEE, "fee");
            assertEq(vault.getFunds(ETH, jobId).lock, LOCK, "lock");
            assertTrue(vault.getFunds(ETH, jobId).status == LockStatus.ACTIVE, "active");
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(operatorOf(id, i) != operatorOf(id, j), "distinct");
            }
        }
        assertEq(vault.getFunds(ETH, id).escrow, 0, "nothing left");
        bytes memory again = abi.encodeCall(IQuorum.draw, (id));
        checkQuorumRefused(id, STRANGER, 0, again, wrongQuorum(id, QuorumState.OPEN));
    }

    function test_draw__sixty_four_candidates__below_five_million_gas() public {
        for (uint256 i = OPERATORS; i < 64; ++i) {
            addOperator(i, STAKE);
            vm.prank(workerAt(i));
            pool.enlist(version, ETH, ownerAt(i), 0);
        }
        vm.roll(block.number + 1);
        JobId id = order(5);
        passBlocks();
        quorum.draw(id);
        assertTrue(vm.lastCallGas().gasTotalUsed < 3_000_000, "gas of draw");
    }

    /* commitBlinded */

    function test_commitBlinded__by_others__reverts() public {
        JobId id = drawn(3);
        address[3] memory callers = [STRANGER, operatorOf(id, 0), CLIENT];
        for (uint256 i = 0; i < callers.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(IQuorum.NoReplica.selector, id, callers[i]);
            checkQuorumRefused(id, callers[i], 0, abi.encodeCall(IQuorum.commitBlinded, (id, WRONG)), reason);
        }
    }

    function test_commitBlinded__zero_or_copied__reverts() public {
        JobId id = drawn(3);
        bytes memory call = abi.encodeCall(IQuorum.commitBlinded, (id, bytes32(0)));
        bytes memory reason = abi.encodeWithSelector(IQuorum.BadCommitment.selector, id, bytes32(0));
        checkQuorumRefused(id, workerOf(id, 0), 0, call, reason);
        commitTo(id, 0, OUT_DIGEST);
        bytes32 commitment = quorum.getReplicas(id)[0].commitment;
        reason = abi.encodeWithSelector(IQuorum.BadCommitment.selector, id, commitment);
        checkQuorumRefused(id, workerOf(id, 1), 0, abi.encodeCall(IQuorum.commitBlinded, (id, commitment)), reason);
    }

    function test_commitBlinded__twice_or_late__reverts() public {
        JobId id = drawn(3);
        commitTo(id, 0, OUT_DIGEST);
        bytes memory reason = abi.encodeWithSelector(
            IQuorum.WrongReplicaState.selector, id, 0, ReplicaState.COMMITTED, ReplicaState.DRAWN
        );
        bytes memory call = abi.encodeCall(IQuorum.commitBlinded, (id, WRONG));
        checkQuorumRefused(id, workerOf(id, 0), 0, call, reason);
        warpPast(quorum.getQuorum(id).deadline);
        checkQuorumRefused(id, workerOf(id, 1), 0, call, late(id));
    }

    function test_commitBlinded__copied_from_another_quorum__can_never_be_opened() public {
        // One operator, one result, two quorums: the commitment of the one opens nothing in the other (I15).
        (JobId first, JobId second) = (drawn(5), drawn(5));
        (uint256 i, uint256 j) = findShared(first, second);
        bytes32 commitment = blind(first, i, OUT_DIGEST);
        vm.prank(workerOf(second, j));
        quorum.commitBlinded(second, commitment);
        for (uint256 k = 0; k < 5; ++k) {
            if (k != j) commitTo(second, k, OUT_DIGEST);
        }
        bytes32 got =
            quorum.hashCommitment(quorum.computeReplicaJobId(second, j), operatorOf(second, j), OUT_DIGEST, saltOf(i));
        bytes memory reason = abi.encodeWithSelector(IQuorum.WrongOpening.selector, second, j, got, commitment);
        bytes memory call = abi.encodeCall(IQuorum.reveal, (second, j, OUT_DIGEST, saltOf(i)));
        checkQuorumRefused(second, STRANGER, 0, call, reason);
    }

    /// @dev Of eight operators, two draws of five share two at least.
    function findShared(JobId first, JobId second) private view returns (uint256, uint256) {
        for (uint256 i = 0; i < 5; ++i) {
            for (uint256 j = 0; j < 5; ++j) {
                if (operatorOf(first, i) == operatorOf(second, j)) return (i, j);
            }
        }
        revert("none shared");
    }

    function test_hashCommitment__binds_chain_quorum_job_operator_result_and_salt() public {
        JobId jobId = JobId.wrap(keccak256("job"));
        bytes32 base = quorum.hashCommitment(jobId, OWNER, OUT_DIGEST, WRONG);
        bytes32 expected =
            keccak256(abi.encode("zkDPS replica", block.chainid, address(quorum), jobId, OWNER, OUT_DIGEST, WRONG));
        assertEq(base, expected, "preimage");
        assertTrue(base != quorum.hashCommitment(JobId.wrap(WRONG), OWNER, OUT_DIGEST, WRONG), "job");
        assertTrue(base != quorum.hashCommitment(jobId, WORKER, OUT_DIGEST, WRONG), "operator");
        assertTrue(base != quorum.hashCommitment(jobId, OWNER, WRONG, WRONG), "result");
        assertTrue(base != quorum.hashCommitment(jobId, OWNER, OUT_DIGEST, OUT_DIGEST), "salt");
        vm.chainId(5);
        assertTrue(base != quorum.hashCommitment(jobId, OWNER, OUT_DIGEST, WRONG), "chain");
    }

    /* refuse */

    function refuseAs(JobId id, uint256 index) private {
        vm.prank(workerOf(id, index));
        quorum.refuse(id);
    }

    function test_refuse__input_that_nobody_can_have__costs_and_earns_nothing() public {
        JobId id = drawn(3);
        uint256 before = accountOf(CLIENT).credit;
        vm.warp(block.timestamp + EXEC / 4);
        for (uint256 i = 0; i < 3; ++i) {
            refuseAs(id, i);
            assertReplica(id, i, ReplicaState.RELEASED);
            assertGain(operatorOf(id, i), 0, "no fine");
            assertEq(vault.getStanding(operatorOf(id, i)).misses, 0, "no miss");
        }
        warpPast(quorum.getQuorum(id).deadline);
        quorum.closeCommits(id);
        assertQuorum(id, QuorumState.FAILED);
        assertEq(accountOf(CLIENT).credit - before, 3 * FEE, "the client has its fees, and no more");
        assertAllSettled(id);
    }

    function test_refuse__one_of_three__the_others_decide() public {
        JobId id = drawn(3);
        uint256 before = accountOf(CLIENT).credit;
        commitTo(id, 0, OUT_DIGEST);
        refuseAs(id, 1);
        commitTo(id, 2, OUT_DIGEST);
        // Nobody is left to wait for.
        assertQuorum(id, QuorumState.REVEALING);
        revealTo(id, 0, OUT_DIGEST);
        revealTo(id, 2, OUT_DIGEST);
        quorum.tally(id);
        endRound(id);
        assertAssurance(id, QuorumAssurance.QUORUM);
        assertEq(accountOf(CLIENT).credit - before, FEE, "the price of the one that refused");
        assertAllSettled(id);
    }

    function test_refuse__too_late_committed_twice_or_a_stranger__reverts() public {
        JobId id = drawn(3);
        bytes memory call = abi.encodeCall(IQuorum.refuse, (id));
        bytes memory reason = abi.encodeWithSelector(IQuorum.NoReplica.selector, id, STRANGER);
        checkQuorumRefused(id, STRANGER, 0, call, reason);
        commitTo(id, 0, OUT_DIGEST);
        reason = wrongReplica(id, 0, ReplicaState.COMMITTED, ReplicaState.DRAWN);
        checkQuorumRefused(id, workerOf(id, 0), 0, call, reason);
        refuseAs(id, 1);
        reason = wrongReplica(id, 1, ReplicaState.RELEASED, ReplicaState.DRAWN);
        checkQuorumRefused(id, workerOf(id, 1), 0, call, reason);
        uint256 until = quorum.getQuorum(id).deadline - EXEC + EXEC / 4;
        vm.warp(until + 1);
        reason = abi.encodeWithSelector(IJobMarket.DeadlinePassed.selector, id, until, until + 1);
        checkQuorumRefused(id, workerOf(id, 2), 0, call, reason);
    }

    function test_refuse__by_the_auditor__goes_on_without() public {
        JobId id = auditedUntil(true);
        refuseAs(id, 1);
        warpPast(quorum.getQuorum(id).deadline);
        quorum.closeCommits(id);
        revealTo(id, 0, OUT_DIGEST);
        quorum.tally(id);
        endRound(id);
        assertAssurance(id, QuorumAssurance.UNCHALLENGED);
        assertReplica(id, 1, ReplicaState.RELEASED);
        assertEq(sumJob(ETH, id), 0, "nothing left");
    }

    /* closeCommits */

    function test_closeCommits__while_they_may_come__reverts() public {
        JobId id = drawn(3);
        vm.warp(quorum.getQuorum(id).deadline);
        checkQuorumRefused(id, STRANGER, 0, abi.encodeCall(IQuorum.closeCommits, (id)), early(id));
    }

    function test_closeCommits__too_few__fails_with_refunds() public {
        JobId id = drawn(3);
        commitTo(id, 1, OUT_DIGEST);
        uint256 before = accountOf(CLIENT).credit;
        warpPast(quorum.getQuorum(id).deadline);
        quorum.closeCommits(id);
        assertQuorum(id, QuorumState.FAILED);
        assertReplica(id, 0, ReplicaState.MISSED);
        assertReplica(id, 1, ReplicaState.RELEASED);
        assertReplica(id, 2, ReplicaState.MISSED);
        assertGain(operatorOf(id, 1), 0, "who committed has its lock back");
        assertEq(accountOf(CLIENT).credit - before, 3 * FEE + 2 * (MISS / 2), "client");
        assertAllSettled(id);
    }

    /* AUDITS */

    function audited() private returns (JobId id) {
        id = orderAudited();
        passBlocks();
        quorum.draw(id);
        commitTo(id, 0, OUT_DIGEST);
        assertQuorum(id, QuorumState.AUDITING);
    }

    /// @dev Half of them are drawn in this preset.
    function auditedUntil(bool isDrawn) private returns (JobId id) {
        for (uint256 i = 0; i < 64; ++i) {
            id = audited();
            vm.roll(block.number + DELAY + 1 + i);
            quorum.drawAudit(id);
            if ((quorum.getReplicas(id).length == 2) == isDrawn) return id;
        }
        revert("never");
    }

    function test_drawAudit__before_the_commit__is_unknown() public {
        // The seed is not even asked for before the result is fixed: nobody can know who will look.
        JobId id = orderAudited();
        passBlocks();
        quorum.draw(id);
        bytes32 key = keccak256(abi.encode("zkDPS audit", id));
        assertTrue(beacon.stateOf(address(quorum), key) == SeedState.NONE, "not asked");
        bytes memory call = abi.encodeCall(IQuorum.drawAudit, (id));
        checkQuorumRefused(id, STRANGER, 0, call, wrongQuorum(id, QuorumState.AUDITING));
        commitTo(id, 0, OUT_DIGEST);
        assertTrue(beacon.stateOf(address(quorum), key) == SeedState.WAITING, "asked");
        bytes memory reason =
            abi.encodeWithSelector(IBeacon.SeedNotReady.selector, address(quorum), key, SeedState.WAITING);
        checkQuorumRefused(id, STRANGER, 0, call, reason);
    }

    function test_drawAudit__not_drawn__final_and_the_price_of_the_audit_back() public {
        JobId id = auditedUntil(false);
        revealTo(id, 0, OUT_DIGEST);
        quorum.tally(id);
        uint256 before = accountOf(CLIENT).credit;
        endRound(id);
        assertAssurance(id, QuorumAssurance.UNCHALLENGED);
        assertEq(accountOf(CLIENT).credit - before, FEE, "audit's fee back");
        assertEq(sumJob(ETH, id), 0, "nothing left");
    }

    function test_drawAudit__drawn__auditor_is_another_and_both_are_paid() public {
        JobId id = auditedUntil(true);
        assertQuorum(id, QuorumState.COMMITTING);
        assertTrue(operatorOf(id, 0) != operatorOf(id, 1), "another");
        commitTo(id, 1, OUT_DIGEST);
        revealTo(id, 0, OUT_DIGEST);
        revealTo(id, 1, OUT_DIGEST);
        quorum.tally(id);
        endRound(id);
        assertAssurance(id, QuorumAssurance.AUDITED);
        assertReplica(id, 0, ReplicaState.PAID);
        assertReplica(id, 1, ReplicaState.PAID);
        assertEq(sumJob(ETH, id), 0, "nothing left");
    }

    function test_drawAudit__they_differ__split_and_the_auditor_may_dispute() public {
        JobId id = auditedUntil(true);
        commitTo(id, 1, WRONG);
        revealTo(id, 0, OUT_DIGEST);
        revealTo(id, 1, WRONG);
        quorum.tally(id);
        assertQuorum(id, QuorumState.SPLIT);
        beat(id, 1);
        endRound(id);
        assertEq(quorum.getQuorum(id).outDigest, OUT_DIGEST, "what is left");
        endRound(id);
        assertAssurance(id, QuorumAssurance.UNCHALLENGED);
    }

    function test_drawAudit__silent_auditor__pays_the_miss_and_the_result_is_unaudited() public {
        JobId id = auditedUntil(true);
        warpPast(quorum.getQuorum(id).deadline);
        quorum.closeCommits(id);
        revealTo(id, 0, OUT_DIGEST);
        quorum.tally(id);
        assertReplica(id, 1, ReplicaState.MISSED);
        endRound(id);
        assertAssurance(id, QuorumAssurance.UNCHALLENGED);
        assertEq(sumJob(ETH, id), 0, "nothing left");
    }

    function test_drawAudit__seed_at_the_rate_or_just_below__decides() public {
        for (uint256 i = 0; i < 2; ++i) {
            JobId id = audited();
            vm.roll(block.number + DELAY + 1);
            bytes32 key = keccak256(abi.encode("zkDPS audit", id));
            setSeed(block.number - 1, address(quorum), key, AUDIT_BPS - i);
            quorum.drawAudit(id);
            assertEq(quorum.getReplicas(id).length, 1 + i, "half of all");
        }
    }

    function test_drawAudit__missed_seed__counts_as_drawn() public {
        // With a seed that spares the replica: letting another pass before has drawn it.
        for (uint256 i = 0; i < 8; ++i) {
            JobId id = audited();
            vm.roll(block.number + DELAY + 257);
            quorum.drawAudit(id);
            assertQuorum(id, QuorumState.AUDITING);
            vm.roll(block.number + DELAY + 1 + i);
            quorum.drawAudit(id);
            assertEq(quorum.getReplicas(id).length, 2, "drawn");
        }
    }

    function test_drawAudit__same_tag__is_never_the_auditor() public {
        // All but the primary's friends and one more are gone: that one is drawn, or nobody.
        for (uint256 i = 0; i < OPERATORS - 1; ++i) {
            vm.prank(ownerAt(0));
            pool.admit(ownerAt(i), true);
            vm.prank(workerAt(i));
            pool.enlist(version, ETH, ownerAt(0), 0);
        }
        vm.roll(block.number + 1);
        for (uint256 i = 0; i < 6; ++i) {
            JobId id = audited();
            vm.roll(block.number + DELAY + 1 + i);
            quorum.drawAudit(id);
            if (quorum.getReplicas(id).length == 1) continue;
            bool isFriend = operatorOf(id, 0) != ownerAt(OPERATORS - 1);
            assertTrue(!isFriend || operatorOf(id, 1) == ownerAt(OPERATORS - 1), "a friend audits a friend");
        }
    }

    function test_drawAudit__nobody_fit__goes_on_without() public {
        for (uint256 i = 1; i < OPERATORS; ++i) {
            vm.prank(ownerAt(i));
            pool.leave(version, ETH);
        }
        for (uint256 i = 0; i < 4; ++i) {
            JobId id = audited();
            vm.roll(block.number + DELAY + 1 + i);
            quorum.drawAudit(id);
            assertQuorum(id, QuorumState.REVEALING);
            assertEq(quorum.getReplicas(id).length, 1, "alone");
        }
    }

    function test_unknown_quorum__reverts() public {
        JobId nothing = JobId.wrap(WRONG);
        bytes memory reason = abi.encodeWithSelector(IQuorum.UnknownQuorum.selector, nothing);
        vm.expectRevert(reason);
        quorum.getQuorum(nothing);
        vm.expectRevert(reason);
        quorum.assuranceOf(nothing);
        vm.expectRevert(reason);
        quorum.draw(nothing);
    }

    /* PAUSE AND REFUND MODE */

    function test_every_step__in_the_refund_mode__reverts_but_voiding() public {
        JobId id = drawn(3);
        commitTo(id, 0, OUT_DIGEST);
        bytes memory void_ = abi.encodeCall(IQuorum.voidQuorum, (id));
        checkQuorumRefused(id, STRANGER, 0, void_, abi.encodeWithSelector(IProtocolClock.NotInRefundMode.selector));
        JobId open = order(3);
        enterRefundMode();
        bytes[8] memory calls = [
            abi.encodeCall(IQuorum.commitBlinded, (id, WRONG)),
            abi.encodeCall(IQuorum.closeCommits, (id)),
            abi.encodeCall(IQuorum.draw, (open)),
            abi.encodeCall(IQuorum.expireQuorum, (open)),
            abi.encodeCall(IQuorum.drawAudit, (id)),
            abi.encodeCall(IQuorum.reveal, (id, 0, OUT_DIGEST, saltOf(0))),
            abi.encodeCall(IQuorum.tally, (id)),
            abi.encodeCall(IQuorum.settle, (id))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            checkQuorumRefused(id, workerOf(id, 1), 0, calls[i], refundMode());
        }
        quorum.voidQuorum(id);
        quorum.voidQuorum(open);
        for (uint256 i = 0; i < 3; ++i) {
            assertReplica(id, i, ReplicaState.VOIDED);
            assertGain(operatorOf(id, i), 0, "everybody has its own back (I6)");
        }
        assertEq(accountOf(CLIENT).credit, 6 * FEE, "fees back");
        assertAllSettled(id);
        assertAllSettled(open);
        checkQuorumRefused(id, STRANGER, 0, void_, wrongQuorum(id, QuorumState.OPEN));
    }

    function test_voidQuorum__replica_taken_out__is_voided_as_a_job() public {
        JobId id = tallied(say(OUT_DIGEST, OUT_DIGEST, WRONG));
        JobId plain = extract(id, 0);
        JobId disputed = challengeReplica(id, 1);
        enterRefundMode();
        quorum.voidQuorum(id);
        market.voidJob(plain);
        game.voidDispute(disputed);
        assertQuorum(id, QuorumState.VOIDED);
        for (uint256 i = 0; i < 3; ++i) {
            assertGain(operatorOf(id, i), 0, "own back");
        }
        assertAllSettled(id);
    }

    function test_voidQuorum__split__gives_everybody_its_own() public {
        JobId id = tallied(say(OUT_DIGEST, WRONG, keccak256("a third result")));
        assertQuorum(id, QuorumState.SPLIT);
        enterRefundMode();
        quorum.voidQuorum(id);
        assertQuorum(id, QuorumState.VOIDED);
        assertAllSettled(id);
    }

    function test_every_deadline__stands_still_in_a_pause() public {
        JobId id = drawn(3);
        actAsGuardian(IGuardian.Action.PAUSE);
        vm.warp(block.timestamp + EXEC + 1);
        bytes memory call = abi.encodeCall(IQuorum.closeCommits, (id));
        (bool success,) = address(quorum).call(call);
        assertTrue(!success, "paused");
        vm.warp(block.timestamp + 72 hours - EXEC - 1);
        commitTo(id, 0, OUT_DIGEST);
    }
}
