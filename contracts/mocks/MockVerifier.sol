// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Statement} from "../types/Statement.sol";

/// @title Stand-in for a verifier in tests of money and state
/// @notice Judges nothing: it does what it is told. Real proofs are tested against the real verifier.
contract MockVerifier is IProofVerifier {
    enum Mode {
        ACCEPT,
        REJECT,
        BURN_GAS
    }

    bytes32 public constant SRS_ID = keccak256("mock srs");
    bytes32 public constant KEY_HASH = keccak256("mock key");
    bytes32 public constant GRAPH_HASH = keccak256("mock graph");
    bytes32 public constant PROGRAM_HASH = keccak256("mock program");
    uint256 public constant OP_COUNT = 3;

    Mode public mode;
    /// Reference string that every key is said to use.
    bytes32 public keySrs = SRS_ID;
    /// Hash of the key that every data contract is said to hold.
    bytes32 public keyHash = KEY_HASH;
    /// Hash of the only statement to accept; 0 accepts any.
    bytes32 public expectedStatement;

    error UnexpectedStatement(bytes32 got, bytes32 expected);

    function setMode(Mode mode_) external {
        mode = mode_;
    }

    function setKeySrs(bytes32 keySrs_) external {
        keySrs = keySrs_;
    }

    function setKeyHash(bytes32 keyHash_) external {
        keyHash = keyHash_;
    }

    function expectStatement(Statement calldata statement) external {
        expectedStatement = keccak256(abi.encode(statement));
    }

    function verify(Statement calldata statement, address, bytes calldata, bytes calldata, bytes calldata)
        external
        view
        returns (bytes32)
    {
        bytes32 got = keccak256(abi.encode(statement));
        if (expectedStatement != 0 && got != expectedStatement) revert UnexpectedStatement(got, expectedStatement);
        if (mode == Mode.REJECT) revert PairingFailed();
        if (mode == Mode.BURN_GAS) {
            while (true) got = keccak256(abi.encode(got));
        }
        return keyHash;
    }

    function inspect(address vkData) external view returns (bytes32, bytes32, bytes32, bytes32, uint256) {
        if (vkData.code.length == 0) revert NotAKey(vkData);
        return (keyHash, GRAPH_HASH, PROGRAM_HASH, keySrs, OP_COUNT);
    }
}
