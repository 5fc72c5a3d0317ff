// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Field, FR} from "../../contracts/verifiers/Field.sol";
import {Multilinear} from "../../contracts/verifiers/Multilinear.sol";
import {SumCheck} from "../../contracts/verifiers/SumCheck.sol";
import {Transcript, TranscriptLib} from "../../contracts/verifiers/Transcript.sol";

/// @notice Opens the verifier's internal libraries to tests: memory arrays in place of memory addresses.
contract VerifierHarness {
    using TranscriptLib for Transcript;

    /* TRANSCRIPT AND SUM-CHECKS */

    /// @notice Reads messages of scalars; after message i draws challenges[i] challenges.
    function readMessages(
        bytes calldata proof,
        uint256[] calldata tags,
        uint256[] calldata counts,
        uint256[] calldata challenges
    ) external pure returns (uint256[] memory drawn) {
        Transcript memory t = emptied(proof);
        drawn = new uint256[](64);
        uint256 total;
        for (uint256 i = 0; i < tags.length; ++i) {
            t.scalars(tags[i], counts[i]);
            for (uint256 j = 0; j < challenges[i]; ++j) {
                drawn[total++] = t.challenge();
            }
        }
        t.finish();
        assembly ("memory-safe") {
            mstore(drawn, total)
        }
    }

    /// @dev A transcript that has absorbed nothing.
    function emptied(bytes calldata proof) private pure returns (Transcript memory t) {
        t = TranscriptLib.begin(proof, 0, 0, 0, proof.length / 32);
        t.end = t.buffer + 0x20;
    }

    /// @dev A transcript that has absorbed one seed word.
    function seeded(bytes calldata proof, uint256 seed) private pure returns (Transcript memory t) {
        t = TranscriptLib.begin(proof, 0, 0, 0, proof.length / 32);
        uint256 buffer = t.buffer;
        assembly ("memory-safe") {
            mstore(add(buffer, 0x20), 1)
            mstore(add(buffer, 0x40), seed)
        }
        t.end = buffer + 0x60;
    }

    /// @notice The vector's rounds. In the protocol a challenge precedes the first round, in the vector a seed waits to
    /// be hashed with it: the first round is computed here, the library runs the others.
    function eqRounds(bytes calldata proof, uint256 seed, uint256 tag, uint256[] memory z, uint256 claim)
        external
        pure
        returns (uint256 last, uint256[] memory point)
    {
        Transcript memory t = seeded(proof, seed);
        (uint256 t1, uint256 t2, uint256 r) = firstRound(t, tag);
        uint256 t0 = addmod(claim, FR - mulmod(z[0], addmod(t1, t2, FR), FR), FR);
        claim = addmod(t0, mulmod(r, addmod(t1, mulmod(r, t2, FR), FR), FR), FR);
        z[0] = r;
        last = SumCheck.eqRounds(t, tag, z.length - 1, claim, dataOf(z) + 0x20);
        t.finish();
        return (last, z);
    }

    /// @notice As `eqRounds`, for the plain sum-check of degree 2.
    function plainRounds(bytes calldata proof, uint256 seed, uint256 tag, uint256 rounds, uint256 claim)
        external
        pure
        returns (uint256 last, uint256[] memory point)
    {
        Transcript memory t = seeded(proof, seed);
        point = new uint256[](rounds);
        (uint256 c0, uint256 c2, uint256 r) = firstRound(t, tag);
        uint256 c1 = addmod(addmod(claim, 2 * (FR - c0), FR), FR - c2, FR);
        claim = addmod(c0, mulmod(r, addmod(c1, mulmod(r, c2, FR), FR), FR), FR);
        point[0] = r;
        last = SumCheck.plainRounds(t, tag, rounds - 1, 2, claim, dataOf(point) + 0x20);
        t.finish();
    }

    /// @notice One round of degree 3.
    function cubicRound(bytes calldata proof, uint256 tag, uint256 claim)
        external
        pure
        returns (uint256 last, uint256 r)
    {
        Transcript memory t = TranscriptLib.begin(proof, 0, 0, 0, 0);
        t.challenge();
        uint256[] memory point = new uint256[](1);
        last = SumCheck.plainRounds(t, tag, 1, 3, claim, dataOf(point));
        t.finish();
        return (last, point[0]);
    }

    function firstRound(Transcript memory t, uint256 tag) private pure returns (uint256 a, uint256 b, uint256 r) {
        uint256 message = t.scalars(tag, 2);
        return (load(message), load(message + 0x20), t.challenge());
    }

    /* MULTILINEAR EXTENSIONS */

    function eq(uint256[] memory a, uint256[] memory b, uint256 factor) external pure returns (uint256) {
        return Multilinear.eq(dataOf(a), dataOf(b), a.length, factor);
    }

    function eqIndex(uint256 index, uint256[] memory point, uint256 factor) external pure returns (uint256) {
        return Multilinear.eqIndex(index, dataOf(point), point.length, factor);
    }

    function eqTable(uint256[] memory point, uint256 factor) external pure returns (uint256[] memory result) {
        result = new uint256[](1 << point.length);
        copy(Multilinear.eqTable(dataOf(point), point.length, factor), result);
    }

    function eqHeap(uint256[] memory point) external pure returns (uint256[] memory heap) {
        heap = new uint256[](32);
        Multilinear.eqHeap(dataOf(point), dataOf(heap));
    }

    function ceilLog2(uint256 n) external pure returns (uint256) {
        return Multilinear.ceilLog2(n);
    }

    function eqSuffixes(uint256[] memory a, uint256[] memory b) external pure returns (uint256[] memory result) {
        result = new uint256[](a.length + 1);
        copy(Multilinear.eqSuffixes(dataOf(a) + 32 * a.length, dataOf(b) + 32 * a.length, a.length), result);
    }

    function identity(uint256[] memory point) external pure returns (uint256) {
        return Multilinear.identity(dataOf(point), point.length);
    }

    function lessThan(uint256 n, uint256[] memory point) external pure returns (uint256) {
        return Multilinear.lessThan(n, dataOf(point), point.length);
    }

    function causal(uint256 n, uint256[] memory j, uint256[] memory i) external pure returns (uint256) {
        return Multilinear.causal(n, dataOf(j), dataOf(i), j.length);
    }

    function inverse(uint256 a) external view returns (uint256) {
        return Field.inverse(a);
    }

    /* MEMORY */

    function dataOf(uint256[] memory words) private pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := add(words, 0x20)
        }
    }

    function load(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(at)
        }
    }

    function copy(uint256 from, uint256[] memory target) private pure {
        uint256 size = target.length * 32;
        assembly ("memory-safe") {
            mcopy(add(target, 0x20), from, size)
        }
    }
}
