// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PlainToken} from "./PlainToken.sol";

/// @title An ERC-20 with a fee on every transfer, for tests
contract FeeToken is PlainToken {
    enum Payer {
        NOBODY,
        RECEIVER,
        SENDER
    }

    uint256 public constant FEE = 1;

    Payer public payer;

    /// @notice Sets who pays the fee from now on.
    function setPayer(Payer payer_) external {
        payer = payer_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from == address(0) || payer == Payer.NOBODY) return;
        super._update(payer == Payer.RECEIVER ? to : from, address(0), FEE);
    }
}
