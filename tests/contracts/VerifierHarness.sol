// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {TensorDigest} from "../../contracts/libraries/TensorDigest.sol";
import {ClaimList} from "../../contracts/verifiers/ClaimList.sol";
import {Field, FR} from "../../contracts/verifiers/Field.sol";
import {HyperKzg, Opening} from "../../contracts/verifiers/HyperKzg.sol";
import {LogUp} from "../../contracts/verifiers/LogUp.sol";
import {Multilinear} from "../../contracts/verifiers/Multilinear.sol";
import {PublicShape} from "../../contracts/verifiers/Program.sol";
import {PublicTensor, PublicTensorLib} from "../../contracts/verifiers/PublicTensor.sol";
import {Session, TERM_SIZE, UNKNOWN} from "../../contracts/verifiers/Session.sol";
import {SumCheck} from "../../contracts/verifiers/SumCheck.sol";
import {Transcript, TranscriptLib} from "../../contracts/verifiers/Transcript.sol";

/// @notice Opens the verifier's internal libraries to tests: memory arrays in place of memory addresses.
contract VerifierHarness {
    using TranscriptLib for Transcript;
    using PublicTensorLib for PublicTensor;

    /* TRANSCRIPT AND SUM-CHECKS */

    /// @notice Reads messages of scalars; after message i draws challenges[i] challenges.
    function readMessages(
        bytes calldata proof,
        uint256[] calldata tags,
        uint256[] calldata counts,
        uint256[] calldata challenges
    ) external pure returns (uint256[] memory drawn) {
        Transcript memory t = TranscriptLib.begin(proof, 0, 0, 0);
        t.end = t.buffer + 0x20;
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

    /// @notice Reads one open message of `count` scalars, drops it if empty, draws a challenge.
    function readOpenMessage(bytes calldata proof, uint256 tag, uint256 count) external pure returns (uint256) {
        Transcript memory t = TranscriptLib.begin(proof, 0, 0, 0);
        uint256 header = t.open();
        for (uint256 i = 0; i < count; ++i) {
            t.scalar();
        }
        if (!t.dropIfEmpty(header)) t.close(header, tag);
        t.finish();
        return t.challenge();
    }

    /// @dev A transcript that has absorbed one seed word.
    function seeded(bytes calldata proof, uint256 seed) private pure returns (Transcript memory t) {
        t = TranscriptLib.begin(proof, 0, 0, 0);
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

    /// @notice As `eqRounds`, for the plain sum-check.
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
        last = SumCheck.plainRounds(t, tag, rounds - 1, claim, dataOf(point) + 0x20);
        t.finish();
    }

    function firstRound(Transcript memory t, uint256 tag) private pure returns (uint256 a, uint256 b, uint256 r) {
        uint256 message = t.scalars(tag, 2);
        return (load(message), load(message + 0x20), t.challenge());
    }

    /* ARGUMENTS */

    /// @notice Runs LOGUP: `instruction` are its arguments, `tensors` the table of its program.
    function logUp(
        bytes calldata proof,
        uint256 seed,
        bytes memory tensors,
        bytes memory instruction,
        uint256 beta,
        uint256 alpha
    ) external pure returns (uint256[] memory zeta, uint256[] memory values) {
        Session memory s;
        s.transcript = seeded(proof, seed);
        s.program.tensorCount = tensors.length / 8;
        (s.program.tensors, s.program.start) = (dataOf(tensors), dataOf(instruction));
        s.program.cursor = s.program.start;
        s.program.end = s.program.start + instruction.length;
        (s.beta, s.alpha) = (beta, alpha);
        s.values = new uint256[](s.program.tensorCount);
        for (uint256 i = 0; i < s.values.length; ++i) {
            s.values[i] = UNKNOWN;
        }
        ClaimList.reserve(s, s.program.tensorCount);
        // The vector draws both challenges before the root.
        s.transcript.challenge();
        s.transcript.challenge();
        LogUp.run(s);
        s.transcript.finish();
        zeta = new uint256[](s.lambda);
        for (uint256 i = 0; i < s.lambda; ++i) {
            zeta[i] = load(s.zetaEnd - 32 * (s.lambda - i));
        }
        return (zeta, s.values);
    }

    /// @notice Opens one commitment at `point` to `value`.
    function open(
        bytes calldata proof,
        uint256 seed,
        bytes memory commitment,
        uint256[] memory point,
        uint256 value,
        uint256[4] memory tau
    ) external view {
        Transcript memory t = seeded(proof, seed);
        bytes memory terms = bytes.concat(commitment, bytes32(uint256(1)), new bytes(TERM_SIZE * point.length));
        HyperKzg.verify(t, Opening(dataOf(terms), 1, dataOf(point), point.length, value), tau);
        t.finish();
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

    function inverse(uint256 a) external view returns (uint256) {
        return Field.inverse(a);
    }

    /* PUBLIC TENSORS */

    function evaluate(bytes calldata elements, PublicShape memory shape, uint256[] memory point)
        external
        pure
        returns (uint256)
    {
        return PublicTensorLib.wrap(elements, shape).evaluate(dataOf(point));
    }

    function findOutside(bytes calldata elements, PublicShape memory shape)
        external
        pure
        returns (bool found, uint256 position, int256 value)
    {
        return PublicTensorLib.wrap(elements, shape).findOutside(shape.lo, shape.hi);
    }

    function digest(bytes calldata elements, uint8 width, uint32 rows, uint32 cols) external view returns (bytes32) {
        return TensorDigest.computeMatrix(elements, width, rows, cols);
    }

    /* MEMORY */

    function dataOf(uint256[] memory words) private pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := add(words, 0x20)
        }
    }

    function dataOf(bytes memory text) private pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := add(text, 0x20)
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
