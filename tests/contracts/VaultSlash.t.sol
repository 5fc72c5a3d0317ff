// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {BondSplit, SlashSplit} from "../../contracts/types/Split.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {VaultBase} from "./VaultBase.sol";

/// @notice Slashed locks, slashed stake and the bonds of those who challenge.
contract VaultSlashTest is VaultBase {
    function slashedJob(uint96 lock) private {
        lockStake(lock);
        settle(slashed(0, lock));
    }

    function division() private pure returns (SlashSplit memory) {
        return SlashSplit({toOperator: 0, toClient: 40, toChallengers: 35, toBurn: 25});
    }

    /* DIVIDING A SLASH */

    function test_divideSlash__by_another_than_the_market__reverts() public {
        slashedJob(100);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotMarket.selector, GAME));
        vm.prank(GAME);
        vault.divideSlash(ETH, JOB, OWNER, CLIENT, challengersOf(1), division());
    }

    function test_divideSlash__lock_that_is_not_slashed__reverts() public {
        vm.expectRevert(wrongStatus(LockStatus.NONE));
        divide(challengersOf(1), division());
        lockStake(100);
        vm.expectRevert(wrongStatus(LockStatus.ACTIVE));
        divide(challengersOf(1), division());
        settle(paid(0, 100));
        vm.expectRevert(wrongStatus(LockStatus.RELEASED));
        divide(challengersOf(1), division());
    }

    function test_divideSlash__twice__reverts() public {
        slashedJob(100);
        divide(challengersOf(1), division());
        vm.expectRevert(wrongStatus(LockStatus.DIVIDED));
        divide(challengersOf(1), division());
        vm.expectRevert(wrongStatus(LockStatus.DIVIDED));
        settle(paid(0, 0));
    }

    function test_divideSlash__parts_do_not_add_up__reverts() public {
        slashedJob(101);
        vm.expectRevert(unbalanced(100, 101));
        divide(challengersOf(1), division());
        SlashSplit memory split = division();
        split.toOperator = 2;
        vm.expectRevert(unbalanced(102, 101));
        divide(challengersOf(1), split);
    }

    function test_divideSlash__pays_client_challengers_and_burn() public {
        slashedJob(100);
        vm.expectEmit(address(vault));
        emit IStakeVault.SlashDivided(ETH, JOB, OWNER, 0);
        vm.expectEmit(address(vault));
        emit IStakeVault.Credited(ETH, JOB, CLIENT, 40);
        vm.expectEmit(address(vault));
        emit IStakeVault.Credited(ETH, JOB, CHALLENGER, 35);
        vm.expectEmit(address(vault));
        emit IStakeVault.Burned(ETH, JOB, 25);
        divide(challengersOf(1), division());
        assertEq(accountOf(CLIENT).credit, 40, "client");
        assertEq(accountOf(CHALLENGER).credit, 35, "challenger");
        assertEq(accountOf(OWNER).free, STAKE - 100, "operator");
        assertFunds(ETH, 0, 0, LockStatus.DIVIDED);
        assertBalanced();
    }

    function test_divideSlash__cured__returns_the_operators_part_as_stake() public {
        slashedJob(100);
        vm.expectEmit(address(vault));
        emit IStakeVault.SlashDivided(ETH, JOB, OWNER, 80);
        divide(challengersOf(1), SlashSplit({toOperator: 80, toClient: 10, toChallengers: 5, toBurn: 5}));
        assertEq(accountOf(OWNER).free, STAKE - 20, "free");
        assertEq(accountOf(OWNER).locked, 0, "locked");
        assertBalanced();
    }

    function test_divideSlash__what_does_not_divide__is_burned() public {
        slashedJob(100);
        divide(challengersOf(3), division());
        assertEq(accountOf(vm.addr(4)).credit, 11, "first");
        assertEq(accountOf(vm.addr(6)).credit, 11, "last");
        assertEq(vault.burned(ETH), 27, "burned");
        assertBalanced();
    }

    function test_divideSlash__without_challengers__burns_their_part() public {
        slashedJob(100);
        divide(challengersOf(0), division());
        assertEq(vault.burned(ETH), 60, "burned");
        assertBalanced();
    }

    function test_burned__adds_up() public {
        slashedJob(100);
        divide(challengersOf(1), division());
        addBond(CHALLENGER, 10, 10);
        settleBonds(challengersOf(1), BondSplit(0, 8, 2));
        assertEq(vault.burned(ETH), 27, "slash and bond");
        assertEq(vault.burned(address(token)), 0, "the other token");
        assertBalanced();
    }

    function test_divideSlash__any_split__keeps_the_balance(uint96[4] memory parts, uint256 count) public {
        for (uint256 i = 0; i < parts.length; ++i) {
            parts[i] = uint96(bound(parts[i], i, 2 ether));
        }
        SlashSplit memory split = SlashSplit(parts[0], parts[1], parts[2], parts[3]);
        uint96 lock = parts[0] + parts[1] + parts[2] + parts[3];
        uint256 challengers = bound(count, 0, 3);
        slashedJob(lock);
        divide(challengersOf(challengers), split);
        uint256 share = challengers == 0 ? 0 : parts[2] / challengers;
        assertEq(accountOf(OWNER).free, STAKE - lock + parts[0], "operator");
        assertEq(accountOf(CLIENT).credit, parts[1], "client");
        assertEq(accountOf(CHALLENGER).credit, share, "challenger");
        assertEq(vault.burned(ETH), parts[3] + parts[2] - share * challengers, "burned");
        assertBalanced();
    }

    /* SLASHING STAKE */

    function slashStake(uint256 bps) private {
        vm.prank(address(market));
        vault.slashStake(ETH, JOB, OWNER, bps);
    }

    function test_slashStake__by_another_than_the_market__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotMarket.selector, GAME));
        vm.prank(GAME);
        vault.slashStake(ETH, JOB, OWNER, 1000);
    }

    function test_slashStake__more_than_there_is__reverts() public {
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        slashStake(20_000);
    }

    function test_slashStake__reaches_free_and_unbonding_but_not_locked_stake() public {
        lockStake(1 ether);
        unbond(4 ether);
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeSlashed(ETH, JOB, OWNER, 0.5 ether, 0.4 ether);
        vm.expectEmit(address(vault));
        emit IStakeVault.Burned(ETH, JOB, 0.9 ether);
        slashStake(1000);
        assertEq(accountOf(OWNER).free, 4.5 ether, "free");
        assertEq(accountOf(OWNER).unbonding, 3.6 ether, "unbonding");
        assertEq(accountOf(OWNER).locked, 1 ether, "locked");
        assertBalanced();
    }

    function test_slashStake__any_part__rounds_down(uint96 unbonding, uint256 bps) public {
        unbonding = uint96(bound(unbonding, 1, STAKE));
        bps = bound(bps, 0, 10_000);
        unbond(unbonding);
        slashStake(bps);
        uint256 free = STAKE - unbonding;
        assertEq(accountOf(OWNER).free, free - free * bps / 10_000, "free");
        assertEq(accountOf(OWNER).unbonding, unbonding - unbonding * bps / 10_000, "unbonding");
        assertEq(vault.getAccount(address(token), OWNER).free, STAKE, "the other token");
        assertBalanced();
    }

    /* BONDS */

    function test_addBond__by_another_than_the_game__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotGame.selector, address(market)));
        vm.prank(address(market));
        vault.addBond{value: 1}(JOB, CHALLENGER, 1);
    }

    function test_addBond__too_little__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 9, 10));
        addBond(CHALLENGER, 10, 9);
    }

    function test_addBond__wider_than_credit__reverts() public {
        uint96 amount = uint96(type(uint80).max);
        vm.deal(GAME, 2 * uint256(amount));
        addBond(CHALLENGER, amount, amount);
        vm.expectRevert(tooWide(80, uint256(amount) + 1));
        addBond(CHALLENGER, 1, 1);
    }

    function test_addBond__sums_and_credits_the_excess(uint96 first, uint96 second, uint96 excess) public {
        first = uint96(bound(first, 1, 10 ether));
        second = uint96(bound(second, 1, 10 ether));
        excess = uint96(bound(excess, 1, 10 ether));
        vm.expectEmit(address(vault));
        emit IStakeVault.BondAdded(JOB, CHALLENGER, first);
        addBond(CHALLENGER, first, first);
        vm.expectEmit(address(vault));
        emit IStakeVault.BondAdded(JOB, STRANGER, second);
        vm.expectEmit(address(vault));
        emit IStakeVault.Credited(ETH, JOB, STRANGER, excess);
        addBond(STRANGER, second, uint256(second) + excess);
        assertEq(vault.bondsOf(JOB), uint256(first) + second, "bonds");
        assertEq(accountOf(STRANGER).credit, excess, "excess");
        assertBalanced();
    }

    function test_settleBonds__by_another_than_the_game__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotGame.selector, address(market)));
        vm.prank(address(market));
        vault.settleBonds(JOB, challengersOf(0), OWNER, BondSplit(0, 0, 0));
    }

    function test_settleBonds__parts_do_not_add_up__reverts() public {
        addBond(CHALLENGER, 10, 10);
        vm.expectRevert(unbalanced(9, 10));
        settleBonds(challengersOf(1), BondSplit(9, 0, 0));
        vm.expectRevert(unbalanced(11, 10));
        settleBonds(challengersOf(1), BondSplit(0, 8, 3));
    }

    function test_settleBonds__twice__reverts() public {
        addBond(CHALLENGER, 10, 10);
        settleBonds(challengersOf(1), BondSplit(10, 0, 0));
        vm.expectRevert(unbalanced(10, 0));
        settleBonds(challengersOf(1), BondSplit(10, 0, 0));
    }

    function test_settleBonds__won__returns_each_bond() public {
        addBond(CHALLENGER, 10, 10);
        addBond(STRANGER, 10, 10);
        vm.expectEmit(address(vault));
        emit IStakeVault.BondsSettled(JOB, 20);
        settleBonds(challengersOf(2), BondSplit(20, 0, 0));
        assertEq(accountOf(CHALLENGER).credit, 10, "first");
        assertEq(accountOf(STRANGER).credit, 10, "second");
        assertEq(vault.bondsOf(JOB), 0, "bonds");
        assertBalanced();
    }

    function test_settleBonds__lost__pays_the_defender_and_burns() public {
        addBond(CHALLENGER, 10, 10);
        settleBonds(challengersOf(1), BondSplit(0, 8, 2));
        assertEq(accountOf(OWNER).credit, 8, "defender");
        assertEq(accountOf(CHALLENGER).credit, 0, "challenger");
        assertEq(vault.burned(ETH), 2, "burned");
        assertBalanced();
    }

    function pinpointBond(JobId id, uint96 amount) private {
        vm.prank(PINPOINT);
        vault.addBond{value: amount}(id, CHALLENGER, amount);
    }

    function settlePinpoint(JobId id, BondSplit memory split) private {
        vm.prank(PINPOINT);
        vault.settleBonds(id, challengersOf(1), OWNER, split);
    }

    function test_addBond__of_pinpointing__is_one_sum_beside_those_of_jobs() public {
        JobId other = JobId.wrap(bytes32(uint256(77)));
        addBond(CHALLENGER, 10, 10);
        assertEq(vault.pinpointBonds(), 0, "none yet");
        pinpointBond(JOB, 5);
        vm.expectEmit(address(vault));
        emit IStakeVault.BondAdded(other, CHALLENGER, 7);
        pinpointBond(other, 7);
        assertEq(vault.pinpointBonds(), 12, "of both disputes");
        assertEq(vault.bondsOf(JOB), 10, "of the job");
        assertEq(vault.bondsOf(other), 0, "no job's");
        assertBalanced();
    }

    function test_settleBonds__of_pinpointing__never_takes_a_jobs() public {
        addBond(CHALLENGER, 10, 10);
        pinpointBond(JOB, 12);
        vm.expectRevert(unbalanced(13, 12));
        settlePinpoint(JOB, BondSplit(13, 0, 0));
        vm.expectEmit(address(vault));
        emit IStakeVault.BondsSettled(JOB, 5);
        settlePinpoint(JOB, BondSplit(0, 4, 1));
        assertEq(vault.pinpointBonds(), 7, "what is left");
        vm.expectRevert(unbalanced(8, 7));
        settlePinpoint(JOB, BondSplit(8, 0, 0));
        settlePinpoint(JOB, BondSplit(7, 0, 0));
        assertEq(vault.pinpointBonds(), 0, "all settled");
        vm.expectRevert(unbalanced(1, 0));
        settlePinpoint(JOB, BondSplit(0, 0, 1));
        assertEq(vault.bondsOf(JOB), 10, "of the job");
        assertBalanced();
    }

    function test_settleBonds__of_a_job__never_takes_those_of_pinpointing() public {
        pinpointBond(JOB, 12);
        vm.expectRevert(unbalanced(12, 0));
        settleBonds(challengersOf(1), BondSplit(12, 0, 0));
    }

    function test_settleBonds__any_split__keeps_the_balance(uint96[3] memory parts, uint256 count) public {
        for (uint256 i = 0; i < parts.length; ++i) {
            parts[i] = uint96(bound(parts[i], 0, 10 ether));
        }
        uint256 challengers = bound(count, 0, 3);
        uint96 bonds = parts[0] + parts[1] + parts[2];
        addBond(CHALLENGER, bonds, bonds);
        settleBonds(challengersOf(challengers), BondSplit(parts[0], parts[1], parts[2]));
        uint256 share = challengers == 0 ? 0 : parts[0] / challengers;
        assertEq(accountOf(CHALLENGER).credit, share, "challenger");
        assertEq(accountOf(OWNER).credit, parts[1], "defender");
        assertEq(vault.burned(ETH), parts[2] + parts[0] - share * challengers, "burned");
        assertBalanced();
    }
}
