// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ReentrantOwner} from "../../contracts/mocks/ReentrantOwner.sol";
import {RefusingOwner} from "../../contracts/mocks/RefusingOwner.sol";
import {Account} from "../../contracts/types/Stake.sol";
import {VaultBase} from "./VaultBase.sol";

/// @notice What accounts do with their own money.
contract LedgerTest is VaultBase {
    /* DEPOSIT */

    function test_deposit__nothing__reverts() public {
        vm.expectRevert(IStakeVault.ZeroAmount.selector);
        vault.deposit(ETH, 0);
        vm.expectRevert(IStakeVault.ZeroAmount.selector);
        vault.deposit(address(token), 0);
    }

    function test_deposit__other_value_than_the_amount__reverts() public {
        vm.startPrank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 1, 2));
        vault.deposit{value: 1}(ETH, 2);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 3, 2));
        vault.deposit{value: 3}(ETH, 2);
        vm.stopPrank();
    }

    function test_deposit__ether_beside_a_token__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongValue.selector, 1, 0));
        vm.prank(STRANGER);
        vault.deposit{value: 1}(address(token), 1);
    }

    function test_deposit__more_than_the_ledger_counts__reverts() public {
        uint256 amount = uint256(type(uint88).max) + 1;
        vm.deal(STRANGER, amount);
        vm.expectRevert(tooWide(88, amount));
        vm.prank(STRANGER);
        vault.deposit{value: amount}(ETH, amount);
    }

    function test_deposit__counts(uint256 amount, bool inToken) public {
        amount = bound(amount, 1, 1000 ether);
        address asset = inToken ? address(token) : ETH;
        vm.expectEmit(address(vault));
        emit IStakeVault.Deposited(asset, STRANGER, amount);
        vm.prank(STRANGER);
        vault.deposit{value: inToken ? 0 : amount}(asset, amount);
        assertEq(vault.getAccount(asset, STRANGER).free, amount, "free");
        assertEq(vault.getAccount(inToken ? ETH : address(token), STRANGER).free, 0, "the other token");
        assertBalanced();
    }

    function test_transfer__without_a_function__reverts() public {
        vm.prank(STRANGER);
        (bool success,) = address(vault).call{value: 1}("");
        assertTrue(!success, "plain transfer refused");
    }

    /* UNBOND */

    function test_requestUnbond__nothing__reverts() public {
        vm.expectRevert(IStakeVault.ZeroAmount.selector);
        unbond(0);
    }

    function test_requestUnbond__more_than_free__reverts() public {
        vm.expectRevert(insufficient(STAKE, STAKE + 1));
        unbond(uint96(STAKE + 1));
        lockStake(4 ether);
        vm.expectRevert(insufficient(6 ether, 6 ether + 1));
        unbond(6 ether + 1);
    }

    function test_requestUnbond__starts_the_clock(uint96 amount) public {
        amount = uint96(bound(amount, 1, STAKE));
        vm.expectEmit(address(vault));
        emit IStakeVault.UnbondRequested(ETH, OWNER, amount, START + UNBOND);
        unbond(amount);
        Account memory a = accountOf(OWNER);
        assertEq(a.free, STAKE - amount, "free");
        assertEq(a.unbonding, amount, "unbonding");
        assertEq(a.unbondReadyAt, START + UNBOND, "ready at");
        assertBalanced();
    }

    function test_requestUnbond__again__restarts_the_clock_for_all() public {
        unbond(3 ether);
        setClock(START + 100);
        unbond(1 ether);
        assertEq(accountOf(OWNER).unbonding, 4 ether, "unbonding");
        assertEq(accountOf(OWNER).unbondReadyAt, START + 100 + UNBOND, "ready at");
    }

    function test_withdrawUnbonded__nothing__reverts() public {
        vm.expectRevert(IStakeVault.ZeroAmount.selector);
        vm.prank(OWNER);
        vault.withdrawUnbonded(ETH);
    }

    function test_withdrawUnbonded__one_second_early__reverts() public {
        unbond(3 ether);
        setClock(START + UNBOND - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillUnbonding.selector, OWNER, START + UNBOND));
        vm.prank(OWNER);
        vault.withdrawUnbonded(ETH);
    }

    function test_withdrawUnbonded__while_the_clock_stands__waits() public {
        unbond(3 ether);
        vm.warp(TIMESTAMP + 2 * UNBOND);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillUnbonding.selector, OWNER, START + UNBOND));
        vm.prank(OWNER);
        vault.withdrawUnbonded(ETH);
    }

    function test_withdrawUnbonded__on_time__pays_once() public {
        unbond(3 ether);
        setClock(START + UNBOND);
        uint256 before = OWNER.balance;
        vm.expectEmit(address(vault));
        emit IStakeVault.UnbondedWithdrawn(ETH, OWNER, 3 ether);
        vm.prank(OWNER);
        vault.withdrawUnbonded(ETH);
        assertEq(OWNER.balance - before, 3 ether, "paid");
        assertBalanced();
        vm.expectRevert(IStakeVault.ZeroAmount.selector);
        vm.prank(OWNER);
        vault.withdrawUnbonded(ETH);
    }

    function test_withdrawUnbonded__pays_each_token_in_itself(uint96 amount) public {
        amount = uint96(bound(amount, 1, STAKE));
        unbond(1);
        vm.prank(OWNER);
        vault.requestUnbond(address(token), amount);
        setClock(START + UNBOND);
        (uint256 ether_, uint256 tokens) = (OWNER.balance, token.balanceOf(OWNER));
        vm.prank(OWNER);
        vault.withdrawUnbonded(address(token));
        assertEq(token.balanceOf(OWNER) - tokens, amount, "tokens");
        assertEq(OWNER.balance, ether_, "no ether");
        assertEq(accountOf(OWNER).unbonding, 1, "ether unbonds apart");
        assertBalanced();
    }

    function test_withdrawUnbonded__refused_by_its_owner__reverts_and_keeps_the_money() public {
        RefusingOwner owner = new RefusingOwner(address(vault));
        vm.deal(address(owner), 1 ether);
        owner.act(abi.encodeCall(IStakeVault.deposit, (ETH, 1 ether)), 1 ether);
        owner.act(abi.encodeCall(IStakeVault.requestUnbond, (ETH, 1 ether)), 0);
        setClock(START + UNBOND);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.TransferFailed.selector, address(owner), 1 ether));
        owner.act(abi.encodeCall(IStakeVault.withdrawUnbonded, (ETH)), 0);
        assertEq(accountOf(address(owner)).unbonding, 1 ether, "kept");
    }

    /* CREDIT */

    function test_withdrawCredit__nothing__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NothingToWithdraw.selector, STRANGER));
        vm.prank(STRANGER);
        vault.withdrawCredit(ETH);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NothingToWithdraw.selector, STRANGER));
        vm.prank(STRANGER);
        vault.withdrawCredit(STRANGER);
    }

    function test_withdrawCredit__stake_is_no_credit__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NothingToWithdraw.selector, OWNER));
        vm.prank(OWNER);
        vault.withdrawCredit(ETH);
    }

    function test_withdrawCredit__pays_once(uint96 amount) public {
        amount = uint96(bound(amount, 1, 100 ether));
        addEscrow(amount);
        settle(slashed(amount, 0));
        uint256 before = CLIENT.balance;
        vm.expectEmit(address(vault));
        emit IStakeVault.CreditWithdrawn(ETH, CLIENT, amount);
        vm.prank(CLIENT);
        vault.withdrawCredit(ETH);
        assertEq(CLIENT.balance - before, amount, "paid");
        assertBalanced();
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NothingToWithdraw.selector, CLIENT));
        vm.prank(CLIENT);
        vault.withdrawCredit(ETH);
    }

    function test_withdrawCredit__of_the_token__pays_the_token(uint96 amount) public {
        amount = uint96(bound(amount, 1, 100 ether));
        addTokenEscrow(amount);
        settleToken(address(token), slashed(amount, 0));
        (uint256 ether_, uint256 tokens) = (CLIENT.balance, token.balanceOf(CLIENT));
        vm.prank(CLIENT);
        vault.withdrawCredit(address(token));
        assertEq(token.balanceOf(CLIENT) - tokens, amount, "tokens");
        assertEq(CLIENT.balance, ether_, "no ether");
        assertBalanced();
    }

    /* REENTRANCY */

    function test_withdrawCredit__reentered__pays_once() public {
        ReentrantOwner attacker = new ReentrantOwner(address(vault));
        addBond(address(attacker), 10, 110);
        attacker.arm(abi.encodeCall(IStakeVault.withdrawCredit, (ETH)));
        attacker.act(abi.encodeCall(IStakeVault.withdrawCredit, (ETH)), 0);
        checkRefused(attacker);
        assertEq(address(attacker).balance, 100, "paid once");
    }

    function test_withdrawUnbonded__reentered_into_either_withdrawal__pays_once() public {
        bytes[2] memory attacks =
            [abi.encodeCall(IStakeVault.withdrawUnbonded, (ETH)), abi.encodeCall(IStakeVault.withdrawCredit, (ETH))];
        for (uint256 i = 0; i < attacks.length; ++i) {
            ReentrantOwner attacker = new ReentrantOwner(address(vault));
            addBond(address(attacker), 10, 110);
            unbondAll(attacker, 50);
            attacker.arm(attacks[i]);
            attacker.act(abi.encodeCall(IStakeVault.withdrawUnbonded, (ETH)), 0);
            checkRefused(attacker);
            assertEq(address(attacker).balance, 50, "paid once");
            assertEq(accountOf(address(attacker)).credit, 100, "credit untouched");
        }
    }

    function test_withdrawUnbonded__books_are_settled_before_the_money_leaves() public {
        ReentrantOwner owner = new ReentrantOwner(address(vault));
        unbondAll(owner, 50);
        owner.arm(abi.encodeCall(IStakeVault.getAccount, (ETH, address(owner))));
        owner.act(abi.encodeCall(IStakeVault.withdrawUnbonded, (ETH)), 0);
        Account memory seen = abi.decode(owner.answer(), (Account));
        assertEq(seen.unbonding, 0, "what others read while it is paid");
    }

    function unbondAll(ReentrantOwner owner, uint96 amount) private {
        vm.deal(address(owner), amount);
        owner.act(abi.encodeCall(IStakeVault.deposit, (ETH, amount)), amount);
        owner.act(abi.encodeCall(IStakeVault.requestUnbond, (ETH, amount)), 0);
        setClock(market.clock() + UNBOND);
    }

    function checkRefused(ReentrantOwner attacker) private view {
        assertTrue(!attacker.succeeded(), "call back refused");
        assertEq(
            keccak256(attacker.answer()),
            keccak256(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)),
            "for the reason of reentrancy"
        );
    }
}
