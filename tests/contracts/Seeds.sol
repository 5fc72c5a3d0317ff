// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

interface BlockhashVm {
    function setBlockhash(uint256 blockNumber, bytes32 blockHash) external;
}

/// @notice Seeds of the beacon that are what a test needs.
abstract contract Seeds {
    BlockhashVm private constant chain = BlockhashVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Gives a block a hash of which the beacon makes a seed that is `part` modulo 10000.
    function setSeed(uint256 blockNumber, address requester, bytes32 key, uint256 part) internal {
        uint256 word = 1;
        while (uint256(keccak256(abi.encode(word, requester, key))) % 10_000 != part) ++word;
        chain.setBlockhash(blockNumber, bytes32(word));
    }
}
