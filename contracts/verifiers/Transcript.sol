// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {FQ, FR} from "./Field.sol";

/// @notice A proof being read and the transcript it is absorbed into.
/// @dev Memory at `buffer`: the state S, then the words absorbed since the last challenge, up to `end`.
struct Transcript {
    uint256 buffer; //  memory address of S
    uint256 end; //     memory address behind the last absorbed word
    uint256 cursor; //  calldata offset of the proof's next byte
    uint256 limit; //   calldata offset behind the proof's last byte
    uint256 origin; //  calldata offset of the proof's first byte
    uint256 room; //    memory address behind the buffer
}

/// @title Fiat-Shamir transcript over keccak256, and the only way to read a proof
/// @notice absorb(tag, elements) appends the word tag * 2^64 + count and the elements; challenge() is
/// S <- keccak256(S || buffer), buffer <- empty, result S mod r (proofs-spec.md 2.1).
/// What is read is absorbed by the function that reads it, here or, in place and for the messages that make up most of a
/// proof, in SumCheck's rounds, Lookup's layers and Slots: no other read exists (item 30). Scalars not below r, coordinates
/// not below q and points off the curve are refused; so are proofs too short and too long.
library TranscriptLib {
    /// @dev Words of a buffer besides the proof's own messages: the state, headers, three statement words.
    uint256 private constant OWN_WORDS = 16;
    uint256 private constant TAG_STATEMENT = 0;

    /// @notice Opens the transcript of `proof` with the message [domain, statementHash, vkHash].
    /// @param words How many words of messages may wait for a challenge.
    function begin(bytes calldata proof, bytes32 domain, bytes32 statementHash, bytes32 vkHash, uint256 words)
        internal
        pure
        returns (Transcript memory t)
    {
        uint256 buffer;
        uint256 first;
        uint256 room = (words + OWN_WORDS) << 5;
        // Equivalent to buffer = new words: S = 0, the header (0, 3), the three words
        assembly ("memory-safe") {
            buffer := mload(0x40)
            mstore(0x40, add(buffer, room))
            mstore(buffer, 0)
            mstore(add(buffer, 0x20), add(shl(64, TAG_STATEMENT), 3))
            mstore(add(buffer, 0x40), domain)
            mstore(add(buffer, 0x60), statementHash)
            mstore(add(buffer, 0x80), vkHash)
            first := proof.offset
        }
        t.buffer = buffer;
        t.end = buffer + 0xa0;
        t.room = buffer + room;
        t.origin = first;
        t.cursor = first;
        t.limit = first + proof.length;
    }

    /// @notice S <- keccak256(S || buffer); returns S mod r.
    function challenge(Transcript memory t) internal pure returns (uint256 result) {
        assembly ("memory-safe") {
            let buffer := mload(t)
            let state := keccak256(buffer, sub(mload(add(t, 0x20)), buffer))
            mstore(buffer, state)
            mstore(add(t, 0x20), add(buffer, 0x20))
            result := mod(state, FR)
        }
    }

    /// @notice Reads and absorbs a message of `count` scalars.
    /// @return words Memory address of the scalars; they stay there until the message after the next challenge.
    function scalars(Transcript memory t, uint256 tag, uint256 count) internal pure returns (uint256 words) {
        uint256 source = advance(t, count << 5);
        uint256 refused;
        // INVARIANT: what waits fits the buffer.
        assert(t.end + 0x20 + (count << 5) <= t.room);
        assembly ("memory-safe") {
            let f := FR
            let header := mload(add(t, 0x20))
            mstore(header, add(shl(64, tag), count))
            words := add(header, 0x20)
            let last := add(words, shl(5, count))
            calldatacopy(words, source, sub(last, words))
            for { let at := words } lt(at, last) { at := add(at, 0x20) } {
                if iszero(lt(mload(at), f)) {
                    refused := add(sub(at, words), 1)
                    break
                }
            }
            mstore(add(t, 0x20), last)
        }
        // INVARIANT: every scalar is below r.
        if (refused != 0) revert IProofVerifier.NonCanonicalScalar(source - t.origin + refused - 1);
    }

    /// @notice Reverts, naming the first scalar at or behind calldata offset `source` that is not below r.
    function revertNonCanonical(Transcript memory t, uint256 source) internal pure {
        while (true) {
            uint256 value;
            assembly ("memory-safe") {
                value := calldataload(source)
            }
            if (value >= FR) revert IProofVerifier.NonCanonicalScalar(source - t.origin);
            source += 0x20;
        }
    }

    /// @notice Absorbs a message of scalars, already read and checked, from calldata. A message of none is left out.
    /// @param source Calldata offset of the first.
    function absorb(Transcript memory t, uint256 tag, uint256 source, uint256 count) internal pure {
        if (count == 0) return;
        uint256 header = t.end;
        // SAFETY: memory addresses; counts have at most 17 bits.
        unchecked {
            t.end = header + 0x20 + (count << 5);
        }
        // INVARIANT: what waits fits the buffer.
        assert(t.end <= t.room);
        assembly ("memory-safe") {
            mstore(header, add(shl(64, tag), count))
            calldatacopy(add(header, 0x20), source, shl(5, count))
        }
    }

    /// @notice Reads and absorbs a message of `count` points and copies them to memory, `stride` bytes apart.
    function points(Transcript memory t, uint256 tag, uint256 count, uint256 target, uint256 stride) internal pure {
        uint256 size = count << 6;
        uint256 source = advance(t, size);
        // INVARIANT: what waits fits the buffer.
        assert(t.end + 0x20 + size <= t.room);
        assembly ("memory-safe") {
            let header := mload(add(t, 0x20))
            mstore(header, add(shl(64, tag), shl(1, count)))
            calldatacopy(add(header, 0x20), source, size)
            mstore(add(t, 0x20), add(add(header, 0x20), size))
        }
        // Equivalent to target[i] = proof[source + 64 i .. source + 64 (i + 1)]
        assembly ("memory-safe") {
            let at := target
            for { let last := add(source, size) } lt(source, last) { source := add(source, 0x40) } {
                calldatacopy(at, source, 0x40)
                at := add(at, stride)
            }
        }
        uint256 valid = countPoints(target, count, stride);
        // INVARIANT: coordinates are below q and the points are on the curve (or infinity, all zero).
        if (valid != count) revert IProofVerifier.InvalidPoint(source - size + (valid << 6) - t.origin);
    }

    /// @notice Requires that the proof was consumed to its last byte.
    function finish(Transcript memory t) internal pure {
        // INVARIANT: a proof has no byte that is not checked.
        if (t.cursor != t.limit) revert IProofVerifier.TrailingBytes(t.limit - t.cursor);
    }

    /// @notice The state S, for another contract to go on from.
    function currentState(Transcript memory t) internal pure returns (bytes32 word) {
        uint256 buffer = t.buffer;
        // INVARIANT: no absorbed word waits to be hashed.
        assert(t.end == buffer + 0x20);
        assembly ("memory-safe") {
            word := mload(buffer)
        }
    }

    /// @notice How many of the `count` points at `at`, `stride` bytes apart, precede the first that is none.
    /// @dev A point of G1: x, y < q and y^2 = x^3 + 3 over F_q, or (0, 0) for infinity.
    function countPoints(uint256 at, uint256 count, uint256 stride) internal pure returns (uint256 valid) {
        assembly ("memory-safe") {
            let f := FQ
            for {} lt(valid, count) { valid := add(valid, 1) } {
                let x := mload(at)
                let y := mload(add(at, 0x20))
                let good := eq(mulmod(y, y, f), addmod(mulmod(mulmod(x, x, f), x, f), 3, f))
                good := and(or(good, iszero(or(x, y))), and(lt(x, f), lt(y, f)))
                if iszero(good) { break }
                at := add(at, stride)
            }
        }
    }

    /// @notice Requires that `size` bytes of the proof are left.
    function requireLeft(Transcript memory t, uint256 size) internal pure {
        uint256 end = t.cursor + size;
        // INVARIANT: no byte behind the proof is read.
        if (end > t.limit) revert IProofVerifier.TruncatedProof(end - t.origin, t.limit - t.origin);
    }

    /// @notice Takes the proof's next `size` bytes.
    /// @return source Their calldata offset.
    function advance(Transcript memory t, uint256 size) internal pure returns (uint256 source) {
        // SAFETY: sizes come from counts of at most 16 bits, so no sum overflows.
        unchecked {
            requireLeft(t, size);
            source = t.cursor;
            t.cursor = source + size;
        }
    }
}
