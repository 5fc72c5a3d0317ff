// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice One account's money of one token.
///
/// What a job without objection touches lies in one word. The narrowest field counts to 1.2 million ETH; a sum beyond
/// a field's width reverts.
///
/// | word | bits                                                                              |
/// |------|-----------------------------------------------------------------------------------|
/// | 0    | free [0,88) locked [88,176) credit [176,256)                                      |
/// | 1    | unbonding [0,88) unbondReadyAt [88,128) held [128,216) heldNext [216,256)         |
struct Account {
    /// Stake that may back a job or start to unbond.
    uint88 free;
    /// Stake that backs jobs.
    uint88 locked;
    /// Earnings and refunds that may be withdrawn now.
    uint80 credit;
    /// Stake on its way out; still slashable.
    uint88 unbonding;
    /// Second from which `unbonding` may leave.
    uint40 unbondReadyAt;
    /// Sum of the slash proceeds that still wait for the airgap.
    uint88 held;
    /// Index of the next held entry to be released.
    uint40 heldNext;
}

/// @notice Slash proceeds of one settlement, waiting for the airgap.
struct Held {
    uint96 amount;
    /// Second from which the amount may be withdrawn.
    uint40 readyAt;
}

/// @notice Status of a lock. It leaves ACTIVE exactly once: that is the guard against a second slash or release.
enum LockStatus {
    NONE,
    ACTIVE,
    RELEASED,
    SLASHED
}

/// @notice Stake that backs one job: one word, operator [0,160) amount [160,248) status [248,256).
struct Lock {
    address operator;
    uint88 amount;
    LockStatus status;
}
