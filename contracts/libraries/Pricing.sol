// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Settlement} from "./Settlement.sol";

/// @title Prices of locks, bonds, proofs and deliveries, and time to prove (protocol.md A.10, A.12, A.14)
/// @notice Pure formulas. All amounts are in the token's smallest unit, all times in seconds; quotients round up.
library Pricing {
    /// @dev A reward or a bond covers this many times the gas it is for, so that a rising base fee does not eat it.
    uint256 internal constant GAS_MARGIN = 3;

    /// @dev A bond is 3/2 of what a proof costs.
    uint256 internal constant BOND_NUMERATOR = 3;
    uint256 internal constant BOND_DENOMINATOR = 2;

    /// @dev Gas of a delivery but for the bytes: the transaction, its storage and hashing of the tiles.
    uint256 internal constant DELIVERY_GAS = 60_000;
    /// @dev Gas of a delivered byte: 40 as calldata that is not zero (EIP-7623), 8 emitted, the rest hashing.
    uint256 internal constant DELIVERY_BYTE_GAS = 60;

    /// @notice max(lockFees * fee, ceil(3 * disputeGas * gasPrice * 100 / 35)).
    /// In English: the default lock, but never so little that the challenger's share would not be worth three times
    /// the gas of its dispute.
    function computeLock(uint256 fee, uint256 lockFees, uint256 disputeGas, uint256 gasPrice)
        internal
        pure
        returns (uint256)
    {
        uint256 rewardFloor = GAS_MARGIN * disputeGas * gasPrice;
        return Math.max(lockFees * fee, Math.ceilDiv(rewardFloor * Settlement.PERCENT, Settlement.SLASH_CHALLENGERS));
    }

    /// @notice ceil(3 * (proveSeconds * provingPrice + 3 * proofGas * gasPrice) / 2).
    /// In English: one and a half times what proving costs, its transaction reckoned at three times today's gas.
    function computeBond(uint256 proveSeconds, uint256 provingPrice, uint256 proofGas, uint256 gasPrice)
        internal
        pure
        returns (uint256)
    {
        uint256 cost = proveSeconds * provingPrice + GAS_MARGIN * proofGas * gasPrice;
        return Math.ceilDiv(BOND_NUMERATOR * cost, BOND_DENOMINATOR);
    }

    /// @notice proveSeconds * provingPrice + proofGas * gasPrice.
    /// In English: what one proof costs its maker now.
    function computeProofFee(uint256 proveSeconds, uint256 provingPrice, uint256 proofGas, uint256 gasPrice)
        internal
        pure
        returns (uint256)
    {
        return proveSeconds * provingPrice + proofGas * gasPrice;
    }

    /// @notice (60,000 + 60 * outputBytes) * gasPrice.
    /// In English: the gas of posting so many bytes on chain, at today's price.
    function computeDeliveryPayment(uint256 outputBytes, uint256 gasPrice) internal pure returns (uint256) {
        return (DELIVERY_GAS + DELIVERY_BYTE_GAS * outputBytes) * gasPrice;
    }

    /// @notice min(cap, base + proveSeconds * (open + 1)).
    /// In English: an operator proves its challenges one after another, and each waits for those before it.
    function computeProveSeconds(uint256 base, uint256 cap, uint256 proveSeconds, uint256 open)
        internal
        pure
        returns (uint256)
    {
        return Math.min(cap, base + proveSeconds * (open + 1));
    }
}
