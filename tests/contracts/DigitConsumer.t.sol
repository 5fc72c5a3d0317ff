// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {DigitConsumer} from "../../contracts/examples/DigitConsumer.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Assurance, Job, JobState, JobTerms, PROOF_REQUIRED} from "../../contracts/types/Job.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice The example acts on what it ordered, on the assurance it wanted, and loses nobody's money.
contract DigitConsumerTest is JobSteps {
    uint256 private constant DIGIT = 7;
    uint256 private constant SMALL = 0.5 ether;
    uint256 private constant LARGE = 2 ether;
    uint256 private constant ENDS_AT = START + 1 days;
    uint32 private constant CLASSES = 10;
    address private constant SPONSOR = address(0x5005);

    DigitConsumer private prize;

    function setUp() public override {
        super.setUp();
        // Ten numbers of one byte, as the digits network says them.
        VersionParams memory params = versionParams();
        params.outputBytes = CLASSES;
        version = registerVersion(params);
        vm.deal(SPONSOR, 10 ether);
        prize = newPrize(SMALL);
    }

    function newPrize(uint256 value) private returns (DigitConsumer) {
        vm.prank(SPONSOR);
        return new DigitConsumer{value: value}(address(relay), version, DIGIT, ENDS_AT);
    }

    /* STEPS */

    /// @notice Ten logits of which one is the largest; the others are negative, so signs matter.
    function logits(uint256 digit) private pure returns (bytes memory output) {
        for (uint256 i = 0; i < CLASSES; ++i) {
            output = abi.encodePacked(output, i == digit ? int8(3) : int8(-100) - int8(int256(i)));
        }
    }

    function shape() private pure returns (uint32[] memory dims) {
        dims = new uint32[](2);
        (dims[0], dims[1]) = (1, CLASSES);
    }

    function digestOf(bytes memory output) private pure returns (bytes32) {
        bytes32 tile = sha256(abi.encodePacked(output, new bytes(1024 - output.length)));
        bytes32 leaf = keccak256(abi.encodePacked(uint8(0), uint64(0), tile));
        return keccak256(abi.encodePacked(uint8(2), uint8(1), uint8(2), uint32(1), CLASSES, leaf));
    }

    function enter(address entrant, uint256 fee) private returns (JobId jobId) {
        vm.prank(entrant);
        jobId = prize.enter{value: fee}(IN_DIGEST, "file:picture");
    }

    function commitDigit(JobId jobId, uint256 digit) private returns (JobId) {
        accept(jobId);
        bytes32 digest = digestOf(logits(digit));
        vm.prank(WORKER);
        market.commitResult(jobId, digest, "");
        return jobId;
    }

    function finalise(JobId jobId) private returns (JobId) {
        warpPastJob(jobId);
        market.finalise(jobId);
        return jobId;
    }

    function deliver(JobId jobId, uint256 digit) private returns (bool) {
        return relay.deliver(jobId, 1, shape(), logits(digit));
    }

    /// @notice Terms of the contract's first entry.
    function firstTerms(uint96 fee) private view returns (JobTerms memory) {
        return JobTerms({
            client: address(prize),
            version: version,
            inDigest: IN_DIGEST,
            token: ETH,
            fee: fee,
            verifyMask: PROOF_REQUIRED,
            privacyMask: 0,
            salt: 1
        });
    }

    function enterAndRead(address entrant, uint256 digit) private returns (JobId jobId) {
        jobId = finalise(commitDigit(enter(entrant, FEE), digit));
        assertTrue(deliver(jobId, digit), "delivered");
    }

    function withdraw(address account) private returns (uint256 received) {
        uint256 before = account.balance;
        vm.prank(account);
        prize.withdraw();
        received = account.balance - before;
    }

    /* ENTERING */

    function test_enter__orders_the_reading() public {
        JobId jobId = enter(CLIENT, FEE);
        Job memory job = market.getJob(jobId);
        assertEq(job.client, address(prize), "client");
        assertEq(job.version, version, "version");
        assertEq(job.fee, FEE, "fee");
        assertTrue(!job.proofRequired, "proof");
        assertEq(relay.getSubscription(jobId).consumer, address(prize), "consumer");
        // The same picture again is another entry.
        enter(CLIENT, FEE);
    }

    function test_enter__valuable_prize__requires_a_proof() public {
        prize = newPrize(LARGE);
        assertTrue(market.getJob(enter(CLIENT, 0.01 ether)).proofRequired, "proof");
    }

    function test_enter__after_the_end__reverts() public {
        vm.warp(ENDS_AT + 1);
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.TooLate.selector, ENDS_AT));
        enter(CLIENT, FEE);
    }

    /* READING */

    function test_onResult__the_digit__wins_once() public {
        enterAndRead(CLIENT, DIGIT);
        assertEq(prize.winner(), CLIENT, "winner");
        assertEq(withdraw(CLIENT), SMALL, "prize");
        enterAndRead(STRANGER, DIGIT);
        assertEq(prize.owed(STRANGER), 0, "second prize");
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.NothingOwed.selector, CLIENT));
        vm.prank(CLIENT);
        prize.withdraw();
    }

    function test_onResult__another_digit__wins_nothing() public {
        for (uint256 digit = 0; digit < CLASSES; ++digit) {
            if (digit != DIGIT) enterAndRead(CLIENT, digit);
        }
        assertEq(prize.winner(), address(0), "winner");
        assertEq(prize.owed(CLIENT), 0, "owed");
    }

    function test_onResult__not_from_the_relay__reverts() public {
        JobId jobId = enter(CLIENT, FEE);
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.NotRelay.selector, CLIENT));
        vm.prank(CLIENT);
        prize.onResult(jobId, Assurance.PROVEN, logits(DIGIT));
    }

    /// @notice A stranger's job, whose client named this contract as consumer: it was not ordered here.
    function test_onResult__of_a_job_it_did_not_order__is_refused() public {
        JobId jobId = createJob();
        vm.prank(CLIENT);
        relay.subscribe(jobId, address(prize), 500_000);
        finalise(commitDigit(jobId, DIGIT));
        assertTrue(!deliver(jobId, DIGIT), "taken");
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.NotAnEntry.selector, jobId));
        vm.prank(address(relay));
        prize.onResult(jobId, Assurance.PROVEN, logits(DIGIT));
    }

    function test_onResult__valuable_prize__takes_a_proof_only() public {
        prize = newPrize(LARGE);
        JobId jobId = commitDigit(enter(CLIENT, 0.01 ether), DIGIT);
        bytes memory expected =
            abi.encodeWithSelector(DigitConsumer.NotAssured.selector, jobId, Assurance.UNCHALLENGED, Assurance.PROVEN);
        vm.expectRevert(expected);
        vm.prank(address(relay));
        prize.onResult(jobId, Assurance.UNCHALLENGED, logits(DIGIT));
        game.requestProof(jobId, digestOf(logits(DIGIT)));
        JobTerms memory terms = firstTerms(0.01 ether);
        vm.prank(WORKER);
        game.prove(jobId, terms, "input", "output", "proof");
        assertTrue(deliver(jobId, DIGIT), "taken");
        assertEq(withdraw(CLIENT), LARGE, "prize");
    }

    function test_onResult__not_ten_numbers__is_refused() public {
        JobId jobId = enter(CLIENT, FEE);
        bytes[3] memory wrong = [bytes(""), new bytes(9), new bytes(41)];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(DigitConsumer.NotADigit.selector, wrong[i].length));
            vm.prank(address(relay));
            prize.onResult(jobId, Assurance.UNCHALLENGED, wrong[i]);
        }
    }

    /* REFUNDS */

    function test_refund__nobody_took_it__gives_the_fee_back() public {
        (JobId first, JobId second) = (enter(CLIENT, FEE), enter(STRANGER, 2 * FEE));
        warpPastJob(second);
        prize.refund(second);
        prize.refund(first);
        assertEq(withdraw(CLIENT), FEE, "first");
        assertEq(withdraw(STRANGER), 2 * FEE, "second");
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.NotAnEntry.selector, first));
        prize.refund(first);
        // The prize is where it was.
        enterAndRead(CLIENT, DIGIT);
        assertEq(withdraw(CLIENT), SMALL, "prize");
    }

    /// @notice A keeper's tip comes off the refund, never off the prize.
    function test_refund__a_keeper_took_its_tip__gives_the_rest_back() public {
        JobId jobId = enter(CLIENT, FEE);
        vm.warp(market.getJob(jobId).deadline + 1 days);
        vm.prank(STRANGER);
        market.expireJob(jobId);
        prize.refund(jobId);
        assertEq(withdraw(CLIENT), FEE - TIP, "refund");
        assertEq(address(prize).balance, SMALL, "prize");
    }

    /// @dev Who enters with a large fee and is its own keeper must not have the tip back out of others' refunds.
    function test_refund__its_own_keeper__takes_nothing_from_others() public {
        JobId others = enter(CLIENT, FEE);
        warpPastJob(others);
        market.expireJob(others);
        JobId own = enter(STRANGER, 10 ether);
        vm.warp(market.getJob(own).deadline + 1 days);
        vm.prank(CHALLENGER);
        market.expireJob(own);
        prize.refund(own);
        prize.refund(others);
        assertEq(withdraw(CLIENT), FEE - TIP, "others' refund");
        assertEq(withdraw(STRANGER) + accountOf(CHALLENGER).credit, 10 ether, "its own money");
        assertEq(address(prize).balance, SMALL + TIP, "prize, and what nobody is owed");
    }

    function test_refund__running_or_successful__reverts() public {
        JobId jobId = enter(CLIENT, FEE);
        bytes memory early = abi.encodeWithSelector(
            IJobMarket.DeadlineNotReached.selector, jobId, market.getJob(jobId).deadline, block.timestamp
        );
        vm.expectRevert(early);
        prize.refund(jobId);
        accept(jobId);
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.NotOver.selector, jobId, JobState.ASSIGNED));
        prize.refund(jobId);
        jobId = finalise(commitDigit(enter(CLIENT, FEE), DIGIT));
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.NotOver.selector, jobId, JobState.FINAL));
        prize.refund(jobId);
    }

    /// @notice What the slash pays beyond the fee is nobody's entry, so it is the sponsor's, at the end.
    function test_takeRest__a_slash_and_no_winner() public {
        JobId jobId = commitDigit(enter(CLIENT, FEE), 3);
        (uint256 bond, bytes32 digest) = (game.requiredBond(jobId), digestOf(logits(3)));
        vm.prank(CHALLENGER);
        game.challenge{value: bond}(jobId, digest);
        defaultJob(jobId);
        distribute(jobId);
        prize.refund(jobId);
        assertEq(prize.owed(CLIENT), FEE, "refund");
        vm.warp(ENDS_AT + 30 days);
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.TooEarly.selector, ENDS_AT + 30 days));
        vm.prank(SPONSOR);
        prize.takeRest();
        vm.warp(ENDS_AT + 30 days + 1);
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.NotSponsor.selector, CLIENT));
        vm.prank(CLIENT);
        prize.takeRest();
        vm.prank(SPONSOR);
        prize.takeRest();
        assertEq(withdraw(SPONSOR), SMALL + LOCK * 40 / 100, "rest");
        assertEq(withdraw(CLIENT), FEE, "refund");
        assertEq(address(prize).balance, 0, "left over");
    }

    /// @notice Once the sponsor has taken the prize back, nobody can win it.
    function test_takeRest__then_a_late_result__wins_nothing() public {
        JobId jobId = finalise(commitDigit(enter(CLIENT, FEE), DIGIT));
        vm.warp(ENDS_AT + 30 days + 1);
        vm.prank(SPONSOR);
        prize.takeRest();
        assertTrue(deliver(jobId, DIGIT), "taken");
        assertEq(prize.owed(CLIENT), 0, "prize");
        assertEq(withdraw(SPONSOR), SMALL, "rest");
    }
}
