// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Session} from "./Session.sol";

/// @notice A claim "tensor at point = value", as filed.
struct Claim {
    uint256 tensor;
    uint256 value;
    uint256 point; //    memory address of the tensor's coordinates
    uint256 source; //   the last `shared` coordinates are the last ones of this source
    uint256 shared;
}

/// @title The claims on committed tensors, in filing order
/// @notice Packed, three words a claim:
/// | word | content                                               |
/// |------|-------------------------------------------------------|
/// | 0    | tensor [0,16) | source [16,17) | shared [32,64)       |
/// | 1    | value                                                 |
/// | 2    | memory address of the point                           |
library ClaimList {
    uint256 private constant CLAIM_SIZE = 0x60;

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
    function file(Session memory s, uint256 tensor, uint256 value, uint256 point, uint256 source, uint256 shared)
        internal
        pure
    {
        uint256 at = s.claimsEnd;
        // INVARIANT: the list never grows into other memory. The capacity counts every claim a program can file.
        assert(at < s.claimsLimit);
        assembly ("memory-safe") {
            mstore(at, or(tensor, or(shl(16, source), shl(32, shared))))
            mstore(add(at, 0x20), value)
            mstore(add(at, 0x40), point)
        }
        s.claimsEnd = at + CLAIM_SIZE;
    }

    /// @notice Reads the claim at `at` into `claim` and returns the address of the next one.
    function read(uint256 at, Claim memory claim) internal pure returns (uint256 next) {
        assembly ("memory-safe") {
            let word := mload(at)
            mstore(claim, and(word, 0xffff))
            mstore(add(claim, 0x20), mload(add(at, 0x20)))
            mstore(add(claim, 0x40), mload(add(at, 0x40)))
            mstore(add(claim, 0x60), and(shr(16, word), 1))
            mstore(add(claim, 0x80), shr(32, word))
        }
        return at + CLAIM_SIZE;
    }
}
