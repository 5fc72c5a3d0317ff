// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Lots of a weighted draw without replacement (Efraimidis and Spirakis, 2006)
/// @notice Whoever has the smallest of exponential variables with rates w_i is drawn with probability w_i / sum w: the
/// n smallest are a draw of n without replacement. A lot depends on seed, operator and weight alone, so who comes or
/// goes after the seed is known moves nobody else's.
library Lots {
    /// @dev Binary digits behind the point of a logarithm.
    uint256 private constant FRACTION_BITS = 32;
    uint256 private constant WORD_BITS = 256;
    /// @dev Digits of the mantissa: its square fits a word.
    uint256 private constant MANTISSA_BITS = 128;

    /// @notice floor(2^128 * L / weight), with L of `computeMinusLog2` for u = keccak256(abi.encode(seed, operator)).
    /// In English: the heavier, the smaller the lot tends to be.
    function compute(bytes32 seed, address operator, uint256 weight) internal pure returns (uint256) {
        uint256 u = uint256(keccak256(abi.encode(seed, operator)));
        // No overflow: L < 2^41.
        return (computeMinusLog2(u) << MANTISSA_BITS) / weight;
    }

    /// @notice 2^32 * 256 - floor(2^32 * log2 u): -log2 of u / 2^256 in units of 2^-32, rounded up; at least 1.
    function computeMinusLog2(uint256 u) internal pure returns (uint256) {
        uint256 integer = Math.log2(u);
        // y / 2^127 is in [1, 2); squaring it doubles its logarithm, whose next digit says whether 2 is reached.
        uint256 y = (u << (WORD_BITS - 1 - integer)) >> (WORD_BITS - MANTISSA_BITS);
        uint256 log = integer;
        for (uint256 i = 0; i < FRACTION_BITS; ++i) {
            y = y * y >> (MANTISSA_BITS - 1);
            uint256 digit = y >> MANTISSA_BITS;
            y >>= digit;
            log = log << 1 | digit;
        }
        return (WORD_BITS << FRACTION_BITS) - log;
    }
}
