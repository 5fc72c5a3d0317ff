// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OrderBook} from "../../contracts/core/OrderBook.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IOrderBook} from "../../contracts/interfaces/IOrderBook.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Job, JobParams, JobState, PROOF_REQUIRED} from "../../contracts/types/Job.sol";
import {Order} from "../../contracts/types/Order.sol";
import {OrderSteps} from "./OrderSteps.sol";

/// @notice Orders by signature: price, payment, and that one order is one job.
contract OrderBookTest is OrderSteps {
    /* CONSTRUCTION */

    function test_orders__of_a_market_with_another_order_book__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.ForeignModule.selector, address(market)));
        new OrderBook(address(market));
    }

    /* WHAT IS SIGNED */

    /// @notice The order and the hash are those of tests/unit/chain/test_typed_data.py.
    function test_hashOrder__is_eip_712_and_what_python_signs() public {
        Order memory o = Order({
            client: 0x1111111111111111111111111111111111111111,
            version: bytes32(uint256(0x03) * (type(uint256).max / 255)),
            inDigest: bytes32(uint256(0x04) * (type(uint256).max / 255)),
            token: ETH,
            minFee: 5,
            maxFee: 9,
            rampStart: 100,
            rampEnd: 200,
            takeUntil: 300,
            verifyMask: 1,
            salt: 6
        });
        address place = 0x2222222222222222222222222222222222222222;
        vm.etch(place, address(orders).code);
        bytes32 expected = 0x4ad944fcbd9e74afca62465a024768425a7eed32153364da0036b8d7be9477c3;
        assertEq(OrderBook(place).hashOrder(o), expected, "hash");
    }

    /* PRICE */

    function test_priceOf__follows_the_ramp() public {
        Order memory o = order();
        uint256[7] memory times =
            [START, RAMP_START, RAMP_START + 1, RAMP_START + 7, RAMP_END - 1, RAMP_END, TAKE_UNTIL + 1 days];
        uint256[7] memory prices =
            [MIN_FEE, MIN_FEE, 0.0021 ether, 0.0027 ether, 0.0039 ether, MAX_FEE, uint256(MAX_FEE)];
        for (uint256 i = 0; i < times.length; ++i) {
            vm.warp(times[i]);
            assertEq(orders.priceOf(o), prices[i], "price");
        }
    }

    function test_priceOf__rounds_down() public {
        Order memory o = order();
        (o.minFee, o.maxFee) = (1, 2);
        vm.warp(RAMP_END - 1);
        assertEq(orders.priceOf(o), 1, "price");
    }

    function test_priceOf__ramp_of_no_length__is_a_step() public {
        Order memory o = order();
        o.rampEnd = o.rampStart;
        vm.warp(RAMP_START - 1);
        assertEq(orders.priceOf(o), MIN_FEE, "before");
        vm.warp(RAMP_START);
        assertEq(orders.priceOf(o), MAX_FEE, "after");
    }

    function test_priceOf__ramp_that_is_none__reverts() public {
        Order memory o = order();
        o.rampEnd = o.rampStart - 1;
        vm.expectRevert(invalidRamp(o));
        orders.priceOf(o);
        o = order();
        o.maxFee = o.minFee - 1;
        vm.expectRevert(invalidRamp(o));
        orders.priceOf(o);
    }

    function invalidRamp(Order memory o) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrderBook.InvalidRamp.selector, o.minFee, o.maxFee, o.rampStart, o.rampEnd);
    }

    /// @notice Within its bounds, never falling, and exact at both ends.
    function testFuzz_priceOf__rises(uint96 a, uint96 b, uint40 from, uint40 to, uint40 first, uint40 second) public {
        Order memory o = order();
        (o.minFee, o.maxFee) = a < b ? (a, b) : (b, a);
        (o.rampStart, o.rampEnd) = from < to ? (from, to) : (to, from);
        (uint256 early, uint256 late) = first < second ? (first, second) : (second, first);
        vm.warp(early);
        uint256 before = orders.priceOf(o);
        vm.warp(late);
        uint256 price = orders.priceOf(o);
        assertLe(before, price, "falls");
        assertLe(o.minFee, before, "below");
        assertLe(price, o.maxFee, "above");
    }

    /* TAKING */

    function test_takeOrder__is_a_job_that_its_worker_has_taken() public {
        Order memory o = order();
        vm.warp(RAMP_START + 7);
        bytes memory signature = sign(CLIENT_KEY, o);
        bytes32 orderHash = orders.hashOrder(o);
        JobId expected = market.computeJobId(termsOfOrder(o, 0.0027 ether));
        vm.expectEmit(address(orders));
        emit IOrderBook.OrderTaken(orderHash, expected, CLIENT, OWNER, 0.0027 ether);
        JobId jobId = take(o, signature);
        assertEq(JobId.unwrap(jobId), JobId.unwrap(expected), "job id");
        assertEq(JobId.unwrap(orders.jobOf(orderHash)), JobId.unwrap(jobId), "job of the order");
        Job memory job = market.getJob(jobId);
        assertState(jobId, JobState.ASSIGNED);
        assertEq(job.client, CLIENT, "client");
        assertEq(job.operator, OWNER, "operator");
        assertEq(job.fee, 0.0027 ether, "fee");
        assertEq(job.deadline, block.timestamp + 20, "deadline");
        assertEq(accountOf(CLIENT).credit, CREDIT - 0.0027 ether, "credit");
        assertEq(vault.getFunds(ETH, jobId).escrow, 0.0027 ether, "escrow");
        assertEq(vault.getFunds(ETH, jobId).lock, 35 * 0.0027 ether, "lock");
        assertConserved();
    }

    function test_takeOrder__job_ends_like_any_other() public {
        JobId jobId = take(order());
        commit(jobId);
        warpPastJob(jobId);
        market.finalise(jobId);
        assertEq(accountOf(OWNER).credit, MIN_FEE - MIN_FEE / 100, "paid");
        assertSettled(jobId);
    }

    function test_takeOrder__in_tokens() public {
        Order memory o = order();
        o.token = address(token);
        JobId jobId = take(o);
        assertEq(tokenAccountOf(CLIENT).credit, CREDIT - MIN_FEE, "token credit");
        assertEq(accountOf(CLIENT).credit, CREDIT, "ETH credit");
        assertEq(vault.getFunds(address(token), jobId).escrow, MIN_FEE, "escrow");
        assertConserved();
    }

    function test_takeOrder__with_a_required_proof__is_never_final_without() public {
        Order memory o = order();
        (o.verifyMask, o.minFee, o.maxFee) = (PROOF_REQUIRED, 0.01 ether, 0.01 ether);
        JobId jobId = take(o);
        commit(jobId);
        warpPastJob(jobId);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.ProofRequired.selector, jobId));
        market.finalise(jobId);
    }

    function test_takeOrder__terms_that_the_market_refuses__reverts() public {
        Order[5] memory wrong = [order(), order(), order(), order(), order()];
        bytes[5] memory reasons;
        (wrong[0].verifyMask, reasons[0]) = (2, abi.encodeWithSelector(IJobMarket.UnsupportedVerifyMask.selector, 2));
        (wrong[1].minFee, reasons[1]) = (0, abi.encodeWithSelector(IJobMarket.ZeroFee.selector));
        (wrong[2].inDigest, reasons[2]) = (0, abi.encodeWithSelector(IJobMarket.ZeroDigest.selector));
        wrong[3].version = "none";
        reasons[3] = abi.encodeWithSelector(IJobMarket.UnknownModelVersion.selector, wrong[3].version);
        (wrong[4].verifyMask, wrong[4].minFee) = (PROOF_REQUIRED, 1);
        uint256 required = market.computeProofFee(version);
        reasons[4] = abi.encodeWithSelector(IJobMarket.FeeBelowProof.selector, 1, required);
        for (uint256 i = 0; i < wrong.length; ++i) {
            checkTakeRefused(WORKER, wrong[i], sign(CLIENT_KEY, wrong[i]), reasons[i]);
        }
    }

    function test_takeOrder__too_late__reverts() public {
        Order memory o = order();
        bytes memory signature = sign(CLIENT_KEY, o);
        bytes32 orderHash = orders.hashOrder(o);
        vm.warp(TAKE_UNTIL + 1);
        bytes memory expected =
            abi.encodeWithSelector(IOrderBook.OrderExpired.selector, orderHash, TAKE_UNTIL, TAKE_UNTIL + 1);
        checkTakeRefused(WORKER, o, signature, expected);
        vm.warp(TAKE_UNTIL);
        take(o, signature);
    }

    function test_takeOrder__no_ramp__reverts() public {
        Order memory o = order();
        o.rampEnd = o.rampStart - 1;
        checkTakeRefused(WORKER, o, sign(CLIENT_KEY, o), invalidRamp(o));
    }

    /* ONE ORDER, ONE JOB */

    function test_takeOrder__again_at_another_price__reverts() public {
        Order memory o = order();
        bytes memory signature = sign(CLIENT_KEY, o);
        JobId jobId = take(o, signature);
        bytes memory expected = abi.encodeWithSelector(IOrderBook.OrderTakenBefore.selector, orders.hashOrder(o), jobId);
        checkTakeRefused(WORKER, o, signature, expected);
        vm.warp(RAMP_END);
        checkTakeRefused(WORKER, o, signature, expected);
        checkTakeRefused(WORKER, o, signCompact(CLIENT_KEY, o), expected);
    }

    function test_takeOrder__again_after_its_job_failed__reverts() public {
        Order memory o = order();
        JobId jobId = take(o);
        warpPastJob(jobId);
        market.failJob(jobId);
        bytes memory signature = sign(CLIENT_KEY, o);
        bytes memory expected = abi.encodeWithSelector(IOrderBook.OrderTakenBefore.selector, orders.hashOrder(o), jobId);
        checkTakeRefused(WORKER, o, signature, expected);
    }

    /// @notice Any part of an order changed is another order, which nobody has signed.
    function test_takeOrder__changed_order__reverts() public {
        Order memory o = order();
        bytes memory signature = sign(CLIENT_KEY, o);
        o.maxFee += 1;
        checkTakeRefused(WORKER, o, signature, invalidSignature(o));
        (o.maxFee, o.takeUntil) = (o.maxFee - 1, o.takeUntil + 1);
        checkTakeRefused(WORKER, o, signature, invalidSignature(o));
        (o.takeUntil, o.token) = (o.takeUntil - 1, address(token));
        checkTakeRefused(WORKER, o, signature, invalidSignature(o));
    }

    function test_takeOrder__signed_for_another_chain_or_book__reverts() public {
        Order memory o = order();
        bytes memory signature = sign(CLIENT_KEY, o);
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        checkTakeRefused(WORKER, o, signature, invalidSignature(o));
        vm.chainId(here);
        address copy = vm.addr(77);
        vm.etch(copy, address(orders).code);
        bytes32 orderHash = OrderBook(copy).hashOrder(o);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.InvalidSignature.selector, orderHash, CLIENT));
        vm.prank(WORKER);
        OrderBook(copy).takeOrder(o, signature, "");
    }

    /// @notice Nobody can take the id of an order's job before: salts of ordinary jobs are 64 bits wide.
    function test_createJob__has_another_id_than_every_order() public {
        Order memory o = order();
        JobParams memory params = jobParams(MIN_FEE);
        params.salt = uint64(uint256(orders.hashOrder(o)));
        createJobAs(CLIENT, params);
        take(o);
    }

    /* WHO CAN TAKE, WHO PAYS */

    function test_takeOrder__not_a_worker__reverts() public {
        Order memory o = order();
        bytes memory signature = sign(CLIENT_KEY, o);
        bytes memory expected = abi.encodeWithSelector(IStakeVault.NotWorker.selector, STRANGER);
        checkTakeRefused(STRANGER, o, signature, expected);
    }

    function test_takeOrder__jailed_operator__reverts() public {
        defaultedJob();
        Order memory o = order();
        o.takeUntil = type(uint40).max;
        uint256 until = vault.getStanding(OWNER).jailedUntil;
        bytes memory expected = abi.encodeWithSelector(IStakeVault.OperatorJailed.selector, OWNER, until);
        checkTakeRefused(WORKER, o, sign(CLIENT_KEY, o), expected);
    }

    function test_takeOrder__too_little_stake__reverts() public {
        Order memory o = order();
        (o.minFee, o.maxFee) = (1 ether, 1 ether);
        fundCredit(CLIENT, ETH, 1 ether);
        bytes memory expected =
            abi.encodeWithSelector(IStakeVault.InsufficientStake.selector, OWNER, STAKE, uint256(35 ether));
        checkTakeRefused(WORKER, o, sign(CLIENT_KEY, o), expected);
    }

    function test_takeOrder__too_little_credit__reverts() public {
        Order memory o = order();
        bytes memory signature = sign(CLIENT_KEY, o);
        vm.prank(CLIENT);
        vault.withdrawCredit(ETH);
        bytes memory expected =
            abi.encodeWithSelector(IStakeVault.InsufficientCredit.selector, CLIENT, 0, uint256(MIN_FEE));
        checkTakeRefused(WORKER, o, signature, expected);
        fundCredit(CLIENT, ETH, MIN_FEE);
        take(o, signature);
    }

    /// @notice More orders than credit: those that come first are jobs.
    function test_takeOrder__more_orders_than_credit__the_first_count() public {
        for (uint256 i = 0; i < 20; ++i) {
            take(order());
        }
        Order memory o = order();
        bytes memory expected =
            abi.encodeWithSelector(IStakeVault.InsufficientCredit.selector, CLIENT, 0, uint256(MIN_FEE));
        checkTakeRefused(WORKER, o, sign(CLIENT_KEY, o), expected);
    }

    /* PAUSE AND REFUNDS */

    function test_takeOrder__paused__reverts_and_loses_no_time() public {
        Order memory o = order();
        vm.warp(RAMP_START + 7);
        actAsGuardian(IGuardian.Action.PAUSE);
        vm.warp(block.timestamp + 10 hours);
        assertEq(orders.priceOf(o), 0.0027 ether, "the price stands");
        uint256 until = RAMP_START + 7 + 72 hours;
        bytes memory expected = abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, until);
        checkTakeRefused(WORKER, o, sign(CLIENT_KEY, o), expected);
        actAsGuardian(IGuardian.Action.UNPAUSE);
        assertEq(market.getJob(take(o)).fee, 0.0027 ether, "fee");
    }

    function test_takeOrder__refund_mode__reverts() public {
        Order memory o = order();
        enterRefundMode();
        checkTakeRefused(WORKER, o, sign(CLIENT_KEY, o), refundMode());
    }

    /* CANCELLING */

    function test_cancelOrder__ends_it() public {
        Order memory o = order();
        bytes32 orderHash = orders.hashOrder(o);
        vm.expectEmit(address(orders));
        emit IOrderBook.OrderCancelled(orderHash, CLIENT);
        cancel(o);
        assertTrue(orders.isCancelled(orderHash), "cancelled");
        assertEq(JobId.unwrap(orders.jobOf(orderHash)), 0, "job");
        bytes memory expected = abi.encodeWithSelector(IOrderBook.OrderWithdrawn.selector, orderHash);
        checkTakeRefused(WORKER, o, sign(CLIENT_KEY, o), expected);
        vm.expectRevert(expected);
        cancel(o);
    }

    function test_cancelOrder__in_a_pause__counts() public {
        Order memory o = order();
        actAsGuardian(IGuardian.Action.PAUSE);
        cancel(o);
        assertTrue(orders.isCancelled(orders.hashOrder(o)), "cancelled");
    }

    function test_cancelOrder__not_the_client__reverts() public {
        Order memory o = order();
        bytes32 orderHash = orders.hashOrder(o);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.NotOrderClient.selector, orderHash, STRANGER, CLIENT));
        vm.prank(STRANGER);
        orders.cancelOrder(o);
    }

    function test_cancelOrder__taken__reverts() public {
        Order memory o = order();
        JobId jobId = take(o);
        bytes32 orderHash = orders.hashOrder(o);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.OrderTakenBefore.selector, orderHash, jobId));
        cancel(o);
    }
}
