// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {PhaseCheck} from "./PhaseCheck.sol";
import {ProgramLib, Program} from "./Program.sol";
import {PublicTensor, PublicTensorLib} from "./PublicTensor.sol";
import {CheckWalk, SegmentCheck} from "./SegmentCheck.sol";
import {NONE} from "./Session.sol";
import {TranscriptLib} from "./Transcript.sol";

/// @title Structure check of a verification key, run once when it is registered
/// @notice Walks the whole program: every tensor is declared and placed in chunks of its kind, every point has its tensor's
/// variables and uses only challenges drawn by then, every count and size agrees and is the least that serves, whatever
/// is sent without a claim is proven exactly once, every commitment is on the curve. It does not say that the program
/// belongs to the graph: whoever relies on a version compiles its graph and compares the program's hash.
library ProgramCheck {
    using ProgramLib for Program;
    using SegmentCheck for CheckWalk;

    uint256 private constant MAX_LOG = 40;
    uint256 private constant MIN_CHUNK_LOG = 4;
    uint256 private constant MAX_CHUNK_LOG = 28;
    uint256 private constant COMMITMENT_SIZE = 64;

    uint256 private constant KIND_TENSOR = 0;
    uint256 private constant KIND_VIRTUAL = 1;
    uint256 private constant KIND_ONE_HOT = 2;

    uint256 private constant FACTOR_SIZE = 9;
    uint256 private constant FACTOR_LT = 1;
    uint256 private constant FACTOR_CAUSAL = 2;
    uint256 private constant FACTOR_LT_OUTPUT = 3;
    uint256 private constant FACTOR_AT = 4;

    /// @notice Reverts unless the key is well formed.
    function run(Program memory p) internal pure {
        checkTensors(p);
        CheckWalk memory w;
        checkPublics(p, w);
        checkFunctions(p, w);
        checkSlots(p, w);
        PhaseCheck.run(p, w);
        p.finish();
        checkCommitments(p);
    }

    /* TENSORS */

    /// @dev Committed tensors lie in chunks of their kind, public ones nowhere.
    function checkTensors(Program memory p) private pure {
        if (p.chunkLog < MIN_CHUNK_LOG || p.chunkLog > MAX_CHUNK_LOG) p.revertMalformed();
        uint256 fixedCells;
        for (uint256 id = 0; id < p.tensorCount; ++id) {
            uint256 word = p.tensorWord(id);
            uint256 kind = word >> 248;
            uint256 n = (word >> 240) & 0xff;
            uint256 chunk = (word >> 224) & 0xffff;
            uint256 addr = (word >> 192) & 0xffffffff;
            if (kind > ProgramLib.KIND_OUTPUT || n > MAX_LOG) p.revertMalformed();
            bool valid = chunk == 0 && addr == 0;
            if (kind <= ProgramLib.KIND_LATE) {
                bool large = n >= p.chunkLog;
                uint256 last = chunk + (large ? 1 << (n - p.chunkLog) : 1);
                (uint256 first, uint256 end) = chunksOf(p, kind);
                valid = chunk >= first && last <= end && addr < (large ? 1 : 1 << (p.chunkLog - n));
                if (kind == ProgramLib.KIND_FIXED) fixedCells += 1 << n;
            }
            if (!valid) p.revertMalformed();
        }
        // No gaps: the cells determine the number of chunks.
        if ((fixedCells + (1 << p.chunkLog) - 1) >> p.chunkLog != p.fixedChunks) p.revertMalformed();
    }

    /// @dev The chunks of a kind of tensors: first one, and the one behind the last.
    function chunksOf(Program memory p, uint256 kind) private pure returns (uint256 first, uint256 end) {
        if (kind == ProgramLib.KIND_FIXED) return (0, p.fixedChunks);
        first = p.fixedChunks;
        if (kind == ProgramLib.KIND_PROOF) return (first, first + p.proofChunks);
        first += p.proofChunks;
        return (first, first + p.lateChunks);
    }

    function checkCommitments(Program memory p) private pure {
        uint256 valid = TranscriptLib.countPoints(p.commitments, p.fixedChunks, COMMITMENT_SIZE);
        if (valid != p.fixedChunks) revert IProofVerifier.InvalidCommitment(valid);
    }

    /* PUBLIC TENSORS */

    /// @dev u8 inputs | inputs x spec | spec of the output: each public tensor is described exactly once.
    function checkPublics(Program memory p, CheckWalk memory w) private pure {
        uint256 inputs = p.take(1) >> 248;
        if (inputs == 0) p.revertMalformed();
        w.inputs = new PublicTensor[](inputs);
        bool[] memory described = new bool[](p.tensorCount);
        for (uint256 i = 0; i < inputs; ++i) {
            w.inputs[i] = takePublic(p, ProgramLib.KIND_INPUT, described);
        }
        w.output = takePublic(p, ProgramLib.KIND_OUTPUT, described);
        for (uint256 id = 0; id < p.tensorCount; ++id) {
            if (p.tensorWord(id) >> 248 > ProgramLib.KIND_LATE && !described[id]) p.revertMalformed();
        }
    }

    function takePublic(Program memory p, uint256 kind, bool[] memory described)
        private
        pure
        returns (PublicTensor memory tensor)
    {
        tensor = PublicTensorLib.take(p, kind);
        int256 bound = int256(1) << (8 * tensor.width - 1);
        bool valid = tensor.lo <= tensor.hi && tensor.lo >= -bound && tensor.hi < bound;
        if (!valid || described[tensor.id]) p.revertMalformed();
        described[tensor.id] = true;
    }

    /* FUNCTIONS */

    /// @dev u16 count | count x (u8 factors | factors x factor); notes how far each function reaches into its vector.
    function checkFunctions(Program memory p, CheckWalk memory w) private pure {
        uint256 count = p.take(2) >> 240;
        p.requireRoom(count, 1);
        w.reaches = new uint256[](count);
        for (uint256 id = 0; id < count; ++id) {
            for (uint256 factors = p.take(1) >> 248; factors != 0; --factors) {
                uint256 reach = checkFactor(p, w, p.take(FACTOR_SIZE));
                if (reach > w.reaches[id]) w.reaches[id] = reach;
            }
        }
    }

    /// @dev u8 kind | u32 value | u8 end | u8 length | u8 end2 | u8 length2
    function checkFactor(Program memory p, CheckWalk memory w, uint256 word) private pure returns (uint256 reach) {
        uint256 kind = word >> 248;
        uint256 value = (word >> 216) & 0xffffffff;
        uint256 length = (word >> 200) & 0xff;
        reach = ((word >> 208) & 0xff) + length;
        bool valid = kind <= FACTOR_AT && length != 0 && length <= MAX_LOG;
        if (!valid) p.revertMalformed();
        if (kind == FACTOR_LT) valid = value <= 1 << length;
        if (kind == FACTOR_AT) valid = value < 1 << length;
        if (kind == FACTOR_LT_OUTPUT) {
            valid = SegmentCheck.hasIndex(w.output) && uint256(w.output.hi) <= 1 << length;
        }
        if (kind == FACTOR_CAUSAL) {
            valid = value <= 1 << length && (word >> 184) & 0xff == length;
            uint256 other = ((word >> 192) & 0xff) + length;
            if (other > reach) reach = other;
        }
        if (!valid) p.revertMalformed();
    }

    /* SLOTS */

    /// @dev 5 x u16 count | slots
    function checkSlots(Program memory p, CheckWalk memory w) private pure {
        uint256 word = p.take(10);
        for (uint256 phase = 0; phase < w.ends.length; ++phase) {
            w.ends[phase] = (phase == 0 ? 0 : w.ends[phase - 1]) + ((word >> (240 - 16 * phase)) & 0xffff);
        }
        uint256 total = w.ends[w.ends.length - 1];
        p.requireRoom(total, 4);
        w.isVirtual = new bool[](total);
        w.isProven = new bool[](total);
        w.isTensor = new bool[](total);
        uint256 phase_;
        for (uint256 slot = 0; slot < total; ++slot) {
            while (slot >= w.ends[phase_]) ++phase_;
            // Leaf and direct slots know zeta; each later phase one vector more.
            checkSlot(p, w, slot, phase_ < 2 ? 0 : phase_ - 1);
        }
    }

    /// @dev u8 kind | u16 tensor | u8 segments | segments x segment
    /// @param newest The last vector of challenges that the slot's point may use.
    function checkSlot(Program memory p, CheckWalk memory w, uint256 slot, uint256 newest) private pure {
        uint256 word = p.take(4);
        uint256 kind = word >> 248;
        uint256 tensor = (word >> 232) & 0xffff;
        uint256 variables = w.takeSegments(p, (word >> 224) & 0xff, newest);
        if (kind == KIND_VIRTUAL) {
            if (tensor != NONE || (word >> 224) & 0xff != 0) p.revertMalformed();
            w.isVirtual[slot] = true;
            return;
        }
        uint256 entry = p.tensorWord(tensor);
        uint256 n = (entry >> 240) & 0xff;
        if (kind == KIND_TENSOR) {
            if (variables != n) p.revertMalformed();
            w.isTensor[slot] = true;
            return;
        }
        if (kind != KIND_ONE_HOT || variables <= n) p.revertMalformed();
        checkOneHot(p, w, tensor, variables - n);
    }

    /// @dev The elements of input `id` are indices of `tail` bits.
    function checkOneHot(Program memory p, CheckWalk memory w, uint256 id, uint256 tail) private pure {
        for (uint256 i = 0; i < w.inputs.length; ++i) {
            PublicTensor memory input = w.inputs[i];
            if (input.id != id) continue;
            bool valid = SegmentCheck.hasIndex(input) && uint256(input.hi) >> tail == 0;
            if (!valid || input.dims[input.dims.length - 1] != input.count) p.revertMalformed();
            return;
        }
        p.revertMalformed();
    }
}
