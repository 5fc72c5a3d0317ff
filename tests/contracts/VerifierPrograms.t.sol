// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {VerifierCore} from "../../contracts/verifiers/VerifierCore.sol";
import {Submission, VerifierFixture} from "./VerifierFixture.sol";

/// @notice Malformed programs: registration's inspection refuses them, and where they could read or write outside their
/// memory the interpreter does, too. The program is the one written by hand (tests/vectors/tiny.py).
contract VerifierProgramsTest is VerifierFixture {
    /// @dev Bytes of the key in front of the program.
    uint256 private constant PREFIX = 68;
    /// @dev Offsets in the program: six tensors behind the header, two public ones, two functions, six slots.
    uint256 private constant TENSORS = 14;
    uint256 private constant PUBLICS = TENSORS + 6 * 8;
    uint256 private constant FUNCTIONS = PUBLICS + 1 + 2 * 21;
    uint256 private constant SLOTS = FUNCTIONS + 2 + 2 * 10;
    uint256 private constant COMMIT = SLOTS + 10 + 4 * 7 + 2 * 10;
    uint256 private constant LOGUP = COMMIT + 1;
    uint256 private constant RELATE = LOGUP + 4 + 3 * (3 + 10 + 1 + 10) + 9;
    uint256 private constant PRODUCT = RELATE + 3 + 1 + 1 + 4 * 9;
    uint256 private constant CONTRACT = PRODUCT + 4;
    uint256 private constant LINK = CONTRACT + 5 + 16;
    uint256 private constant REDUCE = LINK + 4;

    bytes4 private constant MALFORMED = bytes4(keccak256("MalformedProgram(uint256)"));

    VerifierCore private verifier;
    Submission private submission;

    function setUp() public {
        string memory json = readVectors("operators.json");
        verifier = deployVerifier(json);
        submission = readSubmission(json, at(0));
        bytes memory program = programOf(submission.key);
        uint256[8] memory opcodes = [COMMIT, LOGUP, RELATE, PRODUCT, CONTRACT, LINK, REDUCE, REDUCE + 1];
        for (uint256 i = 0; i < opcodes.length; ++i) {
            require(uint8(program[opcodes[i]]) == i + 1, "layout");
        }
        require(program.length == REDUCE + 2, "layout");
    }

    /* HELPERS */

    function programOf(bytes memory key) private pure returns (bytes memory program) {
        program = new bytes(uint256(uint8(key[66])) << 8 | uint8(key[67]));
        for (uint256 i = 0; i < program.length; ++i) {
            program[i] = key[PREFIX + i];
        }
    }

    /// @dev The submission with another program, its hash in the statement.
    function withProgram(bytes memory program) private view returns (Submission memory s) {
        s = submission;
        bytes memory key = s.key;
        uint256 behind = PREFIX + programOf(key).length;
        bytes memory commitments = new bytes(key.length - behind);
        for (uint256 i = 0; i < commitments.length; ++i) {
            commitments[i] = key[behind + i];
        }
        bytes32 graphHash = bytes32(key);
        s.key = bytes.concat(graphHash, s.statement.srsId, bytes4(uint32(program.length)), program, commitments);
        s.statement.programHash = keccak256(program);
    }

    function withByte(uint256 offset, uint8 value) private view returns (Submission memory) {
        bytes memory program = programOf(submission.key);
        require(uint8(program[offset]) != value, "the byte is the same");
        program[offset] = bytes1(value);
        return withProgram(program);
    }

    function withWord(uint256 offset, uint16 value) private view returns (Submission memory) {
        bytes memory program = programOf(submission.key);
        (program[offset], program[offset + 1]) = (bytes1(uint8(value >> 8)), bytes1(uint8(value)));
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

    /// @dev The inspection refuses for this reason, the interpreter for whatever reason: another program is another key,
    /// and the proof's first sum-check fails before later sections are reached.
    function requireNeverAccepted(Submission memory s) private {
        requireNeverAccepted(s, MALFORMED);
    }

    function requireNeverAccepted(Submission memory s, bytes4 expected) private {
        requireInspectionFails(s, expected);
        require(check(verifier, s).length != 0, "accepted");
    }

    /* TESTS */

    function test_program_sameBytes_succeeds() public {
        requireAccepted(verifier, withProgram(programOf(submission.key)));
        verifier.inspect(KEY);
    }

    function test_program_header_isChecked() public {
        requireBothFail(withByte(0, 1), MALFORMED); //   version
        requireBothFail(withByte(1, 0), MALFORMED); //   c
        requireBothFail(withByte(1, 41), MALFORMED);
        requireInspectionFails(withByte(1, 3), MALFORMED);
        requireInspectionFails(withByte(1, 29), MALFORMED);
        requireBothFail(withByte(2, 2), MALFORMED); //   lookup
        requireBothFail(withByte(3, 2), MALFORMED); //   opening
        requireBothFail(withByte(5, 7), IProofVerifier.WrongKeyLength.selector); // F
        requireBothFail(withByte(9, 1), MALFORMED); //   L without late tensors
        requireBothFail(withByte(12, 0xff), MALFORMED); // tensorCount
    }

    function test_program_tensors_areChecked() public {
        requireNeverAccepted(withByte(TENSORS, 1)); //              the input's kind
        requireNeverAccepted(withByte(TENSORS + 1, 9)); //          and size
        requireNeverAccepted(withByte(TENSORS + 3, 1)); //          and chunk
        requireInspectionFails(withByte(TENSORS + 8 * 2, 5), MALFORMED); // an unknown kind
        requireInspectionFails(withByte(TENSORS + 8 * 2, 1), MALFORMED); // a proof tensor in a fixed chunk
        requireNeverAccepted(withByte(TENSORS + 8 * 2 + 2, 0xff), MALFORMED); // a chunk that does not exist
        requireNeverAccepted(withByte(TENSORS + 8 * 2 + 7, 1)); //  a place behind the chunk's end
        requireInspectionFails(withByte(TENSORS + 8 * 2 + 1, 5), MALFORMED); // more cells than the chunks have
        requireInspectionFails(withByte(TENSORS + 8 * 3 + 1, 41), MALFORMED); // more cells than there can be
    }

    function test_program_publicTensors_areChecked() public {
        requireBothFail(withByte(PUBLICS, 0), MALFORMED); //        no input
        requireBothFail(withWord(PUBLICS + 1, 9), IProofVerifier.UnknownTensor.selector);
        requireBothFail(withWord(PUBLICS + 1, 1), MALFORMED); //    the output for the input
        requireBothFail(withByte(PUBLICS + 3, 2), MALFORMED); //    form
        requireBothFail(withByte(PUBLICS + 3, 1), MALFORMED); //    committed, but no proof tensor
        requireBothFail(withByte(PUBLICS + 4, 3), MALFORMED); //    bytes
        requireBothFail(withByte(PUBLICS + 5, 0), MALFORMED); //    rank
        requireBothFail(withByte(PUBLICS + 5, 5), MALFORMED);
        requireBothFail(withByte(PUBLICS + 9, 0), MALFORMED); //    a dimension of 0
        requireInspectionFails(withByte(PUBLICS + 14, 0x10), MALFORMED); // lo above hi
        requireInspectionFails(withByte(PUBLICS + 20, 1), MALFORMED); //   hi outside the type
    }

    function test_program_functions_areChecked() public {
        requireNeverAccepted(withWord(FUNCTIONS, 0xffff), MALFORMED); //   more than the program holds
        requireNeverAccepted(withByte(FUNCTIONS + 3, 5), MALFORMED); //    kind
        requireNeverAccepted(withByte(FUNCTIONS + 8, 9), MALFORMED); //    reaches out of zeta
        requireNeverAccepted(withByte(FUNCTIONS + 9, 200), MALFORMED);
        requireNeverAccepted(withByte(FUNCTIONS + 12 + 5, 3), MALFORMED); // a bound above the number of cells
    }

    function test_program_slots_areChecked() public {
        requireNeverAccepted(withWord(SLOTS, 0xffff), MALFORMED); //         more than the program holds
        requireNeverAccepted(withByte(SLOTS + 10, 3), MALFORMED); //         kind
        requireInspectionFails(withByte(SLOTS + 10, 1), MALFORMED); //  virtual with a tensor
        requireInspectionFails(withByte(SLOTS + 10, 2), MALFORMED); //  one-hot of a weight
        requireNeverAccepted(withWord(SLOTS + 11, 6), IProofVerifier.UnknownTensor.selector);
        requireNeverAccepted(withByte(SLOTS + 13, 0), MALFORMED); //         a point without coordinates
        requireNeverAccepted(withByte(SLOTS + 14, 7)); //               an unknown source
        requireNeverAccepted(withByte(SLOTS + 14, 2)); //               challenges of a later phase
        requireNeverAccepted(withByte(SLOTS + 15, 2)); //               out of zeta
        requireNeverAccepted(withByte(SLOTS + 16, 3)); //               fewer coordinates than the tensor has
        requireNeverAccepted(withByte(SLOTS + 16, 5)); //               and more
        requireNeverAccepted(withByte(SLOTS + 17 + 6, 2)); //           the output's point
    }

    function test_program_lookups_areChecked() public {
        requireNeverAccepted(withByte(LOGUP + 1, 0), MALFORMED); //          lambda
        requireNeverAccepted(withByte(LOGUP + 1, 61), MALFORMED);
        requireNeverAccepted(withByte(LOGUP + 1, 6));
        requireNeverAccepted(withByte(LOGUP + 1, 4));
        requireNeverAccepted(withByte(LOGUP + 4, 6), MALFORMED); //          larger than all leaves
        requireNeverAccepted(withWord(LOGUP + 4 + 3 + 1 + 5, 6), MALFORMED); // an unknown slot
        requireNeverAccepted(withWord(LOGUP + 4 + 3 + 1 + 5, 4), MALFORMED); // a slot of a later phase
        requireNeverAccepted(withWord(LOGUP + 4 + 3 + 1 + 7, 2), MALFORMED); // an unknown function
        requireInspectionFails(withByte(LOGUP + 4 + 3 + 1 + 4, 221), MALFORMED); // a coefficient above the field
        requireNeverAccepted(withByte(LOGUP + 4 + 13, 0), MALFORMED); //     columns
        requireNeverAccepted(withByte(LOGUP + 4 + 13, 4), MALFORMED);
    }

    function test_program_relations_areChecked() public {
        requireNeverAccepted(withWord(RELATE + 1, 0xffff), MALFORMED); //    more than the program holds
        requireNeverAccepted(withByte(RELATE + 3, 4), MALFORMED); //         residual
        requireNeverAccepted(withByte(RELATE + 3, 0)); //               a relation with an instance, but no residual
        requireNeverAccepted(withByte(RELATE + 3, 2), MALFORMED); //         a product term that is missing
        requireNeverAccepted(withWord(RELATE + 5 + 5, 4), MALFORMED); //     a slot of a later phase
    }

    function test_program_instances_areChecked() public {
        requireNeverAccepted(withByte(CONTRACT + 1, 61), MALFORMED); //      rounds
        requireNeverAccepted(withByte(CONTRACT + 1, 3));
        requireNeverAccepted(withByte(CONTRACT + 2, 4), MALFORMED); //       degree
        requireNeverAccepted(withByte(CONTRACT + 2, 3));
        requireNeverAccepted(withByte(CONTRACT + 5, 3), MALFORMED); //       more variables than rounds
        requireNeverAccepted(withByte(CONTRACT + 6, 2), MALFORMED); //       origin
        requireInspectionFails(withByte(CONTRACT + 6, 1), MALFORMED); // a slot that has its own claim
        requireNeverAccepted(withWord(CONTRACT + 7, 1), MALFORMED); //       an unknown relation
        requireNeverAccepted(withWord(CONTRACT + 14, 6), MALFORMED); //      unknown slots
        requireNeverAccepted(withWord(CONTRACT + 16, 6), MALFORMED);
        requireNeverAccepted(withWord(CONTRACT + 18, 2), MALFORMED); //      an unknown function
        requireNeverAccepted(withByte(PRODUCT + 1, 1), MALFORMED); //        rounds without a term
        requireNeverAccepted(withByte(LINK + 1, 1), MALFORMED); //           rounds without an instance
    }

    function test_program_opcodes_areChecked() public {
        bytes4 order = IProofVerifier.OpcodeOutOfOrder.selector;
        requireNeverAccepted(withByte(COMMIT, 2), order);
        requireNeverAccepted(withByte(COMMIT, 0), order);
        requireNeverAccepted(withByte(REDUCE, 8), order);
        requireNeverAccepted(withByte(REDUCE + 1, 7), order);
    }

    function test_program_truncatedAnywhere_reverts() public {
        bytes memory program = programOf(submission.key);
        for (uint256 size = program.length; size != 0;) {
            --size;
            assembly ("memory-safe") {
                mstore(program, size)
            }
            Submission memory s = withProgram(program);
            installKey(s.key);
            try verifier.inspect(KEY) {
                revert("accepted");
            } catch (bytes memory reason) {
                require(reason.length >= 4 && bytes4(reason) != 0x4e487b71, "panic");
            }
            require(checkInstalled(verifier, s).length != 0, "accepted");
        }
    }

    function test_program_trailingBytes_reverts() public {
        bytes memory program = bytes.concat(programOf(submission.key), hex"08");
        requireNeverAccepted(withProgram(program), IProofVerifier.TrailingProgram.selector);
    }

    /// @dev Committed inverses: a block without them, one of another size, and inverses without a block.
    function test_program_lateTensors_areChecked() public {
        submission = readSubmission(readVectors("operators.json"), at(2));
        bytes memory program = programOf(submission.key);
        uint256 first = TENSORS + 8 * 6;
        require(program[2] == 0x01 && program[first] == 0x02, "layout");
        requireAccepted(verifier, withProgram(program));
        requireInspectionFails(withByte(first, 1), MALFORMED);
        requireBothFail(withByte(first + 1, 3), MALFORMED);
        requireBothFail(withByte(first + 8 + 1, 2), MALFORMED);
        requireInspectionFails(withByte(first + 3, 3), MALFORMED);
    }
}
