// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title An account with code, for tests
abstract contract VaultCaller {
    address public immutable VAULT;

    constructor(address vault) {
        VAULT = vault;
    }

    /// @notice Calls the vault in this account's name.
    function act(bytes calldata call, uint256 value) external {
        (bool success, bytes memory result) = VAULT.call{value: value}(call);
        if (!success) {
            // Equivalent to reverting with `result` as it is.
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
    }
}
