// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {Program, ProgramLib, PublicShape} from "./Program.sol";

/// @notice A public matrix in calldata: row-major, two's complement, big-endian, no padding.
struct PublicTensor {
    uint256 source; //    calldata offset of the first element
    uint256 width; //     bytes of an element, 1 or 2
    uint256 rows;
    uint256 cols;
    uint256 rowsLog; //   ceil(log2(rows)): the padded matrix has 2^rowsLog rows
    uint256 colsLog;
}

/// @dev Constants of the range check, one value a lane; see areInside.
struct Lanes {
    uint256 mask; //     the lower half of every lane
    uint256 signs; //    the sign bits of all elements
    uint256 tops; //     T
    uint256 lower; //    T - lo
    uint256 upper; //    T + hi
    uint256 filler; //   lo in every element, for what lies behind the last one
}

/// @title Public tensors: range check and multilinear evaluation from calldata (FORMAT.md 8)
library PublicTensorLib {
    using ProgramLib for Program;

    /// @notice Describes `data`, whose length the caller has checked.
    function wrap(bytes calldata data, PublicShape memory shape) internal pure returns (PublicTensor memory tensor) {
        uint256 source;
        assembly ("memory-safe") {
            source := data.offset
        }
        tensor.source = source;
        tensor.width = shape.bytesPerElement;
        tensor.rows = shape.rows;
        tensor.cols = shape.cols;
        tensor.rowsLog = Multilinear.ceilLog2(shape.rows);
        tensor.colsLog = Multilinear.ceilLog2(shape.cols);
    }

    /// @notice Requires that tensor `id` of the program is this one: of its kind and with its number of variables.
    function checkVariables(PublicTensor memory tensor, Program memory program, uint256 id, uint256 kind)
        internal
        pure
    {
        uint256 word = program.tensorWord(id);
        // INVARIANT: a point of the tensor has as many coordinates as its evaluation reads.
        if (word >> 240 != (kind << 8) + tensor.rowsLog + tensor.colsLog) program.revertMalformed();
    }

    /* RANGE */

    /// @notice Looks for an element outside [lo, hi].
    /// @return found Whether there is one.
    /// @return position The first one's index in the row-major order.
    /// @return value The element.
    function findOutside(PublicTensor memory tensor, int256 lo, int256 hi)
        internal
        pure
        returns (bool found, uint256 position, int256 value)
    {
        if (areInside(tensor, lo, hi)) return (false, 0, 0);
        (uint256 source, uint256 width) = (tensor.source, tensor.width);
        uint256 count = tensor.rows * tensor.cols;
        uint256 shift = 256 - 8 * width;
        for (; position < count; ++position) {
            // Equivalent to value = int(data[width * position : width * (position + 1)])
            assembly ("memory-safe") {
                value := sar(shift, calldataload(add(source, mul(width, position))))
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
    function areInside(PublicTensor memory tensor, int256 lo, int256 hi) private pure returns (bool inside) {
        uint256 bits = 8 * tensor.width;
        int256 half = int256(1) << (bits - 1);
        if (lo < -half || hi >= half || lo > hi) return false;
        Lanes memory lanes = buildLanes(bits, uint256(half), uint256(lo + half), uint256(hi + half));
        uint256 source = tensor.source;
        uint256 last = source + tensor.rows * tensor.cols * tensor.width;
        assembly ("memory-safe") {
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

    /* EVALUATION */

    /// @notice The multilinear extension of the zero-padded matrix at a point of rowsLog + colsLog coordinates.
    /// @param point Memory address of the coordinates, row coordinates first.
    function evaluate(PublicTensor memory tensor, uint256 point) internal pure returns (uint256) {
        // SAFETY: addresses and numbers of at most 32 bits.
        unchecked {
            uint256 rowsEnd = point + (tensor.rowsLog << 5);
            uint256 rows = tensor.rows;
            uint256 folded;
            // Scratch behind the free memory pointer: the rows' values, then one row's working space.
            assembly ("memory-safe") {
                folded := mload(0x40)
            }
            uint256 work = folded + (rows << 5);
            for (uint256 i = 0; i < rows; ++i) {
                uint256 value = evaluateRow(tensor, i, work, rowsEnd);
                assembly ("memory-safe") {
                    mstore(add(folded, shl(5, i)), value)
                }
            }
            return fold(folded, rows, rowsEnd, tensor.rowsLog);
        }
    }

    /// @dev The extension of one row at the colsLog coordinates at `point`.
    function evaluateRow(PublicTensor memory tensor, uint256 row, uint256 work, uint256 point)
        private
        pure
        returns (uint256)
    {
        // SAFETY: addresses and numbers of at most 32 bits.
        unchecked {
            uint256 cols = tensor.cols;
            uint256 bits = tensor.width << 3;
            uint256 source = tensor.source + row * cols * tensor.width;
            uint256 levels = tensor.colsLog;
            if (levels == 0) {
                assembly ("memory-safe") {
                    mstore(work, sar(sub(256, bits), calldataload(source)))
                }
                return fold(work, 1, point, 0);
            }
            uint256 last = point + ((levels - 1) << 5);
            uint256 z;
            assembly ("memory-safe") {
                z := mload(last)
            }
            foldElements(source, cols, bits, work, z);
            return fold(work, (cols + 1) >> 1, last, levels - 1);
        }
    }

    /// @dev The first fold of `fold`, by the coordinate z, from `count` elements of `bits` bits in calldata.
    function foldElements(uint256 source, uint256 count, uint256 bits, uint256 work, uint256 z) private pure {
        assembly ("memory-safe") {
            let f := FR
            let shift := sub(256, bits)
            for { let last := add(source, mul(shr(2, bits), shr(1, count))) } lt(source, last) {
                source := add(source, shr(2, bits))
            } {
                let word := calldataload(source)
                // No overflow: small signed integers plus r.
                let v0 := add(f, sar(shift, word))
                mstore(work, addmod(mulmod(z, add(sub(sar(shift, shl(bits, word)), v0), shl(1, f)), f), v0, f))
                work := add(work, 0x20)
            }
            // A last element without partner: its partner is a zero of the padding.
            if and(count, 1) {
                mstore(work, mulmod(sub(add(f, 1), z), add(f, sar(shift, calldataload(source))), f))
            }
        }
    }

    /// @dev Folds `count` words at `work`, zero-padded to 2^levels, in place by the last coordinate first:
    /// v[i] <- v[2i] + z (v[2i + 1] - v[2i]). Words are field elements or signed integers above -r.
    /// @param pointEnd Memory address behind the last coordinate.
    function fold(uint256 work, uint256 count, uint256 pointEnd, uint256 levels) private pure returns (uint256 value) {
        for (uint256 first = pointEnd - (levels << 5); pointEnd > first;) {
            assembly ("memory-safe") {
                pointEnd := sub(pointEnd, 0x20)
                let f := FR
                let z := mload(pointEnd)
                let at := work
                let source := work
                for { let last := add(source, shl(6, shr(1, count))) } lt(source, last) { source := add(source, 0x40) }
                {
                    // No overflow: r + v1 - v0 < 3 r and r + v0 < 2 r.
                    let v0 := add(f, mload(source))
                    let step := add(sub(mload(add(source, 0x20)), v0), shl(1, f))
                    mstore(at, addmod(mulmod(z, step, f), v0, f))
                    at := add(at, 0x20)
                }
                // A last word without partner: its partner is a zero of the padding.
                if and(count, 1) { mstore(at, mulmod(sub(add(f, 1), z), add(f, mload(source)), f)) }
                count := shr(1, add(count, 1))
            }
        }
        assembly ("memory-safe") {
            value := mod(add(FR, mload(work)), FR)
        }
    }
}
