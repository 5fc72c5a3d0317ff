// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Constants of the range check, one value a lane; see areInside.
struct Lanes {
    uint256 mask; //     the lower half of every lane
    uint256 signs; //    the sign bits of all elements
    uint256 tops; //     T
    uint256 lower; //    T - lo
    uint256 upper; //    T + hi
    uint256 filler; //   lo in every element, for what lies behind the last one
}

/// @title Range check of a tensor's elements: row-major, two's complement, big-endian
library TensorRange {
    /// @notice Looks for an element outside [lo, hi].
    /// @param width Bytes of an element: 1, 2 or 4; the caller has checked that they divide the length.
    /// @return found Whether there is one.
    /// @return position The first one's index.
    /// @return value The element.
    function findOutside(bytes calldata data, uint256 width, int256 lo, int256 hi)
        internal
        pure
        returns (bool found, uint256 position, int256 value)
    {
        if (areInside(data, 8 * width, lo, hi)) return (false, 0, 0);
        for (uint256 count = data.length / width; position < count; ++position) {
            // Equivalent to value = int(data[width * position : width * (position + 1)])
            assembly ("memory-safe") {
                value := sar(sub(256, shl(3, width)), calldataload(add(data.offset, mul(width, position))))
            }
            if (value < lo || value > hi) return (true, position, value);
        }
        return (false, 0, 0);
    }

    /// @notice Whether all elements lie in [lo, hi], a word of calldata at a time. May say no when the answer is yes:
    /// if a bound lies outside the element's type.
    /// @dev Elements become unsigned by flipping their sign bits. Every second one, widened to a lane of twice its bits
    /// with top bit T, is compared with both bounds at once: x >= lo iff x + T - lo has the bit T, and x <= hi iff
    /// T + hi - x has it. No lane overflows into the next.
    function areInside(bytes calldata data, uint256 bits, int256 lo, int256 hi) private pure returns (bool inside) {
        int256 half = int256(1) << (bits - 1);
        if (lo < -half || hi >= half || lo > hi) return false;
        Lanes memory lanes = buildLanes(bits, uint256(half), uint256(lo + half), uint256(hi + half));
        assembly ("memory-safe") {
            let source := data.offset
            let last := add(source, data.length)
            let mask := mload(lanes)
            let signs := mload(add(lanes, 0x20))
            let lower := mload(add(lanes, 0x60))
            let upper := mload(add(lanes, 0x80))
            let good := mload(add(lanes, 0x40))
            for {} lt(source, last) { source := add(source, 0x20) } {
                let word := xor(calldataload(source), signs)
                if lt(sub(last, source), 0x20) {
                    let behind := shr(shl(3, sub(last, source)), not(0))
                    word := or(and(word, not(behind)), and(mload(add(lanes, 0xa0)), behind))
                }
                let odd := and(shr(bits, word), mask)
                word := and(word, mask)
                good := and(good, and(add(lower, word), sub(upper, word)))
                good := and(good, and(add(lower, odd), sub(upper, odd)))
            }
            inside := eq(good, mload(add(lanes, 0x40)))
        }
    }

    /// @param half The type's sign bit.
    /// @param lo The lower bound, made unsigned by adding `half`.
    /// @param hi The upper bound, likewise.
    function buildLanes(uint256 bits, uint256 half, uint256 lo, uint256 hi) private pure returns (Lanes memory lanes) {
        // One in every lane: (2^(2 bits) - 1) ones = 2^256 - 1.
        uint256 ones = type(uint256).max / ((1 << (2 * bits)) - 1);
        lanes.mask = ones * ((1 << bits) - 1);
        lanes.signs = ones * (half | (half << bits));
        lanes.tops = ones << (2 * bits - 1);
        lanes.lower = lanes.tops - ones * lo;
        lanes.upper = lanes.tops + ones * hi;
        lanes.filler = ones * (lo | (lo << bits));
    }
}
