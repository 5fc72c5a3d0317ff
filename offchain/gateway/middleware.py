"""What stands in front of the routes: limits, bodies read whole and in time, headers, a log."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offchain.gateway.answers import Disconnected, answer_api_error
from offchain.gateway.faults import ApiError, InvalidRequest, TooLarge, TooSlow
from offchain.gateway.limits import WRITES, ClientLimits
from offchain.roles.log import Log

CONTENT_PATH: Final = "/content"
SMALL: Final = 64 * 2**10  # bodies up to this size need no place among the uploads
PIECE: Final = 64 * 2**10  # of an answer that is sent at once
PIECE_S: Final = 10.0  # a client that takes less than a piece in this time is left alone
STATIC_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # What is served is never a page, whatever somebody uploaded.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Guard:
    """Counts requests, reads bodies under a limit and a deadline, sends answers in pieces.

    A route gets its body whole or not at all, so that a slow client never holds a thread, and the
    number of large bodies in memory is bounded.
    """

    def __init__(self, app: ASGIApp, limits: ClientLimits) -> None:
        self._app = app
        self._limits = limits
        self._uploads = asyncio.Semaphore(limits.limits.uploads_at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = self._limits.name_client(scope)
        try:
            self._limits.take_request(client, scope["method"])
            if scope["method"] not in WRITES:
                with Sender(send, self._limits, client) as sender:
                    await self._app(scope, receive, sender)
                return
            limit, declared = self._get_limit(scope), _get_declared_size(scope)
            if declared is not None and declared > limit:
                raise TooLarge(f"at most {limit} bytes", limit=limit)
            if declared is not None and declared <= SMALL:
                await self._serve(scope, receive, send, client, declared)
                return
            with self._limits.upload(client):
                async with self._uploads:
                    await self._serve(scope, receive, send, client, limit)
        except ApiError as error:
            await answer_api_error(error)(scope, receive, send)
        except Disconnected:
            return

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, client: str, limit: int
    ) -> None:
        timeout_s = self._limits.limits.body_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                body = await _read_body(receive, limit)
        except TimeoutError:
            raise TooSlow(f"no complete body after {timeout_s:g} s") from None
        self._limits.take_upload(client, len(body))
        with Sender(send, self._limits, client) as sender:
            await self._app(scope, _replay(body, receive), sender)

    def _get_limit(self, scope: Scope) -> int:
        path = scope["path"]
        limits = self._limits.limits
        is_content = path == CONTENT_PATH or path.startswith(CONTENT_PATH + "/")
        return limits.max_content_bytes if is_content else limits.max_json_bytes


class SafeHeaders:
    """Adds the headers that every answer has; what no route calls lasting is not to be stored."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in STATIC_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                # Also where no origin is named: a cache must not give that answer to a page.
                if "origin" not in headers.get("vary", "").lower():
                    headers.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class AccessLog:
    """Writes a line about each request: no query, no body, no address."""

    def __init__(self, app: ASGIApp, log: Log) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            ms = round(1000 * (time.monotonic() - began), 1)
            self._log.event(
                "request", method=scope["method"], path=scope["path"], status=status, ms=ms
            )


def _get_declared_size(scope: Scope) -> int | None:
    """Return the Content-Length; None where the body comes in chunks."""
    headers = Headers(scope=scope)
    if "transfer-encoding" in headers:
        return None
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InvalidRequest("Content-Length is a number")
    return int(text)


async def _read_body(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > limit:
            raise TooLarge(f"at most {limit} bytes", limit=limit)
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that was read, and then what follows it."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return parts.pop() if parts else await receive()

    return replay


class Sender(ExitStack):
    """A `send` that gives up on a client that does not take what it asked for.

    Answers larger than a piece stay in memory until they are taken: so many at one time, and so
    many of them one client's. Raises TooMany before anything of one more is sent.
    """

    def __init__(self, send: Send, limits: ClientLimits, client: str) -> None:
        super().__init__()
        self._send, self._limits, self._client = send, limits, client
        self._start: Message | None = None  # kept back until the first part of the body

    async def __call__(self, message: Message) -> None:
        """Send a message, in pieces."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        body = message.get("body", b"")
        if self._start is not None:
            if len(body) > PIECE:
                self.enter_context(self._limits.answer(self._client))
            start, self._start = self._start, None
            await self._send_piece(start)
        if len(body) <= PIECE:
            await self._send_piece(message)
            return
        for at in range(0, len(body), PIECE):
            is_last = at + PIECE >= len(body)
            part = dict(message, body=body[at : at + PIECE])
            part["more_body"] = message.get("more_body", False) if is_last else True
            await self._send_piece(part)

    async def _send_piece(self, message: Message) -> None:
        try:
            async with asyncio.timeout(PIECE_S):
                await self._send(message)
        except TimeoutError:
            raise Disconnected from None
