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
    /// A proof is due: somebody challenged, or the job requires one.
    DISPUTED,
    /// Terminal: nobody challenged in time; the operator is paid.
    FINAL,
    /// Terminal: a proof of the result was accepted; the operator is paid.
    PROVEN,
    /// Terminal: the result does not count; the client is refunded, the operator's lock waits for the airgap.
    REJECTED,
    /// Terminal: nobody took the job; the client is refunded.
    EXPIRED,
    /// Terminal: the operator committed nothing, or did not deliver; it is fined, the client refunded.
    FAILED,
    /// Terminal: withdrawn by the client before anybody took it; the client is refunded.
    CANCELLED,
    /// Terminal: the operator could not use the input and said so at once; the client is refunded.
    REFUSED,
    /// Terminal: ended by the refund mode; everybody has its own money back.
    VOIDED
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

/// @dev Bit of `verifyMask`: the job is never final without a proof (protocol.md A.10).
uint8 constant PROOF_REQUIRED = 1;

/// @notice What a client orders; client and terms together are the job's id.
struct JobParams {
    /// Registered model version; pins the verifier.
    bytes32 version;
    /// Digest of the input tensor.
    bytes32 inDigest;
    /// Token of fee and stake: 0 for ETH, or the vault's one ERC-20.
    address token;
    /// Price in the token's smallest unit.
    uint96 fee;
    /// PROOF_REQUIRED or 0.
    uint8 verifyMask;
    /// Reserved for private jobs; must be 0.
    uint8 privacyMask;
    /// Chosen by the client; tells two jobs of equal terms apart, and seeds sampling.
    uint64 salt;
    /// Where the operator finds the input; only emitted, not part of the id.
    string inputUri;
}

/// @notice What a job's id commits to:
///
///   id = keccak256(abi.encode(chain id, market, terms))
struct JobTerms {
    address client;
    bytes32 version;
    bytes32 inDigest;
    address token;
    uint96 fee;
    uint8 verifyMask;
    uint8 privacyMask;
    /// What the client chose, below 2**64; for a job that another module made, a hash of where it comes from.
    uint256 salt;
}

/// @notice A result of a session's batch that becomes a job of its own, when it is challenged or asked for.
struct Adoption {
    /// Owner whose stake is locked.
    address operator;
    bytes32 outDigest;
    /// Last second, on the protocol's clock, in which the result may be challenged: that of its batch.
    uint40 challengeUntil;
    /// Number of the model version in the registry.
    uint32 versionNumber;
    /// Royalty, pinned when the session was opened.
    uint16 royaltyBps;
}

/// @notice A job as the market tells it; what else belongs to it is in its terms, which JobCreated emits.
struct Job {
    address client;
    address token;
    uint96 fee;
    /// Owner whose stake is locked; zero before acceptance.
    address operator;
    JobState state;
    /// Last second, on the protocol's clock, of the state: of taking (OPEN), committing (ASSIGNED), challenging
    /// (COMMITTED, DISPUTED) or of the airgap (REJECTED).
    uint40 deadline;
    bytes32 version;
    /// Committed result; zero before the commit.
    bytes32 outDigest;
    bool proofRequired;
    /// Last second of a delivery that is due and has not come; 0 where none is.
    uint40 deliverBy;
}

/// @dev Flags of a stored job.
uint16 constant FLAG_TOKEN = 1; // fee and lock are in the vault's ERC-20
uint16 constant FLAG_PROOF_REQUIRED = 2;
uint16 constant FLAG_DELIVERY_REQUESTED = 4;
uint16 constant FLAG_DELIVERED = 8;

/// @notice A job in storage. The version is named by its number in the registry, which saves a word; the input digest
/// is in the id alone.
///
/// | word | bits                                                                                        |
/// |------|---------------------------------------------------------------------------------------------|
/// | 0    | client [0,160) fee [160,240) royaltyBps [240,256)                                           |
/// | 1    | operator [0,160) state [160,168) deadline [168,208) versionNumber [208,240) flags [240,256) |
/// | 2    | outDigest                                                                                   |
struct StoredJob {
    address client;
    uint80 fee;
    uint16 royaltyBps;
    address operator;
    JobState state;
    uint40 deadline;
    uint32 versionNumber;
    uint16 flags;
    bytes32 outDigest;
}

/// @notice A demand for the output's bytes on chain: one word.
struct Delivery {
    /// Last second, on the protocol's clock.
    uint40 deliverBy;
    /// What the client paid for it, in the job's token; part of the job's escrow.
    uint80 payment;
}
