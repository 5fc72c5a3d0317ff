// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR} from "./Field.sol";
import {Functions} from "./Functions.sol";
import {ProgramLib, Program} from "./Program.sol";
import {NONE, Scope, Session} from "./Session.sol";

/// @title Expressions over slots and public functions (FORMAT.md 3.1)
/// @notice u8 atoms | atoms x (i32 a | u8 b | u16 slot | u16 function): the sum of a 2^b times the slot's and the
/// function's value. What is evaluated in loops is one piece of assembly; only where a function's value is not known yet
/// it stops, and is run again when it is. Coefficients are below 2^251: Inspector refuses keys with larger ones.
library Expressions {
    using ProgramLib for Program;

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
            // * (function == NONE ? 1 : cached[function] - 1). The word before the values is 1: NONE + 1 = 0 in 16 bits.
            assembly ("memory-safe") {
                let f := FR
                let values := sub(mload(scope), 0x20)
                let known := mload(add(scope, 0x20))
                value := 0
                next := add(cursor, 1)
                for { let last := add(next, mul(9, byte(0, mload(cursor)))) } lt(next, last) { next := add(next, 9) } {
                    let word := mload(next)
                    let id := and(add(shr(200, word), 1), 0xffff)
                    if gt(id, known) {
                        pending := MALFORMED
                        break
                    }
                    // No overflow: small signed integers plus r.
                    let term := mulmod(add(f, shl(byte(4, word), sar(224, word))), mload(add(values, shl(5, id))), f)
                    id := and(shr(184, word), 0xffff)
                    if iszero(eq(id, NONE)) {
                        if iszero(lt(id, mload(add(scope, 0x60)))) {
                            pending := MALFORMED
                            break
                        }
                        id := mload(add(mload(add(scope, 0x40)), shl(5, id)))
                        if iszero(id) {
                            pending := add(and(shr(184, word), 0xffff), 1)
                            break
                        }
                        term := mulmod(term, sub(id, 1), f)
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
    function coefficient(uint256 word) internal pure returns (uint256) {
        // SAFETY: |a| 2^b < 2^251 < r.
        unchecked {
            return FR + uint256((int256(word) >> 224) << ((word >> 216) & 0xff));
        }
    }
}
