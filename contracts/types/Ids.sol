// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev A job of the market: the hash of its terms (JobTerms), so that a reorganisation can never put another job
/// under the same id.
type JobId is bytes32;
