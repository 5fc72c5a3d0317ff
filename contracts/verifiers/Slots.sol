// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR} from "./Field.sol";
import {Points} from "./Points.sol";
import {ProgramLib, Program} from "./Program.sol";
import {PublicTensor, PublicTensorLib} from "./PublicTensor.sol";
import {Session, SessionLib, SlotCounts} from "./Session.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title Slots: values of tensors at points (FORMAT.md 3.3)
/// @notice Record: u8 kind | u16 tensor | u8 segments | segments x (u8 source | u8 end | u8 length). A committed or
/// virtual slot's value is read from the proof, a public one's computed here. A committed slot is a claim: Reduction,
/// which walks over the same records, proves it.
library Slots {
    using ProgramLib for Program;
    using TranscriptLib for Transcript;
    using PublicTensorLib for PublicTensor;

    uint256 internal constant HEAD_SIZE = 4;
    uint256 private constant KIND_TENSOR = 0;
    uint256 private constant KIND_ONE_HOT = 2;

    /// @notice Reads how many slots each phase has and finds the end of their records.
    function index(Session memory s) internal pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            Program memory program = s.program;
            SlotCounts memory counts = s.counts;
            uint256 word = program.take(10);
            counts.leaf = word >> 240;
            counts.direct = (word >> 224) & 0xffff;
            counts.product = (word >> 208) & 0xffff;
            counts.contraction = (word >> 192) & 0xffff;
            counts.link = (word >> 176) & 0xffff;
            uint256 count = total(counts);
            uint256 cursor = program.cursor;
            s.slots = cursor;
            s.slotCursor = cursor;
            // Equivalent to: for each slot: cursor += 4 + 3 * segments
            assembly ("memory-safe") {
                for { let rest := and(count, 3) } rest { rest := sub(rest, 1) } {
                    cursor := add(cursor, add(HEAD_SIZE, mul(3, byte(3, mload(cursor)))))
                }
                for { let rest := shr(2, count) } rest { rest := sub(rest, 1) } {
                    cursor := add(cursor, add(HEAD_SIZE, mul(3, byte(3, mload(cursor)))))
                    cursor := add(cursor, add(HEAD_SIZE, mul(3, byte(3, mload(cursor)))))
                    cursor := add(cursor, add(HEAD_SIZE, mul(3, byte(3, mload(cursor)))))
                    cursor := add(cursor, add(HEAD_SIZE, mul(3, byte(3, mload(cursor)))))
                }
            }
            program.moveTo(cursor);
            // Only now: the program's length bounds the number of slots.
            uint256 values = SessionLib.allocate((count + 1) << 5);
            s.scope.values = values + 0x20;
            // Before the first value a 1, which stands for "no slot".
            assembly ("memory-safe") {
                mstore(values, 1)
            }
        }
    }

    /// @notice The number of slots.
    function total(SlotCounts memory counts) internal pure returns (uint256) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            return counts.leaf + counts.direct + counts.product + counts.contraction + counts.link;
        }
    }

    /// @notice Reads a phase's `count` slots, one message of those that the prover sends.
    function read(Session memory s, uint256 tag, uint256 count) internal view {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            if (count == 0) return;
            Transcript memory transcript = s.transcript;
            (uint256 first, uint256 cursor) = (transcript.cursor, s.slotCursor);
            uint256 source = first;
            uint256 at = s.scope.values + (s.scope.known << 5);
            uint256 last = at + (count << 5);
            bool refused;
            while (true) {
                bool found;
                (at, cursor, source, found) = readSent(s.program, at, last, cursor, source);
                refused = refused || found;
                if (at == last) break;
                cursor = computeSlot(s, at, cursor);
                at += 0x20;
            }
            s.slotCursor = cursor;
            s.scope.known += count;
            transcript.advance(source - first);
            transcript.absorb(tag, first, (source - first) >> 5);
            // INVARIANT: every scalar is below r.
            if (refused) transcript.revertNonCanonical(first);
        }
    }

    /// @dev Reads slots as long as the prover sends them.
    /// @param at Memory address of the next slot's value.
    /// @param last Memory address behind the phase's last one.
    /// @param cursor Memory address of the next slot's record.
    /// @param source Calldata offset of the next scalar.
    /// @return refused Whether a scalar is not below r.
    function readSent(Program memory program, uint256 at, uint256 last, uint256 cursor, uint256 source)
        private
        pure
        returns (uint256, uint256, uint256, bool refused)
    {
        (uint256 tensors, uint256 tensorCount) = (program.tensors, program.tensorCount);
        // Equivalent to: while the slot is virtual, or its tensor is fixed, proof or late: values[i++] = proof[source++]
        assembly ("memory-safe") {
            let f := FR
            for {} lt(at, last) { at := add(at, 0x20) } {
                let word := mload(cursor)
                switch byte(0, word)
                case 0 {
                    let id := and(shr(232, word), 0xffff)
                    if iszero(lt(id, tensorCount)) { break }
                    if gt(byte(0, mload(add(tensors, shl(3, id)))), 2) { break }
                }
                case 1 {}
                default { break }
                let value := calldataload(source)
                source := add(source, 0x20)
                refused := or(refused, iszero(lt(value, f)))
                mstore(at, value)
                cursor := add(cursor, add(HEAD_SIZE, mul(3, byte(3, word))))
            }
        }
        return (at, cursor, source, refused);
    }

    /// @dev Computes the value of a slot that is not sent; returns the memory address behind its record.
    function computeSlot(Session memory s, uint256 at, uint256 cursor) private view returns (uint256) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            Program memory program = s.program;
            uint256 word;
            assembly ("memory-safe") {
                word := mload(cursor)
            }
            (uint256 kind, uint256 segments) = (word >> 248, (word >> 224) & 0xff);
            PublicTensor memory tensor = find(s, (word >> 232) & 0xffff);
            uint256 free = SessionLib.allocate(0);
            bool isHot = kind == KIND_ONE_HOT;
            uint256 variables = isHot ? countCoordinates(cursor + HEAD_SIZE, segments) : tensor.variables;
            bool valid = kind == KIND_TENSOR || (isHot && isVector(tensor) && variables >= tensor.variables);
            if (!valid) program.revertMalformed();
            uint256[] memory point = buildPoint(s, cursor + HEAD_SIZE, segments, variables);
            uint256 value = isHot
                ? s.inspector.oneHot(tensor.content(), tensor.width, point)
                : s.inspector.evaluate(tensor.content(), tensor.width, tensor.dims, point);
            SessionLib.release(free);
            assembly ("memory-safe") {
                mstore(at, value)
            }
            return cursor + HEAD_SIZE + segments * Points.SEGMENT_SIZE;
        }
    }

    function buildPoint(Session memory s, uint256 cursor, uint256 segments, uint256 variables)
        private
        pure
        returns (uint256[] memory point)
    {
        uint256 head = SessionLib.allocate(0x20);
        Points.build(s, cursor, segments, variables);
        assembly ("memory-safe") {
            mstore(head, variables)
            point := head
        }
    }

    /// @dev Whether element t stands at index t of the padded tensor.
    function isVector(PublicTensor memory tensor) private pure returns (bool) {
        return tensor.dims[tensor.dims.length - 1] == tensor.count;
    }

    /// @dev The public tensor, given by bytes, with number `id`.
    function find(Session memory s, uint256 id) private pure returns (PublicTensor memory tensor) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            // Declared: its errors say more than those below.
            s.program.tensorWord(id);
            for (uint256 i = 0; i < s.publics.length; ++i) {
                tensor = s.publics[i];
                if (tensor.id == id && !tensor.isCommitted) return tensor;
            }
            s.program.revertMalformed();
        }
    }

    function countCoordinates(uint256 cursor, uint256 segments) private pure returns (uint256 sum) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            for (; segments != 0; --segments) {
                uint256 word;
                assembly ("memory-safe") {
                    word := mload(cursor)
                }
                sum += Points.lengthOf(word);
                cursor += Points.SEGMENT_SIZE;
            }
        }
    }
}
