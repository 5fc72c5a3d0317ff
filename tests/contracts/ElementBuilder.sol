// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim} from "../../contracts/types/Claim.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Cheats} from "./Cheats.sol";

/// @notice A tensor, its bytes and the tree over their tiles: node 1 is the root, 2 n and 2 n + 1 are below n.
struct Sample {
    uint256 width;
    uint256 rows;
    uint256 cols;
    int256[] values;
    bytes content;
    bytes32[] tree;
    uint256 tiles;
}

/// @notice An operator whose tensors are all known.
struct Case {
    uint8 opcode;
    Sample[] inputs;
    Sample[] weights;
    Sample output;
    bytes parameters;
    uint64 elem;
}

/// @notice Builds tensors, descriptors and evidence as their formats say, without the contracts' libraries.
abstract contract ElementBuilder is Cheats {
    uint256 internal constant TILE = 1024;

    uint256 private nonce;

    /* TENSORS */

    /// @notice A number below `limit`, another one each time.
    function draw(uint256 seed, uint256 limit) internal returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++nonce))) % limit;
    }

    /// @notice A tensor of random elements, a quarter of them the least or the greatest.
    function sample(uint256 seed, uint256 width, uint256 rows, uint256 cols) internal returns (Sample memory s) {
        int256[] memory values = new int256[](rows * cols);
        int256 half = int256(1) << (8 * width - 1);
        uint256 word;
        for (uint256 i = 0; i < values.length; ++i) {
            if (i % 6 == 0) word = draw(seed, type(uint256).max);
            uint256 kind = word & 7;
            if (kind == 0) values[i] = -half;
            else if (kind == 1) values[i] = half - 1;
            else values[i] = int256((word >> 3) % (1 << (8 * width))) - half;
            word >>= 40;
        }
        return tensor(width, rows, cols, values);
    }

    function tensor(uint256 width, uint256 rows, uint256 cols, int256[] memory values)
        internal
        pure
        returns (Sample memory s)
    {
        (s.width, s.rows, s.cols, s.values) = (width, rows, cols, values);
        s.content = encode(values, width);
        s.tiles = (s.content.length + TILE - 1) / TILE;
        s.tree = buildTree(s.content, s.tiles);
    }

    function encode(int256[] memory values, uint256 width) internal pure returns (bytes memory content) {
        uint256 size = values.length * width;
        // A word more: each element is written with the zeros behind it, which the next one covers.
        content = new bytes(size + 32);
        for (uint256 i = 0; i < values.length; ++i) {
            uint256 word = uint256(values[i]) << (256 - 8 * width);
            assembly ("memory-safe") {
                mstore(add(add(content, 0x20), mul(i, width)), word)
            }
        }
        assembly ("memory-safe") {
            mstore(content, size)
        }
    }

    function buildTree(bytes memory content, uint256 tiles) internal pure returns (bytes32[] memory tree) {
        uint256 width = 1;
        while (width < tiles) width *= 2;
        tree = new bytes32[](2 * width);
        for (uint256 i = 0; i < tiles; ++i) {
            tree[width + i] = keccak256(abi.encodePacked(uint8(0), uint64(i), sha256(tilesOf(content, i, 1))));
        }
        for (uint256 i = width - 1; i != 0; --i) {
            tree[i] = keccak256(abi.encodePacked(uint8(1), tree[2 * i], tree[2 * i + 1]));
        }
    }

    /// @notice The bytes of the tiles [first, first + count), zeros behind the tensor's end.
    function tilesOf(bytes memory content, uint256 first, uint256 count) internal pure returns (bytes memory part) {
        part = new bytes(count * TILE);
        uint256 size = content.length - first * TILE;
        if (size > part.length) size = part.length;
        assembly ("memory-safe") {
            mcopy(add(part, 0x20), add(add(content, 0x20), mul(first, TILE)), size)
        }
    }

    function digestOf(Sample memory s) internal pure returns (bytes32) {
        return
            keccak256(abi.encodePacked(uint8(2), uint8(s.width), uint8(2), uint32(s.rows), uint32(s.cols), s.tree[1]));
    }

    /* OPENINGS */

    /// @notice One range: u32 first | u16 count | tiles | siblings.
    function range(Sample memory s, uint256 first, uint256 count) internal pure returns (bytes memory) {
        return
            abi.encodePacked(uint32(first), uint16(count), tilesOf(s.content, first, count), siblings(s, first, count));
    }

    function siblings(Sample memory s, uint256 first, uint256 count) internal pure returns (bytes memory nodes) {
        uint256 low = s.tree.length / 2 + first;
        for (uint256 high = low + count - 1; low != 1; (low, high) = (low / 2, high / 2)) {
            if (low % 2 == 1) nodes = abi.encodePacked(nodes, s.tree[low - 1]);
            if (high % 2 == 0) nodes = abi.encodePacked(nodes, s.tree[high + 1]);
        }
    }

    /// @notice All tiles of a weight, or of another tensor, in one range.
    function openWeight(Sample memory s) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), range(s, 0, s.tiles));
    }

    function openMatrix(Sample memory s) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), s.tree[1], range(s, 0, s.tiles));
    }

    /// @notice Evidence that opens every tile of every tensor.
    function evidenceOf(Case memory c) internal pure returns (bytes memory evidence) {
        evidence = abi.encodePacked(c.elem);
        for (uint256 i = 0; i < c.inputs.length; ++i) {
            evidence = abi.encodePacked(evidence, openMatrix(c.inputs[i]));
        }
        for (uint256 i = 0; i < c.weights.length; ++i) {
            evidence = abi.encodePacked(evidence, openWeight(c.weights[i]));
        }
        return abi.encodePacked(evidence, openMatrix(c.output));
    }

    /* DESCRIPTORS */

    function descriptorOf(Case memory c) internal pure returns (bytes memory desc) {
        desc = abi.encodePacked(uint8(1), c.opcode, uint8(c.inputs.length), uint8(c.weights.length));
        desc = abi.encodePacked(desc, uint32(3), uint16(5), uint16(8), bytes32(0), bytes32(0));
        desc = abi.encodePacked(desc, matrixSpec(c.output));
        for (uint256 i = 0; i < c.inputs.length; ++i) {
            desc = abi.encodePacked(desc, i == 0 ? uint16(0xffff) : uint16(i), matrixSpec(c.inputs[i]));
        }
        for (uint256 i = 0; i < c.weights.length; ++i) {
            Sample memory w = c.weights[i];
            desc = abi.encodePacked(desc, uint8(w.width), uint64(w.values.length), w.tree[1]);
        }
        return abi.encodePacked(desc, c.parameters);
    }

    function matrixSpec(Sample memory s) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(s.width), uint32(s.rows), uint32(s.cols));
    }

    function claimOf(Case memory c) internal pure returns (Claim memory claim) {
        claim.version = keccak256("version");
        claim.jobId = JobId.wrap(keccak256("job"));
        claim.elem = c.elem;
        claim.outDigest = digestOf(c.output);
        claim.inDigests = new bytes32[](c.inputs.length);
        for (uint256 i = 0; i < c.inputs.length; ++i) {
            claim.inDigests[i] = digestOf(c.inputs[i]);
        }
        claim.desc = descriptorOf(c);
    }

    /// @notice One axis of a MAP.
    function axis(uint256 size, uint256 stride, uint256 div) internal pure returns (bytes memory) {
        return abi.encodePacked(uint32(size), uint32(stride), uint16(div));
    }

    /// @notice A requantisation by m / 2^s to the identity, clamped to the output's bytes.
    function plainRequant(uint32 m, uint8 s, uint256 width) internal pure returns (bytes memory) {
        int32 half = int32(int256(1) << (8 * width - 1));
        return abi.encodePacked(m, s, uint8(32), uint8(0), uint8(0xff), uint8(0xff), -half, half - 1);
    }

    /// @notice What `plainRequant` means, by division.
    function plainQuotient(int256 acc, uint256 m, uint256 s, uint256 width) internal pure returns (int256 y) {
        int256 unit = int256(1) << s;
        int256 raised = acc * int256(m) + unit / 2;
        y = raised / unit;
        if (raised < 0 && raised % unit != 0) y -= 1;
        int256 half = int256(1) << (8 * width - 1);
        if (y >= half) y = half - 1;
        if (y < -half) y = -half;
    }

    /// @notice An output of random elements, of which the case's has the value y.
    function setOutput(Case memory c, uint256 seed, uint256 width, uint256 rows, uint256 cols, int256 y) internal {
        int256[] memory values = sample(seed, width, rows, cols).values;
        values[c.elem] = y;
        c.output = tensor(width, rows, cols, values);
    }
}
