// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {Dispute, DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState, JobTerms} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {Statement} from "../../contracts/types/Statement.sol";
import {JobSteps} from "./JobSteps.sol";

contract DisputeGameTest is JobSteps {
    JobId private constant UNKNOWN = JobId.wrap(bytes32(uint256(9)));
    bytes32 private constant RANDOM = keccak256("randao");

    function setUp() public override {
        super.setUp();
        vm.prevrandao(RANDOM);
    }

    /* CHALLENGE */

    function checkChallengeRefused(JobId jobId, bytes32 digest, uint256 value, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IDisputeGame.challenge, (jobId, digest));
        checkRefused(jobId, CHALLENGER, address(game), value, call, expected);
    }

    function test_challenge__unknown_job__reverts() public {
        bytes memory unknown = abi.encodeWithSelector(IJobMarket.UnknownJob.selector, UNKNOWN);
        checkChallengeRefused(UNKNOWN, OUT_DIGEST, BOND, unknown);
    }

    function test_challenge__before_the_commit_or_after_the_end__reverts() public {
        JobId jobId = acceptedJob();
        checkChallengeRefused(jobId, 0, BOND, wrongState(jobId, JobState.COMMITTED));
        JobId proven = challengedJob();
        JobId defaulted = challengedJob();
        proveAs(WORKER, proven);
        defaultJob(defaulted);
        checkChallengeRefused(proven, OUT_DIGEST, BOND, wrongState(proven, JobState.COMMITTED));
        checkChallengeRefused(defaulted, OUT_DIGEST, BOND, wrongState(defaulted, JobState.COMMITTED));
    }

    function test_challenge__one_second_late__reverts() public {
        JobId jobId = committedJob();
        vm.warp(START + 16);
        checkChallengeRefused(jobId, OUT_DIGEST, BOND, tooLate(jobId));
    }

    function test_challenge__unexpected_result__reverts() public {
        JobId jobId = committedJob();
        bytes32 other = keccak256("another result");
        bytes memory expected = abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, other);
        checkChallengeRefused(jobId, other, BOND, expected);
    }

    function test_challenge__bond_one_wei_short__reverts() public {
        JobId jobId = committedJob();
        bytes memory expected = abi.encodeWithSelector(IDisputeGame.BondTooSmall.selector, jobId, BOND - 1, BOND);
        checkChallengeRefused(jobId, OUT_DIGEST, BOND - 1, expected);
    }

    function test_challenge__on_the_last_second__opens_a_dispute() public {
        JobId jobId = committedJob();
        vm.warp(START + 15);
        bytes32 seed = keccak256(abi.encode(RANDOM, jobId, CHALLENGER));
        vm.expectEmit(address(market));
        emit IJobMarket.JobDisputed(jobId);
        vm.expectEmit(address(game));
        emit IDisputeGame.ResultChallenged(jobId, CHALLENGER, OWNER, BOND, START + 15 + PROVE, seed);
        vm.expectEmit(address(vault));
        emit IStakeVault.BondAdded(jobId, CHALLENGER, BOND);
        challenge(jobId);
        Dispute memory expected = Dispute({
            challenger: CHALLENGER,
            bond: uint96(BOND),
            operator: OWNER,
            proveBy: uint40(START + 15 + PROVE),
            state: DisputeState.OPEN,
            openedAtBlock: uint48(block.number),
            challengeSeed: seed
        });
        assertEq(keccak256(abi.encode(game.getDispute(jobId))), keccak256(abi.encode(expected)), "dispute");
        assertEq(game.openChallenges(OWNER), 1, "open challenges");
        assertEq(vault.bondsOf(jobId), BOND, "bond held");
        assertEq(market.getJob(jobId).deadline, START + 15, "the window stays (I25)");
        assertState(jobId, JobState.DISPUTED);
        assertConserved();
    }

    function test_challenge__more_than_the_bond__credits_the_excess() public {
        JobId jobId = committedJob();
        vm.prank(CHALLENGER);
        game.challenge{value: BOND + 5}(jobId, OUT_DIGEST);
        assertEq(vault.bondsOf(jobId), BOND, "bond");
        assertEq(accountOf(CHALLENGER).credit, 5, "excess");
        assertConserved();
    }

    function test_challenge__anybody_may_be_the_challenger() public {
        address[4] memory challengers = [CLIENT, OWNER, WORKER, STRANGER];
        for (uint256 i = 0; i < challengers.length; ++i) {
            JobId jobId = committedJob();
            challengeAs(challengers[i], jobId);
            assertState(jobId, JobState.DISPUTED);
        }
    }

    function test_requiredBond__follows_the_base_fee_above_the_floor() public {
        JobId jobId = committedJob();
        assertEq(game.requiredBond(jobId), BOND, "floor price");
        vm.fee(10 gwei);
        assertEq(game.requiredBond(jobId), 36_007_500 gwei, "1.5 * (5000 gwei + 3 * 800000 * 10 gwei)");
        vm.fee(0);
        challenge(jobId);
        vm.fee(10 gwei);
        assertEq(game.requiredBond(jobId), BOND, "the first one's, once disputed");
    }

    function test_challenge__deadline_grows_with_the_operators_open_challenges() public {
        JobId[9] memory jobIds;
        for (uint256 i = 0; i < jobIds.length; ++i) {
            jobIds[i] = committedJob();
        }
        for (uint256 i = 0; i < jobIds.length; ++i) {
            uint256 expected = 30 + 5 * (i + 1);
            challenge(jobIds[i]);
            assertEq(game.getDispute(jobIds[i]).proveBy, START + (expected < 60 ? expected : 60), "prove by");
        }
        assertEq(game.openChallenges(OWNER), 9, "open");
        proveAs(WORKER, jobIds[0]);
        assertEq(game.openChallenges(OWNER), 8, "one less after a proof");
        vm.warp(START + 61);
        game.claimDefault(jobIds[1]);
        assertEq(game.openChallenges(OWNER), 7, "one less after a default");
    }

    /* PROVE */

    function checkProveRefused(JobId jobId, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IDisputeGame.prove, (jobId, termsOf(jobId), "input", "output", "proof"));
        checkRefused(jobId, WORKER, address(game), 0, call, expected);
    }

    function wrongDispute(JobId jobId, DisputeState required) private view returns (bytes memory) {
        DisputeState state = game.getDispute(jobId).state;
        return abi.encodeWithSelector(IDisputeGame.WrongDisputeState.selector, jobId, state, required);
    }

    function test_prove__job_without_dispute__reverts() public {
        JobId jobId = committedJob();
        checkProveRefused(jobId, abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, jobId));
    }

    function test_prove__one_second_late__reverts() public {
        JobId jobId = challengedJob();
        vm.warp(START + 36);
        checkProveRefused(
            jobId, abi.encodeWithSelector(IDisputeGame.ProofTooLate.selector, jobId, START + 35, START + 36)
        );
    }

    function test_prove__resolved_dispute__reverts() public {
        JobId proven = challengedJob();
        JobId defaulted = challengedJob();
        proveAs(WORKER, proven);
        defaultJob(defaulted);
        checkProveRefused(proven, wrongDispute(proven, DisputeState.OPEN));
        checkProveRefused(defaulted, wrongDispute(defaulted, DisputeState.OPEN));
    }

    function test_prove__terms_of_another_job__revert() public {
        JobId jobId = challengedJob();
        JobTerms memory terms = termsOf(jobId);
        terms.inDigest = keccak256("another input");
        bytes memory call = abi.encodeCall(IDisputeGame.prove, (jobId, terms, "input", "output", "proof"));
        bytes memory expected =
            abi.encodeWithSelector(IDisputeGame.WrongTerms.selector, jobId, market.computeJobId(terms));
        checkRefused(jobId, WORKER, address(game), 0, call, expected);
        vm.expectRevert(expected);
        game.getStatement(jobId, terms, WORKER);
    }

    function test_prove__refused_proof__changes_nothing() public {
        JobId jobId = challengedJob();
        verifier.setMode(MockVerifier.Mode.REJECT);
        checkProveRefused(jobId, abi.encodeWithSelector(IProofVerifier.PairingFailed.selector));
        // Neither does the failure forfeit the second try.
        verifier.setMode(MockVerifier.Mode.ACCEPT);
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
    }

    function test_prove__data_contract_made_again_with_another_key__changes_nothing() public {
        JobId jobId = challengedJob();
        bytes32 registered = verifier.keyHash();
        bytes32 other = keccak256("other weights");
        verifier.setKeyHash(other);
        checkProveRefused(jobId, abi.encodeWithSelector(IDisputeGame.WrongKey.selector, jobId, other, registered));
        verifier.setKeyHash(registered);
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
    }

    function test_prove__verifier_out_of_gas__changes_nothing() public {
        JobId jobId = challengedJob();
        bytes32 before = snapshot(jobId);
        verifier.setMode(MockVerifier.Mode.BURN_GAS);
        bytes memory call = abi.encodeCall(IDisputeGame.prove, (jobId, termsOf(jobId), "input", "output", "proof"));
        uint256[4] memory gasLimits = [uint256(30_000_000), 3_000_000, 300_000, 60_000];
        for (uint256 i = 0; i < gasLimits.length; ++i) {
            vm.prank(WORKER);
            (bool success,) = address(game).call{gas: gasLimits[i]}(call);
            assertTrue(!success, "refused");
            assertEq(snapshot(jobId), before, "nothing changed");
        }
    }

    /// @notice Whatever the gas, an honest proof either resolves everything or nothing (I30).
    function testFuzz_prove__any_gas__resolves_all_or_nothing(uint256 gasLimit) public {
        JobId jobId = challengedJob();
        bytes32 before = snapshot(jobId);
        bytes memory call = abi.encodeCall(IDisputeGame.prove, (jobId, termsOf(jobId), "input", "output", "proof"));
        vm.prank(WORKER);
        (bool success,) = address(game).call{gas: bound(gasLimit, 21_000, 500_000)}(call);
        if (success) {
            assertState(jobId, JobState.PROVEN);
            assertSettled(jobId);
        } else {
            assertEq(snapshot(jobId), before, "nothing changed");
        }
    }

    function test_prove__statement_comes_from_storage_and_the_jobs_terms() public {
        JobId jobId = challengedJob();
        JobTerms memory terms = termsOf(jobId);
        Statement memory expected = Statement({
            format: 2,
            chainId: block.chainid,
            verifier: address(verifier),
            market: address(market),
            jobId: uint256(JobId.unwrap(jobId)),
            shard: 0,
            challengeSeed: keccak256(abi.encode(RANDOM, jobId, CHALLENGER)),
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
        Statement memory got = game.getStatement(jobId, terms, WORKER);
        assertEq(keccak256(abi.encode(got)), keccak256(abi.encode(expected)), "statement");
        // The same proof sent by another is a proof of another statement.
        expected.prover = STRANGER;
        vm.expectRevert(
            abi.encodeWithSelector(
                MockVerifier.UnexpectedStatement.selector, keccak256(abi.encode(expected)), verifier.expectedStatement()
            )
        );
        proveAs(STRANGER, jobId);
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
    }

    function test_prove__on_the_last_second__pays_operator_and_splits_the_bond() public {
        JobId jobId = challengedJob();
        vm.warp(START + 35);
        vm.expectEmit(address(game));
        emit IDisputeGame.ResultProven(jobId, WORKER, OWNER);
        vm.expectEmit(address(market));
        emit IJobMarket.JobProven(jobId, OWNER);
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
        assertDispute(jobId, DisputeState.DEFENDER_PROVEN);
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE + BOND * 80 / 100, "fee and 80 % of the bond");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertEq(vault.burned(ETH), PROTOCOL_FEE + BOND - BOND * 80 / 100, "burned");
        assertEq(sumAccount(ETH, CHALLENGER), 0, "challenger");
        assertLock(jobId, LockStatus.RELEASED);
        assertSettled(jobId);
    }

    function test_prove__by_the_owner_itself__pays_the_owner() public {
        JobId jobId = challengedJob();
        proveAs(OWNER, jobId);
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE + BOND * 80 / 100, "fee and bond");
    }

    function test_prove__rescuer__earns_the_bond_but_neither_fee_nor_tip() public {
        useRoyalty(500);
        JobId jobId = challengedJob();
        vm.expectEmit(address(game));
        emit IDisputeGame.ResultProven(jobId, STRANGER, STRANGER);
        vm.warp(START + 35);
        proveAs(STRANGER, jobId);
        assertEq(accountOf(STRANGER).credit, BOND * 80 / 100, "rescuer");
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE - FEE / 20, "operator");
        assertEq(accountOf(REGISTRANT).credit, FEE / 20, "royalty");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertState(jobId, JobState.PROVEN);
        assertSettled(jobId);
    }

    function test_prove__challenger_of_itself__still_pays_the_burn() public {
        JobId jobId = committedJob();
        challengeAs(OWNER, jobId);
        proveAs(OWNER, jobId);
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE + BOND * 80 / 100, "the rest is burned");
    }

    /* DEFAULT */

    function checkDefaultRefused(JobId jobId, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IDisputeGame.claimDefault, (jobId));
        checkRefused(jobId, STRANGER, address(game), 0, call, expected);
    }

    function test_claimDefault__job_without_dispute__reverts() public {
        JobId jobId = committedJob();
        checkDefaultRefused(jobId, abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, jobId));
    }

    function test_claimDefault__on_the_last_second__reverts() public {
        JobId jobId = challengedJob();
        vm.warp(START + 35);
        checkDefaultRefused(
            jobId, abi.encodeWithSelector(IDisputeGame.ProofStillDue.selector, jobId, START + 35, START + 35)
        );
    }

    function test_claimDefault__resolved_dispute__reverts() public {
        JobId proven = challengedJob();
        proveAs(WORKER, proven);
        JobId defaulted = defaultedJob();
        checkDefaultRefused(proven, wrongDispute(proven, DisputeState.OPEN));
        checkDefaultRefused(defaulted, wrongDispute(defaulted, DisputeState.OPEN));
    }

    function test_claimDefault__refunds_at_once_and_holds_the_lock() public {
        JobId jobId = challengedJob();
        vm.warp(START + 36);
        vm.expectEmit(address(game));
        emit IDisputeGame.DefaultClaimed(jobId, OWNER);
        vm.expectEmit(address(market));
        emit IJobMarket.JobRejected(jobId, OWNER, START + 36 + AIRGAP);
        vm.prank(STRANGER);
        game.claimDefault(jobId);
        assertState(jobId, JobState.REJECTED);
        assertDispute(jobId, DisputeState.DEFAULT);
        assertEq(market.getJob(jobId).deadline, START + 36 + AIRGAP, "airgap");
        assertEq(accountOf(CLIENT).credit, FEE, "client's refund");
        assertEq(accountOf(CHALLENGER).credit, BOND, "bond back");
        assertEq(vault.burned(ETH), 0, "nothing burned yet");
        assertEq(sumAccount(ETH, OWNER), STAKE - LOCK, "operator");
        assertEq(vault.getFunds(ETH, jobId).lock, LOCK, "held");
        assertEq(vault.getFunds(ETH, jobId).escrow + vault.bondsOf(jobId), 0, "escrow and bonds");
        assertEq(vault.getStanding(OWNER).jailedUntil, START + 36 + 60, "jailed");
        assertLock(jobId, LockStatus.SLASHED);
        assertConserved();
    }

    function test_getStatement__job_without_dispute__reverts() public {
        JobId jobId = committedJob();
        JobTerms memory terms = termsOf(jobId);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.UnknownDispute.selector, jobId));
        game.getStatement(jobId, terms, WORKER);
    }
}
