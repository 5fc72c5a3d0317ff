// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VaultCaller} from "./VaultCaller.sol";

/// @title An owner that calls back while it is being paid
contract ReentrantOwner is VaultCaller {
    bytes private attack;
    /// What the vault answered to the call back.
    bytes public answer;
    bool public succeeded;

    constructor(address vault) VaultCaller(vault) {}

    /// @notice Sets the call that is made when money arrives.
    function arm(bytes calldata attack_) external {
        attack = attack_;
    }

    receive() external payable {
        if (attack.length != 0) (succeeded, answer) = VAULT.call(attack);
    }
}
