// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {HostileConsumer} from "../../contracts/mocks/HostileConsumer.sol";
import {SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Order} from "../../contracts/types/Order.sol";
import {AccessRoles} from "./AccessRoles.sol";
import {SessionSteps} from "./SessionSteps.sol";

/// @notice One job in each state that a row of the access matrix needs.
abstract contract AccessWorld is SessionSteps, AccessRoles {
    bytes internal constant OUTPUT = "sixty-four bytes are the output of the version in Deployment.sol";

    JobId internal open;
    JobId internal openAndOverdue;
    JobId internal assigned;
    JobId internal assignedAndOverdue;
    JobId internal committed;
    JobId internal committedAndOverdue;
    JobId internal proofRequired;
    /// Committed, and its output is asked for.
    JobId internal owed;
    /// Disputed: a proof is due, or overdue.
    JobId internal due;
    JobId internal overdue;
    /// Held by pinpointing, within the window and behind it.
    JobId internal held;
    JobId internal heldAndOverdue;
    /// Rejected for want of a proof.
    JobId internal inAirgap;
    JobId internal overAirgap;
    /// Sessions: one that lives, and one whose last second to post is over.
    JobId internal openedSession;
    JobId internal closedSession;
    /// Batches: one within its window, and one behind it.
    JobId internal committedBatchId;
    JobId internal overdueBatch;
    /// Final, and a contract waits for its result.
    JobId internal awaited;
    /// Signed by the client, whose credit pays it.
    Order internal signedOrder;
    bytes internal orderSignature;

    function setUp() public virtual override {
        super.setUp();
        setRoles();
        buildOverdue();
        vm.warp(START + 1000);
        vm.roll(START / 10 + 500);
        buildPresent();
    }

    /* JOBS */

    function buildOverdue() private {
        openAndOverdue = createJob();
        assignedAndOverdue = acceptedJob();
        committedAndOverdue = committedJob();
        overdueBatch = committedBatch(2);
        closedSession = openSession();
        closeAs(CLIENT, closedSession);
        awaited = commitOutput(acceptedJob());
        overdue = challengedJob();
        heldAndOverdue = heldJob();
        // This one's operator is in jail for it.
        overAirgap = committedBy(JAILED_WORKER);
        challenge(overAirgap);
        inAirgap = committedBy(OTHER_WORKER);
        challenge(inAirgap);
        vm.prank(OWNER);
        vault.requestUnbond(ETH, 1 ether);
        warpPast(game.getDispute(overAirgap).proveBy);
        game.claimDefault(overAirgap);
    }

    function buildPresent() private {
        game.claimDefault(inAirgap);
        openedSession = openSession();
        committedBatchId = commitCount(openedSession, 0, 2);
        open = createJob();
        committed = committedJob();
        due = challengedJob();
        held = heldJob();
        owed = owedJob();
        proofRequired = createProofJob(0.01 ether);
        accept(proofRequired);
        commit(proofRequired);
        assigned = acceptedJob();
        // Credit for the client.
        JobId cancelled = createJob();
        vm.prank(CLIENT);
        market.cancelJob(cancelled);
        vm.prank(OWNER);
        vault.proposeWorker(STRANGER);
        vm.prank(member(0));
        guardian.approve(IGuardian.Action.REFUND);
        // A stranger would earn a keeper's tip.
        vm.prank(OWNER);
        market.finalise(awaited);
        HostileConsumer consumer = new HostileConsumer();
        vm.prank(CLIENT);
        relay.subscribe(awaited, address(consumer), 300_000);
        signOrder();
        announce();
    }

    function committedBy(address worker) private returns (JobId jobId) {
        jobId = createJob();
        vm.startPrank(worker);
        market.acceptJob(jobId);
        market.commitResult(jobId, OUT_DIGEST, "file:output");
        vm.stopPrank();
    }

    function heldJob() private returns (JobId jobId) {
        jobId = committedJob();
        address pinpoint_ = vault.PINPOINT();
        vm.deal(pinpoint_, pinpoint_.balance + BOND);
        vm.startPrank(pinpoint_);
        game.holdFor(jobId, OUT_DIGEST);
        vault.addBond{value: BOND}(jobId, CHALLENGER, uint96(BOND));
        vm.stopPrank();
    }

    function owedJob() private returns (JobId jobId) {
        jobId = commitOutput(acceptedJob());
        uint256 payment = market.computeDeliveryPayment(jobId);
        vm.prank(CLIENT);
        market.requestDelivery{value: payment}(jobId);
    }

    function commitOutput(JobId jobId) private returns (JobId) {
        bytes memory tile = abi.encodePacked(OUTPUT, new bytes(1024 - OUTPUT.length));
        bytes32 leaf = keccak256(abi.encodePacked(uint8(0), uint64(0), sha256(tile)));
        bytes32 digest = keccak256(abi.encodePacked(uint8(2), uint8(1), uint8(2), uint32(1), uint32(64), leaf));
        vm.prank(WORKER);
        market.commitResult(jobId, digest, "file:output");
        return jobId;
    }

    function signOrder() private {
        signedOrder = Order({
            client: CLIENT,
            version: version,
            inDigest: IN_DIGEST,
            token: ETH,
            minFee: FEE,
            maxFee: FEE,
            rampStart: 0,
            rampEnd: 0,
            takeUntil: type(uint40).max,
            verifyMask: 0,
            salt: 0
        });
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(1, orders.hashOrder(signedOrder));
        orderSignature = abi.encodePacked(r, s, v);
    }

    function dims() internal pure returns (uint32[] memory list) {
        list = new uint32[](2);
        (list[0], list[1]) = (1, 64);
    }

    /* EVIDENCE */

    function equivocation() internal view returns (SignedResult memory first, SignedResult memory second) {
        first = SignedResult("one", sign("one"));
        second = SignedResult("two", sign("two"));
    }

    /// @dev Announced by the challenger, a block ago.
    function announce() private {
        (SignedResult memory first, SignedResult memory second) = equivocation();
        vm.prank(CHALLENGER);
        game.announceEvidence(keccak256(abi.encode(CHALLENGER, assigned, first, second, bytes32(0))));
        vm.roll(START / 10 + 501);
    }

    function sign(bytes32 outDigest) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(3, game.hashResult(assigned, outDigest));
        return abi.encodePacked(r, s, v);
    }
}
