// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {DisputeState} from "../../contracts/types/Dispute.sol";
import {DisputeId, JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {Account, Lock, LockStatus} from "../../contracts/types/Stake.sol";
import {Deployment} from "./Deployment.sol";
import {GhostLedger} from "./GhostLedger.sol";
import {MoneyHandler} from "./MoneyHandler.sol";

/// @notice The invariants of protocol.md 6 that this much of the protocol can break, after every step of random actors.
contract MoneyInvariants is Deployment {
    MoneyHandler private handler;

    function setUp() public override {
        vm.warp(START);
        vm.fee(0);
        deploy(localPreset());
        version = registry.registerVersion(versionParams());
        handler = new MoneyHandler(vault, market, game, verifier, version);
    }

    /// @dev Forge calls the handler only.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function account(uint256 index) private view returns (address) {
        return index < handler.PEOPLE() ? handler.people(index) : handler.workers(index - handler.PEOPLE());
    }

    /// @notice After every step: the money adds up, and no step went against the forecast.
    function invariant_money_adds_up_and_steps_are_legal() public view {
        check_I1_conservation();
        assertTrue(bytes(handler.violation()).length == 0, handler.violation());
    }

    /// @notice After every walk: all of them. None of these breaches could heal on the way.
    function afterInvariant() public view {
        check_I1_conservation();
        check_I2_jobs_balance();
        check_I3_locks_leave_once();
        check_I4_slash_within_lock();
        check_I5_only_withdrawals_pay();
        check_I12_final_is_undisputed();
        check_I13_rejected_pays_no_operator();
        check_I21_locks_are_stake();
        check_I24_states_follow_the_table();
        check_events_rebuild_the_state();
    }

    /* MONEY */

    /// @custom:invariant The vault's ETH is the sum of all accounts, escrows, bonds and burns.
    function check_I1_conservation() private view {
        uint256 sum = vault.burned(ETH);
        for (uint256 i = 0; i < 2 * handler.PEOPLE(); ++i) {
            sum += sumAccount(account(i));
        }
        for (uint256 id = 1; id <= market.jobCount(); ++id) {
            sum += vault.escrowOf(ETH, JobId.wrap(id));
        }
        for (uint256 id = 1; id <= game.disputeCount(); ++id) {
            sum += vault.bondOf(ETH, DisputeId.wrap(id));
        }
        assertEq(address(vault).balance, sum, "I1: balance against ledger");
    }

    /// @custom:invariant A terminal job holds nothing: what went out is what came in, to the wei. What was confiscated
    /// is held for somebody or burned.
    function check_I2_jobs_balance() private view {
        uint256 lostBonds = 0;
        for (uint256 id = 1; id <= market.jobCount(); ++id) {
            GhostLedger.GhostJob memory job = handler.ghostJob(id);
            assertEq(job.escrow, job.fee, "I2: escrow is the fee");
            if (job.state < JobState.FINAL) {
                assertEq(job.paid, 0, "I2: nothing paid before the end");
                assertEq(vault.escrowOf(ETH, JobId.wrap(id)), job.fee, "I2: escrow stays");
                continue;
            }
            assertEq(job.paid, job.fee, "I2: the fee is paid out");
            assertEq(job.slashed + job.returned, job.locked, "I2: the lock is split");
            assertEq(vault.escrowOf(ETH, JobId.wrap(id)), 0, "I2: escrow is empty");
            assertEq(vault.bondOf(ETH, DisputeId.wrap(job.disputeId)), 0, "I2: bond is empty");
            lostBonds += handler.ghostDispute(job.disputeId).left;
        }
        assertEq(
            handler.ghostConfiscated() + lostBonds,
            handler.ghostHeldEver() + handler.ghostBurned(),
            "I2: confiscated is held or burned"
        );
    }

    /// @custom:invariant Each lock leaves ACTIVE at most once, and exactly once when its job ends.
    function check_I3_locks_leave_once() private view {
        for (uint256 id = 1; id <= market.jobCount(); ++id) {
            GhostLedger.GhostJob memory job = handler.ghostJob(id);
            bool over = job.locked != 0 && job.state >= JobState.FINAL;
            assertEq(job.exits, over ? 1 : 0, "I3: exits of a lock");
            LockStatus status = vault.getLock(ETH, JobId.wrap(id)).status;
            LockStatus expected = job.locked == 0
                ? LockStatus.NONE
                : !over ? LockStatus.ACTIVE : job.slashed == 0 ? LockStatus.RELEASED : LockStatus.SLASHED;
            assertEq(uint256(status), uint256(expected), "I3: status");
        }
    }

    /// @custom:invariant A slash never takes more than the lock; the fine for silence is one fee.
    function check_I4_slash_within_lock() private view {
        for (uint256 id = 1; id <= market.jobCount(); ++id) {
            GhostLedger.GhostJob memory job = handler.ghostJob(id);
            assertLe(job.slashed, job.locked, "I4: slash above the lock");
            if (job.state == JobState.FAILED) assertEq(job.slashed, job.fee, "I4: fine");
            if (job.state == JobState.REJECTED) assertEq(job.slashed, job.locked, "I4: whole lock");
        }
    }

    /// @custom:invariant Nobody's money moves but by its own payments and withdrawals: what an account has outside is
    /// its funds, less what it sent, plus what the vault's withdrawals say.
    function check_I5_only_withdrawals_pay() private view {
        for (uint256 i = 0; i < 2 * handler.PEOPLE(); ++i) {
            address a = account(i);
            assertEq(a.balance + handler.paidIn(a), handler.FUNDS() + handler.ghostPaidOut(a), "I5: outside balance");
        }
    }

    /* SAFETY */

    /// @custom:invariant FINAL means: no dispute, and the window is over. (When: checked at the event.)
    function check_I12_final_is_undisputed() private view {
        for (uint256 id = 1; id <= market.jobCount(); ++id) {
            if (stateOf(JobId.wrap(id)) != JobState.FINAL) continue;
            assertEq(DisputeId.unwrap(game.disputeOf(JobId.wrap(id))), 0, "I12: dispute of a final job");
            assertTrue(block.timestamp > market.getJob(JobId.wrap(id)).deadline, "I12: inside the window");
        }
    }

    /// @custom:invariant The fee of a rejected or failed job goes back to its client and to nobody else.
    function check_I13_rejected_pays_no_operator() private view {
        for (uint256 id = 1; id <= market.jobCount(); ++id) {
            GhostLedger.GhostJob memory job = handler.ghostJob(id);
            if (job.state == JobState.FINAL || job.state == JobState.PROVEN) {
                assertEq(job.payee, job.operator, "I13: payee of a good job");
            } else if (job.state >= JobState.FINAL) {
                assertEq(job.payee, job.client, "I13: payee of a bad job");
            }
        }
    }

    /// @custom:invariant An operator's locked stake is the sum of its active locks.
    function check_I21_locks_are_stake() private view {
        for (uint256 i = 0; i < handler.PEOPLE(); ++i) {
            uint256 sum = 0;
            for (uint256 id = 1; id <= market.jobCount(); ++id) {
                Lock memory lock = vault.getLock(ETH, JobId.wrap(id));
                if (lock.operator == account(i) && lock.status == LockStatus.ACTIVE) sum += lock.amount;
            }
            assertEq(accountOf(account(i)).locked, sum, "I21: locked against locks");
        }
    }

    /// @custom:invariant States only move along the table, and every other step reverts: the handler forecasts each.
    function check_I24_states_follow_the_table() private view {
        assertTrue(bytes(handler.violation()).length == 0, handler.violation());
        for (uint256 id = 1; id <= market.jobCount(); ++id) {
            assertEq(uint256(stateOf(JobId.wrap(id))), uint256(handler.ghostJob(id).state), "I24: state");
        }
    }

    /* EVENTS */

    /// @custom:invariant The ledger rebuilt from events alone is the ledger.
    function check_events_rebuild_the_state() private view {
        for (uint256 i = 0; i < 2 * handler.PEOPLE(); ++i) {
            Account memory ghost = handler.ghostAccount(account(i));
            assertEq(keccak256(abi.encode(accountOf(account(i)))), keccak256(abi.encode(ghost)), "account from events");
            assertEq(game.openChallenges(account(i)), handler.ghostOpenChallenges(account(i)), "open challenges");
            assertEq(vault.operatorOf(account(i)), handler.ghostWorkers(account(i)), "owner of worker");
        }
        for (uint256 id = 1; id <= game.disputeCount(); ++id) {
            bool open = game.getDispute(DisputeId.wrap(id)).state == DisputeState.OPEN;
            assertTrue(open == handler.ghostDispute(id).open, "dispute from events");
        }
        assertEq(vault.burned(ETH), handler.ghostBurned(), "burned");
        assertEq(market.jobCount(), handler.jobsSeen(), "jobs");
        assertEq(game.disputeCount(), handler.disputesSeen(), "disputes");
    }

    /* THE ACTORS THEMSELVES */

    /// @notice A long random walk reaches every exit: the invariants above are not true for want of action.
    function test_actors__reach_every_exit_and_break_nothing() public {
        uint256 seed = uint256(keccak256("walk"));
        for (uint256 i = 0; i < 2000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            walk(seed);
        }
        for (uint256 state = uint256(JobState.OPEN); state <= uint256(type(JobState).max); ++state) {
            assertTrue(handler.reached(JobState(state)) > 2, string.concat("state reached: ", vm.toString(state)));
        }
        assertTrue(handler.ghostHeldEver() > 0, "something was slashed");
        afterInvariant();
    }

    function walk(uint256 seed) private {
        (uint256 a, uint256 b, uint256 c) = (seed >> 16, seed >> 80, seed >> 144);
        bool honest = seed >> 255 == 1;
        uint256 action = seed % 7;
        if (action == 0) handler.moveStake(a, b, c);
        else if (action == 1) handler.passTime(a, b);
        else if (action == 2) handler.createJob(a, b);
        else if (action == 3) handler.anyStep(a, b, c, honest);
        else handler.nextStep(a, b, c, honest);
    }
}
