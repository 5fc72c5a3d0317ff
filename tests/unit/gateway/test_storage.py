"""Each backend against a server that really stores, and one that misbehaves."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from offchain.errors import ConfigError, StorageError
from offchain.gateway.config import Storage
from offchain.gateway.faults import Unknown
from offchain.gateway.storage import Backend, open_backend
from offchain.gateway.storage.ipfs import IpfsBackend
from offchain.gateway.storage.s3 import S3Backend
from offchain.submit.content import compute_digest
from offchain.types import Digest
from tests.unit.gateway.fakes import DAY, open_scene

RAW = bytes(range(256)) * 40
SHAPE = (40, 256)
DIGEST = compute_digest(RAW, 8, SHAPE)
ALICE = "10.0.0.1"


class Store(BaseHTTPRequestHandler):
    """What both services share: a dictionary, and a switch that breaks them."""

    protocol_version = "HTTP/1.1"
    objects: ClassVar[dict[str, bytes]]
    failure: ClassVar[int]  # status of every answer, 0: none

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def reply(self, status: int, body: bytes = b"", kind: str = "application/xml") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def read_body(self) -> bytes:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            size, _, rest = raw.partition(b"\r\n")
            return rest[: int(size.partition(b";")[0], 16)]
        return raw


class Bucket(Store):
    """The part of S3's API that the backend uses, path style."""

    def is_refused(self) -> bool:
        if "AWS4-HMAC-SHA256 Credential=test-key/" not in self.headers.get("Authorization", ""):
            self.reply(403, b"<Error><Code>AccessDenied</Code></Error>")
            return True
        if self.failure:
            self.reply(self.failure, b"<Error><Code>InternalError</Code></Error>")
            return True
        return False

    def do_PUT(self) -> None:
        body = self.read_body()
        if not self.is_refused():
            self.objects[unquote(self.path)] = body
            self.reply(200)

    def do_GET(self) -> None:
        if self.is_refused():
            return
        found = self.objects.get(unquote(self.path))
        missing = b"<Error><Code>NoSuchKey</Code></Error>"
        self.reply(404, missing) if found is None else self.reply(200, found)

    def do_DELETE(self) -> None:
        if not self.is_refused():
            self.objects.pop(unquote(self.path), None)
            self.reply(204)


class Node(Store):
    """The part of an IPFS node's API that the backend uses: equal bytes are one object."""

    def do_POST(self) -> None:
        parts, body = urlsplit(self.path), self.read_body()
        query = parse_qs(parts.query)
        if self.failure:
            self.reply(self.failure, b"<html>")
        elif parts.path == "/api/v0/add" and query["pin"] == ["true"]:
            kind = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            (part,) = BytesParser().parsebytes(kind + body).get_payload()
            raw = part.get_payload(decode=True)
            cid = "bafk" + hashlib.sha256(raw).hexdigest()
            self.objects[cid] = raw
            self.reply(200, json.dumps({"Name": part.get_filename(), "Hash": cid}).encode())
        elif parts.path == "/api/v0/cat" and query["arg"][0] in self.objects:
            self.reply(200, self.objects[query["arg"][0]][: int(query["length"][0])], "text/plain")
        elif parts.path == "/api/v0/pin/rm" and query["arg"][0] in self.objects:
            del self.objects[query["arg"][0]]
            self.reply(200, b"{}")
        elif parts.path == "/api/v0/cat":
            self.reply(500, b'{"Message": "block was not found locally: ipld: could not find it"}')
        else:
            self.reply(500, b'{"Message": "not pinned or pinned indirectly"}')


def start(kind: type[Store]) -> tuple[ThreadingHTTPServer, type[Store]]:
    handler: type[Store] = type("Handler", (kind,), {"objects": {}, "failure": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server, handler


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Backend, type[Store]]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server, handler = start(Bucket)
    storage = Storage("s3", bucket="tensors", endpoint=f"http://127.0.0.1:{server.server_port}")
    yield open_backend(storage, Path("/nowhere")), handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def ipfs() -> Iterator[tuple[Backend, type[Store]]]:
    server, handler = start(Node)
    storage = Storage("ipfs", endpoint=f"http://127.0.0.1:{server.server_port}")
    yield open_backend(storage, Path("/nowhere")), handler
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["folder", "s3", "ipfs"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if request.param == "folder":
        return open_backend(Storage(), tmp_path / "home")
    opened: tuple[Backend, type[Store]] = request.getfixturevalue(request.param)
    return opened[0]


def test_backend__put_get_delete__whole_and_then_gone(backend: Backend) -> None:
    locator = backend.put(DIGEST, RAW)
    assert backend.get(DIGEST, locator, len(RAW)) == RAW
    found = backend.get(DIGEST, locator, 100)
    assert found is not None and len(found) == 101  # one more: too long is seen
    backend.delete(DIGEST, locator)
    backend.delete(DIGEST, locator)
    assert backend.get(DIGEST, locator, len(RAW)) is None
    assert backend.get(Digest(bytes(32)), "", 10) is None


def test_backend__in_a_gateway__kept_and_swept(backend: Backend, tmp_path: Path) -> None:
    scene = open_scene(tmp_path, backend)
    content = scene.boards.content
    assert content.put(RAW, 8, SHAPE, ALICE) == (DIGEST, True)
    assert open_scene(tmp_path, backend).boards.content.get(DIGEST) == RAW
    scene.chain.now += DAY
    scene.boards.clock.refresh()
    assert content.sweep() == 1
    with pytest.raises(Unknown):
        content.get(DIGEST)


@pytest.mark.parametrize("kind", ["s3", "ipfs"])
def test_backend__service_fails__storage_error_and_nothing_catalogued(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    backend, handler = request.getfixturevalue(kind)
    content = open_scene(tmp_path, backend).boards.content
    handler.failure = 400
    with pytest.raises(StorageError) as failure:
        content.put(RAW, 8, SHAPE, ALICE)
    assert "secret" not in str(failure.value)
    assert content.get_used() == 0 and not content.has(DIGEST)
    handler.failure = 0
    content.put(RAW, 8, SHAPE, ALICE)
    assert content.get(DIGEST) == RAW


@pytest.mark.parametrize(
    ("kind", "status"), [("s3", 403), ("s3", 503), ("ipfs", 500), ("ipfs", 502), ("ipfs", 404)]
)
def test_service__fails_while_it_is_read__error_and_not_forgotten(
    kind: str, status: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    backend, handler = request.getfixturevalue(kind)
    content = open_scene(tmp_path, backend).boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    handler.failure = status
    with pytest.raises(StorageError):
        content.get(DIGEST)
    handler.failure = 0
    assert content.get(DIGEST) == RAW


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.EIO, errno.EACCES])
def test_folder__cannot_be_read_now__error_and_not_forgotten(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = open_scene(tmp_path, open_backend(Storage(), tmp_path)).boards.content
    content.put(RAW, 8, SHAPE, ALICE)

    def fail(*_: object, **__: object) -> int:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched, pytest.raises(StorageError):
        patched.setattr("offchain.gateway.storage.folder.os.open", fail)
        content.get(DIGEST)
    assert content.get(DIGEST) == RAW


def test_s3__wrong_credentials__refused(
    s3: tuple[Backend, type[Store]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    backend = S3Backend("tensors", endpoint=s3[0]._client.meta.endpoint_url)  # type: ignore[attr-defined]
    with pytest.raises(StorageError, match="AccessDenied"):
        backend.put(DIGEST, RAW)
    assert s3[1].objects == {}


def test_s3__object_was_changed__not_served(
    s3: tuple[Backend, type[Store]], tmp_path: Path
) -> None:
    backend, handler = s3
    content = open_scene(tmp_path, backend).boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    assert list(handler.objects) == [f"/tensors/zkdps/{DIGEST.hex()}"]
    handler.objects[f"/tensors/zkdps/{DIGEST.hex()}"] = RAW[::-1]
    with pytest.raises(Unknown):
        content.get(DIGEST)


def test_ipfs__same_bytes_in_two_shapes__dropped_with_the_last_one(
    ipfs: tuple[Backend, type[Store]], tmp_path: Path
) -> None:
    backend, handler = ipfs
    scene = open_scene(tmp_path, backend)
    content = scene.boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    scene.chain.now += DAY // 2
    scene.boards.clock.refresh()
    other, _ = content.put(RAW, 8, (256, 40), ALICE)
    assert len(handler.objects) == 1
    scene.chain.now += DAY // 2
    scene.boards.clock.refresh()
    assert content.sweep() == 1
    assert content.get(other) == RAW
    scene.chain.now += DAY
    scene.boards.clock.refresh()
    assert content.sweep() == 1
    assert handler.objects == {}


@pytest.mark.parametrize(
    "told", [b"", b"{}", b'{"Hash": "../../pin/rm?arg=x"}', b'{"Hash": 7}', b"[" * 9999]
)
def test_ipfs__node_names_no_cid__refused(
    told: bytes, ipfs: tuple[Backend, type[Store]], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, handler = ipfs
    monkeypatch.setattr(handler, "do_POST", lambda node: (node.read_body(), node.reply(200, told)))
    with pytest.raises(StorageError, match="no CID"):
        backend.put(DIGEST, RAW)


def test_ipfs__locator_that_is_no_cid__never_asked_for(
    ipfs: tuple[Backend, type[Store]], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, handler = ipfs
    asked: list[str] = []
    monkeypatch.setattr(handler, "do_POST", lambda node: asked.append(node.path))
    assert backend.get(DIGEST, "x&arg=/etc/passwd", 10) is None
    backend.delete(DIGEST, "x&arg=/etc/passwd")
    assert asked == []


def test_ipfs__node_gone__storage_error() -> None:
    with pytest.raises(StorageError, match="ConnectionRefusedError"):
        IpfsBackend("http://127.0.0.1:1").get(DIGEST, "bafk" + "a" * 60, 10)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_folder__something_else_in_its_place__as_if_missing(tmp_path: Path, kind: str) -> None:
    backend = open_backend(Storage(folder=tmp_path), tmp_path)
    path = tmp_path / DIGEST.hex()[:2] / f"{DIGEST.hex()}.bin"
    path.parent.mkdir()
    makers: dict[str, Callable[[], object]] = {
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "device": lambda: path.symlink_to("/dev/zero"),
    }
    makers[kind]()
    assert backend.get(DIGEST, "", 10) is None


def test_folder__cannot_be_written__storage_error(tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(b"a file where the folder should be")
    with pytest.raises(StorageError):
        open_backend(Storage(), tmp_path).put(DIGEST, RAW)


@pytest.mark.parametrize("wrong", [{"kind": "tape"}, {"kind": "s3"}, {"kind": "ipfs"}])
def test_storage__settings_that_make_no_sense__refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        Storage(**wrong)
