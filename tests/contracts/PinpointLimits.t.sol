// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {Claim} from "../../contracts/types/Claim.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {Phase} from "../../contracts/types/Pinpoint.sol";
import {PinpointSteps} from "./PinpointSteps.sol";

/// @notice The dearest ends of a job that is disputed in every place there is (I18): all places for pins and all for
/// demands of a proof taken, each by an account that never had money here.
contract PinpointLimitsTest is PinpointSteps {
    uint256 private constant GAS_LIMIT = 5_000_000;
    uint256 private constant PLACES = 16;
    uint256 private constant PROVERS = 8;

    JobId private jobId;
    Claim[] private claims;

    function setUp() public override {
        super.setUp();
        jobId = tracedJob();
        for (uint256 i = 0; i < PROVERS; ++i) {
            challengeAs(rich(700 + i), jobId);
        }
        for (uint256 i = 0; i < PLACES; ++i) {
            claims.push(pinAs(rich(800 + i), jobId, 3, uint64(i)));
        }
        nextBlock();
    }

    function rich(uint256 key) private returns (address account) {
        account = vm.addr(key);
        vm.deal(account, 100 ether);
    }

    function measure(address caller, address target, bytes memory call) private {
        vm.prank(caller);
        uint256 before = gasleft();
        (bool success,) = target.call(call);
        assertLe(before - gasleft(), GAS_LIMIT, "I18");
        assertTrue(success, "done");
    }

    function judgement(uint256 i, bytes memory evidence) private view returns (bytes memory) {
        return abi.encodeCall(pins.adjudicate, (jobId, pinKey(3, uint64(i)), claims[i], rulings(evidence)));
    }

    function test_adjudicate__all_places_taken__stays_below_five_million_gas() public {
        measure(STRANGER, address(pins), judgement(7, INCONSISTENT));
        assertState(jobId, JobState.REJECTED);
        assertEq(game.getChallengers(jobId).length, PLACES + PROVERS, "all of them share");
        for (uint256 i = 0; i < PLACES; ++i) {
            if (i != 7) measure(STRANGER, address(pins), abi.encodeCall(pins.resolve, (jobId, pinKey(3, uint64(i)))));
        }
        warpPastJob(jobId);
        measure(STRANGER, address(game), abi.encodeCall(IDisputeGame.distributeSlash, (jobId)));
        assertEq(game.openChallenges(OWNER), 0, "open");
        assertMoneyOfCrowd();
    }

    function test_claimTimeout__all_places_taken__stays_below_five_million_gas() public {
        warpPast(disputeOf(jobId, pinKey(3, 0)).deadline);
        measure(STRANGER, address(pins), abi.encodeCall(pins.claimTimeout, (jobId, pinKey(3, 0))));
        assertState(jobId, JobState.REJECTED);
        assertPhase(jobId, pinKey(3, 0), Phase.DEFAULT);
    }

    function test_prove__all_places_taken__ends_all_of_them() public {
        bytes memory call = abi.encodeCall(IDisputeGame.prove, (jobId, termsOf(jobId), "", "", ""));
        measure(WORKER, address(game), call);
        for (uint256 i = 0; i < PLACES; ++i) {
            measure(STRANGER, address(pins), abi.encodeCall(pins.resolve, (jobId, pinKey(3, uint64(i)))));
            assertPhase(jobId, pinKey(3, uint64(i)), Phase.DEFENDER_PROVEN);
        }
        assertEq(game.openChallenges(OWNER), 0, "open");
        assertMoneyOfCrowd();
    }

    function assertMoneyOfCrowd() private view {
        uint256 sum = sumLedger(ETH);
        for (uint256 i = 0; i < PROVERS; ++i) {
            sum += sumAccount(ETH, vm.addr(700 + i));
        }
        for (uint256 i = 0; i < PLACES; ++i) {
            sum += sumAccount(ETH, vm.addr(800 + i)) + disputeOf(jobId, pinKey(3, uint64(i))).bonds;
        }
        assertEq(address(vault).balance, sum, "vault's ETH against ledger");
    }
}
