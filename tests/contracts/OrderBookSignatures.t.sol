// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {Wallet} from "../../contracts/mocks/Wallet.sol";
import {Order} from "../../contracts/types/Order.sol";
import {OrderSteps} from "./OrderSteps.sol";

/// @notice Whose signature an order needs: keys, contracts, and accounts that are both.
contract OrderBookSignaturesTest is OrderSteps {
    Wallet private wallet;

    function setUp() public override {
        super.setUp();
        wallet = new Wallet(STRANGER);
    }

    /// @notice Of a wallet with as much credit.
    function walletOrder() private returns (Order memory o) {
        vm.deal(address(wallet), CREDIT);
        wallet.execute(address(vault), CREDIT, abi.encodeCall(IStakeVault.fund, (ETH, CREDIT)));
        o = order();
        o.client = address(wallet);
    }

    /// @notice Of the vault's ledger the wallet is not among the actors that are summed up.
    function checkRefused(Order memory o, bytes memory signature) private {
        vm.expectRevert(invalidSignature(o));
        vm.prank(WORKER);
        orders.takeOrder(o, signature, "");
    }

    /* KEYS */

    function test_key__both_forms__are_taken() public {
        take(order());
        Order memory o = order();
        take(o, signCompact(CLIENT_KEY, o));
    }

    function test_key__of_another__is_refused() public {
        Order memory o = order();
        checkTakeRefused(WORKER, o, sign(STRANGER_KEY, o), invalidSignature(o));
        checkTakeRefused(WORKER, o, signCompact(STRANGER_KEY, o), invalidSignature(o));
    }

    function test_key__high_s__is_refused() public {
        Order memory o = order();
        checkTakeRefused(WORKER, o, signHigh(CLIENT_KEY, o), invalidSignature(o));
    }

    function test_key__malformed__is_refused() public {
        Order memory o = order();
        bytes memory good = sign(CLIENT_KEY, o);
        uint256[5] memory sizes = [uint256(0), 1, 63, 66, 96];
        for (uint256 i = 0; i < sizes.length; ++i) {
            bytes memory wrong = new bytes(sizes[i]);
            for (uint256 k = 0; k < sizes[i] && k < 65; ++k) {
                wrong[k] = good[k];
            }
            checkTakeRefused(WORKER, o, wrong, invalidSignature(o));
        }
        good[64] = bytes1(uint8(good[64]) - 27);
        checkTakeRefused(WORKER, o, good, invalidSignature(o));
    }

    /// @notice What recovers to nobody is nobody's order, also where the client is account 0.
    function test_key__account_zero__signs_nothing() public {
        Order memory o = order();
        o.client = address(0);
        checkTakeRefused(WORKER, o, new bytes(65), invalidSignature(o));
        checkTakeRefused(WORKER, o, new bytes(64), invalidSignature(o));
    }

    function testFuzz_key__any_bytes__are_refused(bytes memory signature) public {
        Order memory o = order();
        checkTakeRefused(WORKER, o, signature, invalidSignature(o));
    }

    /* CONTRACTS */

    function test_contract__that_agrees__is_taken() public {
        Order memory o = walletOrder();
        take(o, sign(STRANGER_KEY, o));
        assertEq(accountOf(address(wallet)).credit, CREDIT - MIN_FEE, "credit");
    }

    function test_contract__that_does_not__is_refused() public {
        Order memory o = walletOrder();
        checkRefused(o, sign(CLIENT_KEY, o));
        checkRefused(o, "");
    }

    function test_contract__wrong_answers__are_refused() public {
        Order memory o = walletOrder();
        Wallet.Mood[5] memory moods = [
            Wallet.Mood.UNTIDY,
            Wallet.Mood.SHORT,
            Wallet.Mood.REVERTING,
            Wallet.Mood.BURNING,
            Wallet.Mood.REVERTING_RIGHT
        ];
        bytes memory signature = sign(STRANGER_KEY, o);
        for (uint256 i = 0; i < moods.length; ++i) {
            wallet.setMood(moods[i]);
            checkRefused(o, signature);
        }
        wallet.setMood(Wallet.Mood.HONEST);
        take(o, signature);
    }

    /// @notice A contract's word counts as its own: who lets everybody order pays for everybody.
    function test_contract__that_agrees_to_everything__is_taken() public {
        wallet.setMood(Wallet.Mood.CREDULOUS);
        take(walletOrder(), "");
    }

    function measureTake(Wallet.Mood mood, bool isTaken) private returns (uint256 used) {
        uint256 state = vm.snapshotState();
        wallet.setMood(mood);
        Order memory o = walletOrder();
        bytes memory signature = sign(STRANGER_KEY, o);
        if (!isTaken) vm.expectRevert(invalidSignature(o));
        vm.prank(WORKER);
        uint256 left = gasleft();
        orders.takeOrder(o, signature, "");
        used = left - gasleft();
        vm.revertToState(state);
    }

    /// @notice A worker loses at most the gas of the answer, and nothing for what is behind its first word.
    function test_contract__expensive_answers__cost_no_more_than_the_cap() public {
        uint256 refused = measureTake(Wallet.Mood.REVERTING, false);
        uint256 burnt = measureTake(Wallet.Mood.BURNING, false);
        assertLe(burnt, refused + 100_000, "more than the cap");
        assertLe(refused + 80_000, burnt, "nothing was burnt");
        // To make 150,000 bytes costs some 58 thousand gas there; to copy them would cost more than that here.
        uint256 ordinary = measureTake(Wallet.Mood.CREDULOUS, true);
        uint256 bombed = measureTake(Wallet.Mood.BOMBING, true);
        assertLe(bombed, ordinary + 70_000, "copied");
    }

    /* BOTH: EIP-7702 */

    function delegate(address account) private {
        vm.etch(account, abi.encodePacked(hex"ef0100", address(wallet)));
    }

    function test_delegated__its_key__still_counts() public {
        delegate(CLIENT);
        Order memory o = order();
        take(o, sign(CLIENT_KEY, o));
        o = order();
        take(o, signCompact(CLIENT_KEY, o));
    }

    /// @notice What its key did not sign is asked of the code it runs, here a wallet of the stranger's key.
    function test_delegated__its_code__counts_too() public {
        delegate(CLIENT);
        Order memory o = order();
        take(o, sign(STRANGER_KEY, o));
        o = order();
        checkTakeRefused(WORKER, o, sign(2, o), invalidSignature(o));
    }

    function test_delegated__to_nothing__only_its_key_counts() public {
        vm.etch(CLIENT, abi.encodePacked(hex"ef0100", vm.addr(99)));
        Order memory o = order();
        checkTakeRefused(WORKER, o, sign(STRANGER_KEY, o), invalidSignature(o));
        take(o, sign(CLIENT_KEY, o));
    }

    /// @notice A contract has no key: whatever recovers to its address counts only if its code says so.
    function test_contract__at_an_address_with_a_key__the_key_does_not_count() public {
        vm.etch(CLIENT, address(wallet).code);
        Order memory o = order();
        checkTakeRefused(WORKER, o, sign(CLIENT_KEY, o), invalidSignature(o));
        // Also where the code is as long as a delegation.
        vm.etch(CLIENT, new bytes(23));
        checkTakeRefused(WORKER, o, sign(CLIENT_KEY, o), invalidSignature(o));
    }
}
