// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

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

/// @title Public tensors: description (FORMAT.md 8)
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

    /// @notice The first element.
    function first(PublicTensor memory tensor) internal pure returns (int256 value) {
        (uint256 source, uint256 width) = (tensor.source, tensor.width);
        // Equivalent to value = int(data[0 : width])
        assembly ("memory-safe") {
            value := sar(sub(256, shl(3, width)), calldataload(source))
        }
    }

    /// @notice The tensor's bytes.
    function content(PublicTensor memory tensor) internal pure returns (bytes calldata data) {
        (uint256 source, uint256 size) = (tensor.source, byteLength(tensor));
        assembly ("memory-safe") {
            data.offset := source
            data.length := size
        }
    }
}
