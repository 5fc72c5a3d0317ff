// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {HandlerBase, World} from "./HandlerBase.sol";
import {SessionHandler} from "./SessionHandler.sol";

/// @notice Random actors: each of the people may be client, operator and challenger at once, and anybody tries any
/// step of any job at any time; now and then the guardian stops the clock or turns to refunds.
contract MoneyHandler is SessionHandler {
    uint256 private lastPauseEnd;

    constructor(World memory world_) HandlerBase(world_) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            bindAs(people[i], workers[i]);
            depositAs(people[i], ETH, 1 ether);
            depositAs(people[i], address(world_.token), 1 ether);
        }
    }

    /* STAKE AND CREDIT */

    function moveStake(uint256 action, uint256 who, uint256 x) external {
        address token = x % 2 == 0 ? ETH : address(world.token);
        address person = personOf(who);
        action = action % 8;
        if (action == 0) depositAs(person, token, bound(x, 1, 1 ether));
        else if (action == 1) requestUnbond(person, token, x);
        else if (action == 2) withdrawUnbonded(person, token);
        else if (action == 3) withdrawCredit(person, token);
        else if (action == 4) bindAs(person, workers[x % PEOPLE]);
        else if (action == 5) unjail(person, x);
        else if (action == 6) fundCredit(person, token, bound(x, 1, 0.1 ether));
        else leaveOwner(who);
    }

    function requestUnbond(address person, address token, uint256 amount) private {
        uint88 free = ghostAccounts[token][person].free;
        uint96 asked = uint96(bound(amount, 1, uint256(free) / 8 + 2));
        bytes memory call = abi.encodeCall(IStakeVault.requestUnbond, (token, asked));
        expect(asked <= free, address(world.vault), person, 0, call);
    }

    function withdrawUnbonded(address person, address token) private {
        uint256 amount = ghostAccounts[token][person].unbonding;
        bool ripe = amount != 0 && ghostClock() >= ghostAccounts[token][person].unbondReadyAt;
        expect(ripe, address(world.vault), person, 0, abi.encodeCall(IStakeVault.withdrawUnbonded, (token)));
    }

    /// @dev I20: whatever the others do, and in every pause.
    function withdrawCredit(address person, address token) private {
        bool some = ghostAccounts[token][person].credit != 0;
        expect(some, address(world.vault), person, 0, abi.encodeCall(IStakeVault.withdrawCredit, (token)));
    }

    function fundCredit(address person, address token, uint256 amount) private {
        bytes memory call = abi.encodeCall(IStakeVault.fund, (token, uint96(amount)));
        bool success = expect(true, address(world.vault), person, token == ETH ? amount : 0, call);
        if (success && token != ETH) paidIn[token][person] += amount;
    }

    function unjail(address person, uint256 x) private {
        uint256 until = ghostStandings[person].jailedUntil;
        bool legal = until != 0 && ghostClock() >= until;
        // The owner, or its worker.
        address caller = x % 2 == 0 ? person : workerOrPerson(person);
        expect(legal, address(world.vault), caller, 0, abi.encodeCall(IStakeVault.unjail, ()));
    }

    function leaveOwner(uint256 who) private {
        // Rarely, or soon nobody would work.
        if (who % 7 != 0) return;
        address worker = workers[who % PEOPLE];
        bool doesServe = ghostWorkers[worker] != address(0);
        expect(doesServe, address(world.vault), worker, 0, abi.encodeCall(IStakeVault.leaveOwner, ()));
        bindAs(personOf(who), worker);
    }

    /* THE GUARDIAN */

    /// @notice Rare, or nothing else would happen.
    function guard(uint256 kind, uint256 x) external {
        address m = address(world.market);
        kind = kind % 32;
        if (kind < 2) {
            // Seldom legal: fourteen days have to pass since the last one.
            bool legal = !ghostRefund && (lastPauseEnd == 0 || time >= lastPauseEnd + 14 days);
            bytes memory call = abi.encodeCall(IProtocolClock.pause, ());
            if (expect(legal, m, address(world.guardian), 0, call)) lastPauseEnd = time + 72 hours;
        } else if (kind < 6) {
            bool standing = ghostPaused();
            expect(standing, m, address(world.guardian), 0, abi.encodeCall(IProtocolClock.unpause, ()));
            if (standing) lastPauseEnd = time;
        } else if (kind == 6 && x % 16 == 0) {
            bool legal = !ghostRefund;
            expect(legal, m, address(world.guardian), 0, abi.encodeCall(IProtocolClock.enterRefundMode, ()));
        } else if (kind == 7) {
            passSeconds(bound(x, 1 days, 20 days));
        }
    }

    /* JOBS */

    /// @notice Any step of any job, by anybody.
    function anyStep(uint256 job, uint256 step, uint256 who, bool honest) external {
        if (ids.length == 0) return;
        take(ids[job % ids.length], Step(step % (uint256(type(Step).max) + 1)), who, honest);
    }

    /// @notice A step that a living job's state asks for, by whoever it asks for.
    function nextStep(uint256 job, uint256 step, uint256 who, bool honest) external {
        if (live.length == 0) return;
        uint256 index = job % live.length;
        bytes32 id = live[index];
        GhostJob memory j = ghostJobs[id];
        (Step next, uint256 actor) = chooseStep(j, step, who);
        take(id, next, actor, honest);
        if (isOver(ghostJobs[id])) {
            live[index] = live[live.length - 1];
            live.pop();
        }
    }

    function isOver(GhostJob storage job) private view returns (bool) {
        bool held = job.dispute == DisputeState.DEFAULT || job.dispute == DisputeState.FRAUD_PROVEN;
        return job.state >= JobState.FINAL && !held;
    }

    function chooseStep(GhostJob memory job, uint256 step, uint256 who) private view returns (Step, uint256) {
        if (ghostRefund && job.state <= JobState.COMMITTED) return (Step.VOID, who);
        if (ghostRefund) return (step % 2 == 0 ? Step.VOID_DISPUTE : Step.DISTRIBUTE, who);
        uint256 kind = step % 16;
        if (job.state == JobState.OPEN) {
            if (kind < 4) return (Step.EXPIRE, who);
            return kind == 4 ? (Step.CANCEL, seedOf(job.terms.client)) : (Step.ACCEPT, who);
        }
        if (job.state == JobState.ASSIGNED) {
            uint256 operator = seedOf(job.operator);
            if (kind == 0) return (Step.EQUIVOCATE, who);
            if (kind < 3) return (Step.REJECT, operator);
            return (kind < 7 ? Step.FAIL : Step.COMMIT, operator);
        }
        if (job.state == JobState.COMMITTED) return chooseCommitted(job, kind, who);
        if (job.state == JobState.DISPUTED) {
            if (kind == 0) return (Step.EQUIVOCATE, who);
            if (kind < 5) return (Step.CHALLENGE, who);
            return (kind < 9 ? Step.PROVE : Step.DEFAULT, who);
        }
        bool inAirgap = job.dispute == DisputeState.DEFAULT && ghostClock() <= job.deadline;
        return (inAirgap && kind < 10 ? Step.CURE : Step.DISTRIBUTE, who);
    }

    function chooseCommitted(GhostJob memory job, uint256 kind, uint256 who) private view returns (Step, uint256) {
        if (kind == 0) return (Step.EQUIVOCATE, who);
        if (kind < 3) return (Step.FAIL, who);
        if (kind < 9 && job.deliverBy != 0 && !job.delivered) return (Step.DELIVER, who);
        if (kind < 7) return (Step.REQUEST_DELIVERY, seedOf(job.terms.client));
        if (kind < 11) return (Step.CHALLENGE, who);
        return (job.terms.verifyMask == 0 ? Step.FINALISE : Step.REQUEST_PROOF, who);
    }

    /// @dev The seed for which `personOf` is `person`.
    function seedOf(address person) private view returns (uint256 seed) {
        while (people[seed] != person) ++seed;
    }

    function take(bytes32 id, Step step, uint256 who, bool honest) private {
        setBlock();
        if (step == Step.REQUEST_DELIVERY || step == Step.DELIVER) takeDeliveryStep(id, step, personOf(who), honest);
        else if (step <= Step.VOID) takeJobStep(id, step, personOf(who));
        else takeGameStep(id, step, personOf(who), honest);
    }
}
