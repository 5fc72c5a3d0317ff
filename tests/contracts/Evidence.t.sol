// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {Dispute, DisputeState, SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Two results that one operator vouched for.
contract EvidenceTest is JobSteps {
    uint256 private constant OWNER_KEY = 2;
    uint256 private constant WORKER_KEY = 3;
    uint256 private constant STRANGER_KEY = 5;
    bytes32 private constant OTHER = keccak256("another result");
    bytes32 private constant SALT = keccak256("salt");

    function signed(uint256 key, JobId jobId, bytes32 outDigest) private view returns (SignedResult memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, game.hashResult(jobId, outDigest));
        return SignedResult(outDigest, abi.encodePacked(r, s, v));
    }

    function committed(bytes32 outDigest) private pure returns (SignedResult memory) {
        return SignedResult(outDigest, "");
    }

    function announce(address reporter, JobId jobId, SignedResult memory first, SignedResult memory second) private {
        game.announceEvidence(keccak256(abi.encode(reporter, jobId, first, second, SALT)));
        vm.roll(block.number + 1);
    }

    function report(JobId jobId, SignedResult memory first, SignedResult memory second) private {
        announce(STRANGER, jobId, first, second);
        vm.prank(STRANGER);
        game.proveEquivocation(jobId, first, second, SALT);
    }

    function checkReportRefused(
        JobId jobId,
        SignedResult memory first,
        SignedResult memory second,
        bytes memory expected
    ) private {
        announce(STRANGER, jobId, first, second);
        bytes memory call = abi.encodeCall(IDisputeGame.proveEquivocation, (jobId, first, second, SALT));
        checkRefused(jobId, STRANGER, address(game), 0, call, expected);
    }

    function notSigned(JobId jobId, address signer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDisputeGame.NotSignedByOperator.selector, jobId, signer, vm.addr(OWNER_KEY));
    }

    /* WHAT IS SIGNED */

    function test_hashResult__is_eip_712() public view {
        JobId jobId = JobId.wrap(keccak256("job"));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("zkDPS"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        bytes32 result = keccak256(abi.encode(keccak256("Result(bytes32 jobId,bytes32 outDigest)"), jobId, OUT_DIGEST));
        bytes32 expected = keccak256(abi.encodePacked(hex"1901", domain, result));
        assertEq(game.hashResult(jobId, OUT_DIGEST), expected, "hash");
    }

    /* ANNOUNCEMENT */

    function test_announceEvidence__again__keeps_its_block() public {
        uint256 first = block.number;
        vm.expectEmit(address(game));
        emit IDisputeGame.EvidenceAnnounced(SALT);
        game.announceEvidence(SALT);
        vm.roll(first + 3);
        vm.prank(STRANGER);
        game.announceEvidence(SALT);
        assertEq(game.announcedAt(SALT), first, "block");
    }

    function test_proveEquivocation__not_announced_before__reverts() public {
        JobId jobId = committedJob();
        (SignedResult memory first, SignedResult memory second) =
            (signed(WORKER_KEY, jobId, OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        bytes32 commitment = keccak256(abi.encode(STRANGER, jobId, first, second, SALT));
        bytes memory call = abi.encodeCall(IDisputeGame.proveEquivocation, (jobId, first, second, SALT));
        bytes memory expected = abi.encodeWithSelector(IDisputeGame.NotAnnounced.selector, commitment);
        checkRefused(jobId, STRANGER, address(game), 0, call, expected);
        // Announcement and report in one block: whoever copies both from the pool is as fast as the first.
        game.announceEvidence(commitment);
        checkRefused(jobId, STRANGER, address(game), 0, call, expected);
    }

    function test_proveEquivocation__announced_by_another__reverts() public {
        JobId jobId = committedJob();
        (SignedResult memory first, SignedResult memory second) =
            (signed(WORKER_KEY, jobId, OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        announce(CHALLENGER, jobId, first, second);
        bytes32 commitment = keccak256(abi.encode(STRANGER, jobId, first, second, SALT));
        bytes memory call = abi.encodeCall(IDisputeGame.proveEquivocation, (jobId, first, second, SALT));
        bytes memory expected = abi.encodeWithSelector(IDisputeGame.NotAnnounced.selector, commitment);
        checkRefused(jobId, STRANGER, address(game), 0, call, expected);
    }

    /* WHAT IS NO EVIDENCE */

    function test_proveEquivocation__one_result_twice__reverts() public {
        JobId jobId = committedJob();
        bytes memory expected = abi.encodeWithSelector(IDisputeGame.SameResult.selector, OUT_DIGEST);
        checkReportRefused(jobId, signed(WORKER_KEY, jobId, OUT_DIGEST), committed(OUT_DIGEST), expected);
    }

    function test_proveEquivocation__signed_by_another__reverts() public {
        JobId jobId = committedJob();
        SignedResult memory good = signed(WORKER_KEY, jobId, OUT_DIGEST);
        SignedResult memory bad = signed(STRANGER_KEY, jobId, OTHER);
        checkReportRefused(jobId, good, bad, notSigned(jobId, STRANGER));
        checkReportRefused(jobId, bad, good, notSigned(jobId, STRANGER));
        // Another operator's worker is no better.
        giveStake(CHALLENGER, STRANGER, 1 ether);
        checkReportRefused(jobId, good, bad, notSigned(jobId, STRANGER));
    }

    function test_proveEquivocation__signed_for_another_job__reverts() public {
        JobId jobId = committedJob();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(WORKER_KEY, game.hashResult(committedJob(), OTHER));
        address somebody = ecrecover(game.hashResult(jobId, OTHER), v, r, s);
        SignedResult memory foreign = SignedResult(OTHER, abi.encodePacked(r, s, v));
        checkReportRefused(jobId, committed(OUT_DIGEST), foreign, notSigned(jobId, somebody));
    }

    function test_proveEquivocation__malformed_signature__reverts() public {
        JobId jobId = committedJob();
        SignedResult memory short = signed(WORKER_KEY, jobId, OTHER);
        short.signature = hex"0011";
        checkReportRefused(jobId, committed(OUT_DIGEST), short, notSigned(jobId, address(0)));
    }

    function test_proveEquivocation__unsigned_result_that_is_not_committed__reverts() public {
        JobId jobId = committedJob();
        bytes memory expected = abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, OTHER);
        checkReportRefused(jobId, signed(WORKER_KEY, jobId, OUT_DIGEST), committed(OTHER), expected);
        JobId assigned = acceptedJob();
        expected = abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, assigned, 0, 0);
        checkReportRefused(assigned, signed(WORKER_KEY, assigned, OTHER), committed(0), expected);
    }

    function test_proveEquivocation__job_without_operator__reverts() public {
        JobId jobId = createJob();
        (SignedResult memory first, SignedResult memory second) =
            (signed(STRANGER_KEY, jobId, OUT_DIGEST), signed(STRANGER_KEY, jobId, OTHER));
        bytes memory expected =
            abi.encodeWithSelector(IDisputeGame.NotSignedByOperator.selector, jobId, STRANGER, address(0));
        checkReportRefused(jobId, first, second, expected);
    }

    function test_proveEquivocation__settled_job__reverts() public {
        JobId[3] memory jobIds = [committedJob(), challengedJob(), challengedJob()];
        proveAs(WORKER, jobIds[1]);
        defaultJob(jobIds[2]);
        market.finalise(jobIds[0]);
        for (uint256 i = 0; i < jobIds.length; ++i) {
            SignedResult memory other = signed(WORKER_KEY, jobIds[i], OTHER);
            checkReportRefused(jobIds[i], committed(OUT_DIGEST), other, wrongState(jobIds[i], JobState.DISPUTED));
        }
    }

    /* KEYS THAT WERE REPLACED */

    function replaceWorker() private {
        vm.prank(OWNER);
        vault.proposeWorker(STRANGER);
        vm.prank(STRANGER);
        vault.acceptOwner(OWNER);
    }

    function test_proveEquivocation__worker_replaced_after_it_signed__is_fraud() public {
        JobId jobId = committedJob();
        vm.warp(START + 1);
        replaceWorker();
        report(jobId, committed(OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
    }

    function test_proveEquivocation__worker_replaced_before_another_committed__is_fraud() public {
        JobId jobId = acceptedJob();
        vm.warp(START + 1);
        replaceWorker();
        vm.warp(START + 10);
        vm.prank(STRANGER);
        market.commitResult(jobId, OUT_DIGEST, "");
        report(jobId, signed(WORKER_KEY, jobId, keccak256("a third result")), signed(WORKER_KEY, jobId, OTHER));
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
    }

    function test_proveEquivocation__worker_replaced_before_the_job_was_taken__reverts() public {
        replaceWorker();
        vm.warp(START + 1);
        JobId jobId = createJob();
        vm.prank(STRANGER);
        market.acceptJob(jobId);
        (SignedResult memory first, SignedResult memory second) =
            (signed(WORKER_KEY, jobId, OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        checkReportRefused(jobId, first, second, notSigned(jobId, WORKER));
        // Of a committed job the chain knows when it was committed: T_exec before that it may have been taken.
        vm.prank(STRANGER);
        market.commitResult(jobId, OUT_DIGEST, "");
        JobId later = createJob();
        vm.warp(START + 20);
        vm.startPrank(STRANGER);
        market.acceptJob(later);
        vm.warp(START + 21);
        market.commitResult(later, OUT_DIGEST, "");
        vm.stopPrank();
        checkReportRefused(later, committed(OUT_DIGEST), signed(WORKER_KEY, later, OTHER), notSigned(later, WORKER));
    }

    function test_proveEquivocation__worker_replaced_in_the_second_of_the_acceptance__is_fraud() public {
        JobId jobId = acceptedJob();
        replaceWorker();
        report(jobId, signed(WORKER_KEY, jobId, OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
    }

    function test_proveEquivocation__worker_that_came_back__is_fraud() public {
        vm.prank(WORKER);
        vault.leaveOwner();
        vm.warp(START + 100);
        vm.prank(OWNER);
        vault.proposeWorker(WORKER);
        vm.prank(WORKER);
        vault.acceptOwner(OWNER);
        JobId jobId = committedJob();
        report(jobId, committed(OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
    }

    /* MONEY */

    /// @dev All that a fraud costs and pays, before the airgap is over.
    function checkFraud(JobId jobId, uint256 free) private view {
        assertState(jobId, JobState.REJECTED);
        Dispute memory d = game.getDispute(jobId);
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
        assertEq(d.challenger, STRANGER, "reporter");
        assertEq(d.bond, 0, "no bond");
        assertEq(d.operator, OWNER, "operator");
        assertEq(d.openedAtBlock, block.number, "block of the report");
        assertEq(game.getChallengers(jobId).length, 1, "challengers");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertEq(accountOf(CLIENT).credit, FEE, "refund");
        assertEq(accountOf(OWNER).free, free - free / 10, "a tenth of the free stake");
        assertEq(accountOf(OWNER).locked, 0, "the lock");
        assertEq(vault.getStanding(OWNER).jailedUntil, block.timestamp + 60, "jailed");
        assertEq(vault.bondsOf(jobId), 0, "bonds");
        assertLock(jobId, LockStatus.SLASHED);
        assertConserved();
    }

    function checkDistributed(JobId jobId) private {
        uint256 credit = accountOf(STRANGER).credit;
        uint256 burned = vault.burned(ETH);
        distribute(jobId);
        assertEq(accountOf(STRANGER).credit - credit, LOCK * 35 / 100, "reporter");
        assertEq(accountOf(CLIENT).credit, FEE + LOCK * 40 / 100, "client");
        assertEq(vault.burned(ETH) - burned, LOCK * 25 / 100, "burned");
        assertSettled(jobId);
    }

    function test_proveEquivocation__assigned_job__two_signatures__rejects() public {
        JobId jobId = acceptedJob();
        (SignedResult memory first, SignedResult memory second) =
            (signed(WORKER_KEY, jobId, OUT_DIGEST), signed(OWNER_KEY, jobId, OTHER));
        announce(STRANGER, jobId, first, second);
        vm.expectEmit(address(game));
        emit IDisputeGame.EquivocationProven(jobId, OWNER, STRANGER, OUT_DIGEST, OTHER);
        vm.prank(STRANGER);
        game.proveEquivocation(jobId, first, second, SALT);
        checkFraud(jobId, STAKE - LOCK);
        checkDistributed(jobId);
    }

    function test_proveEquivocation__committed_job__one_signature__rejects() public {
        JobId jobId = committedJob();
        report(jobId, committed(OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        checkFraud(jobId, STAKE - LOCK);
        checkDistributed(jobId);
    }

    /// @notice A cheat about to default cannot take the challengers' reward by reporting itself.
    function test_proveEquivocation__disputed_job__returns_the_bonds_and_shares_the_reward() public {
        JobId jobId = challengedJob();
        challengeAs(CLIENT, jobId);
        report(jobId, committed(OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        assertEq(accountOf(CHALLENGER).credit, BOND, "challenger's bond");
        assertEq(accountOf(CLIENT).credit, FEE + BOND, "client's fee and bond");
        assertEq(vault.bondsOf(jobId), 0, "no bonds");
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertDispute(jobId, DisputeState.FRAUD_PROVEN);
        distribute(jobId);
        uint256 share = LOCK * 35 / 100 / 3;
        assertEq(accountOf(STRANGER).credit, share, "reporter");
        assertEq(accountOf(CHALLENGER).credit, BOND + share, "challenger");
        assertEq(accountOf(CLIENT).credit, FEE + BOND + share + LOCK * 40 / 100, "client");
        assertSettled(jobId);
    }

    function test_proveEquivocation__by_a_challenger__gives_it_no_second_share() public {
        JobId jobId = challengedJob();
        challengeAs(STRANGER, jobId);
        report(jobId, committed(OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        address[] memory challengers = game.getChallengers(jobId);
        assertEq(challengers.length, 2, "challengers");
        assertEq(challengers[0], CHALLENGER, "first");
        assertEq(challengers[1], STRANGER, "second");
        distribute(jobId);
        assertEq(accountOf(STRANGER).credit, BOND + LOCK * 35 / 200, "reporter");
        assertEq(accountOf(CHALLENGER).credit, BOND + LOCK * 35 / 200, "challenger");
        assertSettled(jobId);
    }

    function test_proveEquivocation__required_proof_under_way__rejects() public {
        JobId jobId = createProofJob(FEE);
        accept(jobId);
        commit(jobId);
        game.requestProof(jobId, OUT_DIGEST);
        report(jobId, committed(OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        checkFraud(jobId, STAKE - LOCK);
        checkDistributed(jobId);
    }

    function test_proveEquivocation__unbonding_stake_answers_too() public {
        JobId jobId = committedJob();
        vm.prank(OWNER);
        vault.requestUnbond(ETH, 4 ether);
        report(jobId, committed(OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        assertEq(accountOf(OWNER).unbonding, 3.6 ether, "a tenth of what unbonds");
        assertConserved();
    }

    function test_proveEquivocation__job_in_tokens__slashes_tokens() public {
        JobId jobId = createTokenJob(FEE);
        accept(jobId);
        commit(jobId);
        report(jobId, committed(OUT_DIGEST), signed(WORKER_KEY, jobId, OTHER));
        assertEq(tokenAccountOf(OWNER).free, (STAKE - LOCK) - (STAKE - LOCK) / 10, "tokens");
        assertEq(accountOf(OWNER).free, STAKE, "no ETH");
        distribute(jobId);
        assertEq(tokenAccountOf(STRANGER).credit, LOCK * 35 / 100, "reporter");
        assertSettled(jobId);
    }

    function test_fraud__again__reverts() public {
        JobId jobId = committedJob();
        SignedResult memory other = signed(WORKER_KEY, jobId, OTHER);
        report(jobId, committed(OUT_DIGEST), other);
        checkReportRefused(jobId, committed(OUT_DIGEST), other, wrongState(jobId, JobState.DISPUTED));
    }
}
