// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobMarket} from "../../contracts/core/JobMarket.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {DisputeGame} from "../../contracts/dispute/DisputeGame.sol";
import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {DisputeId, JobId} from "../../contracts/types/Ids.sol";
import {JobParams, JobState} from "../../contracts/types/Job.sol";
import {Log} from "./Cheats.sol";
import {GhostLedger} from "./GhostLedger.sol";

/// @notice Random actors: each of the people may be client, operator and challenger at once, and anybody tries any
/// step of any job at any time. Before each step the handler says from the ghost ledger alone whether it must succeed
/// (I24: every call outside the table reverts); a wrong forecast is a violation.
contract MoneyHandler is GhostLedger {
    enum Step {
        CANCEL,
        ACCEPT,
        COMMIT,
        FINALISE,
        EXPIRE,
        FAIL,
        CHALLENGE,
        PROVE,
        DEFAULT
    }

    uint256 public constant PEOPLE = 5;
    uint256 public constant FUNDS = 1_000_000 ether;

    address private constant ETH = address(0);
    /// @dev Few jobs live at a time, so that many reach their end.
    uint256 private constant LIVE_JOBS = 3;

    StakeVault public immutable VAULT;
    JobMarket public immutable MARKET;
    DisputeGame public immutable GAME;
    MockVerifier public immutable VERIFIER;
    bytes32 public immutable VERSION;

    address[PEOPLE] public people;
    address[PEOPLE] public workers;
    /// @dev ETH that accounts sent along with calls that succeeded.
    mapping(address => uint256) public paidIn;
    /// @dev Kept here, because each call of the fuzzer must go on where the last one stopped.
    uint256 private time;
    uint256 private baseFee;
    uint256[] private live;

    constructor(StakeVault vault, JobMarket market, DisputeGame game, MockVerifier verifier, bytes32 version) {
        (VAULT, MARKET, GAME, VERIFIER, VERSION) = (vault, market, game, verifier, version);
        time = block.timestamp;
        for (uint256 i = 0; i < PEOPLE; ++i) {
            (people[i], workers[i]) = (vm.addr(100 + i), vm.addr(200 + i));
            vm.deal(people[i], FUNDS);
            vm.deal(workers[i], FUNDS);
        }
        for (uint256 i = 0; i < PEOPLE; ++i) {
            run(address(VAULT), people[i], 0, abi.encodeCall(IStakeVault.setWorker, (workers[i])));
            run(address(VAULT), people[i], 1 ether, abi.encodeCall(IStakeVault.deposit, ()));
        }
    }

    /* CALLS */

    function run(address target, address sender, uint256 value, bytes memory call) private returns (bool success) {
        vm.warp(time);
        vm.fee(baseFee);
        vm.recordLogs();
        vm.prank(sender);
        (success,) = target.call{value: value}(call);
        // The events of a call that reverted are recorded too, and mean nothing.
        Log[] memory logs = vm.getRecordedLogs();
        if (!success) return false;
        paidIn[sender] += value;
        applyLogs(logs);
    }

    /// @dev Runs a step and compares with the forecast.
    function expect(bool forecast, address target, address sender, uint256 value, bytes memory call) private {
        bool success = run(target, sender, value, call);
        require_(success == forecast, forecast ? "I24: a legal step was refused" : "I24: an illegal step was let in");
    }

    function personOf(uint256 seed) private view returns (address) {
        return people[seed % PEOPLE];
    }

    /* STAKE AND CREDIT */

    function moveStake(uint256 action, uint256 who, uint256 x) external {
        action = action % 6;
        if (action == 0) deposit(who, x);
        else if (action == 1) requestUnbond(who, x);
        else if (action == 2) withdrawUnbonded(who);
        else if (action == 3) withdrawCredit(who);
        else if (action == 4) setWorker(who, x);
        else leaveOwner(who);
    }

    function deposit(uint256 who, uint256 amount) private {
        expect(true, address(VAULT), personOf(who), bound(amount, 1, 1 ether), abi.encodeCall(IStakeVault.deposit, ()));
    }

    function requestUnbond(uint256 who, uint256 amount) private {
        uint88 free = ghostAccounts[personOf(who)].free;
        uint96 asked = uint96(bound(amount, 1, uint256(free) / 8 + 2));
        expect(asked <= free, address(VAULT), personOf(who), 0, abi.encodeCall(IStakeVault.requestUnbond, (asked)));
    }

    function withdrawUnbonded(uint256 who) private {
        address person = personOf(who);
        uint256 amount = ghostAccounts[person].unbonding;
        bool ripe = amount != 0 && time >= ghostAccounts[person].unbondReadyAt;
        expect(ripe, address(VAULT), person, 0, abi.encodeCall(IStakeVault.withdrawUnbonded, ()));
    }

    function withdrawCredit(uint256 who) private {
        address person = personOf(who);
        vm.warp(time);
        bool some = VAULT.withdrawable(ETH, person) != 0;
        expect(some, address(VAULT), person, 0, abi.encodeCall(IStakeVault.withdrawCredit, (ETH)));
    }

    function setWorker(uint256 who, uint256 worker) private {
        address chosen = workers[worker % PEOPLE];
        bool isFree = ghostWorkers[chosen] == address(0);
        expect(isFree, address(VAULT), personOf(who), 0, abi.encodeCall(IStakeVault.setWorker, (chosen)));
    }

    function leaveOwner(uint256 who) private {
        // Rarely, or soon nobody would work.
        if (who % 7 != 0) return;
        address worker = workers[who % PEOPLE];
        bool serves = ghostWorkers[worker] != address(0);
        expect(serves, address(VAULT), worker, 0, abi.encodeCall(IStakeVault.leaveOwner, ()));
        expect(true, address(VAULT), personOf(who), 0, abi.encodeCall(IStakeVault.setWorker, (worker)));
    }

    /* TIME AND PRICES */

    /// @notice Mostly a few seconds pass; now and then minutes, or the base fee moves.
    function passTime(uint256 kind, uint256 x) external {
        kind = kind % 16;
        if (kind == 0) time += bound(x, 40, 400);
        else if (kind < 3) baseFee = bound(x, 0, 5 gwei);
        else time += bound(x, 0, 12);
    }

    /* JOBS */

    function createJob(uint256 who, uint256 fee_) external {
        if (live.length == LIVE_JOBS) return;
        // Small fees lie below the floor of the lock, odd ones leave remainders in every split.
        uint96 fee = uint96(fee_ % 3 == 0 ? bound(fee_, 1, 1000) : bound(fee_, 1, 0.01 ether));
        JobParams memory params = JobParams(VERSION, keccak256("input"), fee, 0, 0, "");
        expect(true, address(MARKET), personOf(who), fee, abi.encodeCall(IJobMarket.createJob, (params)));
        live.push(jobsSeen);
    }

    /// @notice Any step of any job, by anybody.
    function anyStep(uint256 job, uint256 step, uint256 who, bool honest) external {
        if (jobsSeen == 0) return;
        take(bound(job, 1, jobsSeen), Step(step % (uint256(type(Step).max) + 1)), who, honest);
    }

    /// @notice A step that a living job's state asks for, by whoever it asks for.
    function nextStep(uint256 job, uint256 step, uint256 who, bool honest) external {
        if (live.length == 0) return;
        uint256 index = job % live.length;
        uint256 id = live[index];
        JobState state = ghostJobs[id].state;
        if (state == JobState.OPEN && step % 8 < 3) take(id, Step.EXPIRE, who, honest);
        if (state == JobState.OPEN && step % 8 == 3) take(id, Step.CANCEL, seedOf(ghostJobs[id].client), honest);
        if (state == JobState.OPEN && step % 8 > 3) take(id, Step.ACCEPT, who, honest);
        if (state == JobState.ASSIGNED) {
            take(id, step % 3 == 0 ? Step.FAIL : Step.COMMIT, seedOf(ghostJobs[id].operator), honest);
        }
        if (state == JobState.COMMITTED) take(id, step % 2 == 0 ? Step.FINALISE : Step.CHALLENGE, who, honest);
        if (state == JobState.DISPUTED) take(id, step % 2 == 0 ? Step.PROVE : Step.DEFAULT, who, honest);
        if (state >= JobState.FINAL) {
            live[index] = live[live.length - 1];
            live.pop();
        }
    }

    /// @dev The seed for which `personOf` is `person`.
    function seedOf(address person) private view returns (uint256 seed) {
        while (people[seed] != person) ++seed;
    }

    function take(uint256 id, Step step, uint256 who, bool honest) private {
        if (step <= Step.FAIL) takeMarketStep(id, step, personOf(who));
        else takeGameStep(id, step, personOf(who), honest);
    }

    function takeMarketStep(uint256 id, Step step, address person) private {
        GhostJob memory job = ghostJobs[id];
        JobId jobId = JobId.wrap(id);
        bool late = time > job.deadline;
        address worker = workerOf(person);
        address m = address(MARKET);
        if (step == Step.CANCEL) {
            bool legal = job.state == JobState.OPEN && person == job.client;
            expect(legal, m, person, 0, abi.encodeCall(IJobMarket.cancelJob, (jobId)));
        } else if (step == Step.ACCEPT) {
            bool legal = job.state == JobState.OPEN && !late && worker != address(0)
                && ghostAccounts[person].free >= computeLock(job.fee);
            expect(legal, m, worker, 0, abi.encodeCall(IJobMarket.acceptJob, (jobId)));
        } else if (step == Step.COMMIT) {
            bool legal = job.state == JobState.ASSIGNED && !late && worker != address(0) && person == job.operator;
            bytes32 outDigest = keccak256(abi.encode(id));
            expect(legal, m, worker, 0, abi.encodeCall(IJobMarket.commitResult, (jobId, outDigest, "")));
        } else if (step == Step.FINALISE) {
            expect(job.state == JobState.COMMITTED && late, m, person, 0, abi.encodeCall(IJobMarket.finalise, (jobId)));
        } else if (step == Step.EXPIRE) {
            expect(job.state == JobState.OPEN && late, m, person, 0, abi.encodeCall(IJobMarket.expireJob, (jobId)));
        } else {
            expect(job.state == JobState.ASSIGNED && late, m, person, 0, abi.encodeCall(IJobMarket.failJob, (jobId)));
        }
    }

    function takeGameStep(uint256 id, Step step, address person, bool honest) private {
        GhostJob memory job = ghostJobs[id];
        GhostDispute memory dispute = ghostDisputes[job.disputeId];
        DisputeId disputeId = DisputeId.wrap(job.disputeId);
        address g = address(GAME);
        if (step == Step.CHALLENGE) {
            bool legal = job.state == JobState.COMMITTED && time <= job.deadline;
            uint256 bond = computeBond();
            bytes memory call = abi.encodeCall(IDisputeGame.challenge, (JobId.wrap(id), keccak256(abi.encode(id))));
            // Too little, exact, or too much.
            uint256 value = honest ? bond : bond - 1 + uint160(person) % 3;
            expect(legal && value >= bond, g, person, value, call);
        } else if (step == Step.PROVE) {
            VERIFIER.setMode(honest ? MockVerifier.Mode.ACCEPT : MockVerifier.Mode.REJECT);
            bool legal = dispute.open && time <= dispute.proveBy && honest;
            expect(legal, g, person, 0, abi.encodeCall(IDisputeGame.prove, (disputeId, "", "", "")));
        } else {
            bool legal = dispute.open && time > dispute.proveBy;
            expect(legal, g, person, 0, abi.encodeCall(IDisputeGame.claimDefault, (disputeId)));
        }
    }

    /// @dev From the ghost ledger: the worker that serves `person`, or nobody.
    function workerOf(address person) private view returns (address) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            if (ghostWorkers[workers[i]] == person) return workers[i];
        }
        return address(0);
    }

    /// @dev Preset `local`: max(35 fees, ceil(3 * 600000 gas * price * 100 / 35)).
    function computeLock(uint256 fee) private view returns (uint256) {
        uint256 floor = (3 * 600_000 * price() * 100 + 34) / 35;
        return 35 * fee > floor ? 35 * fee : floor;
    }

    /// @dev Preset `local`, a version of 5 s and 800000 gas: ceil(1.5 * (5 * 1000 gwei + 3 * 800000 gas * price)).
    function computeBond() private view returns (uint256) {
        return (3 * (5 * 1000 gwei + 3 * 800_000 * price()) + 1) / 2;
    }

    function price() private view returns (uint256) {
        return baseFee > 1 gwei ? baseFee : 1 gwei;
    }
}
