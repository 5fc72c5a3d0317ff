// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IInspector} from "../interfaces/IInspector.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {TensorDigest} from "../libraries/TensorDigest.sol";
import {ProgramLib, Program} from "./Program.sol";
import {ProgramCheck} from "./ProgramCheck.sol";
import {TensorEvaluation} from "./TensorEvaluation.sol";
import {TensorRange} from "./TensorRange.sol";

/// @title Inspector of keys and public tensors
contract Inspector is IInspector {
    using SafeCast for uint256;

    /// @inheritdoc IInspector
    function inspect(address vkData)
        external
        view
        returns (bytes32 vkHash, bytes32 graphHash, bytes32 programHash, bytes32 srsId, uint256 opCount)
    {
        Program memory program = ProgramLib.load(vkData);
        ProgramCheck.run(program);
        return (program.vkHash, program.graphHash, program.programHash, program.srsId, program.opCount);
    }

    /// @inheritdoc IInspector
    function digest(bytes calldata data, uint256 width, uint256 rows, uint256 cols, int256 lo, int256 hi, bool isOutput)
        external
        view
        returns (bytes32)
    {
        (bool found, uint256 position, int256 value) = TensorRange.findOutside(data, width, lo, hi);
        // INVARIANT: the graph's bounds hold for inputs in their range only; the output's is its meaning.
        if (found && isOutput) revert IProofVerifier.OutputOutOfRange(position, value, lo, hi);
        if (found) revert IProofVerifier.InputOutOfRange(position, value, lo, hi);
        return TensorDigest.computeMatrix(data, width.toUint8(), rows.toUint32(), cols.toUint32());
    }

    /// @inheritdoc IInspector
    function evaluate(bytes calldata data, uint256 width, uint256[] calldata dims, uint256[] calldata point)
        external
        pure
        returns (uint256)
    {
        return TensorEvaluation.evaluate(data, width, dims, point);
    }

    /// @inheritdoc IInspector
    function oneHot(bytes calldata data, uint256 width, uint256[] calldata point) external pure returns (uint256) {
        return TensorEvaluation.oneHot(data, width, point);
    }
}
