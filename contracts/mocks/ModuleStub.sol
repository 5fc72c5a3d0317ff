// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakeVault} from "../interfaces/IStakeVault.sol";

/// @title Stand-in for market, game and registry in tests of the vault alone
/// @notice Says that it belongs to a vault; the tests then call the vault in its name.
contract ModuleStub {
    address public immutable VAULT;
    bytes32 public immutable PARAMETERS_HASH;

    constructor(IStakeVault vault) {
        VAULT = address(vault);
        PARAMETERS_HASH = vault.PARAMETERS_HASH();
    }

    function REGISTRY() external view returns (address) {
        return address(this);
    }

    function MARKET() external view returns (address) {
        return address(this);
    }
}
