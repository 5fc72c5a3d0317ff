"""One step of the index: records as they are read and changed, and what they were before.

A reorganisation puts back what each undone step found, newest step first. Steps are remembered as
long as the cursor remembers their blocks; a deeper one forgets everything and reads again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from offchain.chain.event_store import REMEMBERED, Position
from offchain.gateway.index.tables import (
    BEFORE,
    COLUMNS,
    LEAVES,
    LINKS,
    POSITIONS,
    RECORDS,
    TIMES,
    Body,
)

MAX_KEYS: Final = 500  # of one look-up; SQLite takes some 32,000 parameters


@dataclass(frozen=True)
class Fact:
    """One event with the time of its block."""

    contract: str
    name: str
    arguments: Mapping[str, Any]
    block: int
    log: int
    tx: str
    time: int


@dataclass
class _Record:
    block: int
    log: int
    body: Body


class Changes:
    """The records that one step touches, in memory until all of its events are taken in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._records: dict[tuple[str, str], _Record | None] = {}
        self._before: dict[tuple[str, str], _Record | None] = {}
        self._before_texts: dict[tuple[str, str], str] = {}
        self._links: dict[tuple[str, str, int, int], None] = {}
        self._leaves: list[dict[str, Any]] = []
        # Where a job comes from may be told in its transaction before its creation is.
        self.origins: dict[str, Body] = {}

    def find(self, kind: str, key: str) -> Body | None:
        """Return a record's body, which the caller may change, or None."""
        name = (kind, key)
        if name not in self._records:
            self._load(kind, [key])
        record = self._records[name]
        return None if record is None else record.body

    def get(self, kind: str, key: str, fact: Fact, initial: Body) -> Body:
        """Return a record's body; one that does not exist begins with this event."""
        found = self.find(kind, key)
        if found is None:
            found = initial
            self._records[kind, key] = _Record(fact.block, fact.log, found)
        return found

    def put(self, kind: str, key: str, fact: Fact, body: Body) -> None:
        """Begin a record with this event, in place of whatever has its key."""
        self.find(kind, key)
        self._records[kind, key] = _Record(fact.block, fact.log, body)

    def link(self, kind: str, key: str, fact: Fact) -> None:
        """List the event on a record's page."""
        self._links[kind, key, fact.block, fact.log] = None

    def add_leaf(self, leaf: dict[str, Any]) -> None:
        """Add a result of a batch; the columns of its table."""
        self._leaves.append(leaf)

    def list_touched(self, kind: str) -> tuple[str, ...]:
        """Return the keys of the records of a kind that were looked at."""
        return tuple(key for k, key in self._records if k == kind)

    def prefetch(self, kind: str, keys: set[str]) -> None:
        """Read many records at once."""
        wanted = [key for key in keys if (kind, key) not in self._records]
        for start in range(0, len(wanted), MAX_KEYS):
            self._load(kind, wanted[start : start + MAX_KEYS])

    def flush(self, end: Position, times: Mapping[int, int]) -> None:
        """Write everything, and what has to be put back if the step is undone."""
        changed = {
            name: (record, text)
            for name, record in self._records.items()
            if record is not None
            and (text := dump(record.body)) != self._before_texts.get(name, "")
        }
        for kind, table in RECORDS.items():
            rows = [
                {
                    "key": key, "block": record.block, "log": record.log, "body": text,
                    **COLUMNS[kind](record.body),
                }
                for (k, key), (record, text) in changed.items()
                if k == kind
            ]  # fmt: skip
            if rows:
                known = [r["key"] for r in rows if self._before[kind, r["key"]] is not None]
                _delete_keys(self._connection, kind, known)
                self._connection.execute(table.insert(), rows)
        before = [
            {"number": end.number, "kind": kind, "key": key, **self._describe_before(kind, key)}
            for kind, key in changed
        ]
        if before:
            self._connection.execute(BEFORE.insert(), before)
        self._flush_lists(end, times)

    def _flush_lists(self, end: Position, times: Mapping[int, int]) -> None:
        connection = self._connection
        if self._links:
            names = ("kind", "key", "block", "log")
            rows = [dict(zip(names, link, strict=True)) for link in self._links]
            connection.execute(LINKS.insert(), rows)
        if self._leaves:
            connection.execute(LEAVES.insert(), self._leaves)
        if times:
            stamps = [{"number": n, "timestamp": t} for n, t in sorted(times.items())]
            connection.execute(TIMES.insert(), stamps)
        position = {"number": end.number, "hash": end.hash, "timestamp": end.timestamp}
        connection.execute(POSITIONS.insert().values(position))
        for table in (POSITIONS, BEFORE):
            connection.execute(delete(table).where(table.c.number <= end.number - REMEMBERED))

    def _load(self, kind: str, keys: list[str]) -> None:
        table = RECORDS[kind]
        query = select(table.c.key, table.c.block, table.c.log, table.c.body)
        for key in keys:
            self._records[kind, key] = self._before[kind, key] = None
        for row in self._connection.execute(query.where(table.c.key.in_(keys))):
            record = _Record(row.block, row.log, json.loads(row.body))
            self._records[kind, row.key] = self._before[kind, row.key] = record
            self._before_texts[kind, row.key] = row.body

    def _describe_before(self, kind: str, key: str) -> dict[str, Any]:
        before = self._before[kind, key]
        if before is None:
            return {"block": None, "log": None, "body": None}
        body = self._before_texts[kind, key]
        return {"block": before.block, "log": before.log, "body": body}


def undo(connection: Connection, number: int) -> None:
    """Put every record back to what it was when the index had read up to a block."""
    b = BEFORE.c
    is_undone = b.number > number
    # Of each record only what the first undone step found.
    first = select(func.min(b.number).label("number"), b.kind, b.key).where(is_undone)
    oldest = first.group_by(b.kind, b.key).subquery()
    query = select(BEFORE).join(
        oldest,
        (b.number == oldest.c.number) & (b.kind == oldest.c.kind) & (b.key == oldest.c.key),
    )
    found = connection.execute(query).all()
    for kind, table in RECORDS.items():
        own = [row for row in found if row.kind == kind]
        _delete_keys(connection, kind, [row.key for row in own])
        rows = [
            {
                "key": row.key, "block": row.block, "log": row.log, "body": row.body,
                **COLUMNS[kind](json.loads(row.body)),
            }
            for row in own
            if row.body is not None
        ]  # fmt: skip
        if rows:
            connection.execute(table.insert(), rows)
    connection.execute(delete(BEFORE).where(is_undone))
    for table in (LINKS, LEAVES):
        connection.execute(delete(table).where(table.c.block > number))
    for table in (TIMES, POSITIONS):
        connection.execute(delete(table).where(table.c.number > number))


def clear(connection: Connection) -> None:
    """Forget everything."""
    for table in (*RECORDS.values(), LEAVES, LINKS, TIMES, POSITIONS, BEFORE):
        connection.execute(delete(table))


def dump(body: Body) -> str:
    """Return a record's one text: equal bodies have equal texts."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _delete_keys(connection: Connection, kind: str, keys: list[str]) -> None:
    table = RECORDS[kind]
    for start in range(0, len(keys), MAX_KEYS):
        chunk = keys[start : start + MAX_KEYS]
        connection.execute(delete(table).where(table.c.key.in_(chunk)))
