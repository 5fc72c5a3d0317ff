// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Session} from "./Session.sol";

/// @dev Bytes of a packed claim.
uint256 constant CLAIM_SIZE = 0x60;

/// @title The claims "tensor at point = value" on committed tensors, in filing order
/// @notice A claim's last `shared` coordinates are the last ones of `source` (zeta or r_C). Packed, three words a claim:
/// | word | content                                                                        |
/// |------|--------------------------------------------------------------------------------|
/// | 0    | shared [0,32) | source [32,33) | the tensor's entry in the program's table [192,256) |
/// | 1    | value                                                                          |
/// | 2    | memory address of the point                                                    |
library ClaimList {
    /// @notice Makes room for `capacity` claims.
    function reserve(Session memory s, uint256 capacity) internal pure {
        uint256 claims;
        uint256 size = capacity * CLAIM_SIZE;
        assembly ("memory-safe") {
            claims := mload(0x40)
            mstore(0x40, add(claims, size))
        }
        s.claims = claims;
        s.claimsEnd = claims;
        s.claimsLimit = claims + size;
    }

    /// @notice Files a claim.
    /// @param tensor The tensor's entry in the program's table.
    function file(Session memory s, uint256 tensor, uint256 value, uint256 point, uint256 source, uint256 shared)
        internal
        pure
    {
        uint256 at = s.claimsEnd;
        // INVARIANT: the list never grows into other memory. The capacity counts every claim a program can file.
        assert(at < s.claimsLimit);
        assembly ("memory-safe") {
            mstore(at, or(shl(192, shr(192, tensor)), or(shl(32, source), shared)))
            mstore(add(at, 0x20), value)
            mstore(add(at, 0x40), point)
        }
        // SAFETY: memory addresses.
        unchecked {
            s.claimsEnd = at + CLAIM_SIZE;
        }
    }

    /// @notice Reads a claim's tensor (its entry in the program's table, at the word's upper end) and point's origin.
    function readHead(uint256 at) internal pure returns (uint256 tensor, uint256 source, uint256 shared) {
        assembly ("memory-safe") {
            tensor := mload(at)
            source := and(shr(32, tensor), 1)
            shared := and(tensor, 0xffffffff)
        }
    }

    /// @notice Reads the memory address of a claim's point.
    function readPoint(uint256 at) internal pure returns (uint256 point) {
        assembly ("memory-safe") {
            point := mload(add(at, 0x40))
        }
    }
}
