// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";
import {Assurance} from "../types/Job.sol";

/// @title A contract that acts on results
interface IResultConsumer {
    /// @notice Takes the result of a job that is FINAL or PROVEN. Called with the gas of the subscription, in a
    /// transaction of anybody's, once unless it reverts; see IResultRelay.
    ///
    /// WARNING: check that msg.sender is the relay, that the job is yours, and that `assurance` is what the use is worth:
    /// UNCHALLENGED says only that nobody objected, PROVEN is a fact.
    /// @param output The output tensor's bytes: elements big-endian, row by row.
    function onResult(JobId jobId, Assurance assurance, bytes calldata output) external;
}
