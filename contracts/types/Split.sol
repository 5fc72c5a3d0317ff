// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Ways in which a job can end: the rows of the settlement table.
enum Exit {
    FINAL,
    PROVEN,
    REJECTED,
    FAILED,
    EXPIRED,
    CANCELLED
}

/// @notice Where a job's escrow and lock go. The fee parts add up to the escrow, the lock parts to the lock.
struct JobSplit {
    uint96 feeToOperator;
    uint96 feeToClient;
    uint96 lockToOperator;
    uint96 lockToClient;
    uint96 lockToChallenger;
    uint96 lockToBurn;
    /// Slash at operator level, beyond the lock: burned from free stake first, from unbonding stake second.
    uint96 stakeToBurn;
}

/// @notice Where a dispute's bond goes; the parts add up to the bond.
struct BondSplit {
    uint96 toChallenger;
    /// To the operator, or to whoever proved in its place.
    uint96 toDefender;
    uint96 toBurn;
}
