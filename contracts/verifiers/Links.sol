// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {Points} from "./Points.sol";
import {ProgramLib, Program} from "./Program.sol";
import {MAX_ROUNDS, Session, SessionLib, SOURCE_LINK} from "./Session.sol";
import {Slots} from "./Slots.sol";
import {SumCheck} from "./SumCheck.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title Links: a window of a tensor from the tensor itself, all in one sum-check (FORMAT.md 7.5)
/// @notice sum over u, w of S_H(u) S_W(w) X(u, w, ...) = the window slot's value; instance k has the power omega^k.
/// | bytes | u16 window | u16 tensor | axis H | axis W |
/// |-------|------------|------------|--------|--------|
/// with axis: u16 out | u16 in | u8 kernel | u8 stride | u8 pad | segment z | segment kappa | u8 log_in.
library Links {
    using TranscriptLib for Transcript;
    using ProgramLib for Program;
    using SessionLib for Session;

    uint256 private constant OPCODE = 0x06;
    uint256 private constant TAG_ROUND = 12;
    uint256 private constant TAG_SLOTS = 13;
    uint256 private constant INSTANCE_SIZE = 32;
    /// @dev Bits before the height's and the width's axis in an instance; each has 14 bytes.
    uint256 private constant HEIGHT_AT = 32;
    uint256 private constant WIDTH_AT = 144;
    /// @dev Bounds the tables; an axis has at most 65,535 cells.
    uint256 private constant MAX_LOG = 16;

    /// @dev One axis of a window: output h reads input h stride + k - pad for k < kernel.
    struct Axis {
        uint256 out;
        uint256 size;
        uint256 kernel;
        uint256 stride;
        uint256 pad;
        uint256 z; //      table of eq(z, h)
        uint256 kappa; //  table of eq(kappa, k)
        uint256 weights; // input => sum of eq(z, h) eq(kappa, k) over what reads it
    }

    /// @notice u8 rounds | u16 count | count x instance
    function run(Session memory s) internal view {
        Program memory program = s.program;
        uint256 word = program.take(3);
        (uint256 rounds, uint256 count) = (word >> 248, (word >> 232) & 0xffff);
        if (rounds > MAX_ROUNDS) program.revertMalformed();
        if (count == 0) {
            if (rounds != 0 || s.counts.link != 0) program.revertMalformed();
            return;
        }
        uint256 omega = s.transcript.challenge();
        uint256 claim = batchClaim(s, rounds, count, omega);
        uint256 point = SessionLib.allocate(rounds << 5);
        claim = SumCheck.plainRounds(s.transcript, TAG_ROUND, rounds, 2, claim, point);
        s.setVector(SOURCE_LINK, point + (rounds << 5), rounds);
        Slots.read(s, TAG_SLOTS, s.counts.link);
        // INVARIANT: the slots' values give the last claim.
        if (finalValue(s, count, omega) != claim) revert IProofVerifier.SumCheckMismatch(OPCODE, 0);
    }

    /// @dev The sum of omega^k 2^(rounds - l_k) times the window slots' values.
    function batchClaim(Session memory s, uint256 rounds, uint256 count, uint256 omega)
        private
        pure
        returns (uint256 claim)
    {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 cursor = s.program.cursor;
            uint256 power = 1;
            for (uint256 k = 0; k < count; ++k) {
                uint256 word = load(cursor);
                uint256 variables = logOf(word, HEIGHT_AT) + logOf(word, WIDTH_AT);
                if (variables > rounds) s.program.revertMalformed();
                uint256 weight = mulmod(power, 1 << (rounds - variables), FR);
                claim = addmod(claim, mulmod(weight, slotValue(s, word >> 240), FR), FR);
                power = mulmod(power, omega, FR);
                cursor += INSTANCE_SIZE;
            }
        }
    }

    /// @dev The sum of omega^k S_H S_W X_k.
    function finalValue(Session memory s, uint256 count, uint256 omega) private pure returns (uint256 sum) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 cursor = s.program.cursor;
            uint256 power = 1;
            (uint256 end,) = s.getVector(SOURCE_LINK);
            for (uint256 k = 0; k < count; ++k) {
                uint256 word = load(cursor);
                uint256 widthLog = logOf(word, WIDTH_AT);
                uint256 widthPoint = end - (widthLog << 5);
                uint256 value = mulmod(power, slotValue(s, (word >> 224) & 0xffff), FR);
                value = mulmod(value, evaluateAxis(s, word << HEIGHT_AT, widthPoint), FR);
                value = mulmod(value, evaluateAxis(s, word << WIDTH_AT, end), FR);
                sum = addmod(sum, value, FR);
                power = mulmod(power, omega, FR);
                cursor += INSTANCE_SIZE;
            }
            s.program.moveTo(cursor);
        }
    }

    /// @dev S(u) = sum over h < out, k < kernel, 0 <= i = h stride + k - pad < in of eq(z, h) eq(kappa, k) eq(u, i).
    /// @param word The axis at its upper end.
    /// @param pointEnd Memory address behind the last coordinate of u.
    function evaluateAxis(Session memory s, uint256 word, uint256 pointEnd) private pure returns (uint256 value) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 free = SessionLib.allocate(0);
            Axis memory axis;
            axis.out = word >> 240;
            axis.size = (word >> 224) & 0xffff;
            axis.kernel = (word >> 216) & 0xff;
            axis.stride = (word >> 208) & 0xff;
            axis.pad = (word >> 200) & 0xff;
            axis.z = segmentTable(s, word << 56, axis.out);
            axis.kappa = segmentTable(s, word << 80, axis.kernel);
            uint256 log = (word >> 144) & 0xff;
            // INVARIANT: every input has its cell.
            if (log > MAX_LOG || axis.size > 1 << log) s.program.revertMalformed();
            axis.weights = SessionLib.allocate(axis.size << 5);
            weigh(axis);
            uint256 table = Multilinear.eqTable(pointEnd - (log << 5), log, 1);
            (uint256 weights, uint256 size) = (axis.weights, axis.size << 5);
            // Equivalent to value = sum of weights[i] * table[i]
            assembly ("memory-safe") {
                for { let i := 0 } lt(i, size) { i := add(i, 0x20) } {
                    value := addmod(value, mulmod(mload(add(weights, i)), mload(add(table, i)), FR), FR)
                }
            }
            SessionLib.release(free);
        }
    }

    /// @dev Table of eq(segment, i); takes memory for it. An index below `count` must have its entry.
    function segmentTable(Session memory s, uint256 word, uint256 count) private pure returns (uint256 table) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 length = Points.lengthOf(word);
            if (length > MAX_LOG || count > 1 << length) s.program.revertMalformed();
            uint256 point = SessionLib.allocate(length << 5);
            if (length != 0) Points.write(s, word, point);
            table = Multilinear.eqTable(point, length, 1);
            SessionLib.allocate(32 << length);
        }
    }

    /// @dev weights[i] = sum of eq(z, h) eq(kappa, k) over i = h stride + k - pad.
    function weigh(Axis memory axis) private pure {
        assembly ("memory-safe") {
            let f := FR
            let size := shl(5, mload(add(axis, 0x20)))
            let weights := mload(add(axis, 0xe0))
            calldatacopy(weights, calldatasize(), size)
            let kernel := shl(5, mload(add(axis, 0x40)))
            let stride := shl(5, mload(add(axis, 0x60)))
            let z := mload(add(axis, 0xa0))
            let kappa := mload(add(axis, 0xc0))
            // Offsets in bytes; below zero they wrap, above every size.
            let first := sub(0, shl(5, mload(add(axis, 0x80))))
            for { let last := add(z, shl(5, mload(axis))) } lt(z, last) { z := add(z, 0x20) } {
                let weight := mload(z)
                for { let k := 0 } lt(k, kernel) { k := add(k, 0x20) } {
                    let i := add(first, k)
                    if lt(i, size) {
                        let at := add(weights, i)
                        mstore(at, addmod(mload(at), mulmod(weight, mload(add(kappa, k)), f), f))
                    }
                }
                first := add(first, stride)
            }
        }
    }

    function slotValue(Session memory s, uint256 slot) private pure returns (uint256) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            // INVARIANT: the slot has been sent.
            if (slot >= s.scope.known) s.program.revertMalformed();
            return load(s.scope.values + (slot << 5));
        }
    }

    /// @dev log_in of the axis that begins behind `offset` bits.
    function logOf(uint256 word, uint256 offset) private pure returns (uint256) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            return (word >> (144 - offset)) & 0xff;
        }
    }

    /// @dev The word at a memory address.
    function load(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(at)
        }
    }
}
