"""Every step of every role: killed anywhere, without its database, or reorganised away.

The tables say for each step what was tried and what came of it; the step must have happened once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.cli.demo.world import World
from tests.e2e.agents import Agents, instant_blocks
from tests.e2e.disasters import Disaster
from tests.e2e.replica_stories import REPLICA_STORIES
from tests.e2e.stories import STORIES as MARKET_STORIES
from tests.e2e.trace_stories import TRACE_STORIES

STORIES = {**MARKET_STORIES, **TRACE_STORIES, **REPLICA_STORIES}
QUICK = "operator commit"  # the one that an ordinary run tries
DEPTHS = (1, 2, 3, 5, 8)
EVERY_STEP = [
    pytest.param(name, marks=() if name == QUICK else pytest.mark.slow) for name in STORIES
]
SENDING_STEPS = [
    pytest.param(name, marks=() if name == QUICK else pytest.mark.slow)
    for name in STORIES
    if name not in ("challenger check", "client verify")
]


class Table:
    """Lines that are printed when the session is over."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._lines: list[str] = []

    def add(self, name: str, cells: list[tuple[str, str]]) -> None:
        shown = "; ".join(f"{what}: {outcome}" for what, outcome in cells)
        self._lines.append(f"  {name:<27} {len(cells):>2}  {shown}")

    def print(self) -> None:
        print(f"\n{self._title}")
        print("\n".join(self._lines))


@pytest.fixture
def disaster(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Disaster]:
    with instant_blocks(world):
        agents = Agents(world, tmp_path / "parties")
        snapshot = world.anvil.rpc.request("evm_snapshot")
        yield Disaster(agents, STORIES[request.getfixturevalue("name")](agents))
        world.anvil.rpc.request("evm_revert", snapshot)


@pytest.fixture(scope="module")
def tables(request: pytest.FixtureRequest) -> Iterator[dict[str, Table]]:
    made = {
        "kill": Table("kill -9 after each trace that a step leaves (step, points, outcomes)"),
        "pool": Table("kill -9 with the transaction in the pool, not mined"),
        "database": Table("journal, cursor and queue lost before and after a step"),
        "reorg": Table("a step reorganised away, by depth of the reorganisation"),
    }
    yield made
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        for table in made.values():
            table.print()


def check(cells: list[tuple[str, str]]) -> None:
    assert cells
    assert {outcome for _, outcome in cells} == {"ok"}, cells


@pytest.mark.parametrize("name", EVERY_STEP)
def test_kill_9__after_each_trace__done_once(
    name: str, disaster: Disaster, tables: dict[str, Table]
) -> None:
    cells: list[tuple[str, str]] = []
    while (trace := disaster.die_after(len(cells) + 1)) is not None:
        cells.append((trace, disaster.recover()))
        disaster.rewind()
    tables["kill"].add(name, cells)
    check(cells)


@pytest.mark.parametrize("name", SENDING_STEPS)
def test_kill_9__transaction_in_the_pool__done_once(
    name: str, disaster: Disaster, tables: dict[str, Table]
) -> None:
    count = 1
    while (trace := disaster.die_after(count, is_mining=False)) != "tx sent":
        assert trace is not None
        disaster.rewind()
        count += 1
    cells = [(trace, disaster.recover())]
    tables["pool"].add(name, cells)
    check(cells)


@pytest.mark.parametrize("name", EVERY_STEP)
def test_database_lost__before_and_after__done_once(
    name: str, disaster: Disaster, tables: dict[str, Table]
) -> None:
    disaster.forget()
    cells = [("before", disaster.recover())]
    disaster.forget()
    cells.append(("after", disaster.recover()))
    tables["database"].add(name, cells)
    check(cells)


@pytest.mark.parametrize("name", SENDING_STEPS)
def test_reorganised__step_undone__done_again(
    name: str, disaster: Disaster, tables: dict[str, Table]
) -> None:
    cells = []
    for depth in DEPTHS:
        done = disaster.recover()
        before = disaster.count_sent()
        disaster.undo(depth)
        assert disaster.count_sent() == before - 1  # the step's transaction is gone
        cells.append((f"depth {depth}", done if done != "ok" else disaster.recover()))
        disaster.rewind()
    tables["reorg"].add(name, cells)
    check(cells)
