// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ParameterRules} from "../../contracts/libraries/ParameterRules.sol";
import {Pricing} from "../../contracts/libraries/Pricing.sol";
import {Settlement} from "../../contracts/libraries/Settlement.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {BondSplit, Dues, Exit, JobSplit, SlashSplit} from "../../contracts/types/Split.sol";
import {Presets} from "./Presets.sol";
import {VerifierVm} from "./VerifierFixture.sol";

/// @notice Prices and settlements of tests/vectors/dapp_money.json, which the web page computes too, are the contracts'.
contract DappVectorsTest is Presets {
    VerifierVm private constant json = VerifierVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    string private text;

    function setUp() public {
        text = json.readFile("tests/vectors/dapp_money.json");
    }

    function test_parameters__of_the_preset_local__have_the_hash() public view {
        assertEq(keccak256(bytes(json.parseJsonString(text, ".parameters[0].name"))), keccak256("local"), "name");
        bytes32 expected = json.parseJsonBytes32(text, ".parameters[0].hash");
        assertEq(ParameterRules.hash(localPreset()), expected, "hash");
    }

    function test_prices__equal_the_formulas() public view {
        Parameters memory p = localPreset();
        uint256 count = countItems(".prices");
        assertEq(count, 40, "count");
        for (uint256 i = 0; i < count; ++i) {
            string memory at = item(".prices", i);
            uint256 price = read(at, ".gasPrice");
            (uint256 proveSeconds, uint256 gas) = (read(at, ".proveSeconds"), read(at, ".proofGas"));
            uint256 lock = Pricing.computeLock(read(at, ".fee"), p.lockFees, p.disputeGas, price);
            assertEq(lock, read(at, ".lock"), "lock");
            assertEq(Pricing.computeBond(proveSeconds, p.provingPrice, gas, price), read(at, ".bond"), "bond");
            assertEq(Pricing.computeProofFee(proveSeconds, p.provingPrice, gas, price), read(at, ".proofFee"), "fee");
            uint256 delivery = Pricing.computeDeliveryPayment(read(at, ".outputBytes"), price);
            assertEq(delivery, read(at, ".delivery"), "delivery");
            uint256 proveBy = Pricing.computeProveSeconds(
                p.proveSeconds, p.proveCapSeconds, proveSeconds, read(at, ".openChallenges")
            );
            assertEq(proveBy, read(at, ".proveBy"), "time to prove");
        }
    }

    function test_settlements__equal_the_table() public view {
        uint256 count = countItems(".settlements");
        assertEq(count, 40, "count");
        for (uint256 i = 0; i < count; ++i) {
            string memory at = item(".settlements", i);
            JobSplit memory s = Settlement.computeJobSplit(readExit(at), readDues(at));
            assertEq(s.feeToOperator, read(at, ".split.feeToOperator"), "fee to operator");
            assertEq(s.feeToClient, read(at, ".split.feeToClient"), "fee to client");
            assertEq(s.feeToModelOwner, read(at, ".split.feeToModelOwner"), "fee to model owner");
            assertEq(s.feeToKeeper, read(at, ".split.feeToKeeper"), "fee to keeper");
            assertEq(s.feeToBurn, read(at, ".split.feeToBurn"), "fee to burn");
            assertEq(s.lockToOperator, read(at, ".split.lockToOperator"), "lock to operator");
            assertEq(s.lockToClient, read(at, ".split.lockToClient"), "lock to client");
            assertEq(s.lockToKeeper, read(at, ".split.lockToKeeper"), "lock to keeper");
            assertEq(s.lockToBurn, read(at, ".split.lockToBurn"), "lock to burn");
            assertEq(s.lockHeld, read(at, ".split.lockHeld"), "lock held");
        }
    }

    function test_slashes_and_bonds__equal_the_table() public view {
        uint256 count = countItems(".slashes");
        assertEq(count, 16, "count");
        for (uint256 i = 0; i < count; ++i) {
            string memory at = item(".slashes", i);
            SlashSplit memory s = Settlement.computeSlashSplit(
                uint96(read(at, ".lock")), readBool(at, ".isCured"), readBool(at, ".hasChallengers")
            );
            assertEq(s.toOperator, read(at, ".slash.toOperator"), "operator");
            assertEq(s.toClient, read(at, ".slash.toClient"), "client");
            assertEq(s.toChallengers, read(at, ".slash.toChallengers"), "challengers");
            assertEq(s.toBurn, read(at, ".slash.toBurn"), "burn");
            BondSplit memory b = Settlement.computeBondSplit(uint96(read(at, ".bonds")), readBool(at, ".isProven"));
            assertEq(b.toChallengers, read(at, ".bondSplit.toChallengers"), "bonds to challengers");
            assertEq(b.toDefender, read(at, ".bondSplit.toDefender"), "bonds to defender");
            assertEq(b.toBurn, read(at, ".bondSplit.toBurn"), "bonds burned");
        }
    }

    /* READING */

    function readDues(string memory at) private view returns (Dues memory) {
        return Dues({
            fee: uint96(read(at, ".dues.fee")),
            delivery: uint96(read(at, ".dues.delivery")),
            lock: uint96(read(at, ".dues.lock")),
            fine: uint96(read(at, ".dues.fine")),
            isDelivered: readBool(at, ".dues.isDelivered"),
            hasKeeper: readBool(at, ".dues.hasKeeper"),
            royaltyBps: uint16(read(at, ".dues.royaltyBps")),
            protocolFeeBps: uint16(read(at, ".dues.protocolFeeBps")),
            keeperTipBps: uint16(read(at, ".dues.keeperTipBps"))
        });
    }

    function readExit(string memory at) private view returns (Exit) {
        bytes32 name = keccak256(bytes(json.parseJsonString(text, string.concat(at, ".exit"))));
        string[8] memory names = ["FINAL", "PROVEN", "REJECTED", "EXPIRED", "FAILED", "CANCELLED", "REFUSED", "VOIDED"];
        for (uint256 i = 0; i < names.length; ++i) {
            if (keccak256(bytes(names[i])) == name) return Exit(i);
        }
        revert("no such exit");
    }

    function read(string memory at, string memory field) private view returns (uint256) {
        return json.parseJsonUint(text, string.concat(at, field));
    }

    function readBool(string memory at, string memory field) private view returns (bool) {
        return json.parseJsonBool(text, string.concat(at, field));
    }

    function countItems(string memory list) private view returns (uint256 count) {
        while (json.keyExistsJson(text, item(list, count))) ++count;
    }

    function item(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", json.toString(index), "]");
    }
}
