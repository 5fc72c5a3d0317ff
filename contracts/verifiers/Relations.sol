// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Expressions} from "./Expressions.sol";
import {ProgramLib, Program} from "./Program.sol";
import {Session, SessionLib} from "./Session.sol";

/// @title Relations at suffixes of zeta: an expression equals its residual (FORMAT.md 7.2)
library Relations {
    using ProgramLib for Program;

    uint256 private constant RESIDUAL_NONE = 0;
    uint256 private constant RESIDUAL_LINEAR = 1;
    uint256 private constant RESIDUAL_PRODUCT = 2;
    uint256 private constant RESIDUAL_CONTRACTION = 3;
    /// @dev u5 coefficient, u16 tensor, u8 segments.
    uint256 internal constant TERM_HEAD_SIZE = 8;

    /// @notice u16 count | count x (u8 residual | expression | if residual = 1: u8 terms | terms x term)
    function run(Session memory s) internal pure {
        Program memory program = s.program;
        uint256 count = program.take(2) >> 240;
        program.requireRoom(count, 2);
        s.relationCount = count;
        uint256 values = SessionLib.allocate(count << 6);
        (s.relations, s.linear) = (values, values + (count << 5));
        uint256 cursor = program.cursor;
        // SAFETY: memory addresses and numbers of at most 16 bits.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                uint256 residual;
                assembly ("memory-safe") {
                    residual := byte(0, mload(cursor))
                }
                uint256 value;
                (value, cursor) = Expressions.evaluate(s, cursor + 1);
                assembly ("memory-safe") {
                    mstore(add(values, shl(5, k)), value)
                }
                if (residual == RESIDUAL_LINEAR) {
                    note(s, s.linearCount++, (cursor << 16) | k);
                    cursor = skipTerms(cursor);
                } else if (residual == RESIDUAL_PRODUCT) {
                    // Linear and product relations share one list, which they fill from its two ends.
                    note(s, count - ++s.productCount, k);
                } else if (residual == RESIDUAL_NONE) {
                    if (value != 0) revert IProofVerifier.RelationMismatch(k);
                } else if (residual != RESIDUAL_CONTRACTION) {
                    program.moveTo(cursor);
                    program.revertMalformed();
                }
            }
        }
        program.moveTo(cursor);
    }

    /// @notice The value v of relation `k`.
    function valueOf(Session memory s, uint256 k) internal pure returns (uint256 value) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            // INVARIANT: the program names declared relations only.
            if (k >= s.relationCount) s.program.revertMalformed();
            uint256 values = s.relations;
            assembly ("memory-safe") {
                value := mload(add(values, shl(5, k)))
            }
        }
    }

    /// @notice The value v of the relation whose residual is product term `k`.
    /// @dev Requires k < productCount.
    function productValue(Session memory s, uint256 k) internal pure returns (uint256 value) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            (uint256 list, uint256 values, uint256 position) = (s.linear, s.relations, s.relationCount - 1 - k);
            assembly ("memory-safe") {
                value := mload(add(values, shl(5, mload(add(list, shl(5, position))))))
            }
        }
    }

    function note(Session memory s, uint256 position, uint256 word) private pure {
        uint256 list = s.linear;
        assembly ("memory-safe") {
            mstore(add(list, shl(5, position)), word)
        }
    }

    /// @dev u8 terms | terms x (coefficient | u16 tensor | u8 segments | segments x segment)
    function skipTerms(uint256 cursor) private pure returns (uint256 next) {
        assembly ("memory-safe") {
            next := add(cursor, 1)
            for { let terms := byte(0, mload(cursor)) } terms { terms := sub(terms, 1) } {
                next := add(next, add(TERM_HEAD_SIZE, mul(3, byte(7, mload(next)))))
            }
        }
    }
}
