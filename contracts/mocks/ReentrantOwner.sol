// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakeVault} from "../interfaces/IStakeVault.sol";

/// @title An owner that calls back while it is being paid
contract ReentrantOwner {
    IStakeVault public immutable VAULT;

    bytes private attack;
    /// What the vault answered to the call back.
    bytes public answer;
    bool public succeeded;

    constructor(IStakeVault vault) {
        VAULT = vault;
    }

    /// @notice Calls the vault in this account's name.
    function act(bytes calldata call, uint256 value) external {
        (bool success, bytes memory result) = address(VAULT).call{value: value}(call);
        if (!success) {
            // Equivalent to reverting with `result` as it is.
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
    }

    /// @notice Sets the call that is made when money arrives.
    function arm(bytes calldata attack_) external {
        attack = attack_;
    }

    receive() external payable {
        if (attack.length != 0) (succeeded, answer) = address(VAULT).call(attack);
    }
}
