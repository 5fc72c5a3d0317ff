// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {IPinpointDisputes} from "../../contracts/interfaces/IPinpointDisputes.sol";
import {ITraceSearches} from "../../contracts/interfaces/ITraceSearches.sol";
import {Claim} from "../../contracts/types/Claim.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {LayerEnd, Phase, Pin, Search, SearchMeta, Tree, WHOLE} from "../../contracts/types/Pinpoint.sol";
import {SearchSteps} from "./SearchSteps.sol";

/// @notice Searches of traces, move by move (PinpointGame.tree).
contract PinpointSearchTest is SearchSteps {
    function refuse(address caller, bytes memory call, bytes memory reason) private {
        checkMove(jobId, KEY, caller, call, reason);
    }

    function hashOf(Search memory s) private pure returns (bytes32) {
        return keccak256(abi.encode(s));
    }

    /* TRACES */

    function postCall(bytes32 root, bool granular, bytes32 last, bytes32[] memory path)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(ITraceSearches.postTrace, (jobId, root, granular, last, path, "file:trace"));
    }

    function test_postTrace__by_another__or_wrong__reverts() public {
        jobId = committedJob();
        bytes32[] memory path = buildPath(layerLeaves(true), 39);
        bytes32 root = traceRoot(true);
        bytes memory good = postCall(root, true, opRootOf(39), path);
        refuse(STRANGER, good, abi.encodeWithSelector(IPinpointBook.NotAsserter.selector, jobId, STRANGER, OWNER));
        bytes memory wrong = abi.encodeWithSelector(IPinpointBook.WrongGranularity.selector, jobId, false);
        refuse(WORKER, postCall(root, false, opRootOf(39), path), wrong);
        wrong = abi.encodeWithSelector(IPinpointBook.WrongGranularity.selector, jobId, true);
        refuse(WORKER, postCall(root, true, 0, path), wrong);
        refuse(WORKER, postCall(root, true, opRootOf(39), concat(path, new bytes32[](1))), wrongLength(7, 6));
        vm.prank(OWNER);
        (bool success,) = address(pins).call(good);
        assertTrue(success, "the owner may, too");
        refuse(WORKER, good, abi.encodeWithSelector(IPinpointBook.TraceExists.selector, jobId, root));
    }

    function test_postTrace__without_the_committed_output__reverts() public {
        jobId = committedJob();
        digests[119] = keccak256("another output");
        bytes32[] memory leaves = layerLeaves(true);
        bytes32 root = rootOf(leaves);
        bytes memory call = postCall(root, true, opRootOf(39), buildPath(leaves, 39));
        leaves[39] = keccak256(abi.encodePacked(uint8(0x10), uint64(39), OUT_DIGEST, opRootOf(39)));
        refuse(WORKER, call, wrongOpening(rootOf(leaves), root));
    }

    function test_expand__contradicting_twice_or_by_another__reverts() public {
        jobId = committedJob();
        LayerEnd memory end = makeEnd(LAYER, false);
        bytes memory call = abi.encodeCall(ITraceSearches.expand, (jobId, end));
        refuse(WORKER, call, abi.encodeWithSelector(IPinpointBook.NoTrace.selector, jobId));
        postTrace(jobId, false);
        refuse(STRANGER, call, abi.encodeWithSelector(IPinpointBook.NotAsserter.selector, jobId, STRANGER, OWNER));
        uint256 count = end.siblings.length;
        end.siblings = concat(end.siblings, new bytes32[](1));
        refuse(WORKER, abi.encodeCall(ITraceSearches.expand, (jobId, end)), wrongLength(count + 1, count));
        expand(jobId, LAYER);
        assertEq(pins.getOpRoot(jobId, LAYER), opRootOf(LAYER), "root");
        refuse(WORKER, call, abi.encodeWithSelector(IPinpointBook.AlreadyExpanded.selector, jobId, LAYER));
        // Operators that end with another digest than the layer's.
        bytes32 layerDigest = layerDigestOf(8);
        digests[26] = keccak256("other");
        end = makeEnd(8, false);
        end.layerDigest = layerDigest;
        layerDigests[8] = layerDigest;
        end.siblings = makeEnd(8, false).siblings;
        bytes memory wrong = abi.encodeWithSelector(IPinpointBook.WrongLayerEnd.selector, digests[26], layerDigest);
        refuse(WORKER, abi.encodeCall(ITraceSearches.expand, (jobId, end)), wrong);
        end.op = 25;
        end.desc = describe(25);
        refuse(
            WORKER,
            abi.encodeCall(ITraceSearches.expand, (jobId, end)),
            abi.encodeWithSelector(IPinpointBook.NotLast.selector, 1, 3)
        );
    }

    function test_expand__of_a_trace_with_operators__reverts() public {
        jobId = tracedJob();
        bytes memory call = abi.encodeCall(ITraceSearches.expand, (jobId, makeEnd(3, true)));
        refuse(WORKER, call, abi.encodeWithSelector(IPinpointBook.WrongGranularity.selector, jobId, true));
    }

    /* THE WAY DOWN */

    function test_search__of_layers_and_operators__ends_in_a_leaf() public {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 id = vm.snapshotState();
            begin(i == 1);
            assertTrue(treeOf() == Tree.LAYERS, "tree");
            assertEq(heightOf(), 6, "height");
            searchToOps();
            assertTrue(treeOf() == Tree.NONE, "nothing left");
            Pin memory p = makePin(OP, ELEM, isOp, termsOf(jobId));
            vm.prank(CHALLENGER);
            pins.pinSearched(jobId, state, p);
            assertPhase(jobId, KEY, Phase.LEAF);
            Claim memory claim = claimOf(jobId, p, seedOf(idOf(jobId, KEY), CHALLENGER));
            ruleAs(WORKER, jobId, KEY, claim, CONSISTENT);
            assertEq(accountOf(OWNER).credit, BOND * 80 / 100, "operator");
            assertMoney();
            vm.revertToState(id);
        }
    }

    /// @dev An element that one search found consistent is closed to pins and to other searches.
    function test_search__to_what_was_found_consistent__reverts() public {
        begin(true);
        searchToOps();
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        vm.prank(CHALLENGER);
        pins.pinSearched(jobId, state, p);
        ruleAs(WORKER, jobId, KEY, claimOf(jobId, p, seedOf(idOf(jobId, KEY), CHALLENGER)), CONSISTENT);
        assertPhase(jobId, pinKey(OP, ELEM), Phase.DEFENDER_PROVEN);
        uint256 key = searchKey(STRANGER);
        vm.recordLogs();
        vm.prank(STRANGER);
        pins.openDispute{value: BOND}(jobId, OUT_DIGEST);
        Search memory theirs = lastState();
        bytes32[] memory words = descendants(layerLeaves(true), 6, 0, 5);
        vm.recordLogs();
        pins.reveal(jobId, STRANGER, theirs, words);
        theirs = lastState();
        bytes memory call = abi.encodeCall(IPinpointDisputes.pinSearched, (jobId, theirs, p));
        bytes memory exists =
            abi.encodeWithSelector(IPinpointBook.DisputeExists.selector, idOf(jobId, pinKey(OP, ELEM)));
        checkMove(jobId, key, STRANGER, call, exists);
    }

    function test_revealOps__of_two_layers_at_once() public {
        begin(true);
        reveal();
        select();
        // One level of layers and two of operators.
        (bytes32[] memory tops,) = leavesBelow();
        bytes32[] memory ops = concat(opDigests(36), opDigests(37));
        vm.recordLogs();
        pins.revealOps(jobId, CHALLENGER, state, tops, ops);
        took();
        assertTrue(treeOf() == Tree.NONE, "nothing left");
        assertPhase(jobId, KEY, Phase.SELECT);
    }

    /* OUT OF TURN, STALE, WRONG */

    function test_reveal__on_the_challenger_s_turn__reverts() public {
        begin(true);
        Search memory before = state;
        bytes32[] memory words = descendants(layerLeaves(true), 6, 0, 5);
        vm.warp(block.timestamp + 1);
        reveal();
        bytes memory again = abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, before, words));
        // Its position is stale, and it is not its turn.
        refuse(WORKER, again, stale(jobId, KEY, hashOf(before)));
        again = abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, state, words));
        refuse(WORKER, again, wrongPhase(jobId, KEY, Phase.SELECT));
    }

    function test_select__on_the_asserter_s_turn_or_by_another__reverts() public {
        begin(true);
        bytes32[] memory leaves = layerLeaves(true);
        bytes32[] memory path = pathBetween(leaves, 1, 6, 18);
        bytes memory call = abi.encodeCall(IPinpointDisputes.select, (jobId, state, 18, nodeAt(leaves, 1, 18), path));
        refuse(CHALLENGER, call, wrongPhase(jobId, KEY, Phase.REVEAL));
        reveal();
        call = abi.encodeCall(IPinpointDisputes.select, (jobId, state, 18, nodeAt(leaves, 1, 18), path));
        refuse(STRANGER, call, unknown(jobId, searchKey(STRANGER)));
        refuse(WORKER, call, unknown(jobId, searchKey(WORKER)));
        call = abi.encodeCall(IPinpointDisputes.search, (jobId, traceRoot(true)));
        Search memory none;
        refuse(CHALLENGER, call, stale(jobId, KEY, hashOf(none)));
    }

    function test_moves__with_any_bit_of_the_position_changed__revert(uint8 bit) public {
        begin(true);
        Search memory other = state;
        other.meta = SearchMeta.wrap(SearchMeta.unwrap(state.meta) ^ (uint256(1) << bit));
        // A tree that there is none of is not even hashed: its number is checked first by nobody.
        bytes32[] memory words = descendants(layerLeaves(true), 6, 0, 5);
        bytes memory call = abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, other, words));
        refuse(WORKER, call, stale(jobId, KEY, hashOf(other)));
        other = state;
        other.node ^= bytes32(uint256(1) << bit);
        call = abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, other, words));
        refuse(WORKER, call, stale(jobId, KEY, hashOf(other)));
        other = state;
        other.context ^= bytes32(uint256(1) << bit);
        call = abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, other, words));
        refuse(WORKER, call, stale(jobId, KEY, hashOf(other)));
    }

    function test_reveal__other_words_or_too_few__reverts(uint8 which) public {
        begin(true);
        bytes32[] memory words = descendants(layerLeaves(true), 6, 0, 5);
        words[which % 32] ^= bytes32(uint256(1) << which);
        bytes memory call = abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, state, words));
        refuse(WORKER, call, wrongOpening(rootOf(words), state.node));
        words = descendants(layerLeaves(true), 6, 0, 4);
        call = abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, state, words));
        refuse(WORKER, call, wrongLength(16, 32));
    }

    function test_select__what_was_not_revealed__reverts() public {
        begin(true);
        reveal();
        bytes32[] memory leaves = layerLeaves(true);
        bytes32[] memory path = pathBetween(leaves, 1, 6, 18);
        bytes32 child = nodeAt(leaves, 1, 18);
        bytes memory call = abi.encodeCall(IPinpointDisputes.select, (jobId, state, 50, child, path));
        refuse(CHALLENGER, call, outOfRange(50, 32));
        call = abi.encodeCall(IPinpointDisputes.select, (jobId, state, 18, child, new bytes32[](6)));
        (bool success, bytes memory got) = callAs(CHALLENGER, call);
        assertTrue(!success, "siblings left over");
        call = abi.encodeCall(IPinpointDisputes.select, (jobId, state, 19, child, path));
        (success, got) = callAs(CHALLENGER, call);
        assertTrue(!success && bytes4(got) == IPinpointBook.WrongOpening.selector, "another place");
    }

    function callAs(address caller, bytes memory call) private returns (bool, bytes memory) {
        vm.prank(caller);
        return address(pins).call(call);
    }

    function test_moves__that_fit_another_level__revert() public {
        begin(true);
        bytes32[] memory none;
        refuse(
            WORKER,
            abi.encodeCall(ITraceSearches.revealLeaves, (jobId, CHALLENGER, state, none, none)),
            wrongTree(Tree.LAYERS, 6)
        );
        refuse(
            WORKER,
            abi.encodeCall(IPinpointDisputes.revealOps, (jobId, CHALLENGER, state, none, none)),
            wrongTree(Tree.LAYERS, 6)
        );
        refuse(
            WORKER, abi.encodeCall(ITraceSearches.revealTile, (jobId, CHALLENGER, state, "")), wrongTree(Tree.LAYERS, 6)
        );
        refuse(
            WORKER,
            abi.encodeCall(ITraceSearches.revealTileRoot, (jobId, CHALLENGER, state, 0)),
            wrongTree(Tree.LAYERS, 6)
        );
        reveal();
        refuse(
            CHALLENGER,
            abi.encodeCall(ITraceSearches.selectLayer, (jobId, state, 0, 0, 0, none)),
            wrongTree(Tree.LAYERS, 6)
        );
        select();
        refuse(
            WORKER,
            abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, state, none)),
            wrongTree(Tree.LAYERS, 1)
        );
        revealLeaves();
        refuse(
            CHALLENGER, abi.encodeCall(IPinpointDisputes.select, (jobId, state, 0, 0, none)), wrongTree(Tree.LAYERS, 1)
        );
        selectLayer();
        refuse(
            WORKER, abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, state, none)), wrongTree(Tree.OPS, 2)
        );
        revealOps();
        refuse(
            CHALLENGER, abi.encodeCall(IPinpointDisputes.select, (jobId, state, 0, 0, none)), wrongTree(Tree.NONE, 0)
        );
    }

    /// @dev Layer 40 is the first that does not exist.
    function test_revealLeaves__behind_the_last_layer__reverts() public {
        begin(true);
        reveal();
        bytes32[] memory leaves = layerLeaves(true);
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.select(jobId, state, 20, nodeAt(leaves, 1, 20), pathBetween(leaves, 1, 6, 20));
        took();
        bytes32[] memory words = new bytes32[](2);
        words[0] = keccak256("junk");
        bytes memory call =
            abi.encodeCall(ITraceSearches.revealLeaves, (jobId, CHALLENGER, state, words, new bytes32[](2)));
        refuse(WORKER, call, outOfRange(40, 40));
        // An honest asserter can answer: there is nothing. And nothing there can be asked for.
        words[0] = 0;
        vm.recordLogs();
        pins.revealLeaves(jobId, CHALLENGER, state, words, new bytes32[](2));
        took();
        call = abi.encodeCall(ITraceSearches.selectLayer, (jobId, state, 0, 0, 0, new bytes32[](1)));
        refuse(CHALLENGER, call, outOfRange(40, 40));
    }

    /// @dev The same at once.
    function test_revealOps__behind_the_last_layer__reverts() public {
        begin(true);
        reveal();
        bytes32[] memory leaves = layerLeaves(true);
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.select(jobId, state, 20, nodeAt(leaves, 1, 20), pathBetween(leaves, 1, 6, 20));
        took();
        bytes32[] memory tops = new bytes32[](2);
        tops[0] = keccak256("junk");
        bytes memory call =
            abi.encodeCall(IPinpointDisputes.revealOps, (jobId, CHALLENGER, state, tops, new bytes32[](8)));
        refuse(WORKER, call, outOfRange(40, 40));
        tops[0] = 0;
        vm.recordLogs();
        pins.revealOps(jobId, CHALLENGER, state, tops, new bytes32[](8));
        took();
        assertTrue(treeOf() == Tree.NONE, "nothing is there");
    }

    function test_revealLeaves__more_or_fewer_words__reverts() public {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 id = vm.snapshotState();
            begin(i == 1);
            reveal();
            select();
            (bytes32[] memory tops, bytes32[] memory roots) = leavesBelow();
            refuseLeaves(concat(tops, new bytes32[](1)), roots, wrongLength(3, 2));
            refuseLeaves(new bytes32[](1), roots, wrongLength(1, 2));
            // A leaf holds a root over operators in a trace that says it does, and in no other.
            refuseLeaves(tops, new bytes32[](2 - roots.length), wrongLength(2 - roots.length, roots.length));
            vm.revertToState(id);
        }
    }

    function refuseLeaves(bytes32[] memory tops, bytes32[] memory roots, bytes memory reason) private {
        refuse(WORKER, abi.encodeCall(ITraceSearches.revealLeaves, (jobId, CHALLENGER, state, tops, roots)), reason);
    }

    function test_revealOps__more_or_fewer_words__reverts() public {
        begin(true);
        reveal();
        select();
        (bytes32[] memory tops,) = leavesBelow();
        bytes32[] memory ops = concat(opDigests(36), opDigests(37));
        refuseOps(new bytes32[](1), opDigests(36), wrongLength(1, 2));
        refuseOps(tops, opDigests(36), wrongLength(4, 8));
        refuseOps(tops, concat(ops, new bytes32[](1)), wrongLength(9, 8));
        revealLeaves();
        selectLayer();
        ops = opDigests(LAYER);
        refuseOps(new bytes32[](1), ops, wrongLength(1, 0));
        refuseOps(new bytes32[](0), concat(ops, new bytes32[](1)), wrongLength(5, 4));
        refuseOps(new bytes32[](0), new bytes32[](3), wrongLength(3, 4));
    }

    function refuseOps(bytes32[] memory tops, bytes32[] memory ops, bytes memory reason) private {
        refuse(WORKER, abi.encodeCall(IPinpointDisputes.revealOps, (jobId, CHALLENGER, state, tops, ops)), reason);
    }

    /// @dev Its leaves would hold roots over operators that the trace has not.
    function test_revealOps__of_layers_without_operators__reverts() public {
        begin(false);
        reveal();
        select();
        (bytes32[] memory tops,) = leavesBelow();
        refuseOps(tops, concat(opDigests(36), opDigests(37)), wrongTree(Tree.LAYERS, 1));
    }

    function test_revealOps__before_the_layer_is_expanded__reverts() public {
        begin(false);
        reveal();
        select();
        revealLeaves();
        selectLayer();
        assertEq(state.node, bytes32(0), "not known yet");
        bytes memory call =
            abi.encodeCall(IPinpointDisputes.revealOps, (jobId, CHALLENGER, state, new bytes32[](0), opDigests(LAYER)));
        refuse(WORKER, call, abi.encodeWithSelector(IPinpointBook.NotExpanded.selector, jobId, LAYER));
        expand(jobId, LAYER);
        revealOps();
    }

    function test_moves__while_the_protocol_is_paused_or_the_job_has_none__revert() public {
        begin(true);
        bytes memory call = abi.encodeCall(IPinpointDisputes.search, (jobId, state.node));
        refuse(STRANGER, call, unknown(jobId, searchKey(STRANGER)));
        actAsGuardian(IGuardian.Action.PAUSE);
        bytes32[] memory words = descendants(layerLeaves(true), 6, 0, 5);
        vm.prank(WORKER);
        (bool success,) =
            address(pins).call(abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, state, words)));
        assertTrue(!success, "the clock stands");
        assertPhase(jobId, KEY, Phase.REVEAL);
    }

    /* CLOCKS */

    function test_clocks__run_on_one_s_own_turn_alone() public {
        begin(true);
        uint256 start = block.timestamp;
        assertEq(deadlineOf(), start + CLOCK, "asserter");
        assertEq(clockOf(), CLOCK, "challenger waits");
        vm.warp(start + 12);
        reveal();
        assertEq(deadlineOf(), start + 12 + CLOCK, "challenger");
        assertEq(clockOf(), CLOCK - 12, "asserter waits");
        vm.warp(start + 12 + 25);
        select();
        assertEq(deadlineOf(), start + 37 + CLOCK - 12, "asserter");
        assertEq(clockOf(), CLOCK - 25, "challenger waits");
    }

    function test_clocks__are_raised_to_the_extension_when_a_turn_begins() public {
        begin(true);
        uint256 start = block.timestamp;
        // Down to two seconds.
        vm.warp(start + 28);
        reveal();
        vm.warp(start + 28 + 30);
        select();
        assertEq(deadlineOf(), start + 58 + EXTENSION, "raised");
        assertEq(uint8(SearchMeta.unwrap(state.meta) >> 120), 1, "once");
        assertEq(clockOf(), 0, "challenger has none left");
        revealLeaves();
        assertEq(deadlineOf(), start + 58 + EXTENSION, "raised, too");
        assertEq(uint8(SearchMeta.unwrap(state.meta) >> 128), 1, "once");
    }

    function test_clocks__with_an_extension_left__are_not_raised() public {
        begin(true);
        vm.warp(block.timestamp + CLOCK - EXTENSION);
        reveal();
        select();
        assertEq(deadlineOf(), block.timestamp + EXTENSION, "what was left");
        assertEq(uint8(SearchMeta.unwrap(state.meta) >> 120), 0, "none is used up");
    }

    function test_reveal__one_second_late__reverts() public {
        begin(true);
        uint256 deadline = deadlineOf();
        warpPast(deadline);
        bytes32[] memory words = descendants(layerLeaves(true), 6, 0, 5);
        bytes memory call = abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, state, words));
        refuse(WORKER, call, clockOver(jobId, KEY, deadline));
        vm.warp(deadline);
        reveal();
    }

    /* A TRACE THAT IS ASKED FOR */

    function test_search__after_the_trace_came() public {
        jobId = committedJob();
        isOp = true;
        state = openSearch(jobId);
        assertPhase(jobId, KEY, Phase.TRACE);
        assertEq(deadlineOf(), block.timestamp + TRACE, "time for a trace");
        bytes memory call = abi.encodeCall(IPinpointDisputes.search, (jobId, traceRoot(true)));
        refuse(CHALLENGER, call, wrongPhase(jobId, KEY, Phase.TRACE));
        vm.warp(block.timestamp + TRACE);
        postTrace(jobId, true);
        vm.warp(block.timestamp + 20);
        bytes memory blind = abi.encodeCall(IPinpointDisputes.search, (jobId, IN_DIGEST));
        refuse(
            CHALLENGER,
            blind,
            abi.encodeWithSelector(IPinpointBook.UnexpectedTrace.selector, jobId, traceRoot(true), IN_DIGEST)
        );
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.search(jobId, traceRoot(true));
        took();
        assertEq(deadlineOf(), block.timestamp + CLOCK, "asserter");
        assertEq(clockOf(), CLOCK - 20, "challenger waits");
        searchToOps();
    }

    function test_pinSearched__at_once_when_the_trace_came() public {
        jobId = committedJob();
        Search memory none = openSearch(jobId);
        postTrace(jobId, true);
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        vm.prank(CHALLENGER);
        pins.pinSearched(jobId, none, p);
        assertPhase(jobId, KEY, Phase.LEAF);
    }

    function test_search__after_a_late_trace__reverts() public {
        jobId = committedJob();
        openSearch(jobId);
        warpPast(deadlineOf());
        postTrace(jobId, true);
        bytes memory call = abi.encodeCall(IPinpointDisputes.search, (jobId, traceRoot(true)));
        refuse(CHALLENGER, call, wrongPhase(jobId, KEY, Phase.TRACE));
        pins.claimTimeout(jobId, KEY);
        assertPhase(jobId, KEY, Phase.DEFAULT);
        assertState(jobId, JobState.REJECTED);
    }

    /* WHOLE OPERATORS */

    function test_pinSearched__whole__only_with_a_key() public {
        begin(true);
        reveal();
        Pin memory p = makePin(OP, WHOLE, true, termsOf(jobId));
        bytes memory call = abi.encodeCall(IPinpointDisputes.pinSearched, (jobId, state, p));
        refuse(CHALLENGER, call, abi.encodeWithSelector(IPinpointBook.NotProvable.selector, OP));
    }
}

/// @notice A search down to a tile of an output that is withheld, too: 40 tiles, in a tree with room for 64.
contract PinpointTilesTest is SearchSteps {
    uint256 private constant TILE = 39;
    /// The last tile is not full.
    uint64 private constant ELEMENTS = 40 * 1000;

    bytes32[] private leaves;

    function useModel() internal override {
        super.useModel();
        (outRows, outCols) = (40, 1000);
        leaves = new bytes32[](64);
        for (uint256 i = 0; i < 40; ++i) {
            leaves[i] = keccak256(abi.encodePacked(uint8(0), uint64(i), sha256(tileOf(i))));
        }
        bytes32 root = rootOf(leaves);
        digests[OP] = keccak256(abi.encodePacked(uint8(2), uint8(1), uint8(2), outRows, outCols, root));
    }

    function tileOf(uint256 i) private pure returns (bytes memory tile) {
        tile = new bytes(1024);
        tile[i] = bytes1(uint8(i + 1));
    }

    function refuse(address caller, bytes memory call, bytes memory reason) private {
        checkMove(jobId, KEY, caller, call, reason);
    }

    /// @dev To the turn on which the root of the tiles is due.
    function pinTiles() private {
        begin(true);
        reveal();
        searchTiles();
    }

    function searchTiles() private {
        Pin memory p = makePin(OP, WHOLE, true, termsOf(jobId));
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.searchTiles(jobId, state, p);
        took();
    }

    function revealRoot() private {
        vm.recordLogs();
        pins.revealTileRoot(jobId, CHALLENGER, state, rootOf(leaves));
        took();
    }

    function revealNodes(uint256 height, uint256 index, uint256 levels) private {
        vm.recordLogs();
        pins.reveal(jobId, CHALLENGER, state, descendants(leaves, height, index, levels));
        took();
    }

    function selectNode(uint256 low, uint256 high, uint256 child) private {
        bytes32[] memory path = pathBetween(leaves, low, high, child);
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.select(jobId, state, child % (1 << (high - low)), nodeAt(leaves, low, child), path);
        took();
    }

    function namedClaim(uint64 elem) private view returns (Claim memory claim) {
        claim = claimOf(jobId, makePin(OP, WHOLE, true, termsOf(jobId)), 0);
        claim.elem = elem;
    }

    function test_searchTiles__down_to_a_tile__ends_in_an_element() public {
        pinTiles();
        assertTrue(treeOf() == Tree.DIGEST, "digest");
        uint256 deadline = deadlineOf();
        vm.warp(block.timestamp + 3);
        refuse(
            WORKER,
            abi.encodeCall(ITraceSearches.revealTileRoot, (jobId, CHALLENGER, state, IN_DIGEST)),
            wrongOpening(
                keccak256(abi.encodePacked(uint8(2), uint8(1), uint8(2), outRows, outCols, IN_DIGEST)), digests[OP]
            )
        );
        revealRoot();
        assertEq(deadlineOf(), deadline, "the turn goes on");
        assertPhase(jobId, KEY, Phase.REVEAL);
        assertEq(heightOf(), 6, "height");
        revealNodes(6, 0, 5);
        selectNode(1, 6, TILE / 2);
        revealNodes(1, TILE / 2, 1);
        selectNode(0, 1, TILE);
        assertEq(heightOf(), 0, "a tile");
        bytes memory tile = tileOf(TILE);
        refuse(
            WORKER,
            abi.encodeCall(ITraceSearches.revealTile, (jobId, CHALLENGER, state, tileOf(1))),
            wrongOpening(keccak256(abi.encodePacked(uint8(0), uint64(TILE), sha256(tileOf(1)))), leaves[TILE])
        );
        refuse(
            WORKER,
            abi.encodeCall(ITraceSearches.revealTile, (jobId, CHALLENGER, state, new bytes(1023))),
            wrongLength(1023, 1024)
        );
        vm.recordLogs();
        pins.revealTile(jobId, CHALLENGER, state, tile);
        took();
        nameElement();
    }

    function nameElement() private {
        uint64 elem = uint64(TILE * 1024 + TILE);
        Claim memory claim = namedClaim(ELEMENTS);
        bytes memory call = abi.encodeCall(ITraceSearches.pinElement, (jobId, state, claim));
        refuse(CHALLENGER, call, outOfRange(ELEMENTS, ELEMENTS));
        claim = namedClaim(elem);
        claim.outDigest = IN_DIGEST;
        call = abi.encodeCall(ITraceSearches.pinElement, (jobId, state, claim));
        (bool success, bytes memory got) = address(pins).call(call);
        vm.prank(CHALLENGER);
        (success, got) = address(pins).call(call);
        assertTrue(!success && bytes4(got) == IPinpointBook.StaleMove.selector, "another claim");
        claim = namedClaim(elem);
        vm.prank(CHALLENGER);
        pins.pinElement(jobId, state, claim);
        assertPhase(jobId, KEY, Phase.LEAF);
        claim.seed = seedOf(idOf(jobId, KEY), CHALLENGER);
        nextBlock();
        ruleAs(CLIENT, jobId, KEY, claim, INCONSISTENT);
        assertState(jobId, JobState.REJECTED);
        assertMoney();
    }

    /// @dev Tile 40 is the first that does not exist.
    function test_select__a_tile_that_does_not_exist__reverts() public {
        pinTiles();
        revealRoot();
        revealNodes(6, 0, 5);
        selectNode(1, 6, 20);
        revealNodes(1, 20, 1);
        bytes32[] memory path = pathBetween(leaves, 0, 1, 40);
        bytes memory call = abi.encodeCall(IPinpointDisputes.select, (jobId, state, 0, bytes32(0), path));
        refuse(CHALLENGER, call, outOfRange(40, 40));
        // Any element can still be named: the last one is what padding shows.
        vm.prank(CHALLENGER);
        pins.pinElement(jobId, state, namedClaim(ELEMENTS - 1));
        assertPhase(jobId, KEY, Phase.LEAF);
    }

    function test_revealTile__of_a_node__reverts() public {
        pinTiles();
        revealRoot();
        bytes memory call = abi.encodeCall(ITraceSearches.revealTile, (jobId, CHALLENGER, state, tileOf(0)));
        refuse(WORKER, call, wrongTree(Tree.TILES, 6));
    }

    function test_searchTiles__leaves_the_clocks_as_they_are() public {
        begin(true);
        vm.warp(block.timestamp + 12);
        reveal();
        vm.warp(block.timestamp + 5);
        searchTiles();
        assertEq(deadlineOf(), block.timestamp + CLOCK - 12, "asserter");
        assertEq(clockOf(), CLOCK - 5, "challenger waits");
    }

    function test_searchTiles__at_once_when_the_trace_came() public {
        (jobId, isOp) = (committedJob(), true);
        state = openSearch(jobId);
        postTrace(jobId, true);
        vm.warp(block.timestamp + 20);
        searchTiles();
        assertEq(deadlineOf(), block.timestamp + CLOCK, "asserter");
        assertEq(clockOf(), CLOCK - 20, "challenger waits");
        revealRoot();
    }

    function test_searchTiles__of_an_element__reverts() public {
        begin(true);
        reveal();
        Pin memory p = makePin(OP, 3, true, termsOf(jobId));
        bytes memory call = abi.encodeCall(IPinpointDisputes.searchTiles, (jobId, state, p));
        refuse(CHALLENGER, call, outOfRange(3, WHOLE));
    }

    function test_pinElement__without_a_pinned_operator__reverts() public {
        begin(true);
        reveal();
        vm.prank(CHALLENGER);
        (bool success, bytes memory got) =
            address(pins).call(abi.encodeCall(ITraceSearches.pinElement, (jobId, state, namedClaim(1))));
        assertTrue(!success && bytes4(got) == IPinpointBook.StaleMove.selector, "no operator is pinned");
    }

    function test_revealTile__with_too_little_gas__changes_nothing() public {
        pinTiles();
        revealRoot();
        revealNodes(6, 0, 5);
        selectNode(1, 6, TILE / 2);
        revealNodes(1, TILE / 2, 1);
        selectNode(0, 1, TILE);
        bytes memory call = abi.encodeCall(ITraceSearches.revealTile, (jobId, CHALLENGER, state, tileOf(TILE)));
        for (uint256 gas_ = 5000; gas_ < 80_000; gas_ += 5000) {
            uint256 id = vm.snapshotState();
            (bool success,) = address(pins).call{gas: gas_}(call);
            assertPhase(jobId, KEY, success ? Phase.SELECT : Phase.REVEAL);
            vm.revertToState(id);
        }
    }
}
