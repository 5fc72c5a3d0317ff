"""Waiting for somebody else: look, pause, look again, and give up by this process's own clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from offchain.errors import WaitTimeout

Found = TypeVar("Found")


def wait_for(
    what: str,
    look: Callable[[], tuple[Found | None, str]],
    timeout_s: float,
    poll_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """Return what `look` finds; it returns (None, the state) while there is nothing yet.

    Looks at least once. Raises WaitTimeout after `timeout_s`; deadlines of the protocol are not
    these seconds, they are seconds of its clock.
    """
    ends_at = clock() + timeout_s
    while True:
        found, state = look()
        if found is not None:
            return found
        left = ends_at - clock()
        if left <= 0:
            raise WaitTimeout(what, timeout_s, state)
        sleep(min(poll_s, left))
