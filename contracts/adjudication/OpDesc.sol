// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Cursor, CursorLib} from "./Cursor.sol";
import {Tensor} from "./TileReader.sol";

/// @notice An operator's descriptor, read up to its opcode's parameters.
struct OpDesc {
    uint256 opcode;
    uint256 layer;
    uint256 position; //     in the layer
    uint256 layerOps; //     number of operators of the layer
    bytes32 opKey; //        vkHash of the zkDPS key of this operator, 0 if there is none
    bytes32 rowKey; //       of the same operator on one row
    uint256 inputs; //       number of inputs
    Tensor[] tensors; //     inputs, weights, output
    Cursor parameters; //    what is not read yet
}

/// @title Decoder of operator descriptors
/// @notice Packed, big-endian:
///     u8 1 | u8 opcode | u8 inputs | u8 weights | u32 layer | u16 position | u16 layerOps | bytes32 opKey | bytes32 rowKey
///     output: u8 width | u32 rows | u32 cols
///     inputs x (u16 ref | u8 width | u32 rows | u32 cols)      ref: position in the layer, 0xffff = the layer's input
///     weights x (u8 width | u64 elements | bytes32 tileRoot)
///     parameters of the opcode (the adjudicators), then a requantisation after an accumulator (Requantise)
/// Within parameters:
///     OPERAND = u8: input k, or 0x80 + k for weight k; 0xff where there may be none
///     MAP = u8 n | n x (u32 size | u32 stride | u16 div): the output's element e, split row-major over the n sizes into
///     i_k, is paired with the operand's element sum of floor(i_k / div_k) stride_k; the sizes multiply to the output's count
///     LOOPS = u8 n | n x (u32 size | one u32 stride an operand), the innermost last
library OpDescLib {
    using CursorLib for Cursor;

    uint256 internal constant LAYER_INPUT = 0xffff;
    uint256 internal constant NO_OPERAND = 0xff;

    uint256 private constant FORMAT = 1;
    uint256 private constant MAX_INPUTS = 4;
    uint256 private constant MAX_WEIGHTS = 8;
    uint256 private constant MAX_AXES = 4; // of a map or of loops: a tensor's rank
    uint256 private constant MAX_BYTES = 1 << 42; // of a tensor: the number of a tile has 32 bits
    uint256 private constant WEIGHT = 0x80;

    /* HEAD */

    /// @notice Reads the head and the tensors; the parameters are left to the caller, `finish` of them too.
    function open(bytes calldata desc) internal pure returns (OpDesc memory op) {
        Cursor memory c = CursorLib.over(desc, false);
        if (c.take(1) != FORMAT) c.revertMalformed();
        op.opcode = c.take(1);
        uint256 inputs = c.take(1);
        uint256 weights = c.take(1);
        if (inputs == 0 || inputs > MAX_INPUTS || weights > MAX_WEIGHTS) c.revertMalformed();
        op.inputs = inputs;
        op.layer = c.take(4);
        op.position = c.take(2);
        op.layerOps = c.take(2);
        if (op.position >= op.layerOps) c.revertMalformed();
        op.opKey = bytes32(c.take(32));
        op.rowKey = bytes32(c.take(32));
        op.tensors = new Tensor[](inputs + weights + 1);
        takeMatrix(c, op.tensors[inputs + weights], inputs + weights);
        for (uint256 i = 0; i < inputs; ++i) {
            uint256 ref = c.take(2);
            // INVARIANT: an operator reads the layer's input and what was made before it.
            if (ref != LAYER_INPUT && ref >= op.position) c.revertMalformed();
            op.tensors[i].ref = ref;
            takeMatrix(c, op.tensors[i], i);
        }
        for (uint256 i = inputs; i < inputs + weights; ++i) {
            Tensor memory weight = op.tensors[i];
            (weight.id, weight.width, weight.count) = (i, c.take(1), c.take(8));
            weight.root = bytes32(c.take(32));
            checkSize(c, weight);
        }
        op.parameters = c;
    }

    function takeMatrix(Cursor memory c, Tensor memory tensor, uint256 id) private pure {
        tensor.id = id;
        tensor.width = c.take(1);
        tensor.rows = c.take(4);
        tensor.cols = c.take(4);
        tensor.count = tensor.rows * tensor.cols;
        checkSize(c, tensor);
    }

    function checkSize(Cursor memory c, Tensor memory tensor) private pure {
        uint256 width = tensor.width;
        // INVARIANT: an element has one, two or four bytes, and no tensor is empty. No overflow: a count is below 2^64.
        if (width != 1 && width != 2 && width != 4) c.revertMalformed();
        if (tensor.count == 0 || tensor.count * width > MAX_BYTES) c.revertMalformed();
    }

    /* TENSORS */

    function output(OpDesc memory op) internal pure returns (Tensor memory) {
        return op.tensors[op.tensors.length - 1];
    }

    /// @notice The next OPERAND.
    function takeOperand(OpDesc memory op) internal pure returns (Tensor memory) {
        return resolve(op, op.parameters.take(1));
    }

    /// @notice The next OPERAND, which must be a weight.
    function takeWeight(OpDesc memory op) internal pure returns (Tensor memory) {
        uint256 source = op.parameters.take(1);
        if (source < WEIGHT) op.parameters.revertMalformed();
        return resolve(op, source);
    }

    /// @notice The next OPERAND, a weight or none.
    function takeOptionalWeight(OpDesc memory op) internal pure returns (bool exists, Tensor memory weight) {
        uint256 source = op.parameters.take(1);
        if (source == NO_OPERAND) return (false, weight);
        if (source < WEIGHT) op.parameters.revertMalformed();
        return (true, resolve(op, source));
    }

    function resolve(OpDesc memory op, uint256 source) private pure returns (Tensor memory) {
        uint256 inputs = op.inputs;
        uint256 weights = op.tensors.length - 1 - inputs;
        uint256 index = source < WEIGHT ? source : source - WEIGHT;
        // INVARIANT: an operand is one of the operator's tensors and never its output.
        if (index >= (source < WEIGHT ? inputs : weights)) op.parameters.revertMalformed();
        return op.tensors[source < WEIGHT ? index : inputs + index];
    }

    /* MAPS */

    /// @notice The next MAP, applied to the output's element `elem`.
    /// @return index Of the operand's element.
    /// @return greatest Index that the map gives for any element of the output.
    function takeMap(OpDesc memory op, uint256 elem) internal pure returns (uint256 index, uint256 greatest) {
        Cursor memory c = op.parameters;
        uint256 axes = takeAxes(op);
        uint256 at = c.skip(axes * 10);
        uint256 total = 1;
        for (uint256 k = axes; k != 0; --k) {
            uint256 word;
            // Equivalent to word = u32 size | u32 stride | u16 div of axis k - 1
            assembly ("memory-safe") {
                word := shr(176, calldataload(add(at, mul(sub(k, 1), 10))))
            }
            (uint256 size, uint256 stride, uint256 div) = (word >> 48, (word >> 16) & 0xffffffff, word & 0xffff);
            if (size == 0 || div == 0) c.revertMalformed();
            // No overflow: sizes, strides and divisors are below 2^32 and there are at most four.
            unchecked {
                index += elem % size / div * stride;
                greatest += (size - 1) / div * stride;
                elem /= size;
                total *= size;
            }
        }
        // INVARIANT: every element of the output has its indices.
        if (total != output(op).count) c.revertMalformed();
    }

    /// @notice The next MAP, of which every index must lie in `operand`.
    function takeMapInto(OpDesc memory op, uint256 elem, Tensor memory operand) internal pure returns (uint256 index) {
        uint256 greatest;
        (index, greatest) = takeMap(op, elem);
        if (greatest >= operand.count) op.parameters.revertMalformed();
    }

    /// @notice The number of axes of a MAP or of LOOPS: 1 to 4.
    function takeAxes(OpDesc memory op) internal pure returns (uint256 axes) {
        axes = op.parameters.take(1);
        if (axes == 0 || axes > MAX_AXES) op.parameters.revertMalformed();
    }
}
