// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Cursor, CursorLib} from "./Cursor.sol";
import {OpDesc, OpDescLib} from "./OpDesc.sol";
import {Tensor, TileReader} from "./TileReader.sol";

/// @notice How an accumulator becomes a stored element (LANGUAGE.md, Requant).
struct Requantisation {
    int256 multiplier;
    uint256 shift;
    uint256 width; //      bits of the quotient
    uint256 form; //       of the function: identity, relu or a table
    bool hasScale;
    Tensor table; //       if form is TABLE
    Tensor scale; //       if hasScale: multipliers along the output's columns
    int256 lo;
    int256 hi;
    uint256 cols; //       of the output
}

/// @title Requantisation
/// @notice t = floor((acc m_j + 2^(s-1)) / 2^s), y = clamp(f(t), lo, hi): the quotient, halves rounded up; where it has
/// more than 16 bits it saturates to 16. m_j = m scale[j] in column j. A table is indexed by t + half and not clamped.
///     u32 m | u8 s | u8 width | u8 form | OPERAND table | OPERAND scale | i32 lo | i32 hi
library Requantise {
    using CursorLib for Cursor;
    using OpDescLib for OpDesc;
    using TileReader for Tensor;

    /// @notice Thrown when an accumulator leaves the language's bounds.
    error AccumulatorTooLarge(int256 acc);

    /// @notice Thrown when a quotient has no entry in its table.
    error QuotientOutOfTable(int256 quotient);

    /// @notice Thrown when a table's entry leaves [lo, hi].
    error EntryOutOfRange(int256 entry);

    uint256 private constant IDENTITY = 0;
    uint256 private constant RELU = 1;
    uint256 private constant TABLE = 2;
    uint256 private constant MAX_MULTIPLIER = (1 << 15) - 1;
    uint256 private constant MAX_SHIFT = 32; // two digits of 16 bits
    uint256 private constant MIN_WIDTH = 4;
    uint256 private constant SATURATED_WIDTH = 16;
    uint256 private constant MAX_WIDTH = 32;
    uint256 private constant MAX_STORED_WIDTH = 2; // bytes of an activation
    uint256 private constant LAST_SCALED = 0x02; // opcode: contractions and convolutions have scales
    int256 private constant ACCUMULATOR_BOUND = 1 << 47;

    /// @notice Reads the requantisation, with which a descriptor ends; the caller checks that it does.
    function take(OpDesc memory op) internal pure returns (Requantisation memory r) {
        Cursor memory c = op.parameters;
        Tensor memory out = op.output();
        uint256 m = c.take(4);
        (r.shift, r.width, r.form) = (c.take(1), c.take(1), c.take(1));
        if (m == 0 || m > MAX_MULTIPLIER || r.shift == 0 || r.shift > MAX_SHIFT) c.revertMalformed();
        if (r.width < MIN_WIDTH || r.width > MAX_WIDTH || r.form > TABLE) c.revertMalformed();
        r.multiplier = int256(m);
        r.cols = out.cols;
        bool hasTable;
        (hasTable, r.table) = op.takeOptionalWeight();
        if (hasTable != (r.form == TABLE)) c.revertMalformed();
        if (hasTable && r.table.count != 1 << keyWidth(r)) c.revertMalformed();
        (r.hasScale, r.scale) = op.takeOptionalWeight();
        if (r.hasScale && (r.scale.count != out.cols || r.scale.width > MAX_STORED_WIDTH)) c.revertMalformed();
        if (r.hasScale && op.opcode > LAST_SCALED) c.revertMalformed();
        (r.lo, r.hi) = (c.takeSigned32(), c.takeSigned32());
        if (out.width > MAX_STORED_WIDTH) c.revertMalformed();
        int256 half = int256(1) << (8 * out.width - 1);
        // INVARIANT: what is computed fits the output's element.
        if (r.lo > r.hi || r.lo < -half || r.hi >= half) c.revertMalformed();
    }

    /// @notice The output's element `elem` for its accumulator.
    function compute(Requantisation memory r, int256 acc, uint256 elem) internal pure returns (int256 y) {
        if (acc <= -ACCUMULATOR_BOUND || acc >= ACCUMULATOR_BOUND) revert AccumulatorTooLarge(acc);
        // No overflow: 47 + 15 + 31 bits.
        int256 m = r.hasScale ? r.multiplier * r.scale.read(elem % r.cols) : r.multiplier;
        // Equivalent to t = floor((acc m + 2^(s-1)) / 2^s): shifts of signed numbers round down.
        int256 t = (acc * m + (int256(1) << (r.shift - 1))) >> r.shift;
        int256 half = int256(1) << (keyWidth(r) - 1);
        if (r.width > SATURATED_WIDTH) t = clamp(t, -half, half - 1);
        if (r.form == TABLE) return lookUp(r, t, half);
        if (r.form == RELU && t < 0) t = 0;
        return clamp(t, r.lo, r.hi);
    }

    function lookUp(Requantisation memory r, int256 t, int256 half) private pure returns (int256 y) {
        // INVARIANT: a key names an entry of its table.
        if (t < -half || t >= half) revert QuotientOutOfTable(t);
        y = r.table.read(uint256(t + half));
        if (y < r.lo || y > r.hi) revert EntryOutOfRange(y);
    }

    function keyWidth(Requantisation memory r) private pure returns (uint256) {
        return r.width < SATURATED_WIDTH ? r.width : SATURATED_WIDTH;
    }

    function clamp(int256 x, int256 lo, int256 hi) private pure returns (int256) {
        if (x < lo) return lo;
        return x > hi ? hi : x;
    }
}
