// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {ClaimList} from "./ClaimList.sol";
import {FR} from "./Field.sol";
import {ProgramLib, Program} from "./Program.sol";
import {PublicTensorLib, PublicTensor} from "./PublicTensor.sol";
import {Session, SOURCE_CONTRACTION, SOURCE_ZETA} from "./Session.sol";
import {SumCheck} from "./SumCheck.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title Contractions: m_k sum over x of A_k(x) B_k(x) = v_k, all in one sum-check (FORMAT.md 7.3)
/// @notice Instance k has the coefficient nu^k m_k and owns the last l_k of the rounds; while it waits its claim counts
/// 2^(rounds - l_k) times. At the end C = sum of nu^k m_k A_k B_k.
library Contraction {
    using TranscriptLib for Transcript;
    using ProgramLib for Program;
    using PublicTensorLib for PublicTensor;

    uint256 private constant OPCODE = 0x04;
    uint256 private constant TAG_ROUND = 9;
    uint256 private constant TAG_OPERANDS = 10;
    uint256 private constant DEGREE = 2;
    uint256 private constant HEAD_SIZE = 4;
    uint256 private constant INSTANCE_SIZE = 3;
    uint256 private constant OPERAND_SIZE = 3;
    uint256 private constant SEGMENT_SIZE = 3;
    uint256 private constant MAX_ROUNDS = 40;

    /// @notice Instruction 0x04: u8 rounds | u8 degree | u16 count | count x instance.
    function run(Session memory s) internal pure {
        Program memory program = s.program;
        Transcript memory transcript = s.transcript;
        uint256 word = program.take(HEAD_SIZE);
        uint256 rounds = word >> 248;
        uint256 count = (word >> 224) & 0xffff;
        // INVARIANT: every requantisation has its contraction, so that no v stays unproven.
        if (rounds > MAX_ROUNDS || (word >> 240) & 0xff != DEGREE || count != s.virtuals.length) {
            program.revertMalformed();
        }
        uint256 instances = program.cursor;
        uint256 claim = batchClaim(s, rounds, count);

        uint256 point;
        assembly ("memory-safe") {
            point := mload(0x40)
            mstore(0x40, add(point, shl(5, rounds)))
        }
        (s.rounds, s.contractionEnd) = (rounds, point + (rounds << 5));
        claim = SumCheck.plainRounds(transcript, TAG_ROUND, rounds, claim, point);

        program.cursor = instances;
        // INVARIANT: the operands' values give the last claim.
        if (finalValue(s, count) != claim) revert IProofVerifier.SumCheckMismatch(OPCODE, 0);
        s.eta = transcript.challenge();
    }

    /// @dev Reads the operands; returns the sum of nu^k m_k A_k B_k.
    function finalValue(Session memory s, uint256 count) private pure returns (uint256 sum) {
        uint256 header = s.transcript.open();
        uint256 power = 1;
        for (uint256 k = 0; k < count; ++k) {
            s.program.cursor += INSTANCE_SIZE;
            // Two statements: the order in which a builtin evaluates its arguments is not fixed.
            uint256 a = operandValue(s);
            uint256 b = operandValue(s);
            sum = addmod(sum, mulmod(mulmod(power, s.scales[k], FR), mulmod(a, b, FR), FR), FR);
            power = mulmod(power, s.nu, FR);
        }
        if (!s.transcript.dropIfEmpty(header)) s.transcript.close(header, TAG_OPERANDS);
    }

    /// @dev The sum of nu^k 2^(rounds - l_k) v_k; walks over the instances: u16 requant | u8 variables | A | B.
    function batchClaim(Session memory s, uint256 rounds, uint256 count) private pure returns (uint256 claim) {
        Program memory program = s.program;
        uint256 power = 1;
        // SAFETY: variables <= rounds.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                uint256 word = program.take(INSTANCE_SIZE);
                uint256 variables = (word >> 232) & 0xff;
                if (word >> 240 != k || variables > rounds) program.revertMalformed();
                uint256 weight = mulmod(power, 1 << (rounds - variables), FR);
                claim = addmod(claim, mulmod(weight, s.virtuals[k], FR), FR);
                power = mulmod(power, s.nu, FR);
                skipOperand(program);
                skipOperand(program);
            }
        }
    }

    function skipOperand(Program memory program) private pure {
        uint256 segments = (program.take(OPERAND_SIZE) >> 232) & 0xff;
        // SAFETY: a memory address and at most 765. What follows is taken, and so checked, before it is used.
        unchecked {
            program.cursor += segments * SEGMENT_SIZE;
        }
    }

    /// @dev The next operand's value at its point: read from the proof and claimed, or evaluated from calldata.
    /// u16 tensor | u8 segments | segments x (u8 source | u8 end | u8 length)
    function operandValue(Session memory s) private pure returns (uint256 value) {
        Program memory program = s.program;
        uint256 word = program.take(OPERAND_SIZE);
        uint256 tensor = word >> 240;
        uint256 entry = program.tensorWord(tensor);
        (uint256 point, uint256 source, uint256 shared) = buildPoint(s, (word >> 232) & 0xff, (entry >> 240) & 0xff);
        if (tensor == ProgramLib.INPUT) return s.input.evaluate(point);
        if (tensor == ProgramLib.OUTPUT) return s.output.evaluate(point);
        value = s.transcript.scalar();
        ClaimList.file(s, entry, value, point, source, shared);
    }

    /// @dev Concatenates segments of zeta and r_C into a point of `variables` coordinates.
    /// @return point Memory address of the point.
    /// @return source Where its last segment comes from.
    /// @return shared How many last coordinates are the last ones of that source.
    function buildPoint(Session memory s, uint256 segments, uint256 variables)
        private
        pure
        returns (uint256 point, uint256 source, uint256 shared)
    {
        Program memory program = s.program;
        assembly ("memory-safe") {
            point := mload(0x40)
            mstore(0x40, add(point, shl(5, variables)))
        }
        uint256 target = point;
        // SAFETY: memory addresses, and numbers of at most 8 bits.
        unchecked {
            uint256 last = point + (variables << 5);
            for (; segments != 0; --segments) {
                uint256 word = program.take(SEGMENT_SIZE);
                source = word >> 248;
                uint256 end = (word >> 240) & 0xff;
                uint256 size = ((word >> 232) & 0xff) << 5;
                shared = end == 0 ? size >> 5 : 0;
                uint256 from = sourceOf(s, source, (end << 5) + size);
                // INVARIANT: the point stays inside its memory.
                if (target + size > last) program.revertMalformed();
                // Equivalent to point[filled .. filled + length] = source[N - end - length .. N - end]
                assembly ("memory-safe") {
                    mcopy(target, from, size)
                }
                target += size;
            }
            // INVARIANT: all coordinates are filled.
            if (target != last) program.revertMalformed();
        }
    }

    /// @dev Memory address `reach` bytes before the end of a source of coordinates.
    function sourceOf(Session memory s, uint256 source, uint256 reach) private pure returns (uint256) {
        (uint256 size, uint256 end) = source == SOURCE_ZETA ? (s.lambda, s.zetaEnd) : (s.rounds, s.contractionEnd);
        // INVARIANT: a segment lies inside its source.
        if (source > SOURCE_CONTRACTION || reach > size << 5) s.program.revertMalformed();
        // SAFETY: memory addresses.
        unchecked {
            return end - reach;
        }
    }
}
