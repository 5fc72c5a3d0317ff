// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The tree over a batch, built a second time: node by node, by recursion, as protocol.md A.22 says it.
abstract contract TreeBuilder {
    function buildPath(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](depthOf(leaves));
        for (uint256 level = 0; level < path.length; ++level) {
            path[level] = nodeAt(leaves, level, (index >> level) ^ 1);
        }
    }

    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        return nodeAt(leaves, depthOf(leaves), 0);
    }

    function depthOf(bytes32[] memory leaves) internal pure returns (uint256 depth) {
        while (1 << depth < leaves.length) ++depth;
    }

    /// @dev The node of a level (0: the leaves).
    function nodeAt(bytes32[] memory leaves, uint256 level, uint256 index) internal pure returns (bytes32) {
        if (level == 0) return index < leaves.length ? leaves[index] : bytes32(0);
        bytes32 left = nodeAt(leaves, level - 1, 2 * index);
        return keccak256(abi.encodePacked(hex"01", left, nodeAt(leaves, level - 1, 2 * index + 1)));
    }
}
