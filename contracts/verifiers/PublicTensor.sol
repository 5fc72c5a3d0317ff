// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {Program, ProgramLib, PublicShape} from "./Program.sol";

/// @notice A public matrix, decoded: one signed word an element, row-major, no padding.
struct PublicTensor {
    uint256 words; //     memory address of the first element
    uint256 rows;
    uint256 cols;
    uint256 rowsLog; //   ceil(log2(rows)): the padded matrix has 2^rowsLog rows
    uint256 colsLog;
}

/// @title Public tensors: decoding and multilinear evaluation from calldata (FORMAT.md 8)
library PublicTensorLib {
    using ProgramLib for Program;

    /// @notice Decodes `data`, whose length the caller has checked.
    function decode(bytes calldata data, PublicShape memory shape) internal pure returns (PublicTensor memory tensor) {
        tensor.rows = shape.rows;
        tensor.cols = shape.cols;
        tensor.rowsLog = Multilinear.ceilLog2(shape.rows);
        tensor.colsLog = Multilinear.ceilLog2(shape.cols);
        uint256 width = shape.bytesPerElement;
        uint256 words;
        // Equivalent to words[i] = int(data[width i : width (i + 1)]), big-endian, two's complement
        assembly ("memory-safe") {
            words := mload(0x40)
            let at := words
            let extension := sub(width, 1)
            let shift := sub(256, shl(3, width))
            let source := data.offset
            for { let last := add(source, data.length) } lt(source, last) { source := add(source, width) } {
                mstore(at, signextend(extension, shr(shift, calldataload(source))))
                at := add(at, 0x20)
            }
            mstore(0x40, at)
        }
        tensor.words = words;
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

    /// @notice Looks for an element outside [lo, hi].
    /// @return found Whether there is one.
    /// @return position Its index in the row-major order.
    /// @return value The element.
    function findOutside(PublicTensor memory tensor, int256 lo, int256 hi)
        internal
        pure
        returns (bool found, uint256 position, int256 value)
    {
        uint256 words = tensor.words;
        uint256 count = tensor.rows * tensor.cols;
        // Equivalent to: first i with words[i] < lo || words[i] > hi
        assembly ("memory-safe") {
            let at := words
            for { let last := add(words, shl(5, count)) } lt(at, last) { at := add(at, 0x20) } {
                value := mload(at)
                if or(slt(value, lo), sgt(value, hi)) {
                    found := 1
                    position := shr(5, sub(at, words))
                    break
                }
            }
        }
    }

    /// @notice The multilinear extension of the zero-padded matrix at a point of rowsLog + colsLog coordinates.
    /// @param point Memory address of the coordinates, row coordinates first.
    function evaluate(PublicTensor memory tensor, uint256 point) internal pure returns (uint256) {
        uint256 rowsEnd = point + (tensor.rowsLog << 5);
        uint256 colsEnd = rowsEnd + (tensor.colsLog << 5);
        uint256 rows = tensor.rows;
        uint256 cols = tensor.cols;
        uint256 row = tensor.words;
        uint256 colsLog = tensor.colsLog;
        uint256 folded;
        // Scratch behind the free memory pointer: the rows' values, then one row's working space.
        assembly ("memory-safe") {
            folded := mload(0x40)
        }
        uint256 work = folded + (rows << 5);
        for (uint256 i = 0; i < rows; ++i) {
            uint256 value = fold(row, cols, work, colsEnd, colsLog);
            assembly ("memory-safe") {
                mstore(add(folded, shl(5, i)), value)
            }
            row += cols << 5;
        }
        return fold(folded, rows, work, rowsEnd, tensor.rowsLog);
    }

    /// @notice Folds `count` words, zero-padded to 2^levels, by the last coordinate first:
    /// v[i] <- v[2i] + z (v[2i + 1] - v[2i]).
    /// @dev Words are field elements or signed integers above -r; working space holds ceil(count / 2) words.
    /// @param pointEnd Memory address behind the last coordinate.
    function fold(uint256 source, uint256 count, uint256 work, uint256 pointEnd, uint256 levels)
        private
        pure
        returns (uint256 value)
    {
        assembly ("memory-safe") {
            for {} levels { levels := sub(levels, 1) } {
                pointEnd := sub(pointEnd, 0x20)
                let z := mload(pointEnd)
                let at := work
                // Whole pairs; no overflow: r + v1 - v0 < 3 r and r + v0 < 2 r.
                for { let last := add(source, shl(6, shr(1, count))) } lt(source, last) { source := add(source, 0x40) } {
                    let v0 := add(FR, mload(source))
                    mstore(at, addmod(mulmod(z, sub(add(mload(add(source, 0x20)), shl(1, FR)), v0), FR), v0, FR))
                    at := add(at, 0x20)
                }
                // A last word without partner: its partner is a zero of the padding.
                if and(count, 1) { mstore(at, mulmod(sub(add(FR, 1), z), add(FR, mload(source)), FR)) }
                count := shr(1, add(count, 1))
                source := work
            }
            value := mod(add(FR, mload(source)), FR)
        }
    }
}
