// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Dispute, DisputeState} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobState} from "../types/Job.sol";
import {Evidence} from "./Evidence.sol";

/// @title How a proof of a whole result comes to be due
abstract contract Challenges is Evidence {
    using SafeCast for uint256;

    /* CHALLENGERS */

    /// @inheritdoc IDisputeGame
    function challenge(JobId jobId, bytes32 expectedOutDigest) external payable {
        challengeAs(jobId, expectedOutDigest, msg.sender);
    }

    /// @inheritdoc IDisputeGame
    function challengeFor(JobId jobId, bytes32 expectedOutDigest, address challenger) external payable {
        if (msg.sender != SESSIONS && msg.sender != QUORUM) revert NotSessions(msg.sender);
        challengeAs(jobId, expectedOutDigest, challenger);
    }

    /* WITHOUT A BOND */

    /// @inheritdoc IDisputeGame
    function requestProof(JobId jobId, bytes32 expectedOutDigest) external {
        Job memory job = IJobMarket(MARKET).getJob(jobId);
        if (job.state != JobState.DISPUTED) {
            open(IJobMarket(MARKET).disputeJob(jobId, expectedOutDigest, true), jobId, address(0));
            return;
        }
        expectUndisputed(jobId);
        // Also after the window, so that one proof ends what was opened in its last second.
        if (!speaksNow(msg.sender, job.operator)) revert IJobMarket.NotOperator(jobId, msg.sender, job.operator);
        (job,) = IJobMarket(MARKET).expectDisputed(jobId, expectedOutDigest);
        open(job, jobId, address(0));
    }

    /// @inheritdoc IDisputeGame
    function auditFor(JobId jobId, bytes32 expectedOutDigest) external {
        if (msg.sender != AUDITS) revert NotAudits(msg.sender);
        isAudited[jobId] = true;
        emit ResultAudited(jobId);
        // INVARIANT: an operator cannot have an accomplice challenge it to be slashed by its lock alone.
        if (disputes[jobId].state == DisputeState.OPEN) IJobMarket(MARKET).expectDisputed(jobId, expectedOutDigest);
        else open(IJobMarket(MARKET).disputeJob(jobId, expectedOutDigest, false), jobId, address(0));
    }

    /* STEPS */

    function challengeAs(JobId jobId, bytes32 expectedOutDigest, address challenger) private {
        if (disputes[jobId].state == DisputeState.OPEN) join(jobId, expectedOutDigest, challenger);
        else open(IJobMarket(MARKET).disputeJob(jobId, expectedOutDigest, false), jobId, challenger);
    }

    /// @dev The market has marked the job as disputed: it is committed, or held by pinpointing, and as expected.
    /// SAFETY: market, registry and vault are this deployment's and call nobody back.
    /// @param challenger Zero where the proof is due without a bond.
    function open(Job memory job, JobId jobId, address challenger) private {
        bool withoutBond = challenger == address(0);
        // INVARIANT: a job is proven once; a terminal dispute ended the job, so only an open one comes here.
        expectUndisputed(jobId);
        uint96 bond = withoutBond ? 0 : computeBond(job.version).toUint96();
        requireBond(jobId, bond);

        Dispute memory dispute = Dispute({
            challenger: challenger,
            bond: bond,
            operator: job.operator,
            proveBy: (getClock() + computeProveSeconds(job.version, job.operator)).toUint40(),
            state: DisputeState.OPEN,
            openedAtBlock: block.number.toUint48(),
            challengeSeed: drawSeed(jobId, challenger)
        });
        disputes[jobId] = dispute;
        countOpen(job.operator);
        emit ResultChallenged(jobId, challenger, job.operator, bond, dispute.proveBy, dispute.challengeSeed);
        if (!withoutBond) IStakeVault(VAULT).addBond{value: msg.value}(jobId, challenger, bond);
    }

    function join(JobId jobId, bytes32 expectedOutDigest, address challenger) private {
        (Job memory job, uint40 time) = IJobMarket(MARKET).expectDisputed(jobId, expectedOutDigest);
        Dispute storage dispute = disputes[jobId];
        uint96 bond = dispute.bond;
        // A dispute without a bond has no reward to share.
        if (bond == 0) revert NoRoomToJoin(jobId, 0);
        // Who joins has to bear the risk of a proof: once it is overdue there is none.
        if (time > dispute.proveBy) revert IJobMarket.DeadlinePassed(jobId, dispute.proveBy, time);
        bool isClient = challenger == job.client;
        uint256 untilBlock = uint256(dispute.openedAtBlock) + SHARE_BLOCKS;
        if (block.number > untilBlock && !(isClient && time <= job.deadline)) {
            revert TooLateToJoin(jobId, untilBlock, block.number);
        }
        requirePlace(jobId, job.client, challenger);
        requireBond(jobId, bond);

        joiners[jobId].push(challenger);
        emit ChallengeJoined(jobId, challenger, bond);
        IStakeVault(VAULT).addBond{value: msg.value}(jobId, challenger, bond);
    }

    /// @dev INVARIANT: nobody challenges twice, and the list stays short: MAX_CHALLENGERS and the client.
    function requirePlace(JobId jobId, address client, address challenger) private view {
        address[] memory challengers = getChallengers(jobId);
        uint256 places = MAX_CHALLENGERS;
        for (uint256 i = 0; i < challengers.length; ++i) {
            if (challengers[i] == challenger) revert AlreadyChallenging(jobId, challenger);
            if (challengers[i] != client) --places;
        }
        if (places == 0 && challenger != client) revert NoRoomToJoin(jobId, MAX_CHALLENGERS);
    }

    function requireBond(JobId jobId, uint256 bond) private view {
        if (msg.value < bond) revert BondTooSmall(jobId, msg.value, bond);
    }
}
