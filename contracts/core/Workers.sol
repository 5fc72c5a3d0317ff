// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Parameters} from "../types/Parameters.sol";
import {Standing} from "../types/Stake.sol";
import {VaultModules} from "./VaultModules.sol";

/// @title Who works for whom, and how operators behaved
abstract contract Workers is VaultModules {
    using SafeCast for uint256;

    /* IMMUTABLES */

    uint256 private immutable SLASH_JAIL_SECONDS;
    uint256 private immutable MISS_JAIL_SECONDS;
    uint256 private immutable MISS_WINDOW_SECONDS;
    uint256 private immutable MISSES_TO_JAIL;

    /* STORAGE */

    /// @inheritdoc IStakeVault
    mapping(address worker => address owner) public operatorOf;
    /// @inheritdoc IStakeVault
    mapping(address owner => address worker) public workerOf;
    /// @inheritdoc IStakeVault
    mapping(address owner => address worker) public proposedWorker;
    /// @inheritdoc IStakeVault
    mapping(address worker => address owner) public servedOwner;
    /// @inheritdoc IStakeVault
    mapping(address worker => uint40) public servedUntil;

    mapping(address operator => Standing) private standings;

    /* CONSTRUCTOR */

    constructor(Parameters memory p) {
        SLASH_JAIL_SECONDS = p.slashJailSeconds;
        MISS_JAIL_SECONDS = p.missJailSeconds;
        MISS_WINDOW_SECONDS = p.missWindowSeconds;
        MISSES_TO_JAIL = p.missesToJail;
    }

    /* OWNERS */

    /// @inheritdoc IStakeVault
    function proposeWorker(address worker) external {
        if (worker == msg.sender) revert WorkerIsOwner(msg.sender);
        checkFree(worker, msg.sender);

        proposedWorker[msg.sender] = worker;
        emit WorkerProposed(msg.sender, worker);
        if (worker == address(0) && workerOf[msg.sender] != address(0)) bindWorker(msg.sender, worker);
    }

    /// @inheritdoc IStakeVault
    function unjail() external {
        address operator = operatorOf[msg.sender];
        // An operator may work for another: whoever is in jail itself means itself.
        if (operator == address(0) || standings[msg.sender].jailedUntil != 0) operator = msg.sender;
        uint256 until = standings[operator].jailedUntil;
        if (until == 0) revert NotJailed(operator);
        if (readClock() < until) revert StillJailed(operator, until);

        standings[operator].jailedUntil = 0;
        emit Unjailed(operator);
    }

    /* WORKERS */

    /// @inheritdoc IStakeVault
    function acceptOwner(address owner) external {
        if (proposedWorker[owner] != msg.sender) revert NotProposed(owner, msg.sender);
        checkFree(msg.sender, owner);

        delete proposedWorker[owner];
        servedOwner[msg.sender] = owner;
        bindWorker(owner, msg.sender);
    }

    /// @inheritdoc IStakeVault
    function leaveOwner() external {
        address owner = operatorOf[msg.sender];
        if (owner == address(0)) revert NotWorker(msg.sender);

        bindWorker(owner, address(0));
    }

    /* WHO JUDGES RESULTS */

    /// @inheritdoc IStakeVault
    function jail(address operator) external onlyJudge {
        jailFor(operator, SLASH_JAIL_SECONDS);
    }

    /// @inheritdoc IStakeVault
    function recordMiss(address operator) external onlyJudge {
        Standing memory standing = standings[operator];
        uint40 time = readClock();
        if (standing.misses == 0 || time > standing.windowStart + MISS_WINDOW_SECONDS) {
            (standing.windowStart, standing.misses) = (time, 0);
        }
        ++standing.misses;
        bool isTooMany = standing.misses >= MISSES_TO_JAIL;
        emit MissRecorded(operator, standing.misses, standing.windowStart);

        // What was punished counts no more.
        if (isTooMany) (standing.windowStart, standing.misses) = (0, 0);
        standings[operator] = standing;
        if (isTooMany) jailFor(operator, MISS_JAIL_SECONDS);
    }

    /* STEPS */

    /// @dev Takes the owner's worker away and gives it `worker`, which may be nobody.
    function bindWorker(address owner, address worker) private {
        address previous = workerOf[owner];
        delete operatorOf[previous];
        if (previous != address(0)) servedUntil[previous] = readClock();
        workerOf[owner] = worker;
        if (worker != address(0)) {
            operatorOf[worker] = owner;
            delete servedUntil[worker];
        }
        emit WorkerSet(owner, worker, previous);
    }

    function jailFor(address operator, uint256 duration) private {
        uint256 standingUntil = standings[operator].jailedUntil;
        uint256 until = readClock() + duration;
        // INVARIANT: a jail never becomes shorter, whatever follows it.
        if (until < standingUntil) until = standingUntil;

        standings[operator].jailedUntil = until.toUint40();
        emit Jailed(operator, until);
    }

    /// @dev The owner whom a worker serves, who may take jobs.
    function requireOperator(address worker) internal view returns (address operator) {
        operator = operatorOf[worker];
        if (operator == address(0)) revert NotWorker(worker);
        uint256 until = standings[operator].jailedUntil;
        // INVARIANT: a jailed operator takes no job (I23).
        if (until != 0) revert OperatorJailed(operator, until);
    }

    function checkFree(address worker, address owner) private view {
        address served = servedOwner[worker];
        // INVARIANT: a worker serves one owner in its life, so what it signed while it served is that owner's word.
        if (served != address(0) && served != owner) revert WorkerTaken(worker, served);
    }

    /* VIEWS */

    /// @inheritdoc IStakeVault
    function getStanding(address operator) external view returns (Standing memory) {
        return standings[operator];
    }
}
