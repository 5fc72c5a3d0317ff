// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";

/// @title Who doubts a result beside those who demand a proof of all of it
/// @notice What the game of prove-it asks the game of pinpointing, so that whoever brought a cheat to its end shares the
/// reward, in whichever game the verdict falls.
interface IHeldChallengers {
    /// @notice Returns who has a dispute open about a job, nobody twice; empty where nobody has.
    function getOpenChallengers(JobId jobId) external view returns (address[] memory);
}
