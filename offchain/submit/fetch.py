"""Bytes from an address that somebody else chose: http, https, a file, or IPFS through a gateway.

Who names the address may be hostile, and so may the server: hosts resolve once and are connected to
as they were checked, addresses of private networks are refused unless the user named the host,
redirects are followed by hand under the same rules and never from https to http, nothing is
decompressed, and a server that drips is left. What the bytes are is checked by their reader.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from offchain.errors import ConfigError, DownloadError

CONNECT_S: Final = 10.0
SILENCE_S: Final = 30.0  # a server may say nothing for so long
HEAD_S: Final = 30.0  # for a handshake and an answer's head, however steadily their bytes drip
WINDOW_S: Final = 20.0  # over which the rate is looked at
MIN_RATE: Final = 1024  # bytes a second; a slower server is left for the next address
CHUNK: Final = 1 << 16
MAX_REDIRECTS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
AGENT: Final = "zkdps"
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class FetchPolicy:
    """Where bytes may come from."""

    trusted_hosts: frozenset[str] = frozenset()  # named by the user: also in a private network
    is_private_allowed: bool = False  # every host may be, as on a development chain
    is_file_allowed: bool = False  # file: addresses, where the user named one
    ipfs_gateway: str = ""  # http(s) URL of a gateway that serves /ipfs/CID

    def trusting(self, url: str) -> FetchPolicy:
        """Return the policy that also trusts what the user named by `url`."""
        parts = urlsplit(url)
        return FetchPolicy(
            self.trusted_hosts | {parts.netloc.lower()} - {""},
            self.is_private_allowed,
            self.is_file_allowed or parts.scheme == "file",
            self.ipfs_gateway,
        )

    def allows(self, netloc: str, address: str) -> bool:
        """Whether a host with this address may be connected to."""
        if self.is_private_allowed or netloc.lower() in self.trusted_hosts:
            return True
        found = ip_address(address.partition("%")[0])
        return found.is_global and not found.is_multicast


@dataclass(frozen=True)
class Stream:
    """A body that begins at byte `start` of a file of `total` bytes (None: nobody says)."""

    start: int
    total: int | None
    chunks: Iterator[bytes]


@contextmanager
def open_stream(uri: str, policy: FetchPolicy, start: int = 0) -> Iterator[Stream]:
    """Open an address from byte `start` on, or from 0 where the server does not serve ranges.

    Raises DownloadError, also while the chunks are read.
    """
    try:
        if urlsplit(uri).scheme == "file":
            with _open_file(uri, policy, start) as stream:
                yield stream
        else:
            with _open_http(uri, policy, start) as stream:
                yield stream
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(show_uri(uri), f"{type(error).__name__}: {error}") from None


def read_small(uri: str, policy: FetchPolicy, limit: int) -> bytes:
    """Return a whole body of at most `limit` bytes; raise DownloadError."""
    with open_stream(uri, policy) as stream:
        raw = bytearray()
        for chunk in stream.chunks:
            raw += chunk
            if len(raw) > limit:
                raise DownloadError(show_uri(uri), f"more than {limit} bytes")
        if stream.total is not None and len(raw) != stream.total:
            raise DownloadError(show_uri(uri), f"ends after {len(raw)} of {stream.total} bytes")
    return bytes(raw)


def resolve_uri(uri: str, base: str) -> str:
    """Return an address that may be relative to `base`, the address of the bundle naming it."""
    if urlsplit(uri).scheme:
        return uri
    if base.startswith("ipfs://"):  # urljoin knows no such scheme
        return "ipfs://" + urljoin("/" + base.removeprefix("ipfs://"), uri).removeprefix("/")
    return urljoin(base, uri)


def show_uri(uri: str) -> str:
    """Return an address for people, without user, password and query."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextmanager
def _open_file(uri: str, policy: FetchPolicy, start: int) -> Iterator[Stream]:
    parts = urlsplit(uri)
    if not policy.is_file_allowed or parts.netloc not in ("", "localhost"):
        raise DownloadError(show_uri(uri), "files of this machine are read only if you name them")
    # Not blocking: a pipe without a writer would hang the reader at opening.
    descriptor = os.open(Path(unquote(parts.path)), os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise DownloadError(show_uri(uri), "is not a file")
        begin = start if start <= facts.st_size else 0
        file.seek(begin)
        chunks = iter(lambda: file.read(CHUNK), b"")
        yield Stream(begin, facts.st_size, _guard(uri, chunks))


@contextmanager
def _open_http(uri: str, policy: FetchPolicy, start: int) -> Iterator[Stream]:
    url = _through_gateway(uri, policy)
    for _ in range(MAX_REDIRECTS + 1):
        connection = _connect(url, policy)
        try:
            with _cut_after(connection, HEAD_S):
                response = _request(connection, url, start)
            if response.status not in REDIRECTS:
                yield _read_response(uri, response, start)
                return
            url = _follow(url, response.getheader("Location") or "")
        finally:
            connection.close()
    raise DownloadError(show_uri(uri), f"more than {MAX_REDIRECTS} redirects")


def _through_gateway(uri: str, policy: FetchPolicy) -> str:
    parts = urlsplit(uri)
    if parts.scheme == "ipfs":
        if not policy.ipfs_gateway:
            raise DownloadError(show_uri(uri), "no IPFS gateway is configured")
        return f"{policy.ipfs_gateway.rstrip('/')}/ipfs/{parts.netloc}{parts.path}"
    if parts.scheme not in PORTS:
        raise DownloadError(show_uri(uri), "expected http, https, ipfs or file")
    return uri


def _follow(url: str, location: str) -> str:
    target = urljoin(url, location)
    schemes = (urlsplit(url).scheme, urlsplit(target).scheme)
    if not location or schemes[1] not in PORTS or schemes == ("https", "http"):
        raise DownloadError(show_uri(url), f"redirects to {show_uri(target)!r}, not followed")
    return target


def _connect(url: str, policy: FetchPolicy) -> http.client.HTTPConnection:
    """Return a connection to the very address that was checked."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise DownloadError(show_uri(url), "has no host")
    port = parts.port or PORTS[parts.scheme]
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    allowed = [entry[4] for entry in found if policy.allows(parts.netloc, str(entry[4][0]))]
    if not allowed:
        raise DownloadError(
            show_uri(url), "its host is in a private network: name it yourself to allow it"
        )
    sock = socket.create_connection((str(allowed[0][0]), port), CONNECT_S)
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            # The handshake comes with the first byte that is sent, when somebody watches the clock.
            sock = context.wrap_socket(
                sock, server_hostname=parts.hostname, do_handshake_on_connect=False
            )
    except BaseException:
        sock.close()
        raise
    sock.settimeout(SILENCE_S)
    connection = http.client.HTTPConnection(parts.hostname, port)
    connection.auto_open = 0  # never a second connection to an unchecked address
    connection.sock = sock
    return connection


@contextmanager
def _cut_after(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """End a connection under whoever waits for it; raises TimeoutError in its place."""
    sock, is_late = connection.sock, threading.Event()

    def cut() -> None:
        is_late.set()
        with suppress(OSError):
            # Of the plain socket: the TLS one would wait for the reader's lock.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        yield
    except (OSError, http.client.HTTPException):
        if not is_late.is_set():
            raise
    finally:
        timer.cancel()
    if is_late.is_set():  # a connection that was cut may look like the end of a head
        raise TimeoutError(f"no answer's head within {seconds:g} s")


def _request(
    connection: http.client.HTTPConnection, url: str, start: int
) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    headers = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": AGENT}
    headers["Accept-Encoding"] = "identity"
    if start:
        headers["Range"] = f"bytes={start}-"
    path = parts.path or "/"
    connection.request("GET", path + (f"?{parts.query}" if parts.query else ""), None, headers)
    return connection.getresponse()


def _read_response(uri: str, response: http.client.HTTPResponse, start: int) -> Stream:
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise DownloadError(show_uri(uri), "is compressed though that was not asked for")
    if response.status == http.client.OK:  # ranges are not served, or none was asked for
        return Stream(0, response.length, _read_chunks(uri, response))
    if response.status == http.client.PARTIAL_CONTENT and start:
        begin, total = _parse_range(uri, response.getheader("Content-Range", ""))
        if begin != start:
            raise DownloadError(show_uri(uri), f"serves from byte {begin}, asked for {start}")
        return Stream(start, total, _read_chunks(uri, response))
    raise DownloadError(show_uri(uri), f"answers {response.status}")


def _parse_range(uri: str, header: str) -> tuple[int, int | None]:
    unit, _, rest = header.partition(" ")
    span, _, total = rest.partition("/")
    begin = span.partition("-")[0]
    is_total_known = total.isascii() and total.isdigit()
    if unit != "bytes" or not (begin.isascii() and begin.isdigit()):
        raise DownloadError(show_uri(uri), f"serves the range {header!r}")
    return int(begin), int(total) if is_total_known else None


def _read_chunks(uri: str, response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield what comes; raise DownloadError when it comes too slowly or not at all."""
    return _guard(uri, _time_chunks(uri, response))


def _guard(uri: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Tell a source's errors from those of whoever uses its bytes."""
    try:
        yield from chunks
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(show_uri(uri), type(error).__name__) from None


def _time_chunks(uri: str, response: http.client.HTTPResponse) -> Iterator[bytes]:
    window_began, received = time.monotonic(), 0
    while chunk := response.read1(CHUNK):
        yield chunk
        received += len(chunk)
        now = time.monotonic()
        if now - window_began >= WINDOW_S:
            if received < MIN_RATE * (now - window_began):
                raise DownloadError(show_uri(uri), f"sends less than {MIN_RATE} bytes a second")
            window_began, received = now, 0


def parse_user_uri(text: str) -> str:
    """Return what a user names as an address: a URL, or a path, which becomes a file: address.

    Raises ConfigError for another scheme.
    """
    scheme = urlsplit(text).scheme
    if not scheme:
        return Path(text).expanduser().resolve().as_uri()
    if scheme not in (*PORTS, "file", "ipfs"):
        raise ConfigError(f"{show_uri(text)}: expected http, https, ipfs, file or a path")
    return text
