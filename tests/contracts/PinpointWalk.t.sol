// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {IPinpointGame} from "../../contracts/interfaces/IPinpointGame.sol";
import {Claim} from "../../contracts/types/Claim.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState, JobTerms} from "../../contracts/types/Job.sol";
import {Phase, Pin, PinpointDispute, Search, SearchMeta, Tree} from "../../contracts/types/Pinpoint.sol";
import {Account, LockStatus} from "../../contracts/types/Stake.sol";
import {Log} from "./Cheats.sol";
import {PinpointBooks} from "./PinpointBooks.sol";

/// @notice A job whose result is right or wrong, an operator that defends it or is silent, somebody who looks or nobody,
/// and strangers who do anything at any time; adjudicators say what is true. After every step the vault holds what its
/// books say (I1). At the end everything is over after a bounded number of rounds (I16, I17); an honest operator was not
/// slashed (I9) and has lost nothing, a watcher that was right has gained (I7); a wrong result that somebody looked at is
/// not final (I10); whoever was slashed has lost a quarter of its lock for good, whoever its friends are (I8); and no
/// challenge is left open. Faults planted by hand (a bond paid twice, lost or its joiner's; a place not freed; a
/// forgotten release; a timeout a second early; a win in the challenge's own block; a final job in dispute; a joiner
/// without reward) are each found by one of these or of PinpointBooks; a cure beside another doubt by PinpointShields.
contract PinpointWalkTest is PinpointBooks {
    uint256 private constant STEPS = 24;
    uint256 private constant ROUNDS = 12;
    uint256 private constant WALKS = 60;
    uint256 private constant STRANGERS = 3;
    uint256 private constant OPS = 8;
    uint256 private constant LAYER_OPS = 4;
    address private immutable WATCHER = vm.addr(4);

    /// The dice.
    uint256 private dice;
    /// The world of this walk.
    bool private isWrong;
    bool private isSilent;
    bool private isWatched;
    bool private isOp;
    bool private isRefund;
    uint256 private wrongOp;
    /// The positions of searches and the claims of pins.
    mapping(uint256 key => Search) private positions;
    mapping(uint256 key => Claim) private claims;

    /* THE WALK */

    /// forge-config: default.fuzz.runs = 40
    function test_walk__nobody_honest_loses(uint256 seed) public {
        walk(seed);
    }

    /// @notice The walks are no empty ones: together they reach every end of a job and of a dispute.
    function test_walks__reach_every_end() public {
        bool[13] memory jobEnds;
        bool[12] memory phases;
        for (uint256 seed = 0; seed < WALKS; ++seed) {
            uint256 state = vm.snapshotState();
            this.walkApart(seed);
            jobEnds[uint256(market.getJob(jobId).state)] = true;
            for (uint256 i = 0; i < keys.length; ++i) {
                phases[uint256(disputeOf(jobId, keys[i]).phase)] = true;
            }
            vm.revertToState(state);
        }
        assertTrue(jobEnds[uint256(JobState.FINAL)], "final");
        assertTrue(jobEnds[uint256(JobState.PROVEN)], "proven");
        assertTrue(jobEnds[uint256(JobState.REJECTED)], "rejected");
        assertTrue(jobEnds[uint256(JobState.VOIDED)], "voided");
        assertTrue(phases[uint256(Phase.DEFENDER_PROVEN)], "defended");
        assertTrue(phases[uint256(Phase.FRAUD_PROVEN)], "refuted");
        assertTrue(phases[uint256(Phase.DEFAULT)], "silent");
        assertTrue(phases[uint256(Phase.CHALLENGER_TIMEOUT)], "gave up");
        assertTrue(phases[uint256(Phase.CANCELLED)], "cancelled");
        assertTrue(phases[uint256(Phase.VOIDED)], "dispute voided");
    }

    /// @dev With memory of its own.
    function walkApart(uint256 seed) external {
        walk(seed);
    }

    function walk(uint256 seed) private {
        dice = uint256(keccak256(abi.encode(seed)));
        setScene();
        uint256 operatorBefore = wealthOf(OWNER);
        uint256 watcherBefore = wealthOf(WATCHER);
        for (uint256 i = 0; i < STEPS; ++i) {
            step();
            assertBooks();
        }
        finish();
        checkEnd(operatorBefore, watcherBefore);
    }

    function roll(uint256 sides) private returns (uint256 result) {
        result = dice % sides;
        dice = uint256(keccak256(abi.encode(dice)));
    }

    function setScene() private {
        isWrong = roll(2) == 0;
        isSilent = isWrong && roll(3) == 0;
        isWatched = roll(4) != 0;
        isOp = roll(2) == 0;
        if (isWrong) {
            wrongOp = roll(OPS);
            for (uint256 op = wrongOp; op < OPS; ++op) {
                digests[op] = keccak256(abi.encode("wrong", op));
            }
        }
        jobId = acceptedJob();
        vm.prank(WORKER);
        market.commitResult(jobId, outDigest(), "file:output");
        // A silent operator may have fallen silent after its trace.
        if (roll(2) == 0) post();
    }

    function outDigest() private view returns (bytes32) {
        return digests[OPS - 1];
    }

    function step() private {
        uint256 kind = roll(16);
        if (kind < 3) pinAndJudge(stranger(), roll(4) == 0 ? wrongOp : roll(OPS), uint64(roll(4)));
        else if (kind == 3) openAs(stranger());
        else if (kind == 4) joinAs(stranger());
        else if (kind == 5) wander();
        else if (kind == 6) challengeWhole(stranger());
        else if (kind == 7 && keys.length != 0) judge(stranger(), keys[roll(keys.length)]);
        else if (kind == 8 && keys.length != 0) timeOutAt(keys[roll(keys.length)]);
        else if (kind == 9 && keys.length != 0) resolve(keys[roll(keys.length)]);
        else if (kind == 10) pauseFor(1 + roll(99));
        else if (kind == 11 && roll(5) == 0) refund();
        else if (kind == 12) finalise();
        else pass(roll(6));
    }

    /// @dev Whoever pins what is wrong does not win at once.
    function pinAndJudge(address challenger, uint256 op, uint64 elem) private {
        if (pinAt(challenger, op, elem) && isWrongOp(op)) judge(challenger, pinKey(op, elem));
    }

    /// @dev Often just as the last second of whoever is on turn begins.
    function timeOutAt(uint256 key) private {
        uint256 deadline = lookAt(key).deadline;
        if (roll(2) == 0 && deadline > market.clock() && market.clock() == block.timestamp) {
            // A long time: whoever is honest leaves no turn of its own behind.
            actFully();
            pass(deadline - block.timestamp);
        }
        timeOut(key);
    }

    /// @dev As soon as anybody may.
    function finalise() private {
        uint256 disputes = pins.countOpen(jobId);
        bytes memory call = abi.encodeCall(pins.finaliseDefended, (jobId));
        if (send(stranger(), address(pins), 0, call)) assertEq(disputes, 0, "I10: final while disputed");
        send(stranger(), address(market), 0, abi.encodeCall(IJobMarket.finalise, (jobId)));
    }

    function stranger() private returns (address account) {
        account = vm.addr(500 + roll(STRANGERS));
        if (account.balance < 10 ether) vm.deal(account, 100 ether);
    }

    /// @dev Before time passes, whoever is honest has done what is due.
    function pass(uint256 seconds_) private {
        actHonestly();
        vm.warp(block.timestamp + seconds_);
        vm.roll(block.number + 1);
    }

    /// @dev Nobody can move, and no clock runs (I19).
    function pauseFor(uint256 seconds_) private {
        if (isRefund || roll(4) != 0 || market.clock() != block.timestamp) return;
        vm.prank(address(guardian));
        market.pause();
        vm.warp(block.timestamp + seconds_);
        for (uint256 i = 0; i < keys.length; ++i) {
            assertTrue(!timeOut(keys[i]), "I19: a clock ran out during a pause");
        }
        vm.prank(address(guardian));
        market.unpause();
    }

    function refund() private {
        if (isRefund) return;
        isRefund = true;
        vm.prank(address(guardian));
        market.enterRefundMode();
    }

    /* THE HONEST */

    function actHonestly() private {
        if (isWatched && isWrong) watch();
        if (!isSilent) defend();
    }

    /// @dev Until nothing is left to do in this second.
    function actFully() private {
        for (uint256 i = 0; i < 4; ++i) {
            actHonestly();
            vm.roll(block.number + 1);
        }
    }

    function defend() private {
        for (uint256 i = 0; i < keys.length; ++i) {
            defendIn(keys[i]);
        }
        if (!isWrong && game.getDispute(jobId).state == DisputeState.OPEN) {
            JobTerms memory terms = termsOf(jobId);
            send(WORKER, address(game), 0, abi.encodeCall(IDisputeGame.prove, (jobId, terms, "", "", "")));
        }
    }

    function defendIn(uint256 key) private {
        Phase phase = disputeOf(jobId, key).phase;
        if (phase == Phase.TRACE && pins.getTrace(jobId).postedAt == 0) post();
        // One turn may take an expansion and a reveal.
        for (uint256 i = 0; i < 2 && disputeOf(jobId, key).phase == Phase.REVEAL; ++i) {
            reveal(key);
        }
        if (phase == Phase.LEAF && !isWrongOp(claims[key].op)) judge(WORKER, key);
    }

    function isWrongOp(uint256 op) private view returns (bool) {
        return isWrong && op == wrongOp;
    }

    function post() private {
        bytes32[] memory path = buildPath(layerLeaves(isOp), layers - 1);
        bytes32 last = isOp ? opRootOf(layers - 1) : bytes32(0);
        bytes memory call = abi.encodeCall(pins.postTrace, (jobId, traceRoot(isOp), isOp, last, path, "file:trace"));
        send(WORKER, address(pins), 0, call);
    }

    function reveal(uint256 key) private {
        Search memory at = positions[key];
        uint256 meta = SearchMeta.unwrap(at.meta);
        address challenger = disputeOf(jobId, key).challenger;
        if (Tree(uint8(meta >> 112)) == Tree.LAYERS) {
            revealRoot(at, challenger);
            return;
        }
        uint256 layer = uint64(meta) >> 32;
        if (!isOp && pins.getOpRoot(jobId, layer) == 0) {
            send(WORKER, address(pins), 0, abi.encodeCall(pins.expand, (jobId, makeEnd(layer, false))));
            return;
        }
        bytes32[] memory none;
        bytes memory call = abi.encodeCall(pins.revealOps, (jobId, challenger, at, none, opDigests(layer)));
        send(WORKER, address(pins), 0, call);
    }

    function revealRoot(Search memory at, address challenger) private {
        bytes32[] memory tops = new bytes32[](layers);
        bytes32[] memory below;
        for (uint256 l = 0; l < layers; ++l) {
            tops[l] = layerDigestOf(l);
            if (isOp) below = concat(below, opDigests(l));
        }
        bytes memory call = isOp
            ? abi.encodeCall(pins.revealOps, (jobId, challenger, at, tops, below))
            : abi.encodeCall(pins.revealLeaves, (jobId, challenger, at, tops, below));
        send(WORKER, address(pins), 0, call);
    }

    /// @dev Pins the wrong operator where it can, searches for it where it cannot, and follows through.
    function watch() private {
        uint256 pinned = pinKey(wrongOp, ELEM);
        uint256 searched = searchKey(WATCHER);
        bool isOpen = claims[pinned].desc.length != 0 || disputeOf(jobId, searched).phase != Phase.NONE;
        if (!isOpen && !pinAt(WATCHER, wrongOp, ELEM)) openAs(WATCHER);
        follow(WATCHER, searched, wrongOp);
        vm.roll(block.number + 1);
        for (uint256 i = 0; i < keys.length; ++i) {
            Phase phase = disputeOf(jobId, keys[i]).phase;
            if (phase == Phase.LEAF && isWrongOp(claims[keys[i]].op)) judge(WATCHER, keys[i]);
            else if (phase == Phase.TRACE || phase == Phase.REVEAL) timeOut(keys[i]);
        }
    }

    /* SEARCHES */

    /// @dev The challenger's turn in its search, towards operator `op`.
    function follow(address challenger, uint256 key, uint256 op) private {
        Phase phase = disputeOf(jobId, key).phase;
        if (phase == Phase.TRACE && pins.getTrace(jobId).postedAt != 0) {
            send(challenger, address(pins), 0, abi.encodeCall(pins.search, (jobId, traceRoot(isOp))));
            return;
        }
        if (phase != Phase.SELECT) return;
        Search memory at = positions[key];
        if (Tree(uint8(SearchMeta.unwrap(at.meta) >> 112)) == Tree.NONE) {
            Pin memory p = makePin(op, ELEM, isOp, termsOf(jobId));
            if (send(challenger, address(pins), 0, abi.encodeCall(pins.pinSearched, (jobId, at, p)))) note(key, p);
            return;
        }
        uint256 layer = op / LAYER_OPS;
        bytes32[] memory path = buildPath(layerLeaves(false), layer);
        bytes32 digest = layerDigestOf(layer);
        send(challenger, address(pins), 0, abi.encodeCall(pins.selectLayer, (jobId, at, layer, digest, 0, path)));
    }

    /// @dev A stranger's turn in its own search, anywhere.
    function wander() private {
        address account = stranger();
        follow(account, searchKey(account), roll(OPS));
    }

    /* DISPUTES */

    function openAs(address challenger) private {
        uint256 bond = pins.requiredBond(jobId);
        bytes memory call = abi.encodeCall(pins.openDispute, (jobId, outDigest()));
        if (send(challenger, address(pins), bond, call)) addKey(searchKey(challenger));
    }

    function pinAt(address challenger, uint256 op, uint64 elem) private returns (bool success) {
        uint256 bond = pins.requiredBond(jobId);
        Pin memory p = makePin(op, elem, isOp, termsOf(jobId));
        bytes memory call = abi.encodeCall(pins.pinpoint, (jobId, outDigest(), traceRoot(isOp), p));
        success = send(challenger, address(pins), bond, call);
        if (!success) return false;
        addKey(pinKey(op, elem));
        note(pinKey(op, elem), p);
    }

    function addKey(uint256 key) private {
        keys.push(key);
    }

    /// @dev The claim of a pin, with the seed that the last OperatorPinned told.
    function note(uint256 key, Pin memory p) private {
        claims[key] = claimOf(jobId, p, lastSeed);
    }

    function joinAs(address challenger) private {
        if (keys.length == 0) return;
        uint256 key = keys[roll(keys.length)];
        uint256 bond = 10 * pins.requiredBond(jobId);
        send(challenger, address(pins), bond, abi.encodeCall(pins.join, (jobId, key, traceRoot(isOp))));
    }

    function challengeWhole(address challenger) private {
        bytes memory call = abi.encodeCall(IDisputeGame.challenge, (jobId, outDigest()));
        send(challenger, address(game), 2 * game.requiredBond(jobId), call);
    }

    /// @dev Evidence says what is true, and is about this claim alone (I11).
    function judge(address prover, uint256 key) private returns (bool) {
        Claim memory claim = claims[key];
        if (claim.desc.length == 0) return false;
        bytes memory verdict = isWrongOp(claim.op) ? INCONSISTENT : CONSISTENT;
        claim.prover = prover;
        bytes memory evidence = abi.encodePacked(verdict, keccak256(abi.encode(claim)));
        return stepIn(key, prover, abi.encodeCall(pins.adjudicate, (jobId, key, claim, rulings(evidence))));
    }

    function timeOut(uint256 key) private returns (bool) {
        return stepIn(key, vm.addr(500), abi.encodeCall(pins.claimTimeout, (jobId, key)));
    }

    function resolve(uint256 key) private returns (bool) {
        return stepIn(key, vm.addr(500), abi.encodeCall(pins.resolve, (jobId, key)));
    }

    function stepIn(uint256 key, address sender, bytes memory call) private returns (bool success) {
        Sight memory before = lookAt(key);
        success = send(sender, address(pins), 0, call);
        if (success) checkStep(key, before);
    }

    /* CALLS */

    bytes32 private lastSeed;

    function send(address sender, address target, uint256 value, bytes memory call) private returns (bool success) {
        vm.recordLogs();
        vm.prank(sender);
        (success,) = target.call{value: value}(call);
        Log[] memory logs = vm.getRecordedLogs();
        if (!success) return false;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IPinpointBook.SearchMoved.selector) noteMove(logs[i]);
            if (logs[i].topics[0] == IPinpointBook.OperatorPinned.selector) {
                (,,, lastSeed) = abi.decode(logs[i].data, (uint256, uint256, uint256, bytes32));
            }
        }
    }

    function noteMove(Log memory l) private {
        (,, Search memory state) = abi.decode(l.data, (Phase, uint256, Search));
        for (uint256 k = 0; k < STRANGERS; ++k) {
            uint256 key = searchKey(vm.addr(500 + k));
            if (idOf(jobId, key) == l.topics[1]) positions[key] = state;
        }
        if (idOf(jobId, searchKey(WATCHER)) == l.topics[1]) positions[searchKey(WATCHER)] = state;
    }

    /* THE END */

    /// @dev Everybody who may end something does, deadline after deadline.
    function finish() private {
        uint256 rounds = 0;
        while (!isOver()) {
            assertLe(++rounds, ROUNDS, "I16, I17: rounds");
            actFully();
            vm.warp(block.timestamp + 100);
            endAll();
            assertBooks();
        }
    }

    function endAll() private {
        for (uint256 i = 0; i < keys.length; ++i) {
            timeOut(keys[i]);
        }
        address anybody = vm.addr(500);
        send(anybody, address(game), 0, abi.encodeCall(IDisputeGame.claimDefault, (jobId)));
        send(anybody, address(game), 0, abi.encodeCall(IDisputeGame.voidDispute, (jobId)));
        send(anybody, address(pins), 0, abi.encodeCall(pins.voidHeld, (jobId)));
        send(anybody, address(market), 0, abi.encodeCall(IJobMarket.voidJob, (jobId)));
        for (uint256 i = 0; i < keys.length; ++i) {
            resolve(keys[i]);
        }
        send(anybody, address(pins), 0, abi.encodeCall(pins.finaliseDefended, (jobId)));
        send(anybody, address(market), 0, abi.encodeCall(IJobMarket.finalise, (jobId)));
        send(anybody, address(game), 0, abi.encodeCall(IDisputeGame.distributeSlash, (jobId)));
    }

    function isOver() private view returns (bool) {
        bool isHeld = vault.getFunds(ETH, jobId).status == LockStatus.SLASHED;
        return market.getJob(jobId).state >= JobState.FINAL && !isHeld && pins.countOpen(jobId) == 0;
    }

    function checkEnd(uint256 operatorBefore, uint256 watcherBefore) private view {
        JobState state = market.getJob(jobId).state;
        assertEq(game.openChallenges(OWNER), 0, "a challenge is left open");
        assertEq(vault.pinpointBonds(), 0, "I2: a bond is left");
        if (!isWrong) {
            assertTrue(state == JobState.FINAL || state == JobState.PROVEN || isRefund, "I9: honest and slashed");
            assertTrue(state != JobState.REJECTED, "I9: honest and rejected");
            assertLe(operatorBefore, wealthOf(OWNER), "I7: an honest operator lost");
        }
        if (isWrong && isWatched && !isRefund) {
            assertTrue(state == JobState.REJECTED, "I10: a wrong result is final");
            assertLe(watcherBefore + 1, wealthOf(WATCHER), "I7: an honest watcher gained nothing");
        }
        if (state == JobState.REJECTED && !isRefund) {
            assertLe(LOCK / 4, vault.burned(ETH), "I8: a slash that comes back to friends");
        }
    }

    function wealthOf(address account) private view returns (uint256) {
        Account memory a = accountOf(account);
        return account.balance + a.free + a.locked + a.unbonding + a.credit;
    }

    function assertBooks() private view {
        assertEq(pins.getTrace(jobId).places, countPlaces(), "a place that nobody takes is not free");
        uint256 sum = sumLedger(ETH);
        for (uint256 k = 0; k < STRANGERS; ++k) {
            sum += sumAccount(ETH, vm.addr(500 + k));
        }
        assertBonds(jobId, keys);
        assertEq(address(vault).balance, sum + vault.pinpointBonds(), "I1: balance against ledger");
    }
}
