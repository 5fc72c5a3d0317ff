// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {DisputeState, SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState, PROOF_REQUIRED} from "../../contracts/types/Job.sol";
import {JobHandler} from "./JobHandler.sol";

/// @notice Random steps of disputes.
abstract contract GameHandler is JobHandler {
    uint256 private constant SHARE_BLOCKS = 5;
    uint256 private constant MAX_CHALLENGERS = 8;

    function takeGameStep(bytes32 id, Step step, address person, bool honest) internal {
        GhostJob memory job = ghostJobs[id];
        if (step == Step.CHALLENGE) challengeAs(job, id, person, honest);
        else if (step == Step.PROVE || step == Step.CURE) proveAs(job, id, step, person, honest);
        else if (step == Step.EQUIVOCATE) equivocateAs(job, id, person, honest);
        else if (step == Step.REQUEST_PROOF) requestProofAs(job, id, person);
        else settleAs(job, JobId.wrap(id), step, person);
    }

    function requestProofAs(GhostJob memory job, bytes32 id, address person) private {
        bool inTime = job.state == JobState.COMMITTED && ghostClock() <= job.deadline;
        bool legal = running() && inTime && job.terms.verifyMask == PROOF_REQUIRED;
        bytes memory call = abi.encodeCall(IDisputeGame.requestProof, (JobId.wrap(id), outDigestOf(id)));
        expect(legal, address(world.game), person, 0, call);
    }

    function settleAs(GhostJob memory job, JobId jobId, Step step, address person) private {
        bytes memory call;
        bool legal;
        if (step == Step.DEFAULT) {
            legal = running() && job.dispute == DisputeState.OPEN && ghostClock() > job.proveBy;
            call = abi.encodeCall(IDisputeGame.claimDefault, (jobId));
        } else if (step == Step.DISTRIBUTE) {
            legal = !ghostPaused() && isSlashed(job) && ghostClock() > job.deadline;
            call = abi.encodeCall(IDisputeGame.distributeSlash, (jobId));
        } else {
            bool reversible = isSlashed(job) && ghostClock() <= job.deadline;
            legal = ghostRefund && (reversible || job.dispute == DisputeState.OPEN);
            call = abi.encodeCall(IDisputeGame.voidDispute, (jobId));
        }
        expect(legal, address(world.game), person, 0, call);
    }

    function isSlashed(GhostJob memory job) private pure returns (bool) {
        return job.dispute == DisputeState.DEFAULT || job.dispute == DisputeState.FRAUD_PROVEN;
    }

    /* CHALLENGES */

    function challengeAs(GhostJob memory job, bytes32 id, address person, bool honest) private {
        bool joins = job.dispute == DisputeState.OPEN;
        uint256 bond = joins ? job.bond : computeBond();
        // Too little, exact, or too much.
        uint256 value = honest || bond == 0 ? bond : bond - 1 + uint160(person) % 3;
        bool legal = mayChallenge(job, person) && value >= bond;
        bytes memory call = abi.encodeCall(IDisputeGame.challenge, (JobId.wrap(id), outDigestOf(id)));
        if (!expect(legal, address(world.game), person, value, call)) return;
        noteExcess(id, person, value - bond);
    }

    /// @dev What is sent beyond the bond is credited under the job's name.
    function noteExcess(bytes32 id, address person, uint256 excess) internal {
        moneyIn[id][ETH] += excess;
        contributed[id][ETH][person] += excess;
    }

    function mayChallenge(GhostJob memory job, address person) internal view returns (bool) {
        bool opens = job.state == JobState.COMMITTED && ghostClock() <= job.deadline;
        return running() && (job.dispute == DisputeState.OPEN ? mayJoin(job, person) : opens);
    }

    function mayJoin(GhostJob memory job, address person) private view returns (bool) {
        if (job.bond == 0 || ghostClock() > job.proveBy) return false;
        bool isClient = person == job.terms.client;
        bool early = blockNumber <= job.openedAtBlock + SHARE_BLOCKS;
        if (!early && !(isClient && ghostClock() <= job.deadline)) return false;
        uint256 places = 0;
        for (uint256 i = 0; i < job.challengers.length; ++i) {
            if (job.challengers[i] == person) return false;
            if (job.challengers[i] != job.terms.client) ++places;
        }
        return isClient || places < MAX_CHALLENGERS;
    }

    /* PROOFS */

    function proveAs(GhostJob memory job, bytes32 id, Step step, address person, bool honest) private {
        world.verifier.setMode(honest ? MockVerifier.Mode.ACCEPT : MockVerifier.Mode.REJECT);
        bool isCure = step == Step.CURE;
        bool due = isCure
            ? job.dispute == DisputeState.DEFAULT && ghostClock() <= job.deadline
            : job.dispute == DisputeState.OPEN && ghostClock() <= job.proveBy;
        bytes memory call = isCure
            ? abi.encodeCall(IDisputeGame.cure, (JobId.wrap(id), job.terms, "", "", ""))
            : abi.encodeCall(IDisputeGame.prove, (JobId.wrap(id), job.terms, "", "", ""));
        // Operators prove through their workers.
        address prover = person == job.operator ? workerOrPerson(person) : person;
        expect(running() && due && honest, address(world.game), prover, 0, call);
    }

    /* EVIDENCE */

    /// @dev The operator's worker signs the result and another one; who reports announces it a block before.
    function equivocateAs(GhostJob memory job, bytes32 id, address person, bool honest) private {
        address worker = workerOf(job.operator);
        if (worker == address(0)) return;
        uint256 key = WORKER_KEY;
        while (vm.addr(key) != worker) ++key;
        SignedResult memory first = SignedResult(outDigestOf(id), sign(key, id, outDigestOf(id)));
        bytes32 other = keccak256(abi.encode("another result", id));
        SignedResult memory second = SignedResult(other, sign(key, id, other));
        // Two signatures over one result are none.
        if (!honest) second = first;
        bytes32 commitment = keccak256(abi.encode(person, id, first, second, bytes32(0)));
        expect(true, address(world.game), person, 0, abi.encodeCall(IDisputeGame.announceEvidence, (commitment)));
        ++blockNumber;
        bool unsettled = job.state > JobState.OPEN && job.state < JobState.FINAL;
        bytes memory call = abi.encodeCall(IDisputeGame.proveEquivocation, (JobId.wrap(id), first, second, bytes32(0)));
        expect(running() && unsettled && honest, address(world.game), person, 0, call);
    }

    function sign(uint256 key, bytes32 id, bytes32 outDigest) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, world.game.hashResult(JobId.wrap(id), outDigest));
        return abi.encodePacked(r, s, v);
    }

    /// @dev ceil(1.5 * (5 s * 1000 gwei + 3 * 800000 gas * price)).
    function computeBond() internal view returns (uint256) {
        return (3 * (5 * 1000 gwei + 3 * 800_000 * price()) + 1) / 2;
    }
}
