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


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    models = ROOT / ".local" / "models"
    narrator = Narrator(print)
    prepare_model(models, narrator)
    folder = tmp_path_factory.mktemp("world")
    with open_world(folder, models, MODEL, load_sample(), narrator, is_hurried=True) as opened:
        yield opened


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
