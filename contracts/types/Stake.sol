// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice One account's money of one token.
///
/// | word | bits                                                                   |
/// |------|------------------------------------------------------------------------|
/// | 0    | free [0,96) locked [96,192)                                            |
/// | 1    | unbonding [0,96) unbondReadyAt [96,136) credit [136,232)               |
/// | 2    | held [0,96) heldNext [96,160)                                          |
struct Account {
    /// Stake that may back a job or start to unbond.
    uint96 free;
    /// Stake that backs jobs.
    uint96 locked;
    /// Stake on its way out; still slashable.
    uint96 unbonding;
    /// Second from which `unbonding` may leave.
    uint40 unbondReadyAt;
    /// Earnings and refunds that may be withdrawn now.
    uint96 credit;
    /// Sum of the slash proceeds that still wait for the airgap.
    uint96 held;
    /// Index of the next held entry to be released.
    uint64 heldNext;
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
