// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {VerifierCore} from "../../contracts/verifiers/VerifierCore.sol";
import {Submission, VerifierFixture} from "./VerifierFixture.sol";
import {VerifierHarness} from "./VerifierHarness.sol";

/// @notice Malformed programs: registration's inspection refuses them, and so does the interpreter.
contract VerifierProgramsTest is VerifierFixture {
    VerifierCore private verifier;
    VerifierHarness private harness;
    Submission private submission;
    /// @dev Offsets in the program.
    uint256 private commit;
    uint256 private logUp;
    uint256 private requant;

    function setUp() public {
        string memory json = readVectors("proofs.json");
        verifier = deployVerifier(json);
        harness = new VerifierHarness();
        submission = readSubmission(json, at(0));
        bytes memory program = programOf(submission.key);
        commit = 10 + 8 * uint256(uint8(program[9])) + 34;
        logUp = commit + 1;
        requant = logUp + 4;
        for (uint256 count = uint8(program[logUp + 3]); count != 0; --count) {
            requant += 4 + 6 * uint256(uint8(program[requant + 3]));
        }
        require(program[commit] == 0x01 && program[logUp] == 0x02 && program[requant] == 0x03, "layout");
    }

    /* HELPERS */

    function programOf(bytes memory key) private pure returns (bytes memory program) {
        program = new bytes(uint256(uint8(key[64])) << 8 | uint8(key[65]));
        for (uint256 i = 0; i < program.length; ++i) {
            program[i] = key[66 + i];
        }
    }

    /// @dev The submission with another program, its hash in the statement.
    function withProgram(bytes memory program) private view returns (Submission memory s) {
        s = submission;
        bytes memory key = s.key;
        uint256 behind = 66 + programOf(key).length;
        bytes memory commitments = new bytes(key.length - behind);
        for (uint256 i = 0; i < commitments.length; ++i) {
            commitments[i] = key[behind + i];
        }
        bytes32 graphHash = bytes32(key);
        s.key = bytes.concat(graphHash, s.statement.srsId, bytes2(uint16(program.length)), program, commitments);
        s.statement.programHash = keccak256(program);
    }

    function withByte(uint256 offset, uint8 value) private view returns (Submission memory) {
        bytes memory program = programOf(submission.key);
        require(uint8(program[offset]) != value, "the byte is the same");
        program[offset] = bytes1(value);
        return withProgram(program);
    }

    function requireInspectionFails(Submission memory s, bytes4 expected) private {
        installKey(s.key);
        try verifier.inspect(KEY) {
            revert("accepted");
        } catch (bytes memory reason) {
            require(bytes4(reason) == expected, "other error");
        }
    }

    /// @dev Both the inspection and the interpreter refuse.
    function requireBothFail(Submission memory s, bytes4 expected) private {
        requireInspectionFails(s, expected);
        requireRefused(verifier, s, expected);
    }

    /* TESTS */

    function test_program_sameBytes_succeeds() public {
        requireAccepted(verifier, withProgram(programOf(submission.key)));
    }

    function test_program_unknownVersion_reverts() public {
        requireBothFail(withByte(0, 2), IProofVerifier.MalformedProgram.selector);
    }

    function test_program_zeroChunkSize_reverts() public {
        requireBothFail(withByte(1, 0), IProofVerifier.MalformedProgram.selector);
    }

    function test_program_otherChunkCount_reverts() public {
        requireBothFail(withByte(3, 7), IProofVerifier.WrongKeyLength.selector);
    }

    function test_program_tensorTableBehindEnd_reverts() public {
        requireBothFail(withByte(8, 0xff), IProofVerifier.MalformedProgram.selector);
    }

    function test_program_inputOfOtherKind_reverts() public {
        requireBothFail(withByte(10, 1), IProofVerifier.MalformedProgram.selector);
    }

    function test_program_inputOfOtherSize_reverts() public {
        requireBothFail(withByte(11, 9), IProofVerifier.MalformedProgram.selector);
    }

    function test_program_publicOfFourBytes_reverts() public {
        requireBothFail(withByte(commit - 34, 4), IProofVerifier.MalformedProgram.selector);
    }

    function test_program_unknownOpcode_reverts() public {
        requireBothFail(withByte(commit, 7), IProofVerifier.UnknownOpcode.selector);
        requireBothFail(withByte(commit, 0), IProofVerifier.UnknownOpcode.selector);
    }

    function test_program_opcodeOutOfOrder_reverts() public {
        requireBothFail(withByte(commit, 6), IProofVerifier.OpcodeOutOfOrder.selector);
        requireInspectionFails(withByte(requant, 5), IProofVerifier.OpcodeOutOfOrder.selector);
    }

    function test_program_withoutOpening_reverts() public {
        bytes memory program = programOf(submission.key);
        assembly ("memory-safe") {
            mstore(program, sub(mload(program), 1))
        }
        requireInspectionFails(withProgram(program), IProofVerifier.UnfinishedProgram.selector);
    }

    function test_program_withoutInstructions_reverts() public {
        bytes memory program = programOf(submission.key);
        uint256 size = commit;
        assembly ("memory-safe") {
            mstore(program, size)
        }
        requireBothFail(withProgram(program), IProofVerifier.UnfinishedProgram.selector);
    }

    function test_program_trailingBytes_reverts() public {
        bytes memory program = bytes.concat(programOf(submission.key), hex"06");
        requireInspectionFails(withProgram(program), IProofVerifier.TrailingProgram.selector);
    }

    function test_program_unknownTensors_reverts() public {
        // A column of the first block; q, a digit and the bias of the first requantisation.
        requireInspectionFails(withByte(logUp + 8, 0xfe), IProofVerifier.UnknownTensor.selector);
        requireInspectionFails(withByte(requant + 3, 0xfe), IProofVerifier.UnknownTensor.selector);
        requireInspectionFails(withByte(requant + 13, 0xfe), IProofVerifier.UnknownTensor.selector);
    }

    function test_program_zeroScale_reverts() public {
        bytes memory program = programOf(submission.key);
        (program[requant + 10], program[requant + 11]) = (0, 0);
        requireInspectionFails(withProgram(program), IProofVerifier.MalformedProgram.selector);
    }

    /// @dev Whatever would work, but that no graph compiles to.
    function test_inspect_moreThanNeeded_reverts() public {
        bytes4 malformed = IProofVerifier.MalformedProgram.selector;
        bytes memory program = programOf(submission.key);
        // c outside [4, 20].
        requireInspectionFails(withByte(1, 3), malformed);
        requireInspectionFails(withByte(1, 21), malformed);
        // A larger chunk than the tensors fill: all of them fit into fewer chunks.
        requireInspectionFails(withByte(1, uint8(program[1]) + 1), malformed);
        // A proof chunk that no tensor lies in.
        requireInspectionFails(withByte(5, uint8(program[5]) + 1), malformed);
        // One layer too many or too few.
        requireInspectionFails(withByte(logUp + 1, uint8(program[logUp + 1]) + 1), malformed);
        requireInspectionFails(withByte(logUp + 1, uint8(program[logUp + 1]) - 1), malformed);
        // s and a digit's shift above 63.
        requireInspectionFails(withByte(requant + 9, 64), malformed);
        requireInspectionFails(withByte(requant + 15, 64), malformed);
        // One contraction round too many.
        uint256 contract_ = requant + 3;
        for (uint256 count = uint8(program[requant + 2]); count != 0; --count) {
            contract_ += 10 + 3 * uint256(uint8(program[contract_ + 9])) + 8;
        }
        require(program[contract_] == 0x04, "layout");
        requireInspectionFails(withByte(contract_ + 1, uint8(program[contract_ + 1]) + 1), malformed);
        // The first operand's segment of r_C does not reach its end.
        require(program[contract_ + 11] == 0x01, "layout");
        requireInspectionFails(withByte(contract_ + 12, 1), malformed);
    }

    function test_program_tensorOutsideItsChunks_reverts() public {
        // The chunk of tensor 2, the first weight: behind the fixed ones.
        requireInspectionFails(withByte(10 + 8 * 2 + 3, 1), IProofVerifier.MalformedProgram.selector);
        // Its kind: a proof tensor in a fixed chunk.
        requireInspectionFails(withByte(10 + 8 * 2, 1), IProofVerifier.MalformedProgram.selector);
        // Its place: behind the chunk's end.
        requireInspectionFails(withByte(10 + 8 * 2 + 4, 1), IProofVerifier.MalformedProgram.selector);
    }

    function test_program_missingTable_reverts() public {
        // Every block's table id in turn: a lookup without table, or a table twice.
        bytes memory program = programOf(submission.key);
        uint256 cursor = logUp + 4;
        for (uint256 count = uint8(program[logUp + 3]); count != 0; --count) {
            requireInspectionFails(withByte(cursor + 2, 99), IProofVerifier.MalformedProgram.selector);
            requireInspectionFails(withByte(cursor + 2, 0), IProofVerifier.MalformedProgram.selector);
            cursor += 4 + 6 * uint256(uint8(program[cursor + 3]));
        }
    }

    /* INTERPRETER */

    /// @dev lambda = 1, one lookup (tensor 2) and one table (tensor 3): the instruction of the first shared vector.
    function runLogUp(bytes memory tensors, bytes memory instruction) private view returns (bytes memory) {
        string memory json = readVectors("logup.json");
        try harness.logUp(
            vm.parseJsonBytes(json, "[0].proof"),
            vm.parseJsonUint(json, "[0].seed"),
            tensors,
            instruction,
            vm.parseJsonUint(json, "[0].beta"),
            vm.parseJsonUint(json, "[0].alpha")
        ) {
            return "";
        } catch (bytes memory reason) {
            return reason;
        }
    }

    function test_interpreter_logUpStructure_isChecked() public view {
        bytes memory tensors = hex"0200000000000000030000000000000001000000000000000100000000000000";
        bytes memory good = hex"0100020000010100020000000001000101000300000000";
        require(runLogUp(tensors, good).length == 0, "the vector itself");
        bytes memory unknown = hex"0100020000010100040000000001000101000300000000";
        require(bytes4(runLogUp(tensors, unknown)) == IProofVerifier.UnknownTensor.selector, "unknown tensor");
        bytes4 malformed = IProofVerifier.MalformedProgram.selector;
        bytes memory kind = hex"0100020200010100020000000001000101000300000000";
        require(bytes4(runLogUp(tensors, kind)) == malformed, "unknown kind of block");
        bytes memory size = hex"0100020001010100020000000001000101000300000000";
        require(bytes4(runLogUp(tensors, size)) == malformed, "a block larger than its column");
        bytes memory columns = hex"0100020000010300020000000001000101000300000000";
        require(bytes4(runLogUp(tensors, columns)) == malformed, "three columns");
        bytes memory addend = hex"0100020000010100020000000001000101000300000001";
        require(bytes4(runLogUp(tensors, addend)) == malformed, "a multiplicity with an addend");
        bytes memory third = hex"010003000001010002000000000100010100030000000000000101000200000000";
        require(bytes4(runLogUp(tensors, third)) == malformed, "more leaves than the circuit has");
        bytes memory short = hex"01000200000101000200000000010001010003000000";
        require(bytes4(runLogUp(tensors, short)) == malformed, "program ends in a column");
        bytes memory shifted = hex"0100020000010100020000000101000101000300000000";
        require(bytes4(runLogUp(tensors, shifted)) == IProofVerifier.LeafMismatch.selector, "another addend");
        bytes memory zero = hex"0100020000010200020000000000020000000001000101000300000000";
        require(runLogUp(tensors, zero).length == 0, "a second column of value 0");
    }
}
