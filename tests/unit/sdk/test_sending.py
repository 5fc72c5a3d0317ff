"""What is sent once, what is sent again, and what two threads do at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from typing import Any, cast

import pytest

from offchain.chain.client import Call
from offchain.errors import ConfigError
from offchain.sdk.client import Client
from offchain.sdk.connection import Connection
from offchain.types import JobState
from tests.unit.sdk.conftest import MARKET, MLP, VERSION, World

LONG = Call("ResultRelay", "deliver", MARKET, bytes(10_000))


def test_submit__without_a_name__another_job_every_time(
    connection: Connection, world: World
) -> None:
    create_jobs(connection, world)
    client, version = Client(connection), "0x" + VERSION.hex()
    first = client.submit(version, MLP.x, 5)
    assert client.submit(version, MLP.x, 5).id != first.id
    assert len(world.sent) == 2


def test_submit__same_name__sent_once_at_the_first_price(
    connection: Connection, world: World
) -> None:
    create_jobs(connection, world)
    client, version = Client(connection), "0x" + VERSION.hex()
    first = client.submit(version, MLP.x, 5, name="one")
    assert client.submit(version, MLP.x, 9, name="one").terms == first.terms
    world.jobs.clear()  # a reorganisation took it: its step is resumed, not repeated
    assert client.submit(version, MLP.x, 9, name="one").id == first.id
    assert world.sent == [f"createJob {first.id} create"]


def create_jobs(connection: Connection, world: World) -> None:
    """Let the market make the jobs whose creation is sent."""

    def build(terms: Any, _: str) -> Call:
        world.put(terms, JobState.OPEN)
        return Call("JobMarket", "createJob", MARKET, b"")

    cast("Any", connection.contracts.market).build_create_job = build


def test_send_once__done__the_next_is_another(connection: Connection, world: World) -> None:
    client = Client(connection)
    client.fund(5)
    client.fund(5)
    assert len(world.sent) == 2
    connection.send_once(LONG)  # however long a call is, its lock has a name
    assert world.sent[2].startswith("deliver")


def test_send_once__interrupted__resumes_the_same(
    connection: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitter = cast("Any", connection.submitter)
    submit = submitter.submit

    def stop(key: Any, call: Call) -> None:
        submit(key, call)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(submitter, "submit", stop)
        with pytest.raises(KeyboardInterrupt):
            Client(connection).fund(5)
    Client(connection).fund(5)
    assert len(world.sent) == 1


def test_send__two_threads_at_once__one_after_the_other(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier, inside, most = Barrier(2), [0], [0]

    def submit(key: Any, call: Call) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        barrier_passed()
        inside[0] -= 1

    def barrier_passed() -> None:
        # Nobody else comes in while this one waits for it.
        with pytest.raises(BrokenBarrierError):
            barrier.wait(0.2)
        barrier.reset()

    monkeypatch.setattr(connection.submitter, "submit", submit)
    send: Callable[[int], Any] = lambda _: connection.send("job", "step", LONG)  # noqa: E731
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, range(2)))
    assert most == [1]


def test_send__without_a_key__says_what_is_missing(connection: Connection) -> None:
    reader = Connection(**{**vars(connection), "own_signer": None, "submitter": None})
    with pytest.raises(ConfigError, match="signed"):
        reader.send("job", "step", LONG)
    with pytest.raises(ConfigError, match="signed"):
        _ = Client(reader).address
