// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {IPinpointDisputes} from "../../contracts/interfaces/IPinpointDisputes.sol";
import {ITraceSearches} from "../../contracts/interfaces/ITraceSearches.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {LayerEnd, Phase, Pin, WHOLE} from "../../contracts/types/Pinpoint.sol";
import {PinpointSteps} from "./PinpointSteps.sol";

/// @notice Fraud that is shown in one transaction, announced before, without a bond (PinpointGame.tree). Three operators a
/// layer, with room for four.
contract PinpointFraudTest is PinpointSteps {
    uint256 private constant OP = 4;
    bytes32 private constant SALT = keccak256("salt");

    function useModel() internal override {
        makeModel(2, 3, 4, IN_DIGEST, OUT_DIGEST);
    }

    function announce(address reporter, bytes memory call) private {
        vm.prank(reporter);
        game.announceEvidence(keccak256(abi.encode(reporter, keccak256(call))));
    }

    function notAnnounced(address reporter, bytes memory call) private pure returns (bytes memory) {
        bytes32 commitment = keccak256(abi.encode(reporter, keccak256(call)));
        return abi.encodeWithSelector(IPinpointBook.NotAnnounced.selector, commitment);
    }

    function send(address reporter, bytes memory call) private returns (bool success, bytes memory got) {
        announce(reporter, call);
        nextBlock();
        vm.prank(reporter);
        return address(pins).call(call);
    }

    function refuse(JobId jobId, bytes memory call, bytes memory reason) private {
        announce(STRANGER, call);
        nextBlock();
        checkMove(jobId, pinKey(OP, ELEM), STRANGER, call, reason);
    }

    function fraudCall(JobId jobId, bytes memory evidence) private view returns (bytes memory) {
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        return abi.encodeCall(IPinpointDisputes.proveFraud, (jobId, p, rulings(evidence), SALT));
    }

    /* AN OPERATOR */

    function test_proveFraud__rejects_without_a_bond() public {
        JobId jobId = tracedJob();
        (bool success,) = send(STRANGER, fraudCall(jobId, INCONSISTENT));
        assertTrue(success, "shown");
        assertState(jobId, JobState.REJECTED);
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
        assertEq(game.getChallengers(jobId)[0], STRANGER, "reporter");
        distribute(jobId);
        assertEq(accountOf(STRANGER).credit, LOCK * 35 / 100, "reward");
        assertMoney();
        assertSettled(jobId);
    }

    function test_proveFraud__shares_with_those_who_dispute_the_job() public {
        JobId jobId = tracedJob();
        pinAs(CHALLENGER, jobId, OP, 9);
        (bool success,) = send(STRANGER, fraudCall(jobId, INCONSISTENT));
        assertTrue(success, "shown");
        assertEq(game.getChallengers(jobId).length, 2, "rewarded");
        pins.resolve(jobId, pinKey(OP, 9));
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond back");
        distribute(jobId);
        assertMoney();
        assertSettled(jobId);
    }

    /// @dev Bond-less fraud ignores places that somebody filled.
    function test_proveFraud__when_every_place_is_taken() public {
        JobId jobId = tracedJob();
        for (uint64 i = 0; i < 16; ++i) {
            pinAs(CHALLENGER, jobId, OP, 20 + i);
        }
        (bool success,) = send(STRANGER, fraudCall(jobId, INCONSISTENT));
        assertTrue(success, "shown");
        assertState(jobId, JobState.REJECTED);
    }

    function test_proveFraud__not_announced_by_the_caller_in_an_earlier_block__reverts() public {
        JobId jobId = tracedJob();
        bytes memory call = fraudCall(jobId, INCONSISTENT);
        checkMove(jobId, pinKey(OP, ELEM), STRANGER, call, notAnnounced(STRANGER, call));
        announce(STRANGER, call);
        checkMove(jobId, pinKey(OP, ELEM), STRANGER, call, notAnnounced(STRANGER, call));
        nextBlock();
        checkMove(jobId, pinKey(OP, ELEM), CHALLENGER, call, notAnnounced(CHALLENGER, call));
        bytes memory other = fraudCall(jobId, CONSISTENT);
        checkMove(jobId, pinKey(OP, ELEM), STRANGER, other, notAnnounced(STRANGER, other));
    }

    function test_proveFraud__consistent__reverts() public {
        JobId jobId = tracedJob();
        bytes memory reason =
            abi.encodeWithSelector(IPinpointBook.WrongVerdict.selector, 0, Verdict.CONSISTENT, Verdict.INCONSISTENT);
        refuse(jobId, fraudCall(jobId, CONSISTENT), reason);
    }

    /// @dev No seed was drawn for it, so a proof could have been made in advance: proof adjudicators refuse it.
    function test_proveFraud__claims_with_no_seed() public {
        JobId jobId = tracedJob();
        Claim memory claim = claimOf(jobId, makePin(OP, ELEM, true, termsOf(jobId)), 0);
        claim.prover = STRANGER;
        (bool success,) = send(STRANGER, fraudCall(jobId, abi.encodePacked(INCONSISTENT, keccak256(abi.encode(claim)))));
        assertTrue(success, "this claim");
    }

    function test_proveFraud__of_a_settled_job_or_without_a_trace__reverts() public {
        JobId jobId = committedJob();
        refuse(jobId, fraudCall(jobId, INCONSISTENT), abi.encodeWithSelector(IPinpointBook.NoTrace.selector, jobId));
        postTrace(jobId, true);
        warpPastJob(jobId);
        market.finalise(jobId);
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.WrongJobState.selector, jobId, JobState.FINAL);
        refuse(jobId, fraudCall(jobId, INCONSISTENT), reason);
    }

    /// @dev What no adjudicator could say anything true about.
    function test_proveFraud__about_what_nobody_could_decide__reverts() public {
        JobId jobId = tracedJob();
        Pin memory p = makePin(OP, 128, true, termsOf(jobId));
        bytes memory call = abi.encodeCall(IPinpointDisputes.proveFraud, (jobId, p, rulings(INCONSISTENT), SALT));
        refuse(jobId, call, outOfRange(128, 128));
        p = makePin(OP, WHOLE, true, termsOf(jobId));
        call = abi.encodeCall(IPinpointDisputes.proveFraud, (jobId, p, rulings(INCONSISTENT), SALT));
        refuse(jobId, call, abi.encodeWithSelector(IPinpointBook.NotProvable.selector, OP));
        // Behind the last of the six operators the plan has room for two.
        p = makePin(OP, ELEM, true, termsOf(jobId));
        p.op = 6;
        call = abi.encodeCall(IPinpointDisputes.proveFraud, (jobId, p, rulings(INCONSISTENT), SALT));
        refuse(jobId, call, outOfRange(6, 6));
    }

    /* A LAYER */

    function structuralCall(JobId jobId, uint256 layer) private view returns (bytes memory) {
        return abi.encodeCall(ITraceSearches.proveStructural, (jobId, makeEnd(layer, true), SALT));
    }

    function test_proveStructural__a_layer_that_contradicts_its_operators__rejects() public {
        layerDigests[0] = keccak256("other");
        JobId jobId = tracedJob();
        bytes memory call = structuralCall(jobId, 0);
        vm.prank(STRANGER);
        (bool success, bytes memory got) = address(pins).call(call);
        assertEq(keccak256(got), keccak256(notAnnounced(STRANGER, call)), "announced first");
        (success,) = send(STRANGER, call);
        assertTrue(success, "shown");
        assertState(jobId, JobState.REJECTED);
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
    }

    function test_proveStructural__of_an_honest_trace__reverts() public {
        JobId jobId = tracedJob();
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.NoContradiction.selector, layerDigestOf(0));
        refuse(jobId, structuralCall(jobId, 0), reason);
        LayerEnd memory end = makeEnd(0, true);
        end.lastDigest = keccak256("other");
        (bool success, bytes memory got) =
            send(STRANGER, abi.encodeCall(ITraceSearches.proveStructural, (jobId, end, SALT)));
        assertTrue(!success && bytes4(got) == IPinpointBook.WrongOpening.selector, "not in the trace");
    }

    function test_proveStructural__of_layers_alone__reverts() public {
        JobId jobId = committedJob();
        postTrace(jobId, false);
        bytes memory call = abi.encodeCall(ITraceSearches.proveStructural, (jobId, makeEnd(0, false), SALT));
        refuse(jobId, call, abi.encodeWithSelector(IPinpointBook.WrongGranularity.selector, jobId, false));
    }

    /* PADDING */

    function paddingCall(JobId jobId, uint256 position, bytes32 digest) private view returns (bytes memory) {
        bytes32[] memory path = buildPath(opLeaves(1), position);
        return abi.encodeCall(ITraceSearches.provePadding, (jobId, makeEnd(1, true), position, digest, path, SALT));
    }

    function test_provePadding__a_digest_behind_the_last_operator__rejects() public {
        paddings[1] = keccak256("junk");
        JobId jobId = tracedJob();
        (bool success,) = send(STRANGER, paddingCall(jobId, 3, paddings[1]));
        assertTrue(success, "shown");
        assertState(jobId, JobState.REJECTED);
    }

    function test_provePadding__of_an_honest_trace__reverts() public {
        JobId jobId = tracedJob();
        // What is there is an operator; what is not there is no fault.
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.NoContradiction.selector, digests[5]);
        refuse(jobId, paddingCall(jobId, 2, digests[5]), reason);
        refuse(jobId, paddingCall(jobId, 3, 0), abi.encodeWithSelector(IPinpointBook.NoContradiction.selector, 0));
        (bool success, bytes memory got) = send(STRANGER, paddingCall(jobId, 3, keccak256("junk")));
        assertTrue(!success && bytes4(got) == IPinpointBook.WrongOpening.selector, "not in the trace");
        (success, got) = send(STRANGER, paddingCall(jobId, 7, keccak256("junk")));
        assertTrue(!success && bytes4(got) == IPinpointBook.OutOfRange.selector, "not in the tree");
        assertPhase(jobId, pinKey(OP, ELEM), Phase.NONE);
    }
}
