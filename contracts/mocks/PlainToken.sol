// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title An ERC-20 that does what it is told, for tests
contract PlainToken is ERC20("Plain token", "PLAIN") {
    /// @notice Makes money out of nothing.
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }
}
