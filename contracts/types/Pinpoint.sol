// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobTerms} from "./Job.sol";

/// @dev Element of a claim about a whole operator.
uint64 constant WHOLE = type(uint64).max;

/// @notice States of one dispute over a trace.
enum Phase {
    /// No such dispute.
    NONE,
    /// The asserter owes a trace; once it is posted, the challenger's turn to search it or to pin an operator.
    TRACE,
    /// The asserter's turn: what lies under the node of the search.
    REVEAL,
    /// The challenger's turn: where to go on.
    SELECT,
    /// An operator is pinned: either verdict of an adjudicator is awaited.
    LEAF,
    /// Terminal: the pinned claim is consistent, or the whole result was proven.
    DEFENDER_PROVEN,
    /// Terminal: the pinned claim is inconsistent.
    FRAUD_PROVEN,
    /// The asserter was silent; of a pinned operator a consistent verdict within the airgap still cures it.
    DEFAULT,
    /// Terminal: the challenger was silent.
    CHALLENGER_TIMEOUT,
    /// Terminal: the job was rejected for another reason.
    CANCELLED,
    /// Terminal: a consistent verdict came after the default, within the airgap.
    CURED,
    /// Terminal: ended by the refund mode.
    VOIDED
}

/// @notice What the node of a search is a node of.
enum Tree {
    /// The layers of the trace; `position` counts the nodes of the node's level.
    LAYERS,
    /// The operators of a layer; `position` is layer << 32 | number of the node in its level.
    OPS,
    /// The digest of an output: the root of its tiles is due.
    DIGEST,
    /// The tiles of an output.
    TILES,
    /// All is revealed that was searched for: an operator, or an element of the pinned one, is to be named.
    NONE
}

/// @notice Where a search stands; all zero in phase TRACE. Only its hash is stored: every move carries the position that
/// it answers, and a stale one fits no more.
struct Search {
    /// Node to be revealed (REVEAL), or whose descendants were (SELECT). Zero for the operators of a layer that is not
    /// expanded yet.
    bytes32 node;
    /// Hash of the claim about the pinned operator, while its output is searched; zero otherwise.
    bytes32 context;
    SearchMeta meta;
}

/// @notice The rest of a search's position in one word.
///
/// | bits       | meaning                                                          |
/// |------------|------------------------------------------------------------------|
/// | [0,64)     | position of the node                                             |
/// | [64,104)   | seconds left to the side that is not on turn                     |
/// | [104,112)  | levels between the node and the leaves of its tree               |
/// | [112,120)  | tree (Tree)                                                      |
/// | [120,128)  | extensions that the asserter got                                 |
/// | [128,136)  | extensions that the challenger got                               |
/// | [136,208)  | output searched: u32 cols, u32 rows, u8 bytes per element, low to high |
/// | [208,216)  | depth of the tree over a layer's operators                       |
/// | [216,224)  | 1 if the trace is of OP granularity, 0 if of LAYER granularity   |
/// | [224,256)  | layers of the trace                                              |
type SearchMeta is uint256;

/// @notice What moves of a dispute, unpacked (libraries/DisputeHeads.sol); one word in storage, so that a move of a search
/// reads and writes one word.
///
/// | bits     | meaning                                                                                        |
/// |----------|------------------------------------------------------------------------------------------------|
/// | [0,8)    | place: which of the job's 16 places for open disputes it takes                                 |
/// | [8,16)   | phase                                                                                          |
/// | [16,56)  | deadline                                                                                       |
/// | [56,256) | upper 25 bytes of the hash of its position or claim: to find two of one hash takes 2^100 tries |
struct Head {
    uint256 place;
    Phase phase;
    /// Last second, on the protocol's clock, of whoever is on turn, or in which a verdict counts.
    uint256 deadline;
    /// Lowest 7 bytes zero; zero once the dispute is over, and not to be cured.
    bytes32 hash;
}

/// @notice What stays of an open dispute, in its place.
///
/// | word | bits                                                                          |
/// |------|-------------------------------------------------------------------------------|
/// | 0    | challenger [0,160) openedAtBlock [160,200) bond [200,248) joined [248,256)    |
struct StoredEntry {
    address challenger;
    uint40 openedAtBlock;
    /// What each challenger staked, in gwei.
    uint48 bond;
    /// How many challengers joined the first.
    uint8 joined;
}

/// @notice A dispute as the game tells it.
struct PinpointDispute {
    bytes32 id;
    address challenger;
    Phase phase;
    /// Last second, on the protocol's clock, of whoever is on turn, or in which a verdict counts; 0 once it is over.
    uint40 deadline;
    uint40 openedAtBlock;
    /// What its challengers staked together.
    uint256 bonds;
    /// Upper 25 bytes of the hash of its position or claim; zero once it is over.
    bytes32 head;
}

/// @notice The trace of a job.
///
/// | word | bits                                                                                                      |
/// |------|-----------------------------------------------------------------------------------------------------------|
/// | 0    | root                                                                                                      |
/// | 1    | postedAt [0,40) isOpGranular [40,48) open [48,64) places [64,72) versionNumber [72,96) operator [96,256)  |
struct Trace {
    bytes32 root;
    /// Second, on the protocol's clock; 0 while there is none.
    uint40 postedAt;
    /// Whether the layers' leaves hold the roots over their operators; otherwise these are expanded on demand.
    bool isOpGranular;
    /// Bit i: place i is taken by an open dispute.
    uint16 open;
    /// Challengers of all open disputes.
    uint8 places;
    /// Number of the job's model version, and its operator: a search need not ask for the job.
    uint24 versionNumber;
    address operator;
}

/// @notice An operator of a trace with all that its claim is made of.
struct Pin {
    /// The operator's position t in the plan.
    uint32 op;
    /// Element of its output in dispute, or WHOLE.
    uint64 elem;
    /// Its descriptor, as the plan holds it.
    bytes desc;
    /// Leaf of its layer. Of a trace of LAYER granularity `opRoot` is 0: the expansion's counts.
    bytes32 layerDigest;
    bytes32 opRoot;
    /// Root over the operators of the layer before, if the operator reads its layer's input, that is not the job's
    /// input, and the trace is of OP granularity; 0 otherwise.
    bytes32 inputOpRoot;
    bytes32 outDigest;
    /// In the order of the descriptor's inputs.
    bytes32[] inDigests;
    /// One after another, each from the lowest level up: the operator in the plan; its layer in the trace; its output
    /// among the layer's operators; then, in the order of the descriptor's inputs, each that is made in the same layer,
    /// and at the first that reads the digest of the layer before, that layer in the trace.
    bytes32[] siblings;
    /// The job's terms, if the operator reads the job's input; anything otherwise.
    JobTerms terms;
}

/// @notice The end of a layer: the leaf of a layer and the leaf of its last operator.
struct LayerEnd {
    /// Position t of the layer's last operator in the plan.
    uint32 op;
    /// Its descriptor.
    bytes desc;
    bytes32 layerDigest;
    bytes32 opRoot;
    /// Digest of the last operator.
    bytes32 lastDigest;
    /// One after another: the operator in the plan; the layer in the trace; the operator among those of its layer.
    bytes32[] siblings;
}

/// @notice Evidence for one adjudicator.
struct Ruling {
    /// Its number in the registry of adjudicators.
    uint8 adjudicator;
    bytes evidence;
}
