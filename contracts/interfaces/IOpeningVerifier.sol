// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A verifier of polynomial openings (offchain/prove/OPENINGS.md)
/// @notice Checks that a committed multilinear polynomial has a value at a point. The argument is the implementation's;
/// proofs of two implementations have nothing in common but the transcript in front of them.
///
/// Assumptions on what surrounds it:
/// - `state` binds the commitments, their scalars, the point and the value: all of them were absorbed, or follow from
///   what was absorbed, before the challenge whose word is `state`;
/// - the point's coordinates are challenges drawn after the commitments: a commitment may hold more than
///   2^`point.length` coefficients, and only a random point excludes that;
/// - nobody knows the discrete logarithm tau of the reference string named by `SRS_ID`.
///
/// Besides its own errors it throws those of IProofVerifier: TruncatedProof, TrailingBytes, NonCanonicalScalar,
/// InvalidPoint (offsets count from the first byte of `proof`), OpeningMismatch, ZeroChallenge, PairingFailed,
/// PrecompileFailed, and InvalidSrs by the constructor.
interface IOpeningVerifier {
    /* ERRORS */

    /// @notice Thrown when the terms are none, or not whole terms of 96 bytes.
    error MalformedTerms(uint256 length);
    /// @notice Thrown when the point has no coordinates or more than a reference string may serve.
    error UnsupportedVariables(uint256 got, uint256 most);
    /// @notice Thrown when a challenge is one at which the argument divides by zero.
    error ForbiddenChallenge(uint256 challenge);

    /* VIEWS */

    /// @notice Names the reference string: keccak256("zkdps/srs/1" || [tau]_2), 128 bytes in the order of EIP-197.
    function SRS_ID() external view returns (bytes32);

    /// @notice Returns if the opening in `proof` (all of it, no byte more) shows that sum scalar_i C_i, committed as
    /// coefficients in index order, is the multilinear polynomial with value `value` at `point`; reverts if not.
    /// @param state Transcript state S with an empty buffer (proofs-spec.md 2.1).
    /// @param terms One or more (scalar, x, y) of 32-byte words each: scalars below r, points already checked to be on the
    /// curve by the caller; infinity is (0, 0).
    /// @param point Coordinates below r; the first belongs to the most significant index bit.
    /// @param value Below r.
    /// @param proof The opening's messages, one after another.
    function open(bytes32 state, bytes calldata terms, uint256[] calldata point, uint256 value, bytes calldata proof)
        external
        view;
}
