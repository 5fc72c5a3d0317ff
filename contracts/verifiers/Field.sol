// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";

/// @dev r: the order of BN254's groups, the modulus of every scalar.
uint256 constant FR = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
/// @dev q: the modulus of BN254's coordinates.
uint256 constant FQ = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
/// @dev 1/2 in the scalar field: (r + 1) / 2.
uint256 constant HALF = 10944121435919637611123202872628637544274182200208017171849102093287904247809;
/// @dev 2r + 1, which keeps 1 - a - b + 2ab positive; 4r + 1 < 2^256, so no sum below overflows.
uint256 constant TWO_FR_PLUS_ONE = 43776485743678550444492811490514550177096728800832068687396408373151616991235;

/// @title Arithmetic of the scalar field F = Z / r
/// @notice Canonical values are below r. A signed integer a stands for a mod r: -1 is r - 1.
library Field {
    uint256 internal constant MODEXP = 0x05;

    /// @notice 1 / a by Fermat's a^(r - 2).
    /// @dev Requires a != 0. The result is checked by one multiplication, so a failing precompile cannot pass.
    function inverse(uint256 a) internal view returns (uint256 result) {
        bool success;
        // Equivalent to (success, result) = MODEXP(32, 32, 32, a, r - 2, r)
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, 32)
            mstore(add(at, 0x20), 32)
            mstore(add(at, 0x40), 32)
            mstore(add(at, 0x60), a)
            mstore(add(at, 0x80), sub(FR, 2))
            mstore(add(at, 0xa0), FR)
            success := staticcall(gas(), MODEXP, at, 0xc0, at, 0x20)
            success := and(success, eq(returndatasize(), 0x20))
            result := mload(at)
        }
        // INVARIANT: what leaves this function is the inverse.
        if (!success || mulmod(a, result, FR) != 1) revert IProofVerifier.PrecompileFailed(MODEXP);
    }
}
