// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClaimList} from "./ClaimList.sol";
import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {ProgramLib, Program} from "./Program.sol";
import {Session, SOURCE_ZETA, UNKNOWN} from "./Session.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title Requantisation: m acc + 2^(s-1) = 2^s t + rho with 0 <= rho < 2^s (FORMAT.md 7.2)
/// @notice At z_o = z_i || z_j, the last coordinates of zeta, with q = t - qAddend and the remainder's digits rho_d:
/// v = 2^s (q + qAddend) + sum of 2^shift_d rho_d - 2^(s-1) - m b(z_j) lt(rows; z_i).
/// The lookups prove the ranges of q and of the digits; v is what the contraction must give: m sum of A B.
library Requant {
    using TranscriptLib for Transcript;
    using ProgramLib for Program;

    uint256 private constant TAG_BIAS = 8;
    uint256 private constant ENTRY_HEAD = 10;
    uint256 private constant DIGIT_SIZE = 3;
    uint256 private constant ENTRY_TAIL = 8;
    uint256 private constant NO_BIAS = 0xffff;

    /// @notice Instruction 0x03: u16 count | count x entry.
    function run(Session memory s) internal pure {
        Transcript memory transcript = s.transcript;
        uint256 count = s.program.take(2) >> 240;
        // The claim list has room for one bias and two operands for each operator.
        if (count > s.program.opCount) s.program.revertMalformed();
        s.scales = new uint256[](count);
        s.virtuals = new uint256[](count);
        uint256 header = transcript.open();
        for (uint256 i = 0; i < count; ++i) {
            (s.scales[i], s.virtuals[i]) = runEntry(s);
        }
        if (!transcript.dropIfEmpty(header)) transcript.close(header, TAG_BIAS);
        s.nu = transcript.challenge();
    }

    /// @dev u16 qTensor | i32 qAddend | u8 s | u16 m | u8 digits | digits x (u16 tensor | u8 shift)
    /// | u16 biasTensor | u8 rowsLog | u8 colsLog | u32 rows
    /// @return m The scale.
    /// @return v The claim on m times the accumulator without bias.
    function runEntry(Session memory s) private pure returns (uint256 m, uint256 v) {
        Program memory program = s.program;
        uint256 head = program.take(ENTRY_HEAD);
        m = (head >> 184) & 0xffff;
        uint256 shift = (head >> 200) & 0xff;
        // INVARIANT: 1 <= s and 1 <= m; a scale of zero would leave the accumulator unproven.
        if (shift == 0 || m == 0) program.revertMalformed();
        // SAFETY: offsets of at most 16 bits and addends above -2^31 > -r.
        unchecked {
            uint256 digits = program.cursor;
            program.cursor = digits + ((head >> 176) & 0xff) * DIGIT_SIZE;
            uint256 last = program.cursor;
            uint256 tail = program.take(ENTRY_TAIL);
            uint256 variables = ((tail >> 232) & 0xff) + ((tail >> 224) & 0xff);
            v = valueOf(s, head >> 240, variables);
            v = addmod(v, FR + uint256(int256(int32(uint32(head >> 208)))), FR);
            // v + v - 1 times 2^(s - 1): the quotient's part and the rounding.
            v = mulmod(addmod(v, v + (FR - 1), FR), 1 << (shift - 1), FR);
            for (; digits < last; digits += DIGIT_SIZE) {
                uint256 word;
                assembly ("memory-safe") {
                    word := mload(digits)
                }
                v = addmod(v, mulmod(1 << ((word >> 232) & 0xff), valueOf(s, word >> 240, variables), FR), FR);
            }
            if (tail >> 240 != NO_BIAS) v = addmod(v, FR - mulmod(m, biasOf(s, tail), FR), FR);
        }
    }

    /// @dev b(z_j) lt(rows; z_i); the bias is read from the proof and claimed at z_j.
    function biasOf(Session memory s, uint256 tail) private pure returns (uint256) {
        Program memory program = s.program;
        uint256 tensor = tail >> 240;
        uint256 rowsLog = (tail >> 232) & 0xff;
        uint256 colsLog = (tail >> 224) & 0xff;
        uint256 rows = (tail >> 192) & 0xffffffff;
        // INVARIANT: a bias is a committed vector over the columns.
        uint256 entry = program.tensorWord(tensor);
        bool valid = tensor > ProgramLib.OUTPUT && (entry >> 240) & 0xff == colsLog;
        if (!valid || rows == 0 || rows > uint256(1) << rowsLog) program.revertMalformed();
        uint256 point = s.zetaEnd - (colsLog << 5);
        uint256 value = s.transcript.scalar();
        ClaimList.file(s, entry, value, point, SOURCE_ZETA, colsLog);
        return mulmod(value, Multilinear.lessThan(rows, point - (rowsLog << 5), rowsLog), FR);
    }

    /// @dev The value of a column that the lookups have ranged.
    function valueOf(Session memory s, uint256 tensor, uint256 variables) private pure returns (uint256 value) {
        // INVARIANT: the column has as many variables as the point.
        if (s.program.variablesOf(tensor) != variables) s.program.revertMalformed();
        value = s.values[tensor];
        // INVARIANT: the column is a lookup's, and claimed at this very point.
        if (value == UNKNOWN) s.program.revertMalformed();
    }
}
