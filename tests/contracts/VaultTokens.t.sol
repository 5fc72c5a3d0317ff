// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {FalseToken} from "../../contracts/mocks/FalseToken.sol";
import {FeeToken} from "../../contracts/mocks/FeeToken.sol";
import {PlainToken} from "../../contracts/mocks/PlainToken.sol";
import {ReentrantToken} from "../../contracts/mocks/ReentrantToken.sol";
import {SilentToken} from "../../contracts/mocks/SilentToken.sol";
import {VaultBase} from "./VaultBase.sol";

/// @notice The vault beside tokens of every behaviour: exact, silent, refusing, taking a fee, calling back.
contract VaultTokensTest is VaultBase {
    /* WHICH TOKENS */

    function test_constructor__token_without_code__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotAToken.selector, STRANGER));
        newVault(STRANGER);
    }

    function test_constructor__without_a_token__holds_ether_alone() public {
        vault = newVault(ETH);
        assertEq(vault.TOKEN(), ETH, "token");
        vm.prank(STRANGER);
        vault.deposit{value: 1}(ETH, 1);
        assertEq(accountOf(STRANGER).free, 1, "free");
        checkUnsupported(address(token));
    }

    function test_deposit_and_addEscrow__another_token__revert() public {
        checkUnsupported(address(new PlainToken()));
        checkUnsupported(STRANGER);
    }

    function checkUnsupported(address other) private {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.UnsupportedToken.selector, other));
        vm.prank(CLIENT);
        vault.deposit(other, 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.UnsupportedToken.selector, other));
        vm.prank(address(market));
        vault.addEscrow(other, JOB, CLIENT, 1, true);
    }

    function test_deposit__without_allowance__reverts() public {
        vm.prank(STRANGER);
        token.approve(address(vault), 4);
        vm.expectRevert(
            abi.encodeWithSignature("ERC20InsufficientAllowance(address,uint256,uint256)", address(vault), 4, 5)
        );
        vm.prank(STRANGER);
        vault.deposit(address(token), 5);
    }

    /* FEE ON TRANSFER */

    function feeVault() private returns (FeeToken fees) {
        fees = new FeeToken();
        token = fees;
        vault = newVault(address(fees));
        fund(CLIENT);
        fund(OWNER);
    }

    function test_deposit_and_addEscrow__fee_on_transfer__revert() public {
        FeeToken fees = feeVault();
        fees.setPayer(FeeToken.Payer.RECEIVER);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.FeeOnTransfer.selector, address(fees), 99, 100));
        vm.prank(OWNER);
        vault.deposit(address(fees), 100);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.FeeOnTransfer.selector, address(fees), 99, 100));
        addTokenEscrow(100);
    }

    function test_withdrawCredit__fee_that_the_vault_would_pay__reverts_and_keeps_the_money() public {
        FeeToken fees = feeVault();
        addTokenEscrow(100);
        vm.prank(OWNER);
        vault.deposit(address(fees), 100);
        settleToken(address(fees), slashed(100, 0));
        fees.setPayer(FeeToken.Payer.SENDER);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.FeeOnTransfer.selector, address(fees), 101, 100));
        vm.prank(CLIENT);
        vault.withdrawCredit(address(fees));
        assertEq(vault.getAccount(address(fees), CLIENT).credit, 100, "kept");
        assertEq(token.balanceOf(address(vault)), 200, "nothing of the others' money");
    }

    /* RETURN VALUES */

    function test_token_without_return_values__is_held_and_paid() public {
        SilentToken silent = new SilentToken();
        vault = newVault(address(silent));
        silent.mint(CLIENT, 100);
        vm.prank(address(market));
        vault.addEscrow(address(silent), JOB, CLIENT, 100, true);
        assertEq(silent.balanceOf(address(vault)), 100, "held");
        settleToken(address(silent), slashed(100, 0));
        vm.prank(CLIENT);
        vault.withdrawCredit(address(silent));
        assertEq(silent.balanceOf(CLIENT), 100, "paid");
    }

    function test_token_that_returns_false__reverts_both_ways() public {
        FalseToken refusing = new FalseToken();
        token = refusing;
        vault = newVault(address(refusing));
        fund(CLIENT);
        refusing.refuse(true);
        bytes memory failed = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(refusing));
        vm.expectRevert(failed);
        vm.prank(CLIENT);
        vault.deposit(address(refusing), 100);

        refusing.refuse(false);
        addTokenEscrow(100);
        settleToken(address(refusing), slashed(100, 0));
        refusing.refuse(true);
        vm.expectRevert(failed);
        vm.prank(CLIENT);
        vault.withdrawCredit(address(refusing));
        assertEq(vault.getAccount(address(refusing), CLIENT).credit, 100, "kept");
    }

    /* CALLS BACK */

    /// @dev Without the guard the inner deposit would count once for the token and once more as part of the outer.
    function test_deposit__token_calls_back_to_deposit__inner_is_refused() public {
        ReentrantToken hostile = hostileVault();
        hostile.arm(address(vault), abi.encodeCall(IStakeVault.deposit, (address(hostile), 60)));
        vm.prank(CLIENT);
        vault.deposit(address(hostile), 100);
        checkRefused(hostile);
        assertEq(vault.getAccount(address(hostile), CLIENT).free, 100, "outer counts");
        assertEq(vault.getAccount(address(hostile), address(hostile)).free, 0, "inner does not");
    }

    function test_addEscrow__token_calls_back_to_deposit__inner_is_refused() public {
        ReentrantToken hostile = hostileVault();
        hostile.arm(address(vault), abi.encodeCall(IStakeVault.deposit, (address(hostile), 60)));
        addTokenEscrow(100);
        checkRefused(hostile);
    }

    function test_withdrawCredit__token_calls_back_to_deposit__inner_is_refused() public {
        ReentrantToken hostile = hostileVault();
        addTokenEscrow(100);
        settleToken(address(hostile), slashed(100, 0));
        hostile.arm(address(vault), abi.encodeCall(IStakeVault.deposit, (address(hostile), 60)));
        vm.prank(CLIENT);
        vault.withdrawCredit(address(hostile));
        checkRefused(hostile);
        assertEq(hostile.balanceOf(address(vault)), 0, "paid out");
    }

    function hostileVault() private returns (ReentrantToken hostile) {
        hostile = new ReentrantToken();
        token = hostile;
        vault = newVault(address(hostile));
        fund(CLIENT);
        hostile.mint(address(hostile), 1000);
    }

    function checkRefused(ReentrantToken hostile) private view {
        assertTrue(!hostile.succeeded(), "call back refused");
        assertEq(
            keccak256(hostile.answer()),
            keccak256(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)),
            "for the reason of reentrancy"
        );
    }
}
