// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState, JobTerms} from "../../contracts/types/Job.sol";
import {Account, JobFunds, LockStatus} from "../../contracts/types/Stake.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {Deployment} from "./Deployment.sol";

/// @notice What the tests of market and game share beyond the deployment: sums of preset `local` and what to expect.
abstract contract JobSteps is Deployment {
    uint256 internal constant LOCK = 0.07 ether; // 35 fees
    uint256 internal constant PROTOCOL_FEE = FEE / 100;
    uint256 internal constant TIP = FEE / 200;
    uint256 internal constant BOND = 3_607_500 gwei; // 1.5 * (5 s * 1000 gwei + 3 * 800000 * 1 gwei)
    uint256 internal constant AIRGAP = 10;
    uint256 internal constant PROVE = 35; // 30 s and the version's 5 s

    /* REVERTS */

    function wrongState(JobId jobId, JobState required) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJobMarket.WrongJobState.selector, jobId, stateOf(jobId), required);
    }

    function tooLate(JobId jobId) internal view returns (bytes memory) {
        return tooLate(jobId, market.getJob(jobId).deadline);
    }

    function tooLate(JobId jobId, uint256 deadline) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJobMarket.DeadlinePassed.selector, jobId, deadline, block.timestamp);
    }

    function tooEarly(JobId jobId) internal view returns (bytes memory) {
        return tooEarly(jobId, market.getJob(jobId).deadline);
    }

    function tooEarly(JobId jobId, uint256 deadline) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJobMarket.DeadlineNotReached.selector, jobId, deadline, block.timestamp);
    }

    function refundMode() internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IProtocolClock.InRefundMode.selector);
    }

    function noRefundMode() internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IProtocolClock.NotInRefundMode.selector);
    }

    /* STEPS */

    function enterRefundMode() internal {
        actAsGuardian(IGuardian.Action.REFUND);
    }

    function defaultJob(JobId jobId) internal {
        warpPast(game.getDispute(jobId).proveBy);
        game.claimDefault(jobId);
    }

    function cureAs(address prover, JobId jobId) internal {
        JobTerms memory terms = termsOf(jobId);
        vm.prank(prover);
        game.cure(jobId, terms, "input", "output", "proof");
    }

    function distribute(JobId jobId) internal {
        warpPastJob(jobId);
        game.distributeSlash(jobId);
    }

    /// @notice From now on orders are of a version with a royalty.
    function useRoyalty(uint16 royaltyBps) internal {
        VersionParams memory params = versionParams();
        params.royaltyBps = royaltyBps;
        version = registerVersion(params);
    }

    /* EXPECTATIONS */

    function assertDispute(JobId jobId, DisputeState expected) internal view {
        assertEq(uint256(game.getDispute(jobId).state), uint256(expected), "dispute's state");
    }

    function assertLock(JobId jobId, LockStatus expected) internal view {
        assertEq(uint256(vault.getFunds(ETH, jobId).status), uint256(expected), "lock's status");
    }

    /// @notice Nothing of a job is left in the vault, and the ledger balances (I2).
    function assertSettled(JobId jobId) internal view {
        address[2] memory assets = [ETH, address(token)];
        for (uint256 i = 0; i < assets.length; ++i) {
            JobFunds memory f = vault.getFunds(assets[i], jobId);
            assertEq(f.escrow, 0, "escrow");
            assertEq(f.lock, 0, "lock");
            assertTrue(f.status != LockStatus.ACTIVE && f.status != LockStatus.SLASHED, "lock is over");
        }
        assertEq(vault.bondsOf(jobId), 0, "bonds");
        assertConserved();
    }

    /// @notice A refused step: nothing that money or verdicts depend on has moved.
    function checkRefused(
        JobId jobId,
        address caller,
        address target,
        uint256 value,
        bytes memory call,
        bytes memory reason
    ) internal {
        bytes32 before = snapshot(jobId);
        vm.prank(caller);
        (bool success, bytes memory got) = target.call{value: value}(call);
        assertTrue(!success, "refused");
        assertEq(keccak256(got), keccak256(reason), "reason");
        assertEq(snapshot(jobId), before, "nothing changed");
    }

    /// @notice Hash of everything that a step could touch.
    function snapshot(JobId jobId) internal view returns (bytes32) {
        Account[2 * ACTORS] memory accounts;
        for (uint256 key = 1; key <= ACTORS; ++key) {
            accounts[key - 1] = accountOf(vm.addr(key));
            accounts[ACTORS + key - 1] = tokenAccountOf(vm.addr(key));
        }
        (bool success, bytes memory job) = address(market).staticcall(abi.encodeCall(IJobMarket.getJob, (jobId)));
        bytes32 money = keccak256(
            abi.encode(
                vault.getFunds(ETH, jobId),
                vault.getFunds(address(token), jobId),
                vault.bondsOf(jobId),
                vault.burned(ETH),
                vault.burned(address(token)),
                address(vault).balance,
                token.balanceOf(address(vault)),
                accounts
            )
        );
        return keccak256(
            abi.encode(
                success,
                job,
                money,
                game.getDispute(jobId),
                game.getChallengers(jobId),
                game.openChallenges(OWNER),
                vault.getStanding(OWNER)
            )
        );
    }
}
