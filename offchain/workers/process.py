"""Start, watch and stop the Celery worker process of a role."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

from offchain.params.settings import HOME_VARIABLE, Settings
from offchain.roles.log import Log

APPLICATION: Final = "offchain.workers.app"
STOP_S: Final = 1.0  # then it is killed: a step interrupted anywhere is resumed by the next worker


class WorkerProcess:
    """A worker in its own process; `ensure` restarts one that died."""

    def __init__(self, settings: Settings, log: Log, application: str = APPLICATION) -> None:
        self._settings = settings
        self._application = application
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Start the worker unless it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None:
            self._log.event("worker-died", status=self._process.returncode)
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "celery", "--quiet", "-A", self._application, "worker",
                "--without-gossip", "--without-mingle", "--without-heartbeat",
                "--loglevel", "WARNING", "--hostname", f"{self._settings.role}@%h",
            ],
            env={**os.environ, HOME_VARIABLE: str(self._settings.home)},
        )  # fmt: skip
        self._log.event("worker-started", worker_pid=self._process.pid)

    def stop(self) -> None:
        """End the worker this object started, forcibly when it does not listen."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
