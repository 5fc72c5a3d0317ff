// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BatchTree} from "../../contracts/libraries/BatchTree.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {SessionSteps} from "./SessionSteps.sol";

/// @notice The cheatcodes that read the shared vectors.
interface VectorVm {
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function readFile(string calldata path) external view returns (string memory);
}

/// @notice Opens the library to tests.
contract BatchTreeHarness {
    function computeRoot(bytes32[] calldata leaves) external pure returns (bytes32) {
        bytes32[] memory padded = BatchTree.allocate(leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            padded[i] = leaves[i];
        }
        return BatchTree.consume(padded);
    }

    function climb(bytes32 leaf, uint256 index, bytes32[] calldata path) external pure returns (bytes32) {
        return BatchTree.climb(leaf, index, path);
    }

    function computeDepth(uint256 count) external pure returns (uint256) {
        return BatchTree.computeDepth(count);
    }

    function hashLeaf(JobId jobId, bytes32 outDigest) external pure returns (bytes32) {
        return BatchTree.hashLeaf(jobId, outDigest);
    }
}

/// @notice The tree over a batch: as Python builds it (tests/vectors/batches.json), as it is built here node by node, and
/// what does not lead to its root.
contract BatchTreeTest is SessionSteps {
    VectorVm private constant vectors = VectorVm(address(vm));

    BatchTreeHarness private tree;

    function setUp() public override {
        tree = new BatchTreeHarness();
    }

    function at(string memory key, uint256 index) private pure returns (string memory) {
        return string.concat(key, "[", vm.toString(index), "]");
    }

    function randomLeaves(uint256 seed, uint256 count) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
    }

    function test_computeDepth__log2_rounded_up() public view {
        uint256 depth = 0;
        for (uint256 count = 1; count <= 256; ++count) {
            if (count > 1 << depth) ++depth;
            assertEq(tree.computeDepth(count), depth, "depth");
        }
        assertEq(depth, 8, "of a full batch");
    }

    function test_tree__as_python_builds_it() public view {
        string memory json = vectors.readFile("tests/vectors/batches.json");
        uint256 total = 0;
        while (vectors.keyExistsJson(json, at(".batches", total))) {
            checkVector(json, at(".batches", total));
            ++total;
        }
        assertEq(total, 12, "vectors");
    }

    function checkVector(string memory json, string memory key) private view {
        bytes32[] memory ids = vectors.parseJsonBytes32Array(json, string.concat(key, ".jobs"));
        bytes32[] memory outputs = vectors.parseJsonBytes32Array(json, string.concat(key, ".outputs"));
        bytes32 root = vectors.parseJsonBytes32(json, string.concat(key, ".root"));
        bytes32[] memory leaves = new bytes32[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            leaves[i] = tree.hashLeaf(JobId.wrap(ids[i]), outputs[i]);
        }
        assertEq(tree.computeRoot(leaves), root, "root");
        string memory paths = string.concat(key, ".paths");
        for (uint256 k = 0; vectors.keyExistsJson(json, at(paths, k)); ++k) {
            uint256 index = vectors.parseJsonUint(json, string.concat(at(paths, k), ".index"));
            bytes32[] memory path = vectors.parseJsonBytes32Array(json, string.concat(at(paths, k), ".path"));
            assertEq(tree.climb(leaves[index], index, path), root, "path");
        }
    }

    function test_tree__as_built_node_by_node(uint256 seed, uint8 size, uint8 place) public view {
        bytes32[] memory leaves = randomLeaves(seed, 1 + uint256(size) % 64);
        uint256 index = place % leaves.length;
        bytes32 root = rootOf(leaves);
        assertEq(tree.computeRoot(leaves), root, "root");
        assertEq(tree.climb(leaves[index], index, buildPath(leaves, index)), root, "path");
    }

    function test_climb__another_place__another_root(uint256 seed, uint8 size, uint8 place, uint8 other) public view {
        bytes32[] memory leaves = randomLeaves(seed, 2 + uint256(size) % 63);
        uint256 index = place % leaves.length;
        bytes32[] memory path = buildPath(leaves, index);
        // Only the bits below the depth say left or right; the market checks the others against the count.
        uint256 wrong = other % (1 << path.length);
        if (wrong == index) wrong ^= 1;
        assertTrue(tree.climb(leaves[index], wrong, path) != rootOf(leaves), "place");
    }

    function test_climb__neighbours_swapped_or_changed__another_root(uint256 seed, uint8 size, uint8 level)
        public
        view
    {
        bytes32[] memory leaves = randomLeaves(seed, 3 + uint256(size) % 62);
        bytes32[] memory path = buildPath(leaves, 0);
        bytes32 root = rootOf(leaves);
        uint256 low = level % (path.length - 1);
        (path[low], path[low + 1]) = (path[low + 1], path[low]);
        assertTrue(tree.climb(leaves[0], 0, path) != root, "swapped");
        (path[low], path[low + 1]) = (path[low + 1], path[low]);
        path[low] = keccak256(abi.encode(path[low]));
        assertTrue(tree.climb(leaves[0], 0, path) != root, "changed");
    }

    function test_climb__shorter_path__a_node_and_not_the_root(uint256 seed, uint8 size) public view {
        bytes32[] memory leaves = randomLeaves(seed, 3 + uint256(size) % 62);
        bytes32[] memory path = buildPath(leaves, 0);
        bytes32[] memory shorter = new bytes32[](path.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = path[i];
        }
        assertTrue(tree.climb(leaves[0], 0, shorter) != rootOf(leaves), "shorter");
    }

    /// @dev A node shown as the leaf of a job: leaf and node begin with different bytes, so the two children would have
    /// to be a job and a digest of another hash.
    function test_hashLeaf__two_children__not_their_node(bytes32 left, bytes32 right) public view {
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (left, right);
        assertTrue(tree.hashLeaf(JobId.wrap(left), right) != tree.computeRoot(leaves), "second preimage");
    }

    function test_tree__of_one__is_the_leaf(bytes32 leaf) public view {
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = leaf;
        assertEq(tree.computeRoot(leaves), leaf, "root");
    }

    function test_tree__padding_counts(uint256 seed) public view {
        bytes32[] memory leaves = randomLeaves(seed, 3);
        bytes32[] memory padded = new bytes32[](4);
        (padded[0], padded[1], padded[2]) = (leaves[0], leaves[1], leaves[2]);
        // Of equal roots the counts tell which place holds a result: the batch knows its own.
        assertEq(tree.computeRoot(leaves), tree.computeRoot(padded), "zero words");
        padded[3] = leaves[2];
        assertTrue(tree.computeRoot(leaves) != tree.computeRoot(padded), "not the last leaf again");
    }
}
