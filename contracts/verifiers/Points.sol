// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR, HALF} from "./Field.sol";
import {ProgramLib, Program} from "./Program.sol";
import {Session, SessionLib, SOURCE_BITS, SOURCE_HALF, SOURCE_LINK, SOURCE_OUTPUT_BITS} from "./Session.sol";

/// @title Points: concatenations of segments (FORMAT.md 3.2)
/// @notice A segment is three bytes, u8 source | u8 end | u8 length, here at the upper end of a word.
library Points {
    using ProgramLib for Program;
    using SessionLib for Session;

    uint256 internal constant SEGMENT_SIZE = 3;
    uint256 private constant FLIP = 0x80;
    uint256 private constant MAX_BITS = 8;
    uint256 private constant MAX_OUTPUT_BITS = 31;

    /// @notice Builds the point of `count` segments; takes memory for it.
    /// @param cursor Memory address of the first segment.
    /// @param variables The number of coordinates that the point must have.
    /// @return point Memory address of the coordinates, all below r.
    function build(Session memory s, uint256 cursor, uint256 count, uint256 variables)
        internal
        pure
        returns (uint256 point)
    {
        point = SessionLib.allocate(variables << 5);
        (uint256 at, uint256 last) = (point, point + (variables << 5));
        // SAFETY: memory addresses.
        unchecked {
            for (; count != 0; --count) {
                uint256 word;
                assembly ("memory-safe") {
                    word := mload(cursor)
                }
                uint256 size = lengthOf(word) << 5;
                // INVARIANT: the point stays inside its memory.
                if (at + size > last) s.program.revertMalformed();
                write(s, word, at);
                at += size;
                cursor += SEGMENT_SIZE;
            }
        }
        // INVARIANT: all coordinates are there.
        if (at != last) s.program.revertMalformed();
    }

    /// @notice Writes a segment's coordinates to memory address `target`.
    function write(Session memory s, uint256 word, uint256 target) internal pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 source = word >> 248;
            bool isFlipped = source >= FLIP;
            if (isFlipped) source -= FLIP;
            uint256 end = (word >> 240) & 0xff;
            uint256 length = lengthOf(word);
            if (source <= SOURCE_LINK) {
                uint256 from = vectorSlice(s, source, end, length);
                assembly ("memory-safe") {
                    mcopy(target, from, shl(5, length))
                }
                if (isFlipped) flip(target, length);
            } else if (isFlipped) {
                s.program.revertMalformed();
            } else if (source == SOURCE_HALF) {
                fillHalves(target, length);
            } else if (source == SOURCE_BITS && length <= MAX_BITS) {
                fillBits(target, end, length);
            } else if (source == SOURCE_OUTPUT_BITS && end + length <= MAX_OUTPUT_BITS) {
                fillBits(target, uint256(s.firstOutput) >> end, length);
            } else {
                s.program.revertMalformed();
            }
        }
    }

    /// @notice A segment's length.
    function lengthOf(uint256 word) internal pure returns (uint256) {
        return (word >> 232) & 0xff;
    }

    /// @notice Memory address of v[N - end - length .. N - end] of a vector of challenges.
    function vectorSlice(Session memory s, uint256 source, uint256 end, uint256 length)
        internal
        pure
        returns (uint256)
    {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            (uint256 behind, uint256 size) = s.getVector(source);
            // INVARIANT: a segment lies inside its vector, which has been drawn.
            if (end + length > size) s.program.revertMalformed();
            return behind - ((end + length) << 5);
        }
    }

    function fillHalves(uint256 target, uint256 length) private pure {
        assembly ("memory-safe") {
            for { let last := add(target, shl(5, length)) } lt(target, last) { target := add(target, 0x20) } {
                mstore(target, HALF)
            }
        }
    }

    /// @dev The `length` low bits of `value`, the most significant first.
    function fillBits(uint256 target, uint256 value, uint256 length) private pure {
        assembly ("memory-safe") {
            for { let bit := length } bit { target := add(target, 0x20) } {
                bit := sub(bit, 1)
                mstore(target, and(shr(bit, value), 1))
            }
        }
    }

    /// @dev Every coordinate x becomes 1 - x.
    function flip(uint256 target, uint256 length) private pure {
        assembly ("memory-safe") {
            let f := FR
            for { let last := add(target, shl(5, length)) } lt(target, last) { target := add(target, 0x20) } {
                mstore(target, addmod(1, sub(f, mload(target)), f))
            }
        }
    }
}
