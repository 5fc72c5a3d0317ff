"""Each client has its share, whoever it says it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from offchain.errors import ConfigError
from offchain.gateway import limits as limits_module
from offchain.gateway import middleware
from offchain.gateway.config import Limits
from offchain.gateway.faults import TooMany
from offchain.gateway.limits import ClientLimits, normalise_address
from offchain.gateway.middleware import Guard
from tests.unit.gateway.fakes import FakeClock

FORWARDED = b"x-forwarded-for"


def scope(peer: str | None = "10.0.0.1", *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"client": None if peer is None else (peer, 1234), "headers": list(headers)}


# Who it is


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("10.0.0.1\r\nX: y", "unknown"),
        ("x" * 9999, "unknown"),
    ],
)
def test_normalise_address__one_name_for_one_client(told: str, named: str) -> None:
    assert normalise_address(told) == named


def test_name_client__forwarded_address__counts_behind_a_proxy_only() -> None:
    forged = scope("10.0.0.1", (FORWARDED, b"1.2.3.4"))
    assert ClientLimits(Limits()).name_client(forged) == "10.0.0.1"
    assert ClientLimits(Limits(), trust_proxy=True).name_client(forged) == "1.2.3.4"


def test_name_client__behind_a_proxy__the_proxys_own_entry_is_the_last_one() -> None:
    limits = ClientLimits(Limits(), trust_proxy=True)
    assert limits.name_client(scope("10.0.0.9", (FORWARDED, b"6.6.6.6, 1.2.3.4"))) == "1.2.3.4"
    twice = scope("10.0.0.9", (FORWARDED, b"6.6.6.6"), (FORWARDED, b"7.7.7.7,1.2.3.4"))
    assert limits.name_client(twice) == "1.2.3.4"
    assert limits.name_client(scope("10.0.0.9")) == "10.0.0.9"
    assert limits.name_client(scope(None)) == "unknown"


# How often


def test_take_request__bucket_is_empty__refused_until_it_fills() -> None:
    clock = FakeClock()
    limits = ClientLimits(Limits(requests_per_minute=60), clock=clock)
    for _ in range(60):
        limits.take_request("a", "GET")
    with pytest.raises(TooMany) as refusal:
        limits.take_request("a", "GET")
    assert refusal.value.headers["Retry-After"] == "1"
    limits.take_request("b", "GET")
    clock.now += 1
    limits.take_request("a", "GET")
    with pytest.raises(TooMany):
        limits.take_request("a", "GET")


def test_take_request__writes_have_a_limit_of_their_own() -> None:
    limits = ClientLimits(Limits(writes_per_minute=2), clock=FakeClock())
    for method in ("PUT", "POST"):
        limits.take_request("a", method)
    with pytest.raises(TooMany, match="writes"):
        limits.take_request("a", "POST")
    limits.take_request("a", "GET")


def test_forgive_write__given_back_and_never_more_than_the_bucket_holds() -> None:
    limits = ClientLimits(Limits(writes_per_minute=2), clock=FakeClock())
    request: Any = type("R", (), {"scope": scope("10.0.0.1")})()
    for _ in range(5):
        limits.forgive_write(request)
    for _ in range(5):
        limits.take_request("10.0.0.1", "POST")
        limits.forgive_write(request)
    for _ in range(2):
        limits.take_request("10.0.0.1", "POST")
    with pytest.raises(TooMany):
        limits.take_request("10.0.0.1", "POST")


def test_take_upload__more_than_a_minute_gives__never_waits_for_ever() -> None:
    limits = ClientLimits(Limits(upload_bytes_per_minute=1000), clock=FakeClock())
    with pytest.raises(TooMany) as refusal:
        limits.take_upload("a", 1001)
    assert refusal.value.headers["Retry-After"] == "60"
    limits.take_upload("a", 1000)


def test_buckets__endless_stream_of_clients__memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits_module, "MAX_CLIENTS", 100)
    limits = ClientLimits(Limits(requests_per_minute=1), clock=FakeClock())
    limits.take_request("first", "GET")
    for n in range(1000):
        limits.take_request(f"client-{n}", "GET")
    assert len(limits._requests._buckets) == 100


def test_places__held_by_one_and_by_all__refused_and_given_back() -> None:
    limits = ClientLimits(Limits(streams=3, streams_per_client=2))
    one: Any = type("R", (), {"scope": scope("10.0.0.1")})()
    two: Any = type("R", (), {"scope": scope("10.0.0.2")})()
    with limits.stream(one), limits.stream(one):
        with pytest.raises(TooMany, match="this address"), limits.stream(one):
            pass
        with limits.stream(two), pytest.raises(TooMany, match="listeners"), limits.stream(two):
            pass
    with limits.stream(one):
        pass


def test_limits__nothing_at_all__refused() -> None:
    with pytest.raises(ConfigError):
        Limits(writes_per_minute=0)


# Bodies


class Client:
    """One request on the wire: what it sends, and what it gets."""

    def __init__(self, parts: Sequence[bytes | float | None]) -> None:
        self._parts = list(parts)  # None: it goes away; a number: it waits
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        while self._parts and isinstance(self._parts[0], float):
            await asyncio.sleep(float(self._parts.pop(0) or 0))
        part = self._parts.pop(0) if self._parts else None
        if not isinstance(part, bytes):
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(self._parts)}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def serve(client: Client, limits: Limits, path: str = "/orders", **headers: str) -> Client:
    listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    request = {
        "type": "http", "method": "POST", "path": path, "client": ("10.0.0.1", 1),
        "headers": listed,
    }  # fmt: skip
    guard = Guard(echo, ClientLimits(limits, clock=FakeClock()))
    asyncio.run(guard(request, client.receive, client.send))  # type: ignore[arg-type]
    return client


def test_guard__body_in_parts__given_to_the_route_whole() -> None:
    client = serve(Client([b"ab", 0.01, b"c"]), Limits(), transfer_encoding="chunked")
    assert (client.status, client.body) == (200, b"abc")


@pytest.mark.parametrize(("path", "limit"), [("/orders", 10), ("/content/0x00", 20)])
def test_guard__body_longer_than_it_may_be__refused_as_soon_as_it_is(path: str, limit: int) -> None:
    limits = Limits(max_json_bytes=10, max_content_bytes=20)
    whole = serve(Client([bytes(limit)]), limits, path, transfer_encoding="chunked")
    assert whole.status == 200
    endless = Client([bytes(7)] * 1000)
    assert serve(endless, limits, path, transfer_encoding="chunked").status == 413
    assert len(endless._parts) > 990
    declared = Client([bytes(limit + 1)])
    assert serve(declared, limits, path, content_length=str(limit + 1)).status == 413
    assert len(declared._parts) == 1  # not read at all
    lying = Client([bytes(limit), bytes(limit)])
    assert serve(lying, limits, path, content_length="1").status == 413


def test_guard__content_length_that_is_no_number__refused() -> None:
    for text in ("-1", "1e3", "²", "9" * 99):
        assert serve(Client([b""]), Limits(), content_length=text).status == 422


def test_guard__body_that_drips__refused_at_the_deadline() -> None:
    drip: list[bytes | float | None] = [b"a", 0.04] * 50
    client = serve(Client(drip), Limits(body_timeout_s=0.1), transfer_encoding="chunked")
    assert client.status == 408
    assert b"TooSlow" in client.body


def test_guard__client_goes_away_in_the_middle__nobody_is_called() -> None:
    assert serve(Client([b"a", None]), Limits(), transfer_encoding="chunked").sent == []


def test_guard__uploads_of_one_address__so_many_at_one_time() -> None:
    limits = ClientLimits(Limits(uploads_at_once_per_client=1), clock=FakeClock())
    guard = Guard(echo, limits)
    request = {
        "type": "http", "method": "PUT", "path": "/content/0x00", "client": ("10.0.0.1", 1),
        "headers": [(b"transfer-encoding", b"chunked")],
    }  # fmt: skip
    first, second = Client([b"a", 0.1, b"b"]), Client([b"a"])

    async def both() -> None:
        one = asyncio.create_task(guard(request, first.receive, first.send))  # type: ignore[arg-type]
        await asyncio.sleep(0.03)
        await guard(request, second.receive, second.send)  # type: ignore[arg-type]
        await one

    asyncio.run(both())
    assert (first.status, second.status) == (200, 429)


async def send_much(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": bytes(10**6)})


GET = {"type": "http", "method": "GET", "path": "/", "client": ("10.0.0.1", 1), "headers": []}


def test_guard__large_answer__sent_whole_in_pieces() -> None:
    client = Client([])
    guard = Guard(send_much, ClientLimits(Limits(), clock=FakeClock()))
    asyncio.run(guard(GET, client.receive, client.send))  # type: ignore[arg-type]
    assert client.body == bytes(10**6)
    sizes = [len(message.get("body", b"")) for message in client.sent[1:]]
    assert max(sizes) == middleware.PIECE
    more = [message["more_body"] for message in client.sent[1:]]
    assert more == [True] * (len(more) - 1) + [False]


def test_guard__client_that_takes_nothing__given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "PIECE_S", 0.05)
    taken: list[int] = []

    async def takes_one_piece(message: dict[str, Any]) -> None:
        if len(taken) == 2:
            await asyncio.sleep(60)
        taken.append(len(message.get("body", b"")))

    guard = Guard(send_much, ClientLimits(Limits(), clock=FakeClock()))
    asyncio.run(guard(GET, Client([]).receive, takes_one_piece))  # type: ignore[arg-type]
    assert taken == [0, middleware.PIECE]


def test_guard__large_answers_of_one_address__so_many_in_memory() -> None:
    limits = ClientLimits(Limits(downloads_at_once_per_client=1), clock=FakeClock())
    guard = Guard(send_much, limits)
    slow, second, third = Client([]), Client([]), Client([])
    may_go_on = asyncio.Event()

    async def take_slowly(message: dict[str, Any]) -> None:
        await slow.send(message)
        await may_go_on.wait()

    async def all_three() -> None:
        one = asyncio.create_task(guard(GET, slow.receive, take_slowly))  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
        await guard(GET, second.receive, second.send)  # type: ignore[arg-type]
        may_go_on.set()
        await one
        await guard(GET, third.receive, third.send)  # type: ignore[arg-type]

    asyncio.run(all_three())
    assert (slow.status, second.status, third.status) == (200, 429, 200)
    assert b"TooMany" in second.body
