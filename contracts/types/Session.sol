// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "./Ids.sol";

/// @notice States of a session: its state only ever grows.
enum SessionState {
    /// No such session.
    NONE,
    /// Its requests may be answered.
    OPEN,
    /// The client wants its deposit back; the operator may post what it has answered, until `closesAt`.
    CLOSING,
    /// Terminal: what was left of the deposit is the client's.
    CLOSED,
    /// Terminal: ended by the refund mode; what was left of the deposit is the client's.
    VOIDED
}

/// @notice States of a batch: its state only ever grows.
enum BatchState {
    /// No such batch.
    NONE,
    /// Its results may be challenged, one by one.
    COMMITTED,
    /// Terminal: the operator is paid for all results that became no job of their own.
    FINAL,
    /// Terminal: ended by the refund mode; everybody has its own money back.
    VOIDED
}

/// @notice What a client chooses when it opens a session.
struct OpenParams {
    /// Key whose requests count: the client's own, or one that a contract lets speak for it.
    address signer;
    /// Owner of the stake that answers for the results.
    address operator;
    /// Registered model version; pins the verifier.
    bytes32 version;
    /// Token of fee and stake: 0 for ETH, or the vault's one ERC-20.
    address token;
    /// Price of one result in the token's smallest unit.
    uint96 fee;
    /// Tells two sessions of equal terms apart.
    uint64 salt;
}

/// @notice What a session's id commits to:
///
///   id = keccak256(abi.encode("zkDPS session", chain id, sessions' market, terms))
struct SessionTerms {
    address client;
    address signer;
    address operator;
    bytes32 version;
    address token;
    uint96 fee;
    uint64 salt;
}

/// @notice A session as its market tells it.
struct Session {
    SessionTerms terms;
    /// Part of every fee that is the model owner's, in hundredths of a percent; pinned at the opening.
    uint16 royaltyBps;
    SessionState state;
    /// Last second, on the protocol's clock, in which a CLOSING session takes a batch; 0 before.
    uint40 closesAt;
    /// What the client paid in and no batch has taken.
    uint96 deposit;
}

/// @notice A session in storage. What is left of its deposit is in the vault alone.
///
/// | word | bits                                                                                        |
/// |------|---------------------------------------------------------------------------------------------|
/// | 0    | client [0,160) fee [160,240) royaltyBps [240,256)                                           |
/// | 1    | operator [0,160) state [160,168) closesAt [168,208) versionNumber [208,240) isToken [240,248) |
/// | 2    | signer [0,160) salt [160,224)                                                               |
struct StoredSession {
    address client;
    uint80 fee;
    uint16 royaltyBps;
    address operator;
    SessionState state;
    uint40 closesAt;
    uint32 versionNumber;
    /// Whether fee and lock are in the vault's ERC-20.
    bool isToken;
    address signer;
    uint64 salt;
}

/// @notice One answered request, as its operator posts it.
struct BatchItem {
    uint32 nonce;
    /// Last second, on the protocol's clock, in which the request may be answered on chain.
    uint40 validUntil;
    bytes32 inDigest;
    bytes32 outDigest;
    /// The request's signature as EIP-2098 packs it: r, and s with the parity in its highest bit.
    bytes32 r;
    bytes32 vs;
}

/// @notice One result of a batch, as whoever doubts or wants it names it.
struct Leaf {
    /// Place in the batch, from 0.
    uint16 index;
    uint32 nonce;
    bytes32 inDigest;
    bytes32 outDigest;
}

/// @notice A batch as its market tells it.
struct Batch {
    JobId sessionId;
    /// Owner whose stake is locked.
    address operator;
    BatchState state;
    /// Results committed.
    uint256 count;
    /// Results that became jobs of their own; `extractedBits` says which.
    uint256 extracted;
    uint256 extractedBits;
    /// Last second, on the protocol's clock, in which a result may be challenged.
    uint40 challengeUntil;
    /// Stake behind each result.
    uint96 lockEach;
}

/// @notice A batch in storage. Its operator is its session's.
///
/// | word | bits                                                                                        |
/// |------|---------------------------------------------------------------------------------------------|
/// | 0    | sessionId                                                                                   |
/// | 1    | state [0,8) count [8,24) extracted [24,40) challengeUntil [40,80) lockEach [80,160)         |
/// | 2    | extractedBits: bit i is set when result i has become a job of its own                       |
struct StoredBatch {
    JobId sessionId;
    BatchState state;
    /// Results committed.
    uint16 count;
    /// Results that became jobs of their own.
    uint16 extracted;
    /// Last second, on the protocol's clock, in which a result may be challenged.
    uint40 challengeUntil;
    /// Stake behind each result.
    uint80 lockEach;
    uint256 extractedBits;
}
