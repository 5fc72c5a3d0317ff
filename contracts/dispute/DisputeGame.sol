// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Dispute, DisputeState} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {JobTerms} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Statement} from "../types/Statement.sol";
import {Version} from "../types/Version.sol";
import {DisputeBook} from "./DisputeBook.sol";
import {HeldJobs} from "./HeldJobs.sol";

/// @title The game of prove-it
contract DisputeGame is HeldJobs {
    /* CONSTRUCTOR */

    constructor(address vault, address registry, address market, Parameters memory p)
        DisputeBook(vault, registry, market, p)
    {}

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
        address beneficiary = speaksNow(msg.sender, operator) ? operator : msg.sender;

        dispute.state = DisputeState.DEFENDER_PROVEN;
        countClosed(operator);
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

        address operator = dispute.operator;
        emit DefaultClaimed(jobId, operator);
        // INVARIANT: whoever sees that it will be refuted by pinpointing cannot choose this end to spare the reward.
        reject(jobId, operator, DisputeState.DEFAULT, dispute.proveBy, findDoubters(jobId));
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
        expectCurable(jobId);
        verify(jobId, terms, input, output, proof);
        closeCured(jobId, msg.sender);
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
        if (isOpen) countClosed(dispute.operator);
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
}
