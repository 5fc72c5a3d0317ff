// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IModelRegistry} from "../../contracts/interfaces/IModelRegistry.sol";
import {Dispute, DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Assurance, JobParams, JobState, PROOF_REQUIRED} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Jobs that are never final without a proof (protocol.md A.10).
contract ProofRequiredTest is JobSteps {
    uint256 private constant PROOF_FEE = 805_000 gwei; // 5 s * 1000 gwei + 800000 * 1 gwei
    bytes32 private constant RANDOM = keccak256("randao");

    function setUp() public override {
        super.setUp();
        vm.prevrandao(RANDOM);
    }

    function committedProofJob() private returns (JobId jobId) {
        jobId = createProofJob(FEE);
        accept(jobId);
        commit(jobId);
    }

    function requestProof(JobId jobId) private {
        vm.prank(STRANGER);
        game.requestProof(jobId, OUT_DIGEST);
    }

    /* CREATE */

    function checkCreateRefused(JobParams memory params, uint256 value, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IJobMarket.createJob, (params));
        checkRefused(JobId.wrap(0), CLIENT, address(market), value, call, expected);
    }

    function test_createJob__proof_for_tokens__reverts() public {
        JobParams memory params = jobParams(FEE);
        (params.token, params.verifyMask) = (address(token), PROOF_REQUIRED);
        checkCreateRefused(params, 0, abi.encodeWithSelector(IJobMarket.UnsupportedFeeToken.selector, address(token)));
    }

    function test_createJob__fee_below_the_proof__reverts() public {
        JobParams memory params = jobParams(uint96(PROOF_FEE - 1));
        params.verifyMask = PROOF_REQUIRED;
        bytes memory expected = abi.encodeWithSelector(IJobMarket.FeeBelowProof.selector, PROOF_FEE - 1, PROOF_FEE);
        checkCreateRefused(params, PROOF_FEE - 1, expected);
        // A fee that was enough is not any more once gas costs more.
        params.fee = uint96(PROOF_FEE);
        vm.fee(2 gwei);
        uint256 required = PROOF_FEE + 800_000 gwei;
        expected = abi.encodeWithSelector(IJobMarket.FeeBelowProof.selector, PROOF_FEE, required);
        checkCreateRefused(params, PROOF_FEE, expected);
        vm.fee(1 gwei);
        assertTrue(market.getJob(createJobAs(CLIENT, params)).proofRequired, "proof required");
    }

    function test_createJob__proof_by_an_unknown_version__reverts() public {
        JobParams memory params = jobParams(FEE);
        (params.version, params.verifyMask) = (keccak256("unknown"), PROOF_REQUIRED);
        bytes memory expected = abi.encodeWithSelector(IModelRegistry.UnknownVersion.selector, params.version);
        checkCreateRefused(params, FEE, expected);
    }

    /* REQUEST */

    function checkRequestRefused(JobId jobId, bytes32 digest, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IDisputeGame.requestProof, (jobId, digest));
        checkRefused(jobId, STRANGER, address(game), 0, call, expected);
    }

    function test_requestProof__job_that_requires_none__reverts() public {
        JobId jobId = committedJob();
        checkRequestRefused(jobId, OUT_DIGEST, abi.encodeWithSelector(IJobMarket.ProofNotRequired.selector, jobId));
    }

    function test_requestProof__before_the_commit_or_late__reverts() public {
        JobId jobId = createProofJob(FEE);
        accept(jobId);
        checkRequestRefused(jobId, 0, wrongState(jobId, JobState.COMMITTED));
        commit(jobId);
        vm.warp(START + 16);
        checkRequestRefused(jobId, OUT_DIGEST, tooLate(jobId));
    }

    function test_requestProof__unexpected_result__reverts() public {
        JobId jobId = committedProofJob();
        bytes32 other = keccak256("another result");
        bytes memory expected = abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, other);
        checkRequestRefused(jobId, other, expected);
    }

    function test_requestProof__twice__reverts() public {
        JobId jobId = committedProofJob();
        requestProof(jobId);
        bytes4 wrong = IDisputeGame.WrongDisputeState.selector;
        checkRequestRefused(
            jobId, OUT_DIGEST, abi.encodeWithSelector(wrong, jobId, DisputeState.OPEN, DisputeState.NONE)
        );
    }

    function test_requestProof__opens_a_dispute_without_bond() public {
        JobId jobId = committedProofJob();
        vm.warp(START + 15);
        bytes32 seed = keccak256(abi.encode(RANDOM, jobId, address(0)));
        vm.expectEmit(address(game));
        emit IDisputeGame.ResultChallenged(jobId, address(0), OWNER, 0, START + 15 + PROVE, seed);
        requestProof(jobId);
        Dispute memory d = game.getDispute(jobId);
        assertEq(d.challenger, address(0), "nobody");
        assertEq(d.bond, 0, "no bond");
        assertEq(d.challengeSeed, seed, "seed");
        assertEq(game.getChallengers(jobId).length, 0, "no challengers");
        assertEq(game.openChallenges(OWNER), 1, "open challenges");
        assertEq(game.requiredBond(jobId), 0, "nothing to share");
        assertState(jobId, JobState.DISPUTED);
        assertConserved();
    }

    function test_challenge__a_dispute_without_bond__cannot_be_joined() public {
        JobId jobId = committedProofJob();
        requestProof(jobId);
        address[2] memory late = [CHALLENGER, CLIENT];
        for (uint256 i = 0; i < late.length; ++i) {
            bytes memory call = abi.encodeCall(IDisputeGame.challenge, (jobId, OUT_DIGEST));
            bytes memory expected = abi.encodeWithSelector(IDisputeGame.NoRoomToJoin.selector, jobId, 0);
            checkRefused(jobId, late[i], address(game), BOND, call, expected);
        }
    }

    /* EXITS */

    function test_finalise__without_a_proof__reverts() public {
        JobId jobId = committedProofJob();
        vm.warp(START + 16);
        bytes memory call = abi.encodeCall(IJobMarket.finalise, (jobId));
        bytes memory expected = abi.encodeWithSelector(IJobMarket.ProofRequired.selector, jobId);
        checkRefused(jobId, STRANGER, address(market), 0, call, expected);
    }

    function test_failJob__while_the_proof_may_be_requested__reverts() public {
        JobId jobId = committedProofJob();
        vm.warp(START + 15);
        bytes memory call = abi.encodeCall(IJobMarket.failJob, (jobId));
        checkRefused(jobId, STRANGER, address(market), 0, call, tooEarly(jobId));
    }

    function test_failJob__nobody_began_the_proof__fines() public {
        JobId jobId = committedProofJob();
        vm.warp(START + 16);
        market.failJob(jobId);
        assertState(jobId, JobState.FAILED);
        assertEq(accountOf(CLIENT).credit, FEE + FEE / 2, "refund and half of the fine");
        assertEq(sumAccount(ETH, OWNER), STAKE - FEE, "fine");
        assertEq(vault.getStanding(OWNER).misses, 1, "miss");
        assertSettled(jobId);
    }

    function test_prove__requested_proof__pays_the_fee() public {
        JobId jobId = committedProofJob();
        requestProof(jobId);
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
        assertEq(uint256(market.assurance(jobId)), uint256(Assurance.PROVEN), "assurance");
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE, "fee");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertSettled(jobId);
    }

    function test_prove__challenged_with_a_bond__pays_fee_and_bond() public {
        JobId jobId = committedProofJob();
        challenge(jobId);
        proveAs(WORKER, jobId);
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE + BOND * 80 / 100, "fee and bond");
        assertSettled(jobId);
    }

    function test_claimDefault__requested_proof__burns_the_share_that_nobody_earned() public {
        JobId jobId = committedProofJob();
        requestProof(jobId);
        defaultJob(jobId);
        assertState(jobId, JobState.REJECTED);
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertLock(jobId, LockStatus.SLASHED);
        distribute(jobId);
        assertDispute(jobId, DisputeState.DISTRIBUTED);
        assertEq(accountOf(CLIENT).credit, FEE + LOCK * 40 / 100, "client's share");
        assertEq(vault.burned(ETH), LOCK * 60 / 100, "burned");
        assertEq(sumAccount(ETH, OWNER), STAKE - LOCK, "operator");
        assertSettled(jobId);
    }

    function test_cure__requested_proof__burns_the_challengers_share() public {
        JobId jobId = committedProofJob();
        requestProof(jobId);
        defaultJob(jobId);
        cureAs(WORKER, jobId);
        assertEq(sumAccount(ETH, OWNER), STAKE - LOCK / 5, "operator");
        assertEq(accountOf(CLIENT).credit, FEE + LOCK / 10, "client");
        assertEq(vault.burned(ETH), LOCK / 10, "burned");
        assertSettled(jobId);
    }
}
