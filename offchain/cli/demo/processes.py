"""The parties as separate processes: started, listened to, stopped by their pid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from offchain.errors import OffchainError

STOP_S: Final = 15.0
TAIL_LINES: Final = 20
THIS_PACKAGE: Final = (sys.executable, "-m", "offchain.cli.main")


class Party:
    """One `zkdps` command in its own process; its log lines are JSON events in a file."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        folder: Path,
        command: Sequence[str] = THIS_PACKAGE,
        environment: Mapping[str, str] | None = None,  # this process's, unless given
    ) -> None:
        self.name = name
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"{name}.log"
        self._answer = folder / f"{name}.json"
        with self._log.open("wb") as log, self._answer.open("wb") as answer:
            self._process = subprocess.Popen(
                [*command, *arguments],
                stdout=answer,
                stderr=log,
                start_new_session=True,  # so that it and its workers can be stopped together
                env={**(environment or os.environ), "PYTHONUNBUFFERED": "1"},
            )

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def check(self) -> None:
        """Raise OffchainError when the process ended with a failure."""
        status = self._process.poll()
        if status not in (None, 0):
            tail = self._log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
            raise OffchainError(f"{self.name} ended with status {status}:\n" + "\n".join(tail))

    def read_events(self, name: str | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield the events that the process and its workers have logged."""
        for line in self._log.read_text(errors="replace").splitlines():
            if not line.startswith("{"):
                continue
            event: dict[str, Any] = json.loads(line)
            if name in (None, event.get("event")):
                yield event

    def read_answer(self) -> Mapping[str, Any]:
        """Return the command's JSON answer."""
        answer: dict[str, Any] = json.loads(self._answer.read_text())
        return answer

    def ask_to_stop(self) -> None:
        """Send the signal to stop; `stop` waits for it."""
        if self.is_running():
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask the process to stop; end its whole session when it does not."""
        if not self.is_running():
            return
        self.ask_to_stop()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process and its workers at once, as a power cut would."""
        if self.is_running():
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
