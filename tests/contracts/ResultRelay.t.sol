// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ResultRelay} from "../../contracts/core/ResultRelay.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IResultRelay} from "../../contracts/interfaces/IResultRelay.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {HostileConsumer} from "../../contracts/mocks/HostileConsumer.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Assurance, JobState} from "../../contracts/types/Job.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Results into contracts, and what a consumer can do about it: nothing but refuse.
contract ResultRelayTest is JobSteps {
    /// Of the bytes 0, 1, .. 63 as 8 x 8 elements of one byte; as offchain/commit/digest.py has it.
    bytes32 private constant DIGEST = 0xdd1926a26d8fd1b4ab9b572eadcd5715906e9bc203b221ea485948391adec4fe;
    uint32 private constant GAS = 300_000;
    /// More than any delivery needs beside the consumer's gas.
    uint256 private constant AMPLE = 400_000;

    HostileConsumer private consumer;

    function setUp() public override {
        super.setUp();
        consumer = new HostileConsumer();
    }

    /* STEPS */

    function output() private pure returns (bytes memory data) {
        data = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            data[i] = bytes1(uint8(i));
        }
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

    function subscribe(JobId jobId) private returns (JobId) {
        vm.prank(CLIENT);
        relay.subscribe(jobId, address(consumer), GAS);
        return jobId;
    }

    function finalise(JobId jobId) private returns (JobId) {
        warpPastJob(jobId);
        market.finalise(jobId);
        return jobId;
    }

    function subscribedFinalJob() private returns (JobId) {
        return finalise(commitDigest(subscribe(acceptedJob()), DIGEST));
    }

    function deliver(JobId jobId) private returns (bool) {
        vm.prank(STRANGER);
        return relay.deliver(jobId, 1, shape(8, 8), output());
    }

    /// @notice Brings a result with so much gas; returns what the call answered.
    function deliverWith(JobId jobId, uint256 gas) private returns (bool success, bytes memory answer) {
        bytes memory message = abi.encodeCall(IResultRelay.deliver, (jobId, 1, shape(8, 8), output()));
        (success, answer) = address(relay).call{gas: gas}(message);
    }

    function checkFailedOnce(JobId jobId) private {
        vm.expectEmit(address(relay));
        emit IResultRelay.ResultDelivered(jobId, address(consumer), false);
        assertTrue(!deliver(jobId), "the consumer took it");
        assertEq(consumer.calls(), 0, "calls");
        assertTrue(!relay.getSubscription(jobId).isDelivered, "counts as delivered");
        // The job is what it was, and so is everybody's money.
        assertState(jobId, JobState.FINAL);
        assertConserved();
        // The same again, once the consumer has come to its senses.
        consumer.setMood(HostileConsumer.Mood.WILLING);
        assertTrue(deliver(jobId), "second attempt");
        assertEq(consumer.calls(), 1, "calls");
    }

    function checkRefused(JobId jobId, bytes memory expected) private {
        vm.expectRevert(expected);
        relay.deliver(jobId, 1, shape(8, 8), output());
    }

    /* CONSTRUCTION */

    function test_relay__without_a_market__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IResultRelay.ForeignModule.selector, STRANGER));
        new ResultRelay(STRANGER);
    }

    /* SUBSCRIPTION */

    function test_subscribe__unknown_job__reverts() public {
        JobId jobId = JobId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.UnknownJob.selector, jobId));
        relay.subscribe(jobId, address(consumer), GAS);
    }

    function test_subscribe__not_by_the_client__reverts() public {
        JobId jobId = createJob();
        vm.expectRevert(abi.encodeWithSelector(IResultRelay.NotClient.selector, jobId, WORKER, CLIENT));
        vm.prank(WORKER);
        relay.subscribe(jobId, address(consumer), GAS);
    }

    function test_subscribe__again__reverts() public {
        JobId jobId = subscribe(createJob());
        vm.expectRevert(abi.encodeWithSelector(IResultRelay.AlreadySubscribed.selector, jobId, address(consumer)));
        vm.prank(CLIENT);
        relay.subscribe(jobId, address(relay), GAS);
    }

    function test_subscribe__not_a_contract__reverts() public {
        JobId jobId = createJob();
        vm.expectRevert(abi.encodeWithSelector(IResultRelay.NotAContract.selector, STRANGER));
        vm.prank(CLIENT);
        relay.subscribe(jobId, STRANGER, GAS);
    }

    function test_subscribe__gas_out_of_range__reverts() public {
        JobId jobId = createJob();
        uint32[2] memory wrong = [uint32(0), 1_000_001];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IResultRelay.GasLimitOutOfRange.selector, wrong[i], 1_000_000));
            vm.prank(CLIENT);
            relay.subscribe(jobId, address(consumer), wrong[i]);
        }
    }

    function test_subscribe__is_remembered() public {
        JobId jobId = createJob();
        vm.expectEmit(address(relay));
        emit IResultRelay.Subscribed(jobId, address(consumer), GAS);
        subscribe(jobId);
        IResultRelay.Subscription memory found = relay.getSubscription(jobId);
        assertEq(found.consumer, address(consumer), "consumer");
        assertEq(found.gasLimit, GAS, "gas");
        assertTrue(!found.isDelivered, "delivered");
    }

    /* WHAT IS DELIVERED */

    function test_deliver__nobody_subscribed__reverts() public {
        JobId jobId = finalise(commitDigest(acceptedJob(), DIGEST));
        checkRefused(jobId, abi.encodeWithSelector(IResultRelay.NotSubscribed.selector, jobId));
    }

    function test_deliver__no_final_result__reverts() public {
        JobId[3] memory jobIds;
        jobIds[0] = subscribe(createJob());
        jobIds[1] = commitDigest(subscribe(acceptedJob()), DIGEST);
        jobIds[2] = subscribe(challengedJob());
        for (uint256 i = 0; i < jobIds.length; ++i) {
            checkRefused(jobIds[i], abi.encodeWithSelector(IResultRelay.NoResult.selector, jobIds[i]));
        }
        // A result that was refuted is none.
        defaultJob(jobIds[2]);
        checkRefused(jobIds[2], abi.encodeWithSelector(IResultRelay.NoResult.selector, jobIds[2]));
    }

    function checkWrongOutput(JobId jobId, uint8 width, uint32[] memory dims, bytes memory wrong) private {
        bytes memory message = abi.encodeCall(IResultRelay.deliver, (jobId, width, dims, wrong));
        (bool success, bytes memory reason) = address(relay).call(message);
        assertTrue(!success, "taken");
        assertEq(bytes32(bytes4(reason)), bytes32(IResultRelay.WrongOutput.selector), "reason");
    }

    function test_deliver__other_bytes__reverts() public {
        JobId jobId = subscribedFinalJob();
        bytes memory wrong = output();
        wrong[63] ^= 0x01;
        checkWrongOutput(jobId, 1, shape(8, 8), wrong);
    }

    function test_deliver__another_shape_or_width__reverts() public {
        JobId jobId = subscribedFinalJob();
        checkWrongOutput(jobId, 1, shape(4, 16), output());
        checkWrongOutput(jobId, 2, shape(4, 8), output());
        // Declared for 64 bytes, said to be 32.
        vm.expectRevert(abi.encodeWithSelector(IResultRelay.WrongOutputLength.selector, jobId, 64, 32));
        relay.deliver(jobId, 1, shape(4, 8), output());
    }

    /// @notice Tiles are padded with zeros: 63 bytes and a zero have the root of 64 bytes.
    function test_deliver__another_size_than_the_version__reverts() public {
        JobId jobId = subscribedFinalJob();
        vm.expectRevert(abi.encodeWithSelector(IResultRelay.WrongOutputLength.selector, jobId, 63, 64));
        relay.deliver(jobId, 1, shape(7, 9), new bytes(63));
        vm.expectRevert(abi.encodeWithSelector(IResultRelay.WrongOutputLength.selector, jobId, 65, 64));
        relay.deliver(jobId, 1, shape(5, 13), new bytes(65));
    }

    function test_deliver__unchallenged__tells_the_consumer() public {
        JobId jobId = subscribedFinalJob();
        vm.expectEmit(address(relay));
        emit IResultRelay.ResultDelivered(jobId, address(consumer), true);
        assertTrue(deliver(jobId), "success");
        assertEq(consumer.calls(), 1, "calls");
        assertEq(uint256(consumer.assurance()), uint256(Assurance.UNCHALLENGED), "assurance");
        assertEq(keccak256(consumer.output()), keccak256(output()), "output");
        assertTrue(relay.getSubscription(jobId).isDelivered, "delivered");
    }

    function test_deliver__proven__says_so() public {
        JobId jobId = commitDigest(subscribe(acceptedJob()), DIGEST);
        uint256 bond = game.requiredBond(jobId);
        vm.prank(CHALLENGER);
        game.challenge{value: bond}(jobId, DIGEST);
        proveAs(WORKER, jobId);
        assertTrue(deliver(jobId), "success");
        assertEq(uint256(consumer.assurance()), uint256(Assurance.PROVEN), "assurance");
    }

    function test_deliver__after_the_end__still_possible() public {
        JobId jobId = finalise(commitDigest(acceptedJob(), DIGEST));
        subscribe(jobId);
        vm.warp(block.timestamp + 1000 days);
        assertTrue(deliver(jobId), "success");
    }

    function test_deliver__twice__reverts() public {
        JobId jobId = subscribedFinalJob();
        deliver(jobId);
        checkRefused(jobId, abi.encodeWithSelector(IResultRelay.AlreadyDelivered.selector, jobId));
        assertEq(consumer.calls(), 1, "calls");
    }

    /* CONSUMERS */

    function test_deliver__consumer_that_reverts__may_be_told_again() public {
        JobId jobId = subscribedFinalJob();
        consumer.setMood(HostileConsumer.Mood.REFUSING);
        checkFailedOnce(jobId);
    }

    function test_deliver__consumer_that_burns_its_gas__costs_no_more_than_that() public {
        JobId jobId = subscribedFinalJob();
        consumer.setMood(HostileConsumer.Mood.BURNING);
        deliver(jobId);
        assertLe(vm.lastCallGas().gasTotalUsed, GAS + 100_000, "gas");
        checkFailedOnce(jobId);
    }

    function measureFailure(HostileConsumer.Mood mood) private returns (uint256 used) {
        uint256 state = vm.snapshotState();
        JobId jobId = finalise(commitDigest(acceptedJob(), DIGEST));
        vm.prank(CLIENT);
        relay.subscribe(jobId, address(consumer), 60_000);
        consumer.setMood(mood);
        uint256 left = gasleft();
        relay.deliver(jobId, 1, shape(8, 8), output());
        used = left - gasleft();
        vm.revertToState(state);
    }

    function test_deliver__return_bomb__is_not_copied() public {
        uint256 ordinary = measureFailure(HostileConsumer.Mood.REFUSING);
        HostileConsumer.Mood[2] memory bombs = [HostileConsumer.Mood.BOMBING, HostileConsumer.Mood.BOMBING_REVERT];
        for (uint256 i = 0; i < bombs.length; ++i) {
            // To make it costs the consumer nearly all of its gas; to copy it would cost the caller as much again.
            assertLe(measureFailure(bombs[i]), ordinary + 60_000, "gas");
        }
    }

    function test_deliver__consumer_without_code__is_no_success() public {
        JobId jobId = subscribedFinalJob();
        bytes memory code = address(consumer).code;
        vm.etch(address(consumer), "");
        vm.expectEmit(address(relay));
        emit IResultRelay.ResultDelivered(jobId, address(consumer), false);
        assertTrue(!deliver(jobId), "success");
        vm.etch(address(consumer), code);
        assertTrue(deliver(jobId), "second attempt");
    }

    /// @notice However little gas comes along: the consumer has what was promised to it, or nothing happens at all. Of
    /// the largest callback the 64th part that the EVM keeps is more than the relay's own reserve.
    function test_deliver__too_little_gas__reverts_and_the_consumer_never_sees_less() public {
        uint256 limit = relay.MAX_CALLBACK_GAS();
        JobId jobId = finalise(commitDigest(acceptedJob(), DIGEST));
        vm.prank(CLIENT);
        relay.subscribe(jobId, address(consumer), uint32(limit));
        uint256 least;
        for (uint256 gas = 30_000; gas < limit + AMPLE; gas += gas < limit ? 97_003 : 2_011) {
            uint256 state = vm.snapshotState();
            (bool success, bytes memory answer) = deliverWith(jobId, gas);
            if (success) {
                if (least == 0) least = gas;
                assertTrue(abi.decode(answer, (bool)), "the consumer failed for want of gas");
                assertLe(limit - 1_000, consumer.gasAtStart(), "less than promised");
                assertLe(consumer.gasAtStart(), limit, "more than promised");
            } else {
                assertEq(least, 0, "more gas is worse");
            }
            vm.revertToState(state);
        }
        assertTrue(least != 0, "never enough");
        // Some gas less than enough the relay says what it lacks; a lot less and it cannot even say that.
        uint256 most = least - 4_000;
        while (least - most > 1) {
            uint256 gas = (least + most) / 2;
            uint256 state = vm.snapshotState();
            (bool success,) = deliverWith(jobId, gas);
            vm.revertToState(state);
            (most, least) = success ? (most, gas) : (gas, least);
        }
        (, bytes memory reason) = deliverWith(jobId, most);
        bytes memory expected = abi.encodeWithSelector(IResultRelay.InsufficientGas.selector, limit - 1, limit);
        assertEq(keccak256(reason), keccak256(expected), "lacks one");
    }

    /* REENTRANCY */

    function checkReentry(JobId jobId, address target, bytes memory attack, bytes4 expected) private {
        consumer.arm(target, attack);
        assertTrue(deliver(jobId), "the consumer failed");
        assertTrue(!consumer.attackSucceeded(), "let in");
        assertEq(bytes32(bytes4(consumer.answer())), bytes32(expected), "reason");
        assertEq(consumer.calls(), 1, "calls");
        assertConserved();
    }

    function test_deliver__consumer_delivers_again__is_refused() public {
        JobId jobId = subscribedFinalJob();
        bytes memory attack = abi.encodeCall(IResultRelay.deliver, (jobId, 1, shape(8, 8), output()));
        checkReentry(jobId, address(relay), attack, IResultRelay.AlreadyDelivered.selector);
    }

    function test_deliver__consumer_subscribes_anew__is_refused() public {
        JobId jobId = subscribedFinalJob();
        bytes memory attack = abi.encodeCall(IResultRelay.subscribe, (jobId, address(consumer), GAS));
        checkReentry(jobId, address(relay), attack, IResultRelay.NotClient.selector);
    }

    function test_deliver__consumer_calls_the_market__is_refused() public {
        JobId jobId = subscribedFinalJob();
        bytes memory attack = abi.encodeCall(IJobMarket.finalise, (jobId));
        checkReentry(jobId, address(market), attack, IJobMarket.WrongJobState.selector);
    }

    function test_deliver__consumer_calls_the_vault__is_refused() public {
        JobId jobId = subscribedFinalJob();
        bytes memory attack = abi.encodeCall(IStakeVault.withdrawCredit, (ETH));
        checkReentry(jobId, address(vault), attack, IStakeVault.NothingToWithdraw.selector);
    }

    /// @notice A result within a result is two results, each told once.
    function test_deliver__consumer_delivers_another__both_are_told_once() public {
        (JobId outer, JobId inner) = (commitDigest(acceptedJob(), DIGEST), commitDigest(acceptedJob(), DIGEST));
        HostileConsumer other = new HostileConsumer();
        vm.startPrank(CLIENT);
        relay.subscribe(outer, address(consumer), 900_000);
        relay.subscribe(inner, address(other), 200_000);
        vm.stopPrank();
        (finalise(outer), finalise(inner));
        consumer.arm(address(relay), abi.encodeCall(IResultRelay.deliver, (inner, 1, shape(8, 8), output())));
        assertTrue(deliver(outer), "outer");
        assertTrue(consumer.attackSucceeded(), "inner");
        assertEq(consumer.calls(), 1, "outer calls");
        assertEq(other.calls(), 1, "inner calls");
        checkRefused(inner, abi.encodeWithSelector(IResultRelay.AlreadyDelivered.selector, inner));
    }

    /* SETTLEMENT */

    /// @notice Whatever the consumer does, no step of a job waits for it.
    function test_settlement__does_not_know_the_consumer() public {
        consumer.setMood(HostileConsumer.Mood.BURNING);
        JobId jobId = commitDigest(subscribe(acceptedJob()), DIGEST);
        uint256 before = accountOf(OWNER).credit;
        finalise(jobId);
        assertState(jobId, JobState.FINAL);
        assertEq(accountOf(OWNER).credit - before, FEE - PROTOCOL_FEE, "the operator's fee");
        assertSettled(jobId);
    }
}
