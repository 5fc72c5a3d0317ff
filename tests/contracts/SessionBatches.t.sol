// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {ISessionMarket} from "../../contracts/interfaces/ISessionMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Assurance} from "../../contracts/types/Job.sol";
import {Batch, BatchItem, BatchState, OpenParams, SessionState} from "../../contracts/types/Session.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {SessionSteps} from "./SessionSteps.sol";

/// @notice The life of a batch that nobody challenges: what may be in it, what it locks, who is paid.
contract SessionBatchesTest is SessionSteps {
    function checkRefusedItems(JobId id, address caller, BatchItem[] memory items, bytes memory reason) private {
        checkSessionRefused(id, caller, 0, abi.encodeCall(ISessionMarket.commitBatch, (id, items)), reason);
    }

    function one(BatchItem memory item) private pure returns (BatchItem[] memory items) {
        items = new BatchItem[](1);
        items[0] = item;
    }

    function wrongSigner(JobId id, uint256 nonce, address got) private view returns (bytes memory) {
        return abi.encodeWithSelector(ISessionMarket.WrongSigner.selector, id, nonce, got, CLIENT);
    }

    function nonceUsed(JobId id, uint256 nonce) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISessionMarket.NonceUsed.selector, id, nonce);
    }

    function finaliseCall(JobId batchId) private pure returns (bytes memory) {
        return abi.encodeCall(ISessionMarket.finaliseBatch, (batchId));
    }

    function voidCall(JobId batchId) private pure returns (bytes memory) {
        return abi.encodeCall(ISessionMarket.voidBatch, (batchId));
    }

    /* commitBatch: WHO AND WHEN */

    function test_commitBatch__not_the_operators_worker__reverts() public {
        JobId id = openSession();
        address[4] memory callers = [CLIENT, OWNER, STRANGER, CHALLENGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(IJobMarket.NotOperator.selector, id, callers[i], OWNER);
            checkRefusedItems(id, callers[i], signItems(id, 0, 1), reason);
        }
    }

    function test_commitBatch__another_operators_worker__reverts() public {
        JobId id = openSession();
        giveStake(STRANGER, CHALLENGER, STAKE);
        bytes memory reason = abi.encodeWithSelector(IJobMarket.NotOperator.selector, id, CHALLENGER, OWNER);
        checkRefusedItems(id, CHALLENGER, signItems(id, 0, 1), reason);
    }

    function test_commitBatch__jailed_operator__reverts() public {
        JobId id = openSession();
        defaultJob(challengedJob());
        uint256 until = vault.getStanding(OWNER).jailedUntil;
        bytes memory reason = abi.encodeWithSelector(IStakeVault.OperatorJailed.selector, OWNER, until);
        checkRefusedItems(id, WORKER, signItems(id, 0, 1), reason);
    }

    function test_commitBatch__closing__until_the_last_second() public {
        JobId id = openSession();
        closeAs(CLIENT, id);
        vm.warp(START + EXEC);
        commitCount(id, 0, 1);
        vm.warp(START + EXEC + 1);
        bytes memory reason =
            abi.encodeWithSelector(IJobMarket.DeadlinePassed.selector, id, START + EXEC, block.timestamp);
        checkRefusedItems(id, WORKER, signItems(id, 1, 1), reason);
    }

    function test_commitBatch__closed_or_voided__reverts() public {
        JobId id = openSession();
        closeAs(OWNER, id);
        checkRefusedItems(id, WORKER, signItems(id, 0, 1), wrongSession(id, SessionState.OPEN));
        id = openSession();
        closeAs(CLIENT, id);
        vm.warp(block.timestamp + EXEC + 1);
        sessions.withdrawSession(id);
        checkRefusedItems(id, WORKER, signItems(id, 0, 1), wrongSession(id, SessionState.OPEN));
    }

    /* commitBatch: WHAT */

    function test_commitBatch__nothing_or_too_much__reverts() public {
        JobId id = openSession();
        bytes memory none = abi.encodeWithSelector(ISessionMarket.WrongBatchSize.selector, 0, 256);
        checkRefusedItems(id, WORKER, new BatchItem[](0), none);
        bytes memory many = abi.encodeWithSelector(ISessionMarket.WrongBatchSize.selector, 257, 256);
        checkRefusedItems(id, WORKER, signItems(id, 0, 257), many);
    }

    function test_commitBatch__zero_digests__reverts() public {
        JobId id = openSession();
        BatchItem memory item = signItem(id, CLIENT_KEY, 0, uint40(START + EXEC), 0);
        bytes memory zero = abi.encodeWithSelector(IJobMarket.ZeroDigest.selector);
        checkRefusedItems(id, WORKER, one(item), zero);
        (item.inDigest, item.outDigest) = (0, OUT_DIGEST);
        resign(id, CLIENT_KEY, item);
        checkRefusedItems(id, WORKER, one(item), zero);
    }

    function test_commitBatch__expired_request__reverts() public {
        JobId id = openSession();
        BatchItem memory item = signItem(id, CLIENT_KEY, 7, uint40(START + 5), OUT_DIGEST);
        vm.warp(START + 6);
        bytes memory reason =
            abi.encodeWithSelector(ISessionMarket.RequestExpired.selector, id, 7, START + 5, START + 6);
        checkRefusedItems(id, WORKER, one(item), reason);
        vm.warp(START + 5);
        commitItems(id, one(item));
    }

    function test_commitBatch__another_key__reverts() public {
        JobId id = openSession();
        checkRefusedItems(
            id, WORKER, one(signItem(id, 2, 7, uint40(START), OUT_DIGEST)), wrongSigner(id, 7, vm.addr(2))
        );
    }

    function test_commitBatch__any_field_that_was_not_signed__reverts(uint256 field, uint256 flip) public {
        JobId id = openSession();
        BatchItem memory item = signItem(id, CLIENT_KEY, 7, uint40(START + EXEC), OUT_DIGEST);
        field = field % 5;
        uint256 bit = 1 << flip % 256;
        if (field == 0) item.nonce ^= uint32(1 << flip % 32);
        if (field == 1) item.validUntil += uint40(1 + flip % 1000);
        if (field == 2) item.inDigest = bytes32(uint256(item.inDigest) ^ bit);
        if (field == 3) item.r = bytes32(uint256(item.r) ^ bit);
        if (field == 4) item.vs = bytes32(uint256(item.vs) ^ bit);
        vm.prank(WORKER);
        (bool success, bytes memory reason) =
            address(sessions).call(abi.encodeCall(ISessionMarket.commitBatch, (id, one(item))));
        assertTrue(!success, "refused");
        assertEq(bytes32(bytes4(reason)), bytes32(ISessionMarket.WrongSigner.selector), "reason");
    }

    /// @dev Under the parity bit there is hardly room for an s of the upper half; what there is, a plain ecrecover takes.
    function test_commitBatch__high_s__reverts() public {
        JobId id = openSession();
        BatchItem memory item = signItem(id, CLIENT_KEY, 7, uint40(START + EXEC), OUT_DIGEST);
        bytes32 high = bytes32(type(uint256).max >> 1);
        bytes32 hash = sessions.hashRequest(id, item.nonce, item.inDigest, item.validUntil);
        assertTrue(ecrecover(hash, 27, item.r, high) != address(0), "a signature, but for s");
        item.vs = high;
        checkRefusedItems(id, WORKER, one(item), wrongSigner(id, 7, address(0)));
    }

    function test_commitBatch__no_signature_at_all__reverts() public {
        JobId id = openSession();
        BatchItem memory item = signItem(id, CLIENT_KEY, 7, uint40(START + EXEC), OUT_DIGEST);
        (item.r, item.vs) = (0, 0);
        checkRefusedItems(id, WORKER, one(item), wrongSigner(id, 7, address(0)));
    }

    function test_commitBatch__request_of_another_session__reverts() public {
        JobId id = openSession();
        JobId other = openSession();
        BatchItem memory item = signItem(other, CLIENT_KEY, 7, uint40(START + EXEC), OUT_DIGEST);
        vm.prank(WORKER);
        (bool success, bytes memory reason) =
            address(sessions).call(abi.encodeCall(ISessionMarket.commitBatch, (id, one(item))));
        assertTrue(!success, "refused");
        assertEq(bytes32(bytes4(reason)), bytes32(ISessionMarket.WrongSigner.selector), "reason");
        commitItems(other, one(item));
    }

    function test_commitBatch__session_key_of_a_contract__its_requests_count() public {
        OpenParams memory params = openParams();
        params.signer = vm.addr(99);
        JobId id = openSessionAs(CLIENT, params, DEPOSIT);
        bytes memory reason = abi.encodeWithSelector(ISessionMarket.WrongSigner.selector, id, 0, CLIENT, vm.addr(99));
        checkRefusedItems(id, WORKER, signItems(id, 0, 1), reason);
        commitItems(id, one(signItem(id, 99, 0, uint40(START + EXEC), OUT_DIGEST)));
    }

    function test_commitBatch__nonce_again__reverts() public {
        JobId id = openSession();
        commitCount(id, 255, 3);
        // In another batch, whatever else is in it; and with another result: one request, one result.
        checkRefusedItems(id, WORKER, signItems(id, 254, 2), nonceUsed(id, 255));
        BatchItem memory again = signItem(id, CLIENT_KEY, 256, uint40(START + EXEC), keccak256("another"));
        checkRefusedItems(id, WORKER, one(again), nonceUsed(id, 256));
        // Within one batch.
        BatchItem[] memory twice = signItems(id, 0, 2);
        twice[1] = twice[0];
        checkRefusedItems(id, WORKER, twice, nonceUsed(id, 0));
        // Refused batches used none.
        assertTrue(!sessions.isNonceUsed(id, 254) && sessions.isNonceUsed(id, 257), "nonces");
    }

    function test_commitBatch__one_nonce_in_two_sessions__both_count() public {
        JobId first = committedBatch(2);
        JobId second = committedBatch(2);
        assertTrue(JobId.unwrap(first) != JobId.unwrap(second), "ids");
        assertTrue(JobId.unwrap(jobOf(first, 0)) != JobId.unwrap(jobOf(second, 0)), "jobs");
    }

    function test_isNonceUsed__exactly_those_committed(uint32 nonce, uint32 other) public {
        JobId id = openSession();
        commitItems(id, one(signItem(id, CLIENT_KEY, nonce, uint40(START), OUT_DIGEST)));
        assertTrue(sessions.isNonceUsed(id, nonce), "used");
        assertTrue(nonce == other || !sessions.isNonceUsed(id, other), "not used");
    }

    /* commitBatch: MONEY */

    function test_commitBatch__more_than_the_deposit__reverts() public {
        JobId id = openSessionAs(CLIENT, openParams(), 2 * FEE + 1);
        bytes memory reason = abi.encodeWithSelector(IStakeVault.InsufficientEscrow.selector, id, 2 * FEE + 1, 3 * FEE);
        checkRefusedItems(id, WORKER, signItems(id, 0, 3), reason);
        commitCount(id, 0, 2);
        reason = abi.encodeWithSelector(IStakeVault.InsufficientEscrow.selector, id, 1, FEE);
        checkRefusedItems(id, WORKER, signItems(id, 2, 1), reason);
        vm.prank(CLIENT);
        sessions.addDeposit{value: FEE - 1}(id, FEE - 1);
        commitCount(id, 2, 1);
        assertEq(sessions.getSession(id).deposit, 0, "all spent");
        assertConserved();
    }

    function test_commitBatch__more_than_the_stake__reverts() public {
        JobId id = openSession();
        // 10 ether lock for 142 results of 0.07 ether.
        bytes memory reason = abi.encodeWithSelector(IStakeVault.InsufficientStake.selector, OWNER, STAKE, 143 * LOCK);
        checkRefusedItems(id, WORKER, signItems(id, 0, 143), reason);
        commitCount(id, 0, 142);
        assertEq(accountOf(OWNER).free, STAKE - 142 * LOCK, "free");
        assertEq(accountOf(OWNER).locked, 142 * LOCK, "locked");
    }

    function test_commitBatch__fees_and_locks_in_the_batch(uint8 size) public {
        uint256 count = 1 + size % 9;
        JobId id = openSession();
        BatchItem[] memory items = signItems(id, 3, count);
        JobId batchId = commitItems(id, items);
        Batch memory batch = sessions.getBatch(batchId);
        assertEq(JobId.unwrap(batch.sessionId), JobId.unwrap(id), "session");
        assertEq(batch.operator, OWNER, "operator");
        assertEq(batch.count, count, "count");
        assertEq(batch.extracted + batch.extractedBits, 0, "extracted");
        assertEq(batch.challengeUntil, START + WINDOW, "challengeUntil");
        assertEq(batch.lockEach, LOCK, "lockEach");
        assertBatch(batchId, BatchState.COMMITTED);
        assertFunds(ETH, batchId, count * FEE, count * LOCK, LockStatus.ACTIVE);
        assertEq(sessions.getSession(id).deposit, DEPOSIT - count * FEE, "deposit");
        bytes32 root = rootOf(leavesOf(batchId));
        assertEq(JobId.unwrap(batchId), keccak256(abi.encode("zkDPS batch", id, root)), "id");
        assertConserved();
    }

    function test_commitBatch__tells_root_and_results() public {
        JobId id = openSession();
        BatchItem[] memory items = signItems(id, 0xFFFFFFFD, 3);
        bytes memory packed;
        bytes32[] memory leaves = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) {
            items[i].outDigest = keccak256(abi.encode("output", i));
            packed = abi.encodePacked(packed, items[i].nonce, items[i].inDigest, items[i].outDigest);
            JobId jobId = sessions.computeRequestId(id, items[i].nonce, items[i].inDigest);
            leaves[i] = keccak256(abi.encodePacked(hex"00", jobId, items[i].outDigest));
        }
        bytes32 root = rootOf(leaves);
        JobId batchId = sessions.computeBatchId(id, root);
        vm.expectEmit(address(sessions));
        emit ISessionMarket.BatchCommitted(id, batchId, OWNER, root, 3, START + WINDOW, packed);
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowMoved(ETH, id, batchId, 3 * FEE);
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeLocked(ETH, batchId, OWNER, 3 * LOCK);
        commitItems(id, items);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(leafHash(batchId, i), leaves[i], "leaf");
        }
    }

    function test_commitBatch__lock_at_todays_gas() public {
        vm.fee(200 gwei);
        JobId id = openSession();
        JobId batchId = commitCount(id, 0, 2);
        uint256 lock = market.computeLock(ETH, FEE);
        assertTrue(lock > LOCK, "the challenger's gas, not the fee");
        assertFunds(ETH, batchId, 2 * FEE, 2 * lock, LockStatus.ACTIVE);
        // What a base fee did to it stays, whatever it does afterwards.
        vm.fee(0);
        JobId jobId = extractLeaf(batchId, 1);
        assertFunds(ETH, jobId, FEE, lock, LockStatus.ACTIVE);
        finaliseBatch(batchId);
        assertSettled(batchId);
    }

    function test_commitBatch__tokens() public {
        JobId id = openTokenSession();
        JobId batchId = commitCount(id, 0, 3);
        uint256 lock = market.computeLock(address(token), FEE);
        assertFunds(address(token), batchId, 3 * FEE, 3 * lock, LockStatus.ACTIVE);
        assertFunds(ETH, batchId, 0, 0, LockStatus.NONE);
        finaliseBatch(batchId);
        assertEq(tokenAccountOf(OWNER).free, STAKE, "stake");
        assertEq(tokenAccountOf(OWNER).credit, 3 * (FEE - PROTOCOL_FEE), "paid");
        assertSettled(batchId);
    }

    /* finaliseBatch */

    function test_finaliseBatch__unknown_or_too_early_or_again__reverts() public {
        JobId nothing = JobId.wrap(keccak256("nothing"));
        bytes memory unknown = abi.encodeWithSelector(ISessionMarket.UnknownBatch.selector, nothing);
        checkSessionRefused(nothing, WORKER, 0, finaliseCall(nothing), unknown);
        checkSessionRefused(nothing, WORKER, 0, abi.encodeCall(ISessionMarket.getBatch, (nothing)), unknown);
        JobId batchId = committedBatch(2);
        vm.warp(START + WINDOW);
        checkSessionRefused(batchId, WORKER, 0, finaliseCall(batchId), tooEarly(batchId, START + WINDOW));
        finaliseBatch(batchId);
        checkSessionRefused(batchId, WORKER, 0, finaliseCall(batchId), wrongBatch(batchId));
    }

    function test_finaliseBatch__paused__reverts() public {
        JobId batchId = committedBatch(2);
        vm.warp(START + WINDOW + 1);
        actAsGuardian(IGuardian.Action.PAUSE);
        bytes memory paused = abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, block.timestamp + 72 hours);
        checkSessionRefused(batchId, WORKER, 0, finaliseCall(batchId), paused);
        vm.warp(block.timestamp + 72 hours);
        sessions.finaliseBatch(batchId);
        assertSettled(batchId);
    }

    function test_finaliseBatch__a_pause_moves_the_end_of_the_window() public {
        JobId batchId = committedBatch(2);
        vm.warp(START + 1);
        actAsGuardian(IGuardian.Action.PAUSE);
        vm.warp(START + 1 + 1000);
        actAsGuardian(IGuardian.Action.UNPAUSE);
        vm.warp(START + 1000 + WINDOW);
        bytes memory early =
            abi.encodeWithSelector(IJobMarket.DeadlineNotReached.selector, batchId, START + WINDOW, START + WINDOW);
        checkSessionRefused(batchId, WORKER, 0, finaliseCall(batchId), early);
        vm.warp(START + 1000 + WINDOW + 1);
        sessions.finaliseBatch(batchId);
    }

    function test_finaliseBatch__pays_as_final_jobs_would(uint8 size, uint16 royaltyBps) public {
        uint256 count = 1 + size % 9;
        royaltyBps = 1 + royaltyBps % 2000;
        useRoyalty(royaltyBps);
        JobId batchId = committedBatch(count);
        vm.expectEmit(address(sessions));
        warpPast(START + WINDOW);
        emit ISessionMarket.BatchFinalised(batchId, OWNER, count);
        vm.prank(WORKER);
        sessions.finaliseBatch(batchId);
        uint256 royalty = count * FEE * royaltyBps / 10_000;
        uint256 burned = count * FEE / 100;
        assertEq(accountOf(REGISTRANT).credit, royalty, "royalty");
        assertEq(vault.burned(ETH), burned, "protocol fee");
        assertEq(accountOf(OWNER).credit, count * FEE - royalty - burned, "operator");
        assertEq(accountOf(OWNER).free, STAKE, "free");
        assertEq(accountOf(OWNER).locked, 0, "locked");
        assertBatch(batchId, BatchState.FINAL);
        assertAssurance(batchId, count - 1, Assurance.UNCHALLENGED);
        assertFunds(ETH, batchId, 0, 0, LockStatus.RELEASED);
        assertSettled(batchId);
    }

    function test_finaliseBatch__royalty_of_the_opening_owner_of_the_end() public {
        useRoyalty(700);
        JobId id = openSession();
        // Another version for whoever opens a session from here on.
        bytes32 first = version;
        useRoyalty(100);
        assertTrue(first != version, "versions");
        commitCount(id, 0, 1);
        assertEq(sessions.getSession(id).royaltyBps, 700, "pinned");
        assertEq(sessions.getSession(id).terms.version, first, "version");
    }

    function test_finaliseBatch__keeper__a_stranger_after_the_delay() public {
        address[4] memory callers = [CLIENT, OWNER, WORKER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            JobId batchId = committedBatch(2);
            uint256 before = accountOf(callers[i]).credit;
            uint256 burned = vault.burned(ETH);
            // KEEPER_DELAY_SECONDS after the window's end.
            vm.warp(uint256(sessions.getBatch(batchId).challengeUntil) + 11);
            vm.prank(callers[i]);
            sessions.finaliseBatch(batchId);
            uint256 gained = accountOf(callers[i]).credit - before;
            uint256 earned = callers[i] == OWNER ? 2 * (FEE - PROTOCOL_FEE) : 0;
            assertEq(gained, callers[i] == STRANGER ? 2 * TIP : earned, "tip");
            assertEq(vault.burned(ETH) - burned, 2 * PROTOCOL_FEE, "burned");
            assertSettled(batchId);
        }
    }

    function test_finaliseBatch__a_stranger_within_the_delay__no_tip() public {
        JobId batchId = committedBatch(2);
        vm.warp(START + WINDOW + 10);
        vm.prank(STRANGER);
        sessions.finaliseBatch(batchId);
        assertEq(accountOf(STRANGER).credit, 0, "tip");
    }

    function test_finaliseBatch__session_closed_meanwhile__settles_all_the_same() public {
        JobId id = openSession();
        JobId batchId = commitCount(id, 0, 3);
        closeAs(WORKER, id);
        assertEq(accountOf(CLIENT).credit, DEPOSIT - 3 * FEE, "the rest");
        finaliseBatch(batchId);
        assertEq(accountOf(OWNER).credit, 3 * (FEE - PROTOCOL_FEE), "paid");
        assertSettled(batchId);
        assertSettled(id);
    }

    function test_finaliseBatch__operator_without_worker_or_in_jail__is_paid() public {
        JobId batchId = committedBatch(3);
        defaultJob(challengedJob());
        vm.prank(OWNER);
        vault.proposeWorker(address(0));
        vm.prank(STRANGER);
        sessions.finaliseBatch(batchId);
        assertTrue(accountOf(OWNER).credit > 2 * FEE, "paid");
        assertSettled(batchId);
    }

    function test_finaliseBatch__credits_that_are_full__are_burned_not_refused() public {
        JobId filler = openSessionAs(OWNER, openParams(), FEE);
        vm.deal(OWNER, type(uint96).max);
        vm.prank(OWNER);
        sessions.addDeposit{value: type(uint80).max - FEE}(filler, type(uint80).max - FEE);
        closeAs(OWNER, filler);
        assertEq(accountOf(OWNER).credit, type(uint80).max, "full");
        JobId batchId = committedBatch(2);
        finaliseBatch(batchId);
        assertEq(vault.burned(ETH), 2 * FEE, "burned");
        assertSettled(batchId);
    }

    /* voidBatch */

    function test_voidBatch__without_refund_mode_or_settled__reverts() public {
        JobId batchId = committedBatch(2);
        checkSessionRefused(batchId, STRANGER, 0, voidCall(batchId), noRefundMode());
        finaliseBatch(batchId);
        enterRefundMode();
        checkSessionRefused(batchId, STRANGER, 0, voidCall(batchId), wrongBatch(batchId));
    }

    function test_voidBatch__everybody_has_its_own_back() public {
        JobId id = openSession();
        JobId batchId = commitCount(id, 0, 5);
        enterRefundMode();
        checkSessionRefused(batchId, WORKER, 0, finaliseCall(batchId), refundMode());
        vm.expectEmit(address(sessions));
        emit ISessionMarket.BatchVoided(batchId);
        vm.prank(STRANGER);
        sessions.voidBatch(batchId);
        sessions.voidSession(id);
        assertEq(accountOf(CLIENT).credit, DEPOSIT, "client");
        assertEq(accountOf(OWNER).free, STAKE, "operator");
        assertEq(vault.burned(ETH), 0, "burned");
        assertBatch(batchId, BatchState.VOIDED);
        assertAssurance(batchId, 0, Assurance.NONE);
        assertSettled(batchId);
        assertSettled(id);
        checkSessionRefused(batchId, STRANGER, 0, voidCall(batchId), wrongBatch(batchId));
    }

    function test_voidBatch__of_an_overdue_batch__is_voided_too() public {
        JobId batchId = committedBatch(2);
        vm.warp(START + WINDOW + 1);
        enterRefundMode();
        sessions.voidBatch(batchId);
        assertEq(accountOf(CLIENT).credit, 2 * FEE, "client");
        assertSettled(batchId);
    }
}
