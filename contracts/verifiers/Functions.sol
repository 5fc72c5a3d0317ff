// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {ProgramLib, Program} from "./Program.sol";
import {Scope, Session, SessionLib} from "./Session.sol";

/// @title Public functions: products of factors on segments of the phase's vector (FORMAT.md 3.4)
library Functions {
    using ProgramLib for Program;

    uint256 private constant FACTOR_SIZE = 9;
    uint256 private constant KIND_ID = 0;
    uint256 private constant KIND_LT = 1;
    uint256 private constant KIND_CAUSAL = 2;
    uint256 private constant KIND_LT_OUTPUT = 3;
    uint256 private constant KIND_AT = 4;

    /// @notice Reads where the functions stand: u16 count | count x (u8 factors | factors x factor).
    function index(Session memory s) internal pure {
        Program memory program = s.program;
        Scope memory scope = s.scope;
        uint256 count = program.take(2) >> 240;
        program.requireRoom(count, 1);
        uint256 cursor = program.cursor;
        uint256 records = SessionLib.allocate(count << 6);
        (scope.functionCount, scope.records, scope.cached) = (count, records, records + (count << 5));
        // Equivalent to: for f: records[f] = cursor; cursor += 1 + 9 * factors
        assembly ("memory-safe") {
            for { let last := add(records, shl(5, count)) } lt(records, last) { records := add(records, 0x20) } {
                mstore(records, cursor)
                cursor := add(add(cursor, 1), mul(FACTOR_SIZE, byte(0, mload(cursor))))
            }
        }
        program.moveTo(cursor);
    }

    /// @notice Function `id` at the phase's vector.
    function evaluate(Session memory s, uint256 id) internal pure returns (uint256 value) {
        Scope memory scope = s.scope;
        // INVARIANT: the program names declared functions only.
        if (id >= scope.functionCount) s.program.revertMalformed();
        (uint256 cached, uint256 records) = (scope.cached + (id << 5), scope.records + (id << 5));
        uint256 cursor;
        uint256 factors;
        assembly ("memory-safe") {
            value := mload(cached)
            cursor := mload(records)
            factors := byte(0, mload(cursor))
        }
        if (value != 0) return value - 1;
        value = 1;
        // SAFETY: a memory address.
        unchecked {
            for (++cursor; factors != 0; --factors) {
                value = mulmod(value, factor(s, cursor), FR);
                cursor += FACTOR_SIZE;
            }
        }
        assembly ("memory-safe") {
            mstore(cached, add(value, 1))
        }
    }

    /// @dev u8 kind | u32 value | u8 end | u8 length | u8 end2 | u8 length2
    function factor(Session memory s, uint256 cursor) private pure returns (uint256) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(cursor)
            }
            uint256 kind = word >> 248;
            uint256 number = (word >> 216) & 0xffffffff;
            uint256 length = (word >> 200) & 0xff;
            uint256 point = slice(s, (word >> 208) & 0xff, length);
            if (kind == KIND_ID) return Multilinear.identity(point, length);
            if (kind == KIND_LT) return lessThan(s, number, point, length);
            // A negative element becomes a number above every bound.
            if (kind == KIND_LT_OUTPUT) return lessThan(s, uint256(s.firstOutput), point, length);
            if (kind == KIND_AT && number >> length == 0) return Multilinear.eqIndex(number, point, length, 1);
            uint256 point2 = slice(s, (word >> 192) & 0xff, (word >> 184) & 0xff);
            bool valid = kind == KIND_CAUSAL && (word >> 184) & 0xff == length && number <= 1 << length;
            if (!valid) s.program.revertMalformed();
            return Multilinear.causal(number, point, point2, length);
        }
    }

    function lessThan(Session memory s, uint256 bound, uint256 point, uint256 length) private pure returns (uint256) {
        if (bound > 1 << length) s.program.revertMalformed();
        return Multilinear.lessThan(bound, point, length);
    }

    /// @dev Memory address of v[N - end - length .. N - end] of the phase's vector v.
    function slice(Session memory s, uint256 end, uint256 length) private pure returns (uint256) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            Scope memory scope = s.scope;
            // INVARIANT: a factor lies inside the vector.
            if (end + length > scope.vectorLength) s.program.revertMalformed();
            return scope.vectorEnd - ((end + length) << 5);
        }
    }
}
