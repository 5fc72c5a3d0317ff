// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {Dispute, DisputeState} from "../../contracts/types/Dispute.sol";
import {DisputeId, JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {Account, LockStatus} from "../../contracts/types/Stake.sol";
import {Statement} from "../../contracts/types/Statement.sol";
import {Deployment} from "./Deployment.sol";

contract DisputeGameTest is Deployment {
    uint256 private constant BOND = 3_607_500 gwei; // 1.5 * (5 s * 1000 gwei + 3 * 800000 * 1 gwei)
    uint256 private constant LOCK = 0.07 ether;
    bytes32 private constant RANDOM = keccak256("randao");

    function setUp() public override {
        super.setUp();
        vm.prevrandao(RANDOM);
    }

    /* CHALLENGE */

    function checkChallengeRefused(JobId jobId, bytes32 digest, uint256 value, bytes memory expected) private {
        uint256 held = address(vault).balance;
        vm.expectRevert(expected);
        vm.prank(CHALLENGER);
        game.challenge{value: value}(jobId, digest);
        assertEq(game.disputeCount(), 0, "no dispute");
        assertEq(address(vault).balance, held, "no money moved");
    }

    function test_challenge__unknown_job__reverts() public {
        checkChallengeRefused(
            JobId.wrap(9), OUT_DIGEST, BOND, abi.encodeWithSelector(IJobMarket.UnknownJob.selector, JobId.wrap(9))
        );
    }

    function test_challenge__before_the_commit__reverts() public {
        JobId jobId = acceptedJob();
        checkChallengeRefused(
            jobId,
            0,
            BOND,
            abi.encodeWithSelector(IJobMarket.WrongJobState.selector, jobId, JobState.ASSIGNED, JobState.COMMITTED)
        );
    }

    function test_challenge__one_second_late__reverts() public {
        JobId jobId = committedJob();
        vm.warp(START + 16);
        checkChallengeRefused(
            jobId,
            OUT_DIGEST,
            BOND,
            abi.encodeWithSelector(IJobMarket.DeadlinePassed.selector, jobId, START + 15, START + 16)
        );
    }

    function test_challenge__unexpected_result__reverts() public {
        JobId jobId = committedJob();
        bytes32 other = keccak256("another result");
        checkChallengeRefused(
            jobId, other, BOND, abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, other)
        );
    }

    function test_challenge__bond_one_wei_short__reverts() public {
        JobId jobId = committedJob();
        checkChallengeRefused(
            jobId,
            OUT_DIGEST,
            BOND - 1,
            abi.encodeWithSelector(IDisputeGame.BondTooSmall.selector, jobId, BOND - 1, BOND)
        );
    }

    function test_challenge__second_one_on_the_same_job__reverts() public {
        (JobId jobId,) = challengedJob();
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.WrongJobState.selector, jobId, JobState.DISPUTED, JobState.COMMITTED)
        );
        vm.prank(STRANGER);
        game.challenge{value: BOND}(jobId, OUT_DIGEST);
    }

    function test_challenge__on_the_last_second__opens_a_dispute() public {
        JobId jobId = committedJob();
        vm.warp(START + 15);
        bytes32 seed = keccak256(abi.encode(RANDOM, uint256(1), CHALLENGER));
        vm.expectEmit(address(game));
        emit IDisputeGame.ResultChallenged(DisputeId.wrap(1), jobId, CHALLENGER, OWNER, BOND, START + 15 + 35, seed);
        DisputeId disputeId = challenge(jobId);
        Dispute memory d = game.getDispute(disputeId);
        assertEq(d.challenger, CHALLENGER, "challenger");
        assertEq(d.bond, BOND, "bond");
        assertEq(d.operator, OWNER, "operator");
        assertEq(d.proveBy, START + 50, "prove by");
        assertEq(uint256(d.state), uint256(DisputeState.OPEN), "state");
        assertEq(JobId.unwrap(d.jobId), JobId.unwrap(jobId), "job");
        assertEq(d.challengeSeed, seed, "seed");
        assertEq(DisputeId.unwrap(game.disputeOf(jobId)), 1, "dispute of job");
        assertEq(game.openChallenges(OWNER), 1, "open challenges");
        assertEq(vault.bondOf(ETH, disputeId), BOND, "bond held");
        assertState(jobId, JobState.DISPUTED);
        assertConserved();
    }

    function test_challenge__more_than_the_bond__credits_the_excess() public {
        JobId jobId = committedJob();
        vm.prank(CHALLENGER);
        DisputeId disputeId = game.challenge{value: BOND + 5}(jobId, OUT_DIGEST);
        assertEq(vault.bondOf(ETH, disputeId), BOND, "bond");
        assertEq(accountOf(CHALLENGER).credit, 5, "excess");
        assertConserved();
    }

    function test_challenge__anybody_may_be_the_challenger() public {
        address[4] memory challengers = [CLIENT, OWNER, WORKER, STRANGER];
        for (uint256 i = 0; i < challengers.length; ++i) {
            JobId jobId = committedJob();
            vm.prank(challengers[i]);
            game.challenge{value: BOND}(jobId, OUT_DIGEST);
            assertState(jobId, JobState.DISPUTED);
        }
    }

    function test_requiredBond__follows_the_base_fee_above_the_floor() public {
        JobId jobId = committedJob();
        assertEq(game.requiredBond(jobId), BOND, "floor price");
        vm.fee(10 gwei);
        assertEq(game.requiredBond(jobId), 36_007_500 gwei, "1.5 * (5000 gwei + 3 * 800000 * 10 gwei)");
    }

    function test_challenge__deadline_grows_with_the_operators_open_challenges() public {
        JobId[9] memory jobs;
        for (uint256 i = 0; i < jobs.length; ++i) {
            jobs[i] = committedJob();
        }
        for (uint256 i = 0; i < jobs.length; ++i) {
            uint256 expected = 30 + 5 * (i + 1);
            DisputeId disputeId = challenge(jobs[i]);
            assertEq(game.getDispute(disputeId).proveBy, START + (expected < 60 ? expected : 60), "prove by");
        }
        assertEq(game.openChallenges(OWNER), 9, "open");
        proveAs(WORKER, DisputeId.wrap(1));
        assertEq(game.openChallenges(OWNER), 8, "one less after a proof");
        vm.warp(START + 61);
        game.claimDefault(DisputeId.wrap(2));
        assertEq(game.openChallenges(OWNER), 7, "one less after a default");
    }

    /* PROVE */

    function test_prove__unknown_dispute__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, DisputeId.wrap(4)));
        proveAs(WORKER, DisputeId.wrap(4));
    }

    function test_prove__one_second_late__reverts() public {
        (, DisputeId disputeId) = challengedJob();
        vm.warp(START + 36);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.ProofTooLate.selector, disputeId, START + 35, START + 36));
        proveAs(WORKER, disputeId);
    }

    function test_prove__resolved_dispute__reverts() public {
        (, DisputeId disputeId) = challengedJob();
        proveAs(WORKER, disputeId);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeGame.DisputeResolved.selector, disputeId, DisputeState.DEFENDER_PROVEN)
        );
        proveAs(WORKER, disputeId);
    }

    function test_prove__defaulted_dispute__reverts() public {
        (, DisputeId disputeId) = challengedJob();
        vm.warp(START + 36);
        game.claimDefault(disputeId);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.DisputeResolved.selector, disputeId, DisputeState.DEFAULT));
        proveAs(WORKER, disputeId);
    }

    function test_prove__refused_proof__changes_nothing() public {
        (JobId jobId, DisputeId disputeId) = challengedJob();
        bytes32 before = snapshot(jobId, disputeId);
        verifier.setMode(MockVerifier.Mode.REJECT);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        proveAs(WORKER, disputeId);
        assertEq(snapshot(jobId, disputeId), before, "nothing changed");
        // Neither does the failure forfeit the second try.
        verifier.setMode(MockVerifier.Mode.ACCEPT);
        proveAs(WORKER, disputeId);
        assertState(jobId, JobState.PROVEN);
    }

    function test_prove__verifier_out_of_gas__changes_nothing() public {
        (JobId jobId, DisputeId disputeId) = challengedJob();
        bytes32 before = snapshot(jobId, disputeId);
        verifier.setMode(MockVerifier.Mode.BURN_GAS);
        bytes memory call = abi.encodeCall(IDisputeGame.prove, (disputeId, "input", "output", "proof"));
        uint256[4] memory gasLimits = [uint256(30_000_000), 3_000_000, 300_000, 60_000];
        for (uint256 i = 0; i < gasLimits.length; ++i) {
            vm.prank(WORKER);
            (bool success,) = address(game).call{gas: gasLimits[i]}(call);
            assertTrue(!success, "refused");
            assertEq(snapshot(jobId, disputeId), before, "nothing changed");
        }
    }

    /// @notice Whatever the gas, an honest proof either resolves everything or nothing (I30).
    function testFuzz_prove__any_gas__resolves_all_or_nothing(uint256 gasLimit) public {
        (JobId jobId, DisputeId disputeId) = challengedJob();
        bytes32 before = snapshot(jobId, disputeId);
        bytes memory call = abi.encodeCall(IDisputeGame.prove, (disputeId, "input", "output", "proof"));
        vm.prank(WORKER);
        (bool success,) = address(game).call{gas: bound(gasLimit, 21_000, 400_000)}(call);
        if (success) {
            assertState(jobId, JobState.PROVEN);
            assertEq(vault.bondOf(ETH, disputeId), 0, "bond settled");
            assertEq(accountOf(OWNER).locked, 0, "lock settled");
        } else {
            assertEq(snapshot(jobId, disputeId), before, "nothing changed");
        }
        assertConserved();
    }

    function test_prove__statement_comes_from_storage() public {
        (JobId jobId, DisputeId disputeId) = challengedJob();
        Statement memory expected = Statement({
            format: 1,
            chainId: block.chainid,
            verifier: address(verifier),
            market: address(market),
            jobId: JobId.unwrap(jobId),
            shard: 0,
            challengeSeed: keccak256(abi.encode(RANDOM, DisputeId.unwrap(disputeId), CHALLENGER)),
            prover: WORKER,
            modelVersion: version,
            programHash: verifier.PROGRAM_HASH(),
            srsId: verifier.SRS_ID(),
            mode: 1,
            opRange: 3,
            inDigest: IN_DIGEST,
            outDigest: OUT_DIGEST
        });
        verifier.expectStatement(expected);
        assertEq(
            keccak256(abi.encode(game.getStatement(disputeId, WORKER))), keccak256(abi.encode(expected)), "statement"
        );
        // The same proof sent by another is a proof of another statement.
        expected.prover = STRANGER;
        vm.expectRevert(
            abi.encodeWithSelector(
                MockVerifier.UnexpectedStatement.selector, keccak256(abi.encode(expected)), verifier.expectedStatement()
            )
        );
        proveAs(STRANGER, disputeId);
        proveAs(WORKER, disputeId);
        assertState(jobId, JobState.PROVEN);
    }

    function test_prove__on_the_last_second__pays_operator_and_splits_the_bond() public {
        (JobId jobId, DisputeId disputeId) = challengedJob();
        vm.warp(START + 35);
        vm.expectEmit(address(game));
        emit IDisputeGame.ResultProven(disputeId, jobId, WORKER, OWNER);
        vm.expectEmit(address(market));
        emit IJobMarket.JobProven(jobId, OWNER);
        proveAs(WORKER, disputeId);
        assertState(jobId, JobState.PROVEN);
        assertEq(uint256(game.getDispute(disputeId).state), uint256(DisputeState.DEFENDER_PROVEN), "dispute");
        assertEq(accountOf(OWNER).credit, FEE + BOND * 80 / 100, "fee and 80 % of the bond, at once");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertEq(vault.burned(ETH), BOND - BOND * 80 / 100, "burned");
        assertEq(sumAccount(CHALLENGER), 0, "challenger");
        assertEq(vault.bondOf(ETH, disputeId), 0, "bond");
        assertEq(uint256(vault.getLock(ETH, jobId).status), uint256(LockStatus.RELEASED), "lock");
        assertConserved();
    }

    function test_prove__by_the_owner_itself__pays_the_owner() public {
        (, DisputeId disputeId) = challengedJob();
        proveAs(OWNER, disputeId);
        assertEq(accountOf(OWNER).credit, FEE + BOND * 80 / 100, "fee and bond");
    }

    function test_prove__rescuer__earns_the_bond_but_not_the_fee() public {
        (JobId jobId, DisputeId disputeId) = challengedJob();
        vm.expectEmit(address(game));
        emit IDisputeGame.ResultProven(disputeId, jobId, STRANGER, STRANGER);
        proveAs(STRANGER, disputeId);
        assertEq(accountOf(STRANGER).credit, BOND * 80 / 100, "rescuer");
        assertEq(accountOf(OWNER).credit, FEE, "operator");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertState(jobId, JobState.PROVEN);
        assertConserved();
    }

    function test_prove__challenger_of_itself__still_pays_the_burn() public {
        JobId jobId = committedJob();
        vm.prank(OWNER);
        DisputeId disputeId = game.challenge{value: BOND}(jobId, OUT_DIGEST);
        proveAs(OWNER, disputeId);
        assertEq(accountOf(OWNER).credit, FEE + BOND * 80 / 100, "the rest is burned");
    }

    /* DEFAULT */

    function test_claimDefault__unknown_dispute__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, DisputeId.wrap(4)));
        game.claimDefault(DisputeId.wrap(4));
    }

    function test_claimDefault__on_the_last_second__reverts() public {
        (, DisputeId disputeId) = challengedJob();
        vm.warp(START + 35);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.ProofStillDue.selector, disputeId, START + 35, START + 35));
        game.claimDefault(disputeId);
    }

    function test_claimDefault__after_a_proof__reverts() public {
        (, DisputeId disputeId) = challengedJob();
        proveAs(WORKER, disputeId);
        vm.warp(START + 1000);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeGame.DisputeResolved.selector, disputeId, DisputeState.DEFENDER_PROVEN)
        );
        game.claimDefault(disputeId);
    }

    function test_claimDefault__twice__reverts() public {
        (, DisputeId disputeId) = challengedJob();
        vm.warp(START + 36);
        game.claimDefault(disputeId);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.DisputeResolved.selector, disputeId, DisputeState.DEFAULT));
        game.claimDefault(disputeId);
    }

    function test_claimDefault__slashes_refunds_and_rewards() public {
        (JobId jobId, DisputeId disputeId) = challengedJob();
        vm.warp(START + 36);
        vm.expectEmit(address(game));
        emit IDisputeGame.DefaultClaimed(disputeId, jobId, CHALLENGER);
        vm.expectEmit(address(market));
        emit IJobMarket.JobRejected(jobId, OWNER, CHALLENGER);
        vm.prank(STRANGER);
        game.claimDefault(disputeId);
        assertState(jobId, JobState.REJECTED);
        assertEq(uint256(game.getDispute(disputeId).state), uint256(DisputeState.DEFAULT), "dispute");
        assertEq(accountOf(CLIENT).credit, FEE, "client's refund");
        assertEq(accountOf(CLIENT).held, LOCK * 40 / 100, "client's share");
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond back");
        assertEq(accountOf(CHALLENGER).held, LOCK * 35 / 100, "challenger's share");
        assertEq(vault.burned(ETH), LOCK * 25 / 100, "burned");
        assertEq(sumAccount(OWNER), STAKE - LOCK, "operator");
        assertEq(uint256(vault.getLock(ETH, jobId).status), uint256(LockStatus.SLASHED), "lock");
        assertConserved();
    }

    function test_claimDefault__proceeds_wait_for_the_airgap() public {
        (, DisputeId disputeId) = challengedJob();
        vm.warp(START + 36);
        game.claimDefault(disputeId);
        uint256 before = CHALLENGER.balance;
        vm.prank(CHALLENGER);
        vault.withdrawCredit(ETH);
        assertEq(CHALLENGER.balance - before, BOND, "bond at once");
        vm.warp(START + 46);
        vm.prank(CHALLENGER);
        vault.withdrawCredit(ETH);
        assertEq(CHALLENGER.balance - before, BOND + LOCK * 35 / 100, "share after the airgap");
    }

    /* READS */

    function test_reads__unknown_dispute__revert() public {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, DisputeId.wrap(4)));
        game.getDispute(DisputeId.wrap(4));
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, DisputeId.wrap(4)));
        game.getStatement(DisputeId.wrap(4), WORKER);
    }

    /// @notice Hash of everything that a verdict could touch.
    function snapshot(JobId jobId, DisputeId disputeId) private view returns (bytes32) {
        Account[5] memory accounts;
        for (uint256 key = 1; key <= 5; ++key) {
            accounts[key - 1] = accountOf(vm.addr(key));
        }
        return keccak256(
            abi.encode(
                market.getJob(jobId),
                game.getDispute(disputeId),
                game.openChallenges(OWNER),
                vault.getLock(ETH, jobId),
                vault.escrowOf(ETH, jobId),
                vault.bondOf(ETH, disputeId),
                vault.burned(ETH),
                address(vault).balance,
                accounts
            )
        );
    }
}
