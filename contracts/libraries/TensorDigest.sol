// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Digest of a tensor's bytes: a tree of sha256 tiles (protocol.md 3.2)
/// @notice leaf_i = keccak(0x00 || u64(i) || sha256(tile_i)) over tiles of 1024 bytes, the last one padded with zeros;
/// node = keccak(0x01 || left || right) over the leaves, padded with zero words to a power of two;
/// digest = keccak(0x02 || u8 bytesPerElement || u8 rank || u32 dim_0 .. || root).
library TensorDigest {
    using SafeCast for uint256;

    /// @notice Thrown when the sha256 precompile fails, out of gas included.
    error Sha256Failed();

    uint256 private constant TILE_BYTES = 1024;
    uint256 private constant SHA256 = 0x02;

    /// @notice The digest of a matrix: rank 2, dimensions rows and cols.
    /// @dev The caller has checked that data.length = rows * cols * bytesPerElement.
    function computeMatrix(bytes calldata data, uint8 bytesPerElement, uint32 rows, uint32 cols)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(uint8(0x02), bytesPerElement, uint8(2), rows, cols, computeRoot(data)));
    }

    /// @notice The digest of a tensor of any rank up to 255.
    /// @dev The caller has checked that data.length = product of dims * bytesPerElement.
    function compute(bytes calldata data, uint8 bytesPerElement, uint32[] calldata dims)
        internal
        view
        returns (bytes32)
    {
        bytes memory header = abi.encodePacked(uint8(0x02), bytesPerElement, dims.length.toUint8());
        for (uint256 i = 0; i < dims.length; ++i) {
            header = abi.encodePacked(header, dims[i]);
        }
        return keccak256(abi.encodePacked(header, computeRoot(data)));
    }

    /// @notice The root of the tree over the tiles of `data`; no bytes are one tile of zeros.
    function computeRoot(bytes calldata data) internal view returns (bytes32 root) {
        uint256 tiles = data.length <= TILE_BYTES ? 1 : (data.length + TILE_BYTES - 1) / TILE_BYTES;
        uint256 width = 1;
        while (width < tiles) width <<= 1;
        // Zero from the start, so the leaves behind the last tile are the padding.
        bytes32[] memory nodes = new bytes32[](width);
        for (uint256 i = 0; i < tiles; ++i) {
            nodes[i] = keccak256(abi.encodePacked(uint8(0x00), uint64(i), hashTile(data, i * TILE_BYTES)));
        }
        for (width >>= 1; width != 0; width >>= 1) {
            for (uint256 i = 0; i < width; ++i) {
                nodes[i] = keccak256(abi.encodePacked(uint8(0x01), nodes[2 * i], nodes[2 * i + 1]));
            }
        }
        return nodes[0];
    }

    /// @dev sha256 of the tile at `offset`, zeros behind the end of `data`.
    function hashTile(bytes calldata data, uint256 offset) private view returns (bytes32 result) {
        uint256 size = data.length - offset;
        if (size > TILE_BYTES) size = TILE_BYTES;
        bool success;
        // Equivalent to result = sha256(data[offset : offset + size] || zeros)
        assembly ("memory-safe") {
            let tile := mload(0x40)
            calldatacopy(tile, add(data.offset, offset), size)
            calldatacopy(add(tile, size), calldatasize(), sub(TILE_BYTES, size))
            success := staticcall(gas(), SHA256, tile, TILE_BYTES, tile, 0x20)
            success := and(success, eq(returndatasize(), 0x20))
            result := mload(tile)
        }
        // INVARIANT: a precompile that fails never yields a digest.
        if (!success) revert Sha256Failed();
    }
}
