// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ContractionAdjudicator} from "../../contracts/adjudication/ContractionAdjudicator.sol";
import {ElementAdjudicator} from "../../contracts/adjudication/ElementAdjudicator.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {Case, ElementBuilder, Sample} from "./ElementBuilder.sol";

/// @notice Each opcode against its meaning (LANGUAGE.md), written out element by element; both verdicts.
/// forge-config: default.fuzz.runs = 64
/// forge-config: full.fuzz.runs = 1000
contract AdjudicationContractionTest is ElementBuilder {
    ContractionAdjudicator private adjudicator;

    uint32 private constant M = 77;

    function setUp() public {
        adjudicator = new ContractionAdjudicator();
    }

    /* HELPERS */

    function oneInput(uint8 opcode, Sample memory x, uint256 weights) private pure returns (Case memory c) {
        c.opcode = opcode;
        c.inputs = new Sample[](1);
        c.inputs[0] = x;
        c.weights = new Sample[](weights);
    }

    /// @dev Requires the verdict to be CONSISTENT where the output holds what `acc` becomes, and INCONSISTENT elsewhere.
    function requireDecided(Case memory c, uint256 seed, int256 acc, uint8 s) private {
        (uint256 rows, uint256 cols) = (c.output.rows, c.output.cols);
        uint256 width = 1 + draw(seed, 2);
        c.parameters = abi.encodePacked(c.parameters, plainRequant(M, s, width));
        int256 y = plainQuotient(acc, M, s, width);
        setOutput(c, seed, width, rows, cols, y);
        requireVerdict(c, Verdict.CONSISTENT);
        setOutput(c, seed, width, rows, cols, y == 0 ? int256(1) : draw(seed, 2) == 0 ? y - sign(y) : -y - 1);
        requireVerdict(c, Verdict.INCONSISTENT);
    }

    function sign(int256 y) private pure returns (int256) {
        return y < 0 ? int256(-1) : int256(1);
    }

    function requireVerdict(Case memory c, Verdict expected) private view {
        Verdict verdict = adjudicator.adjudicate(claimOf(c), evidenceOf(c));
        assertEq(uint256(verdict), uint256(expected), "verdict");
    }

    function drawWidth(uint256 seed) private returns (uint256) {
        return 1 + draw(seed, 2);
    }

    /* 0x01 CONTRACT */

    function testFuzz_contract_linear_isExact(uint256 seed) public {
        (uint256 rows, uint256 size, uint256 cols) = (1 + draw(seed, 4), 1 + draw(seed, 400), 1 + draw(seed, 5));
        Case memory c = oneInput(0x01, sample(seed, drawWidth(seed), rows, size), 2);
        c.weights[0] = sample(seed, drawWidth(seed), cols, size);
        c.weights[1] = sample(seed, 4, 1, cols);
        c.elem = uint64(draw(seed, rows * cols));
        (uint256 i, uint256 j) = (c.elem / cols, c.elem % cols);
        int256 acc = c.weights[1].values[j];
        for (uint256 k = 0; k < size; ++k) {
            acc += c.inputs[0].values[i * size + k] * c.weights[0].values[j * size + k];
        }
        c.parameters = abi.encodePacked(hex"008081", uint8(2), axis(rows, size, 1), axis(cols, 0, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(2), axis(rows, 0, 1), axis(cols, size, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(2), axis(rows, 0, 1), axis(cols, 1, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(1), uint32(size), uint32(1), uint32(1));
        (c.output.rows, c.output.cols) = (rows, cols);
        requireDecided(c, seed, acc, uint8(20 + draw(seed, 12)));
    }

    /// @dev Heads of a that share those of b: a (H, I, K), b (H / share, K, J), output (H, I, J); b's rows are not
    /// contiguous.
    function testFuzz_contract_sharedHeads_isExact(uint256 seed) public {
        uint256 share = 1 << draw(seed, 3);
        (uint256 heads, uint256 rows) = (share * (1 + draw(seed, 2)), 1 + draw(seed, 3));
        (uint256 size, uint256 cols) = (1 + draw(seed, 12), 1 + draw(seed, 4));
        Case memory c = oneInput(0x01, sample(seed, drawWidth(seed), heads * rows, size), 0);
        Sample memory a = c.inputs[0];
        c.inputs = new Sample[](2);
        (c.inputs[0], c.inputs[1]) = (a, sample(seed, drawWidth(seed), heads / share * size, cols));
        c.elem = uint64(draw(seed, heads * rows * cols));
        int256 acc;
        for (uint256 k = 0; k < size; ++k) {
            uint256 atB = (c.elem / cols / rows / share * size + k) * cols + c.elem % cols;
            acc += a.values[c.elem / cols * size + k] * c.inputs[1].values[atB];
        }
        c.parameters =
            abi.encodePacked(hex"0001ff", uint8(3), axis(heads, rows * size, 1), axis(rows, size, 1), axis(cols, 0, 1));
        c.parameters = abi.encodePacked(
            c.parameters, uint8(3), axis(heads, size * cols, share), axis(rows, 0, 1), axis(cols, 1, 1)
        );
        c.parameters = abi.encodePacked(c.parameters, uint8(1), uint32(size), uint32(1), uint32(cols));
        (c.output.rows, c.output.cols) = (heads * rows, cols);
        requireDecided(c, seed, acc, uint8(10 + draw(seed, 12)));
    }

    /// @dev Two loops: sum over (p, q) of x[p, i, q] w[j, p, q].
    function testFuzz_contract_twoLoops_isExact(uint256 seed) public {
        (uint256 outer, uint256 rows) = (1 + draw(seed, 4), 1 + draw(seed, 4));
        (uint256 inner, uint256 cols) = (1 + draw(seed, 40), 1 + draw(seed, 4));
        Case memory c = oneInput(0x01, sample(seed, 1, outer * rows, inner), 1);
        c.weights[0] = sample(seed, 2, cols, outer * inner);
        c.elem = uint64(draw(seed, rows * cols));
        int256 acc;
        for (uint256 k = 0; k < outer * inner; ++k) {
            int256 x = c.inputs[0].values[(k / inner * rows + c.elem / cols) * inner + k % inner];
            acc += x * c.weights[0].values[c.elem % cols * outer * inner + k];
        }
        c.parameters = abi.encodePacked(hex"0080ff", uint8(2), axis(rows, inner, 1), axis(cols, 0, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(2), axis(rows, 0, 1), axis(cols, outer * inner, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(2), uint32(outer), uint32(rows * inner), uint32(inner));
        c.parameters = abi.encodePacked(c.parameters, uint32(inner), uint32(1), uint32(1));
        (c.output.rows, c.output.cols) = (rows, cols);
        requireDecided(c, seed, acc, uint8(18 + draw(seed, 8)));
    }

    /* 0x02 CONV2D */

    struct Shape {
        uint256 height;
        uint256 width;
        uint256 channels;
        uint256 outputs;
        uint256 kernelHeight;
        uint256 kernelWidth;
        uint256 stride;
        uint256 padding;
        uint256 groups;
        uint256 rows;
        uint256 cols;
    }

    function drawShape(uint256 seed) private returns (Shape memory s) {
        s.groups = 1 + draw(seed, 3);
        (s.channels, s.outputs) = (s.groups * (1 + draw(seed, 4)), s.groups * (1 + draw(seed, 3)));
        (s.kernelHeight, s.kernelWidth) = (1 + draw(seed, 3), 1 + draw(seed, 3));
        s.padding = draw(seed, s.kernelHeight < s.kernelWidth ? s.kernelHeight : s.kernelWidth);
        s.stride = 1 + draw(seed, 3);
        (s.height, s.width) = (s.kernelHeight + draw(seed, 4), s.kernelWidth + draw(seed, 4));
        s.rows = (s.height + 2 * s.padding - s.kernelHeight) / s.stride + 1;
        s.cols = (s.width + 2 * s.padding - s.kernelWidth) / s.stride + 1;
    }

    function encodeShape(Shape memory s) private pure returns (bytes memory) {
        bytes memory image = abi.encodePacked(uint32(s.height), uint32(s.width), uint32(s.channels), uint32(s.outputs));
        return abi.encodePacked(
            image, uint32(s.kernelHeight), uint32(s.kernelWidth), uint32(s.stride), uint32(s.padding), uint32(s.groups)
        );
    }

    function testFuzz_convolution_isExact(uint256 seed) public {
        Shape memory s = drawShape(seed);
        uint256 inner = s.channels / s.groups;
        Case memory c = oneInput(0x02, sample(seed, drawWidth(seed), s.height * s.width, s.channels), 2);
        c.weights[0] = sample(seed, drawWidth(seed), s.outputs, s.kernelHeight * s.kernelWidth * inner);
        c.weights[1] = sample(seed, 2, 1, s.outputs);
        c.elem = uint64(draw(seed, s.rows * s.cols * s.outputs));
        int256 acc = c.weights[1].values[c.elem % s.outputs] + patchSum(c, s, inner);
        c.parameters = abi.encodePacked(hex"008081", encodeShape(s));
        (c.output.rows, c.output.cols) = (s.rows * s.cols, s.outputs);
        requireDecided(c, seed, acc, uint8(16 + draw(seed, 8)));
    }

    /// @dev By the definition, one product at a time.
    function patchSum(Case memory c, Shape memory s, uint256 inner) private pure returns (int256 acc) {
        uint256 o = c.elem % s.outputs;
        for (uint256 k = 0; k < s.kernelHeight * s.kernelWidth * inner; ++k) {
            int256 y = int256(c.elem / s.outputs / s.cols * s.stride + k / inner / s.kernelWidth) - int256(s.padding);
            int256 x = int256(c.elem / s.outputs % s.cols * s.stride + k / inner % s.kernelWidth) - int256(s.padding);
            if (y < 0 || x < 0 || y >= int256(s.height) || x >= int256(s.width)) continue;
            uint256 at = (uint256(y) * s.width + uint256(x)) * s.channels + o / (s.outputs / s.groups) * inner;
            acc += c.inputs[0].values[at + k % inner]
            * c.weights[0].values[o * s.kernelHeight * s.kernelWidth * inner + k];
        }
    }

    /* 0x03 SUM, 0x04 PRODUCT, 0x05 REDUCE */

    function testFuzz_sum_broadcastTerms_isExact(uint256 seed) public {
        (uint256 rows, uint256 cols) = (1 + draw(seed, 6), 1 + draw(seed, 60));
        Case memory c = oneInput(0x03, sample(seed, drawWidth(seed), rows, cols), 1);
        c.weights[0] = sample(seed, drawWidth(seed), 1, cols);
        c.elem = uint64(draw(seed, rows * cols));
        (int256 left, int256 right) = (int256(draw(seed, 32767)) + 1, -int256(draw(seed, 32767)) - 1);
        int256 acc = left * c.inputs[0].values[c.elem] + right * c.weights[0].values[c.elem % cols];
        c.parameters = abi.encodePacked(uint8(2), uint8(0), int32(left), uint8(1), axis(rows * cols, 1, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(0x80), int32(right), uint8(2));
        c.parameters = abi.encodePacked(c.parameters, axis(rows, 0, 1), axis(cols, 1, 1));
        (c.output.rows, c.output.cols) = (rows, cols);
        requireDecided(c, seed, acc, uint8(18 + draw(seed, 8)));
    }

    function testFuzz_product_withItself_isExact(uint256 seed) public {
        (uint256 rows, uint256 cols) = (1 + draw(seed, 6), 1 + draw(seed, 60));
        Case memory c = oneInput(0x04, sample(seed, drawWidth(seed), rows, cols), 0);
        c.elem = uint64(draw(seed, rows * cols));
        int256 x = c.inputs[0].values[c.elem];
        c.parameters = abi.encodePacked(uint16(0), uint8(1), axis(rows * cols, 1, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(1), axis(rows * cols, 1, 1));
        (c.output.rows, c.output.cols) = (rows, cols);
        requireDecided(c, seed, x * x, uint8(10 + draw(seed, 12)));
    }

    /// @dev Means over windows of an image (H, W, C): the sum of a x b pixels of one channel.
    function testFuzz_reduce_windows_isExact(uint256 seed) public {
        (uint256 a, uint256 b, uint256 channels) = (1 << draw(seed, 3), 1 << draw(seed, 3), 1 + draw(seed, 3));
        (uint256 rows, uint256 cols) = (1 + draw(seed, 3), 1 + draw(seed, 3));
        Case memory c = oneInput(0x05, sample(seed, drawWidth(seed), rows * a * cols * b, channels), 0);
        c.elem = uint64(draw(seed, rows * cols * channels));
        (uint256 row, uint256 col) = (c.elem / channels / cols * a, c.elem / channels % cols * b);
        int256 acc;
        for (uint256 k = 0; k < a * b; ++k) {
            uint256 at = (row + k / b) * cols * b + col + k % b;
            acc += c.inputs[0].values[at * channels + c.elem % channels];
        }
        uint256 line = cols * b * channels;
        c.parameters = abi.encodePacked(
            hex"0003", axis(rows, a * line, 1), axis(cols, b * channels, 1), axis(channels, 1, 1), uint8(2)
        );
        c.parameters = abi.encodePacked(c.parameters, uint32(a), uint32(line), uint32(b), uint32(channels));
        (c.output.rows, c.output.cols) = (rows * cols, channels);
        requireDecided(c, seed, acc, uint8(6 + draw(seed, 8)));
    }

    function testFuzz_reduce_wholeRows_isExact(uint256 seed) public {
        (uint256 rows, uint256 cols) = (1 + draw(seed, 4), 1 + draw(seed, 500));
        Case memory c = oneInput(0x05, sample(seed, drawWidth(seed), rows, cols), 0);
        c.elem = uint64(draw(seed, rows));
        int256 acc;
        for (uint256 k = 0; k < cols; ++k) {
            acc += c.inputs[0].values[c.elem * cols + k];
        }
        c.parameters = abi.encodePacked(hex"0001", axis(rows, cols, 1), uint8(1), uint32(cols), uint32(1));
        (c.output.rows, c.output.cols) = (1, rows);
        requireDecided(c, seed, acc, uint8(6 + draw(seed, 12)));
    }

    /* 0x06 ROTATE, 0x07 EMBED */

    function testFuzz_rotation_isExact(uint256 seed) public {
        (uint256 length, uint256 inner, uint256 width) = (1 + draw(seed, 4), 1 + draw(seed, 3), 2 << draw(seed, 4));
        Case memory c = oneInput(0x06, sample(seed, drawWidth(seed), length * inner, width), 2);
        c.weights[0] = sample(seed, 2, length, width);
        c.weights[1] = sample(seed, 2, length, width);
        c.elem = uint64(draw(seed, length * inner * width));
        uint256 d = c.elem % width;
        int256 turned = c.inputs[0].values[d < width / 2 ? c.elem + width / 2 : c.elem - width / 2];
        if (d < width / 2) turned = -turned;
        uint256 angle = c.elem / width / inner * width + d;
        int256 acc = c.inputs[0].values[c.elem] * c.weights[0].values[angle] + turned * c.weights[1].values[angle];
        c.parameters = abi.encodePacked(hex"008081", uint32(length), uint32(inner), uint32(width));
        (c.output.rows, c.output.cols) = (length * inner, width);
        requireDecided(c, seed, acc, uint8(18 + draw(seed, 8)));
    }

    function testFuzz_embedding_isExact(uint256 seed) public {
        (uint256 length, uint256 vocabulary, uint256 width) =
            (1 + draw(seed, 9), 1 + draw(seed, 50), 1 + draw(seed, 40));
        int256[] memory tokens = new int256[](length);
        for (uint256 i = 0; i < length; ++i) {
            tokens[i] = int256(draw(seed, vocabulary));
        }
        Case memory c = oneInput(0x07, tensor(4, 1, length, tokens), 2);
        c.weights[0] = sample(seed, drawWidth(seed), vocabulary, width);
        c.weights[1] = sample(seed, 2, length + draw(seed, 3), width);
        c.elem = uint64(draw(seed, length * width));
        uint256 at = uint256(tokens[c.elem / width]) * width + c.elem % width;
        int256 acc = c.weights[0].values[at] + c.weights[1].values[c.elem];
        c.parameters = abi.encodePacked(hex"008081", uint32(width));
        (c.output.rows, c.output.cols) = (length, width);
        requireDecided(c, seed, acc, uint8(4 + draw(seed, 8)));
    }

    /* REQUANTISATIONS */

    /// @dev A sum of one product through a scale a column and a table: t = x * w * m * scale[j] / 2^s, y = table[t + half].
    function testFuzz_requantisation_scaleAndTable_isExact(uint256 seed) public {
        (uint256 rows, uint256 cols) = (1 + draw(seed, 4), 1 + draw(seed, 30));
        uint256 width = draw(seed, 2) == 0 ? 8 + draw(seed, 5) : 17 + draw(seed, 16);
        uint256 keyWidth = width > 16 ? 16 : width;
        // A small table stands for the widest one: it takes 64 tiles to build.
        if (keyWidth == 16 && draw(seed, 32) != 0) (width, keyWidth) = (10, 10);
        Case memory c = oneInput(0x01, sample(seed, 1, rows, cols), 3);
        c.weights[0] = sample(seed, 1, 1, cols);
        c.weights[1] = sample(seed, 1, 1, 1 << keyWidth);
        c.weights[2] = positive(seed, cols);
        c.elem = uint64(draw(seed, rows * cols));
        uint256 j = c.elem % cols;
        int256 acc = c.inputs[0].values[c.elem] * c.weights[0].values[j];
        // |acc| scale m < 2^14 2^15 2^7: a quotient of `keyWidth` bits, unless it saturates.
        uint8 s = uint8(37 - keyWidth - (width > 16 ? 4 : 0));
        int256 t = floorShift(acc * int256(uint256(M)) * c.weights[2].values[j], s);
        int256 half = int256(1 << (keyWidth - 1));
        t = t < -half ? -half : t >= half ? half - 1 : t;
        c.parameters = abi.encodePacked(hex"0080ff", uint8(1), axis(rows * cols, 1, 1), uint8(2));
        c.parameters = abi.encodePacked(c.parameters, axis(rows, 0, 1), axis(cols, 1, 1));
        c.parameters = abi.encodePacked(c.parameters, uint8(1), uint32(1), uint32(1), uint32(1));
        c.parameters = abi.encodePacked(c.parameters, M, s, uint8(width), hex"028182", int32(-128), int32(127));
        int256 y = c.weights[1].values[uint256(t + half)];
        setOutput(c, seed, 1, rows, cols, y);
        requireVerdict(c, Verdict.CONSISTENT);
        setOutput(c, seed, 1, rows, cols, y < 127 ? y + 1 : int256(-128));
        requireVerdict(c, Verdict.INCONSISTENT);
    }

    function positive(uint256 seed, uint256 count) private returns (Sample memory) {
        int256[] memory values = new int256[](count);
        for (uint256 i = 0; i < count; ++i) {
            values[i] = int256(1 + draw(seed, 32767));
        }
        return tensor(2, 1, count, values);
    }

    function floorShift(int256 x, uint256 s) private pure returns (int256 t) {
        int256 unit = int256(1) << s;
        x += unit / 2;
        t = x / unit;
        if (x < 0 && x % unit != 0) t -= 1;
    }

    /* WHOLE OPERATORS */

    function test_wholeOperator_wrongElement_isInconsistent() public {
        Case memory c = square(5, 2, 3);
        c.output.values[4] += c.output.values[4] > 0 ? int256(-1) : int256(1);
        c.output = tensor(2, 2, 3, c.output.values);
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        claim.elem = type(uint64).max;
        assertEq(
            uint256(adjudicator.adjudicate(claim, evidence)), uint256(Verdict.INCONSISTENT), "one is enough to refute"
        );
    }

    function test_wholeOperator_rightElement_reverts() public {
        Case memory c = square(6, 2, 3);
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        claim.elem = type(uint64).max;
        vm.expectRevert(abi.encodeWithSelector(ElementAdjudicator.ElementOnly.selector, 4));
        adjudicator.adjudicate(claim, evidence);
    }

    function test_wholeOperator_onlyElementRight_isConsistent() public {
        Case memory c = square(7, 1, 1);
        (Claim memory claim, bytes memory evidence) = (claimOf(c), evidenceOf(c));
        claim.elem = type(uint64).max;
        assertEq(uint256(adjudicator.adjudicate(claim, evidence)), uint256(Verdict.CONSISTENT), "there is no other");
    }

    /// @dev x * x of 8 bits, not scaled down, in 16 bits; the element in the middle is asked for.
    function square(uint256 seed, uint256 rows, uint256 cols) private returns (Case memory c) {
        c = oneInput(0x04, sample(seed, 1, rows, cols), 0);
        c.elem = uint64(rows * cols * 2 / 3);
        if (rows * cols == 1) c.elem = 0;
        c.parameters = abi.encodePacked(uint16(0), uint8(1), axis(rows * cols, 1, 1), uint8(1));
        c.parameters = abi.encodePacked(c.parameters, axis(rows * cols, 1, 1), plainRequant(2, 1, 2));
        int256[] memory values = new int256[](rows * cols);
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] = c.inputs[0].values[i] * c.inputs[0].values[i];
        }
        c.output = tensor(2, rows, cols, values);
    }
}
