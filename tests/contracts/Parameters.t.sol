// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobMarket} from "../../contracts/core/JobMarket.sol";
import {ModelRegistry} from "../../contracts/core/ModelRegistry.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {DisputeGame} from "../../contracts/dispute/DisputeGame.sol";
import {IParameters} from "../../contracts/interfaces/IParameters.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {Deployment} from "./Deployment.sol";

contract ParametersTest is Deployment {
    function checkRefused(Parameters memory p, bytes memory expected) private {
        vm.expectRevert(expected);
        new StakeVault(p);
        vm.expectRevert(expected);
        new ModelRegistry(new address[](0), p);
        vm.expectRevert(expected);
        new JobMarket(address(1), address(2), p);
        vm.expectRevert(expected);
        new DisputeGame(address(1), address(2), address(3), p);
    }

    function tooSmall(uint256 index, uint256 got, uint256 minimum) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IParameters.ParameterTooSmall.selector, index, got, minimum);
    }

    function test_constructor__parameter_too_small__reverts() public {
        Parameters memory p = localPreset();
        p.assignSeconds = 0;
        checkRefused(p, tooSmall(0, 0, 1));
        p = localPreset();
        p.execSeconds = 0;
        checkRefused(p, tooSmall(1, 0, 1));
        p = localPreset();
        p.challengeSeconds = 0;
        checkRefused(p, tooSmall(2, 0, 1));
        p = localPreset();
        p.proveSeconds = 0;
        checkRefused(p, tooSmall(3, 0, 1));
        p = localPreset();
        p.proveCapSeconds = p.proveSeconds;
        checkRefused(p, tooSmall(4, 30, 31));
        p = localPreset();
        p.lockFees = 0;
        checkRefused(p, tooSmall(7, 0, 1));
        p = localPreset();
        p.missFees = 36;
        checkRefused(p, tooSmall(7, 35, 36));
        p = localPreset();
        p.disputeGas = 0;
        checkRefused(p, tooSmall(9, 0, 1));
        p = localPreset();
        p.gasPriceFloor = 0;
        checkRefused(p, tooSmall(10, 0, 1));
        p = localPreset();
        p.maxProofGas = 0;
        checkRefused(p, tooSmall(12, 0, 1));
    }

    function test_constructor__unbond_below_two_lives__reverts() public {
        Parameters memory p = localPreset();
        p.unbondSeconds = 329;
        checkRefused(p, abi.encodeWithSelector(IParameters.UnbondTooShort.selector, 329, 330));
    }

    function test_constructor__every_time_counts_in_the_longest_life(uint8 which) public {
        Parameters memory p = localPreset();
        uint256 field = bound(which, 0, 4);
        if (field == 0) ++p.assignSeconds;
        if (field == 1) ++p.execSeconds;
        if (field == 2) ++p.challengeSeconds;
        if (field == 3) ++p.proveCapSeconds;
        if (field == 4) ++p.airgapSeconds;
        checkRefused(p, abi.encodeWithSelector(IParameters.UnbondTooShort.selector, 330, 332));
    }

    function test_constructor__names_the_parameters() public view {
        bytes32 expected = keccak256(abi.encode(localPreset()));
        assertEq(vault.PARAMETERS_HASH(), expected, "vault");
        assertEq(registry.PARAMETERS_HASH(), expected, "registry");
        assertEq(market.PARAMETERS_HASH(), expected, "market");
        assertEq(game.PARAMETERS_HASH(), expected, "game");
    }

    /* WIRING */

    function test_setModules__twice__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.ModulesAlreadySet.selector, address(market), address(game)));
        vault.setModules(address(market), address(game));
    }

    function test_setModules__by_another_than_the_deployer__reverts() public {
        StakeVault other = new StakeVault(localPreset());
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotDeployer.selector, STRANGER));
        vm.prank(STRANGER);
        other.setModules(address(market), address(game));
    }

    function test_setModules__market_of_another_vault__reverts() public {
        StakeVault other = new StakeVault(localPreset());
        expectForeign(address(market));
        other.setModules(address(market), address(game));
    }

    function test_setModules__other_parameters__reverts() public {
        Parameters memory p = localPreset();
        p.lockFees = 36;
        StakeVault other = new StakeVault(localPreset());
        JobMarket foreignMarket = new JobMarket(address(other), address(registry), p);
        JobMarket ownMarket = new JobMarket(address(other), address(registry), localPreset());
        DisputeGame foreignGame = new DisputeGame(address(other), address(registry), address(ownMarket), p);

        expectForeign(address(foreignMarket));
        other.setModules(address(foreignMarket), address(game));
        expectForeign(address(foreignGame));
        other.setModules(address(ownMarket), address(foreignGame));
    }

    function test_setModules__game_of_another_vault_market_or_registry__reverts() public {
        Parameters memory p = localPreset();
        StakeVault other = new StakeVault(p);
        address ownMarket = address(new JobMarket(address(other), address(registry), p));
        address[3] memory foreign = [
            address(new DisputeGame(address(vault), address(registry), ownMarket, p)),
            address(new DisputeGame(address(other), address(registry), address(market), p)),
            address(new DisputeGame(address(other), address(verifier), ownMarket, p))
        ];
        for (uint256 i = 0; i < foreign.length; ++i) {
            expectForeign(foreign[i]);
            other.setModules(ownMarket, foreign[i]);
        }
    }

    function test_setModules__registry_with_other_parameters__reverts() public {
        Parameters memory p = localPreset();
        p.maxProofGas = 1;
        address foreign = address(new ModelRegistry(new address[](0), p));
        StakeVault other = new StakeVault(localPreset());
        address ownMarket = address(new JobMarket(address(other), foreign, localPreset()));
        address ownGame = address(new DisputeGame(address(other), foreign, ownMarket, localPreset()));
        expectForeign(foreign);
        other.setModules(ownMarket, ownGame);
    }

    function test_setModules__wires_once() public {
        StakeVault other = new StakeVault(localPreset());
        address ownMarket = address(new JobMarket(address(other), address(registry), localPreset()));
        address ownGame = address(new DisputeGame(address(other), address(registry), ownMarket, localPreset()));
        vm.expectEmit(address(other));
        emit IStakeVault.ModulesSet(ownMarket, ownGame);
        other.setModules(ownMarket, ownGame);
        assertEq(other.market(), ownMarket, "market");
        assertEq(other.game(), ownGame, "game");
    }

    function expectForeign(address module) private {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.ForeignModule.selector, module));
    }
}
