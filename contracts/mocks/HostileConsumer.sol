// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IResultConsumer} from "../interfaces/IResultConsumer.sol";
import {JobId} from "../types/Ids.sol";
import {Assurance} from "../types/Job.sol";

/// @title A consumer that misbehaves in a chosen way, and remembers what it was told
contract HostileConsumer is IResultConsumer {
    enum Mood {
        WILLING,
        /// Reverts.
        REFUSING,
        /// Burns all its gas.
        BURNING,
        /// Returns, or reverts with, as much as its gas buys.
        BOMBING,
        BOMBING_REVERT,
        /// Calls `target`, and takes the result whatever that answers.
        REENTERING
    }

    Mood public mood;
    address private target;
    bytes private attack;

    uint256 public calls;
    uint256 public gasAtStart;
    Assurance public assurance;
    bytes public output;
    bool public attackSucceeded;
    bytes public answer;

    function setMood(Mood mood_) external {
        mood = mood_;
    }

    /// @notice Sets the call that is made from within the callback.
    function arm(address target_, bytes calldata attack_) external {
        (mood, target, attack) = (Mood.REENTERING, target_, attack_);
    }

    /// @inheritdoc IResultConsumer
    function onResult(JobId, Assurance assurance_, bytes calldata output_) external {
        uint256 left = gasleft();
        if (mood == Mood.REFUSING) revert("no");
        if (mood == Mood.BURNING) burn();
        if (mood == Mood.BOMBING || mood == Mood.BOMBING_REVERT) bomb();
        (gasAtStart, assurance, output) = (left, assurance_, output_);
        ++calls;
        if (mood == Mood.REENTERING) (attackSucceeded, answer) = target.call(attack);
    }

    function burn() private view {
        uint256 sum;
        while (gasleft() != 0) sum += gasleft();
    }

    /// @dev 150 KiB cost 52 thousand gas to make here, and as much to copy there.
    function bomb() private view {
        bool isRevert = mood == Mood.BOMBING_REVERT;
        assembly ("memory-safe") {
            if isRevert { revert(0, 150000) }
            return(0, 150000)
        }
    }

    receive() external payable {}
}
