// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAudits} from "../../contracts/interfaces/IAudits.sol";
import {IBeacon} from "../../contracts/interfaces/IBeacon.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {Audits} from "../../contracts/quorum/Audits.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {Modules} from "../../contracts/types/Modules.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {AuditState, SeedState} from "../../contracts/types/Quorum.sol";
import {JobSteps} from "./JobSteps.sol";
import {Seeds} from "./Seeds.sol";

/// @notice Audits by proof: of what, decided when, and what silence costs.
contract AuditsTest is JobSteps, Seeds {
    uint256 private constant DELAY = 2;

    function requestCall(JobId jobId) private pure returns (bytes memory) {
        return abi.encodeCall(IAudits.requestAudit, (jobId));
    }

    function drawCall(JobId jobId) private pure returns (bytes memory) {
        return abi.encodeCall(IAudits.drawAudit, (jobId));
    }

    /// @dev A job whose audit is drawn, or not; a quarter of them are.
    function audited(bool isDrawn) private returns (JobId jobId) {
        for (uint256 i = 0; i < 64; ++i) {
            jobId = committedJob();
            audits.requestAudit(jobId);
            vm.roll(block.number + DELAY + 1);
            audits.drawAudit(jobId);
            if ((audits.auditOf(jobId) == AuditState.DRAWN) == isDrawn) return jobId;
        }
        revert("never");
    }

    function test_requestAudit__not_committed__reverts() public {
        JobId jobId = acceptedJob();
        bytes memory reason = wrongState(jobId, JobState.COMMITTED);
        checkRefused(jobId, STRANGER, address(audits), 0, requestCall(jobId), reason);
        jobId = challengedJob();
        defaultJob(jobId);
        reason = wrongState(jobId, JobState.COMMITTED);
        checkRefused(jobId, STRANGER, address(audits), 0, requestCall(jobId), reason);
    }

    function test_requestAudit__disputed_by_an_accomplice__is_drawn_for_all_the_same() public {
        JobId jobId = challengedJob();
        audits.requestAudit(jobId);
        vm.roll(block.number + DELAY + 257);
        audits.drawAudit(jobId);
        assertTrue(game.isAudited(jobId), "more than the lock is at stake");
    }

    function test_requestAudit__proof_required_anyway__reverts() public {
        JobId jobId = createProofJob(0.1 ether);
        accept(jobId);
        commit(jobId);
        bytes memory reason = abi.encodeWithSelector(IJobMarket.ProofRequired.selector, jobId);
        checkRefused(jobId, STRANGER, address(audits), 0, requestCall(jobId), reason);
    }

    function test_requestAudit__window_over__reverts() public {
        JobId jobId = committedJob();
        warpPastJob(jobId);
        checkRefused(jobId, STRANGER, address(audits), 0, requestCall(jobId), tooLate(jobId));
    }

    function test_requestAudit__on_the_last_second__is_taken() public {
        JobId jobId = committedJob();
        vm.warp(market.getJob(jobId).deadline);
        audits.requestAudit(jobId);
        assertTrue(audits.auditOf(jobId) == AuditState.REQUESTED, "requested");
    }

    function test_requestAudit__twice__reverts_also_after_a_missed_seed() public {
        JobId jobId = committedJob();
        audits.requestAudit(jobId);
        bytes memory reason = abi.encodeWithSelector(IAudits.AuditExists.selector, jobId);
        checkRefused(jobId, STRANGER, address(audits), 0, requestCall(jobId), reason);
        // Who could ask again would ask until it is spared.
        vm.roll(block.number + DELAY + 257);
        checkRefused(jobId, STRANGER, address(audits), 0, requestCall(jobId), reason);
    }

    function test_drawAudit__not_asked_too_early_or_twice__reverts() public {
        JobId jobId = committedJob();
        bytes memory reason = abi.encodeWithSelector(IAudits.NoAuditPending.selector, jobId, AuditState.NONE);
        checkRefused(jobId, STRANGER, address(audits), 0, drawCall(jobId), reason);
        audits.requestAudit(jobId);
        vm.roll(block.number + DELAY);
        bytes memory early = abi.encodeWithSelector(
            IBeacon.SeedNotReady.selector, address(audits), JobId.unwrap(jobId), SeedState.WAITING
        );
        checkRefused(jobId, STRANGER, address(audits), 0, drawCall(jobId), early);
        jobId = audited(false);
        reason = abi.encodeWithSelector(IAudits.NoAuditPending.selector, jobId, AuditState.SPARED);
        checkRefused(jobId, STRANGER, address(audits), 0, drawCall(jobId), reason);
        jobId = audited(true);
        reason = abi.encodeWithSelector(IAudits.NoAuditPending.selector, jobId, AuditState.DRAWN);
        checkRefused(jobId, STRANGER, address(audits), 0, drawCall(jobId), reason);
    }

    function test_drawAudit__spared__leaves_the_job_alone() public {
        JobId jobId = audited(false);
        assertState(jobId, JobState.COMMITTED);
    }

    function test_drawAudit__seed_at_the_rate_or_just_below__decides() public {
        for (uint256 i = 0; i < 2; ++i) {
            JobId jobId = committedJob();
            audits.requestAudit(jobId);
            vm.roll(block.number + DELAY + 1);
            setSeed(block.number - 1, address(audits), JobId.unwrap(jobId), PROOF_AUDIT_BPS - i);
            audits.drawAudit(jobId);
            assertTrue(audits.auditOf(jobId) == (i == 0 ? AuditState.SPARED : AuditState.DRAWN), "a quarter of all");
        }
    }

    function test_drawAudit__after_the_window__draws_nothing() public {
        JobId jobId = committedJob();
        audits.requestAudit(jobId);
        // Missed, so it would be drawn for certain.
        vm.roll(block.number + DELAY + 257);
        warpPastJob(jobId);
        checkRefused(jobId, STRANGER, address(audits), 0, drawCall(jobId), tooLate(jobId));
        assertTrue(audits.auditOf(jobId) == AuditState.REQUESTED, "as before");
    }

    function test_drawAudit__missed_seed__counts_as_drawn() public {
        for (uint256 i = 0; i < 6; ++i) {
            JobId jobId = committedJob();
            audits.requestAudit(jobId);
            vm.roll(block.number + DELAY + 257);
            audits.drawAudit(jobId);
            assertTrue(audits.auditOf(jobId) == AuditState.DRAWN, "drawn");
            assertState(jobId, JobState.DISPUTED);
        }
    }

    function test_drawAudit__proven__is_paid_at_once() public {
        JobId jobId = audited(true);
        assertDispute(jobId, DisputeState.OPEN);
        assertEq(vault.bondsOf(jobId), 0, "no bond");
        proveAs(WORKER, jobId);
        assertState(jobId, JobState.PROVEN);
        assertSettled(jobId);
    }

    function test_drawAudit__silent__costs_lock_and_up_to_300_fees_of_other_stake() public {
        JobId jobId = audited(true);
        uint256 before = uint256(accountOf(OWNER).free) + accountOf(OWNER).unbonding;
        uint256 burned = vault.burned(ETH);
        defaultJob(jobId);
        uint256 lost = before - accountOf(OWNER).free - accountOf(OWNER).unbonding;
        // In whole hundredths of a percent of the stake, rounded up.
        assertTrue(lost >= 300 * uint256(FEE) && lost <= 300 * uint256(FEE) + before / 10_000 + 1, "300 fees");
        assertEq(vault.burned(ETH) - burned, lost, "burned");
        distribute(jobId);
        assertSettled(jobId);
    }

    function test_drawAudit__a_quarter_of_all() public {
        vm.prank(OWNER);
        vault.deposit{value: 100 ether}(ETH, 100 ether);
        uint256 drawn = 0;
        uint256 jobs_ = 400;
        for (uint256 i = 0; i < jobs_; ++i) {
            JobId jobId = committedJob();
            audits.requestAudit(jobId);
            vm.roll(block.number + DELAY + 1);
            audits.drawAudit(jobId);
            if (audits.auditOf(jobId) != AuditState.DRAWN) continue;
            ++drawn;
            proveAs(WORKER, jobId);
        }
        // A hundred expected; five standard deviations are 43.
        assertTrue(drawn > 57 && drawn < 143, "rate");
    }

    function test_constructor__foreign_or_beyond_one__reverts() public {
        bytes memory reason = abi.encodeWithSelector(IAudits.ForeignModule.selector, address(vault));
        vm.expectRevert(reason);
        new Audits(address(vault), address(market), address(beacon), 2500, localPreset());
        Parameters memory others = localPreset();
        ++others.airgapSeconds;
        address own = vaultOfNext();
        vm.expectRevert(abi.encodeWithSelector(IAudits.ForeignModule.selector, own));
        new Audits(own, address(market), address(beacon), 2500, others);
        own = vaultOfNext();
        vm.expectRevert(abi.encodeWithSelector(IAudits.ForeignModule.selector, CLIENT));
        new Audits(own, address(market), CLIENT, 2500, localPreset());
        own = vaultOfNext();
        vm.expectRevert(abi.encodeWithSelector(IAudits.BadAuditRate.selector, 10_001));
        new Audits(own, address(market), address(beacon), 10_001, localPreset());
        own = vaultOfNext();
        assertEq(
            new Audits(own, address(market), address(beacon), 10_000, localPreset()).PROOF_AUDIT_BPS(), 10_000, "all"
        );
    }

    /// @notice A vault that names the address of what is created after it for its audits.
    function vaultOfNext() private returns (address) {
        Modules memory modules;
        (modules.market, modules.audits) = (address(market), predict(1));
        return address(new StakeVault(modules, address(token), localPreset()));
    }
}
