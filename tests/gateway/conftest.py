"""A gateway on fakes whose index has read a story of every kind of event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from fastapi import FastAPI

from offchain.chain.binding import checksum
from offchain.chain.typed_data import hash_order
from offchain.gateway.app import create_app
from offchain.gateway.config import Limits
from offchain.gateway.index.stream import Broadcaster
from offchain.submit.content import compute_digest
from offchain.types import Address, Digest, Seconds, SessionRequest
from tests.unit.gateway.fakes import (
    CHAIN_ID,
    HOUR,
    JOB,
    NOW,
    OPERATOR,
    ORDER,
    ORDERS,
    SESSION,
    Scene,
    job_of,
    open_scene,
    sign_order,
    sign_request,
    sign_result,
)
from tests.unit.gateway.index.test_projection import play

RAW = bytes(64)
NO_LIMIT = 10**9


@dataclass(frozen=True)
class Stage:
    """The application, and names of what it knows, by path parameter."""

    app: FastAPI
    scene: Scene
    known: dict[str, list[str]]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    home = tmp_path_factory.mktemp("gateway")
    limits = Limits(
        requests_per_minute=NO_LIMIT, writes_per_minute=NO_LIMIT, upload_bytes_per_minute=NO_LIMIT
    )
    scene = open_scene(home, limits=limits)
    _, reading = play(home / "index.sqlite3", seed=7, rounds=40)
    index = scene.index
    index.reader, index.changes = reading.reader, Broadcaster()  # type: ignore[attr-defined]
    app = create_app(scene.config, scene.gateway)
    app.state.gateway = replace(scene.gateway, index=cast(Any, index))
    scene.gateway.stopping.set()  # streams end after their first message
    return Stage(app, scene, {**fill(scene), **list_known(reading.reader)})


def fill(scene: Scene) -> dict[str, list[str]]:
    """Store one thing of each kind."""
    boards = scene.boards
    scene.chain.open_session()
    scene.chain.jobs[JOB] = job_of(Address(OPERATOR.address))
    digest, _ = boards.content.put(RAW, 8, (1, 64), "10.0.0.1")
    boards.orders.post(ORDER, sign_order(ORDER))
    output = Digest(b"\2" * 32)
    request = SessionRequest(SESSION, 1, digest, Seconds(NOW + HOUR))
    boards.requests.post(request, sign_request(request))
    known, _ = boards.requests.post(
        replace(request, nonce=0), sign_request(replace(request, nonce=0))
    )
    boards.requests.post_result(SESSION, 0, output, sign_result(known.job, output))
    boards.receipts.put_for_job(JOB, output, sign_result(JOB, output))
    assert digest == compute_digest(RAW, 8, (1, 64))
    return {
        "digest": ["0x" + digest.hex()],
        "order_hash": [hash_order(CHAIN_ID, ORDERS, ORDER)],
        "session_id": [SESSION],
        "nonce": ["0", "1"],
        "name": ["JobMarket"],
        "receipt": [JOB],
    }


def list_known(reader: Any) -> dict[str, list[str]]:
    """Return the keys that the index has."""
    with reader.view() as view:
        keys = {
            kind: [record.key for record in view.list(kind, 50).records]
            for kind in ("job", "version", "batch", "account")
        }
    return {
        "job_id": keys["job"],
        "version_id": keys["version"],
        "batch_id": keys["batch"],
        "address": [checksum(account) for account in keys["account"]],
    }
