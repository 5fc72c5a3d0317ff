// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AdjudicatorRegistry} from "../../contracts/adjudication/AdjudicatorRegistry.sol";
import {JobMarket} from "../../contracts/core/JobMarket.sol";
import {ModelRegistry} from "../../contracts/core/ModelRegistry.sol";
import {SessionMarket} from "../../contracts/core/SessionMarket.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {DisputeGame} from "../../contracts/dispute/DisputeGame.sol";
import {IAdjudicatorRegistry} from "../../contracts/interfaces/IAdjudicatorRegistry.sol";
import {IAudits} from "../../contracts/interfaces/IAudits.sol";
import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {IQuorum} from "../../contracts/interfaces/IQuorum.sol";
import {ISessionMarket} from "../../contracts/interfaces/ISessionMarket.sol";
import {Audits} from "../../contracts/quorum/Audits.sol";
import {Quorum} from "../../contracts/quorum/Quorum.sol";
import {PinpointGame} from "../../contracts/trace/PinpointGame.sol";
import {Modules} from "../../contracts/types/Modules.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {Deployment} from "./Deployment.sol";

/// @notice A deployment names its later contracts before they exist; a part of another deployment is refused.
contract WiringTest is Deployment {
    /// @notice A vault whose market comes next and whose game comes after it.
    function nextVault() private returns (StakeVault) {
        Modules memory modules = Modules(predict(1), predict(2), predict(3), predict(4), predict(5), predict(6));
        return new StakeVault(modules, address(token), localPreset());
    }

    function otherParameters() private pure returns (Parameters memory p) {
        p = localPreset();
        p.lockFees = 36;
    }

    function expectMarketRefuses(address module) private {
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.ForeignModule.selector, module));
    }

    function expectGameRefuses(address module) private {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.ForeignModule.selector, module));
    }

    function newMarket(StakeVault vault_, ModelRegistry registry_, Parameters memory p) private returns (JobMarket) {
        return new JobMarket(address(vault_), address(registry_), address(guardian), predict(2), p);
    }

    /* TOGETHER */

    function test_deployment__names_its_parts() public view {
        assertEq(vault.MARKET(), address(market), "vault's market");
        assertEq(vault.GAME(), address(game), "vault's game");
        assertEq(vault.TOKEN(), address(token), "token");
        assertEq(market.VAULT(), address(vault), "market's vault");
        assertEq(market.REGISTRY(), address(registry), "market's registry");
        assertEq(market.GUARDIAN(), address(guardian), "market's guardian");
        assertEq(guardian.MARKET(), address(market), "guardian's market");
        assertEq(game.VAULT(), address(vault), "game's vault");
        assertEq(game.MARKET(), address(market), "game's market");
        assertEq(game.REGISTRY(), address(registry), "game's registry");
        assertEq(vault.SESSIONS(), address(sessions), "vault's sessions");
        assertEq(market.ORDERS(), address(orders), "market's orders");
        assertEq(sessions.VAULT(), address(vault), "sessions' vault");
        assertEq(sessions.REGISTRY(), address(registry), "sessions' registry");
        assertEq(sessions.MARKET(), address(market), "sessions' market");
        assertEq(sessions.GAME(), address(game), "sessions' game");
        assertEq(orders.MARKET(), address(market), "orders' market");
        assertEq(relay.MARKET(), address(market), "relay's market");
    }

    function test_deployment__names_its_games_and_draws() public view {
        assertEq(vault.PINPOINT(), pinpoint, "vault's pinpointing");
        assertEq(vault.QUORUM(), address(quorum), "vault's quorums");
        assertEq(vault.AUDITS(), address(audits), "vault's audits");
        assertEq(adjudicators.REGISTRY(), address(registry), "plans' registry");
        assertEq(adjudicators.MARKET(), address(market), "plans' market");
        assertEq(adjudicators.adjudicatorCount(), 3, "adjudicators");
        assertEq(pool.VAULT(), address(vault), "candidates' vault");
        assertEq(quorum.POOL(), address(pool), "quorums' candidates");
        assertEq(quorum.BEACON(), address(beacon), "quorums' beacon");
        assertEq(quorum.GAME(), address(game), "quorums' game");
        assertEq(audits.BEACON(), address(beacon), "audits' beacon");
        assertEq(audits.GAME(), address(game), "audits' game");
        address[2] memory parts = [pinpoint, PinpointGame(payable(pinpoint)).SEARCHES()];
        for (uint256 i = 0; i < parts.length; ++i) {
            PinpointGame part = PinpointGame(payable(parts[i]));
            assertEq(part.VAULT(), address(vault), "pinpointing's vault");
            assertEq(part.REGISTRY(), address(registry), "pinpointing's registry");
            assertEq(part.MARKET(), address(market), "pinpointing's market");
            assertEq(part.GAME(), address(game), "pinpointing's game");
            assertEq(part.ADJUDICATORS(), address(adjudicators), "pinpointing's plans");
            assertEq(part.PARAMETERS_HASH(), vault.PARAMETERS_HASH(), "pinpointing's parameters");
        }
    }

    /* PINPOINTING, QUORUMS AND AUDITS */

    function expectPinpointRefuses(address module) private {
        vm.expectRevert(abi.encodeWithSelector(IPinpointBook.ForeignModule.selector, module));
    }

    function newPinpoint(address vault_, address registry_, address market_, address plans) private {
        new PinpointGame(vault_, registry_, market_, address(game), plans, localPreset());
    }

    function test_pinpoint__of_a_vault_with_another__reverts() public {
        expectPinpointRefuses(address(vault));
        newPinpoint(address(vault), address(registry), address(market), address(adjudicators));
    }

    /// @notice At the place that the vault names, so that nothing else is wrong with it.
    function refuseVault(Modules memory modules, Parameters memory p) private {
        modules.pinpoint = predict(1);
        address own = address(new StakeVault(modules, address(token), p));
        expectPinpointRefuses(own);
        newPinpoint(own, address(registry), address(market), address(adjudicators));
    }

    function test_pinpoint__of_a_vault_with_another_market__reverts() public {
        Modules memory modules;
        modules.game = address(game);
        refuseVault(modules, localPreset());
    }

    function test_pinpoint__of_a_vault_with_another_game__reverts() public {
        Modules memory modules;
        modules.market = address(market);
        refuseVault(modules, localPreset());
    }

    function test_pinpoint__other_parameters_than_the_vault__reverts() public {
        Modules memory modules;
        (modules.market, modules.game) = (address(market), address(game));
        refuseVault(modules, otherParameters());
    }

    /// @notice At the place that the vault names, so that nothing but the neighbour is wrong.
    function test_pinpoint__another_neighbour__reverts() public {
        Modules memory modules;
        (modules.market, modules.game, modules.pinpoint) = (address(market), address(game), predict(1));
        address own = address(new StakeVault(modules, address(token), localPreset()));
        expectPinpointRefuses(address(market));
        newPinpoint(own, address(registry), address(market), address(adjudicators));
    }

    /// @notice A vault and its market, and `between` contracts later the place where the vault expects its pinpointing.
    function nextPinned(uint256 between) private returns (address own, address ownMarket) {
        Modules memory modules;
        (modules.market, modules.game, modules.pinpoint) = (predict(1), address(game), predict(2 + between));
        StakeVault other = new StakeVault(modules, address(token), localPreset());
        return (address(other), address(newMarket(other, registry, localPreset())));
    }

    function test_pinpoint__another_registry_than_the_market__reverts() public {
        address another = address(new ModelRegistry(new address[](0), localPreset()));
        (address own, address ownMarket) = nextPinned(0);
        expectPinpointRefuses(ownMarket);
        newPinpoint(own, another, ownMarket, address(adjudicators));
    }

    function test_pinpoint__plans_of_another_market__reverts() public {
        (address own, address ownMarket) = nextPinned(0);
        expectPinpointRefuses(address(adjudicators));
        newPinpoint(own, address(registry), ownMarket, address(adjudicators));
    }

    function test_pinpoint__of_a_fitting_deployment__is_taken() public {
        (address own, address ownMarket) = nextPinned(1);
        address[] memory list = new address[](1);
        list[0] = adjudicators.adjudicatorAt(0);
        AdjudicatorRegistry plans = new AdjudicatorRegistry(address(registry), ownMarket, list, localPreset());
        newPinpoint(own, address(registry), ownMarket, address(plans));
        PinpointGame made = PinpointGame(payable(StakeVault(own).PINPOINT()));
        assertEq(made.VAULT(), own, "vault");
        assertEq(made.ADJUDICATORS(), address(plans), "plans");
    }

    function test_quorum__of_a_vault_with_another__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IQuorum.ForeignModule.selector, address(vault)));
        new Quorum(
            address(vault), address(registry), address(market), address(beacon), address(pool), AUDIT_BPS, localPreset()
        );
    }

    function test_audits__of_a_vault_with_others__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IAudits.ForeignModule.selector, address(vault)));
        new Audits(address(vault), address(market), address(beacon), PROOF_AUDIT_BPS, localPreset());
    }

    function test_plans__another_registry_than_the_market__reverts() public {
        ModelRegistry another = new ModelRegistry(new address[](0), localPreset());
        address[] memory list = new address[](0);
        vm.expectRevert(abi.encodeWithSelector(IAdjudicatorRegistry.ForeignModule.selector, address(market)));
        new AdjudicatorRegistry(address(another), address(market), list, localPreset());
    }

    /* THE MARKET */

    function test_market__of_a_vault_with_another_market__reverts() public {
        expectMarketRefuses(address(vault));
        newMarket(vault, registry, localPreset());
    }

    function test_market__other_parameters_than_the_vault__reverts() public {
        StakeVault other = nextVault();
        ModelRegistry fitting = registry;
        expectMarketRefuses(address(other));
        newMarket(other, fitting, otherParameters());
    }

    function test_market__other_parameters_than_the_registry__reverts() public {
        ModelRegistry foreign = new ModelRegistry(new address[](0), otherParameters());
        StakeVault other = nextVault();
        expectMarketRefuses(address(foreign));
        newMarket(other, foreign, localPreset());
    }

    /* THE GAME */

    function test_game__of_a_vault_with_another_game__reverts() public {
        expectGameRefuses(address(vault));
        new DisputeGame(address(vault), address(registry), address(market), localPreset());
    }

    function test_game__of_a_vault_with_another_market__reverts() public {
        StakeVault other = nextVault();
        newMarket(other, registry, localPreset());
        expectGameRefuses(address(other));
        new DisputeGame(address(other), address(registry), address(market), localPreset());
    }

    function test_game__other_parameters_than_the_vault__reverts() public {
        StakeVault other = nextVault();
        JobMarket ownMarket = newMarket(other, registry, localPreset());
        expectGameRefuses(address(other));
        new DisputeGame(address(other), address(registry), address(ownMarket), otherParameters());
    }

    function test_game__another_registry_than_the_market__reverts() public {
        ModelRegistry another = new ModelRegistry(new address[](0), localPreset());
        StakeVault other = nextVault();
        JobMarket ownMarket = newMarket(other, registry, localPreset());
        expectGameRefuses(address(ownMarket));
        new DisputeGame(address(other), address(another), address(ownMarket), localPreset());
    }

    function test_game__of_a_fitting_deployment__is_taken() public {
        StakeVault other = nextVault();
        JobMarket ownMarket = newMarket(other, registry, localPreset());
        DisputeGame ownGame = new DisputeGame(address(other), address(registry), address(ownMarket), localPreset());
        assertEq(other.GAME(), address(ownGame), "game");
    }

    /* THE SESSIONS, THE ORDERS */

    function expectSessionsRefuse(address module) private {
        vm.expectRevert(abi.encodeWithSelector(ISessionMarket.ForeignModule.selector, module));
    }

    function newSessions(StakeVault vault_, ModelRegistry registry_, JobMarket market_, Parameters memory p)
        private
        returns (SessionMarket)
    {
        return new SessionMarket(address(vault_), address(registry_), address(market_), p);
    }

    /// @notice A vault, a market and a game, and then the place where the vault expects its sessions.
    function nextGame(Parameters memory p) private returns (StakeVault other, JobMarket ownMarket) {
        other = nextVault();
        ownMarket = newMarket(other, registry, localPreset());
        new DisputeGame(address(other), address(registry), address(ownMarket), p);
    }

    function test_sessions__of_a_vault_with_other_sessions__reverts() public {
        expectSessionsRefuse(address(vault));
        newSessions(vault, registry, market, localPreset());
    }

    function test_sessions__other_parameters__reverts() public {
        (StakeVault other, JobMarket ownMarket) = nextGame(localPreset());
        expectSessionsRefuse(address(other));
        newSessions(other, registry, ownMarket, otherParameters());
    }

    function test_sessions__another_market_than_the_vault__reverts() public {
        (StakeVault other,) = nextGame(localPreset());
        expectSessionsRefuse(address(other));
        newSessions(other, registry, market, localPreset());
    }

    function test_sessions__another_registry_than_the_market__reverts() public {
        ModelRegistry another = new ModelRegistry(new address[](0), localPreset());
        (StakeVault other, JobMarket ownMarket) = nextGame(localPreset());
        expectSessionsRefuse(address(ownMarket));
        newSessions(other, another, ownMarket, localPreset());
    }

    function test_sessions__of_a_fitting_deployment__are_taken() public {
        (StakeVault other, JobMarket ownMarket) = nextGame(localPreset());
        SessionMarket own = newSessions(other, registry, ownMarket, localPreset());
        assertEq(other.SESSIONS(), address(own), "sessions");
        assertEq(own.GAME(), other.GAME(), "game");
        assertEq(own.PARAMETERS_HASH(), other.PARAMETERS_HASH(), "parameters");
    }
}
