// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Commitments} from "./Commitments.sol";
import {Expressions} from "./Expressions.sol";
import {FR} from "./Field.sol";
import {ProgramLib, Program} from "./Program.sol";
import {MAX_ROUNDS, Scope, Session, SessionLib, SOURCE_ZETA} from "./Session.sol";
import {SumCheck} from "./SumCheck.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @dev The sums over blocks, and what the walk over them needs. Assembly reads the fields by their offsets.
struct BlockWalk {
    uint256 leaf; //     0x00  first leaf of the block
    uint256 last; //     0x20  first leaf of the block before
    uint256 depth; //    0x40  number of address bits of the block before
    uint256 products; // 0x60  memory address of the products over its first 0, 1, 2, ... address bits
    uint256 lambda; //   0x80
    uint256 zeta; //     0xa0  memory address of zeta's first coordinate
    uint256 p; //        sum of the weighted numerators
    uint256 q; //        sum of the weighted denominators
    uint256 e; //        sum of the selectors
    uint256 cubed; //    alpha^3
    uint256 cursor; //   memory address of the block
    uint256 power; //    with committed inverses: delta^b
    uint256 inverse; //  with committed inverses: memory address of the block's inverse value, else 0
    uint256 late; //     with committed inverses: number of the first tensor that may be its late one
}

/// @title Lookups: every looked-up tuple is a row of its table (FORMAT.md 7.1)
/// @notice The fractions num / den of all blocks sum to zero: 1 / den for a lookup, -m / den for a table row. Shown by a
/// fractional GKR, p = p0 q1 + p1 q0 and q = q0 q1 from the root (0, q) to a leaf claim at zeta (proofs-spec.md 2.4), or
/// by committed inverses h = num / den and a sum-check of h den - num = 0.
library Lookup {
    using TranscriptLib for Transcript;
    using ProgramLib for Program;
    using SessionLib for Session;

    uint256 private constant OPCODE = 0x02;
    uint256 private constant TAG_ROOT = 1;
    uint256 private constant TAG_ROUND = 2;
    uint256 private constant TAG_HALVES = 3;
    uint256 private constant TAG_INVERSE_ROUND = 41;
    uint256 private constant TAG_INVERSES = 42;
    uint256 private constant HALVES_SIZE = 0x80;
    uint256 private constant MAX_COLUMNS = 3;

    /* ROUNDS */

    /// @notice u8 lambda | u16 count: all rounds; leaves zeta and the inverse values.
    /// @return p The claimed numerator at zeta; the last claim with committed inverses.
    /// @return q The claimed denominator at zeta; delta with committed inverses.
    function run(Session memory s) internal pure returns (uint256 p, uint256 q) {
        Program memory program = s.program;
        uint256 word = program.take(3);
        uint256 lambda = word >> 248;
        s.blockCount = (word >> 232) & 0xffff;
        s.blocks = program.cursor;
        if (lambda == 0 || lambda > MAX_ROUNDS) program.revertMalformed();
        if (program.lookup == ProgramLib.LOOKUP_INVERSES) return runInverses(s, lambda);
        return runLayers(s, lambda);
    }

    /// @dev The layers from the root.
    function runLayers(Session memory s, uint256 lambda) private pure returns (uint256 p, uint256 q) {
        Transcript memory transcript = s.transcript;
        uint256 words = transcript.scalars(TAG_ROOT, 2);
        (p, q) = (load(words), load(words + 0x20));
        // INVARIANT: the fractions sum to zero, and no denominator was zero.
        if (p != 0 || q == 0) revert IProofVerifier.LogUpRootInvalid(p, q);

        // The point grows at its front, so that its last coordinate stays where it is.
        uint256 point = SessionLib.allocate(lambda << 5) + (lambda << 5);
        s.setVector(SOURCE_ZETA, point, lambda);
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

    /// @dev The sum-check of sum over b of delta^b eq(tau, x) (h_b den_b - num_b)(x) = 0.
    function runInverses(Session memory s, uint256 lambda) private pure returns (uint256 claim, uint256 delta) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            Transcript memory transcript = s.transcript;
            Commitments.readLate(s);
            uint256 point = SessionLib.allocate(lambda << 5);
            for (uint256 i = 0; i < lambda; ++i) {
                uint256 tau = transcript.challenge();
                assembly ("memory-safe") {
                    mstore(add(point, shl(5, i)), tau)
                }
            }
            delta = transcript.challenge();
            claim = SumCheck.eqRounds(transcript, TAG_INVERSE_ROUND, lambda, 0, point);
            s.setVector(SOURCE_ZETA, point + (lambda << 5), lambda);
            if (s.blockCount == 0) return (claim, delta);
            uint256 words = transcript.scalars(TAG_INVERSES, s.blockCount);
            s.inverses = SessionLib.allocate(s.blockCount << 5);
            (uint256 target, uint256 size) = (s.inverses, s.blockCount << 5);
            assembly ("memory-safe") {
                mcopy(target, words, size)
            }
        }
    }

    /* BLOCKS */

    /// @notice count x (u8 n | u16 tableId | numerator | u8 columns | columns x expression): requires that the blocks'
    /// values at zeta give what the rounds ended in.
    /// @param p As `run` returned it.
    /// @param q Likewise.
    function check(Session memory s, uint256 p, uint256 q) internal pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            BlockWalk memory walk;
            (uint256 end, uint256 lambda) = s.getVector(SOURCE_ZETA);
            (walk.lambda, walk.zeta) = (lambda, end - (lambda << 5));
            walk.cubed = mulmod(mulmod(s.alpha, s.alpha, FR), s.alpha, FR);
            (walk.cursor, walk.power, walk.inverse) = (s.blocks, 1, s.inverses);
            uint256 products = SessionLib.allocate((lambda + 1) << 5);
            walk.products = products;
            assembly ("memory-safe") {
                mstore(products, 1)
            }
            bool isGkr = s.program.lookup != ProgramLib.LOOKUP_INVERSES;
            for (uint256 count = s.blockCount; count != 0; --count) {
                if (isGkr) addLeaves(s, walk);
                else addInverse(s, walk, q);
            }
            SessionLib.release(products);
            s.program.moveTo(walk.cursor);
            // INVARIANT: every late tensor is a block's inverses.
            if (nextLate(s.program, walk.late) != s.program.tensorCount) s.program.revertMalformed();
            // INVARIANT: the columns' values give what the rounds ended in.
            if (!isGkr) {
                if (addmod(walk.q, FR - walk.p, FR) != p) revert IProofVerifier.SumCheckMismatch(OPCODE, 0);
            } else if (walk.p != p || addmod(walk.q, FR + 1 - walk.e, FR) != q) {
                revert IProofVerifier.LeafMismatch();
            }
        }
    }

    /// @dev The block at hand: p, q and e grow by e_b num_b, e_b den_b and e_b.
    function addLeaves(Session memory s, BlockWalk memory walk) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 word = load(walk.cursor);
            (uint256 numerator, uint256 denominator) = evaluateBlock(s, walk, word);
            uint256 e = place(s, walk, word >> 248);
            walk.p = addmod(walk.p, mulmod(e, numerator, FR), FR);
            walk.q = addmod(walk.q, mulmod(e, denominator, FR), FR);
            walk.e = addmod(walk.e, e, FR);
        }
    }

    /// @dev The block at hand: p and q grow by delta^b num_b and delta^b h_b den_b.
    function addInverse(Session memory s, BlockWalk memory walk, uint256 delta) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 word = load(walk.cursor);
            (uint256 numerator, uint256 denominator) = evaluateBlock(s, walk, word);
            uint256 late = nextLate(s.program, walk.late);
            // INVARIANT: every block has its inverses, and zeta reaches over them.
            bool valid = word >> 248 <= walk.lambda && (s.program.tensorWord(late) >> 240) & 0xff == word >> 248;
            if (!valid) s.program.revertMalformed();
            walk.late = late + 1;
            walk.p = addmod(walk.p, mulmod(walk.power, numerator, FR), FR);
            walk.q = addmod(walk.q, mulmod(walk.power, mulmod(denominator, load(walk.inverse), FR), FR), FR);
            walk.inverse += 0x20;
            walk.power = mulmod(walk.power, delta, FR);
        }
    }

    /// @dev num and den = beta - (a_0 + alpha a_1 + alpha^2 a_2 + alpha^3 tableId); moves to the next block.
    /// @param word The block's u8 n | u16 tableId.
    function evaluateBlock(Session memory s, BlockWalk memory walk, uint256 word)
        private
        pure
        returns (uint256 numerator, uint256 denominator)
    {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 cursor;
            (numerator, cursor) = Expressions.evaluate(s, walk.cursor + 3);
            uint256 columns = load(cursor) >> 248;
            if (columns == 0 || columns > MAX_COLUMNS) s.program.revertMalformed();
            (denominator, cursor) = Expressions.evaluate(s, cursor + 1);
            uint256 weight = 1;
            while (--columns != 0) {
                weight = mulmod(weight, s.alpha, FR);
                uint256 value;
                (value, cursor) = Expressions.evaluate(s, cursor);
                denominator = addmod(denominator, mulmod(weight, value, FR), FR);
            }
            denominator = addmod(denominator, mulmod(walk.cubed, (word >> 232) & 0xffff, FR), FR);
            denominator = addmod(s.beta, FR - denominator, FR);
            walk.cursor = cursor;
        }
    }

    /// @dev The first late tensor from `id` on; the number of tensors if there is none.
    function nextLate(Program memory program, uint256 id) private pure returns (uint256) {
        (uint256 tensors, uint256 count) = (program.tensors, program.tensorCount);
        assembly ("memory-safe") {
            for {} lt(id, count) { id := add(id, 1) } {
                if eq(byte(0, mload(add(tensors, shl(3, id)))), 2) { break }
            }
        }
        return id;
    }

    /// @dev Places a block of 2^n leaves behind the ones before; returns its selector e_b = eq(bits(leaf >> n, lambda - n),
    /// first lambda - n coordinates of zeta). Products over leading address bits that it shares with the block before
    /// are still there.
    function place(Session memory s, BlockWalk memory walk, uint256 n) private pure returns (uint256 e) {
        (uint256 lambda, uint256 leaf) = (walk.lambda, walk.leaf);
        // INVARIANT: blocks are aligned and inside the leaves, so that their selectors are disjoint.
        if (n > lambda || leaf & ((1 << n) - 1) != 0 || leaf >> lambda != 0) s.program.revertMalformed();
        // Equivalent to: for k in common .. lambda - n: products[k + 1] = products[k] * (bit k of the address ? zeta_k :
        // 1 - zeta_k); e = products[lambda - n]
        assembly ("memory-safe") {
            let f := FR
            let depth := sub(lambda, n)
            let common := mload(add(walk, 0x40))
            if gt(common, depth) { common := depth }
            let difference := xor(leaf, mload(add(walk, 0x20)))
            for {} shr(sub(lambda, common), difference) {} { common := sub(common, 1) }
            let product := add(mload(add(walk, 0x60)), shl(5, common))
            let z := add(mload(add(walk, 0xa0)), shl(5, common))
            e := mload(product)
            for {} lt(common, depth) {} {
                common := add(common, 1)
                let x := mload(z)
                if iszero(and(shr(sub(lambda, common), leaf), 1)) { x := sub(add(f, 1), x) }
                e := mulmod(e, x, f)
                product := add(product, 0x20)
                z := add(z, 0x20)
                mstore(product, e)
            }
            mstore(walk, add(leaf, shl(n, 1)))
            mstore(add(walk, 0x20), leaf)
            mstore(add(walk, 0x40), depth)
        }
    }

    /// @dev The word at a memory address.
    function load(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(at)
        }
    }
}
