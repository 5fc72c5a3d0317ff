// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice One account's money of one token.
///
/// What a job without objection touches lies in one word. The narrowest field counts to 1.2 million ETH; stake
/// beyond a field's width is refused, credit beyond it is burned: no hoard can stop a settlement that pays others too.
///
/// | word | bits                                             |
/// |------|--------------------------------------------------|
/// | 0    | free [0,88) locked [88,176) credit [176,256)     |
/// | 1    | unbonding [0,88) unbondReadyAt [88,128)          |
struct Account {
    /// Stake that may back a job or start to unbond.
    uint88 free;
    /// Stake that backs jobs, slashed locks that wait for the airgap not included.
    uint88 locked;
    /// Earnings and refunds that may be withdrawn now.
    uint80 credit;
    /// Stake on its way out; still slashable.
    uint88 unbonding;
    /// Second, on the protocol's clock, from which `unbonding` may leave.
    uint40 unbondReadyAt;
}

/// @notice Status of a lock. It leaves ACTIVE exactly once: that is the guard against a second slash or release.
enum LockStatus {
    NONE,
    ACTIVE,
    /// Terminal: back in the operator's free stake, but for a fine.
    RELEASED,
    /// Taken from the operator; held until the airgap is over.
    SLASHED,
    /// Terminal: a slashed lock that was divided.
    DIVIDED
}

/// @notice The money of one job: one word, escrow [0,80) lock [80,168) status [168,176).
struct JobFunds {
    /// What the client paid and nobody has been given yet.
    uint80 escrow;
    /// Stake behind the job.
    uint88 lock;
    LockStatus status;
}

/// @notice How an operator behaved: one word.
struct Standing {
    /// Second, on the protocol's clock, from which the operator may leave jail; 0 where it is not jailed.
    uint40 jailedUntil;
    /// Second of the first miss of the present window.
    uint40 windowStart;
    /// Misses in the present window.
    uint8 misses;
}
