"""Progress of a download on standard error: bytes, rate, and what is left."""

from __future__ import annotations

import sys
import time
from typing import Final

DRAW_S: Final = 0.1  # between drawings where somebody watches
LINE_S: Final = 5.0  # between lines in a log
BAR_CELLS: Final = 20
RATE_S: Final = 5.0  # the rate is that of about so long
UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


class Meter:
    """Takes (file, bytes there, bytes of the file) and tells how far all of them are."""

    def __init__(self, total: int | None = None) -> None:
        self._total = total
        self._held: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._samples: list[tuple[float, int]] = []  # received bytes by time
        self._received = 0
        self._told_at = 0.0
        self._drawn = False

    def report(self, path: str, held: int, size: int) -> None:
        """Note how much of a file is there; tell it now and then."""
        # What was there already, or is thrown away, says nothing of the rate.
        gained = held - self._held.get(path, held)
        self._received += max(0, gained)
        self._held[path], self._sizes[path] = held, size
        now = time.monotonic()
        is_last = held == size
        if now - self._told_at >= (DRAW_S if sys.stderr.isatty() else LINE_S) or is_last:
            self._tell(path, now)

    def close(self) -> None:
        """Leave a clean line."""
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def describe(self, path: str, now: float) -> str:
        """Return how far it is, such as `3.0 of 12.0 MiB, 1.5 MiB/s, 6 s left, graph.json`."""
        held = sum(self._held.values())
        total = self._total or sum(self._sizes.values())
        rate = self._measure(now)
        left = f"{(total - held) / rate:.0f} s left" if rate else "time left unknown"
        of = f"{show_bytes(held)} of {show_bytes(total)}"
        return f"{of}, {show_bytes(rate)}/s, {left}, {path}"

    def _measure(self, now: float) -> float:
        self._samples.append((now, self._received))
        while len(self._samples) > 2 and now - self._samples[0][0] > RATE_S:
            self._samples.pop(0)
        began, before = self._samples[0]
        return (self._received - before) / (now - began) if now > began else 0.0

    def _tell(self, path: str, now: float) -> None:
        text = self.describe(path, now)
        self._told_at = now
        if not sys.stderr.isatty():
            print(text, file=sys.stderr, flush=True)
            return
        total = self._total or sum(self._sizes.values())
        filled = BAR_CELLS * sum(self._held.values()) // max(1, total)
        bar = "#" * filled + "." * (BAR_CELLS - filled)
        print(f"\r\x1b[K[{bar}] {text}", end="", file=sys.stderr, flush=True)
        self._drawn = True


def show_bytes(count: float) -> str:
    """Return a number of bytes for people."""
    power = 0
    while count >= 1024 and power < len(UNITS) - 1:
        count, power = count / 1024, power + 1
    return f"{count:.0f} {UNITS[0]}" if power == 0 else f"{count:.1f} {UNITS[power]}"
