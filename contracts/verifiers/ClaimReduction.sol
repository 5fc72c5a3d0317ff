// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CLAIM_SIZE, ClaimList} from "./ClaimList.sol";
import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {ProgramLib, Program} from "./Program.sol";
import {Session, SOURCE_ZETA, TERM_SIZE} from "./Session.sol";
import {SumCheck} from "./SumCheck.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title Claim reduction: all claims on tensors become one on a combination of chunks (proofs-spec.md 2.9)
/// @notice Claim j has the coefficient eta^j and says sum over x of eq(lo_j, x) sum over i of w_ji f_i(x) = value_j.
/// After c rounds: y = sum of kappa_i f_i(r) with kappa_i = sum of eta^j w_ji eq(lo_j, r).
library ClaimReduction {
    using TranscriptLib for Transcript;
    using ProgramLib for Program;

    uint256 private constant TAG_ROUND = 11;

    /// @notice Instruction 0x05: empties the claim list into the terms' scalars kappa_i, the point r and the value y.
    function run(Session memory s) internal pure {
        uint256 c = s.program.chunkLog;
        uint256 point;
        assembly ("memory-safe") {
            point := mload(0x40)
            mstore(0x40, add(point, shl(5, c)))
        }
        s.point = point;
        s.value = SumCheck.plainRounds(s.transcript, TAG_ROUND, c, batchClaim(s), point);
        addCoefficients(s);
        s.claimsEnd = s.claims;
    }

    /// @dev The sum of eta^j value_j.
    function batchClaim(Session memory s) private pure returns (uint256 claim) {
        (uint256 at, uint256 end, uint256 eta) = (s.claims, s.claimsEnd, s.eta);
        // Equivalent to: for j: claim += power * value_j; power *= eta
        assembly ("memory-safe") {
            let f := FR
            let power := 1
            for {} lt(at, end) { at := add(at, CLAIM_SIZE) } {
                claim := addmod(claim, mulmod(power, mload(add(at, 0x20)), f), f)
                power := mulmod(power, eta, f)
            }
        }
    }

    /// @dev Adds every claim's share to kappa. Points end in suffixes of zeta or r_C, so their eq factors come from two
    /// arrays of suffix products.
    function addCoefficients(Session memory s) private pure {
        uint256 c = s.program.chunkLog;
        uint256 pointEnd = s.point + (c << 5);
        uint256 zetaProducts = Multilinear.eqSuffixes(s.zetaEnd, pointEnd, min(s.lambda, c));
        uint256 contractionProducts = Multilinear.eqSuffixes(s.contractionEnd, pointEnd, min(s.rounds, c));
        (uint256 at, uint256 end) = (s.claims, s.claimsEnd);
        uint256 power = 1;
        // SAFETY: memory addresses.
        unchecked {
            for (; at < end; at += CLAIM_SIZE) {
                (uint256 word, uint256 source, uint256 shared) = ClaimList.readHead(at);
                if (shared > c) shared = c;
                uint256 weight = source == SOURCE_ZETA ? zetaProducts : contractionProducts;
                // Equivalent to weight = power * products[shared]
                assembly ("memory-safe") {
                    weight := mulmod(power, mload(add(weight, shl(5, shared))), FR)
                }
                addClaim(s, word, ClaimList.readPoint(at), shared, weight);
                power = mulmod(power, s.eta, FR);
            }
        }
    }

    /// @dev Adds weight times the rest of eq(lo_j, r) to the kappa of the claim's chunks.
    /// @param word The tensor's entry in the program's table.
    /// @param point Memory address of the claim's point.
    /// @param shared How many last coordinates `weight` already accounts for.
    function addClaim(Session memory s, uint256 word, uint256 point, uint256 shared, uint256 weight) private pure {
        uint256 c = s.program.chunkLog;
        uint256 r = s.point;
        // SAFETY: shared <= min(n, c), and no number has more than 40 bits.
        unchecked {
            uint256 n = (word >> 240) & 0xff;
            uint256 count = 1;
            if (n < c) {
                uint256 head = c - n;
                uint256 addr = (word >> 192) & 0xffffffff;
                // INVARIANT: the cells lie inside the chunk.
                if (addr >> head != 0) s.program.revertMalformed();
                if (shared < n) weight = Multilinear.eq(point, r + (head << 5), n - shared, weight);
                weight = Multilinear.eqIndex(addr, r, head, weight);
            } else {
                count = 1 << (n - c);
                if (shared < c) weight = Multilinear.eq(point + ((n - c) << 5), r, c - shared, weight);
            }
            uint256 chunk = takeChunks(s.program, word, count);
            if (count == 1) addWeight(s.terms, chunk, weight);
            else spreadWeight(s.terms + chunk * TERM_SIZE, count, Multilinear.eqTable(point, n - c, weight));
        }
    }

    /// @dev Adds `count` weights at memory address `table` to the kappa of successive chunks.
    function spreadWeight(uint256 terms, uint256 count, uint256 table) private pure {
        for (uint256 b = 0; b < count; ++b) {
            uint256 weight;
            assembly ("memory-safe") {
                weight := mload(add(table, shl(5, b)))
            }
            addWeight(terms, b, weight);
        }
    }

    /// @dev kappa_chunk += weight.
    function addWeight(uint256 terms, uint256 chunk, uint256 weight) private pure {
        // Equivalent to terms[chunk].scalar = (terms[chunk].scalar + weight) % r
        assembly ("memory-safe") {
            let scalar := add(add(terms, mul(chunk, TERM_SIZE)), 0x40)
            mstore(scalar, addmod(mload(scalar), weight, FR))
        }
    }

    /// @dev The first of a committed tensor's `count` chunks; requires that all are chunks of its own kind.
    function takeChunks(Program memory program, uint256 word, uint256 count) private pure returns (uint256 first) {
        // SAFETY: kind is 0 or 1 where it counts; count <= 2^255 and the rest has at most 17 bits.
        unchecked {
            first = (word >> 224) & 0xffff;
            uint256 kind = word >> 248;
            // Fixed chunks: [0, F); the proof's: [F, F + P).
            bool valid = kind <= ProgramLib.KIND_PROOF && first >= kind * program.fixedChunks
                && first + count <= program.fixedChunks + kind * program.proofChunks;
            // INVARIANT: no claim reaches outside the committed chunks.
            if (!valid) program.revertMalformed();
        }
    }

    function min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
