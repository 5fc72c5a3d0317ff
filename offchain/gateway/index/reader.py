"""Reads of the index. Everything within one view sees one state: the block that `as_of` names."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, select, tuple_

from offchain.chain.abi import DecodedEvent
from offchain.chain.database import Database
from offchain.chain.event_store import Position, load_arguments
from offchain.errors import RangeError
from offchain.gateway.index.tables import (
    EVENTS,
    LEAVES,
    LINKS,
    POSITIONS,
    RECORDS,
    TIMES,
    Body,
)

MAX_PAGE: Final = 200
MAX_CURSOR: Final = 400  # characters: two numbers and a key
MAX_EVENTS: Final = 500  # of one record's page


@dataclass(frozen=True)
class Record:
    """A record and the event that it began with."""

    key: str
    block: int
    log: int
    body: Body


@dataclass(frozen=True)
class Page:
    """A part of a list, newest first; `after` asks for the next one, None at the end."""

    records: Sequence[Record]
    after: str | None


@dataclass(frozen=True)
class TimedEvent:
    """An event and the timestamp of its block."""

    event: DecodedEvent
    timestamp: int


class View:
    """One state of the index."""

    def __init__(self, connection: Connection, space: str, first_block: int) -> None:
        self._connection = connection
        self._space = space
        self.as_of = self._read_position(first_block)

    def _read_position(self, first_block: int) -> Position:
        p = POSITIONS.c
        query = select(p.number, p.hash, p.timestamp).order_by(p.number.desc()).limit(1)
        row = self._connection.execute(query).first()
        if row is None:
            return Position(max(first_block - 1, 0), "0x" + bytes(32).hex())
        return Position(row.number, row.hash, row.timestamp)

    def find(self, kind: str, key: str) -> Record | None:
        """Return a record, or None."""
        table = RECORDS[kind]
        row = self._connection.execute(select(table).where(table.c.key == key)).first()
        return None if row is None else _read(row)

    def find_many(self, kind: str, keys: Sequence[str]) -> Mapping[str, Record]:
        """Return those of a few records that exist, by key."""
        table = RECORDS[kind]
        rows = self._connection.execute(select(table).where(table.c.key.in_(list(keys))))
        return {row.key: _read(row) for row in rows}

    def list(
        self,
        kind: str,
        limit: int,
        after: str | None = None,
        states: Sequence[int] = (),
        **filters: str | bool | None,
    ) -> Page:
        """Return a page of a kind's records; filters that are None are not there.

        Raises RangeError for a cursor that none of these pages gave.
        """
        table = RECORDS[kind]
        wanted: list[ColumnElement[bool]] = [
            table.c[name] == value for name, value in filters.items() if value is not None
        ]
        if states:
            wanted.append(table.c.state.in_(list(states)))
        order = tuple_(table.c.block, table.c.log, table.c.key)
        if after is not None:
            wanted.append(order < tuple_(*read_cursor(after, 3)))
        query = select(table).where(and_(True, *wanted)).limit(limit + 1)
        query = query.order_by(table.c.block.desc(), table.c.log.desc(), table.c.key.desc())
        records = [_read(row) for row in self._connection.execute(query)]
        last = records[limit - 1] if len(records) > limit else None
        cursor = None if last is None else make_cursor(last.block, last.log, last.key)
        return Page(records[:limit], cursor)

    def list_leaves(self, batch: str) -> Sequence[Any]:
        """Return a batch's results in their order: rows of LEAVES."""
        query = select(LEAVES).where(LEAVES.c.batch == batch).order_by(LEAVES.c.position)
        return self._connection.execute(query).all()

    def find_leaf(self, job: str) -> Any | None:
        """Return the result of a batch that a job id stands for (a row of LEAVES), or None."""
        return self._connection.execute(select(LEAVES).where(LEAVES.c.job == job)).first()

    def list_session_leaves(self, session: str, nonces: Sequence[int]) -> Sequence[Any]:
        """Return the committed results of some of a session's nonces: rows of LEAVES."""
        own, wanted = LEAVES.c.session == session, LEAVES.c.nonce.in_(list(nonces))
        query = select(LEAVES).where(own, wanted)
        return self._connection.execute(query).all()

    def list_uses(self, digest: str) -> Sequence[int | None]:
        """Return, of everything that names a digest, when it closed (protocol's clock) or None."""
        jobs, batches = RECORDS["job"], RECORDS["batch"]
        of_jobs = select(jobs.c.closed)
        of_leaves = select(batches.c.closed).join(LEAVES, LEAVES.c.batch == batches.c.key)
        queries = [
            query.where(table.c[column] == digest)
            for query, table in ((of_jobs, jobs), (of_leaves, LEAVES))
            for column in ("in_digest", "out_digest")
        ]
        return [closed for q in queries for closed in self._connection.execute(q).scalars()]

    def list_events(self, kind: str, key: str) -> Sequence[TimedEvent]:
        """Return the events of a record's page in chain order, at most MAX_EVENTS of the last."""
        return self.list_events_back(kind, key, MAX_EVENTS)[0][::-1]

    def list_events_back(
        self, kind: str, key: str, limit: int, after: str | None = None
    ) -> tuple[Sequence[TimedEvent], str | None]:
        """Return a page of a record's events, newest first, and the next one's cursor."""
        place = (LINKS.c.block, LINKS.c.log)
        wanted = [LINKS.c.kind == kind, LINKS.c.key == key]
        if after is not None:
            wanted.append(tuple_(*place) < tuple_(*read_cursor(after, 2)))
        own = select(*place).where(*wanted).order_by(*(c.desc() for c in place)).limit(limit + 1)
        found = own.subquery()
        is_event = (EVENTS.c.block == found.c.block) & (EVENTS.c.log == found.c.log)
        query = (
            select(EVENTS, TIMES.c.timestamp)
            .join(found, is_event & (EVENTS.c.space == self._space))
            .join(TIMES, TIMES.c.number == EVENTS.c.block)
            .order_by(EVENTS.c.block.desc(), EVENTS.c.log.desc())
        )
        events = [_read_event(row) for row in self._connection.execute(query)]
        last = events[limit - 1].event if len(events) > limit else None
        cursor = None if last is None else make_cursor(last.block_number, last.log_index)
        return events[:limit], cursor


class Reader:
    """Opens views; threads may share it."""

    def __init__(self, database: Database, deployment: str, first_block: int) -> None:
        self._database = database
        self._space = f"{database.space} {deployment}".strip()
        self._first_block = first_block

    @contextmanager
    def view(self) -> Iterator[View]:
        """Yield one state of the index; raises DatabaseUnavailable."""
        with self._database.snapshot() as connection:
            yield View(connection, self._space, self._first_block)


def make_cursor(*place: int | str) -> str:
    """Return where a page ended, as opaque text."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(text: str, length: int) -> tuple[int | str, ...]:
    """Return a place again; raise RangeError for anything that is none."""
    try:
        if len(text) > MAX_CURSOR:
            raise ValueError(len(text))
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        place = json.loads(raw)
    except (ValueError, RecursionError):
        raise RangeError("cursor: not one that this list gave") from None
    kinds = (int, int, str)[:length]
    is_place = isinstance(place, list) and len(place) == length
    if not is_place or any(type(p) is not kind for p, kind in zip(place, kinds, strict=True)):
        raise RangeError("cursor: not one that this list gave")
    if any(not 0 <= number < 2**63 for number in place[:2]):
        raise RangeError("cursor: not one that this list gave")
    return tuple(place)


def _read(row: Any) -> Record:
    return Record(row.key, row.block, row.log, json.loads(row.body))


def _read_event(row: Any) -> TimedEvent:
    event = DecodedEvent(
        row.contract, row.name, load_arguments(row.arguments), row.block, row.block_hash, row.log,
        row.tx,
    )  # fmt: skip
    return TimedEvent(event, row.timestamp)
