// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Job, JobState} from "../../contracts/types/Job.sol";
import {Batch, BatchState, Session, SessionState, SessionTerms} from "../../contracts/types/Session.sol";
import {Account, JobFunds, LockStatus} from "../../contracts/types/Stake.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {Deployment} from "./Deployment.sol";
import {GhostJobs} from "./GhostJobs.sol";
import {GhostSessions} from "./GhostSessions.sol";
import {World} from "./HandlerBase.sol";
import {MoneyHandler} from "./MoneyHandler.sol";

/// @notice The invariants of protocol.md 6 for jobs of one replica, after every step of random actors. I27 is in
/// AccessMatrix.t.sol, I22's rule for parameters in Parameters.t.sol.
contract MoneyInvariants is Deployment {
    MoneyHandler private handler;

    function setUp() public override {
        vm.warp(START);
        vm.roll(START / 10);
        vm.fee(0);
        deploy(localPreset());
        VersionParams memory params = versionParams();
        params.royaltyBps = 700;
        // The registrant is one of the actors: royalties mix with everything else.
        vm.prank(vm.addr(100));
        version = registry.registerVersion(params);
        handler = new MoneyHandler(World(vault, market, game, guardian, verifier, token, version, sessions));
    }

    /// @dev Forge calls the handler only.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function actor(uint256 index) private view returns (address) {
        return index < handler.PEOPLE() ? handler.people(index) : handler.workers(index - handler.PEOPLE());
    }

    function tokens() private view returns (address[2] memory) {
        return [ETH, address(token)];
    }

    /// @notice After every step: the money adds up, and no step went against the forecast or broke an event's rule.
    function invariant_money_adds_up_and_steps_are_legal() public view {
        check_I1_conservation();
        check_rules_of_events();
    }

    /// @notice After every walk: all of them, and then the way out.
    function afterInvariant() public {
        checkAll();
        check_I16_I17_every_job_ends();
        check_I1_conservation();
        check_I20_everybody_gets_out();
    }

    function checkAll() private view {
        check_rules_of_events();
        check_I1_conservation();
        check_I2_jobs_balance();
        check_I2_I3_sessions_and_batches_balance();
        check_I3_I4_locks();
        check_I5_only_withdrawals_pay();
        check_I6_voided_jobs_return_everything();
        check_I12_final_is_undisputed();
        check_I13_rejected_pays_no_operator();
        check_I21_locks_are_stake();
        check_I22_unbonding_outlives_jobs();
        check_I24_I25_states_and_deadlines();
        check_I26_disputes_are_counted();
        check_events_rebuild_accounts();
    }

    /// @custom:invariant I3, I4, I12, I15, I23, I24, I26: the rules that GhostLedger and GhostJobs check at every event,
    /// and the forecast of every call's success.
    function check_rules_of_events() private view {
        assertTrue(bytes(handler.violation()).length == 0, handler.violation());
    }

    /* MONEY */

    /// @custom:invariant The vault's balance is the sum of all accounts, escrows, held locks, bonds and burns.
    function check_I1_conservation() private view {
        for (uint256 t = 0; t < 2; ++t) {
            address asset = tokens()[t];
            uint256 sum = vault.burned(asset);
            for (uint256 i = 0; i < 2 * handler.PEOPLE(); ++i) {
                sum += sumAccount(asset, actor(i));
            }
            for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
                sum += sumJob(asset, JobId.wrap(handler.ids(i)));
            }
            for (uint256 i = 0; i < handler.sessionsSeen(); ++i) {
                sum += sumJob(asset, JobId.wrap(handler.sessionIds(i)));
            }
            for (uint256 i = 0; i < handler.batchesSeen(); ++i) {
                sum += sumJob(asset, JobId.wrap(handler.batchIds(i)));
            }
            uint256 balance = asset == ETH ? address(vault).balance : token.balanceOf(address(vault));
            assertEq(balance, sum, "I1: balance against ledger");
        }
    }

    /// @custom:invariant What came into a job and did not go out is its escrow and its bonds; after the end that is
    /// nothing, to the wei.
    function check_I2_jobs_balance() private view {
        for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
            bytes32 id = handler.ids(i);
            JobState state = handler.ghostJob(id).state;
            for (uint256 t = 0; t < 2; ++t) {
                address asset = tokens()[t];
                uint256 inside = vault.getFunds(asset, JobId.wrap(id)).escrow;
                if (asset == ETH) inside += vault.bondsOf(JobId.wrap(id));
                assertEq(handler.moneyIn(id, asset) - handler.moneyOut(id, asset), inside, "I2: in less out");
                if (state >= JobState.FINAL) assertEq(inside, 0, "I2: money left after the end");
            }
        }
    }

    /// @custom:invariant A session holds its deposit and nothing else; a batch one fee and one lock for each result that
    /// did not leave it, while it is not settled, and then nothing. Nobody lost a wei on the way there.
    function check_I2_I3_sessions_and_batches_balance() private view {
        for (uint256 i = 0; i < handler.sessionsSeen(); ++i) {
            bytes32 id = handler.sessionIds(i);
            GhostSessions.GhostSession memory session = handler.ghostSession(id);
            checkFunds(id, session.terms.token, session.deposit, 0, LockStatus.NONE);
            assertEq(uint256(sessions.getSession(JobId.wrap(id)).state), uint256(session.state), "I24: session");
            if (session.state > SessionState.CLOSING) checkReturned(id, session.terms.token, session.terms.client);
        }
        for (uint256 i = 0; i < handler.batchesSeen(); ++i) {
            checkBatch(handler.batchIds(i));
        }
    }

    function checkBatch(bytes32 id) private view {
        GhostSessions.GhostBatch memory batch = handler.ghostBatch(id);
        SessionTerms memory terms = handler.ghostSession(batch.session).terms;
        Batch memory real = sessions.getBatch(JobId.wrap(id));
        assertEq(uint256(real.state), uint256(batch.state), "I24: batch");
        assertEq(real.extracted, batch.extracted, "extracted");
        assertEq(real.challengeUntil, batch.challengeUntil, "I25: window");
        uint256 left = batch.state == BatchState.COMMITTED ? batch.count - batch.extracted : 0;
        bool lives = batch.state == BatchState.COMMITTED;
        LockStatus status = lives ? LockStatus.ACTIVE : LockStatus.RELEASED;
        checkFunds(id, terms.token, left * terms.fee, left * real.lockEach, status);
        GhostJobs.GhostJob memory money = handler.ghostJob(id);
        // I4: whatever became of results that left, the batch itself loses nothing of its lock.
        assertEq(money.locked, (batch.count - batch.extracted) * real.lockEach, "I4: lock");
        if (!lives) assertEq(money.returned, money.locked, "I4: returned whole");
        assertEq(money.fined, 0, "I4: fined");
        if (batch.state == BatchState.VOIDED) {
            checkReturned(id, terms.token, terms.client);
            assertEq(handler.burnedOf(id, terms.token), 0, "I6: burned");
        }
    }

    function checkFunds(bytes32 id, address asset, uint256 escrow, uint256 lock, LockStatus status) private view {
        JobFunds memory f = vault.getFunds(asset, JobId.wrap(id));
        assertEq(f.escrow, escrow, "I2: escrow");
        assertEq(f.lock, lock, "I3: lock");
        assertEq(uint256(f.status), uint256(status), "I3: status");
        assertEq(handler.moneyIn(id, asset) - handler.moneyOut(id, asset), escrow, "I2: in less out");
        address another = asset == ETH ? address(token) : ETH;
        JobFunds memory none = vault.getFunds(another, JobId.wrap(id));
        assertEq(uint256(none.escrow) + none.lock + vault.bondsOf(JobId.wrap(id)), 0, "I2: foreign money");
    }

    /// @dev What was put in and not moved on is what came back.
    function checkReturned(bytes32 id, address asset, address client) private view {
        assertEq(handler.received(id, asset, client), handler.contributed(id, asset, client), "I6: returned");
    }

    /// @custom:invariant A lock leaves ACTIVE once, when its job ends; it is slashed whole or fined one fee.
    function check_I3_I4_locks() private view {
        for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
            bytes32 id = handler.ids(i);
            GhostJobs.GhostJob memory job = handler.ghostJob(id);
            JobFunds memory f = vault.getFunds(job.terms.token, JobId.wrap(id));
            assertEq(uint256(f.status), uint256(job.lockStatus), "I3: status");
            bool left = job.lockStatus > LockStatus.ACTIVE;
            assertTrue(left == (job.locked != 0 && job.state >= JobState.FINAL), "I3: left ACTIVE with the job's end");
            bool inside = job.lockStatus == LockStatus.ACTIVE || job.lockStatus == LockStatus.SLASHED;
            assertEq(f.lock, inside ? job.locked : 0, "I4: lock");
            bool rejected = job.state == JobState.REJECTED;
            bool slashed = job.lockStatus == LockStatus.SLASHED || job.lockStatus == LockStatus.DIVIDED;
            assertTrue(slashed == rejected, "I4: slashed exactly when rejected");
            assertEq(job.fined, job.state == JobState.FAILED ? job.terms.fee : 0, "I4: fine");
        }
    }

    /// @custom:invariant Nobody's money moves but by its own payments and withdrawals: what an account has outside is
    /// its funds, less what it paid in, plus what the vault's withdrawals say.
    function check_I5_only_withdrawals_pay() private view {
        for (uint256 i = 0; i < 2 * handler.PEOPLE(); ++i) {
            address a = actor(i);
            uint256 inToken = token.balanceOf(a) + handler.paidIn(address(token), a);
            assertEq(a.balance + handler.paidIn(ETH, a), handler.FUNDS() + handler.ghostPaidOut(ETH, a), "I5: ETH");
            assertEq(inToken, handler.FUNDS() + handler.ghostPaidOut(address(token), a), "I5: token");
        }
    }

    /// @custom:invariant A voided job gives everybody exactly what they put in, and burns nothing.
    function check_I6_voided_jobs_return_everything() private view {
        for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
            bytes32 id = handler.ids(i);
            GhostJobs.GhostJob memory job = handler.ghostJob(id);
            if (job.dispute == DisputeState.VOIDED) assertEq(job.returned, job.locked, "I6: lock");
            if (job.state != JobState.VOIDED) continue;
            assertEq(job.returned, job.locked, "I6: lock");
            for (uint256 t = 0; t < 2; ++t) {
                address asset = tokens()[t];
                assertEq(handler.burnedOf(id, asset), 0, "I6: burned");
                for (uint256 k = 0; k < 2 * handler.PEOPLE(); ++k) {
                    uint256 put = handler.contributed(id, asset, actor(k));
                    assertEq(handler.received(id, asset, actor(k)), put, "I6: returned");
                }
            }
        }
    }

    /* SAFETY */

    /// @custom:invariant FINAL means: no dispute, and the window is over. (When: checked at the event.)
    function check_I12_final_is_undisputed() private view {
        for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
            JobId id = JobId.wrap(handler.ids(i));
            if (stateOf(id) != JobState.FINAL) continue;
            assertEq(uint256(game.getDispute(id).state), uint256(DisputeState.NONE), "I12: dispute of a final job");
            assertTrue(market.clock() > market.getJob(id).deadline, "I12: inside the window");
        }
    }

    /// @custom:invariant Whoever only was the operator of a job that failed or was rejected earned nothing by it; the
    /// client has its fee and its payment for a delivery back.
    function check_I13_rejected_pays_no_operator() private view {
        for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
            bytes32 id = handler.ids(i);
            GhostJobs.GhostJob memory job = handler.ghostJob(id);
            if (job.state != JobState.REJECTED && job.state != JobState.FAILED) continue;
            (address asset, address client) = (job.terms.token, job.terms.client);
            uint256 put = handler.contributed(id, asset, client);
            // What the client challenged with is among both sums.
            assertTrue(handler.received(id, asset, client) >= put, "I13: the client's money");
            bool alsoElse = job.operator == client;
            for (uint256 k = 0; k < job.challengers.length; ++k) {
                alsoElse = alsoElse || job.challengers[k] == job.operator;
            }
            if (!alsoElse) assertEq(handler.received(id, asset, job.operator), 0, "I13: earned by a bad job");
        }
    }

    /// @custom:invariant An operator's locked stake is the sum of its active locks.
    function check_I21_locks_are_stake() private view {
        for (uint256 k = 0; k < handler.PEOPLE(); ++k) {
            for (uint256 t = 0; t < 2; ++t) {
                uint256 sum = 0;
                for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
                    GhostJobs.GhostJob memory job = handler.ghostJob(handler.ids(i));
                    bool isMine = job.operator == actor(k) && job.terms.token == tokens()[t];
                    if (isMine && job.lockStatus == LockStatus.ACTIVE) sum += job.locked;
                }
                sum += sumBatchLocks(actor(k), tokens()[t]);
                assertEq(vault.getAccount(tokens()[t], actor(k)).locked, sum, "I21: locked against locks");
            }
        }
    }

    function sumBatchLocks(address operator, address asset) private view returns (uint256 sum) {
        for (uint256 i = 0; i < handler.batchesSeen(); ++i) {
            bytes32 id = handler.batchIds(i);
            GhostSessions.GhostBatch memory batch = handler.ghostBatch(id);
            if (batch.operator != operator || batch.state != BatchState.COMMITTED) continue;
            if (handler.ghostSession(batch.session).terms.token == asset) sum += handler.ghostJob(id).locked;
        }
    }

    /// @custom:invariant Stake that starts to unbond when a job begins is still there when the job's last deadline is
    /// over, twice over.
    function check_I22_unbonding_outlives_jobs() private view {
        uint256 life = market.ASSIGN_SECONDS() + market.EXEC_SECONDS() + market.CHALLENGE_SECONDS()
            + market.DELIVER_SECONDS() + 60 + 10;
        assertLe(2 * life, vault.UNBOND(), "I22: unbonding");
    }

    /// @custom:invariant States are those of the table, deadlines those that the events announced: they never move.
    function check_I24_I25_states_and_deadlines() private view {
        for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
            bytes32 id = handler.ids(i);
            GhostJobs.GhostJob memory ghost = handler.ghostJob(id);
            Job memory job = market.getJob(JobId.wrap(id));
            assertEq(uint256(job.state), uint256(ghost.state), "I24: state");
            assertEq(job.deadline, ghost.deadline, "I25: deadline");
            assertEq(job.operator, ghost.operator, "operator");
            assertEq(job.outDigest, ghost.outDigest, "I15: result");
            bool hasResult = ghost.state == JobState.COMMITTED || ghost.state == JobState.DISPUTED;
            bool due = hasResult && !ghost.delivered;
            assertEq(job.deliverBy, due ? ghost.deliverBy : 0, "I25: delivery");
            if (ghost.dispute == DisputeState.OPEN) {
                assertEq(game.getDispute(JobId.wrap(id)).proveBy, ghost.proveBy, "I25: proof");
            }
        }
    }

    /// @custom:invariant Open challenges and bonds are exactly those of the open disputes; nobody is twice in a list.
    function check_I26_disputes_are_counted() private view {
        for (uint256 k = 0; k < 2 * handler.PEOPLE(); ++k) {
            assertEq(game.openChallenges(actor(k)), handler.ghostOpenChallenges(actor(k)), "I26: open challenges");
        }
        for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
            bytes32 id = handler.ids(i);
            GhostJobs.GhostJob memory ghost = handler.ghostJob(id);
            address[] memory list = game.getChallengers(JobId.wrap(id));
            assertEq(keccak256(abi.encode(list)), keccak256(abi.encode(ghost.challengers)), "I26: challengers");
            bool open = ghost.dispute == DisputeState.OPEN;
            uint256 bonds = open ? list.length * ghost.bond : 0;
            assertEq(vault.bondsOf(JobId.wrap(id)), bonds, "I26: bonds");
            assertTrue((game.getDispute(JobId.wrap(id)).state) == ghost.dispute, "I26: state");
        }
    }

    /* LIVENESS: the fuzzer is done; these change the state */

    /// @custom:invariant From any reachable state a few pokes, each at its time, end every job and divide every slash
    /// (I16): a dispute ends with its deadline, whatever its challengers do (I17).
    function check_I16_I17_every_job_ends() private {
        if (market.isPaused()) vm.warp(block.timestamp + 72 hours);
        endBatches();
        endSessions();
        for (uint256 i = 0; i < handler.jobsSeen(); ++i) {
            JobId id = JobId.wrap(handler.ids(i));
            uint256 pokes = 0;
            uint256 began = block.timestamp;
            while (!isSettled(id)) {
                // Anybody; one of the actors, so that a keeper's tip stays among them.
                vm.startPrank(actor(i % handler.PEOPLE()));
                poke(id);
                vm.stopPrank();
                assertLe(++pokes, 3, "I16: pokes");
            }
            assertEq(sumJob(ETH, id) + sumJob(address(token), id), 0, "I16: money left in an ended job");
            // Nothing but waiting for what is due already: deliveries, proofs, the airgap.
            assertLe(block.timestamp - began, 60 + 20 + 15 + 15 + 60 + 10 + 3, "I16, I17: time to the end");
        }
    }

    /// @dev A batch ends behind its window, whatever becomes of the results that left it.
    function endBatches() private {
        for (uint256 i = 0; i < handler.batchesSeen(); ++i) {
            JobId id = JobId.wrap(handler.batchIds(i));
            Batch memory batch = sessions.getBatch(id);
            if (batch.state != BatchState.COMMITTED) continue;
            if (market.isRefundMode()) {
                sessions.voidBatch(id);
                continue;
            }
            pass(batch.challengeUntil);
            // One of the actors, so that a keeper's tip stays among them.
            vm.prank(actor(i % handler.PEOPLE()));
            sessions.finaliseBatch(id);
        }
    }

    /// @dev A client has its deposit back T_exec after it asks.
    function endSessions() private {
        for (uint256 i = 0; i < handler.sessionsSeen(); ++i) {
            JobId id = JobId.wrap(handler.sessionIds(i));
            Session memory session = sessions.getSession(id);
            if (session.state > SessionState.CLOSING) continue;
            if (market.isRefundMode()) {
                sessions.voidSession(id);
                continue;
            }
            if (session.state == SessionState.OPEN) {
                vm.prank(session.terms.client);
                sessions.closeSession(id);
            }
            session = sessions.getSession(id);
            // A client that is its own operator has closed at once.
            if (session.state == SessionState.CLOSED) continue;
            pass(session.closesAt);
            sessions.withdrawSession(id);
        }
    }

    function pass(uint256 deadline) private {
        if (market.clock() <= deadline) vm.warp(block.timestamp + deadline + 1 - market.clock());
    }

    function isSettled(JobId id) private view returns (bool) {
        DisputeState dispute = game.getDispute(id).state;
        bool held = dispute == DisputeState.DEFAULT || dispute == DisputeState.FRAUD_PROVEN;
        return stateOf(id) >= JobState.FINAL && !held;
    }

    function poke(JobId id) private {
        Job memory job = market.getJob(id);
        if (market.isRefundMode()) {
            if (job.state <= JobState.COMMITTED) return market.voidJob(id);
            if (job.state == JobState.DISPUTED || market.clock() <= job.deadline) return game.voidDispute(id);
            return game.distributeSlash(id);
        }
        uint256 due = job.state == JobState.DISPUTED ? game.getDispute(id).proveBy : job.deadline;
        // An output that is owed ends the job at its own time.
        if (job.deliverBy > due) due = job.deliverBy;
        pass(due);
        if (job.state == JobState.OPEN) market.expireJob(id);
        else if (job.state == JobState.ASSIGNED) market.failJob(id);
        else if (job.state == JobState.DISPUTED) game.claimDefault(id);
        else if (job.state == JobState.REJECTED) game.distributeSlash(id);
        else if (job.proofRequired || job.deliverBy != 0) market.failJob(id);
        else market.finalise(id);
    }

    /// @custom:invariant Everybody gets all its money out, whatever others do: then the vault holds what was burned.
    function check_I20_everybody_gets_out() private {
        for (uint256 i = 0; i < 2 * handler.PEOPLE(); ++i) {
            for (uint256 t = 0; t < 2; ++t) {
                leave(tokens()[t], actor(i));
            }
        }
        assertEq(address(vault).balance, vault.burned(ETH), "I20: ETH left behind");
        assertEq(token.balanceOf(address(vault)), vault.burned(address(token)), "I20: tokens left behind");
    }

    function leave(address asset, address who) private {
        Account memory a = vault.getAccount(asset, who);
        assertEq(a.locked, 0, "I20: stake locked after the end of all jobs");
        vm.startPrank(who);
        if (a.credit != 0) vault.withdrawCredit(asset);
        if (a.free != 0) vault.requestUnbond(asset, a.free);
        if (a.free != 0 || a.unbonding != 0) {
            uint256 readyAt = vault.getAccount(asset, who).unbondReadyAt;
            if (market.clock() < readyAt) vm.warp(block.timestamp + readyAt - market.clock());
            vault.withdrawUnbonded(asset);
        }
        vm.stopPrank();
    }

    /* EVENTS */

    /// @custom:invariant The accounts rebuilt from events alone are the accounts.
    function check_events_rebuild_accounts() private view {
        for (uint256 i = 0; i < 2 * handler.PEOPLE(); ++i) {
            address a = actor(i);
            for (uint256 t = 0; t < 2; ++t) {
                Account memory ghost = handler.ghostAccount(tokens()[t], a);
                Account memory real = vault.getAccount(tokens()[t], a);
                assertEq(keccak256(abi.encode(real)), keccak256(abi.encode(ghost)), "account from events");
            }
            assertEq(vault.operatorOf(a), handler.ghostWorkers(a), "owner of worker");
            assertEq(vault.servedOwner(a), handler.ghostServed(a), "owner ever served");
            assertEq(vault.getStanding(a).jailedUntil, handler.ghostStanding(a).jailedUntil, "jail");
        }
        assertEq(vault.burned(ETH), handler.ghostBurned(ETH), "burned ETH");
        assertEq(vault.burned(address(token)), handler.ghostBurned(address(token)), "burned tokens");
        assertEq(market.clock(), handler.ghostClock(), "clock");
    }

    /* THE ACTORS THEMSELVES */

    /// @notice Long random walks reach every exit: the invariants above are not true for want of action.
    function test_actors__reach_every_exit_and_break_nothing() public {
        uint256 seed = uint256(keccak256("walk"));
        for (uint256 i = 0; i < 6000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            walk(seed, false);
        }
        // Refunds end the game, so they come last, and find jobs alive.
        for (uint256 i = 0; i < 100; ++i) {
            handler.createJob(i, 0.001 ether, 2);
        }
        handler.guard(6, 0);
        for (uint256 i = 0; i < 100; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            walk(seed, true);
        }
        check_rules_of_events();
        for (uint256 state = uint256(JobState.OPEN); state <= uint256(type(JobState).max); ++state) {
            uint256 least = state == uint256(JobState.VOIDED) ? 0 : 2;
            assertTrue(handler.reached(JobState(state)) > least, string.concat("state: ", vm.toString(state)));
        }
        for (uint256 state = uint256(DisputeState.OPEN); state < uint256(DisputeState.VOIDED); ++state) {
            assertTrue(handler.disputesReached(DisputeState(state)) > 2, string.concat("dispute: ", vm.toString(state)));
        }
        assertTrue(handler.missesSeen() > 2, "misses");
        assertTrue(handler.deliveriesSeen() > 2, "deliveries");
        assertTrue(handler.joinsSeen() > 2, "joins");
        for (uint256 state = uint256(SessionState.OPEN); state < uint256(SessionState.VOIDED); ++state) {
            assertTrue(handler.sessionsReached(SessionState(state)) > 2, string.concat("session: ", vm.toString(state)));
        }
        assertTrue(handler.batchesReached(BatchState.COMMITTED) > 20, "batches");
        assertTrue(handler.batchesReached(BatchState.FINAL) > 10, "final batches");
        assertTrue(handler.extractionsSeen() > 10, "extractions");
        afterInvariant();
    }

    function walk(uint256 seed, bool mayRefund) private {
        (uint256 a, uint256 b, uint256 c) = (seed >> 16, seed >> 80, seed >> 144);
        bool honest = seed >> 255 == 1;
        uint256 action = seed % 24;
        if (action < 2) handler.moveStake(a, b, c);
        else if (action < 5) handler.passTime(a, b);
        else if (action < 7) handler.createJob(a, b, c);
        else if (action == 7) handler.anyStep(a, b, c, honest);
        else if (action == 8 && (mayRefund || a % 32 != 6)) handler.guard(a, b);
        else if (action < 17) handler.nextStep(a, b, c, honest);
        else if (action == 17) handler.openSession(a, b, c);
        else if (action < 21) handler.stepSession(a, b, c, seed >> 200);
        else handler.stepBatch(a, b, c, seed >> 200);
    }
}
