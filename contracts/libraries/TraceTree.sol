// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPinpointBook} from "../interfaces/IPinpointBook.sol";

/// @title The trees over traces, plans and tiles (protocol.md 3.2)
/// @notice node = keccak256(0x01 || left || right) over leaves that are padded with zero words to the tree's fixed depth.
/// The first byte of every leaf differs from a node's, so neither passes for the other:
///
///   tile leaf   keccak256(0x00 || u64 index || sha256(tile))
///   layer leaf  keccak256(0x10 || u64 layer || digest || root over its operators)
///   op leaf     keccak256(0x11 || u64 position in the layer || digest)
///   plan leaf   keccak256(0x13 || u64 operator || keccak256(descriptor))
///
/// What has no digest is padding: its leaf is the zero word.
library TraceTree {
    /// @notice Thrown when the sha256 precompile fails, out of gas included.
    error Sha256Failed();

    /// @dev Levels that one move of a search reveals.
    uint256 internal constant LEVELS = 5;

    uint256 internal constant TILE_BYTES = 1024;

    uint256 private constant SHA256 = 0x02;

    /* LEAVES */

    /// @notice The leaf of a layer.
    /// @dev No truncation: callers keep layers below 2^64.
    function hashLayer(uint256 layer, bytes32 digest, bytes32 opRoot) internal pure returns (bytes32 leaf) {
        if (digest == 0 && opRoot == 0) return 0;
        // Equivalent to keccak256(abi.encodePacked(uint8(0x10), uint64(layer), digest, opRoot))
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, or(shl(248, 0x10), shl(184, layer)))
            mstore(add(at, 9), digest)
            mstore(add(at, 41), opRoot)
            leaf := keccak256(at, 73)
        }
    }

    /// @notice The leaves of layers from `first` on.
    /// @param roots As many as digests, or none: then the leaves hold 0.
    function hashLayers(bytes32[] calldata digests, bytes32[] calldata roots, uint256 first)
        internal
        pure
        returns (bytes32[] memory leaves)
    {
        uint256 count = digests.length;
        leaves = new bytes32[](count);
        if (roots.length != 0 && roots.length != count) revert IPinpointBook.WrongLength(roots.length, count);
        // Equivalent to, for each i below count: leaves[i] = hashLayer(first + i, digests[i], roots[i] or 0)
        assembly ("memory-safe") {
            let at := mload(0x40)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let offset := shl(5, i)
                let digest := calldataload(add(digests.offset, offset))
                let root := 0
                if roots.length { root := calldataload(add(roots.offset, offset)) }
                if or(digest, root) {
                    mstore(at, or(shl(248, 0x10), shl(184, add(first, i))))
                    mstore(add(at, 9), digest)
                    mstore(add(at, 41), root)
                    mstore(add(add(leaves, 0x20), offset), keccak256(at, 73))
                }
            }
        }
    }

    /// @notice The leaf of an operator in its layer.
    /// @dev No truncation: a position is below 2^64.
    function hashOp(uint256 position, bytes32 digest) internal pure returns (bytes32 leaf) {
        if (digest == 0) return 0;
        // Equivalent to keccak256(abi.encodePacked(uint8(0x11), uint64(position), digest))
        assembly ("memory-safe") {
            mstore(0x00, or(shl(248, 0x11), shl(184, position)))
            mstore(0x09, digest)
            leaf := keccak256(0x00, 41)
        }
    }

    /// @notice The leaf of an operator in its plan.
    function hashPlan(uint32 op, bytes32 descHash) internal pure returns (bytes32) {
        bytes32 leaf;
        // Equivalent to leaf = keccak256(abi.encodePacked(uint8(0x13), uint64(op), descHash))
        assembly ("memory-safe") {
            mstore(0x00, or(shl(248, 0x13), shl(184, op)))
            mstore(0x09, descHash)
            leaf := keccak256(0x00, 41)
        }
        return leaf;
    }

    /// @notice The node over `count` operators of one layer, digests[from ..], the first of them at `position`.
    /// @dev `count` is a power of two.
    function hashOps(bytes32[] calldata digests, uint256 from, uint256 count, uint256 position)
        internal
        pure
        returns (bytes32)
    {
        if (from + count > digests.length) revert IPinpointBook.WrongLength(digests.length, from + count);
        uint256 words;
        // Equivalent to, for each i below count: words[i] = hashOp(position + i, digests[from + i])
        assembly ("memory-safe") {
            // Behind what is in use: nothing is left there when this function returns.
            words := add(mload(0x40), 0x20)
            let source := add(digests.offset, shl(5, from))
            let end := add(source, shl(5, count))
            let head := or(shl(248, 0x11), shl(184, position))
            // Two at a time. Where there is one alone, what comes behind it does not count.
            for { let target := words } lt(source, end) { target := add(target, 0x40) } {
                let leaf := calldataload(source)
                if leaf {
                    mstore(0x00, head)
                    mstore(0x09, leaf)
                    leaf := keccak256(0x00, 41)
                }
                mstore(target, leaf)
                head := add(head, shl(184, 1))
                leaf := calldataload(add(source, 0x20))
                if leaf {
                    mstore(0x00, head)
                    mstore(0x09, leaf)
                    leaf := keccak256(0x00, 41)
                }
                mstore(add(target, 0x20), leaf)
                head := add(head, shl(184, 1))
                source := add(source, 0x40)
            }
        }
        return fold(words, count);
    }

    /// @notice The leaf of a tile.
    /// @dev The caller has checked that the tile has TILE_BYTES.
    function hashTile(uint256 index, bytes calldata tile) internal view returns (bytes32) {
        bytes32 hash;
        bool success;
        // Equivalent to hash = sha256(tile)
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, tile.offset, TILE_BYTES)
            success := staticcall(gas(), SHA256, at, TILE_BYTES, at, 0x20)
            success := and(success, eq(returndatasize(), 0x20))
            hash := mload(at)
        }
        // INVARIANT: a precompile that fails never yields a digest.
        if (!success) revert Sha256Failed();
        return keccak256(abi.encodePacked(uint8(0x00), uint64(index), hash));
    }

    /// @notice The digest of a matrix whose tiles have this root.
    function hashMatrix(uint8 bytesPerElement, uint32 rows, uint32 cols, bytes32 root) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0x02), bytesPerElement, uint8(2), rows, cols, root));
    }

    /* PATHS */

    /// @notice Reverts unless a leaf, or node, at `index` of its level leads to the root in `depth` levels.
    /// @param siblings Of which [from, from + depth) are this path's, from the lowest level up.
    /// @return next from + depth.
    function check(bytes32 leaf, uint256 index, bytes32[] calldata siblings, uint256 from, uint256 depth, bytes32 root)
        internal
        pure
        returns (uint256 next)
    {
        // No overflow: `from` is at most the length, a depth below 256.
        next = from + depth;
        if (next > siblings.length) revert IPinpointBook.WrongLength(siblings.length, next);
        if (index >> depth != 0) revert IPinpointBook.OutOfRange(index, 1 << depth);
        bytes32 node = climb(leaf, index, siblings, from, depth);
        if (node != root) revert IPinpointBook.WrongOpening(node, root);
    }

    /// @notice The same for siblings that are this path's alone.
    function checkWhole(bytes32 leaf, uint256 index, bytes32[] calldata siblings, uint256 depth, bytes32 root)
        internal
        pure
    {
        uint256 next = check(leaf, index, siblings, 0, depth, root);
        if (next != siblings.length) revert IPinpointBook.WrongLength(siblings.length, next);
    }

    /// @dev The caller has checked the bounds.
    function climb(bytes32 leaf, uint256 index, bytes32[] calldata siblings, uint256 from, uint256 depth)
        private
        pure
        returns (bytes32 node)
    {
        node = leaf;
        // Equivalent to, for each sibling: node = index & 1 == 0 ? hash(node, sibling) : hash(sibling, node); index >>= 1
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore8(start, 1)
            let at := add(start, 1)
            let sibling := add(siblings.offset, shl(5, from))
            let end := add(sibling, shl(5, depth))
            // A word's bytes for each bit.
            for { index := shl(5, index) } lt(sibling, end) { sibling := add(sibling, 0x20) } {
                let right := and(index, 0x20)
                mstore(add(at, right), node)
                mstore(add(at, xor(right, 0x20)), calldataload(sibling))
                node := keccak256(start, 65)
                index := shr(1, index)
            }
        }
    }

    /// @notice The root over words whose number is a power of two.
    function computeRoot(bytes32[] calldata words) internal pure returns (bytes32) {
        return consume(words, 0, words.length);
    }

    /// @notice The root over `count` words from `from` on; `count` is a power of two.
    function consume(bytes32[] memory words, uint256 from, uint256 count) internal pure returns (bytes32 root) {
        if (count == 0 || from + count > words.length) revert IPinpointBook.WrongLength(words.length, from + count);
        uint256 first;
        uint256 kept;
        assembly ("memory-safe") {
            first := add(add(words, 0x20), shl(5, from))
            kept := mload(sub(first, 0x20))
        }
        root = fold(first, count);
        // The length of the words, or the word before them, is as it was.
        assembly ("memory-safe") {
            mstore(sub(first, 0x20), kept)
        }
    }

    /// @dev Uses up `count` words of memory at `first`, and the byte before them. `count` is a power of two.
    function fold(uint256 first, uint256 count) private pure returns (bytes32 root) {
        // Equivalent to, level by level: words[i] = hash(words[2 i], words[2 i + 1])
        assembly ("memory-safe") {
            // Two levels at a time: of four words one is made.
            for {} gt(count, 2) { count := shr(2, count) } {
                let end := add(first, shl(3, count))
                // The byte before the four: of a word that has been used, or of the one before the first.
                let source := sub(first, 1)
                for { let target := first } lt(target, end) { target := add(target, 0x20) } {
                    mstore8(source, 1)
                    let left := keccak256(source, 65)
                    let middle := add(source, 0x40)
                    mstore8(middle, 1)
                    mstore(add(source, 0x21), keccak256(middle, 65))
                    mstore(add(source, 1), left)
                    mstore(target, keccak256(source, 65))
                    source := add(middle, 0x40)
                }
            }
            root := mload(first)
            if eq(count, 2) {
                mstore8(sub(first, 1), 1)
                root := keccak256(sub(first, 1), 65)
            }
        }
    }
}
