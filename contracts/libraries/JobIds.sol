// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";
import {JobTerms} from "../types/Job.sol";

/// @title Names of jobs
library JobIds {
    /// @notice keccak256(abi.encode(chain id, market, terms)).
    /// In English: who names a job names its client, version, input, fee and salt, and where it lives.
    function compute(address market, JobTerms memory terms) internal view returns (JobId) {
        return JobId.wrap(keccak256(abi.encode(block.chainid, market, terms)));
    }
}
