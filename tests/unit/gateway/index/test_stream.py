"""The stream of changes: nobody who listens can hold the index up, or be left without a word."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from offchain.chain.event_store import Position
from offchain.gateway.app import create_app
from offchain.gateway.config import Limits
from offchain.gateway.index.stream import MAX_IDS, MAX_WAITING, Broadcaster, Change
from offchain.gateway.routes import events
from tests.unit.gateway.fakes import open_scene
from tests.unit.gateway.index.test_projection import Reading

JOB = "0x" + "11" * 32


def change(number: int, *ids: str, **named: Any) -> Change:
    return Change(Position(number, "0x" + "22" * 32, 7), frozenset(ids), **named)


def test_listener__keeps_up__every_change_in_order() -> None:
    async def run() -> list[Change | None]:
        broadcaster = Broadcaster()
        with broadcaster.listen() as listener:
            for number in range(3):
                broadcaster.publish(change(number, JOB))
            found = [await listener.wait(1.0) for _ in range(3)]
            assert await listener.wait(0.01) is None
        broadcaster.publish(change(9))  # nobody listens: nothing is kept
        return found

    assert asyncio.run(run()) == [change(number, JOB) for number in range(3)]


def test_listener__falls_behind__told_to_read_again_and_nothing_grows() -> None:
    async def run() -> list[Change]:
        broadcaster = Broadcaster()
        with broadcaster.listen() as listener:
            for number in range(MAX_WAITING + 5):
                broadcaster.publish(change(number, JOB))
            found = []
            while (told := await listener.wait(0.01)) is not None:
                found.append(told)
            return found

    found = asyncio.run(run())
    # The one that found no room took the place of all before it.
    assert found[0] == change(MAX_WAITING, resync=True)
    assert found[1:] == [change(MAX_WAITING + n, JOB) for n in range(1, 5)]


def test_listener__published_from_another_thread__arrives() -> None:
    async def run() -> Change | None:
        broadcaster = Broadcaster()
        with broadcaster.listen() as listener:
            threading.Thread(target=broadcaster.publish, args=(change(1, JOB),)).start()
            return await listener.wait(5.0)

    assert asyncio.run(run()) == change(1, JOB)


def test_publish__more_ids_than_anybody_reads__read_again_instead() -> None:
    async def run() -> Change | None:
        broadcaster = Broadcaster()
        with broadcaster.listen() as listener:
            broadcaster.publish(change(1, *(hex(n) for n in range(MAX_IDS + 1))))
            return await listener.wait(1.0)

    assert asyncio.run(run()) == change(1, resync=True)


class Place:
    """A gateway as far as the stream sees it."""

    def __init__(self, file: Path) -> None:
        self.changes = Broadcaster()
        reader = Reading(file).reader
        self.index = SimpleNamespace(reader=reader, changes=self.changes)
        self.stopping = threading.Event()


def read(text: str) -> dict[str, Any]:
    assert text.startswith("data: ")
    assert text.endswith("\n\n")
    told: dict[str, Any] = json.loads(text[6:])
    return told


async def take(stream: AsyncIterator[str]) -> str:
    return await asyncio.wait_for(anext(stream), 10.0)


def test_stream__of_one_job__begins_with_the_position_and_skips_others(tmp_path: Path) -> None:
    async def run() -> None:
        place: Any = Place(tmp_path / "index.sqlite3")
        stream = events.tell_changes(place, JOB)
        first = read(await take(stream))
        assert (first["block"], first["resync"], first["jobs"]) == (0, True, [])
        place.changes.publish(change(1, "0x" + "33" * 32))
        place.changes.publish(change(2, JOB))
        place.changes.publish(change(3, rewound_to=1, resync=True))
        assert read(await take(stream)) == {
            "block": 2, "hash": "0x" + "22" * 32, "timestamp": 7, "jobs": [JOB],
            "rewoundTo": None, "resync": False,
        }  # fmt: skip
        last = read(await take(stream))
        assert (last["block"], last["rewoundTo"], last["resync"]) == (3, 1, True)
        place.stopping.set()
        with pytest.raises(StopAsyncIteration):
            await take(stream)

    asyncio.run(run())


def test_stream__nothing_happens__heartbeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LOOK_S", 0.01)
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.05)

    async def run() -> None:
        place: Any = Place(tmp_path / "index.sqlite3")
        stream = events.tell_changes(place, JOB)
        await take(stream)
        place.changes.publish(change(1))  # of no concern: no word of it, no silence either
        assert [await take(stream) for _ in range(2)] == [": heartbeat\n\n"] * 2

    asyncio.run(run())


def test_events__over_http__places_are_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LOOK_S", 0.01)
    scene = open_scene(tmp_path, limits=Limits(streams_per_client=1))
    place: Any = Place(tmp_path / "index.sqlite3")
    gateway = replace(scene.gateway, index=place.index)
    gateway.stopping.set()  # a stream ends after its first message
    with TestClient(create_app(scene.config, gateway)) as client:
        for _ in range(3):
            answer = client.get("/events", params={"job": JOB})
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            assert read(answer.text)["resync"]
        held: Any = gateway.limits.stream(SimpleNamespace(scope={"client": ("testclient", 1)}))
        with held:
            refused = client.get("/events")
        assert (refused.status_code, refused.json()["error"]) == (429, "TooMany")
        assert client.get("/events", params={"job": "0x1"}).status_code == 422
