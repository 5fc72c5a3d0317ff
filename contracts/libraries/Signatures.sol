// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Whether an account signed a hash: by its key, or by its code
/// @notice Two kinds of account, two ways:
/// - without code: ECDSA, 65 bytes (r, s, v) or 64 (r, vs; EIP-2098), s in the lower half;
/// - with code: the code says (EIP-1271), within GAS and reading 32 bytes of its answer.
///
/// An account that delegated its code (EIP-7702) keeps its key, and the key can do whatever the account can: what it
/// signed counts, and what the key did not sign is asked of the code.
library Signatures {
    /// @notice Gas that a contract has for its answer; enough for several keys.
    uint256 internal constant GAS = 100_000;

    /// @dev Bytes of r and vs.
    uint256 private constant COMPACT = 64;
    /// @dev EIP-7702: a delegated account's code is these three bytes and an address.
    bytes3 private constant DELEGATION = 0xef0100;
    uint256 private constant DELEGATED_CODE = 23;

    /// @notice Whether `signature` is the account's on `hash`. Reverts for nothing.
    function isValid(address account, bytes32 hash, bytes calldata signature) internal view returns (bool) {
        uint256 size = account.code.length;
        if (size == 0) return isSignedByKey(account, hash, signature);
        if (size == DELEGATED_CODE && isDelegated(account) && isSignedByKey(account, hash, signature)) return true;
        return isAcceptedByCode(account, hash, signature);
    }

    function isSignedByKey(address account, bytes32 hash, bytes calldata signature) private pure returns (bool) {
        address signer;
        if (signature.length == COMPACT) {
            (signer,,) = ECDSA.tryRecover(hash, bytes32(signature[:32]), bytes32(signature[32:]));
        } else {
            (signer,,) = ECDSA.tryRecoverCalldata(hash, signature);
        }
        // INVARIANT: a signature that is none has signer 0, and account 0 signs nothing.
        return signer != address(0) && signer == account;
    }

    function isDelegated(address account) private view returns (bool) {
        bytes32 head;
        // Equivalent to head = account.code[0:3]
        assembly ("memory-safe") {
            mstore(0, 0)
            extcodecopy(account, 0, 0, 3)
            head := mload(0)
        }
        return bytes3(head) == DELEGATION;
    }

    /// @dev A caller that gives too little gas for the answer makes the signature invalid, and nothing else.
    function isAcceptedByCode(address account, bytes32 hash, bytes calldata signature) private view returns (bool) {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (hash, signature));
        bool success;
        bytes32 answer;
        // Equivalent to (success, data) = account.staticcall{gas: GAS}(question); answer = data[0:32], but whatever the
        // account returns beyond that is not copied.
        assembly ("memory-safe") {
            mstore(0, 0)
            success := staticcall(GAS, account, add(question, 0x20), mload(question), 0, 0x20)
            success := and(success, gt(returndatasize(), 0x1f))
            answer := mload(0)
        }
        return success && answer == bytes32(IERC1271.isValidSignature.selector);
    }
}
