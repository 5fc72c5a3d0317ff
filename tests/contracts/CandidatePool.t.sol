// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICandidatePool} from "../../contracts/interfaces/ICandidatePool.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Candidate, Search} from "../../contracts/types/Quorum.sol";
import {QuorumSteps} from "./QuorumSteps.sol";

/// @notice Who may enlist, who is drawn and how often.
contract CandidatePoolTest is QuorumSteps {
    uint256 private constant PLACES = 64;

    function enlistAs(address worker, address tag) private {
        vm.prank(worker);
        pool.enlist(version, ETH, tag, 0);
    }

    function checkRefused(address caller, bytes memory call, bytes memory reason) private {
        bytes32 before = keccak256(abi.encode(pool.getCandidates(version, ETH)));
        vm.prank(caller);
        (bool success, bytes memory got) = address(pool).call(call);
        assertTrue(!success, "refused");
        assertEq(keccak256(got), keccak256(reason), "reason");
        assertEq(keccak256(abi.encode(pool.getCandidates(version, ETH))), before, "nothing changed");
    }

    function search(bytes32 seed, uint256 required) private view returns (Search memory s) {
        (s.version, s.token, s.seed) = (version, ETH, seed);
        (s.askedAt, s.lock, s.required) = (block.number, LOCK, required);
    }

    function isAmong(address operator, Candidate[] memory list, uint256 found) private pure returns (bool) {
        for (uint256 i = 0; i < found; ++i) {
            if (list[i].operator == operator) return true;
        }
        return false;
    }

    function isDrawnEver(address operator) private view returns (bool) {
        for (uint256 i = 0; i < 24; ++i) {
            (Candidate[] memory list, uint256 found) = pool.drawOperators(search(keccak256(abi.encode(i)), 5));
            if (isAmong(operator, list, found)) return true;
        }
        return false;
    }

    /* enlist */

    function test_enlist__nobodys_worker__reverts() public {
        bytes memory call = abi.encodeCall(ICandidatePool.enlist, (version, ETH, ownerAt(0), 0));
        checkRefused(ownerAt(0), call, abi.encodeWithSelector(IStakeVault.NotWorker.selector, ownerAt(0)));
    }

    function test_enlist__unknown_version_or_token__reverts() public {
        address worker = workerAt(0);
        bytes memory call = abi.encodeCall(ICandidatePool.enlist, (WRONG, ETH, ownerAt(0), 0));
        checkRefused(worker, call, abi.encodeWithSelector(IJobMarket.UnknownModelVersion.selector, WRONG));
        call = abi.encodeCall(ICandidatePool.enlist, (version, STRANGER, ownerAt(0), 0));
        checkRefused(worker, call, abi.encodeWithSelector(IJobMarket.UnsupportedFeeToken.selector, STRANGER));
    }

    function test_enlist__under_a_tag_that_does_not_want_it__reverts() public {
        bytes memory call = abi.encodeCall(ICandidatePool.enlist, (version, ETH, ownerAt(1), 0));
        bytes memory reason = abi.encodeWithSelector(ICandidatePool.NotAdmitted.selector, ownerAt(1), ownerAt(0));
        checkRefused(workerAt(0), call, reason);
        vm.prank(ownerAt(1));
        pool.admit(ownerAt(0), true);
        enlistAs(workerAt(0), ownerAt(1));
        vm.prank(ownerAt(1));
        pool.admit(ownerAt(0), false);
        checkRefused(workerAt(0), call, reason);
    }

    function test_enlist__without_stake__reverts() public {
        address worker = vm.addr(300);
        vm.prank(STRANGER);
        vault.proposeWorker(worker);
        vm.prank(worker);
        vault.acceptOwner(STRANGER);
        bytes memory call = abi.encodeCall(ICandidatePool.enlist, (version, ETH, STRANGER, 0));
        checkRefused(worker, call, abi.encodeWithSelector(IStakeVault.InsufficientStake.selector, STRANGER, 0, 1));
    }

    function test_enlist__again__renews_the_entry_in_place() public {
        vm.roll(block.number + 7);
        vm.prank(ownerAt(3));
        vault.deposit{value: 1 ether}(ETH, 1 ether);
        enlistAs(workerAt(3), ownerAt(3));
        Candidate[] memory list = pool.getCandidates(version, ETH);
        assertEq(list.length, OPERATORS, "no second place");
        assertEq(list[3].since, block.number, "since");
        assertEq(list[3].stake, STAKE + 1 ether, "stake");
        enlistAs(workerAt(OPERATORS - 1), ownerAt(OPERATORS - 1));
        assertEq(pool.getCandidates(version, ETH).length, OPERATORS, "nor for the last of the list");
        // What a job locks is still its stake.
        JobId jobId = createJob();
        vm.prank(workerAt(4));
        market.acceptJob(jobId);
        enlistAs(workerAt(4), ownerAt(4));
        assertEq(pool.getCandidates(version, ETH)[4].stake, STAKE, "free and locked");
    }

    function test_enlist__all_places_taken__only_twice_the_least_stake_gets_one() public {
        for (uint256 i = OPERATORS; i < PLACES; ++i) {
            addOperator(i, i == 20 ? STAKE / 2 : STAKE);
            enlistAs(workerAt(i), ownerAt(i));
        }
        addOperator(90, STAKE - 1);
        bytes memory call = abi.encodeCall(ICandidatePool.enlist, (version, ETH, ownerAt(90), 0));
        bytes memory reason = abi.encodeWithSelector(ICandidatePool.NoPlace.selector, version, ETH, STAKE - 1, STAKE);
        checkRefused(workerAt(90), call, reason);
        vm.prank(ownerAt(90));
        vault.deposit{value: 1}(ETH, 1);
        enlistAs(workerAt(90), ownerAt(90));
        Candidate[] memory list = pool.getCandidates(version, ETH);
        assertEq(list.length, PLACES, "places");
        assertEq(list[20].operator, ownerAt(90), "in the place of the least");
        reason = abi.encodeWithSelector(ICandidatePool.NotEnlisted.selector, version, ETH, ownerAt(20));
        checkRefused(ownerAt(20), abi.encodeCall(ICandidatePool.leave, (version, ETH)), reason);
        addOperator(91, 2 * STAKE);
        enlistAs(workerAt(91), ownerAt(91));
        assertEq(pool.getCandidates(version, ETH)[0].operator, ownerAt(91), "in the place of the first of equals");
    }

    /* leave */

    function test_leave__not_enlisted__reverts() public {
        bytes memory call = abi.encodeCall(ICandidatePool.leave, (version, ETH));
        bytes memory reason = abi.encodeWithSelector(ICandidatePool.NotEnlisted.selector, version, ETH, STRANGER);
        checkRefused(STRANGER, call, reason);
        vm.prank(workerAt(0));
        pool.leave(version, ETH);
        reason = abi.encodeWithSelector(ICandidatePool.NotEnlisted.selector, version, ETH, workerAt(0));
        checkRefused(workerAt(0), call, reason);
    }

    /// forge-config: default.fuzz.runs = 48
    function test_leave__in_any_order__keeps_the_others(uint256 seed) public {
        seed %= 1 << OPERATORS;
        uint256 gone = 0;
        for (uint256 k = 0; k < OPERATORS; ++k) {
            uint256 i = (seed + k * 3) % OPERATORS; // 3 and 8 have no common factor: each once
            vm.prank((seed >> k) % 2 == 0 ? ownerAt(i) : workerAt(i));
            pool.leave(version, ETH);
            gone |= 1 << i;
            Candidate[] memory list = pool.getCandidates(version, ETH);
            assertEq(list.length, OPERATORS - k - 1, "length");
            for (uint256 j = 0; j < OPERATORS; ++j) {
                assertTrue(isAmong(ownerAt(j), list, list.length) == (gone >> j & 1 == 0), "who is left");
            }
        }
        enlistAs(workerAt(0), ownerAt(0));
        assertEq(pool.getCandidates(version, ETH).length, 1, "back");
    }

    /* THE DRAW */

    function test_drawOperators__late_poor_jailed_out_of_work_or_concerned__is_never_drawn() public {
        assertTrue(isDrawnEver(ownerAt(0)), "fit");
        // Enlisted after the seed was asked for.
        Search memory s = search(0, OPERATORS);
        vm.roll(block.number + 1);
        enlistAs(workerAt(0), ownerAt(0));
        (Candidate[] memory list, uint256 found) = pool.drawOperators(s);
        assertEq(found, OPERATORS - 1, "late");
        assertTrue(!isAmong(ownerAt(0), list, found), "late");
        // Short of one unit of the lock.
        vm.prank(ownerAt(1));
        vault.requestUnbond(ETH, uint96(STAKE - LOCK + 1));
        assertTrue(!isDrawnEver(ownerAt(1)), "poor");
        vm.prank(ownerAt(1));
        vault.deposit{value: 1}(ETH, 1);
        vm.warp(block.timestamp + 1);
        enlistAs(workerAt(1), ownerAt(1));
        assertTrue(isDrawnEver(ownerAt(1)), "rich enough");
        // Jailed (I23), until it leaves jail itself.
        vm.prank(address(market));
        vault.jail(ownerAt(2));
        assertTrue(!isDrawnEver(ownerAt(2)), "jailed");
        vm.warp(block.timestamp + 60);
        assertTrue(!isDrawnEver(ownerAt(2)), "still jailed");
        vm.prank(ownerAt(2));
        vault.unjail();
        assertTrue(isDrawnEver(ownerAt(2)), "free");
        vm.prank(workerAt(3));
        vault.leaveOwner();
        assertTrue(!isDrawnEver(ownerAt(3)), "out of work");
        s = search(0, OPERATORS);
        (s.client, s.primary) = (ownerAt(4), ownerAt(5));
        (list, found) = pool.drawOperators(s);
        assertTrue(!isAmong(ownerAt(4), list, found) && !isAmong(ownerAt(5), list, found), "concerned");
    }

    function test_drawOperators__after_an_unbonding__only_who_enlists_anew() public {
        vm.warp(block.timestamp + 10);
        enlistAs(workerAt(0), ownerAt(0));
        assertTrue(isDrawnEver(ownerAt(0)), "fit");
        // What went from key to key may not come back to the one whose lot turns out best.
        vm.startPrank(ownerAt(0));
        vault.requestUnbond(ETH, 1);
        vault.deposit{value: 1}(ETH, 1);
        vm.stopPrank();
        assertTrue(!isDrawnEver(ownerAt(0)), "unbonded");
        enlistAs(workerAt(0), ownerAt(0));
        assertTrue(!isDrawnEver(ownerAt(0)), "enlisted in the same second");
        vm.warp(block.timestamp + vault.UNBOND());
        vm.prank(ownerAt(0));
        vault.withdrawUnbonded(ETH);
        assertTrue(!isDrawnEver(ownerAt(0)), "withdrawn");
        enlistAs(workerAt(0), ownerAt(0));
        assertTrue(isDrawnEver(ownerAt(0)), "enlisted anew");
    }

    function test_drawOperators__for_less_than_it_asks__is_not_drawn() public {
        vm.prank(workerAt(0));
        pool.enlist(version, ETH, ownerAt(0), FEE);
        Search memory s = search(0, OPERATORS);
        s.fee = FEE;
        (, uint256 found) = pool.drawOperators(s);
        assertEq(found, OPERATORS, "enough");
        s.fee = FEE - 1;
        (Candidate[] memory list, uint256 left) = pool.drawOperators(s);
        assertEq(left, OPERATORS - 1, "too little");
        assertTrue(!isAmong(ownerAt(0), list, left), "too little");
    }

    /// forge-config: default.fuzz.runs = 48
    function test_drawOperators__one_tag__once_at_most(bytes32 seed) public {
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(ownerAt(7));
            pool.admit(ownerAt(i), true);
            enlistAs(workerAt(i), ownerAt(7));
        }
        (Candidate[] memory list, uint256 found) = pool.drawOperators(search(seed, OPERATORS));
        assertEq(found, 4, "4, 5, 6 and one of the others");
        for (uint256 i = 0; i < found; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(list[i].tag != list[j].tag, "tags");
            }
        }
    }

    /// forge-config: default.fuzz.runs = 48
    function test_drawOperators__who_leaves_after_the_seed__moves_nobody_else(bytes32 seed, uint256 who) public {
        // Nobody who sees the seed changes the order of the others: only itself goes.
        who = who % OPERATORS;
        (Candidate[] memory list, uint256 found) = pool.drawOperators(search(seed, OPERATORS));
        assertEq(found, OPERATORS, "all");
        vm.prank(ownerAt(who));
        pool.leave(version, ETH);
        (Candidate[] memory after_, uint256 left) = pool.drawOperators(search(seed, OPERATORS));
        assertEq(left, OPERATORS - 1, "one less");
        uint256 k = 0;
        for (uint256 i = 0; i < found; ++i) {
            if (list[i].operator == ownerAt(who)) continue;
            assertEq(after_[k++].operator, list[i].operator, "order");
        }
    }

    /// forge-config: default.fuzz.runs = 48
    function test_drawOperators__stake_deposited_after_the_seed__does_not_help(bytes32 seed) public {
        // So little stands below the cap, where more would count.
        vm.prank(ownerAt(0));
        vault.requestUnbond(ETH, uint96(STAKE - LOCK));
        vm.warp(block.timestamp + 1);
        enlistAs(workerAt(0), ownerAt(0));
        (Candidate[] memory list,) = pool.drawOperators(search(seed, OPERATORS));
        vm.prank(ownerAt(0));
        vault.deposit{value: 900 ether}(ETH, 900 ether);
        (Candidate[] memory after_,) = pool.drawOperators(search(seed, OPERATORS));
        assertEq(keccak256(abi.encode(list)), keccak256(abi.encode(after_)), "the same");
    }

    function test_drawOperators__by_stake_up_to_the_cap() public {
        // Weights at a lock of 0.07: seven of 16 locks (1.12 ether, capped), one of 0.56 ether, half of them.
        vm.prank(ownerAt(0));
        vault.requestUnbond(ETH, uint96(STAKE - 0.56 ether));
        vm.warp(block.timestamp + 1);
        enlistAs(workerAt(0), ownerAt(0));
        (uint256 light, uint256 heavy) = (0, 0);
        uint256 draws = 1000;
        for (uint256 i = 0; i < draws; ++i) {
            (Candidate[] memory list,) = pool.drawOperators(search(keccak256(abi.encode("draw", i)), 1));
            if (list[0].operator == ownerAt(0)) ++light;
            if (list[0].operator == ownerAt(1)) ++heavy;
        }
        // 0.5 / 7.5 and 1 / 7.5 of 1000 draws are 67 and 133; five standard deviations are 39 and 54.
        assertTrue(light > 27 && light < 107, "light");
        assertTrue(heavy > 79 && heavy < 188, "heavy");
    }

    function test_drawOperators__weight__is_capped() public {
        // A hundred times the stake of the others, and no more chances than they have.
        vm.prank(ownerAt(0));
        vault.deposit{value: 900 ether}(ETH, 900 ether);
        enlistAs(workerAt(0), ownerAt(0));
        uint256 whale = 0;
        for (uint256 i = 0; i < 400; ++i) {
            (Candidate[] memory list,) = pool.drawOperators(search(keccak256(abi.encode("whale", i)), 1));
            if (list[0].operator == ownerAt(0)) ++whale;
        }
        // An eighth of 400 is 50; five standard deviations are 33.
        assertTrue(whale > 17 && whale < 83, "whale");
    }
}
