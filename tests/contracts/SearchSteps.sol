// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Search, SearchMeta, Tree} from "../../contracts/types/Pinpoint.sol";
import {PinpointSteps} from "./PinpointSteps.sol";

/// @notice The moves of a search over 40 layers of 3 operators, with room for 4: one level among nodes, one among leaves.
/// Between moves the position is in `state`.
abstract contract SearchSteps is PinpointSteps {
    uint256 internal constant LAYER = 37;
    uint256 internal constant OP = LAYER * 3 + 1;
    uint256 internal immutable KEY = searchKey(CHALLENGER);

    JobId internal jobId;
    Search internal state;
    /// Whether the job's trace is of OP granularity.
    bool internal isOp;

    function useModel() internal virtual override {
        makeModel(40, 3, 4, IN_DIGEST, OUT_DIGEST);
    }

    /// @notice A job whose trace, of OP granularity, is searched: on the asserter's turn.
    function begin(bool isOp_) internal {
        isOp = isOp_;
        jobId = committedJob();
        postTrace(jobId, isOp);
        state = openSearch(jobId);
    }

    function took() internal {
        state = lastState();
    }

    function reveal() internal {
        bytes32[] memory words = descendants(layerLeaves(isOp), 6, 0, 5);
        vm.recordLogs();
        vm.prank(STRANGER);
        pins.reveal(jobId, CHALLENGER, state, words);
        took();
    }

    function select() internal {
        bytes32[] memory leaves = layerLeaves(isOp);
        uint256 index = LAYER / 2;
        bytes32 child = nodeAt(leaves, 1, index);
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.select(jobId, state, index, child, pathBetween(leaves, 1, 6, index));
        took();
    }

    function leavesBelow() internal view returns (bytes32[] memory tops, bytes32[] memory roots) {
        tops = new bytes32[](2);
        roots = new bytes32[](isOp ? 2 : 0);
        for (uint256 i = 0; i < 2; ++i) {
            tops[i] = layerDigestOf(LAYER / 2 * 2 + i);
            if (isOp) roots[i] = opRootOf(LAYER / 2 * 2 + i);
        }
    }

    function revealLeaves() internal {
        (bytes32[] memory tops, bytes32[] memory roots) = leavesBelow();
        vm.recordLogs();
        pins.revealLeaves(jobId, CHALLENGER, state, tops, roots);
        took();
    }

    function selectLayer() internal {
        bytes32[] memory path = pathBetween(layerLeaves(isOp), 0, 1, LAYER);
        bytes32 opRoot = isOp ? opRootOf(LAYER) : bytes32(0);
        vm.recordLogs();
        vm.prank(CHALLENGER);
        pins.selectLayer(jobId, state, LAYER % 2, layerDigestOf(LAYER), opRoot, path);
        took();
    }

    function revealOps() internal {
        vm.recordLogs();
        pins.revealOps(jobId, CHALLENGER, state, new bytes32[](0), opDigests(LAYER));
        took();
    }

    /// @notice To the challenger's turn on which an operator is to be pinned.
    function searchToOps() internal {
        reveal();
        select();
        revealLeaves();
        selectLayer();
        if (!isOp) expand(jobId, LAYER);
        revealOps();
    }

    /* READS */

    function treeOf() internal view returns (Tree) {
        return Tree(uint8(SearchMeta.unwrap(state.meta) >> 112));
    }

    function heightOf() internal view returns (uint256) {
        return uint8(SearchMeta.unwrap(state.meta) >> 104);
    }

    function clockOf() internal view returns (uint256) {
        return uint40(SearchMeta.unwrap(state.meta) >> 64);
    }

    function indexOf() internal view returns (uint256) {
        return uint64(SearchMeta.unwrap(state.meta));
    }

    function deadlineOf() internal view returns (uint256) {
        return disputeOf(jobId, KEY).deadline;
    }

    function wrongTree(Tree tree, uint256 height) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IPinpointBook.WrongTree.selector, idOf(jobId, KEY), tree, height);
    }
}
