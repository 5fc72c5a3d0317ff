// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SeedState} from "../types/Quorum.sol";

/// @title Randomness that is decided after it was asked for
/// @notice A requester names a key; the hash of the block DELAY blocks later, mixed with requester and key, is the seed.
/// The chain forgets that hash after 256 blocks, so somebody has to fix it before.
///
/// Assumptions on what surrounds it:
/// - nobody knows the hash of a block DELAY blocks ahead;
/// - a block's proposer may throw a block away and so choose between two seeds at the price of its reward: no seed here
///   should be worth more than that to anybody. Above some 50 ETH a verifiable delay or a threshold beacon is needed.
///
/// WARNING: a missed seed says nothing. Who uses the beacon decides so that nobody gains by letting it pass.
interface IBeacon {
    /// @notice Thrown by the constructor when a seed would be known when it is asked for, or forgotten before it can be fixed.
    error BadDelay(uint256 delayBlocks);
    /// @notice Thrown when the requester has asked for this key, and the answer was not missed.
    error AlreadyRequested(address requester, bytes32 key);
    /// @notice Thrown when the key has no seed yet.
    error SeedNotReady(address requester, bytes32 key, SeedState state);

    /// @notice The seed of `requester`'s `key` is decided by block `seedBlock`.
    event SeedRequested(address indexed requester, bytes32 indexed key, uint256 seedBlock);
    /// @notice The seed is known for ever.
    event SeedFixed(address indexed requester, bytes32 indexed key, bytes32 seed);

    /// @notice Asks for a seed of the caller's own key: once, and again only if it was missed.
    function request(bytes32 key) external returns (uint256 seedBlock);

    /// @notice Fixes a seed that is READY, for whoever asked; returns one that is FIXED.
    function fix(address requester, bytes32 key) external returns (bytes32 seed);

    /// @notice The seed of a key, once it is FIXED.
    function seedOf(address requester, bytes32 key) external view returns (bytes32 seed);

    /// @notice Whether there is a seed.
    function stateOf(address requester, bytes32 key) external view returns (SeedState);

    /// @notice The block in which the key was asked for; 0 if it never was.
    function requestedAt(address requester, bytes32 key) external view returns (uint256 blockNumber);

    /// @notice Blocks between a request and the block that decides.
    function DELAY() external view returns (uint256);
}
