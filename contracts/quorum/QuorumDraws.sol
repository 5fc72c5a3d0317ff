// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBeacon} from "../interfaces/IBeacon.sol";
import {ICandidatePool} from "../interfaces/ICandidatePool.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IQuorum} from "../interfaces/IQuorum.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Economics} from "../libraries/Economics.sol";
import {JobId} from "../types/Ids.sol";
import {
    Candidate,
    QuorumParams,
    QuorumState,
    QuorumTerms,
    Replica,
    ReplicaState,
    Search,
    SeedState,
    StoredQuorum
} from "../types/Quorum.sol";
import {QuorumBook} from "./QuorumBook.sol";

/// @title From the order to blinded results: the draw, the commitments, the audit
abstract contract QuorumDraws is QuorumBook {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev Replicas of a quorum; every settlement pays all of them (I18).
    uint256 internal constant MAX_REPLICAS = 5;
    /// @dev An unusable input shows at once: who says so later than this part of T_exec has computed.
    uint256 private constant REFUSAL_PART = 4;

    /* STORAGE */

    /// @dev What the client chose to tell two equal orders apart, and what else only the id commits to.
    mapping(JobId quorumId => uint64) internal salts;

    /* CLIENT */

    /// @inheritdoc IQuorum
    function createQuorum(QuorumParams calldata params) external payable returns (JobId quorumId) {
        uint40 drawUntil = computeDeadline(tick(), ASSIGN_SECONDS);
        checkParams(params);
        QuorumTerms memory terms = readTerms(params);
        quorumId = computeQuorumId(terms);
        // INVARIANT: an id names one quorum for ever, also after its end.
        if (quorums[quorumId].state != QuorumState.NONE) revert QuorumExists(quorumId);

        store(quorumId, params, drawUntil);
        emit QuorumCreated(quorumId, msg.sender, terms, drawUntil, params.inputUri);
        // INVARIANT: the seed of the draw is decided after the order, which nobody can withdraw.
        // SAFETY: the beacon calls nobody; the vault nobody but the ERC-20 that the deployment chose.
        IBeacon(BEACON).request(getDrawKey(quorumId));
        uint256 parts = params.isAudited ? 2 : params.count;
        uint96 amount = (parts * params.fee).toUint96();
        IStakeVault(VAULT).addDeposit{value: msg.value}(params.token, quorumId, msg.sender, amount);
    }

    function store(JobId quorumId, QuorumParams calldata params, uint40 drawUntil) private {
        // The version fixes verifier and royalty too: a version never changes.
        (uint32 versionNumber, uint16 royaltyBps) = IModelRegistry(REGISTRY).getOrderTerms(params.version);
        if (versionNumber == 0) revert IJobMarket.UnknownModelVersion(params.version);
        StoredQuorum storage quorum = quorums[quorumId];
        // Narrowed, so that whatever comes in can be credited when it goes out.
        (quorum.client, quorum.fee, quorum.royaltyBps) = (msg.sender, uint256(params.fee).toUint80(), royaltyBps);
        (quorum.state, quorum.count, quorum.isToken) = (QuorumState.OPEN, params.count, params.token != ETH);
        (quorum.isAudited, quorum.deadline, quorum.versionNumber) = (params.isAudited, drawUntil, versionNumber);
        (quorum.insured, quorum.inDigest) = (params.insured, params.inDigest);
        salts[quorumId] = params.salt;
    }

    function checkParams(QuorumParams calldata params) private view {
        uint256 count = params.count;
        if (count > MAX_REPLICAS || count % 2 == 0 || (count != 1 && params.isAudited)) {
            revert WrongReplicaCount(count, params.isAudited);
        }
        if (params.fee == 0) revert IJobMarket.ZeroFee();
        if (params.inDigest == 0) revert IJobMarket.ZeroDigest();
        if (params.token != ETH && params.token != TOKEN) revert IJobMarket.UnsupportedFeeToken(params.token);
        // Reverts where no lock is enough, or none could be paid.
        computeLock(params.token, params.fee, count, params.insured, params.isAudited);
    }

    function readTerms(QuorumParams calldata params) private view returns (QuorumTerms memory) {
        return QuorumTerms({
            client: msg.sender,
            version: params.version,
            inDigest: params.inDigest,
            token: params.token,
            fee: params.fee,
            count: params.count,
            insured: params.insured,
            isAudited: params.isAudited,
            salt: params.salt
        });
    }

    /* THE DRAW */

    /// @inheritdoc IQuorum
    function draw(JobId quorumId) external {
        uint40 time = tick();
        StoredQuorum storage quorum = expectQuorum(quorumId, QuorumState.OPEN);
        requireInTime(quorumId, quorum.deadline, time);
        (bool isFixed, bytes32 seed) = takeSeed(quorumId, getDrawKey(quorumId));
        if (!isFixed) return;
        uint256 count = quorum.count;
        uint256 found = drawReplicas(quorumId, quorum, seed, count, time);
        if (found < count) revert TooFewCandidates(quorumId, found, count);
    }

    /// @inheritdoc IQuorum
    function expireQuorum(JobId quorumId) external {
        uint40 time = tick();
        StoredQuorum storage quorum = expectQuorum(quorumId, QuorumState.OPEN);
        requireOverdue(quorumId, quorum.deadline, time);
        endQuorum(quorumId, quorum, QuorumState.EXPIRED);
    }

    /// @dev The seed; or no seed, and another is asked for, because nobody fixed it in time.
    function takeSeed(JobId quorumId, bytes32 key) private returns (bool isFixed, bytes32 seed) {
        if (IBeacon(BEACON).stateOf(address(this), key) == SeedState.MISSED) {
            IBeacon(BEACON).request(key);
            emit SeedMissed(quorumId);
            return (false, 0);
        }
        return (true, IBeacon(BEACON).fix(address(this), key));
    }

    function buildSearch(JobId quorumId, StoredQuorum storage quorum, bytes32 seed, uint256 required)
        private
        view
        returns (Search memory search)
    {
        address token = getToken(quorum);
        search.version = IModelRegistry(REGISTRY).versionAt(quorum.versionNumber);
        (search.token, search.seed, search.client) = (token, seed, quorum.client);
        (search.tag, search.primary, search.required) = (quorum.primaryTag, replicas[quorumId][0].operator, required);
        bytes32 key = quorum.state == QuorumState.OPEN ? getDrawKey(quorumId) : getAuditKey(quorumId);
        search.askedAt = IBeacon(BEACON).requestedAt(address(this), key);
        search.fee = quorum.fee;
        search.lock = computeLock(token, quorum.fee, quorum.count, quorum.insured, quorum.isAudited);
    }

    /// @return found How many fit; with fewer than required nothing is changed.
    function drawReplicas(JobId quorumId, StoredQuorum storage quorum, bytes32 seed, uint256 required, uint40 time)
        private
        returns (uint256 found)
    {
        Search memory search = buildSearch(quorumId, quorum, seed, required);
        Candidate[] memory drawn;
        (drawn, found) = ICandidatePool(POOL).drawOperators(search);
        if (found < required) return found;

        uint40 commitUntil = computeDeadline(time, EXEC_SECONDS);
        (quorum.state, quorum.deadline) = (QuorumState.COMMITTING, commitUntil);
        // Once an auditor is drawn nobody asks for the tag.
        if (quorum.isAudited) quorum.primaryTag = drawn[0].tag;
        for (uint256 i = 0; i < required; ++i) {
            addReplica(quorumId, quorum, drawn[i].operator, search.lock, commitUntil);
        }
    }

    function addReplica(JobId quorumId, StoredQuorum storage quorum, address operator, uint256 lock, uint40 commitUntil)
        private
    {
        uint256 index = quorum.size;
        JobId jobId = computeReplicaJob(quorumId, quorum, index);
        address worker = IStakeVault(VAULT).workerOf(operator);

        (replicas[quorumId][index].operator, replicas[quorumId][index].state) = (operator, ReplicaState.DRAWN);
        quorum.size = (index + 1).toUint8();
        emit ReplicaDrawn(quorumId, jobId, operator, index, lock, commitUntil);
        // SAFETY: the vault is this deployment's and calls nobody in this step.
        // INVARIANT: every replica has its whole fee and its whole lock, under the id of the job that it may become.
        IStakeVault(VAULT).fundBatch(getToken(quorum), quorumId, jobId, worker, quorum.fee, lock.toUint96());
    }

    /* BLINDED RESULTS */

    /// @inheritdoc IQuorum
    function commitBlinded(JobId quorumId, bytes32 commitment) external {
        (StoredQuorum storage quorum, uint256 index, uint40 time) = expectDrawn(quorumId, 0);
        Replica storage replica = replicas[quorumId][index];
        uint256 size = quorum.size;
        checkCommitment(quorumId, size, commitment);

        (replica.state, replica.commitment) = (ReplicaState.COMMITTED, commitment);
        emit ReplicaCommitted(quorumId, replica.operator, index, commitment);
        if (countReplicas(quorumId, size, ReplicaState.DRAWN, 0) == 0) goOn(quorumId, quorum, time);
    }

    /// @inheritdoc IQuorum
    function refuse(JobId quorumId) external {
        (StoredQuorum storage quorum, uint256 index,) =
            expectDrawn(quorumId, EXEC_SECONDS - EXEC_SECONDS / REFUSAL_PART);
        // INVARIANT: a client that gives nobody its input earns no fine by it.
        settleReplica(quorumId, quorum, index, ReplicaState.RELEASED, 0);
    }

    /// @dev The caller's replica, so many seconds or more before its blinded result is overdue.
    function expectDrawn(JobId quorumId, uint256 before)
        private
        view
        returns (StoredQuorum storage quorum, uint256 index, uint40 time)
    {
        time = tick();
        quorum = expectQuorum(quorumId, QuorumState.COMMITTING);
        requireInTime(quorumId, quorum.deadline - before, time);
        index = findReplica(quorumId, quorum.size);
        expectReplica(quorumId, index, ReplicaState.DRAWN);
    }

    /// @inheritdoc IQuorum
    function closeCommits(JobId quorumId) external {
        uint40 time = tick();
        StoredQuorum storage quorum = expectQuorum(quorumId, QuorumState.COMMITTING);
        requireOverdue(quorumId, quorum.deadline, time);
        (uint256 size, uint256 count) = (quorum.size, quorum.count);
        uint256 committed = countReplicas(quorumId, size, ReplicaState.COMMITTED, 0);
        if (committed >= computeMajority(count)) openReveals(quorumId, quorum, time);
        else failQuorum(quorumId, quorum);
    }

    /// @dev Nothing more is due. The only replica may have to share its fate with an auditor.
    function goOn(JobId quorumId, StoredQuorum storage quorum, uint40 time) private {
        if (!quorum.isAudited || quorum.size != 1) return openReveals(quorumId, quorum, time);

        quorum.state = QuorumState.AUDITING;
        emit AuditPending(quorumId);
        // INVARIANT: whether there is an auditor, and who, is decided after the first result is fixed.
        IBeacon(BEACON).request(getAuditKey(quorumId));
    }

    /// @inheritdoc IQuorum
    function drawAudit(JobId quorumId) external {
        uint40 time = tick();
        StoredQuorum storage quorum = expectQuorum(quorumId, QuorumState.AUDITING);
        (bool isFixed, bytes32 seed) = takeSeed(quorumId, getAuditKey(quorumId));
        if (!isFixed) {
            // INVARIANT: nobody escapes an audit by letting the seed pass (protocol.md 3.16).
            quorum.isAuditDue = true;
            return;
        }
        bool isDrawn = quorum.isAuditDue || uint256(seed) % Economics.BPS < AUDIT_BPS;
        emit AuditDecided(quorumId, isDrawn);
        if (!isDrawn) return openReveals(quorumId, quorum, time);
        if (drawReplicas(quorumId, quorum, seed, 1, time) == 0) openReveals(quorumId, quorum, time);
    }

    function openReveals(JobId quorumId, StoredQuorum storage quorum, uint40 time) private {
        uint40 revealUntil = computeDeadline(time, EXEC_SECONDS);
        (quorum.state, quorum.deadline) = (QuorumState.REVEALING, revealUntil);
        emit RevealsOpened(quorumId, revealUntil);
    }

    /* CHECKS */

    function findReplica(JobId quorumId, uint256 size) private view returns (uint256) {
        address operator = getOperator();
        for (uint256 i = 0; i < size; ++i) {
            // A caller who serves nobody serves owner 0, who has no replica.
            if (replicas[quorumId][i].operator == operator) return i;
        }
        revert NoReplica(quorumId, msg.sender);
    }

    /// @dev A copy within the quorum is refused here; one from elsewhere names another job and can never be opened. Who
    /// is overtaken by a copy takes another salt, and the copy costs its sender the whole lock.
    function checkCommitment(JobId quorumId, uint256 size, bytes32 commitment) private view {
        if (commitment == 0) revert BadCommitment(quorumId, commitment);
        for (uint256 i = 0; i < size; ++i) {
            // INVARIANT: no two replicas share a commitment (I15).
            if (replicas[quorumId][i].commitment == commitment) revert BadCommitment(quorumId, commitment);
        }
    }

    /* THE END */

    /// @dev No result: the client has its fees back; who missed a step pays for it, everybody else has its lock back.
    function failQuorum(JobId quorumId, StoredQuorum storage quorum) internal {
        settleMissed(quorumId, quorum);
        uint256 size = quorum.size;
        for (uint256 i = 0; i < size; ++i) {
            ReplicaState state = replicas[quorumId][i].state;
            if (state != ReplicaState.COMMITTED && state != ReplicaState.REVEALED) continue;
            settleReplica(quorumId, quorum, i, ReplicaState.RELEASED, 0);
        }
        endQuorum(quorumId, quorum, QuorumState.FAILED);
    }

    /// @dev Fines those whose commitment did not come; after the reveals, slashes those who did not open theirs.
    function settleMissed(JobId quorumId, StoredQuorum storage quorum) internal {
        uint256 size = quorum.size;
        bool isRevealed = quorum.state == QuorumState.REVEALING;
        for (uint256 i = 0; i < size; ++i) {
            ReplicaState state = replicas[quorumId][i].state;
            if (state == ReplicaState.DRAWN) settleReplica(quorumId, quorum, i, ReplicaState.MISSED, 0);
            if (isRevealed && state == ReplicaState.COMMITTED) {
                settleReplica(quorumId, quorum, i, ReplicaState.SLASHED, 0);
            }
        }
    }

    /// @dev Every replica has been settled, or is a job that settles itself.
    function endQuorum(JobId quorumId, StoredQuorum storage quorum, QuorumState state) internal {
        quorum.state = state;
        if (state != QuorumState.FINAL) delete quorum.outDigest;
        emit QuorumEnded(quorumId, state, quorum.outDigest, quorum.isProven);
        returnRest(quorumId, quorum);
    }

    /* NAMES */

    function getDrawKey(JobId quorumId) private pure returns (bytes32) {
        return JobId.unwrap(quorumId);
    }

    function getAuditKey(JobId quorumId) private pure returns (bytes32) {
        return keccak256(abi.encode("zkDPS audit", quorumId));
    }

    /* VIEWS */

    /// @inheritdoc IQuorum
    function computeQuorumId(QuorumTerms memory terms) public view returns (JobId) {
        return JobId.wrap(keccak256(abi.encode("zkDPS quorum", block.chainid, address(this), terms)));
    }
}
