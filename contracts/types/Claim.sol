// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "./Ids.sol";

/// @notice What is disputed: that the operator described by `desc` turns the tensors with digests `inDigests` into the
/// tensor with digest `outDigest`, in one element or as a whole.
struct Claim {
    /// Registered model version.
    bytes32 version;
    JobId jobId;
    /// Randomness fixed when the claim was made.
    bytes32 seed;
    /// Account the verdict serves.
    address prover;
    /// The operator's position t in the model's plan.
    uint32 op;
    /// Flat index of the output's element; the greatest value stands for the whole operator.
    uint64 elem;
    bytes32 outDigest;
    /// In the order of the descriptor's inputs.
    bytes32[] inDigests;
    /// The operator's descriptor (OpDesc).
    bytes desc;
}

/// @notice What an adjudicator found.
enum Verdict {
    NONE,
    CONSISTENT,
    INCONSISTENT
}
