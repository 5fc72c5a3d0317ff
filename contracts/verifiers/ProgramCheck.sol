// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Multilinear} from "./Multilinear.sol";
import {ProgramLib, Program, PublicShape, Tensor} from "./Program.sol";
import {TranscriptLib} from "./Transcript.sol";

/// @title Structure check of a verification key, run once when it is registered
/// @notice Walks the whole program: every tensor is declared and placed in chunks of its kind, which the tensors fill,
/// every count and size agrees and is the least that serves, every instruction stands where it must, every commitment is
/// on the curve. As strict as the native verifier's validation. It does not say that the program
/// belongs to the graph: whoever relies on a version compiles its graph and compares the program's hash.
library ProgramCheck {
    using ProgramLib for Program;

    uint256 private constant NO_BIAS = 0xffff;
    uint256 private constant MAX_LOG = 40;
    uint256 private constant MIN_CHUNK_LOG = 4;
    uint256 private constant MAX_CHUNK_LOG = 20;
    uint256 private constant MAX_ROWS_LOG = 31;
    uint256 private constant MAX_SHIFT = 63;
    uint256 private constant MAX_SCALE = 1 << 15;
    uint256 private constant LAST_OPCODE = 6;
    uint256 private constant COMMITMENT_SIZE = 64;

    /// @notice What the walk has seen so far.
    struct Walk {
        bool[] looked; //     tensor id => is a column of a lookup or table
        uint256 lambda;
        uint256 rounds;
        uint256 entries; //   requantisations
    }

    /// @notice Reverts unless the key is well formed.
    function run(Program memory p) internal pure {
        checkTensors(p);
        checkPublic(p, ProgramLib.INPUT, ProgramLib.KIND_INPUT);
        checkPublic(p, ProgramLib.OUTPUT, ProgramLib.KIND_OUTPUT);
        Walk memory w;
        w.looked = new bool[](p.tensorCount);
        for (uint256 expected = 1; expected <= LAST_OPCODE; ++expected) {
            if (p.cursor >= p.end) revert IProofVerifier.UnfinishedProgram(expected);
            uint256 opcode = p.take(1) >> 248;
            if (opcode == 0 || opcode > LAST_OPCODE) {
                revert IProofVerifier.UnknownOpcode(opcode, p.cursor - p.start - 1);
            }
            if (opcode != expected) revert IProofVerifier.OpcodeOutOfOrder(opcode, expected);
            // COMMIT, REDUCE and OPEN have no arguments.
            if (opcode == 2) checkLogUp(p, w);
            else if (opcode == 3) checkRequant(p, w);
            else if (opcode == 4) checkContraction(p, w);
        }
        if (p.cursor != p.end) revert IProofVerifier.TrailingProgram(p.end - p.cursor);
        checkCommitments(p);
    }

    /// @dev The first two tensors are public; all others lie in chunks of their kind.
    function checkTensors(Program memory p) private pure {
        if (p.chunkLog < MIN_CHUNK_LOG || p.chunkLog > MAX_CHUNK_LOG) p.revertMalformed();
        uint256[4] memory cells; // by kind
        for (uint256 id = 0; id < p.tensorCount; ++id) {
            Tensor memory tensor = p.tensorAt(id);
            uint256 expected = id <= ProgramLib.OUTPUT ? ProgramLib.KIND_INPUT + id : tensor.kind;
            bool valid = tensor.kind == expected && tensor.variables <= MAX_LOG;
            if (valid && tensor.kind <= ProgramLib.KIND_OUTPUT) cells[tensor.kind] += 1 << tensor.variables;
            if (id <= ProgramLib.OUTPUT) {
                valid = valid && tensor.chunk == 0 && tensor.addr == 0;
            } else {
                bool large = tensor.variables >= p.chunkLog;
                uint256 last = tensor.chunk + (large ? 1 << (tensor.variables - p.chunkLog) : 1);
                uint256 places = large ? 1 : 1 << (p.chunkLog - tensor.variables);
                bool isFixed = tensor.kind == ProgramLib.KIND_FIXED;
                valid = valid && tensor.kind <= ProgramLib.KIND_PROOF && tensor.addr < places
                    && (isFixed || tensor.chunk >= p.fixedChunks)
                    && last <= p.fixedChunks + (isFixed ? 0 : p.proofChunks);
            }
            if (!valid) p.revertMalformed();
        }
        // No gaps: the cells determine the number of chunks.
        uint256 ceiling = (1 << p.chunkLog) - 1;
        bool filled = (cells[ProgramLib.KIND_FIXED] + ceiling) >> p.chunkLog == p.fixedChunks
            && (cells[ProgramLib.KIND_PROOF] + ceiling) >> p.chunkLog == p.proofChunks;
        if (!filled) p.revertMalformed();
    }

    function checkPublic(Program memory p, uint256 id, uint256 kind) private pure {
        PublicShape memory shape = p.takePublic();
        uint256 variables = Multilinear.ceilLog2(shape.rows) + Multilinear.ceilLog2(shape.cols);
        requireTensor(p, id, variables);
        uint256 actual = p.tensorAt(id).kind;
        int256 bound = int256(1) << (8 * shape.bytesPerElement - 1);
        bool valid = shape.lo <= shape.hi && shape.lo >= -bound && shape.hi < bound;
        if (actual != kind || !valid) p.revertMalformed();
    }

    /// @dev u8 lambda | u16 count | count x (u8 kind | u8 n | u8 tableId | u8 columns | columns x (u16 | i32))
    function checkLogUp(Program memory p, Walk memory w) private pure {
        uint256 word = p.take(3);
        w.lambda = word >> 248;
        uint256 tables;
        uint256 leaf;
        uint256 largest = MAX_LOG;
        bool[] memory isTable = new bool[](256);
        bool[] memory isUsed = new bool[](256);
        for (uint256 count = (word >> 232) & 0xffff; count != 0; --count) {
            word = p.take(4);
            uint256 kind = word >> 248;
            uint256 n = (word >> 240) & 0xff;
            uint256 tableId = (word >> 232) & 0xff;
            uint256 columns = (word >> 224) & 0xff;
            bool valid = kind <= 1 && n <= largest && tableId != 0 && (columns == 1 || columns == 2);
            // One table of each id.
            if (!valid || (kind == 1 && isTable[tableId])) p.revertMalformed();
            (kind == 1 ? isTable : isUsed)[tableId] = true;
            tables += kind;
            largest = n;
            leaf += 1 << n;
            for (; columns != 0; --columns) {
                word = p.take(6);
                requireTensor(p, word >> 240, n);
                w.looked[word >> 240] = true;
                if (kind == 1 && uint32(word >> 208) != 0) p.revertMalformed();
            }
        }
        if (tables == 0) p.revertMalformed();
        // No more layers than the leaves need, and at least one.
        uint256 least = Multilinear.ceilLog2(leaf);
        if (w.lambda != (least == 0 ? 1 : least) || w.lambda > MAX_LOG) p.revertMalformed();
        for (uint256 id = 0; id < isUsed.length; ++id) {
            if (isUsed[id] != isTable[id]) p.revertMalformed();
        }
    }

    /// @dev u16 count | count x (u16 q | i32 addend | u8 s | u16 m | u8 digits | digits x (u16 tensor | u8 shift)
    /// | u16 bias | u8 rowsLog | u8 colsLog | u32 rows)
    function checkRequant(Program memory p, Walk memory w) private pure {
        w.entries = p.take(2) >> 240;
        if (w.entries > p.opCount) p.revertMalformed();
        for (uint256 i = 0; i < w.entries; ++i) {
            uint256 head = p.take(10);
            uint256 digits = (head >> 176) & 0xff;
            uint256 m = (head >> 184) & 0xffff;
            uint256 s = (head >> 200) & 0xff;
            if (s == 0 || s > MAX_SHIFT || m == 0 || m >= MAX_SCALE || digits == 0) p.revertMalformed();
            uint256 first = p.cursor;
            p.cursor += 3 * digits;
            uint256 variables = checkShape(p, w);
            requireLooked(p, w, head >> 240, variables);
            uint256 behind = p.cursor;
            p.cursor = first;
            for (; digits != 0; --digits) {
                uint256 digit = p.take(3);
                if ((digit >> 232) & 0xff > MAX_SHIFT) p.revertMalformed();
                requireLooked(p, w, digit >> 240, variables);
            }
            p.cursor = behind;
        }
    }

    /// @dev u16 bias | u8 rowsLog | u8 colsLog | u32 rows; returns rowsLog + colsLog.
    function checkShape(Program memory p, Walk memory w) private pure returns (uint256 variables) {
        uint256 tail = p.take(8);
        uint256 rowsLog = (tail >> 232) & 0xff;
        uint256 colsLog = (tail >> 224) & 0xff;
        uint256 rows = (tail >> 192) & 0xffffffff;
        variables = rowsLog + colsLog;
        bool valid = rowsLog <= MAX_ROWS_LOG && variables <= w.lambda && rows != 0;
        if (!valid || rows > 1 << rowsLog) p.revertMalformed();
        if (tail >> 240 != NO_BIAS) requireCommitted(p, tail >> 240, colsLog);
    }

    /// @dev u8 rounds | u8 degree | u16 count | count x (u16 requant | u8 variables | operand | operand)
    function checkContraction(Program memory p, Walk memory w) private pure {
        uint256 word = p.take(4);
        w.rounds = word >> 248;
        if (w.rounds > MAX_LOG || (word >> 240) & 0xff != 2 || (word >> 224) & 0xffff != w.entries) {
            p.revertMalformed();
        }
        uint256 longest;
        for (uint256 k = 0; k < w.entries; ++k) {
            word = p.take(3);
            uint256 variables = (word >> 232) & 0xff;
            if (word >> 240 != k || variables > w.rounds) p.revertMalformed();
            if (variables > longest) longest = variables;
            checkOperand(p, w, variables);
            checkOperand(p, w, variables);
        }
        // No more rounds than the longest instance needs.
        if (longest != w.rounds) p.revertMalformed();
    }

    /// @dev u16 tensor | u8 segments | segments x (u8 source | u8 end | u8 length): segments of zeta, then the last
    /// `inner` coordinates of r_C; none is empty.
    function checkOperand(Program memory p, Walk memory w, uint256 inner) private pure {
        uint256 word = p.take(3);
        uint256 filled;
        uint256 contracted;
        for (uint256 segments = (word >> 232) & 0xff; segments != 0; --segments) {
            uint256 segment = p.take(3);
            uint256 source = segment >> 248;
            uint256 end = (segment >> 240) & 0xff;
            uint256 length = (segment >> 232) & 0xff;
            if (source > 1 || length == 0 || contracted != 0) p.revertMalformed();
            if (source == 1) {
                // An instance sees no other coordinates of r_C than its own.
                if (end != 0 || length != inner) p.revertMalformed();
                contracted = length;
            } else if (end + length > w.lambda) {
                p.revertMalformed();
            }
            filled += length;
        }
        if (contracted != inner) p.revertMalformed();
        requireTensor(p, word >> 240, filled);
    }

    function checkCommitments(Program memory p) private pure {
        uint256 valid = TranscriptLib.countPoints(p.commitments, p.fixedChunks, COMMITMENT_SIZE);
        if (valid != p.fixedChunks) revert IProofVerifier.InvalidCommitment(valid);
    }

    /// @dev Requires a declared tensor of `variables` variables.
    function requireTensor(Program memory p, uint256 id, uint256 variables) private pure {
        if (p.variablesOf(id) != variables) p.revertMalformed();
    }

    /// @dev Requires a tensor that the lookups cover.
    function requireLooked(Program memory p, Walk memory w, uint256 id, uint256 variables) private pure {
        requireTensor(p, id, variables);
        if (!w.looked[id]) p.revertMalformed();
    }

    /// @dev Requires a tensor that lies in a chunk.
    function requireCommitted(Program memory p, uint256 id, uint256 variables) private pure {
        requireTensor(p, id, variables);
        if (id <= ProgramLib.OUTPUT) p.revertMalformed();
    }
}
