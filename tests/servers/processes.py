"""Real servers on free loopback ports, in temporary folders, started and killed by tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import psycopg
import redis

START_S: Final = 30.0
REMEDY: Final = "install the Debian packages redis-server and postgresql, or their likes"
POSTGRES_FOLDERS: Final = "usr/lib/postgresql/*/bin"  # Debian keeps the server off PATH
SERVICE_USER: Final = "postgres"


class MissingServer(Exception):
    """A server that these tests need is not installed."""


def find_binary(name: str) -> str:
    """Return a server's path; raise MissingServer, with what to install, where there is none."""
    found = shutil.which(name)
    if found is None:
        listed = sorted(Path("/").glob(f"{POSTGRES_FOLDERS}/{name}"))
        found = str(listed[-1]) if listed else None
    if found is None:
        raise MissingServer(f"{name} not found: {REMEDY}")
    return found


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One process that may be killed and started again on the same port and folder."""

    def __init__(self, command: Sequence[str], log: Path, user: str | None = None) -> None:
        self._command, self._log, self._user = list(command), log, user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, is_ready: Callable[[], bool]) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, user=self._user, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while not is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise MissingServer(f"{self._command[0]} did not start: {self._log.read_text()}")
            time.sleep(0.05)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End the server as a power cut would: its whole process group at once."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Redis(Server):
    """A broker that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port = find_free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._client = redis.Redis(port=self.port, socket_timeout=2)
        super().__init__(
            [
                find_binary("redis-server"), "--bind", "127.0.0.1", "--port", str(self.port),
                "--save", "", "--appendonly", "no", "--dir", str(folder),
            ],
            folder / "redis.log",
        )  # fmt: skip

    def run(self) -> None:
        self.start(self._answers)

    def flush(self) -> None:
        """Forget every message."""
        self._client.flushall()

    def count_messages(self, queue: str) -> int:
        length = self._client.llen(queue)
        assert isinstance(length, int)
        return length

    def _answers(self) -> bool:
        try:
            return bool(self._client.ping())
        except redis.RedisError:
            return False


class Postgres(Server):
    """A cluster of its own. It refuses to run as root: root gives it to the service's user."""

    def __init__(self, folder: Path) -> None:
        self.port = find_free_port()
        self.url = f"postgresql://zkdps@127.0.0.1:{self.port}/postgres"
        self._user = SERVICE_USER if os.geteuid() == 0 else None
        self._cluster = folder / "cluster"
        if self._user is not None:
            shutil.chown(folder, self._user)
        subprocess.run(
            [
                find_binary("initdb"), "--pgdata", str(self._cluster), "--auth", "trust",
                "--username", "zkdps", "--encoding", "UTF8", "--locale", "C", "--no-sync",
            ],
            check=True, capture_output=True, user=self._user,
        )  # fmt: skip
        super().__init__(
            [
                find_binary("postgres"), "-D", str(self._cluster), "-p", str(self.port),
                "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            ],
            folder / "postgres.log",
            self._user,
        )  # fmt: skip

    def run(self) -> None:
        # A killed cluster leaves its lock file; the process it names is gone.
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        self.start(self._answers)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False
