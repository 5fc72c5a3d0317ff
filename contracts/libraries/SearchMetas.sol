// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SearchMeta, Tree} from "../types/Pinpoint.sol";

/// @notice A search's position, unpacked.
struct Position {
    /// Of the node in its level.
    uint256 index;
    /// Seconds left to the side that is not on turn.
    uint256 clock;
    /// Levels between the node and the leaves of its tree.
    uint256 height;
    Tree tree;
    /// Extensions that the asserter, and that the challenger got.
    uint256 asserterExtensions;
    uint256 challengerExtensions;
    /// Output searched.
    uint8 bytesPerElement;
    uint32 rows;
    uint32 cols;
    /// Depth of the tree over a layer's operators.
    uint256 opDepth;
    bool isOpGranular;
    /// Layers of the trace.
    uint256 layers;
}

/// @title The word of a search's position (types/Pinpoint.sol)
library SearchMetas {
    /* SINGLE NUMBERS: a move touches few of them */

    function getIndex(SearchMeta meta) internal pure returns (uint256) {
        return uint64(SearchMeta.unwrap(meta));
    }

    function getClock(SearchMeta meta) internal pure returns (uint256) {
        return uint40(SearchMeta.unwrap(meta) >> 64);
    }

    function getHeight(SearchMeta meta) internal pure returns (uint256) {
        return uint8(SearchMeta.unwrap(meta) >> 104);
    }

    function getTree(SearchMeta meta) internal pure returns (Tree) {
        return Tree(uint8(SearchMeta.unwrap(meta) >> 112));
    }

    function getExtensions(SearchMeta meta, bool ofAsserter) internal pure returns (uint256) {
        return uint8(SearchMeta.unwrap(meta) >> (ofAsserter ? 120 : 128));
    }

    function getOutput(SearchMeta meta) internal pure returns (uint8 bytesPerElement, uint32 rows, uint32 cols) {
        uint256 word = SearchMeta.unwrap(meta);
        return (uint8(word >> 200), uint32(word >> 168), uint32(word >> 136));
    }

    function getOpDepth(SearchMeta meta) internal pure returns (uint256) {
        return uint8(SearchMeta.unwrap(meta) >> 208);
    }

    function isOpGranular(SearchMeta meta) internal pure returns (bool) {
        return uint8(SearchMeta.unwrap(meta) >> 216) != 0;
    }

    function getLayers(SearchMeta meta) internal pure returns (uint256) {
        return SearchMeta.unwrap(meta) >> 224;
    }

    /// @notice The root of a trace, on the first turn.
    /// @dev No number is wider than its bits, as in `pack`.
    function begin(uint256 clock, uint256 height, uint256 opDepth, bool ofOps, uint256 layers)
        internal
        pure
        returns (SearchMeta)
    {
        uint256 word = clock << 64 | height << 104 | opDepth << 208 | layers << 224;
        return SearchMeta.wrap(ofOps ? word | uint256(1) << 216 : word);
    }

    /// @notice The same search at another node.
    /// @dev No number is wider than its bits, as in `pack`.
    function at(SearchMeta meta, Tree tree, uint256 index, uint256 height) internal pure returns (SearchMeta) {
        uint256 word = SearchMeta.unwrap(meta) & ~(uint256(type(uint64).max) | uint256(0xffff) << 104);
        return SearchMeta.wrap(word | index | height << 104 | uint256(tree) << 112);
    }

    /// @notice The same position with another clock.
    function withClock(SearchMeta meta, uint256 clock) internal pure returns (SearchMeta) {
        return SearchMeta.wrap(SearchMeta.unwrap(meta) & ~(uint256(type(uint40).max) << 64) | clock << 64);
    }

    /// @notice The same position with one extension more, of which there are fewer than 255.
    function extend(SearchMeta meta, bool ofAsserter) internal pure returns (SearchMeta) {
        return SearchMeta.wrap(SearchMeta.unwrap(meta) + (uint256(1) << (ofAsserter ? 120 : 128)));
    }

    /* THE WHOLE WORD */

    /// @notice Unpacks the word.
    function unpack(SearchMeta meta) internal pure returns (Position memory p) {
        uint256 word = SearchMeta.unwrap(meta);
        p.index = uint64(word);
        p.clock = uint40(word >> 64);
        p.height = uint8(word >> 104);
        p.tree = Tree(uint8(word >> 112));
        p.asserterExtensions = uint8(word >> 120);
        p.challengerExtensions = uint8(word >> 128);
        p.cols = uint32(word >> 136);
        p.rows = uint32(word >> 168);
        p.bytesPerElement = uint8(word >> 200);
        p.opDepth = uint8(word >> 208);
        p.isOpGranular = uint8(word >> 216) != 0;
        p.layers = word >> 224;
    }

    /// @notice Packs the word.
    /// @dev No number is wider than its bits: indices are below 2^64, clocks come from parameters of 40 bits, extensions
    /// are limited, heights and depths are those of a plan (8 bits) or of at most 2^64 tiles.
    function pack(Position memory p) internal pure returns (SearchMeta) {
        uint256 word = p.index | p.clock << 64 | p.height << 104 | uint256(p.tree) << 112;
        word |= p.asserterExtensions << 120 | p.challengerExtensions << 128;
        word |= uint256(p.cols) << 136 | uint256(p.rows) << 168 | uint256(p.bytesPerElement) << 200;
        word |= p.opDepth << 208 | uint256(p.isOpGranular ? 1 : 0) << 216 | p.layers << 224;
        return SearchMeta.wrap(word);
    }
}
