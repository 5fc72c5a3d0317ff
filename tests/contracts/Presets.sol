// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Parameters} from "../../contracts/types/Parameters.sol";
import {Cheats} from "./Cheats.sol";

/// @notice The parameters that the tests deploy with.
abstract contract Presets is Cheats {
    /// @notice Preset `local` (protocol.md A.20); the unbonding time obeys I22.
    function localPreset() internal pure returns (Parameters memory) {
        return Parameters({
            assignSeconds: 60,
            execSeconds: 20,
            challengeSeconds: 15,
            proveSeconds: 30,
            proveCapSeconds: 60,
            airgapSeconds: 10,
            unbondSeconds: 2 * (60 + 20 + 15 + 15 + 124 + 2 * 60 + 10),
            lockFees: 35,
            missFees: 1,
            disputeGas: 600_000,
            gasPriceFloor: 1 gwei,
            provingPrice: 1000 gwei,
            maxProofGas: 10_000_000,
            deliverSeconds: 15,
            keeperDelaySeconds: 10,
            slashJailSeconds: 60,
            missJailSeconds: 20,
            missWindowSeconds: 120,
            missesToJail: 3,
            keeperTipBps: 50,
            protocolFeeBps: 100,
            shareBlocks: 5,
            maxChallengers: 8,
            tokenGasPrice: 1e9
        });
    }
}
