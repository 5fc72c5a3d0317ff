// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Cursor, CursorLib} from "../../contracts/adjudication/Cursor.sol";
import {Tensor, TileReader} from "../../contracts/adjudication/TileReader.sol";
import {TensorDigest} from "../../contracts/libraries/TensorDigest.sol";
import {ElementBuilder, Sample} from "./ElementBuilder.sol";

interface MockVm {
    function mockCall(address callee, bytes calldata data, bytes calldata returnData) external;
    function mockCallRevert(address callee, bytes calldata data, bytes calldata revertData) external;
}

/// @notice Opens TileReader to tests.
contract TilesHarness {
    using TileReader for Tensor;
    using CursorLib for Cursor;

    /// @notice Opens a weight and reads elements of it.
    function readWeight(uint256 width, uint256 count, bytes32 root, bytes calldata evidence, uint256[] calldata indices)
        external
        view
        returns (int256[] memory values)
    {
        Tensor memory t;
        (t.id, t.width, t.count, t.root) = (7, width, count, root);
        Cursor memory c = CursorLib.over(evidence, true);
        t.openWeight(c);
        c.finish();
        values = new int256[](indices.length);
        for (uint256 i = 0; i < indices.length; ++i) {
            values[i] = t.read(indices[i]);
        }
    }

    /// @notice Opens an input and finds a run of elements: their number of bytes into the evidence.
    function locate(Sample calldata s, bytes32 digest, bytes calldata evidence, uint256 index, uint256 size)
        external
        view
        returns (uint256)
    {
        Tensor memory t;
        (t.id, t.width, t.rows, t.cols, t.count) = (7, s.width, s.rows, s.cols, s.rows * s.cols);
        Cursor memory c = CursorLib.over(evidence, true);
        t.openMatrix(c, digest);
        c.finish();
        return t.locate(index, size) - c.start;
    }
}

/// @notice Ranges of tiles of committed tensors: every element that is opened, and none else.
contract AdjudicationTilesTest is ElementBuilder {
    MockVm private constant mocks = MockVm(address(vm));

    TilesHarness private harness;
    uint256[] private indices;

    function setUp() public {
        harness = new TilesHarness();
    }

    function readAll(Sample memory s, bytes memory evidence) private view returns (int256[] memory) {
        return harness.readWeight(s.width, s.values.length, s.tree[1], evidence, indices);
    }

    function readOne(Sample memory s, bytes memory evidence, uint256 index) private returns (int256) {
        indices = [index];
        return readAll(s, evidence)[0];
    }

    /* RANGES */

    /// forge-config: default.fuzz.runs = 64
    /// forge-config: full.fuzz.runs = 1000
    function testFuzz_read_randomRanges_opensThemAndNoOthers(uint256 seed) public {
        uint256 width = 1 << draw(seed, 3);
        Sample memory s = sample(seed, width, 1, 1 + draw(seed, 5000 / width));
        bytes memory ranges;
        uint256 count;
        bool[] memory isOpen = new bool[](s.values.length);
        for (uint256 first = draw(seed, 2); first < s.tiles;) {
            uint256 tiles = 1 + draw(seed, s.tiles - first);
            if (tiles > 2 && draw(seed, 2) == 0) tiles = 1;
            ranges = abi.encodePacked(ranges, range(s, first, tiles));
            ++count;
            uint256 until = (first + tiles) * TILE / width;
            for (uint256 i = first * TILE / width; i < until && i < isOpen.length; ++i) {
                isOpen[i] = true;
            }
            first += tiles + 1 + draw(seed, 2);
        }
        bytes memory evidence = abi.encodePacked(uint8(count), ranges);
        for (uint256 k = 0; k < 24; ++k) {
            uint256 index = draw(seed, s.values.length);
            if (isOpen[index]) {
                assertEq(uint256(readOne(s, evidence, index)), uint256(s.values[index]), "element");
            } else {
                requireNotOpened(s, evidence, index);
            }
        }
        // What lies behind the tensor in its last tile is no element.
        requireNotOpened(s, evidence, s.values.length);
    }

    function requireNotOpened(Sample memory s, bytes memory evidence, uint256 index) private {
        indices = [index];
        vm.expectRevert(abi.encodeWithSelector(TileReader.NotOpened.selector, 7, index));
        readAll(s, evidence);
    }

    function test_read_backAndForth_turnsToTheRightRange() public {
        Sample memory s = sample(1, 1, 1, 9 * TILE);
        bytes memory evidence = abi.encodePacked(uint8(3), range(s, 0, 2), range(s, 4, 1), range(s, 7, 2));
        indices = [8 * TILE, 0, 4 * TILE + 5, 2 * TILE - 1, 9 * TILE - 1, 4 * TILE, 7 * TILE, 5 * TILE - 1];
        int256[] memory values = readAll(s, evidence);
        for (uint256 i = 0; i < values.length; ++i) {
            assertEq(uint256(values[i]), uint256(s.values[indices[i]]), "element");
        }
    }

    function test_openWeight_rangesOutOfOrder_reverts() public {
        Sample memory s = sample(2, 1, 1, 6 * TILE);
        bytes4 malformed = CursorLib.MalformedEvidence.selector;
        requireRefused(s, abi.encodePacked(uint8(2), range(s, 3, 1), range(s, 0, 1)), malformed);
        requireRefused(s, abi.encodePacked(uint8(2), range(s, 3, 1), range(s, 3, 1)), malformed);
        requireRefused(s, abi.encodePacked(uint8(2), range(s, 1, 2), range(s, 2, 1)), malformed);
        // Ranges that touch are one range.
        requireRefused(s, abi.encodePacked(uint8(2), range(s, 1, 1), range(s, 2, 1)), malformed);
    }

    function test_openWeight_emptyOrOutsideRange_reverts() public {
        Sample memory s = sample(3, 1, 1, 6 * TILE);
        bytes4 malformed = CursorLib.MalformedEvidence.selector;
        requireRefused(s, abi.encodePacked(uint8(1), uint32(1), uint16(0), new bytes(4 * 32)), malformed);
        requireRefused(s, abi.encodePacked(uint8(1), uint32(6), uint16(1), new bytes(TILE + 96)), malformed);
        requireRefused(s, abi.encodePacked(uint8(1), uint32(5), uint16(2), new bytes(2 * TILE + 96)), malformed);
        requireRefused(s, abi.encodePacked(uint8(1), type(uint32).max, type(uint16).max, new bytes(TILE)), malformed);
    }

    function test_openWeight_anyByteChanged_reverts() public {
        Sample memory s = sample(4, 2, 1, 1500);
        bytes memory evidence = abi.encodePacked(uint8(1), range(s, 1, 1));
        for (uint256 i = 0; i < evidence.length; ++i) {
            bytes memory changed = bytes.concat(evidence);
            changed[i] ^= bytes1(uint8(1 << (i % 8)));
            requireRefused(s, changed, i > 6 ? TileReader.WrongTiles.selector : bytes4(0));
        }
    }

    function test_openWeight_anyLengthChanged_reverts() public {
        Sample memory s = sample(5, 1, 1, 3 * TILE);
        bytes memory evidence = abi.encodePacked(uint8(1), range(s, 1, 1));
        bytes memory part = abi.encodePacked(evidence, hex"00");
        requireRefused(s, part, CursorLib.MalformedEvidence.selector);
        for (uint256 size = 0; size < evidence.length; ++size) {
            assembly ("memory-safe") {
                mstore(part, size)
            }
            requireRefused(s, part, CursorLib.MalformedEvidence.selector);
        }
    }

    function test_openWeight_otherTensorsTiles_reverts() public {
        Sample memory s = sample(6, 1, 1, 4 * TILE);
        Sample memory other = sample(7, 1, 1, 4 * TILE);
        requireRefused(s, openWeight(other), TileReader.WrongTiles.selector);
        // The right tile under another number.
        bytes memory moved =
            abi.encodePacked(uint8(1), uint32(2), uint16(1), tilesOf(s.content, 1, 1), siblings(s, 2, 1));
        requireRefused(s, moved, TileReader.WrongTiles.selector);
    }

    /* PADDING */

    /// @dev A digest over a last tile with a byte behind the tensor's end: that tile is opened to nobody.
    function test_openWeight_junkBehindTheEnd_reverts() public {
        Sample memory s = sample(12, 2, 1, 750);
        requireOpened(s, openWeight(s));
        for (uint256 zeros = 0; zeros < 548; zeros += 137) {
            s.content = abi.encodePacked(encode(s.values, 2), new bytes(zeros), hex"01");
            s.tree = buildTree(s.content, s.tiles);
            requireRefused(s, openWeight(s), TileReader.NotPadded.selector);
            requireRefused(s, abi.encodePacked(uint8(1), range(s, 1, 1)), TileReader.NotPadded.selector);
            // Another tile says nothing about it: whoever doubts the digest asks for the last one.
            indices = [0];
            readAll(s, abi.encodePacked(uint8(1), range(s, 0, 1)));
        }
    }

    /// @dev Likewise for any leaf behind the last tile.
    function test_openWeight_junkLeaf_reverts() public {
        Sample memory s = sample(13, 1, 1, 5 * TILE);
        requireOpened(s, openWeight(s));
        requireOpened(s, abi.encodePacked(uint8(1), range(s, 4, 1)));
        for (uint256 place = 5; place < 8; ++place) {
            s.tree = buildTree(s.content, s.tiles);
            s.tree[8 + place] = bytes32(uint256(1));
            for (uint256 i = 7; i != 0; --i) {
                s.tree[i] = keccak256(abi.encodePacked(uint8(1), s.tree[2 * i], s.tree[2 * i + 1]));
            }
            requireRefused(s, openWeight(s), TileReader.NotPadded.selector);
            requireRefused(s, abi.encodePacked(uint8(1), range(s, 4, 1)), TileReader.NotPadded.selector);
            requireRefused(s, abi.encodePacked(uint8(1), range(s, 2, 3)), TileReader.NotPadded.selector);
            indices = [TILE];
            readAll(s, abi.encodePacked(uint8(1), range(s, 1, 3)));
        }
    }

    function requireOpened(Sample memory s, bytes memory evidence) private {
        indices = [s.values.length - 1];
        assertEq(uint256(readAll(s, evidence)[0]), uint256(s.values[indices[0]]), "last element");
    }

    function requireRefused(Sample memory s, bytes memory evidence, bytes4 expected) private {
        indices = [s.values.length - 1];
        try harness.readWeight(s.width, s.values.length, s.tree[1], evidence, indices) {
            revert("accepted");
        } catch (bytes memory reason) {
            assertTrue(reason.length >= 4 && bytes4(reason) != 0x4e487b71, "typed");
            if (expected != 0) assertEq(bytes32(bytes4(reason)), bytes32(expected), "other error");
        }
    }

    /* MATRICES AND RUNS */

    function test_openMatrix_otherShapeOrDigest_reverts() public {
        Sample memory s = sample(8, 1, 4, 300);
        (bytes memory evidence, bytes32 digest) = (openMatrix(s), digestOf(s));
        uint256 at = harness.locate(s, digest, evidence, 7, 1193);
        assertEq(at, 1 + 32 + 6 + 7, "offset");
        vm.expectRevert(abi.encodeWithSelector(TileReader.WrongDigest.selector, 7, bytes32(uint256(digest) + 1)));
        harness.locate(s, bytes32(uint256(digest) + 1), evidence, 0, 1);
        (s.rows, s.cols) = (300, 4);
        vm.expectRevert(abi.encodeWithSelector(TileReader.WrongDigest.selector, 7, digest));
        harness.locate(s, digest, evidence, 0, 1);
    }

    function test_locate_runBehindItsRange_reverts() public {
        Sample memory s = sample(9, 1, 4, 1000);
        bytes memory evidence = abi.encodePacked(uint8(2), s.tree[1], range(s, 0, 2), range(s, 3, 1));
        bytes32 digest = digestOf(s);
        harness.locate(s, digest, evidence, 0, 2 * TILE);
        harness.locate(s, digest, evidence, 3 * TILE, 4000 - 3 * TILE);
        vm.expectRevert(abi.encodeWithSelector(TileReader.NotOpened.selector, 7, 2 * TILE));
        harness.locate(s, digest, evidence, 1, 2 * TILE);
        vm.expectRevert(abi.encodeWithSelector(TileReader.NotOpened.selector, 7, 4000));
        harness.locate(s, digest, evidence, 3 * TILE, 4001 - 3 * TILE);
        vm.expectRevert(abi.encodeWithSelector(TileReader.NotOpened.selector, 7, 0));
        harness.locate(s, digest, abi.encodePacked(uint8(0)), 0, 1);
    }

    /* PRECOMPILE */

    function test_openWeight_failingPrecompile_reverts() public {
        Sample memory s = sample(10, 1, 1, 2 * TILE);
        bytes memory evidence = openWeight(s);
        mocks.mockCallRevert(address(2), "", "");
        requireRefused(s, evidence, TensorDigest.Sha256Failed.selector);
    }

    function test_openWeight_silentPrecompile_reverts() public {
        Sample memory s = sample(11, 1, 1, 2 * TILE);
        bytes memory evidence = openWeight(s);
        mocks.mockCall(address(2), "", "");
        requireRefused(s, evidence, TensorDigest.Sha256Failed.selector);
    }
}
