// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {LockStatus} from "../../contracts/types/Stake.sol";
import {JobSplit, SlashSplit} from "../../contracts/types/Split.sol";
import {VaultBase} from "./VaultBase.sol";

/// @notice Accounts as full as their fields allow: nobody can stop a settlement that pays others by hoarding. The
/// ERC-20 of a deployment may be so plentiful that this costs next to nothing.
contract VaultWidthsTest is VaultBase {
    uint256 private constant MOST_CREDIT = type(uint80).max;
    uint256 private constant MOST_STAKE = type(uint88).max;

    /// @dev The client's credit is one short of full; its next job is funded.
    function fillCredit() private {
        token.mint(CLIENT, 2 * MOST_CREDIT);
        addTokenEscrow(uint96(MOST_CREDIT - 1));
        settleToken(address(token), slashed(uint96(MOST_CREDIT - 1), 0));
        addTokenEscrow(100);
        vm.prank(address(market));
        vault.lockStake(address(token), JOB, WORKER, 1000);
    }

    function test_settleJob__client_with_full_credit__does_not_stop_the_slash() public {
        fillCredit();
        settleToken(address(token), slashed(100, 1000));
        assertFunds(address(token), 0, 1000, LockStatus.SLASHED);
        assertEq(vault.getAccount(address(token), CLIENT).credit, MOST_CREDIT, "full");
        assertEq(vault.burned(address(token)), 99, "what has no room is burned");
        assertBalanced();
    }

    function test_divideSlash__challenger_with_full_credit__does_not_stop_the_others() public {
        fillCredit();
        settleToken(address(token), slashed(100, 1000));
        address[] memory challengers = new address[](2);
        (challengers[0], challengers[1]) = (CLIENT, STRANGER);
        vm.prank(address(market));
        vault.divideSlash(
            address(token),
            JOB,
            OWNER,
            KEEPER,
            challengers,
            SlashSplit({toOperator: 0, toClient: 400, toChallengers: 350, toBurn: 250})
        );
        assertEq(vault.getAccount(address(token), KEEPER).credit, 400, "client of the job");
        assertEq(vault.getAccount(address(token), STRANGER).credit, 175, "the other challenger");
        assertEq(vault.burned(address(token)), 99 + 250 + 175, "burned");
        assertBalanced();
    }

    function test_settleJob__model_owner_with_full_credit__does_not_stop_the_operator() public {
        fillCredit();
        JobSplit memory split = paid(80, 1000);
        split.feeToClient = 20;
        settleToken(address(token), split);
        assertEq(vault.getAccount(address(token), OWNER).credit, 80, "operator");
        assertFunds(address(token), 0, 0, LockStatus.RELEASED);
        assertBalanced();
    }

    function test_deposit__stake_that_leaves_no_room_for_the_lock__reverts() public {
        fillCredit();
        token.mint(OWNER, 2 * MOST_STAKE);
        // Free and locked stake are STAKE together.
        vm.expectRevert(tooWide(88, MOST_STAKE + 1));
        vm.prank(OWNER);
        vault.deposit(address(token), MOST_STAKE - STAKE + 1);

        vm.prank(OWNER);
        vault.deposit(address(token), MOST_STAKE - STAKE);
        settleToken(address(token), paid(100, 1000));
        assertEq(vault.getAccount(address(token), OWNER).free, MOST_STAKE, "all of it");
        assertBalanced();
    }
}
