// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim, ClaimList} from "./ClaimList.sol";
import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {ProgramLib, Program, Tensor} from "./Program.sol";
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
        uint256 power = 1;
        Claim memory current;
        while (at < end) {
            at = ClaimList.read(at, current);
            claim = addmod(claim, mulmod(power, current.value, FR), FR);
            power = mulmod(power, eta, FR);
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
        Claim memory claim;
        while (at < end) {
            at = ClaimList.read(at, claim);
            uint256 shared = min(claim.shared, c);
            uint256 products = claim.source == SOURCE_ZETA ? zetaProducts : contractionProducts;
            uint256 weight;
            assembly ("memory-safe") {
                weight := mulmod(power, mload(add(products, shl(5, shared))), FR)
            }
            addClaim(s, claim, shared, weight);
            power = mulmod(power, s.eta, FR);
        }
    }

    /// @dev Adds weight times the rest of eq(lo_j, r) to the kappa of the claim's chunks.
    /// @param shared How many last coordinates `weight` already accounts for.
    function addClaim(Session memory s, Claim memory claim, uint256 shared, uint256 weight) private pure {
        Program memory program = s.program;
        uint256 c = program.chunkLog;
        Tensor memory tensor = program.tensorAt(claim.tensor);
        uint256 n = tensor.variables;
        if (n < c) {
            checkPlace(program, tensor, 1);
            weight = Multilinear.eq(claim.point, s.point + ((c - n) << 5), n - shared, weight);
            weight = Multilinear.eqIndex(tensor.addr, s.point, c - n, weight);
            addWeight(s.terms, tensor.chunk, weight);
            return;
        }
        uint256 count = uint256(1) << (n - c);
        checkPlace(program, tensor, count);
        weight = Multilinear.eq(claim.point + ((n - c) << 5), s.point, c - shared, weight);
        uint256 table = Multilinear.eqTable(claim.point, n - c, weight);
        for (uint256 b = 0; b < count; ++b) {
            assembly ("memory-safe") {
                weight := mload(add(table, shl(5, b)))
            }
            addWeight(s.terms, tensor.chunk + b, weight);
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

    /// @dev Requires that a committed tensor's cells lie in `count` chunks of its own kind.
    function checkPlace(Program memory program, Tensor memory tensor, uint256 count) private pure {
        uint256 last = tensor.chunk + count;
        uint256 fixedChunks = program.fixedChunks;
        bool valid = tensor.kind == ProgramLib.KIND_FIXED
            ? last <= fixedChunks
            : tensor.kind == ProgramLib.KIND_PROOF && tensor.chunk >= fixedChunks
                && last <= fixedChunks + program.proofChunks;
        uint256 c = program.chunkLog;
        uint256 places = tensor.variables < c ? uint256(1) << (c - tensor.variables) : 1;
        // INVARIANT: no claim reaches outside the committed chunks.
        if (!valid || tensor.addr >= places) program.revertMalformed();
    }

    function min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
