// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Cursor, CursorLib} from "./Cursor.sol";
import {DotProduct} from "./DotProduct.sol";
import {ElementAdjudicator} from "./ElementAdjudicator.sol";
import {OpDesc, OpDescLib} from "./OpDesc.sol";
import {Rows} from "./Rows.sol";
import {Tensor, TileReader} from "./TileReader.sol";

/// @title Adjudicator of normalizations, softmaxes, maxima and index maps, element by element
/// @notice Parameters, each behind its opcode's descriptor (OpDesc):
///     0x08 NORMALIZE  x | gamma | beta or none | u8 kind (0 layer, 1 rms) | u32 n | u32 epsilon | u8 f | requantisation
///     0x09 SOFTMAX    x | table | u8 width | u8 g | u8 causal | u32 queries | u32 keys | requantisation
///     0x0a MAXPOOL    x | u32 H | u32 W | u32 C | u32 KH | u32 KW
///     0x0b RELU       x
///     0x0c VIEW       x | u64 offset | MAP
///     0x0d GATHER     x | index
///     0x0e ARGMAX     x
/// Rows are as long as the output has columns. Their meaning is that of LANGUAGE.md.
contract RowAdjudicator is ElementAdjudicator {
    using CursorLib for Cursor;
    using OpDescLib for OpDesc;
    using TileReader for Tensor;

    /// @notice Thrown for a softmax's table with an entry that is negative or has more than 16 bits, or a first one of 0.
    error EntryNotAllowed(uint256 index, int256 entry);

    /// @notice Thrown for a gathered index that names no element.
    error IndexOutOfRange(int256 index);

    uint256 private constant NORMALIZE = 0x08;
    uint256 private constant SOFTMAX = 0x09;
    uint256 private constant MAXPOOL = 0x0a;
    uint256 private constant RELU = 0x0b;
    uint256 private constant VIEW = 0x0c;
    uint256 private constant GATHER = 0x0d;
    uint256 private constant ARGMAX = 0x0e;

    // Bounds of the language (offchain/model/operators.py).
    uint256 private constant RMS = 1; // the last kind
    uint256 private constant MAX_EPSILON = (1 << 31) - 1;
    uint256 private constant MAX_F = 29;
    uint256 private constant MAX_G = 46;
    uint256 private constant MIN_TABLE_WIDTH = 4;
    uint256 private constant MAX_TABLE_WIDTH = 16;
    uint256 private constant BYTE_DISTANCES = 256; // between elements of one byte
    uint256 private constant MAX_ENTRY = (1 << 16) - 1;

    function isCovered(uint256 opcode) internal pure override returns (bool) {
        return opcode >= NORMALIZE && opcode <= ARGMAX;
    }

    function computeElement(OpDesc memory op, uint256 elem) internal pure override returns (int256) {
        uint256 opcode = op.opcode;
        if (opcode == NORMALIZE) return requantise(op, normalize(op, elem), elem);
        if (opcode == SOFTMAX) return requantise(op, softmax(op, elem), elem);
        if (opcode == MAXPOOL) return maxPool(op, elem);
        if (opcode == RELU) return relu(op, elem);
        if (opcode == VIEW) return remap(op, elem);
        if (opcode == GATHER) return gather(op, elem);
        return argmax(op);
    }

    /* ROWS */

    /// @dev acc = c r gamma_j + beta_j with the integer r for which r^2 S <= 2^(2f) < (r+1)^2 S.
    function normalize(OpDesc memory op, uint256 elem) private pure returns (int256 acc) {
        (Tensor memory x, Tensor memory gamma) = (op.takeOperand(), op.takeWeight());
        (bool hasBeta, Tensor memory beta) = op.takeOptionalWeight();
        uint256 kind = op.parameters.take(1);
        uint256 n = takeRow(op, x);
        if (kind > RMS || gamma.count != n || (hasBeta && beta.count != n)) op.parameters.revertMalformed();
        acc = scaleCell(op.parameters, x, elem, n, kind == RMS) * gamma.read(elem % n);
        if (hasBeta) acc += beta.read(elem % n);
    }

    /// @dev c r. layer: c = n x_j - sum(x), S = n sum(x^2) - sum(x)^2 + epsilon. rms: c = x_j, S = sum(x^2) + epsilon.
    function scaleCell(Cursor memory parameters, Tensor memory x, uint256 elem, uint256 n, bool isRms)
        private
        pure
        returns (int256 c)
    {
        (uint256 epsilon, uint256 f) = (parameters.take(4), parameters.take(1));
        if (epsilon == 0 || epsilon > MAX_EPSILON || f == 0 || f > MAX_F) parameters.revertMalformed();
        c = x.read(elem);
        uint256 at = x.locate(elem - elem % n, n);
        int256 total = DotProduct.sumOf(at, x.width, n);
        uint256 s = uint256(DotProduct.dot(at, x.width, at, x.width, n));
        if (!isRms) {
            c = int256(n) * c - total;
            // Never below 0 (Cauchy-Schwarz).
            s = n * s - uint256(total * total);
        }
        // r^2 S <= a means r^2 <= floor(a / S), and the root is rounded down.
        c *= int256(Math.sqrt((1 << (2 * f)) / (s + epsilon)));
    }

    /// @dev The length of a row: the output's columns, where it has as many elements as x.
    function takeRow(OpDesc memory op, Tensor memory x) private pure returns (uint256 n) {
        n = op.parameters.take(4);
        if (n != op.output().cols || x.count != op.output().count) op.parameters.revertMalformed();
    }

    /// @dev acc = e iota, e = table[max - x], iota = floor(2^g / sum(e)), over the cells that take part: of query q and, if
    /// causal, of keys k <= q + keys - queries only. The accumulator of any other cell is 0.
    function softmax(OpDesc memory op, uint256 elem) private pure returns (int256) {
        Cursor memory c = op.parameters;
        (Tensor memory x, Tensor memory table) = (op.takeOperand(), op.takeWeight());
        (uint256 width, uint256 g, uint256 causal) = (c.take(1), c.take(1), c.take(1));
        if (width < MIN_TABLE_WIDTH || width > MAX_TABLE_WIDTH || table.count != 1 << width) c.revertMalformed();
        uint256 queries = c.take(4);
        uint256 keys = takeRow(op, x);
        if (g == 0 || g > MAX_G || causal > 1 || (causal == 1 && queries > keys)) c.revertMalformed();
        if (queries == 0 || op.output().rows % queries != 0) c.revertMalformed();
        uint256 cells = causal == 0 ? keys : (elem / keys) % queries + keys - queries + 1;
        uint256 column = elem % keys;
        return column < cells ? weigh(table, x, elem - column, column, cells, g) : int256(0);
    }

    /// @dev e iota of one cell of the row that begins at `first` and of which `cells` take part.
    function weigh(Tensor memory table, Tensor memory x, uint256 first, uint256 column, uint256 cells, uint256 g)
        private
        pure
        returns (int256 e)
    {
        (uint256 at, uint256 width) = (x.locate(first, cells), x.width);
        int256 maximum = Rows.findMaximum(at, width, cells);
        // INVARIANT: the sum is not 0: the greatest cell's entry is in it.
        if (readEntry(table, 0) == 0) revert EntryNotAllowed(0, 0);
        uint256 total = sumEntries(table, at, at + cells * width, width, maximum);
        e = int256(readEntry(table, uint256(maximum - Rows.load(at + column * width, width))));
        e *= int256((1 << g) / total);
    }

    /// @dev The sum of the entries of the cells in calldata [at, end).
    function sumEntries(Tensor memory table, uint256 at, uint256 end, uint256 width, int256 maximum)
        private
        pure
        returns (uint256 total)
    {
        if (width == 1 && table.count >= BYTE_DISTANCES) {
            uint256 union;
            uint256 next;
            // Opened, if any entry is: with at most four bytes each they lie in one tile.
            uint256 source = table.locate(0, BYTE_DISTANCES);
            (total, union, next) = Rows.sumBytes(at, end, maximum, source, table.width);
            // Else the loop below comes upon the entry that is not allowed.
            if (union <= MAX_ENTRY) at = next;
            else total = 0;
        }
        while (at < end) {
            // Turns to the opened range that holds the next cell's entry, or reverts.
            readEntry(table, uint256(maximum - Rows.load(at, width)));
            uint256 part;
            (part, at) = Rows.sumEntries(
                at, end, width, maximum, table.from, table.until - table.from, table.source, table.width, MAX_ENTRY
            );
            total += part;
        }
    }

    /// @dev Reverts for a distance beyond the table, like for any element that is not there.
    function readEntry(Tensor memory table, uint256 distance) private pure returns (uint256) {
        int256 entry = table.read(distance);
        if (entry < 0 || uint256(entry) > MAX_ENTRY) revert EntryNotAllowed(distance, entry);
        return uint256(entry);
    }

    /// @dev The greatest of the cells (h KH + a, w KW + b, c) of x (H, W, C).
    function maxPool(OpDesc memory op, uint256 elem) private pure returns (int256 greatest) {
        Cursor memory c = op.parameters;
        (Tensor memory out, Tensor memory x) = (op.output(), op.takeOperand());
        (uint256 height, uint256 width, uint256 channels) = (c.take(4), c.take(4), c.take(4));
        (uint256 rows, uint256 cols) = (c.take(4), c.take(4));
        if (rows == 0 || cols == 0 || height % rows != 0 || width % cols != 0) c.revertMalformed();
        if (channels != out.cols || (height / rows) * (width / cols) != out.rows) c.revertMalformed();
        if (height * width * channels != x.count) c.revertMalformed();
        // (h, w, c) of the output as the index of its window's first cell
        uint256 window = elem / channels;
        uint256 first = (window / (width / cols)) * rows * width + (window % (width / cols)) * cols;
        first = first * channels + elem % channels;
        greatest = type(int256).min;
        for (uint256 a = 0; a < rows; ++a) {
            for (uint256 b = 0; b < cols; ++b) {
                int256 value = x.read(first + (a * width + b) * channels);
                if (value > greatest) greatest = value;
            }
        }
    }

    /* ELEMENTS */

    function relu(OpDesc memory op, uint256 elem) private pure returns (int256) {
        Tensor memory x = op.takeOperand();
        if (x.count != op.output().count) op.parameters.revertMalformed();
        int256 value = x.read(elem);
        return value < 0 ? int256(0) : value;
    }

    function remap(OpDesc memory op, uint256 elem) private pure returns (int256) {
        Tensor memory x = op.takeOperand();
        uint256 offset = op.parameters.take(8);
        (uint256 index, uint256 greatest) = op.takeMap(elem);
        if (offset + greatest >= x.count) op.parameters.revertMalformed();
        return x.read(offset + index);
    }

    function gather(OpDesc memory op, uint256 elem) private pure returns (int256) {
        (Tensor memory x, Tensor memory index) = (op.takeOperand(), op.takeWeight());
        if (index.count != op.output().count) op.parameters.revertMalformed();
        int256 from = index.read(elem);
        // INVARIANT: an index names an element of x.
        if (from < 0 || uint256(from) >= x.count) revert IndexOutOfRange(from);
        return x.read(uint256(from));
    }

    function argmax(OpDesc memory op) private pure returns (int256) {
        Tensor memory x = op.takeOperand();
        if (op.output().count != 1) op.parameters.revertMalformed();
        uint256 at = x.locate(0, x.count);
        return int256(Rows.findFirst(at, x.width, Rows.findMaximum(at, x.width, x.count)));
    }
}
