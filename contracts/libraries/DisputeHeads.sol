// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Head, Phase} from "../types/Pinpoint.sol";

/// @title The word of what moves of a dispute (types/Pinpoint.sol)
library DisputeHeads {
    uint256 private constant PHASE_SHIFT = 8;
    uint256 private constant DEADLINE_SHIFT = 16;
    uint256 private constant HASH_SHIFT = 56;

    /// @notice Unpacks the word.
    function unpack(uint256 word) internal pure returns (Head memory head) {
        head.place = uint8(word);
        head.phase = Phase(uint8(word >> PHASE_SHIFT));
        head.deadline = uint40(word >> DEADLINE_SHIFT);
        head.hash = cut(bytes32(word));
    }

    /// @notice Packs the word; of the hash its upper bits.
    /// @dev No number is wider than its bits: there are 16 places; a deadline is a time of 40 bits with what parameters of
    /// 40 bits add to it, so the caller narrows it.
    function pack(uint256 place, Phase phase, uint40 deadline, bytes32 hash) internal pure returns (uint256) {
        return place | uint256(phase) << PHASE_SHIFT | uint256(deadline) << DEADLINE_SHIFT | uint256(cut(hash));
    }

    /// @notice The word of a dispute that is over.
    function packEnd(Phase phase) internal pure returns (uint256) {
        return uint256(phase) << PHASE_SHIFT;
    }

    /// @notice What a head keeps of a hash.
    function cut(bytes32 hash) internal pure returns (bytes32) {
        return hash >> HASH_SHIFT << HASH_SHIFT;
    }
}
