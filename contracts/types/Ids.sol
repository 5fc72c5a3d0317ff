// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev A job of the market; counted from 1.
type JobId is uint256;

/// @dev A dispute of the game; counted from 1.
type DisputeId is uint256;

