// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";

/// @notice A verification key in memory, with the program's header read.
/// @dev Key: graphHash (32) | srsId (32) | u16 programLength | program | F x commitment (64).
struct Program {
    uint256 start; //         memory address of the program's first byte
    uint256 end; //           memory address behind its last byte
    uint256 cursor; //        memory address of the next byte to interpret
    uint256 tensors; //       memory address of the tensor table
    uint256 tensorCount;
    uint256 opCount; //       operators of the graph
    uint256 chunkLog; //      c: a chunk has 2^c cells
    uint256 fixedChunks; //   F
    uint256 proofChunks; //   P
    uint256 commitments; //   memory address of the F fixed commitments
    bytes32 vkHash;
    bytes32 graphHash;
    bytes32 srsId;
    bytes32 programHash;
}

/// @notice Where a tensor lives.
struct Tensor {
    uint256 kind;
    uint256 variables; //     n: it has 2^n cells
    uint256 chunk; //         (first) chunk
    uint256 addr; //          its place in the chunk, in units of 2^n cells
}

/// @notice The shape and type of a public tensor.
struct PublicShape {
    uint256 bytesPerElement;
    uint256 rows;
    uint256 cols;
    int256 lo;
    int256 hi;
}

/// @title Reader of verification keys and programs (FORMAT.md 3.5 and 4)
/// @notice Every function here reverts rather than read behind the program's end.
library ProgramLib {
    uint256 internal constant KIND_FIXED = 0;
    uint256 internal constant KIND_PROOF = 1;
    uint256 internal constant KIND_INPUT = 2;
    uint256 internal constant KIND_OUTPUT = 3;

    uint256 internal constant INPUT = 0;
    uint256 internal constant OUTPUT = 1;

    uint256 private constant VERSION = 1;
    uint256 private constant HEADER_SIZE = 10;
    uint256 private constant TENSOR_SIZE = 8;
    uint256 private constant PUBLIC_SIZE = 17;
    /// @dev graphHash, srsId and the program's length.
    uint256 private constant KEY_PREFIX = 66;
    /// @dev Bounds 2^c and every shift by a number of variables; the largest reference strings have 2^28 points.
    uint256 private constant MAX_VARIABLES = 40;

    /// @notice Copies the key out of its data contract and reads the program's header and tensor table.
    function load(address vkData) internal view returns (Program memory p) {
        uint256 codeSize = vkData.code.length;
        uint256 key;
        uint256 marker;
        // Equivalent to bytes key = vkData.code[1:], with a zero word behind it for reads of whole words
        assembly ("memory-safe") {
            key := add(mload(0x40), 0x20)
            extcodecopy(vkData, sub(key, 1), 0, codeSize)
            marker := byte(0, mload(sub(key, 1)))
            let end := add(key, codeSize)
            mstore(sub(end, 1), 0)
            mstore(0x40, add(and(add(end, 31), not(31)), 0x20))
        }
        // INVARIANT: a data contract can never be executed.
        if (codeSize == 0 || marker != 0) revert IProofVerifier.NotAKey(vkData);
        uint256 size = codeSize - 1;
        if (size < KEY_PREFIX) revert IProofVerifier.WrongKeyLength(size, KEY_PREFIX);

        uint256 programSize;
        bytes32 vkHash;
        bytes32 graphHash;
        bytes32 srsId;
        assembly ("memory-safe") {
            vkHash := keccak256(key, size)
            graphHash := mload(key)
            srsId := mload(add(key, 0x20))
            programSize := shr(240, mload(add(key, 0x40)))
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

    /// @dev u8 version | u8 c | u16 F | u16 P | u16 opCount | u16 tensorCount | the tensor table
    function readHeader(Program memory p) private pure {
        (uint256 start, uint256 end) = (p.start, p.end);
        bytes32 programHash;
        assembly ("memory-safe") {
            programHash := keccak256(start, sub(end, start))
        }
        p.programHash = programHash;
        uint256 word = take(p, HEADER_SIZE);
        if (word >> 248 != VERSION) revert IProofVerifier.MalformedProgram(0);
        p.chunkLog = (word >> 240) & 0xff;
        p.fixedChunks = (word >> 224) & 0xffff;
        p.proofChunks = (word >> 208) & 0xffff;
        p.opCount = (word >> 192) & 0xffff;
        p.tensorCount = (word >> 176) & 0xffff;
        if (p.chunkLog == 0 || p.chunkLog > MAX_VARIABLES) revertMalformed(p);
        p.tensors = p.cursor;
        p.cursor += p.tensorCount * TENSOR_SIZE;
        if (p.cursor > end) revertMalformed(p);
    }

    /// @notice Reads the shape of the next public tensor.
    /// @dev u8 bytesPerElement | u32 rows | u32 cols | i32 lo | i32 hi
    function takePublic(Program memory p) internal pure returns (PublicShape memory shape) {
        uint256 word = take(p, PUBLIC_SIZE);
        shape.bytesPerElement = word >> 248;
        shape.rows = (word >> 216) & 0xffffffff;
        shape.cols = (word >> 184) & 0xffffffff;
        shape.lo = int32(uint32(word >> 152));
        shape.hi = int32(uint32(word >> 120));
        // INVARIANT: an element has one or two bytes and there is at least one.
        bool valid = shape.bytesPerElement == 1 || shape.bytesPerElement == 2;
        if (!valid || shape.rows == 0 || shape.cols == 0) revertMalformed(p);
    }

    /// @notice Takes the program's next `size` <= 32 bytes, at the upper end of the returned word.
    /// @dev The lower bytes are what follows them: take what you need by shifting.
    function take(Program memory p, uint256 size) internal pure returns (uint256 word) {
        uint256 cursor = p.cursor;
        // SAFETY: a memory address and at most 32.
        unchecked {
            p.cursor = cursor + size;
        }
        // INVARIANT: no byte behind the program is interpreted.
        if (p.cursor > p.end) revertMalformed(p);
        assembly ("memory-safe") {
            word := mload(cursor)
        }
    }

    /// @notice The entry of `id` in the tensor table.
    function tensorAt(Program memory p, uint256 id) internal pure returns (Tensor memory tensor) {
        uint256 word = tensorWord(p, id);
        tensor.kind = word >> 248;
        tensor.variables = (word >> 240) & 0xff;
        tensor.chunk = (word >> 224) & 0xffff;
        tensor.addr = (word >> 192) & 0xffffffff;
    }

    /// @notice The number of variables of tensor `id`.
    function variablesOf(Program memory p, uint256 id) internal pure returns (uint256) {
        return (tensorWord(p, id) >> 240) & 0xff;
    }

    /// @notice The entry of `id` in the tensor table, packed at the upper end of the word:
    /// u8 kind | u8 n | u16 chunk | u32 addr.
    function tensorWord(Program memory p, uint256 id) internal pure returns (uint256 word) {
        // INVARIANT: the program names declared tensors only.
        if (id >= p.tensorCount) revert IProofVerifier.UnknownTensor(id, p.tensorCount);
        uint256 table = p.tensors;
        assembly ("memory-safe") {
            word := mload(add(table, shl(3, id)))
        }
    }

    /// @notice Reverts, naming the byte of the program that follows what was read last.
    function revertMalformed(Program memory p) internal pure {
        revert IProofVerifier.MalformedProgram(p.cursor - p.start);
    }
}
