// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";

/// @title Reader of data contracts (FORMAT.md 4)
/// @notice A data contract's code is 0x00 || blob, or 0xfe || k x address: the blob is then the concatenation of what
/// the named contracts hold behind a leading 0x00. Neither byte begins code that does anything.
library KeyData {
    uint256 private constant WHOLE = 0x00;
    uint256 private constant PARTS = 0xfe;
    uint256 private constant ADDRESS_SIZE = 20;

    /// @notice Copies the blob to memory, with zero words behind it for reads of whole words.
    /// @return blob Memory address of its first byte.
    /// @return size Its number of bytes.
    function read(address vkData) internal view returns (uint256 blob, uint256 size) {
        uint256 codeSize = vkData.code.length;
        uint256 marker = firstByte(vkData);
        uint256 end;
        if (codeSize != 0 && marker == WHOLE) {
            assembly ("memory-safe") {
                blob := mload(0x40)
                extcodecopy(vkData, blob, 1, sub(codeSize, 1))
                end := add(blob, sub(codeSize, 1))
            }
        } else if (marker == PARTS && codeSize > 1 && (codeSize - 1) % ADDRESS_SIZE == 0) {
            uint256 list;
            assembly ("memory-safe") {
                list := mload(0x40)
                extcodecopy(vkData, list, 1, sub(codeSize, 1))
                blob := add(list, codeSize)
                end := blob
            }
            for (uint256 last = list + codeSize - 1; list < last; list += ADDRESS_SIZE) {
                end = appendPart(list, end);
            }
        } else {
            revert IProofVerifier.NotAKey(vkData);
        }
        // Equivalent to end[0 .. 64] = 0, and the memory is taken
        assembly ("memory-safe") {
            mstore(end, 0)
            mstore(add(end, 0x20), 0)
            mstore(0x40, and(add(end, 0x5f), not(31)))
        }
        size = end - blob;
    }

    /// @dev Copies the blob's next piece to `target`; returns the memory address behind it.
    /// @param entry Memory address of the part's address.
    function appendPart(uint256 entry, uint256 target) private view returns (uint256 end) {
        address part;
        assembly ("memory-safe") {
            part := shr(96, mload(entry))
        }
        uint256 codeSize = part.code.length;
        // INVARIANT: a part is a data contract itself, never a list of others.
        if (codeSize == 0 || firstByte(part) != WHOLE) revert IProofVerifier.NotAKey(part);
        // Equivalent to target = part.code[1:]
        assembly ("memory-safe") {
            extcodecopy(part, target, 1, sub(codeSize, 1))
            end := add(target, sub(codeSize, 1))
        }
    }

    /// @dev The first byte of an account's code, 0 if there is none.
    function firstByte(address account) private view returns (uint256 value) {
        assembly ("memory-safe") {
            mstore(0, 0)
            extcodecopy(account, 0, 0, 1)
            value := byte(0, mload(0))
        }
    }
}
