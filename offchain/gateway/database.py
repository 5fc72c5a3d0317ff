"""The gateway's database: threads of one process write in turn instead of trying again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, MetaData

from offchain.chain.database import Database, Place


class SerialDatabase(Database):
    """A database whose writers queue.

    SQLite's own waiting sleeps longer and longer: under load, somebody unlucky waits for seconds.
    """

    def __init__(self, place: Place, schema: MetaData) -> None:
        super().__init__(place, schema)
        self._turn = threading.Lock()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in a transaction; nests. Raises DatabaseUnavailable."""
        if self._current is not None:
            with super().writing() as connection:
                yield connection
            return
        with self._turn, super().writing() as connection:
            yield connection
