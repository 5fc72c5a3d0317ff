// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ContractionAdjudicator} from "../../contracts/adjudication/ContractionAdjudicator.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {Cheats} from "./Cheats.sol";

/// @notice A tensor of which only one range of tiles is known: its siblings are random.
struct Partial {
    uint256 width;
    uint256 rows;
    uint256 cols;
    bytes tiles;
    bytes32 root;
    bytes opening; //   u32 first | u16 count | tiles | siblings
}

/// @notice What an element check costs as a transaction of its own, input floor of EIP-7623 included. Operands of random
/// bytes, so hardly any byte is 0.
contract AdjudicationGasTest is Cheats {
    ContractionAdjudicator private adjudicator;

    uint256 private constant TILE = 1024;
    uint256 private constant INTRINSIC_GAS = 21_000;
    uint256 private constant GAS_PER_ZERO = 4;
    uint256 private constant GAS_PER_BYTE = 16;
    uint256 private constant FLOOR_PER_ZERO = 10;
    uint256 private constant FLOOR_PER_BYTE = 40;

    uint256 private constant OUTPUTS = 1024;
    uint256 private constant ROWS = 4;

    function setUp() public {
        adjudicator = new ContractionAdjudicator();
    }

    /* BARS */

    function test_linear_1024_costsAtMost400k() public view {
        assertLe(costOf(1024, 1, 1), 400_000, "K = 1024");
    }

    function test_linear_4096_costsAtMost800k() public view {
        assertLe(costOf(4096, 1, 1), 800_000, "K = 4096");
    }

    function test_linear_16384_works() public view {
        assertLe(costOf(16384, 1, 1), 1_800_000, "K = 16384");
    }

    function test_linear_unalignedRows_costsAtMost800k() public view {
        assertLe(costOf(4100, 1, 1), 800_000, "K = 4100: each row touches one tile more");
    }

    function test_linear_wideOperands_works() public view {
        assertLe(costOf(4096, 1, 2), 900_000, "K = 4096, 8 by 16 bits");
        assertLe(costOf(4096, 2, 2), 1_100_000, "K = 4096, 16 by 16 bits");
    }

    function test_dotProduct_1024_costsAtMost20k() public view {
        // Of a whole call: what 1024 more elements cost, their tiles' hashes included.
        uint256 more = executionOf(2048, 1, 1) - executionOf(1024, 1, 1);
        assertLe(more, 20_000, "1024 elements");
    }

    /* MEASURING */

    function executionOf(uint256 size, uint256 widthX, uint256 widthW) private view returns (uint256) {
        (bytes memory call,) = build(size, widthX, widthW);
        (bool success, bytes memory answer) = address(adjudicator).staticcall(call);
        uint256 spent = vm.lastCallGas().gasTotalUsed;
        assertTrue(success, "the call");
        // An output of random bytes is as good as any: what is spent does not depend on the verdict.
        assertTrue(abi.decode(answer, (uint256)) != uint256(Verdict.NONE), "a verdict");
        return spent;
    }

    /// @dev Gas of a transaction that calls the adjudicator.
    function costOf(uint256 size, uint256 widthX, uint256 widthW) private view returns (uint256) {
        uint256 execution = executionOf(size, widthX, widthW);
        (bytes memory call, uint256 zeros) = build(size, widthX, widthW);
        uint256 others = call.length - zeros;
        uint256 standard = INTRINSIC_GAS + zeros * GAS_PER_ZERO + others * GAS_PER_BYTE + execution;
        uint256 least = INTRINSIC_GAS + zeros * FLOOR_PER_ZERO + others * FLOOR_PER_BYTE;
        return standard > least ? standard : least;
    }

    /// @dev x (4, K) by w (1024, K), a bias of 32 bits, a scale of 16 bits a column; the output's element (2, 1001).
    /// Returns the call and how many of its bytes are 0.
    function build(uint256 size, uint256 widthX, uint256 widthW)
        private
        view
        returns (bytes memory call, uint256 zeros)
    {
        Partial[5] memory t = [
            open(widthX, ROWS, size, 2 * size, size),
            open(widthW, OUTPUTS, size, 1001 * size, size),
            open(4, 1, OUTPUTS, 1001, 1),
            open(2, 1, OUTPUTS, 1001, 1),
            open(1, ROWS, OUTPUTS, 2 * OUTPUTS + 1001, 1)
        ];
        Claim memory claim;
        claim.elem = uint64(2 * OUTPUTS + 1001);
        claim.inDigests = new bytes32[](1);
        (claim.inDigests[0], claim.outDigest) = (digestOf(t[0]), digestOf(t[4]));
        claim.desc = describe(t, size);
        bytes memory evidence = abi.encodePacked(claim.elem, uint8(1), t[0].root, t[0].opening);
        evidence = abi.encodePacked(evidence, uint8(1), t[1].opening, uint8(1), t[2].opening, uint8(1), t[3].opening);
        evidence = abi.encodePacked(evidence, uint8(1), t[4].root, t[4].opening);
        call = abi.encodeCall(adjudicator.adjudicate, (claim, evidence));
        for (uint256 i = 0; i < call.length; ++i) {
            if (call[i] == 0) ++zeros;
        }
    }

    /// @dev The tiles that hold the elements [first, first + count), random bytes, and random siblings; except that
    /// 16-bit numbers of scales are small: their high byte is 0.
    function open(uint256 width, uint256 rows, uint256 cols, uint256 first, uint256 count)
        private
        pure
        returns (Partial memory p)
    {
        (p.width, p.rows, p.cols) = (width, rows, cols);
        uint256 tile = first * width / TILE;
        uint256 tiles = ((first + count) * width + TILE - 1) / TILE - tile;
        p.tiles = new bytes(tiles * TILE);
        for (uint256 i = 0; i < p.tiles.length; i += 32) {
            bytes32 word = keccak256(abi.encode(width, rows, cols, i));
            if (rows == 1) word &= bytes32(type(uint256).max / 0xffff * (width == 2 ? 0xff : 0xffff));
            if (rows == 1 && width == 4) word &= bytes32(type(uint256).max / 0xffffffff * 0xffff);
            bytes memory target = p.tiles;
            assembly ("memory-safe") {
                mstore(add(add(target, 0x20), i), word)
            }
        }
        fold(p, tile, tiles, (rows * cols * width + TILE - 1) / TILE);
    }

    function fold(Partial memory p, uint256 first, uint256 count, uint256 total) private pure {
        bytes32[] memory nodes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            nodes[i] = keccak256(abi.encodePacked(uint8(0), uint64(first + i), sha256(tileAt(p.tiles, i))));
        }
        p.opening = abi.encodePacked(uint32(first), uint16(count), p.tiles);
        for (uint256 width = 1; width < total; width *= 2) {
            uint256 last = first + count - 1;
            uint256 parents = last / 2 - first / 2 + 1;
            bytes32 left = keccak256(abi.encode("left", width));
            bytes32 right = keccak256(abi.encode("right", width));
            if (first % 2 == 1) p.opening = abi.encodePacked(p.opening, left);
            if (last % 2 == 0) p.opening = abi.encodePacked(p.opening, right);
            for (uint256 i = 0; i < parents; ++i) {
                uint256 at = 2 * (first / 2 + i);
                bytes32 l = at < first ? left : nodes[at - first];
                bytes32 r = at + 1 > last ? right : nodes[at + 1 - first];
                nodes[i] = keccak256(abi.encodePacked(uint8(1), l, r));
            }
            (first, count) = (first / 2, parents);
        }
        p.root = nodes[0];
    }

    function tileAt(bytes memory tiles, uint256 i) private pure returns (bytes memory tile) {
        tile = new bytes(TILE);
        assembly ("memory-safe") {
            mcopy(add(tile, 0x20), add(add(tiles, 0x20), mul(i, TILE)), TILE)
        }
    }

    function digestOf(Partial memory p) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(2), uint8(p.width), uint8(2), uint32(p.rows), uint32(p.cols), p.root));
    }

    function describe(Partial[5] memory t, uint256 size) private pure returns (bytes memory desc) {
        desc = abi.encodePacked(uint32(0x01010103), uint32(0), uint16(0), uint16(1), bytes32(0), bytes32(0));
        desc = abi.encodePacked(desc, uint8(1), uint32(ROWS), uint32(OUTPUTS));
        desc = abi.encodePacked(desc, uint16(0xffff), uint8(t[0].width), uint32(ROWS), uint32(size));
        for (uint256 i = 1; i < 4; ++i) {
            desc = abi.encodePacked(desc, uint8(t[i].width), uint64(t[i].rows * t[i].cols), t[i].root);
        }
        desc = abi.encodePacked(desc, hex"008081", map(size, 0), map(0, size), map(0, 1), uint8(1));
        desc = abi.encodePacked(desc, uint32(size), uint32(1), uint32(1));
        return abi.encodePacked(desc, uint32(9), uint8(28), uint8(32), hex"00ff82", int32(-128), int32(127));
    }

    function map(uint256 strideRow, uint256 strideCol) private pure returns (bytes memory) {
        return abi.encodePacked(
            uint8(2), uint32(ROWS), uint32(strideRow), uint16(1), uint32(OUTPUTS), uint32(strideCol), uint16(1)
        );
    }
}
