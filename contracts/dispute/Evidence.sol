// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {DisputeState, SignedResult} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobState} from "../types/Job.sol";
import {DisputeBook} from "./DisputeBook.sol";

/// @title Evidence of equivocation: two results that one operator vouched for
abstract contract Evidence is DisputeBook {
    /* CONSTANTS */

    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant DOMAIN_NAME = keccak256("zkDPS");
    bytes32 private constant DOMAIN_VERSION = keccak256("1");
    bytes32 private constant RESULT_TYPE = keccak256("Result(bytes32 jobId,bytes32 outDigest)");

    /* STORAGE */

    /// @inheritdoc IDisputeGame
    mapping(bytes32 commitment => uint256 blockNumber) public announcedAt;

    /* MOVES */

    /// @inheritdoc IDisputeGame
    function announceEvidence(bytes32 commitment) external {
        // Announced again it keeps its block: nobody can make a reporter late by copying the announcement.
        if (announcedAt[commitment] != 0) return;

        announcedAt[commitment] = block.number;
        emit EvidenceAnnounced(commitment);
    }

    /// @inheritdoc IDisputeGame
    function proveEquivocation(JobId jobId, SignedResult calldata first, SignedResult calldata second, bytes32 salt)
        external
    {
        requireAnnounced(keccak256(abi.encode(msg.sender, jobId, first, second, salt)));
        if (first.outDigest == second.outDigest) revert SameResult(first.outDigest);
        Job memory job = IJobMarket(MARKET).getJob(jobId);
        requireVouched(jobId, job, first);
        requireVouched(jobId, job, second);

        emit EquivocationProven(jobId, job.operator, msg.sender, first.outDigest, second.outDigest);
        reject(jobId, job.operator, DisputeState.FRAUD_PROVEN, 0, findRewarded(jobId));
    }

    /// @dev The reporter, and those who doubt the result in the game of pinpointing.
    function findRewarded(JobId jobId) private view returns (address[] memory rewarded) {
        address[] memory doubters = findDoubters(jobId);
        rewarded = new address[](doubters.length + 1);
        rewarded[0] = msg.sender;
        for (uint256 i = 0; i < doubters.length; ++i) {
            rewarded[i + 1] = doubters[i];
        }
    }

    /* CHECKS */

    /// @dev Announced in an earlier block: a copy from the pool comes a block too late.
    function requireAnnounced(bytes32 commitment) private view {
        uint256 blockNumber = announcedAt[commitment];
        if (blockNumber == 0 || blockNumber == block.number) revert NotAnnounced(commitment);
    }

    /// @dev The operator vouched for the result by committing it on chain, or by a signature.
    function requireVouched(JobId jobId, Job memory job, SignedResult calldata result) private view {
        if (result.signature.length == 0) {
            // Before the commit the digest is zero, which nobody vouched for.
            if (job.outDigest == 0 || job.outDigest != result.outDigest) {
                revert IJobMarket.UnexpectedResult(jobId, job.outDigest, result.outDigest);
            }
            return;
        }
        // A signature that is none has signer 0, who never served anybody.
        (address signer,,) = ECDSA.tryRecover(hashResult(jobId, result.outDigest), result.signature);
        if (!speaksFor(signer, job)) revert NotSignedByOperator(jobId, signer, job.operator);
    }

    /// @dev Whether the signer is the job's operator, or its worker at some time since the job was taken. Of a committed
    /// job the chain knows the commit alone, so T_exec more counts.
    function speaksFor(address signer, Job memory job) private view returns (bool) {
        // A job without operator has nobody who could vouch; who never served anybody serves owner 0.
        if (job.operator == address(0)) return false;
        if (signer == job.operator) return true;
        if (IStakeVault(VAULT).servedOwner(signer) != job.operator) return false;
        uint256 takenAt = job.deadline - EXEC_SECONDS;
        if (job.state != JobState.ASSIGNED) takenAt -= CHALLENGE_SECONDS;
        uint256 until = IStakeVault(VAULT).servedUntil(signer);
        return until == 0 || until >= takenAt;
    }

    /* VIEWS */

    /// @inheritdoc IDisputeGame
    function hashResult(JobId jobId, bytes32 outDigest) public view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, DOMAIN_NAME, DOMAIN_VERSION, block.chainid, MARKET));
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(RESULT_TYPE, jobId, outDigest)));
    }
}
