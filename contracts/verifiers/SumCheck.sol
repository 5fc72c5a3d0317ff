// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR} from "./Field.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title Rounds of both sum-checks (proofs-spec.md 2.2)
/// @notice A round reads its scalars, absorbs them and draws its challenge r. Both functions bind x_0 first.
library SumCheck {
    using TranscriptLib for Transcript;

    /// @notice Sum over x of eq(z, x) g(x). The message is (t_1, t_2), the upper coefficients of the round polynomial t
    /// without the factor eq(z_i, X): t_0 = C - z_i (t_1 + t_2), then C <- t_0 + t_1 r + t_2 r^2. At the end C = g(r).
    /// @dev No inversion occurs and no factor eq remains.
    /// @param point Memory address of z; the challenges overwrite it, coordinate by coordinate.
    function eqRounds(Transcript memory t, uint256 tag, uint256 rounds, uint256 claim, uint256 point)
        internal
        pure
        returns (uint256)
    {
        uint256 source = begin(t, rounds, 0x40);
        uint256 refused;
        assembly ("memory-safe") {
            let f := FR
            let buffer := mload(t)
            mstore(add(buffer, 0x20), add(shl(64, tag), 2))
            let first := add(buffer, 0x40)
            let second := add(buffer, 0x60)
            for { let last := add(source, shl(6, rounds)) } lt(source, last) { source := add(source, 0x40) } {
                let t1 := calldataload(source)
                let t2 := calldataload(add(source, 0x20))
                if iszero(and(lt(t1, f), lt(t2, f))) {
                    refused := source
                    break
                }
                mstore(first, t1)
                mstore(second, t2)
                let r := keccak256(buffer, 0x80)
                mstore(buffer, r)
                r := mod(r, f)
                // Equivalent to claim = (claim - z * (t1 + t2)) + r * (t1 + r * t2)
                claim := add(claim, sub(f, mulmod(mload(point), add(t1, t2), f)))
                claim := addmod(claim, mulmod(r, add(t1, mulmod(r, t2, f)), f), f)
                mstore(point, r)
                point := add(point, 0x20)
            }
        }
        // INVARIANT: every scalar is below r.
        if (refused != 0) t.revertNonCanonical(refused);
        return claim;
    }

    /// @notice Sum over x of s(x). The message is (c_0, c_2[, c_3]); c_1 = C - 2 c_0 - c_2 - c_3, then C <- c_0 + c_1 r +
    /// c_2 r^2 + c_3 r^3.
    /// @param degree 2 or 3.
    /// @param point Memory address for the challenges.
    function plainRounds(Transcript memory t, uint256 tag, uint256 rounds, uint256 degree, uint256 claim, uint256 point)
        internal
        pure
        returns (uint256)
    {
        uint256 source = begin(t, rounds, degree << 5);
        uint256 refused;
        assembly ("memory-safe") {
            let f := FR
            let buffer := mload(t)
            mstore(add(buffer, 0x20), add(shl(64, tag), degree))
            let size := shl(5, degree)
            for { let last := add(source, mul(rounds, size)) } lt(source, last) { source := add(source, size) } {
                calldatacopy(add(buffer, 0x40), source, size)
                let c0 := mload(add(buffer, 0x40))
                let c2 := mload(add(buffer, 0x60))
                let c3 := 0
                if eq(degree, 3) { c3 := mload(add(buffer, 0x80)) }
                if iszero(and(and(lt(c0, f), lt(c2, f)), lt(c3, f))) {
                    refused := source
                    break
                }
                let r := keccak256(buffer, add(0x40, size))
                mstore(buffer, r)
                r := mod(r, f)
                // Equivalent to c1 = claim - 2 c0 - c2 - c3; claim = c0 + r (c1 + r (c2 + r c3)). No overflow: c1 < 5r.
                let c1 := add(claim, sub(shl(2, f), add(add(c0, c0), add(c2, c3))))
                c2 := add(c2, mulmod(r, c3, f))
                claim := addmod(c0, mulmod(r, addmod(c1, mulmod(r, c2, f), f), f), f)
                mstore(point, r)
                point := add(point, 0x20)
            }
        }
        // INVARIANT: every scalar is below r.
        if (refused != 0) t.revertNonCanonical(refused);
        return claim;
    }

    /// @dev Takes the rounds' bytes. A round hashes S || header || its scalars, in place at the buffer.
    function begin(Transcript memory t, uint256 rounds, uint256 size) private pure returns (uint256 source) {
        // INVARIANT: a challenge precedes the rounds, so no absorbed word waits to be hashed.
        // SAFETY: a memory address.
        unchecked {
            assert(t.end == t.buffer + 0x20);
        }
        return t.advance(rounds * size);
    }
}
