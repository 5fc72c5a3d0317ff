// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {Statement} from "../../contracts/types/Statement.sol";
import {IInspector} from "../../contracts/interfaces/IInspector.sol";
import {IOpeningVerifier} from "../../contracts/interfaces/IOpeningVerifier.sol";
import {Inspector} from "../../contracts/verifiers/Inspector.sol";
import {VerifierCore} from "../../contracts/verifiers/VerifierCore.sol";
import {HyperKzgOpening} from "../../contracts/verifiers/openings/HyperKzgOpening.sol";
import {MercuryOpening} from "../../contracts/verifiers/openings/MercuryOpening.sol";

/// @notice The cheatcodes that the verifier's tests use.
interface VerifierVm {
    function chainId(uint256 id) external;
    function cool(address target) external;
    function etch(address target, bytes calldata code) external;
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonBool(string calldata json, string calldata key) external pure returns (bool);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function prank(address sender) external;
    function readFile(string calldata path) external view returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
}

/// @notice A whole submission to the verifier.
struct Submission {
    string name;
    Statement statement;
    bytes key;
    bytes input;
    bytes output;
    bytes proof;
}

/// @notice Reads the shared vectors and deploys the verifier they were made for.
abstract contract VerifierFixture {
    VerifierVm internal constant vm = VerifierVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev The vectors' verifier is this account's first contract.
    address private constant DEPLOYER = 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266;
    address internal constant KEY = address(0x1e7);

    /// @notice The text of a file of the shared vectors; forge's root is the repository.
    function readVectors(string memory file) internal view returns (string memory) {
        return vm.readFile(string.concat("tests/vectors/", file));
    }

    function at(uint256 index) internal pure returns (string memory) {
        return string.concat("[", vm.toString(index), "]");
    }

    function readSubmission(string memory json, string memory root) internal pure returns (Submission memory s) {
        s.name = vm.parseJsonString(json, string.concat(root, ".name"));
        s.key = vm.parseJsonBytes(json, string.concat(root, ".vk"));
        s.input = vm.parseJsonBytes(json, string.concat(root, ".input"));
        s.output = vm.parseJsonBytes(json, string.concat(root, ".output"));
        s.proof = vm.parseJsonBytes(json, string.concat(root, ".proof"));
        s.statement = readStatement(json, string.concat(root, ".statement"));
        bytes32 expected = vm.parseJsonBytes32(json, string.concat(root, ".statementHash"));
        require(keccak256(abi.encode(s.statement)) == expected, "statement hash differs from the vector's");
    }

    function readStatement(string memory json, string memory root) internal pure returns (Statement memory s) {
        s.format = vm.parseJsonUint(json, string.concat(root, ".format"));
        s.chainId = vm.parseJsonUint(json, string.concat(root, ".chain_id"));
        s.verifier = vm.parseJsonAddress(json, string.concat(root, ".verifier"));
        s.market = vm.parseJsonAddress(json, string.concat(root, ".market"));
        s.jobId = vm.parseJsonUint(json, string.concat(root, ".job_id"));
        s.shard = vm.parseJsonUint(json, string.concat(root, ".shard"));
        s.challengeSeed = vm.parseJsonBytes32(json, string.concat(root, ".challenge_seed"));
        s.prover = vm.parseJsonAddress(json, string.concat(root, ".prover"));
        s.modelVersion = vm.parseJsonBytes32(json, string.concat(root, ".model_version"));
        s.programHash = vm.parseJsonBytes32(json, string.concat(root, ".program_hash"));
        s.srsId = vm.parseJsonBytes32(json, string.concat(root, ".srs_id"));
        s.mode = vm.parseJsonUint(json, string.concat(root, ".mode"));
        s.opRange = vm.parseJsonUint(json, string.concat(root, ".op_range"));
        s.inDigest = vm.parseJsonBytes32(json, string.concat(root, ".in_digest"));
        s.outDigest = vm.parseJsonBytes32(json, string.concat(root, ".out_digest"));
    }

    /// @notice [tau]_2 of the vectors' reference string.
    function readTau(string memory json) internal pure returns (uint256[4] memory) {
        return abi.decode(vm.parseJsonBytes(json, "[0].tauG2"), (uint256[4]));
    }

    function deployVerifier(string memory json) internal returns (VerifierCore verifier) {
        return deployTau(readTau(json));
    }

    /// @notice Deploys the verifier of a reference string where the vectors expect it.
    function deployTau(uint256[4] memory tau) internal returns (VerifierCore verifier) {
        IOpeningVerifier hyperKzg = new HyperKzgOpening(tau);
        IOpeningVerifier mercury = new MercuryOpening(tau);
        IInspector inspector = new Inspector();
        vm.prank(DEPLOYER);
        verifier = new VerifierCore(hyperKzg, mercury, inspector);
    }

    /// @notice Puts a key where `KEY` points to.
    function installKey(bytes memory key) internal {
        vm.etch(KEY, bytes.concat(hex"00", key));
    }

    /// @notice Calls the verifier; returns the reason why it refused, empty if it accepted.
    function check(IProofVerifier verifier, Submission memory s) internal returns (bytes memory reason) {
        installKey(s.key);
        return checkInstalled(verifier, s);
    }

    /// @notice As `check`, with the key that is installed already.
    function checkInstalled(IProofVerifier verifier, Submission memory s) internal view returns (bytes memory reason) {
        try verifier.verify(s.statement, KEY, s.input, s.output, s.proof) {
            return "";
        } catch (bytes memory thrown) {
            require(thrown.length >= 4, "reverted without a reason");
            return thrown;
        }
    }

    function requireAccepted(IProofVerifier verifier, Submission memory s) internal {
        bytes memory reason = check(verifier, s);
        require(reason.length == 0, string.concat("refused: ", s.name));
    }

    /// @notice Requires a revert with exactly this error.
    function requireRefused(IProofVerifier verifier, Submission memory s, bytes memory expected) internal {
        bytes memory reason = check(verifier, s);
        require(reason.length != 0, string.concat("accepted: ", s.name));
        require(keccak256(reason) == keccak256(expected), string.concat("other error: ", s.name));
    }

    /// @notice Requires a revert with this error, whatever its arguments.
    function requireRefused(IProofVerifier verifier, Submission memory s, bytes4 expected) internal {
        bytes memory reason = check(verifier, s);
        require(reason.length != 0, string.concat("accepted: ", s.name));
        require(bytes4(reason) == expected, string.concat("other error: ", s.name));
    }
}
