// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Ways in which a job can end: the rows of the settlement table.
enum Exit {
    FINAL,
    PROVEN,
    REJECTED,
    EXPIRED,
    FAILED,
    CANCELLED,
    REFUSED,
    VOIDED
}

/// @notice Who has a part in a job's settlement. Zero where nobody has that part.
struct Parties {
    address client;
    /// Owner of the stake.
    address operator;
    /// Owner of the model version.
    address modelOwner;
    /// Who settles a job that those concerned forgot.
    address keeper;
}

/// @notice What there is to settle at the end of a job.
struct Dues {
    /// F.
    uint96 fee;
    /// D: what the client paid for a delivery, beside the fee.
    uint96 delivery;
    /// B: the lock; 0 where no operator took the job.
    uint96 lock;
    /// S: the fine, at most the lock.
    uint96 fine;
    bool isDelivered;
    /// Whether somebody earns the keeper's tip.
    bool hasKeeper;
    uint16 royaltyBps;
    uint16 protocolFeeBps;
    uint16 keeperTipBps;
}

/// @notice Where a job's escrow and lock go. The fee parts add up to the escrow, the lock parts to the lock.
struct JobSplit {
    uint96 feeToOperator;
    uint96 feeToClient;
    uint96 feeToModelOwner;
    uint96 feeToKeeper;
    uint96 feeToBurn;
    uint96 lockToOperator;
    uint96 lockToClient;
    uint96 lockToKeeper;
    uint96 lockToBurn;
    /// Slashed, but not divided before the airgap is over: all of the lock or nothing.
    uint96 lockHeld;
}

/// @notice Where a slashed lock goes after the airgap; the parts add up to the lock.
struct SlashSplit {
    uint96 toOperator;
    uint96 toClient;
    /// Shared equally by all challengers; what does not divide is burned.
    uint96 toChallengers;
    uint96 toBurn;
}

/// @notice Where the bonds of a dispute go; the parts add up to all bonds of the job.
struct BondSplit {
    /// Returned in equal parts to those who posted them.
    uint96 toChallengers;
    /// To the operator, or to whoever proved in its place.
    uint96 toDefender;
    uint96 toBurn;
}
