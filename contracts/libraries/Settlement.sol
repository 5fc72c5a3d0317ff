// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BondSplit, Exit, JobSplit} from "../types/Split.sol";

/// @title The settlement table (protocol.md A.6, 3.15)
/// @notice Who gets what at every way in which a job can end. F is the fee in escrow, B the lock, S the fine for
/// committing nothing (S <= B), C the challenger's bond.
///
/// | exit      | client          | operator      | challenger   | prover  | burn   |
/// |-----------|-----------------|---------------|--------------|---------|--------|
/// | FINAL     | -               | F, B back     | -            | -       | -      |
/// | PROVEN    | -               | F, B back     | loses C      | 80 % C  | 20 % C |
/// | REJECTED  | F back + 40 % B | loses B       | C + 35 % B   | -       | 25 % B |
/// | FAILED    | F back + 50 % S | B - S back    | -            | -       | 50 % S |
/// | EXPIRED   | F back          | -             | -            | -       | -      |
/// | CANCELLED | F back          | -             | -            | -       | -      |
///
/// The prover of a PROVEN job is its operator, or whoever proved in its place. Shares round down; what is left over
/// goes to the burn, so every row adds up to F + B + C exactly.
library Settlement {
    uint256 internal constant PERCENT = 100;

    /// @dev Slash: the client's loss is made good, the challenger's work is paid, and a part is burned so that an
    /// operator who challenges itself never gets everything back.
    uint256 internal constant SLASH_CLIENT = 40;
    uint256 internal constant SLASH_CHALLENGER = 35;

    /// @dev Fine for committing nothing; nobody challenged, so the rest is burned.
    uint256 internal constant MISS_CLIENT = 50;

    /// @dev Lost bond: pays for the proof; the rest is burned, which taxes challenges against oneself.
    uint256 internal constant BOND_DEFENDER = 80;

    /// @notice Splits escrow and lock of a job.
    /// @param fee F.
    /// @param lock B; 0 where no operator took the job.
    /// @param fine S, at most B; used by FAILED alone.
    function computeJobSplit(Exit exit, uint96 fee, uint96 lock, uint96 fine)
        internal
        pure
        returns (JobSplit memory split)
    {
        if (exit == Exit.FINAL || exit == Exit.PROVEN) {
            split.feeToOperator = fee;
            split.lockToOperator = lock;
            return split;
        }
        // Every other exit refunds the client.
        split.feeToClient = fee;
        if (exit == Exit.REJECTED) {
            split.lockToClient = mulPercentDown(lock, SLASH_CLIENT);
            split.lockToChallenger = mulPercentDown(lock, SLASH_CHALLENGER);
            split.lockToBurn = lock - split.lockToClient - split.lockToChallenger;
        } else if (exit == Exit.FAILED) {
            split.lockToClient = mulPercentDown(fine, MISS_CLIENT);
            split.lockToBurn = fine - split.lockToClient;
            split.lockToOperator = lock - fine;
        }
    }

    /// @notice Splits the bond of a dispute; only PROVEN and REJECTED end one.
    /// @param bond C.
    function computeBondSplit(Exit exit, uint96 bond) internal pure returns (BondSplit memory split) {
        assert(exit == Exit.PROVEN || exit == Exit.REJECTED);
        if (exit == Exit.REJECTED) {
            split.toChallenger = bond;
        } else {
            split.toDefender = mulPercentDown(bond, BOND_DEFENDER);
            split.toBurn = bond - split.toDefender;
        }
    }

    /// @dev floor(amount * percent / 100). No truncation: percent <= 100, so the result is at most `amount`.
    function mulPercentDown(uint96 amount, uint256 percent) private pure returns (uint96) {
        return uint96(uint256(amount) * percent / PERCENT);
    }
}
