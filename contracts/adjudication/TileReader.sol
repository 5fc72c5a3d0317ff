// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {TensorDigest} from "../libraries/TensorDigest.sol";
import {Cursor, CursorLib} from "./Cursor.sol";

/// @notice A tensor of a disputed operator and the parts of it that evidence has opened.
struct Tensor {
    uint256 id; //         place in the evidence: inputs, weights, the output
    uint256 width; //      bytes of an element: 1, 2 or 4
    uint256 rows; //       as a matrix; 0 for a weight
    uint256 cols; //       likewise
    uint256 count; //      number of elements
    uint256 ref; //        of an input: position in the layer of the operator that made it
    bytes32 root; //       of a weight: root over its tiles
    uint256[] ranges; //   opened: u64 first element | u64 element behind the last | u128 calldata offset
    uint256 from; //       the range last read, unpacked
    uint256 until;
    uint256 source;
}

/// @title Elements of committed tensors, opened by ranges of tiles (TensorDigest)
/// @notice Evidence holds of each tensor, in the order inputs, weights, output:
///     u8 ranges | [bytes32 tileRoot, if ranges > 0 and it is no weight] | ranges x range
///     range = u32 firstTile | u16 tiles | tiles x 1024 bytes | siblings x 32 bytes
/// Ranges ascend and do not touch. The tree over the tiles has the depth ceil(log2(tiles of the tensor)). Siblings come
/// level by level from the leaves on: the left neighbour of the first node if its index is odd, then the right neighbour
/// of the last node if its index is even.
library TileReader {
    using CursorLib for Cursor;
    using SafeCast for uint256;

    /// @notice Thrown when an element is needed that lies in no opened range.
    error NotOpened(uint256 tensor, uint256 index);

    /// @notice Thrown when opened tiles do not lead to the tensor's root.
    error WrongTiles(uint256 tensor, uint256 firstTile);

    /// @notice Thrown when what lies behind a tensor's last element, in its last tile or as a leaf of the tree, is not zero:
    /// the digest is that of no tensor.
    error NotPadded(uint256 tensor);

    /// @notice Thrown when a tile root is not that of the claim's digest.
    error WrongDigest(uint256 tensor, bytes32 digest);

    uint256 private constant TILE_BYTES = 1024;
    uint256 private constant NODE_BYTES = 32;
    uint256 private constant SHA256 = 0x02;

    /* OPENING */

    /// @notice Reads the openings of an input or the output, whose digest the claim names.
    function openMatrix(Tensor memory tensor, Cursor memory evidence, bytes32 digest) internal view {
        uint256 ranges = evidence.take(1);
        if (ranges == 0) return;
        tensor.root = bytes32(evidence.take(32));
        bytes32 computed = keccak256(
            abi.encodePacked(
                uint8(0x02),
                tensor.width.toUint8(),
                uint8(2),
                tensor.rows.toUint32(),
                tensor.cols.toUint32(),
                tensor.root
            )
        );
        // INVARIANT: what is opened is the tensor of the claim.
        if (computed != digest) revert WrongDigest(tensor.id, digest);
        openRanges(tensor, evidence, ranges);
    }

    /// @notice Reads the openings of a weight, whose tile root the descriptor names.
    function openWeight(Tensor memory tensor, Cursor memory evidence) internal view {
        openRanges(tensor, evidence, evidence.take(1));
    }

    function openRanges(Tensor memory tensor, Cursor memory evidence, uint256 ranges) private view {
        uint256 elementsPerTile = TILE_BYTES / tensor.width;
        uint256 tiles = (tensor.count + elementsPerTile - 1) / elementsPerTile;
        uint256 depth = Math.log2(tiles, Math.Rounding.Ceil);
        tensor.ranges = new uint256[](ranges);
        uint256 free; // the first tile that may be opened next
        for (uint256 i = 0; i < ranges; ++i) {
            uint256 first = evidence.take(4);
            uint256 last = first + evidence.take(2);
            // INVARIANT: ranges are not empty, ascend with a gap between them and end within the tensor.
            if (first < free || last == first || last > tiles) evidence.revertMalformed();
            uint256 source = openRange(tensor, evidence, first, last - first, tiles, depth);
            uint256 until = Math.min(last * elementsPerTile, tensor.count);
            if (last == tiles) {
                checkTail(
                    tensor,
                    source + (until - first * elementsPerTile) * tensor.width,
                    source + (last - first) * TILE_BYTES
                );
            }
            tensor.ranges[i] = (first * elementsPerTile) << 192 | until << 128 | source;
            free = last + 1;
        }
    }

    /// @dev Returns the calldata offset of the tiles.
    function openRange(
        Tensor memory tensor,
        Cursor memory evidence,
        uint256 first,
        uint256 count,
        uint256 tiles,
        uint256 depth
    ) private view returns (uint256 source) {
        source = evidence.skip(count * TILE_BYTES);
        uint256 siblings = evidence.skip(countSiblings(first, count, depth) * NODE_BYTES);
        // INVARIANT: the tiles are the committed ones.
        if (computeRoot(source, first, count, siblings, depth) != tensor.root) revert WrongTiles(tensor.id, first);
        if (tiles & (tiles - 1) != 0 && !isPadded(first, first + count - 1, siblings, tiles - 1, depth)) {
            revert NotPadded(tensor.id);
        }
    }

    /// @dev Whether every sibling of the tiles [first, last] that covers no tile of the tensor, whose last one is `end`, is
    /// the node over zero words. Else a digest could differ from the true one although every element agrees.
    function isPadded(uint256 first, uint256 last, uint256 siblings, uint256 end, uint256 depth)
        private
        pure
        returns (bool)
    {
        bytes32 padding = 0;
        for (; depth != 0; --depth) {
            if (first & 1 == 1) siblings += NODE_BYTES;
            if (last & 1 == 0) {
                // The right neighbour of the last node over tiles.
                if (last == end && loadWord(siblings) != padding) return false;
                siblings += NODE_BYTES;
            }
            padding = keccak256(abi.encodePacked(uint8(0x01), padding, padding));
            (first, last, end) = (first >> 1, last >> 1, end >> 1);
        }
        return true;
    }

    /// @dev Requires the calldata [at, end) behind a tensor's last element to be zero.
    function checkTail(Tensor memory tensor, uint256 at, uint256 end) private pure {
        for (; at < end; at += NODE_BYTES) {
            bytes32 word = loadWord(at);
            if (end - at < NODE_BYTES) word >>= 8 * (NODE_BYTES - (end - at));
            if (word != 0) revert NotPadded(tensor.id);
        }
    }

    function loadWord(uint256 at) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(at)
        }
    }

    /// @dev Number of nodes that a proof of the tiles [first, first + tiles) takes.
    function countSiblings(uint256 first, uint256 tiles, uint256 depth) private pure returns (uint256 count) {
        // SAFETY: numbers of tiles, of at most 32 bits.
        unchecked {
            uint256 last = first + tiles - 1;
            for (; depth != 0; --depth) {
                count += (first & 1) + (~last & 1);
                first >>= 1;
                last >>= 1;
            }
        }
    }

    /// @dev The root of the tree of 2^depth leaves over consecutive tiles and the siblings of their nodes.
    /// Scratch: 41 bytes of a leaf or 65 of a node; at 0x80 a tile; behind it the nodes of a level.
    function computeRoot(uint256 source, uint256 first, uint256 count, uint256 siblings, uint256 depth)
        private
        view
        returns (bytes32 root)
    {
        bool success = true;
        // Equivalent to nodes[i] = keccak(0x00 || u64(first + i) || sha256(tile_i)), and then level by level
        // node = keccak(0x01 || left || right), the nodes at the edges with their siblings
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            let nodes := add(scratch, add(0x80, TILE_BYTES))
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let tile := add(scratch, 0x80)
                calldatacopy(tile, source, TILE_BYTES)
                source := add(source, TILE_BYTES)
                mstore(scratch, shl(184, add(first, i)))
                success := and(success, staticcall(gas(), SHA256, tile, TILE_BYTES, add(scratch, 9), 0x20))
                success := and(success, eq(returndatasize(), 0x20))
                mstore(add(nodes, shl(5, i)), keccak256(scratch, 41))
            }
            mstore8(scratch, 0x01)
            for {} depth { depth := sub(depth, 1) } {
                let from := nodes
                let end := add(nodes, shl(5, count))
                let target := nodes
                if and(first, 1) {
                    mstore(add(scratch, 0x01), calldataload(siblings))
                    mstore(add(scratch, 0x21), mload(from))
                    mstore(target, keccak256(scratch, 0x41))
                    siblings := add(siblings, 0x20)
                    from := add(from, 0x20)
                    target := add(target, 0x20)
                }
                for {} lt(add(from, 0x20), end) { from := add(from, 0x40) } {
                    mcopy(add(scratch, 0x01), from, 0x40)
                    mstore(target, keccak256(scratch, 0x41))
                    target := add(target, 0x20)
                }
                if lt(from, end) {
                    mstore(add(scratch, 0x01), mload(from))
                    mstore(add(scratch, 0x21), calldataload(siblings))
                    mstore(target, keccak256(scratch, 0x41))
                    siblings := add(siblings, 0x20)
                    target := add(target, 0x20)
                }
                count := shr(5, sub(target, nodes))
                first := shr(1, first)
            }
            root := mload(nodes)
        }
        // INVARIANT: a precompile that fails never yields a root.
        if (!success) revert TensorDigest.Sha256Failed();
    }

    /* READING */

    /// @notice The element at a flat index, sign-extended.
    function read(Tensor memory tensor, uint256 index) internal pure returns (int256 value) {
        if (index < tensor.from || index >= tensor.until) select(tensor, index);
        uint256 width = tensor.width;
        uint256 at = tensor.source + (index - tensor.from) * width;
        // Equivalent to value = int(data[at : at + width])
        assembly ("memory-safe") {
            value := sar(sub(256, shl(3, width)), calldataload(at))
        }
    }

    /// @notice Calldata offset of the elements [index, index + size), all of which must be opened; size is not 0.
    function locate(Tensor memory tensor, uint256 index, uint256 size) internal pure returns (uint256) {
        if (index < tensor.from || index >= tensor.until) select(tensor, index);
        // Ranges do not touch: what lies behind this one is in no other.
        if (size > tensor.until - index) revert NotOpened(tensor.id, tensor.until);
        return tensor.source + (index - tensor.from) * tensor.width;
    }

    /// @dev Turns to the range that holds the element. The last one that begins at or before it is looked for in
    /// ceil(log2(ranges + 1)) steps.
    function select(Tensor memory tensor, uint256 index) private pure {
        uint256[] memory ranges = tensor.ranges;
        (uint256 low, uint256 high) = (0, ranges.length);
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (ranges[middle] >> 192 > index) high = middle;
            else low = middle + 1;
        }
        if (low == 0) revert NotOpened(tensor.id, index);
        uint256 range = ranges[low - 1];
        uint256 until = uint64(range >> 128);
        // INVARIANT: no element outside the opened tiles, nor behind the tensor's last one, is ever read.
        if (index >= until) revert NotOpened(tensor.id, index);
        tensor.from = range >> 192;
        tensor.until = until;
        tensor.source = uint128(range);
    }
}
