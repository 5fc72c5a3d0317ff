// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBeacon} from "../interfaces/IBeacon.sol";
import {SeedState} from "../types/Quorum.sol";

/// @title Seeds out of block hashes
contract Beacon is IBeacon {
    /* CONSTANTS */

    /// @dev How many hashes back the chain remembers.
    uint256 private constant MEMORY_BLOCKS = 256;

    /* IMMUTABLES */

    /// @inheritdoc IBeacon
    uint256 public immutable DELAY;

    /* STORAGE */

    /// @inheritdoc IBeacon
    mapping(address requester => mapping(bytes32 key => uint256 blockNumber)) public requestedAt;

    mapping(address requester => mapping(bytes32 key => bytes32)) private seeds;

    /* CONSTRUCTOR */

    constructor(uint256 delayBlocks) {
        if (delayBlocks == 0 || delayBlocks >= MEMORY_BLOCKS) revert BadDelay(delayBlocks);
        DELAY = delayBlocks;
    }

    /* REQUESTERS */

    /// @inheritdoc IBeacon
    function request(bytes32 key) external returns (uint256 seedBlock) {
        SeedState state = stateOf(msg.sender, key);
        // INVARIANT: who has an answer, or may still have it, cannot ask for another one.
        if (state != SeedState.NONE && state != SeedState.MISSED) revert AlreadyRequested(msg.sender, key);

        requestedAt[msg.sender][key] = block.number;
        seedBlock = block.number + DELAY;
        emit SeedRequested(msg.sender, key, seedBlock);
    }

    /* ANYBODY */

    /// @inheritdoc IBeacon
    function fix(address requester, bytes32 key) external returns (bytes32 seed) {
        SeedState state = stateOf(requester, key);
        if (state == SeedState.FIXED) return seeds[requester][key];
        if (state != SeedState.READY) revert SeedNotReady(requester, key, state);

        // READY: the hash is one that the chain remembers, so it is not zero.
        seed = keccak256(abi.encode(blockhash(requestedAt[requester][key] + DELAY), requester, key));
        seeds[requester][key] = seed;
        emit SeedFixed(requester, key, seed);
    }

    /* VIEWS */

    /// @inheritdoc IBeacon
    function seedOf(address requester, bytes32 key) external view returns (bytes32 seed) {
        seed = seeds[requester][key];
        if (seed == 0) revert SeedNotReady(requester, key, stateOf(requester, key));
    }

    /// @inheritdoc IBeacon
    function stateOf(address requester, bytes32 key) public view returns (SeedState) {
        uint256 asked = requestedAt[requester][key];
        if (asked == 0) return SeedState.NONE;
        if (seeds[requester][key] != 0) return SeedState.FIXED;
        uint256 seedBlock = asked + DELAY;
        if (block.number <= seedBlock) return SeedState.WAITING;
        return block.number <= seedBlock + MEMORY_BLOCKS ? SeedState.READY : SeedState.MISSED;
    }
}
