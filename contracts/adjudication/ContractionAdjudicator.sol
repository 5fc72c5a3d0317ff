// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Cursor, CursorLib} from "./Cursor.sol";
import {DotProduct} from "./DotProduct.sol";
import {ElementAdjudicator} from "./ElementAdjudicator.sol";
import {OpDesc, OpDescLib} from "./OpDesc.sol";
import {Tensor, TileReader} from "./TileReader.sol";

/// @notice A nest of loops over two operands.
struct Loops {
    uint256 entries; //   calldata offset of the descriptor's loops
    uint256 outer; //     how often the innermost one runs
    uint256 axes; //      of the outer loops
    uint256 size; //      of the innermost one
    uint256 strideA;
    uint256 strideB;
}

/// @notice A convolution's parameters.
struct Convolution {
    uint256 height;
    uint256 width;
    uint256 channels;
    uint256 outputs;
    uint256 kernelHeight;
    uint256 kernelWidth;
    uint256 stride;
    uint256 padding;
    uint256 groups;
    uint256 inner; //     channels of a group
    Tensor x;
    Tensor w;
    uint256 row; //       of the padded x where the kernel begins
    uint256 col;
    uint256 channel; //   of x where the element's group begins
    uint256 filter; //    index in w where the element's output channel begins
}

/// @title Element check of sums of products (LANGUAGE.md)
/// @notice Parameters by opcode, e = the output's element; a requantisation follows each:
///     0x01 CONTRACT  OPERAND a | OPERAND b | OPERAND bias or 0xff | MAP a | MAP b | [MAP bias] |
///                    u8 n | n x (u32 size | u32 strideA | u32 strideB)
///                    acc = bias + sum over the loops of a b, from the elements that the maps give for e
///     0x02 CONV2D    x | w | bias or 0xff | u32 H W C O KH KW stride padding groups
///                    x (H, W, C), w (O, KH, KW, C / groups), output (H', W', O)
///     0x03 SUM       u8 terms | terms x (OPERAND | i32 coefficient | MAP)
///     0x04 PRODUCT   a | b | MAP a | MAP b
///     0x05 REDUCE    a | MAP a | u8 n | n x (u32 size | u32 stride)
///     0x06 ROTATE    x | cos | sin | u32 T | u32 inner | u32 D      x, output (T, inner, D), cos, sin (T, D)
///     0x07 EMBED     tokens | table | position or 0xff | u32 D      output (tokens, D)
contract ContractionAdjudicator is ElementAdjudicator {
    using CursorLib for Cursor;
    using OpDescLib for OpDesc;
    using TileReader for Tensor;

    /// @notice Thrown for a token that the table does not have.
    error NoSuchToken(int256 token);

    uint256 private constant CONTRACT = 0x01;
    uint256 private constant CONV2D = 0x02;
    uint256 private constant SUM = 0x03;
    uint256 private constant PRODUCT = 0x04;
    uint256 private constant REDUCE = 0x05;
    uint256 private constant ROTATE = 0x06;
    uint256 private constant EMBED = 0x07;

    uint256 private constant MAX_TERMS = 16; // of a sum; there are at most twelve tensors
    int256 private constant COEFFICIENT_LIMIT = 1 << 15;
    uint256 private constant FACTOR_WIDTH = 2; // bytes of the widest elements that are multiplied
    uint256 private constant TOKEN_WIDTH = 4;

    function isCovered(uint256 opcode) internal pure override returns (bool) {
        return opcode >= CONTRACT && opcode <= EMBED;
    }

    /// @inheritdoc ElementAdjudicator
    function computeElement(OpDesc memory op, uint256 elem) internal pure override returns (int256) {
        return requantise(op, accumulate(op, elem), elem);
    }

    function accumulate(OpDesc memory op, uint256 elem) private pure returns (int256) {
        if (op.opcode == CONTRACT) return contractLoops(op, elem);
        if (op.opcode == CONV2D) return convolve(op, elem);
        if (op.opcode == SUM) return addTerms(op, elem);
        if (op.opcode == PRODUCT) return multiply(op, elem);
        if (op.opcode == REDUCE) return reduce(op, elem);
        if (op.opcode == ROTATE) return rotate(op, elem);
        return embed(op, elem);
    }

    /// @dev The next OPERAND, an activation or a weight that is multiplied or added.
    function takeFactor(OpDesc memory op) private pure returns (Tensor memory tensor) {
        tensor = op.takeOperand();
        if (tensor.width > FACTOR_WIDTH) op.parameters.revertMalformed();
    }

    /* CONTRACT AND REDUCE */

    function contractLoops(OpDesc memory op, uint256 elem) private pure returns (int256 acc) {
        (Tensor memory a, Tensor memory b) = (takeFactor(op), takeFactor(op));
        (bool hasBias, Tensor memory bias) = op.takeOptionalWeight();
        (uint256 firstA, uint256 greatestA) = op.takeMap(elem);
        (uint256 firstB, uint256 greatestB) = op.takeMap(elem);
        if (hasBias) acc = bias.read(op.takeMapInto(elem, bias));
        Loops memory loops = takeLoops(op, 12);
        (uint256 spanA, uint256 spanB) = spans(loops, 12);
        // INVARIANT: no element of the output reads outside an operand.
        if (greatestA + spanA >= a.count || greatestB + spanB >= b.count) op.parameters.revertMalformed();
        for (uint256 i = 0; i < loops.outer; ++i) {
            (uint256 offsetA, uint256 offsetB) = offsets(loops, i, 12);
            acc += dot(a, firstA + offsetA, b, firstB + offsetB, loops);
        }
    }

    function reduce(OpDesc memory op, uint256 elem) private pure returns (int256 acc) {
        Tensor memory a = takeFactor(op);
        (uint256 first, uint256 greatest) = op.takeMap(elem);
        Loops memory loops = takeLoops(op, 8);
        (uint256 span,) = spans(loops, 8);
        if (greatest + span >= a.count) op.parameters.revertMalformed();
        for (uint256 i = 0; i < loops.outer; ++i) {
            (uint256 offset,) = offsets(loops, i, 8);
            acc += sumRun(a, first + offset, loops);
        }
    }

    /// @param entry Bytes of a loop: 12 with two strides, 8 with one.
    function takeLoops(OpDesc memory op, uint256 entry) private pure returns (Loops memory loops) {
        uint256 axes = op.takeAxes();
        loops.entries = op.parameters.skip(axes * entry);
        loops.axes = axes - 1;
        loops.outer = 1;
        // No overflow: at most three sizes below 2^32.
        for (uint256 k = 0; k < axes; ++k) {
            (uint256 size, uint256 strideA, uint256 strideB) = loopAt(loops, k, entry);
            if (size == 0) op.parameters.revertMalformed();
            if (k + 1 == axes) (loops.size, loops.strideA, loops.strideB) = (size, strideA, strideB);
            else loops.outer *= size;
        }
    }

    /// @dev Loop k of the descriptor; strideB means nothing where entries have one stride.
    function loopAt(Loops memory loops, uint256 k, uint256 entry)
        private
        pure
        returns (uint256 size, uint256 strideA, uint256 strideB)
    {
        uint256 at = loops.entries + k * entry;
        assembly ("memory-safe") {
            let word := calldataload(at)
            size := shr(224, word)
            strideA := and(shr(192, word), 0xffffffff)
            strideB := and(shr(160, word), 0xffffffff)
        }
    }

    /// @dev How far the loops lead from their first elements at most.
    function spans(Loops memory loops, uint256 entry) private pure returns (uint256 spanA, uint256 spanB) {
        for (uint256 k = 0; k <= loops.axes; ++k) {
            (uint256 size, uint256 strideA, uint256 strideB) = loopAt(loops, k, entry);
            spanA += (size - 1) * strideA;
            spanB += (size - 1) * strideB;
        }
    }

    /// @dev Where the i-th run of the innermost loop begins, relative to the first element.
    function offsets(Loops memory loops, uint256 i, uint256 entry)
        private
        pure
        returns (uint256 offsetA, uint256 offsetB)
    {
        for (uint256 k = loops.axes; k != 0; --k) {
            (uint256 size, uint256 strideA, uint256 strideB) = loopAt(loops, k - 1, entry);
            uint256 index = i % size;
            i /= size;
            offsetA += index * strideA;
            offsetB += index * strideB;
        }
    }

    /// @dev The innermost loop of a contraction.
    function dot(Tensor memory a, uint256 atA, Tensor memory b, uint256 atB, Loops memory loops)
        private
        pure
        returns (int256 sum)
    {
        (uint256 size, uint256 strideA, uint256 strideB) = (loops.size, loops.strideA, loops.strideB);
        if (strideA == 1 && strideB == 1) {
            return dotRun(a, atA, b, atB, size);
        }
        for (uint256 k = 0; k < size; ++k) {
            sum += a.read(atA + k * strideA) * b.read(atB + k * strideB);
        }
    }

    /// @dev The innermost loop of a reduction.
    function sumRun(Tensor memory a, uint256 at, Loops memory loops) private pure returns (int256 sum) {
        (uint256 size, uint256 stride) = (loops.size, loops.strideA);
        if (stride == 1) return DotProduct.sumOf(a.locate(at, size), a.width, size);
        for (uint256 k = 0; k < size; ++k) {
            sum += a.read(at + k * stride);
        }
    }

    function dotRun(Tensor memory a, uint256 atA, Tensor memory b, uint256 atB, uint256 size)
        private
        pure
        returns (int256)
    {
        return DotProduct.dot(a.locate(atA, size), a.width, b.locate(atB, size), b.width, size);
    }

    /* CONV2D */

    function convolve(OpDesc memory op, uint256 elem) private pure returns (int256 acc) {
        Convolution memory c;
        (c.x, c.w) = (takeFactor(op), takeFactor(op));
        (bool hasBias, Tensor memory bias) = op.takeOptionalWeight();
        uint256 cols = takeConvolution(op, c);
        uint256 output = elem % c.outputs;
        if (hasBias) {
            if (bias.count != c.outputs) op.parameters.revertMalformed();
            acc = bias.read(output);
        }
        c.channel = output / (c.outputs / c.groups) * c.inner;
        c.filter = output * c.kernelHeight * c.kernelWidth * c.inner;
        (c.row, c.col) = (elem / c.outputs / cols * c.stride, elem / c.outputs % cols * c.stride);
        for (uint256 i = 0; i < c.kernelHeight; ++i) {
            // Outside x reads 0.
            if (c.row + i >= c.padding && c.row + i - c.padding < c.height) acc += convolveRow(c, i);
        }
    }

    /// @dev Returns the output's number of columns of the image, W'.
    function takeConvolution(OpDesc memory op, Convolution memory c) private pure returns (uint256 cols) {
        Cursor memory p = op.parameters;
        (c.height, c.width, c.channels, c.outputs) = (p.take(4), p.take(4), p.take(4), p.take(4));
        (c.kernelHeight, c.kernelWidth) = (p.take(4), p.take(4));
        (c.stride, c.padding, c.groups) = (p.take(4), p.take(4), p.take(4));
        if (c.stride == 0 || c.groups == 0) p.revertMalformed();
        if (c.channels % c.groups != 0 || c.outputs % c.groups != 0) p.revertMalformed();
        c.inner = c.channels / c.groups;
        if (c.padding >= c.kernelHeight || c.padding >= c.kernelWidth) p.revertMalformed();
        if (c.height + 2 * c.padding < c.kernelHeight || c.width + 2 * c.padding < c.kernelWidth) p.revertMalformed();
        uint256 rows = (c.height + 2 * c.padding - c.kernelHeight) / c.stride + 1;
        cols = (c.width + 2 * c.padding - c.kernelWidth) / c.stride + 1;
        // INVARIANT: shapes are those of the tensors. No overflow: at most four factors below 2^34.
        if (c.height * c.width * c.channels != c.x.count) p.revertMalformed();
        if (c.outputs * c.kernelHeight * c.kernelWidth * c.inner != c.w.count) p.revertMalformed();
        if (c.outputs != op.output().cols || rows * cols != op.output().rows) p.revertMalformed();
    }

    /// @dev Row i of the kernel, which lies within x.
    function convolveRow(Convolution memory c, uint256 i) private pure returns (int256 acc) {
        uint256 first = c.col < c.padding ? c.padding - c.col : 0; // kernel's first column within x
        uint256 last = c.width + c.padding - c.col; //                behind the last one
        if (last > c.kernelWidth) last = c.kernelWidth;
        // In x the columns' channels follow each other, in w those of the group: one run if there is one group.
        uint256 run = c.groups == 1 ? last - first : 1;
        for (uint256 j = first; j < last; j += run) {
            uint256 pixel = (c.row + i - c.padding) * c.width + c.col + j - c.padding;
            uint256 tap = i * c.kernelWidth + j;
            acc += dotRun(c.x, pixel * c.channels + c.channel, c.w, c.filter + tap * c.inner, run * c.inner);
        }
    }

    /* ELEMENTWISE */

    function addTerms(OpDesc memory op, uint256 elem) private pure returns (int256 acc) {
        Cursor memory p = op.parameters;
        uint256 terms = p.take(1);
        if (terms == 0 || terms > MAX_TERMS) p.revertMalformed();
        for (uint256 i = 0; i < terms; ++i) {
            Tensor memory x = takeFactor(op);
            int256 coefficient = p.takeSigned32();
            if (coefficient <= -COEFFICIENT_LIMIT || coefficient >= COEFFICIENT_LIMIT || coefficient == 0) {
                p.revertMalformed();
            }
            acc += coefficient * x.read(op.takeMapInto(elem, x));
        }
    }

    function multiply(OpDesc memory op, uint256 elem) private pure returns (int256) {
        (Tensor memory a, Tensor memory b) = (takeFactor(op), takeFactor(op));
        int256 left = a.read(op.takeMapInto(elem, a));
        return left * b.read(op.takeMapInto(elem, b));
    }

    function rotate(OpDesc memory op, uint256 elem) private pure returns (int256) {
        Tensor memory x = takeFactor(op);
        (Tensor memory cos, Tensor memory sin) = (op.takeWeight(), op.takeWeight());
        if (cos.width > FACTOR_WIDTH || sin.width > FACTOR_WIDTH) op.parameters.revertMalformed();
        (uint256 angle, uint256 d, uint256 half) = takeRotation(op, elem, x, cos.count);
        if (sin.count != cos.count) op.parameters.revertMalformed();
        int256 turned = d < half ? -x.read(elem + half) : x.read(elem - half);
        return x.read(elem) * cos.read(angle) + turned * sin.read(angle);
    }

    /// @dev Returns the element's index in cos and sin, its column and half the number of columns.
    function takeRotation(OpDesc memory op, uint256 elem, Tensor memory x, uint256 angles)
        private
        pure
        returns (uint256 angle, uint256 d, uint256 half)
    {
        Cursor memory p = op.parameters;
        (uint256 length, uint256 inner, uint256 width) = (p.take(4), p.take(4), p.take(4));
        uint256 count = op.output().count;
        // INVARIANT: shapes are those of the tensors; halves are equal. No overflow: three factors below 2^32.
        if (length * inner * width != count || x.count != count || width % 2 != 0) p.revertMalformed();
        if (angles != length * width) p.revertMalformed();
        d = elem % width;
        return (elem / (inner * width) * width + d, d, width / 2);
    }

    function embed(OpDesc memory op, uint256 elem) private pure returns (int256 acc) {
        (Tensor memory tokens, Tensor memory table) = (op.takeOperand(), op.takeWeight());
        (bool hasPosition, Tensor memory position) = op.takeOptionalWeight();
        Cursor memory p = op.parameters;
        uint256 width = p.take(4);
        if (tokens.width != TOKEN_WIDTH || table.width > FACTOR_WIDTH) p.revertMalformed();
        if (width == 0 || op.output().count != tokens.count * width || table.count % width != 0) p.revertMalformed();
        int256 token = tokens.read(elem / width);
        // INVARIANT: a token names a row of the table.
        if (token < 0 || uint256(token) >= table.count / width) revert NoSuchToken(token);
        acc = table.read(uint256(token) * width + elem % width);
        if (hasPosition) {
            if (position.count < op.output().count || position.width > FACTOR_WIDTH) p.revertMalformed();
            acc += position.read(elem);
        }
    }
}
