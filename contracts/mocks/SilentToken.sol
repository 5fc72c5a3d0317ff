// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A token from before ERC-20 asked for return values, for tests
contract SilentToken {
    mapping(address => uint256) public balanceOf;

    /// @notice Makes money out of nothing.
    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    /// @notice Everybody may take everything: allowances are not what is tested.
    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
