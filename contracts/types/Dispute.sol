// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice States of the dispute about a job.
enum DisputeState {
    /// No dispute.
    NONE,
    /// A proof is due.
    OPEN,
    /// Terminal: a proof of the committed result was accepted.
    DEFENDER_PROVEN,
    /// No proof came before the deadline, or the operator was silent while it was pinpointed; the slash waits for the
    /// airgap.
    DEFAULT,
    /// The operator signed two results for one job, or an operator of the model was shown to be wrong; the slash waits
    /// for the airgap.
    FRAUD_PROVEN,
    /// Terminal: the slash is divided.
    DISTRIBUTED,
    /// Terminal: a proof that came after the default, within the airgap, gave most of the lock back.
    CURED,
    /// Terminal: ended by the refund mode.
    VOIDED
}

/// @notice The dispute about a job in storage; those who challenged beside the first are in a list of their own.
///
/// | word | bits                                                                         |
/// |------|------------------------------------------------------------------------------|
/// | 0    | challenger [0,160) bond [160,256)                                            |
/// | 1    | operator [0,160) proveBy [160,200) state [200,208) openedAtBlock [208,256)   |
/// | 2    | challengeSeed                                                                |
struct Dispute {
    /// Who challenged first, or brought the verdict; zero where the proof is due without a bond.
    address challenger;
    /// Bond in wei of each challenger.
    uint96 bond;
    /// Owner whose result is challenged.
    address operator;
    /// Last second, on the protocol's clock, at which a proof counts, or counted; where pinpointing ended it, when that
    /// was; 0 where two signed results did.
    uint40 proveBy;
    DisputeState state;
    /// Block of the first challenge: those of the next few blocks share the reward.
    uint48 openedAtBlock;
    /// Randomness of the statement, fixed after the result was committed (protocol.md A.11).
    bytes32 challengeSeed;
}

/// @notice A result that an operator's key vouched for: `signature` is over Result(jobId, outDigest) (EIP-712, domain
/// "zkDPS" version "1" of the market). An empty signature stands for the result committed on chain.
struct SignedResult {
    bytes32 outDigest;
    bytes signature;
}

/// @notice What the game of pinpointing has to know of a job that it holds.
struct Hold {
    bytes32 version;
    address operator;
    /// Last second, on the protocol's clock, of the window.
    uint40 deadline;
    /// Bond of a challenge made now, and time to prove.
    uint96 bond;
    uint40 proveSeconds;
}
