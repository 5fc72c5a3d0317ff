// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {FR} from "../../contracts/verifiers/Field.sol";
import {PublicShape} from "../../contracts/verifiers/Program.sol";
import {VerifierFixture} from "./VerifierFixture.sol";
import {VerifierHarness} from "./VerifierHarness.sol";

/// @notice The verifier's libraries on the shared vectors of single arguments, and against plain computations.
contract VerifierLibrariesTest is VerifierFixture {
    VerifierHarness private harness;

    function setUp() public {
        harness = new VerifierHarness();
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

    function test_logUp_vectors_match() public view {
        string memory json = readVectors("logup.json");
        uint256 count;
        for (; vm.keyExistsJson(json, at(count)); ++count) {
            (bytes memory tensors, bytes memory instruction) = buildLogUp(json, at(count));
            (uint256[] memory zeta, uint256[] memory values) = harness.logUp(
                vm.parseJsonBytes(json, string.concat(at(count), ".proof")),
                vm.parseJsonUint(json, string.concat(at(count), ".seed")),
                tensors,
                instruction,
                vm.parseJsonUint(json, string.concat(at(count), ".beta")),
                vm.parseJsonUint(json, string.concat(at(count), ".alpha"))
            );
            requireSame(zeta, words(json, string.concat(at(count), ".zeta")));
            uint256[] memory sent = vm.parseJsonUintArray(json, string.concat(at(count), ".sent"));
            uint256[] memory expected = words(json, string.concat(at(count), ".values"));
            for (uint256 i = 0; i < sent.length; ++i) {
                // The vectors' tensors have no public ones; here they follow the two public ids.
                require(values[sent[i] + 2] == expected[i], "leaf value");
            }
        }
        require(count >= 2, "vectors are missing");
    }

    /// @dev Encodes a vector's blocks as the arguments of LOGUP (FORMAT.md 3.5), tensor ids moved by two.
    function buildLogUp(string memory json, string memory root)
        private
        view
        returns (bytes memory tensors, bytes memory instruction)
    {
        uint256[] memory variables = new uint256[](64);
        (uint256 blocks, uint256 highest) = (0, 0);
        for (; vm.keyExistsJson(json, string.concat(root, ".blocks", at(blocks))); ++blocks) {
            string memory key = string.concat(root, ".blocks", at(blocks));
            uint8 n = uint8(vm.parseJsonUint(json, string.concat(key, ".n")));
            bytes memory columns;
            uint8 count;
            for (; vm.keyExistsJson(json, string.concat(key, ".columns", at(count))); ++count) {
                string memory column = string.concat(key, ".columns", at(count));
                uint256 tensor = vm.parseJsonUint(json, string.concat(column, ".tensor")) + 2;
                uint32 addend = uint32(vm.parseJsonUint(json, string.concat(column, ".addend")));
                columns = bytes.concat(columns, abi.encodePacked(uint16(tensor), addend));
                variables[tensor] = n;
                if (tensor > highest) highest = tensor;
            }
            bool isTable = vm.parseJsonBool(json, string.concat(key, ".table"));
            uint8 id = uint8(vm.parseJsonUint(json, string.concat(key, ".tableId")));
            instruction =
                bytes.concat(instruction, abi.encodePacked(isTable ? uint8(1) : uint8(0), n, id, count, columns));
        }
        uint8 lambda = uint8(vm.parseJsonUint(json, string.concat(root, ".lambda")));
        instruction = bytes.concat(abi.encodePacked(lambda, uint16(blocks)), instruction);
        for (uint256 i = 0; i <= highest; ++i) {
            tensors = bytes.concat(tensors, abi.encodePacked(uint8(1), uint8(variables[i]), uint48(0)));
        }
    }

    function test_hyperKzg_vectors_succeed() public view {
        string memory json = readVectors("hyperkzg.json");
        uint256[4] memory tau = readTau(readVectors("proofs.json"));
        uint256 count;
        for (; vm.keyExistsJson(json, at(count)); ++count) {
            openVector(json, at(count), tau, 0);
        }
        require(count >= 3, "vectors are missing");
    }

    function test_hyperKzg_otherValue_reverts() public view {
        string memory json = readVectors("hyperkzg.json");
        uint256[4] memory tau = readTau(readVectors("proofs.json"));
        for (uint256 i = 0; vm.keyExistsJson(json, at(i)); ++i) {
            try this.openVector(json, at(i), tau, 1) {
                revert("accepted");
            } catch (bytes memory reason) {
                require(bytes4(reason) == IProofVerifier.OpeningMismatch.selector, "other error");
            }
        }
    }

    function test_hyperKzg_otherTau_reverts() public view {
        string memory json = readVectors("hyperkzg.json");
        // [1]_2: the reference string of tau = 1.
        uint256[4] memory tau = [
            11559732032986387107991004021392285783925812861821192530917403151452391805634,
            10857046999023057135944570762232829481370756359578518086990519993285655852781,
            4082367875863433681332203403145435568316851327593401208105741076214120093531,
            8495653923123431417604973247489272438418190587263600148770280649306958101930
        ];
        try this.openVector(json, at(1), tau, 0) {
            revert("accepted");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IProofVerifier.PairingFailed.selector, "other error");
        }
    }

    function openVector(string memory json, string memory root, uint256[4] memory tau, uint256 offset) public view {
        harness.open(
            vm.parseJsonBytes(json, string.concat(root, ".proof")),
            vm.parseJsonUint(json, string.concat(root, ".seed")),
            vm.parseJsonBytes(json, string.concat(root, ".commitment")),
            words(json, string.concat(root, ".point")),
            addmod(vm.parseJsonUint(json, string.concat(root, ".value")), offset, FR),
            tau
        );
    }

    /* DIGESTS */

    /// @dev Expected values from offchain.commit.digest on bytes (i^2 + 3i) mod 256: three tiles, two tiles of int16,
    /// exactly one tile, one byte.
    function test_digest_pythonValues_match() public view {
        bytes memory text = pattern(2500);
        require(
            harness.digest(text, 1, 50, 50) == 0x4dd4dd4d7c6bcb00fb5ad09d91a84406cd820bd4c062f26392b8f9a14930d73d,
            "three tiles"
        );
        require(
            harness.digest(cut(text, 1400), 2, 7, 100)
                == 0x4fc25d88ad27eb4ffc0ddc6fe1ccd5cb4e950057834db178f811a4301e5baeef,
            "two tiles"
        );
        require(
            harness.digest(cut(text, 1024), 1, 32, 32)
                == 0x37d174118237bdd9267a450a2dcf40e893d03d0204c3bfcec46e77b8492f8847,
            "one tile"
        );
        require(
            harness.digest(hex"05", 1, 1, 1) == 0x1ed063da791470d20954edc568707f27005e19624b68e3a840c620cc15d411ef,
            "one byte"
        );
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
            require(suffixes[l] == harness.eq(tail(a, l), tail(b, l), 1), "eqSuffixes");
        }
    }

    function testFuzz_identityAndLessThan_sums_agree(uint256 seed, uint8 size, uint256 n) public view {
        uint256[] memory z = point(seed, size % 9);
        n = 1 + n % (1 << z.length);
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

    function testFuzz_evaluate_plainSum_agrees(uint256 seed, uint8 rows, uint8 cols, bool wide) public view {
        PublicShape memory shape = shapeOf(rows, cols, wide);
        bytes memory elements = randomBytes(seed, shape);
        uint256[] memory z = point(seed, log(shape.rows) + log(shape.cols));
        uint256 sum;
        for (uint256 i = 0; i < shape.rows * shape.cols; ++i) {
            uint256 cell = ((i / shape.cols) << log(shape.cols)) + i % shape.cols;
            uint256 value = addmod(uint256(int256(FR) + elementAt(elements, shape, i)), 0, FR);
            sum = addmod(sum, mulmod(value, plainEqIndex(cell, z, 1), FR), FR);
        }
        require(harness.evaluate(elements, shape, z) == sum, "evaluate");
    }

    function testFuzz_findOutside_plainLoop_agrees(uint256 seed, uint8 rows, uint8 cols, bool wide, int16 a, int16 b)
        public
        view
    {
        PublicShape memory shape = shapeOf(rows, cols, wide);
        // Mostly wide ranges, so that the first element outside is often not the first of all.
        (shape.lo, shape.hi) = a < b ? (int256(a), int256(b)) : (int256(b), int256(a));
        if (seed % 3 == 0) (shape.lo, shape.hi) = (shape.lo / 256, shape.hi / 256);
        if (seed % 7 == 0) (shape.lo, shape.hi) = wide ? (-32768, int256(32766)) : (-127, int256(127));
        bytes memory elements = randomBytes(seed, shape);
        (bool found, uint256 position, int256 value) = harness.findOutside(elements, shape);
        for (uint256 i = 0; i < shape.rows * shape.cols; ++i) {
            int256 element = elementAt(elements, shape, i);
            if (element < shape.lo || element > shape.hi) {
                require(found && position == i && value == element, "first element outside");
                return;
            }
        }
        require(!found, "found none");
    }

    /// @dev Every value of a byte against tight bounds, at every place of a word and of a partial word.
    function test_findOutside_everyByte_succeeds() public view {
        PublicShape memory shape = PublicShape(1, 1, 45, -3, 16);
        for (uint256 i = 0; i < 45; ++i) {
            for (int256 v = -128; v < 128; v += i == 31 || i == 44 ? int256(1) : int256(19)) {
                bytes memory elements = new bytes(45);
                elements[i] = bytes1(uint8(int8(v)));
                (bool found, uint256 position,) = harness.findOutside(elements, shape);
                require(found == (v < -3 || v > 16), "found");
                require(!found || position == i, "position");
            }
        }
    }

    /* TRANSCRIPT EDGES */

    function test_openMessage_empty_isLeftOut() public view {
        // The message of the three zero words, nothing else.
        bytes32 state = keccak256(abi.encode(0, 3, 0, 0, 0));
        require(harness.readOpenMessage("", 8, 0) == uint256(state) % FR, "empty");
        state = keccak256(abi.encode(0, 3, 0, 0, 0, (8 << 64) + 2, 7, 9));
        require(harness.readOpenMessage(abi.encode(7, 9), 8, 2) == uint256(state) % FR, "two scalars");
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

    function tail(uint256[] memory a, uint256 size) private pure returns (uint256[] memory result) {
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

    function shapeOf(uint8 rows, uint8 cols, bool wide) private pure returns (PublicShape memory) {
        return PublicShape(wide ? 2 : 1, 1 + rows % 7, 1 + cols % 71, 0, 0);
    }

    function randomBytes(uint256 seed, PublicShape memory shape) private pure returns (bytes memory result) {
        result = new bytes(shape.rows * shape.cols * shape.bytesPerElement);
        for (uint256 i = 0; i < result.length; ++i) {
            result[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, "element", i)))));
        }
    }

    function elementAt(bytes memory elements, PublicShape memory shape, uint256 i) private pure returns (int256) {
        if (shape.bytesPerElement == 1) return int8(uint8(elements[i]));
        return int16(uint16(uint8(elements[2 * i])) << 8 | uint16(uint8(elements[2 * i + 1])));
    }
}
