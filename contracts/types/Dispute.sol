// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "./Ids.sol";

/// @notice States of a dispute.
enum DisputeState {
    /// No such dispute.
    NONE,
    /// A proof is due.
    OPEN,
    /// Terminal: a proof of the committed result was accepted.
    DEFENDER_PROVEN,
    /// Terminal: no proof came before the deadline.
    DEFAULT
}

/// @notice A prove-it dispute in storage.
///
/// | word | bits                                                |
/// |------|-----------------------------------------------------|
/// | 0    | challenger [0,160) bond [160,256)                   |
/// | 1    | operator [0,160) proveBy [160,200) state [200,208)  |
/// | 2-3  | jobId, challengeSeed                                |
struct Dispute {
    address challenger;
    /// Bond in wei, as held by the vault.
    uint96 bond;
    /// Owner whose result is challenged.
    address operator;
    /// Last second at which a proof counts.
    uint40 proveBy;
    DisputeState state;
    JobId jobId;
    /// Randomness of the statement, fixed after the result was committed (protocol.md A.11).
    bytes32 challengeSeed;
}
