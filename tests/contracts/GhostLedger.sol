// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {Account, LockStatus, Standing} from "../../contracts/types/Stake.sol";
import {GhostJobs} from "./GhostJobs.sol";
import {Log} from "./Cheats.sol";

/// @notice The vault and the protocol's clock as their events alone tell them, beside the jobs (GhostJobs).
abstract contract GhostLedger is GhostJobs {
    mapping(address token => mapping(address => Account)) internal ghostAccounts;
    mapping(address operator => Standing) internal ghostStandings;
    mapping(address worker => address) public ghostWorkers;
    mapping(address worker => address) public ghostServed;
    mapping(address owner => address) public ghostProposed;
    /// @dev What accounts got out of the vault.
    mapping(address token => mapping(address => uint256)) public ghostPaidOut;
    mapping(address token => uint256) public ghostBurned;
    /// @dev Who paid into an escrow first: the client, whose money it stays wherever it moves.
    mapping(bytes32 id => address) private payerOf;

    function ghostAccount(address token, address account) external view returns (Account memory) {
        return ghostAccounts[token][account];
    }

    function ghostStanding(address operator) external view returns (Standing memory) {
        return ghostStandings[operator];
    }

    function applyLogs(Log[] memory logs) internal {
        for (uint256 i = 0; i < logs.length; ++i) {
            Log memory l = logs[i];
            // The ERC-20's own events are no business of the ledger.
            if (l.emitter == ghostToken) continue;
            bool known = applyClock(l) || applyWorker(l) || applyAccount(l) || applyLock(l) || applyBond(l)
                || applyMarket(l) || applyGame(l) || applySessions(l);
            require_(known, "an event that nobody knows");
        }
    }

    function applySessions(Log memory l) internal virtual returns (bool);

    /* CLOCK */

    function applyClock(Log memory l) private returns (bool) {
        if (is_(l, IProtocolClock.Paused.selector)) {
            // A pause that ran its time is counted when the next one begins.
            if (ghostPausedAt != 0) ghostPausedTotal += 72 hours;
            ghostPausedAt = block.timestamp;
        } else if (is_(l, IProtocolClock.Unpaused.selector)) {
            ghostPausedTotal += block.timestamp - ghostPausedAt;
            ghostPausedAt = 0;
        } else if (is_(l, IProtocolClock.RefundModeEntered.selector)) {
            ghostRefund = true;
        } else {
            return is_(l, IGuardian.ActionApproved.selector) || is_(l, IGuardian.ActionExecuted.selector);
        }
        return true;
    }

    /* WORKERS AND STANDING */

    function isJailed(address operator) internal view override returns (bool) {
        return ghostStandings[operator].jailedUntil != 0;
    }

    function applyWorker(Log memory l) private returns (bool) {
        if (is_(l, IStakeVault.WorkerProposed.selector)) {
            ghostProposed[addressAt(l, 1)] = addressAt(l, 2);
        } else if (is_(l, IStakeVault.WorkerSet.selector)) {
            (address owner, address worker, address previous) = (addressAt(l, 1), addressAt(l, 2), addressAt(l, 3));
            delete ghostWorkers[previous];
            if (worker != address(0)) {
                (ghostWorkers[worker], ghostServed[worker]) = (owner, owner);
                delete ghostProposed[owner];
            }
        } else if (is_(l, IStakeVault.Jailed.selector)) {
            require_(firstWord(l) >= ghostStandings[addressAt(l, 1)].jailedUntil, "jail never shortens");
            ghostStandings[addressAt(l, 1)].jailedUntil = uint40(firstWord(l));
        } else if (is_(l, IStakeVault.Unjailed.selector)) {
            delete ghostStandings[addressAt(l, 1)].jailedUntil;
        } else if (is_(l, IStakeVault.MissRecorded.selector)) {
            ++missesSeen;
        } else {
            return false;
        }
        return true;
    }

    /* ACCOUNTS */

    function applyAccount(Log memory l) private returns (bool) {
        if (l.topics.length < 3) return false;
        if (is_(l, IStakeVault.Burned.selector)) {
            ghostBurned[addressAt(l, 1)] += firstWord(l);
            moneyOut[l.topics[2]][addressAt(l, 1)] += firstWord(l);
            burnedOf[l.topics[2]][addressAt(l, 1)] += firstWord(l);
            return true;
        }
        address token = addressAt(l, 1);
        if (is_(l, IStakeVault.Credited.selector)) {
            address account = addressAt(l, 3);
            ghostAccounts[token][account].credit += toUint80(firstWord(l));
            moneyOut[l.topics[2]][token] += firstWord(l);
            received[l.topics[2]][token][account] += firstWord(l);
            return true;
        }
        Account storage owner = ghostAccounts[token][addressAt(l, 2)];
        if (is_(l, IStakeVault.Deposited.selector)) {
            owner.free += toUint80(firstWord(l));
        } else if (is_(l, IStakeVault.UnbondRequested.selector)) {
            (uint256 amount, uint256 readyAt) = abi.decode(l.data, (uint256, uint256));
            owner.free -= toUint80(amount);
            owner.unbonding += toUint80(amount);
            owner.unbondReadyAt = uint40(readyAt);
        } else if (is_(l, IStakeVault.UnbondedWithdrawn.selector)) {
            owner.unbonding -= toUint80(firstWord(l));
            ghostPaidOut[token][addressAt(l, 2)] += firstWord(l);
        } else if (is_(l, IStakeVault.Funded.selector)) {
            owner.credit += toUint80(firstWord(l));
        } else if (is_(l, IStakeVault.CreditWithdrawn.selector)) {
            owner.credit -= toUint80(firstWord(l));
            ghostPaidOut[token][addressAt(l, 2)] += firstWord(l);
        } else {
            return false;
        }
        return true;
    }

    /* LOCKS AND ESCROWS */

    function applyLock(Log memory l) private returns (bool) {
        if (l.topics.length < 4) return false;
        (address token, bytes32 id) = (addressAt(l, 1), l.topics[2]);
        GhostJob storage job = ghostJobs[id];
        Account storage account = ghostAccounts[token][addressAt(l, 3)];
        if (is_(l, IStakeVault.EscrowAdded.selector)) {
            moneyIn[id][token] += firstWord(l);
            contributed[id][token][addressAt(l, 3)] += firstWord(l);
            payerOf[id] = addressAt(l, 3);
        } else if (is_(l, IStakeVault.CreditCharged.selector)) {
            account.credit -= toUint80(firstWord(l));
            moneyIn[id][token] += firstWord(l);
            contributed[id][token][addressAt(l, 3)] += firstWord(l);
        } else if (is_(l, IStakeVault.EscrowMoved.selector)) {
            moveEscrow(token, id, l.topics[3], firstWord(l));
        } else if (is_(l, IStakeVault.LockMoved.selector)) {
            moveLock(job, ghostJobs[l.topics[3]], firstWord(l));
        } else if (is_(l, IStakeVault.StakeLocked.selector)) {
            require_(job.lockStatus == LockStatus.NONE, "I3: locked twice");
            (job.locked, job.lockStatus) = (firstWord(l), LockStatus.ACTIVE);
            account.free -= toUint80(job.locked);
            account.locked += toUint80(job.locked);
        } else if (is_(l, IStakeVault.LockReleased.selector)) {
            (uint256 returned, uint256 fined) = abi.decode(l.data, (uint256, uint256));
            leaveActive(job, LockStatus.RELEASED);
            require_(returned + fined == job.locked, "I4: a lock is returned or fined");
            (job.fined, job.returned) = (fined, returned);
            moneyIn[id][token] += fined;
            account.locked -= toUint80(job.locked);
            account.free += toUint80(returned);
        } else if (is_(l, IStakeVault.LockSlashed.selector)) {
            leaveActive(job, LockStatus.SLASHED);
            require_(firstWord(l) == job.locked, "I4: a slash is the lock");
            account.locked -= toUint80(job.locked);
        } else if (is_(l, IStakeVault.SlashDivided.selector)) {
            require_(job.lockStatus == LockStatus.SLASHED, "I3: a slash is divided once");
            (job.lockStatus, job.returned) = (LockStatus.DIVIDED, firstWord(l));
            moneyIn[id][token] += job.locked - job.returned;
            account.free += toUint80(job.returned);
        } else if (is_(l, IStakeVault.StakeSlashed.selector)) {
            (uint256 fromFree, uint256 fromUnbonding) = abi.decode(l.data, (uint256, uint256));
            moneyIn[id][token] += fromFree + fromUnbonding;
            account.free -= toUint80(fromFree);
            account.unbonding -= toUint80(fromUnbonding);
        } else {
            return false;
        }
        return true;
    }

    function moveEscrow(address token, bytes32 from, bytes32 to, uint256 amount) private {
        address payer = payerOf[from];
        payerOf[to] = payer;
        moneyIn[from][token] -= amount;
        moneyIn[to][token] += amount;
        contributed[from][token][payer] -= amount;
        contributed[to][token][payer] += amount;
    }

    function moveLock(GhostJob storage from, GhostJob storage to, uint256 amount) private {
        require_(from.lockStatus == LockStatus.ACTIVE, "I3: a lock moves while it is ACTIVE");
        require_(to.lockStatus == LockStatus.NONE && amount != 0, "I3: locked twice");
        from.locked -= amount;
        (to.locked, to.lockStatus) = (amount, LockStatus.ACTIVE);
    }

    function leaveActive(GhostJob storage job, LockStatus to) private {
        require_(job.lockStatus == LockStatus.ACTIVE, "I3: a lock leaves ACTIVE once");
        job.lockStatus = to;
    }

    /* BONDS */

    function applyBond(Log memory l) private returns (bool) {
        if (l.topics.length < 2) return false;
        GhostJob storage job = ghostJobs[l.topics[1]];
        if (is_(l, IStakeVault.BondAdded.selector)) {
            uint256 amount = firstWord(l);
            // I26: everybody who joins posts what the first one did.
            require_(job.bonds == 0 || amount == job.bond, "I26: bonds of one dispute are equal");
            (job.bond, job.bonds) = (amount, job.bonds + amount);
            moneyIn[l.topics[1]][address(0)] += amount;
            contributed[l.topics[1]][address(0)][addressAt(l, 2)] += amount;
        } else if (is_(l, IStakeVault.BondsSettled.selector)) {
            require_(firstWord(l) == job.bonds, "I2: all bonds are settled at once");
            job.bonds = 0;
        } else {
            return false;
        }
        return true;
    }
}
