"""One fresh chain with a registered model for all end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from offchain.cli.demo.command import ROOT
from offchain.cli.demo.narrator import Narrator
from offchain.cli.demo.play import MODEL, load_sample, prepare_model
from offchain.cli.demo.scenarios import SCENARIOS, Result
from offchain.cli.demo.stage import Play
from offchain.cli.demo.world import World, open_world
from offchain.cli.drill.company import Offer, instant_blocks
from offchain.commit.model_folder import write_model_folder
from offchain.roles.account import Account
from offchain.roles.plans import publish_plan
from offchain.submit.models import load_model
from offchain.types import VersionId
from tests.residual_net import build_residual_net, draw_sample


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    models = ROOT / ".local" / "models"
    narrator = Narrator(print)
    prepare_model(models, narrator)
    folder = tmp_path_factory.mktemp("world")
    with open_world(folder, models, MODEL, load_sample(), narrator, is_hurried=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def residual_net(world: World, tmp_path_factory: pytest.TempPathFactory) -> Offer:
    """A residual network, registered with a plan of elements alone that counts for any job."""
    folder = tmp_path_factory.mktemp("residual")
    models = folder / "models"
    write_model_folder(models / "residual", *build_residual_net(), {})
    key_file, _ = world.create_account(folder, "registrant")
    with instant_blocks(world):
        account = Account(world.anvil.url, world.manifest_file, key_file, None, folder / "state")
        model = load_model(models / "residual")
        registered = account.register_version(model.folder, "residual")
        version = VersionId(bytes.fromhex(str(registered["version"])[2:]))
        publish_plan(account, model, version, "none")
        parameters = world.parameters
        wait = parameters.exec_seconds + parameters.challenge_seconds
        world.anvil.jump_to(world.client.get_head().timestamp + wait)
    return Offer(version, models, draw_sample())


@pytest.fixture(scope="session")
def play(world: World) -> Callable[[str], Result]:
    """Return what a scenario came to; it is played at its first use."""
    scenarios = {scenario.name: scenario for scenario in SCENARIOS}
    played: dict[str, Result] = {}

    def get(name: str) -> Result:
        if name not in played:
            played[name] = Play(world, scenarios[name]).run()
        result = played[name]
        assert result.leaks == {}
        assert result.outcome == scenarios[name].outcome
        return result

    return get
