"""The events that a cursor has read, the blocks that it read them from, and which jobs live."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    MetaData,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)

from offchain.chain.abi import DecodedEvent
from offchain.chain.database import Database, Place

REMEMBERED: Final = 256  # block hashes kept: the deepest reorg that is undone exactly
MAX_TEXT: Final = 2048  # characters; anybody may have any URI emitted, and pays for it only once
NO_TIMES: Final[Mapping[int, int]] = {}
JOB: Final = "jobId"  # the argument by which an event belongs to a job
# Replicas of a quorum are told with the job that each may become: its life is its quorum's.
QUORUM: Final = ("quorumId", "quorum-")
# The arguments by which any other event belongs to something that lives and ends, most special
# first, and how its names begin, so that none is taken for a job's.
OTHERS: Final = (("batchId", "batch-"), ("sessionId", "session-"))
# A vault's ids name sessions and batches as well: no life begins with an event of its, and each
# stands beside the one of the module that moved the money.
LEDGER: Final = "StakeVault"
SCHEMA: Final = MetaData()
BLOCKS: Final = Table(
    "cursor_blocks",
    SCHEMA,
    Column("space", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
)
EVENTS: Final = Table(
    "cursor_events",
    SCHEMA,
    Column("space", Text, primary_key=True),
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("log", BigInteger, primary_key=True, autoincrement=False),
    Column("block_hash", Text, nullable=False),
    Column("tx", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("job", Text),
    Column("arguments", Text, nullable=False),
)
Index("cursor_events_by_name", EVENTS.c.space, EVENTS.c.name)
Index("cursor_events_by_job", EVENTS.c.space, EVENTS.c.job)
# Derived from the events: a walk over live jobs need not read all history.
JOBS: Final = Table(
    "cursor_jobs",
    SCHEMA,
    Column("space", Text, primary_key=True),
    Column("job", Text, primary_key=True),
    Column("first_block", BigInteger, nullable=False),
    Column("first_log", BigInteger, nullable=False),
    Column("last_block", BigInteger, nullable=False),
    Column("closed_block", BigInteger),  # null: the job lives
)
Index("cursor_jobs_live", JOBS.c.space, JOBS.c.closed_block)


@dataclass(frozen=True)
class Position:
    """The last block that was read; the hash is empty before the first one."""

    number: int
    hash: str
    timestamp: int = field(default=0, compare=False)  # of the block; for projections


class Projection(Protocol):
    """Tables derived from the events, changed in the transaction that stores or forgets them."""

    def apply(
        self,
        connection: Connection,
        events: Sequence[DecodedEvent],
        end: Position,
        times: Mapping[int, int],
    ) -> None:
        """Take in what was read up to `end`, in chain order, exactly as it was stored.

        `times`: the timestamp of each block that holds an event.
        """

    def undo(self, connection: Connection, number: int) -> None:
        """Be what the events that are left say; those above a block are gone already."""


class EventStore:
    """One deployment's events as one cursor sees them."""

    def __init__(
        self,
        place: Place,
        deployment: str,
        terminal: Collection[str],
        projection: Projection | None = None,
        schema: MetaData = SCHEMA,
    ) -> None:
        self._database = Database(place, schema)
        self._space = f"{self._database.space} {deployment}".strip()
        self._terminal = frozenset(terminal)
        self._projection = projection

    def close(self) -> None:
        """Release the connections."""
        self._database.close()

    def get_position(self, first_block: int) -> Position:
        """Return the last block that was read, or the one before the first."""
        with self._database.reading() as connection:
            return self._get_position(connection, first_block)

    def get_blocks(self) -> tuple[Position, ...]:
        """Return the remembered blocks, latest first."""
        b = BLOCKS.c
        query = select(b.number, b.hash).where(b.space == self._space).order_by(b.number.desc())
        with self._database.reading() as connection:
            return tuple(Position(r.number, r.hash) for r in connection.execute(query))

    def get_events(self, name: str | None, job: str | None) -> tuple[DecodedEvent, ...]:
        """Return the stored events of a name or of a job, or all of them, in chain order."""
        e = EVENTS.c
        query = select(EVENTS).where(e.space == self._space).order_by(e.block, e.log)
        if name is not None:
            query = query.where(e.name == name)
        if job is not None:
            query = query.where(e.job == job)
        with self._database.reading() as connection:
            return tuple(
                DecodedEvent(
                    r.contract,
                    r.name,
                    load_arguments(r.arguments),
                    r.block,
                    r.block_hash,
                    r.log,
                    r.tx,
                )
                for r in connection.execute(query)
            )

    def get_live_jobs(self) -> tuple[str, ...]:
        """Return the jobs that no terminal event has closed, oldest first."""
        j = JOBS.c
        query = (
            select(j.job)
            .where(j.space == self._space, j.closed_block.is_(None))
            .order_by(j.first_block, j.first_log)
        )
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def is_known(self, job: str) -> bool:
        """Whether any event that was read belongs to this job, batch or session."""
        j = JOBS.c
        query = select(j.job).where(j.space == self._space, j.job == job)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def get_last_blocks(self) -> Mapping[str, int]:
        """Return, of each job that no terminal event has closed, the block of its last event."""
        j = JOBS.c
        query = select(j.job, j.last_block).where(j.space == self._space, j.closed_block.is_(None))
        with self._database.reading() as connection:
            return {row.job: row.last_block for row in connection.execute(query)}

    def append(
        self,
        before: Position,
        first_block: int,
        events: Sequence[DecodedEvent],
        end: Position,
        times: Mapping[int, int] = NO_TIMES,
    ) -> bool:
        """Store what was read from `before` to `end`; do nothing if the store is elsewhere now.

        Another process may have rewound it, or read the same range, or somebody deleted it.
        """
        with self._database.writing() as connection:
            if self._get_position(connection, first_block) != before:
                return False
            stored = self._insert(connection, events)
            if self._projection is not None:
                self._projection.apply(connection, stored, end, times)
            block = {"space": self._space, "number": end.number, "hash": end.hash}
            connection.execute(BLOCKS.insert().values(block))
            b = BLOCKS.c
            connection.execute(
                delete(BLOCKS).where(b.space == self._space, b.number <= end.number - REMEMBERED)
            )
        return True

    def forget_above(self, number: int) -> None:
        """Undo everything that was read above a block, exactly."""
        b, e, j = BLOCKS.c, EVENTS.c, JOBS.c
        with self._database.writing() as connection:
            connection.execute(delete(BLOCKS).where(b.space == self._space, b.number > number))
            connection.execute(delete(EVENTS).where(e.space == self._space, e.block > number))
            connection.execute(delete(JOBS).where(j.space == self._space, j.first_block > number))
            touched = select(j.job).where(j.space == self._space, j.last_block > number)
            for job in connection.execute(touched).scalars().all():
                self._recompute(connection, job)
            if self._projection is not None:
                self._projection.undo(connection, number)

    def _get_position(self, connection: Connection, first_block: int) -> Position:
        b = BLOCKS.c
        query = select(b.number, b.hash).where(b.space == self._space)
        row = connection.execute(query.order_by(b.number.desc()).limit(1)).first()
        return Position(first_block - 1, "") if row is None else Position(row.number, row.hash)

    def _insert(
        self, connection: Connection, events: Sequence[DecodedEvent]
    ) -> Sequence[DecodedEvent]:
        """Store events; return them as they will be read again."""
        if not events:
            return ()
        texts = [_dump(event.arguments) for event in events]
        jobs = [name_subject(event.arguments) for event in events]
        rows = [
            {
                "space": self._space,
                "block": event.block_number,
                "log": event.log_index,
                "block_hash": event.block_hash,
                "tx": event.tx_hash,
                "contract": event.contract,
                "name": event.name,
                "job": job,
                "arguments": text,
            }
            for event, job, text in zip(events, jobs, texts, strict=True)
        ]
        connection.execute(EVENTS.insert(), rows)
        self._note(connection, zip(events, jobs, strict=True))
        if self._projection is None:
            return events
        return [replace(e, arguments=load_arguments(t)) for e, t in zip(events, texts, strict=True)]

    def _note(
        self, connection: Connection, events: Iterable[tuple[DecodedEvent, str | None]]
    ) -> None:
        """Note what events of one range, in their order, mean for the lives of their subjects."""
        rows: dict[str, dict[str, Any]] = {}
        for event, job in events:
            if job is None or event.contract == LEDGER:
                continue
            begun = {
                "space": self._space,
                "job": job,
                "first_block": event.block_number,
                "first_log": event.log_index,
                "closed_block": None,
            }
            row = rows.setdefault(job, begun)
            row["last_block"] = event.block_number
            if row["closed_block"] is None and event.name in self._terminal:
                row["closed_block"] = event.block_number
        if not rows:
            return
        statement = self._database.insert(JOBS)
        told = statement.excluded
        changes = {
            "last_block": told.last_block,
            "closed_block": func.coalesce(JOBS.c.closed_block, told.closed_block),
        }
        statement = statement.on_conflict_do_update(index_elements=["space", "job"], set_=changes)
        connection.execute(statement, list(rows.values()))

    def _recompute(self, connection: Connection, job: str) -> None:
        e, j = EVENTS.c, JOBS.c
        is_own = (e.space == self._space) & (e.job == job) & (e.contract != LEDGER)
        last = connection.execute(select(func.max(e.block)).where(is_own)).scalar_one()
        closed = connection.execute(
            select(func.min(e.block)).where(is_own, e.name.in_(self._terminal))
        ).scalar_one()
        connection.execute(
            update(JOBS)
            .where(j.space == self._space, j.job == job)
            .values(last_block=last, closed_block=closed)
        )


def name_job(value: object) -> str | None:
    """Return a job id as text: 0x and hexadecimal for bytes, decimal for a number."""
    if value is None:
        return None
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def name_subject(arguments: Mapping[str, object]) -> str | None:
    """Return the name of what an event belongs to: a quorum, job, batch or session."""
    if QUORUM[0] in arguments:
        return f"{QUORUM[1]}{name_job(arguments[QUORUM[0]])}"
    if JOB in arguments:
        return name_job(arguments[JOB])
    for argument, prefix in OTHERS:
        if argument in arguments:
            return f"{prefix}{name_job(arguments[argument])}"
    return None


def compute_deployment_key(chain_id: int, addresses: Iterable[str]) -> str:
    """Return what tells one deployment's events from another's in the same database."""
    return f"{chain_id}/" + "+".join(sorted(address.lower() for address in addresses))


def _dump(arguments: Mapping[str, Any]) -> str:
    return json.dumps({k: _plain(v) for k, v in arguments.items()}, sort_keys=True)


def _plain(value: Any) -> Any:
    """Return a JSON form that load_arguments undoes; integers may exceed 64 bits."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return ""  # part of a URI would be another URI
    return value


def load_arguments(text: str) -> dict[str, Any]:
    """Return an event's arguments as they are stored; structs are lists."""
    loaded: dict[str, Any] = json.loads(text, object_hook=_restore)
    return loaded


def _restore(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["bytes"]) if set(value) == {"bytes"} else value
