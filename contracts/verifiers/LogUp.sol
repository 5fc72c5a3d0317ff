// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {ClaimList} from "./ClaimList.sol";
import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {ProgramLib, Program} from "./Program.sol";
import {PublicTensorLib, PublicTensor} from "./PublicTensor.sol";
import {Session, SOURCE_ZETA, UNKNOWN} from "./Session.sol";
import {SumCheck} from "./SumCheck.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title LogUp: every looked-up cell is a row of its table, by a fractional GKR (proofs-spec.md 2.3 and 2.4)
/// @notice The fractions p/q of all leaves sum to zero: 1/den for a lookup, -m/den for a table row. The circuit adds
/// fractions pairwise, p = p0 q1 + p1 q0 and q = q0 q1, layer by layer from the root (0, q) to a leaf claim at zeta.
library LogUp {
    using TranscriptLib for Transcript;
    using ProgramLib for Program;
    using PublicTensorLib for PublicTensor;

    uint256 private constant OPCODE = 0x02;
    uint256 private constant TAG_ROOT = 1;
    uint256 private constant TAG_ROUND = 2;
    uint256 private constant TAG_HALVES = 3;
    uint256 private constant TAG_LEAVES = 5;

    uint256 private constant BLOCK_LOOKUP = 0;
    uint256 private constant BLOCK_TABLE = 1;
    uint256 private constant BLOCK_SIZE = 4;
    uint256 private constant COLUMN_SIZE = 6;
    uint256 private constant MAX_LAYERS = 40;

    /// @dev A block's contribution and the running sums of the leaf check.
    struct LeafSums {
        uint256 p; //       sum of e_b over lookups minus sum of e_b m_b over tables
        uint256 q; //       sum of e_b den_b
        uint256 e; //       sum of e_b
        uint256 leaf; //    first leaf of the next block
        uint256 alphaCubed;
    }

    /// @notice Instruction 0x02: u8 lambda | u16 count | count x block.
    function run(Session memory s) internal pure {
        Program memory program = s.program;
        uint256 word = program.take(3);
        uint256 lambda = word >> 248;
        if (lambda == 0 || lambda > MAX_LAYERS) program.revertMalformed();
        (uint256 p, uint256 q) = runLayers(s, lambda);

        Transcript memory transcript = s.transcript;
        LeafSums memory sums;
        sums.alphaCubed = mulmod(mulmod(s.alpha, s.alpha, FR), s.alpha, FR);
        uint256 header = transcript.open();
        for (uint256 count = (word >> 232) & 0xffff; count != 0; --count) {
            addBlock(s, sums);
        }
        transcript.close(header, TAG_LEAVES);
        // INVARIANT: the columns' values give the leaves that the circuit was evaluated on.
        if (sums.p != p || addmod(sums.q, FR + 1 - sums.e, FR) != q) revert IProofVerifier.LeafMismatch();
    }

    /// @dev The layers from the root; leaves zeta in the session.
    /// @return p The claimed numerator at zeta.
    /// @return q The claimed denominator at zeta.
    function runLayers(Session memory s, uint256 lambda) private pure returns (uint256 p, uint256 q) {
        Transcript memory transcript = s.transcript;
        uint256 words = transcript.scalars(TAG_ROOT, 2);
        (p, q) = (load(words), load(words + 0x20));
        // INVARIANT: the fractions sum to zero, and no denominator was zero.
        if (p != 0 || q == 0) revert IProofVerifier.LogUpRootInvalid(p, q);

        // The point grows at its front, so that its last coordinate stays where it is.
        uint256 point;
        assembly ("memory-safe") {
            point := add(mload(0x40), shl(5, lambda))
            mstore(0x40, point)
        }
        (s.lambda, s.zetaEnd) = (lambda, point);
        for (uint256 i = 0; i < lambda; ++i) {
            uint256 batch = transcript.challenge();
            uint256 claim = addmod(p, mulmod(batch, q, FR), FR);
            claim = SumCheck.eqRounds(transcript, TAG_ROUND, i, claim, point);
            words = transcript.scalars(TAG_HALVES, 4);
            point -= 0x20;
            uint256 got;
            // Equivalent to got = p0 q1 + p1 q0 + batch q0 q1; t = challenge; p = p0 + t (p1 - p0); q likewise
            uint256 t = transcript.challenge();
            assembly ("memory-safe") {
                mstore(point, t)
                let p0 := mload(words)
                let p1 := mload(add(words, 0x20))
                let q0 := mload(add(words, 0x40))
                let q1 := mload(add(words, 0x60))
                got := add(mulmod(p0, q1, FR), mulmod(p1, q0, FR))
                got := addmod(got, mulmod(batch, mulmod(q0, q1, FR), FR), FR)
                p := addmod(p0, mulmod(t, add(p1, sub(FR, p0)), FR), FR)
                q := addmod(q0, mulmod(t, add(q1, sub(FR, q0)), FR), FR)
            }
            // INVARIANT: a layer is the fraction sum of the next one.
            if (got != claim) revert IProofVerifier.SumCheckMismatch(OPCODE, i);
        }
    }

    /// @dev Adds one block to the sums: u8 kind | u8 n | u8 tableId | u8 columns | columns x (u16 tensor | i32 addend).
    function addBlock(Session memory s, LeafSums memory sums) private pure {
        Program memory program = s.program;
        uint256 word = program.take(BLOCK_SIZE);
        uint256 kind = word >> 248;
        uint256 n = (word >> 240) & 0xff;
        uint256 columns = (word >> 224) & 0xff;
        // INVARIANT: blocks are aligned and inside the leaves, so that their selectors are disjoint.
        bool valid = kind <= BLOCK_TABLE && n <= s.lambda && (columns == 1 || columns == 2);
        if (!valid || sums.leaf & ((1 << n) - 1) != 0 || sums.leaf >> s.lambda != 0) program.revertMalformed();

        uint256 first = columnValue(s, n, kind == BLOCK_TABLE);
        uint256 second = columns == 2 ? columnValue(s, n, kind == BLOCK_TABLE) : 0;
        uint256 e = selector(s, n, sums.leaf >> n);
        sums.leaf += 1 << n;
        uint256 key;
        if (kind == BLOCK_LOOKUP) {
            key = first;
            sums.p = addmod(sums.p, e, FR);
        } else {
            key = Multilinear.identity(s.zetaEnd - (n << 5), n);
            sums.p = addmod(sums.p, FR - mulmod(e, first, FR), FR);
        }
        // den = beta - (key + alpha v + alpha^3 tableId)
        uint256 fingerprint = addmod(key, mulmod(s.alpha, second, FR), FR);
        fingerprint = addmod(fingerprint, mulmod(sums.alphaCubed, (word >> 232) & 0xff, FR), FR);
        uint256 den = addmod(s.beta, FR - fingerprint, FR);
        sums.q = addmod(sums.q, mulmod(e, den, FR), FR);
        sums.e = addmod(sums.e, e, FR);
    }

    /// @dev e_b = eq(bits(index, lambda - n), first lambda - n coordinates of zeta).
    function selector(Session memory s, uint256 n, uint256 index) private pure returns (uint256) {
        return Multilinear.eqIndex(index, s.zetaEnd - (s.lambda << 5), s.lambda - n, 1);
    }

    /// @dev The value of the next column plus its addend. Read from the proof, and claimed, when it is met first;
    /// evaluated from calldata if public.
    function columnValue(Session memory s, uint256 n, bool isTable) private pure returns (uint256 value) {
        Program memory program = s.program;
        uint256 word = program.take(COLUMN_SIZE);
        uint256 tensor = word >> 240;
        int256 addend = int32(uint32(word >> 208));
        // INVARIANT: a column fills its block; a table's columns are what they are.
        if (program.variablesOf(tensor) != n || (isTable && addend != 0)) program.revertMalformed();
        value = s.values[tensor];
        if (value == UNKNOWN) {
            uint256 point = s.zetaEnd - (n << 5);
            if (tensor == ProgramLib.INPUT) {
                value = s.input.evaluate(point);
            } else if (tensor == ProgramLib.OUTPUT) {
                value = s.output.evaluate(point);
            } else {
                value = s.transcript.scalar();
                ClaimList.file(s, tensor, value, point, SOURCE_ZETA, n);
            }
            s.values[tensor] = value;
        }
        // No underflow: addends are above -2^31.
        return addmod(value, uint256(int256(FR) + addend), FR);
    }

    /// @dev The word at a memory address.
    function load(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(at)
        }
    }
}
