"""The journal's tables; `space` keeps the roles of one server apart."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA: Final = MetaData()
ID: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers INTEGER keys only
STEPS: Final = Table(
    "journal_steps",
    SCHEMA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("space", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("detail", Text, nullable=False),
    UniqueConstraint("space", "role", "job", "step"),
)
TRANSACTIONS: Final = Table(
    "journal_transactions",
    SCHEMA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("space", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("label", Text, nullable=False),
    Column("max_fee", Text, nullable=False),  # wei exceed 64 bits
    Column("tip", Text, nullable=False),
    Column("cost", Text, nullable=False),
    Column("sent_block", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    UniqueConstraint("space", "hash"),
)
Index("journal_by_step", TRANSACTIONS.c.space, TRANSACTIONS.c.job, TRANSACTIONS.c.step)
Index("journal_by_nonce", TRANSACTIONS.c.space, TRANSACTIONS.c.account, TRANSACTIONS.c.nonce)
COUNTERS: Final = Table(
    "journal_counters",
    SCHEMA,
    Column("space", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
