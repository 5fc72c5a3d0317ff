// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ProgramLib, Program} from "./Program.sol";
import {PublicTensor} from "./PublicTensor.sol";
import {SOURCE_BITS, SOURCE_HALF, SOURCE_LINK, SOURCE_OUTPUT_BITS} from "./Session.sol";

/// @notice What the walk over a program has seen so far.
struct CheckWalk {
    PublicTensor[] inputs;
    PublicTensor output;
    uint256[] reaches; //     function => how many last coordinates of its vector it uses
    uint256[5] ends; //       phase => slots up to its end: leaf, direct, product, contraction, link
    uint256[4] needed; //     vector => how many last coordinates segments use
    bool[] isVirtual; //      slot => sent without a claim
    bool[] isProven; //       slot => named by the instance that proves it
    bool[] isTensor; //        slot => a tensor at a point
    bool[] isContracted; //   relation => its residual is a contraction
    bool[] isNamed; //        relation => named by the instance that proves it
    uint256 products; //      relations whose residual is a product term
    uint256[4] rounds; //     vector => its length
    uint256 reach; //         how far functions noted since the last check reach
}

/// @title Structure check of segments (FORMAT.md 3.2)
library SegmentCheck {
    using ProgramLib for Program;

    uint256 private constant SEGMENT_SIZE = 3;
    uint256 private constant FLIP = 0x80;
    uint256 private constant MAX_BITS = 8;
    uint256 private constant MAX_OUTPUT_BITS = 31;

    /// @notice Takes `count` segments; returns how many coordinates they have together.
    /// @param newest The last vector of challenges that they may use.
    function takeSegments(CheckWalk memory w, Program memory p, uint256 count, uint256 newest)
        internal
        pure
        returns (uint256 variables)
    {
        for (; count != 0; --count) {
            uint256 word = p.take(SEGMENT_SIZE);
            if ((word >> 232) & 0xff == 0) p.revertMalformed();
            check(w, p, word, newest);
            variables += (word >> 232) & 0xff;
        }
    }

    /// @notice Checks the segment at the upper end of `word`; it may be empty if it is all zero.
    function check(CheckWalk memory w, Program memory p, uint256 word, uint256 newest) internal pure {
        uint256 source = word >> 248;
        uint256 end = (word >> 240) & 0xff;
        uint256 length = (word >> 232) & 0xff;
        bool valid;
        if (length == 0) {
            valid = word >> 232 == 0;
        } else if (source & (FLIP - 1) <= SOURCE_LINK) {
            source &= FLIP - 1;
            valid = source <= newest;
            if (valid && end + length > w.needed[source]) w.needed[source] = end + length;
        } else if (source == SOURCE_HALF) {
            valid = end == 0;
        } else if (source == SOURCE_BITS) {
            valid = length <= MAX_BITS && end >> length == 0;
        } else if (source == SOURCE_OUTPUT_BITS) {
            valid = hasIndex(w.output) && end + length <= MAX_OUTPUT_BITS;
        }
        if (!valid) p.revertMalformed();
    }

    /// @notice Whether a public tensor is given by bytes and holds no negative number.
    function hasIndex(PublicTensor memory tensor) internal pure returns (bool) {
        return !tensor.isCommitted && tensor.lo >= 0;
    }
}
