// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {DotProduct} from "../../contracts/adjudication/DotProduct.sol";
import {Requantisation, Requantise} from "../../contracts/adjudication/Requantise.sol";
import {Cheats} from "./Cheats.sol";

/// @notice Opens DotProduct to tests: calldata in place of offsets.
contract SumsHarness {
    function dot(bytes calldata a, uint256 widthA, bytes calldata b, uint256 widthB, uint256 count)
        external
        pure
        returns (int256)
    {
        return DotProduct.dot(offsetOf(a), widthA, offsetOf(b), widthB, count);
    }

    function sum(bytes calldata a, uint256 width, uint256 count) external pure returns (int256) {
        return DotProduct.sumOf(offsetOf(a), width, count);
    }

    function offsetOf(bytes calldata a) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := a.offset
        }
    }

    /// @notice A requantisation without table and scale.
    function requantise(uint256 m, uint256 s, uint256 width, uint256 form, int256 lo, int256 hi, int256 acc)
        external
        pure
        returns (int256)
    {
        Requantisation memory r;
        (r.multiplier, r.shift, r.width, r.form, r.lo, r.hi) = (int256(m), s, width, form, lo, hi);
        return Requantise.compute(r, acc, 0);
    }
}

contract AdjudicationSumsTest is Cheats {
    /// @dev A word of ones of 8 or 16 bits.
    uint256 private constant ONES_8 = type(uint256).max / 0xff;
    uint256 private constant ONES_16 = type(uint256).max / 0xffff;

    SumsHarness private harness;

    function setUp() public {
        harness = new SumsHarness();
    }

    function requireEq(int256 got, int256 expected) private pure {
        assertEq(uint256(got), uint256(expected), "signed");
    }

    /* DOT PRODUCTS AND SUMS */

    function test_dot_ofWiderElements_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(DotProduct.UnsupportedWidth.selector, 4));
        harness.dot(new bytes(32), 1, new bytes(32), 4, 8);
        vm.expectRevert(abi.encodeWithSelector(DotProduct.UnsupportedWidth.selector, 4));
        harness.sum(new bytes(32), 4, 8);
    }

    function test_dot_ofExtremes_isExact() public view {
        checkExtremes(1, 1, 33);
        checkExtremes(1, 2, 17);
        checkExtremes(2, 2, 31);
        // More than a kernel takes at once, and enough to overflow a lane if it took them.
        checkExtremes(1, 1, 70001);
        checkExtremes(1, 2, 70001);
        checkExtremes(2, 2, 70001);
    }

    function checkExtremes(uint256 widthA, uint256 widthB, uint256 count) private view {
        (int256 lowA, int256 lowB) = (-int256(1 << (8 * widthA - 1)), -int256(1 << (8 * widthB - 1)));
        bytes[2] memory a = [repeat(lowA, widthA, count), repeat(-lowA - 1, widthA, count)];
        bytes[2] memory b = [repeat(lowB, widthB, count), repeat(-lowB - 1, widthB, count)];
        int256 n = int256(count);
        requireEq(harness.dot(a[0], widthA, b[0], widthB, count), n * lowA * lowB);
        requireEq(harness.dot(a[1], widthA, b[1], widthB, count), n * (-lowA - 1) * (-lowB - 1));
        requireEq(harness.dot(b[0], widthB, a[1], widthA, count), n * lowB * (-lowA - 1));
        requireEq(harness.sum(a[0], widthA, count), n * lowA);
        requireEq(harness.sum(b[1], widthB, count), n * (-lowB - 1));
    }

    function testFuzz_dot_ofRandomElements_equalsLoop(bytes calldata a, bytes calldata b, uint256 widths) public view {
        (uint256 widthA, uint256 widthB) = (1 + (widths & 1), 1 + ((widths >> 1) & 1));
        (uint256 countA, uint256 countB) = (a.length / widthA, b.length / widthB);
        uint256 count = countA < countB ? countA : countB;
        (int256 dot, int256 sum) = (int256(0), int256(0));
        for (uint256 k = 0; k < count; ++k) {
            dot += elementOf(a, widthA, k) * elementOf(b, widthB, k);
            sum += elementOf(a, widthA, k);
        }
        requireEq(harness.dot(a, widthA, b, widthB, count), dot);
        requireEq(harness.sum(a, widthA, count), sum);
    }

    function elementOf(bytes calldata a, uint256 width, uint256 k) private pure returns (int256) {
        if (width == 1) return int8(uint8(a[k]));
        return int16(uint16(bytes2(a[2 * k:2 * k + 2])));
    }

    function repeat(int256 value, uint256 width, uint256 count) private pure returns (bytes memory content) {
        content = new bytes(count * width);
        uint256 word = width == 1 ? uint8(uint256(value)) * ONES_8 : uint16(uint256(value)) * ONES_16;
        assembly ("memory-safe") {
            let at := add(content, 0x20)
            let end := add(at, mload(content))
            for {} lt(add(at, 0x1f), end) { at := add(at, 0x20) } { mstore(at, word) }
            for {} lt(at, end) { at := add(at, 1) } { mstore8(at, byte(and(sub(at, add(content, 0x20)), 0x1f), word)) }
        }
    }

    /* REQUANTISATION */

    function test_requantise_ties_roundUp() public view {
        int16[8] memory accs = [int16(-7), -6, -5, -2, 2, 5, 6, 7];
        int16[8] memory expected = [int16(-2), -1, -1, 0, 1, 1, 2, 2];
        for (uint256 i = 0; i < accs.length; ++i) {
            requireEq(harness.requantise(1, 2, 8, 0, -128, 127, accs[i]), expected[i]);
        }
    }

    function test_requantise_wideQuotients_saturate() public view {
        requireEq(harness.requantise(1, 1, 17, 0, -32768, 32767, 200_000), 32767);
        requireEq(harness.requantise(1, 1, 32, 0, -32768, 32767, -200_000), -32768);
        requireEq(harness.requantise(1, 1, 32, 1, -100, 100, -200_000), 0);
        requireEq(harness.requantise(1, 1, 16, 1, 5, 100, -200_000), 5);
        requireEq(harness.requantise(1, 1, 16, 0, -128, 127, 200_000), 127);
    }

    function test_requantise_accumulatorTooLarge_reverts() public {
        int256 bound = 1 << 47;
        vm.expectRevert(abi.encodeWithSelector(Requantise.AccumulatorTooLarge.selector, bound));
        harness.requantise(1, 1, 32, 0, -128, 127, bound);
        vm.expectRevert(abi.encodeWithSelector(Requantise.AccumulatorTooLarge.selector, -bound));
        harness.requantise(1, 1, 32, 0, -128, 127, -bound);
        requireEq(harness.requantise(32767, 62, 32, 0, -128, 127, bound - 1), 1);
        requireEq(harness.requantise(32767, 62, 32, 0, -128, 127, 1 - bound), -1);
    }

    function testFuzz_requantise_anyAccumulator_roundsLikeDivision(int48 acc, uint256 m, uint256 s, bool isWide)
        public
        view
    {
        if (acc == type(int48).min) acc = 0;
        (m, s) = (1 + m % 32767, 1 + s % 62);
        int256 t = divideRounded(acc * int256(m), int256(1) << s);
        if (isWide && t > 32767) t = 32767;
        if (isWide && t < -32768) t = -32768;
        if (t > 120) t = 120;
        if (t < -100) t = -100;
        requireEq(harness.requantise(m, s, isWide ? 20 : 16, 0, -100, 120, acc), t);
    }

    /// @dev x / unit to the nearest number, halves up, without a shift of a negative number; unit is even.
    function divideRounded(int256 x, int256 unit) private pure returns (int256 t) {
        int256 raised = x + unit / 2;
        t = raised / unit;
        if (raised < 0 && raised % unit != 0) t -= 1;
    }
}
