"""Token buckets by client address: how often, how much, and how many at one time."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import HTTPConnection

from offchain.gateway.config import Limits
from offchain.gateway.faults import TooMany

WAITING: Final = 1024  # uploads, in memory or waiting for it
MAX_CLIENTS: Final = 50_000  # remembered; the one that was away for the longest is forgotten
MINUTE_S: Final = 60.0
IPV6_PREFIX: Final = 64  # what one subscriber has: its addresses are one client
NOBODY: Final = "unknown"
FORWARDED: Final = "x-forwarded-for"
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class Bucket:
    """Holds up to `size` tokens and gets `size` back a minute."""

    size: float
    level: float
    filled_at: float

    def take(self, amount: float, now: float) -> float:
        """Take tokens and return 0, or take none and return after how many seconds they are there.

        More than the bucket holds is never there: infinity.
        """
        rate = self.size / MINUTE_S
        self.level = min(self.size, self.level + (now - self.filled_at) * rate)
        self.filled_at = now
        if amount <= self.level:
            self.level -= amount
            return 0.0
        return math.inf if amount > self.size else (amount - self.level) / rate


class Buckets:
    """One bucket a client."""

    def __init__(self, size: float, clock: Callable[[], float]) -> None:
        self._size, self._clock = float(size), clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str, amount: float, what: str) -> None:
        """Take a client's tokens; raise TooMany where it has not as many."""
        with self._lock:
            now = self._clock()
            bucket = self._buckets.setdefault(client, Bucket(self._size, self._size, now))
            self._buckets.move_to_end(client)
            if len(self._buckets) > MAX_CLIENTS:
                self._buckets.popitem(last=False)
            wait_s = bucket.take(amount, now)
        if wait_s:
            again_s = math.ceil(min(wait_s, MINUTE_S))
            raise TooMany(f"too many {what} from this address", again_s, perMinute=int(self._size))

    def give_back(self, client: str, amount: float) -> None:
        """Undo a take, as far as the bucket was not filled again since."""
        with self._lock:
            bucket = self._buckets.get(client)
            if bucket is not None:
                bucket.level = min(bucket.size, bucket.level + amount)


class ClientLimits:
    """What one client address may do; safe to use from every thread."""

    def __init__(
        self,
        limits: Limits,
        trust_proxy: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._trust_proxy = trust_proxy
        self._requests = Buckets(limits.requests_per_minute, clock)
        self._writes = Buckets(limits.writes_per_minute, clock)
        self._uploads = Buckets(limits.upload_bytes_per_minute, clock)
        self._downloads = Buckets(limits.download_bytes_per_minute, clock)
        self._streams = Places("listeners", limits.streams, limits.streams_per_client, 30)
        # All together wait for a place; what waits has sent nothing yet.
        own = limits.uploads_at_once_per_client
        self._bodies = Places("uploads", WAITING, own, 1)
        own = limits.downloads_at_once_per_client
        self._answers = Places("large answers", limits.downloads_at_once, own, 1)

    def name_client(self, scope: Mapping[str, Any]) -> str:
        """Return whose request it is: an IPv4 address, or the /64 network of an IPv6 one.

        X-Forwarded-For counts only behind a proxy of one's own (`--trust-proxy`), and of it only
        the last address, which that proxy has written: what stands before came from the client.
        """
        peer = scope.get("client")
        address = str(peer[0]) if peer else NOBODY
        if self._trust_proxy:
            values = [v for k, v in scope.get("headers", ()) if k == FORWARDED.encode()]
            if values:
                address = values[-1].decode("latin-1").rpartition(",")[2].strip()
        return normalise_address(address)

    def client_of(self, request: HTTPConnection) -> str:
        """Return whose request it is, for routes."""
        return self.name_client(request.scope)

    def take_request(self, client: str, method: str) -> None:
        """Count a request; raise TooMany beyond the limit."""
        self._requests.take(client, 1, "requests")
        if method in WRITES:
            self._writes.take(client, 1, "writes")

    def take_upload(self, client: str, size: int) -> None:
        """Count a body's bytes; raise TooMany beyond the limit."""
        self._uploads.take(client, size, "bytes")

    def take_download(self, request: HTTPConnection, size: int) -> None:
        """Count bytes that are about to be hashed and sent; raise TooMany beyond the limit."""
        self._downloads.take(self.client_of(request), size, "bytes")

    def forgive_write(self, request: HTTPConnection) -> None:
        """Give a write back: whoever has stake behind what it posts needs no other limit."""
        self._writes.give_back(self.client_of(request), 1)

    def stream(self, request: HTTPConnection) -> AbstractContextManager[None]:
        """Count somebody who listens to events; raise TooMany beyond the limits."""
        return self._streams.hold(self.client_of(request))

    def upload(self, client: str) -> AbstractContextManager[None]:
        """Count a large body that is on its way; raise TooMany beyond the limit."""
        return self._bodies.hold(client)

    def answer(self, client: str) -> AbstractContextManager[None]:
        """Count a large answer that a client takes; raise TooMany beyond the limits."""
        return self._answers.hold(client)


class Places:
    """So many at one time, and so many of them one client's."""

    def __init__(self, what: str, most: int, most_per_client: int, again_s: int) -> None:
        self._what, self._most, self._own, self._again_s = what, most, most_per_client, again_s
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        """Hold a place; raise TooMany where none is free."""
        with self._lock:
            if self._held.total() >= self._most:
                raise TooMany(f"too many {self._what}", self._again_s, atOnce=self._most)
            if self._held[client] >= self._own:
                told = f"too many {self._what} from this address"
                raise TooMany(told, self._again_s, atOnce=self._own)
            self._held[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[client] -= 1
                self._held += Counter()  # forgets whoever holds none


def normalise_address(text: str) -> str:
    """Return one name for one client; whatever is no address is one client together."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return NOBODY
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)
