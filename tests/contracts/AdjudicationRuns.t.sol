// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Rows} from "../../contracts/adjudication/Rows.sol";
import {Cheats} from "./Cheats.sol";

/// @notice Opens Rows to tests: calldata in place of offsets.
contract RowsHarness {
    function findMaximum(bytes calldata run, uint256 width, uint256 count) external pure returns (int256) {
        return Rows.findMaximum(offsetOf(run), width, count);
    }

    function findFirst(bytes calldata run, uint256 width, int256 value) external pure returns (uint256) {
        return Rows.findFirst(offsetOf(run), width, value);
    }

    function sumEntries(bytes calldata run, uint256 count, int256 maximum, bytes calldata table, uint256 entryWidth)
        external
        pure
        returns (uint256 total, uint256 next)
    {
        (uint256 at, uint256 span) = (offsetOf(run), table.length / entryWidth);
        (total, next) =
            Rows.sumEntries(at, at + count, 1, maximum, 0, span, offsetOf(table), entryWidth, type(uint16).max);
        next -= at;
    }

    function sumBytes(bytes calldata run, uint256 count, int256 maximum, bytes calldata table, uint256 entryWidth)
        external
        pure
        returns (uint256 total, uint256 union, uint256 next)
    {
        uint256 at = offsetOf(run);
        (total, union, next) = Rows.sumBytes(at, at + count, maximum, offsetOf(table), entryWidth);
        next -= at;
    }

    function offsetOf(bytes calldata a) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := a.offset
        }
    }
}

/// @notice Maxima and sums over runs against plain loops. What lies behind a run is never part of it.
contract AdjudicationRunsTest is Cheats {
    RowsHarness private harness;

    function setUp() public {
        harness = new RowsHarness();
    }

    function elementOf(bytes memory run, uint256 width, uint256 k) private pure returns (int256 value) {
        for (uint256 i = 0; i < width; ++i) {
            value = value << 8 | int256(uint256(uint8(run[k * width + i])));
        }
        return value << (256 - 8 * width) >> (256 - 8 * width);
    }

    function checkMaximum(bytes memory run, uint256 width, uint256 count) private view {
        (int256 maximum, uint256 position) = (elementOf(run, width, 0), 0);
        for (uint256 k = 1; k < count; ++k) {
            int256 value = elementOf(run, width, k);
            if (value > maximum) (maximum, position) = (value, k);
        }
        assertEq(uint256(harness.findMaximum(run, width, count)), uint256(maximum), "maximum");
        assertEq(harness.findFirst(run, width, maximum), position, "position");
    }

    function testFuzz_findMaximum__any_run__as_by_a_loop(bytes memory run, uint256 kind, uint256 cut) public view {
        uint256 width = 1 << (kind % 3);
        if (run.length < width) return;
        checkMaximum(run, width, bound(cut, 1, run.length / width));
    }

    function testFuzz_findMaximum__few_values__as_by_a_loop(uint256 seed, uint256 kind, uint256 size) public view {
        uint256 width = 1 << (kind % 3);
        uint256 count = bound(size, 1, 200);
        bytes memory run = new bytes(count * width + 32);
        for (uint256 i = 0; i < run.length; ++i) {
            // 0x7f, 0x80, 0x81, 0xff, 0x00 and 0x01: signs, ends and neighbours.
            run[i] = bytes6(0x7f8081ff0001)[uint256(keccak256(abi.encode(seed, i))) % 6];
        }
        checkMaximum(run, width, count);
    }

    function test_findMaximum__every_place_of_every_width() public view {
        for (uint256 width = 1; width <= 4; width *= 2) {
            for (uint256 k = 0; k < 70; ++k) {
                bytes memory run = new bytes(70 * width + 32);
                for (uint256 i = 0; i < run.length; i += width) {
                    run[i] = 0x80;
                }
                // What lies behind is greater.
                run[70 * width] = 0x7f;
                if (width > 1) run[k * width + width - 1] = 0x01;
                else run[k] = 0x81;
                checkMaximum(run, width, 70);
            }
        }
    }

    function makeTable(uint256 seed, uint256 entryWidth, bool isGood) private pure returns (bytes memory table) {
        table = new bytes(256 * entryWidth);
        for (uint256 i = 0; i < table.length; ++i) {
            bool isLow = entryWidth == 4 && i % 4 < 2; // above 16 bits
            table[i] = isGood && isLow ? bytes1(0) : bytes1(uint8(uint256(keccak256(abi.encode(seed, i)))));
            if (isGood && entryWidth < 4 && i % entryWidth == 0) table[i] &= 0x7f;
        }
    }

    function testFuzz_sumBytes__any_run_and_table__as_one_by_one(
        bytes memory run,
        uint256 seed,
        uint256 kind,
        uint256 cut,
        bool isGood
    ) public view {
        if (run.length == 0) return;
        uint256 count = bound(cut, 1, run.length);
        uint256 entryWidth = 1 << (kind % 3);
        bytes memory table = makeTable(seed, entryWidth, isGood);
        int256 maximum = harness.findMaximum(run, 1, count);
        (uint256 total, uint256 union, uint256 next) = harness.sumBytes(run, count, maximum, table, entryWidth);
        assertEq(next, count / 32 * 32, "whole words");
        (uint256 expected, uint256 end) = harness.sumEntries(run, next, maximum, table, entryWidth);
        assertTrue((union > type(uint16).max) == (end < next), "an entry that is not allowed");
        if (end == next) assertEq(total, expected, "sum");
        if (isGood) assertEq(end, next, "all entries are allowed");
    }

    function testFuzz_sumEntries__any_run_and_table__as_by_a_loop(bytes memory run, uint256 seed, uint256 kind)
        public
        view
    {
        if (run.length == 0) return;
        uint256 entryWidth = 1 << (kind % 3);
        bytes memory table = makeTable(seed, entryWidth, kind % 2 == 0);
        int256 maximum = harness.findMaximum(run, 1, run.length);
        (uint256 total, uint256 k) = (0, 0);
        for (; k < run.length; ++k) {
            int256 entry = elementOf(table, entryWidth, uint256(maximum - elementOf(run, 1, k)));
            if (entry < 0 || entry > int256(uint256(type(uint16).max))) break;
            total += uint256(entry);
        }
        (uint256 got, uint256 next) = harness.sumEntries(run, run.length, maximum, table, entryWidth);
        assertEq(got, total, "sum");
        assertEq(next, k, "stopped at");
    }
}
