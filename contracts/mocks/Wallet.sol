// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title A contract wallet of one key, which can be told to answer wrongly
contract Wallet is IERC1271 {
    enum Mood {
        HONEST,
        /// Says yes to everything.
        CREDULOUS,
        /// The right four bytes, and not zeros behind them.
        UNTIDY,
        /// Four bytes instead of a word.
        SHORT,
        REVERTING,
        BURNING,
        /// Right, with a lot behind it.
        BOMBING,
        /// Reverts with the right word.
        REVERTING_RIGHT
    }

    address private immutable KEY;
    Mood private mood;

    constructor(address key) {
        KEY = key;
    }

    function setMood(Mood mood_) external {
        mood = mood_;
    }

    /// @notice Whatever its key's holder wants; a test's wallet asks nobody.
    function execute(address target, uint256 value, bytes calldata message) external returns (bytes memory answer) {
        bool success;
        (success, answer) = target.call{value: value}(message);
        require(success, "the call failed");
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bytes32 right = bytes32(IERC1271.isValidSignature.selector);
        if (mood == Mood.UNTIDY) respond(right | bytes32(uint256(1)), 32, false);
        if (mood == Mood.SHORT) respond(right, 4, false);
        if (mood == Mood.REVERTING) revert("no");
        if (mood == Mood.REVERTING_RIGHT) respond(right, 32, true);
        if (mood == Mood.BOMBING) respond(right, 150_000, false);
        while (mood == Mood.BURNING) {}
        if (mood == Mood.CREDULOUS) return IERC1271.isValidSignature.selector;
        (address signer,,) = ECDSA.tryRecoverCalldata(hash, signature);
        return signer == KEY ? IERC1271.isValidSignature.selector : bytes4(0);
    }

    function respond(bytes32 word, uint256 size, bool isRevert) private pure {
        assembly ("memory-safe") {
            mstore(0, word)
            if isRevert { revert(0, size) }
            return(0, size)
        }
    }

    receive() external payable {}
}
