// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakeVault} from "../interfaces/IStakeVault.sol";

/// @title An owner that cannot receive money
contract RefusingOwner {
    function deposit(IStakeVault vault) external payable {
        vault.deposit{value: msg.value}();
    }

    function requestUnbond(IStakeVault vault, uint96 amount) external {
        vault.requestUnbond(amount);
    }

    function withdrawUnbonded(IStakeVault vault) external {
        vault.withdrawUnbonded();
    }
}
