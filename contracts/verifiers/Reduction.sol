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
    uint256 selectors; // 0x120 memory address of one table for each group of coordinates of r; see buildSelectors
    uint256 suffixes; //  0x140 memory address of four addresses: products of eq over the last coordinates of each vector and r
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
                uint256 rest = (walk.variables - length) << 5;
                uint256 behind = SessionLib.allocate(rest);
                // Equivalent to suffixes[source] = products, with zeros for what is longer than the vector
                assembly ("memory-safe") {
                    calldatacopy(behind, calldatasize(), rest)
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
            walk.selectors = buildSelectors(walk.point, walk.variables);
        }
    }

    /// @dev For each group of four coordinates of r a table of eq over its leading ones: entry 2^k + i is eq(bits(i, k),
    /// first k of the group), 0 <= k <= 4.
    function buildSelectors(uint256 point, uint256 variables) private pure returns (uint256 tables) {
        tables = SessionLib.allocate(((variables >> 2) + 1) << 10);
        // SAFETY: memory addresses. Behind r's last coordinate there may be other words; what they give is not read.
        unchecked {
            uint256 table = tables;
            for (uint256 last = point + (variables << 5); point <= last; point += 0x80) {
                Multilinear.eqHeap(point, table);
                table += 0x400;
            }
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

    /// @dev Adds slots as long as the product of eq over their points' coordinates is at hand: in the products over
    /// suffixes if the point is one, or in the cache.
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
                let size := mul(3, byte(3, word))
                if byte(0, word) {
                    cursor := add(cursor, add(4, size))
                    continue
                }
                // segments (8 bits) | source | end | length of the first segment
                let point := and(shr(200, word), 0xffffffff)
                word := mload(add(tensors, shl(3, and(shr(232, word), 0xffff))))
                if gt(byte(0, word), 2) {
                    cursor := add(cursor, add(4, size))
                    continue
                }
                // A place outside the committed chunks is refused where it stops the walk; so is a larger tensor.
                let bits := sub(mload(add(walk, 0x80)), byte(1, word))
                if or(shr(bits, and(shr(192, word), 0xffffffff)), gt(bits, 0xff)) { break }
                let chunk := and(shr(224, word), 0xffff)
                if iszero(lt(chunk, mload(add(walk, 0x100)))) { break }
                switch and(xor(point, 0x01000000), 0xfffcff00)
                case 0 {
                    // One segment, which ends its vector.
                    if iszero(eq(and(point, 0xff), byte(1, word))) { break }
                    point := mload(
                        add(
                            mload(add(mload(add(walk, 0x140)), shl(5, shr(16, and(point, 0xff0000))))),
                            shl(5, and(point, 0xff))
                        )
                    )
                    if iszero(point) { break }
                }
                default {
                    let key := or(shl(8, keccak256(add(cursor, 4), size)), byte(1, word))
                    point := add(mload(add(walk, 0xa0)), and(shr(8, key), mload(add(walk, 0xc0))))
                    if iszero(eq(mload(point), key)) { break }
                    point := mload(add(point, 0x20))
                }
                cursor := add(cursor, add(4, size))
                size := mulmod(mload(walk), point, f)
                // From here on `size` is the weight and `word` the place.
                word := and(shr(192, word), 0xffffffff)
                let table := mload(add(walk, 0x120))
                for {} gt(bits, 3) { table := add(table, 0x400) } {
                    bits := sub(bits, 4)
                    size := mulmod(size, mload(add(table, shl(5, or(0x10, and(shr(bits, word), 0xf))))), f)
                }
                bits := shl(bits, 1)
                size := mulmod(size, mload(add(table, shl(5, or(bits, and(word, sub(bits, 1)))))), f)
                chunk := add(mload(add(walk, 0xe0)), mul(TERM_SIZE, chunk))
                mstore(chunk, addmod(mload(chunk), size, f))
                table := mload(walk)
                chunk := add(walk, 0x20)
                mstore(chunk, addmod(mload(chunk), mulmod(table, mload(at), f), f))
                mstore(walk, mulmod(table, mload(add(walk, 0x40)), f))
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
                    uint256 weight = mulmod(walk.power, Expressions.coefficient(head), FR);
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
        // SAFETY: memory addresses, and numbers of at most 40 bits.
        unchecked {
            uint256 word = s.program.tensorWord(id);
            // INVARIANT: only committed tensors are claimed.
            if (word >> 248 > ProgramLib.KIND_LATE) s.program.revertMalformed();
            uint256 n = (word >> 240) & 0xff;
            weight = mulmod(weight, productOf(s, walk, cursor, segments, n), FR);
            if (n <= walk.variables) {
                addSelected(s, walk, word, weight);
                return;
            }
            uint256 free = SessionLib.allocate(0);
            uint256 log = n - walk.variables;
            uint256 kappa = findChunks(s, walk, word, log);
            uint256 table = Multilinear.eqTable(Points.build(s, cursor, segments, n), log, weight);
            // Equivalent to: for b < 2^log: kappa[chunk + b] += table[b]
            assembly ("memory-safe") {
                for { let last := add(table, shl(log, 0x20)) } lt(table, last) { table := add(table, 0x20) } {
                    mstore(kappa, addmod(mload(kappa), mload(table), FR))
                    kappa := add(kappa, TERM_SIZE)
                }
            }
            SessionLib.release(free);
        }
    }

    /// @dev Adds weight * eq(bits(addr), first coordinates of r) to the chunk of a tensor of at most a chunk's size.
    function addSelected(Session memory s, ClaimWalk memory walk, uint256 word, uint256 weight) private pure {
        // SAFETY: n <= c.
        unchecked {
            uint256 bits = walk.variables - ((word >> 240) & 0xff);
            uint256 addr = (word >> 192) & 0xffffffff;
            // INVARIANT: the cells lie inside the chunk.
            if (addr >> bits != 0) s.program.revertMalformed();
            uint256 at = findChunks(s, walk, word, 0);
            uint256 table = walk.selectors;
            // Equivalent to terms[chunk].scalar += weight * eq(bits(addr), r), as in addCached
            assembly ("memory-safe") {
                let f := FR
                for {} gt(bits, 3) { table := add(table, 0x400) } {
                    bits := sub(bits, 4)
                    weight := mulmod(weight, mload(add(table, shl(5, or(0x10, and(shr(bits, addr), 0xf))))), f)
                }
                bits := shl(bits, 1)
                weight := mulmod(weight, mload(add(table, shl(5, or(bits, and(addr, sub(bits, 1)))))), f)
                mstore(at, addmod(mload(at), weight, f))
            }
        }
    }

    /// @dev Adds the weight to all chunks of a tensor, or weight * selector to its only one.
    function addHalves(Session memory s, ClaimWalk memory walk, uint256 word, uint256 weight) private pure {
        // SAFETY: numbers of at most 40 bits.
        unchecked {
            uint256 n = (word >> 240) & 0xff;
            if (n <= walk.variables) {
                addSelected(s, walk, word, weight);
                return;
            }
            uint256 kappa = findChunks(s, walk, word, n - walk.variables);
            uint256 size = TERM_SIZE << (n - walk.variables);
            assembly ("memory-safe") {
                for { let last := add(kappa, size) } lt(kappa, last) { kappa := add(kappa, TERM_SIZE) } {
                    mstore(kappa, addmod(mload(kappa), weight, FR))
                }
            }
        }
    }

    /// @dev eq over the last min(n, c) coordinates of the point and of r; from the cache if it is there.
    function productOf(Session memory s, ClaimWalk memory walk, uint256 cursor, uint256 segments, uint256 n)
        private
        pure
        returns (uint256 product)
    {
        uint256 key;
        uint256 entry;
        uint256 found;
        assembly ("memory-safe") {
            key := or(shl(8, keccak256(cursor, mul(3, segments))), n)
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
            uint256 low = n < walk.variables ? n : walk.variables;
            product = 1;
            uint256 rest = low;
            if (segments != 0) {
                uint256 word = load(cursor + (segments - 1) * Points.SEGMENT_SIZE);
                if (word >> 248 <= SOURCE_LINK && (word >> 240) & 0xff == 0) {
                    uint256 shared = Points.lengthOf(word);
                    if (shared > low) shared = low;
                    rest -= shared;
                    product = load(load(walk.suffixes + (word >> 248 << 5)) + (shared << 5));
                }
            }
            point += (n - low) << 5;
            product = Multilinear.eq(point, walk.point + ((walk.variables - low) << 5), rest, product);
            SessionLib.release(free);
        }
    }

    /// @dev Memory address of the scalar of a tensor's first chunk; requires 2^log chunks from it on.
    function findChunks(Session memory s, ClaimWalk memory walk, uint256 word, uint256 log)
        private
        pure
        returns (uint256)
    {
        // SAFETY: numbers of at most 32 bits, and a memory address.
        unchecked {
            uint256 chunk = (word >> 224) & 0xffff;
            // INVARIANT: no claim reaches outside the committed chunks.
            if (log > MAX_SPREAD_LOG || chunk + (1 << log) > walk.chunks) s.program.revertMalformed();
            return walk.kappa + chunk * TERM_SIZE;
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
