// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISessionMarket} from "../../contracts/interfaces/ISessionMarket.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobTerms} from "../../contracts/types/Job.sol";
import {BatchItem, BatchState, Leaf, OpenParams, SessionState} from "../../contracts/types/Session.sol";
import {GameHandler} from "./GameHandler.sol";
import {TreeBuilder} from "./TreeBuilder.sol";

/// @notice Random steps of sessions and batches: any of the people may be a session's client, its operator, both, or
/// somebody who challenges a result; requests come late, twice and signed by others.
abstract contract SessionHandler is GameHandler, TreeBuilder {
    uint256 private constant LIVE_SESSIONS = 2; // few at a time, so that many reach their end
    uint256 private constant MOST = 4; // results in a batch

    /// @dev What a test remembers of a batch beside the events.
    struct Posted {
        Leaf[] leaves;
        bytes32[] hashes;
        bytes32[] jobIds;
    }

    bytes32[] private liveSessions;
    bytes32[] private liveBatches;
    mapping(bytes32 session => uint32) private nextNonce;
    mapping(bytes32 batch => Posted) private posted;
    uint64 private sessionSalt;

    /* SESSIONS */

    function openSession(uint256 who, uint256 other, uint256 fee_) external {
        if (liveSessions.length == LIVE_SESSIONS) return;
        bool isToken = fee_ % 4 == 0;
        uint96 fee = uint96(fee_ % 3 == 0 ? bound(fee_, 1, 1000) : bound(fee_, 1, 0.003 ether));
        // Not a whole number of fees: something is left at the end.
        uint96 deposit = uint96(fee * (1 + fee_ % 9) + fee_ % fee);
        OpenParams memory params = OpenParams({
            signer: personOf(who),
            operator: personOf(other),
            version: world.version,
            token: isToken ? address(world.token) : ETH,
            fee: fee,
            salt: ++sessionSalt
        });
        bytes memory call = abi.encodeCall(ISessionMarket.openSession, (params, deposit));
        if (!expectPaid(running(), personOf(who), params.token, deposit, call)) return;
        liveSessions.push(sessionIds[sessionIds.length - 1]);
    }

    /// @notice Any step of a session that lives.
    function stepSession(uint256 which, uint256 step, uint256 who, uint256 x) external {
        if (liveSessions.length == 0) return;
        uint256 place = which % liveSessions.length;
        bytes32 id = liveSessions[place];
        GhostSession memory session = ghostSessions[id];
        address person = personOf(who);
        step = step % 16;
        if (step == 0) addDepositAs(id, session, person, x);
        else if (step < 3) closeAs(id, session, step == 1 ? person : session.terms.client, x);
        else if (step < 5) endAs(id, session, person);
        else postAs(id, session, x, step == 5 ? person : session.terms.operator);
        if (ghostSessions[id].state > SessionState.CLOSING) {
            liveSessions[place] = liveSessions[liveSessions.length - 1];
            liveSessions.pop();
        }
    }

    function addDepositAs(bytes32 id, GhostSession memory session, address person, uint256 x) private {
        uint96 amount = uint96(bound(x, 1, 3 * uint256(session.terms.fee)));
        if (x % 3 != 0) person = session.terms.client;
        bool legal = running() && session.state == SessionState.OPEN && person == session.terms.client;
        bytes memory call = abi.encodeCall(ISessionMarket.addDeposit, (JobId.wrap(id), amount));
        expectPaid(legal, person, session.terms.token, amount, call);
    }

    function closeAs(bytes32 id, GhostSession memory session, address person, uint256 x) private {
        // An owner or a worker; a worker closes for whom it serves.
        address caller = x % 2 == 0 ? person : workerOrPerson(person);
        bool forOperator =
            caller == session.terms.operator || serves(person, session.terms.operator) && caller != person;
        bool forClient = caller == session.terms.client && session.state == SessionState.OPEN;
        bytes memory call = abi.encodeCall(ISessionMarket.closeSession, (JobId.wrap(id)));
        expect(running() && (forOperator || forClient), address(world.sessions), caller, 0, call);
    }

    function endAs(bytes32 id, GhostSession memory session, address person) private {
        bytes memory call = abi.encodeCall(ISessionMarket.voidSession, (JobId.wrap(id)));
        expect(ghostRefund, address(world.sessions), person, 0, call);
        if (ghostRefund) return;
        bool legal = running() && session.state == SessionState.CLOSING && ghostClock() > session.closesAt;
        call = abi.encodeCall(ISessionMarket.withdrawSession, (JobId.wrap(id)));
        expect(legal, address(world.sessions), person, 0, call);
    }

    /* BATCHES */

    /// @dev Mostly as it should be; one time in eight each with a nonce that was used, a request that is over, or one
    /// that somebody else signed.
    function postAs(bytes32 id, GhostSession memory session, uint256 x, address person) private {
        uint256 count = 1 + x % MOST;
        uint256 fault = x / MOST % 8;
        uint32 first = nextNonce[id];
        bool isReplay = fault == 0 && first != 0;
        Posted memory p = answer(id, session, isReplay ? first - 1 : first, count);
        BatchItem[] memory items = new BatchItem[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 until = fault == 1 && i == count - 1 ? ghostClock() - 1 : ghostClock() + x % 100;
            address signer = fault == 2 && i == 0 ? people[(x >> 8) % PEOPLE] : session.terms.signer;
            items[i] = sign(id, p.leaves[i], uint40(until), signer);
        }
        bool isForeign = fault == 2 && people[(x >> 8) % PEOPLE] != session.terms.signer;
        bool legal = mayPost(session, count, person) && !isReplay && fault != 1 && !isForeign;
        bytes memory call = abi.encodeCall(ISessionMarket.commitBatch, (JobId.wrap(id), items));
        if (!expect(legal, address(world.sessions), workerOrPerson(person), 0, call)) return;
        nextNonce[id] = first + uint32(count);
        remember(batchIds[batchIds.length - 1], p);
        // The same once more.
        expect(false, address(world.sessions), workerOrPerson(person), 0, call);
    }

    function mayPost(GhostSession memory session, uint256 count, address person) private view returns (bool) {
        bool takes = session.state == SessionState.OPEN
            || (session.state == SessionState.CLOSING && ghostClock() <= session.closesAt);
        address operator = session.terms.operator;
        uint256 lock = count * lockOf(session.terms.token, session.terms.fee);
        bool isBacked =
            ghostAccounts[session.terms.token][operator].free >= lock && session.deposit >= count * session.terms.fee;
        return running() && takes && serves(person, operator) && !isJailed(operator) && isBacked;
    }

    function answer(bytes32 id, GhostSession memory session, uint32 first, uint256 count)
        private
        view
        returns (Posted memory p)
    {
        (p.leaves, p.hashes, p.jobIds) = (new Leaf[](count), new bytes32[](count), new bytes32[](count));
        JobTerms memory terms;
        (terms.client, terms.version) = (session.terms.client, session.terms.version);
        (terms.token, terms.fee) = (session.terms.token, session.terms.fee);
        for (uint256 i = 0; i < count; ++i) {
            uint32 nonce = first + uint32(i);
            terms.inDigest = keccak256(abi.encode("input", id, nonce));
            terms.salt = uint256(keccak256(abi.encode(id, nonce)));
            p.jobIds[i] = keccak256(abi.encode(block.chainid, address(world.market), terms));
            p.leaves[i] = Leaf(uint16(i), nonce, terms.inDigest, outDigestOf(p.jobIds[i]));
            p.hashes[i] = keccak256(abi.encodePacked(hex"00", p.jobIds[i], p.leaves[i].outDigest));
        }
    }

    function sign(bytes32 id, Leaf memory leaf, uint40 until, address signer)
        private
        view
        returns (BatchItem memory item)
    {
        uint256 key = PERSON_KEY;
        while (vm.addr(key) != signer) ++key;
        bytes32 hash = world.sessions.hashRequest(JobId.wrap(id), leaf.nonce, leaf.inDigest, until);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        bytes32 vs = bytes32(uint256(s) | uint256(v - 27) << 255);
        return BatchItem(leaf.nonce, until, leaf.inDigest, leaf.outDigest, r, vs);
    }

    function remember(bytes32 batch, Posted memory p) private {
        liveBatches.push(batch);
        for (uint256 i = 0; i < p.leaves.length; ++i) {
            posted[batch].leaves.push(p.leaves[i]);
            posted[batch].hashes.push(p.hashes[i]);
            posted[batch].jobIds.push(p.jobIds[i]);
        }
    }

    /// @notice Any step of a batch that is not settled, or of one of its results.
    function stepBatch(uint256 which, uint256 step, uint256 who, uint256 x) external {
        if (liveBatches.length == 0) return;
        uint256 place = which % liveBatches.length;
        bytes32 id = liveBatches[place];
        address person = personOf(who);
        step = step % 8;
        if (step < 3) challengeLeafAs(id, person, x);
        else if (step == 3) extractAs(id, person, x);
        else endBatchAs(id, person);
        if (ghostBatches[id].state > BatchState.COMMITTED) {
            liveBatches[place] = liveBatches[liveBatches.length - 1];
            liveBatches.pop();
        }
    }

    function endBatchAs(bytes32 id, address person) private {
        bytes memory call = abi.encodeCall(ISessionMarket.voidBatch, (JobId.wrap(id)));
        expect(ghostRefund, address(world.sessions), person, 0, call);
        if (ghostRefund) return;
        bool legal = running() && ghostClock() > ghostBatches[id].challengeUntil;
        call = abi.encodeCall(ISessionMarket.finaliseBatch, (JobId.wrap(id)));
        // Strangers come late, and earn a tip then.
        expect(legal, address(world.sessions), workerOrPerson(person), 0, call);
    }

    function extractAs(bytes32 id, address person, uint256 x) private {
        Posted storage p = posted[id];
        uint256 index = x % p.leaves.length;
        address client = ghostSessions[ghostBatches[id].session].terms.client;
        if (x % 4 != 0) person = client;
        bool legal = mayLeave(id) && person == client && !ghostExtracted[id][index];
        bytes memory call =
            abi.encodeCall(ISessionMarket.extract, (JobId.wrap(id), p.leaves[index], buildPath(p.hashes, index)));
        if (expect(legal, address(world.sessions), person, 0, call)) live.push(p.jobIds[index]);
    }

    function challengeLeafAs(bytes32 id, address person, uint256 x) private {
        Posted storage p = posted[id];
        (uint256 index, bytes32 job) = (x % p.leaves.length, p.jobIds[x % p.leaves.length]);
        bool isJob = ghostExtracted[id][index];
        uint256 bond = isJob && ghostJobs[job].bonds != 0 ? ghostJobs[job].bond : computeBond();
        // Too little, exact, or too much.
        uint256 value = x % 4 == 0 ? bond - 1 + uint160(person) % 3 : bond;
        bool legal = (isJob ? mayChallenge(ghostJobs[job], person) : mayLeave(id)) && value >= bond;
        bytes32[] memory path = buildPath(p.hashes, index);
        bytes memory call = abi.encodeCall(ISessionMarket.challenge, (JobId.wrap(id), p.leaves[index], path));
        // A result that was not committed, or not there.
        if (x % 16 == 1) {
            (legal, call) =
            (false, abi.encodeCall(ISessionMarket.challenge, (JobId.wrap(id), forged(p, index, x), path)));
        }
        if (!expect(legal, address(world.sessions), person, value, call)) return;
        noteExcess(job, person, value - bond);
        if (!isJob) live.push(job);
    }

    function forged(Posted storage p, uint256 index, uint256 x) private view returns (Leaf memory leaf) {
        leaf = p.leaves[index];
        if (x % 3 == 0) ++leaf.index;
        else if (x % 3 == 1) ++leaf.nonce;
        else leaf.outDigest = keccak256(abi.encode(leaf.outDigest));
    }

    function mayLeave(bytes32 id) private view returns (bool) {
        GhostBatch storage batch = ghostBatches[id];
        return running() && batch.state == BatchState.COMMITTED && ghostClock() <= batch.challengeUntil;
    }

    /// @dev Makes a call that is paid in ETH along with it, or in tokens from the allowance.
    function expectPaid(bool legal, address person, address token, uint256 amount, bytes memory call)
        private
        returns (bool success)
    {
        success = expect(legal, address(world.sessions), person, token == ETH ? amount : 0, call);
        if (success && token != ETH) paidIn[token][person] += amount;
    }
}
