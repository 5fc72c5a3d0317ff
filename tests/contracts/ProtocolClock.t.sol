// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {ClockStub} from "../../contracts/mocks/ClockStub.sol";
import {Cheats} from "./Cheats.sol";

/// @notice The clock alone, with a guardian that is one key.
contract ProtocolClockTest is Cheats {
    uint256 private constant START = 1_000_000;
    uint256 private constant MAX_PAUSE = 259_200;
    uint256 private constant COOL_DOWN = 1_209_600;

    address private immutable GUARDIAN = vm.addr(1);
    address private immutable STRANGER = vm.addr(2);

    ClockStub private clock;

    function setUp() public {
        vm.warp(START);
        clock = new ClockStub(GUARDIAN);
    }

    function pause() private {
        vm.prank(GUARDIAN);
        clock.pause();
    }

    function unpause() private {
        vm.prank(GUARDIAN);
        clock.unpause();
    }

    function enterRefundMode() private {
        vm.prank(GUARDIAN);
        clock.enterRefundMode();
    }

    function expectPaused(uint256 until) private {
        vm.expectRevert(abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, until));
    }

    function expectTooSoon(uint256 allowedAt, uint256 time) private {
        vm.expectRevert(abi.encodeWithSelector(IProtocolClock.PauseTooSoon.selector, allowedAt, time));
    }

    /* WHO */

    function test_guardian_functions__by_another__revert() public {
        bytes memory expected = abi.encodeWithSelector(IProtocolClock.NotGuardian.selector, STRANGER);
        vm.startPrank(STRANGER);
        vm.expectRevert(expected);
        clock.pause();
        vm.expectRevert(expected);
        clock.unpause();
        vm.expectRevert(expected);
        clock.enterRefundMode();
        vm.stopPrank();
        assertEq(clock.GUARDIAN(), GUARDIAN, "guardian");
    }

    /* BOUNDS */

    function test_pause__bounds_are_those_of_the_design() public view {
        assertEq(clock.MAX_PAUSE(), MAX_PAUSE, "72 hours");
        assertEq(clock.COOL_DOWN(), COOL_DOWN, "14 days");
    }

    function test_pause__while_it_stands__reverts() public {
        pause();
        expectTooSoon(START + MAX_PAUSE + COOL_DOWN, START);
        pause();
    }

    function test_pause__within_the_cool_down__reverts() public {
        pause();
        vm.warp(START + 100);
        unpause();
        vm.warp(START + 100 + COOL_DOWN - 1);
        expectTooSoon(START + 100 + COOL_DOWN, START + 100 + COOL_DOWN - 1);
        pause();
        vm.warp(START + 100 + COOL_DOWN);
        pause();
        assertTrue(clock.isPaused(), "allowed one second later");
    }

    function test_pause__within_the_cool_down_of_one_that_nobody_ended__reverts() public {
        pause();
        uint256 allowedAt = START + MAX_PAUSE + COOL_DOWN;
        vm.warp(allowedAt - 1);
        expectTooSoon(allowedAt, allowedAt - 1);
        pause();
        vm.warp(allowedAt);
        pause();
        assertTrue(clock.isPaused(), "allowed one second later");
    }

    function test_pause__after_an_early_end_then_a_full_one__cools_down_from_the_later() public {
        pause();
        unpause();
        vm.warp(START + COOL_DOWN);
        pause();
        uint256 allowedAt = START + COOL_DOWN + MAX_PAUSE + COOL_DOWN;
        vm.warp(allowedAt - 1);
        expectTooSoon(allowedAt, allowedAt - 1);
        pause();
    }

    function test_pause__in_the_refund_mode__reverts() public {
        enterRefundMode();
        vm.expectRevert(IProtocolClock.InRefundMode.selector);
        pause();
    }

    function test_unpause__without_pause__reverts() public {
        vm.expectRevert(IProtocolClock.NotPaused.selector);
        unpause();
        pause();
        unpause();
        vm.expectRevert(IProtocolClock.NotPaused.selector);
        unpause();
    }

    function test_unpause__after_the_longest_pause__reverts() public {
        pause();
        vm.warp(START + MAX_PAUSE);
        vm.expectRevert(IProtocolClock.NotPaused.selector);
        unpause();
    }

    /* THE CLOCK */

    function test_clock__runs_like_the_chain_without_pauses(uint32 time) public {
        vm.warp(time);
        assertEq(clock.clock(), time, "clock");
        assertEq(clock.step(), time, "step");
    }

    function test_clock__stands_while_paused() public {
        vm.expectEmit(address(clock));
        emit IProtocolClock.Paused(START + MAX_PAUSE);
        pause();
        assertTrue(clock.isPaused(), "paused at once");
        vm.warp(START + MAX_PAUSE - 1);
        assertEq(clock.clock(), START, "stands");
        assertTrue(clock.isPaused(), "paused");
        expectPaused(START + MAX_PAUSE);
        clock.step();
        expectPaused(START + MAX_PAUSE);
        clock.stepInAnyMode();
    }

    function test_clock__after_the_longest_pause__goes_on_by_itself() public {
        pause();
        vm.warp(START + MAX_PAUSE);
        assertTrue(!clock.isPaused(), "over");
        assertEq(clock.step(), START, "goes on where it stood");
        vm.warp(START + MAX_PAUSE + 7);
        assertEq(clock.step(), START + 7, "runs");
    }

    function test_clock__after_an_early_end__goes_on() public {
        pause();
        vm.warp(START + 100);
        vm.expectEmit(address(clock));
        emit IProtocolClock.Unpaused(100);
        unpause();
        assertTrue(!clock.isPaused(), "over");
        assertEq(clock.step(), START, "goes on where it stood");
        vm.warp(START + 105);
        assertEq(clock.step(), START + 5, "runs");
    }

    /// @dev I19, over pauses ended early and pauses left to themselves: the clock never goes back, never runs faster
    /// than the chain, and never moves in a second in which no step was possible.
    function test_clock__any_pauses__counts_exactly_the_seconds_in_which_steps_were_possible(uint32[6] memory lengths)
        public
    {
        uint256 time = START;
        uint256 counted = START;
        for (uint256 i = 0; i < lengths.length; ++i) {
            pause();
            uint256 length = bound(lengths[i], 0, 2 * MAX_PAUSE);
            if (length < MAX_PAUSE) {
                vm.warp(time + length);
                unpause();
            } else {
                length = MAX_PAUSE;
            }
            time += length + COOL_DOWN;
            counted += COOL_DOWN;
            vm.warp(time);
            assertEq(clock.clock(), counted, "clock");
            assertEq(clock.step(), counted, "step");
        }
    }

    /* REFUND MODE */

    function test_enterRefundMode__twice__reverts() public {
        enterRefundMode();
        vm.expectRevert(IProtocolClock.InRefundMode.selector);
        enterRefundMode();
    }

    function test_enterRefundMode__ends_all_steps_but_refunds() public {
        vm.expectRevert(IProtocolClock.NotInRefundMode.selector);
        clock.stepInRefundMode();
        vm.expectEmit(address(clock));
        emit IProtocolClock.RefundModeEntered();
        enterRefundMode();
        assertTrue(clock.isRefundMode(), "refund mode");
        vm.expectRevert(IProtocolClock.InRefundMode.selector);
        clock.step();
        assertEq(clock.stepInRefundMode(), START, "refunds");
        vm.warp(START + 5);
        assertEq(clock.stepInAnyMode(), START + 5, "a slash may still be divided");
    }

    function test_enterRefundMode__during_a_pause__refunds_do_not_wait_for_its_end() public {
        pause();
        vm.warp(START + 50);
        enterRefundMode();
        assertEq(clock.stepInRefundMode(), START, "refunds, on the standing clock");
        expectPaused(START + MAX_PAUSE);
        clock.stepInAnyMode();
        unpause();
        vm.warp(START + 60);
        assertEq(clock.stepInAnyMode(), START + 10, "goes on");
    }

    /* COST */

    function test_step__reads_one_word_once() public {
        pause();
        vm.warp(START + MAX_PAUSE + 1);
        vm.record();
        clock.step();
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(clock));
        assertEq(reads.length, 1, "reads");
        assertEq(writes.length, 0, "writes");
    }
}
