// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Expressions} from "./Expressions.sol";
import {FR} from "./Field.sol";
import {Functions} from "./Functions.sol";
import {ProgramLib, Program} from "./Program.sol";
import {Relations} from "./Relations.sol";
import {Session, SessionLib, SOURCE_PRODUCT, SOURCE_ZETA} from "./Session.sol";
import {Slots} from "./Slots.sol";
import {SumCheck} from "./SumCheck.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title Products: sum over x of eq(suffix of zeta, x) g_k(x) = v_k, all in one sum-check (FORMAT.md 7.3)
/// @notice Term k has the coefficient mu^k. At the end C = sum of mu^k g_k, with the product slots' values.
library Products {
    using TranscriptLib for Transcript;
    using ProgramLib for Program;
    using SessionLib for Session;

    uint256 private constant OPCODE = 0x04;
    uint256 private constant TAG_ROUND = 6;
    uint256 private constant TAG_SLOTS = 7;
    uint256 private constant COEFFICIENT_SIZE = 5;
    /// @dev Marks a factor as a function.
    uint256 private constant FUNCTION = 0x8000;

    /// @notice u8 rounds | u16 count | count x (u8 n | u8 monomials | monomials x monomial)
    function run(Session memory s) internal view {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            Program memory program = s.program;
            uint256 word = program.take(3);
            (uint256 rounds, uint256 count) = (word >> 248, (word >> 232) & 0xffff);
            (uint256 end, uint256 lambda) = s.getVector(SOURCE_ZETA);
            // INVARIANT: every relation that a product is to prove has its term.
            if (count != s.productCount || rounds > lambda) program.revertMalformed();
            if (count == 0) {
                if (rounds != 0 || s.counts.product != 0) program.revertMalformed();
                return;
            }
            uint256 mu = s.transcript.challenge();
            uint256 claim;
            uint256 power = 1;
            for (uint256 k = 0; k < count; ++k) {
                claim = addmod(claim, mulmod(power, Relations.productValue(s, k), FR), FR);
                power = mulmod(power, mu, FR);
            }
            uint256 size = rounds << 5;
            uint256 point = SessionLib.allocate(size);
            // Equivalent to point = zeta[lambda - rounds .. lambda]
            assembly ("memory-safe") {
                mcopy(point, sub(end, size), size)
            }
            claim = SumCheck.eqRounds(s.transcript, TAG_ROUND, rounds, claim, point);
            s.setVector(SOURCE_PRODUCT, point + size, rounds);
            s.enterPhase(SOURCE_PRODUCT);
            Slots.read(s, TAG_SLOTS, s.counts.product);
            // INVARIANT: the slots' values give the last claim.
            if (finalValue(s, rounds, count, mu) != claim) revert IProofVerifier.SumCheckMismatch(OPCODE, 0);
        }
    }

    /// @dev The sum of mu^k g_k.
    function finalValue(Session memory s, uint256 rounds, uint256 count, uint256 mu)
        private
        pure
        returns (uint256 sum)
    {
        uint256 cursor = s.program.cursor;
        uint256 power = 1;
        // SAFETY: memory addresses and numbers of at most 16 bits.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                uint256 word;
                assembly ("memory-safe") {
                    word := mload(cursor)
                }
                cursor += 2;
                // INVARIANT: a term sees the coordinates that it is summed over, no others.
                if (word >> 248 > rounds) s.program.revertMalformed();
                uint256 g;
                for (uint256 monomials = (word >> 240) & 0xff; monomials != 0; --monomials) {
                    uint256 value;
                    (value, cursor) = evaluateMonomial(s, cursor);
                    g = addmod(g, value, FR);
                }
                sum = addmod(sum, mulmod(power, g, FR), FR);
                power = mulmod(power, mu, FR);
            }
        }
        s.program.moveTo(cursor);
    }

    /// @dev coefficient | u8 factors | factors x (u16 slot, or 0x8000 | function)
    function evaluateMonomial(Session memory s, uint256 cursor) private pure returns (uint256 value, uint256 next) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(cursor)
            }
            value = Expressions.coefficient(word);
            next = cursor + COEFFICIENT_SIZE + 1;
            uint256 values = s.scope.values;
            for (uint256 factors = (word >> 208) & 0xff; factors != 0; --factors) {
                uint256 factor;
                assembly ("memory-safe") {
                    factor := shr(240, mload(next))
                    next := add(next, 2)
                }
                if (factor >= FUNCTION) {
                    factor = Functions.evaluate(s, factor & (FUNCTION - 1));
                } else {
                    // INVARIANT: the slot has been sent.
                    if (factor >= s.scope.known) s.program.revertMalformed();
                    assembly ("memory-safe") {
                        factor := mload(add(values, shl(5, factor)))
                    }
                }
                value = mulmod(value, factor, FR);
            }
        }
    }
}
