// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {ISessionMarket} from "../../contracts/interfaces/ISessionMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {DisputeState, SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Assurance, Job, JobState, JobTerms} from "../../contracts/types/Job.sol";
import {Batch, BatchState, Leaf} from "../../contracts/types/Session.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {SessionSteps} from "./SessionSteps.sol";

/// @notice Results that leave their batch: proven to be in it, disputed as jobs, while the rest goes on.
contract SessionChallengesTest is SessionSteps {
    function challengeCall(JobId batchId, Leaf memory leaf, bytes32[] memory path) private pure returns (bytes memory) {
        return abi.encodeCall(ISessionMarket.challenge, (batchId, leaf, path));
    }

    function extractCall(JobId batchId, uint256 index) private view returns (bytes memory) {
        return abi.encodeCall(ISessionMarket.extract, (batchId, leafOf(batchId, index), pathOf(batchId, index)));
    }

    function checkNotIncluded(JobId batchId, Leaf memory leaf, bytes32[] memory path) private {
        bytes memory reason = abi.encodeWithSelector(ISessionMarket.NotInBatch.selector, batchId, leaf.index);
        checkSessionRefused(batchId, CHALLENGER, BOND, challengeCall(batchId, leaf, path), reason);
        bytes memory call = abi.encodeCall(ISessionMarket.extract, (batchId, leaf, path));
        checkSessionRefused(batchId, CLIENT, 0, call, reason);
        call = abi.encodeCall(ISessionMarket.assuranceOf, (batchId, leaf, path));
        checkSessionRefused(batchId, STRANGER, 0, call, reason);
    }

    /* INCLUSION */

    function test_challenge__unknown_batch__reverts() public {
        JobId nothing = JobId.wrap(keccak256("nothing"));
        bytes memory unknown = abi.encodeWithSelector(ISessionMarket.UnknownBatch.selector, nothing);
        Leaf memory leaf = Leaf(0, 0, IN_DIGEST, OUT_DIGEST);
        bytes32[] memory none = new bytes32[](0);
        checkSessionRefused(nothing, CHALLENGER, BOND, challengeCall(nothing, leaf, none), unknown);
        bytes memory call = abi.encodeCall(ISessionMarket.extract, (nothing, leaf, none));
        checkSessionRefused(nothing, CLIENT, 0, call, unknown);
        call = abi.encodeCall(ISessionMarket.assuranceOf, (nothing, leaf, none));
        checkSessionRefused(nothing, CLIENT, 0, call, unknown);
    }

    function test_challenge__another_leaf__reverts(uint256 field, uint256 flip) public {
        JobId batchId = committedBatch(5);
        Leaf memory leaf = leafOf(batchId, 3);
        bytes32[] memory path = pathOf(batchId, 3);
        field = field % 5;
        uint256 bit = 1 << flip % 256;
        if (field == 0) leaf.index ^= uint16(1 << flip % 16);
        if (field == 1) leaf.nonce ^= uint32(1 << flip % 32);
        if (field == 2) leaf.inDigest = bytes32(uint256(leaf.inDigest) ^ bit);
        if (field == 3) leaf.outDigest = bytes32(uint256(leaf.outDigest) ^ bit);
        if (field == 4) path[flip % 3] = bytes32(uint256(path[flip % 3]) ^ bit);
        checkNotIncluded(batchId, leaf, path);
    }

    function test_challenge__path_of_another_length__reverts() public {
        JobId batchId = committedBatch(5);
        bytes32[] memory path = pathOf(batchId, 3);
        bytes32[] memory shorter = new bytes32[](2);
        (shorter[0], shorter[1]) = (path[0], path[1]);
        checkNotIncluded(batchId, leafOf(batchId, 3), shorter);
        bytes32[] memory longer = new bytes32[](4);
        (longer[0], longer[1], longer[2]) = (path[0], path[1], path[2]);
        checkNotIncluded(batchId, leafOf(batchId, 3), longer);
        checkNotIncluded(batchId, leafOf(batchId, 3), new bytes32[](0));
    }

    /// @dev Beyond the batch's end the same bits would lead to the same root, were the index not checked.
    function test_challenge__index_beyond_the_batch__reverts() public {
        JobId batchId = committedBatch(4);
        Leaf memory leaf = leafOf(batchId, 3);
        bytes32[] memory path = pathOf(batchId, 3);
        uint16[4] memory others = [uint16(7), 11, 259, 0x8003];
        for (uint256 i = 0; i < others.length; ++i) {
            leaf.index = others[i];
            checkNotIncluded(batchId, leaf, path);
        }
        // The place behind the last has the bits of the first.
        leaf = leafOf(batchId, 0);
        leaf.index = 4;
        checkNotIncluded(batchId, leaf, pathOf(batchId, 0));
    }

    /// @dev Nobody knows a job and a digest that hash to a padding word, and a place behind the last result is refused.
    function test_challenge__padding__reverts() public {
        JobId batchId = committedBatch(3);
        bytes32[] memory path = buildPath(leavesOf(batchId), 3);
        checkNotIncluded(batchId, Leaf(3, 0, 0, 0), path);
    }

    function test_challenge__leaf_of_another_batch__reverts() public {
        JobId id = openSession();
        JobId first = commitCount(id, 0, 4);
        JobId second = commitCount(id, 4, 4);
        checkNotIncluded(second, leafOf(first, 1), pathOf(first, 1));
        JobId third = committedBatch(4);
        checkNotIncluded(third, leafOf(first, 1), pathOf(first, 1));
    }

    function test_challenge__each_leaf_of_each_size(uint8 size, uint8 place) public {
        uint256 count = 1 + size % 18;
        uint256 index = place % count;
        JobId batchId = committedBatch(count);
        assertAssurance(batchId, index, Assurance.NONE);
        JobId jobId = challengeLeafAs(CHALLENGER, batchId, index);
        assertEq(JobId.unwrap(jobId), JobId.unwrap(jobOf(batchId, index)), "job");
        assertState(jobId, JobState.DISPUTED);
        assertConserved();
    }

    /* CHALLENGE */

    function test_challenge__after_the_window__reverts() public {
        JobId batchId = committedBatch(2);
        vm.warp(START + WINDOW + 1);
        bytes memory call = challengeCall(batchId, leafOf(batchId, 0), pathOf(batchId, 0));
        checkSessionRefused(batchId, CHALLENGER, BOND, call, tooLate(batchId, START + WINDOW));
        checkSessionRefused(batchId, CLIENT, 0, extractCall(batchId, 0), tooLate(batchId, START + WINDOW));
        sessions.finaliseBatch(batchId);
        checkSessionRefused(batchId, CHALLENGER, BOND, call, wrongBatch(batchId));
        checkSessionRefused(batchId, CLIENT, 0, extractCall(batchId, 0), wrongBatch(batchId));
    }

    function test_challenge__in_the_last_second__counts() public {
        JobId batchId = committedBatch(2);
        vm.warp(START + WINDOW);
        JobId jobId = challengeLeafAs(CHALLENGER, batchId, 0);
        assertState(jobId, JobState.DISPUTED);
    }

    function test_challenge__paused_or_refund_mode__reverts() public {
        JobId batchId = committedBatch(2);
        bytes memory call = challengeCall(batchId, leafOf(batchId, 0), pathOf(batchId, 0));
        bytes memory extract_ = extractCall(batchId, 0);
        actAsGuardian(IGuardian.Action.PAUSE);
        bytes memory paused = abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, block.timestamp + 72 hours);
        checkSessionRefused(batchId, CHALLENGER, BOND, call, paused);
        checkSessionRefused(batchId, CLIENT, 0, extract_, paused);
        actAsGuardian(IGuardian.Action.UNPAUSE);
        enterRefundMode();
        checkSessionRefused(batchId, CHALLENGER, BOND, call, refundMode());
        checkSessionRefused(batchId, CLIENT, 0, extract_, refundMode());
    }

    function test_challenge__bond_too_small__reverts_and_extracts_nothing() public {
        JobId batchId = committedBatch(2);
        bytes memory reason =
            abi.encodeWithSelector(IDisputeGame.BondTooSmall.selector, jobOf(batchId, 0), BOND - 1, BOND);
        bytes memory call = challengeCall(batchId, leafOf(batchId, 0), pathOf(batchId, 0));
        checkSessionRefused(batchId, CHALLENGER, BOND - 1, call, reason);
        assertEq(sessions.getBatch(batchId).extracted, 0, "extracted");
    }

    function test_challenge__moves_fee_and_lock_and_opens_the_dispute() public {
        useRoyalty(700);
        JobId batchId = committedBatch(3);
        JobTerms memory terms = requestTerms(batchId, 1);
        JobId jobId = jobOf(batchId, 1);
        JobId sessionId = sessions.getBatch(batchId).sessionId;
        vm.warp(START + 5);
        (Leaf memory leaf, bytes32[] memory path) = (leafOf(batchId, 1), pathOf(batchId, 1));
        vm.expectEmit(address(sessions));
        emit ISessionMarket.ResultExtracted(batchId, jobId, sessionId, 1);
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowMoved(ETH, batchId, jobId, FEE);
        vm.expectEmit(address(vault));
        emit IStakeVault.LockMoved(ETH, batchId, jobId, LOCK);
        vm.expectEmit(address(market));
        emit IJobMarket.JobCreated(jobId, CLIENT, version, terms, START + 5, "");
        vm.expectEmit(address(market));
        emit IJobMarket.JobAccepted(jobId, OWNER, START + 5);
        vm.expectEmit(address(market));
        emit IJobMarket.ResultCommitted(jobId, OWNER, OUT_DIGEST, START + WINDOW, "");
        vm.expectEmit(address(market));
        emit IJobMarket.JobDisputed(jobId);
        vm.prank(CHALLENGER);
        sessions.challenge{value: BOND + 5}(batchId, leaf, path);
        jobs.push(jobId);

        Job memory job = market.getJob(jobId);
        assertEq(job.client, CLIENT, "client");
        assertEq(job.operator, OWNER, "operator");
        assertEq(job.token, ETH, "token");
        assertEq(job.fee, FEE, "fee");
        assertEq(job.version, version, "version");
        assertEq(job.outDigest, OUT_DIGEST, "result");
        assertEq(job.deadline, START + WINDOW, "deadline");
        assertTrue(!job.proofRequired && job.deliverBy == 0, "plain job");
        assertFunds(ETH, jobId, FEE, LOCK, LockStatus.ACTIVE);
        assertFunds(ETH, batchId, 2 * FEE, 2 * LOCK, LockStatus.ACTIVE);
        assertEq(accountOf(OWNER).locked, 3 * LOCK, "locked stays");
        assertEq(vault.bondsOf(jobId), BOND, "bond");
        assertEq(accountOf(CHALLENGER).credit, 5, "what was sent beyond the bond");
        assertEq(game.getDispute(jobId).challenger, CHALLENGER, "challenger");
        assertEq(game.openChallenges(OWNER), 1, "open challenges");
        Batch memory batch = sessions.getBatch(batchId);
        assertEq(batch.extracted, 1, "extracted");
        assertEq(batch.extractedBits, 2, "bits");
        assertEq(address(sessions).balance, 0, "nothing stays here");
        assertConserved();
    }

    function test_challenge__of_an_honest_result__bond_lost_rest_unaffected() public {
        JobId batchId = committedBatch(4);
        JobId jobId = challengeLeafAs(CHALLENGER, batchId, 2);
        vm.warp(START + 10);
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
        uint256 defence = BOND * 80 / 100;
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE + defence, "operator is paid at once");
        assertEq(accountOf(CHALLENGER).credit, 0, "bond is lost");
        finaliseBatch(batchId);
        assertEq(accountOf(OWNER).credit, 4 * (FEE - PROTOCOL_FEE) + defence, "and for the rest");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertAssurance(batchId, 2, Assurance.PROVEN);
        assertAssurance(batchId, 1, Assurance.UNCHALLENGED);
        assertSettled(jobId);
        assertSettled(batchId);
    }

    function test_challenge__not_proven__that_results_lock_is_slashed_rest_settled() public {
        JobId batchId = committedBatch(4);
        JobId jobId = challengeLeafAs(CHALLENGER, batchId, 2);
        finaliseBatch(batchId);
        defaultJob(jobId);
        assertState(jobId, JobState.REJECTED);
        assertFunds(ETH, jobId, 0, LOCK, LockStatus.SLASHED);
        assertEq(accountOf(OWNER).free, STAKE - LOCK, "one lock");
        assertEq(accountOf(OWNER).credit, 3 * (FEE - PROTOCOL_FEE), "three fees");
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond");
        assertTrue(vault.getStanding(OWNER).jailedUntil != 0, "jail");
        distribute(jobId);
        assertEq(accountOf(CLIENT).credit, FEE + LOCK * 40 / 100, "40 %");
        assertEq(accountOf(CHALLENGER).credit, BOND + LOCK * 35 / 100, "35 %");
        assertAssurance(batchId, 2, Assurance.NONE);
        assertAssurance(batchId, 3, Assurance.UNCHALLENGED);
        assertSettled(jobId);
        assertSettled(batchId);
    }

    function test_challenge__cured_within_the_airgap() public {
        JobId batchId = committedBatch(2);
        JobId jobId = challengeLeafAs(CHALLENGER, batchId, 1);
        defaultJob(jobId);
        cureAs(WORKER, jobId);
        assertEq(accountOf(OWNER).free, STAKE - 2 * LOCK + LOCK * 80 / 100, "80 %");
        vm.prank(WORKER);
        sessions.finaliseBatch(batchId);
        assertSettled(jobId);
        assertSettled(batchId);
    }

    function test_challenge__again__joins_the_dispute() public {
        JobId batchId = committedBatch(2);
        JobId jobId = challengeLeafAs(CHALLENGER, batchId, 1);
        assertEq(JobId.unwrap(challengeLeafAs(STRANGER, batchId, 1)), JobId.unwrap(jobId), "one job");
        // The ordinary way works as well.
        challengeAs(CLIENT, jobId);
        address[] memory all = game.getChallengers(jobId);
        assertEq(all.length, 3, "challengers");
        assertTrue(all[0] == CHALLENGER && all[1] == STRANGER && all[2] == CLIENT, "in order");
        assertEq(game.openChallenges(OWNER), 1, "one dispute");
        bytes memory twice = abi.encodeWithSelector(IDisputeGame.AlreadyChallenging.selector, jobId, STRANGER);
        bytes memory call = challengeCall(batchId, leafOf(batchId, 1), pathOf(batchId, 1));
        checkSessionRefused(batchId, STRANGER, BOND, call, twice);
        defaultJob(jobId);
        distribute(jobId);
        uint256 share = LOCK * 35 / 100 / 3;
        assertEq(accountOf(STRANGER).credit, BOND + share, "shares");
        assertEq(accountOf(CHALLENGER).credit, BOND + share, "equally");
        assertSettled(jobId);
    }

    /// @dev The client cannot shield its accomplice by extracting in front of a challenger's transaction.
    function test_challenge__extracted_in_front_of_it__opens_the_dispute() public {
        JobId batchId = committedBatch(2);
        vm.warp(START + WINDOW);
        JobId jobId = extractLeaf(batchId, 1);
        assertState(jobId, JobState.COMMITTED);
        challengeLeafAs(CHALLENGER, batchId, 1);
        assertState(jobId, JobState.DISPUTED);
        assertEq(sessions.getBatch(batchId).extracted, 1, "extracted once");
    }

    function test_challenge__of_a_job_that_was_extracted_and_is_overdue__reverts() public {
        JobId batchId = committedBatch(2);
        JobId jobId = extractLeaf(batchId, 1);
        vm.warp(START + WINDOW + 1);
        bytes memory call = challengeCall(batchId, leafOf(batchId, 1), pathOf(batchId, 1));
        checkSessionRefused(batchId, CHALLENGER, BOND, call, tooLate(jobId));
        sessions.finaliseBatch(batchId);
        checkSessionRefused(batchId, CHALLENGER, BOND, call, tooLate(jobId));
        market.finalise(jobId);
        checkSessionRefused(batchId, CHALLENGER, BOND, call, wrongState(jobId, JobState.COMMITTED));
        assertAssurance(batchId, 1, Assurance.UNCHALLENGED);
        assertSettled(jobId);
    }

    function test_challenge__tokens__bond_in_ether() public {
        JobId batchId = commitCount(openTokenSession(), 0, 3);
        uint256 lock = market.computeLock(address(token), FEE);
        JobId jobId = challengeLeafAs(CHALLENGER, batchId, 0);
        assertFunds(address(token), jobId, FEE, lock, LockStatus.ACTIVE);
        defaultJob(jobId);
        distribute(jobId);
        vm.prank(WORKER);
        sessions.finaliseBatch(batchId);
        assertEq(tokenAccountOf(CLIENT).credit, FEE + lock * 40 / 100, "client");
        assertEq(tokenAccountOf(CHALLENGER).credit, lock * 35 / 100, "challenger");
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond");
        assertSettled(jobId);
        assertSettled(batchId);
    }

    /* EXTRACT */

    function test_extract__by_others__reverts() public {
        JobId batchId = committedBatch(2);
        address[4] memory callers = [OWNER, WORKER, CHALLENGER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(IJobMarket.NotClient.selector, batchId, callers[i], CLIENT);
            checkSessionRefused(batchId, callers[i], 0, extractCall(batchId, 0), reason);
        }
    }

    function test_extract__twice__reverts() public {
        JobId batchId = committedBatch(2);
        extractLeaf(batchId, 1);
        bytes memory again = abi.encodeWithSelector(ISessionMarket.AlreadyExtracted.selector, batchId, 1);
        checkSessionRefused(batchId, CLIENT, 0, extractCall(batchId, 1), again);
        challengeLeafAs(CHALLENGER, batchId, 0);
        again = abi.encodeWithSelector(ISessionMarket.AlreadyExtracted.selector, batchId, 0);
        checkSessionRefused(batchId, CLIENT, 0, extractCall(batchId, 0), again);
    }

    function test_extract__then_final_as_any_job() public {
        JobId batchId = committedBatch(3);
        JobId jobId = extractLeaf(batchId, 0);
        assertState(jobId, JobState.COMMITTED);
        warpPast(START + WINDOW);
        vm.prank(WORKER);
        market.finalise(jobId);
        vm.prank(WORKER);
        sessions.finaliseBatch(batchId);
        assertEq(accountOf(OWNER).credit, 3 * (FEE - PROTOCOL_FEE), "three fees");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertAssurance(batchId, 0, Assurance.UNCHALLENGED);
        assertSettled(jobId);
        assertSettled(batchId);
    }

    function test_extract__for_a_delivery__that_does_not_come() public {
        JobId batchId = committedBatch(3);
        JobId jobId = extractLeaf(batchId, 0);
        uint256 payment = market.computeDeliveryPayment(jobId);
        vm.prank(CLIENT);
        market.requestDelivery{value: payment}(jobId);
        assertFunds(ETH, jobId, FEE + payment, LOCK, LockStatus.ACTIVE);
        warpPast(market.getJob(jobId).deliverBy);
        market.failJob(jobId);
        assertEq(accountOf(CLIENT).credit, FEE + payment + FEE / 2, "refund and half the fine");
        assertEq(accountOf(OWNER).free, STAKE - 2 * LOCK - FEE, "fine of one fee");
        sessions.finaliseBatch(batchId);
        assertSettled(jobId);
        assertSettled(batchId);
    }

    function test_extract__for_evidence__two_signed_results() public {
        JobId batchId = committedBatch(3);
        JobId jobId = extractLeaf(batchId, 2);
        bytes32 other = keccak256("what the operator told the client");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(3, game.hashResult(jobId, other));
        SignedResult memory first = SignedResult(OUT_DIGEST, "");
        SignedResult memory second = SignedResult(other, abi.encodePacked(r, s, v));
        vm.prank(CLIENT);
        game.announceEvidence(keccak256(abi.encode(CLIENT, jobId, first, second, bytes32(0))));
        vm.roll(block.number + 1);
        vm.prank(CLIENT);
        game.proveEquivocation(jobId, first, second, 0);
        assertState(jobId, JobState.REJECTED);
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
        assertFunds(ETH, jobId, 0, LOCK, LockStatus.SLASHED);
        uint256 free = STAKE - 3 * LOCK;
        assertEq(accountOf(OWNER).free, free - free / 10, "a tenth of the free stake");
        finaliseBatch(batchId);
        distribute(jobId);
        assertSettled(jobId);
        assertSettled(batchId);
    }

    /* ALL OF THEM */

    function test_extract__all_256__the_batch_ends_empty() public {
        vm.prank(OWNER);
        vault.deposit{value: 20 ether}(ETH, 20 ether);
        JobId batchId = committedBatch(256);
        assertFunds(ETH, batchId, 256 * FEE, 256 * LOCK, LockStatus.ACTIVE);
        bytes32[] memory leaves = leavesOf(batchId);
        bytes32[][] memory tree = buildTree(leaves);
        for (uint256 i = 0; i < 256; ++i) {
            bytes32[] memory path = new bytes32[](8);
            for (uint256 level = 0; level < 8; ++level) {
                path[level] = tree[level][(i >> level) ^ 1];
            }
            Leaf memory leaf = leafOf(batchId, i);
            vm.prank(CLIENT);
            jobs.push(sessions.extract(batchId, leaf, path));
        }
        Batch memory batch = sessions.getBatch(batchId);
        assertEq(batch.extracted, 256, "extracted");
        assertEq(batch.extractedBits, type(uint256).max, "bits");
        assertFunds(ETH, batchId, 0, 0, LockStatus.ACTIVE);
        assertEq(accountOf(OWNER).locked, 256 * LOCK, "locks moved, none was lost");
        finaliseBatch(batchId);
        for (uint256 i = 0; i < 256; ++i) {
            market.finalise(jobs[jobs.length - 1 - i]);
        }
        assertEq(accountOf(OWNER).free, STAKE + 20 ether, "stake");
        assertEq(accountOf(OWNER).credit, 256 * (FEE - PROTOCOL_FEE), "paid, job by job");
        assertSettled(batchId);
    }

    function buildTree(bytes32[] memory leaves) private pure returns (bytes32[][] memory tree) {
        tree = new bytes32[][](9);
        tree[0] = leaves;
        for (uint256 level = 1; level < 9; ++level) {
            tree[level] = new bytes32[](256 >> level);
            for (uint256 i = 0; i < tree[level].length; ++i) {
                bytes32 left = tree[level - 1][2 * i];
                tree[level][i] = keccak256(abi.encodePacked(hex"01", left, tree[level - 1][2 * i + 1]));
            }
        }
    }

    /* REFUND MODE */

    function test_refund_mode__extracted_disputed_and_left_results__everybody_has_its_own_back() public {
        JobId id = openSession();
        JobId batchId = commitCount(id, 0, 5);
        JobId extracted = extractLeaf(batchId, 0);
        JobId disputed = challengeLeafAs(CHALLENGER, batchId, 1);
        JobId rejected = challengeLeafAs(CHALLENGER, batchId, 2);
        warpPast(game.getDispute(rejected).proveBy);
        game.claimDefault(rejected);
        enterRefundMode();
        market.voidJob(extracted);
        game.voidDispute(disputed);
        game.voidDispute(rejected);
        sessions.voidBatch(batchId);
        sessions.voidSession(id);
        // The verdict stood before: its refund is among what the client has back.
        assertEq(accountOf(CLIENT).credit, DEPOSIT, "client");
        assertEq(accountOf(OWNER).free, STAKE, "operator");
        assertEq(accountOf(CHALLENGER).credit, 2 * BOND, "challenger");
        assertEq(vault.burned(ETH), 0, "burned");
        assertSettled(extracted);
        assertSettled(disputed);
        assertSettled(rejected);
        assertSettled(batchId);
        assertSettled(id);
    }

    function test_refund_mode__final_and_closed__stay() public {
        JobId id = openSession();
        JobId batchId = commitCount(id, 0, 2);
        JobId jobId = extractLeaf(batchId, 0);
        finaliseBatch(batchId);
        closeAs(OWNER, id);
        enterRefundMode();
        market.voidJob(jobId);
        assertEq(accountOf(CLIENT).credit, DEPOSIT - FEE, "all but the result that is final");
        assertSettled(jobId);
        assertBatch(batchId, BatchState.FINAL);
        assertConserved();
    }
}
