// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What every contract of a deployment says about its parameters
interface IParameters {
    /// @notice Thrown when a parameter is below what the protocol allows; `index` counts the fields of Parameters.
    error ParameterTooSmall(uint256 index, uint256 got, uint256 minimum);

    /// @notice Thrown when a parameter is above what the protocol allows; for shares of the fee, `got` is their sum.
    error ParameterTooLarge(uint256 index, uint256 got, uint256 maximum);

    /// @notice Thrown when stake could leave before the longest job that it may answer for, twice over, is settled.
    error UnbondTooShort(uint256 got, uint256 minimum);

    /// @notice Names the parameters: keccak256(abi.encode(parameters)). Equal in all contracts of a deployment.
    function PARAMETERS_HASH() external view returns (bytes32);
}
