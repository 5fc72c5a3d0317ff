"""What a role has begun, sent and finished, in SQLite, written before a transaction is sent.

A step is keyed by (role, job, step). Its transactions are stored signed, so that a restart after a
crash at any point can only repeat the same bytes: the chain decides what has happened.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from offchain.chain.fees import Fees
from offchain.types import AccountId, TxHash, Wei

BUSY_TIMEOUT_S: Final = 10.0
COLUMNS: Final = "role,job,step,account,nonce,hash,raw,label,max_fee,tip,sent_block,status"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS steps (
  role TEXT NOT NULL, job TEXT NOT NULL, step TEXT NOT NULL,
  status TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (role, job, step)
);
CREATE TABLE IF NOT EXISTS transactions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  role TEXT NOT NULL, job TEXT NOT NULL, step TEXT NOT NULL,
  account TEXT NOT NULL, nonce INTEGER NOT NULL, hash TEXT NOT NULL UNIQUE, raw BLOB NOT NULL,
  label TEXT NOT NULL, max_fee TEXT NOT NULL, tip TEXT NOT NULL, sent_block INTEGER NOT NULL,
  status TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS transactions_by_step ON transactions (role, job, step);
CREATE INDEX IF NOT EXISTS transactions_by_nonce ON transactions (account, nonce);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class StepStatus(StrEnum):
    """How far a step has come."""

    BEGUN = "begun"
    DONE = "done"
    GIVEN_UP = "given-up"  # refused for good: a retry could only repeat the refusal


class TxStatus(StrEnum):
    """What is known of a stored transaction."""

    SIGNED = "signed"  # stored; perhaps broadcast, perhaps mined
    MINED = "mined"
    REVERTED = "reverted"
    LOST = "lost"  # another transaction took its nonce


@dataclass(frozen=True)
class StepKey:
    """One step of one job in one role; performing it twice is performing it once."""

    role: str
    job: str
    step: str


@dataclass(frozen=True)
class Step:
    """A journalled step."""

    key: StepKey
    status: StepStatus
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class StoredTransaction:
    """A signed transaction as it was stored before it was sent."""

    key: StepKey
    account: AccountId
    nonce: int
    hash: TxHash
    raw: bytes
    label: str
    fees: Fees
    sent_block: int
    status: TxStatus


class Journal:
    """A role's durable memory; several processes of one role may share the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")  # a signed transaction must survive power loss
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Hold the write lock over several statements; on an exception nothing has changed."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def get_step(self, key: StepKey) -> Step | None:
        """Return a step, or None if it was never begun."""
        row = self._db.execute(
            "SELECT status, detail FROM steps WHERE role=? AND job=? AND step=?",
            (key.role, key.job, key.step),
        ).fetchone()
        return None if row is None else Step(key, StepStatus(row[0]), json.loads(row[1]))

    def is_done(self, key: StepKey) -> bool:
        """Whether a step is done; the chain may still have undone it since."""
        step = self.get_step(key)
        return step is not None and step.status is StepStatus.DONE

    def is_given_up(self, key: StepKey) -> bool:
        """Whether a step was refused for good."""
        step = self.get_step(key)
        return step is not None and step.status is StepStatus.GIVEN_UP

    def put_step(
        self, key: StepKey, status: StepStatus, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Record a step's status; without `detail` the stored detail stays."""
        text = None if detail is None else json.dumps(dict(detail), sort_keys=True)
        self._db.execute(
            "INSERT INTO steps VALUES (?,?,?,?,COALESCE(?,'{}')) ON CONFLICT DO UPDATE SET "
            "status=excluded.status, detail=COALESCE(?, detail)",
            (key.role, key.job, key.step, status, text, text),
        )

    def get_steps(self, role: str, job: str | None = None) -> tuple[Step, ...]:
        """Return a role's steps, of one job or of all, in a fixed order."""
        rows = self._db.execute(
            "SELECT job, step, status, detail FROM steps WHERE role=? AND (? IS NULL OR job=?) "
            "ORDER BY rowid",
            (role, job, job),
        )
        return tuple(
            Step(StepKey(role, j, s), StepStatus(status), json.loads(detail))
            for j, s, status, detail in rows
        )

    def put_transaction(self, tx: StoredTransaction) -> None:
        """Store a signed transaction; call it before the first broadcast."""
        self._db.execute(
            "INSERT INTO transactions (role,job,step,account,nonce,hash,raw,label,max_fee,tip,"
            "sent_block,status) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) "
            # Signing is deterministic: a refused transaction signed again is the same bytes.
            "ON CONFLICT(hash) DO UPDATE SET role=excluded.role, job=excluded.job, "
            "step=excluded.step, sent_block=excluded.sent_block, status=excluded.status",
            (
                tx.key.role, tx.key.job, tx.key.step, tx.account, tx.nonce, tx.hash, tx.raw,
                tx.label, str(tx.fees.max_fee_wei), str(tx.fees.tip_wei), tx.sent_block, tx.status,
            ),
        )  # fmt: skip

    def set_transaction_status(self, tx_hash: str, status: TxStatus) -> None:
        """Record what the chain says about a stored transaction."""
        self._db.execute("UPDATE transactions SET status=? WHERE hash=?", (status, tx_hash))

    def get_transactions(self, key: StepKey) -> tuple[StoredTransaction, ...]:
        """Return a step's transactions, oldest first."""
        return self._select("role=? AND job=? AND step=?", (key.role, key.job, key.step))

    def get_unsettled_transactions(self, account: str) -> tuple[StoredTransaction, ...]:
        """Return an account's transactions whose fate is not known, by nonce."""
        return self._select("account=? AND status=?", (account, TxStatus.SIGNED))

    def get_highest_nonce(self, account: str) -> int | None:
        """Return the highest nonce in use by a transaction that is not lost."""
        row = self._db.execute(
            "SELECT MAX(nonce) FROM transactions WHERE account=? AND status<>?",
            (account, TxStatus.LOST),
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def increment(self, counter: str) -> int:
        """Add one to a durable counter and return it."""
        row = self._db.execute(
            "INSERT INTO counters VALUES (?,1) ON CONFLICT DO UPDATE SET value=value+1 "
            "RETURNING value",
            (counter,),
        ).fetchone()
        return int(row[0])

    def get_counter(self, counter: str) -> int:
        """Return a durable counter, 0 if it was never incremented."""
        row = self._db.execute("SELECT value FROM counters WHERE name=?", (counter,)).fetchone()
        return 0 if row is None else int(row[0])

    def _select(self, where: str, arguments: tuple[str, ...]) -> tuple[StoredTransaction, ...]:
        rows = self._db.execute(
            # Every `where` is a constant of this file.
            f"SELECT {COLUMNS} FROM transactions WHERE {where} ORDER BY nonce, id",  # noqa: S608
            arguments,
        )
        return tuple(
            StoredTransaction(
                StepKey(r[0], r[1], r[2]), AccountId(r[3]), r[4], TxHash(r[5]), bytes(r[6]), r[7],
                Fees(Wei(int(r[8])), Wei(int(r[9]))), r[10], TxStatus(r[11]),
            )
            for r in rows
        )  # fmt: skip
