// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR} from "./Field.sol";
import {Functions} from "./Functions.sol";
import {ProgramLib, Program} from "./Program.sol";
import {NONE, Scope, Session} from "./Session.sol";

/// @title Expressions over slots and public functions (FORMAT.md 3.1)
/// @notice u8 atoms | atoms x (i32 a | u8 b | u16 slot | u16 function): the sum of a 2^b times the slot's and the
/// function's value. What is evaluated in loops is one piece of assembly; only where a function's value is not known yet
/// it stops, and is run again when it is.
library Expressions {
    using ProgramLib for Program;

    /// @dev |a| 2^b < 2^251 < r.
    uint256 private constant MAX_SHIFT = 220;
    uint256 private constant COEFFICIENT_SIZE = 5;

    /// @dev What stopped an evaluation: nothing, the value of function `pending - 1`, or a malformed program.
    uint256 private constant MALFORMED = 0x20000;

    /// @notice Evaluates the expression at memory address `cursor`.
    /// @return value Below r.
    /// @return next Memory address behind the expression.
    function evaluate(Session memory s, uint256 cursor) internal pure returns (uint256 value, uint256 next) {
        Scope memory scope = s.scope;
        while (true) {
            uint256 pending;
            // Equivalent to: value = sum of (a << b) * (slot == NONE ? 1 : values[slot])
            // * (function == NONE ? 1 : cached[function] - 1)
            assembly ("memory-safe") {
                let f := FR
                value := 0
                next := add(cursor, 1)
                for { let last := add(next, mul(9, byte(0, mload(cursor)))) } lt(next, last) { next := add(next, 9) } {
                    let word := mload(next)
                    let shift := byte(4, word)
                    // No overflow: small signed integers plus r.
                    let term := add(f, shl(shift, sar(224, word)))
                    if gt(shift, MAX_SHIFT) { pending := MALFORMED }
                    let id := and(shr(200, word), 0xffff)
                    if iszero(eq(id, NONE)) {
                        if iszero(lt(id, mload(add(scope, 0x20)))) {
                            pending := MALFORMED
                            break
                        }
                        term := mulmod(term, mload(add(mload(scope), shl(5, id))), f)
                    }
                    id := and(shr(184, word), 0xffff)
                    if iszero(eq(id, NONE)) {
                        if iszero(lt(id, mload(add(scope, 0x60)))) {
                            pending := MALFORMED
                            break
                        }
                        let known := mload(add(mload(add(scope, 0x40)), shl(5, id)))
                        if iszero(known) {
                            pending := add(id, 1)
                            break
                        }
                        term := mulmod(term, sub(known, 1), f)
                    }
                    value := addmod(value, term, f)
                }
            }
            if (pending == 0) return (value, next);
            if (pending >= MALFORMED) s.program.revertMalformed();
            Functions.evaluate(s, pending - 1);
        }
    }

    /// @notice The coefficient at the upper end of `word`: i32 a | u8 b stands for a 2^b.
    function coefficient(Session memory s, uint256 word) internal pure returns (uint256) {
        uint256 shift = (word >> 216) & 0xff;
        if (shift > MAX_SHIFT) s.program.revertMalformed();
        // SAFETY: |a| 2^b < 2^251 < r.
        unchecked {
            return addmod(FR + uint256((int256(word) >> 224) << shift), 0, FR);
        }
    }
}
