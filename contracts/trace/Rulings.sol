// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdjudicator} from "../interfaces/IAdjudicator.sol";
import {IAdjudicatorRegistry} from "../interfaces/IAdjudicatorRegistry.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IPinpointDisputes} from "../interfaces/IPinpointDisputes.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Claim, Verdict} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {Job} from "../types/Job.sol";
import {Head, Phase, Pin, Ruling, StoredEntry} from "../types/Pinpoint.sol";
import {Plan} from "../types/Plan.sol";
import {TraceOpenings} from "./TraceOpenings.sol";

/// @title Verdicts about pinned claims, and fraud that is shown without a dispute
abstract contract Rulings is TraceOpenings, IPinpointDisputes {
    /* CONSTANTS */

    /// @dev A lock above this, in wei or in the ERC-20's smallest unit, is not slashed at one adjudicator's word unless an
    /// airgap holds it (protocol.md 3.7).
    uint256 private constant LARGE_LOCK = 10 ether;

    /* THE CLAIM */

    /// @inheritdoc IPinpointDisputes
    function adjudicate(JobId jobId, uint256 key, Claim calldata claim, Ruling[] calldata rulings) external {
        uint256 time = tick();
        (bytes32 id, Head memory head, StoredEntry memory entry) = findDispute(jobId, key, Phase.LEAF);
        requireInTime(id, head.deadline, time);
        requireHash(id, head, hashClaim(readCore(claim)));
        Job memory job = getDisputedJob(jobId);

        if (rule(id, claim, rulings) == Verdict.CONSISTENT) {
            closeDefended(jobId, key, id, head, entry, claim, job.operator);
        } else {
            // INVARIANT: nobody challenges and wins at once: others see the dispute first.
            if (block.number == entry.openedAtBlock) revert TooEarly(id, block.number);
            requireRulings(jobId, job, rulings);
            address[] memory challengers = listChallengers(jobId, address(0));
            close(jobId, id, head, entry, Phase.FRAUD_PROVEN, job.operator, address(0));
            IDisputeGame(GAME).rejectFor(jobId, challengers, false);
        }
    }

    /// @inheritdoc IPinpointDisputes
    function cure(JobId jobId, uint256 key, Claim calldata claim, Ruling[] calldata rulings) external {
        // INVARIANT: what ended in a search, or was found inconsistent, is not cured by a claim.
        (bytes32 id, Head memory head,) = findDispute(jobId, key, Phase.DEFAULT);
        requireHash(id, head, hashClaim(readCore(claim)));
        requireVerdict(rule(id, claim, rulings), Verdict.CONSISTENT, rulings);

        writeEnd(id, Phase.CURED);
        delete entries[jobId][head.place];
        emit DisputeResolved(id, jobId, Phase.CURED);
        // The game of prove-it knows the airgap.
        IDisputeGame(GAME).cureFor(jobId, msg.sender);
    }

    /* FRAUD */

    /// @inheritdoc IPinpointDisputes
    function proveFraud(JobId jobId, Pin calldata pin, Ruling[] calldata rulings, bytes32) external {
        tick();
        requireAnnounced();
        Job memory job = getLiveJob(jobId);
        Plan memory plan = getPlan(jobId, job.version, job.deadline);
        (, OpHead memory head) = openPin(jobId, job.version, findTrace(jobId), plan, pin);
        requireDecidable(pin.op, pin.elem, head);
        Claim memory claim = Claim({
            version: job.version,
            jobId: jobId,
            // Nothing fixed it in time, so proofs, which could have been made in advance, are none here.
            seed: 0,
            prover: msg.sender,
            op: pin.op,
            elem: pin.elem,
            outDigest: pin.outDigest,
            inDigests: pin.inDigests,
            desc: pin.desc
        });
        requireVerdict(decide(plan, JobId.unwrap(jobId), claim, rulings), Verdict.INCONSISTENT, rulings);
        requireRulings(jobId, job, rulings);
        report(jobId, pin.op, false);
    }

    /* STEPS */

    /// @dev The claim withstood: the bond goes to the operator, or to whoever decided in its place.
    function closeDefended(
        JobId jobId,
        uint256 key,
        bytes32 id,
        Head memory head,
        StoredEntry memory entry,
        Claim calldata claim,
        address operator
    ) private {
        address defender = isOperator(operator) ? operator : msg.sender;
        close(jobId, id, head, entry, Phase.DEFENDER_PROVEN, operator, defender);
        if (isSearch(key)) {
            // INVARIANT: an element that was found consistent is not disputed again, whoever came upon it first.
            bytes32 pinId = computeId(jobId, computePinKey(claim.op, claim.elem));
            if (heads[pinId] == 0) writeEnd(pinId, Phase.DEFENDER_PROVEN);
        }
    }

    function rule(bytes32 id, Claim memory claim, Ruling[] calldata rulings) private returns (Verdict) {
        return decide(getPlan(claim.version), id, claim, rulings);
    }

    /// @dev The verdict on which all rulings agree.
    /// SAFETY: static calls, outside any try: whatever makes one fail, lack of gas included, reverts the transaction.
    function decide(Plan memory plan, bytes32 id, Claim memory claim, Ruling[] calldata rulings)
        private
        returns (Verdict verdict)
    {
        claim.prover = msg.sender;
        uint256 seen;
        for (uint256 i = 0; i < rulings.length; ++i) {
            uint256 adjudicator = rulings[i].adjudicator;
            // INVARIANT: only adjudicators that the plan names decide. A number above 7 is none of 8 bits.
            if (uint256(plan.adjudicators) >> adjudicator & 1 == 0) {
                revert AdjudicatorNotNamed(adjudicator, plan.adjudicators);
            }
            // INVARIANT: a second opinion is another adjudicator's.
            if (seen >> adjudicator & 1 == 1) revert WrongRulings(rulings.length);
            seen |= 1 << adjudicator;
            address target = IAdjudicatorRegistry(ADJUDICATORS).adjudicatorAt(adjudicator);
            Verdict got = IAdjudicator(target).adjudicate(claim, rulings[i].evidence);
            if (i == 0) verdict = got;
            if (got != verdict || got == Verdict.NONE) revert WrongVerdict(adjudicator, got, verdict);
            emit Adjudicated(id, claim.jobId, got, adjudicator, msg.sender);
        }
        if (seen == 0) revert WrongRulings(0);
    }

    /* CHECKS */

    /// @dev What no airgap holds, and no guardian could give back, takes two adjudicators.
    function requireRulings(JobId jobId, Job memory job, Ruling[] calldata rulings) private view {
        if (AIRGAP_SECONDS != 0 || rulings.length > 1) return;
        uint256 lock = IStakeVault(VAULT).getFunds(job.token, jobId).lock;
        if (lock > LARGE_LOCK) revert SecondRulingNeeded(lock, LARGE_LOCK);
    }

    function requireVerdict(Verdict got, Verdict expected, Ruling[] calldata rulings) private pure {
        if (got != expected) revert WrongVerdict(rulings[0].adjudicator, got, expected);
    }
}
