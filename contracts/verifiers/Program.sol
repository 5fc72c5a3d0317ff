// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {KeyData} from "./KeyData.sol";

/// @notice A verification key in memory, with the program's header read.
/// @dev Key: graphHash (32) | srsId (32) | u32 programLength | program | F x commitment (64).
struct Program {
    uint256 start; //         memory address of the program's first byte
    uint256 end; //           memory address behind its last byte
    uint256 cursor; //        memory address of the next byte to interpret
    uint256 tensors; //       memory address of the tensor table
    uint256 tensorCount;
    uint256 opCount; //       operators of the graph
    uint256 chunkLog; //      c: a chunk has 2^c cells
    uint256 lookup; //        0 LogUp-GKR, 1 committed inverses
    uint256 opening; //       0 HyperKZG, 1 Mercury
    uint256 fixedChunks; //   F
    uint256 proofChunks; //   P
    uint256 lateChunks; //    L
    uint256 commitments; //   memory address of the F fixed commitments
    bytes32 vkHash;
    bytes32 graphHash;
    bytes32 srsId;
    bytes32 programHash;
}

/// @title Reader of verification keys and programs (FORMAT.md 3 and 4)
/// @notice What reads in loops checks its cursor once, at the end of a section: cursors only grow, so nothing that was
/// read behind the program's end survives.
library ProgramLib {
    uint256 internal constant KIND_FIXED = 0;
    uint256 internal constant KIND_PROOF = 1;
    uint256 internal constant KIND_LATE = 2;
    uint256 internal constant KIND_INPUT = 3;
    uint256 internal constant KIND_OUTPUT = 4;

    uint256 internal constant LOOKUP_INVERSES = 1;

    uint256 private constant VERSION = 2;
    uint256 private constant HEADER_SIZE = 14;
    uint256 private constant TENSOR_SIZE = 8;
    /// @dev graphHash, srsId and the program's length.
    uint256 private constant KEY_PREFIX = 68;
    /// @dev Bounds 2^c and every shift by a number of variables; the largest reference strings have 2^28 points.
    uint256 private constant MAX_CHUNK_LOG = 40;

    /// @notice Reads the key and the program's header and tensor table.
    function load(address vkData) internal view returns (Program memory p) {
        (uint256 key, uint256 size) = KeyData.read(vkData);
        if (size < KEY_PREFIX) revert IProofVerifier.WrongKeyLength(size, KEY_PREFIX);
        uint256 programSize;
        bytes32 vkHash;
        bytes32 graphHash;
        bytes32 srsId;
        assembly ("memory-safe") {
            vkHash := keccak256(key, size)
            graphHash := mload(key)
            srsId := mload(add(key, 0x20))
            programSize := shr(224, mload(add(key, 0x40)))
        }
        if (size < KEY_PREFIX + programSize) revert IProofVerifier.WrongKeyLength(size, KEY_PREFIX + programSize);
        (p.vkHash, p.graphHash, p.srsId) = (vkHash, graphHash, srsId);
        p.start = key + KEY_PREFIX;
        p.cursor = p.start;
        p.end = p.start + programSize;
        p.commitments = p.end;
        readHeader(p);
        // INVARIANT: the key holds exactly the commitments that its program asks for.
        uint256 expected = KEY_PREFIX + programSize + (p.fixedChunks << 6);
        if (size != expected) revert IProofVerifier.WrongKeyLength(size, expected);
    }

    /// @dev u8 version | u8 c | u8 lookup | u8 opening | u16 F | u16 P | u16 L | u16 opCount | u16 tensorCount | tensors
    function readHeader(Program memory p) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            (uint256 start, uint256 end) = (p.start, p.end);
            bytes32 programHash;
            assembly ("memory-safe") {
                programHash := keccak256(start, sub(end, start))
            }
            p.programHash = programHash;
            uint256 word = take(p, HEADER_SIZE);
            if (word >> 248 != VERSION) revert IProofVerifier.MalformedProgram(0);
            p.chunkLog = (word >> 240) & 0xff;
            p.lookup = (word >> 232) & 0xff;
            p.opening = (word >> 224) & 0xff;
            p.fixedChunks = (word >> 208) & 0xffff;
            p.proofChunks = (word >> 192) & 0xffff;
            p.lateChunks = (word >> 176) & 0xffff;
            p.opCount = (word >> 160) & 0xffff;
            p.tensorCount = (word >> 144) & 0xffff;
            bool valid = p.chunkLog != 0 && p.chunkLog <= MAX_CHUNK_LOG && p.lookup <= 1 && p.opening <= 1;
            // INVARIANT: chunks that are committed late are the inverses'.
            if (!valid || (p.lookup != LOOKUP_INVERSES && p.lateChunks != 0)) revertMalformed(p);
            p.tensors = p.cursor;
            p.cursor += p.tensorCount * TENSOR_SIZE;
            requireInside(p);
        }
    }

    /// @notice Takes the program's next `size` <= 32 bytes, at the upper end of the returned word.
    /// @dev The lower bytes are what follows them: take what you need by shifting.
    function take(Program memory p, uint256 size) internal pure returns (uint256 word) {
        uint256 cursor = p.cursor;
        // SAFETY: a memory address and at most 32.
        unchecked {
            p.cursor = cursor + size;
        }
        requireInside(p);
        assembly ("memory-safe") {
            word := mload(cursor)
        }
    }

    /// @notice Takes the opcode `expected`.
    function takeOpcode(Program memory p, uint256 expected) internal pure {
        // INVARIANT: a program that ends before its opening proves nothing.
        if (p.cursor >= p.end) revert IProofVerifier.UnfinishedProgram(expected);
        uint256 opcode = take(p, 1) >> 248;
        // INVARIANT: challenges are drawn after what they are to bind.
        if (opcode != expected) revert IProofVerifier.OpcodeOutOfOrder(opcode, expected);
    }

    /// @notice Moves to a cursor that a loop has reached.
    function moveTo(Program memory p, uint256 cursor) internal pure {
        p.cursor = cursor;
        requireInside(p);
    }

    /// @notice Requires that the rest of the program can hold `count` items of at least `size` bytes: before memory is
    /// taken for them.
    function requireRoom(Program memory p, uint256 count, uint256 size) internal pure {
        if (count * size > p.end - p.cursor) revertMalformed(p);
    }

    /// @notice Requires that the program ends here.
    function finish(Program memory p) internal pure {
        if (p.cursor != p.end) revert IProofVerifier.TrailingProgram(p.end - p.cursor);
    }

    /// @notice The entry of tensor `id`, packed at the upper end of the word: u8 kind | u8 n | u16 chunk | u32 addr.
    function tensorWord(Program memory p, uint256 id) internal pure returns (uint256 word) {
        // INVARIANT: the program names declared tensors only.
        if (id >= p.tensorCount) revert IProofVerifier.UnknownTensor(id, p.tensorCount);
        uint256 table = p.tensors;
        assembly ("memory-safe") {
            word := mload(add(table, shl(3, id)))
        }
    }

    /// @notice The number of chunks: F + P + L.
    function chunks(Program memory p) internal pure returns (uint256) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            return p.fixedChunks + p.proofChunks + p.lateChunks;
        }
    }

    function requireInside(Program memory p) private pure {
        // INVARIANT: no byte behind the program is interpreted.
        if (p.cursor > p.end) revertMalformed(p);
    }

    /// @notice Reverts, naming the byte of the program that follows what was read last.
    function revertMalformed(Program memory p) internal pure {
        revert IProofVerifier.MalformedProgram(p.cursor - p.start);
    }
}
