"""Changes of the index for whoever listens; who does not keep up is told to read again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from offchain.chain.event_store import Position

MAX_WAITING: Final = 32  # changes that one listener may be behind
MAX_IDS: Final = 512  # of one change; beyond it nobody looks at each


@dataclass(frozen=True)
class Change:
    """The index moved to a block; `ids` are the jobs, sessions and batches that changed."""

    position: Position
    ids: frozenset[str] = frozenset()
    rewound_to: int | None = None  # everything above that block was undone
    resync: bool = False  # more changed than is listed


class Listener:
    """One listener's bounded queue. Its reader lives in an event loop, its writer in a thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Change] = asyncio.Queue(MAX_WAITING)

    def offer(self, change: Change) -> None:
        """Hand a change over, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._put, change)
        except RuntimeError:
            return  # the loop has ended, and its reader with it

    def _put(self, change: Change) -> None:
        if self._queue.full():
            while not self._queue.empty():
                self._queue.get_nowait()
            change = replace(change, ids=frozenset(), resync=True)
        self._queue.put_nowait(change)

    async def wait(self, timeout_s: float) -> Change | None:
        """Return the next change, or None when there is none for so long."""
        try:
            return await asyncio.wait_for(self._queue.get(), timeout_s)
        except TimeoutError:
            return None


class Broadcaster:
    """Hands every change to every listener; it never waits for one."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()

    def publish(self, change: Change) -> None:
        """Tell everybody, from any thread."""
        if len(change.ids) > MAX_IDS:
            change = replace(change, ids=frozenset(), resync=True)
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.offer(change)

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """Yield a listener of the running event loop."""
        listener = Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)
