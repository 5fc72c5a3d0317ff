// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Stand-in for the market in tests of the vault alone
/// @notice Tells the time that it is told to; the tests call the vault in its name.
contract ModuleStub {
    uint40 public clock;

    function setClock(uint40 time) external {
        clock = time;
    }
}
