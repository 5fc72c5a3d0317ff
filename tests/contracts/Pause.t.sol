// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobParams, JobTerms} from "../../contracts/types/Job.sol";
import {Deployment} from "./Deployment.sol";

/// @notice A pause stops every step and moves no deadline nearer; it never keeps anybody from its own money (I19, I20).
contract PauseTest is Deployment {
    uint256 private constant MAX_PAUSE = 259_200;

    struct Step {
        address caller;
        address target;
        uint256 value;
        bytes call;
    }

    function pause() private {
        actAsGuardian(IGuardian.Action.PAUSE);
    }

    function take(Step memory step) private returns (bool success, bytes memory answer) {
        vm.prank(step.caller);
        (success, answer) = step.target.call{value: step.value}(step.call);
    }

    /// @dev What would count now is refused while the clock stands, and counts when it runs again, however long it stood.
    function checkStops(Step memory step, string memory name) private {
        uint256 state = vm.snapshotState();
        (bool success, bytes memory answer) = take(step);
        assertTrue(success, name);
        vm.revertToState(state);

        state = vm.snapshotState();
        uint256 until = block.timestamp + MAX_PAUSE;
        pause();
        vm.warp(until - 1);
        (success, answer) = take(step);
        assertTrue(!success, name);
        assertEq(
            keccak256(answer),
            keccak256(abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, until)),
            "for the reason of the pause"
        );
        vm.warp(until);
        (success, answer) = take(step);
        assertTrue(success, name);
        vm.revertToState(state);
    }

    function atMarket(address caller, bytes memory call) private view returns (Step memory) {
        return Step({caller: caller, target: address(market), value: 0, call: call});
    }

    function atGame(address caller, bytes memory call) private view returns (Step memory) {
        return Step({caller: caller, target: address(game), value: 0, call: call});
    }

    /* STEPS IN TIME */

    function test_every_step__on_its_last_second__counts_after_the_pause() public {
        JobParams memory params = jobParams(FEE);
        Step memory create = atMarket(CLIENT, abi.encodeCall(IJobMarket.createJob, (params)));
        create.value = FEE;
        checkStops(create, "createJob");

        JobId jobId = createJob();
        vm.warp(market.getJob(jobId).deadline);
        checkStops(atMarket(CLIENT, abi.encodeCall(IJobMarket.cancelJob, (jobId))), "cancelJob");
        checkStops(atMarket(WORKER, abi.encodeCall(IJobMarket.acceptJob, (jobId))), "acceptJob");

        accept(jobId);
        vm.warp(block.timestamp + 5);
        checkStops(atMarket(WORKER, abi.encodeCall(IJobMarket.rejectJob, (jobId))), "rejectJob");
        vm.warp(market.getJob(jobId).deadline);
        checkStops(atMarket(WORKER, abi.encodeCall(IJobMarket.commitResult, (jobId, OUT_DIGEST, ""))), "commitResult");

        commit(jobId);
        vm.warp(market.getJob(jobId).deadline);
        Step memory request = atMarket(CLIENT, abi.encodeCall(IJobMarket.requestDelivery, (jobId)));
        request.value = market.computeDeliveryPayment(jobId);
        checkStops(request, "requestDelivery");
        Step memory object = atGame(CHALLENGER, abi.encodeCall(IDisputeGame.challenge, (jobId, OUT_DIGEST)));
        object.value = game.requiredBond(jobId);
        checkStops(object, "challenge");

        challenge(jobId);
        vm.warp(game.getDispute(jobId).proveBy);
        JobTerms memory terms = termsOf(jobId);
        checkStops(
            atGame(WORKER, abi.encodeCall(IDisputeGame.prove, (jobId, terms, "input", "output", "proof"))), "prove"
        );
    }

    function test_required_proof__asked_for_on_the_last_second__counts_after_the_pause() public {
        JobId jobId = createProofJob(FEE);
        accept(jobId);
        commit(jobId);
        vm.warp(market.getJob(jobId).deadline);
        checkStops(atGame(CLIENT, abi.encodeCall(IDisputeGame.requestProof, (jobId, OUT_DIGEST))), "requestProof");
    }

    function test_cure__on_the_last_second_of_the_airgap__counts_after_the_pause() public {
        JobId jobId = defaultedJob();
        vm.warp(market.getJob(jobId).deadline);
        JobTerms memory terms = termsOf(jobId);
        checkStops(
            atGame(WORKER, abi.encodeCall(IDisputeGame.cure, (jobId, terms, "input", "output", "proof"))), "cure"
        );
    }

    /* WHAT PUNISHES OR ENDS */

    function test_every_settlement__on_its_first_second__waits_for_the_end_of_the_pause() public {
        JobId open = createJob();
        warpPastJob(open);
        checkStops(atMarket(STRANGER, abi.encodeCall(IJobMarket.expireJob, (open))), "expireJob");
        JobId assigned = acceptedJob();
        warpPastJob(assigned);
        checkStops(atMarket(STRANGER, abi.encodeCall(IJobMarket.failJob, (assigned))), "failJob");
        JobId committed = committedJob();
        warpPastJob(committed);
        checkStops(atMarket(STRANGER, abi.encodeCall(IJobMarket.finalise, (committed))), "finalise");

        JobId disputed = challengedJob();
        warpPast(game.getDispute(disputed).proveBy);
        checkStops(atGame(STRANGER, abi.encodeCall(IDisputeGame.claimDefault, (disputed))), "claimDefault");
        game.claimDefault(disputed);
        warpPastJob(disputed);
        checkStops(atGame(STRANGER, abi.encodeCall(IDisputeGame.distributeSlash, (disputed))), "distributeSlash");
    }

    /// @dev The seconds that an operator had left when the pause began are those it has left afterwards.
    function test_commit__after_any_pause__has_exactly_the_seconds_it_had(uint32 elapsed, uint32 length) public {
        JobId jobId = acceptedJob();
        uint256 left = 20 - bound(elapsed, 0, 20);
        vm.warp(START + 20 - left);
        pause();
        uint256 stood = bound(length, 0, MAX_PAUSE - 1);
        vm.warp(block.timestamp + stood);
        actAsGuardian(IGuardian.Action.UNPAUSE);

        vm.warp(block.timestamp + left);
        Step memory fail = atMarket(STRANGER, abi.encodeCall(IJobMarket.failJob, (jobId)));
        (bool failed,) = take(fail);
        assertTrue(!failed, "no fine on the last second");
        uint256 state = vm.snapshotState();
        commit(jobId);
        vm.revertToState(state);
        vm.warp(block.timestamp + 1);
        (failed,) = take(fail);
        assertTrue(failed, "a fine one second later");
        assertConserved();
    }

    /* MONEY OF ONE'S OWN */

    function test_money_and_workers__while_paused__are_free() public {
        JobId jobId = createJob();
        vm.prank(CLIENT);
        market.cancelJob(jobId);
        pause();
        uint256 before = CLIENT.balance;
        vm.prank(CLIENT);
        vault.withdrawCredit(ETH);
        assertEq(CLIENT.balance - before, FEE, "credit");

        giveStake(STRANGER, REGISTRANT, 1 ether);
        vm.prank(STRANGER);
        vault.requestUnbond(ETH, 1 ether);
        assertEq(accountOf(STRANGER).unbonding, 1 ether, "unbonding");
        assertConserved();
    }

    function test_withdrawUnbonded__the_pause_does_not_count() public {
        vm.prank(OWNER);
        vault.requestUnbond(ETH, 1 ether);
        pause();
        vm.warp(START + MAX_PAUSE + 727);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillUnbonding.selector, OWNER, START + 728));
        vm.prank(OWNER);
        vault.withdrawUnbonded(ETH);
        vm.warp(START + MAX_PAUSE + 728);
        vm.prank(OWNER);
        vault.withdrawUnbonded(ETH);
        assertConserved();
    }

    function test_unjail__the_pause_does_not_count() public {
        defaultedJob();
        uint256 until = vault.getStanding(OWNER).jailedUntil;
        uint256 paused = block.timestamp;
        pause();
        vm.warp(paused + MAX_PAUSE + 59);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillJailed.selector, OWNER, until));
        vm.prank(OWNER);
        vault.unjail();
        vm.warp(paused + MAX_PAUSE + 60);
        vm.prank(OWNER);
        vault.unjail();
    }
}
