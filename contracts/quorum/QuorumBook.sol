// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ICandidatePool} from "../interfaces/ICandidatePool.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IQuorum} from "../interfaces/IQuorum.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Economics} from "../libraries/Economics.sol";
import {JobIds} from "../libraries/JobIds.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {JobId} from "../types/Ids.sol";
import {JobTerms} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {QuorumState, Replica, ReplicaState, StoredQuorum} from "../types/Quorum.sol";
import {Dues, Exit, JobSplit, Parties} from "../types/Split.sol";

/// @title The book of quorums: storage, look-ups, names, and the one way in which a replica is settled
abstract contract QuorumBook is IQuorum {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev The token of fees and stakes where it is not the ERC-20.
    address internal constant ETH = address(0);

    /* IMMUTABLES */

    /// @inheritdoc IQuorum
    address public immutable VAULT;
    /// @inheritdoc IQuorum
    address public immutable REGISTRY;
    /// @inheritdoc IQuorum
    address public immutable MARKET;
    /// @inheritdoc IQuorum
    address public immutable GAME;
    /// @inheritdoc IQuorum
    address public immutable BEACON;
    /// @inheritdoc IQuorum
    address public immutable POOL;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;
    /// @inheritdoc IQuorum
    uint256 public immutable AUDIT_BPS;

    /// @dev The vault's ERC-20, or 0.
    address internal immutable TOKEN;
    uint256 internal immutable ASSIGN_SECONDS;
    uint256 internal immutable EXEC_SECONDS;
    uint256 internal immutable CHALLENGE_SECONDS;

    uint256 private immutable KEEPER_DELAY_SECONDS;
    uint256 private immutable MISS_FEES;
    uint16 private immutable PROTOCOL_FEE_BPS;
    uint16 private immutable KEEPER_TIP_BPS;

    /* STORAGE */

    mapping(JobId quorumId => StoredQuorum) internal quorums;
    mapping(JobId quorumId => mapping(uint256 index => Replica)) internal replicas;

    /* CONSTRUCTOR */

    constructor(
        address vault,
        address registry,
        address market,
        address beacon,
        address pool,
        uint16 auditBps,
        Parameters memory p
    ) {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
        // Quorums across two deployments would move money under foreign rules.
        if (
            IStakeVault(vault).QUORUM() != address(this) || IStakeVault(vault).MARKET() != market
                || IParameters(vault).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(vault);
        if (
            IJobMarket(market).VAULT() != vault || IJobMarket(market).REGISTRY() != registry
                || IParameters(market).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(market);
        if (beacon.code.length == 0) revert ForeignModule(beacon);
        if (ICandidatePool(pool).VAULT() != vault || ICandidatePool(pool).REGISTRY() != registry) {
            revert ForeignModule(pool);
        }
        if (auditBps > Economics.BPS) revert BadAuditRate(auditBps);
        (VAULT, REGISTRY, MARKET, BEACON, POOL) = (vault, registry, market, beacon, pool);
        GAME = IStakeVault(vault).GAME();
        TOKEN = IStakeVault(vault).TOKEN();
        AUDIT_BPS = auditBps;
        ASSIGN_SECONDS = p.assignSeconds;
        EXEC_SECONDS = p.execSeconds;
        CHALLENGE_SECONDS = p.challengeSeconds;
        KEEPER_DELAY_SECONDS = p.keeperDelaySeconds;
        MISS_FEES = p.missFees;
        PROTOCOL_FEE_BPS = p.protocolFeeBps;
        KEEPER_TIP_BPS = p.keeperTipBps;
    }

    /* SETTLEMENT: the caller has written the replica's last state */

    /// @dev Ends escrow and lock of a replica by a row of the table; `state` tells which.
    function settleReplica(
        JobId quorumId,
        StoredQuorum storage quorum,
        uint256 index,
        ReplicaState state,
        uint256 keeperFrom
    ) internal {
        Replica storage replica = replicas[quorumId][index];
        address operator = replica.operator;
        replica.state = state;
        emit ReplicaEnded(quorumId, operator, index, state);

        address token = getToken(quorum);
        JobId jobId = computeReplicaJob(quorumId, quorum, index);
        address keeper = keeperFrom == 0 ? address(0) : findKeeper(quorum.client, operator, keeperFrom);
        Exit exit = findExit(state);
        Dues memory dues;
        // SAFETY: the vault is this deployment's; in a settlement it calls nobody.
        (dues.fee, dues.lock) = (quorum.fee, IStakeVault(VAULT).getFunds(token, jobId).lock);
        // The fine is at most the lock, because missFees <= lockFees.
        if (exit == Exit.FAILED) dues.fine = (MISS_FEES * dues.fee).toUint96();
        (dues.hasKeeper, dues.royaltyBps) = (keeper != address(0), quorum.royaltyBps);
        (dues.protocolFeeBps, dues.keeperTipBps) = (PROTOCOL_FEE_BPS, KEEPER_TIP_BPS);
        Parties memory parties = Parties({
            client: quorum.client,
            operator: operator,
            modelOwner: dues.royaltyBps == 0 ? address(0) : IModelRegistry(REGISTRY).ownerAt(quorum.versionNumber),
            keeper: keeper
        });
        IStakeVault(VAULT).settleJob(token, jobId, parties, Settlement.computeJobSplit(exit, dues));
        if (state == ReplicaState.MISSED) IStakeVault(VAULT).recordMiss(operator);
        if (state == ReplicaState.SLASHED) divideLock(token, jobId, parties, dues.lock);
    }

    /// @dev No airgap: no adjudicator has been at work here that could have erred, or its own airgap is over.
    function divideLock(address token, JobId jobId, Parties memory parties, uint96 lock) private {
        IStakeVault(VAULT)
            .divideSlash(
                token,
                jobId,
                parties.operator,
                parties.client,
                new address[](0),
                Settlement.computeSlashSplit(lock, false, false)
            );
        IStakeVault(VAULT).jail(parties.operator);
    }

    /// @dev Gives back what no replica took: all of it, or the price of an audit that was not drawn.
    function returnRest(JobId quorumId, StoredQuorum storage quorum) internal {
        address token = getToken(quorum);
        uint96 rest = IStakeVault(VAULT).getFunds(token, quorumId).escrow;
        if (rest == 0) return;
        JobSplit memory split;
        split.feeToClient = rest;
        Parties memory parties;
        parties.client = quorum.client;
        IStakeVault(VAULT).settleJob(token, quorumId, parties, split);
    }

    function findExit(ReplicaState state) private pure returns (Exit) {
        if (state == ReplicaState.PAID) return Exit.FINAL;
        if (state == ReplicaState.MISSED || state == ReplicaState.SILENT) return Exit.FAILED;
        if (state == ReplicaState.SLASHED) return Exit.REJECTED;
        return state == ReplicaState.VOIDED ? Exit.VOIDED : Exit.REFUSED;
    }

    /// @dev Who earns the keeper's tip: the caller, if those concerned have forgotten the quorum for a while.
    function findKeeper(address client, address operator, uint256 deadline) private view returns (address) {
        if (tick() <= deadline + KEEPER_DELAY_SECONDS) return address(0);
        if (msg.sender == client || msg.sender == operator) return address(0);
        return getOperator() == operator ? address(0) : msg.sender;
    }

    /* THE CLOCK */

    /// @dev The present second, for every step: the market refuses while its clock stands, and in the refund mode.
    function tick() internal view returns (uint40) {
        return IProtocolClock(MARKET).stepTime();
    }

    function computeDeadline(uint256 time, uint256 duration) internal pure returns (uint40) {
        return (time + duration).toUint40();
    }

    /// @dev A deadline is the last second that counts.
    function requireInTime(JobId quorumId, uint256 deadline, uint256 time) internal pure {
        if (time > deadline) revert IJobMarket.DeadlinePassed(quorumId, deadline, time);
    }

    function requireOverdue(JobId quorumId, uint256 deadline, uint256 time) internal pure {
        if (time <= deadline) revert IJobMarket.DeadlineNotReached(quorumId, deadline, time);
    }

    /* LOOK-UPS */

    function expectQuorum(JobId quorumId, QuorumState required) internal view returns (StoredQuorum storage quorum) {
        quorum = findQuorum(quorumId);
        if (quorum.state != required) revert WrongQuorumState(quorumId, quorum.state, required);
    }

    function findQuorum(JobId quorumId) internal view returns (StoredQuorum storage quorum) {
        quorum = quorums[quorumId];
        if (quorum.state == QuorumState.NONE) revert UnknownQuorum(quorumId);
    }

    function expectReplica(JobId quorumId, uint256 index, ReplicaState required)
        internal
        view
        returns (Replica storage replica)
    {
        replica = replicas[quorumId][index];
        if (replica.state != required) revert WrongReplicaState(quorumId, index, replica.state, required);
    }

    /// @dev Replicas in a state; of one result, unless it is zero.
    function countReplicas(JobId quorumId, uint256 size, ReplicaState state, bytes32 outDigest)
        internal
        view
        returns (uint256 count)
    {
        for (uint256 i = 0; i < size; ++i) {
            Replica storage replica = replicas[quorumId][i];
            if (replica.state == state && (outDigest == 0 || replica.outDigest == outDigest)) ++count;
        }
    }

    /// @dev The owner whom the caller serves: only the vault knows.
    function getOperator() internal view returns (address) {
        return IStakeVault(VAULT).operatorOf(msg.sender);
    }

    function getToken(StoredQuorum storage quorum) internal view returns (address) {
        return quorum.isToken ? TOKEN : ETH;
    }

    /// @dev More than half of those ordered.
    function computeMajority(uint256 count) internal pure returns (uint256) {
        return count / 2 + 1;
    }

    function computeLock(address token, uint256 fee, uint256 count, uint256 insured, bool isAudited)
        internal
        view
        returns (uint80)
    {
        uint256 lock = IJobMarket(MARKET).computeLock(token, fee.toUint96());
        uint256 detectionBps = Economics.computeDetectionBps(count, isAudited, AUDIT_BPS);
        // Where nobody is sure to look and nothing is insured, the market's own lock has to do, as for any job.
        if (insured != 0 || detectionBps != 0) {
            // g: at most the whole fee is saved by not working.
            lock = Math.max(lock, Economics.computeMinimumLock(fee, insured, fee, detectionBps));
        }
        // Narrowed to the width of a credit, so that every share of it can be paid.
        return lock.toUint80();
    }

    /* NAMES */

    /// @dev A salt is a hash: no client can make the job in advance, and no other module.
    function buildTerms(JobId quorumId, StoredQuorum storage quorum, uint256 index)
        internal
        view
        returns (JobTerms memory)
    {
        return JobTerms({
            client: quorum.client,
            version: IModelRegistry(REGISTRY).versionAt(quorum.versionNumber),
            inDigest: quorum.inDigest,
            token: getToken(quorum),
            fee: quorum.fee,
            verifyMask: 0,
            privacyMask: 0,
            salt: uint256(keccak256(abi.encode(quorumId, index)))
        });
    }

    function computeReplicaJob(JobId quorumId, StoredQuorum storage quorum, uint256 index)
        internal
        view
        returns (JobId)
    {
        return JobIds.compute(MARKET, buildTerms(quorumId, quorum, index));
    }
}
