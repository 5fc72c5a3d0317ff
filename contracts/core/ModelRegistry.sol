// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Parameters} from "../types/Parameters.sol";
import {Version, VersionParams} from "../types/Version.sol";

/// @title Immutable model versions
contract ModelRegistry is IModelRegistry {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev Tensors are public and become sha256 tile trees (protocol.md 3.2).
    uint256 private constant TILE_TREE = 1;

    /// @inheritdoc IModelRegistry
    uint256 public constant MAX_ROYALTY_BPS = 2000; // a fifth of the fee (protocol.md A.16)

    /* IMMUTABLES */

    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;
    /// @inheritdoc IModelRegistry
    uint256 public immutable MAX_PROVE_SECONDS;
    /// @inheritdoc IModelRegistry
    uint256 public immutable MAX_PROOF_GAS;

    /* STORAGE */

    /// @inheritdoc IModelRegistry
    mapping(address verifier => bool) public isVerifier;

    mapping(bytes32 versionId => Version) private versions;
    /// @dev By number, from 1: one word to read, not the length of a list as well.
    mapping(uint256 number => bytes32) private versionIds;
    uint32 private count;

    /* CONSTRUCTOR */

    /// @param verifiers The verifiers that versions may name, now and for ever.
    constructor(address[] memory verifiers, Parameters memory p) {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
        MAX_PROVE_SECONDS = p.proveCapSeconds - p.proveSeconds;
        MAX_PROOF_GAS = p.maxProofGas;
        for (uint256 i = 0; i < verifiers.length; ++i) {
            if (verifiers[i].code.length == 0) revert NotAContract(verifiers[i]);
            isVerifier[verifiers[i]] = true;
            emit VerifierAllowed(verifiers[i], IProofVerifier(verifiers[i]).SRS_ID());
        }
    }

    /* REGISTRATION */

    /// @inheritdoc IModelRegistry
    function registerVersion(VersionParams calldata params) external returns (bytes32 versionId) {
        versionId = computeVersionId(params, msg.sender);
        if (isVersion(versionId)) revert VersionExists(versionId);
        checkDeclared(params);
        uint256 opCount = checkKey(params);

        uint32 number = ++count;
        versionIds[number] = versionId;
        versions[versionId] = Version({
            owner: msg.sender,
            proveSeconds: params.proveSeconds,
            proofGas: params.proofGas,
            verifier: params.verifier,
            opCount: opCount.toUint64(),
            digestKind: params.digestKind,
            vkData: params.vkData,
            number: number,
            outputBytes: params.outputBytes,
            royaltyBps: params.royaltyBps,
            graphHash: params.graphHash,
            weightRoot: params.weightRoot,
            programHash: params.programHash,
            vkHash: params.vkHash,
            srsId: params.srsId
        });
        emit VersionRegistered(versionId, msg.sender, params, opCount);
    }

    /// @dev What the registrant only declares stays within what bonds and deadlines can carry.
    function checkDeclared(VersionParams calldata params) private view {
        if (!isVerifier[params.verifier]) revert UnknownVerifier(params.verifier);
        if (params.digestKind != TILE_TREE) revert UnsupportedDigestKind(params.digestKind);
        if (params.weightRoot == 0) revert ZeroWeightRoot();
        if (params.proveSeconds == 0 || params.proveSeconds > MAX_PROVE_SECONDS) {
            revert ProveSecondsOutOfRange(params.proveSeconds, MAX_PROVE_SECONDS);
        }
        if (params.proofGas == 0 || params.proofGas > MAX_PROOF_GAS) {
            revert ProofGasOutOfRange(params.proofGas, MAX_PROOF_GAS);
        }
        if (params.outputBytes == 0) revert ZeroOutputBytes();
        if (params.royaltyBps > MAX_ROYALTY_BPS) revert RoyaltyOutOfRange(params.royaltyBps, MAX_ROYALTY_BPS);
    }

    /// @dev A key that its verifier cannot read would cost an honest operator its stake.
    function checkKey(VersionParams calldata params) private view returns (uint256) {
        IProofVerifier verifier = IProofVerifier(params.verifier);
        (bytes32 vkHash, bytes32 graphHash, bytes32 programHash, bytes32 srsId, uint256 opCount) =
            verifier.inspect(params.vkData);
        if (vkHash != params.vkHash) revert WrongKeyHash(vkHash, params.vkHash);
        if (graphHash != params.graphHash) revert WrongGraph(graphHash, params.graphHash);
        if (programHash != params.programHash) revert WrongVersionProgram(programHash, params.programHash);
        if (srsId != params.srsId) revert WrongReferenceString(srsId, params.srsId);
        if (verifier.SRS_ID() != params.srsId) revert WrongReferenceString(verifier.SRS_ID(), params.srsId);
        return opCount;
    }

    /* VIEWS */

    /// @inheritdoc IModelRegistry
    function getVersion(bytes32 versionId) external view returns (Version memory) {
        if (!isVersion(versionId)) revert UnknownVersion(versionId);
        return versions[versionId];
    }

    /// @inheritdoc IModelRegistry
    function getProvingCosts(bytes32 versionId) external view returns (uint32 proveSeconds, uint64 proofGas) {
        Version storage version = versions[versionId];
        (proveSeconds, proofGas) = (version.proveSeconds, version.proofGas);
        // No version is registered with 0.
        if (proveSeconds == 0) revert UnknownVersion(versionId);
    }

    /// @inheritdoc IModelRegistry
    function getVerifier(bytes32 versionId) external view returns (address verifier) {
        verifier = versions[versionId].verifier;
        if (verifier == address(0)) revert UnknownVersion(versionId);
    }

    /// @inheritdoc IModelRegistry
    function getOrderTerms(bytes32 versionId) external view returns (uint32 number, uint16 royaltyBps) {
        Version storage version = versions[versionId];
        return (version.number, version.royaltyBps);
    }

    /// @inheritdoc IModelRegistry
    function getOutputBytes(uint32 number) external view returns (uint32) {
        return versions[versionAt(number)].outputBytes;
    }

    /// @inheritdoc IModelRegistry
    function ownerAt(uint32 number) external view returns (address) {
        return versions[versionAt(number)].owner;
    }

    /// @inheritdoc IModelRegistry
    function isVersion(bytes32 versionId) public view returns (bool) {
        return numberOf(versionId) != 0;
    }

    /// @inheritdoc IModelRegistry
    function numberOf(bytes32 versionId) public view returns (uint32) {
        return versions[versionId].number;
    }

    /// @inheritdoc IModelRegistry
    function versionAt(uint32 number) public view returns (bytes32 versionId) {
        versionId = versionIds[number];
        if (versionId == 0) revert UnknownNumber(number);
    }

    /// @inheritdoc IModelRegistry
    function computeVersionId(VersionParams calldata params, address owner) public pure returns (bytes32) {
        return keccak256(abi.encode(params, owner));
    }
}
