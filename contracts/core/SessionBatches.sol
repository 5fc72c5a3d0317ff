// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {ISessionMarket} from "../interfaces/ISessionMarket.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {BatchTree} from "../libraries/BatchTree.sol";
import {JobIds} from "../libraries/JobIds.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {JobId} from "../types/Ids.sol";
import {Adoption, Assurance, JobTerms} from "../types/Job.sol";
import {Batch, BatchItem, BatchState, Leaf, SessionState, StoredBatch, StoredSession} from "../types/Session.sol";
import {Exit} from "../types/Split.sol";
import {SessionBook} from "./SessionBook.sol";

/// @title The life of a batch: committed, its results challenged one by one, finalised
abstract contract SessionBatches is SessionBook {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @inheritdoc ISessionMarket
    uint256 public constant MAX_BATCH = 256; // one word of extractedBits; some 2.5 million gas

    /// @dev Nonces in a word of `usedNonces`.
    uint256 private constant WORD_BITS = 256;
    /// @dev Bytes of an item in BatchCommitted: nonce and two digests.
    uint256 private constant ITEM_BYTES = 68;
    bytes32 private constant REQUEST_TYPE =
        keccak256("Request(bytes32 sessionId,uint32 nonce,bytes32 inDigest,uint40 validUntil)");

    /* STORAGE */

    mapping(JobId batchId => StoredBatch) private batches;
    /// @dev A bit a nonce: a request is answered once.
    mapping(JobId sessionId => mapping(uint256 word => uint256 bits)) private usedNonces;

    /* WORKER */

    /// @inheritdoc ISessionMarket
    function commitBatch(JobId sessionId, BatchItem[] calldata items) external returns (JobId batchId) {
        uint40 time = tick();
        StoredSession memory session = findSession(sessionId);
        requireOpen(sessionId, session, time);
        if (!isWorkerOf(session.operator)) revert IJobMarket.NotOperator(sessionId, msg.sender, session.operator);
        uint256 count = items.length;
        if (count == 0 || count > MAX_BATCH) revert WrongBatchSize(count, MAX_BATCH);
        address token = getToken(session);
        // Narrowed to the width of a credit, so that every share of it can be paid.
        uint80 lockEach = IJobMarket(MARKET).computeLock(token, session.fee).toUint80();
        uint40 challengeUntil = computeDeadline(time, CHALLENGE_SECONDS);

        (bytes32 root, bytes memory packed) = acceptItems(sessionId, session, items, time);
        batchId = computeBatchId(sessionId, root);
        // No batch of this id before: its nonces, which the root commits to, were unused.
        batches[batchId] = StoredBatch({
            sessionId: sessionId,
            state: BatchState.COMMITTED,
            count: count.toUint16(),
            extracted: 0,
            challengeUntil: challengeUntil,
            lockEach: lockEach,
            extractedBits: 0
        });
        emit BatchCommitted(sessionId, batchId, session.operator, root, count, challengeUntil, packed);
        // SAFETY: the vault is this deployment's and calls nobody in this step.
        // INVARIANT: every result has its whole fee and its whole lock in the batch, or there is no batch.
        IStakeVault(VAULT)
            .fundBatch(
                token, sessionId, batchId, msg.sender, (count * session.fee).toUint96(), (count * lockEach).toUint96()
            );
    }

    /// @dev Checks every request, marks its nonce, and returns the root over the results and what the event tells of them.
    function acceptItems(JobId sessionId, StoredSession memory session, BatchItem[] calldata items, uint40 time)
        private
        returns (bytes32 root, bytes memory packed)
    {
        JobTerms memory terms = buildTerms(session);
        bytes32 domain = TypedData.hashDomain(address(this));
        bytes32[] memory leaves = BatchTree.allocate(items.length);
        packed = new bytes(ITEM_BYTES * items.length);
        // No unbounded loop: MAX_BATCH items.
        for (uint256 i = 0; i < items.length; ++i) {
            BatchItem calldata item = items[i];
            checkItem(sessionId, session.signer, domain, item, time);
            useNonce(sessionId, item.nonce);
            fillTerms(terms, sessionId, item.nonce, item.inDigest);
            leaves[i] = BatchTree.hashLeaf(JobIds.compute(MARKET, terms), item.outDigest);
            packItem(packed, i, item);
        }
        root = BatchTree.consume(leaves);
    }

    function checkItem(JobId sessionId, address signer, bytes32 domain, BatchItem calldata item, uint40 time)
        private
        pure
    {
        if (item.inDigest == 0 || item.outDigest == 0) revert IJobMarket.ZeroDigest();
        if (time > item.validUntil) revert RequestExpired(sessionId, item.nonce, item.validUntil, time);
        bytes32 request = TypedData.hashIn(domain, hashFields(sessionId, item.nonce, item.inDigest, item.validUntil));
        (address got,,) = ECDSA.tryRecover(request, item.r, item.vs);
        // INVARIANT: the client pays for what its key asked for, and for nothing else. The signer is never zero.
        if (got != signer) revert WrongSigner(sessionId, item.nonce, got, signer);
    }

    function useNonce(JobId sessionId, uint32 nonce) private {
        (uint256 word, uint256 mask) = findNonce(nonce);
        uint256 bits = usedNonces[sessionId][word];
        // INVARIANT: a request is answered, and paid, once; so a job id is in one batch at most, and there once.
        if (bits & mask != 0) revert NonceUsed(sessionId, nonce);
        usedNonces[sessionId][word] = bits | mask;
    }

    function packItem(bytes memory packed, uint256 index, BatchItem calldata item) private pure {
        (uint256 nonce, bytes32 inDigest, bytes32 outDigest) = (item.nonce, item.inDigest, item.outDigest);
        // Equivalent to packed[68 * index : 68 * index + 68] = abi.encodePacked(item.nonce, inDigest, outDigest)
        assembly ("memory-safe") {
            let start := add(add(packed, 0x20), mul(index, ITEM_BYTES))
            // The first write reaches beyond the nonce, into what the others fill.
            mstore(start, shl(224, nonce))
            mstore(add(start, 4), inDigest)
            mstore(add(start, 36), outDigest)
        }
    }

    /* CHALLENGES */

    /// @inheritdoc ISessionMarket
    function challenge(JobId batchId, Leaf calldata leaf, bytes32[] calldata path)
        external
        payable
        returns (JobId jobId)
    {
        StoredBatch storage batch = findBatch(batchId);
        JobTerms memory terms;
        (jobId, terms) = requireIncluded(batchId, batch, leaf, path);
        // INVARIANT: nobody can keep a challenger out by taking the result out of the batch first.
        if (!isExtracted(batch, leaf.index)) extractLeaf(batchId, batch, leaf, jobId, terms);
        // SAFETY: the game is this deployment's and calls nobody outside of it.
        IDisputeGame(GAME).challengeFor{value: msg.value}(jobId, leaf.outDigest, msg.sender);
    }

    /// @inheritdoc ISessionMarket
    function extract(JobId batchId, Leaf calldata leaf, bytes32[] calldata path) external returns (JobId jobId) {
        StoredBatch storage batch = findBatch(batchId);
        requireClient(batchId, sessions[batch.sessionId]);
        JobTerms memory terms;
        (jobId, terms) = requireIncluded(batchId, batch, leaf, path);
        if (isExtracted(batch, leaf.index)) revert AlreadyExtracted(batchId, leaf.index);
        extractLeaf(batchId, batch, leaf, jobId, terms);
    }

    function extractLeaf(
        JobId batchId,
        StoredBatch storage batch,
        Leaf calldata leaf,
        JobId jobId,
        JobTerms memory terms
    ) private {
        uint40 time = tick();
        requireCommitted(batchId, batch);
        uint40 challengeUntil = batch.challengeUntil;
        // INVARIANT: a result leaves its batch before the batch can be settled.
        requireInTime(batchId, challengeUntil, time);
        JobId sessionId = batch.sessionId;
        StoredSession storage session = sessions[sessionId];

        batch.extractedBits |= 1 << leaf.index;
        ++batch.extracted;
        emit ResultExtracted(batchId, jobId, sessionId, leaf.index);
        // SAFETY: vault and market are this deployment's and call nobody in these steps.
        IStakeVault(VAULT).splitFunds(terms.token, batchId, jobId, terms.fee, batch.lockEach);
        IJobMarket(MARKET)
            .adoptJob(
                terms,
                Adoption({
                operator: session.operator,
                outDigest: leaf.outDigest,
                challengeUntil: challengeUntil,
                versionNumber: session.versionNumber,
                royaltyBps: session.royaltyBps
            })
            );
    }

    /* THE END */

    /// @inheritdoc ISessionMarket
    function finaliseBatch(JobId batchId) external {
        uint40 time = tick();
        StoredBatch storage batch = findBatch(batchId);
        requireCommitted(batchId, batch);
        uint256 deadline = batch.challengeUntil;
        requireOverdue(batchId, deadline, time);
        StoredSession memory session = sessions[batch.sessionId];

        batch.state = BatchState.FINAL;
        emit BatchFinalised(batchId, session.operator, countLeft(batch));
        settleBatch(batchId, batch, session, Exit.FINAL, findKeeper(session, deadline, time));
    }

    /// @inheritdoc ISessionMarket
    function voidBatch(JobId batchId) external {
        requireRefundMode();
        StoredBatch storage batch = findBatch(batchId);
        requireCommitted(batchId, batch);

        batch.state = BatchState.VOIDED;
        emit BatchVoided(batchId);
        settleBatch(batchId, batch, sessions[batch.sessionId], Exit.VOIDED, address(0));
    }

    /// @dev The results that became jobs of their own took their fee and their lock along.
    function settleBatch(
        JobId batchId,
        StoredBatch storage batch,
        StoredSession memory session,
        Exit exit,
        address keeper
    ) private {
        uint256 count = countLeft(batch);
        settle(batchId, session, exit, count * session.fee, count * batch.lockEach, session.royaltyBps, keeper);
    }

    /// @dev Who earns the keeper's tip: the caller, if those concerned have forgotten the batch for a while.
    function findKeeper(StoredSession memory session, uint256 deadline, uint256 time) private view returns (address) {
        if (time <= deadline + KEEPER_DELAY_SECONDS) return address(0);
        if (msg.sender == session.client || msg.sender == session.operator) return address(0);
        return isWorkerOf(session.operator) ? address(0) : msg.sender;
    }

    /* CHECKS */

    /// @dev A session takes batches while it is OPEN, and as CLOSING until its last second.
    function requireOpen(JobId sessionId, StoredSession memory session, uint256 time) private pure {
        if (session.state == SessionState.CLOSING) return requireInTime(sessionId, session.closesAt, time);
        if (session.state != SessionState.OPEN) {
            revert WrongSessionState(sessionId, session.state, SessionState.OPEN);
        }
    }

    function requireCommitted(JobId batchId, StoredBatch storage batch) private view {
        // INVARIANT: a batch is settled once.
        if (batch.state != BatchState.COMMITTED) {
            revert WrongBatchState(batchId, batch.state, BatchState.COMMITTED);
        }
    }

    /// @dev Whether the leaf is in the batch, at its place: the batch's id commits to the root.
    /// @return jobId The job that the result is, or would be.
    /// @return terms That job's terms.
    function requireIncluded(JobId batchId, StoredBatch storage batch, Leaf calldata leaf, bytes32[] calldata path)
        private
        view
        returns (JobId jobId, JobTerms memory terms)
    {
        (JobId sessionId, uint256 count) = (batch.sessionId, batch.count);
        terms = buildTerms(sessions[sessionId]);
        fillTerms(terms, sessionId, leaf.nonce, leaf.inDigest);
        jobId = JobIds.compute(MARKET, terms);
        bytes32 root = BatchTree.climb(BatchTree.hashLeaf(jobId, leaf.outDigest), leaf.index, path);
        bool hasPlace = leaf.index < count && path.length == BatchTree.computeDepth(count);
        if (!hasPlace || JobId.unwrap(computeBatchId(sessionId, root)) != JobId.unwrap(batchId)) {
            revert NotInBatch(batchId, leaf.index);
        }
    }

    /* LOOK-UPS */

    function findBatch(JobId batchId) private view returns (StoredBatch storage batch) {
        batch = batches[batchId];
        if (batch.state == BatchState.NONE) revert UnknownBatch(batchId);
    }

    function isExtracted(StoredBatch storage batch, uint256 index) private view returns (bool) {
        return batch.extractedBits >> index & 1 == 1;
    }

    function countLeft(StoredBatch storage batch) private view returns (uint256) {
        return uint256(batch.count) - batch.extracted;
    }

    function findNonce(uint256 nonce) private pure returns (uint256 word, uint256 mask) {
        return (nonce / WORD_BITS, 1 << nonce % WORD_BITS);
    }

    function hashFields(JobId sessionId, uint32 nonce, bytes32 inDigest, uint40 validUntil)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(REQUEST_TYPE, sessionId, nonce, inDigest, validUntil));
    }

    /* VIEWS */

    /// @inheritdoc ISessionMarket
    function getBatch(JobId batchId) external view returns (Batch memory) {
        StoredBatch storage batch = findBatch(batchId);
        return Batch({
            sessionId: batch.sessionId,
            operator: sessions[batch.sessionId].operator,
            state: batch.state,
            count: batch.count,
            extracted: batch.extracted,
            extractedBits: batch.extractedBits,
            challengeUntil: batch.challengeUntil,
            lockEach: batch.lockEach
        });
    }

    /// @inheritdoc ISessionMarket
    function isNonceUsed(JobId sessionId, uint32 nonce) external view returns (bool) {
        (uint256 word, uint256 mask) = findNonce(nonce);
        return usedNonces[sessionId][word] & mask != 0;
    }

    /// @inheritdoc ISessionMarket
    function assuranceOf(JobId batchId, Leaf calldata leaf, bytes32[] calldata path) external view returns (Assurance) {
        StoredBatch storage batch = findBatch(batchId);
        (JobId jobId,) = requireIncluded(batchId, batch, leaf, path);
        if (isExtracted(batch, leaf.index)) return IJobMarket(MARKET).assurance(jobId);
        return batch.state == BatchState.FINAL ? Assurance.UNCHALLENGED : Assurance.NONE;
    }

    /// @inheritdoc ISessionMarket
    function computeBatchId(JobId sessionId, bytes32 root) public pure returns (JobId) {
        return JobId.wrap(keccak256(abi.encode("zkDPS batch", sessionId, root)));
    }

    /// @inheritdoc ISessionMarket
    function computeRequestId(JobId sessionId, uint32 nonce, bytes32 inDigest) external view returns (JobId) {
        JobTerms memory terms = buildTerms(findSession(sessionId));
        fillTerms(terms, sessionId, nonce, inDigest);
        return JobIds.compute(MARKET, terms);
    }

    /// @inheritdoc ISessionMarket
    function hashRequest(JobId sessionId, uint32 nonce, bytes32 inDigest, uint40 validUntil)
        external
        view
        returns (bytes32)
    {
        return TypedData.hash(address(this), hashFields(sessionId, nonce, inDigest, validUntil));
    }
}
