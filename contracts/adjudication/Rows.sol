// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Sums and maxima over elements that lie side by side in calldata
/// @notice A run is `count` two's complement big-endian integers of `width` bytes each from calldata offset `at` on.
/// WARNING: the caller has checked that the run lies inside an opened range: calldata has no bounds here.
/// SAFETY: nothing overflows: elements have at most 32 bits and a run at most 2^32 of them, so that a sum of squares
/// stays below 2^96.
library Rows {
    /// @notice The element at calldata offset `at`.
    function load(uint256 at, uint256 width) internal pure returns (int256 value) {
        // Equivalent to value = intN(uintN(bytes at, width)) with N = 8 * width
        assembly ("memory-safe") {
            value := sar(sub(256, shl(3, width)), calldataload(at))
        }
    }

    /// @notice The greatest element of a run that is not empty, and its lowest position.
    function findMaximum(uint256 at, uint256 width, uint256 count)
        internal
        pure
        returns (int256 maximum, uint256 position)
    {
        // Equivalent to maximum = x_0 and, for k = 1 .. count - 1, if x_k > maximum: (maximum, position) = (x_k, k)
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, width))
            let end := add(at, mul(count, width))
            let best := at
            maximum := sar(shift, calldataload(at))
            for { let next := add(at, width) } lt(next, end) { next := add(next, width) } {
                let value := sar(shift, calldataload(next))
                if sgt(value, maximum) {
                    maximum := value
                    best := next
                }
            }
            position := div(sub(best, at), width)
        }
    }

    /// @notice Sum and sum of squares of a run.
    function computeSums(uint256 at, uint256 width, uint256 count)
        internal
        pure
        returns (int256 total, uint256 squares)
    {
        // Equivalent to total = sum of x_k, squares = sum of x_k x_k
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, width))
            for { let end := add(at, mul(count, width)) } lt(at, end) { at := add(at, width) } {
                let value := sar(shift, calldataload(at))
                total := add(total, value)
                squares := add(squares, mul(value, value))
            }
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
}
