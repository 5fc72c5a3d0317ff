// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobParams, JobTerms} from "../../contracts/types/Job.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice What a job without objection costs: four transactions in ETH without a royalty, like their receipts.
contract HappyPathGasTest is JobSteps {
    event GasUsed(string step, uint256 gas);

    uint256 private constant LIMIT = 350_000;
    /// No step is free: what a transaction costs that does nothing.
    uint256 private constant TRANSACTION_GAS = 21_000;

    function setUp() public override {
        super.setUp();
        // Like in a deployment at work: parties and burn have had money before.
        JobId jobId = committedJob();
        warpPastJob(jobId);
        market.finalise(jobId);
    }

    /// @dev Each outermost call is a transaction of its own (isolate), so storage is cold and the receipt complete.
    function measure(string memory step, address caller, uint256 value, bytes memory call) private returns (uint256) {
        vm.prank(caller);
        (bool success,) = address(market).call{value: value}(call);
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        assertTrue(success, step);
        assertLe(TRANSACTION_GAS, gas, "isolated");
        emit GasUsed(step, gas);
        return gas;
    }

    /// forge-config: default.isolate = true
    /// forge-config: full.isolate = true
    function test_happy_path__stays_below_350k() public {
        JobParams memory params = jobParams(FEE);
        params.inputUri = "http://worker.example:8000/v1/inputs/0x0123456789abcdef0123456789abcdef0123456789abcdef";
        uint256 sum = measure("create", CLIENT, FEE, abi.encodeCall(IJobMarket.createJob, (params)));
        JobTerms memory terms = JobTerms(CLIENT, version, IN_DIGEST, ETH, FEE, 0, 0, params.salt);
        JobId jobId = market.computeJobId(terms);
        sum += measure("accept", WORKER, 0, abi.encodeCall(IJobMarket.acceptJob, (jobId)));
        sum += measure("commit", WORKER, 0, abi.encodeCall(IJobMarket.commitResult, (jobId, OUT_DIGEST, "")));
        warpPastJob(jobId);
        sum += measure("finalise", WORKER, 0, abi.encodeCall(IJobMarket.finalise, (jobId)));
        emit GasUsed("happy path", sum);
        assertLe(sum, LIMIT, "happy path");
    }
}
