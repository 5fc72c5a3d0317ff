"""However the chain was read, and whatever was undone on the way, the tables are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from offchain.chain.binding import checksum
from offchain.chain.database import Database, Place
from offchain.chain.event_store import REMEMBERED, EventStore
from offchain.gateway.index.projection import IndexProjection
from offchain.gateway.index.reader import Reader
from offchain.gateway.index.records import Deployment
from offchain.gateway.index.tables import DERIVED, SCHEMA
from offchain.types import ETH
from tests.unit.gateway.index.story import CHAIN, MARKET, SESSIONS, Story, Tape

FIRST = 1


class Reading:
    """A store and its projection, fed with blocks instead of a node's logs."""

    def __init__(self, file: Path) -> None:
        self.told: list[str] = []
        deployment = Deployment(CHAIN, MARKET, SESSIONS, lambda name, **_: self.told.append(name))
        self.projection = IndexProjection(deployment)
        self.store = EventStore(Place(file), "test", (), self.projection, SCHEMA)
        self.database = Database(Place(file), SCHEMA)
        self.reader = Reader(self.database, "test", FIRST)

    def close(self) -> None:
        self.store.close()
        self.database.close()

    def follow(self, story: Story, tape: Tape, most: int = 4) -> None:
        """Rewind as the cursor does, then read to the head in ranges."""
        remembered = self.store.get_blocks()
        common = FIRST - 1
        for position in remembered:
            known = position.number < len(story.blocks)
            if known and story.blocks[position.number].hash == position.hash:
                common = position.number
                break
        if remembered and common < remembered[0].number:
            self.store.forget_above(common)
        head = story.blocks[-1].number
        while (position := self.store.get_position(FIRST)).number < head:
            last = min(position.number + 1 + tape.draw(most), head)
            blocks = story.blocks[position.number + 1 : last + 1]
            events = [event for block in blocks for event in block.events]
            times = {block.number: block.time for block in blocks if block.events}
            assert self.store.append(position, FIRST, events, blocks[-1].position, times)

    def dump(self) -> Mapping[str, Sequence[Any]]:
        with self.database.snapshot() as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
                for table in DERIVED
            }


def play(file: Path, seed: int, rounds: int) -> tuple[Story, Reading]:
    tape = Tape(seed)
    story, reading = Story(tape), Reading(file)
    for _ in range(rounds):
        for _ in range(1 + tape.draw(6)):
            story.grow()
        reading.follow(story, tape)
        if tape.draw(3) == 0:
            story.fork(1 + tape.draw(8))
            if tape.draw(2):  # sometimes the shorter branch is seen before it grows
                reading.follow(story, tape)
    reading.follow(story, tape)
    return story, reading


def check_story(seed: int, rounds: int) -> None:
    with TemporaryDirectory() as folder:
        story, reading = play(Path(folder) / "followed.sqlite3", seed, rounds)
        rebuilt = Reading(Path(folder) / "rebuilt.sqlite3")
        rebuilt.follow(story, Tape(seed + 1))
        assert reading.dump() == rebuilt.dump()
        assert reading.told == rebuilt.told == []
        compare_books(story, reading)
        reading.close()
        rebuilt.close()


STORIES = {"seed": st.integers(0, 2**32), "rounds": st.integers(1, 12)}


@given(**STORIES)
@settings(max_examples=12, deadline=None, derandomize=True)
@example(seed=1, rounds=12)
def test_tables__random_events_and_reorganisations__equal_to_those_rebuilt_from_nothing(
    seed: int, rounds: int
) -> None:
    check_story(seed, rounds)


@pytest.mark.slow
@given(**STORIES)
@settings(max_examples=150, deadline=None)
def test_tables__many_stories__equal_to_those_rebuilt_from_nothing(seed: int, rounds: int) -> None:
    check_story(seed, rounds)


def compare_books(story: Story, reading: Reading) -> None:
    """Hold the index against the story's own books."""
    with reading.reader.view() as view:
        assert view.as_of == story.blocks[-1].position
        for job, state in story.state.states.items():
            record = view.find("job", job)
            assert record is not None
            assert reading_state(record.body["state"]) == state
            assert record.body["batch"] == story.state.jobs[job].get("batch")
        stored = view.list("job", 10_000).records
        assert {record.key for record in stored} == set(story.state.states)
        for (who, part), amount in story.state.books.items():
            if part == "burned":
                total = view.find("token", ETH)
                assert total is not None
                assert total.body["sums"].get("burned", 0) == amount
                continue
            account = view.find("account", checksum(who))
            tokens = {} if account is None else account.body["tokens"]
            assert tokens.get(ETH, {}).get(part, 0) == amount, (who, part)


def reading_state(value: int) -> str:
    from offchain.types import JobState

    return JobState(value).name.lower()


def test_tables__deeper_reorganisation_than_is_remembered__everything_is_read_again(
    tmp_path: Path,
) -> None:
    story, reading = Story(Tape(5)), Reading(tmp_path / "followed.sqlite3")
    for _ in range(30):
        story.grow()
    while story.blocks[-1].number < REMEMBERED + 60:
        story.mine()
        reading.follow(story, Tape(6))
    story.fork(REMEMBERED + 40)
    story.grow()
    reading.follow(story, Tape(7))
    rebuilt = Reading(tmp_path / "rebuilt.sqlite3")
    rebuilt.follow(story, Tape(8))
    assert reading.dump() == rebuilt.dump()
    compare_books(story, reading)
