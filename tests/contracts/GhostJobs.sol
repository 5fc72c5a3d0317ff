// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobState, JobTerms, PROOF_REQUIRED} from "../../contracts/types/Job.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {Cheats, Log} from "./Cheats.sol";

/// @notice Jobs and disputes as the events of market and game alone tell them, and the rules that every event must
/// keep. A broken rule is noted in `violation`; the first one stays.
abstract contract GhostJobs is Cheats {
    struct GhostJob {
        JobState state;
        address operator;
        uint256 createdAt; // on the protocol's clock, as all times here
        uint256 deadline;
        uint256 endedAt;
        bytes32 outDigest;
        JobTerms terms;
        // Lock: what was locked, what came back, what was a fine.
        LockStatus lockStatus;
        uint256 locked;
        uint256 returned;
        uint256 fined;
        // Delivery.
        uint256 deliverBy;
        bool delivered;
        // Dispute.
        DisputeState dispute;
        uint256 openedAt;
        uint256 openedAtBlock;
        uint256 proveBy;
        uint256 bond;
        uint256 bonds;
        address[] challengers;
    }

    string public violation;
    address internal ghostToken;

    bytes32[] public ids;
    /// @dev Jobs that came out of a batch: their operator took them before, when it posted the batch.
    mapping(bytes32 id => bool) internal ghostAdopted;
    mapping(bytes32 id => GhostJob) internal ghostJobs;
    mapping(address operator => uint256) public ghostOpenChallenges;
    mapping(JobState => uint256) public reached;
    mapping(DisputeState => uint256) public disputesReached;
    uint256 public missesSeen;
    uint256 public deliveriesSeen;
    uint256 public joinsSeen;

    /// @dev Per job and token: what came into its escrow, bonds and broken locks, and what was credited or burned.
    mapping(bytes32 id => mapping(address token => uint256)) public moneyIn;
    mapping(bytes32 id => mapping(address token => uint256)) public moneyOut;
    mapping(bytes32 id => mapping(address token => uint256)) public burnedOf;
    mapping(bytes32 id => mapping(address token => mapping(address account => uint256))) public contributed;
    mapping(bytes32 id => mapping(address token => mapping(address account => uint256))) public received;

    uint256 internal ghostPausedAt;
    uint256 internal ghostPausedTotal;
    bool public ghostRefund;

    function ghostJob(bytes32 id) external view returns (GhostJob memory) {
        return ghostJobs[id];
    }

    function jobsSeen() public view returns (uint256) {
        return ids.length;
    }

    /// @notice The protocol's clock, from the events.
    function ghostClock() public view returns (uint256) {
        if (ghostPausedAt == 0) return block.timestamp - ghostPausedTotal;
        uint256 stood = block.timestamp - ghostPausedAt;
        return block.timestamp - ghostPausedTotal - (stood < 72 hours ? stood : 72 hours);
    }

    function ghostPaused() public view returns (bool) {
        return ghostPausedAt != 0 && block.timestamp < ghostPausedAt + 72 hours;
    }

    function require_(bool condition, string memory rule) internal {
        if (!condition && bytes(violation).length == 0) violation = rule;
    }

    /* READING LOGS */

    function is_(Log memory l, bytes32 selector) internal pure returns (bool) {
        return l.topics[0] == selector;
    }

    function addressAt(Log memory l, uint256 topic) internal pure returns (address) {
        return address(uint160(uint256(l.topics[topic])));
    }

    function firstWord(Log memory l) internal pure returns (uint256) {
        return abi.decode(l.data, (uint256));
    }

    /// @dev The actors' sums all fit into the narrowest field of an account.
    function toUint80(uint256 amount) internal pure returns (uint80) {
        require(amount <= type(uint80).max, "amount");
        return uint80(amount);
    }

    /* THE MARKET */

    function applyMarket(Log memory l) internal returns (bool) {
        if (l.topics.length < 2) return false;
        bytes32 id = l.topics[1];
        GhostJob storage job = ghostJobs[id];
        if (is_(l, IJobMarket.JobCreated.selector)) applyCreated(l, id, job);
        else if (is_(l, IJobMarket.JobAccepted.selector)) applyAccepted(l, id, job);
        else if (is_(l, IJobMarket.ResultCommitted.selector)) applyCommitted(l, job);
        else if (is_(l, IJobMarket.DeliveryRequested.selector)) applyDeliveryRequested(l, job);
        else if (is_(l, IJobMarket.OutputDelivered.selector)) applyDelivered(job);
        else return applyEnd(l, job);
        return true;
    }

    function applyCreated(Log memory l, bytes32 id, GhostJob storage job) private {
        enter(job, JobState.NONE, JobState.OPEN);
        (JobTerms memory terms, uint256 assignUntil,) = abi.decode(l.data, (JobTerms, uint256, string));
        (job.terms, job.deadline, job.createdAt) = (terms, assignUntil, ghostClock());
        bytes32 expected = keccak256(abi.encode(block.chainid, l.emitter, terms));
        require_(id == expected, "the id is the hash of the terms");
        ids.push(id);
    }

    function applyAccepted(Log memory l, bytes32 id, GhostJob storage job) private {
        enter(job, JobState.OPEN, JobState.ASSIGNED);
        job.operator = addressAt(l, 2);
        job.deadline = firstWord(l);
        require_(ghostAdopted[id] || !isJailed(job.operator), "I23: a jailed operator was assigned");
    }

    function applyCommitted(Log memory l, GhostJob storage job) private {
        enter(job, JobState.ASSIGNED, JobState.COMMITTED);
        require_(job.outDigest == 0, "I15: committed twice");
        require_(addressAt(l, 2) == job.operator, "I15: committed for another operator");
        (job.outDigest, job.deadline,) = abi.decode(l.data, (bytes32, uint256, string));
    }

    function applyDeliveryRequested(Log memory l, GhostJob storage job) private {
        bool hasResult = job.state == JobState.COMMITTED || job.state == JobState.DISPUTED;
        require_(hasResult && job.deliverBy == 0, "a delivery is requested once");
        (, job.deliverBy) = abi.decode(l.data, (uint256, uint256));
    }

    function applyDelivered(GhostJob storage job) private {
        require_(job.deliverBy != 0 && !job.delivered && ghostClock() <= job.deliverBy, "delivered unasked or late");
        job.delivered = true;
        ++deliveriesSeen;
    }

    function applyEnd(Log memory l, GhostJob storage job) private returns (bool) {
        if (is_(l, IJobMarket.JobCancelled.selector)) {
            enter(job, JobState.OPEN, JobState.CANCELLED);
        } else if (is_(l, IJobMarket.JobExpired.selector)) {
            enter(job, JobState.OPEN, JobState.EXPIRED);
        } else if (is_(l, IJobMarket.JobRefused.selector)) {
            enter(job, JobState.ASSIGNED, JobState.REFUSED);
        } else if (is_(l, IJobMarket.JobFailed.selector)) {
            enter(job, job.state == JobState.COMMITTED ? JobState.COMMITTED : JobState.ASSIGNED, JobState.FAILED);
        } else if (is_(l, IJobMarket.JobFinalised.selector)) {
            enter(job, JobState.COMMITTED, JobState.FINAL);
            require_(ghostClock() > job.deadline, "I12: final inside the window");
            require_(job.dispute == DisputeState.NONE, "I12: final with a dispute");
            require_(job.terms.verifyMask != PROOF_REQUIRED, "final without the proof it requires");
            require_(job.deliverBy == 0 || job.delivered, "final without the output it owes");
        } else if (is_(l, IJobMarket.JobDisputed.selector)) {
            enter(job, JobState.COMMITTED, JobState.DISPUTED);
            require_(ghostClock() <= job.deadline, "disputed after the window");
        } else if (is_(l, IJobMarket.JobProven.selector)) {
            enter(job, JobState.DISPUTED, JobState.PROVEN);
        } else if (is_(l, IJobMarket.JobRejected.selector)) {
            bool isFraud = job.dispute == DisputeState.FRAUD_PROVEN;
            bool isLive = job.state == JobState.ASSIGNED || job.state == JobState.COMMITTED;
            enter(job, isFraud && isLive ? job.state : JobState.DISPUTED, JobState.REJECTED);
            job.deadline = firstWord(l);
        } else if (is_(l, IJobMarket.JobVoided.selector)) {
            require_(ghostRefund && job.state < JobState.FINAL, "voided without the refund mode");
            enter(job, job.state, JobState.VOIDED);
        } else {
            return false;
        }
        return true;
    }

    /// @dev I24: the transitions named here are all there are, and states only grow.
    function enter(GhostJob storage job, JobState from, JobState to) private {
        require_(job.state == from && to > from, "I24: a transition that is not in the table");
        job.state = to;
        if (to >= JobState.FINAL) job.endedAt = ghostClock();
        ++reached[to];
    }

    function isJailed(address operator) internal view virtual returns (bool);

    /* THE GAME */

    function applyGame(Log memory l) internal returns (bool) {
        if (is_(l, IDisputeGame.EvidenceAnnounced.selector)) return true;
        if (l.topics.length < 2) return false;
        GhostJob storage job = ghostJobs[l.topics[1]];
        if (is_(l, IDisputeGame.ResultChallenged.selector)) {
            resolve(job, DisputeState.NONE, DisputeState.OPEN);
            (, job.proveBy,) = abi.decode(l.data, (uint256, uint256, bytes32));
            (job.openedAt, job.openedAtBlock) = (ghostClock(), block.number);
            if (addressAt(l, 2) != address(0)) job.challengers.push(addressAt(l, 2));
            ++ghostOpenChallenges[job.operator];
        } else if (is_(l, IDisputeGame.ChallengeJoined.selector)) {
            require_(job.dispute == DisputeState.OPEN, "joined no dispute");
            job.challengers.push(addressAt(l, 2));
            ++joinsSeen;
        } else if (is_(l, IDisputeGame.ResultProven.selector)) {
            close(job, DisputeState.DEFENDER_PROVEN);
            require_(ghostClock() <= job.proveBy, "proven late");
        } else if (is_(l, IDisputeGame.DefaultClaimed.selector)) {
            close(job, DisputeState.DEFAULT);
            require_(ghostClock() > job.proveBy, "default while a proof was due");
        } else if (is_(l, IDisputeGame.EquivocationProven.selector)) {
            applyFraud(job);
        } else if (is_(l, IDisputeGame.RewardShared.selector)) {
            applyShared(job, addressAt(l, 2));
        } else if (is_(l, IDisputeGame.SlashDistributed.selector)) {
            require_(ghostClock() > job.deadline, "distributed within the airgap");
            resolve(job, job.dispute, DisputeState.DISTRIBUTED);
        } else if (is_(l, IDisputeGame.SlashCured.selector)) {
            require_(ghostClock() <= job.deadline, "cured after the airgap");
            resolve(job, DisputeState.DEFAULT, DisputeState.CURED);
        } else if (is_(l, IDisputeGame.DisputeVoided.selector)) {
            require_(ghostRefund, "a dispute voided without the refund mode");
            if (job.dispute == DisputeState.OPEN) close(job, DisputeState.VOIDED);
            else resolve(job, job.dispute, DisputeState.VOIDED);
        } else {
            return false;
        }
        return true;
    }

    function applyFraud(GhostJob storage job) private {
        if (job.dispute == DisputeState.OPEN) --ghostOpenChallenges[job.operator];
        require_(job.dispute <= DisputeState.OPEN, "fraud after a verdict");
        job.dispute = DisputeState.FRAUD_PROVEN;
        ++disputesReached[DisputeState.FRAUD_PROVEN];
    }

    /// @dev Those who challenged already share with the others.
    function applyShared(GhostJob storage job, address account) private {
        for (uint256 i = 0; i < job.challengers.length; ++i) {
            require_(job.challengers[i] != account, "nobody has two shares");
        }
        job.challengers.push(account);
    }

    function close(GhostJob storage job, DisputeState to) private {
        resolve(job, DisputeState.OPEN, to);
        --ghostOpenChallenges[job.operator];
    }

    function resolve(GhostJob storage job, DisputeState from, DisputeState to) private {
        require_(job.dispute == from && to > from, "a dispute is resolved once");
        job.dispute = to;
        ++disputesReached[to];
    }
}
