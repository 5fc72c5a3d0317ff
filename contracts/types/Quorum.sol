// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "./Ids.sol";

/// @notice States of a quorum.
enum QuorumState {
    /// No such quorum.
    NONE,
    /// Funded; its replicas are drawn once the beacon has spoken.
    OPEN,
    /// Replicas are drawn; their blinded results are due.
    COMMITTING,
    /// The one replica has committed; the beacon decides whether it is audited.
    AUDITING,
    /// All results are fixed and are being opened.
    REVEALING,
    /// One result has more replicas than any other; it may be disputed.
    PROVISIONAL,
    /// No result has more replicas than any other; a verdict may still name one.
    SPLIT,
    /// Terminal: there is a result; its replicas are paid.
    FINAL,
    /// Terminal: there is no result; the client is refunded.
    FAILED,
    /// Terminal: no replicas were drawn in time; the client is refunded.
    EXPIRED,
    /// Terminal: ended by the refund mode.
    VOIDED
}

/// @notice States of a replica, and which row of the settlement table ends it (Settlement).
///
/// | state     | why                                                       | row                                   |
/// |-----------|-----------------------------------------------------------|---------------------------------------|
/// | PAID      | its result is the quorum's                                | FINAL; PROVEN where its job has a proof |
/// | RELEASED  | there is no result, nobody is at fault; or it refused     | REFUSED                               |
/// | MISSED    | no commitment in time                                     | FAILED, and a miss                    |
/// | SILENT    | another result won, nothing is proven                     | FAILED: the fee and S_miss, no miss   |
/// | SLASHED   | committed and not revealed; or beaten by a proof; or said | REJECTED, divided at once as          |
/// |           | what a verdict refuted and did not stand behind it        | distributed without challengers       |
/// | OUT       | its own job ended without counting                        | the job's                             |
/// | VOIDED    | refund mode                                               | VOIDED                                |
///
/// What a drawn audit would have cost and did not goes back to the client (CANCELLED).
enum ReplicaState {
    /// No such replica.
    NONE,
    /// Its stake is locked; a blinded result is due.
    DRAWN,
    /// A blinded result is on chain; its opening is due.
    COMMITTED,
    /// Its result is known.
    REVEALED,
    /// Its result is a job of its own, which decides.
    EXTRACTED,
    PAID,
    RELEASED,
    MISSED,
    SILENT,
    SLASHED,
    OUT,
    VOIDED
}

/// @notice How much a consumer may rely on a quorum's result.
enum QuorumAssurance {
    /// There is no final result.
    NONE,
    /// One replica said so, or what is left of several after a verdict, and nobody objected.
    UNCHALLENGED,
    /// The one replica and the auditor drawn after it said the same.
    AUDITED,
    /// More than half of the replicas ordered said the same, and nobody objected.
    QUORUM,
    /// A proof of it was accepted on chain.
    PROVEN
}

/// @notice What a client orders.
struct QuorumParams {
    bytes32 version;
    bytes32 inDigest;
    /// Token of fee and stake: 0 for ETH, or the vault's one ERC-20.
    address token;
    /// Price of each replica.
    uint96 fee;
    /// Replicas: 1, 3 or 5.
    uint8 count;
    /// V: what a wrong result could gain somebody, in the token; the lock grows with it.
    uint96 insured;
    /// Whether the one replica is audited with the deployment's probability.
    bool isAudited;
    uint64 salt;
    /// Where the operators find the input; only emitted.
    string inputUri;
}

/// @notice What a quorum's id commits to:
///
///   id = keccak256(abi.encode("zkDPS quorum", chain id, this market, terms))
struct QuorumTerms {
    address client;
    bytes32 version;
    bytes32 inDigest;
    address token;
    uint96 fee;
    uint8 count;
    uint96 insured;
    bool isAudited;
    uint64 salt;
}

/// @notice A quorum in storage.
///
/// | word | bits                                                                                          |
/// |------|-----------------------------------------------------------------------------------------------|
/// | 0    | client [0,160) fee [160,240) royaltyBps [240,256)                                             |
/// | 1    | state [0,8) count [8,16) size [16,24) isToken [24,32) isAudited [32,40) isAuditDue [40,48)    |
/// |      | isSuspect [48,56) isProven [56,64) deadline [64,104) versionNumber [104,136) insured [136,232) |
/// | 2    | inDigest                                                                                      |
/// | 3    | outDigest                                                                                     |
/// | 4    | primaryTag [0,160)                                                                            |
struct StoredQuorum {
    address client;
    uint80 fee;
    uint16 royaltyBps;
    QuorumState state;
    /// Replicas ordered.
    uint8 count;
    /// Replicas drawn; an auditor counts.
    uint8 size;
    bool isToken;
    bool isAudited;
    /// Whether a missed beacon has drawn the audit.
    bool isAuditDue;
    /// Whether a verdict went against a replica of the provisional result: the others have to stand behind it.
    bool isSuspect;
    /// Whether a proof of the result was accepted.
    bool isProven;
    /// Last second, on the protocol's clock, of the state.
    uint40 deadline;
    uint32 versionNumber;
    uint96 insured;
    bytes32 inDigest;
    /// Provisional or final result; zero where there is none.
    bytes32 outDigest;
    /// Tag of the replica that may be audited.
    address primaryTag;
}

/// @notice A quorum as its market tells it.
struct QuorumView {
    QuorumTerms terms;
    QuorumState state;
    /// Replicas drawn.
    uint8 size;
    bool isSuspect;
    /// Last second, on the protocol's clock, of the state.
    uint40 deadline;
    /// Provisional or final result; zero where there is none.
    bytes32 outDigest;
}

/// @notice A replica: operator [0,160) state [160,168); then a word each.
struct Replica {
    /// Owner whose stake is locked.
    address operator;
    ReplicaState state;
    bytes32 commitment;
    /// Zero before it is revealed.
    bytes32 outDigest;
}

/// @notice An operator that would serve replicas of a version: three words.
struct Candidate {
    /// Owner of the stake.
    address operator;
    /// Block in which it enlisted: a draw that was asked for before does not count it.
    uint48 since;
    /// It counts while what its owner asked to unbond, if anything, is ready before this second: while nothing was asked
    /// for since it enlisted.
    uint40 unbondBefore;
    /// Those of one tag serve no quorum together.
    address tag;
    /// Stake it had then; its weight is never more.
    uint88 stake;
    /// It is not drawn for less.
    uint96 minFee;
}

/// @notice What a draw looks for.
struct Search {
    bytes32 version;
    address token;
    bytes32 seed;
    /// Block in which the seed was asked for: who enlisted later does not count.
    uint256 askedAt;
    /// Stake that each needs, free.
    uint256 lock;
    /// What each is paid.
    uint256 fee;
    /// Nobody orders from itself.
    address client;
    /// Those of this tag are left out; zero if there is none.
    address tag;
    /// The operator of the replica to audit; zero if there is none.
    address primary;
    /// How many to draw.
    uint256 required;
}

/// @dev What the jobs of extracted replicas say at the end of a round.
struct Round {
    /// Result with a proof, or zero.
    bytes32 proven;
    /// Result of which a job became final, or zero.
    bytes32 unbeaten;
    /// Replicas whose jobs ended in this round.
    uint256 ended;
    /// Whether one of those did not count.
    bool isHurt;
    /// Whether a verdict refuted one of those.
    bool isRefuted;
}

/// @notice States of what a requester asked the beacon for.
enum SeedState {
    /// Nobody asked.
    NONE,
    /// The block has not been made.
    WAITING,
    /// It may be fixed.
    READY,
    /// It is fixed for ever.
    FIXED,
    /// Nobody fixed it in time.
    MISSED
}

/// @notice States of an audit by proof.
enum AuditState {
    NONE,
    /// The beacon has been asked.
    REQUESTED,
    /// Terminal: not drawn.
    SPARED,
    /// Terminal: drawn; a proof is due.
    DRAWN
}
