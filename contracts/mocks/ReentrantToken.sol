// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PlainToken} from "./PlainToken.sol";

/// @title An ERC-20 that calls somebody in the middle of a transfer, for tests
contract ReentrantToken is PlainToken {
    address private target;
    bytes private attack;
    /// What the target answered.
    bytes public answer;
    bool public succeeded;

    /// @notice Sets the call that the next transfers make first, in the token's own name, and allows the target to take
    /// what the token itself owns.
    function arm(address target_, bytes calldata attack_) external {
        (target, attack) = (target_, attack_);
        _approve(address(this), target_, type(uint256).max);
    }

    function _update(address from, address to, uint256 amount) internal override {
        // The inner transfer of the attack calls nobody.
        if (attack.length != 0 && from != address(this)) (succeeded, answer) = target.call(attack);
        super._update(from, to, amount);
    }
}
