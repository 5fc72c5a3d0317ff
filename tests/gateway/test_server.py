"""The server on a real socket: slow, silent and too many clients, and an orderly end."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from offchain.errors import ConfigError
from offchain.gateway import server as server_module
from offchain.gateway.app import create_app, hold_home
from offchain.gateway.config import Limits
from offchain.gateway.index.stream import Broadcaster
from offchain.gateway.server import Server, bind, build_server
from offchain.submit.content import compute_digest
from offchain.submit.gateway_store import GatewayStore
from offchain.types import Address, JobId, SignedResult
from tests.unit.gateway.fakes import JOB, OPERATOR, Scene, job_of, open_scene, sign_result
from tests.unit.gateway.index.test_projection import play

RAW = bytes(range(256)) * 1024
SHAPE = (1024, 256)
REQUEST = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    opened = open_scene(tmp_path, limits=Limits(body_timeout_s=0.5))
    _, reading = play(tmp_path / "index.sqlite3", seed=3, rounds=2)
    index: Any = opened.index
    index.reader, index.changes = reading.reader, Broadcaster()
    opened.gateway = replace(opened.gateway, index=cast(Any, index))
    return opened


@contextmanager
def served(scene: Scene) -> Iterator[tuple[int, Server, threading.Thread]]:
    app = create_app(scene.config, scene.gateway)
    server = build_server(app, "127.0.0.1", 0, trust_proxy=False)
    with bind("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield listener.getsockname()[1], server, thread
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def connect(port: int) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), 10)
    opened.settimeout(10)
    return opened


def read_all(connection: socket.socket) -> bytes:
    """Read to the end of the connection, however it ends."""
    raw = b""
    try:
        while part := connection.recv(65536):
            raw += part
    except ConnectionResetError:
        pass
    return raw


def test_store__of_the_roles__keeps_and_reads_through_a_real_socket(scene: Scene) -> None:
    scene.chain.jobs[JOB] = job_of(Address(OPERATOR.address))
    digest = compute_digest(RAW, 8, SHAPE)
    receipt = SignedResult(digest, sign_result(JOB, digest))
    with served(scene) as (port, _, _):
        store = GatewayStore(f"http://127.0.0.1:{port}")
        assert store.put(RAW, 8, SHAPE) == digest
        assert store.get(digest, 8, SHAPE) == RAW
        store.put_receipt(JOB, receipt)
        assert store.get_receipts(JOB) == (receipt,)
        assert store.get_receipts(JobId("0x" + "00" * 32)) == ()


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nX: ", REQUEST + b"G"])
def test_head__that_never_ends__cut_in_time(
    scene: Scene, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "HEAD_S", 0.4)
    with served(scene) as (port, _, _), connect(port) as connection:
        began = time.monotonic()
        connection.sendall(sent)
        for _ in range(100):  # a byte now and then does not help
            time.sleep(0.05)
            try:
                connection.sendall(b"a" if sent.endswith(b" ") else b"")
            except OSError:
                break
            if time.monotonic() - began > 1:
                break
        answered = read_all(connection)
        assert time.monotonic() - began < 5
    assert answered.count(b"HTTP/1.1 200") == sent.count(REQUEST)


def test_head__too_long__refused(scene: Scene) -> None:
    with served(scene) as (port, _, _), connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)
        assert read_all(connection).startswith(b"HTTP/1.1 400")


def test_body__that_drips__answered_with_408(scene: Scene) -> None:
    with served(scene) as (port, _, _), connect(port) as connection:
        connection.sendall(b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "head",
    [
        b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        b"GET /health\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_head__that_two_servers_could_read_in_two_ways__refused(scene: Scene, head: bytes) -> None:
    with served(scene) as (port, _, _), connect(port) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert read_all(connection)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 501")


def test_connections__of_one_address__so_many_at_one_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "CONNECTIONS_PER_CLIENT", 3)
    with served(scene) as (port, _, _), ExitStack() as held:
        for _ in range(3):
            held.enter_context(connect(port))
        time.sleep(0.2)
        with connect(port) as fourth:
            assert read_all(fourth) == b""
        held.close()
        time.sleep(0.2)
        with connect(port) as later:
            later.sendall(REQUEST)
            assert later.recv(4096).startswith(b"HTTP/1.1 200")


def test_stop__while_somebody_listens_to_events__at_once_and_in_order(scene: Scene) -> None:
    with served(scene) as (port, server, thread), connect(port) as listener:
        listener.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        head = listener.recv(4096)
        assert head.startswith(b"HTTP/1.1 200") and b"text/event-stream" in head
        began = time.monotonic()
        server.handle_exit(signal.SIGTERM, None)
        assert read_all(listener).endswith(b"0\r\n\r\n")  # the stream ends, it is not cut
        thread.join(10)
        assert not thread.is_alive() and time.monotonic() - began < 5


def test_restart__everything_that_was_stored_is_there(scene: Scene, tmp_path: Path) -> None:
    digest = compute_digest(RAW, 8, SHAPE)
    with served(scene) as (port, _, _):
        GatewayStore(f"http://127.0.0.1:{port}").put(RAW, 8, SHAPE)
    again = open_scene(tmp_path)
    again.gateway = replace(again.gateway, index=scene.gateway.index)
    with served(again) as (port, _, _):
        assert GatewayStore(f"http://127.0.0.1:{port}").get(digest, 8, SHAPE) == RAW


def test_hold_home__second_gateway_on_one_home__refused(scene: Scene, tmp_path: Path) -> None:
    with (
        hold_home(scene.gateway),
        pytest.raises(ConfigError, match="another gateway"),
        hold_home(open_scene(tmp_path).gateway),
    ):
        pass
    with hold_home(open_scene(tmp_path).gateway):
        pass


def test_bind__port_that_is_taken__named() -> None:
    with bind("127.0.0.1", 0) as taken, pytest.raises(ConfigError, match="cannot listen"):
        bind("127.0.0.1", taken.getsockname()[1])
