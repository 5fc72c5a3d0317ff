// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Expressions} from "./Expressions.sol";
import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {Points} from "./Points.sol";
import {ProgramLib, Program} from "./Program.sol";
import {Relations} from "./Relations.sol";
import {Session, SessionLib, SOURCE_LINK} from "./Session.sol";
import {Slots} from "./Slots.sol";
import {SumCheck} from "./SumCheck.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @dev What the walk over all claims carries along. Assembly reads the fields by their offsets.
struct ClaimWalk {
    uint256 power; //     0x00  eta^j of the claim at hand
    uint256 sum; //       0x20  sum of eta^j value_j
    uint256 eta; //       0x40
    uint256 point; //     0x60  memory address of r
    uint256 variables; // 0x80  c, the number of its coordinates
    uint256 cache; //     0xa0  memory address of entries (key, product), 64 bytes each
    uint256 mask; //      0xc0  selects an entry's offset
    uint256 kappa; //     0xe0  memory address of the first chunk's scalar
    uint256 chunks; //    0x100
    uint256 suffixes; //  memory address of four addresses: products of eq over the last coordinates of each vector and r
}

/// @title Claim reduction: all claims on tensors become one on a combination of chunks (FORMAT.md 7.6)
/// @notice Claim j has the coefficient eta^j and says sum over x of eq(lo_j, x) sum over i of w_ji f_i(x) = value_j.
/// After c rounds: y = sum of kappa_i f_i(r) with kappa_i = sum of eta^j w_ji eq(lo_j, r).
/// One walk over the claims, after the rounds, computes the scalars kappa and the first claim C_0 = sum of eta^j value_j:
/// a round's last claim is affine in its first, C <- r C + (what its message gives alone), so the rounds are run from 0
/// and C_0 times the product of all challenges is added at the end.
library Reduction {
    using ProgramLib for Program;
    using SessionLib for Session;
    using TranscriptLib for Transcript;

    uint256 private constant TAG_ROUND = 11;
    uint256 private constant TERM_SIZE = 96;
    uint256 private constant MIN_ENTRIES = 32;
    uint256 private constant MAX_ENTRIES = 512;
    uint256 private constant MAX_SPREAD_LOG = 16;

    /// @notice Opcode 0x07: leaves the terms' scalars kappa, the point r and the value y.
    function run(Session memory s) internal pure {
        Program memory program = s.program;
        uint256 eta = s.transcript.challenge();
        s.point = new uint256[](program.chunkLog);
        uint256 value = SumCheck.plainRounds(s.transcript, TAG_ROUND, program.chunkLog, 2, 0, firstWord(s.point));
        ClaimWalk memory walk = begin(s, eta);
        addSlots(s, walk);
        addLinear(s, walk);
        if (program.lookup == ProgramLib.LOOKUP_INVERSES) addInverses(s, walk);
        uint256 scale = walk.sum;
        for (uint256 i = 0; i < s.point.length; ++i) {
            scale = mulmod(scale, s.point[i], FR);
        }
        s.value = addmod(value, scale, FR);
    }

    function begin(Session memory s, uint256 eta) private pure returns (ClaimWalk memory walk) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            (walk.power, walk.eta) = (1, eta);
            (walk.point, walk.variables) = (firstWord(s.point), s.program.chunkLog);
            uint256 kappa;
            bytes memory terms = s.terms;
            assembly ("memory-safe") {
                kappa := add(terms, 0x20)
            }
            (walk.kappa, walk.chunks) = (kappa, s.program.chunks());
            uint256 suffixes = SessionLib.allocate(0x80);
            walk.suffixes = suffixes;
            for (uint256 source = 0; source <= SOURCE_LINK; ++source) {
                (uint256 end, uint256 length) = s.getVector(source);
                if (length > walk.variables) length = walk.variables;
                uint256 products = Multilinear.eqSuffixes(end, walk.point + (walk.variables << 5), length);
                assembly ("memory-safe") {
                    mstore(add(suffixes, shl(5, source)), products)
                }
            }
            uint256 entries = MIN_ENTRIES;
            while (2 * entries < s.scope.known && entries < MAX_ENTRIES) entries <<= 1;
            uint256 cache = SessionLib.allocate(entries << 6);
            // Equivalent to cache[i] = (0, 0) for all i: no claim has the key 0
            assembly ("memory-safe") {
                calldatacopy(cache, calldatasize(), shl(6, entries))
            }
            (walk.cache, walk.mask) = (cache, (entries - 1) << 6);
        }
    }

    /* CLAIMS */

    /// @dev The committed slots, in the slots' order.
    function addSlots(Session memory s, ClaimWalk memory walk) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 cursor = s.slots;
            uint256 at = s.scope.values;
            uint256 last = at + (s.scope.known << 5);
            while (true) {
                (cursor, at) = addCached(s.program.tensors, walk, cursor, at, last);
                if (at == last) return;
                uint256 word = load(cursor);
                addTerm(s, walk, (word >> 232) & 0xffff, cursor + Slots.HEAD_SIZE, (word >> 224) & 0xff, walk.power);
                addValue(walk, load(at));
                cursor += Slots.HEAD_SIZE + ((word >> 224) & 0xff) * Points.SEGMENT_SIZE;
                at += 0x20;
            }
        }
    }

    /// @dev Adds slots as long as the cache holds the product of eq over their points' coordinates.
    function addCached(uint256 tensors, ClaimWalk memory walk, uint256 cursor, uint256 at, uint256 last)
        private
        pure
        returns (uint256, uint256)
    {
        // Equivalent to: for each slot: if it is committed: kappa[chunk] += power * product * eq(bits(addr), r);
        // sum += power * value; power *= eta
        assembly ("memory-safe") {
            let f := FR
            for {} lt(at, last) { at := add(at, 0x20) } {
                let word := mload(cursor)
                let next := add(add(cursor, 4), mul(3, byte(3, word)))
                if byte(0, word) {
                    cursor := next
                    continue
                }
                word := mload(add(tensors, shl(3, and(shr(232, word), 0xffff))))
                if gt(byte(0, word), 2) {
                    cursor := next
                    continue
                }
                cursor := add(cursor, 4)
                let entry := or(and(keccak256(cursor, sub(next, cursor)), not(0xff)), byte(1, word))
                cursor := sub(cursor, 4)
                {
                    let key := entry
                    entry := add(mload(add(walk, 0xa0)), and(shr(8, key), mload(add(walk, 0xc0))))
                    if iszero(eq(mload(entry), key)) { break }
                }
                let weight := mulmod(mload(walk), mload(add(entry, 0x20)), f)
                let bit := sub(mload(add(walk, 0x80)), byte(1, word))
                let addr := and(shr(192, word), 0xffffffff)
                let chunk := and(shr(224, word), 0xffff)
                if or(shr(bit, addr), iszero(lt(chunk, mload(add(walk, 0x100))))) { break }
                for { let z := mload(add(walk, 0x60)) } bit { z := add(z, 0x20) } {
                    bit := sub(bit, 1)
                    let x := mload(z)
                    if iszero(and(shr(bit, addr), 1)) { x := sub(add(f, 1), x) }
                    weight := mulmod(weight, x, f)
                }
                chunk := add(mload(add(walk, 0xe0)), mul(TERM_SIZE, chunk))
                mstore(chunk, addmod(mload(chunk), weight, f))
                let power := mload(walk)
                chunk := add(walk, 0x20)
                mstore(chunk, addmod(mload(chunk), mulmod(power, mload(at), f), f))
                mstore(walk, mulmod(power, mload(add(walk, 0x40)), f))
                cursor := next
            }
        }
        return (cursor, at);
    }

    /// @dev The relations with a linear residual: all terms of one are one claim.
    function addLinear(Session memory s, ClaimWalk memory walk) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            for (uint256 i = 0; i < s.linearCount; ++i) {
                uint256 word = load(s.linear + (i << 5));
                uint256 cursor = word >> 16;
                uint256 terms = load(cursor) >> 248;
                for (++cursor; terms != 0; --terms) {
                    uint256 head = load(cursor);
                    uint256 weight = mulmod(walk.power, Expressions.coefficient(s, head), FR);
                    cursor += Relations.TERM_HEAD_SIZE;
                    addTerm(s, walk, (head >> 200) & 0xffff, cursor, (head >> 192) & 0xff, weight);
                    cursor += ((head >> 192) & 0xff) * Points.SEGMENT_SIZE;
                }
                addValue(walk, Relations.valueOf(s, word & 0xffff));
            }
        }
    }

    /// @dev With committed inverses: every block's value at its suffix of zeta; then that the sum of all is zero. The
    /// latter's term for block b is 2^n h_b(1/2, ..., 1/2): as eq(1/2, x) = 1/2 its 2^n eq(lo, r) is the selector alone.
    function addInverses(Session memory s, ClaimWalk memory walk) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 last = walk.power;
            for (uint256 b = 0; b < s.blockCount; ++b) {
                last = mulmod(last, walk.eta, FR);
            }
            uint256 segment = SessionLib.allocate(0x20);
            uint256 value = s.inverses;
            for (uint256 id = 0; id < s.program.tensorCount; ++id) {
                uint256 word = s.program.tensorWord(id);
                if (word >> 248 != ProgramLib.KIND_LATE) continue;
                uint256 n = (word >> 240) & 0xff;
                // The segment (zeta, 0, n); a point without coordinates has none.
                assembly ("memory-safe") {
                    mstore(segment, shl(232, n))
                }
                addTerm(s, walk, id, segment, n == 0 ? 0 : 1, walk.power);
                addHalves(s, walk, word, last);
                addValue(walk, load(value));
                value += 0x20;
            }
        }
    }

    /// @dev The claim's share of the first claim; the next claim's power.
    function addValue(ClaimWalk memory walk, uint256 value) private pure {
        walk.sum = addmod(walk.sum, mulmod(walk.power, value, FR), FR);
        walk.power = mulmod(walk.power, walk.eta, FR);
    }

    /* TERMS */

    /// @dev Adds weight * eq(lo, r) to the scalars of the chunks that hold tensor `id`.
    /// @param cursor Memory address of the point's first segment.
    function addTerm(
        Session memory s,
        ClaimWalk memory walk,
        uint256 id,
        uint256 cursor,
        uint256 segments,
        uint256 weight
    ) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 word = s.program.tensorWord(id);
            // INVARIANT: only committed tensors are claimed.
            if (word >> 248 > ProgramLib.KIND_LATE) s.program.revertMalformed();
            uint256 n = (word >> 240) & 0xff;
            if (n < walk.variables) {
                weight = mulmod(weight, productOf(s, walk, cursor, segments, n), FR);
                addSelected(s, walk, word, weight);
                return;
            }
            uint256 c = walk.variables;
            uint256 free = SessionLib.allocate(0);
            uint256 point = Points.build(s, cursor, segments, n);
            weight = Multilinear.eq(point + ((n - c) << 5), walk.point, c, weight);
            requireChunks(s, walk, word, n - c);
            uint256 kappa = walk.kappa + ((word >> 224) & 0xffff) * TERM_SIZE;
            uint256 table = Multilinear.eqTable(point, n - c, weight);
            // Equivalent to: for b < 2^(n - c): kappa[chunk + b] += table[b]
            for (uint256 b = 0; b < 1 << (n - c); ++b) {
                addScalar(kappa + b * TERM_SIZE, load(table + (b << 5)));
            }
            SessionLib.release(free);
        }
    }

    /// @dev Adds weight * eq(bits(addr), first coordinates of r) to the chunk of a tensor that is smaller than a chunk.
    function addSelected(Session memory s, ClaimWalk memory walk, uint256 word, uint256 weight) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 head = walk.variables - ((word >> 240) & 0xff);
            uint256 addr = (word >> 192) & 0xffffffff;
            // INVARIANT: the cells lie inside the chunk.
            if (addr >> head != 0) s.program.revertMalformed();
            requireChunks(s, walk, word, 0);
            weight = Multilinear.eqIndex(addr, walk.point, head, weight);
            addScalar(walk.kappa + ((word >> 224) & 0xffff) * TERM_SIZE, weight);
        }
    }

    /// @dev Adds the weight to all chunks of a tensor, or weight * selector to its only one.
    function addHalves(Session memory s, ClaimWalk memory walk, uint256 word, uint256 weight) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 n = (word >> 240) & 0xff;
            if (n < walk.variables) {
                addSelected(s, walk, word, weight);
                return;
            }
            requireChunks(s, walk, word, n - walk.variables);
            uint256 kappa = walk.kappa + ((word >> 224) & 0xffff) * TERM_SIZE;
            for (uint256 b = 0; b < 1 << (n - walk.variables); ++b) {
                addScalar(kappa + b * TERM_SIZE, weight);
            }
        }
    }

    /// @dev eq over the point's coordinates and the last n of r; from the cache if it is there.
    function productOf(Session memory s, ClaimWalk memory walk, uint256 cursor, uint256 segments, uint256 n)
        private
        pure
        returns (uint256 product)
    {
        uint256 key;
        uint256 entry;
        uint256 found;
        assembly ("memory-safe") {
            key := or(and(keccak256(cursor, mul(3, segments)), not(0xff)), n)
            entry := add(mload(add(walk, 0xa0)), and(shr(8, key), mload(add(walk, 0xc0))))
            found := mload(entry)
            product := mload(add(entry, 0x20))
        }
        if (found == key) return product;
        product = computeProduct(s, walk, cursor, segments, n);
        assembly ("memory-safe") {
            mstore(entry, key)
            mstore(add(entry, 0x20), product)
        }
    }

    /// @dev Where the last segment ends its vector, its share is a product over suffixes that is there already.
    function computeProduct(Session memory s, ClaimWalk memory walk, uint256 cursor, uint256 segments, uint256 n)
        private
        pure
        returns (uint256 product)
    {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 free = SessionLib.allocate(0);
            uint256 point = Points.build(s, cursor, segments, n);
            product = 1;
            uint256 rest = n;
            if (segments != 0) {
                uint256 word = load(cursor + (segments - 1) * Points.SEGMENT_SIZE);
                if (word >> 248 <= SOURCE_LINK && (word >> 240) & 0xff == 0) {
                    rest -= Points.lengthOf(word);
                    product = load(load(walk.suffixes + (word >> 248 << 5)) + (Points.lengthOf(word) << 5));
                }
            }
            product = Multilinear.eq(point, walk.point + ((walk.variables - n) << 5), rest, product);
            SessionLib.release(free);
        }
    }

    /// @dev Requires 2^log chunks from the tensor's first one on.
    function requireChunks(Session memory s, ClaimWalk memory walk, uint256 word, uint256 log) private pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            // INVARIANT: no claim reaches outside the committed chunks.
            if (log > MAX_SPREAD_LOG || ((word >> 224) & 0xffff) + (1 << log) > walk.chunks) {
                s.program.revertMalformed();
            }
        }
    }

    function addScalar(uint256 at, uint256 weight) private pure {
        assembly ("memory-safe") {
            mstore(at, addmod(mload(at), weight, FR))
        }
    }

    /// @dev Memory address of an array's first word.
    function firstWord(uint256[] memory array) private pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := add(array, 0x20)
        }
    }

    /// @dev The word at a memory address.
    function load(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(at)
        }
    }
}
