"""One holder at a time of a name, across processes; a killed process leaves no lock behind."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from offchain.errors import DatabaseUnavailable

LOCK_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700


class Locks(Protocol):
    """Where processes of one account meet: a folder on one machine, or a server for several."""

    def hold(self, name: str) -> AbstractContextManager[None]:
        """Wait for a name and hold it."""

    def try_hold(self, name: str) -> AbstractContextManager[bool]:
        """Hold a name if nobody does; yield whether it is held."""


class FileLocks:
    """Locks of one machine: `flock` on files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Wait for a name and hold it."""
        descriptor = self._lock(name, fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def try_hold(self, name: str) -> Iterator[bool]:
        """Hold a name if nobody does; yield whether it is held."""
        try:
            descriptor = self._lock(name, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            os.close(descriptor)

    def _lock(self, name: str, operation: int) -> int:
        # Names hold addresses, digests and step names; a slash would leave the folder.
        path = self._folder / name.replace(os.sep, "-")
        while True:
            self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK_MODE)
            try:
                fcntl.flock(descriptor, operation)
                if _is_still(path, descriptor):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            # Deleted while it was waited for: whoever comes next would lock another file.
            os.close(descriptor)


class ServerLocks:
    """Locks of a fleet: PostgreSQL's advisory locks, each held by a session of its own.

    The server frees a lock when its session ends. A session that the network cut is noticed by
    keep-alives only, so nothing may rest on a lock alone: the journal refuses a second
    transaction for a nonce or a step whoever holds what. Raises DatabaseUnavailable.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self._where = where
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Wait for a name and hold it."""
        with self._session(name, "SELECT pg_advisory_lock(:key) IS NOT NULL"):
            yield

    @contextmanager
    def try_hold(self, name: str) -> Iterator[bool]:
        """Hold a name if nobody does; yield whether it is held."""
        with self._session(name, "SELECT pg_try_advisory_lock(:key)") as is_mine:
            yield is_mine

    @contextmanager
    def _session(self, name: str, question: str) -> Iterator[bool]:
        key = {"key": compute_lock_key(name)}
        session: Connection | None = None
        try:
            session = self._engine.connect()
            is_mine = bool(session.execute(text(question), key).scalar_one())
        except (DBAPIError, PoolTimeout) as error:
            if session is not None:
                session.close()
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise DatabaseUnavailable(self._where, type(cause).__name__) from error
        try:
            yield is_mine
        finally:
            # A broken session has lost its lock already.
            with suppress(DBAPIError):
                if is_mine:
                    session.execute(text("SELECT pg_advisory_unlock(:key)"), key)
                session.close()


def compute_lock_key(name: str) -> int:
    """Return the 64-bit number under which PostgreSQL locks a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
