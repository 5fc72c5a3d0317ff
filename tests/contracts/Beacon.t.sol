// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBeacon} from "../../contracts/interfaces/IBeacon.sol";
import {Beacon} from "../../contracts/quorum/Beacon.sol";
import {SeedState} from "../../contracts/types/Quorum.sol";
import {Cheats} from "./Cheats.sol";

/// @notice Seeds: asked for before they are decided, fixed before they are forgotten.
contract BeaconTest is Cheats {
    bytes32 private constant KEY = keccak256("key");
    uint256 private constant DELAY = 3;
    uint256 private constant ASKED = 1000;

    Beacon private beacon;

    function setUp() public {
        vm.roll(ASKED);
        beacon = new Beacon(DELAY);
    }

    function assertSeed(SeedState expected) private view {
        assertEq(uint256(beacon.stateOf(address(this), KEY)), uint256(expected), "seed's state");
    }

    function notReady(SeedState state) private view returns (bytes memory) {
        return abi.encodeWithSelector(IBeacon.SeedNotReady.selector, address(this), KEY, state);
    }

    function test_constructor__no_delay_or_forgotten__reverts() public {
        uint256[2] memory delays = [uint256(0), 256];
        for (uint256 i = 0; i < delays.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IBeacon.BadDelay.selector, delays[i]));
            new Beacon(delays[i]);
        }
        assertEq(new Beacon(255).DELAY(), 255, "delay");
    }

    function test_request__twice__reverts_until_missed() public {
        beacon.request(KEY);
        bytes memory reason = abi.encodeWithSelector(IBeacon.AlreadyRequested.selector, address(this), KEY);
        uint256[3] memory blocks = [ASKED, ASKED + DELAY + 1, ASKED + DELAY + 256];
        for (uint256 i = 0; i < blocks.length; ++i) {
            vm.roll(blocks[i]);
            vm.expectRevert(reason);
            beacon.request(KEY);
        }
        vm.roll(ASKED + DELAY + 257);
        assertEq(beacon.request(KEY), ASKED + 2 * DELAY + 257, "block that decides");
        assertSeed(SeedState.WAITING);
    }

    function test_request__fixed__reverts_for_ever() public {
        beacon.request(KEY);
        vm.roll(ASKED + DELAY + 1);
        beacon.fix(address(this), KEY);
        vm.roll(ASKED + 10_000);
        vm.expectRevert(abi.encodeWithSelector(IBeacon.AlreadyRequested.selector, address(this), KEY));
        beacon.request(KEY);
    }

    function test_fix__never_asked_waiting_or_missed__reverts() public {
        vm.expectRevert(notReady(SeedState.NONE));
        beacon.fix(address(this), KEY);
        beacon.request(KEY);
        vm.roll(ASKED + DELAY);
        vm.expectRevert(notReady(SeedState.WAITING));
        beacon.fix(address(this), KEY);
        vm.roll(ASKED + DELAY + 257);
        vm.expectRevert(notReady(SeedState.MISSED));
        beacon.fix(address(this), KEY);
        vm.expectRevert(notReady(SeedState.MISSED));
        beacon.seedOf(address(this), KEY);
    }

    function test_fix__by_anybody__at_the_first_and_the_last_block() public {
        uint256[2] memory ages = [DELAY + 1, DELAY + 256];
        for (uint256 i = 0; i < ages.length; ++i) {
            bytes32 key = keccak256(abi.encode(i));
            uint256 asked = block.number;
            beacon.request(key);
            vm.roll(asked + ages[i]);
            assertEq(uint256(beacon.stateOf(address(this), key)), uint256(SeedState.READY), "ready");
            vm.prank(vm.addr(9));
            bytes32 seed = beacon.fix(address(this), key);
            bytes32 expected = keccak256(abi.encode(blockhash(asked + DELAY), address(this), key));
            assertEq(seed, expected, "seed");
            assertEq(beacon.seedOf(address(this), key), expected, "seed of");
            vm.roll(block.number + 1000);
            assertEq(beacon.fix(address(this), key), expected, "for ever");
        }
    }

    function test_request__of_others__is_theirs() public {
        // Nobody asks in another's name: the seed would be known before what it decides about.
        vm.prank(vm.addr(9));
        beacon.request(KEY);
        assertSeed(SeedState.NONE);
        beacon.request(KEY);
        vm.roll(ASKED + DELAY + 1);
        assertTrue(beacon.fix(address(this), KEY) != beacon.fix(vm.addr(9), KEY), "seeds differ");
    }
}
