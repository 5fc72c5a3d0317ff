// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {TensorDigest} from "../../contracts/libraries/TensorDigest.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Outputs on chain. The expected digests are those of offchain/commit/digest.py.
contract DeliveryTest is JobSteps {
    // (60000 + 60 * 64) gas at 1 gwei.
    uint256 private constant PAYMENT = 63_840 gwei;
    /// Of the bytes 0, 1, .. 63 as 8 x 8 elements of one byte.
    bytes32 private constant DIGEST = 0xdd1926a26d8fd1b4ab9b572eadcd5715906e9bc203b221ea485948391adec4fe;

    /// @notice bytes (i * step + first) mod 256.
    function pattern(uint256 size, uint256 step, uint256 first) private pure returns (bytes memory data) {
        data = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            data[i] = bytes1(uint8((i * step + first) % 256));
        }
    }

    function output() private pure returns (bytes memory) {
        return pattern(64, 1, 0);
    }

    function shape(uint32 a, uint32 b) private pure returns (uint32[] memory dims) {
        dims = new uint32[](2);
        (dims[0], dims[1]) = (a, b);
    }

    function commitDigest(JobId jobId, bytes32 digest) private returns (JobId) {
        vm.prank(WORKER);
        market.commitResult(jobId, digest, "");
        return jobId;
    }

    function deliverableJob() private returns (JobId jobId) {
        return commitDigest(acceptedJob(), DIGEST);
    }

    function request(JobId jobId) private returns (JobId) {
        uint256 payment = market.computeDeliveryPayment(jobId);
        vm.prank(CLIENT);
        market.requestDelivery{value: payment}(jobId);
        return jobId;
    }

    function deliver(JobId jobId) private {
        vm.prank(WORKER);
        market.deliverOutput(jobId, 1, shape(8, 8), output());
    }

    /* REQUEST */

    function checkRequestRefused(JobId jobId, address caller, uint256 value, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IJobMarket.requestDelivery, (jobId));
        checkRefused(jobId, caller, address(market), value, call, expected);
    }

    function test_requestDelivery__by_another__reverts() public {
        JobId jobId = deliverableJob();
        bytes memory expected = abi.encodeWithSelector(IJobMarket.NotClient.selector, jobId, STRANGER, CLIENT);
        checkRequestRefused(jobId, STRANGER, PAYMENT, expected);
    }

    function test_requestDelivery__in_another_state__reverts() public {
        JobId proven = challengedJob();
        proveAs(WORKER, proven);
        JobId[2] memory jobIds = [acceptedJob(), proven];
        for (uint256 i = 0; i < jobIds.length; ++i) {
            checkRequestRefused(jobIds[i], CLIENT, PAYMENT, wrongState(jobIds[i], JobState.COMMITTED));
        }
    }

    function test_requestDelivery__one_second_late__reverts() public {
        JobId jobId = deliverableJob();
        vm.warp(START + 16);
        checkRequestRefused(jobId, CLIENT, PAYMENT, tooLate(jobId));
    }

    function test_requestDelivery__twice__reverts() public {
        JobId jobId = request(deliverableJob());
        bytes memory expected = abi.encodeWithSelector(IJobMarket.DeliveryAlreadyRequested.selector, jobId);
        checkRequestRefused(jobId, CLIENT, PAYMENT, expected);
        deliver(jobId);
        checkRequestRefused(jobId, CLIENT, PAYMENT, expected);
    }

    function test_requestDelivery__output_larger_than_8_KiB__reverts() public {
        VersionParams memory params = versionParams();
        params.outputBytes = 8193;
        version = registerVersion(params);
        JobId jobId = deliverableJob();
        bytes memory expected = abi.encodeWithSelector(IJobMarket.OutputTooLarge.selector, 8193, 8192);
        checkRequestRefused(jobId, CLIENT, 1 ether, expected);
    }

    function test_requestDelivery__less_than_the_gas__reverts() public {
        JobId jobId = deliverableJob();
        bytes memory expected = abi.encodeWithSelector(IJobMarket.WrongFee.selector, PAYMENT - 1, PAYMENT);
        checkRequestRefused(jobId, CLIENT, PAYMENT - 1, expected);
        vm.fee(10 gwei);
        expected = abi.encodeWithSelector(IJobMarket.WrongFee.selector, PAYMENT, 10 * PAYMENT);
        checkRequestRefused(jobId, CLIENT, PAYMENT, expected);
    }

    function test_requestDelivery__eth_for_a_job_in_tokens__reverts() public {
        JobId jobId = createTokenJob(FEE);
        accept(jobId);
        commit(jobId);
        checkRequestRefused(jobId, CLIENT, 1, abi.encodeWithSelector(IJobMarket.WrongFee.selector, 1, 0));
    }

    function test_requestDelivery__on_the_last_second__escrows_the_payment() public {
        JobId jobId = deliverableJob();
        vm.warp(START + 15);
        assertEq(market.computeDeliveryPayment(jobId), PAYMENT, "payment");
        vm.expectEmit(address(market));
        emit IJobMarket.DeliveryRequested(jobId, OWNER, PAYMENT, START + 30);
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowAdded(ETH, jobId, CLIENT, PAYMENT);
        request(jobId);
        assertState(jobId, JobState.COMMITTED);
        assertEq(market.getJob(jobId).deadline, START + 15, "the window stays (I25)");
        assertEq(market.getJob(jobId).deliverBy, START + 30, "deliver by");
        assertEq(vault.getFunds(ETH, jobId).escrow, FEE + PAYMENT, "escrow");
        assertConserved();
    }

    /* DELIVER */

    function checkDeliverRefused(JobId jobId, uint8 width, uint32[] memory dims, bytes memory data, bytes memory reason)
        private
    {
        bytes memory call = abi.encodeCall(IJobMarket.deliverOutput, (jobId, width, dims, data));
        checkRefused(jobId, WORKER, address(market), 0, call, reason);
    }

    function test_deliverOutput__nothing_due__reverts() public {
        JobId jobId = deliverableJob();
        bytes memory expected = abi.encodeWithSelector(IJobMarket.NoDeliveryDue.selector, jobId);
        checkDeliverRefused(jobId, 1, shape(8, 8), output(), expected);
        request(jobId);
        deliver(jobId);
        checkDeliverRefused(jobId, 1, shape(8, 8), output(), expected);
    }

    function test_deliverOutput__in_another_state__reverts() public {
        JobId assigned = acceptedJob();
        checkDeliverRefused(assigned, 1, shape(8, 8), output(), wrongState(assigned, JobState.COMMITTED));
        JobId proven = request(challengedJob());
        proveAs(WORKER, proven);
        checkDeliverRefused(proven, 1, shape(8, 8), output(), wrongState(proven, JobState.COMMITTED));
        assertEq(market.getJob(proven).deliverBy, 0, "not due after a verdict");
    }

    /* WHILE A DISPUTE HOLDS THE JOB */

    function heldJob() private returns (JobId jobId) {
        jobId = deliverableJob();
        vm.prank(vault.PINPOINT());
        game.holdFor(jobId, DIGEST);
    }

    function settleDefended(JobId jobId) private {
        vm.prank(vault.PINPOINT());
        game.settleDefended(jobId, STRANGER);
    }

    function test_delivery__of_a_disputed_job__is_due_and_paid() public {
        JobId jobId = request(heldJob());
        assertEq(market.getJob(jobId).deliverBy, START + 15, "due");
        deliver(jobId);
        warpPastJob(jobId);
        uint256 before = accountOf(OWNER).credit;
        settleDefended(jobId);
        assertState(jobId, JobState.FINAL);
        assertEq(accountOf(OWNER).credit - before, FEE - PROTOCOL_FEE + PAYMENT, "fee and delivery");
        assertSettled(jobId);
    }

    function test_settleDefended__delivery_due__reverts() public {
        JobId jobId = heldJob();
        vm.warp(START + 10);
        request(jobId);
        vm.warp(START + 25);
        bytes memory call = abi.encodeCall(IDisputeGame.settleDefended, (jobId, STRANGER));
        bytes memory expected = abi.encodeWithSelector(IJobMarket.DeliveryDue.selector, jobId, START + 25);
        checkRefused(jobId, vault.PINPOINT(), address(game), 0, call, expected);
    }

    /// @notice Nobody is paid for a result that it keeps to itself by having an accomplice dispute it.
    function test_settleDefended__not_delivered__fails_the_job() public {
        JobId jobId = request(heldJob());
        uint256 before = accountOf(CLIENT).credit;
        warpPastJob(jobId);
        vm.expectEmit(address(market));
        emit IJobMarket.JobFailed(jobId, OWNER);
        settleDefended(jobId);
        assertState(jobId, JobState.FAILED);
        assertEq(accountOf(CLIENT).credit - before, FEE + PAYMENT + FEE / 2, "fee, payment and half the fine");
        assertEq(vault.getStanding(OWNER).misses, 1, "a miss");
        assertSettled(jobId);
    }

    function test_deliverOutput__one_second_late__reverts() public {
        JobId jobId = request(deliverableJob());
        vm.warp(START + 16);
        checkDeliverRefused(jobId, 1, shape(8, 8), output(), tooLate(jobId, START + 15));
    }

    function test_deliverOutput__other_bytes_or_shape__revert() public {
        JobId jobId = request(deliverableJob());
        bytes memory other = output();
        other[63] = 0x00;
        bytes32 got = new TensorDigestCaller().compute(other, 1, shape(8, 8));
        bytes memory wrong = abi.encodeWithSelector(IJobMarket.WrongOutput.selector, jobId, got, DIGEST);
        checkDeliverRefused(jobId, 1, shape(8, 8), other, wrong);
        got = new TensorDigestCaller().compute(output(), 1, shape(4, 16));
        wrong = abi.encodeWithSelector(IJobMarket.WrongOutput.selector, jobId, got, DIGEST);
        checkDeliverRefused(jobId, 1, shape(4, 16), output(), wrong);
    }

    /// @dev The operator committed the digest of an empty tensor: nothing can be delivered for that.
    function test_deliverOutput__not_the_size_of_the_versions_outputs__reverts() public {
        JobId jobId = acceptedJob();
        bytes32 leaf = keccak256(abi.encodePacked(uint8(0), uint64(0), sha256(new bytes(1024))));
        bytes32 empty = keccak256(abi.encodePacked(uint8(2), uint8(0), uint8(0), leaf));
        vm.prank(WORKER);
        market.commitResult(jobId, empty, "");
        uint256 payment = market.computeDeliveryPayment(jobId);
        vm.prank(CLIENT);
        market.requestDelivery{value: payment}(jobId);

        vm.prank(WORKER);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.WrongOutputLength.selector, jobId, 0, OUTPUT_BYTES));
        market.deliverOutput(jobId, 0, new uint32[](0), "");
    }

    function test_deliverOutput__not_as_long_as_declared__reverts() public {
        // The committed output ends in zeros: without them it has the same tiles, so the same digest.
        bytes memory data = output();
        data[63] = 0x00;
        bytes32 digest = new TensorDigestCaller().compute(data, 1, shape(8, 8));
        JobId jobId = request(commitDigest(acceptedJob(), digest));
        bytes memory shorter = pattern(63, 1, 0);
        bytes memory expected = abi.encodeWithSelector(IJobMarket.WrongOutputLength.selector, jobId, 63, 64);
        checkDeliverRefused(jobId, 1, shape(8, 8), shorter, expected);
        expected = abi.encodeWithSelector(IJobMarket.WrongOutputLength.selector, jobId, 64, 128);
        checkDeliverRefused(jobId, 2, shape(8, 8), data, expected);
        vm.prank(WORKER);
        market.deliverOutput(jobId, 1, shape(8, 8), data);
    }

    function test_deliverOutput__more_than_8_KiB__reverts() public {
        JobId jobId = request(deliverableJob());
        bytes memory expected = abi.encodeWithSelector(IJobMarket.OutputTooLarge.selector, 8193, 8192);
        checkDeliverRefused(jobId, 1, shape(8193, 1), new bytes(8193), expected);
    }

    function test_deliverOutput__anybody_on_the_last_second__delivers() public {
        JobId jobId = request(deliverableJob());
        vm.warp(START + 15);
        vm.expectEmit(address(market));
        emit IJobMarket.OutputDelivered(jobId, output());
        vm.prank(STRANGER);
        market.deliverOutput(jobId, 1, shape(8, 8), output());
        assertEq(market.getJob(jobId).deliverBy, 0, "nothing due");
        assertConserved();
    }

    function test_deliverOutput__8_KiB__fit_a_transaction() public {
        VersionParams memory params = versionParams();
        params.outputBytes = 8192;
        version = registerVersion(params);
        bytes32 digest = 0xe6c9e69b532a201495e1ba1cb8b646e0a32d0fe652cd25b1c23a97122816cfbd;
        JobId jobId = request(commitDigest(acceptedJob(), digest));
        uint256 payment = market.computeDeliveryPayment(jobId);
        uint32[] memory dims = new uint32[](1);
        dims[0] = 4096;
        bytes memory data = pattern(8192, 7, 3);
        uint256 before = gasleft();
        market.deliverOutput(jobId, 2, dims, data);
        // Calldata and the transaction itself come on top: 21000 and 16 gas a byte, or 40 under EIP-7623.
        assertLe((before - gasleft() + 21_000 + 16 * 8192) * 1 gwei, payment, "paid for at the present price");
        assertLe((21_000 + 40 * 8192) * 1 gwei, payment, "the floor of EIP-7623");
    }

    /* EXITS */

    function test_finalise__delivery_due__reverts() public {
        JobId jobId = deliverableJob();
        vm.warp(START + 10);
        request(jobId);
        vm.warp(START + 16);
        bytes memory call = abi.encodeCall(IJobMarket.finalise, (jobId));
        bytes memory expected = abi.encodeWithSelector(IJobMarket.DeliveryDue.selector, jobId, START + 25);
        checkRefused(jobId, STRANGER, address(market), 0, call, expected);
        // Also once the delivery is overdue: then the job fails.
        vm.warp(START + 26);
        checkRefused(jobId, STRANGER, address(market), 0, call, expected);
    }

    function test_finalise__after_the_delivery__pays_it_too() public {
        JobId jobId = request(deliverableJob());
        deliver(jobId);
        warpPastJob(jobId);
        market.finalise(jobId);
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE + PAYMENT, "fee and payment");
        assertSettled(jobId);
    }

    function test_requestDelivery__more_than_the_price__is_all_the_operators() public {
        JobId jobId = deliverableJob();
        vm.prank(CLIENT);
        market.requestDelivery{value: PAYMENT + 7}(jobId);
        deliver(jobId);
        warpPastJob(jobId);
        market.finalise(jobId);
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE + PAYMENT + 7, "fee and payment");
        assertSettled(jobId);
    }

    function test_failJob__while_the_delivery_may_come__reverts() public {
        JobId jobId = deliverableJob();
        vm.warp(START + 10);
        request(jobId);
        vm.warp(START + 25);
        bytes memory call = abi.encodeCall(IJobMarket.failJob, (jobId));
        checkRefused(jobId, STRANGER, address(market), 0, call, tooEarly(jobId, START + 25));
    }

    function test_failJob__after_the_delivery__reverts() public {
        JobId jobId = request(deliverableJob());
        deliver(jobId);
        vm.warp(START + 1000);
        bytes memory call = abi.encodeCall(IJobMarket.failJob, (jobId));
        checkRefused(jobId, STRANGER, address(market), 0, call, wrongState(jobId, JobState.ASSIGNED));
    }

    function test_failJob__not_delivered__refunds_all_and_fines() public {
        JobId jobId = request(deliverableJob());
        vm.warp(START + 16);
        market.failJob(jobId);
        assertState(jobId, JobState.FAILED);
        assertEq(accountOf(CLIENT).credit, FEE + PAYMENT + FEE / 2, "fee, payment and half of the fine");
        assertEq(vault.burned(ETH), FEE / 2, "burned");
        assertEq(accountOf(OWNER).free, STAKE - FEE, "operator");
        assertEq(vault.getStanding(OWNER).misses, 1, "miss");
        assertSettled(jobId);
    }

    function test_failJob__delivered_but_required_proof_not_begun__refunds_all() public {
        JobId jobId = createProofJob(FEE);
        accept(jobId);
        request(commitDigest(jobId, DIGEST));
        deliver(jobId);
        vm.warp(START + 16);
        market.failJob(jobId);
        assertEq(accountOf(CLIENT).credit, FEE + PAYMENT + FEE / 2, "fee, payment and half of the fine");
        assertSettled(jobId);
    }

    function test_failJob__proof_required_and_delivery_due__fails_at_the_earlier() public {
        JobId jobId = createProofJob(FEE);
        accept(jobId);
        commitDigest(jobId, DIGEST);
        vm.warp(START + 10);
        request(jobId);
        vm.warp(START + 15);
        bytes memory call = abi.encodeCall(IJobMarket.failJob, (jobId));
        checkRefused(jobId, STRANGER, address(market), 0, call, tooEarly(jobId, START + 15));
        vm.warp(START + 16);
        market.failJob(jobId);
        assertState(jobId, JobState.FAILED);
    }

    function test_prove__not_delivered__gives_the_payment_back() public {
        JobId jobId = request(committedJob());
        challenge(jobId);
        proveAs(WORKER, jobId);
        assertEq(accountOf(CLIENT).credit, PAYMENT, "payment back");
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE + BOND * 80 / 100, "fee and bond");
        assertSettled(jobId);
    }

    function test_claimDefault__delivered__refunds_the_payment_too() public {
        JobId jobId = request(deliverableJob());
        deliver(jobId);
        uint256 bond = game.requiredBond(jobId);
        vm.prank(CHALLENGER);
        game.challenge{value: bond}(jobId, DIGEST);
        defaultJob(jobId);
        assertEq(accountOf(CLIENT).credit, FEE + PAYMENT, "fee and payment");
        distribute(jobId);
        assertSettled(jobId);
    }

    function test_delivery__in_tokens__is_paid_in_tokens() public {
        JobId jobId = createTokenJob(FEE);
        accept(jobId);
        commitDigest(jobId, DIGEST);
        vm.fee(1000 gwei);
        vm.prank(CLIENT);
        market.requestDelivery(jobId);
        assertEq(vault.getFunds(address(token), jobId).escrow, FEE + PAYMENT, "escrow");
        deliver(jobId);
        warpPastJob(jobId);
        market.finalise(jobId);
        assertEq(tokenAccountOf(OWNER).credit, FEE - PROTOCOL_FEE + PAYMENT, "fee and payment");
        assertSettled(jobId);
    }
}

/// @notice Calls the library with calldata.
contract TensorDigestCaller {
    function compute(bytes calldata data, uint8 width, uint32[] calldata dims) external view returns (bytes32) {
        return TensorDigest.compute(data, width, dims);
    }
}

contract TensorDigestTest is JobSteps {
    TensorDigestCaller private immutable DIGESTS = new TensorDigestCaller();

    function check(bytes memory data, uint8 width, uint32[] memory dims, bytes32 expected) private view {
        assertEq(DIGESTS.compute(data, width, dims), expected, "digest");
    }

    function test_compute__any_rank__is_the_digest_of_the_reference() public view {
        bytes memory data = new bytes(3000);
        for (uint256 i = 0; i < 3000; ++i) {
            data[i] = bytes1(uint8((i * 7 + 3) % 256));
        }
        uint32[] memory dims = new uint32[](0);
        check(hex"05", 1, dims, 0xc1a167a8f21a220b32f0c19e142938b3fcc792bfd54833a4394c1c35a1645b25);
        dims = new uint32[](1);
        check("", 1, dims, 0x9a7bd1fbf9fea27ebdffcb102077648e02a0c828887f5dc3d8986fb4f54b5a98);
        dims[0] = 3000;
        check(data, 1, dims, 0xcf54ff7d705dbf5bd68198997696170efaaa2d16e435e82c493fc9067879cca2);
        dims = new uint32[](3);
        (dims[0], dims[1], dims[2]) = (3, 10, 100);
        check(data, 1, dims, 0x21db2be8f0b2e50733245e4f1b0c7ea9469179886c38a4d44c6456a18e422664);
        dims = new uint32[](2);
        (dims[0], dims[1]) = (30, 25);
        check(data, 4, dims, 0xeb58597036aba76f62786da8a99429f9d903136f455fa72dc0bbe6833d023037);
    }

    function test_compute__rank_that_needs_two_bytes__reverts() public {
        vm.expectRevert(abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 8, 256));
        DIGESTS.compute("", 1, new uint32[](256));
    }
}
