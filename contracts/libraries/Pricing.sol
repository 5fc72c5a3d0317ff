// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Settlement} from "./Settlement.sol";

/// @title Prices of locks and bonds, and time to prove (protocol.md A.12, A.14)
/// @notice Pure formulas. All amounts are wei, all times seconds; quotients round up.
library Pricing {
    /// @dev A reward or a bond covers this many times the gas it is for, so that a rising base fee does not eat it.
    uint256 internal constant GAS_MARGIN = 3;

    /// @dev A bond is 3/2 of what a proof costs.
    uint256 internal constant BOND_NUMERATOR = 3;
    uint256 internal constant BOND_DENOMINATOR = 2;

    /// @notice max(lockFees * fee, ceil(3 * disputeGas * gasPrice * 100 / 35)).
    /// In English: the default lock, but never so little that the challenger's share would not be worth three times
    /// the gas of its dispute.
    function computeLock(uint256 fee, uint256 lockFees, uint256 disputeGas, uint256 gasPrice)
        internal
        pure
        returns (uint256)
    {
        uint256 rewardFloor = GAS_MARGIN * disputeGas * gasPrice;
        return Math.max(lockFees * fee, Math.ceilDiv(rewardFloor * Settlement.PERCENT, Settlement.SLASH_CHALLENGER));
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
