// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {IPinpointDisputes} from "../../contracts/interfaces/IPinpointDisputes.sol";
import {ITraceSearches} from "../../contracts/interfaces/ITraceSearches.sol";
import {Claim} from "../../contracts/types/Claim.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {Phase, Search} from "../../contracts/types/Pinpoint.sol";
import {PinpointSteps} from "./PinpointSteps.sol";

/// @notice Ends of disputes other than by a verdict: timeouts, a job that something else settled, the refund mode, and
/// the end of the window (PinpointGame.tree).
contract PinpointEndsTest is PinpointSteps {
    uint256 private constant OP = 5;
    uint256 private constant PIN = OP << 64 | ELEM;
    uint256 private immutable SEARCH = searchKey(CHALLENGER);

    function refuseTimeout(JobId jobId, uint256 key, bytes memory reason) private {
        checkMove(jobId, key, STRANGER, abi.encodeCall(ITraceSearches.claimTimeout, (jobId, key)), reason);
    }

    function refuseResolve(JobId jobId, uint256 key, bytes memory reason) private {
        checkMove(jobId, key, STRANGER, abi.encodeCall(ITraceSearches.resolve, (jobId, key)), reason);
    }

    /// @dev At the last second the move still counts; one second later the dispute is the challenger's.
    function checkDefault(JobId jobId, uint256 key) private {
        uint256 deadline = disputeOf(jobId, key).deadline;
        vm.warp(deadline);
        refuseTimeout(jobId, key, clockRunning(jobId, key, deadline));
        warpPast(deadline);
        pins.claimTimeout(jobId, key);
        assertPhase(jobId, key, Phase.DEFAULT);
        assertState(jobId, JobState.REJECTED);
        assertDispute(jobId, DisputeState.DEFAULT);
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond back");
        assertEq(vault.pinpointBonds() + disputeOf(jobId, key).bonds, 0, "bonds");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertEq(pins.countOpen(jobId), 0, "open disputes");
        refuseTimeout(jobId, key, wrongOver(jobId, key));
        assertMoney();
        distribute(jobId);
        assertEq(accountOf(CHALLENGER).credit, BOND + LOCK * 35 / 100, "reward");
        assertMoney();
        assertSettled(jobId);
    }

    /// @dev A dispute that is over, or whose job is.
    function wrongOver(JobId jobId, uint256 key) private view returns (bytes memory) {
        if (disputeOf(jobId, key).head == 0) return wrongPhase(jobId, key, Phase.DEFAULT);
        return abi.encodeWithSelector(IPinpointBook.WrongJobState.selector, jobId, JobState.REJECTED);
    }

    /* TIMEOUTS */

    function test_claimTimeout__of_a_claim__defaults() public {
        JobId jobId = tracedJob();
        pin(jobId, OP);
        checkDefault(jobId, PIN);
    }

    function test_claimTimeout__without_a_trace__defaults() public {
        JobId jobId = committedJob();
        openSearch(jobId);
        checkDefault(jobId, SEARCH);
    }

    function test_claimTimeout__without_what_lies_below__defaults() public {
        JobId jobId = tracedJob();
        openSearch(jobId);
        assertPhase(jobId, SEARCH, Phase.REVEAL);
        checkDefault(jobId, SEARCH);
    }

    function checkLost(JobId jobId, uint256 deadline) private {
        vm.warp(deadline);
        refuseTimeout(jobId, SEARCH, clockRunning(jobId, SEARCH, deadline));
        warpPast(deadline);
        bytes32 id = idOf(jobId, SEARCH);
        vm.expectEmit(address(pins));
        emit IPinpointBook.DisputeResolved(id, jobId, Phase.CHALLENGER_TIMEOUT);
        pins.claimTimeout(jobId, SEARCH);
        assertPhase(jobId, SEARCH, Phase.CHALLENGER_TIMEOUT);
        assertState(jobId, JobState.DISPUTED);
        assertEq(accountOf(OWNER).credit, BOND * 80 / 100, "operator");
        assertEq(vault.burned(ETH), BOND - BOND * 80 / 100, "burned");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertMoney();
        refuseTimeout(jobId, SEARCH, wrongPhase(jobId, SEARCH, Phase.CHALLENGER_TIMEOUT));
        bytes memory again = abi.encodeCall(IPinpointDisputes.openDispute, (jobId, OUT_DIGEST));
        if (block.timestamp > market.getJob(jobId).deadline) return;
        bytes memory exists = abi.encodeWithSelector(IPinpointBook.DisputeExists.selector, id);
        checkMove(jobId, SEARCH, CHALLENGER, BOND, again, exists);
    }

    function test_claimTimeout__of_the_challenger_after_a_trace__loses_the_bond() public {
        JobId jobId = committedJob();
        openSearch(jobId);
        vm.warp(block.timestamp + 4);
        postTrace(jobId, true);
        checkLost(jobId, block.timestamp + CLOCK);
    }

    function test_claimTimeout__of_the_challenger_who_does_not_choose__loses_the_bond() public {
        JobId jobId = tracedJob();
        Search memory state = openSearch(jobId);
        (bytes32[] memory tops, bytes32[] memory roots) = (new bytes32[](2), new bytes32[](2));
        for (uint256 l = 0; l < 2; ++l) {
            (tops[l], roots[l]) = (layerDigestOf(l), opRootOf(l));
        }
        pins.revealLeaves(jobId, CHALLENGER, state, tops, roots);
        assertPhase(jobId, SEARCH, Phase.SELECT);
        checkLost(jobId, disputeOf(jobId, SEARCH).deadline);
    }

    function test_claimTimeout__no_dispute__reverts() public {
        JobId jobId = tracedJob();
        refuseTimeout(jobId, PIN, unknown(jobId, PIN));
    }

    function test_claimTimeout__once_the_job_is_settled__reverts() public {
        JobId jobId = tracedJob();
        pin(jobId, OP);
        challengeAs(STRANGER, jobId);
        proveAs(WORKER, jobId);
        warpPast(disputeOf(jobId, PIN).deadline);
        refuseTimeout(jobId, PIN, abi.encodeWithSelector(IPinpointBook.WrongJobState.selector, jobId, JobState.PROVEN));
    }

    /* A JOB THAT SOMETHING ELSE SETTLED */

    function test_resolve__proven__every_bond_is_lost() public {
        JobId jobId = tracedJob();
        pin(jobId, OP);
        vm.prank(STRANGER);
        pins.openDispute{value: BOND}(jobId, OUT_DIGEST);
        refuseResolve(
            jobId,
            PIN,
            abi.encodeWithSelector(IPinpointBook.NothingToResolve.selector, idOf(jobId, PIN), JobState.DISPUTED)
        );
        // The operator may prove all of it, without a bond.
        vm.prank(WORKER);
        game.requestProof(jobId, OUT_DIGEST);
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
        uint256 before = accountOf(OWNER).credit;
        pins.resolve(jobId, PIN);
        pins.resolve(jobId, searchKey(STRANGER));
        assertPhase(jobId, PIN, Phase.DEFENDER_PROVEN);
        assertPhase(jobId, searchKey(STRANGER), Phase.DEFENDER_PROVEN);
        assertEq(accountOf(OWNER).credit, before + 2 * (BOND * 80 / 100), "operator");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertMoney();
        refuseResolve(jobId, PIN, wrongPhase(jobId, PIN, Phase.DEFENDER_PROVEN));
    }

    function test_resolve__rejected_by_a_proof_that_never_came__bonds_go_back() public {
        JobId jobId = tracedJob();
        pin(jobId, OP);
        challengeAs(STRANGER, jobId);
        warpPast(game.getDispute(jobId).proveBy);
        game.claimDefault(jobId);
        // Who pinned shares the reward of who demanded the proof.
        assertEq(game.getChallengers(jobId).length, 2, "rewarded");
        pins.resolve(jobId, PIN);
        assertPhase(jobId, PIN, Phase.CANCELLED);
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond back");
        distribute(jobId);
        assertMoney();
        assertSettled(jobId);
    }

    /// @dev Its claim may still be cured, but its bond is back.
    function test_resolve__after_a_default__reverts() public {
        JobId jobId = tracedJob();
        pin(jobId, OP);
        warpPast(disputeOf(jobId, PIN).deadline);
        pins.claimTimeout(jobId, PIN);
        refuseResolve(jobId, PIN, wrongPhase(jobId, PIN, Phase.DEFAULT));
    }

    function test_claimTimeout__of_one_of_three__cancels_the_others() public {
        JobId jobId = tracedJob();
        pin(jobId, OP);
        pinAs(STRANGER, jobId, 6, 1);
        pinAs(STRANGER, jobId, 6, 2);
        // Nobody counts twice.
        assertEq(pins.getOpenChallengers(jobId).length, 2, "challengers");
        assertEq(pins.countOpen(jobId), 3, "open disputes");
        warpPast(disputeOf(jobId, PIN).deadline);
        pins.claimTimeout(jobId, PIN);
        assertEq(game.getChallengers(jobId).length, 2, "rewarded");
        pins.resolve(jobId, 6 << 64 | 1);
        pins.resolve(jobId, 6 << 64 | 2);
        assertEq(accountOf(STRANGER).credit, 2 * BOND, "bonds back");
        assertEq(pins.countOpen(jobId), 0, "open disputes");
        assertEq(pins.getTrace(jobId).places, 0, "places");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        distribute(jobId);
        assertMoney();
        assertSettled(jobId);
    }

    /* THE REFUND MODE */

    function test_resolve__in_the_refund_mode__bonds_go_back() public {
        JobId jobId = tracedJob();
        pin(jobId, OP);
        pinAs(STRANGER, jobId, OP, 7);
        bytes memory call = abi.encodeCall(ITraceSearches.voidHeld, (jobId));
        checkMove(jobId, PIN, STRANGER, call, noRefundMode());
        enterRefundMode();
        refuseTimeout(jobId, PIN, refundMode());
        pins.resolve(jobId, PIN);
        assertPhase(jobId, PIN, Phase.VOIDED);
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond back");
        pins.voidHeld(jobId);
        assertState(jobId, JobState.VOIDED);
        pins.resolve(jobId, OP << 64 | 7);
        assertEq(accountOf(STRANGER).credit, BOND, "bond back");
        assertEq(accountOf(CLIENT).credit, FEE, "fee back");
        assertMoney();
        assertSettled(jobId);
    }

    function test_voidHeld__after_every_dispute__gives_the_job_back() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        ruleAs(WORKER, jobId, PIN, claim, CONSISTENT);
        enterRefundMode();
        pins.voidHeld(jobId);
        assertState(jobId, JobState.VOIDED);
        assertMoney();
        assertSettled(jobId);
    }

    function test_voidHeld__while_a_proof_is_due__reverts() public {
        JobId jobId = tracedJob();
        pin(jobId, OP);
        challengeAs(STRANGER, jobId);
        enterRefundMode();
        vm.prank(STRANGER);
        (bool success,) = address(pins).call(abi.encodeCall(ITraceSearches.voidHeld, (jobId)));
        assertTrue(!success, "the game of prove-it voids it, with its bonds");
        game.voidDispute(jobId);
        pins.resolve(jobId, PIN);
        assertPhase(jobId, PIN, Phase.VOIDED);
        assertMoney();
        assertSettled(jobId);
    }

    /* THE END OF THE WINDOW */

    function test_finaliseDefended__pays_the_operator() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        warpPastJob(jobId);
        bytes memory call = abi.encodeCall(ITraceSearches.finaliseDefended, (jobId));
        checkMove(jobId, PIN, STRANGER, call, abi.encodeWithSelector(IPinpointBook.StillDisputed.selector, jobId, 1));
        ruleAs(WORKER, jobId, PIN, claim, CONSISTENT);
        pins.finaliseDefended(jobId);
        assertState(jobId, JobState.FINAL);
        assertEq(accountOf(OWNER).credit, BOND * 80 / 100 + FEE - PROTOCOL_FEE, "operator");
        assertMoney();
        assertSettled(jobId);
    }

    function test_finaliseDefended__within_the_window_or_while_a_proof_is_due__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        ruleAs(WORKER, jobId, PIN, claim, CONSISTENT);
        bytes memory call = abi.encodeCall(ITraceSearches.finaliseDefended, (jobId));
        checkMove(jobId, PIN, STRANGER, call, tooEarly(jobId));
        challengeAs(STRANGER, jobId);
        warpPastJob(jobId);
        bytes memory reason = abi.encodeWithSelector(
            IDisputeGame.WrongDisputeState.selector, jobId, DisputeState.OPEN, DisputeState.NONE
        );
        checkMove(jobId, PIN, STRANGER, call, reason);
    }

    /// @dev Whatever is sent that neither half of the game knows is refused.
    function test_fallback__unknown_call_or_value__reverts() public {
        (bool success,) = address(pins).call(hex"deadbeef");
        assertTrue(!success, "unknown");
        (success,) = address(pins).call{value: 1}("");
        assertTrue(!success, "no ETH");
        (success,) = pins.SEARCHES().call(abi.encodeCall(ITraceSearches.claimTimeout, (JobId.wrap(0), 0)));
        assertTrue(!success, "the other half alone is nothing");
        assertEq(address(pins).balance, 0, "holds nothing");
    }
}
