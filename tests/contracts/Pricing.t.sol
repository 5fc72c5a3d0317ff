// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Pricing} from "../../contracts/libraries/Pricing.sol";
import {Cheats} from "./Cheats.sol";

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

    function test_proof_fee__is_one_proof() public pure {
        assertEq(Pricing.computeProofFee(5, 1000 gwei, 800_000, 2 gwei), 1_605_000 gwei, "fee");
    }

    function testFuzz_bond__pays_whoever_proves(uint32 proveSeconds, uint64 price, uint64 gas, uint40 gasPrice)
        public
        pure
    {
        uint256 bond = Pricing.computeBond(proveSeconds, price, gas, gasPrice);
        assertLe(Pricing.computeProofFee(proveSeconds, price, gas, gasPrice), bond * 80 / 100 + 1, "defender's share");
    }

    function test_delivery__is_the_gas_of_its_bytes() public pure {
        assertEq(Pricing.computeDeliveryPayment(0, 3), 180_000, "no bytes");
        assertEq(Pricing.computeDeliveryPayment(8192, 1 gwei), 551_520 gwei, "8 KiB");
    }

    function test_prove_seconds__grow_with_open_challenges_up_to_the_cap() public pure {
        assertEq(Pricing.computeProveSeconds(30, 60, 5, 0), 35, "none open");
        assertEq(Pricing.computeProveSeconds(30, 60, 5, 5), 60, "five open");
        assertEq(Pricing.computeProveSeconds(30, 60, 5, 6), 60, "capped");
    }
}
