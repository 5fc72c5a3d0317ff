// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Dispute, DisputeState} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobTerms} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Statement} from "../types/Statement.sol";
import {Version} from "../types/Version.sol";
import {DisputeBook} from "./DisputeBook.sol";
import {Evidence} from "./Evidence.sol";

/// @title The game of prove-it
contract DisputeGame is Evidence {
    using SafeCast for uint256;

    /* CONSTRUCTOR */

    constructor(address vault, address registry, address market, Parameters memory p)
        DisputeBook(vault, registry, market, p)
    {}

    /* CHALLENGES */

    /// @inheritdoc IDisputeGame
    function challenge(JobId jobId, bytes32 expectedOutDigest) external payable {
        challengeAs(jobId, expectedOutDigest, msg.sender);
    }

    /// @inheritdoc IDisputeGame
    function challengeFor(JobId jobId, bytes32 expectedOutDigest, address challenger) external payable {
        if (msg.sender != SESSIONS) revert NotSessions(msg.sender);
        challengeAs(jobId, expectedOutDigest, challenger);
    }

    /// @inheritdoc IDisputeGame
    function requestProof(JobId jobId, bytes32 expectedOutDigest) external {
        open(jobId, expectedOutDigest, address(0));
    }

    function challengeAs(JobId jobId, bytes32 expectedOutDigest, address challenger) private {
        if (disputes[jobId].state == DisputeState.OPEN) join(jobId, expectedOutDigest, challenger);
        else open(jobId, expectedOutDigest, challenger);
    }

    /// @param challenger Zero where the job itself requires the proof: then there is no bond.
    function open(JobId jobId, bytes32 expectedOutDigest, address challenger) private {
        bool withoutBond = challenger == address(0);
        // INVARIANT: a job is disputed once: the market refuses unless it is committed, in time and as expected.
        // SAFETY: market, registry and vault are this deployment's and call nobody back.
        Job memory job = IJobMarket(MARKET).disputeJob(jobId, expectedOutDigest, withoutBond);
        uint96 bond = withoutBond ? 0 : computeBond(job.version).toUint96();
        requireBond(jobId, bond);

        Dispute memory dispute = Dispute({
            challenger: challenger,
            bond: bond,
            operator: job.operator,
            proveBy: (getClock() + computeProveSeconds(job.version, job.operator)).toUint40(),
            state: DisputeState.OPEN,
            openedAtBlock: block.number.toUint48(),
            challengeSeed: keccak256(abi.encode(block.prevrandao, jobId, challenger))
        });
        disputes[jobId] = dispute;
        ++openChallenges[job.operator];
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

    /* VERDICTS */

    /// @inheritdoc IDisputeGame
    function prove(
        JobId jobId,
        JobTerms calldata terms,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external {
        Dispute storage dispute = expectDispute(jobId, DisputeState.OPEN);
        uint256 time = getClock();
        if (time > dispute.proveBy) revert ProofTooLate(jobId, dispute.proveBy, time);
        verify(jobId, terms, input, output, proof);
        address operator = dispute.operator;
        bool isOperator = msg.sender == operator || IStakeVault(VAULT).operatorOf(msg.sender) == operator;
        address beneficiary = isOperator ? operator : msg.sender;

        dispute.state = DisputeState.DEFENDER_PROVEN;
        --openChallenges[operator];
        emit ResultProven(jobId, msg.sender, beneficiary);
        IJobMarket(MARKET).settleProven(jobId);
        settleBonds(jobId, getChallengers(jobId), dispute.bond, true, beneficiary);
    }

    /// @inheritdoc IDisputeGame
    function claimDefault(JobId jobId) external {
        Dispute storage dispute = expectDispute(jobId, DisputeState.OPEN);
        uint256 time = getClock();
        // INVARIANT: nobody defaults while a proof may still come.
        if (time <= dispute.proveBy) revert ProofStillDue(jobId, dispute.proveBy, time);

        dispute.state = DisputeState.DEFAULT;
        --openChallenges[dispute.operator];
        emit DefaultClaimed(jobId, dispute.operator);
        IJobMarket(MARKET).settleRejected(jobId, false);
        settleBonds(jobId, getChallengers(jobId), dispute.bond, false, address(0));
    }

    /* THE SLASHED LOCK */

    /// @inheritdoc IDisputeGame
    function cure(
        JobId jobId,
        JobTerms calldata terms,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external {
        // INVARIANT: a proof cures silence, never two signed results.
        Dispute storage dispute = expectDispute(jobId, DisputeState.DEFAULT);
        (uint256 until, uint256 time) = getAirgap(jobId);
        if (time > until) revert AirgapOver(jobId, until, time);
        verify(jobId, terms, input, output, proof);

        dispute.state = DisputeState.CURED;
        emit SlashCured(jobId, msg.sender);
        IJobMarket(MARKET).divideSlash(jobId, getChallengers(jobId), true);
    }

    /// @inheritdoc IDisputeGame
    function distributeSlash(JobId jobId) external {
        Dispute storage dispute = findDispute(jobId);
        requireSlashed(jobId, dispute);
        (uint256 until, uint256 time) = getAirgap(jobId);
        if (time <= until) revert AirgapRunning(jobId, until, time);

        dispute.state = DisputeState.DISTRIBUTED;
        emit SlashDistributed(jobId);
        IJobMarket(MARKET).divideSlash(jobId, getChallengers(jobId), false);
    }

    /// @inheritdoc IDisputeGame
    function voidDispute(JobId jobId) external {
        Dispute storage dispute = findDispute(jobId);
        bool isOpen = dispute.state == DisputeState.OPEN;
        if (!isOpen) requireSlashed(jobId, dispute);

        dispute.state = DisputeState.VOIDED;
        if (isOpen) --openChallenges[dispute.operator];
        emit DisputeVoided(jobId);
        IJobMarket(MARKET).settleVoided(jobId);
        // After a default the bonds are back already.
        if (isOpen) settleBonds(jobId, getChallengers(jobId), dispute.bond, false, address(0));
    }

    /* STEPS */

    /// @dev SAFETY: a static call to the version's verifier, outside any try: whatever makes it fail, lack of gas
    /// included, reverts the transaction. There is no branch on which a failed proof decides anything.
    function verify(
        JobId jobId,
        JobTerms calldata terms,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) private view {
        (Statement memory statement, Version memory version) = buildStatement(jobId, terms, msg.sender);
        bytes32 vkHash = IProofVerifier(statement.verifier).verify(statement, version.vkData, input, output, proof);
        // INVARIANT: the key is the one that was registered; a data contract can be destroyed and made again.
        if (vkHash != version.vkHash) revert WrongKey(jobId, vkHash, version.vkHash);
    }

    function requireSlashed(JobId jobId, Dispute storage dispute) private view {
        DisputeState state = dispute.state;
        if (state != DisputeState.DEFAULT && state != DisputeState.FRAUD_PROVEN) {
            revert WrongDisputeState(jobId, state, DisputeState.DEFAULT);
        }
    }

    function getAirgap(JobId jobId) private view returns (uint256 until, uint256 time) {
        return (IJobMarket(MARKET).getJob(jobId).deadline, getClock());
    }
}
