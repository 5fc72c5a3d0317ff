"""Where a role keeps its memory: an SQLite file of its own, or its part of a PostgreSQL server.

Everything here can be lost: the chain and the node's pool say again what is left to do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from offchain.chain.locks import FOLDER_MODE, FileLocks, Locks, ServerLocks, compute_lock_key
from offchain.errors import ConfigError, DatabaseUnavailable, MissingDependencyError

BUSY_TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 5
# A worker's thread holds four at most: its step's lock, the intake's, the nonces' and one to write
# with. With fewer for all of them, threads would wait for what only waiting threads can give back.
MOST_CONNECTIONS: Final = 64
FILE_MODE: Final = 0o600
UNDEFINED_TABLE: Final = "42P01"  # PostgreSQL: somebody dropped the tables
# A machine that lost power frees its locks after about 20 + 3 * 5 s.
SERVER_OPTIONS: Final = (
    "-c tcp_keepalives_idle=20 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
WRITES: Final = "zkdps_writes"  # execution option: this connection is about to write


@dataclass(frozen=True)
class Place:
    """A file or, where `url` names a server, one namespace of it."""

    file: Path
    url: str = ""  # SQLAlchemy URL, e.g. postgresql://user@host/name; empty: the file
    space: str = ""  # chain, deployment, role and account: many share a server


class Database:
    """Reads and writes of one namespace; writes come one after the other, as in SQLite."""

    def __init__(self, place: Place, schema: MetaData) -> None:
        self.place = place
        self.space = place.space if place.url else ""
        self._schema = schema
        self._is_ready = False
        self._inode = 0
        self._local = threading.local()
        self._engine = _server_engine(place.url) if place.url else _file_engine(place.file)
        self._is_server = bool(place.url)
        self.locks: Locks = (
            ServerLocks(self._engine, self.describe())
            if self._is_server
            else FileLocks(place.file.parent / "locks")
        )

    def close(self) -> None:
        """Release the connections; the next use opens them again."""
        self._engine.dispose()

    def insert(self, table: Table) -> Any:
        """Return an INSERT that knows ON CONFLICT; both dialects spell it alike."""
        return postgresql.insert(table) if self._is_server else sqlite.insert(table)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection for reads; inside `writing` it is the same one."""
        if self._current is not None:
            yield self._current
            return
        with self._translated():
            self._prepare()
            with self._engine.connect() as connection:
                yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection whose reads all see one state, whatever others write meanwhile."""
        with self.reading() as connection:
            if connection is not self._current:
                isolated = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
                connection.exec_driver_sql(isolated if self._is_server else "BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in a transaction; on an exception nothing has changed.

        Nests: an inner use belongs to the outer transaction. Raises DatabaseUnavailable.
        """
        if self._current is not None:
            yield self._current
            return
        with self._translated():
            self._prepare()
            with self._write(f"write {self.space}") as connection:
                self._local.connection = connection
                try:
                    yield connection
                finally:
                    self._local.connection = None

    @property
    def _current(self) -> Connection | None:
        return getattr(self._local, "connection", None)

    @contextmanager
    def _write(self, what: str) -> Iterator[Connection]:
        with (
            self._engine.connect().execution_options(**{WRITES: True}) as connection,
            connection.begin(),
        ):
            if self._is_server:  # SQLite's BEGIN IMMEDIATE does the same
                key = compute_lock_key(what)
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            yield connection

    def _prepare(self) -> None:
        """Make what is missing: the file may have been deleted while this process ran."""
        if not self._is_server:
            try:
                inode = _make_private_file(self.place.file)
            except OSError as error:
                raise DatabaseUnavailable(self.describe(), type(error).__name__) from error
            if inode != self._inode:
                self._engine.dispose()
                self._inode, self._is_ready = inode, False
        if not self._is_ready:
            with self._write("schema") as connection:
                self._schema.create_all(connection)
            self._is_ready = True

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise DatabaseUnavailable for what may pass; everything else is a defect."""
        try:
            yield
        except (OperationalError, InterfaceError, InternalError, PoolTimeout) as error:
            raise self._unavailable(error) from error
        except DatabaseError as error:
            is_undefined = getattr(error.orig, "sqlstate", None) == UNDEFINED_TABLE
            is_damaged = type(error) is DatabaseError  # of SQLite: no database, or malformed
            if is_undefined or is_damaged:
                raise self._unavailable(error) from error
            raise

    def _unavailable(self, error: Exception) -> DatabaseUnavailable:
        if isinstance(error, SQLAlchemyError):
            self._is_ready = False
            self._engine.dispose()
        cause = error.orig if isinstance(error, DBAPIError) else error
        # A server's messages may name its user.
        told = type(cause).__name__ if self._is_server else f"{type(cause).__name__}: {cause}"
        return DatabaseUnavailable(self.describe(), told)

    def describe(self) -> str:
        """Return what may be logged of the place: no user, no password, no options."""
        if not self._is_server:
            return str(self.place.file)
        url = self._engine.url
        return f"{url.get_backend_name()}://{url.host}:{url.port or 5432}/{url.database}"


def _file_engine(file: Path) -> Engine:
    url = URL.create("sqlite+pysqlite", database=str(file))
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_S}, max_overflow=MOST_CONNECTIONS
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # BEGIN is ours
        connection.execute("PRAGMA journal_mode=WAL")
        # A signed transaction must survive power loss.
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITES):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@lru_cache(maxsize=8)
def _server_engine(text_url: str) -> Engine:
    try:
        url = make_url(text_url)
    except ArgumentError:
        # Not quoted: it may hold a password.
        raise ConfigError("database_url is not a URL such as postgresql://user@host/name") from None
    if url.get_backend_name() != "postgresql":
        raise ConfigError(f"database_url: {url.get_backend_name()} is not PostgreSQL")
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "options": SERVER_OPTIONS},
            pool_pre_ping=True,
            max_overflow=MOST_CONNECTIONS,
            pool_timeout=BUSY_TIMEOUT_S,
        )
    except ModuleNotFoundError:
        raise MissingDependencyError("psycopg", "fleet") from None


def _make_private_file(file: Path) -> int:
    """Create a file for its owner only, unless it exists; return its inode.

    One that exists is never opened here: closing it would drop the locks that SQLite holds on it
    in this process (sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        return file.stat().st_ino
    except FileNotFoundError:
        file.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
        return file.stat().st_ino
