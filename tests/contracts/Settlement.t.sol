// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ParameterRules} from "../../contracts/libraries/ParameterRules.sol";
import {Pricing} from "../../contracts/libraries/Pricing.sol";
import {Settlement} from "../../contracts/libraries/Settlement.sol";
import {BondSplit, Exit, JobSplit} from "../../contracts/types/Split.sol";
import {Cheats} from "./Cheats.sol";

/// @notice Calls the library from outside, so that its reverts can be caught.
contract SettlementCaller {
    function bondSplit(Exit exit, uint96 bond) external pure returns (BondSplit memory) {
        return Settlement.computeBondSplit(exit, bond);
    }

    function jobSplit(Exit exit, uint96 fee, uint96 lock, uint96 fine) external pure returns (JobSplit memory) {
        return Settlement.computeJobSplit(exit, fee, lock, fine);
    }
}

contract SettlementTest is Cheats {
    SettlementCaller private settlement = new SettlementCaller();

    /* THE TABLE, ROW BY ROW: fee 1000, lock 35001, fine 1001, bond 101 */

    function checkRow(Exit exit, uint16[7] memory expected) private view {
        JobSplit memory s = settlement.jobSplit(exit, 1000, exit < Exit.EXPIRED ? 35_001 : 0, 1001);
        assertEq(s.feeToOperator, expected[0], "fee to operator");
        assertEq(s.feeToClient, expected[1], "fee to client");
        assertEq(s.lockToOperator, expected[2], "lock to operator");
        assertEq(s.lockToClient, expected[3], "lock to client");
        assertEq(s.lockToChallenger, expected[4], "lock to challenger");
        assertEq(s.lockToBurn, expected[5], "lock to burn");
        assertEq(s.stakeToBurn, expected[6], "stake to burn");
    }

    function test_final__pays_operator_and_returns_lock() public view {
        checkRow(Exit.FINAL, [1000, 0, 35_001, 0, 0, 0, 0]);
    }

    function test_proven__pays_operator_and_returns_lock() public view {
        checkRow(Exit.PROVEN, [1000, 0, 35_001, 0, 0, 0, 0]);
    }

    function test_rejected__refunds_and_slashes_40_35_25() public view {
        // 40 % of 35001 is 14000.4, 35 % is 12250.35: both round down, the burn takes the rest.
        checkRow(Exit.REJECTED, [0, 1000, 0, 14_000, 12_250, 8751, 0]);
    }

    function test_failed__refunds_and_fines_half_half() public view {
        checkRow(Exit.FAILED, [0, 1000, 34_000, 500, 0, 501, 0]);
    }

    function test_expired__refunds() public view {
        checkRow(Exit.EXPIRED, [uint16(0), 1000, 0, 0, 0, 0, 0]);
    }

    function test_cancelled__refunds() public view {
        checkRow(Exit.CANCELLED, [uint16(0), 1000, 0, 0, 0, 0, 0]);
    }

    function test_bond_lost__defender_80_burn_20() public view {
        BondSplit memory s = settlement.bondSplit(Exit.PROVEN, 101);
        assertEq(s.toChallenger, 0, "challenger");
        assertEq(s.toDefender, 80, "defender");
        assertEq(s.toBurn, 21, "burn");
    }

    function test_bond_won__returns_whole() public view {
        BondSplit memory s = settlement.bondSplit(Exit.REJECTED, 101);
        assertEq(s.toChallenger, 101, "challenger");
        assertEq(s.toDefender, 0, "defender");
        assertEq(s.toBurn, 0, "burn");
    }

    function test_bond_split__of_an_exit_without_dispute__reverts() public {
        Exit[4] memory exits = [Exit.FINAL, Exit.FAILED, Exit.EXPIRED, Exit.CANCELLED];
        for (uint256 i = 0; i < exits.length; ++i) {
            vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x01));
            settlement.bondSplit(exits[i], 1);
        }
    }

    function test_failed__fine_above_lock__reverts() public {
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        settlement.jobSplit(Exit.FAILED, 1, 10, 11);
    }

    /* FUZZ: every row balances to the wei (I2, I4) */

    function testFuzz_job_split__adds_up(uint8 row, uint96 fee, uint96 lock, uint96 fine) public view {
        Exit exit = Exit(bound(row, 0, uint256(type(Exit).max)));
        fine = uint96(bound(fine, 0, lock));
        if (exit >= Exit.EXPIRED) lock = 0;
        JobSplit memory s = settlement.jobSplit(exit, fee, lock, fine);
        assertEq(uint256(s.feeToOperator) + s.feeToClient, fee, "fee parts");
        assertEq(uint256(s.lockToOperator) + s.lockToClient + s.lockToChallenger + s.lockToBurn, lock, "lock parts");
    }

    function testFuzz_rejected__colluders_lose_a_quarter(uint96 lock) public view {
        JobSplit memory s = settlement.jobSplit(Exit.REJECTED, 0, lock, 0);
        assertLe(uint256(lock) * 25 / 100, s.lockToBurn, "burned share (I8)");
    }

    function testFuzz_bond_split__adds_up(bool proven, uint96 bond) public view {
        BondSplit memory s = settlement.bondSplit(proven ? Exit.PROVEN : Exit.REJECTED, bond);
        assertEq(uint256(s.toChallenger) + s.toDefender + s.toBurn, bond, "bond parts");
    }
}

contract PricingTest is Cheats {
    function test_lock__is_35_fees_or_the_dispute_floor() public pure {
        // 3 * 400000 * 1 gwei * 100 / 35 = 3428571428571428.57 wei, rounded up.
        uint256 floor = 3_428_571_428_571_429;
        assertEq(Pricing.computeLock(0, 35, 400_000, 1 gwei), floor, "floor");
        assertEq(Pricing.computeLock(floor / 35, 35, 400_000, 1 gwei), floor, "just below the floor");
        assertEq(Pricing.computeLock(floor / 35 + 1, 35, 400_000, 1 gwei), (floor / 35 + 1) * 35, "just above");
    }

    function testFuzz_lock__challenger_share_pays_three_times_its_gas(uint96 fee, uint40 gasPrice) public pure {
        uint256 lock = Pricing.computeLock(fee, 35, 400_000, gasPrice);
        assertLe(3 * 400_000 * uint256(gasPrice), lock * 35 / 100, "gas of a dispute");
        assertLe(35 * uint256(fee), lock, "fees");
    }

    function test_bond__is_one_and_a_half_proofs() public pure {
        // 1.5 * (5 * 1000 gwei + 3 * 800000 * 1 gwei)
        assertEq(Pricing.computeBond(5, 1000 gwei, 800_000, 1 gwei), 3_607_500 gwei, "bond");
        assertEq(Pricing.computeBond(0, 0, 1, 1), 5, "ceil(4.5)");
    }

    function test_prove_seconds__grow_with_open_challenges_up_to_the_cap() public pure {
        assertEq(Pricing.computeProveSeconds(30, 60, 5, 0), 35, "none open");
        assertEq(Pricing.computeProveSeconds(30, 60, 5, 5), 60, "five open");
        assertEq(Pricing.computeProveSeconds(30, 60, 5, 6), 60, "capped");
    }
}
