// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PlainToken} from "./PlainToken.sol";

/// @title An ERC-20 that says false where others revert, for tests
contract FalseToken is PlainToken {
    bool public isRefusing;

    /// @notice Sets whether transfers fail from now on.
    function refuse(bool isRefusing_) external {
        isRefusing = isRefusing_;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return !isRefusing && super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return !isRefusing && super.transferFrom(from, to, amount);
    }
}
