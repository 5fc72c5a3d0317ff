"""A gateway's HTTP interface for orders and sessions; nothing that it answers is believed.

Orders and requests come with their client's signature, which whoever acts on them checks; bytes are
read by digest (offchain.submit.content). A gateway can withhold or delay, nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from offchain.chain.binding import checksum
from offchain.errors import GatewayRefused, GatewayUnavailable, NoAnswer
from offchain.submit.http_client import HttpClient, Reply
from offchain.types import (
    Amount,
    Digest,
    JobId,
    Order,
    OrderHash,
    Seconds,
    SessionId,
    SessionRequest,
    VersionId,
)

MAX_ANSWER: Final = 1 << 23  # bytes of JSON
MAX_PAGES: Final = 64  # of a list, so that no gateway holds a reader up for ever
MAX_REASON: Final = 300  # characters of a refusal that are shown
JSON: Final = {"Content-Type": "application/json"}
Entry = TypeVar("Entry")
BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})  # a later tick asks again
HEX: Final = re.compile(r"0x([0-9a-f]{2})*")
MAX_UINT32: Final = 2**32 - 1
MAX_UINT40: Final = 2**40 - 1
MAX_UINT64: Final = 2**64 - 1
MAX_UINT96: Final = 2**96 - 1


@dataclass(frozen=True)
class SignedOrder:
    """An order as a gateway tells it; neither its hash nor its signature was verified."""

    order: Order
    signature: bytes


@dataclass(frozen=True)
class SignedRequest:
    """A request of a session as a gateway tells it; the signature was not verified."""

    request: SessionRequest
    signature: bytes


@dataclass(frozen=True)
class GatewayClient:
    """One gateway. Every call may raise GatewayUnavailable (later perhaps) or GatewayRefused.

    Raises ConfigError for what is no http(s) URL.
    """

    url: str

    def __post_init__(self) -> None:
        _ = self._http  # a bad URL is told at once

    @cached_property
    def _http(self) -> HttpClient:
        return HttpClient(self.url)

    # What it knows of the deployment

    def get_config(self) -> Mapping[str, Any]:
        """Return chain id, contracts' addresses, preset and public node."""
        return self.request("GET", "/config")

    # Orders

    def get_open_orders(self) -> tuple[SignedOrder, ...]:
        """Return the orders that nobody has taken, as far as the gateway knows.

        What is no order is left out: one bad entry must not hide the others.
        """
        items = self._collect("/orders", {"state": "open"})
        return tuple(_read_all(items, parse_signed_order))

    def get_order(self, order: OrderHash) -> Mapping[str, Any]:
        """Return an order with its state and price now."""
        return self.request("GET", f"/orders/{order}")

    def post_order(self, signed: SignedOrder) -> Mapping[str, Any]:
        """Offer a signed order to operators; return its hash and price now."""
        body = {**order_to_json(signed.order), "signature": _hex(signed.signature)}
        return self.request("POST", "/orders", body=body)

    # Sessions

    def get_session(self, session: SessionId) -> Mapping[str, Any]:
        """Return a session as the gateway's index has it."""
        return self.request("GET", f"/sessions/{session}")

    def get_requests(self, session: SessionId, state: str = "open") -> tuple[SignedRequest, ...]:
        """Return a session's requests that are `open` or `served`; unreadable ones are left out."""
        items = self._collect(f"/sessions/{session}/requests", {"state": state})
        return tuple(_read_all(items, lambda entry: parse_signed_request(session, entry)))

    def get_request(self, session: SessionId, nonce: int) -> Mapping[str, Any]:
        """Return one request with whatever became of it."""
        return self.request("GET", f"/sessions/{session}/requests/{nonce}")

    def post_request(self, signed: SignedRequest) -> Mapping[str, Any]:
        """Hand a signed request to the session's operator."""
        request = signed.request
        body = {
            "nonce": request.nonce,
            "inDigest": _hex(request.in_digest),
            "validUntil": int(request.valid_until),
            "signature": _hex(signed.signature),
        }
        return self.request("POST", f"/sessions/{request.session}/requests", body=body)

    def post_result(
        self, session: SessionId, nonce: int, out_digest: Digest, signature: bytes
    ) -> Mapping[str, Any]:
        """Hand an operator's signed result to the session's client."""
        body = {"nonce": nonce, "outDigest": _hex(out_digest), "signature": _hex(signature)}
        return self.request("POST", f"/sessions/{session}/results", body=body)

    def get_receipts(self, job_id: JobId) -> Mapping[str, Any]:
        """Return the signed results of a job."""
        return self.request("GET", f"/receipts/{job_id}")

    # HTTP

    def _collect(self, path: str, query: Mapping[str, str]) -> Sequence[Any]:
        """Return the items of a list that comes in pages, up to MAX_PAGES of them."""
        items: list[Any] = []
        cursor: Mapping[str, str] = {}
        for _ in range(MAX_PAGES):
            answer = self.request("GET", path, {**query, **cursor})
            items += _list(answer, "items")
            following = answer.get("next")
            if not isinstance(following, str):
                break
            cursor = {"cursor": following}
        return items

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """Return the JSON object that the gateway answers."""
        target = path if query is None else f"{path}?{urlencode(query)}"
        sent = None if body is None else json.dumps(body).encode()
        try:
            reply = self._http.request(
                method, target, MAX_ANSWER, sent, {} if sent is None else JSON
            )
        except NoAnswer as error:
            raise GatewayUnavailable(error.endpoint, error.cause) from None
        return self._interpret(reply)

    def _interpret(self, reply: Reply) -> Mapping[str, Any]:
        where = self._http.endpoint
        if reply.status in BUSY:
            raise GatewayUnavailable(where, f"status {reply.status}")
        try:
            answer = json.loads(reply.body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise GatewayUnavailable(where, f"status {reply.status} without a JSON object")
        if reply.status >= 300:
            name, told = str(answer.get("error", "")), str(answer.get("message", ""))
            raise GatewayRefused(where, reply.status, name[:MAX_REASON], told[:MAX_REASON])
        return answer


# Forms


def order_to_json(order: Order) -> dict[str, Any]:
    """Return an order as gateways and files hold it; amounts and salt are decimal strings."""
    return {
        "client": order.client,
        "version": _hex(order.version),
        "inDigest": _hex(order.in_digest),
        "token": order.token,
        "minFee": str(int(order.min_fee)),
        "maxFee": str(int(order.max_fee)),
        "rampStart": int(order.ramp_start),
        "rampEnd": int(order.ramp_end),
        "takeUntil": int(order.take_until),
        "verifyMask": int(order.verify_mask),
        "salt": str(order.salt),
    }


def parse_order(entry: Mapping[str, Any]) -> Order:
    """Read what `order_to_json` writes; raise ValueError for anything else."""
    try:
        return Order(
            client=checksum(_text(entry["client"])),
            version=VersionId(_bytes(entry["version"], 32)),
            in_digest=Digest(_bytes(entry["inDigest"], 32)),
            token=checksum(_text(entry["token"])),
            min_fee=Amount(_number(entry["minFee"], MAX_UINT96)),
            max_fee=Amount(_number(entry["maxFee"], MAX_UINT96)),
            ramp_start=Seconds(_number(entry["rampStart"], MAX_UINT40)),
            ramp_end=Seconds(_number(entry["rampEnd"], MAX_UINT40)),
            take_until=Seconds(_number(entry["takeUntil"], MAX_UINT40)),
            verify_mask=_number(entry["verifyMask"], 255),
            salt=_number(entry["salt"], MAX_UINT64),
        )
    except KeyError as error:
        raise ValueError(f"an order has a field {error}") from None


def parse_signed_order(entry: Mapping[str, Any]) -> SignedOrder:
    """Read an order with its signature, flat or under "order"; raise ValueError otherwise."""
    nested = entry.get("order")
    order = parse_order(nested if isinstance(nested, Mapping) else entry)
    return SignedOrder(order, _bytes(entry.get("signature")))


def parse_signed_request(session: SessionId, entry: Mapping[str, Any]) -> SignedRequest:
    """Read a request with its signature; raise ValueError for anything else."""
    try:
        request = SessionRequest(
            session=session,
            nonce=_number(entry["nonce"], MAX_UINT32),
            in_digest=Digest(_bytes(entry["inDigest"], 32)),
            valid_until=Seconds(_number(entry["validUntil"], MAX_UINT40)),
        )
        return SignedRequest(request, _bytes(entry["signature"]))
    except KeyError as error:
        raise ValueError(f"a request has a field {error}") from None


def _read_all(entries: Sequence[Any], parse: Callable[[Any], Entry]) -> Sequence[Entry]:
    found: list[Entry] = []
    for entry in entries:
        try:
            found.append(parse(entry))
        except (ValueError, TypeError, AttributeError):
            continue  # anybody's entry: the others count
    return found


def _list(answer: Mapping[str, Any], name: str) -> Sequence[Any]:
    listed = answer.get(name)
    return listed if isinstance(listed, list) else ()


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _bytes(value: object, size: int | None = None) -> bytes:
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise ValueError("not hexadecimal bytes")
    raw = bytes.fromhex(value[2:])
    if size is not None and len(raw) != size:
        raise ValueError(f"not {size} bytes")
    return raw


def _number(value: object, most: int) -> int:
    """Return a number that is given as a number or in decimal digits."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError("not a number")
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 80):
        raise ValueError("not a decimal number")
    if not 0 <= int(value) <= most:
        raise ValueError(f"not a number of 0 to {most}")
    return int(value)
