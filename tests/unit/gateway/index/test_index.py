"""The index follows a node that fails, lies, lags and reorganises; and it dies in the middle."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.abi import ErrorBook
from offchain.chain.artifacts import load_artifact
from offchain.chain.client import ChainClient
from offchain.chain.manifest import Deployment, Manifest
from offchain.errors import RpcUnavailable
from offchain.gateway.index import changes
from offchain.gateway.index.index import STALE_S, WATCHED, Index
from offchain.gateway.index.stream import Change
from offchain.types import Address
from tests.unit.chain.fake_node import FakeNode
from tests.unit.gateway.index.logs import encode_log
from tests.unit.gateway.index.story import MARKET, SESSIONS, Story, Tape
from tests.unit.gateway.index.test_projection import Reading, compare_books

PROCESSES = multiprocessing.get_context("forkserver")
ADDRESSES = {"JobMarket": MARKET, "SessionMarket": SESSIONS}


def make_manifest(salt: int = 0) -> Manifest:
    contracts = {
        name: Deployment(
            ADDRESSES.get(name, Address("0x" + f"{0x60 + i + salt:02x}" * 20)),
            load_artifact(name).abi, "", b"",
        )
        for i, name in enumerate(WATCHED)
    }  # fmt: skip
    return Manifest(31337, "local", 1, b"", True, contracts)


class StoryNode(FakeNode):
    """A node whose chain is a story."""

    def __init__(self, manifest: Manifest) -> None:
        super().__init__()
        self.manifest = manifest
        self.is_down = False
        self.lies = False

    def show(self, story: Story) -> None:
        """Hold exactly the story's blocks."""
        self.blocks, self.logs = [], {}
        for block in story.blocks:
            self.blocks.append(
                {
                    "number": hex(block.number), "hash": block.hash, "timestamp": hex(block.time),
                    "baseFeePerGas": hex(10**9),
                }
            )  # fmt: skip
            self.logs[block.hash] = [
                {
                    **encode_log(self.manifest, event), "blockNumber": hex(block.number),
                    "blockHash": block.hash, "logIndex": hex(event.log_index),
                }
                for event in block.events
            ]  # fmt: skip

    def request(self, method: str, *params: Any) -> Any:
        if self.is_down:
            raise RpcUnavailable(method, 6, "no answer")
        return super().request(method, *params)


def open_index(folder: Path, node: StoryNode, **named: Any) -> Index:
    client = ChainClient(node, ErrorBook([]))  # type: ignore[arg-type]
    return Index(folder, client, node.manifest, named.pop("confirmations", 1), **named)


@pytest.fixture
def node() -> StoryNode:
    return StoryNode(make_manifest())


def tell(blocks: int, seed: int = 11) -> Story:
    story = Story(Tape(seed))
    for _ in range(blocks):
        story.grow()
    return story


def as_reading(index: Index) -> Reading:
    reading = Reading.__new__(Reading)
    reading.database, reading.reader = index._database, index.reader
    return reading


def test_advance__logs_of_the_contracts__as_events_that_were_never_encoded(
    tmp_path: Path, node: StoryNode
) -> None:
    story = tell(60)
    node.show(story)
    index, direct = open_index(tmp_path, node), Reading(tmp_path / "direct.sqlite3")
    index.advance()
    direct.follow(story, Tape(1), most=30)
    assert as_reading(index).dump() == direct.dump()
    compare_books(story, as_reading(index))


def test_advance__reorganisations__the_same_as_read_afresh(tmp_path: Path, node: StoryNode) -> None:
    story = tell(30)
    index = open_index(tmp_path / "followed", node)
    for depth in range(1, 9):
        node.show(story)
        index.advance()
        story.fork(depth)
        for _ in range(depth + depth % 2):
            story.grow()
    node.show(story)
    index.advance()
    fresh = open_index(tmp_path / "fresh", node)
    fresh.advance()
    assert as_reading(index).dump() == as_reading(fresh).dump()
    compare_books(story, as_reading(index))


@pytest.mark.parametrize("confirmations", [1, 4])
def test_advance__confirmations__stays_behind_the_head(
    tmp_path: Path, node: StoryNode, confirmations: int
) -> None:
    node.show(tell(20))
    index = open_index(tmp_path, node, confirmations=confirmations)
    index.advance()
    health = index.get_health()
    assert (health.position.number, health.behind) == (21 - confirmations, confirmations - 1)
    assert not health.is_stale


def test_advance__node_down__what_was_read_is_served_and_said_to_be_old(
    tmp_path: Path, node: StoryNode
) -> None:
    now = [100.0]
    story = tell(20)
    node.show(story)
    index = open_index(tmp_path, node, clock=lambda: now[0])
    assert index.get_health().is_stale  # nothing was read yet
    index.advance()
    before = as_reading(index).dump()
    node.is_down = True
    for later, is_stale in ((STALE_S, False), (STALE_S + 1, True)):
        now[0] = 100.0 + later
        with pytest.raises(RpcUnavailable):
            index.advance()
        assert index.get_health().is_stale == is_stale
        assert as_reading(index).dump() == before
    node.is_down = False
    for _ in range(3):
        story.grow()
    node.show(story)
    index.advance()
    assert not index.get_health().is_stale
    compare_books(story, as_reading(index))


def test_advance__node_falls_back_and_catches_up__the_same_again(
    tmp_path: Path, node: StoryNode
) -> None:
    story = tell(20)
    node.show(story)
    index = open_index(tmp_path, node)
    index.advance()
    before = as_reading(index).dump()
    behind = Story(Tape(11))
    behind.blocks = story.blocks[:15]
    node.show(behind)
    index.advance()
    assert index.get_health().position.number <= 14
    node.show(story)
    index.advance()
    assert as_reading(index).dump() == before


def test_advance__terms_that_are_not_the_ids__not_stored(tmp_path: Path, node: StoryNode) -> None:
    story = tell(40)
    told: list[tuple[str, dict[str, Any]]] = []
    changed = [
        (block, place, event)
        for block in story.blocks
        for place, event in enumerate(block.events)
        if event.name in {"JobCreated", "SessionOpened", "BatchCommitted"}
    ]
    names = {event.name for _, _, event in changed}
    assert names == {"JobCreated", "SessionOpened", "BatchCommitted"}
    for block, place, event in changed:
        if event.name == "BatchCommitted":
            lie: dict[str, Any] = {"items": bytes(68) + event.arguments["items"][68:]}
        else:
            terms = event.arguments["terms"]
            lie = {"terms": (*terms[:-1], terms[-1] + 1)}
        block.events[place] = replace(event, arguments={**event.arguments, **lie})
    node.show(story)
    index = open_index(tmp_path, node, notify=lambda name, **facts: told.append((name, facts)))
    index.advance()
    with index.reader.view() as view:
        for kind in ("job", "session", "batch"):
            assert view.list(kind, 10).records == []
    assert {name for name, _ in told} == {"terms-mismatch"}


def test_advance__changes__told_with_what_they_touch(tmp_path: Path, node: StoryNode) -> None:
    story = tell(25)
    node.show(story)
    index, told = open_index(tmp_path, node), list[Change]()
    index.changes.publish = told.append  # type: ignore[method-assign]
    index.advance()
    index.advance()  # nothing happened: nothing is told
    assert len(told) == 1
    assert set(story.state.states) <= told[0].ids
    assert (told[0].position.number, told[0].rewound_to, told[0].resync) == (25, None, False)
    story.fork(2)
    story.grow()
    node.show(story)
    index.advance()
    # All was read in one step, so the cursor falls back to before it.
    assert (told[1].position.number, told[1].rewound_to, told[1].resync) == (24, 0, True)


def test_open__another_deployment_in_the_same_folder__a_file_of_its_own(
    tmp_path: Path, node: StoryNode
) -> None:
    story = tell(20)
    node.show(story)
    first = open_index(tmp_path, node)
    first.advance()
    node.manifest = make_manifest(salt=0x40)
    other = open_index(tmp_path, node)
    with other.reader.view() as view:
        assert view.list("version", 1).records == []
    assert len(list(tmp_path.glob("index-*.sqlite3"))) == 2


def die_in_the_middle(folder: Path, seed: int, count: int, is_flushed: bool) -> None:
    """Read a story in small steps, and die in the count-th transaction."""
    node = StoryNode(make_manifest())
    node.show(tell(40, seed))
    index = open_index(folder, node)
    index._cursor._span = 3
    original, left = changes.Changes.flush, count

    def flush(self: Any, *arguments: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0 and not is_flushed:
            os.kill(os.getpid(), signal.SIGKILL)
        original(self, *arguments)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    changes.Changes.flush = flush  # type: ignore[method-assign]
    index.advance()


@pytest.mark.parametrize(("count", "is_flushed"), [(1, False), (2, True), (4, True)])
def test_restart__killed_within_a_transaction__goes_on_where_it_was(
    tmp_path: Path, node: StoryNode, count: int, is_flushed: bool
) -> None:
    arguments = (tmp_path / "killed", 11, count, is_flushed)
    child = PROCESSES.Process(target=die_in_the_middle, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    story = tell(40)
    node.show(story)
    index = open_index(tmp_path / "killed", node)
    reached = index.get_health().position.number
    assert reached < 40  # the dead one's last step is undone whole
    assert reached > 0 or count == 1
    compare_books_at(story, index, reached)
    index.advance()
    fresh = open_index(tmp_path / "fresh", node)
    fresh.advance()
    assert as_reading(index).dump() == as_reading(fresh).dump()


def compare_books_at(story: Story, index: Index, number: int) -> None:
    past = Story(Tape(0))
    past.blocks, past._states = story.blocks[: number + 1], story._states[: number + 1]
    if number:
        compare_books(past, as_reading(index))
