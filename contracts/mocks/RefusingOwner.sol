// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VaultCaller} from "./VaultCaller.sol";

/// @title An owner that cannot receive money
contract RefusingOwner is VaultCaller {
    constructor(address vault) VaultCaller(vault) {}
}
