"""Structured logs: one JSON event a line on standard error, through an allow-list of settings."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Hashable
from typing import Any, Final

from offchain.chain.rpc import hide_path
from offchain.params.settings import Settings

# Nothing that could ever hold a secret is on this list; key and password files stay unnamed.
PUBLIC_SETTINGS: Final = (
    "role", "home", "manifest", "content", "models", "confirmations", "poll_s",
    "backend", "challenge_always", "fault", "owner", "min_fee_wei", "accept_token", "pull",
    "batch_size", "batch_seconds", "min_session_fee_wei",
)  # fmt: skip


# A standing problem is told again after so long, each time twice as long, at most an hour.
FIRST_REMINDER_S: Final = 10.0
LAST_REMINDER_S: Final = 3600.0


class Log:
    """Writes one role's events; the wall clock here is for readers only, no decision reads it."""

    def __init__(self, role: str) -> None:
        self._role = role

    def event(self, name: str, **facts: Any) -> None:
        """Write one line."""
        line = {"at": round(time.time(), 3), "role": self._role, "pid": os.getpid(), "event": name}
        line.update({key: _plain(value) for key, value in facts.items()})
        # In one piece with its end: threads write side by side.
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()

    def settings(self, settings: Settings) -> None:
        """Write the public settings."""
        public = {name: getattr(settings, name) for name in PUBLIC_SETTINGS}
        self.event("settings", **public, rpc_url=hide_path(settings.rpc_url))


class Reminders:
    """Decides when a standing problem is worth another line; paced by the machine's clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[Hashable, tuple[float, float]] = {}  # when, and the pause after it

    def is_due(self, problem: Hashable) -> bool:
        """Whether to tell of a problem now; asking counts as telling."""
        now = self._clock()
        at, pause = self._next.get(problem, (now, FIRST_REMINDER_S))
        if now < at:
            return False
        self._next[problem] = (now + pause, min(2 * pause, LAST_REMINDER_S))
        return True


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, (int, float, str, bool, type(None))):
        return value
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return str(value)
