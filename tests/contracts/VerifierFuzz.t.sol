// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FQ, FR} from "../../contracts/verifiers/Field.sol";
import {VerifierCore} from "../../contracts/verifiers/VerifierCore.sol";
import {Submission, VerifierFixture} from "./VerifierFixture.sol";

/// @notice Mutated and arbitrary proofs and keys: never accepted, always a typed error, never more gas than an honest
/// proof and its margin.
contract VerifierFuzzTest is VerifierFixture {
    bytes4 private constant PANIC = 0x4e487b71;
    /// @dev Enough to inspect the largest key, which fills a data contract.
    uint256 private constant INSPECTION_GAS = 20_000_000;
    /// @dev What a mutation may cost above the honest proof: longer calldata, a stop at another place, multiples of points
    /// that are infinity in the honest one.
    uint256 private constant MARGIN_PERCENT = 6;

    VerifierCore private verifier;
    Submission private submission;
    uint256 private honestGas;

    function setUp() public {
        string memory json = readVectors("proofs.json");
        verifier = deployVerifier(json);
        submission = readSubmission(json, at(0));
        installKey(submission.key);
        (bool success,, uint256 gas) = call(submission, gasleft());
        require(success, "the honest proof is refused");
        honestGas = gas;
    }

    /* HELPERS */

    function call(Submission memory s, uint256 limit)
        private
        view
        returns (bool success, bytes memory reason, uint256 gas)
    {
        bytes memory data = abi.encodeCall(verifier.verify, (s.statement, KEY, s.input, s.output, s.proof));
        address target = address(verifier);
        gas = gasleft();
        (success, reason) = target.staticcall{gas: limit}(data);
        gas -= gasleft();
    }

    /// @dev Draws from a seed, a new one every time.
    function draw(uint256 seed, uint256 bound) private pure returns (uint256 next, uint256 value) {
        next = uint256(keccak256(abi.encode(seed)));
        value = (next >> 128) % bound;
    }

    /// @dev A word that means something to a field: 0, 1, r - 1, r, q - 1, q, the largest, or one of the bytes' own.
    function drawWord(bytes memory data, uint256 seed) private pure returns (uint256 next, uint256 word) {
        uint256 choice;
        (next, choice) = draw(seed, 8);
        uint256[7] memory words = [0, 1, FR - 1, FR, FQ - 1, FQ, type(uint256).max];
        if (choice < 7) return (next, words[choice]);
        (next, choice) = draw(next, data.length / 32);
        return (next, load(data, 32 * choice));
    }

    function load(bytes memory data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }

    function store(bytes memory data, uint256 offset, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(data, 0x20), offset), word)
        }
    }

    /// @dev data[from:to] copied.
    function slice(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory piece) {
        piece = new bytes(to - from);
        for (uint256 i = from; i < to; ++i) {
            piece[i - from] = data[i];
        }
    }

    /// @dev One to three changes: a bit, a byte, a word, two words exchanged, bytes taken out, put in or cut off.
    function mutate(bytes memory data, uint256 seed) private pure returns (bytes memory) {
        uint256 rounds;
        (seed, rounds) = draw(seed, 3);
        for (++rounds; rounds != 0 && data.length >= 64; --rounds) {
            uint256 kind;
            uint256 offset;
            uint256 word;
            (seed, kind) = draw(seed, 7);
            (seed, offset) = draw(seed, data.length - 32);
            (seed, word) = drawWord(data, seed);
            if (kind > 1) offset -= offset % 32;
            if (kind == 0) {
                data[offset] ^= bytes1(uint8(1 << (seed & 7)));
            } else if (kind == 1) {
                data[offset] = bytes1(uint8(seed));
            } else if (kind == 2) {
                store(data, offset, word);
            } else if (kind == 3) {
                (word, data) = exchange(data, offset, seed);
            } else if (kind == 4) {
                data = bytes.concat(slice(data, 0, offset), slice(data, offset + 32, data.length));
            } else if (kind == 5) {
                data = bytes.concat(slice(data, 0, offset), bytes32(word), slice(data, offset, data.length));
            } else {
                data = slice(data, 0, offset);
            }
        }
        return data;
    }

    function exchange(bytes memory data, uint256 a, uint256 seed) private pure returns (uint256, bytes memory) {
        (, uint256 b) = draw(seed, data.length - 31);
        b -= b % 32;
        (uint256 first, uint256 second) = (load(data, a), load(data, b));
        store(data, a, second);
        store(data, b, first);
        return (first, data);
    }

    function requireTyped(bytes memory reason) private pure {
        require(reason.length >= 4, "no error");
        require(bytes4(reason) != PANIC, "panic");
    }

    function requireRefused(Submission memory s) private view {
        (bool success, bytes memory reason, uint256 gas) = call(s, gasleft());
        require(!success, "accepted");
        requireTyped(reason);
        require(gas <= honestGas + honestGas * MARGIN_PERCENT / 100, "costs more than an honest proof");
    }

    /* PROOFS */

    function testFuzz_verify_mutatedProof_reverts(uint256 seed) public view {
        Submission memory s = submission;
        s.proof = mutate(s.proof, seed);
        if (keccak256(s.proof) == keccak256(submission.proof)) return;
        requireRefused(s);
    }

    function testFuzz_verify_arbitraryProof_reverts(bytes calldata proof) public view {
        Submission memory s = submission;
        s.proof = proof;
        requireRefused(s);
    }

    function testFuzz_verify_arbitraryTail_reverts(uint256 seed, bytes calldata tail) public view {
        Submission memory s = submission;
        (, uint256 offset) = draw(seed, s.proof.length - 31);
        s.proof = bytes.concat(slice(s.proof, 0, offset - offset % 32), tail);
        if (keccak256(s.proof) == keccak256(submission.proof)) return;
        requireRefused(s);
    }

    function testFuzz_verify_mutatedPublicTensors_reverts(uint256 seed) public view {
        Submission memory s = submission;
        (uint256 next, uint256 offset) = draw(seed, s.input.length);
        if (seed & 1 == 0) s.input[offset] ^= bytes1(uint8(1 + (next & 0x7f)));
        else s.output[offset % s.output.length] ^= bytes1(uint8(1 + (next & 0x7f)));
        requireRefused(s);
    }

    /* KEYS */

    /// @dev A changed key is another key, if it is one: it has another hash, and the proof is none for it.
    function testFuzz_inspect_mutatedKey_revertsOrDiffers(uint256 seed) public {
        Submission memory s = submission;
        s.key = mutate(s.key, seed);
        if (keccak256(s.key) == keccak256(submission.key)) return;
        installKey(s.key);
        try verifier.inspect{gas: INSPECTION_GAS}(KEY) returns (
            bytes32 vkHash, bytes32, bytes32 programHash, bytes32 srsId, uint256 opCount
        ) {
            require(vkHash == keccak256(s.key) && vkHash != keccak256(submission.key), "hash");
            (s.statement.programHash, s.statement.opRange, s.statement.srsId) = (programHash, opCount, srsId);
            (bool success, bytes memory reason,) = call(s, gasleft());
            require(!success, "accepted");
            requireTyped(reason);
        } catch (bytes memory reason) {
            requireTyped(reason);
        }
    }

    function testFuzz_inspect_arbitraryKey_reverts(bytes calldata key) public {
        installKey(key);
        try verifier.inspect{gas: INSPECTION_GAS}(KEY) {
            revert("accepted");
        } catch (bytes memory reason) {
            requireTyped(reason);
        }
    }

    /// @dev An arbitrary program in an otherwise good key.
    function testFuzz_inspect_arbitraryProgram_reverts(bytes calldata program) public {
        bytes memory key = submission.key;
        bytes memory frame = bytes.concat(slice(key, 0, 64), bytes4(uint32(program.length)), program);
        installKey(bytes.concat(frame, slice(key, key.length - 64, key.length)));
        try verifier.inspect{gas: INSPECTION_GAS}(KEY) {
            revert("accepted");
        } catch (bytes memory reason) {
            requireTyped(reason);
        }
    }
}
