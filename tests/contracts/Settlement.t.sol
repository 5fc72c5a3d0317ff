// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Settlement} from "../../contracts/libraries/Settlement.sol";
import {BondSplit, Dues, Exit, JobSplit, SlashSplit} from "../../contracts/types/Split.sol";
import {Cheats} from "./Cheats.sol";

/// @notice Calls the library from outside, so that its reverts can be caught.
contract SettlementCaller {
    function jobSplit(Exit exit, Dues memory dues) external pure returns (JobSplit memory) {
        return Settlement.computeJobSplit(exit, dues);
    }
}

contract SettlementTest is Cheats {
    SettlementCaller private settlement = new SettlementCaller();

    /* THE TABLE, ROW BY ROW: fee 1009, delivery 77, lock 35001, fine 1001, royalty 12.34 %, protocol 1 %, tip 0.5 % */

    function dues(bool isDelivered, bool hasKeeper) private pure returns (Dues memory) {
        return Dues({
            fee: 1009,
            delivery: 77,
            lock: 35_001,
            fine: 1001,
            isDelivered: isDelivered,
            hasKeeper: hasKeeper,
            royaltyBps: 1234,
            protocolFeeBps: 100,
            keeperTipBps: 50
        });
    }

    /// @param fee To operator, client, model owner, keeper and burn.
    /// @param lock To operator, client, keeper and burn, and held.
    function checkRow(Exit exit, Dues memory d, uint16[5] memory fee, uint16[5] memory lock) private view {
        JobSplit memory s = settlement.jobSplit(exit, d);
        assertEq(s.feeToOperator, fee[0], "fee to operator");
        assertEq(s.feeToClient, fee[1], "fee to client");
        assertEq(s.feeToModelOwner, fee[2], "fee to model owner");
        assertEq(s.feeToKeeper, fee[3], "fee to keeper");
        assertEq(s.feeToBurn, fee[4], "fee to burn");
        assertEq(s.lockToOperator, lock[0], "lock to operator");
        assertEq(s.lockToClient, lock[1], "lock to client");
        assertEq(s.lockToKeeper, lock[2], "lock to keeper");
        assertEq(s.lockToBurn, lock[3], "lock to burn");
        assertEq(s.lockHeld, lock[4], "lock held");
    }

    function test_final__pays_operator_royalty_protocol_and_keeper() public view {
        // 12.34 % of 1009 is 124.5, 1 % is 10.09, 0.5 % is 5.045: all round down, the operator takes the rest.
        checkRow(Exit.FINAL, dues(true, true), [870 + 77, 0, 124, 5, 10], [uint16(35_001), 0, 0, 0, 0]);
        checkRow(Exit.FINAL, dues(false, false), [875, 77, 124, 0, 10], [uint16(35_001), 0, 0, 0, 0]);
    }

    function test_proven__pays_operator_royalty_and_protocol() public view {
        checkRow(Exit.PROVEN, dues(true, false), [875 + 77, 0, 124, 0, 10], [uint16(35_001), 0, 0, 0, 0]);
        checkRow(Exit.PROVEN, dues(false, false), [875, 77, 124, 0, 10], [uint16(35_001), 0, 0, 0, 0]);
    }

    function test_rejected__refunds_and_holds_the_lock() public view {
        checkRow(Exit.REJECTED, dues(true, false), [0, 1086, 0, 0, 0], [0, 0, 0, 0, 35_001]);
    }

    function test_failed__refunds_and_fines_half_half() public view {
        checkRow(Exit.FAILED, dues(false, false), [0, 1086, 0, 0, 0], [uint16(34_000), 500, 0, 501, 0]);
        checkRow(Exit.FAILED, dues(false, true), [0, 1086, 0, 0, 0], [uint16(34_000), 500, 5, 496, 0]);
    }

    function test_failed__tip_above_the_burned_half__takes_all_of_it() public view {
        Dues memory d = dues(false, true);
        d.fine = 7;
        checkRow(Exit.FAILED, d, [0, 1086, 0, 0, 0], [uint16(34_994), 3, 4, 0, 0]);
        d.fine = 0;
        checkRow(Exit.FAILED, d, [0, 1086, 0, 0, 0], [uint16(35_001), 0, 0, 0, 0]);
    }

    function test_expired__refunds_less_the_tip() public view {
        Dues memory d = dues(false, true);
        (d.delivery, d.lock) = (0, 0);
        checkRow(Exit.EXPIRED, d, [uint16(0), 1004, 0, 5, 0], [uint16(0), 0, 0, 0, 0]);
        d.hasKeeper = false;
        checkRow(Exit.EXPIRED, d, [uint16(0), 1009, 0, 0, 0], [uint16(0), 0, 0, 0, 0]);
    }

    function test_cancelled_refused_voided__give_everybody_its_own() public view {
        Exit[3] memory exits = [Exit.CANCELLED, Exit.REFUSED, Exit.VOIDED];
        for (uint256 i = 0; i < exits.length; ++i) {
            checkRow(exits[i], dues(true, false), [0, 1086, 0, 0, 0], [uint16(35_001), 0, 0, 0, 0]);
        }
    }

    function test_failed__fine_above_lock__reverts() public {
        Dues memory d = dues(false, false);
        d.fine = d.lock + 1;
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        settlement.jobSplit(Exit.FAILED, d);
    }

    /* SLASHED LOCKS AND BONDS */

    function checkSlash(bool isCured, bool hasChallengers, uint16[4] memory expected) private pure {
        SlashSplit memory s = Settlement.computeSlashSplit(35_001, isCured, hasChallengers);
        assertEq(s.toOperator, expected[0], "operator");
        assertEq(s.toClient, expected[1], "client");
        assertEq(s.toChallengers, expected[2], "challengers");
        assertEq(s.toBurn, expected[3], "burn");
    }

    function test_slash__distributes_40_35_25() public pure {
        // 40 % of 35001 is 14000.4, 35 % is 12250.35: both round down, the burn takes the rest.
        checkSlash(false, true, [0, 14_000, 12_250, 8751]);
        checkSlash(false, false, [0, 14_000, 0, 21_001]);
    }

    function test_slash__cured__gives_four_fifths_back() public pure {
        checkSlash(true, true, [28_000, 3500, 1750, 1751]);
        checkSlash(true, false, [28_000, 3500, 0, 3501]);
    }

    function test_bonds__lost__defender_80_burn_20() public pure {
        BondSplit memory s = Settlement.computeBondSplit(101, true);
        assertEq(s.toChallengers, 0, "challengers");
        assertEq(s.toDefender, 80, "defender");
        assertEq(s.toBurn, 21, "burn");
    }

    function test_bonds__returned_whole() public pure {
        BondSplit memory s = Settlement.computeBondSplit(101, false);
        assertEq(s.toChallengers, 101, "challengers");
        assertEq(s.toDefender, 0, "defender");
        assertEq(s.toBurn, 0, "burn");
    }

    function test_audit__slash_of_300_fees__at_most_the_stake_rounded_up() public pure {
        assertEq(Settlement.computeAuditBps(3000, 7), 7000, "2100 of 3000");
        assertEq(Settlement.computeAuditBps(9999, 7), 2101, "2100.2 of 10000, rounded up");
        assertEq(Settlement.computeAuditBps(2100, 7), 10_000, "all");
        assertEq(Settlement.computeAuditBps(2099, 7), 10_000, "less than the slash");
    }

    /* FUZZ: every row balances to the wei (I2, I4) */

    function testFuzz_job_split__adds_up(uint8 row, Dues memory d) public view {
        Exit exit = Exit(bound(row, 0, uint256(type(Exit).max)));
        (d.fee, d.delivery) = (d.fee / 2, d.delivery / 2);
        d.fine = uint96(bound(d.fine, 0, d.lock));
        d.royaltyBps = uint16(bound(d.royaltyBps, 0, 2000));
        d.protocolFeeBps = uint16(bound(d.protocolFeeBps, 0, 8000));
        d.keeperTipBps = uint16(bound(d.keeperTipBps, 0, 8000 - d.protocolFeeBps));
        JobSplit memory s = settlement.jobSplit(exit, d);
        uint256 fee = uint256(s.feeToOperator) + s.feeToClient + s.feeToModelOwner + s.feeToKeeper + s.feeToBurn;
        assertEq(fee, uint256(d.fee) + d.delivery, "fee parts");
        uint256 lock = uint256(s.lockToOperator) + s.lockToClient + s.lockToKeeper + s.lockToBurn + s.lockHeld;
        assertEq(lock, d.lock, "lock parts");
    }

    function testFuzz_slash__adds_up(uint96 lock, bool isCured, bool hasChallengers) public pure {
        SlashSplit memory s = Settlement.computeSlashSplit(lock, isCured, hasChallengers);
        assertEq(uint256(s.toOperator) + s.toClient + s.toChallengers + s.toBurn, lock, "parts");
    }

    function testFuzz_slash__colluders_lose_a_quarter(uint96 lock) public pure {
        SlashSplit memory s = Settlement.computeSlashSplit(lock, false, true);
        assertLe(uint256(lock) * 25 / 100, s.toBurn, "burned share (I8)");
    }

    function testFuzz_bond_split__adds_up(bool isProven, uint96 bonds) public pure {
        BondSplit memory s = Settlement.computeBondSplit(bonds, isProven);
        assertEq(uint256(s.toChallengers) + s.toDefender + s.toBurn, bonds, "bond parts");
    }
}
