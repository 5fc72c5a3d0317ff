"""Stop on request: signals are noted, and the role's loop ends between two ticks."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType


def exit_on_terminate(*others: int) -> None:
    """Let SIGTERM, and `others`, unwind the stack as an interrupt does, so that nothing is left."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, *others):
        signal.signal(number, leave)


def listen_for_stop() -> Sequence[int]:
    """Return a list that SIGTERM or SIGINT makes non-empty."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return received
