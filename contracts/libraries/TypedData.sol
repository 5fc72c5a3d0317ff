// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title EIP-712 messages, each in the domain of the contract it is for
library TypedData {
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME = keccak256("zkDPS");
    bytes32 private constant VERSION = keccak256("1");

    /// @notice keccak256(0x19 0x01 || domain || struct): what a key signs.
    function hash(address verifyingContract, bytes32 structHash) internal view returns (bytes32) {
        return hashIn(hashDomain(verifyingContract), structHash);
    }

    /// @notice The same in a domain that is hashed already: for many messages at once.
    function hashIn(bytes32 domain, bytes32 structHash) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    /// @notice The domain of a contract.
    /// @dev Hashed anew every time: a chain that splits gives its halves two ids.
    function hashDomain(address verifyingContract) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, verifyingContract));
    }
}
