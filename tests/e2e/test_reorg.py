"""A reorganisation takes transactions away: whoever sent them sends them again, once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.cli.demo.scenarios import SCENARIOS, Scenario
from offchain.cli.demo.stage import Play
from offchain.cli.demo.world import World
from offchain.types import JobState


class Reorganised(Play):
    """Drops the blocks in which a state was reached, with everything in them."""

    def __init__(self, world: World, scenario: Scenario, when: JobState, event: str) -> None:
        super().__init__(world, scenario)
        self._world = world
        self.when = when
        self._event = event  # what brings a job into that state
        self.undone: JobState | None = None  # where the job fell back to

    def on_poll(self) -> None:
        job = self.get_job()
        if self.undone is not None or job is None or job.state is not self.when:
            return
        head = self._world.client.get_head().number
        depth = head - self.find_block(head) + 1
        self._world.anvil.rpc.request("anvil_reorg", depth, [])
        fallen = self.get_job()
        assert fallen is not None
        self.undone = fallen.state

    def find_block(self, head: int) -> int:
        """Return the block of the newest event that brought a job into the state."""
        watched = (self._world.contracts.market, self._world.contracts.game)
        logs = self._world.client.get_logs([c.address for c in watched], max(head - 20, 0), head)
        decoded = [c.abi.decode_event(log) for log in logs for c in watched]
        return max(e.block_number for e in decoded if e is not None and e.name == self._event)


@pytest.mark.slow
def test_operator__its_commit_is_reorganised_away__committed_again(world: World) -> None:
    scenario = replace(SCENARIOS[0], name="reorganised-commit")
    play = Reorganised(world, scenario, JobState.COMMITTED, "ResultCommitted")
    result = play.run()
    assert play.undone is not None
    assert play.undone < play.when
    assert result.outcome == "paid"
    assert result.leaks == {}
    assert sum(t.step == "commit" for t in result.transactions) == 1


def test_operator__the_challenge_is_reorganised_away__proven_under_its_new_seed(
    world: World,
) -> None:
    scenario = replace(SCENARIOS[1], name="reorganised-challenge")
    play = Reorganised(world, scenario, JobState.DISPUTED, "ResultChallenged")
    result = play.run()
    assert play.undone is not None
    assert play.undone < play.when
    assert result.outcome == "proven"
    assert result.leaks == {}
    assert [t.step for t in result.transactions if t.succeeded].count("prove") == 1
