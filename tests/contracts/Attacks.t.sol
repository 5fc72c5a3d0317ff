// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {RefusingOwner} from "../../contracts/mocks/RefusingOwner.sol";
import {SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobParams, JobState, JobTerms} from "../../contracts/types/Job.sol";
import {Statement} from "../../contracts/types/Statement.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Front-running, griefing and stale-state attacks, each with the money counted: what the attackers end with
/// and what the attacked end with, gas aside.
contract AttacksTest is JobSteps {
    address private immutable ACCOMPLICE = vm.addr(31);
    address private immutable RESCUER = vm.addr(32);

    function setUp() public override {
        super.setUp();
        fund(ACCOMPLICE);
        fund(RESCUER);
    }

    /// @dev All that an account has: outside, and in the vault. A held lock belongs to nobody yet.
    function worth(address account) private view returns (uint256) {
        return account.balance + sumAccount(ETH, account);
    }

    /// @dev Refused with an error of this kind, whatever it carries.
    function assertRefused(address caller, address target, bytes memory call, bytes4 selector) private {
        vm.prank(caller);
        (bool success, bytes memory reason) = target.call(call);
        assertTrue(!success, "let in");
        assertEq(bytes32(bytes4(reason)), bytes32(selector), "another error");
    }

    /* FRONT-RUNNING */

    /// @dev A rescuer's proof lies in the pool; a thief sends the same bytes first.
    function test_front_run__copied_proof_serves_nobody_else() public {
        JobId jobId = challengedJob();
        JobTerms memory terms = termsOf(jobId);
        Statement memory statement = game.getStatement(jobId, terms, RESCUER);
        verifier.expectStatement(statement);
        (uint256 thief, uint256 rescuer) = (worth(STRANGER), worth(RESCUER));

        bytes memory call = abi.encodeCall(IDisputeGame.prove, (jobId, terms, "input", "output", "proof"));
        assertRefused(STRANGER, address(game), call, MockVerifier.UnexpectedStatement.selector);
        proveAs(RESCUER, jobId);

        assertEq(worth(STRANGER), thief, "the thief has nothing");
        assertEq(worth(RESCUER), rescuer + BOND * 80 / 100, "the rescuer has its reward");
    }

    /// @dev An operator that cannot prove would like the rescuer's reward: it names the rescuer its worker.
    function test_front_run__operator_cannot_adopt_its_rescuer() public {
        JobId jobId = challengedJob();
        uint256 rescuer = worth(RESCUER);

        vm.prank(OWNER);
        vault.proposeWorker(RESCUER);
        proveAs(RESCUER, jobId);

        assertEq(worth(RESCUER), rescuer + BOND * 80 / 100, "the rescuer has its reward");
        assertEq(vault.operatorOf(RESCUER), address(0), "and serves nobody");
    }

    /// @dev A cheat's accomplice challenges first, to take the reward back.
    function test_front_run__accomplice_comes_first_and_halves_the_reward_only() public {
        JobId jobId = committedJob();
        uint256 cheats = worth(OWNER) + worth(ACCOMPLICE);
        uint256 watcher = worth(CHALLENGER);

        challengeAs(ACCOMPLICE, jobId);
        challenge(jobId);
        defaultJob(jobId);
        distribute(jobId);

        uint256 share = LOCK * 35 / 100 / 2;
        assertEq(worth(CHALLENGER), watcher + share, "the watcher has half the reward and its bond");
        assertEq(worth(OWNER) + worth(ACCOMPLICE), cheats - LOCK + share, "the cheats lose the rest of the lock");
    }

    /// @dev Accomplices take every place in the first block; the client still has its own.
    function test_front_run__accomplices_fill_all_places() public {
        JobId jobId = committedJob();
        uint256 client = worth(CLIENT);
        uint256 owner = worth(OWNER);
        for (uint256 i = 0; i < 8; ++i) {
            address sybil = vm.addr(100 + i);
            vm.deal(sybil, BOND);
            challengeAs(sybil, jobId);
        }
        vm.prank(CHALLENGER);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoRoomToJoin.selector, jobId, 8));
        game.challenge{value: BOND}(jobId, OUT_DIGEST);
        challengeAs(CLIENT, jobId);
        defaultJob(jobId);
        distribute(jobId);

        uint256 reward = LOCK * 35 / 100;
        assertEq(worth(CLIENT), client + FEE + LOCK * 40 / 100 + reward / 9, "the client has its share");
        uint256 sybils = 0;
        for (uint256 i = 0; i < 8; ++i) {
            sybils += worth(vm.addr(100 + i)) - BOND;
        }
        assertLe(sybils, reward * 8 / 9, "the accomplices' part");
        assertLe(worth(OWNER) + sybils, owner - LOCK * 65 / 100, "the cheats lose 65 % of the lock");
    }

    /// @dev Somebody copies a reporter's evidence from the pool.
    function test_front_run__copied_evidence_comes_a_block_late() public {
        JobId jobId = committedJob();
        (SignedResult memory first, SignedResult memory second) = equivocation(jobId);
        vm.prank(CHALLENGER);
        game.announceEvidence(commitment(CHALLENGER, jobId, first, second));
        vm.roll(block.number + 1);

        // The thief sees the evidence itself only now; what it announces counts from the next block.
        vm.prank(STRANGER);
        game.announceEvidence(commitment(STRANGER, jobId, first, second));
        bytes32 late = commitment(STRANGER, jobId, first, second);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotAnnounced.selector, late));
        game.proveEquivocation(jobId, first, second, 0);
        uint256 reporter = worth(CHALLENGER);
        vm.prank(CHALLENGER);
        game.proveEquivocation(jobId, first, second, 0);
        distribute(jobId);

        assertEq(worth(CHALLENGER), reporter + LOCK * 35 / 100, "the reporter has the reward");
    }

    /// @dev A cheat that is about to default reports itself, to take the reward from those who challenged.
    function test_front_run__cheat_reports_itself_and_loses_more() public {
        JobId jobId = challengedJob();
        (SignedResult memory first, SignedResult memory second) = equivocation(jobId);
        vm.prank(ACCOMPLICE);
        game.announceEvidence(commitment(ACCOMPLICE, jobId, first, second));
        vm.roll(block.number + 1);
        uint256 watcher = worth(CHALLENGER);
        uint256 cheats = worth(OWNER) + worth(ACCOMPLICE);
        uint256 free = accountOf(OWNER).free;

        vm.prank(ACCOMPLICE);
        game.proveEquivocation(jobId, first, second, 0);
        distribute(jobId);

        uint256 share = LOCK * 35 / 100 / 2;
        assertEq(worth(CHALLENGER), watcher + BOND + share, "the watcher has its bond and half the reward");
        assertEq(worth(OWNER) + worth(ACCOMPLICE), cheats - LOCK + share - free / 10, "the cheats lose more");
    }

    /// @dev A bot finalises every job in its first second to take tips from operators.
    function test_front_run__no_tip_before_the_delay() public {
        JobId jobId = committedJob();
        uint256 bot = worth(STRANGER);
        uint256 owner = worth(OWNER);
        warpPastJob(jobId);
        vm.prank(STRANGER);
        market.finalise(jobId);

        assertEq(worth(STRANGER), bot, "the bot has nothing");
        assertEq(worth(OWNER), owner + FEE - PROTOCOL_FEE, "the operator has its fee");
    }

    /* GRIEFING */

    /// @dev Somebody challenges every job of an honest operator.
    function test_griefing__challenges_pay_their_target() public {
        uint256 count = 5;
        JobId[] memory list = new JobId[](count);
        uint256 griefer = worth(STRANGER);
        uint256 owner = worth(OWNER);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = committedJob();
        }
        for (uint256 i = 0; i < count; ++i) {
            challengeAs(STRANGER, list[i]);
        }
        // Each later proof has more time: they are made one after another.
        for (uint256 i = 0; i < count; ++i) {
            uint256 seconds_ = game.getDispute(list[i]).proveBy - block.timestamp;
            assertEq(seconds_, 30 + PROVE_SECONDS * (i + 1), "time to prove");
            proveAs(WORKER, list[i]);
        }

        assertEq(worth(STRANGER), griefer - count * BOND, "the griefer loses its bonds");
        uint256 earned = count * (FEE - PROTOCOL_FEE + BOND * 80 / 100);
        assertEq(worth(OWNER), owner + earned, "the operator earns them");
        // The bond pays for the proof at three times today's price of gas.
        assertLe(PROOF_GAS * 3 gwei, BOND * 80 / 100, "the reward covers the gas");
    }

    /// @dev A client asks for every output on chain.
    function test_griefing__deliveries_are_paid_for() public {
        JobId jobId = committedJob();
        uint256 payment = market.computeDeliveryPayment(jobId);
        uint256 client = worth(CLIENT);
        vm.prank(CLIENT);
        market.requestDelivery{value: payment}(jobId);

        // 64 bytes at 40 gas each (EIP-7623), the event, and the rest of the transaction.
        assertLe(60_000 * 1 gwei, payment, "more than the delivery's gas");
        assertEq(worth(CLIENT), client - payment, "the client pays");
    }

    /// @dev An operator takes jobs to keep them from others, and vanishes.
    function test_griefing__vanishing_costs_fees_and_leads_to_jail() public {
        uint256 owner = worth(OWNER);
        for (uint256 i = 0; i < 3; ++i) {
            JobId jobId = acceptedJob();
            warpPastJob(jobId);
            vm.prank(CLIENT);
            market.failJob(jobId);
        }

        assertEq(worth(OWNER), owner - 3 * FEE, "a fee each");
        bytes memory call = abi.encodeCall(IJobMarket.acceptJob, (createJob()));
        assertRefused(WORKER, address(market), call, IStakeVault.OperatorJailed.selector);
    }

    /// @dev A receiver that refuses ETH only keeps itself from being paid.
    function test_griefing__refusing_owner_blocks_nobody() public {
        RefusingOwner refusing = new RefusingOwner(address(vault));
        vm.deal(address(refusing), FEE);
        JobParams memory params = jobParams(FEE);
        JobId jobId = createJobAs(address(refusing), params);
        uint256 owner = worth(OWNER);
        accept(jobId);
        commit(jobId);
        warpPastJob(jobId);
        market.finalise(jobId);

        assertEq(worth(OWNER), owner + FEE - PROTOCOL_FEE, "the operator is paid");
    }

    /// @dev ETH forced into the vault belongs to nobody and disturbs nothing.
    function test_griefing__forced_ether_changes_no_account() public {
        JobId jobId = committedJob();
        vm.deal(address(vault), address(vault).balance + 1 ether);
        uint256 owner = worth(OWNER);
        warpPastJob(jobId);
        market.finalise(jobId);
        vm.prank(OWNER);
        vault.withdrawCredit(ETH);

        assertEq(worth(OWNER), owner + FEE - PROTOCOL_FEE, "paid as ever");
        assertEq(address(vault).balance, sumLedger(ETH) + 1 ether, "what was forced in stays");
    }

    /* STALE STATE */

    /// @dev A watcher saw one result; a reorganisation put another in its place.
    function test_stale__challenge_names_the_result_it_is_about() public {
        JobId jobId = committedJob();
        uint256 watcher = worth(CHALLENGER);
        bytes32 seen = keccak256("the result before the reorganisation");
        vm.prank(CHALLENGER);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, seen));
        game.challenge{value: BOND}(jobId, seen);

        assertEq(worth(CHALLENGER), watcher, "no bond is lost");
        // To join somebody's dispute takes the same care.
        challengeAs(ACCOMPLICE, jobId);
        vm.prank(CHALLENGER);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, seen));
        game.challenge{value: BOND}(jobId, seen);
    }

    /// @dev A worker accepted one job; no reorganisation can put another under its id.
    function test_stale__an_id_is_its_terms() public {
        JobParams memory params = jobParams(FEE);
        JobId jobId = createJobAs(CLIENT, params);
        params.fee = FEE + 1;
        JobId dearer = createJobAs(CLIENT, params);
        params.fee = FEE;
        JobId foreign = createJobAs(STRANGER, params);

        assertTrue(JobId.unwrap(jobId) != JobId.unwrap(dearer), "another fee");
        assertTrue(JobId.unwrap(jobId) != JobId.unwrap(foreign), "another client");
        vm.prank(CLIENT);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobExists.selector, jobId));
        market.createJob{value: FEE}(params);
    }

    /// @dev A proof made for a challenge that a reorganisation replaced is for another seed.
    function test_stale__proof_of_a_replaced_challenge_is_refused() public {
        JobId jobId = committedJob();
        uint256 before = vm.snapshotState();
        vm.prevrandao("one block");
        challenge(jobId);
        Statement memory statement = game.getStatement(jobId, termsOf(jobId), WORKER);
        vm.revertToState(before);

        vm.prevrandao("another block");
        challenge(jobId);
        verifier.expectStatement(statement);
        bytes memory call = abi.encodeCall(IDisputeGame.prove, (jobId, termsOf(jobId), "input", "output", "proof"));
        assertRefused(WORKER, address(game), call, MockVerifier.UnexpectedStatement.selector);
        assertState(jobId, JobState.DISPUTED);
    }

    /// @dev An operator moves its stake out of a coming slash.
    function test_stale__unbonding_stake_still_answers() public {
        JobId jobId = committedJob();
        (SignedResult memory first, SignedResult memory second) = equivocation(jobId);
        uint96 free = uint96(accountOf(OWNER).free);
        vm.prank(OWNER);
        vault.requestUnbond(ETH, free);
        vm.prank(CHALLENGER);
        game.announceEvidence(commitment(CHALLENGER, jobId, first, second));
        vm.roll(block.number + 1);
        vm.prank(CHALLENGER);
        game.proveEquivocation(jobId, first, second, 0);

        assertEq(accountOf(OWNER).unbonding, free - free / 10, "a tenth is burned");
        assertEq(accountOf(OWNER).locked, 0, "and the lock is gone");
    }

    /* EVIDENCE */

    function equivocation(JobId jobId) private view returns (SignedResult memory first, SignedResult memory second) {
        first = SignedResult("one", signResult(jobId, "one"));
        second = SignedResult("two", signResult(jobId, "two"));
    }

    function signResult(JobId jobId, bytes32 outDigest) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(3, game.hashResult(jobId, outDigest));
        return abi.encodePacked(r, s, v);
    }

    function commitment(address reporter, JobId jobId, SignedResult memory first, SignedResult memory second)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(reporter, jobId, first, second, bytes32(0)));
    }
}
