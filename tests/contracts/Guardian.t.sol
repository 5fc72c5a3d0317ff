// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Guardian} from "../../contracts/core/Guardian.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {ClockStub} from "../../contracts/mocks/ClockStub.sol";
import {Cheats} from "./Cheats.sol";

/// @notice Three members and the clock that they may stop.
contract GuardianTest is Cheats {
    uint256 private constant START = 1_000_000;
    uint256 private constant DAY = 86_400;

    address private immutable STRANGER = vm.addr(9);

    Guardian private guardian;
    ClockStub private clock;

    function setUp() public {
        vm.warp(START);
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        guardian = new Guardian([member(0), member(1), member(2)], predicted);
        clock = new ClockStub(address(guardian));
        assertEq(guardian.MARKET(), address(clock), "market");
    }

    function member(uint256 index) private pure returns (address) {
        return vm.addr(1 + index);
    }

    function approve(uint256 index, IGuardian.Action action) private {
        vm.prank(member(index));
        guardian.approve(action);
    }

    /* MEMBERS */

    function test_constructor__bad_member__reverts() public {
        (address a, address b) = (vm.addr(1), vm.addr(2));
        checkBad([address(0), a, b], address(0));
        checkBad([a, address(0), b], address(0));
        checkBad([a, b, address(0)], address(0));
        checkBad([a, a, b], a);
        checkBad([a, b, a], a);
        checkBad([a, b, b], b);
    }

    function checkBad(address[3] memory members, address bad) private {
        vm.expectRevert(abi.encodeWithSelector(IGuardian.BadMember.selector, bad));
        new Guardian(members, address(clock));
    }

    function test_isMember__knows_its_three() public view {
        for (uint256 i = 0; i < 3; ++i) {
            assertTrue(guardian.isMember(member(i)), "member");
        }
        assertTrue(!guardian.isMember(STRANGER), "stranger");
        assertTrue(!guardian.isMember(address(0)), "nobody");
    }

    function test_approve_and_withdrawApproval__by_a_stranger__revert() public {
        vm.startPrank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.NotMember.selector, STRANGER));
        guardian.approve(IGuardian.Action.PAUSE);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.NotMember.selector, STRANGER));
        guardian.withdrawApproval(IGuardian.Action.PAUSE);
        vm.stopPrank();
    }

    /* TWO OF THREE */

    function test_approve__one__is_not_enough() public {
        vm.expectEmit(address(guardian));
        emit IGuardian.ActionApproved(IGuardian.Action.PAUSE, member(0), START + DAY);
        approve(0, IGuardian.Action.PAUSE);
        assertTrue(!clock.isPaused(), "one member pauses nothing");
    }

    function test_approve__the_same_member_twice__reverts() public {
        approve(0, IGuardian.Action.PAUSE);
        vm.warp(START + DAY);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.AlreadyApproved.selector, member(0), IGuardian.Action.PAUSE));
        approve(0, IGuardian.Action.PAUSE);
    }

    function test_approve__two_for_different_actions__does_nothing() public {
        approve(0, IGuardian.Action.PAUSE);
        approve(1, IGuardian.Action.REFUND);
        assertTrue(!clock.isPaused() && !clock.isRefundMode(), "nothing");
    }

    function test_approve__any_two__pause() public {
        for (uint256 first = 0; first < 3; ++first) {
            for (uint256 second = 0; second < 3; ++second) {
                if (first == second) continue;
                uint256 state = vm.snapshotState();
                approve(first, IGuardian.Action.PAUSE);
                vm.expectEmit(address(guardian));
                emit IGuardian.ActionExecuted(IGuardian.Action.PAUSE);
                approve(second, IGuardian.Action.PAUSE);
                assertTrue(clock.isPaused(), "paused");
                vm.revertToState(state);
            }
        }
    }

    function test_approve__each_action__does_its_own() public {
        approve(0, IGuardian.Action.PAUSE);
        approve(1, IGuardian.Action.PAUSE);
        assertTrue(clock.isPaused() && !clock.isRefundMode(), "paused");
        approve(1, IGuardian.Action.UNPAUSE);
        approve(2, IGuardian.Action.UNPAUSE);
        assertTrue(!clock.isPaused() && !clock.isRefundMode(), "runs");
        approve(0, IGuardian.Action.REFUND);
        approve(2, IGuardian.Action.REFUND);
        assertTrue(clock.isRefundMode() && !guardian.renounced(), "refunds");
    }

    function test_approve__second_on_the_last_second__executes() public {
        approve(0, IGuardian.Action.PAUSE);
        vm.warp(START + DAY);
        approve(1, IGuardian.Action.PAUSE);
        assertTrue(clock.isPaused(), "paused");
    }

    function test_approve__second_too_late__counts_as_the_first() public {
        approve(0, IGuardian.Action.PAUSE);
        vm.warp(START + DAY + 1);
        approve(1, IGuardian.Action.PAUSE);
        assertTrue(!clock.isPaused(), "not paused");
        approve(0, IGuardian.Action.PAUSE);
        assertTrue(clock.isPaused(), "paused");
    }

    function test_approve__executed__approvals_of_any_two_serve_once() public {
        for (uint256 alone = 0; alone < 3; ++alone) {
            (uint256 first, uint256 second) = ((alone + 1) % 3, (alone + 2) % 3);
            uint256 state = vm.snapshotState();
            approve(first, IGuardian.Action.PAUSE);
            approve(second, IGuardian.Action.PAUSE);
            approve(first, IGuardian.Action.UNPAUSE);
            approve(second, IGuardian.Action.UNPAUSE);
            // With an approval that was spent, the clock would refuse a second pause so soon.
            approve(alone, IGuardian.Action.PAUSE);
            assertTrue(!clock.isPaused(), "the third alone does nothing");
            vm.revertToState(state);
        }
    }

    function test_approve__what_the_clock_refuses__reverts_and_keeps_the_first() public {
        approve(0, IGuardian.Action.UNPAUSE);
        vm.expectRevert(IProtocolClock.NotPaused.selector);
        approve(1, IGuardian.Action.UNPAUSE);
        approve(1, IGuardian.Action.PAUSE);
        approve(2, IGuardian.Action.PAUSE);
        approve(1, IGuardian.Action.UNPAUSE);
        assertTrue(!clock.isPaused(), "the first approval still counts");
    }

    /* TAKING BACK */

    function test_withdrawApproval__without_one__reverts() public {
        bytes memory expected =
            abi.encodeWithSelector(IGuardian.NotApproved.selector, member(0), IGuardian.Action.PAUSE);
        vm.expectRevert(expected);
        vm.prank(member(0));
        guardian.withdrawApproval(IGuardian.Action.PAUSE);
        approve(0, IGuardian.Action.PAUSE);
        vm.warp(START + DAY + 1);
        vm.expectRevert(expected);
        vm.prank(member(0));
        guardian.withdrawApproval(IGuardian.Action.PAUSE);
    }

    function test_withdrawApproval__counts_no_more() public {
        approve(0, IGuardian.Action.PAUSE);
        vm.expectEmit(address(guardian));
        emit IGuardian.ApprovalWithdrawn(IGuardian.Action.PAUSE, member(0));
        vm.prank(member(0));
        guardian.withdrawApproval(IGuardian.Action.PAUSE);
        approve(1, IGuardian.Action.PAUSE);
        assertTrue(!clock.isPaused(), "not paused");
    }

    /* RENOUNCING */

    function test_approve__renounced__ends_all_power_for_ever() public {
        approve(0, IGuardian.Action.PAUSE);
        approve(0, IGuardian.Action.RENOUNCE);
        approve(2, IGuardian.Action.RENOUNCE);
        assertTrue(guardian.renounced(), "renounced");
        for (uint256 action = 0; action < 4; ++action) {
            vm.expectRevert(IGuardian.GuardianRenounced.selector);
            approve(1, IGuardian.Action(action));
        }
        assertTrue(!clock.isPaused(), "nothing happened");
    }
}
