// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IQuorum} from "../interfaces/IQuorum.sol";
import {JobId} from "../types/Ids.sol";
import {Parameters} from "../types/Parameters.sol";
import {
    QuorumAssurance,
    QuorumState,
    QuorumTerms,
    QuorumView,
    Replica,
    ReplicaState,
    StoredQuorum
} from "../types/Quorum.sol";
import {QuorumBook} from "./QuorumBook.sol";
import {QuorumRounds} from "./QuorumRounds.sol";

/// @title Replicas of one inference
contract Quorum is QuorumRounds {
    /* CONSTRUCTOR */

    constructor(
        address vault,
        address registry,
        address market,
        address beacon,
        address pool,
        uint16 auditBps,
        Parameters memory p
    ) QuorumBook(vault, registry, market, beacon, pool, auditBps, p) {}

    /* REFUND MODE */

    /// @inheritdoc IQuorum
    function voidQuorum(JobId quorumId) external {
        if (!IProtocolClock(MARKET).isRefundMode()) revert IProtocolClock.NotInRefundMode();
        StoredQuorum storage quorum = findQuorum(quorumId);
        // INVARIANT: what is over stays as it is.
        if (quorum.state > QuorumState.SPLIT) revert WrongQuorumState(quorumId, quorum.state, QuorumState.OPEN);
        uint256 size = quorum.size;
        for (uint256 i = 0; i < size; ++i) {
            ReplicaState state = replicas[quorumId][i].state;
            // A job is voided as jobs are; what is settled is settled.
            if (state > ReplicaState.REVEALED) continue;
            settleReplica(quorumId, quorum, i, ReplicaState.VOIDED, 0);
        }
        endQuorum(quorumId, quorum, QuorumState.VOIDED);
    }

    /* VIEWS */

    /// @inheritdoc IQuorum
    function assuranceOf(JobId quorumId) external view returns (QuorumAssurance) {
        StoredQuorum storage quorum = findQuorum(quorumId);
        if (quorum.state != QuorumState.FINAL) return QuorumAssurance.NONE;
        if (quorum.isProven) return QuorumAssurance.PROVEN;
        (uint256 size, uint256 count) = (quorum.size, quorum.count);
        uint256 agreed = countReplicas(quorumId, size, ReplicaState.PAID, quorum.outDigest);
        if (count == 1) return agreed == 1 ? QuorumAssurance.UNCHALLENGED : QuorumAssurance.AUDITED;
        return agreed < computeMajority(count) ? QuorumAssurance.UNCHALLENGED : QuorumAssurance.QUORUM;
    }

    /// @inheritdoc IQuorum
    function getQuorum(JobId quorumId) external view returns (QuorumView memory) {
        StoredQuorum storage quorum = findQuorum(quorumId);
        return QuorumView({
            terms: QuorumTerms({
                client: quorum.client,
                version: IModelRegistry(REGISTRY).versionAt(quorum.versionNumber),
                inDigest: quorum.inDigest,
                token: getToken(quorum),
                fee: quorum.fee,
                count: quorum.count,
                insured: quorum.insured,
                isAudited: quorum.isAudited,
                salt: salts[quorumId]
            }),
            state: quorum.state,
            size: quorum.size,
            isSuspect: quorum.isSuspect,
            deadline: quorum.deadline,
            outDigest: quorum.outDigest
        });
    }

    /// @inheritdoc IQuorum
    function getReplicas(JobId quorumId) external view returns (Replica[] memory list) {
        uint256 size = findQuorum(quorumId).size;
        list = new Replica[](size);
        for (uint256 i = 0; i < size; ++i) {
            list[i] = replicas[quorumId][i];
        }
    }

    /// @inheritdoc IQuorum
    function computeReplicaJobId(JobId quorumId, uint256 index) external view returns (JobId) {
        return computeReplicaJob(quorumId, findQuorum(quorumId), index);
    }

    /// @inheritdoc IQuorum
    function computeReplicaLock(address token, uint96 fee, uint256 count, uint96 insured, bool isAudited)
        external
        view
        returns (uint256)
    {
        return computeLock(token, fee, count, insured, isAudited);
    }
}
