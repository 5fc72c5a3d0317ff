"""A gateway is a stranger: what it sends is bounded in bytes and time, and checked."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from offchain.errors import ConfigError, ContentError, NoAnswer, StorageError
from offchain.submit import gateway_store
from offchain.submit.content import FolderStore, compute_digest, open_content
from offchain.submit.gateway_store import GatewayStore
from offchain.submit.http_client import HttpClient
from offchain.types import JobId, SignedResult

RAW = bytes(range(64))
SHAPE = (1, 64)
DIGEST = compute_digest(RAW, 8, SHAPE)
JOB = JobId("0x" + "11" * 32)
RECEIPT = SignedResult(DIGEST, bytes(65))
Behaviour = Callable[[socket.socket, bytes], None]


class Stranger:
    """A server of raw sockets: one behaviour a connection, the last one again and again."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = list(behaviours)
        self.heads: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        with connection:
            try:
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65536)
                self.heads.append(head)
                step = len(self.heads) - 1
                self._behaviours[min(step, len(self._behaviours) - 1)](connection, head)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass  # what is sent is taken, so that the client reads the answer
            except OSError:
                pass


def answer(status: int, body: bytes = b"", *headers: str) -> Behaviour:
    def behave(connection: socket.socket, _: bytes) -> None:
        lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", *headers, "", ""]
        connection.sendall("\r\n".join(lines).encode() + body)

    return behave


def send_slowly(head: bytes, drop: bytes) -> Behaviour:
    def behave(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        for _ in range(200):
            connection.sendall(drop)
            time.sleep(0.05)

    return behave


@contextmanager
def stranger(*behaviours: Behaviour) -> Iterator[tuple[Stranger, GatewayStore, list[float]]]:
    server = Stranger(*behaviours)
    slept: list[float] = []
    try:
        yield server, GatewayStore(server.url, slept.append), slept
    finally:
        server.close()


def test_get__right_bytes__returned_without_compression_or_credentials() -> None:
    with stranger(answer(200, RAW)) as (server, store, _):
        assert store.get(DIGEST, 8, SHAPE) == RAW
        (head,) = server.heads
    assert head.startswith(b"GET /content/0x" + DIGEST.hex().encode() + b" HTTP/1.1\r\n")
    assert b"Accept-Encoding: identity" in head and b"Authorization" not in head


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (answer(200, RAW[::-1]), "has digest"),
        (answer(200, RAW[:-1]), "has not 64 bytes"),
        (answer(200, RAW + b"\0"), "has not 64 bytes"),
        (answer(404, b'{"error":"Unknown"}'), "status 404 Unknown"),
        (answer(404, b"[" * 20_000), "status 404"),
        (answer(302, b"", "Location: http://127.0.0.1:1/"), "status 302"),
        (lambda c, _: c.sendall(b"SSH-2.0-OpenSSH\r\n"), "BadStatusLine"),
        (
            lambda c, _: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\nshort"),
            "too early",
        ),
        (lambda c, _: None, "RemoteDisconnected"),
    ],
)
def test_get__anything_else__content_error(behaviour: Behaviour, reason: str) -> None:
    with (
        stranger(behaviour) as (_, store, _),
        pytest.raises(ContentError, match=reason),
    ):
        store.get(DIGEST, 8, SHAPE)


def test_get__endless_body__read_up_to_the_limit_only() -> None:
    def flood(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(bytes(65536))

    with (
        stranger(flood) as (_, store, _),
        pytest.raises(ContentError, match="more than 65536 bytes"),
    ):
        store.get(DIGEST, 8, SHAPE)


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
)
def test_request__bytes_that_come_slowly_and_steadily__cut_at_the_deadline(
    head: bytes, drop: bytes
) -> None:
    server = Stranger(send_slowly(head, drop))
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="TimeoutError"):
        HttpClient(server.url, 0.5).request("GET", "/", 10**6)
    assert time.monotonic() - began < 2
    server.close()


def test_get__transient_failures__asked_again_after_pauses() -> None:
    busy = answer(429, b"", "Retry-After: 3600")
    with stranger(busy, answer(503), answer(200, RAW)) as (server, store, slept):
        assert store.get(DIGEST, 8, SHAPE) == RAW
    assert len(server.heads) == 3
    assert slept == [gateway_store.MAX_PAUSE_S, gateway_store.DELAYS_S[1]]


def test_put__stored_elsewhere__only_201_or_200_count() -> None:
    with stranger(answer(201)) as (server, store, _):
        assert store.put(RAW, 8, SHAPE) == DIGEST
        (head,) = server.heads
    expected = f"PUT /content/0x{DIGEST.hex()}?bits=8&shape=1,64 HTTP/1.1"
    assert head.split(b"\r\n")[0].decode() == expected
    for status in (204, 302, 409, 507):
        with stranger(answer(status)) as (_, store, _), pytest.raises(StorageError):
            store.put(RAW, 8, SHAPE)


def test_offer__gateway_gone__digest_is_told_all_the_same() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    store = GatewayStore(url, lambda _: None)
    assert store.offer(RAW, 8, SHAPE) == DIGEST
    with pytest.raises(StorageError, match="ConnectionRefusedError"):
        store.put(RAW, 8, SHAPE)
    with pytest.raises(ContentError, match="ConnectionRefusedError"):
        store.get(DIGEST, 8, SHAPE)
    assert store.get_receipts(JOB) == ()


def test_get_receipts__mixed_with_rubbish__only_what_can_be_one() -> None:
    good = {"outDigest": "0x" + DIGEST.hex(), "signature": "0x" + bytes(65).hex()}
    rubbish = [None, 7, {}, {**good, "signature": "0x00"}, {**good, "outDigest": [1]}]
    body = json.dumps({"items": [*rubbish, good]}).encode()
    with stranger(answer(200, body)) as (_, store, _):
        assert store.get_receipts(JOB) == (RECEIPT,)


def test_get_receipts__more_than_are_looked_at__first_ones_only() -> None:
    good = {"outDigest": "0x" + DIGEST.hex(), "signature": "0x" + bytes(65).hex()}
    with stranger(answer(200, json.dumps({"items": [good] * 99}).encode())) as (_, store, _):
        assert len(store.get_receipts(JOB)) == 16


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"items":7}', b"[" * 50_000, b'{"items":"abc"}']
)
def test_get_receipts__answer_that_is_none__nothing(body: bytes) -> None:
    with stranger(answer(200, body)) as (_, store, _):
        assert store.get_receipts(JOB) == ()


def test_put_receipt__sent_as_json() -> None:
    with stranger(answer(201)) as (server, store, _):
        store.put_receipt(JOB, RECEIPT)
        (head,) = server.heads
    assert head.startswith(f"PUT /receipts/{JOB} ".encode())


@pytest.mark.parametrize(
    "url", ["http://", "http://user:secret@host/", "http://host/?token=1", "http://host:99999/"]
)
def test_open_content__url_that_hides_something__refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        open_content(url)
    assert "secret" not in str(refusal.value)


def test_open_content__folder_or_url__the_store_of_that_kind(tmp_path: Path) -> None:
    assert isinstance(open_content(tmp_path), FolderStore)
    assert isinstance(open_content("https://gateway.example/zkdps"), GatewayStore)
