"""The client of a gateway takes what it can use, page by page, and believes nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from offchain.errors import ConfigError, GatewayRefused, GatewayUnavailable
from offchain.submit.gateway import (
    MAX_PAGES,
    GatewayClient,
    SignedOrder,
    SignedRequest,
    order_to_json,
    parse_order,
    parse_signed_order,
    parse_signed_request,
)
from offchain.types import (
    ETH,
    Amount,
    Digest,
    Order,
    Seconds,
    SessionId,
    SessionRequest,
    VersionId,
)

ID = SessionId("0x" + "51" * 32)
ORDER = Order(
    client=ETH,
    version=VersionId(b"\3" * 32),
    in_digest=Digest(b"\4" * 32),
    token=ETH,
    min_fee=Amount(2**80),
    max_fee=Amount(2**96 - 1),
    ramp_start=Seconds(1),
    ramp_end=Seconds(2),
    take_until=Seconds(2**40 - 1),
    verify_mask=1,
    salt=2**64 - 1,
)
REQUEST = SessionRequest(ID, 7, Digest(b"\4" * 32), Seconds(99))
SIGNATURE = b"\6" * 64


class Door:
    """A gateway that answers what the test says, and notes what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                door.asked.append((self.command, self.path, body))
                status, raw = door.answers.get(self.path, (404, b'{"error": "Unknown"}'))
                self.send_response(status)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, path: str, told: Any, status: int = 200) -> None:
        raw = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.answers[path] = (status, raw)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def door() -> Iterator[Door]:
    opened = Door()
    yield opened
    opened.close()


def tell(request: SessionRequest) -> dict[str, Any]:
    return {
        "nonce": request.nonce,
        "inDigest": "0x" + request.in_digest.hex(),
        "validUntil": int(request.valid_until),
        "signature": "0x" + SIGNATURE.hex(),
        "state": "open",
    }


def test_order__through_its_json_form__the_same() -> None:
    assert parse_order(json.loads(json.dumps(order_to_json(ORDER)))) == ORDER
    nested = {"order": order_to_json(ORDER), "signature": "0x" + SIGNATURE.hex(), "state": "open"}
    assert parse_signed_order(nested) == SignedOrder(ORDER, SIGNATURE)


@pytest.mark.parametrize(
    "change",
    [
        {"minFee": str(2**96)}, {"minFee": "-1"}, {"minFee": "1e3"}, {"minFee": True},
        {"salt": str(2**64)}, {"rampEnd": 2**40}, {"client": "nobody"}, {"inDigest": "0x04"},
        {"version": "03" * 32}, {"verifyMask": 256}, {"token": None}, {"minFee": "٣"},
    ],
)  # fmt: skip
def test_parse_order__anything_else__refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_order({**order_to_json(ORDER), **change})


@pytest.mark.parametrize("missing", sorted(order_to_json(ORDER)))
def test_parse_order__field_missing__refused(missing: str) -> None:
    entry = order_to_json(ORDER)
    del entry[missing]
    with pytest.raises(ValueError, match=missing):
        parse_order(entry)


@pytest.mark.parametrize("change", [{"nonce": 2**32}, {"validUntil": 2**40}, {"signature": None}])
def test_parse_signed_request__anything_else__refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_signed_request(ID, {**tell(REQUEST), **change})


def test_get_requests__pages__all_of_them_and_no_bad_entry(door: Door) -> None:
    path = f"/sessions/{ID}/requests?state=open"
    second = replace(REQUEST, nonce=8)
    door.answer(path, {"items": [tell(REQUEST), {"nonce": "x"}, None, 5], "next": "7"})
    door.answer(path + "&cursor=7", {"items": [tell(second)], "next": None})
    found = GatewayClient(door.url).get_requests(ID)
    assert found == (SignedRequest(REQUEST, SIGNATURE), SignedRequest(second, SIGNATURE))


def test_get_open_orders__list_without_end__left_after_so_many_pages(door: Door) -> None:
    entry = {"order": order_to_json(ORDER), "signature": "0x" + SIGNATURE.hex()}
    page = {"items": [entry], "next": "1"}
    door.answer("/orders?state=open", page)
    door.answer("/orders?state=open&cursor=1", page)
    assert len(GatewayClient(door.url).get_open_orders()) == MAX_PAGES


@pytest.mark.parametrize(
    ("status", "raw", "error"),
    [
        (429, b"{}", GatewayUnavailable),
        (503, b'{"error": "Unavailable"}', GatewayUnavailable),
        (200, b"not json", GatewayUnavailable),
        (200, b"[" * 100_000, GatewayUnavailable),
        (200, b"[]", GatewayUnavailable),
        (403, b'{"error": "SignatureRefused", "message": "no"}', GatewayRefused),
        (404, b'{"error": "Unknown"}', GatewayRefused),
        (302, b"{}", GatewayRefused),
    ],
)
def test_request__refused_or_not_understood__typed(
    door: Door, status: int, raw: bytes, error: type[Exception]
) -> None:
    door.answer("/config", raw, status)
    with pytest.raises(error):
        GatewayClient(door.url).get_config()


def test_request__nobody_there__unavailable() -> None:
    closed = Door()
    closed.close()
    with pytest.raises(GatewayUnavailable):
        GatewayClient(closed.url).get_config()


@pytest.mark.parametrize("url", ["", "gateway", "ftp://host", "http://", "http://host?x=1"])
def test_client__no_url__told_at_once(url: str) -> None:
    with pytest.raises(ConfigError):
        GatewayClient(url)


def test_post__requests_results_and_orders__as_the_gateway_reads_them(door: Door) -> None:
    client = GatewayClient(door.url + "/below")
    door.answer(f"/below/sessions/{ID}/requests", {"nonce": 7}, 201)
    door.answer(f"/below/sessions/{ID}/results", {"nonce": 7})
    door.answer("/below/orders", {"orderHash": "0x00"}, 201)
    client.post_request(SignedRequest(REQUEST, SIGNATURE))
    client.post_result(ID, 7, Digest(b"\5" * 32), b"\7" * 65)
    client.post_order(SignedOrder(ORDER, SIGNATURE))
    request, result, order = (body for _, _, body in door.asked)
    assert parse_signed_request(ID, request) == SignedRequest(REQUEST, SIGNATURE)
    assert result == {
        "nonce": 7, "outDigest": "0x" + "05" * 32, "signature": "0x" + "07" * 65,
    }  # fmt: skip
    assert parse_signed_order(order) == SignedOrder(ORDER, SIGNATURE)
