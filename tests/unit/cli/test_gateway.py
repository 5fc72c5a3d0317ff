"""Options of the gateway and of the page's server become settings that make sense."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from offchain.cli import dapp, gateway
from offchain.errors import ConfigError, NoAnswer

OPTIONS: dict[str, Any] = {
    "manifest": Path("/m"), "rpc_url": "http://node", "home": Path("/h"), "models": None,
    "storage": "folder", "bucket": "", "prefix": "zkdps/", "endpoint": "", "max_content_mib": 8,
    "storage_gib": 10, "writes_per_minute": 600, "requests_per_minute": 6000,
    "retention_hours": 24,
}  # fmt: skip


def test_build_config__defaults__those_of_the_settings() -> None:
    config = gateway.build_config(**OPTIONS)
    assert config.limits == type(config.limits)()
    assert config.retention_s == 24 * 3600


def test_build_config__huge_tensors__memory_in_flight_stays_bounded() -> None:
    limits = gateway.build_config(**{**OPTIONS, "max_content_mib": 1024}).limits
    assert limits.uploads_at_once * limits.max_content_bytes <= 2**30
    assert limits.upload_bytes_per_minute >= limits.max_content_bytes


def test_build_config__bucket_without_a_name__refused() -> None:
    with pytest.raises(ConfigError, match="bucket"):
        gateway.build_config(**{**OPTIONS, "storage": "s3"})


class Told(BaseHTTPRequestHandler):
    answer: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def told() -> Iterator[tuple[str, type[Told]]]:
    handler: type[Told] = type("Handler", (Told,), {})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


def test_read_config__gateway__chain_and_node(told: tuple[str, type[Told]]) -> None:
    url, handler = told
    handler.answer = json.dumps({"chainId": 31337, "rpcUrl": "http://node"}).encode()
    assert dapp.read_config(url) == (31337, "http://node")


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b"<html>", b"[" * 99_999])
def test_read_config__something_else__refused(told: tuple[str, type[Told]], answer: bytes) -> None:
    url, handler = told
    handler.answer = answer
    with pytest.raises(ConfigError, match="no gateway"):
        dapp.read_config(url)


def test_read_config__nobody_there__given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dapp, "PATIENCE_S", 0.05)
    monkeypatch.setattr(dapp, "PAUSE_S", 0.02)
    with pytest.raises(NoAnswer):
        dapp.read_config("http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("chain_id", "rpc", "options", "reason"),
    [
        (1, "http://node", ["--development-wallet"], "local chains"),
        (31337, "", [], "give --rpc"),
        (31337, "file:///etc", [], "http"),
        # Where money is real, neither contracts nor node are the gateway's choice.
        (1, "http://node", [], "--market"),
        (1, "http://node", ["--market", "0x" + "ab" * 20], "--rpc"),
        (1, "http://node", ["--rpc", "http://own"], "--market"),
        (31337, "http://node", ["--market", "0x12"], "40 hex digits"),
    ],
)
def test_dapp__options_that_make_no_sense__refused(
    told: tuple[str, type[Told]], chain_id: int, rpc: str, options: list[str], reason: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    url, handler = told
    handler.answer = json.dumps({"chainId": chain_id, "rpcUrl": rpc}).encode()
    (tmp_path / "index.html").write_text("page")
    arguments = ["--gateway", url, "--dist", str(tmp_path), *options]
    result = CliRunner().invoke(dapp.command, arguments)
    assert isinstance(result.exception, ConfigError)
    assert reason in str(result.exception)
