"""A worker may be killed and its queue lost at any point: the chain says what is left to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.cli.demo.scenarios import SCENARIOS, Result, Scenario
from offchain.cli.demo.stage import Play
from offchain.cli.demo.world import World
from offchain.types import JobState

UNCHALLENGED, CHALLENGED = SCENARIOS[:2]


class KilledOnce(Play):
    """Kills operator and worker with SIGKILL, and deletes their queue, when a state is reached."""

    def __init__(self, world: World, scenario: Scenario, when: JobState) -> None:
        super().__init__(world, scenario)
        self._when = when
        self.was_killed = False

    def on_poll(self) -> None:
        job = self.get_job()
        if not self.was_killed and job is not None and job.state is self._when:
            self.was_killed = True
            self.restart_operator()


def count(result: Result, step: str) -> int:
    return sum(t.step == step for t in result.transactions)


@pytest.mark.parametrize(
    ("scenario", "when"),
    [
        pytest.param(UNCHALLENGED, JobState.ASSIGNED, marks=pytest.mark.slow),
        pytest.param(UNCHALLENGED, JobState.COMMITTED, marks=pytest.mark.slow),
        (CHALLENGED, JobState.DISPUTED),
    ],
    ids=["before the result", "before the payment", "before the proof"],
)
def test_operator__killed_and_its_queue_lost__same_outcome_and_nothing_sent_twice(
    world: World, scenario: Scenario, when: JobState
) -> None:
    play = KilledOnce(world, replace(scenario, name=f"killed-{when.name.lower()}"), when)
    result = play.run()
    assert play.was_killed
    assert result.outcome == scenario.outcome
    assert result.leaks == {}
    for step in ("accept", "commit", "finalise", "prove"):
        assert count(result, step) <= 1
    assert count(result, "commit") == 1
