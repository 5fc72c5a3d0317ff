// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice States of a job, in the order in which they can be reached: a job's state only ever grows.
enum JobState {
    /// No such job.
    NONE,
    /// Funded, waiting for an operator.
    OPEN,
    /// An operator's stake is locked; its result is due.
    ASSIGNED,
    /// A result is committed and may be challenged.
    COMMITTED,
    /// Challenged; a proof is due.
    DISPUTED,
    /// Terminal: nobody challenged in time; the operator is paid.
    FINAL,
    /// Terminal: a proof of the result was accepted; the operator is paid.
    PROVEN,
    /// Terminal: challenged and not proven; the operator is slashed, the client refunded.
    REJECTED,
    /// Terminal: nobody took the job; the client is refunded.
    EXPIRED,
    /// Terminal: the operator committed nothing; it is fined, the client refunded.
    FAILED,
    /// Terminal: withdrawn by the client before anybody took it; the client is refunded.
    CANCELLED
}

/// @notice How much a consumer may rely on a job's result. A client that is its own operator can bring any result to
/// UNCHALLENGED; PROVEN is a fact.
enum Assurance {
    /// There is no final result.
    NONE,
    /// Final because nobody objected.
    UNCHALLENGED,
    /// Final because a proof was accepted on chain.
    PROVEN
}

/// @notice What a client orders.
struct JobParams {
    /// Registered model version; pins the verifier.
    bytes32 version;
    /// Digest of the input tensor.
    bytes32 inDigest;
    /// Price in wei; sent along.
    uint96 fee;
    /// Reserved for other ways of checking; must be 0.
    uint8 verifyMask;
    /// Reserved for private jobs; must be 0.
    uint8 privacyMask;
    /// Where the operator finds the input; only emitted.
    string inputUri;
}

/// @notice A job as the market tells it.
struct Job {
    address client;
    uint96 fee;
    /// Owner whose stake is locked; zero before acceptance.
    address operator;
    JobState state;
    /// Last second of the state: of taking (OPEN), committing (ASSIGNED) or challenging (COMMITTED and later).
    uint40 deadline;
    bytes32 version;
    bytes32 inDigest;
    /// Committed result; zero before the commit.
    bytes32 outDigest;
}

/// @notice A job in storage; the version is named by its number in the registry, which saves a word.
///
/// | word | bits                                                                            |
/// |------|---------------------------------------------------------------------------------|
/// | 0    | client [0,160) fee [160,256)                                                    |
/// | 1    | operator [0,160) state [160,168) deadline [168,208) versionNumber [208,240)     |
/// | 2-3  | inDigest, outDigest                                                             |
struct StoredJob {
    address client;
    uint96 fee;
    address operator;
    JobState state;
    uint40 deadline;
    uint32 versionNumber;
    bytes32 inDigest;
    bytes32 outDigest;
}
