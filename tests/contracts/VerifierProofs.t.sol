// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {IInspector} from "../../contracts/interfaces/IInspector.sol";
import {IOpeningVerifier} from "../../contracts/interfaces/IOpeningVerifier.sol";
import {VerifierCore} from "../../contracts/verifiers/VerifierCore.sol";
import {Submission, VerifierFixture} from "./VerifierFixture.sol";

/// @notice Whole proofs of the reference prover: the honest ones are accepted; its forgeries, and honest proofs with
/// another statement, key or public tensor, are refused for the reason they deserve.
contract VerifierProofsTest is VerifierFixture {
    string private proofs;
    string private operators;
    string private forgeries;
    VerifierCore private verifier;

    function setUp() public {
        proofs = readVectors("proofs.json");
        operators = readVectors("operators.json");
        forgeries = readVectors("forgeries/index.json");
        verifier = deployVerifier(proofs);
    }

    function honest() private view returns (Submission memory) {
        return readSubmission(proofs, at(0));
    }

    /* PROOFS */

    function test_verify_honestProofs_succeeds() public {
        uint256 count;
        for (; vm.keyExistsJson(proofs, at(count)); ++count) {
            requireAccepted(verifier, readSubmission(proofs, at(count)));
        }
        require(count >= 2, "vectors are missing");
    }

    /// @dev Both lookup arguments, both openings, every operator; each key passes the inspection.
    function test_verify_everyOperator_succeeds() public {
        uint256 count;
        for (; vm.keyExistsJson(operators, at(count)); ++count) {
            Submission memory s = readSubmission(operators, at(count));
            requireAccepted(verifier, s);
            verifier.inspect(KEY);
        }
        require(count >= 29, "vectors are missing");
    }

    /// @dev One bit of every byte of every operator's proof is not looked at in every run: each proof has its own bit.
    function test_verify_anyProofWithOneChangedBit_reverts() public {
        for (uint256 i = 0; vm.keyExistsJson(operators, at(i)); ++i) {
            Submission memory s = readSubmission(operators, at(i));
            installKey(s.key);
            for (uint256 offset = i; offset < s.proof.length; offset += 97) {
                s.proof[offset] ^= bytes1(uint8(1 << (offset % 8)));
                require(checkInstalled(verifier, s).length != 0, string.concat("accepted: ", s.name));
                s.proof[offset] ^= bytes1(uint8(1 << (offset % 8)));
            }
        }
    }

    function test_verify_computedForgeries_reverts() public {
        uint256 count;
        for (; vm.keyExistsJson(forgeries, at(count)); ++count) {
            string memory name = vm.parseJsonString(forgeries, string.concat(at(count), ".name"));
            string memory error_ = vm.parseJsonString(forgeries, string.concat(at(count), ".error"));
            Submission memory s = readSubmission(readVectors(string.concat("forgeries/", name, ".json")), "");
            requireRefused(verifier, s, bytes4(keccak256(bytes(error_))));
        }
        require(count >= 50, "vectors are missing");
    }

    function test_verify_anotherModelsProof_reverts() public {
        Submission memory s = honest();
        Submission memory other = readSubmission(proofs, at(1));
        s.proof = other.proof;
        bytes memory reason = check(verifier, s);
        require(reason.length != 0, "accepted");
    }

    function test_verify_emptyProof_reverts() public {
        Submission memory s = honest();
        s.proof = "";
        requireRefused(verifier, s, IProofVerifier.TruncatedProof.selector);
    }

    /* STATEMENT */

    function test_verify_otherFormat_reverts() public {
        Submission memory s = honest();
        s.statement.format = 1;
        requireRefused(verifier, s, abi.encodeWithSelector(IProofVerifier.UnsupportedFormat.selector, 1));
    }

    function test_verify_otherMode_reverts() public {
        Submission memory s = honest();
        s.statement.mode = 2;
        requireRefused(verifier, s, abi.encodeWithSelector(IProofVerifier.UnsupportedMode.selector, 2));
    }

    function test_verify_otherShard_reverts() public {
        Submission memory s = honest();
        s.statement.shard = 1;
        requireRefused(verifier, s, abi.encodeWithSelector(IProofVerifier.UnsupportedShard.selector, 1));
    }

    function test_verify_statementOfAnotherChain_reverts() public {
        Submission memory s = honest();
        s.statement.chainId = 1;
        requireRefused(verifier, s, abi.encodeWithSelector(IProofVerifier.WrongChain.selector, 1, block.chainid));
    }

    function test_verify_onAnotherChain_reverts() public {
        vm.chainId(5);
        requireRefused(verifier, honest(), abi.encodeWithSelector(IProofVerifier.WrongChain.selector, 31337, 5));
    }

    function test_verify_byAnotherVerifier_reverts() public {
        Submission memory s = honest();
        VerifierCore other = new VerifierCore(verifier.HYPER_KZG(), verifier.MERCURY(), verifier.INSPECTOR());
        requireRefused(
            other, s, abi.encodeWithSelector(IProofVerifier.WrongVerifier.selector, address(verifier), address(other))
        );
        // Even with a statement that names it: the proof is bound to the first one's.
        s.statement.verifier = address(other);
        requireRefused(other, s, IProofVerifier.SumCheckMismatch.selector);
    }

    function test_verify_otherSrs_reverts() public {
        Submission memory s = honest();
        s.statement.srsId = bytes32(uint256(1));
        requireRefused(verifier, s, IProofVerifier.WrongSrs.selector);
        s = honest();
        s.key[32] ^= 0x01;
        requireRefused(verifier, s, IProofVerifier.WrongSrs.selector);
    }

    function test_verify_otherProgramHash_reverts() public {
        Submission memory s = honest();
        s.statement.programHash = bytes32(uint256(1));
        requireRefused(verifier, s, IProofVerifier.WrongProgram.selector);
    }

    function test_verify_otherOpRange_reverts() public {
        Submission memory s = honest();
        uint256 count = s.statement.opRange;
        s.statement.opRange = count - 1;
        requireRefused(verifier, s, abi.encodeWithSelector(IProofVerifier.WrongOpRange.selector, count - 1, count));
        s.statement.opRange = (1 << 128) | count;
        requireRefused(verifier, s, IProofVerifier.WrongOpRange.selector);
    }

    /// @dev Fields that the verifier does not know are bound by the transcript.
    function test_verify_anyOtherStatementField_reverts() public {
        bytes4 reason = IProofVerifier.SumCheckMismatch.selector;
        Submission memory s = honest();
        s.statement.market = address(1);
        requireRefused(verifier, s, reason);
        s = honest();
        s.statement.jobId += 1;
        requireRefused(verifier, s, reason);
        s = honest();
        s.statement.challengeSeed ^= bytes32(uint256(1));
        requireRefused(verifier, s, reason);
        s = honest();
        s.statement.prover = address(1);
        requireRefused(verifier, s, reason);
        s = honest();
        s.statement.modelVersion ^= bytes32(uint256(1));
        requireRefused(verifier, s, reason);
    }

    /* PUBLIC TENSORS */

    function test_verify_wrongLengths_reverts() public {
        Submission memory s = honest();
        uint256 size = s.input.length;
        s.input = bytes.concat(s.input, hex"00");
        requireRefused(verifier, s, abi.encodeWithSelector(IProofVerifier.WrongInputLength.selector, size + 1, size));
        s = honest();
        size = s.output.length;
        s.output = "";
        requireRefused(verifier, s, abi.encodeWithSelector(IProofVerifier.WrongOutputLength.selector, 0, size));
    }

    function test_verify_otherInput_reverts() public {
        Submission memory s = honest();
        s.input[3] ^= 0x01;
        requireRefused(verifier, s, IProofVerifier.WrongInputDigest.selector);
    }

    function test_verify_otherOutput_reverts() public {
        Submission memory s = honest();
        s.output[0] ^= 0x01;
        requireRefused(verifier, s, IProofVerifier.WrongOutputDigest.selector);
    }

    function test_verify_inputOutOfRange_reverts() public {
        // The input lies in [-3, 3], the output in [-8, 7].
        Submission memory s = readSubmission(operators, at(0));
        s.input[7] = bytes1(uint8(4));
        bytes4 reason = IProofVerifier.InputOutOfRange.selector;
        requireRefused(verifier, s, abi.encodeWithSelector(reason, 7, int256(4), int256(-3), int256(3)));
        s.input[2] = bytes1(uint8(int8(-4)));
        requireRefused(verifier, s, abi.encodeWithSelector(reason, 2, int256(-4), int256(-3), int256(3)));
        s = readSubmission(operators, at(0));
        s.output[5] = 0x08;
        reason = IProofVerifier.OutputOutOfRange.selector;
        requireRefused(verifier, s, abi.encodeWithSelector(reason, 5, int256(8), int256(-8), int256(7)));
    }

    /* KEY */

    function test_verify_noKey_reverts() public {
        Submission memory s = honest();
        vm.etch(KEY, "");
        require(bytes4(checkInstalled(verifier, s)) == IProofVerifier.NotAKey.selector, "empty");
        vm.etch(KEY, bytes.concat(hex"01", s.key));
        require(bytes4(checkInstalled(verifier, s)) == IProofVerifier.NotAKey.selector, "executable");
    }

    /* KEYS IN PARTS */

    function test_verify_keyInParts_succeeds() public {
        Submission memory s = honest();
        uint256[3] memory cuts = [uint256(1), 68, s.key.length];
        bytes memory list = installParts(s.key, cuts);
        vm.etch(KEY, bytes.concat(hex"fe", list));
        require(checkInstalled(verifier, s).length == 0, "refused");
        (bytes32 vkHash,,,,) = verifier.inspect(KEY);
        require(vkHash == keccak256(s.key), "vkHash");
    }

    function test_verify_partsInOtherOrder_reverts() public {
        Submission memory s = honest();
        installParts(s.key, [uint256(100), 300, s.key.length]);
        vm.etch(KEY, abi.encodePacked(hex"fe", part(1), part(0), part(2)));
        require(checkInstalled(verifier, s).length != 0, "accepted");
        vm.etch(KEY, abi.encodePacked(hex"fe", part(0), part(1)));
        require(bytes4(checkInstalled(verifier, s)) == IProofVerifier.WrongKeyLength.selector, "a part is missing");
    }

    function test_verify_partThatIsNoData_reverts() public {
        Submission memory s = honest();
        bytes memory list = installParts(s.key, [uint256(100), 300, s.key.length]);
        bytes memory expected = abi.encodeWithSelector(IProofVerifier.NotAKey.selector, part(1));
        vm.etch(KEY, bytes.concat(hex"fe", list));
        bytes memory code = part(1).code;
        code[0] = 0xfe;
        vm.etch(part(1), code);
        require(keccak256(checkInstalled(verifier, s)) == keccak256(expected), "a list in a list");
        vm.etch(part(1), "");
        require(keccak256(checkInstalled(verifier, s)) == keccak256(expected), "an empty part");
    }

    function test_verify_malformedList_reverts() public {
        Submission memory s = honest();
        bytes memory list = installParts(s.key, [uint256(100), 300, s.key.length]);
        vm.etch(KEY, hex"fe");
        require(bytes4(checkInstalled(verifier, s)) == IProofVerifier.NotAKey.selector, "no part");
        vm.etch(KEY, bytes.concat(hex"fe", list, hex"00"));
        require(bytes4(checkInstalled(verifier, s)) == IProofVerifier.NotAKey.selector, "not whole addresses");
    }

    function part(uint256 index) private pure returns (address) {
        return address(uint160(0x9a27000 + index));
    }

    /// @dev Puts key[0:cuts[0]], key[cuts[0]:cuts[1]] and key[cuts[1]:cuts[2]] into three data contracts.
    function installParts(bytes memory key, uint256[3] memory cuts) private returns (bytes memory list) {
        uint256 from;
        for (uint256 i = 0; i < cuts.length; ++i) {
            bytes memory piece = new bytes(cuts[i] - from);
            for (uint256 k = 0; k < piece.length; ++k) {
                piece[k] = key[from + k];
            }
            vm.etch(part(i), bytes.concat(hex"00", piece));
            list = abi.encodePacked(list, part(i));
            from = cuts[i];
        }
    }

    /* KEYS OF THE WRONG SHAPE */

    function test_verify_keyOfOtherLength_reverts() public {
        Submission memory s = honest();
        bytes memory key = s.key;
        s.key = bytes.concat(key, hex"00");
        requireRefused(verifier, s, IProofVerifier.WrongKeyLength.selector);
        for (uint256 size = 0; size < key.length; size += 13) {
            s.key = new bytes(size);
            for (uint256 i = 0; i < size; ++i) {
                s.key[i] = key[i];
            }
            requireRefused(verifier, s, IProofVerifier.WrongKeyLength.selector);
        }
    }

    function test_verify_otherCommitmentInKey_reverts() public {
        // Infinity is a point; the key's hash differs, so every challenge does.
        Submission memory s = honest();
        for (uint256 i = s.key.length - 64; i < s.key.length; ++i) {
            s.key[i] = 0;
        }
        requireRefused(verifier, s, IProofVerifier.SumCheckMismatch.selector);
    }

    /* INSPECTION */

    function test_inspect_vectors_succeeds() public {
        for (uint256 i = 0; vm.keyExistsJson(proofs, at(i)); ++i) {
            Submission memory s = readSubmission(proofs, at(i));
            installKey(s.key);
            (bytes32 vkHash, bytes32 graphHash, bytes32 programHash, bytes32 srsId, uint256 opCount) =
                verifier.inspect(KEY);
            require(vkHash == keccak256(s.key), "vkHash");
            require(graphHash == bytes32(s.key), "graphHash");
            require(programHash == s.statement.programHash, "programHash");
            require(srsId == verifier.SRS_ID() && srsId == s.statement.srsId, "srsId");
            require(opCount == s.statement.opRange, "opCount");
        }
    }

    function test_inspect_commitmentOffCurve_reverts() public {
        Submission memory s = honest();
        s.key[s.key.length - 1] ^= 0x01;
        installKey(s.key);
        try verifier.inspect(KEY) {
            revert("accepted");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IProofVerifier.InvalidCommitment.selector, "other error");
        }
    }

    /// @dev Whatever is overwritten in a program's structure, the walk ends with a typed error or the key is another
    /// one: never with the same hashes.
    function test_inspect_overwrittenProgram_revertsOrDiffers() public {
        Submission memory s = honest();
        (uint256 refused, uint256 changed) = (0, 0);
        bytes memory key = bytes.concat(s.key);
        uint256 programSize = uint256(uint8(key[66])) << 8 | uint8(key[67]);
        for (uint256 i = 64; i < 68 + programSize; ++i) {
            for (uint256 bit = 1; bit < 256; bit <<= 1) {
                key[i] = s.key[i] ^ bytes1(uint8(bit));
                installKey(key);
                try verifier.inspect(KEY) returns (bytes32 vkHash, bytes32, bytes32 programHash, bytes32, uint256) {
                    require(vkHash != keccak256(s.key) && programHash != s.statement.programHash, "same hash");
                    ++changed;
                } catch (bytes memory reason) {
                    require(reason.length >= 4 && bytes4(reason) != 0x4e487b71, "panic");
                    ++refused;
                }
            }
            key[i] = s.key[i];
        }
        // What may change freely is numbers (bounds, scales, addends, shifts), never structure.
        require(refused > changed, "the structure check lets too much through");
    }

    /* CONSTRUCTION */

    function test_constructor_openingsOfTwoStrings_reverts() public {
        OtherString other = new OtherString();
        (IOpeningVerifier opening, IInspector inspector) = (verifier.HYPER_KZG(), verifier.INSPECTOR());
        try new VerifierCore(opening, IOpeningVerifier(address(other)), inspector) {
            revert("accepted");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IProofVerifier.WrongSrs.selector, "other error");
        }
    }

    function test_constructor_srsId_matches() public view {
        require(verifier.SRS_ID() == keccak256(abi.encodePacked("zkdps/srs/1", readTau(proofs))), "srs id");
    }
}

/// @notice Says that it opens under another reference string.
contract OtherString {
    bytes32 public constant SRS_ID = keccak256("another string");
}
