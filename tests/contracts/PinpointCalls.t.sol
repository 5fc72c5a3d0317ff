// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {TraceTree} from "../../contracts/libraries/TraceTree.sol";
import {PinpointScene} from "./PinpointScene.sol";

/// @notice Each entry point of the game of pinpointing by each role (I27), and each kind of bad input to each of them: out
/// of place, damaged in any word, with money, with any amount of gas, with a failing precompile.
contract PinpointCallsTest is PinpointScene {
    uint256 private constant LAST_BIT = 1;
    uint256 private constant FIRST_BIT = 1 << 255;

    /* OUT OF PLACE */

    function test_calls__in_a_pause() public {
        for (uint256 i = 0; i < calls.length; ++i) {
            if (calls[i].mode == Mode.REFUND) continue;
            uint256 id = vm.snapshotState();
            vm.prank(address(guardian));
            market.pause();
            check(calls[i], calls[i].refusals.paused, "paused");
            vm.revertToState(id);
        }
    }

    function test_calls__in_the_refund_mode() public {
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 id = vm.snapshotState();
            enterRefundMode();
            check(calls[i], calls[i].refusals.refunding, "refund mode");
            vm.revertToState(id);
        }
    }

    function test_calls__twice() public {
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 id = vm.snapshotState();
            setMode(calls[i].mode);
            check(calls[i], 0, "once");
            check(calls[i], calls[i].refusals.again, "twice");
            vm.revertToState(id);
        }
    }

    function test_calls__when_the_result_is_proven() public {
        uint256 count;
        for (uint256 i = 0; i < calls.length; ++i) {
            Call memory c = calls[i];
            if (c.refusals.proven == 0) continue;
            uint256 id = vm.snapshotState();
            challengeAs(REGISTRANT, c.jobId);
            proveAs(WORKER, c.jobId);
            check(c, c.refusals.proven, "proven");
            vm.revertToState(id);
            ++count;
        }
        assertEq(count, calls.length - 5, "all whose window is not over");
    }

    function test_calls__when_every_clock_is_over() public {
        vm.warp(block.timestamp + 1000);
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 id = vm.snapshotState();
            setMode(calls[i].mode);
            check(calls[i], calls[i].refusals.late, "late");
            vm.revertToState(id);
        }
    }

    function setMode(Mode mode_) private {
        if (mode_ == Mode.REFUND) enterRefundMode();
    }

    function check(Call memory c, bytes4 refusal, string memory what) private {
        what = string.concat(c.name, ": ", what);
        bytes32 before = digestOf(c);
        vm.prank(c.caller);
        (bool success, bytes memory got) = address(pins).call{value: c.value}(c.data);
        if (refusal == 0) assertTrue(success, what);
        else assertEq(bytes32(success ? bytes4(0) : bytes4(got)), bytes32(refusal), what);
        assertTrue(success != (digestOf(c) == before), string.concat(what, ": state"));
    }

    function digestOf(Call memory c) private view returns (bytes32) {
        return keccak256(abi.encode(snapshot(c.jobId), stateOf(c.jobId, c.key)));
    }

    /* DAMAGED */

    function test_calls__with_a_bit_of_any_word_changed() public {
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 id = vm.snapshotState();
            Call memory c = calls[i];
            setMode(c.mode);
            assertEq(damage(c, FIRST_BIT) + damage(c, LAST_BIT), c.free, c.name);
            vm.revertToState(id);
        }
    }

    /// @return free Words of which the bit does not count.
    function damage(Call memory c, uint256 bit) private returns (uint256 free) {
        bytes memory data = c.data;
        bytes32 before = digestOf(c);
        for (uint256 at = 36; at < data.length + 32; at += 32) {
            flip(data, at, bit);
            uint256 id = vm.snapshotState();
            vm.prank(c.caller);
            (bool success, bytes memory got) = address(pins).call{value: c.value}(data);
            if (success) {
                ++free;
                vm.revertToState(id);
            } else {
                assertTrue(got.length == 0 || bytes4(got) != bytes4(keccak256("Panic(uint256)")), c.name);
            }
            flip(data, at, bit);
        }
        assertEq(digestOf(c), before, c.name);
    }

    function flip(bytes memory data, uint256 at, uint256 bit) private pure {
        // Equivalent to changing the bit of the word of data that begins at byte at - 32
        assembly ("memory-safe") {
            let place := add(data, at)
            mstore(place, xor(mload(place), bit))
        }
    }

    /* WITH MONEY */

    function test_calls__with_money() public {
        uint256 refused;
        for (uint256 i = 0; i < calls.length; ++i) {
            Call memory c = calls[i];
            if (c.value != 0) continue;
            vm.prank(c.caller);
            (bool success,) = address(pins).call{value: 1}(c.data);
            assertTrue(!success, c.name);
            ++refused;
        }
        assertEq(refused, calls.length - 3, "all but those that take a bond");
    }

    /* WITH ANY AMOUNT OF GAS */

    function test_calls__with_any_amount_of_gas() public {
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 id = vm.snapshotState();
            setMode(calls[i].mode);
            starve(calls[i]);
            vm.revertToState(id);
        }
    }

    /// @dev All of a call happens or nothing.
    function starve(Call memory c) private {
        bytes32 before = digestOf(c);
        uint256 id = vm.snapshotState();
        vm.prank(c.caller);
        uint256 used = gasleft();
        (bool success,) = address(pins).call{value: c.value}(c.data);
        used -= gasleft();
        bytes32 done = digestOf(c);
        vm.revertToState(id);
        assertTrue(success, c.name);
        for (uint256 step = 1; step <= 40; ++step) {
            id = vm.snapshotState();
            vm.prank(c.caller);
            (success,) = address(pins).call{gas: used * step / 32, value: c.value}(c.data);
            assertEq(digestOf(c), success ? done : before, c.name);
            vm.revertToState(id);
        }
        assertTrue(success, c.name);
    }

    /* WITH A FAILING PRECOMPILE */

    function test_calls__without_sha256() public {
        uint256 refused;
        vm.mockCallRevert(address(2), "", "");
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 id = vm.snapshotState();
            setMode(calls[i].mode);
            bool isHashed = keccak256(bytes(calls[i].name)) == keccak256("PinpointGame.revealTile");
            check(calls[i], isHashed ? TraceTree.Sha256Failed.selector : bytes4(0), "without sha256");
            vm.revertToState(id);
            if (isHashed) ++refused;
        }
        assertEq(refused, 1, "what hashes a tile");
    }
}
