// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A place in packed big-endian calldata.
struct Cursor {
    uint256 at; //         calldata offset of the next byte
    uint256 start; //      of the first byte
    uint256 end; //        behind the last one
    bool isEvidence; //    or the descriptor: which error to throw
}

/// @title Strict reader of packed calldata
library CursorLib {
    /// @notice Thrown when a descriptor is too short, too long or holds a value that means nothing.
    /// @param offset Number of bytes read.
    error MalformedDescriptor(uint256 offset);

    /// @notice Thrown when evidence is too short, too long or out of order.
    /// @param offset Number of bytes read.
    error MalformedEvidence(uint256 offset);

    function over(bytes calldata content, bool isEvidence) internal pure returns (Cursor memory c) {
        uint256 start;
        assembly ("memory-safe") {
            start := content.offset
        }
        c.at = start;
        c.start = start;
        c.end = start + content.length;
        c.isEvidence = isEvidence;
    }

    /// @notice The next `size` bytes, 1 to 32, as an unsigned number.
    function take(Cursor memory c, uint256 size) internal pure returns (uint256 value) {
        uint256 at = skip(c, size);
        // Equivalent to value = uint(data[at : at + size])
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, size)), calldataload(at))
        }
    }

    /// @notice The next 4 bytes as a signed number.
    function takeSigned32(Cursor memory c) internal pure returns (int256) {
        return int32(uint32(take(c, 4)));
    }

    /// @notice Passes over `size` bytes; returns the calldata offset of the first of them.
    function skip(Cursor memory c, uint256 size) internal pure returns (uint256 at) {
        at = c.at;
        // SAFETY: offsets in calldata, of which the next byte's is never behind the end.
        unchecked {
            // INVARIANT: nothing is read behind the end.
            if (size > c.end - at) revertMalformed(c);
            c.at = at + size;
        }
    }

    /// @notice Requires everything to have been read.
    function finish(Cursor memory c) internal pure {
        // INVARIANT: no bytes are left over.
        if (c.at != c.end) revertMalformed(c);
    }

    function revertMalformed(Cursor memory c) internal pure {
        if (c.isEvidence) revert MalformedEvidence(c.at - c.start);
        revert MalformedDescriptor(c.at - c.start);
    }
}
