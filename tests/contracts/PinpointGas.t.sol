// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPinpointDisputes} from "../../contracts/interfaces/IPinpointDisputes.sol";
import {ITraceSearches} from "../../contracts/interfaces/ITraceSearches.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Pin, Search} from "../../contracts/types/Pinpoint.sol";
import {PinpointSteps} from "./PinpointSteps.sol";

/// @notice Measures the moves of a dispute, like their receipts.
abstract contract MoveGas is PinpointSteps {
    event GasUsed(string step, uint256 gas);

    /// No move is free: what a transaction costs that does nothing.
    uint256 private constant TRANSACTION_GAS = 21_000;

    JobId internal jobId;
    Search internal state;
    uint256 internal sum;

    /// @dev A deployment at work: the operator was challenged before, all parties have had money, and so has this game.
    function setUp() public override {
        super.setUp();
        JobId before = challengedJob();
        proveAs(WORKER, before);
        pin(tracedJob(), 0);
    }

    /// @dev Each outermost call is a transaction of its own (isolate), so storage is cold and the receipt complete.
    function measure(string memory step, address caller, uint256 value, bytes memory call) internal {
        vm.recordLogs();
        vm.prank(caller);
        (bool success,) = address(pins).call{value: value}(call);
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        assertTrue(success, step);
        assertLe(TRANSACTION_GAS, gas, "isolated");
        emit GasUsed(step, gas);
        sum += gas;
        state = lastState();
    }

    function measureOpening() internal {
        uint256 bond = pins.requiredBond(jobId);
        measure("openDispute", CHALLENGER, bond, abi.encodeCall(IPinpointDisputes.openDispute, (jobId, OUT_DIGEST)));
    }

    /// @dev From the root five levels down, to node `index`.
    function measureFirstLevels(bytes32[] memory leaves, uint256 index) internal {
        bytes32[] memory words = descendants(leaves, layerDepth, 0, 5);
        measure("reveal", WORKER, 0, abi.encodeCall(IPinpointDisputes.reveal, (jobId, CHALLENGER, state, words)));
        bytes32[] memory path = pathBetween(leaves, layerDepth - 5, layerDepth, index);
        bytes memory call = abi.encodeCall(IPinpointDisputes.select, (jobId, state, index, words[index], path));
        measure("select", CHALLENGER, 0, call);
    }
}

/// @notice A trace of 128 layers of 8 operators: 1024 leaves.
contract PinpointGasTest is MoveGas {
    /// The receipts of calls that bring a bond are 6,700 below what is measured here (`./scripts/bench gas` holds them).
    uint256 private constant PINPOINT_LIMIT = 195_000;
    /// Until all digests are on the table that the challenger searched for, and until the operator is pinned.
    uint256 private constant SEARCH_LIMIT = 350_000;
    uint256 private constant PINNED_LIMIT = 457_000;
    uint256 private constant LAYER = 77;
    uint256 private constant OP = LAYER * 8 + 5;

    function useModel() internal override {
        makeModel(128, 8, 8, IN_DIGEST, OUT_DIGEST);
    }

    /// forge-config: default.isolate = true
    /// forge-config: full.isolate = true
    function test_pinpoint__of_one_of_1024_operators__stays_below_195k() public {
        jobId = tracedJob();
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        bytes memory call = abi.encodeCall(IPinpointDisputes.pinpoint, (jobId, OUT_DIGEST, traceRoot(true), p));
        measure("pinpoint", CHALLENGER, pins.requiredBond(jobId), call);
        assertLe(sum, PINPOINT_LIMIT, "pinpoint");
    }

    /// forge-config: default.isolate = true
    /// forge-config: full.isolate = true
    function test_search__over_1024_operators__stays_below_450k() public {
        jobId = tracedJob();
        measureOpening();
        measureFirstLevels(layerLeaves(true), LAYER / 4);
        bytes32[] memory tops = new bytes32[](4);
        bytes32[] memory ops;
        for (uint256 i = 0; i < 4; ++i) {
            tops[i] = layerDigestOf(LAYER / 4 * 4 + i);
            ops = concat(ops, opDigests(LAYER / 4 * 4 + i));
        }
        measure(
            "revealOps", WORKER, 0, abi.encodeCall(IPinpointDisputes.revealOps, (jobId, CHALLENGER, state, tops, ops))
        );
        emit GasUsed("search", sum);
        assertLe(sum, SEARCH_LIMIT, "search");
        Pin memory p = makePin(OP, ELEM, true, termsOf(jobId));
        measure("pinSearched", CHALLENGER, 0, abi.encodeCall(IPinpointDisputes.pinSearched, (jobId, state, p)));
        emit GasUsed("search and pin", sum);
        assertLe(sum, PINNED_LIMIT, "search and pin");
    }
}

/// @notice A trace of 1024 layers, of LAYER granularity.
contract LayerSearchGasTest is MoveGas {
    uint256 private constant LIMIT = 450_000;
    uint256 private constant LAYER = 619;

    function useModel() internal override {
        makeModel(1024, 1, 1, IN_DIGEST, OUT_DIGEST);
    }

    /// forge-config: default.isolate = true
    /// forge-config: full.isolate = true
    function test_search__over_1024_layers__stays_below_450k() public {
        jobId = committedJob();
        postTrace(jobId, false);
        bytes32[] memory leaves = layerLeaves(false);
        (uint256 node, uint256 index) = (LAYER / 32, LAYER % 32);
        measureOpening();
        measureFirstLevels(leaves, node);
        bytes32[] memory words = new bytes32[](32);
        for (uint256 i = 0; i < 32; ++i) {
            words[i] = layerDigestOf(node * 32 + i);
        }
        bytes memory call =
            abi.encodeCall(ITraceSearches.revealLeaves, (jobId, CHALLENGER, state, words, new bytes32[](0)));
        measure("revealLeaves", WORKER, 0, call);
        bytes32[] memory path = pathBetween(leaves, 0, 5, LAYER);
        call = abi.encodeCall(ITraceSearches.selectLayer, (jobId, state, index, words[index], 0, path));
        measure("selectLayer", CHALLENGER, 0, call);
        emit GasUsed("search", sum);
        assertLe(sum, LIMIT, "search");
    }
}
