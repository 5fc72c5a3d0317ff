// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title An inspector of verification keys and public tensors
/// @notice Checks what needs no proof. Its errors are IProofVerifier's.
interface IInspector {
    /// @notice Reads a verification key whole and checks its structure; reverts if anything is malformed.
    /// @param vkData Data contract of the verification key.
    /// @return vkHash keccak256 of the key.
    /// @return graphHash The key's integer graph.
    /// @return programHash keccak256 of the key's verification program.
    /// @return srsId The key's reference string.
    /// @return opCount The graph's number of operators.
    function inspect(address vkData)
        external
        view
        returns (bytes32 vkHash, bytes32 graphHash, bytes32 programHash, bytes32 srsId, uint256 opCount);

    /// @notice The digest of a matrix (TensorDigest); reverts if an element lies outside [lo, hi].
    /// @param data rows * cols elements of `width` bytes: row-major, two's complement, big-endian.
    /// @param isOutput Which error to throw: OutputOutOfRange or InputOutOfRange.
    function digest(bytes calldata data, uint256 width, uint256 rows, uint256 cols, int256 lo, int256 hi, bool isOutput)
        external
        view
        returns (bytes32);

    /// @notice The multilinear extension of a tensor, padded with zeros axis by axis to powers of two.
    /// @param data The elements, as in `digest`.
    /// @param width Bytes of an element: 1, 2 or 4.
    /// @param dims One to four dimensions, none 0; their product times `width` is the number of bytes.
    /// @param point Coordinates below r, one for each variable.
    function evaluate(bytes calldata data, uint256 width, uint256[] calldata dims, uint256[] calldata point)
        external
        view
        returns (uint256);

    /// @notice sum over t of eq(p, bits(t)) eq(q, bits(x_t)) over the elements x_t of a vector; reverts if an element
    /// does not fit q.
    /// @param data The elements, none negative, as in `digest`.
    /// @param width Bytes of an element.
    /// @param point p, as many coordinates as the padded vector has variables, and q.
    function oneHot(bytes calldata data, uint256 width, uint256[] calldata point) external view returns (uint256);
}
