// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Settlement} from "./Settlement.sol";

/// @title When cheating does not pay, and checking does (protocol.md 3.9, A.14)
/// @notice Amounts are in one token's smallest unit, probabilities in hundredths of a percent. What this rests on:
/// - r = 10 % of the stake is taken to collude. Nobody can know: owners with separate keys cannot be told apart, and
///   tags only help those who want to be. A larger colluding share makes every lock below too small.
/// - Watchers who volunteer are counted as none (w = 0).
/// - Of a slash, 35 % may return to an accomplice that challenges first: 65 % is what surely hurts.
library Economics {
    /// @notice Thrown when nobody would ever notice, or a probability exceeds one: no lock is enough.
    error NoDetection(uint256 detectionBps);

    uint256 internal constant BPS = 10_000;
    /// @dev r: share of the stake that is taken to collude.
    uint256 internal constant COLLUDING_BPS = 1000;

    /// @notice max(0, ceil(((1 - q) V + g) / q) - F).
    /// In English: (1) what a cheat must lose when it is noticed, so that it loses on average: the insured value V it
    /// gains unnoticed and the work g it saves, against the slash and the fee F it then does not get.
    function computeMinimumSlash(uint256 fee, uint256 insured, uint256 saved, uint256 detectionBps)
        internal
        pure
        returns (uint256)
    {
        if (detectionBps == 0 || detectionBps > BPS) revert NoDetection(detectionBps);
        uint256 gain = Math.ceilDiv((BPS - detectionBps) * insured + BPS * saved, detectionBps);
        return gain > fee ? gain - fee : 0;
    }

    /// @notice ceil(computeMinimumSlash * 100 / 65).
    /// In English: the lock of which so much is lost even to those who challenge themselves.
    function computeMinimumLock(uint256 fee, uint256 insured, uint256 saved, uint256 detectionBps)
        internal
        pure
        returns (uint256)
    {
        uint256 slash = computeMinimumSlash(fee, insured, saved, detectionBps);
        return Math.ceilDiv(slash * Settlement.PERCENT, Settlement.PERCENT - Settlement.SLASH_CHALLENGERS);
    }

    /// @notice For one replica audit * (1 - r), rounded down; for more 1 - r^(count - 1), rounded down.
    /// In English: q, the probability that an honest operator recomputes what a cheat commits: the auditor, or any other
    /// replica. 0 for a single replica without audit.
    function computeDetectionBps(uint256 count, bool isAudited, uint256 auditBps) internal pure returns (uint256) {
        if (count == 1) return isAudited ? auditBps * (BPS - COLLUDING_BPS) / BPS : 0;
        uint256 allCollude = BPS;
        for (uint256 i = 1; i < count; ++i) {
            allCollude = Math.ceilDiv(allCollude * COLLUDING_BPS, BPS);
        }
        return BPS - allCollude;
    }

    /// @notice 35 % * lock >= cost, the reward rounded down.
    /// In English: (2) whoever slashes a cheat alone earns what recomputing, gas and the bond's interest cost it.
    function isChallengePaid(uint96 lock, uint256 cost) internal pure returns (bool) {
        return uint256(Settlement.computeSlashSplit(lock, false, true).toChallengers) >= cost;
    }

    /// @notice 80 % * bond >= cost, the share rounded down.
    /// In English: (3) an honest operator that is challenged gets its proof and its gas back.
    function isDefencePaid(uint96 bond, uint256 cost) internal pure returns (bool) {
        return uint256(Settlement.computeBondSplit(bond, true).toDefender) >= cost;
    }
}
