// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobMarket} from "../../contracts/core/JobMarket.sol";
import {ModelRegistry} from "../../contracts/core/ModelRegistry.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {DisputeGame} from "../../contracts/dispute/DisputeGame.sol";
import {IParameters} from "../../contracts/interfaces/IParameters.sol";
import {Modules} from "../../contracts/types/Modules.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {Deployment} from "./Deployment.sol";

/// @notice What parameters every constructor refuses, and which it takes.
contract ParametersTest is Deployment {
    function checkRefused(Parameters memory p, bytes memory expected) private {
        Modules memory modules;
        vm.expectRevert(expected);
        new StakeVault(modules, address(0), p);
        vm.expectRevert(expected);
        new ModelRegistry(new address[](0), p);
        vm.expectRevert(expected);
        new JobMarket(address(vault), address(registry), address(3), address(4), p);
        vm.expectRevert(expected);
        new DisputeGame(address(vault), address(registry), address(market), p);
    }

    function checkTooSmall(Parameters memory p, uint256 index, uint256 got, uint256 minimum) private {
        checkRefused(p, abi.encodeWithSelector(IParameters.ParameterTooSmall.selector, index, got, minimum));
    }

    function checkTooLarge(Parameters memory p, uint256 index, uint256 got, uint256 maximum) private {
        checkRefused(p, abi.encodeWithSelector(IParameters.ParameterTooLarge.selector, index, got, maximum));
    }

    function checkUnbond(Parameters memory p, uint256 minimum) private {
        checkRefused(p, abi.encodeWithSelector(IParameters.UnbondTooShort.selector, p.unbondSeconds, minimum));
    }

    /* TOO SMALL */

    function test_constructor__time_too_short__reverts() public {
        Parameters memory p = localPreset();
        p.assignSeconds = 0;
        checkTooSmall(p, 0, 0, 1);
        p = localPreset();
        p.execSeconds = 0;
        checkTooSmall(p, 1, 0, 1);
        p = localPreset();
        p.challengeSeconds = 0;
        checkTooSmall(p, 2, 0, 1);
        p = localPreset();
        p.proveSeconds = 0;
        checkTooSmall(p, 3, 0, 1);
        p = localPreset();
        p.proveCapSeconds = p.proveSeconds;
        checkTooSmall(p, 4, 30, 31);
        p = localPreset();
        p.deliverSeconds = 0;
        checkTooSmall(p, 13, 0, 1);
        p = localPreset();
        p.slashJailSeconds = 0;
        checkTooSmall(p, 15, 0, 1);
        p = localPreset();
        p.missJailSeconds = 0;
        checkTooSmall(p, 16, 0, 1);
        p = localPreset();
        p.missWindowSeconds = 0;
        checkTooSmall(p, 17, 0, 1);
    }

    function test_constructor__amount_too_small__reverts() public {
        Parameters memory p = localPreset();
        p.lockFees = 0;
        p.missFees = 0;
        checkTooSmall(p, 7, 0, 1);
        p = localPreset();
        p.missFees = 36;
        checkTooSmall(p, 7, 35, 36);
        p = localPreset();
        p.disputeGas = 0;
        checkTooSmall(p, 9, 0, 1);
        p = localPreset();
        p.gasPriceFloor = 0;
        checkTooSmall(p, 10, 0, 1);
        p = localPreset();
        p.maxProofGas = 0;
        checkTooSmall(p, 12, 0, 1);
        p = localPreset();
        p.missesToJail = 0;
        checkTooSmall(p, 18, 0, 1);
        p = localPreset();
        p.maxChallengers = 0;
        checkTooSmall(p, 22, 0, 1);
        p = localPreset();
        p.tokenGasPrice = 0;
        checkTooSmall(p, 23, 0, 1);
    }

    /* TOO LARGE */

    function test_constructor__shares_above_the_fee__reverts() public {
        Parameters memory p = localPreset();
        (p.keeperTipBps, p.protocolFeeBps) = (50, 7951);
        checkTooLarge(p, 20, 8001, 8000);
        (p.keeperTipBps, p.protocolFeeBps) = (65_535, 65_535);
        checkTooLarge(p, 20, 131_070, 8000);
    }

    function test_constructor__too_many_blocks_or_challengers__reverts() public {
        Parameters memory p = localPreset();
        p.shareBlocks = 257;
        checkTooLarge(p, 21, 257, 256);
        p = localPreset();
        p.maxChallengers = 17;
        checkTooLarge(p, 22, 17, 16);
    }

    /* THE LONGEST LIFE (I22) */

    function test_constructor__unbond_below_two_lives__reverts() public {
        Parameters memory p = localPreset();
        p.unbondSeconds = 727;
        checkUnbond(p, 728);
    }

    function test_constructor__every_time_of_a_life_counts(uint8 which) public {
        Parameters memory p = localPreset();
        uint256 field = bound(which, 0, 4);
        if (field == 0) ++p.assignSeconds;
        if (field == 1) ++p.execSeconds;
        if (field == 2) ++p.challengeSeconds;
        if (field == 3) ++p.airgapSeconds;
        if (field == 4) ++p.deliverSeconds;
        checkUnbond(p, 730);
    }

    function test_constructor__every_time_of_a_search_counts() public {
        Parameters memory p = localPreset();
        // Two deadlines of proofs may follow one another.
        ++p.proveCapSeconds;
        checkUnbond(p, 732);
        p = localPreset();
        // Half of it is for the trace.
        p.execSeconds += 2;
        checkUnbond(p, 734);
        p = localPreset();
        // Both clocks, and a tenth for each of eighteen extensions.
        p.proveSeconds += 10;
        checkUnbond(p, 2 * (364 + 20 + 18));
    }

    function test_constructor__least_times_of_a_search__are_a_second() public {
        Parameters memory p = localPreset();
        (p.execSeconds, p.proveSeconds, p.unbondSeconds) = (1, 1, 0);
        checkUnbond(p, 2 * (60 + 1 + 15 + 15 + (1 + 2 * 1 + 18 * 1) + 2 * 60 + 10));
    }

    /* TAKEN */

    function test_constructor__extremes__are_taken() public {
        Parameters memory p = localPreset();
        (p.airgapSeconds, p.keeperDelaySeconds, p.missFees, p.provingPrice) = (0, 0, 35, 0);
        (p.keeperTipBps, p.protocolFeeBps, p.shareBlocks, p.maxChallengers) = (0, 8000, 256, 16);
        (p.slashJailSeconds, p.missJailSeconds, p.missWindowSeconds, p.missesToJail) = (1, 1, 1, 1);
        p.unbondSeconds = 708;
        deploy(p);
        (p.keeperTipBps, p.protocolFeeBps, p.shareBlocks, p.maxChallengers) = (8000, 0, 0, 1);
        deploy(p);
        assertEq(vault.UNBOND(), 708, "unbond");
    }

    function test_constructor__names_the_parameters() public view {
        bytes memory encoded = abi.encode(localPreset());
        assertEq(encoded.length, 24 * 32, "as many numbers as the hash is over");
        bytes32 expected = keccak256(encoded);
        assertEq(vault.PARAMETERS_HASH(), expected, "vault");
        assertEq(registry.PARAMETERS_HASH(), expected, "registry");
        assertEq(market.PARAMETERS_HASH(), expected, "market");
        assertEq(game.PARAMETERS_HASH(), expected, "game");
    }
}
