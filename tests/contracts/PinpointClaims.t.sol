// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {IPinpointDisputes} from "../../contracts/interfaces/IPinpointDisputes.sol";
import {ITraceSearches} from "../../contracts/interfaces/ITraceSearches.sol";
import {MockAdjudicator} from "../../contracts/mocks/MockAdjudicator.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobParams, JobState, PROOF_REQUIRED} from "../../contracts/types/Job.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {Phase, Pin, PinpointDispute, Ruling, Search, WHOLE} from "../../contracts/types/Pinpoint.sol";
import {PinpointSteps} from "./PinpointSteps.sol";

/// @notice Operators that are pinned at once, and the verdicts about them (PinpointGame.tree).
contract PinpointClaimsTest is PinpointSteps {
    uint256 private constant OP = 5; // layer 1, reads operator 4
    uint256 private constant KEY = OP << 64 | ELEM;
    uint256 private constant PROVE_BY = 40; // 30 s, and the version's 5 s for this challenge and the next

    /* PINPOINT */

    function pinCall(JobId jobId, Pin memory p) private view returns (bytes memory) {
        return abi.encodeCall(IPinpointDisputes.pinpoint, (jobId, OUT_DIGEST, traceRoot(true), p));
    }

    function refusePin(JobId jobId, Pin memory p, bytes memory reason) private {
        checkMove(jobId, KEY, CHALLENGER, BOND, pinCall(jobId, p), reason);
    }

    function test_pinpoint__opens_a_leaf() public {
        JobId jobId = tracedJob();
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        bytes32 id = idOf(jobId, KEY);
        uint256 proveBy = block.timestamp + PROVE_BY;
        vm.expectEmit(address(pins));
        emit IPinpointBook.DisputeOpened(id, jobId, CHALLENGER, KEY, OWNER, BOND, Phase.LEAF, proveBy);
        vm.expectEmit(address(pins));
        emit IPinpointBook.OperatorPinned(id, jobId, OP, ELEM, proveBy, seedOf(id, CHALLENGER));
        vm.prank(CHALLENGER);
        assertEq(pins.pinpoint{value: BOND + 7}(jobId, OUT_DIGEST, traceRoot(true), p), id, "id");

        PinpointDispute memory d = disputeOf(jobId, KEY);
        assertEq(d.id, id, "id");
        assertEq(d.challenger, CHALLENGER, "challenger");
        assertEq(uint256(d.phase), uint256(Phase.LEAF), "phase");
        assertEq(d.deadline, proveBy, "deadline");
        assertEq(d.openedAtBlock, block.number, "block");
        assertEq(d.bonds, BOND, "bonds");
        assertEq(accountOf(CHALLENGER).credit, 7, "excess");
        assertEq(game.openChallenges(OWNER), 1, "open challenges");
        assertEq(pins.countOpen(jobId), 1, "open disputes");
        assertEq(pins.getChallengers(jobId, KEY)[0], CHALLENGER, "challengers");
        assertEq(pins.getOpenChallengers(jobId).length, 1, "of the job");
        assertState(jobId, JobState.DISPUTED);
        assertMoney();
    }

    function test_pinpoint__every_operator() public {
        JobId jobId = tracedJob();
        for (uint256 op = 0; op < 8; ++op) {
            Claim memory claim = pinAs(CHALLENGER, jobId, op, uint64(127 - op));
            assertPhase(jobId, op << 64 | (127 - op), Phase.LEAF);
            // The hash in storage is that of the claim as anybody can put it together.
            ruleAs(STRANGER, jobId, op << 64 | (127 - op), claim, CONSISTENT);
        }
    }

    function test_pinpoint__of_an_expanded_layer() public {
        JobId jobId = committedJob();
        postTrace(jobId, false);
        Pin memory p = makePin(OP, ELEM, false, termsOf(jobId));
        bytes memory call = abi.encodeCall(IPinpointDisputes.pinpoint, (jobId, OUT_DIGEST, traceRoot(false), p));
        checkMove(
            jobId, KEY, CHALLENGER, BOND, call, abi.encodeWithSelector(IPinpointBook.NotExpanded.selector, jobId, 1)
        );
        expand(jobId, 1);
        vm.prank(CHALLENGER);
        (bool success,) = address(pins).call{value: BOND}(call);
        assertTrue(success, "pinned");
        assertPhase(jobId, KEY, Phase.LEAF);
    }

    function test_pinpoint__wrong_opening__reverts() public {
        JobId jobId = tracedJob();
        for (uint256 op = 4; op < 8; ++op) {
            uint256 count = makePin(op, ELEM, true, termsOf(jobId)).siblings.length;
            for (uint256 i = 0; i < count; ++i) {
                Pin memory p = makePin(op, ELEM, true, termsOf(jobId));
                p.siblings[i] ^= bytes32(uint256(1));
                checkWrongPin(jobId, p);
            }
        }
    }

    function test_pinpoint__other_digests__reverts() public {
        JobId jobId = tracedJob();
        Pin memory p = makePin(7, ELEM, true, termsOf(jobId));
        p.outDigest = keccak256("other");
        checkWrongPin(jobId, p);
        p = makePin(7, ELEM, true, termsOf(jobId));
        p.layerDigest = keccak256("other");
        checkWrongPin(jobId, p);
        p = makePin(7, ELEM, true, termsOf(jobId));
        p.opRoot = keccak256("other");
        checkWrongPin(jobId, p);
        p = makePin(7, ELEM, true, termsOf(jobId));
        p.inputOpRoot = keccak256("other");
        checkWrongPin(jobId, p);
        p = makePin(7, ELEM, true, termsOf(jobId));
        p.inDigests[0] = keccak256("other");
        checkWrongPin(jobId, p);
        p = makePin(7, ELEM, true, termsOf(jobId));
        p.inDigests[1] = keccak256("other");
        checkWrongPin(jobId, p);
        p = makePin(7, ELEM, true, termsOf(jobId));
        p.desc[20] ^= 0x01;
        checkWrongPin(jobId, p);
        p = makePin(7, ELEM, true, termsOf(jobId));
        p.op = 6;
        checkWrongPin(jobId, p);
        // As short as descriptors of no inputs and of two can be, and of no operator here.
        p = makePin(7, ELEM, true, termsOf(jobId));
        p.desc = new bytes(85);
        checkWrongPin(jobId, p);
        p.desc = new bytes(107);
        p.desc[2] = 0x02;
        checkWrongPin(jobId, p);
    }

    /// @dev Refused with WrongOpening, wherever the wrong path leads.
    function checkWrongPin(JobId jobId, Pin memory p) private {
        bytes memory call = pinCall(jobId, p);
        bytes32 before = snapshot(jobId);
        vm.prank(CHALLENGER);
        (bool success, bytes memory got) = address(pins).call{value: BOND}(call);
        assertTrue(!success, "refused");
        assertEq(bytes32(bytes4(got)), bytes32(IPinpointBook.WrongOpening.selector), "reason");
        assertEq(snapshot(jobId), before, "nothing changed");
        assertEq(pins.countOpen(jobId), 0, "none open");
    }

    function test_pinpoint__siblings_left_over_or_missing__reverts() public {
        JobId jobId = tracedJob();
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        uint256 count = p.siblings.length;
        p.siblings = concat(p.siblings, new bytes32[](1));
        refusePin(jobId, p, wrongLength(count + 1, count));
        p = makePin(OP, ELEM, true, termsOf(jobId));
        // The last path has two siblings.
        p.siblings = cut(p.siblings, count - 1);
        refusePin(jobId, p, wrongLength(count - 1, count));
        p = makePin(OP, ELEM, true, termsOf(jobId));
        p.inDigests = new bytes32[](2);
        refusePin(jobId, p, wrongLength(2, 1));
        p.desc = new bytes(84);
        refusePin(jobId, p, abi.encodeWithSelector(IPinpointBook.MalformedDescriptor.selector));
        p.desc = new bytes(106);
        p.desc[2] = 0x02;
        refusePin(jobId, p, abi.encodeWithSelector(IPinpointBook.MalformedDescriptor.selector));
    }

    function cut(bytes32[] memory list, uint256 count) private pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            shorter[i] = list[i];
        }
    }

    function test_pinpoint__what_no_honest_operator_could_answer__reverts() public {
        JobId jobId = tracedJob();
        refusePin(jobId, makePin(OP, 128, true, termsOf(jobId)), outOfRange(128, 128));
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.NotProvable.selector, OP);
        refusePin(jobId, makePin(OP, WHOLE, true, termsOf(jobId)), reason);
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        p.op = 8;
        refusePin(jobId, p, outOfRange(8, 8));
    }

    function test_pinpoint__another_job_s_terms__reverts() public {
        JobId jobId = tracedJob();
        JobId other = committedJob();
        Pin memory p = makePin(0, ELEM, true, termsOf(other));
        refusePin(jobId, p, abi.encodeWithSelector(IDisputeGame.WrongTerms.selector, jobId, other));
        p = makePin(0, ELEM, true, termsOf(jobId));
        p.inDigests[0] = keccak256("other");
        refusePin(jobId, p, abi.encodeWithSelector(IPinpointBook.WrongInput.selector, 0, p.inDigests[0], IN_DIGEST));
    }

    function test_pinpoint__bond_trace_or_result_not_as_required__reverts() public {
        JobId jobId = tracedJob();
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.BondTooSmall.selector, jobId, BOND - 1, BOND);
        checkMove(jobId, KEY, CHALLENGER, BOND - 1, pinCall(jobId, p), reason);
        bytes32 root = traceRoot(true);
        bytes memory call = abi.encodeCall(IPinpointDisputes.pinpoint, (jobId, OUT_DIGEST, bytes32(~root), p));
        reason = abi.encodeWithSelector(IPinpointBook.UnexpectedTrace.selector, jobId, root, ~root);
        checkMove(jobId, KEY, CHALLENGER, BOND, call, reason);
        call = abi.encodeCall(IPinpointDisputes.pinpoint, (jobId, IN_DIGEST, root, p));
        reason = abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, IN_DIGEST);
        checkMove(jobId, KEY, CHALLENGER, BOND, call, reason);
        JobId bare = committedJob();
        reason = abi.encodeWithSelector(IPinpointBook.NoTrace.selector, bare);
        checkMove(bare, KEY, CHALLENGER, BOND, pinCall(bare, p), reason);
    }

    function test_pinpoint__after_the_window__reverts() public {
        JobId jobId = tracedJob();
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        warpPastJob(jobId);
        refusePin(jobId, p, tooLate(jobId));
    }

    function test_pinpoint__a_plan_that_the_operator_could_not_see__reverts() public {
        vm.warp(START);
        JobId jobId = acceptedJob();
        // Active at START: one second too late for a job that is committed before START + T_exec.
        vm.warp(START + 19);
        commit(jobId);
        bytes memory call = abi.encodeCall(IPinpointDisputes.openDispute, (jobId, OUT_DIGEST));
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.NoPlan.selector, jobId, version);
        checkMove(jobId, searchKey(CHALLENGER), CHALLENGER, BOND, call, reason);
        jobId = acceptedJob();
        vm.warp(START + 20);
        commit(jobId);
        openSearch(jobId);
    }

    function test_openDispute__of_a_job_that_requires_its_proof__reverts() public {
        JobParams memory params = jobParams(0.01 ether);
        params.verifyMask = PROOF_REQUIRED;
        JobId jobId = createJobAs(CLIENT, params);
        accept(jobId);
        commit(jobId);
        bytes memory call = abi.encodeCall(IPinpointDisputes.openDispute, (jobId, OUT_DIGEST));
        bytes memory reason = abi.encodeWithSelector(IJobMarket.ProofRequired.selector, jobId);
        checkMove(jobId, searchKey(CHALLENGER), CHALLENGER, BOND, call, reason);
    }

    function test_pinpoint__the_same_element_again__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.DisputeExists.selector, idOf(jobId, KEY));
        refusePin(jobId, p, reason);
        ruleAs(WORKER, jobId, KEY, claim, CONSISTENT);
        refusePin(jobId, p, reason);
        // That one element is consistent shields no other.
        pinAs(CHALLENGER, jobId, OP, ELEM + 1);
        assertPhase(jobId, KEY + 1, Phase.LEAF);
    }

    function test_pinpoint__bonds_double_with_every_fourth__and_sixteen_fit() public {
        JobId jobId = tracedJob();
        uint256 sum;
        for (uint64 i = 0; i < 16; ++i) {
            uint256 bond = BOND << (i / 4);
            assertEq(pins.requiredBond(jobId), bond, "bond");
            pinAs(CHALLENGER, jobId, OP, i);
            sum += bond;
        }
        assertEq(sum, 60 * BOND, "all places");
        assertEq(game.openChallenges(OWNER), 16, "open challenges");
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.NoPlace.selector, jobId, 16);
        checkMove(jobId, KEY, CHALLENGER, 1 ether, pinCall(jobId, makePin(OP, 16, true, termsOf(jobId))), reason);
        assertMoney();
    }

    /// @dev The price of gas makes no whole number of gwei: a bond is kept in as many, and never too small.
    function test_pinpoint__bonds_are_rounded_up_to_gwei() public {
        JobId jobId = tracedJob();
        vm.fee(1 gwei + 1);
        uint256 bond = BOND + 1 gwei;
        assertEq(pins.requiredBond(jobId), bond, "bond");
        bytes memory call = pinCall(jobId, makePin(OP, ELEM, true, termsOf(jobId)));
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.BondTooSmall.selector, jobId, bond - 1, bond);
        checkMove(jobId, KEY, CHALLENGER, bond - 1, call, reason);
        pin(jobId, OP);
        assertEq(disputeOf(jobId, KEY).bonds, bond, "bonds");
        assertMoney();
    }

    /* ADJUDICATE */

    function adjudicateCall(JobId jobId, Claim memory claim, Ruling[] memory list) private pure returns (bytes memory) {
        return abi.encodeCall(IPinpointDisputes.adjudicate, (jobId, KEY, claim, list));
    }

    function refuseRuling(JobId jobId, Claim memory claim, Ruling[] memory list, bytes memory reason) private {
        checkMove(jobId, KEY, STRANGER, adjudicateCall(jobId, claim, list), reason);
    }

    function test_adjudicate__consistent__the_operator_earns_the_bond() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        bytes32 id = idOf(jobId, KEY);
        vm.expectEmit(address(pins));
        emit IPinpointBook.Adjudicated(id, jobId, Verdict.CONSISTENT, 0, WORKER);
        vm.expectEmit(address(pins));
        emit IPinpointBook.DisputeResolved(id, jobId, Phase.DEFENDER_PROVEN);
        ruleAs(WORKER, jobId, KEY, claim, CONSISTENT);
        assertPhase(jobId, KEY, Phase.DEFENDER_PROVEN);
        assertEq(accountOf(OWNER).credit, BOND * 80 / 100, "operator");
        assertEq(vault.burned(ETH), BOND - BOND * 80 / 100, "burned");
        assertEq(vault.pinpointBonds() + disputeOf(jobId, KEY).bonds, 0, "bonds");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertEq(pins.getTrace(jobId).places, 0, "places");
        assertState(jobId, JobState.DISPUTED);
        assertMoney();
        refuseRuling(jobId, claim, rulings(CONSISTENT), wrongPhase(jobId, KEY, Phase.DEFENDER_PROVEN));
    }

    function test_adjudicate__consistent__who_rescues_earns_the_bond() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        // What is judged is the claim in the caller's name.
        claim.prover = STRANGER;
        bytes memory evidence = abi.encodePacked(CONSISTENT, keccak256(abi.encode(claim)));
        ruleAs(STRANGER, jobId, KEY, claim, evidence);
        assertEq(accountOf(STRANGER).credit, BOND * 80 / 100, "rescuer");
        assertMoney();
    }

    function test_adjudicate__for_another_prover__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        claim.prover = STRANGER;
        bytes32 theirs = keccak256(abi.encode(claim));
        bytes memory call = adjudicateCall(jobId, claim, rulings(abi.encodePacked(CONSISTENT, theirs)));
        claim.prover = WORKER;
        bytes memory reason =
            abi.encodeWithSelector(MockAdjudicator.UnexpectedClaim.selector, keccak256(abi.encode(claim)), theirs);
        checkMove(jobId, KEY, WORKER, call, reason);
    }

    function test_adjudicate__inconsistent__rejects() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        pinAs(STRANGER, jobId, 6, ELEM);
        refuseRuling(
            jobId,
            claim,
            rulings(INCONSISTENT),
            abi.encodeWithSelector(IPinpointBook.TooEarly.selector, idOf(jobId, KEY), block.number)
        );
        nextBlock();
        ruleAs(CLIENT, jobId, KEY, claim, INCONSISTENT);
        assertPhase(jobId, KEY, Phase.FRAUD_PROVEN);
        assertState(jobId, JobState.REJECTED);
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond back");
        // Whoever disputes the job shares the reward, whichever dispute is won.
        address[] memory rewarded = game.getChallengers(jobId);
        assertEq(rewarded.length, 2, "rewarded");
        assertEq(rewarded[0], CHALLENGER, "first");
        assertEq(rewarded[1], STRANGER, "second");
        pins.resolve(jobId, 6 << 64 | ELEM);
        assertPhase(jobId, 6 << 64 | ELEM, Phase.CANCELLED);
        assertEq(accountOf(STRANGER).credit, BOND, "bond back");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        distribute(jobId);
        assertMoney();
        assertSettled(jobId);
    }

    function test_adjudicate__another_claim__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        for (uint256 i = 0; i < 8; ++i) {
            Claim memory other = claimOf(jobId, makePin(OP, ELEM, true, termsOf(jobId)), claim.seed);
            if (i == 0) other.version = keccak256("other");
            if (i == 1) other.jobId = JobId.wrap(keccak256("other"));
            if (i == 2) other.seed = keccak256("other");
            if (i == 3) other.op = 6;
            if (i == 4) other.elem = 6;
            if (i == 5) other.outDigest = keccak256("other");
            if (i == 6) other.inDigests[0] = keccak256("other");
            if (i == 7) other.desc[90] ^= 0x01;
            refuseRuling(jobId, other, rulings(CONSISTENT), stale(jobId, KEY, hashClaim(other)));
        }
        claim.inDigests = new bytes32[](0);
        refuseRuling(jobId, claim, rulings(CONSISTENT), stale(jobId, KEY, hashClaim(claim)));
    }

    function hashClaim(Claim memory c) private pure returns (bytes32) {
        bytes32 inputs = keccak256(abi.encodePacked(c.inDigests));
        return keccak256(abi.encode(c.version, c.jobId, c.seed, c.op, c.elem, c.outDigest, inputs, keccak256(c.desc)));
    }

    function test_adjudicate__no_evidence_or_bad_one__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        refuseRuling(jobId, claim, new Ruling[](0), abi.encodeWithSelector(IPinpointBook.WrongRulings.selector, 0));
        // What an adjudicator does not decide is decided by nobody (I30).
        bytes[3] memory bad = [bytes(""), hex"a0", hex"a1a1"];
        for (uint256 i = 0; i < bad.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(MockAdjudicator.Refused.selector, bad[i]);
            refuseRuling(jobId, claim, rulings(bad[i]), reason);
        }
        bytes memory none = abi.encodeWithSelector(IPinpointBook.WrongVerdict.selector, 0, Verdict.NONE, Verdict.NONE);
        refuseRuling(jobId, claim, rulings(hex"c0"), none);
        Ruling[] memory unnamed = rulings(CONSISTENT);
        unnamed[0].adjudicator = 2;
        refuseRuling(jobId, claim, unnamed, abi.encodeWithSelector(IPinpointBook.AdjudicatorNotNamed.selector, 2, 3));
        unnamed[0].adjudicator = 255;
        refuseRuling(jobId, claim, unnamed, abi.encodeWithSelector(IPinpointBook.AdjudicatorNotNamed.selector, 255, 3));
    }

    function test_adjudicate__with_too_little_gas__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        bytes32 before = snapshot(jobId);
        bytes memory call = adjudicateCall(jobId, claim, rulings(hex"b0"));
        (bool success,) = address(pins).call{gas: 2_000_000}(call);
        assertTrue(!success, "never ends");
        call = adjudicateCall(jobId, claim, rulings(CONSISTENT));
        for (uint256 gas_ = 20_000; gas_ < 200_000; gas_ += 10_000) {
            uint256 id = vm.snapshotState();
            (success,) = address(pins).call{gas: gas_}(call);
            if (success) assertPhase(jobId, KEY, Phase.DEFENDER_PROVEN);
            else assertEq(snapshot(jobId), before, "nothing changed");
            vm.revertToState(id);
        }
    }

    function two(bytes memory first, bytes memory second, uint8 other) private pure returns (Ruling[] memory list) {
        list = new Ruling[](2);
        (list[0].evidence, list[1].evidence, list[1].adjudicator) = (first, second, other);
    }

    function test_adjudicate__two_opinions__must_agree_and_be_two() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        refuseRuling(
            jobId, claim, two(CONSISTENT, CONSISTENT, 0), abi.encodeWithSelector(IPinpointBook.WrongRulings.selector, 2)
        );
        bytes memory reason =
            abi.encodeWithSelector(IPinpointBook.WrongVerdict.selector, 1, Verdict.INCONSISTENT, Verdict.CONSISTENT);
        refuseRuling(jobId, claim, two(CONSISTENT, INCONSISTENT, 1), reason);
        vm.prank(WORKER);
        pins.adjudicate(jobId, KEY, claim, two(CONSISTENT, CONSISTENT, 1));
        assertPhase(jobId, KEY, Phase.DEFENDER_PROVEN);
    }

    function test_adjudicate__until_the_last_second() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        uint256 proveBy = disputeOf(jobId, KEY).deadline;
        warpPast(proveBy);
        refuseRuling(jobId, claim, rulings(CONSISTENT), clockOver(jobId, KEY, proveBy));
        vm.warp(proveBy);
        ruleAs(WORKER, jobId, KEY, claim, CONSISTENT);
        assertPhase(jobId, KEY, Phase.DEFENDER_PROVEN);
    }

    function test_adjudicate__no_dispute__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim;
        refuseRuling(jobId, claim, rulings(CONSISTENT), unknown(jobId, KEY));
    }

    function test_adjudicate__after_the_job_was_settled__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        challengeAs(STRANGER, jobId);
        proveAs(WORKER, jobId);
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.WrongJobState.selector, jobId, JobState.PROVEN);
        nextBlock();
        refuseRuling(jobId, claim, rulings(INCONSISTENT), reason);
    }

    /* JOIN */

    function joinAs(address account, JobId jobId) private {
        bytes32 root = traceRoot(true);
        vm.prank(account);
        pins.join{value: BOND}(jobId, KEY, root);
    }

    function refuseJoin(address account, JobId jobId, uint256 key, uint256 value, bytes memory reason) private {
        checkMove(
            jobId, key, account, value, abi.encodeCall(ITraceSearches.join, (jobId, key, traceRoot(true))), reason
        );
    }

    function test_join__shares_bond_and_reward() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        vm.roll(block.number + SHARE);
        joinAs(STRANGER, jobId);
        assertEq(disputeOf(jobId, KEY).bonds, 2 * BOND, "bonds");
        assertEq(pins.getTrace(jobId).places, 2, "places");
        assertEq(game.openChallenges(OWNER), 1, "one dispute");
        uint256 id = vm.snapshotState();
        ruleAs(CLIENT, jobId, KEY, claim, INCONSISTENT);
        assertEq(accountOf(CHALLENGER).credit, BOND, "first");
        assertEq(accountOf(STRANGER).credit, BOND, "second");
        assertEq(game.getChallengers(jobId).length, 2, "rewarded");
        assertMoney();
        vm.revertToState(id);
        ruleAs(WORKER, jobId, KEY, claim, CONSISTENT);
        assertEq(accountOf(OWNER).credit, 2 * BOND * 80 / 100, "both are lost");
        assertEq(pins.getTrace(jobId).places, 0, "places");
        assertMoney();
    }

    function test_join__too_late_twice_full_or_blind__reverts() public {
        JobId jobId = tracedJob();
        pin(jobId, OP);
        bytes32 id = idOf(jobId, KEY);
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.AlreadyChallenging.selector, id, CHALLENGER);
        refuseJoin(CHALLENGER, jobId, KEY, BOND, reason);
        reason = abi.encodeWithSelector(IPinpointBook.BondTooSmall.selector, jobId, BOND - 1, BOND);
        refuseJoin(STRANGER, jobId, KEY, BOND - 1, reason);
        bytes memory call = abi.encodeCall(ITraceSearches.join, (jobId, KEY, IN_DIGEST));
        reason = abi.encodeWithSelector(IPinpointBook.UnexpectedTrace.selector, jobId, traceRoot(true), IN_DIGEST);
        checkMove(jobId, KEY, STRANGER, BOND, call, reason);
        joinAs(STRANGER, jobId);
        refuseJoin(
            STRANGER, jobId, KEY, BOND, abi.encodeWithSelector(IPinpointBook.AlreadyChallenging.selector, id, STRANGER)
        );
        joinAs(CLIENT, jobId);
        joinAs(REGISTRANT, jobId);
        refuseJoin(WORKER, jobId, KEY, BOND, abi.encodeWithSelector(IPinpointBook.NoPlace.selector, jobId, 16));
        // Four challengers have the price of four disputes.
        assertEq(pins.requiredBond(jobId), 2 * BOND, "price");
        uint256 until = block.number + SHARE;
        vm.roll(until + 1);
        reason = abi.encodeWithSelector(IPinpointBook.TooLateToJoin.selector, id, until, until + 1);
        refuseJoin(WORKER, jobId, KEY, BOND, reason);
        assertMoney();
    }

    function test_join__a_search_or_what_is_over__reverts() public {
        JobId jobId = tracedJob();
        openSearch(jobId);
        uint256 key = searchKey(CHALLENGER);
        refuseJoin(STRANGER, jobId, key, BOND, wrongPhase(jobId, key, Phase.REVEAL));
        Claim memory claim = pin(jobId, OP);
        warpPast(disputeOf(jobId, KEY).deadline);
        refuseJoin(STRANGER, jobId, KEY, BOND, clockOver(jobId, KEY, block.timestamp - 1));
        vm.warp(block.timestamp - 1);
        ruleAs(WORKER, jobId, KEY, claim, CONSISTENT);
        refuseJoin(STRANGER, jobId, KEY, BOND, wrongPhase(jobId, KEY, Phase.DEFENDER_PROVEN));
    }

    /// @dev Who joined in a place before is not in it once another dispute takes it.
    function test_join__in_a_place_that_is_used_again() public {
        JobId jobId = tracedJob();
        Claim memory claim = pinAs(CHALLENGER, jobId, OP, ELEM + 1);
        uint256 first = KEY + 1;
        bytes32 root = traceRoot(true);
        vm.prank(STRANGER);
        pins.join{value: BOND}(jobId, first, root);
        ruleAs(WORKER, jobId, first, claim, CONSISTENT);
        pin(jobId, OP);
        joinAs(STRANGER, jobId);
        address[] memory challengers = pins.getChallengers(jobId, KEY);
        assertEq(challengers.length, 2, "challengers");
        assertEq(challengers[1], STRANGER, "who joined");
        assertMoney();
    }

    function test_join__when_every_place_is_taken__reverts() public {
        JobId jobId = tracedJob();
        for (uint64 i = 0; i < 16; ++i) {
            pinAs(CHALLENGER, jobId, OP, i);
        }
        refuseJoin(STRANGER, jobId, KEY, 1 ether, abi.encodeWithSelector(IPinpointBook.NoPlace.selector, jobId, 16));
    }

    /// @dev Nor once it has come to an operator.
    function test_join__a_search_that_ended_in_a_claim__reverts() public {
        JobId jobId = committedJob();
        Search memory none = openSearch(jobId);
        postTrace(jobId, true);
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        vm.prank(CHALLENGER);
        pins.pinSearched(jobId, none, p);
        uint256 key = searchKey(CHALLENGER);
        refuseJoin(STRANGER, jobId, key, BOND, wrongPhase(jobId, key, Phase.LEAF));
    }

    /* CURE */

    function cureCall(JobId jobId, Claim memory claim, bytes memory evidence) private pure returns (bytes memory) {
        return abi.encodeCall(IPinpointDisputes.cure, (jobId, KEY, claim, rulings(evidence)));
    }

    function defaultedLeaf(JobId jobId) private returns (Claim memory claim) {
        claim = pin(jobId, OP);
        warpPast(disputeOf(jobId, KEY).deadline);
        pins.claimTimeout(jobId, KEY);
    }

    function test_cure__gives_most_of_the_lock_back() public {
        JobId jobId = tracedJob();
        Claim memory claim = defaultedLeaf(jobId);
        assertPhase(jobId, KEY, Phase.DEFAULT);
        assertDispute(jobId, DisputeState.DEFAULT);
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond back");
        uint256 free = accountOf(OWNER).free;
        vm.warp(block.timestamp + AIRGAP);
        vm.prank(STRANGER);
        pins.cure(jobId, KEY, claim, rulings(CONSISTENT));
        assertPhase(jobId, KEY, Phase.CURED);
        assertDispute(jobId, DisputeState.CURED);
        assertEq(accountOf(OWNER).free, free + LOCK * 80 / 100, "operator");
        assertEq(accountOf(CHALLENGER).credit, BOND + LOCK * 5 / 100, "challenger");
        assertState(jobId, JobState.REJECTED);
        assertSettled(jobId);
        checkMove(jobId, KEY, STRANGER, cureCall(jobId, claim, CONSISTENT), wrongPhase(jobId, KEY, Phase.CURED));
    }

    function test_cure__inconsistent_stale_or_late__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = defaultedLeaf(jobId);
        bytes memory reason =
            abi.encodeWithSelector(IPinpointBook.WrongVerdict.selector, 0, Verdict.INCONSISTENT, Verdict.CONSISTENT);
        checkMove(jobId, KEY, STRANGER, cureCall(jobId, claim, INCONSISTENT), reason);
        claim.elem = 9;
        checkMove(jobId, KEY, STRANGER, cureCall(jobId, claim, CONSISTENT), stale(jobId, KEY, hashClaim(claim)));
        claim.elem = ELEM;
        uint256 until = market.getJob(jobId).deadline;
        warpPast(until);
        reason = abi.encodeWithSelector(IDisputeGame.AirgapOver.selector, jobId, until, until + 1);
        checkMove(jobId, KEY, STRANGER, cureCall(jobId, claim, CONSISTENT), reason);
    }

    function test_cure__no_default__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pin(jobId, OP);
        checkMove(jobId, KEY, STRANGER, cureCall(jobId, claim, CONSISTENT), wrongPhase(jobId, KEY, Phase.LEAF));
        nextBlock();
        ruleAs(CLIENT, jobId, KEY, claim, INCONSISTENT);
        checkMove(jobId, KEY, STRANGER, cureCall(jobId, claim, CONSISTENT), wrongPhase(jobId, KEY, Phase.FRAUD_PROVEN));
    }
}

/// @notice Locks above 10 ETH where no airgap holds them.
contract LargeLockTest is PinpointSteps {
    uint256 private constant KEY = 5 << 64 | ELEM;
    /// So that a lock can be 10 ETH exactly.
    uint16 private constant LOCK_FEES = 40;

    function deployWith(uint40 airgapSeconds) private {
        vm.warp(START);
        Parameters memory p = localPreset();
        (p.airgapSeconds, p.lockFees) = (airgapSeconds, LOCK_FEES);
        deploy(p);
        for (uint256 key = 1; key <= ACTORS; ++key) {
            fund(vm.addr(key));
        }
        version = registerVersion(versionParams());
        giveStake(OWNER, WORKER, 100 ether);
        prepare();
    }

    function pinnedJob(uint96 fee) private returns (JobId jobId, Claim memory claim) {
        jobId = createJob(fee);
        accept(jobId);
        commit(jobId);
        postTrace(jobId, true);
        claim = pin(jobId, 5);
        nextBlock();
    }

    function test_adjudicate__a_large_slash__needs_two_opinions() public {
        deployWith(0);
        (JobId jobId, Claim memory claim) = pinnedJob(uint96(10 ether) / LOCK_FEES + 1);
        uint256 lock = vault.getFunds(ETH, jobId).lock;
        assertLe(10 ether + 1, lock, "lock");
        bytes memory call = abi.encodeCall(IPinpointDisputes.adjudicate, (jobId, KEY, claim, rulings(INCONSISTENT)));
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.SecondRulingNeeded.selector, lock, 10 ether);
        checkMove(jobId, KEY, CLIENT, call, reason);
        Ruling[] memory list = new Ruling[](2);
        (list[0].evidence, list[1].evidence, list[1].adjudicator) = (INCONSISTENT, INCONSISTENT, 1);
        pins.adjudicate(jobId, KEY, claim, list);
        assertState(jobId, JobState.REJECTED);
    }

    function test_proveFraud__a_large_slash__needs_two_opinions() public {
        deployWith(0);
        (JobId jobId,) = pinnedJob(1 ether);
        Pin memory p = makePin(5, ELEM + 1, true, termsOf(jobId));
        bytes memory call = abi.encodeCall(IPinpointDisputes.proveFraud, (jobId, p, rulings(INCONSISTENT), 0));
        vm.prank(STRANGER);
        game.announceEvidence(keccak256(abi.encode(STRANGER, keccak256(call))));
        nextBlock();
        bytes memory reason = abi.encodeWithSelector(IPinpointBook.SecondRulingNeeded.selector, 40 ether, 10 ether);
        checkMove(jobId, KEY, STRANGER, call, reason);
    }

    function test_adjudicate__up_to_the_limit__needs_one() public {
        deployWith(0);
        (JobId jobId, Claim memory claim) = pinnedJob(uint96(10 ether) / LOCK_FEES);
        assertEq(vault.getFunds(ETH, jobId).lock, 10 ether, "lock");
        ruleAs(CLIENT, jobId, KEY, claim, INCONSISTENT);
        assertState(jobId, JobState.REJECTED);
    }

    function test_adjudicate__a_large_slash_in_an_airgap__needs_one() public {
        deployWith(1);
        (JobId jobId, Claim memory claim) = pinnedJob(1 ether);
        ruleAs(CLIENT, jobId, KEY, claim, INCONSISTENT);
        assertState(jobId, JobState.REJECTED);
    }

    function test_adjudicate__consistent__needs_one() public {
        deployWith(0);
        (JobId jobId, Claim memory claim) = pinnedJob(1 ether);
        ruleAs(WORKER, jobId, KEY, claim, CONSISTENT);
        assertPhase(jobId, KEY, Phase.DEFENDER_PROVEN);
    }
}
