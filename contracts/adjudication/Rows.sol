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
        maximum = load(at, width);
        unchecked {
            for (uint256 k = 1; k < count; ++k) {
                int256 value = load(at + k * width, width);
                if (value > maximum) (maximum, position) = (value, k);
            }
        }
    }

    /// @notice Sum and sum of squares of a run.
    function computeSums(uint256 at, uint256 width, uint256 count)
        internal
        pure
        returns (int256 total, uint256 squares)
    {
        unchecked {
            for (uint256 end = at + count * width; at < end; at += width) {
                int256 value = load(at, width);
                total += value;
                squares += uint256(value * value);
            }
        }
    }
}
