"""The machine's clock warns and decides nothing."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import offchain
from offchain.chain.client import Call, ChainClient
from offchain.chain.clock import HeadWatch, compute_drift_s
from offchain.chain.journal import Journal, StepKey
from offchain.chain.keys import Signer
from offchain.submit.transactions import REPLACE_AFTER_BLOCKS, Submitter
from offchain.types import BlockNumber, BlockStamp, Seconds, Wei
from tests.unit.chain.conftest import ABI, CONTRACT
from tests.unit.chain.fake_node import FakeNode

HOUR = 3600
# What may read the wall clock: the stamp of a log line, and who warns of that very clock.
READERS = {"roles/log.py", "chain/clock.py", "cli/doctor/chain.py", "gateway/routes/chain.py"}
WALL_CLOCK = re.compile(r"\btime\.time(_ns)?\b|\bdatetime\b|\blocaltime\b|\bgmtime\b|\bctime\b")


def stamp(number: int, timestamp: int = 1_000) -> BlockStamp:
    return BlockStamp(BlockNumber(number), f"0x{number}", Seconds(timestamp), Wei(7))


@dataclass
class Watched:
    """A watch, its clocks and what it told."""

    now: float = 0.0
    wall: float = 1_000.0
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def build(self) -> HeadWatch:
        return HeadWatch(
            max_head_age_s=300,
            max_drift_s=60,
            notify=lambda name, **facts: self.told.append((name, facts)),
            clock=lambda: self.now,
            wall_clock=lambda: self.wall,
        )

    def names(self) -> list[str]:
        return [name for name, _ in self.told]


def test_is_stale__head_stands_still__from_its_age_on_and_until_it_moves() -> None:
    watched = Watched()
    watch = watched.build()
    assert not watch.is_stale(stamp(1))
    watched.now = 300.0
    assert not watch.is_stale(stamp(1))
    watched.now = 300.1
    assert watch.is_stale(stamp(1))
    assert watch.is_stale(stamp(1))
    assert not watch.is_stale(stamp(2))
    assert watched.names() == ["head-stale", "head-moves"]


def test_is_stale__reorganised_to_the_same_height__moves() -> None:
    watched = Watched()
    watch = watched.build()
    watch.is_stale(stamp(1))
    watched.now = 301.0
    assert not watch.is_stale(BlockStamp(BlockNumber(1), "0xother", Seconds(1_000), Wei(7)))


@pytest.mark.parametrize(("wall", "told"), [(1_060, 0), (940, 0), (1_061, 1), (939, 1)])
def test_is_stale__drift__one_warning_and_no_other_answer(wall: float, told: int) -> None:
    watched = Watched(wall=wall)
    watch = watched.build()
    assert not watch.is_stale(stamp(1)) and not watch.is_stale(stamp(1))
    assert watched.names() == ["clock-drift"] * told


def test_compute_drift_s__clock_ahead__positive() -> None:
    assert compute_drift_s(stamp(1, timestamp=1_000), 1_012.5) == 12.5


def follow(path: Path, call: Call, shift: float, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return every decision of a run in which a transaction is stuck, replaced and mined."""
    from offchain.chain.abi import ErrorBook
    from offchain.chain.cursor import EventCursor
    from tests.unit.chain.test_cursor import stored

    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + shift)
    node = FakeNode()
    client = ChainClient(node, ErrorBook([ABI]))  # type: ignore[arg-type]
    cursor = EventCursor(path / "events", client, {CONTRACT: ABI}, 0, 1)
    watch = HeadWatch(wall_clock=time.time)

    def sleep(_: float) -> None:
        if len(node.broadcasts) == 1:
            pool, node.pool = node.pool, {}
            for number in range(REPLACE_AFTER_BLOCKS):
                node.mine(logs=[stored(number, 1)])
            node.pool = pool
        else:
            node.mine()

    signer = load_fixed_signer(path)
    submitter = Submitter(client, Journal(path / "journal"), signer, sleep)
    receipt = submitter.submit(StepKey("operator", "1", "commit"), call)
    return [
        receipt,
        node.broadcasts,
        cursor.advance(),
        cursor.get_events(),
        watch.is_stale(client.get_head()),
        submitter.can_spend(Wei(1), 1, obligations_wei=Wei(0)),
    ]


def load_fixed_signer(path: Path) -> Signer:
    """Return the same key every time: signatures are compared."""
    from offchain.chain.keys import load_signer

    key = path / "key"
    path.mkdir(exist_ok=True)
    key.touch(mode=0o600)
    key.write_text("11" * 32)
    return load_signer(key)


@pytest.mark.parametrize("shift", [-HOUR, HOUR])
def test_wall_clock__an_hour_wrong__same_decisions(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    right = follow(tmp_path / "right", call, 0, monkeypatch)
    assert follow(tmp_path / "wrong", call, shift, monkeypatch) == right


def test_wall_clock__source__read_by_logs_warnings_and_reports_only() -> None:
    root = Path(offchain.__file__).parent
    readers = {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if WALL_CLOCK.search(file.read_text(encoding="utf-8"))
    }
    assert readers == READERS
