// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {ProgramLib, Program} from "./Program.sol";

/// @notice A public tensor: given in calldata, row-major, two's complement, big-endian, no padding; or committed.
struct PublicTensor {
    uint256 id; //        its number in the program's table
    bool isCommitted; //  given by its commitments: no bytes
    uint256 width; //     bytes of an element: 1, 2 or 4
    uint256 source; //    calldata offset of the first element
    uint256 count; //     number of elements
    uint256 variables; // of the tensor padded to powers of two, axis by axis
    uint256[] dims;
    int256 lo;
    int256 hi;
}

/// @title Public tensors: description and multilinear evaluation from calldata (FORMAT.md 8)
library PublicTensorLib {
    using ProgramLib for Program;

    uint256 private constant HEAD_SIZE = 5;
    uint256 private constant DIMENSION_SIZE = 4;
    uint256 private constant BOUNDS_SIZE = 8;
    uint256 private constant MAX_RANK = 4;
    uint256 private constant MAX_VARIABLES = 40;

    /// @notice Reads the next public tensor's description and requires that tensor of the program to fit it.
    /// @dev u16 tensor | u8 form | u8 bytesPerElement | u8 rank | rank x u32 dim | i32 lo | i32 hi
    /// @param kind The tensor's kind if it is given by bytes; a committed one is the proof's.
    function take(Program memory p, uint256 kind) internal pure returns (PublicTensor memory tensor) {
        uint256 word = p.take(HEAD_SIZE);
        (uint256 form, uint256 width) = ((word >> 232) & 0xff, (word >> 224) & 0xff);
        uint256 rank = (word >> 216) & 0xff;
        // INVARIANT: an element has one, two or four bytes.
        if (form > 1 || (width != 1 && width != 2 && width != 4)) p.revertMalformed();
        if (rank == 0 || rank > MAX_RANK) p.revertMalformed();
        tensor.id = word >> 240;
        tensor.isCommitted = form == 1;
        tensor.width = width;
        tensor.count = 1;
        tensor.dims = new uint256[](rank);
        for (uint256 axis = 0; axis < rank; ++axis) {
            uint256 dim = p.take(DIMENSION_SIZE) >> 224;
            // INVARIANT: there is at least one element.
            if (dim == 0) p.revertMalformed();
            tensor.dims[axis] = dim;
            tensor.count *= dim;
            tensor.variables += Multilinear.ceilLog2(dim);
        }
        word = p.take(BOUNDS_SIZE);
        tensor.lo = int256(word) >> 224;
        tensor.hi = int256(word << 32) >> 224;
        if (form == 1) kind = ProgramLib.KIND_PROOF;
        // INVARIANT: a point of the tensor has as many coordinates as its evaluation reads.
        if (p.tensorWord(tensor.id) >> 240 != (kind << 8) + tensor.variables || tensor.variables > MAX_VARIABLES) {
            p.revertMalformed();
        }
    }

    /// @notice Length of the tensor's bytes in the call.
    function byteLength(PublicTensor memory tensor) internal pure returns (uint256) {
        return tensor.isCommitted ? 0 : tensor.count * tensor.width;
    }

    /// @notice Element `index`, as a signed integer.
    /// @dev Requires index < count.
    function element(PublicTensor memory tensor, uint256 index) internal pure returns (int256 value) {
        (uint256 source, uint256 width) = (tensor.source, tensor.width);
        // Equivalent to value = int(data[width * index : width * (index + 1)])
        assembly ("memory-safe") {
            value := sar(sub(256, shl(3, width)), calldataload(add(source, mul(width, index))))
        }
    }

    /* EVALUATION */

    /// @notice The multilinear extension of the zero-padded tensor.
    /// @param point Memory address of its `variables` coordinates.
    function evaluate(PublicTensor memory tensor, uint256 point) internal pure returns (uint256) {
        // SAFETY: addresses and numbers of at most 40 bits.
        unchecked {
            uint256 axis = tensor.dims.length - 1;
            uint256 size = tensor.dims[axis];
            uint256 rows = tensor.count / size;
            uint256 levels = Multilinear.ceilLog2(size);
            uint256 pointEnd = point + (tensor.variables << 5);
            // Scratch behind the free memory pointer: the rows' values, then one row's working space.
            uint256 folded;
            assembly ("memory-safe") {
                folded := mload(0x40)
            }
            uint256 source = tensor.source;
            for (uint256 i = 0; i < rows; ++i) {
                uint256 value = evaluateRow(source, size, tensor.width, levels, folded + (rows << 5), pointEnd);
                source += size * tensor.width;
                assembly ("memory-safe") {
                    mstore(add(folded, shl(5, i)), value)
                }
            }
            for (; axis != 0; --axis) {
                pointEnd -= levels << 5;
                size = tensor.dims[axis - 1];
                levels = Multilinear.ceilLog2(size);
                rows /= size;
                foldAxis(folded, rows, size, pointEnd, levels);
            }
            uint256 result;
            assembly ("memory-safe") {
                result := mload(folded)
            }
            return result;
        }
    }

    /// @dev Folds `rows` groups of `size` words at `work`; group i becomes word i.
    function foldAxis(uint256 work, uint256 rows, uint256 size, uint256 pointEnd, uint256 levels) private pure {
        // SAFETY: memory addresses.
        unchecked {
            for (uint256 i = 0; i < rows; ++i) {
                uint256 value = fold(work + ((i * size) << 5), size, pointEnd, levels);
                assembly ("memory-safe") {
                    mstore(add(work, shl(5, i)), value)
                }
            }
        }
    }

    /// @dev The extension of a row of `cols` elements at calldata offset `source`.
    /// @param pointEnd Memory address behind the row's `levels` coordinates.
    function evaluateRow(uint256 source, uint256 cols, uint256 width, uint256 levels, uint256 work, uint256 pointEnd)
        private
        pure
        returns (uint256)
    {
        // SAFETY: addresses and numbers of at most 32 bits.
        unchecked {
            uint256 bits = width << 3;
            if (levels == 0) {
                assembly ("memory-safe") {
                    mstore(work, sar(sub(256, bits), calldataload(source)))
                }
                return fold(work, 1, pointEnd, 0);
            }
            uint256 last = pointEnd - 0x20;
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

    /* ONE-HOT */

    /// @notice sum over t of eq(p, bits(t)) eq(q, bits(x_t)) over the tensor's elements x_t.
    /// @param point Memory address of p, which has as many coordinates as the tensor, and q behind it.
    /// @param tail The number of q's coordinates.
    function oneHot(Program memory program, PublicTensor memory tensor, uint256 point, uint256 tail)
        internal
        pure
        returns (uint256 sum)
    {
        uint256 variables = tensor.variables;
        // INVARIANT: element t stands at index t, as in a vector.
        if (tensor.dims[tensor.dims.length - 1] != tensor.count) program.revertMalformed();
        uint256 q = point + (variables << 5);
        for (uint256 t = 0; t < tensor.count; ++t) {
            uint256 value = uint256(element(tensor, t));
            // INVARIANT: a one has its place; a negative number has none.
            if (value >> tail != 0) program.revertMalformed();
            sum = addmod(sum, Multilinear.eqIndex(t, point, variables, Multilinear.eqIndex(value, q, tail, 1)), FR);
        }
    }
}
