// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdjudicator} from "../interfaces/IAdjudicator.sol";
import {Claim, Verdict} from "../types/Claim.sol";
import {Cursor, CursorLib} from "./Cursor.sol";
import {OpDesc, OpDescLib} from "./OpDesc.sol";
import {Requantise} from "./Requantise.sol";
import {Tensor, TileReader} from "./TileReader.sol";

/// @title Adjudicator that recomputes one element of an operator's output, without any proof
/// @notice Evidence: u64 elem | openings of the inputs, the weights and the output (TileReader).
abstract contract ElementAdjudicator is IAdjudicator {
    using CursorLib for Cursor;
    using OpDescLib for OpDesc;
    using TileReader for Tensor;

    /// @notice Thrown for an operator of another adjudicator.
    error OpcodeNotCovered(uint256 opcode);

    /// @notice Thrown when the evidence is about another element than the claim, or about none of the output.
    error WrongElement(uint256 elem);

    /// @notice Thrown when the claim does not name a digest for each input.
    error WrongInputs(uint256 given, uint256 expected);

    /// @notice Thrown when an element is right but the claim is about the whole operator.
    error ElementOnly(uint256 elem);

    uint256 private constant WHOLE = type(uint64).max;

    /// @inheritdoc IAdjudicator
    function adjudicate(Claim calldata claim, bytes calldata evidence) external view returns (Verdict) {
        OpDesc memory op = OpDescLib.open(claim.desc);
        if (!isCovered(op.opcode)) revert OpcodeNotCovered(op.opcode);
        Tensor memory out = op.output();
        Cursor memory c = CursorLib.over(evidence, true);
        uint256 elem = c.take(8);
        // INVARIANT: the element is the claim's.
        if ((elem != claim.elem && claim.elem != WHOLE) || elem >= out.count) revert WrongElement(elem);
        openTensors(op, claim, c);
        c.finish();
        int256 expected = computeElement(op, elem);
        op.parameters.finish();
        if (expected != out.read(elem)) return Verdict.INCONSISTENT;
        // INVARIANT: one element never speaks for others.
        if (claim.elem == WHOLE && out.count != 1) revert ElementOnly(elem);
        return Verdict.CONSISTENT;
    }

    /// @inheritdoc IAdjudicator
    function covers(uint8 opcode) external pure returns (bool) {
        return isCovered(opcode);
    }

    function openTensors(OpDesc memory op, Claim calldata claim, Cursor memory evidence) private view {
        uint256 inputs = op.inputs;
        if (claim.inDigests.length != inputs) revert WrongInputs(claim.inDigests.length, inputs);
        uint256 last = op.tensors.length - 1;
        for (uint256 i = 0; i < inputs; ++i) {
            op.tensors[i].openMatrix(evidence, claim.inDigests[i]);
        }
        for (uint256 i = inputs; i < last; ++i) {
            op.tensors[i].openWeight(evidence);
        }
        op.tensors[last].openMatrix(evidence, claim.outDigest);
    }

    /// @dev The requantisation with which the descriptor ends, applied to an accumulator.
    function requantise(OpDesc memory op, int256 acc, uint256 elem) internal pure returns (int256) {
        return Requantise.compute(Requantise.take(op), acc, elem);
    }

    /// @dev The output's element by the operator's meaning (LANGUAGE.md). Reads the parameters, all of them.
    function computeElement(OpDesc memory op, uint256 elem) internal view virtual returns (int256);

    function isCovered(uint256 opcode) internal pure virtual returns (bool);
}
