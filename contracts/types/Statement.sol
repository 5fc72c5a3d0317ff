// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a proof claims, and for whom: "on shard `shard` of job `jobId`, the model of `programHash` turns the
/// public input with digest `inDigest` into the public output with digest `outDigest`". The hash of its ABI encoding
/// (15 words) is the first thing the proof's transcript absorbs, so a proof serves one statement and no other.
struct Statement {
    /// Version of the proof format; 2.
    uint256 format;
    /// Chain on which the proof is checked.
    uint256 chainId;
    /// Contract that checks the proof.
    address verifier;
    /// Market that holds the job.
    address market;
    uint256 jobId;
    /// Part of the job; 0 is the whole job.
    uint256 shard;
    /// Randomness fixed when the challenge was made, after the result was committed.
    bytes32 challengeSeed;
    /// Account the verdict serves.
    address prover;
    /// Registered model version.
    bytes32 modelVersion;
    /// keccak256 of the verification program.
    bytes32 programHash;
    /// Hash that names the structured reference string.
    bytes32 srsId;
    /// What is public; 1 is public input and output.
    uint256 mode;
    /// First operator (upper 128 bits) and number of operators (lower 128 bits).
    uint256 opRange;
    bytes32 inDigest;
    bytes32 outDigest;
}
