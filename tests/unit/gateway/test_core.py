"""What runs beside the requests: it follows, forgets, survives errors, and ends when told to."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from offchain.errors import ConfigError, RpcUnavailable
from offchain.gateway.app import create_app, hold_home
from offchain.gateway.background import Repeater
from offchain.gateway.core import Follower, Sweeper
from offchain.gateway.references import OrderFate
from offchain.types import Digest, Seconds, SessionRequest
from tests.unit.gateway.fakes import (
    DAY,
    HOUR,
    JOB,
    NOW,
    ORDER,
    SESSION,
    Scene,
    SilentLog,
    open_scene,
    sign_order,
    sign_request,
)

LIFE = 600


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return open_scene(tmp_path)


def fill(scene: Scene, **changes: Any) -> Digest:
    """Return the digest of an input that an order names."""
    digest, _ = scene.boards.content.put(bytes(64), 8, (1, 64), "10.0.0.1")
    order = replace(ORDER, in_digest=digest, **changes)
    scene.boards.orders.post(order, sign_order(order))
    return digest


def sweep(scene: Scene, seconds: int) -> None:
    scene.chain.now += seconds
    scene.boards.clock.refresh()
    Follower(scene.boards, scene.index).step()
    Sweeper(scene.boards, cast(Any, scene.index), DAY, LIFE).step()


def test_sweep__order_is_over__content_goes_a_day_after_that(scene: Scene) -> None:
    digest = fill(scene)
    sweep(scene, HOUR + 1)
    sweep(scene, DAY - 1)
    assert scene.boards.content.has(digest)
    sweep(scene, 1)
    assert not scene.boards.content.has(digest)


def test_sweep__order_that_is_open_for_ten_days__content_is_kept_for_it(scene: Scene) -> None:
    digest = fill(scene, take_until=Seconds(NOW + 10 * DAY))
    for _ in range(10):
        sweep(scene, DAY)
        assert scene.boards.content.has(digest)
    sweep(scene, 1)
    sweep(scene, DAY)
    assert not scene.boards.content.has(digest)


def test_sweep__index_is_being_rebuilt__nothing_is_dropped(scene: Scene) -> None:
    digest = fill(scene)
    scene.index.is_stale = True
    for _ in range(10):
        sweep(scene, DAY)
        assert scene.boards.content.has(digest)
    scene.index.is_stale = False
    sweep(scene, 0)
    assert not scene.boards.content.has(digest)


def test_sweep__what_is_long_over__rows_are_dropped(scene: Scene) -> None:
    scene.chain.open_session()
    request = SessionRequest(SESSION, 1, Digest(bytes(32)), Seconds(NOW + HOUR))
    scene.boards.requests.post(request, sign_request(request))
    fill(scene)
    sweep(scene, HOUR + 1)
    assert scene.boards.requests.list(SESSION, "expired", -1, 9)
    assert scene.boards.orders.list("expired", None, 0, 9)
    sweep(scene, DAY + LIFE)
    assert not scene.boards.requests.list(SESSION, None, -1, 9)
    assert not scene.boards.orders.list("expired", None, 0, 9)


def test_follow__order_that_the_index_names__taken(scene: Scene) -> None:
    fill(scene)
    (known,) = scene.boards.orders.list("open", None, 0, 9)
    scene.index.orders[known.hash] = OrderFate(job=JOB)
    sweep(scene, 1)
    assert [o.hash for o in scene.boards.orders.list("taken", None, 0, 9)] == [known.hash]


@pytest.mark.parametrize("error", [RpcUnavailable("eth_call", 6, "timeout"), ZeroDivisionError()])
def test_repeater__step_fails__told_once_and_tried_again(error: Exception) -> None:
    log, ran, enough = SilentLog(), [], threading.Event()

    def step() -> None:
        ran.append(1)
        if len(ran) == 3:
            enough.set()
        raise error

    repeater = Repeater("test", step, 0.001, log)
    repeater.start()
    assert enough.wait(10)
    repeater.request_stop()
    repeater.join(10)
    is_known = isinstance(error, RpcUnavailable)
    assert log.names == ["step-failed" if is_known else "defect"]


def test_app__starts_and_stops_its_repeaters(scene: Scene, tmp_path: Path) -> None:
    ran = threading.Event()
    repeater = Repeater("test", ran.set, 60, SilentLog())
    gateway = replace(scene.gateway, repeaters=[repeater])
    with hold_home(gateway), TestClient(create_app(scene.config, gateway)):
        assert ran.wait(10)
        with pytest.raises(ConfigError), hold_home(open_scene(tmp_path).gateway):
            pass
    repeater.join(10)
    assert not repeater._thread.is_alive() and gateway.stopping.is_set()


def test_access_log__a_line_a_request__without_query_or_address(tmp_path: Path) -> None:
    scene = open_scene(tmp_path, access_log=True)
    with TestClient(create_app(scene.config, scene.gateway)) as client:
        client.get("/orders?state=open&secret=1", headers={"authorization": "secret"})
        client.get("/nothing%0a%22")
    first, second = [facts for name, facts in scene.log.events if name == "request"]
    assert (first["method"], first["path"], first["status"]) == ("GET", "/orders", 200)
    assert second["status"] == 404
    assert "secret" not in str(scene.log.events) and "testclient" not in str(scene.log.events)
