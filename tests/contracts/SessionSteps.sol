// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISessionMarket} from "../../contracts/interfaces/ISessionMarket.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Assurance, JobTerms} from "../../contracts/types/Job.sol";
import {BatchItem, BatchState, Leaf, OpenParams, SessionState, SessionTerms} from "../../contracts/types/Session.sol";
import {JobFunds, LockStatus} from "../../contracts/types/Stake.sol";
import {JobSteps} from "./JobSteps.sol";
import {TreeBuilder} from "./TreeBuilder.sol";

/// @notice Sessions of preset `local`: how to open one, sign its requests, post a batch and prove what is in it.
abstract contract SessionSteps is JobSteps, TreeBuilder {
    uint256 internal constant CLIENT_KEY = 1;
    uint256 internal constant EXEC = 20;
    uint256 internal constant WINDOW = 15;
    uint96 internal constant DEPOSIT = 300 * FEE;

    /// @notice What a batch of this test holds.
    struct Made {
        JobId sessionId;
        BatchItem[] items;
    }

    mapping(JobId batchId => Made) private made;
    mapping(JobId sessionId => SessionTerms) private termsOfSession;
    uint64 private nextSessionSalt;

    /* SESSIONS */

    function openParams() internal returns (OpenParams memory) {
        return
            OpenParams({
                signer: CLIENT, operator: OWNER, version: version, token: ETH, fee: FEE, salt: ++nextSessionSalt
            });
    }

    function openSession() internal returns (JobId) {
        return openSessionAs(CLIENT, openParams(), DEPOSIT);
    }

    function openTokenSession() internal returns (JobId) {
        OpenParams memory params = openParams();
        params.token = address(token);
        return openSessionAs(CLIENT, params, DEPOSIT);
    }

    function openSessionAs(address client, OpenParams memory params, uint96 deposit)
        internal
        returns (JobId sessionId)
    {
        vm.prank(client);
        sessionId = sessions.openSession{value: params.token == ETH ? deposit : 0}(params, deposit);
        jobs.push(sessionId);
        termsOfSession[sessionId] =
            SessionTerms(client, params.signer, params.operator, params.version, params.token, params.fee, params.salt);
    }

    function closeAs(address caller, JobId sessionId) internal {
        vm.prank(caller);
        sessions.closeSession(sessionId);
    }

    /* REQUESTS */

    function inputOf(uint32 nonce) internal pure returns (bytes32) {
        return keccak256(abi.encode("input", nonce));
    }

    function signItem(JobId sessionId, uint256 key, uint32 nonce, uint40 validUntil, bytes32 outDigest)
        internal
        view
        returns (BatchItem memory item)
    {
        (item.nonce, item.validUntil, item.inDigest, item.outDigest) = (nonce, validUntil, inputOf(nonce), outDigest);
        resign(sessionId, key, item);
    }

    function resign(JobId sessionId, uint256 key, BatchItem memory item) internal view {
        bytes32 hash = sessions.hashRequest(sessionId, item.nonce, item.inDigest, item.validUntil);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        (item.r, item.vs) = (r, bytes32(uint256(s) | uint256(v - 27) << 255));
    }

    /// @notice `count` requests with nonces from `first` on, each answered with OUT_DIGEST.
    function signItems(JobId sessionId, uint32 first, uint256 count) internal view returns (BatchItem[] memory items) {
        items = new BatchItem[](count);
        for (uint32 i = 0; i < count; ++i) {
            items[i] = signItem(sessionId, CLIENT_KEY, first + i, uint40(block.timestamp + EXEC), OUT_DIGEST);
        }
    }

    /* BATCHES */

    function commitItems(JobId sessionId, BatchItem[] memory items) internal returns (JobId batchId) {
        vm.prank(WORKER);
        batchId = sessions.commitBatch(sessionId, items);
        jobs.push(batchId);
        made[batchId].sessionId = sessionId;
        for (uint256 i = 0; i < items.length; ++i) {
            made[batchId].items.push(items[i]);
        }
    }

    function commitCount(JobId sessionId, uint32 first, uint256 count) internal returns (JobId) {
        return commitItems(sessionId, signItems(sessionId, first, count));
    }

    /// @notice A fresh session with one batch.
    function committedBatch(uint256 count) internal returns (JobId batchId) {
        return commitCount(openSession(), 0, count);
    }

    function leafOf(JobId batchId, uint256 index) internal view returns (Leaf memory) {
        BatchItem storage item = made[batchId].items[index];
        return Leaf(uint16(index), item.nonce, item.inDigest, item.outDigest);
    }

    /// @notice The terms of the job that a result of a batch stands for.
    function requestTerms(JobId batchId, uint256 index) internal view returns (JobTerms memory) {
        Made storage m = made[batchId];
        SessionTerms storage t = termsOfSession[m.sessionId];
        BatchItem storage item = m.items[index];
        uint256 salt = uint256(keccak256(abi.encode(m.sessionId, item.nonce)));
        return JobTerms(t.client, t.version, item.inDigest, t.token, t.fee, 0, 0, salt);
    }

    function jobOf(JobId batchId, uint256 index) internal view returns (JobId) {
        return JobId.wrap(keccak256(abi.encode(block.chainid, address(market), requestTerms(batchId, index))));
    }

    function challengeLeafAs(address challenger, JobId batchId, uint256 index) internal returns (JobId jobId) {
        uint256 bond = game.computeBond(termsOfSession[made[batchId].sessionId].version);
        (Leaf memory leaf, bytes32[] memory path) = (leafOf(batchId, index), pathOf(batchId, index));
        vm.prank(challenger);
        jobId = sessions.challenge{value: bond}(batchId, leaf, path);
        noteJob(batchId, index, jobId);
    }

    function extractLeaf(JobId batchId, uint256 index) internal returns (JobId jobId) {
        (Leaf memory leaf, bytes32[] memory path) = (leafOf(batchId, index), pathOf(batchId, index));
        vm.prank(CLIENT);
        jobId = sessions.extract(batchId, leaf, path);
        noteJob(batchId, index, jobId);
    }

    /// @dev From here on the job is one of those that the ledger is summed over.
    function noteJob(JobId batchId, uint256 index, JobId jobId) private {
        for (uint256 i = 0; i < jobs.length; ++i) {
            if (JobId.unwrap(jobs[i]) == JobId.unwrap(jobId)) return;
        }
        jobs.push(jobId);
        remember(jobId, requestTerms(batchId, index));
    }

    function finaliseBatch(JobId batchId) internal {
        warpPast(sessions.getBatch(batchId).challengeUntil);
        vm.prank(WORKER);
        sessions.finaliseBatch(batchId);
    }

    /* THE TREE */

    function leafHash(JobId batchId, uint256 index) internal view returns (bytes32) {
        BatchItem storage item = made[batchId].items[index];
        return keccak256(abi.encodePacked(hex"00", jobOf(batchId, index), item.outDigest));
    }

    function leavesOf(JobId batchId) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](made[batchId].items.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = leafHash(batchId, i);
        }
    }

    function pathOf(JobId batchId, uint256 index) internal view returns (bytes32[] memory) {
        return buildPath(leavesOf(batchId), index);
    }

    /* EXPECTATIONS */

    function assertSession(JobId sessionId, SessionState expected) internal view {
        assertEq(uint256(sessions.getSession(sessionId).state), uint256(expected), "session's state");
    }

    function assertBatch(JobId batchId, BatchState expected) internal view {
        assertEq(uint256(sessions.getBatch(batchId).state), uint256(expected), "batch's state");
    }

    function assertFunds(address asset, JobId id, uint256 escrow, uint256 lock, LockStatus status) internal view {
        JobFunds memory f = vault.getFunds(asset, id);
        assertEq(f.escrow, escrow, "escrow");
        assertEq(f.lock, lock, "lock");
        assertEq(uint256(f.status), uint256(status), "lock's status");
    }

    function assertAssurance(JobId batchId, uint256 index, Assurance expected) internal view {
        Assurance got = sessions.assuranceOf(batchId, leafOf(batchId, index), pathOf(batchId, index));
        assertEq(uint256(got), uint256(expected), "assurance");
    }

    function wrongSession(JobId sessionId, SessionState required) internal view returns (bytes memory) {
        SessionState state = sessions.getSession(sessionId).state;
        return abi.encodeWithSelector(ISessionMarket.WrongSessionState.selector, sessionId, state, required);
    }

    function wrongBatch(JobId batchId) internal view returns (bytes memory) {
        BatchState state = sessions.getBatch(batchId).state;
        return abi.encodeWithSelector(ISessionMarket.WrongBatchState.selector, batchId, state, BatchState.COMMITTED);
    }

    /// @notice A refused step of a session: nothing in the vault and nothing of the session or batch has moved.
    function checkSessionRefused(JobId id, address caller, uint256 value, bytes memory call, bytes memory reason)
        internal
    {
        bytes32 before = sessionSnapshot(id);
        checkRefused(id, caller, address(sessions), value, call, reason);
        assertEq(sessionSnapshot(id), before, "nothing of sessions changed");
    }

    function sessionSnapshot(JobId id) private view returns (bytes32) {
        (, bytes memory session) = address(sessions).staticcall(abi.encodeCall(ISessionMarket.getSession, (id)));
        (, bytes memory batch) = address(sessions).staticcall(abi.encodeCall(ISessionMarket.getBatch, (id)));
        return keccak256(abi.encode(session, batch));
    }
}
