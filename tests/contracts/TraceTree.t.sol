// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {DisputeHeads} from "../../contracts/libraries/DisputeHeads.sol";
import {Position, SearchMetas} from "../../contracts/libraries/SearchMetas.sol";
import {TraceTree} from "../../contracts/libraries/TraceTree.sol";
import {Head, Phase, SearchMeta, Tree} from "../../contracts/types/Pinpoint.sol";
import {Cheats} from "./Cheats.sol";
import {TreeBuilder} from "./TreeBuilder.sol";

/// @notice The cheatcodes that read the shared vectors.
interface TraceVm {
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function readFile(string calldata path) external view returns (string memory);
}

/// @notice Opens the libraries to tests.
contract TraceTreeHarness {
    using SearchMetas for SearchMeta;

    function check(bytes32 leaf, uint256 index, bytes32[] calldata siblings, uint256 from, uint256 depth, bytes32 root)
        external
        pure
        returns (uint256)
    {
        return TraceTree.check(leaf, index, siblings, from, depth, root);
    }

    function checkWhole(bytes32 leaf, uint256 index, bytes32[] calldata siblings, uint256 depth, bytes32 root)
        external
        pure
    {
        TraceTree.checkWhole(leaf, index, siblings, depth, root);
    }

    function computeRoot(bytes32[] calldata words) external pure returns (bytes32) {
        return TraceTree.computeRoot(words);
    }

    function consume(bytes32[] memory words, uint256 from, uint256 count) external pure returns (bytes32) {
        return TraceTree.consume(words, from, count);
    }

    function hashOps(bytes32[] calldata digests, uint256 from, uint256 count, uint256 position)
        external
        pure
        returns (bytes32)
    {
        return TraceTree.hashOps(digests, from, count, position);
    }

    function hashLayer(uint256 layer, bytes32 digest, bytes32 opRoot) external pure returns (bytes32) {
        return TraceTree.hashLayer(layer, digest, opRoot);
    }

    function hashOp(uint256 position, bytes32 digest) external pure returns (bytes32) {
        return TraceTree.hashOp(position, digest);
    }

    function hashPlan(uint32 op, bytes calldata desc) external pure returns (bytes32) {
        return TraceTree.hashPlan(op, keccak256(desc));
    }

    function hashTile(uint256 index, bytes calldata tile) external view returns (bytes32) {
        return TraceTree.hashTile(index, tile);
    }

    function hashMatrix(uint8 width, uint32 rows, uint32 cols, bytes32 root) external pure returns (bytes32) {
        return TraceTree.hashMatrix(width, rows, cols, root);
    }

    function pack(Position memory p) external pure returns (SearchMeta) {
        return SearchMetas.pack(p);
    }

    function unpack(SearchMeta meta) external pure returns (Position memory) {
        return SearchMetas.unpack(meta);
    }

    function read(SearchMeta meta) external pure returns (Position memory p) {
        (p.index, p.clock, p.height, p.tree) = (meta.getIndex(), meta.getClock(), meta.getHeight(), meta.getTree());
        (p.asserterExtensions, p.challengerExtensions) = (meta.getExtensions(true), meta.getExtensions(false));
        (p.bytesPerElement, p.rows, p.cols) = meta.getOutput();
        (p.opDepth, p.isOpGranular, p.layers) = (meta.getOpDepth(), meta.isOpGranular(), meta.getLayers());
    }

    function move(SearchMeta meta, Tree to, uint64 index, uint8 height) external pure returns (SearchMeta) {
        return meta.at(to, index, height);
    }

    function change(SearchMeta meta, uint40 clock, bool ofAsserter) external pure returns (SearchMeta) {
        return meta.withClock(clock).extend(ofAsserter);
    }

    function begin(Position calldata p) external pure returns (SearchMeta) {
        return SearchMetas.begin(p.clock, p.height, p.opDepth, p.isOpGranular, p.layers);
    }

    function packHead(uint256 place, Phase phase, uint40 deadline, bytes32 hash) external pure returns (uint256) {
        return DisputeHeads.pack(place, phase, deadline, hash);
    }

    function packEnd(Phase phase) external pure returns (uint256) {
        return DisputeHeads.packEnd(phase);
    }

    function unpackHead(uint256 word) external pure returns (Head memory) {
        return DisputeHeads.unpack(word);
    }
}

/// @notice The trees over traces, plans and tiles: as Python builds them (tests/vectors/trace.json), as they are built
/// here node by node, and what does not lead to their roots (I28).
contract TraceTreeTest is Cheats, TreeBuilder {
    TraceVm private constant vectors = TraceVm(address(vm));

    TraceTreeHarness private tree;
    string private json;

    function setUp() public {
        tree = new TraceTreeHarness();
        json = vectors.readFile("tests/vectors/trace.json");
    }

    function at(string memory key, uint256 index) private pure returns (string memory) {
        return string.concat(key, "[", vm.toString(index), "]");
    }

    function word(string memory key, string memory name) private view returns (bytes32) {
        return vectors.parseJsonBytes32(json, string.concat(key, name));
    }

    function number(string memory key, string memory name) private view returns (uint256) {
        return vectors.parseJsonUint(json, string.concat(key, name));
    }

    function has(string memory key) private view returns (bool) {
        return vectors.keyExistsJson(json, key);
    }

    /// @dev Leaves padded with zero words to 2^depth.
    function randomTree(uint256 seed, uint256 count, uint256 depth) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](1 << depth);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
    }

    /* VECTORS */

    function test_trees__as_python_builds_them() public view {
        uint256 total = 0;
        for (string memory key = at(".trees", 0); has(key); key = at(".trees", ++total)) {
            uint256 depth = number(key, ".depth");
            bytes32[] memory leaves = vectors.parseJsonBytes32Array(json, string.concat(key, ".leaves"));
            bytes32[] memory padded = new bytes32[](1 << depth);
            for (uint256 i = 0; i < leaves.length; ++i) {
                padded[i] = leaves[i];
            }
            assertEq(tree.computeRoot(padded), word(key, ".root"), "root");
            checkPaths(key, padded, depth);
        }
        assertLe(10, total, "vectors");
    }

    function checkPaths(string memory key, bytes32[] memory leaves, uint256 depth) private view {
        string memory paths = string.concat(key, ".paths");
        for (uint256 k = 0; has(at(paths, k)); ++k) {
            uint256 index = number(at(paths, k), ".index");
            bytes32[] memory path = vectors.parseJsonBytes32Array(json, string.concat(at(paths, k), ".path"));
            tree.checkWhole(leaves[index], index, path, depth, word(key, ".root"));
        }
    }

    function test_leaves__as_python_builds_them() public view {
        uint256 total = 0;
        for (uint256 k = 0; has(at(".opLeaves", k)); ++k) {
            string memory key = at(".opLeaves", k);
            bytes32 leaf = tree.hashOp(number(key, ".position"), word(key, ".digest"));
            assertEq(leaf, word(key, ".leaf"), "operator");
            ++total;
        }
        for (uint256 k = 0; has(at(".layerLeaves", k)); ++k) {
            string memory key = at(".layerLeaves", k);
            bytes32 leaf = tree.hashLayer(number(key, ".layer"), word(key, ".digest"), word(key, ".opRoot"));
            assertEq(leaf, word(key, ".leaf"), "layer");
            ++total;
        }
        for (uint256 k = 0; has(at(".planLeaves", k)); ++k) {
            string memory key = at(".planLeaves", k);
            bytes memory desc = vectors.parseJsonBytes(json, string.concat(key, ".desc"));
            assertEq(tree.hashPlan(uint32(number(key, ".op")), desc), word(key, ".leaf"), "plan");
            ++total;
        }
        assertLe(9, total, "vectors");
    }

    function test_tiles__as_python_hashes_them() public view {
        uint256 total = 0;
        for (uint256 k = 0; has(at(".tiles", k)); ++k) {
            string memory key = at(".tiles", k);
            bytes memory tile = vectors.parseJsonBytes(json, string.concat(key, ".tile"));
            assertEq(tree.hashTile(number(key, ".index"), tile), word(key, ".leaf"), "tile");
            ++total;
        }
        for (uint256 k = 0; has(at(".digests", k)); ++k) {
            string memory key = at(".digests", k);
            (uint256 rows, uint256 cols) = (number(key, ".rows"), number(key, ".cols"));
            bytes32 root = word(key, ".tileRoot");
            uint8 width = uint8(number(key, ".bytes"));
            assertEq(tree.hashMatrix(width, uint32(rows), uint32(cols), root), word(key, ".digest"), "digest");
            ++total;
        }
        assertLe(4, total, "vectors");
    }

    /* ANY TREE */

    function test_check__as_built_node_by_node(uint256 seed, uint8 size, uint8 place, uint8 before) public view {
        uint256 depth = seed % 8;
        uint256 count = 1 + uint256(size) % (1 << depth);
        bytes32[] memory leaves = randomTree(seed, count, depth);
        uint256 index = place % (1 << depth);
        // The path lies somewhere among others.
        uint256 from = before % 5;
        bytes32[] memory siblings = new bytes32[](from + depth + 2);
        bytes32[] memory path = buildPath(leaves, index);
        for (uint256 i = 0; i < depth; ++i) {
            siblings[from + i] = path[i];
        }
        bytes32 root = rootOf(leaves);
        assertEq(tree.computeRoot(leaves), root, "root");
        assertEq(tree.check(leaves[index], index, siblings, from, depth, root), from + depth, "next");
    }

    function test_check__another_place_side_leaf_or_depth__reverts(uint256 seed, uint8 place, uint8 other) public {
        uint256 depth = 1 + seed % 7;
        bytes32[] memory leaves = randomTree(seed, 1 << depth, depth);
        (uint256 index, uint256 wrong) = (place % (1 << depth), other % (1 << depth));
        bytes32[] memory path = buildPath(leaves, index);
        bytes32 root = rootOf(leaves);
        if (wrong == index) wrong ^= 1;
        checkRejected(leaves[index], wrong, path, depth, root);
        // The other side of one level only.
        checkRejected(leaves[index], index ^ (1 << (other % depth)), path, depth, root);
        checkRejected(leaves[wrong], index, path, depth, root);
        path[other % depth] ^= bytes32(uint256(1) << other);
        checkRejected(leaves[index], index, path, depth, root);
    }

    /// @dev A path that leads elsewhere: the error names where.
    function checkRejected(bytes32 leaf, uint256 index, bytes32[] memory path, uint256 depth, bytes32 root) private {
        bytes32 got = leaf;
        for (uint256 level = 0; level < depth; ++level) {
            bool isRight = index >> level & 1 == 1;
            (bytes32 left, bytes32 right) = isRight ? (path[level], got) : (got, path[level]);
            got = keccak256(abi.encodePacked(hex"01", left, right));
        }
        vm.expectRevert(abi.encodeWithSelector(IPinpointBook.WrongOpening.selector, got, root));
        tree.checkWhole(leaf, index, path, depth, root);
    }

    function test_check__index_beyond_the_depth__reverts(uint256 seed, uint8 place, uint8 beyond) public {
        uint256 depth = seed % 8;
        bytes32[] memory leaves = randomTree(seed, 1 << depth, depth);
        uint256 index = place % (1 << depth);
        bytes32[] memory path = buildPath(leaves, index);
        uint256 wrong = index | (1 << (depth + beyond % 8));
        vm.expectRevert(abi.encodeWithSelector(IPinpointBook.OutOfRange.selector, wrong, 1 << depth));
        tree.checkWhole(leaves[index], wrong, path, depth, rootOf(leaves));
    }

    function test_check__siblings_too_many_or_too_few__reverts(uint256 seed, uint8 place) public {
        uint256 depth = 1 + seed % 7;
        bytes32[] memory leaves = randomTree(seed, 1 << depth, depth);
        uint256 index = place % (1 << depth);
        bytes32[] memory path = buildPath(leaves, index);
        bytes32 root = rootOf(leaves);
        vm.expectRevert(abi.encodeWithSelector(IPinpointBook.WrongLength.selector, depth, depth + 1));
        tree.checkWhole(leaves[index], index, path, depth + 1, root);
        // One level up only: the rest of the path is left over, and what is reached is not that root.
        bytes32 inner = nodeAt(leaves, depth - 1, index >> (depth - 1));
        vm.expectRevert(abi.encodeWithSelector(IPinpointBook.WrongLength.selector, depth, depth - 1));
        tree.checkWhole(leaves[index], index % (1 << (depth - 1)), path, depth - 1, inner);
        vm.expectRevert(abi.encodeWithSelector(IPinpointBook.WrongLength.selector, depth, depth + 1));
        tree.check(leaves[index], index, path, 1, depth, root);
    }

    function test_hashOps__as_built_leaf_by_leaf(uint256 seed, uint8 first, uint64 position) public view {
        uint256 depth = seed % 6;
        uint256 count = 1 << depth;
        uint256 from = first % 4;
        bytes32[] memory digests = randomTree(seed, from + count, 6);
        // Not every digest is there.
        digests[from + seed % count] = 0;
        uint256 start = position % (type(uint64).max - 64);
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 digest = digests[from + i];
            if (digest != 0) leaves[i] = keccak256(abi.encodePacked(uint8(0x11), uint64(start + i), digest));
            assertEq(tree.hashOp(start + i, digest), leaves[i], "leaf");
        }
        assertEq(tree.hashOps(digests, from, count, start), rootOf(leaves), "root");
        assertEq(tree.consume(leaves, 0, count), rootOf(leaves), "consumed");
    }

    function test_hashOps__beyond_the_digests__reverts() public {
        bytes32[] memory digests = new bytes32[](8);
        vm.expectRevert(abi.encodeWithSelector(IPinpointBook.WrongLength.selector, 8, 9));
        tree.hashOps(digests, 1, 8, 0);
        vm.expectRevert(abi.encodeWithSelector(IPinpointBook.WrongLength.selector, 8, 10));
        tree.consume(digests, 2, 8);
        vm.expectRevert(abi.encodeWithSelector(IPinpointBook.WrongLength.selector, 8, 0));
        tree.consume(digests, 0, 0);
    }

    function test_leaves__without_digest__are_padding(uint64 index, bytes32 digest, bytes32 opRoot) public view {
        assertEq(tree.hashOp(index, 0), 0, "operator");
        assertEq(tree.hashLayer(index, 0, 0), 0, "layer");
        bytes32 layer = keccak256(abi.encodePacked(uint8(0x10), index, digest, opRoot));
        bool isPadding = digest == 0 && opRoot == 0;
        assertEq(tree.hashLayer(index, digest, opRoot), isPadding ? bytes32(0) : layer, "layer");
    }

    /// @dev Leaves of all kinds and nodes begin with different bytes or have different lengths.
    function test_leaves__of_different_kinds__never_equal(uint64 index, bytes32 a, bytes32 b) public view {
        vm.assume(a != 0);
        bytes32[] memory pair = new bytes32[](2);
        (pair[0], pair[1]) = (a, b);
        bytes32 node = tree.computeRoot(pair);
        assertTrue(tree.hashLayer(index, a, b) != node, "layer and node");
        assertTrue(tree.hashOp(index, a) != node, "operator and node");
        assertTrue(tree.hashOp(index, a) != tree.hashLayer(index, a, 0), "operator and layer");
    }

    function test_hashTile__with_too_little_gas__reverts() public {
        bytes memory call = abi.encodeCall(TraceTreeHarness.hashTile, (7, new bytes(1024)));
        (bool success, bytes memory got) = address(tree).call(call);
        assertTrue(success, "enough");
        assertEq(abi.decode(got, (bytes32)), tree.hashTile(7, new bytes(1024)), "hash");
        for (uint256 gas_ = 500; gas_ < 4000; gas_ += 100) {
            (success, got) = address(tree).call{gas: gas_}(call);
            // Whatever fails, no digest comes out.
            if (success) assertEq(abi.decode(got, (bytes32)), tree.hashTile(7, new bytes(1024)), "hash");
        }
    }

    /* POSITIONS */

    function test_unpack__gives_back_what_was_packed(uint256 word_) public view {
        // Only trees that there are.
        word_ = word_ & ~(uint256(0xff) << 112) | (word_ >> 112 & 0xff) % 5 << 112;
        // A granularity is 0 or 1.
        word_ = word_ & ~(uint256(0xff) << 216) | (word_ >> 216 & 1) << 216;
        SearchMeta meta = SearchMeta.wrap(word_);
        assertEq(SearchMeta.unwrap(tree.pack(tree.unpack(meta))), word_, "word");
    }

    function test_read__single_numbers_are_those_of_the_whole(uint256 word_) public view {
        Position memory p = tree.unpack(SearchMeta.wrap(toMeta(word_)));
        assertEq(keccak256(abi.encode(tree.read(SearchMeta.wrap(toMeta(word_))))), keccak256(abi.encode(p)), "read");
    }

    function test_change__nothing_else_changes(uint256 word_, uint64 index, uint40 clock, uint8 height, bool isAsserter)
        public
        view
    {
        SearchMeta meta = SearchMeta.wrap(toMeta(word_));
        Position memory p = tree.unpack(meta);
        p.asserterExtensions %= 255;
        p.challengerExtensions %= 255;
        meta = tree.pack(p);
        (p.tree, p.index, p.height) = (Tree.TILES, index, height);
        SearchMeta moved = tree.move(meta, Tree.TILES, index, height);
        assertEq(SearchMeta.unwrap(moved), SearchMeta.unwrap(tree.pack(p)), "moved");
        p.clock = clock;
        if (isAsserter) ++p.asserterExtensions;
        else ++p.challengerExtensions;
        moved = tree.change(moved, clock, isAsserter);
        assertEq(SearchMeta.unwrap(moved), SearchMeta.unwrap(tree.pack(p)), "clock and extension");
        Position memory first;
        (first.clock, first.height, first.opDepth) = (p.clock, p.height, p.opDepth);
        (first.isOpGranular, first.layers) = (p.isOpGranular, p.layers);
        assertEq(SearchMeta.unwrap(tree.begin(first)), SearchMeta.unwrap(tree.pack(first)), "begin");
    }

    /// @dev A word whose tree is one, and whose flag is 0 or 1.
    function toMeta(uint256 word_) private pure returns (uint256) {
        uint256 clean = word_ & ~(uint256(0xff) << 112 | uint256(0xff) << 216);
        return clean | (word_ >> 112 & 3) << 112 | (word_ >> 216 & 1) << 216;
    }

    function test_unpackHead__gives_back_what_was_packed(uint256 place, uint256 phase, uint40 deadline, bytes32 hash)
        public
        view
    {
        (place, phase) = (bound(place, 0, 15), bound(phase, 0, uint256(Phase.VOIDED)));
        Head memory head = tree.unpackHead(tree.packHead(place, Phase(phase), deadline, hash));
        assertEq(head.place, place, "place");
        assertEq(uint256(head.phase), phase, "phase");
        assertEq(head.deadline, deadline, "deadline");
        // No fewer than 192 bits: two positions of one hash take 2^96 tries to find.
        assertEq(head.hash, bytes32(bytes25(hash)), "hash");
        Head memory end = tree.unpackHead(tree.packEnd(Phase(phase)));
        assertEq(uint256(end.phase), phase, "last phase");
        assertEq(uint256(end.hash) + end.deadline + end.place, 0, "nothing else");
    }

    function test_unpackHead__reads_the_bits_of_the_table() public view {
        uint256 word_ = 15 | 4 << 8 | uint256(0xfedcba9876) << 16 | uint256(1) << 56 | uint256(1) << 255;
        Head memory head = tree.unpackHead(word_);
        assertEq(head.place, 15, "place");
        assertEq(uint256(head.phase), uint256(Phase.LEAF), "phase");
        assertEq(head.deadline, 0xfedcba9876, "deadline");
        assertEq(head.hash, bytes32(uint256(1) << 56 | uint256(1) << 255), "hash");
        assertEq(tree.packHead(15, Phase.LEAF, 0xfedcba9876, head.hash), word_, "word");
    }

    function test_unpack__reads_the_bits_of_the_table() public view {
        uint256 word_ = 11 | 12 << 64 | 13 << 104 | 3 << 112 | 14 << 120 | 15 << 128;
        word_ |= 16 << 136 | 17 << 168 | 18 << 200 | 19 << 208 | 1 << 216 | 20 << 224;
        Position memory p = tree.unpack(SearchMeta.wrap(word_));
        assertEq(p.index, 11, "position");
        assertEq(p.clock, 12, "clock");
        assertEq(p.height, 13, "height");
        assertTrue(p.tree == Tree.TILES, "tree");
        assertEq(p.asserterExtensions, 14, "asserter");
        assertEq(p.challengerExtensions, 15, "challenger");
        assertEq(p.cols, 16, "cols");
        assertEq(p.rows, 17, "rows");
        assertEq(p.bytesPerElement, 18, "bytes");
        assertEq(p.opDepth, 19, "depth");
        assertTrue(p.isOpGranular, "granularity");
        assertEq(p.layers, 20, "layers");
        p.isOpGranular = false;
        assertTrue(SearchMeta.unwrap(tree.pack(p)) == word_ & ~(uint256(1) << 216), "without");
    }
}
