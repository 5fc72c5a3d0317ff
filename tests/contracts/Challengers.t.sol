// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobState} from "../../contracts/types/Job.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Several challengers of one job share its dispute (protocol.md A.14).
contract ChallengersTest is JobSteps {
    uint256 private firstBlock;
    uint256 private shareBlocks;
    uint256 private maxChallengers;

    function setUp() public override {
        super.setUp();
        firstBlock = block.number;
        (shareBlocks, maxChallengers) = (localPreset().shareBlocks, localPreset().maxChallengers);
    }

    /// @notice Accounts that nobody else here uses.
    function crowd(uint256 index) private returns (address account) {
        account = vm.addr(100 + index);
        vm.deal(account, 1 ether);
    }

    function checkJoinRefused(JobId jobId, address account, uint256 value, bytes memory expected) private {
        bytes memory call = abi.encodeCall(IDisputeGame.challenge, (jobId, OUT_DIGEST));
        checkRefused(jobId, account, address(game), value, call, expected);
    }

    function tooLateToJoin(JobId jobId) private view returns (bytes memory) {
        return
            abi.encodeWithSelector(IDisputeGame.TooLateToJoin.selector, jobId, firstBlock + shareBlocks, block.number);
    }

    /* WHO MAY JOIN */

    function test_join__twice__reverts() public {
        JobId jobId = challengedJob();
        challengeAs(STRANGER, jobId);
        address[2] memory challengers = [CHALLENGER, STRANGER];
        for (uint256 i = 0; i < challengers.length; ++i) {
            checkJoinRefused(
                jobId,
                challengers[i],
                BOND,
                abi.encodeWithSelector(IDisputeGame.AlreadyChallenging.selector, jobId, challengers[i])
            );
        }
    }

    function test_join__unexpected_result__reverts() public {
        JobId jobId = challengedJob();
        bytes32 other = keccak256("another result");
        bytes memory call = abi.encodeCall(IDisputeGame.challenge, (jobId, other));
        bytes memory expected = abi.encodeWithSelector(IJobMarket.UnexpectedResult.selector, jobId, OUT_DIGEST, other);
        checkRefused(jobId, STRANGER, address(game), BOND, call, expected);
    }

    function test_join__less_than_the_first_bond__reverts() public {
        JobId jobId = challengedJob();
        // Cheaper gas does not make the second bond cheaper, dearer gas not dearer.
        vm.fee(100 gwei);
        checkJoinRefused(
            jobId, STRANGER, BOND - 1, abi.encodeWithSelector(IDisputeGame.BondTooSmall.selector, jobId, BOND - 1, BOND)
        );
        vm.prank(STRANGER);
        game.challenge{value: BOND}(jobId, OUT_DIGEST);
        assertEq(vault.bondsOf(jobId), 2 * BOND, "bonds");
    }

    function test_join__a_block_too_late__reverts() public {
        JobId jobId = challengedJob();
        vm.roll(firstBlock + shareBlocks + 1);
        checkJoinRefused(jobId, STRANGER, BOND, tooLateToJoin(jobId));
    }

    function test_join__in_the_last_block__shares() public {
        JobId jobId = challengedJob();
        vm.roll(firstBlock + shareBlocks);
        // The window to challenge first is over, but not that of those who came too late by a block, and the proof has its
        // last second.
        vm.warp(START + PROVE);
        vm.expectEmit(address(game));
        emit IDisputeGame.ChallengeJoined(jobId, STRANGER, BOND);
        vm.prank(STRANGER);
        game.challenge{value: BOND + 3}(jobId, OUT_DIGEST);
        address[] memory challengers = game.getChallengers(jobId);
        assertEq(challengers.length, 2, "challengers");
        assertEq(challengers[0], CHALLENGER, "first");
        assertEq(challengers[1], STRANGER, "second");
        assertEq(vault.bondsOf(jobId), 2 * BOND, "bonds");
        assertEq(accountOf(STRANGER).credit, 3, "excess");
        assertEq(game.openChallenges(OWNER), 1, "one challenge");
        assertEq(game.getDispute(jobId).proveBy, START + PROVE, "the deadline stays (I25)");
        assertConserved();
    }

    function test_join__once_the_proof_is_overdue__reverts() public {
        JobId jobId = challengedJob();
        vm.warp(START + PROVE + 1);
        checkJoinRefused(jobId, STRANGER, BOND, tooLate(jobId, START + PROVE));
    }

    function test_join__resolved_dispute__reverts() public {
        JobId jobId = challengedJob();
        proveAs(WORKER, jobId);
        checkJoinRefused(jobId, STRANGER, BOND, wrongState(jobId, JobState.COMMITTED));
    }

    function test_join__while_paused__reverts() public {
        JobId jobId = challengedJob();
        actAsGuardian(IGuardian.Action.PAUSE);
        checkJoinRefused(
            jobId, STRANGER, BOND, abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, START + 72 hours)
        );
    }

    /* HOW MANY MAY JOIN */

    function test_join__more_than_there_is_room_for__reverts() public {
        JobId jobId = challengedJob();
        for (uint256 i = 1; i < maxChallengers; ++i) {
            challengeAs(crowd(i), jobId);
        }
        bytes memory full = abi.encodeWithSelector(IDisputeGame.NoRoomToJoin.selector, jobId, maxChallengers);
        checkJoinRefused(jobId, STRANGER, BOND, full);
        // The client has a place of its own.
        challengeAs(CLIENT, jobId);
        checkJoinRefused(jobId, STRANGER, BOND, full);
        assertEq(game.getChallengers(jobId).length, maxChallengers + 1, "challengers");
    }

    function test_join__the_client_was_first__takes_nobodys_place() public {
        JobId jobId = committedJob();
        challengeAs(CLIENT, jobId);
        for (uint256 i = 0; i < maxChallengers; ++i) {
            challengeAs(crowd(i), jobId);
        }
        checkJoinRefused(
            jobId, STRANGER, BOND, abi.encodeWithSelector(IDisputeGame.NoRoomToJoin.selector, jobId, maxChallengers)
        );
    }

    function test_join__the_client__until_its_window_closes() public {
        JobId jobId = challengedJob();
        vm.roll(firstBlock + 1000);
        vm.warp(START + 15);
        challengeAs(CLIENT, jobId);
        assertEq(game.getChallengers(jobId).length, 2, "joined");
        JobId another = committedJob();
        firstBlock = block.number;
        challenge(another);
        vm.roll(block.number + shareBlocks + 1);
        vm.warp(START + 31);
        checkJoinRefused(another, CLIENT, BOND, tooLateToJoin(another));
        // Within the blocks it may join like anybody.
        vm.roll(firstBlock + shareBlocks);
        challengeAs(CLIENT, another);
    }

    /// @notice The dearest exits of a full dispute stay far below a block's gas (I18).
    function test_full_dispute__settles_within_a_million_gas() public {
        JobId[3] memory jobIds = [challengedJob(), challengedJob(), challengedJob()];
        for (uint256 j = 0; j < jobIds.length; ++j) {
            for (uint256 i = 1; i < maxChallengers; ++i) {
                challengeAs(crowd(i), jobIds[j]);
            }
            challengeAs(CLIENT, jobIds[j]);
        }
        uint256 before = gasleft();
        proveAs(WORKER, jobIds[0]);
        assertLe(before - gasleft(), 1_000_000, "prove");
        vm.warp(START + 100);
        before = gasleft();
        game.claimDefault(jobIds[1]);
        assertLe(before - gasleft(), 1_000_000, "default");
        warpPastJob(jobIds[1]);
        before = gasleft();
        game.distributeSlash(jobIds[1]);
        assertLe(before - gasleft(), 1_000_000, "distribute");
    }

    /* MONEY */

    function test_prove__all_bonds_are_lost() public {
        JobId jobId = challengedJob();
        challengeAs(STRANGER, jobId);
        challengeAs(CLIENT, jobId);
        proveAs(WORKER, jobId);
        uint256 defender = 3 * BOND * 80 / 100;
        assertEq(accountOf(OWNER).credit, FEE - PROTOCOL_FEE + defender, "fee and 80 % of all bonds");
        assertEq(vault.burned(ETH), PROTOCOL_FEE + 3 * BOND - defender, "burned");
        assertEq(sumAccount(ETH, CHALLENGER) + sumAccount(ETH, STRANGER) + sumAccount(ETH, CLIENT), 0, "lost");
        assertSettled(jobId);
    }

    function test_claimDefault__returns_every_bond_and_shares_the_reward() public {
        JobId jobId = challengedJob();
        challengeAs(STRANGER, jobId);
        challengeAs(CLIENT, jobId);
        defaultJob(jobId);
        assertEq(accountOf(CHALLENGER).credit, BOND, "first bond");
        assertEq(accountOf(STRANGER).credit, BOND, "second bond");
        assertEq(accountOf(CLIENT).credit, FEE + BOND, "client's fee and bond");
        distribute(jobId);
        uint256 share = LOCK * 35 / 100 / 3;
        assertEq(accountOf(CHALLENGER).credit, BOND + share, "first share");
        assertEq(accountOf(STRANGER).credit, BOND + share, "second share");
        assertEq(accountOf(CLIENT).credit, FEE + BOND + share + LOCK * 40 / 100, "client's shares");
        assertEq(vault.burned(ETH), LOCK * 25 / 100 + LOCK * 35 / 100 - 3 * share, "what does not divide is burned");
        assertSettled(jobId);
    }

    /// @notice Pre-emption cannot zero an honest watcher's reward: with an accomplice in front it still earns half, and
    /// the operator with its accomplice loses more than 65 % of the lock.
    function test_self_challenge__before_an_honest_one__leaves_half_the_reward() public {
        JobId jobId = committedJob();
        challengeAs(OWNER, jobId);
        challengeAs(CHALLENGER, jobId);
        defaultJob(jobId);
        distribute(jobId);
        assertEq(accountOf(CHALLENGER).credit, BOND + LOCK * 35 / 200, "honest share");
        assertEq(sumAccount(ETH, OWNER), STAKE + BOND - LOCK + LOCK * 35 / 200, "operator");
        assertSettled(jobId);
    }

    function test_self_challenge__alone__loses_65_percent() public {
        JobId jobId = committedJob();
        challengeAs(OWNER, jobId);
        defaultJob(jobId);
        distribute(jobId);
        assertEq(sumAccount(ETH, OWNER), STAKE + BOND - LOCK * 65 / 100, "operator");
        assertSettled(jobId);
    }

    function testFuzz_challengers__every_exit_balances(uint8 count, uint96 fee, uint64 baseFee, uint8 exit) public {
        count = uint8(bound(count, 1, maxChallengers));
        vm.fee(bound(baseFee, 0, 50 gwei));
        vm.deal(OWNER, 500 ether);
        vm.prank(OWNER);
        vault.deposit{value: 500 ether}(ETH, 500 ether);
        JobId jobId = createJob(uint96(bound(fee, 1, 10 ether)));
        accept(jobId);
        commit(jobId);
        uint256 lock = accountOf(OWNER).locked;
        uint256 bond = game.requiredBond(jobId);
        for (uint256 i = 0; i < count; ++i) {
            challengeAs(crowd(i), jobId);
        }
        exit = uint8(bound(exit, 0, 2));
        if (exit == 0) proveAs(STRANGER, jobId);
        else defaultJob(jobId);
        if (exit == 1) distribute(jobId);
        if (exit == 2) cureAs(WORKER, jobId);
        uint256 each = exit == 0 ? 0 : bond + lock * (exit == 1 ? 35 : 5) / 100 / count;
        for (uint256 i = 0; i < count; ++i) {
            assertEq(accountOf(vm.addr(100 + i)).credit, each, "challenger");
        }
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        // The crowd are no actors of the ledger.
        assertEq(address(vault).balance, sumLedger(ETH) + count * each, "conserved");
        assertEq(vault.bondsOf(jobId) + vault.getFunds(ETH, jobId).lock, 0, "nothing left");
        DisputeState[3] memory ends = [DisputeState.DEFENDER_PROVEN, DisputeState.DISTRIBUTED, DisputeState.CURED];
        assertDispute(jobId, ends[exit]);
    }
}
