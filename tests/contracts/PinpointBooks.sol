// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {Phase, PinpointDispute} from "../../contracts/types/Pinpoint.sol";
import {PinpointSteps} from "./PinpointSteps.sol";

/// @notice What has to hold whenever one dispute of a walk ends, from what was seen before: each bond goes back whole or is
/// lost, nobody is timed out in its last second, nobody wins in the block in which it challenged, everybody who doubted a
/// refuted result is rewarded, and no place stays taken.
abstract contract PinpointBooks is PinpointSteps {
    /// @dev An open dispute, and all who challenge the job, before a step.
    struct Sight {
        Phase phase;
        uint256 deadline;
        uint256 openedAtBlock;
        uint256 bonds;
        address[] challengers;
        uint256[] credits;
        uint256 burned;
        JobState state;
        address[] doubters;
    }

    JobId internal jobId;
    uint256[] internal keys; // of disputes over the trace

    function isOpen(uint256 key) internal view returns (bool) {
        Phase phase = disputeOf(jobId, key).phase;
        return phase != Phase.NONE && phase <= Phase.LEAF;
    }

    function lookAt(uint256 key) internal view returns (Sight memory s) {
        PinpointDispute memory d = disputeOf(jobId, key);
        (s.phase, s.deadline, s.openedAtBlock, s.bonds) = (d.phase, d.deadline, d.openedAtBlock, d.bonds);
        s.burned = vault.burned(ETH);
        s.state = market.getJob(jobId).state;
        if (!isOpen(key)) return s;
        uint256 postedAt = pins.getTrace(jobId).postedAt;
        if (d.phase == Phase.TRACE && postedAt != 0 && postedAt <= d.deadline) s.deadline = postedAt + CLOCK;
        s.challengers = pins.getChallengers(jobId, key);
        s.credits = new uint256[](s.challengers.length);
        for (uint256 i = 0; i < s.challengers.length; ++i) {
            s.credits[i] = accountOf(s.challengers[i]).credit;
        }
        s.doubters = listDoubters();
    }

    /// @dev Dispute by dispute, as each tells its own.
    function listDoubters() private view returns (address[] memory list) {
        list = new address[](countPlaces());
        uint256 count;
        for (uint256 k = 0; k < keys.length; ++k) {
            if (!isOpen(keys[k])) continue;
            address[] memory some = pins.getChallengers(jobId, keys[k]);
            for (uint256 i = 0; i < some.length; ++i) {
                list[count++] = some[i];
            }
        }
    }

    function countPlaces() internal view returns (uint256 count) {
        for (uint256 k = 0; k < keys.length; ++k) {
            if (isOpen(keys[k])) count += pins.getChallengers(jobId, keys[k]).length;
        }
    }

    /// @dev After a step that somebody made in a dispute.
    function checkStep(uint256 key, Sight memory s) internal view {
        if (s.phase == Phase.NONE || s.phase > Phase.LEAF || isOpen(key)) return;
        Phase phase = disputeOf(jobId, key).phase;
        checkBonds(phase, s);
        if (phase == Phase.DEFAULT || phase == Phase.CHALLENGER_TIMEOUT) {
            assertLe(s.deadline + 1, market.clock(), "I16: timed out in its last second");
        }
        if (phase == Phase.FRAUD_PROVEN) assertLe(s.openedAtBlock + 1, block.number, "I8: won in its own block");
        if (s.state != JobState.DISPUTED || market.getJob(jobId).state != JobState.REJECTED) return;
        address[] memory rewarded = game.getChallengers(jobId);
        for (uint256 i = 0; i < s.doubters.length; ++i) {
            assertTrue(contains(rewarded, s.doubters[i]), "I7: who doubted a refuted result is not rewarded");
        }
    }

    function checkBonds(Phase phase, Sight memory s) private view {
        if (phase == Phase.DEFENDER_PROVEN || phase == Phase.CHALLENGER_TIMEOUT) {
            assertEq(vault.burned(ETH) - s.burned, s.bonds - s.bonds * 80 / 100, "I11: a fifth of a lost bond");
            return;
        }
        uint256 bond = s.bonds / s.challengers.length;
        for (uint256 i = 0; i < s.challengers.length; ++i) {
            assertLe(s.credits[i] + bond, accountOf(s.challengers[i]).credit, "I2: a bond did not come back");
        }
    }

    function contains(address[] memory list, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account) return true;
        }
        return false;
    }
}
