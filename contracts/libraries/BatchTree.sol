// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {JobId} from "../types/Ids.sol";

/// @title The Merkle tree over the results of a batch (protocol.md A.22)
/// @notice leaf_i = keccak256(0x00 || job id_i || outDigest_i); node = keccak256(0x01 || left || right); the leaves are
/// padded with zero words to a power of two. The first byte tells leaves from nodes, so no node passes for a leaf.
library BatchTree {
    /// @notice The leaf of one result.
    function hashLeaf(JobId jobId, bytes32 outDigest) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), jobId, outDigest));
    }

    /// @notice Room for `count` leaves and their padding.
    function allocate(uint256 count) internal pure returns (bytes32[] memory leaves) {
        return new bytes32[](1 << computeDepth(count));
    }

    /// @notice Levels above the leaves of a tree of `count` leaves: log2(count), rounded up.
    function computeDepth(uint256 count) internal pure returns (uint256) {
        return Math.log2(count, Math.Rounding.Ceil);
    }

    /// @notice The root over leaves whose number is a power of two.
    /// WARNING: the leaves are overwritten.
    function consume(bytes32[] memory leaves) internal pure returns (bytes32) {
        for (uint256 width = leaves.length / 2; width != 0; width /= 2) {
            for (uint256 i = 0; i < width; ++i) {
                leaves[i] = hashNode(leaves[2 * i], leaves[2 * i + 1]);
            }
        }
        return leaves[0];
    }

    /// @notice The root that a leaf at `index` leads to, with its neighbours from the lowest level up.
    /// @dev The caller checks that the path has as many levels as the tree, and the tree a leaf at `index`.
    function climb(bytes32 leaf, uint256 index, bytes32[] calldata path) internal pure returns (bytes32 node) {
        node = leaf;
        for (uint256 level = 0; level < path.length; ++level) {
            bool isRight = index >> level & 1 == 1;
            node = isRight ? hashNode(path[level], node) : hashNode(node, path[level]);
        }
    }

    function hashNode(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(1), left, right));
    }
}
