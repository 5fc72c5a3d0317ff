// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {Account} from "../../contracts/types/Stake.sol";
import {Cheats, Log} from "./Cheats.sol";

/// @notice The protocol's state as its events alone tell it, and the rules that every event must keep.
/// A broken rule is noted in `violation`; the first one stays.
abstract contract GhostLedger is Cheats {
    /// @dev A job as the events tell it.
    struct GhostJob {
        JobState state;
        address client;
        address operator;
        uint256 fee;
        uint256 deadline;
        uint256 disputeId;
        /// Escrow: what came in, what went out and to whom last.
        uint256 escrow;
        uint256 paid;
        address payee;
        /// Lock: what was locked, what came back, what was slashed, and how often it left ACTIVE.
        uint256 locked;
        uint256 returned;
        uint256 slashed;
        uint256 exits;
    }

    /// @dev A dispute as the events tell it.
    struct GhostDispute {
        uint256 jobId;
        address challenger;
        uint256 proveBy;
        uint256 bond;
        uint256 left;
        bool open;
    }

    string public violation;

    mapping(address => Account) internal ghostAccounts;
    mapping(uint256 => GhostJob) internal ghostJobs;
    mapping(uint256 => GhostDispute) internal ghostDisputes;
    mapping(address => uint256) public ghostOpenChallenges;
    mapping(address => address) public ghostWorkers;
    /// @dev ETH that accounts got out of the vault.
    mapping(address => uint256) public ghostPaidOut;
    uint256 public ghostBurned;
    /// @dev Sum of slashes and lost bond shares, and what became of it.
    uint256 public ghostConfiscated;
    uint256 public ghostHeldEver;
    uint256 public jobsSeen;
    uint256 public disputesSeen;
    mapping(JobState => uint256) public reached;

    function ghostAccount(address account) external view returns (Account memory) {
        return ghostAccounts[account];
    }

    function ghostJob(uint256 id) external view returns (GhostJob memory) {
        return ghostJobs[id];
    }

    function ghostDispute(uint256 id) external view returns (GhostDispute memory) {
        return ghostDisputes[id];
    }

    function applyLogs(Log[] memory logs) internal {
        for (uint256 i = 0; i < logs.length; ++i) {
            Log memory l = logs[i];
            bool known =
                applyOwner(l) || applyEscrow(l) || applyLock(l) || applyBond(l) || applyMarket(l) || applyGame(l);
            require_(known, "an event that nobody knows");
        }
    }

    function require_(bool condition, string memory rule) internal {
        if (!condition && bytes(violation).length == 0) violation = rule;
    }

    /* READING LOGS */

    function is_(Log memory l, bytes32 selector) private pure returns (bool) {
        return l.topics[0] == selector;
    }

    function addressAt(Log memory l, uint256 topic) private pure returns (address) {
        return address(uint160(uint256(l.topics[topic])));
    }

    function uintAt(Log memory l, uint256 topic) private pure returns (uint256) {
        return uint256(l.topics[topic]);
    }

    function amountOf(Log memory l) private pure returns (uint80) {
        uint256 amount = abi.decode(l.data, (uint256));
        return toUint80(amount);
    }

    /// @dev The actors' sums all fit into the narrowest field of an account.
    function toUint80(uint256 amount) private pure returns (uint80) {
        require(amount <= type(uint80).max, "amount");
        return uint80(amount);
    }

    /* THE VAULT */

    function applyOwner(Log memory l) private returns (bool) {
        if (is_(l, IStakeVault.WorkerSet.selector)) {
            delete ghostWorkers[addressAt(l, 3)];
            ghostWorkers[addressAt(l, 2)] = addressAt(l, 1);
            delete ghostWorkers[address(0)];
            return true;
        }
        if (is_(l, IStakeVault.Burned.selector)) {
            ghostBurned += amountOf(l);
            return true;
        }
        if (l.topics.length < 3) return false;
        Account storage account = ghostAccounts[addressAt(l, 2)];
        if (is_(l, IStakeVault.Deposited.selector)) {
            account.free += amountOf(l);
        } else if (is_(l, IStakeVault.UnbondRequested.selector)) {
            (uint256 amount, uint256 readyAt) = abi.decode(l.data, (uint256, uint256));
            account.free -= toUint80(amount);
            account.unbonding += toUint80(amount);
            account.unbondReadyAt = uint40(readyAt);
        } else if (is_(l, IStakeVault.UnbondedWithdrawn.selector)) {
            account.unbonding -= amountOf(l);
            ghostPaidOut[addressAt(l, 2)] += amountOf(l);
        } else if (is_(l, IStakeVault.CreditWithdrawn.selector)) {
            account.credit -= amountOf(l);
            ghostPaidOut[addressAt(l, 2)] += amountOf(l);
        } else if (is_(l, IStakeVault.Credited.selector)) {
            account.credit += amountOf(l);
        } else if (is_(l, IStakeVault.CreditHeld.selector)) {
            (uint256 amount,) = abi.decode(l.data, (uint256, uint256));
            account.held += toUint80(amount);
            ghostHeldEver += amount;
        } else if (is_(l, IStakeVault.CreditReleased.selector)) {
            require_(uintAt(l, 3) == account.heldNext, "held entries leave in order");
            account.held -= amountOf(l);
            account.credit += amountOf(l);
            ++account.heldNext;
        } else {
            return false;
        }
        return true;
    }

    function applyEscrow(Log memory l) private returns (bool) {
        if (l.topics.length < 3) return false;
        GhostJob storage job = ghostJobs[uintAt(l, 2)];
        if (is_(l, IStakeVault.EscrowOpened.selector)) {
            job.escrow = amountOf(l);
        } else if (is_(l, IStakeVault.EscrowReleased.selector)) {
            job.paid += amountOf(l);
            job.payee = addressAt(l, 3);
            ghostAccounts[job.payee].credit += amountOf(l);
        } else {
            return false;
        }
        return true;
    }

    function applyLock(Log memory l) private returns (bool) {
        if (l.topics.length < 4) return false;
        GhostJob storage job = ghostJobs[uintAt(l, 2)];
        Account storage account = ghostAccounts[addressAt(l, 3)];
        if (is_(l, IStakeVault.StakeLocked.selector)) {
            job.locked += amountOf(l);
            account.free -= amountOf(l);
            account.locked += amountOf(l);
        } else if (is_(l, IStakeVault.LockReleased.selector)) {
            ++job.exits;
            job.returned = amountOf(l);
            account.locked -= amountOf(l);
            account.free += amountOf(l);
        } else if (is_(l, IStakeVault.LockSlashed.selector)) {
            ++job.exits;
            (job.slashed, job.returned) = abi.decode(l.data, (uint256, uint256));
            ghostConfiscated += job.slashed;
            account.locked -= toUint80(job.slashed + job.returned);
            account.free += toUint80(job.returned);
        } else {
            return false;
        }
        return true;
    }

    function applyBond(Log memory l) private returns (bool) {
        if (l.topics.length < 4) return false;
        GhostDispute storage dispute = ghostDisputes[uintAt(l, 2)];
        if (is_(l, IStakeVault.BondOpened.selector)) {
            dispute.bond = amountOf(l);
            dispute.left = dispute.bond;
        } else if (is_(l, IStakeVault.BondReleased.selector)) {
            dispute.left -= amountOf(l);
            ghostAccounts[addressAt(l, 3)].credit += amountOf(l);
        } else {
            return false;
        }
        return true;
    }

    /* THE MARKET */

    function applyMarket(Log memory l) private returns (bool) {
        if (l.topics.length < 2) return false;
        uint256 id = uintAt(l, 1);
        GhostJob storage job = ghostJobs[id];
        if (is_(l, IJobMarket.JobCreated.selector)) {
            enter(job, JobState.NONE, JobState.OPEN);
            job.client = addressAt(l, 2);
            (, job.fee, job.deadline,) = abi.decode(l.data, (bytes32, uint256, uint256, string));
            require_(id == ++jobsSeen, "job ids count up");
        } else if (is_(l, IJobMarket.JobCancelled.selector)) {
            enter(job, JobState.OPEN, JobState.CANCELLED);
        } else if (is_(l, IJobMarket.JobExpired.selector)) {
            enter(job, JobState.OPEN, JobState.EXPIRED);
        } else if (is_(l, IJobMarket.JobAccepted.selector)) {
            enter(job, JobState.OPEN, JobState.ASSIGNED);
            job.operator = addressAt(l, 2);
            job.deadline = amountOf(l);
        } else if (is_(l, IJobMarket.JobFailed.selector)) {
            enter(job, JobState.ASSIGNED, JobState.FAILED);
        } else if (is_(l, IJobMarket.ResultCommitted.selector)) {
            enter(job, JobState.ASSIGNED, JobState.COMMITTED);
            (, job.deadline,) = abi.decode(l.data, (bytes32, uint256, string));
        } else if (is_(l, IJobMarket.JobFinalised.selector)) {
            enter(job, JobState.COMMITTED, JobState.FINAL);
            require_(block.timestamp > job.deadline, "I12: final inside the window");
            require_(job.disputeId == 0, "I12: final with a dispute");
        } else if (is_(l, IJobMarket.JobDisputed.selector)) {
            enter(job, JobState.COMMITTED, JobState.DISPUTED);
            require_(block.timestamp <= job.deadline, "disputed after the window");
        } else if (is_(l, IJobMarket.JobProven.selector)) {
            enter(job, JobState.DISPUTED, JobState.PROVEN);
        } else if (is_(l, IJobMarket.JobRejected.selector)) {
            enter(job, JobState.DISPUTED, JobState.REJECTED);
        } else {
            return false;
        }
        return true;
    }

    /// @dev I24: the transitions named here are all there are.
    function enter(GhostJob storage job, JobState from, JobState to) private {
        require_(job.state == from, "I24: a transition that is not in the table");
        job.state = to;
        ++reached[to];
    }

    /* THE GAME */

    function applyGame(Log memory l) private returns (bool) {
        if (l.topics.length < 4) return false;
        uint256 id = uintAt(l, 1);
        GhostDispute storage dispute = ghostDisputes[id];
        GhostJob storage job = ghostJobs[uintAt(l, 2)];
        if (is_(l, IDisputeGame.ResultChallenged.selector)) {
            (,, dispute.proveBy,) = abi.decode(l.data, (address, uint256, uint256, bytes32));
            (dispute.jobId, dispute.challenger, dispute.open) = (uintAt(l, 2), addressAt(l, 3), true);
            job.disputeId = id;
            ++ghostOpenChallenges[job.operator];
            require_(id == ++disputesSeen, "dispute ids count up");
        } else if (is_(l, IDisputeGame.ResultProven.selector)) {
            close(dispute, job);
            require_(block.timestamp <= dispute.proveBy, "proven late");
        } else if (is_(l, IDisputeGame.DefaultClaimed.selector)) {
            close(dispute, job);
            require_(block.timestamp > dispute.proveBy, "default while a proof was due");
        } else {
            return false;
        }
        return true;
    }

    function close(GhostDispute storage dispute, GhostJob storage job) private {
        require_(dispute.open, "a dispute is resolved once");
        dispute.open = false;
        --ghostOpenChallenges[job.operator];
    }
}
