// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {KeyData} from "../verifiers/KeyData.sol";

/// @notice What a statement about a part needs of the part's verification key (FORMAT.md 3, 4).
struct PartKey {
    bytes32 vkHash;
    bytes32 srsId;
    bytes32 programHash;
    uint256 opCount;
    PublicSpec[] publics; // inputs, the output
}

/// @notice A public tensor of a part.
struct PublicSpec {
    uint256 width; // bytes of an element
    uint256 count; // number of elements
}

/// @title Reader of verification keys
library PartKeyReader {
    /// @notice Thrown when the data contract holds another key than the descriptor's.
    error WrongKey(bytes32 got, bytes32 expected);

    /// @notice Thrown when the operator, or one row of it, has no key.
    error NoKey(uint256 op);

    /// @notice Thrown when one of the key's boundary tensors is given by commitments.
    error NotPublic(uint256 tensor);

    uint256 private constant PROGRAM = 68; // graphHash | srsId | u32 programLength
    uint256 private constant HEADER_SIZE = 14;
    uint256 private constant TENSOR_SIZE = 8;
    uint256 private constant SPEC_HEAD = 5; // u16 tensor | u8 form | u8 bytesPerElement | u8 rank
    uint256 private constant DIMENSION_SIZE = 4;
    uint256 private constant BOUNDS_SIZE = 8;

    /// @notice Reads the key of hash `expected`.
    /// @dev The key was written by a compiler, as whoever relies on the version has checked; so once its hash is known
    /// its structure is, and the verifier checks what it interprets.
    function read(address vkData, bytes32 expected, uint256 op) internal view returns (PartKey memory key) {
        if (expected == 0) revert NoKey(op);
        (uint256 blob, uint256 size) = KeyData.read(vkData);
        bytes32 vkHash;
        assembly ("memory-safe") {
            vkHash := keccak256(blob, size)
        }
        // INVARIANT: what is proven is the operator of the descriptor, with its weights.
        if (vkHash != expected) revert WrongKey(vkHash, expected);
        bytes32 srsId;
        bytes32 programHash;
        uint256 header;
        // Equivalent to srsId = blob[32:64]; length = u32(blob[64:68]); programHash = keccak(blob[68:68 + length])
        assembly ("memory-safe") {
            srsId := mload(add(blob, 0x20))
            programHash := keccak256(add(blob, PROGRAM), shr(224, mload(add(blob, 0x40))))
            header := mload(add(blob, PROGRAM))
        }
        // u8 version | u8 c | u8 lookup | u8 opening | u16 F | u16 P | u16 L | u16 opCount | u16 tensorCount
        (key.vkHash, key.srsId, key.programHash) = (vkHash, srsId, programHash);
        key.opCount = (header >> 160) & 0xffff;
        key.publics = readPublics(blob + PROGRAM + HEADER_SIZE + TENSOR_SIZE * ((header >> 144) & 0xffff));
    }

    /// @dev u8 inputs | inputs x spec | spec of the output
    /// spec: u16 tensor | u8 form | u8 bytesPerElement | u8 rank | rank x u32 dim | i32 lo | i32 hi
    function readPublics(uint256 at) private pure returns (PublicSpec[] memory publics) {
        // SAFETY: memory addresses, and at most 255 tensors of at most 255 dimensions; a product of dimensions that
        // overflows is no number of elements of a descriptor, and no verifier takes it.
        unchecked {
            publics = new PublicSpec[]((load(at) >> 248) + 1);
            ++at;
            for (uint256 i = 0; i < publics.length; ++i) {
                uint256 head = load(at);
                at += SPEC_HEAD;
                // INVARIANT: both sides of the statement are tensors that the claim's digests fix.
                if ((head >> 232) & 0xff != 0) revert NotPublic(i);
                uint256 count = 1;
                for (uint256 axis = (head >> 216) & 0xff; axis != 0; --axis) {
                    count *= load(at) >> 224;
                    at += DIMENSION_SIZE;
                }
                (publics[i].width, publics[i].count) = ((head >> 224) & 0xff, count);
                at += BOUNDS_SIZE;
            }
        }
    }

    function load(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(at)
        }
    }
}
