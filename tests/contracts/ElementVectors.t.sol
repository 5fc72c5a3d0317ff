// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ContractionAdjudicator} from "../../contracts/adjudication/ContractionAdjudicator.sol";
import {RowAdjudicator} from "../../contracts/adjudication/RowAdjudicator.sol";
import {IAdjudicator} from "../../contracts/interfaces/IAdjudicator.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {Cheats} from "./Cheats.sol";

/// @notice The cheatcodes that read the shared vectors.
interface ElementVm {
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function readFile(string calldata path) external view returns (string memory);
}

/// @notice A claim as executed, and the same with one element falsified.
struct ElementVector {
    Claim claim;
    bytes evidence;
    bytes32 falseDigest;
    bytes falseEvidence;
}

/// @notice Claims about one operator of each opcode, as Python executes and commits it (tests/vectors/elements.json).
contract ElementVectorsTest is Cheats {
    ElementVm private constant vectors = ElementVm(address(vm));
    uint256 private constant FIRST_ROW_OPCODE = 0x08;
    uint256 private constant LAST_OPCODE = 0x0e;
    uint64 private constant WHOLE = type(uint64).max;

    IAdjudicator private contraction;
    IAdjudicator private rows;
    ElementVector[] private known;

    function setUp() public {
        (contraction, rows) = (new ContractionAdjudicator(), new RowAdjudicator());
        string memory json = vectors.readFile("tests/vectors/elements.json");
        for (uint256 i = 0; vectors.keyExistsJson(json, key(i, "")); ++i) {
            ElementVector storage v = known.push();
            v.claim.desc = vectors.parseJsonBytes(json, key(i, ".desc"));
            v.claim.elem = uint64(vectors.parseJsonUint(json, key(i, ".elem")));
            v.claim.inDigests = vectors.parseJsonBytes32Array(json, key(i, ".inDigests"));
            v.claim.outDigest = vectors.parseJsonBytes32(json, key(i, ".outDigest"));
            v.evidence = vectors.parseJsonBytes(json, key(i, ".evidence"));
            v.falseDigest = vectors.parseJsonBytes32(json, key(i, ".falseDigest"));
            bytes memory output = vectors.parseJsonBytes(json, key(i, ".falseOutput"));
            v.falseEvidence = bytes.concat(cut(v.evidence, vectors.parseJsonUint(json, key(i, ".output"))), output);
        }
    }

    function key(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat("[", vm.toString(index), "]", field);
    }

    function cut(bytes memory content, uint256 size) private pure returns (bytes memory part) {
        part = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            part[i] = content[i];
        }
    }

    function adjudicatorOf(Claim memory claim) private view returns (IAdjudicator) {
        return uint8(claim.desc[1]) < FIRST_ROW_OPCODE ? contraction : rows;
    }

    function ask(Claim memory claim, bytes memory evidence) private view returns (Verdict) {
        return adjudicatorOf(claim).adjudicate(claim, evidence);
    }

    function assertNoVerdict(Claim memory claim, bytes memory evidence) private view {
        try adjudicatorOf(claim).adjudicate(claim, evidence) returns (Verdict verdict) {
            revert AssertionFailed("a verdict", uint256(verdict), uint256(Verdict.NONE));
        } catch {}
    }

    function pick(uint256 seed) private view returns (Claim memory, bytes memory) {
        ElementVector memory v = known[seed % known.length];
        if (seed >> 128 & 1 == 0) return (v.claim, v.evidence);
        v.claim.outDigest = v.falseDigest;
        return (v.claim, v.falseEvidence);
    }

    function test_vectors__every_opcode_in_order() public view {
        assertEq(known.length, LAST_OPCODE, "vectors");
        for (uint256 i = 0; i < known.length; ++i) {
            assertEq(uint8(known[i].claim.desc[1]), i + 1, "opcode");
        }
    }

    function test_adjudicate__as_executed__consistent() public view {
        for (uint256 i = 0; i < known.length; ++i) {
            Verdict verdict = ask(known[i].claim, known[i].evidence);
            assertEq(uint256(verdict), uint256(Verdict.CONSISTENT), vm.toString(i));
        }
    }

    function test_adjudicate__one_off__inconsistent_in_the_element_and_the_whole() public view {
        for (uint256 i = 0; i < known.length; ++i) {
            ElementVector memory v = known[i];
            v.claim.outDigest = v.falseDigest;
            assertEq(uint256(ask(v.claim, v.falseEvidence)), uint256(Verdict.INCONSISTENT), vm.toString(i));
            v.claim.elem = WHOLE;
            assertEq(uint256(ask(v.claim, v.falseEvidence)), uint256(Verdict.INCONSISTENT), vm.toString(i));
        }
    }

    function test_adjudicate__evidence_of_another_digest__no_verdict() public view {
        for (uint256 i = 0; i < known.length; ++i) {
            ElementVector memory v = known[i];
            assertNoVerdict(v.claim, v.falseEvidence);
            v.claim.outDigest = v.falseDigest;
            assertNoVerdict(v.claim, v.evidence);
        }
    }

    function testFuzz_adjudicate__one_bit_of_evidence_flipped__no_verdict(uint256 seed, uint256 at, uint8 bit)
        public
        view
    {
        (Claim memory claim, bytes memory evidence) = pick(seed);
        at = bound(at, 0, evidence.length - 1);
        evidence[at] ^= bytes1(uint8(1 << (bit & 7)));
        assertNoVerdict(claim, evidence);
    }

    function testFuzz_adjudicate__evidence_cut__no_verdict(uint256 seed, uint256 size) public view {
        (Claim memory claim, bytes memory evidence) = pick(seed);
        assertNoVerdict(claim, cut(evidence, bound(size, 0, evidence.length - 1)));
    }

    function testFuzz_adjudicate__evidence_with_more__no_verdict(uint256 seed, bytes memory more) public view {
        (Claim memory claim, bytes memory evidence) = pick(seed);
        if (more.length != 0) assertNoVerdict(claim, bytes.concat(evidence, more));
    }

    function testFuzz_adjudicate__random_evidence__no_verdict(uint256 seed, bytes memory evidence) public view {
        (Claim memory claim,) = pick(seed);
        assertNoVerdict(claim, evidence);
    }

    function testFuzz_adjudicate__little_gas__never_the_other_verdict(uint256 seed, uint256 gas_) public view {
        (Claim memory claim, bytes memory evidence) = pick(seed);
        bool isFalse = seed >> 128 & 1 == 1;
        try adjudicatorOf(claim).adjudicate{gas: bound(gas_, 5_000, 400_000)}(claim, evidence) returns (Verdict v) {
            assertTrue(v == (isFalse ? Verdict.INCONSISTENT : Verdict.CONSISTENT), "the other verdict");
        } catch {}
    }
}
