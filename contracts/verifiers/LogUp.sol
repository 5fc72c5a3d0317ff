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
    uint256 private constant HALVES_SIZE = 0x80;

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
        uint256 constantPart; //  beta - alpha^3 tableId of the block at hand
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
            // SAFETY: a memory address.
            unchecked {
                point -= 0x20;
            }
            uint256 sum;
            (sum, p, q) = readHalves(transcript, batch, point);
            // INVARIANT: a layer is the fraction sum of the next one.
            if (sum != claim) revert IProofVerifier.SumCheckMismatch(OPCODE, i);
        }
    }

    /// @dev Reads and absorbs p0, p1, q0, q1 and draws t, which becomes the point's first coordinate.
    /// @return sum p0 q1 + p1 q0 + batch q0 q1.
    /// @return p p0 + t (p1 - p0).
    /// @return q q0 + t (q1 - q0).
    function readHalves(Transcript memory t, uint256 batch, uint256 point)
        private
        pure
        returns (uint256 sum, uint256 p, uint256 q)
    {
        uint256 source = t.advance(HALVES_SIZE);
        bool refused;
        // Equivalent to words = t.scalars(TAG_HALVES, 4); point[0] = r = t.challenge(); and the three results. As in the
        // rounds nothing waits to be hashed: the buffer becomes S || header || the four words.
        assembly ("memory-safe") {
            let f := FR
            let buffer := mload(t)
            mstore(add(buffer, 0x20), add(shl(64, TAG_HALVES), 4))
            calldatacopy(add(buffer, 0x40), source, HALVES_SIZE)
            p := mload(add(buffer, 0x40))
            let p1 := mload(add(buffer, 0x60))
            q := mload(add(buffer, 0x80))
            let q1 := mload(add(buffer, 0xa0))
            refused := iszero(and(and(lt(p, f), lt(p1, f)), and(lt(q, f), lt(q1, f))))
            sum := add(mulmod(p, q1, f), mulmod(p1, q, f))
            sum := addmod(sum, mulmod(batch, mulmod(q, q1, f), f), f)
            let r := keccak256(buffer, 0xc0)
            mstore(buffer, r)
            r := mod(r, f)
            mstore(point, r)
            p := addmod(p, mulmod(r, add(p1, sub(f, p)), f), f)
            q := addmod(q, mulmod(r, add(q1, sub(f, q)), f), f)
        }
        // INVARIANT: every scalar is below r.
        if (refused) t.revertNonCanonical(source);
    }

    /// @dev Adds one block to the sums: u8 kind | u8 n | u8 tableId | u8 columns | columns x (u16 tensor | i32 addend).
    function addBlock(Session memory s, LeafSums memory sums) private pure {
        uint256 word = s.program.take(BLOCK_SIZE);
        uint256 n = (word >> 240) & 0xff;
        uint256 e = placeBlock(s, sums, word, n);
        bool isTable = word >> 248 == BLOCK_TABLE;
        uint256 key = columnValue(s, n, isTable);
        uint256 second = (word >> 224) & 0xff == 2 ? columnValue(s, n, isTable) : 0;
        uint256 numerator = e;
        if (isTable) {
            numerator = FR - mulmod(e, key, FR);
            key = Multilinear.identity(s.zetaEnd - (n << 5), n);
        }
        uint256 constantPart = sums.constantPart;
        uint256 alpha = s.alpha;
        // Equivalent to den = constantPart(tableId) - key - alpha * second; and p, q, e of the sums grow by
        // numerator, e * den and e.
        assembly ("memory-safe") {
            let f := FR
            let den := add(sub(constantPart, key), sub(shl(1, f), mulmod(alpha, second, f)))
            mstore(sums, addmod(mload(sums), numerator, f))
            let q := add(sums, 0x20)
            mstore(q, addmod(mload(q), mulmod(e, den, f), f))
            let total := add(sums, 0x40)
            mstore(total, addmod(mload(total), e, f))
        }
    }

    /// @dev Places a block behind the ones before; returns its selector e_b = eq(bits(index, lambda - n), first
    /// lambda - n coordinates of zeta).
    function placeBlock(Session memory s, LeafSums memory sums, uint256 word, uint256 n)
        private
        pure
        returns (uint256)
    {
        uint256 lambda = s.lambda;
        uint256 leaf = sums.leaf;
        uint256 columns = (word >> 224) & 0xff;
        // SAFETY: n <= lambda <= 40.
        unchecked {
            bool valid = word >> 248 <= BLOCK_TABLE && n <= lambda && (columns == 1 || columns == 2);
            // INVARIANT: blocks are aligned and inside the leaves, so that their selectors are disjoint.
            if (!valid || leaf & ((1 << n) - 1) != 0 || leaf >> lambda != 0) s.program.revertMalformed();
            sums.leaf = leaf + (1 << n);
            sums.constantPart = addmod(s.beta, FR - mulmod(sums.alphaCubed, (word >> 232) & 0xff, FR), FR);
            return Multilinear.eqIndex(leaf >> n, s.zetaEnd - (lambda << 5), lambda - n, 1);
        }
    }

    /// @dev The value of the next column plus its addend. Read from the proof, and claimed, when it is met first;
    /// evaluated from calldata if public.
    function columnValue(Session memory s, uint256 n, bool isTable) private pure returns (uint256 value) {
        uint256 word = s.program.take(COLUMN_SIZE);
        uint256 tensor = word >> 240;
        uint256 entry = s.program.tensorWord(tensor);
        // INVARIANT: a column fills its block.
        if ((entry >> 240) & 0xff != n) s.program.revertMalformed();
        uint256[] memory values = s.values;
        uint256 slot;
        // Equivalent to value = s.values[tensor]: the tensor is declared, and there is a value for each that is
        assembly ("memory-safe") {
            slot := add(add(values, 0x20), shl(5, tensor))
            value := mload(slot)
        }
        if (value == UNKNOWN) {
            value = readColumn(s, tensor, entry, n);
            assembly ("memory-safe") {
                mstore(slot, value)
            }
        }
        int256 addend = int32(uint32(word >> 208));
        if (addend == 0) return value;
        // INVARIANT: a table's columns are what they are.
        if (isTable) s.program.revertMalformed();
        // SAFETY: addends are above -2^31 > -r.
        unchecked {
            return addmod(value, FR + uint256(addend), FR);
        }
    }

    function readColumn(Session memory s, uint256 tensor, uint256 entry, uint256 n)
        private
        pure
        returns (uint256 value)
    {
        uint256 point;
        // SAFETY: a memory address and n <= lambda.
        unchecked {
            point = s.zetaEnd - (n << 5);
        }
        if (tensor == ProgramLib.INPUT) return s.input.evaluate(point);
        if (tensor == ProgramLib.OUTPUT) return s.output.evaluate(point);
        value = s.transcript.scalar();
        ClaimList.file(s, entry, value, point, SOURCE_ZETA, n);
    }

    /// @dev The word at a memory address.
    function load(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(at)
        }
    }
}
