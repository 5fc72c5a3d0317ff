"""Tables of the index. Each record is a JSON body and the columns by which it is searched.

A row's (block, log) is the event that brought the record into being: the order of all lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, Text

from offchain.chain import event_store

Body = dict[str, Any]
SCHEMA: Final = MetaData()
for _table in event_store.SCHEMA.tables.values():
    _table.to_metadata(SCHEMA)  # one database, one transaction
EVENTS: Final = SCHEMA.tables[event_store.EVENTS.name]


def _make_table(name: str, *columns: Column[Any]) -> Table:
    return Table(
        f"index_{name}",
        SCHEMA,
        Column("key", Text, primary_key=True),
        Column("block", BigInteger, nullable=False),
        Column("log", BigInteger, nullable=False),
        Column("body", Text, nullable=False),
        *columns,
    )


def _add_order(table: Table, *filters: str) -> None:
    """Index a list in its order, by itself and within each filter."""
    order = (table.c.block, table.c.log, table.c.key)
    Index(f"{table.name}_order", *order)
    for name in filters:
        Index(f"{table.name}_{name}", table.c[name], *order)


JOBS: Final = _make_table(
    "jobs",
    Column("client", Text, nullable=False),
    Column("operator", Text),
    Column("version", Text, nullable=False),
    Column("state", BigInteger, nullable=False),
    Column("batch", Text),
    Column("in_digest", Text, nullable=False),
    Column("out_digest", Text),
    Column("closed", BigInteger),  # protocol's clock; null: something may still happen
)
_add_order(JOBS, "client", "operator", "version", "state", "batch")
Index("index_jobs_in_digest", JOBS.c.in_digest)
Index("index_jobs_out_digest", JOBS.c.out_digest)

DISPUTES: Final = _make_table(
    "disputes",
    Column("operator", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("state", BigInteger, nullable=False),
)
_add_order(DISPUTES, "operator", "version", "state")

VERSIONS: Final = _make_table("versions", Column("owner", Text, nullable=False))
_add_order(VERSIONS, "owner")

ACCOUNTS: Final = _make_table("accounts", Column("is_operator", Boolean, nullable=False))
_add_order(ACCOUNTS, "is_operator")

SESSIONS: Final = _make_table(
    "sessions",
    Column("client", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("state", BigInteger, nullable=False),
)
_add_order(SESSIONS, "client", "operator", "version", "state")

BATCHES: Final = _make_table(
    "batches",
    Column("session", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("state", BigInteger, nullable=False),
    Column("closed", BigInteger),  # protocol's clock; null: its results may still be challenged
)
_add_order(BATCHES, "session", "operator", "state")

ORDERS: Final = _make_table("orders", Column("client", Text, nullable=False))
FUNDS: Final = _make_table("funds")  # of whatever has an id in the vault: job, session, batch
TOKENS: Final = _make_table("tokens")
PROTOCOL: Final = _make_table("protocol")  # two records: the clock, the counts

# Results of a batch that are no jobs of their own.
LEAVES: Final = Table(
    "index_leaves",
    SCHEMA,
    Column("batch", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("block", BigInteger, nullable=False),
    Column("session", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("job", Text, nullable=False),
    Column("in_digest", Text, nullable=False),
    Column("out_digest", Text, nullable=False),
)
Index("index_leaves_block", LEAVES.c.block)
Index("index_leaves_job", LEAVES.c.job)
Index("index_leaves_nonce", LEAVES.c.session, LEAVES.c.nonce)
Index("index_leaves_in_digest", LEAVES.c.in_digest)
Index("index_leaves_out_digest", LEAVES.c.out_digest)

# Which events a record's page lists; `kind` is "id" (job, session, batch) or "account".
LINKS: Final = Table(
    "index_links",
    SCHEMA,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("log", BigInteger, primary_key=True, autoincrement=False),
)
Index("index_links_block", LINKS.c.block)
# Timestamps of the blocks that hold events.
TIMES: Final = Table(
    "index_times",
    SCHEMA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("timestamp", BigInteger, nullable=False),
)
# The blocks that were read up to, as the cursor remembers them; and what each step changed.
POSITIONS: Final = Table(
    "index_positions",
    SCHEMA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
)
BEFORE: Final = Table(
    "index_before",
    SCHEMA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("block", BigInteger),  # null: the record did not exist
    Column("log", BigInteger),
    Column("body", Text),
)

RECORDS: Final[Mapping[str, Table]] = {
    "job": JOBS,
    "dispute": DISPUTES,
    "version": VERSIONS,
    "account": ACCOUNTS,
    "session": SESSIONS,
    "batch": BATCHES,
    "order": ORDERS,
    "funds": FUNDS,
    "token": TOKENS,
    "protocol": PROTOCOL,
}
_Columns = Callable[[Body], dict[str, Any]]


def _pick(**names: str) -> _Columns:
    return lambda body: {column: body[name] for column, name in names.items()}


def _no_columns(_: Body) -> dict[str, Any]:
    return {}


COLUMNS: Final[Mapping[str, _Columns]] = {
    "job": _pick(
        client="client", operator="operator", version="version", state="state", batch="batch",
        in_digest="inDigest", out_digest="outDigest", closed="closedClock",
    ),
    "dispute": _pick(operator="operator", version="version", state="state"),
    "version": _pick(owner="owner"),
    "account": _pick(is_operator="isOperator"),
    "session": _pick(client="client", operator="operator", version="version", state="state"),
    "batch": _pick(session="session", operator="operator", state="state", closed="closedClock"),
    "order": _pick(client="client"),
    "funds": _no_columns,
    "token": _no_columns,
    "protocol": _no_columns,
}  # fmt: skip
# What the events alone determine: equal however the chain was read.
DERIVED: Final = (*RECORDS.values(), LEAVES, LINKS, TIMES)
