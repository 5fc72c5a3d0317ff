// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPinpointDisputes} from "../../contracts/interfaces/IPinpointDisputes.sol";
import {Phase, Pin, SearchMeta, Tree, WHOLE} from "../../contracts/types/Pinpoint.sol";
import {SearchSteps} from "./SearchSteps.sol";

/// @notice Trees that are exactly as deep as what one move reveals, which are 5 levels, and deeper (PinpointGame.tree).
abstract contract DepthSteps is SearchSteps {
    function refuse(address caller, bytes memory call, bytes memory reason) internal {
        checkMove(jobId, KEY, caller, call, reason);
    }

    function refuseInner(Tree tree, uint256 height) internal {
        bytes32[] memory none;
        refuse(
            WORKER, abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, state, none)), wrongTree(tree, height)
        );
    }

    function showOps(bytes32[] memory tops, bytes32[] memory ops) internal {
        vm.recordLogs();
        pins.revealOps(jobId, CHALLENGER, state, tops, ops);
        took();
        assertTrue(treeOf() == Tree.NONE, "nothing left");
        Pin memory p = makePin(OP, ELEM, isOp, termsOf(jobId));
        vm.prank(CHALLENGER);
        pins.pinSearched(jobId, state, p);
        assertPhase(jobId, KEY, Phase.LEAF);
    }
}

/// @notice Layers with room for 16 operators: two of them are one move.
contract PinpointSixteenTest is DepthSteps {
    function useModel() internal override {
        makeModel(40, 3, 16, IN_DIGEST, OUT_DIGEST);
    }

    function test_revealOps__of_layers_with_five_levels_below() public {
        begin(true);
        reveal();
        select();
        (bytes32[] memory tops,) = leavesBelow();
        showOps(tops, concat(opDigests(36), opDigests(37)));
    }
}

/// @notice 40 layers with room for 32 operators: one of them is one move.
contract PinpointThirtyTwoTest is DepthSteps {
    function useModel() internal override {
        makeModel(40, 3, 32, IN_DIGEST, OUT_DIGEST);
    }

    function test_revealOps__of_a_layer_with_five_levels_below() public {
        begin(true);
        reveal();
        select();
        (bytes32[] memory tops,) = leavesBelow();
        bytes memory call = abi.encodeCall(
            IPinpointDisputes.revealOps, (jobId, CHALLENGER, state, tops, concat(opDigests(36), opDigests(37)))
        );
        refuse(WORKER, call, wrongTree(Tree.LAYERS, 1));
        revealLeaves();
        selectLayer();
        refuseInner(Tree.OPS, 5);
        showOps(new bytes32[](0), opDigests(LAYER));
    }
}

/// @notice 32 layers: their leaves are one move.
contract PinpointFiveLevelsTest is DepthSteps {
    function useModel() internal override {
        makeModel(32, 4, 4, IN_DIGEST, OUT_DIGEST);
    }

    function test_revealLeaves__of_all_layers() public {
        begin(true);
        refuseInner(Tree.LAYERS, 5);
        (bytes32[] memory tops, bytes32[] memory roots) = (new bytes32[](32), new bytes32[](32));
        for (uint256 i = 0; i < 32; ++i) {
            (tops[i], roots[i]) = (layerDigestOf(i), opRootOf(i));
        }
        vm.recordLogs();
        pins.revealLeaves(jobId, CHALLENGER, state, tops, roots);
        took();
        bytes32[] memory path = buildPath(layerLeaves(true), 31);
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.selectLayer(jobId, state, 31, tops[31], roots[31], path);
        took();
        assertEq(indexOf(), 31 << 32, "layer");
        assertTrue(treeOf() == Tree.OPS, "its operators");
    }
}

/// @notice Layers with room for 64 operators: a search goes down among their nodes, too.
contract PinpointSixtyFourTest is DepthSteps {
    function useModel() internal override {
        makeModel(40, 3, 64, IN_DIGEST, OUT_DIGEST);
    }

    function test_select__among_the_operators_of_a_layer() public {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 id = vm.snapshotState();
            checkOperators(i == 1);
            vm.revertToState(id);
        }
    }

    function checkOperators(bool isOp_) private {
        begin(isOp_);
        reveal();
        select();
        revealLeaves();
        selectLayer();
        if (!isOp) expand(jobId, LAYER);
        bytes32[] memory leaves = opLeaves(LAYER);
        bytes32[] memory none;
        bytes memory call = abi.encodeCall(IPinpointDisputes.revealOps, (jobId, CHALLENGER, state, none, none));
        refuse(WORKER, call, wrongTree(Tree.OPS, 6));
        vm.recordLogs();
        pins.reveal(jobId, CHALLENGER, state, descendants(leaves, 6, 0, 5));
        took();
        bytes32[] memory path = pathBetween(leaves, 1, 6, 1);
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.select(jobId, state, 1, nodeAt(leaves, 1, 1), path);
        took();
        assertEq(indexOf(), LAYER << 32 | 1, "the layer, and the node in its level");
        assertEq(heightOf(), 1, "height");
        // The layer's third operator, and padding.
        bytes32[] memory ops = new bytes32[](2);
        ops[0] = digests[LAYER * 3 + 2];
        showOps(none, ops);
    }
}

/// @notice An output of nearly 2^64 elements, whose tiles are searched in more moves than a side gets extensions.
contract PinpointExtensionsTest is DepthSteps {
    uint256 private constant MOVES = 10;
    uint256 private constant MOST = 9;

    /// What each move reveals, from the top down.
    bytes32[][] private words;
    bytes32 private tileRoot;

    function useModel() internal override {
        makeModel(2, 4, 4, IN_DIGEST, OUT_DIGEST);
        (outRows, outCols) = (type(uint32).max, type(uint32).max);
        words = new bytes32[][](MOVES);
        bytes32 node = keccak256("below");
        for (uint256 i = MOVES; i != 0; --i) {
            bytes32[] memory list = new bytes32[](32);
            list[0] = node;
            (words[i - 1], node) = (list, rootOf(list));
        }
        tileRoot = node;
        digests[0] = keccak256(abi.encodePacked(uint8(2), uint8(1), uint8(2), outRows, outCols, tileRoot));
    }

    /// @dev In the last second of the turn: the asserter has nothing left.
    function answer(uint256 move) private {
        vm.warp(deadlineOf());
        if (move == 0) {
            vm.recordLogs();
            pins.revealTileRoot(jobId, CHALLENGER, state, tileRoot);
            took();
        }
        vm.recordLogs();
        pins.reveal(jobId, CHALLENGER, state, words[move]);
        took();
        bytes32[] memory path = buildPath(words[move], 0);
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.select(jobId, state, 0, words[move][0], path);
        took();
    }

    function test_clocks__are_raised_nine_times_at_most() public {
        jobId = committedJob();
        state = openSearch(jobId);
        postTrace(jobId, true);
        Pin memory p = makePin(0, WHOLE, true, termsOf(jobId));
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.searchTiles(jobId, state, p);
        took();
        for (uint256 i = 0; i < MOVES; ++i) {
            answer(i);
            uint256 raised = i < MOST ? i + 1 : MOST;
            assertEq(uint8(SearchMeta.unwrap(state.meta) >> 120), raised, "raised so often");
            assertEq(deadlineOf(), block.timestamp + (i < MOST ? EXTENSION : 0), "asserter");
            assertEq(clockOf(), CLOCK, "challenger waits");
        }
    }
}
