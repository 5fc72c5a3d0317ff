"""Work beside the requests: a step again and again in a thread, until the gateway stops."""

from __future__ import annotations

import threading
from collections.abc import Callable

from offchain.errors import OffchainError
from offchain.roles.log import Log, Reminders


class Repeater:
    """Runs `step` every `pause_s` seconds; errors of ours are logged and tried again."""

    def __init__(self, name: str, step: Callable[[], None], pause_s: float, log: Log) -> None:
        self.name = name
        self._step = step
        self._pause_s = pause_s
        self._log = log
        self._stop = threading.Event()
        self._reminders = Reminders()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first step runs at once."""
        self._thread.start()

    def request_stop(self) -> None:
        """Let the running step be the last one."""
        self._stop.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the running step."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._step()
            except OffchainError as error:
                if self._reminders.is_due((self.name, type(error).__name__)):
                    self._log.event("step-failed", step=self.name, cause=str(error))
            except Exception as error:  # noqa: BLE001 - a defect in one step must not end the others
                if self._reminders.is_due((self.name, type(error).__name__)):
                    self._log.event("defect", step=self.name, cause=repr(error))
            self._stop.wait(self._pause_s)
