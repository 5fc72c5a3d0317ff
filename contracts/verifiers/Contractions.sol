// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Expressions} from "./Expressions.sol";
import {FR} from "./Field.sol";
import {Functions} from "./Functions.sol";
import {Multilinear} from "./Multilinear.sol";
import {Points} from "./Points.sol";
import {ProgramLib, Program} from "./Program.sol";
import {Relations} from "./Relations.sol";
import {MAX_ROUNDS, NONE, Session, SessionLib, SOURCE_CONTRACTION} from "./Session.sol";
import {Slots} from "./Slots.sol";
import {SumCheck} from "./SumCheck.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title Contractions: coefficient_k sum over x of E_k(x) A_k(x) B_k(x) = v_k, all in one sum-check (FORMAT.md 7.4)
/// @notice Instance k has the power nu^k and owns the last l_k of the rounds; while it waits its claim counts
/// 2^(rounds - l_k) times. At the end C = sum of nu^k coefficient_k E_k A_k B_k.
/// | bytes | u8 variables | u8 origin | u16 index | coefficient | u16 A | u16 B | u16 function | u8 ties | ties x tie |
/// |-------|--------------|-----------|-----------|-------------|-------|-------|--------------|---------|------------|
library Contractions {
    using TranscriptLib for Transcript;
    using ProgramLib for Program;
    using SessionLib for Session;

    uint256 private constant OPCODE = 0x05;
    uint256 private constant TAG_ROUND = 9;
    uint256 private constant TAG_SLOTS = 10;
    uint256 private constant ORIGIN_RELATION = 0;
    uint256 private constant ORIGIN_SLOT = 1;
    uint256 private constant HEAD_SIZE = 4;
    uint256 private constant INSTANCE_SIZE = 16;
    uint256 private constant TIE_SIZE = 4;

    /// @notice u8 rounds | u8 degree | u16 count | count x instance
    function run(Session memory s) internal view {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            Program memory program = s.program;
            uint256 word = program.take(HEAD_SIZE);
            (uint256 rounds, uint256 degree, uint256 count) =
                (word >> 248, (word >> 240) & 0xff, (word >> 224) & 0xffff);
            if (rounds > MAX_ROUNDS || (degree != 2 && degree != 3)) program.revertMalformed();
            if (count == 0) {
                if (rounds != 0 || s.counts.contraction != 0) program.revertMalformed();
                return;
            }
            uint256 nu = s.transcript.challenge();
            uint256 claim = batchClaim(s, rounds, count, nu);
            uint256 point = SessionLib.allocate(rounds << 5);
            claim = SumCheck.plainRounds(s.transcript, TAG_ROUND, rounds, degree, claim, point);
            s.setVector(SOURCE_CONTRACTION, point + (rounds << 5), rounds);
            s.enterPhase(SOURCE_CONTRACTION);
            Slots.read(s, TAG_SLOTS, s.counts.contraction);
            // INVARIANT: the slots' values give the last claim.
            if (finalValue(s, count, nu) != claim) revert IProofVerifier.SumCheckMismatch(OPCODE, 0);
        }
    }

    /// @dev The sum of nu^k 2^(rounds - l_k) v_k.
    function batchClaim(Session memory s, uint256 rounds, uint256 count, uint256 nu)
        private
        pure
        returns (uint256 claim)
    {
        uint256 cursor = s.program.cursor;
        uint256 power = 1;
        // SAFETY: memory addresses; variables <= rounds.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                uint256 word = load(cursor);
                uint256 variables = word >> 248;
                if (variables > rounds) s.program.revertMalformed();
                uint256 weight = mulmod(power, 1 << (rounds - variables), FR);
                claim = addmod(claim, mulmod(weight, originValue(s, word), FR), FR);
                power = mulmod(power, nu, FR);
                cursor += INSTANCE_SIZE + tiesOf(word) * TIE_SIZE;
            }
        }
    }

    /// @dev What the instance proves: a relation's v, or the value of a slot sent before nu.
    function originValue(Session memory s, uint256 word) private pure returns (uint256 value) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 origin = (word >> 240) & 0xff;
            uint256 index = (word >> 224) & 0xffff;
            if (origin == ORIGIN_RELATION) return Relations.valueOf(s, index);
            // INVARIANT: the challenge that batches claims is drawn after all of them were sent.
            if (origin != ORIGIN_SLOT || index >= s.scope.known) s.program.revertMalformed();
            return load(s.scope.values + (index << 5));
        }
    }

    /// @dev The sum of nu^k coefficient_k E_k A_k B_k.
    function finalValue(Session memory s, uint256 count, uint256 nu) private pure returns (uint256 sum) {
        uint256 cursor = s.program.cursor;
        uint256 power = 1;
        // SAFETY: memory addresses.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                uint256 word = load(cursor);
                uint256 value = mulmod(power, operandProduct(s, word), FR);
                cursor += INSTANCE_SIZE;
                for (uint256 ties = tiesOf(word); ties != 0; --ties) {
                    value = mulmod(value, evaluateTie(s, load(cursor)), FR);
                    cursor += TIE_SIZE;
                }
                sum = addmod(sum, value, FR);
                power = mulmod(power, nu, FR);
            }
        }
        s.program.moveTo(cursor);
    }

    /// @dev coefficient * A * B * function.
    function operandProduct(Session memory s, uint256 word) private pure returns (uint256 value) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            (uint256 values, uint256 known) = (s.scope.values, s.scope.known);
            (uint256 a, uint256 b) = ((word >> 168) & 0xffff, (word >> 152) & 0xffff);
            uint256 id = (word >> 136) & 0xffff;
            // INVARIANT: the slots have been sent.
            if (a >= known || b >= known) s.program.revertMalformed();
            value = mulmod(load(values + (a << 5)), load(values + (b << 5)), FR);
            value = mulmod(value, Expressions.coefficient(word << 32), FR);
            if (id != NONE) value = mulmod(value, Functions.evaluate(s, id), FR);
        }
    }

    /// @dev eq(segment, r_C[N - end - length .. N - end]); segment | u8 end.
    function evaluateTie(Session memory s, uint256 word) private pure returns (uint256 value) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 length = Points.lengthOf(word);
            uint256 bound = Points.vectorSlice(s, SOURCE_CONTRACTION, (word >> 224) & 0xff, length);
            uint256 point = SessionLib.allocate(length << 5);
            Points.write(s, word, point);
            value = Multilinear.eq(point, bound, length, 1);
            SessionLib.release(point);
        }
    }

    function tiesOf(uint256 word) private pure returns (uint256) {
        return (word >> 128) & 0xff;
    }

    /// @dev The word at a memory address.
    function load(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(at)
        }
    }
}
