// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BondSplit, Dues, Exit, JobSplit, SlashSplit} from "../types/Split.sol";

/// @title The settlement table (protocol.md A.6, A.16, 3.15)
/// @notice Who gets what at every way in which a job can end. F is the fee, D what the client paid for a delivery, B the
/// lock, S the fine (S <= B), C all bonds of the job; r, p and t are royalty, protocol fee and keeper's tip, shares of F.
///
/// | exit      | client      | operator                     | model owner | keeper | burn        |
/// |-----------|-------------|------------------------------|-------------|--------|-------------|
/// | FINAL     | -           | F - r - p - t, D, B back     | r           | t      | p           |
/// | PROVEN    | -           | F - r - p, D, B back         | r           | -      | p           |
/// | REJECTED  | F, D        | B is held for the airgap     | -           | -      | -           |
/// | FAILED    | F, D, S/2   | B - S back                   | -           | t      | S - S/2 - t |
/// | EXPIRED   | F - t       | -                            | -           | t      | -           |
/// | CANCELLED | F           | -                            | -           | -      | -           |
/// | REFUSED   | F           | B back                       | -           | -      | -           |
/// | VOIDED    | F, D        | B back                       | -           | -      | -           |
///
/// An operator that is paid gets D only if it delivered; else D is the client's. A keeper of a FAILED job is paid out of
/// the burned half of the fine, so at most that. Where nobody is keeper, t is 0.
///
/// | held lock   | client | operator | challengers | burn |
/// |-------------|--------|----------|-------------|------|
/// | distributed | 40 % B | -        | 35 % B      | 25 % |
/// | cured       | 10 % B | 80 % B   | 5 % B       | 5 %  |
/// | voided      | -      | B        | -           | -    |
///
/// | bonds    | challengers | prover | burn   |
/// |----------|-------------|--------|--------|
/// | proven   | -           | 80 % C | 20 % C |
/// | returned | C           | -      | -      |
///
/// The prover of a PROVEN job is its operator, or whoever proved in its place. Shares round down; what is left over
/// goes to the burn (of a fee: to the operator), so every row adds up exactly.
/// Which of these rows ends a replica of a quorum: types/Quorum.sol.
library Settlement {
    uint256 internal constant PERCENT = 100;
    uint256 internal constant BASIS_POINTS = 10_000;

    /// @dev Slash: the client's loss is made good, the challengers' work is paid, and a part is burned so that an
    /// operator who challenges itself never gets everything back.
    uint256 internal constant SLASH_CLIENT = 40;
    uint256 internal constant SLASH_CHALLENGERS = 35;

    /// @dev A proof that comes late costs a fifth of the lock: an honest operator with a crashed prover is not ruined.
    uint256 internal constant CURE_OPERATOR = 80;
    uint256 internal constant CURE_CLIENT = 10;
    uint256 internal constant CURE_CHALLENGERS = 5;

    /// @dev Fine for a missed deadline; nobody challenged, so the rest is burned.
    uint256 internal constant MISS_CLIENT = 50;

    /// @dev Lost bonds: pay for the proof; the rest is burned, which taxes challenges against oneself.
    uint256 internal constant BOND_DEFENDER = 80;

    /// @dev Fraud that is shown (two signed results, a wrong operator): so much of the operator's other stake is burned
    /// beside the lock.
    uint256 internal constant FRAUD_STAKE_BPS = 1000;

    /// @dev A default under audit: so many fees of the operator's other stake are burned beside the lock (protocol.md
    /// A.13). Nobody else may be able to execute the model, so a draw of few results has to deter for all.
    uint256 internal constant AUDIT_FEES = 300;

    /// @notice Splits escrow (F + D) and lock of a job.
    function computeJobSplit(Exit exit, Dues memory dues) internal pure returns (JobSplit memory split) {
        if (exit == Exit.FINAL || exit == Exit.PROVEN) {
            splitPaidFee(split, dues);
            split.lockToOperator = dues.lock;
            return split;
        }
        // Every other exit refunds the client.
        split.feeToClient = dues.fee + dues.delivery;
        if (exit == Exit.REJECTED) {
            split.lockHeld = dues.lock;
        } else if (exit == Exit.FAILED) {
            splitFine(split, dues);
        } else {
            if (exit == Exit.EXPIRED) {
                split.feeToKeeper = computeTip(dues);
                split.feeToClient -= split.feeToKeeper;
            }
            split.lockToOperator = dues.lock;
        }
    }

    /// @notice Splits a slashed lock whose airgap is over, or within which a proof came.
    /// @param hasChallengers Whether anybody staked a bond or gave evidence; otherwise their share is burned.
    function computeSlashSplit(uint96 lock, bool isCured, bool hasChallengers)
        internal
        pure
        returns (SlashSplit memory split)
    {
        if (isCured) split.toOperator = mulPercentDown(lock, CURE_OPERATOR);
        split.toClient = mulPercentDown(lock, isCured ? CURE_CLIENT : SLASH_CLIENT);
        if (hasChallengers) split.toChallengers = mulPercentDown(lock, isCured ? CURE_CHALLENGERS : SLASH_CHALLENGERS);
        split.toBurn = lock - split.toOperator - split.toClient - split.toChallengers;
    }

    /// @notice Splits the bonds of a dispute.
    /// @param isProven Whether a proof was accepted; otherwise the bonds go back.
    function computeBondSplit(uint96 bonds, bool isProven) internal pure returns (BondSplit memory split) {
        if (!isProven) {
            split.toChallengers = bonds;
        } else {
            split.toDefender = mulPercentDown(bonds, BOND_DEFENDER);
            split.toBurn = bonds - split.toDefender;
        }
    }

    /// @notice min(stake, 300 F) as hundredths of a percent of the stake, rounded up.
    function computeAuditBps(uint256 stake, uint96 fee) internal pure returns (uint256) {
        uint256 slash = AUDIT_FEES * fee;
        return slash >= stake ? BASIS_POINTS : Math.ceilDiv(slash * BASIS_POINTS, stake);
    }

    function splitPaidFee(JobSplit memory split, Dues memory dues) private pure {
        split.feeToModelOwner = mulBpsDown(dues.fee, dues.royaltyBps);
        split.feeToBurn = mulBpsDown(dues.fee, dues.protocolFeeBps);
        split.feeToKeeper = computeTip(dues);
        // No underflow: royalty, protocol fee and tip are at most the fee together (ParameterRules).
        split.feeToOperator = dues.fee - split.feeToModelOwner - split.feeToBurn - split.feeToKeeper;
        if (dues.isDelivered) split.feeToOperator += dues.delivery;
        else split.feeToClient = dues.delivery;
    }

    function splitFine(JobSplit memory split, Dues memory dues) private pure {
        split.lockToClient = mulPercentDown(dues.fine, MISS_CLIENT);
        uint96 rest = dues.fine - split.lockToClient;
        uint96 tip = computeTip(dues);
        split.lockToKeeper = tip < rest ? tip : rest;
        split.lockToBurn = rest - split.lockToKeeper;
        split.lockToOperator = dues.lock - dues.fine;
    }

    function computeTip(Dues memory dues) private pure returns (uint96) {
        return dues.hasKeeper ? mulBpsDown(dues.fee, dues.keeperTipBps) : 0;
    }

    /// @dev floor(amount * percent / 100). No truncation: percent <= 100, so the result is at most `amount`.
    function mulPercentDown(uint96 amount, uint256 percent) private pure returns (uint96) {
        return uint96(uint256(amount) * percent / PERCENT);
    }

    /// @dev floor(amount * bps / 10000). No truncation: bps <= 10000, so the result is at most `amount`.
    function mulBpsDown(uint96 amount, uint256 bps) private pure returns (uint96) {
        return uint96(uint256(amount) * bps / BASIS_POINTS);
    }
}
