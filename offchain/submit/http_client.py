"""One HTTP request with a bound on its time and on every byte of its answer.

Whoever answers may be hostile: no redirect is followed, nothing is decompressed, no more than
`limit` bytes of a body are read, and after `deadline_s` the connection is cut, however slowly and
steadily its bytes come.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from offchain.errors import ConfigError, NoAnswer

CONNECT_S: Final = 5.0
DEADLINE_S: Final = 20.0
AGENT: Final = "zkdps"


@dataclass(frozen=True)
class Reply:
    """A complete answer."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class HttpClient:
    """Requests to one http(s) URL and what is below it; a connection for each."""

    def __init__(self, url: str, deadline_s: float = DEADLINE_S) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise ConfigError("a URL's port is a number up to 65535") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("expected an http(s) URL with a host")
        if parts.username or parts.password or parts.query or parts.fragment:
            # Not quoted: it may be a password.
            raise ConfigError("a URL with a user, a query or a fragment is not taken here")
        self._is_tls = parts.scheme == "https"
        self._host = parts.hostname
        self._port = port or (443 if self._is_tls else 80)
        self._base = parts.path.rstrip("/")
        self._deadline_s = deadline_s
        self.endpoint = f"{parts.scheme}://{parts.netloc}"

    def request(
        self,
        method: str,
        path: str,
        limit: int,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return the answer.

        Raises NoAnswer when it does not come, not in time, or with more than `limit` bytes.
        """
        sent = {"User-Agent": AGENT, "Accept-Encoding": "identity", **(headers or {})}
        try:
            with self._connected() as (connection, is_late):
                try:
                    connection.request(method, self._base + path, body, sent)
                    response = connection.getresponse()
                    raw = response.read(limit + 1)
                    is_whole = response.isclosed() or not response.length
                except (OSError, http.client.HTTPException):
                    if is_late():
                        raise TimeoutError from None
                    raise
                if is_late():  # a connection that was cut looks like the end of a body
                    raise TimeoutError
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(self.endpoint, type(error).__name__) from None
        if len(raw) > limit:
            raise NoAnswer(self.endpoint, f"more than {limit} bytes")
        if not is_whole:
            raise NoAnswer(self.endpoint, "answer ends too early")
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, raw)

    @contextmanager
    def _connected(self) -> Iterator[tuple[http.client.HTTPConnection, Callable[[], bool]]]:
        ends_at = time.monotonic() + self._deadline_s
        sock = socket.create_connection((self._host, self._port), min(CONNECT_S, self._deadline_s))
        if self._is_tls:
            # The handshake comes after the timer: a server may be slow in it, too.
            sock = ssl.create_default_context().wrap_socket(
                sock, server_hostname=self._host, do_handshake_on_connect=False
            )
        sock.settimeout(self._deadline_s)
        timer = threading.Timer(max(0.0, ends_at - time.monotonic()), _cut, (sock,))
        timer.daemon = True
        timer.start()
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.auto_open = 0  # never a second connection without a bound
        connection.sock = sock
        try:
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            yield connection, lambda: time.monotonic() >= ends_at
        finally:
            timer.cancel()
            connection.close()
            sock.close()


def _cut(sock: socket.socket) -> None:
    """End a connection under whoever reads from it."""
    with suppress(OSError):
        # Of the plain socket: the TLS one would wait for the reader's lock.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
