// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {FR} from "../../contracts/verifiers/Field.sol";
import {IInspector} from "../../contracts/interfaces/IInspector.sol";
import {Inspector} from "../../contracts/verifiers/Inspector.sol";
import {VerifierFixture} from "./VerifierFixture.sol";
import {VerifierHarness} from "./VerifierHarness.sol";

/// @notice The verifier's libraries on the shared vectors of single arguments, and against plain computations.
contract VerifierLibrariesTest is VerifierFixture {
    VerifierHarness private harness;
    IInspector private inspector;

    function setUp() public {
        harness = new VerifierHarness();
        inspector = new Inspector();
    }

    /* SHARED VECTORS */

    function test_transcript_vector_matches() public view {
        string memory json = readVectors("transcript.json");
        uint256[] memory tags = new uint256[](8);
        uint256[] memory counts = new uint256[](8);
        uint256[] memory challenges = new uint256[](8);
        uint256[] memory expected = new uint256[](64);
        (bytes memory proof, uint256 steps, uint256 total) = ("", 0, 0);
        for (; vm.keyExistsJson(json, step(steps)); ++steps) {
            tags[steps] = vm.parseJsonUint(json, string.concat(step(steps), ".tag"));
            bytes32[] memory message = vm.parseJsonBytes32Array(json, string.concat(step(steps), ".words"));
            bytes32[] memory drawn = vm.parseJsonBytes32Array(json, string.concat(step(steps), ".challenges"));
            (counts[steps], challenges[steps]) = (message.length, drawn.length);
            proof = bytes.concat(proof, abi.encodePacked(message));
            for (uint256 j = 0; j < drawn.length; ++j) {
                expected[total++] = uint256(drawn[j]);
            }
        }
        require(steps >= 5 && total >= 6, "vector is missing");
        uint256[] memory got = harness.readMessages(proof, tags, counts, challenges);
        // The unused messages are empty and draw nothing, so they do not count.
        require(got.length == total, "number of challenges");
        for (uint256 i = 0; i < total; ++i) {
            require(got[i] == expected[i], "challenge");
        }
    }

    function step(uint256 i) private pure returns (string memory) {
        return string.concat(".steps", at(i));
    }

    function test_sumCheckEq_vector_matches() public view {
        string memory json = readVectors("sumcheck.json");
        uint256[] memory z = words(json, ".eq.z");
        uint256 lambda = vm.parseJsonUint(json, ".eq.lambda");
        (uint256 last, uint256[] memory reached) = harness.eqRounds(
            vm.parseJsonBytes(json, ".eq.proof"),
            vm.parseJsonUint(json, ".eq.seed"),
            vm.parseJsonUint(json, ".eq.tag"),
            z,
            vm.parseJsonUint(json, ".eq.claim")
        );
        requireSame(reached, words(json, ".eq.point"));
        // g = p0 q1 + p1 q0 + lambda q0 q1 at the point; no factor eq remains.
        uint256[] memory finals = words(json, ".eq.finals");
        uint256 g = addmod(mulmod(finals[0], finals[3], FR), mulmod(finals[1], finals[2], FR), FR);
        g = addmod(g, mulmod(lambda, mulmod(finals[2], finals[3], FR), FR), FR);
        require(last == g, "last claim");
    }

    function test_sumCheckPlain_vector_matches() public view {
        string memory json = readVectors("sumcheck.json");
        uint256 rounds = vm.parseJsonUint(json, ".plain.rounds");
        (uint256 last, uint256[] memory reached) = harness.plainRounds(
            vm.parseJsonBytes(json, ".plain.proof"),
            vm.parseJsonUint(json, ".plain.seed"),
            vm.parseJsonUint(json, ".plain.tag"),
            rounds,
            vm.parseJsonUint(json, ".plain.claim")
        );
        requireSame(reached, words(json, ".plain.point"));
        // Instances of 5, 3 and 0 variables: C = sum of coefficient A B.
        uint256 sum;
        for (uint256 k = 0; k < 3; ++k) {
            uint256 factor = vm.parseJsonUint(json, string.concat(".plain.instances", at(k), ".coefficient"));
            uint256[] memory finals = words(json, string.concat(".plain.finals", at(k)));
            sum = addmod(sum, mulmod(factor, mulmod(finals[0], finals[1], FR), FR), FR);
        }
        require(last == sum, "last claim");
    }

    /// @dev Against the plain formula: c_1 = C - 2 c_0 - c_2 - c_3, then c_0 + c_1 r + c_2 r^2 + c_3 r^3.
    function testFuzz_sumCheckCubic_formula_agrees(uint256 c0, uint256 c2, uint256 c3, uint256 claim) public view {
        (c0, c2, c3, claim) = (c0 % FR, c2 % FR, c3 % FR, claim % FR);
        (uint256 last, uint256 r) = harness.cubicRound(abi.encode(c0, c2, c3), 9, claim);
        uint256 c1 = addmod(claim, FR - addmod(addmod(c0, c0, FR), addmod(c2, c3, FR), FR), FR);
        uint256 expected = addmod(c2, mulmod(r, c3, FR), FR);
        expected = addmod(c1, mulmod(r, expected, FR), FR);
        require(last == addmod(c0, mulmod(r, expected, FR), FR), "last claim");
    }

    function test_sumCheckCubic_scalarNotBelowOrder_reverts() public view {
        for (uint256 i = 0; i < 3; ++i) {
            uint256[3] memory scalars;
            scalars[i] = FR;
            try harness.cubicRound(abi.encode(scalars), 9, 0) {
                revert("accepted");
            } catch (bytes memory reason) {
                bytes memory expected = abi.encodeWithSelector(IProofVerifier.NonCanonicalScalar.selector, 32 * i);
                require(keccak256(reason) == keccak256(expected), "other error");
            }
        }
    }

    /* DIGESTS */

    /// @dev Expected values from offchain.commit.digest on bytes (i^2 + 3i) mod 256: three tiles, two tiles of int16,
    /// exactly one tile, one byte.
    function test_digest_pythonValues_match() public view {
        bytes memory text = pattern(2500);
        require(
            digestOf(text, 1, 50, 50) == 0x4dd4dd4d7c6bcb00fb5ad09d91a84406cd820bd4c062f26392b8f9a14930d73d,
            "three tiles"
        );
        require(
            digestOf(cut(text, 1400), 2, 7, 100) == 0x4fc25d88ad27eb4ffc0ddc6fe1ccd5cb4e950057834db178f811a4301e5baeef,
            "two tiles"
        );
        require(
            digestOf(cut(text, 1024), 1, 32, 32) == 0x37d174118237bdd9267a450a2dcf40e893d03d0204c3bfcec46e77b8492f8847,
            "one tile"
        );
        require(
            digestOf(hex"05", 1, 1, 1) == 0x1ed063da791470d20954edc568707f27005e19624b68e3a840c620cc15d411ef, "one byte"
        );
    }

    function digestOf(bytes memory text, uint256 width, uint256 rows, uint256 cols) private view returns (bytes32) {
        return inspector.digest(text, width, rows, cols, type(int32).min, type(int32).max, false);
    }

    function pattern(uint256 size) private pure returns (bytes memory text) {
        text = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            text[i] = bytes1(uint8(i * i + 3 * i));
        }
    }

    /* MULTILINEAR EXTENSIONS */

    function testFuzz_eq_definitions_agree(uint256 seed, uint8 size) public view {
        uint256[] memory a = point(seed, size % 9);
        uint256[] memory b = point(~seed, a.length);
        uint256 factor = uint256(keccak256(abi.encode(seed))) % FR;
        uint256[] memory table = harness.eqTable(b, factor);
        // eq(a, b) = sum over all indices i of eq(a, bits(i)) eq(bits(i), b).
        uint256 sum;
        for (uint256 i = 0; i < table.length; ++i) {
            require(table[i] == plainEqIndex(i, b, factor), "eqTable");
            require(harness.eqIndex(i, b, factor) == table[i], "eqIndex");
            sum = addmod(sum, mulmod(plainEqIndex(i, a, 1), table[i], FR), FR);
        }
        require(harness.eq(a, b, factor) == sum, "eq");
        uint256[] memory suffixes = harness.eqSuffixes(a, b);
        for (uint256 l = 0; l <= a.length; ++l) {
            require(suffixes[l] == harness.eq(tailOf(a, l), tailOf(b, l), 1), "eqSuffixes");
        }
    }

    function testFuzz_eqHeap_prefixes_agree(uint256 seed) public view {
        uint256[] memory z = point(seed, 4);
        uint256[] memory heap = harness.eqHeap(z);
        for (uint256 k = 0; k <= 4; ++k) {
            uint256[] memory prefix = headOf(z, k);
            for (uint256 i = 0; i < 1 << k; ++i) {
                require(heap[(1 << k) + i] == plainEqIndex(i, prefix, 1), "eqHeap");
            }
        }
    }

    function testFuzz_ceilLog2_loop_agrees(uint64 n, uint8 shift) public view {
        uint256 size = 1 + (uint256(n) >> (shift % 64));
        require(harness.ceilLog2(size) == log(size), "ceilLog2");
        for (uint256 k = 0; k <= 64; ++k) {
            require(harness.ceilLog2(1 << k) == k, "power of two");
            if (k < 64) require(harness.ceilLog2((1 << k) + 1) == k + 1, "above a power of two");
        }
    }

    function testFuzz_identityAndLessThan_sums_agree(uint256 seed, uint8 size, uint256 n) public view {
        uint256[] memory z = point(seed, size % 9);
        n = n % (1 + (1 << z.length));
        uint256 below;
        uint256 index;
        for (uint256 i = 0; i < 1 << z.length; ++i) {
            uint256 weight = plainEqIndex(i, z, 1);
            if (i < n) below = addmod(below, weight, FR);
            index = addmod(index, mulmod(i, weight, FR), FR);
        }
        require(harness.lessThan(n, z) == below, "lessThan");
        require(harness.identity(z) == index, "identity");
    }

    function testFuzz_causal_sum_agrees(uint256 seed, uint8 size, uint256 n) public view {
        uint256[] memory j = point(seed, size % 5);
        uint256[] memory i = point(~seed, j.length);
        n = n % (1 + (1 << i.length));
        uint256 sum;
        for (uint256 row = 0; row < n; ++row) {
            for (uint256 col = 0; col <= row; ++col) {
                sum = addmod(sum, mulmod(plainEqIndex(row, i, 1), plainEqIndex(col, j, 1), FR), FR);
            }
        }
        require(harness.causal(n, j, i) == sum, "causal");
    }

    function testFuzz_inverse_product_isOne(uint256 a) public view {
        a = 1 + a % (FR - 1);
        require(mulmod(a, harness.inverse(a), FR) == 1, "inverse");
    }

    function test_inverse_zero_reverts() public view {
        try harness.inverse(0) {
            revert("accepted");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IProofVerifier.PrecompileFailed.selector, "other error");
        }
    }

    /* PUBLIC TENSORS */

    /// @dev Rank 1 to 4, elements of 1, 2 or 4 bytes, against the sum over all cells.
    function testFuzz_evaluate_plainSum_agrees(uint256 seed, uint8 rank, uint8 kind) public view {
        uint256[] memory dims = dimsOf(seed, 1 + rank % 4);
        uint256 width = 1 << (kind % 3);
        (uint256 count, uint256 variables) = (1, 0);
        for (uint256 i = 0; i < dims.length; ++i) {
            count *= dims[i];
            variables += log(dims[i]);
        }
        bytes memory elements = randomBytes(seed, count * width);
        uint256[] memory z = point(seed, variables);
        require(inspector.evaluate(elements, width, dims, z) == plainSum(elements, width, dims, z), "evaluate");
    }

    /// @dev Longer rows than a block, with and without a partial one.
    function test_evaluate_longRows_agree() public view {
        uint256[6] memory sizes = [uint256(33), 64, 96, 100, 352, 784];
        for (uint256 k = 0; k < sizes.length; ++k) {
            for (uint256 width = 1; width <= 4; width *= 2) {
                uint256[] memory dims = new uint256[](2);
                (dims[0], dims[1]) = (3, sizes[k]);
                bytes memory elements = randomBytes(k, 3 * sizes[k] * width);
                uint256[] memory z = point(k, 2 + log(sizes[k]));
                require(inspector.evaluate(elements, width, dims, z) == plainSum(elements, width, dims, z), "evaluate");
            }
        }
    }

    /// @dev Elements and coordinates that are as large or as small as they may be, in one word and in several.
    function test_evaluate_extremes_agree() public view {
        bytes4 patterns = 0x807fff00;
        uint256[4] memory coordinates = [uint256(0), 1, FR - 1, FR / 2];
        uint256[] memory dims = new uint256[](1);
        for (dims[0] = 32; dims[0] <= 128; dims[0] += 96) {
            uint256[] memory z = new uint256[](log(dims[0]));
            for (uint256 k = 0; k < 16; ++k) {
                bytes memory elements = new bytes(dims[0]);
                for (uint256 i = 0; i < dims[0]; ++i) {
                    // Every second element is the next pattern in the second half of the cases.
                    elements[i] = patterns[(k % 4 + (k / 8) * (i % 2)) % 4];
                }
                for (uint256 i = 0; i < z.length; ++i) {
                    z[i] = coordinates[(k / 4 + i * (k % 2)) % 4];
                }
                require(inspector.evaluate(elements, 1, dims, z) == plainSum(elements, 1, dims, z), "evaluate");
            }
        }
    }

    function plainSum(bytes memory elements, uint256 width, uint256[] memory dims, uint256[] memory z)
        private
        pure
        returns (uint256 sum)
    {
        for (uint256 i = 0; i < elements.length / width; ++i) {
            uint256 value = addmod(uint256(int256(FR) + elementAt(elements, width, i)), 0, FR);
            sum = addmod(sum, mulmod(value, plainEqIndex(cellOf(dims, i), z, 1), FR), FR);
        }
    }

    function testFuzz_oneHot_plainSum_agrees(uint256 seed, uint8 size, uint8 tail) public view {
        uint256 count = 1 + size % 9;
        uint256 bits = 1 + tail % 7;
        uint256[] memory z = point(seed, log(count) + bits);
        uint256[] memory q = tailOf(z, bits);
        uint256[] memory p = headOf(z, log(count));
        bytes memory tokens = new bytes(2 * count);
        uint256 sum;
        for (uint256 t = 0; t < count; ++t) {
            uint256 token = uint256(keccak256(abi.encode(seed, t))) % (1 << bits);
            tokens[2 * t + 1] = bytes1(uint8(token));
            sum = addmod(sum, mulmod(plainEqIndex(t, p, 1), plainEqIndex(token, q, 1), FR), FR);
        }
        require(inspector.oneHot(tokens, 2, z) == sum, "oneHot");
    }

    function test_oneHot_tokenOutsideVocabulary_reverts() public view {
        uint256[] memory z = point(1, 3);
        inspector.oneHot(hex"0007", 2, z);
        try inspector.oneHot(hex"0008", 2, z) {
            revert("accepted");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IProofVerifier.MalformedProgram.selector, "other error");
        }
    }

    function testFuzz_range_plainLoop_agrees(uint256 seed, uint8 size, uint8 kind, int32 a, int32 b) public view {
        uint256 width = 1 << (kind % 3);
        uint256 count = 1 + size % 90;
        // Mostly wide ranges, so that the first element outside is often not the first of all.
        (int256 lo, int256 hi) = a < b ? (int256(a), int256(b)) : (int256(b), int256(a));
        if (seed % 3 == 0) (lo, hi) = (lo / 2 ** 24, hi / 2 ** 24);
        int256 bound = int256(1) << (8 * width - 1);
        if (seed % 7 == 0) (lo, hi) = (-bound, bound - 2);
        bytes memory elements = randomBytes(seed, count * width);
        bytes memory expected;
        for (uint256 i = 0; i < count && expected.length == 0; ++i) {
            int256 element = elementAt(elements, width, i);
            if (element < lo || element > hi) {
                expected = abi.encodeWithSelector(IProofVerifier.OutputOutOfRange.selector, i, element, lo, hi);
            }
        }
        try inspector.digest(elements, width, 1, count, lo, hi, true) {
            require(expected.length == 0, "an element outside was not found");
        } catch (bytes memory reason) {
            require(keccak256(reason) == keccak256(expected), "first element outside");
        }
    }

    /// @dev Every value of a byte against tight bounds, at every place of a word and of a partial word.
    function test_range_everyByteAndPlace_isExact() public view {
        bytes memory elements = new bytes(41);
        for (uint256 place = 0; place < elements.length; place += 3) {
            for (uint256 byte_ = 0; byte_ < 256; ++byte_) {
                elements[place] = bytes1(uint8(byte_));
                int256 value = int8(uint8(byte_));
                bool inside = value >= -5 && value <= 7;
                try inspector.digest(elements, 1, 1, elements.length, -5, 7, false) {
                    require(inside, "outside, not found");
                } catch (bytes memory reason) {
                    require(!inside, "inside, refused");
                    require(bytes4(reason) == IProofVerifier.InputOutOfRange.selector, "other error");
                }
            }
            elements[place] = 0;
        }
    }

    /* HELPERS */

    function words(string memory json, string memory key) private pure returns (uint256[] memory result) {
        bytes32[] memory raw = vm.parseJsonBytes32Array(json, key);
        assembly ("memory-safe") {
            result := raw
        }
    }

    function requireSame(uint256[] memory a, uint256[] memory b) private pure {
        require(keccak256(abi.encode(a)) == keccak256(abi.encode(b)), "words differ");
    }

    function cut(bytes memory text, uint256 size) private pure returns (bytes memory result) {
        result = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            result[i] = text[i];
        }
    }

    function point(uint256 seed, uint256 size) private pure returns (uint256[] memory result) {
        result = new uint256[](size);
        for (uint256 i = 0; i < size; ++i) {
            result[i] = uint256(keccak256(abi.encode(seed, i))) % FR;
            // Booleans and the highest value now and then.
            if (seed % 5 == 0 && i % 3 == 0) result[i] = seed % 2;
            if (seed % 11 == 0 && i % 4 == 1) result[i] = FR - 1;
        }
    }

    function tailOf(uint256[] memory a, uint256 size) private pure returns (uint256[] memory result) {
        result = new uint256[](size);
        for (uint256 i = 0; i < size; ++i) {
            result[i] = a[a.length - size + i];
        }
    }

    /// @dev factor times the product over the index's bits of z or 1 - z.
    function plainEqIndex(uint256 index, uint256[] memory z, uint256 factor) private pure returns (uint256 product) {
        product = factor;
        for (uint256 k = 0; k < z.length; ++k) {
            bool bit = (index >> (z.length - 1 - k)) & 1 == 1;
            product = mulmod(product, bit ? z[k] : addmod(1, FR - z[k], FR), FR);
        }
    }

    function log(uint256 n) private pure returns (uint256 result) {
        while (2 ** result < n) ++result;
    }

    function dimsOf(uint256 seed, uint256 rank) private pure returns (uint256[] memory dims) {
        dims = new uint256[](rank);
        for (uint256 i = 0; i < rank; ++i) {
            dims[i] = 1 + uint256(keccak256(abi.encode(seed, "dim", i))) % (rank == 1 ? 70 : 6);
        }
    }

    /// @dev The index in the padded tensor of element `i`.
    function cellOf(uint256[] memory dims, uint256 i) private pure returns (uint256 cell) {
        uint256 shift;
        for (uint256 axis = dims.length; axis != 0; --axis) {
            cell |= (i % dims[axis - 1]) << shift;
            shift += log(dims[axis - 1]);
            i /= dims[axis - 1];
        }
    }

    function headOf(uint256[] memory a, uint256 size) private pure returns (uint256[] memory result) {
        result = new uint256[](size);
        for (uint256 i = 0; i < size; ++i) {
            result[i] = a[i];
        }
    }

    function randomBytes(uint256 seed, uint256 size) private pure returns (bytes memory result) {
        result = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            result[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, "element", i)))));
        }
    }

    function elementAt(bytes memory elements, uint256 width, uint256 i) private pure returns (int256) {
        uint256 value;
        for (uint256 k = 0; k < width; ++k) {
            value = (value << 8) | uint8(elements[width * i + k]);
        }
        uint256 shift = 256 - 8 * width;
        return int256(value << shift) >> shift;
    }
}
