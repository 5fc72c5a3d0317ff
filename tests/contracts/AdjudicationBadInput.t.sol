// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ContractionAdjudicator} from "../../contracts/adjudication/ContractionAdjudicator.sol";
import {CursorLib} from "../../contracts/adjudication/Cursor.sol";
import {ElementAdjudicator} from "../../contracts/adjudication/ElementAdjudicator.sol";
import {Requantise} from "../../contracts/adjudication/Requantise.sol";
import {TileReader} from "../../contracts/adjudication/TileReader.sol";
import {TensorDigest} from "../../contracts/libraries/TensorDigest.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {Case, ElementBuilder, Sample} from "./ElementBuilder.sol";

interface PrecompileVm {
    function mockCallRevert(address callee, bytes calldata data, bytes calldata revertData) external;
    function clearMockedCalls() external;
}

/// @notice I30: for evidence or descriptors that are empty, cut, too long, out of range or repeated, for little gas and
/// for a precompile that fails there is a specific error and never a verdict.
contract AdjudicationBadInputTest is ElementBuilder {
    ContractionAdjudicator private adjudicator;

    bytes4 private immutable DESCRIPTOR = CursorLib.MalformedDescriptor.selector;
    bytes4 private immutable EVIDENCE = CursorLib.MalformedEvidence.selector;
    bytes4 private constant PANIC = 0x4e487b71;

    /// @dev Where fields of the linear case's descriptor begin: behind 76 bytes of head come the output (9 bytes), an
    /// input (11), two weights (41 each), three operands, three maps (21 each), a loop (13) and the requantisation (17).
    uint256 private constant OUTPUT = 76;
    uint256 private constant INPUT = 85;
    uint256 private constant WEIGHTS = 96;
    uint256 private constant OPERANDS = 178;
    uint256 private constant MAPS = 181;
    uint256 private constant LOOPS = 244;
    uint256 private constant REQUANT = 257;

    uint256 private constant ROWS = 3;
    uint256 private constant SIZE = 40;
    uint256 private constant COLS = 4;

    function setUp() public {
        adjudicator = new ContractionAdjudicator();
    }

    /// @dev x (3, 40) by w (4, 40) and a bias, the output's element (1, 2) right.
    function linear() private returns (Case memory c) {
        c.opcode = 0x01;
        (c.inputs, c.weights) = (new Sample[](1), new Sample[](2));
        c.inputs[0] = sample(1, 1, ROWS, SIZE);
        c.weights[0] = sample(2, 1, COLS, SIZE);
        c.weights[1] = sample(3, 2, 1, COLS);
        c.elem = 6;
        int256 acc = c.weights[1].values[2];
        for (uint256 k = 0; k < SIZE; ++k) {
            acc += c.inputs[0].values[SIZE + k] * c.weights[0].values[2 * SIZE + k];
        }
        c.parameters = abi.encodePacked(hex"008081", uint8(2), axis(ROWS, SIZE, 1), axis(COLS, 0, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(2), axis(ROWS, 0, 1), axis(COLS, SIZE, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(2), axis(ROWS, 0, 1), axis(COLS, 1, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(1), uint32(SIZE), uint32(1), uint32(1));
        c.parameters = abi.encodePacked(c.parameters, plainRequant(11, 14, 1));
        setOutput(c, 4, 1, ROWS, COLS, plainQuotient(acc, 11, 14, 1));
    }

    function requireRefused(Claim memory claim, bytes memory evidence, bytes4 expected) private view {
        try adjudicator.adjudicate(claim, evidence) {
            revert("a verdict");
        } catch (bytes memory reason) {
            assertTrue(reason.length >= 4, "an error");
            assertEq(bytes32(bytes4(reason)), bytes32(expected), "other error");
        }
    }

    /// @dev Requires the descriptor with `value` at `at` to be refused.
    function requireDescriptorRefused(Case memory c, uint256 at, bytes memory value, bytes4 expected) private view {
        Claim memory claim = claimOf(c);
        for (uint256 i = 0; i < value.length; ++i) {
            claim.desc[at + i] = value[i];
        }
        requireRefused(claim, evidenceOf(c), expected);
    }

    /* LENGTHS */

    function test_adjudicate_goodCase_isConsistent() public {
        Case memory c = linear();
        Verdict verdict = adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        assertEq(uint256(verdict), uint256(Verdict.CONSISTENT), "the case that the tests below spoil");
    }

    function test_evidence_cutAnywhere_reverts() public {
        Case memory c = linear();
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        for (uint256 size = 0; size < evidence.length; size += size < 80 ? 1 : 61) {
            requireRefused(claim, cut(evidence, size), EVIDENCE);
        }
        requireRefused(claim, cut(evidence, evidence.length - 1), EVIDENCE);
        requireRefused(claim, abi.encodePacked(evidence, hex"00"), EVIDENCE);
    }

    function test_descriptor_cutAnywhere_reverts() public {
        Case memory c = linear();
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        bytes memory desc = claim.desc;
        assertEq(desc.length, REQUANT + 17, "layout");
        for (uint256 size = 0; size < desc.length; ++size) {
            claim.desc = cut(desc, size);
            requireRefused(claim, evidence, DESCRIPTOR);
        }
        claim.desc = abi.encodePacked(desc, hex"00");
        requireRefused(claim, evidence, DESCRIPTOR);
    }

    function cut(bytes memory whole, uint256 size) private pure returns (bytes memory part) {
        part = new bytes(size);
        assembly ("memory-safe") {
            mcopy(add(part, 0x20), add(whole, 0x20), size)
        }
    }

    /* CHANGED BYTES */

    function test_evidence_anyByteChanged_reverts() public {
        Case memory c = linear();
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        for (uint256 i = 0; i < evidence.length; i += i % TILE < 90 ? 1 : 29) {
            bytes1 kept = evidence[i];
            evidence[i] ^= bytes1(uint8(1 << (i % 8)));
            try adjudicator.adjudicate(claim, evidence) {
                revert("a verdict");
            } catch (bytes memory reason) {
                assertTrue(reason.length >= 4 && bytes4(reason) != PANIC, "typed");
            }
            evidence[i] = kept;
        }
    }

    /// @dev Any flipped bit of a descriptor describes another operator or nothing: a verdict or an error, never a panic.
    function test_descriptor_anyBitChanged_neverPanics() public {
        Case memory c = linear();
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        uint256 refused;
        for (uint256 i = 0; i < claim.desc.length; ++i) {
            bytes1 kept = claim.desc[i];
            for (uint256 bit = 1; bit < 256; bit <<= 1) {
                claim.desc[i] = kept ^ bytes1(uint8(bit));
                try adjudicator.adjudicate(claim, evidence) returns (Verdict) {
                    continue;
                } catch (bytes memory reason) {
                    assertTrue(reason.length >= 4 && bytes4(reason) != PANIC, "typed");
                    ++refused;
                }
            }
            claim.desc[i] = kept;
        }
        // All that may change freely: layer, keys, unread positions, multiplier, shift, clamp.
        assertTrue(refused > claim.desc.length * 8 / 3, "too much gets through");
    }

    /* THE CLAIM */

    function test_claim_otherElement_reverts() public {
        Case memory c = linear();
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        claim.elem = 5;
        requireRefused(claim, evidence, ElementAdjudicator.WrongElement.selector);
        c.elem = uint64(ROWS * COLS);
        requireRefused(claimOf(c), evidenceOf(c), ElementAdjudicator.WrongElement.selector);
        // The mark of the whole operator names no element itself.
        c.elem = type(uint64).max;
        requireRefused(claimOf(c), evidenceOf(c), ElementAdjudicator.WrongElement.selector);
    }

    function test_claim_otherDigests_reverts() public {
        Case memory c = linear();
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        bytes32 right = claim.outDigest;
        claim.outDigest = claim.inDigests[0];
        requireRefused(claim, evidence, TileReader.WrongDigest.selector);
        (claim.outDigest, claim.inDigests[0]) = (right, right);
        requireRefused(claim, evidence, TileReader.WrongDigest.selector);
        claim.inDigests = new bytes32[](0);
        requireRefused(claim, evidence, ElementAdjudicator.WrongInputs.selector);
        claim.inDigests = new bytes32[](2);
        requireRefused(claim, evidence, ElementAdjudicator.WrongInputs.selector);
    }

    function test_claim_unknownOpcode_reverts() public {
        Case memory c = linear();
        for (uint256 opcode = 0; opcode < 256; ++opcode) {
            assertTrue(adjudicator.covers(uint8(opcode)) == (opcode >= 1 && opcode <= 7), "covers");
            if (opcode >= 1 && opcode <= 7) continue;
            requireDescriptorRefused(
                c, 1, abi.encodePacked(uint8(opcode)), ElementAdjudicator.OpcodeNotCovered.selector
            );
        }
    }

    /* MISSING OPENINGS */

    function test_evidence_tensorNotOpened_reverts() public {
        Case memory c = linear();
        Claim memory claim = claimOf(c);
        bytes memory head = abi.encodePacked(c.elem);
        bytes memory x = openMatrix(c.inputs[0]);
        bytes memory weights = abi.encodePacked(openWeight(c.weights[0]), openWeight(c.weights[1]));
        bytes memory y = openMatrix(c.output);
        bytes4 missing = TileReader.NotOpened.selector;
        requireRefused(claim, abi.encodePacked(head, hex"00", weights, y), missing);
        requireRefused(claim, abi.encodePacked(head, x, hex"00", openWeight(c.weights[1]), y), missing);
        requireRefused(claim, abi.encodePacked(head, x, openWeight(c.weights[0]), hex"00", y), missing);
        requireRefused(claim, abi.encodePacked(head, x, weights, hex"00"), missing);
    }

    /* DESCRIPTORS */

    function test_descriptor_badHead_reverts() public {
        Case memory c = linear();
        requireDescriptorRefused(c, 0, hex"02", DESCRIPTOR);
        requireDescriptorRefused(c, 2, hex"00", DESCRIPTOR);
        requireDescriptorRefused(c, 2, hex"05", DESCRIPTOR);
        requireDescriptorRefused(c, 3, hex"09", DESCRIPTOR);
        // Operator 8 of a layer of 8.
        requireDescriptorRefused(c, 8, hex"0008", DESCRIPTOR);
        // An input made by the operator itself.
        requireDescriptorRefused(c, INPUT, hex"0005", DESCRIPTOR);
    }

    function test_descriptor_badTensor_reverts() public {
        Case memory c = linear();
        requireDescriptorRefused(c, OUTPUT, hex"03", DESCRIPTOR);
        requireDescriptorRefused(c, OUTPUT, hex"00", DESCRIPTOR);
        requireDescriptorRefused(c, OUTPUT + 1, hex"00000000", DESCRIPTOR);
        requireDescriptorRefused(c, OUTPUT + 5, hex"00000000", DESCRIPTOR);
        requireDescriptorRefused(c, INPUT + 3, hex"ffffffffffffffff", DESCRIPTOR);
        requireDescriptorRefused(c, WEIGHTS, hex"08", DESCRIPTOR);
        requireDescriptorRefused(c, WEIGHTS + 1, hex"0000000000000000", DESCRIPTOR);
        requireDescriptorRefused(c, WEIGHTS + 1, hex"ffffffffffffffff", DESCRIPTOR);
        requireDescriptorRefused(c, WEIGHTS + 1, hex"0000040000000001", DESCRIPTOR);
    }

    function test_descriptor_badOperand_reverts() public {
        Case memory c = linear();
        requireDescriptorRefused(c, OPERANDS, hex"01", DESCRIPTOR);
        requireDescriptorRefused(c, OPERANDS, hex"ff", DESCRIPTOR);
        requireDescriptorRefused(c, OPERANDS + 1, hex"82", DESCRIPTOR);
        requireDescriptorRefused(c, OPERANDS + 2, hex"00", DESCRIPTOR);
    }

    function test_descriptor_wideFactor_reverts() public {
        Case memory c = linear();
        c.inputs[0] = sample(1, 4, ROWS, SIZE);
        requireRefused(claimOf(c), evidenceOf(c), DESCRIPTOR);
        c = linear();
        c.weights[0] = sample(2, 4, COLS, SIZE);
        requireRefused(claimOf(c), evidenceOf(c), DESCRIPTOR);
        c = linear();
        setOutput(c, 4, 4, ROWS, COLS, 0);
        requireRefused(claimOf(c), evidenceOf(c), DESCRIPTOR);
    }

    function test_descriptor_scaleOfAProduct_reverts() public {
        Case memory c;
        c.opcode = 0x04;
        (c.inputs, c.weights) = (new Sample[](1), new Sample[](1));
        c.inputs[0] = sample(1, 1, 1, COLS);
        c.weights[0] = sample(2, 1, 1, COLS);
        setOutput(c, 3, 1, 1, COLS, 0);
        bytes memory map = abi.encodePacked(uint8(1), axis(COLS, 1, 1));
        c.parameters = abi.encodePacked(uint16(0), map, map, uint32(1), uint8(9), uint8(16), hex"00ff");
        bytes memory parameters = c.parameters;
        c.parameters = abi.encodePacked(parameters, hex"ff", int32(-128), int32(127));
        adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        c.parameters = abi.encodePacked(parameters, hex"80", int32(-128), int32(127));
        requireRefused(claimOf(c), evidenceOf(c), DESCRIPTOR);
    }

    function test_descriptor_badMap_reverts() public {
        Case memory c = linear();
        requireDescriptorRefused(c, MAPS, hex"00", DESCRIPTOR);
        requireDescriptorRefused(c, MAPS, hex"05", DESCRIPTOR);
        // Sizes that do not multiply to the output's count, one of them after a wrap of 256 bits if there were one.
        requireDescriptorRefused(c, MAPS + 1, hex"00000002", DESCRIPTOR);
        requireDescriptorRefused(c, MAPS + 1, hex"00000000", DESCRIPTOR);
        requireDescriptorRefused(c, MAPS + 1, hex"ffffffff", DESCRIPTOR);
        requireDescriptorRefused(c, MAPS + 9, hex"0000", DESCRIPTOR);
        // A stride that leads some other element of the output outside the operand.
        requireDescriptorRefused(c, MAPS + 5, hex"00000029", DESCRIPTOR);
        requireDescriptorRefused(c, MAPS + 5, hex"ffffffff", DESCRIPTOR);
        requireDescriptorRefused(c, MAPS + 42 + 15, hex"00000002", DESCRIPTOR);
    }

    function test_descriptor_badLoops_reverts() public {
        Case memory c = linear();
        requireDescriptorRefused(c, LOOPS, hex"00", DESCRIPTOR);
        requireDescriptorRefused(c, LOOPS, hex"05", DESCRIPTOR);
        requireDescriptorRefused(c, LOOPS + 1, hex"00000000", DESCRIPTOR);
        requireDescriptorRefused(c, LOOPS + 1, hex"00000029", DESCRIPTOR);
        requireDescriptorRefused(c, LOOPS + 1, hex"ffffffff", DESCRIPTOR);
        requireDescriptorRefused(c, LOOPS + 5, hex"00000002", DESCRIPTOR);
        requireDescriptorRefused(c, LOOPS + 9, hex"ffffffff", DESCRIPTOR);
    }

    function test_descriptor_badRequantisation_reverts() public {
        Case memory c = linear();
        requireDescriptorRefused(c, REQUANT, hex"00000000", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT, hex"00008000", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 4, hex"00", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 4, hex"21", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 5, hex"03", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 5, hex"21", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 6, hex"03", DESCRIPTOR);
        // A table that is not named, is not asked for, has another size; a scale of another size.
        requireDescriptorRefused(c, REQUANT + 6, hex"02", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 7, hex"80", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 6, hex"0280", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 8, hex"80", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 8, hex"00", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 9, hex"ffffff7f", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 13, hex"00000080", DESCRIPTOR);
        requireDescriptorRefused(c, REQUANT + 9, hex"0000000500000004", DESCRIPTOR);
    }

    function test_descriptor_badConvolution_reverts() public {
        Case memory c;
        c.opcode = 0x02;
        (c.inputs, c.weights) = (new Sample[](1), new Sample[](1));
        c.inputs[0] = sample(1, 1, 16, 2);
        c.weights[0] = sample(2, 1, 4, 9);
        setOutput(c, 3, 1, 16, 4, 0);
        // H W C O KH KW stride padding groups of a convolution over 4 x 4 pixels, channel by channel
        uint32[9] memory right = [uint32(4), 4, 2, 4, 3, 3, 1, 1, 2];
        requireConvolution(c, right, 0, 4, bytes4(0));
        uint32[2][18] memory wrong = [
            [uint32(0), 5],
            [uint32(0), 0],
            [uint32(1), 2],
            [uint32(2), 4],
            [uint32(2), 3],
            [uint32(3), 5],
            [uint32(3), 0],
            [uint32(4), 2],
            [uint32(4), 0],
            [uint32(5), 7],
            [uint32(6), 0],
            [uint32(6), 2],
            [uint32(7), 3],
            [uint32(7), 0],
            [uint32(8), 0],
            [uint32(8), 4],
            [uint32(8), 1],
            [uint32(0), type(uint32).max]
        ];
        for (uint256 i = 0; i < wrong.length; ++i) {
            requireConvolution(c, right, wrong[i][0], wrong[i][1], DESCRIPTOR);
        }
    }

    /// @param expected The error, 0 if a verdict is expected.
    function requireConvolution(Case memory c, uint32[9] memory shape, uint256 at, uint32 value, bytes4 expected)
        private
        view
    {
        c.parameters = hex"0080ff";
        for (uint256 i = 0; i < 9; ++i) {
            c.parameters = abi.encodePacked(c.parameters, i == at ? value : shape[i]);
        }
        c.parameters = abi.encodePacked(c.parameters, plainRequant(11, 14, 1));
        if (expected == 0) adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        else requireRefused(claimOf(c), evidenceOf(c), expected);
    }

    /// @dev 2 x 2 pixels, a kernel of one: with padding the output would have 4 x 4 pixels, most of them empty.
    function test_descriptor_paddingAsWideAsKernel_reverts() public {
        Case memory c;
        c.opcode = 0x02;
        (c.inputs, c.weights) = (new Sample[](1), new Sample[](1));
        (c.inputs[0], c.weights[0]) = (sample(1, 1, 4, 1), sample(2, 1, 1, 1));
        setOutput(c, 3, 1, 16, 1, 0);
        requireConvolution(c, [uint32(2), 2, 1, 1, 1, 1, 1, 1, 1], 0, 2, DESCRIPTOR);
        setOutput(c, 3, 1, 4, 1, 0);
        requireConvolution(c, [uint32(2), 2, 1, 1, 1, 1, 1, 0, 1], 0, 2, bytes4(0));
    }

    function test_descriptor_badBiasOfConvolution_reverts() public {
        Case memory c;
        c.opcode = 0x02;
        (c.inputs, c.weights) = (new Sample[](1), new Sample[](2));
        (c.inputs[0], c.weights[0]) = (sample(1, 1, 16, 2), sample(2, 1, 4, 18));
        setOutput(c, 3, 1, 4, 4, 0);
        c.parameters = abi.encodePacked(hex"008081", uint32(4), uint32(4), uint32(2), uint32(4), uint32(3), uint32(3));
        c.parameters = abi.encodePacked(c.parameters, uint32(1), uint32(0), uint32(1), plainRequant(11, 14, 1));
        c.weights[1] = sample(4, 1, 1, 4);
        adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        c.weights[1] = sample(4, 1, 1, 5);
        requireRefused(claimOf(c), evidenceOf(c), DESCRIPTOR);
    }

    /// @dev An operator over x (3, 4) with two weights of so many elements, and its parameters.
    function elementwise(uint8 opcode, uint256 first, uint256 second, bytes memory parameters)
        private
        returns (Case memory c)
    {
        c.opcode = opcode;
        (c.inputs, c.weights) = (new Sample[](1), new Sample[](2));
        c.inputs[0] = sample(1, 1, 3, 4);
        (c.weights[0], c.weights[1]) = (sample(2, 1, 1, first), sample(3, 1, 1, second));
        setOutput(c, 3, 1, 3, 4, 0);
        c.parameters = abi.encodePacked(parameters, plainRequant(11, 14, 1));
    }

    function requireRefused(Case memory c) private view {
        requireRefused(claimOf(c), evidenceOf(c), DESCRIPTOR);
    }

    function test_descriptor_badSum_reverts() public {
        bytes memory map = abi.encodePacked(uint8(1), axis(12, 1, 1));
        Case memory c = elementwise(0x03, 1, 1, abi.encodePacked(hex"0100", int32(32767), map));
        adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        requireRefused(elementwise(0x03, 1, 1, hex"00"));
        requireRefused(elementwise(0x03, 1, 1, abi.encodePacked(hex"0100", int32(32768), map)));
        requireRefused(elementwise(0x03, 1, 1, abi.encodePacked(hex"0100", int32(-32768), map)));
        requireRefused(elementwise(0x03, 1, 1, abi.encodePacked(hex"0100", int32(0), map)));
        requireRefused(elementwise(0x03, 1, 1, abi.encodePacked(hex"0180", int32(1), map)));
        bytes memory many = hex"11";
        for (uint256 i = 0; i < 17; ++i) {
            many = abi.encodePacked(many, hex"00", int32(1), map);
        }
        requireRefused(elementwise(0x03, 1, 1, many));
    }

    function test_descriptor_badReduction_reverts() public {
        bytes memory map = abi.encodePacked(hex"0001", axis(12, 0, 1), uint8(1));
        Case memory c = elementwise(0x05, 1, 1, abi.encodePacked(map, uint32(12), uint32(1)));
        adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        requireRefused(elementwise(0x05, 1, 1, abi.encodePacked(map, uint32(13), uint32(1))));
        requireRefused(elementwise(0x05, 1, 1, abi.encodePacked(map, uint32(2), uint32(12))));
        // The asked element's run lies within x, that of the last one does not.
        map = abi.encodePacked(hex"0001", axis(12, 1, 1), uint8(1));
        requireRefused(elementwise(0x05, 1, 1, abi.encodePacked(map, uint32(2), uint32(1))));
    }

    function test_descriptor_badRotation_reverts() public {
        bytes memory good = abi.encodePacked(hex"008081", uint32(3), uint32(1), uint32(4));
        Case memory c = elementwise(0x06, 12, 12, good);
        adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        requireRefused(elementwise(0x06, 13, 13, good));
        requireRefused(elementwise(0x06, 12, 13, good));
        requireRefused(elementwise(0x06, 12, 12, abi.encodePacked(hex"000081", uint32(3), uint32(1), uint32(4))));
        requireRefused(elementwise(0x06, 16, 16, abi.encodePacked(hex"008081", uint32(4), uint32(1), uint32(4))));
        requireRefused(elementwise(0x06, 12, 12, abi.encodePacked(hex"008081", uint32(4), uint32(1), uint32(3))));
        requireRefused(elementwise(0x06, 12, 12, abi.encodePacked(hex"008081", uint32(0), uint32(1), uint32(4))));
    }

    function test_descriptor_badEmbedding_reverts() public {
        bytes memory good = abi.encodePacked(hex"008081", uint32(4));
        requireEmbedding(good, 3, 8, 12, bytes4(0));
        requireEmbedding(good, 2, 8, 12, DESCRIPTOR);
        requireEmbedding(good, 3, 9, 12, DESCRIPTOR);
        requireEmbedding(good, 3, 8, 11, DESCRIPTOR);
        requireEmbedding(abi.encodePacked(hex"008081", uint32(0)), 3, 8, 12, DESCRIPTOR);
        requireEmbedding(abi.encodePacked(hex"000081", uint32(4)), 3, 8, 12, DESCRIPTOR);
        requireEmbedding(abi.encodePacked(hex"808081", uint32(4)), 3, 8, 12, DESCRIPTOR);
    }

    /// @dev Tokens 0, a table and positions of so many elements; the output is (3, 4).
    function requireEmbedding(
        bytes memory parameters,
        uint256 tokens,
        uint256 table,
        uint256 positions,
        bytes4 expected
    ) private {
        Case memory c = elementwise(0x07, table, positions, parameters);
        c.inputs[0] = tensor(4, 1, tokens, new int256[](tokens));
        if (expected == 0) adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        else requireRefused(claimOf(c), evidenceOf(c), expected);
    }

    /* VALUES WITHOUT A MEANING */

    function test_embedding_unknownToken_reverts() public {
        Case memory c;
        c.opcode = 0x07;
        (c.inputs, c.weights) = (new Sample[](1), new Sample[](1));
        c.weights[0] = sample(1, 1, 6, 4);
        int256[4] memory tokens = [int256(5), 6, -1, type(int32).max];
        int256[] memory values = new int256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            values[i] = tokens[i];
        }
        c.inputs[0] = tensor(4, 1, 4, values);
        c.parameters = abi.encodePacked(hex"0080ff", uint32(4), plainRequant(1, 1, 1));
        for (c.elem = 0; c.elem < 16; ++c.elem) {
            setOutput(c, 2, 1, 4, 4, 0);
            if (c.elem < 4) adjudicator.adjudicate(claimOf(c), evidenceOf(c));
            else requireRefused(claimOf(c), evidenceOf(c), ContractionAdjudicator.NoSuchToken.selector);
        }
    }

    function test_requantisation_keyOrEntryOutside_reverts() public {
        Case memory c;
        c.opcode = 0x04;
        (c.inputs, c.weights) = (new Sample[](1), new Sample[](1));
        int256[] memory values = new int256[](4);
        (values[0], values[1], values[2], values[3]) = (2, 11, -11, 127);
        c.inputs[0] = tensor(1, 1, 4, values);
        c.weights[0] = sample(1, 1, 1, 256);
        c.weights[0].values[4 + 128] = 99;
        c.weights[0] = tensor(1, 1, 256, c.weights[0].values);
        setOutput(c, 2, 1, 1, 4, 99);
        bytes memory map = abi.encodePacked(uint8(1), axis(4, 1, 1));
        // x * x without a scale into a table of 8 bits whose entries reach 99.
        c.parameters = abi.encodePacked(uint16(0), map, map, uint32(2), uint8(1), uint8(8), hex"0280ff");
        bytes memory parameters = c.parameters;
        c.parameters = abi.encodePacked(parameters, int32(-128), int32(99));
        adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        c.parameters = abi.encodePacked(parameters, int32(-128), int32(98));
        requireRefused(claimOf(c), evidenceOf(c), Requantise.EntryOutOfRange.selector);
        c.parameters = abi.encodePacked(parameters, int32(100), int32(127));
        requireRefused(claimOf(c), evidenceOf(c), Requantise.EntryOutOfRange.selector);
        c.elem = 3;
        requireRefused(claimOf(c), evidenceOf(c), Requantise.QuotientOutOfTable.selector);
    }

    /* GAS AND PRECOMPILE */

    function test_adjudicate_littleGas_revertsOrIsRight() public {
        Case memory c = linear();
        bytes memory call = abi.encodeCall(adjudicator.adjudicate, (claimOf(c), evidenceOf(c)));
        uint256 refused;
        for (uint256 given = 500; given < 120_000; given += 397) {
            (bool success, bytes memory answer) = address(adjudicator).staticcall{gas: given}(call);
            if (success) assertEq(abi.decode(answer, (uint256)), uint256(Verdict.CONSISTENT), "verdict");
            else ++refused;
        }
        assertTrue(refused > 20 && refused < 300, "both happen");
    }

    function test_adjudicate_failingPrecompile_reverts() public {
        Case memory c = linear();
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        PrecompileVm(address(vm)).mockCallRevert(address(2), "", "");
        requireRefused(claim, evidence, TensorDigest.Sha256Failed.selector);
        PrecompileVm(address(vm)).clearMockedCalls();
        adjudicator.adjudicate(claim, evidence);
    }
}
