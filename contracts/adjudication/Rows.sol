// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Maxima and sums of table entries over elements that lie side by side in calldata
/// @notice A run is `count` two's complement big-endian integers of `width` bytes (1, 2 or 4) from calldata offset `at` on.
/// WARNING: the caller has checked that the run lies inside an opened range: calldata has no bounds here.
library Rows {
    uint256 private constant ONES = type(uint256).max;
    uint256 private constant SIGNS_8 = 0x8080808080808080808080808080808080808080808080808080808080808080;

    /// @notice The element at calldata offset `at`.
    function load(uint256 at, uint256 width) internal pure returns (int256 value) {
        // Equivalent to value = intN(uintN(bytes at, width)) with N = 8 * width
        assembly ("memory-safe") {
            value := sar(sub(256, shl(3, width)), calldataload(at))
        }
    }

    /// @notice The greatest element of a run that is not empty.
    /// @dev Whole words first, a maximum a lane: lanes of twice an element's bits hold every second element of a word, made
    /// unsigned by flipping its sign bit, and above it a bit that a greater maximum would borrow.
    function findMaximum(uint256 at, uint256 width, uint256 count) internal pure returns (int256 maximum) {
        uint256 bits = 8 * width;
        uint256 lanes = ONES / ((1 << bits) + 1); //               an element's bits in each lane
        uint256 above = ONES / ((1 << (2 * bits)) - 1) << bits; // the bit above them
        uint256 signs = ONES / ((1 << bits) - 1) << (bits - 1);
        // Equivalent to maximum = the greatest of x_0 .. x_(count - 1)
        assembly ("memory-safe") {
            let end := add(at, mul(count, width))
            let greatest := 0
            for {} iszero(lt(sub(end, at), 0x20)) { at := add(at, 0x20) } {
                let word := xor(calldataload(at), signs)
                let x := and(word, lanes)
                let kept := and(sub(or(x, above), greatest), above)
                greatest := xor(greatest, and(xor(greatest, x), sub(kept, shr(bits, kept))))
                x := and(shr(bits, word), lanes)
                kept := and(sub(or(x, above), greatest), above)
                greatest := xor(greatest, and(xor(greatest, x), sub(kept, shr(bits, kept))))
            }
            for {} greatest { greatest := shr(shl(1, bits), greatest) } {
                let x := and(greatest, sub(shl(bits, 1), 1))
                if gt(x, maximum) { maximum := x }
            }
            maximum := sub(maximum, shl(sub(bits, 1), 1))
            for {} lt(at, end) { at := add(at, width) } {
                let x := sar(sub(256, bits), calldataload(at))
                if sgt(x, maximum) { maximum := x }
            }
        }
    }

    /// @notice The lowest position of a value in a run.
    /// WARNING: the value must be in the run.
    function findFirst(uint256 at, uint256 width, int256 value) internal pure returns (uint256 position) {
        uint256 bits = 8 * width;
        uint256 ones = ONES / ((1 << bits) - 1);
        uint256 pattern = ones * (uint256(value) & ((1 << bits) - 1));
        // Equivalent to position = the least k with x_k = value
        assembly ("memory-safe") {
            let start := at
            // A word differs in every element if no element of their difference is 0: subtracting one from each then flips
            // no sign bit that was 0.
            for {} 1 { at := add(at, 0x20) } {
                let x := xor(calldataload(at), pattern)
                if and(and(sub(x, ones), not(x)), shl(sub(bits, 1), ones)) { break }
            }
            for {} sub(sar(sub(256, bits), calldataload(at)), value) {} { at := add(at, width) }
            position := div(sub(at, start), width)
        }
    }

    /// @notice The sum of table[maximum - x] over the elements x of [at, end), up to the first whose entry is behind
    /// `span` entries of the table from `first` on or is outside [0, limit].
    /// @param source Calldata offset of the first of these entries, which have `entryWidth` bytes.
    /// @return total The sum.
    /// @return next Calldata offset of that element, or `end`.
    function sumEntries(
        uint256 at,
        uint256 end,
        uint256 width,
        int256 maximum,
        uint256 first,
        uint256 span,
        uint256 source,
        uint256 entryWidth,
        uint256 limit
    ) internal pure returns (uint256 total, uint256 next) {
        // Equivalent to e = table[maximum - x] while 0 <= maximum - x - first < span and 0 <= e <= limit: total += e
        assembly ("memory-safe") {
            maximum := sub(maximum, first)
            let shift := sub(256, shl(3, width))
            let entryShift := sub(256, shl(3, entryWidth))
            for {} lt(at, end) { at := add(at, width) } {
                let k := sub(maximum, sar(shift, calldataload(at)))
                if iszero(lt(k, span)) { break }
                let e := sar(entryShift, calldataload(add(source, mul(k, entryWidth))))
                if gt(e, limit) { break }
                total := add(total, e)
            }
            next := at
        }
    }

    /// @notice The same over the whole words of elements of one byte, where all distances below 256 have entries.
    /// @param maximum None of the elements is greater.
    /// @return total The sum.
    /// @return union All entries in the sum, joined bit by bit: above 2^n - 1 if one of them is outside [0, 2^n - 1].
    /// @return next Calldata offset behind the last whole word.
    function sumBytes(uint256 at, uint256 end, int256 maximum, uint256 source, uint256 entryWidth)
        internal
        pure
        returns (uint256 total, uint256 union, uint256 next)
    {
        // No overflow: a maximum of one byte, made unsigned, in every byte.
        uint256 greatest = ONES / 0xff * uint256(maximum + 0x80);
        // Equivalent to e = table[maximum - x] for each x: total += e, union |= e
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, entryWidth))
            for {} iszero(lt(sub(end, at), 0x20)) { at := add(at, 0x20) } {
                // No byte borrows from another one: none is greater than the maximum.
                let distances := sub(greatest, xor(calldataload(at), SIGNS_8))
                for { let i := 0 } lt(i, 8) { i := add(i, 1) } {
                    let e := sar(shift, calldataload(add(source, mul(byte(0, distances), entryWidth))))
                    total := add(total, e)
                    union := or(union, e)
                    e := sar(shift, calldataload(add(source, mul(byte(1, distances), entryWidth))))
                    total := add(total, e)
                    union := or(union, e)
                    e := sar(shift, calldataload(add(source, mul(byte(2, distances), entryWidth))))
                    total := add(total, e)
                    union := or(union, e)
                    e := sar(shift, calldataload(add(source, mul(byte(3, distances), entryWidth))))
                    total := add(total, e)
                    union := or(union, e)
                    distances := shl(32, distances)
                }
            }
            next := at
        }
    }
}
