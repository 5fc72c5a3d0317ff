// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CursorLib} from "../../contracts/adjudication/Cursor.sol";
import {RowAdjudicator} from "../../contracts/adjudication/RowAdjudicator.sol";
import {TileReader} from "../../contracts/adjudication/TileReader.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {Case, ElementBuilder, Sample} from "./ElementBuilder.sol";

/// @notice Rows, maxima and index maps with numbers worked out by hand, and every rule about their descriptors, weights
/// and indices broken once. Random operators against the runtimes: tests/differential/test_elements.py.
contract AdjudicationRowsTest is ElementBuilder {
    RowAdjudicator private adjudicator;

    bytes4 private immutable DESCRIPTOR = CursorLib.MalformedDescriptor.selector;
    /// @dev Where parameters begin: behind a head of 76 bytes, the output (9) and an input (11); a weight has 41.
    uint256 private constant NO_WEIGHT = 96;
    uint256 private constant ONE_WEIGHT = 137;
    uint256 private constant TWO_WEIGHTS = 178;

    function setUp() public {
        adjudicator = new RowAdjudicator();
    }

    /* CASES */

    function start(uint8 opcode, uint256 weights, uint64 elem) private pure returns (Case memory c) {
        (c.opcode, c.elem) = (opcode, elem);
        (c.inputs, c.weights) = (new Sample[](1), new Sample[](weights));
    }

    function list(int16[4] memory values) private pure returns (int256[] memory result) {
        result = new int256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            result[i] = values[i];
        }
    }

    function requireConsistent(Case memory c) private view {
        Verdict verdict = adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        assertEq(uint256(verdict), uint256(Verdict.CONSISTENT), "consistent");
    }

    function requireRefused(Case memory c, bytes memory expected) private {
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        vm.expectRevert(expected);
        adjudicator.adjudicate(claim, evidence);
    }

    /// @dev Requires the descriptor with `value` in place of the bytes at `at` to be refused.
    function requireDescriptorRefused(Case memory c, uint256 at, bytes memory value) private view {
        Claim memory claim = claimOf(c);
        for (uint256 i = 0; i < value.length; ++i) {
            claim.desc[at + i] = value[i];
        }
        bytes memory evidence = evidenceOf(c);
        try adjudicator.adjudicate(claim, evidence) {
            revert("a verdict");
        } catch (bytes memory reason) {
            assertEq(bytes32(bytes4(reason)), bytes32(DESCRIPTOR), "other error");
        }
    }

    /* NORMALIZE */

    /// @dev Row (1, 2, 3, 6), element 3: sum 12, sum of squares 50. f = 10, epsilon = 1.
    function normalization(uint8 kind, int256 expected) private returns (Case memory c) {
        c = start(0x08, 2, 7);
        int256[] memory x = sample(1, 1, 2, 4).values;
        (x[4], x[5], x[6], x[7]) = (int256(1), int256(2), int256(3), int256(6));
        c.inputs[0] = tensor(1, 2, 4, x);
        c.weights[0] = tensor(1, 1, 4, list([int16(9), 9, 9, -3]));
        c.weights[1] = tensor(4, 1, 4, list([int16(0), 0, 0, 100]));
        c.parameters = abi.encodePacked(hex"008081", kind, uint32(4), uint32(1), uint8(10), plainRequant(1, 4, 2));
        setOutput(c, 2, 2, 2, 4, expected);
    }

    function test_normalize_layer_byHand() public {
        // S = 4 * 50 - 144 + 1 = 57, 135^2 S <= 2^20 < 136^2 S, c = 4 * 6 - 12: 12 * 135 * -3 + 100 = -4760
        requireConsistent(normalization(0, -297));
    }

    function test_normalize_rms_byHand() public {
        // S = 51, 143^2 S <= 2^20 < 144^2 S, c = 6: 6 * 143 * -3 + 100 = -2474, (-2474 + 8) / 16 rounded down
        requireConsistent(normalization(1, -155));
    }

    function test_normalize_reciprocalRoot_neverOneOff() public {
        // S = 2^20 / r^2 exactly for r = 2 and one more or less: the root is 2, 2 and 1.
        for (uint256 step = 0; step < 3; ++step) {
            uint32 epsilon = uint32((1 << 18) - 1 + step);
            Case memory c = start(0x08, 1, 0);
            c.inputs[0] = tensor(1, 1, 4, new int256[](4));
            c.inputs[0].values[0] = 1;
            c.inputs[0] = tensor(1, 1, 4, c.inputs[0].values);
            c.weights[0] = tensor(1, 1, 4, list([int16(4), 0, 0, 0]));
            c.parameters = abi.encodePacked(hex"0080ff01", uint32(4), epsilon - 1, uint8(10), plainRequant(1, 1, 1));
            // S = 1 + epsilon - 1; y = (4 r + 1) / 2
            setOutput(c, 3, 1, 1, 4, step == 2 ? int256(2) : int256(4));
            requireConsistent(c);
        }
    }

    function test_normalize_badDescriptors_revert() public {
        Case memory c = normalization(0, -297);
        requireDescriptorRefused(c, TWO_WEIGHTS, hex"02"); //            no such input
        requireDescriptorRefused(c, TWO_WEIGHTS + 1, hex"00"); //        gamma is no weight
        requireDescriptorRefused(c, TWO_WEIGHTS + 2, hex"00"); //        beta neither
        requireDescriptorRefused(c, TWO_WEIGHTS + 3, hex"02"); //        kind
        requireDescriptorRefused(c, TWO_WEIGHTS + 4, hex"00000002"); //  n is half a row
        requireDescriptorRefused(c, TWO_WEIGHTS + 4, hex"00000008"); //  or two
        requireDescriptorRefused(c, TWO_WEIGHTS + 4, hex"00000000");
        requireDescriptorRefused(c, TWO_WEIGHTS + 8, hex"00000000"); //  epsilon
        requireDescriptorRefused(c, TWO_WEIGHTS + 8, hex"80000000");
        requireDescriptorRefused(c, TWO_WEIGHTS + 12, hex"00"); //       f
        requireDescriptorRefused(c, TWO_WEIGHTS + 12, hex"1e");
        requireDescriptorRefused(c, NO_WEIGHT + 8, hex"05"); //          gamma has an element more
        requireDescriptorRefused(c, ONE_WEIGHT + 8, hex"05"); //         beta has
    }

    /* SOFTMAX */

    /// @dev Two heads of two queries over three keys, causal; rows 2 and 3 are (5, 7, 9) and (0, far, 0).
    function attention(uint64 elem, int256 far, int256 y, uint256 entryWidth, int256 first, int256 third)
        private
        returns (Case memory c)
    {
        c = start(0x09, 1, elem);
        int256[] memory x = sample(1, 1, 4, 3).values;
        (x[6], x[7], x[8], x[9], x[10], x[11]) = (int256(5), int256(7), int256(9), int256(0), far, int256(0));
        c.inputs[0] = tensor(1, 4, 3, x);
        int256[] memory table = new int256[](16);
        (table[0], table[1], table[2], table[15]) = (first, int256(600), third, int256(1));
        c.weights[0] = tensor(entryWidth, 1, 16, table);
        c.parameters =
            abi.encodePacked(hex"0080", uint8(4), uint8(20), uint8(1), uint32(2), uint32(3), plainRequant(1, 8, 2));
        setOutput(c, 4, 2, 4, 3, y);
    }

    function test_softmax_byHand() public {
        // Query 0 sees two keys: 1000 + 400, iota = floor(2^20 / 1400) = 748, 400 * 748 / 256 = 1168.75
        requireConsistent(attention(6, 15, 1169, 2, 1000, 400));
        requireConsistent(attention(7, 15, 2922, 2, 1000, 400)); // 1000 * 748 / 256 = 2921.9
        requireConsistent(attention(8, 15, 0, 2, 1000, 400)); //    not its own key
        // Query 1 sees all: 1 + 1000 + 1, iota = floor(2^20 / 1002) = 1046, 1000 * 1046 / 256 = 4085.9
        requireConsistent(attention(10, 15, 4086, 2, 1000, 400));
    }

    function test_softmax_cellBeyondTheMask_readsNothing() public {
        Case memory c = attention(8, 15, 0, 2, 1000, 400);
        Claim memory claim = claimOf(c);
        bytes memory evidence = abi.encodePacked(c.elem, hex"0000", openMatrix(c.output));
        assertEq(uint256(adjudicator.adjudicate(claim, evidence)), uint256(Verdict.CONSISTENT), "nothing opened");
        claim.elem = 7;
        evidence = abi.encodePacked(uint64(7), hex"0000", openMatrix(c.output));
        vm.expectRevert(abi.encodeWithSelector(TileReader.NotOpened.selector, 0, 6));
        adjudicator.adjudicate(claim, evidence);
    }

    function test_softmax_distanceBeyondTheTable_reverts() public {
        Case memory c = attention(9, 16, 0, 2, 1000, 400);
        requireRefused(c, abi.encodeWithSelector(TileReader.NotOpened.selector, 1, 16));
    }

    function test_softmax_badEntries_revert() public {
        bytes4 error_ = RowAdjudicator.EntryNotAllowed.selector;
        requireRefused(attention(6, 15, 0, 2, 0, 400), abi.encodeWithSelector(error_, 0, 0));
        requireRefused(attention(6, 15, 0, 2, -1, 400), abi.encodeWithSelector(error_, 0, -1));
        requireRefused(attention(6, 15, 0, 2, 1000, -400), abi.encodeWithSelector(error_, 2, -400));
        requireRefused(attention(6, 15, 0, 4, 1000, 65536), abi.encodeWithSelector(error_, 2, 65536));
        // Behind a good entry, and not the element's own.
        Case memory c = attention(6, 15, 0, 4, 1000, 65536);
        (c.inputs[0].values[6], c.inputs[0].values[7]) = (int256(7), int256(5));
        c.inputs[0] = tensor(1, 4, 3, c.inputs[0].values);
        requireRefused(c, abi.encodeWithSelector(error_, 2, 65536));
        // iota = floor(2^20 / 66535) = 15, 65535 * 15 / 256 = 3839.9
        requireConsistent(attention(6, 15, 3840, 4, 1000, 65535));
    }

    function test_softmax_badDescriptors_revert() public {
        Case memory c = attention(6, 15, 1169, 2, 1000, 400);
        requireDescriptorRefused(c, ONE_WEIGHT + 1, hex"00"); //         the table is no weight
        requireDescriptorRefused(c, ONE_WEIGHT + 2, hex"03"); //         width
        requireDescriptorRefused(c, ONE_WEIGHT + 2, hex"05");
        requireDescriptorRefused(c, ONE_WEIGHT + 2, hex"11");
        requireDescriptorRefused(c, ONE_WEIGHT + 3, hex"00"); //         g
        requireDescriptorRefused(c, ONE_WEIGHT + 3, hex"2f");
        requireDescriptorRefused(c, ONE_WEIGHT + 4, hex"02"); //         causal
        requireDescriptorRefused(c, ONE_WEIGHT + 5, hex"00000000"); //   queries
        requireDescriptorRefused(c, ONE_WEIGHT + 5, hex"00000003"); //   do not divide the rows
        requireDescriptorRefused(c, ONE_WEIGHT + 5, hex"00000004"); //   more than keys
        requireDescriptorRefused(c, ONE_WEIGHT + 9, hex"00000002"); //   keys are no row
        requireDescriptorRefused(c, NO_WEIGHT + 8, hex"20"); //          a table of 32 entries
    }

    /* MAXIMA */

    /// @dev x (4, 4, 2) counts from -16 up, but for the cell (1, 2, 1), the greatest.
    function pool(uint64 elem, int256 y) private returns (Case memory c) {
        c = start(0x0a, 0, elem);
        int256[] memory x = new int256[](32);
        for (uint256 i = 0; i < 32; ++i) {
            x[i] = int256(i) - 16;
        }
        x[(1 * 4 + 2) * 2 + 1] = 127;
        c.inputs[0] = tensor(1, 16, 2, x);
        c.parameters = abi.encodePacked(hex"00", uint32(4), uint32(4), uint32(2), uint32(2), uint32(2));
        setOutput(c, 5, 1, 4, 2, y);
    }

    function test_maxPool_byHand() public {
        requireConsistent(pool(0, -6)); // cells 0, 2, 8, 10
        requireConsistent(pool(3, 127));
        requireConsistent(pool(7, 15)); // the last cell
    }

    function test_maxPool_badDescriptors_revert() public {
        Case memory c = pool(3, 127);
        requireDescriptorRefused(c, NO_WEIGHT, hex"80"); //           no such weight
        requireDescriptorRefused(c, NO_WEIGHT + 1, hex"00000008"); // H
        requireDescriptorRefused(c, NO_WEIGHT + 5, hex"00000008"); // W
        requireDescriptorRefused(c, NO_WEIGHT + 9, hex"00000001"); // C
        requireDescriptorRefused(c, NO_WEIGHT + 13, hex"00000000"); // KH
        requireDescriptorRefused(c, NO_WEIGHT + 13, hex"00000003");
        requireDescriptorRefused(c, NO_WEIGHT + 13, hex"00000004");
        requireDescriptorRefused(c, NO_WEIGHT + 17, hex"00000000"); // KW
        requireDescriptorRefused(c, NO_WEIGHT + 17, hex"00000001");
    }

    function argmax(int16[4] memory x, uint256 outputs, int256 y) private returns (Case memory c) {
        c = start(0x0e, 0, 0);
        c.inputs[0] = tensor(2, 1, 4, list(x));
        c.parameters = hex"00";
        setOutput(c, 6, 4, 1, outputs, y);
    }

    function test_argmax_lowestOfTheGreatest() public {
        requireConsistent(argmax([int16(-7), -5, -5, -6], 1, 1));
        requireConsistent(argmax([int16(-32768), -32768, -32768, -32768], 1, 0));
        requireConsistent(argmax([int16(-1), 0, 1, 2], 1, 3));
        requireRefused(argmax([int16(-1), 0, 1, 2], 2, 3), abi.encodeWithSelector(DESCRIPTOR, NO_WEIGHT + 1));
    }

    /* INDEX MAPS */

    function test_relu_anotherShape_reverts() public {
        Case memory c = start(0x0b, 0, 1);
        c.inputs[0] = tensor(1, 1, 4, list([int16(-128), -1, 1, 127]));
        c.parameters = hex"00";
        setOutput(c, 7, 1, 2, 2, 0);
        requireConsistent(c);
        setOutput(c, 7, 1, 1, 3, 0);
        requireRefused(c, abi.encodeWithSelector(DESCRIPTOR, NO_WEIGHT + 1));
    }

    function test_view_beyondTheInput_reverts() public {
        Case memory c = start(0x0c, 0, 1);
        c.inputs[0] = tensor(1, 1, 4, list([int16(-128), -1, 1, 127]));
        // Two elements, one apart from each other.
        c.parameters = abi.encodePacked(hex"00", uint64(1), uint8(1), axis(2, 2, 1));
        setOutput(c, 8, 1, 1, 2, 127);
        requireConsistent(c);
        // Refused whatever the element: another one of the output would lie outside.
        c.parameters = abi.encodePacked(hex"00", uint64(2), uint8(1), axis(2, 2, 1));
        (c.elem, c.output) = (0, tensor(1, 1, 2, new int256[](2)));
        requireRefused(c, abi.encodeWithSelector(DESCRIPTOR, NO_WEIGHT + 20));
        requireDescriptorRefused(c, NO_WEIGHT + 1, hex"ffffffffffffffff");
        requireDescriptorRefused(c, NO_WEIGHT + 10, hex"00000001"); // a map of one element
    }

    function gatherCase(int16 index, int256 y) private returns (Case memory c) {
        c = start(0x0d, 1, 3);
        c.inputs[0] = tensor(1, 1, 4, list([int16(-128), -1, 1, 127]));
        c.weights[0] = tensor(4, 1, 4, list([int16(0), 0, 0, index]));
        c.parameters = hex"0080";
        setOutput(c, 9, 1, 1, 4, y);
    }

    function test_gather_indexOutside_reverts() public {
        requireConsistent(gatherCase(3, 127));
        bytes4 error_ = RowAdjudicator.IndexOutOfRange.selector;
        requireRefused(gatherCase(4, 0), abi.encodeWithSelector(error_, 4));
        requireRefused(gatherCase(-1, 0), abi.encodeWithSelector(error_, -1));
        Case memory c = gatherCase(3, 127);
        requireDescriptorRefused(c, ONE_WEIGHT + 1, hex"00"); //  the index is no weight
        requireDescriptorRefused(c, NO_WEIGHT + 8, hex"05"); //   and has as many elements as the output
    }
}
