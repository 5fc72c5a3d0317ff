// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISessionMarket} from "../../contracts/interfaces/ISessionMarket.sol";
import {BatchState, SessionState, SessionTerms} from "../../contracts/types/Session.sol";
import {Log} from "./Cheats.sol";
import {GhostLedger} from "./GhostLedger.sol";

/// @notice Sessions and batches as their market's events alone tell them, and the rules that every event must keep. Their
/// money is in the ghost ledger, under their ids.
abstract contract GhostSessions is GhostLedger {
    struct GhostSession {
        SessionState state;
        SessionTerms terms;
        uint256 closesAt;
        uint256 deposit;
    }

    struct GhostBatch {
        BatchState state;
        bytes32 session;
        address operator;
        uint256 count;
        uint256 extracted;
        uint256 challengeUntil;
    }

    bytes32[] public sessionIds;
    bytes32[] public batchIds;
    mapping(bytes32 id => GhostSession) internal ghostSessions;
    mapping(bytes32 id => GhostBatch) internal ghostBatches;
    mapping(bytes32 batch => mapping(uint256 index => bool)) internal ghostExtracted;
    mapping(SessionState => uint256) public sessionsReached;
    mapping(BatchState => uint256) public batchesReached;
    uint256 public extractionsSeen;

    function ghostSession(bytes32 id) external view returns (GhostSession memory) {
        return ghostSessions[id];
    }

    function ghostBatch(bytes32 id) external view returns (GhostBatch memory) {
        return ghostBatches[id];
    }

    function sessionsSeen() external view returns (uint256) {
        return sessionIds.length;
    }

    function batchesSeen() external view returns (uint256) {
        return batchIds.length;
    }

    /* SESSIONS */

    function applySessions(Log memory l) internal override returns (bool) {
        if (l.topics.length < 2) return false;
        bytes32 id = l.topics[1];
        GhostSession storage session = ghostSessions[id];
        if (is_(l, ISessionMarket.SessionOpened.selector)) {
            turn(session, SessionState.NONE, SessionState.OPEN);
            (session.terms,) = abi.decode(l.data, (SessionTerms, uint256));
            bytes32 expected = keccak256(abi.encode("zkDPS session", block.chainid, l.emitter, session.terms));
            require_(id == expected, "the id is the hash of the terms");
            sessionIds.push(id);
        } else if (is_(l, ISessionMarket.DepositAdded.selector)) {
            require_(session.state == SessionState.OPEN, "deposited into a session that is not open");
            session.deposit += firstWord(l);
        } else if (is_(l, ISessionMarket.SessionClosing.selector)) {
            turn(session, SessionState.OPEN, SessionState.CLOSING);
            session.closesAt = firstWord(l);
        } else if (is_(l, ISessionMarket.SessionClosed.selector)) {
            end(l, session, SessionState.CLOSED);
        } else if (is_(l, ISessionMarket.SessionVoided.selector)) {
            require_(ghostRefund, "a session voided without the refund mode");
            end(l, session, SessionState.VOIDED);
        } else {
            return applyBatch(l);
        }
        return true;
    }

    function turn(GhostSession storage session, SessionState from, SessionState to) private {
        require_(session.state == from, "I24: a session's transition that is not in the table");
        session.state = to;
        ++sessionsReached[to];
    }

    function end(Log memory l, GhostSession storage session, SessionState to) private {
        bool lives = session.state == SessionState.OPEN || session.state == SessionState.CLOSING;
        require_(lives, "I24: a session ends once");
        require_(firstWord(l) == session.deposit, "I2: the rest of a deposit goes back whole");
        (session.state, session.deposit) = (to, 0);
        ++sessionsReached[to];
    }

    /* BATCHES */

    function applyBatch(Log memory l) private returns (bool) {
        if (is_(l, ISessionMarket.BatchCommitted.selector)) {
            applyBatchCommitted(l);
        } else if (is_(l, ISessionMarket.ResultExtracted.selector)) {
            applyExtracted(l);
        } else if (is_(l, ISessionMarket.BatchFinalised.selector)) {
            GhostBatch storage batch = ghostBatches[l.topics[1]];
            require_(ghostClock() > batch.challengeUntil, "I12: a batch final inside its window");
            require_(firstWord(l) == batch.count - batch.extracted, "I12: paid for a result that left the batch");
            endBatch(batch, BatchState.FINAL);
        } else if (is_(l, ISessionMarket.BatchVoided.selector)) {
            require_(ghostRefund, "a batch voided without the refund mode");
            endBatch(ghostBatches[l.topics[1]], BatchState.VOIDED);
        } else {
            return false;
        }
        return true;
    }

    function applyBatchCommitted(Log memory l) private {
        (bytes32 id, GhostSession storage session) = (l.topics[2], ghostSessions[l.topics[1]]);
        GhostBatch storage batch = ghostBatches[id];
        bool mayPost = session.state == SessionState.OPEN
            || (session.state == SessionState.CLOSING && ghostClock() <= session.closesAt);
        require_(mayPost, "I24: a batch of a session that takes none");
        require_(batch.state == BatchState.NONE, "I15: committed twice");
        require_(addressAt(l, 3) == session.terms.operator, "I15: committed for another operator");
        require_(!isJailed(session.terms.operator), "I23: a jailed operator posted a batch");
        (bytes32 root, uint256 count, uint256 until,) = abi.decode(l.data, (bytes32, uint256, uint256, bytes));
        require_(id == keccak256(abi.encode("zkDPS batch", l.topics[1], root)), "the id names session and root");
        (batch.state, batch.session, batch.operator) = (BatchState.COMMITTED, l.topics[1], session.terms.operator);
        (batch.count, batch.challengeUntil) = (count, until);
        require_(session.deposit >= count * session.terms.fee, "I2: a batch that its deposit does not pay");
        session.deposit -= count * session.terms.fee;
        batchIds.push(id);
        ++batchesReached[BatchState.COMMITTED];
    }

    function applyExtracted(Log memory l) private {
        (bytes32 id, bytes32 job, uint256 index) = (l.topics[1], l.topics[2], firstWord(l));
        GhostBatch storage batch = ghostBatches[id];
        require_(batch.state == BatchState.COMMITTED, "I24: extracted from a batch that is settled");
        require_(ghostClock() <= batch.challengeUntil, "I12: extracted after the window");
        require_(index < batch.count && !ghostExtracted[id][index], "I15: a result leaves its batch once");
        ghostExtracted[id][index] = true;
        ++batch.extracted;
        ghostAdopted[job] = true;
        ++extractionsSeen;
    }

    function endBatch(GhostBatch storage batch, BatchState to) private {
        require_(batch.state == BatchState.COMMITTED, "I24: a batch ends once");
        batch.state = to;
        ++batchesReached[to];
    }
}
