// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CursorLib} from "../../contracts/adjudication/Cursor.sol";
import {PartKeyReader} from "../../contracts/adjudication/PartKey.sol";
import {ProofAdjudicator} from "../../contracts/adjudication/ProofAdjudicator.sol";
import {TileReader} from "../../contracts/adjudication/TileReader.sol";
import {IModelRegistry} from "../../contracts/interfaces/IModelRegistry.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {VerifierCore} from "../../contracts/verifiers/VerifierCore.sol";
import {VerifierFixture} from "./VerifierFixture.sol";

/// @notice A registry that knows one version.
contract OneVersion {
    bytes32 private immutable VERSION;
    address private immutable VERIFIER;

    constructor(bytes32 version, address verifier) {
        (VERSION, VERIFIER) = (version, verifier);
    }

    function getVerifier(bytes32 version) external view returns (address) {
        if (version != VERSION) revert IModelRegistry.UnknownVersion(version);
        return VERIFIER;
    }
}

/// @notice A verifier that accepts anything, with a key of another hash.
contract OtherKeyVerifier {
    function getVerifier(bytes32) external view returns (address) {
        return address(this);
    }

    fallback() external {
        assembly {
            mstore(0, 1)
            return(0, 0x20)
        }
    }
}

/// @notice Real proofs about operators and rows (tests/vectors/parts.json): both verdicts, and what must decide nothing.
contract ProofAdjudicatorTest is VerifierFixture {
    /// @notice A vector: a true claim and a claim about a changed output, with evidence about each.
    struct Part {
        Claim claim;
        bytes32 wrongDigest;
        bytes evidence;
        bytes wrongEvidence;
        uint256 proofBytes;
    }

    uint256 private constant OPERATOR_0 = 0;
    uint256 private constant ROW_0 = 1;
    uint256 private constant OPERATOR_1 = 2;
    uint256 private constant ROW_1 = 3;
    uint256 private constant OPERATOR_2 = 4;
    uint256 private constant ROW_2 = 5;
    uint256 private constant COUNT = 6;

    uint256 private constant ROW_SIZE = 8;
    uint64 private constant WHOLE = type(uint64).max;
    uint256 private constant ELEM_AT = 21; // of a row's evidence
    uint256 private constant HEAD_SIZE = 61; // of an operator's evidence
    uint256 private constant KEY_AT = 12; // of opKey in a descriptor

    ProofAdjudicator private adjudicator;
    address private market;
    Part[COUNT] private parts;

    function setUp() public {
        string memory json = readVectors("parts.json");
        VerifierCore verifier = deployTau(abi.decode(vm.parseJsonBytes(json, ".tauG2"), (uint256[4])));
        bytes32 version = vm.parseJsonBytes32(json, ".version");
        adjudicator = new ProofAdjudicator(address(new OneVersion(version, address(verifier))));
        market = vm.parseJsonAddress(json, ".market");
        for (uint256 i = 0; i < COUNT; ++i) {
            readPart(json, version, i);
        }
    }

    function readPart(string memory json, bytes32 version, uint256 index) private {
        string memory root = string.concat(".parts[", vm.toString(index), "]");
        Claim storage claim = parts[index].claim;
        claim.version = version;
        claim.jobId = JobId.wrap(vm.parseJsonBytes32(json, ".jobId"));
        claim.seed = vm.parseJsonBytes32(json, ".seed");
        claim.prover = vm.parseJsonAddress(json, ".prover");
        claim.op = uint32(vm.parseJsonUint(json, string.concat(root, ".op")));
        claim.elem = uint64(bytes8(vm.parseJsonBytes(json, string.concat(root, ".elem"))));
        claim.outDigest = vm.parseJsonBytes32(json, string.concat(root, ".outDigest"));
        claim.inDigests = vm.parseJsonBytes32Array(json, string.concat(root, ".inDigests"));
        claim.desc = vm.parseJsonBytes(json, string.concat(root, ".desc"));
        parts[index].wrongDigest = vm.parseJsonBytes32(json, string.concat(root, ".wrongDigest"));
        parts[index].evidence = vm.parseJsonBytes(json, string.concat(root, ".evidence"));
        parts[index].wrongEvidence = vm.parseJsonBytes(json, string.concat(root, ".wrongEvidence"));
        parts[index].proofBytes = vm.parseJsonUint(json, string.concat(root, ".proofBytes"));
        bytes memory key = vm.parseJsonBytes(json, string.concat(root, ".vk"));
        vm.etch(vm.parseJsonAddress(json, string.concat(root, ".vkData")), bytes.concat(hex"00", key));
    }

    /* CALLS */

    function adjudicate(Claim memory claim, bytes memory evidence) private returns (Verdict) {
        vm.prank(market);
        return adjudicator.adjudicate(claim, evidence);
    }

    function refuse(Claim memory claim, bytes memory evidence) private returns (bytes4) {
        vm.prank(market);
        try adjudicator.adjudicate(claim, evidence) {
            revert("decided");
        } catch (bytes memory reason) {
            require(reason.length >= 4, "reverted without a reason");
            return bytes4(reason);
        }
    }

    function requireRefused(Claim memory claim, bytes memory evidence, bytes4 expected) private {
        require(refuse(claim, evidence) == expected, "other error");
    }

    function requireVerdict(Claim memory claim, bytes memory evidence, Verdict expected) private {
        require(adjudicate(claim, evidence) == expected, "other verdict");
    }

    /// @dev The evidence with `value` in place of its bytes at `offset`.
    function patch(bytes memory evidence, uint256 offset, bytes memory value) private pure returns (bytes memory) {
        for (uint256 i = 0; i < value.length; ++i) {
            evidence[offset + i] = value[i];
        }
        return evidence;
    }

    /* VERDICTS */

    function test_adjudicate_trueOutput_isConsistent() public {
        for (uint256 i = 0; i < COUNT; ++i) {
            requireVerdict(parts[i].claim, parts[i].evidence, Verdict.CONSISTENT);
        }
    }

    function test_adjudicate_otherOutput_isInconsistent() public {
        for (uint256 i = 0; i < COUNT; ++i) {
            Claim memory claim = parts[i].claim;
            claim.outDigest = parts[i].wrongDigest;
            requireVerdict(claim, parts[i].wrongEvidence, Verdict.INCONSISTENT);
        }
    }

    /// @dev A proof of the whole operator covers each element.
    function test_adjudicate_elementByOperator_isDecided() public {
        Claim memory claim = parts[OPERATOR_0].claim;
        claim.elem = 3;
        requireVerdict(claim, parts[OPERATOR_0].evidence, Verdict.CONSISTENT);
        claim.outDigest = parts[OPERATOR_0].wrongDigest;
        requireVerdict(claim, parts[OPERATOR_0].evidence, Verdict.INCONSISTENT);
    }

    /// @dev One wrong row makes the operator wrong; one right row makes nothing right but itself.
    function test_adjudicate_operatorByRow_onlyConvicts() public {
        Claim memory claim = parts[ROW_0].claim;
        claim.elem = WHOLE;
        requireRefused(claim, parts[ROW_0].evidence, ProofAdjudicator.RowOnly.selector);
        claim.outDigest = parts[ROW_0].wrongDigest;
        requireVerdict(claim, parts[ROW_0].wrongEvidence, Verdict.INCONSISTENT);
    }

    /// @dev Another element of the same row is covered by the row's proof.
    function test_adjudicate_elementOfTheRow_isDecided() public {
        Claim memory claim = parts[ROW_2].claim;
        claim.elem = 8;
        bytes memory evidence = patch(parts[ROW_2].evidence, ELEM_AT, abi.encodePacked(claim.elem));
        requireVerdict(claim, evidence, Verdict.CONSISTENT);
    }

    /* ANOTHER STATEMENT */

    function test_adjudicate_anotherJob_reverts() public {
        for (uint256 i = 0; i < COUNT; ++i) {
            Claim memory claim = parts[i].claim;
            claim.jobId = JobId.wrap(bytes32(uint256(1)));
            refuse(claim, parts[i].evidence);
        }
    }

    function test_adjudicate_replayedSeed_reverts() public {
        for (uint256 i = 0; i < COUNT; ++i) {
            Claim memory claim = parts[i].claim;
            claim.seed = keccak256("another dispute");
            refuse(claim, parts[i].evidence);
        }
    }

    function test_adjudicate_noSeed_reverts() public {
        Claim memory claim = parts[ROW_0].claim;
        claim.seed = 0;
        requireRefused(claim, parts[ROW_0].evidence, ProofAdjudicator.NoSeed.selector);
    }

    function test_adjudicate_anotherProver_reverts() public {
        for (uint256 i = 0; i < COUNT; ++i) {
            Claim memory claim = parts[i].claim;
            claim.prover = address(this);
            refuse(claim, parts[i].evidence);
        }
    }

    function test_adjudicate_anotherCaller_reverts() public view {
        for (uint256 i = 0; i < COUNT; ++i) {
            try adjudicator.adjudicate(parts[i].claim, parts[i].evidence) {
                revert("decided");
            } catch {}
        }
    }

    function test_adjudicate_anotherVersion_reverts() public {
        Claim memory claim = parts[OPERATOR_0].claim;
        claim.version = bytes32(uint256(1));
        requireRefused(claim, parts[OPERATOR_0].evidence, IModelRegistry.UnknownVersion.selector);
    }

    function test_adjudicate_onAnotherChain_reverts() public {
        vm.chainId(5);
        refuse(parts[ROW_0].claim, parts[ROW_0].evidence);
    }

    /* ANOTHER OPERATOR */

    /// @dev The layers 0 and 1 differ in their weights alone: their programs are one.
    function test_adjudicate_equalLayersEvidence_reverts() public {
        requireRefused(parts[OPERATOR_0].claim, parts[OPERATOR_1].evidence, PartKeyReader.WrongKey.selector);
        requireRefused(parts[ROW_0].claim, parts[ROW_1].evidence, PartKeyReader.WrongKey.selector);
    }

    function test_adjudicate_equalLayersProof_reverts() public {
        bytes memory evidence = parts[OPERATOR_1].evidence;
        bytes memory key = new bytes(20);
        for (uint256 i = 0; i < 20; ++i) {
            key[i] = parts[OPERATOR_0].evidence[1 + i];
        }
        patch(evidence, 1, key);
        // The inputs are those of the other layer.
        requireRefused(parts[OPERATOR_0].claim, evidence, IProofVerifier.WrongInputDigest.selector);
        // And if they were the same, the proof would still be one about other commitments.
        Claim memory claim = parts[OPERATOR_1].claim;
        claim.desc = parts[OPERATOR_0].claim.desc;
        refuse(claim, evidence);
    }

    function test_adjudicate_rowForOperator_reverts() public {
        // Kind and key do not fit each other.
        bytes memory evidence = patch(parts[OPERATOR_0].evidence, 0, hex"01");
        requireRefused(parts[OPERATOR_0].claim, evidence, PartKeyReader.WrongKey.selector);
        evidence = patch(parts[ROW_0].evidence, 0, hex"00");
        requireRefused(parts[ROW_0].claim, evidence, PartKeyReader.WrongKey.selector);
        evidence = patch(parts[ROW_0].evidence, 0, hex"02");
        requireRefused(parts[ROW_0].claim, evidence, ProofAdjudicator.UnknownKind.selector);
    }

    function test_adjudicate_noKey_reverts() public {
        Claim memory claim = parts[OPERATOR_0].claim;
        patch(claim.desc, KEY_AT, new bytes(32));
        requireRefused(claim, parts[OPERATOR_0].evidence, PartKeyReader.NoKey.selector);
        claim = parts[ROW_0].claim;
        patch(claim.desc, KEY_AT + 32, new bytes(32));
        requireRefused(claim, parts[ROW_0].evidence, PartKeyReader.NoKey.selector);
    }

    function test_adjudicate_missingKey_reverts() public {
        bytes memory evidence = patch(parts[OPERATOR_0].evidence, 1, abi.encodePacked(address(0xdead)));
        requireRefused(parts[OPERATOR_0].claim, evidence, IProofVerifier.NotAKey.selector);
    }

    function test_adjudicate_keyChangedUnderWay_reverts() public {
        adjudicator = new ProofAdjudicator(address(new OtherKeyVerifier()));
        requireRefused(parts[OPERATOR_0].claim, parts[OPERATOR_0].evidence, ProofAdjudicator.KeyChanged.selector);
    }

    /* ANOTHER ROW, OTHER TENSORS */

    function test_adjudicate_anotherRow_reverts() public {
        for (uint256 i = ROW_0; i < COUNT; i += 2) {
            Claim memory claim = parts[i].claim;
            // The evidence stays with its row, which is not the claim's.
            claim.elem -= uint64(ROW_SIZE);
            requireRefused(claim, parts[i].evidence, ProofAdjudicator.WrongElement.selector);
            // It names the claim's row, but the proof is about another.
            bytes memory evidence = patch(parts[i].evidence, ELEM_AT, abi.encodePacked(claim.elem));
            requireRefused(claim, evidence, IProofVerifier.WrongInputDigest.selector);
        }
    }

    function test_adjudicate_elementOutside_reverts() public {
        Claim memory claim = parts[ROW_0].claim;
        claim.elem = uint64(3 * ROW_SIZE);
        bytes memory evidence = patch(parts[ROW_0].evidence, ELEM_AT, abi.encodePacked(claim.elem));
        requireRefused(claim, evidence, ProofAdjudicator.WrongElement.selector);
    }

    /// @dev The order of inputs is the descriptor's.
    function test_adjudicate_swappedInputs_reverts() public {
        for (uint256 i = OPERATOR_2; i < COUNT; ++i) {
            Claim memory claim = parts[i].claim;
            (claim.inDigests[0], claim.inDigests[1]) = (claim.inDigests[1], claim.inDigests[0]);
            refuse(claim, parts[i].evidence);
        }
        Claim memory swapped = parts[OPERATOR_2].claim;
        (swapped.inDigests[0], swapped.inDigests[1]) = (swapped.inDigests[1], swapped.inDigests[0]);
        bytes memory evidence = parts[OPERATOR_2].evidence;
        uint256 size = 3 * ROW_SIZE;
        for (uint256 k = 0; k < size; ++k) {
            (evidence[HEAD_SIZE + k], evidence[HEAD_SIZE + size + k]) =
            (evidence[HEAD_SIZE + size + k], evidence[HEAD_SIZE + k]);
        }
        refuse(swapped, evidence);
    }

    function test_adjudicate_otherNumberOfInputs_reverts() public {
        Claim memory claim = parts[OPERATOR_2].claim;
        bytes32 first = claim.inDigests[0];
        claim.inDigests = new bytes32[](1);
        claim.inDigests[0] = first;
        requireRefused(claim, parts[OPERATOR_2].evidence, ProofAdjudicator.WrongInputs.selector);
    }

    function test_adjudicate_otherInput_reverts() public {
        Claim memory claim = parts[OPERATOR_0].claim;
        claim.inDigests[0] = keccak256("other");
        requireRefused(claim, parts[OPERATOR_0].evidence, IProofVerifier.WrongInputDigest.selector);
        claim = parts[ROW_0].claim;
        claim.inDigests[0] = keccak256("other");
        requireRefused(claim, parts[ROW_0].evidence, TileReader.WrongDigest.selector);
    }

    function test_adjudicate_swappedOutputBytes_reverts() public {
        bytes memory evidence = parts[OPERATOR_0].evidence;
        uint256 at = HEAD_SIZE + 3 * ROW_SIZE;
        uint256 other = at;
        while (evidence[other] == evidence[at]) ++other;
        (evidence[at], evidence[other]) = (evidence[other], evidence[at]);
        requireRefused(parts[OPERATOR_0].claim, evidence, IProofVerifier.WrongOutputDigest.selector);
    }

    /// @dev The digest that the evidence names must be that of its bytes: a false one convicts nobody.
    function test_adjudicate_falseDigest_reverts() public {
        bytes memory evidence = patch(parts[OPERATOR_0].evidence, 21, abi.encodePacked(keccak256("false")));
        requireRefused(parts[OPERATOR_0].claim, evidence, IProofVerifier.WrongOutputDigest.selector);
    }

    /// @dev Output bytes that the proof is not about.
    function test_adjudicate_falseRow_reverts() public {
        bytes memory evidence = parts[ROW_0].evidence;
        uint256 at = evidence.length - parts[ROW_0].proofBytes - 4;
        bytes memory head = new bytes(at);
        for (uint256 i = 0; i < at; ++i) {
            head[i] = evidence[i];
        }
        bytes memory proof = new bytes(parts[ROW_0].proofBytes);
        for (uint256 i = 0; i < proof.length; ++i) {
            proof[i] = evidence[at + 4 + i];
        }
        bytes memory forged = abi.encodePacked(head, uint32(ROW_SIZE), new bytes(ROW_SIZE), proof);
        requireRefused(parts[ROW_0].claim, forged, IProofVerifier.WrongOutputDigest.selector);
    }

    /* MALFORMED */

    function test_adjudicate_truncated_reverts() public {
        for (uint256 i = 0; i < COUNT; i += 3) {
            bytes memory evidence = parts[i].evidence;
            for (uint256 size = 0; size < evidence.length; size += 61) {
                bytes memory cut = new bytes(size);
                for (uint256 k = 0; k < size; ++k) {
                    cut[k] = evidence[k];
                }
                refuse(parts[i].claim, cut);
            }
        }
    }

    function test_adjudicate_trailingByte_reverts() public {
        for (uint256 i = 0; i < COUNT; ++i) {
            refuse(parts[i].claim, bytes.concat(parts[i].evidence, hex"00"));
        }
    }

    /// @dev One bit of any byte: nothing but the key's address, which may lie elsewhere, is free.
    function test_adjudicate_damagedByte_reverts() public {
        for (uint256 i = 0; i < COUNT; i += 3) {
            bytes memory evidence = parts[i].evidence;
            for (uint256 at = 0; at < evidence.length; at += at < 96 ? 1 : 127) {
                evidence[at] ^= 0x01;
                refuse(parts[i].claim, evidence);
                evidence[at] ^= 0x01;
            }
        }
    }

    /// @dev Whatever the gas: the right verdict or none (I30).
    function test_adjudicate_littleGas_neverDecidesOtherwise() public {
        Claim memory claim = parts[ROW_0].claim;
        bytes memory evidence = parts[ROW_0].evidence;
        uint256 decided;
        for (uint256 gasGiven = 20_000; gasGiven < 1_000_000; gasGiven += 24_499) {
            vm.prank(market);
            try adjudicator.adjudicate{gas: gasGiven}(claim, evidence) returns (Verdict verdict) {
                require(verdict == Verdict.CONSISTENT, "other verdict");
                ++decided;
            } catch {}
        }
        require(decided > 0 && decided < 40, "gas was not short, or never enough");
    }

    function test_covers_everyOpcode() public view {
        require(!adjudicator.covers(0) && adjudicator.covers(1), "first");
        require(adjudicator.covers(14) && !adjudicator.covers(15), "last");
    }
}
