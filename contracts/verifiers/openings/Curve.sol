// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../interfaces/IProofVerifier.sol";
import {FQ, FR} from "../Field.sol";

/// @title The curve's precompiles (EIP-196, EIP-197) on points in memory
/// @notice A point is 64 bytes (x, y), infinity all zero; a term is a point and its scalar, 96 bytes.
/// A precompile that fails, out of gas included, ends the verification.
library Curve {
    /// @dev Bytes of (x, y, scalar), the input of ecMul.
    uint256 internal constant TERM_SIZE = 0x60;

    uint256 private constant ECADD = 0x06;
    uint256 private constant ECMUL = 0x07;
    uint256 private constant PAIRING = 0x08;

    /// @dev [1]_2 in the order of EIP-197: x_c1, x_c0, y_c1, y_c0.
    uint256 private constant G2_X1 = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 private constant G2_X0 = 10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 private constant G2_Y1 = 4082367875863433681332203403145435568316851327593401208105741076214120093531;
    uint256 private constant G2_Y0 = 8495653923123431417604973247489272438418190587263600148770280649306958101930;

    /// @notice (x, y, scalar) at `term` => scalar (x, y) at `target`. The precompile refuses points off the curve.
    function ecMul(uint256 term, uint256 target) internal view {
        bool success;
        assembly ("memory-safe") {
            success := staticcall(gas(), ECMUL, term, 0x60, target, 0x40)
            success := and(success, eq(returndatasize(), 0x40))
        }
        if (!success) revert IProofVerifier.PrecompileFailed(ECMUL);
    }

    /// @notice The point at `target` becomes its sum with the one behind it.
    function ecAdd(uint256 target) internal view {
        bool success;
        assembly ("memory-safe") {
            success := staticcall(gas(), ECADD, target, 0x80, target, 0x40)
            success := and(success, eq(returndatasize(), 0x40))
        }
        if (!success) revert IProofVerifier.PrecompileFailed(ECADD);
    }

    /// @notice Adds the `count` terms at `terms` to the point at `target`; uses the 64 bytes behind it.
    function addTerms(uint256 target, uint256 terms, uint256 count) internal view {
        bool success;
        // Equivalent to: for each term: ecMul(term, target + 0x40); ecAdd(target)
        assembly ("memory-safe") {
            success := 1
            let last := add(terms, mul(count, TERM_SIZE))
            for {} lt(terms, last) { terms := add(terms, TERM_SIZE) } {
                let good := staticcall(gas(), ECMUL, terms, 0x60, add(target, 0x40), 0x40)
                good := and(good, eq(returndatasize(), 0x40))
                good := and(good, staticcall(gas(), ECADD, target, 0x80, target, 0x40))
                success := and(success, and(good, eq(returndatasize(), 0x40)))
            }
        }
        if (!success) revert IProofVerifier.PrecompileFailed(ECMUL);
    }

    /// @notice Adds `factor` times the sum of the calldata's (scalar, x, y) to the point at `target`; uses the 96 bytes
    /// behind it.
    function addScaled(uint256 target, bytes calldata terms, uint256 factor) internal view {
        bool success;
        // Equivalent to: for each term: ecMul((x, y, factor scalar), target + 0x40); ecAdd(target)
        assembly ("memory-safe") {
            success := 1
            let behind := add(target, 0x40)
            let at := terms.offset
            for { let last := add(at, terms.length) } lt(at, last) { at := add(at, TERM_SIZE) } {
                calldatacopy(behind, add(at, 0x20), 0x40)
                mstore(add(behind, 0x40), mulmod(calldataload(at), factor, FR))
                let good := staticcall(gas(), ECMUL, behind, 0x60, behind, 0x40)
                good := and(good, eq(returndatasize(), 0x40))
                good := and(good, staticcall(gas(), ECADD, target, 0x80, target, 0x40))
                success := and(success, and(good, eq(returndatasize(), 0x40)))
            }
        }
        if (!success) revert IProofVerifier.PrecompileFailed(ECMUL);
    }

    /// @notice (x, y) => (x, -y); infinity stays (0, 0).
    function negate(uint256 source, uint256 target) internal pure {
        assembly ("memory-safe") {
            mstore(target, mload(source))
            mstore(add(target, 0x20), mod(sub(FQ, mload(add(source, 0x20))), FQ))
        }
    }

    /// @notice Requires e(L, [1]_2) e(-R, [tau]_2) = 1 with L at `m` and R at `m + 0xc0`; uses 0x180 bytes at `m`.
    function requirePairing(uint256 m, uint256[4] memory tau) internal view {
        negate(m + 0xc0, m + 0xc0);
        bool success;
        uint256 result;
        // Equivalent to (success, result) = PAIRING(L, [1]_2, -R, [tau]_2)
        assembly ("memory-safe") {
            mstore(add(m, 0x40), G2_X1)
            mstore(add(m, 0x60), G2_X0)
            mstore(add(m, 0x80), G2_Y1)
            mstore(add(m, 0xa0), G2_Y0)
            mcopy(add(m, 0x100), tau, 0x80)
            success := staticcall(gas(), PAIRING, m, 0x180, m, 0x20)
            success := and(success, eq(returndatasize(), 0x20))
            result := mload(m)
        }
        if (!success) revert IProofVerifier.PrecompileFailed(PAIRING);
        // INVARIANT: the quotients divide.
        if (result != 1) revert IProofVerifier.PairingFailed();
    }

    /// @notice Whether the four words are a point of G2's subgroup of order r, infinity excluded.
    function isTau(uint256[4] memory tau) internal view returns (bool valid) {
        // Equivalent to PAIRING(infinity, tau) == 1: the precompile checks curve and subgroup.
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, 0)
            mstore(add(m, 0x20), 0)
            mcopy(add(m, 0x40), tau, 0x80)
            valid := staticcall(gas(), PAIRING, m, 0xc0, m, 0x20)
            valid := and(valid, and(eq(returndatasize(), 0x20), eq(mload(m), 1)))
            valid := and(valid, iszero(iszero(or(mload(tau), mload(add(tau, 0x20))))))
        }
    }
}
