// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Version, VersionParams} from "../types/Version.sol";
import {IParameters} from "./IParameters.sol";

/// @title Immutable model versions
/// @notice A version ties a graph, its weights and its verification key to one verifier, for ever.
///
/// Assumptions on what surrounds it:
/// - the verifiers named at construction are sound, and `inspect` reads the key that `verify` will read;
/// - a registration is not trusted: whether the key is the key of that graph and those weights is for everybody to
///   recompute from the published files before they use the version (protocol.md A.15).
interface IModelRegistry is IParameters {
    /* ERRORS */

    /// @notice Thrown by the constructor when an account cannot be a verifier: it has no code.
    error NotAContract(address verifier);
    /// @notice Thrown when the verifier is none of the registry's.
    error UnknownVerifier(address verifier);
    /// @notice Thrown when the version is already registered.
    error VersionExists(bytes32 versionId);
    /// @notice Thrown when there is no such version.
    error UnknownVersion(bytes32 versionId);
    /// @notice Thrown when no version has the number.
    error UnknownNumber(uint256 number);
    /// @notice Thrown when the registry does not know how tensors become digests.
    error UnsupportedDigestKind(uint256 digestKind);
    /// @notice Thrown when the declared proving time is zero or would not fit into the longest deadline.
    error ProveSecondsOutOfRange(uint256 got, uint256 maximum);
    /// @notice Thrown when the declared proof gas is zero or larger than the parameters allow.
    error ProofGasOutOfRange(uint256 got, uint256 maximum);
    /// @notice Thrown when the declared royalty is larger than every version's limit.
    error RoyaltyOutOfRange(uint256 got, uint256 maximum);
    /// @notice Thrown when the declared size of an output is zero.
    error ZeroOutputBytes();
    /// @notice Thrown when the key's hash is not the declared one.
    error WrongKeyHash(bytes32 got, bytes32 declared);
    /// @notice Thrown when the key belongs to another graph than the declared one.
    error WrongGraph(bytes32 got, bytes32 declared);
    /// @notice Thrown when the key holds another program than the declared one.
    error WrongVersionProgram(bytes32 got, bytes32 declared);
    /// @notice Thrown when the key or the verifier uses another reference string than the declared one.
    error WrongReferenceString(bytes32 got, bytes32 declared);
    /// @notice Thrown when the declared root of the weights is zero.
    error ZeroWeightRoot();

    /* EVENTS */

    /// @notice Versions may name `verifier`.
    event VerifierAllowed(address indexed verifier, bytes32 srsId);
    /// @notice A version exists; `opCount` was read from its key.
    event VersionRegistered(bytes32 indexed versionId, address indexed owner, VersionParams params, uint256 opCount);

    /* REGISTRATION */

    /// @notice Registers a version of the caller's, after its verifier has read the key and found what is declared.
    /// @return versionId keccak256(abi.encode(params, msg.sender)).
    function registerVersion(VersionParams calldata params) external returns (bytes32 versionId);

    /* VIEWS */

    /// @notice Returns a version; reverts with UnknownVersion if there is none.
    function getVersion(bytes32 versionId) external view returns (Version memory);
    /// @notice Returns what bonds and deadlines need of a version; reverts with UnknownVersion if there is none.
    function getProvingCosts(bytes32 versionId) external view returns (uint32 proveSeconds, uint64 proofGas);
    /// @notice The verifier of a version; reverts with UnknownVersion if there is none.
    function getVerifier(bytes32 versionId) external view returns (address verifier);
    /// @notice What an order needs of a version: its number (0 if it is not registered) and its owner's royalty.
    function getOrderTerms(bytes32 versionId) external view returns (uint32 number, uint16 royaltyBps);
    /// @notice What a delivery needs: bytes of one output tensor; reverts with UnknownNumber if there is no version.
    function getOutputBytes(uint32 number) external view returns (uint32);
    /// @notice The owner of the version of a number; reverts with UnknownNumber if there is none.
    function ownerAt(uint32 number) external view returns (address);
    /// @notice The number of a version, counted from 1; 0 if it is not registered.
    function numberOf(bytes32 versionId) external view returns (uint32);
    /// @notice The version of a number; reverts with UnknownNumber if there is none.
    function versionAt(uint32 number) external view returns (bytes32 versionId);
    /// @notice Whether the version is registered.
    function isVersion(bytes32 versionId) external view returns (bool);
    /// @notice The identifier under which `owner` would register `params`.
    function computeVersionId(VersionParams calldata params, address owner) external pure returns (bytes32);
    /// @notice Whether versions may name `verifier`.
    function isVerifier(address verifier) external view returns (bool);
    /// @notice Longest proving time a version may declare.
    function MAX_PROVE_SECONDS() external view returns (uint256);
    /// @notice Largest royalty a version may declare, in hundredths of a percent.
    function MAX_ROYALTY_BPS() external view returns (uint256);
    /// @notice Largest proof gas a version may declare.
    function MAX_PROOF_GAS() external view returns (uint256);
}
