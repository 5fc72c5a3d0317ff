"""What a role has begun, sent and finished, written before a transaction is sent.

A step is keyed by (role, job, step). Its transactions are stored signed, so that a restart after a
crash at any point can only repeat the same bytes: the chain decides what has happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, func, or_, select, update

from offchain.chain.database import Database, Place
from offchain.chain.fees import Fees
from offchain.chain.journal_tables import COUNTERS, SCHEMA, STEPS, TRANSACTIONS
from offchain.errors import SubmissionConflict
from offchain.types import AccountId, TxHash, Wei

NO_COST: Final = Wei(0)


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


SETTLED: Final = (TxStatus.MINED, TxStatus.REVERTED)  # seen in a block


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
    cost_wei: Wei = NO_COST  # the most it can take from the account: value and gas


class Journal:
    """A role's durable memory; its processes share it, on one machine or on several."""

    def __init__(self, place: Place | Path) -> None:
        self.place = place if isinstance(place, Place) else Place(place)
        self._database = Database(self.place, SCHEMA)
        self._space = self._database.space
        self.locks = self._database.locks
        with self._database.reading():
            pass  # one that cannot be opened is told at the start

    def close(self) -> None:
        """Release the connections."""
        self._database.close()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Hold the write lock over several statements; on an exception nothing has changed."""
        with self._database.writing():
            yield

    def get_step(self, key: StepKey) -> Step | None:
        """Return a step, or None if it was never begun."""
        query = select(STEPS.c.status, STEPS.c.detail).where(self._is_key(STEPS, key))
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else Step(key, StepStatus(row.status), json.loads(row.detail))

    def is_done(self, key: StepKey) -> bool:
        """Whether a step is done; the chain may still have undone it since."""
        step = self.get_step(key)
        return step is not None and step.status is StepStatus.DONE

    def is_given_up(self, key: StepKey) -> bool:
        """Whether a step was refused for good."""
        step = self.get_step(key)
        return step is not None and step.status is StepStatus.GIVEN_UP

    def get_given_up(self, role: str) -> frozenset[StepKey]:
        """Return the steps of a role that were refused for good."""
        s = STEPS.c
        query = select(s.job, s.step).where(
            s.space == self._space, s.role == role, s.status == StepStatus.GIVEN_UP
        )
        with self._database.reading() as connection:
            return frozenset(StepKey(role, r.job, r.step) for r in connection.execute(query))

    def put_step(
        self, key: StepKey, status: StepStatus, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Record a step's status; without `detail` the stored detail stays."""
        text = None if detail is None else json.dumps(dict(detail), sort_keys=True)
        changed = {"status": status} if text is None else {"status": status, "detail": text}
        statement = self._database.insert(STEPS).values(
            space=self._space,
            role=key.role,
            job=key.job,
            step=key.step,
            status=status,
            detail=text or "{}",
        )
        statement = statement.on_conflict_do_update(
            index_elements=["space", "role", "job", "step"], set_=changed
        )
        with self._database.writing() as connection:
            connection.execute(statement)

    def get_steps(
        self,
        role: str,
        job: str | None = None,
        begins: str = "",
        status: StepStatus | None = None,
    ) -> tuple[Step, ...]:
        """Return a role's steps in the order in which they were begun.

        Of one job, whose name begins so, of one status: each where it is given.
        """
        query = (
            select(STEPS)
            .where(STEPS.c.space == self._space, STEPS.c.role == role)
            .order_by(STEPS.c.id)
        )
        if job is not None:
            query = query.where(STEPS.c.job == job)
        if begins:
            query = query.where(STEPS.c.step.startswith(begins, autoescape=True))
        if status is not None:
            query = query.where(STEPS.c.status == status)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Step(StepKey(r.role, r.job, r.step), StepStatus(r.status), json.loads(r.detail))
            for r in rows
        )

    def put_transaction(self, tx: StoredTransaction) -> None:
        """Store a signed transaction; call it before the first broadcast.

        Raises SubmissionConflict, and stores nothing, where another step's transaction holds the
        nonce or the step is on its way under another nonce: whatever became of a lock, two
        processes never send two transactions for one step.
        """
        values = {
            "space": self._space,
            "role": tx.key.role,
            "job": tx.key.job,
            "step": tx.key.step,
            "account": tx.account,
            "nonce": tx.nonce,
            "hash": tx.hash,
            "raw": tx.raw,
            "label": tx.label,
            "max_fee": str(tx.fees.max_fee_wei),
            "tip": str(tx.fees.tip_wei),
            "cost": str(tx.cost_wei),
            "sent_block": tx.sent_block,
            "status": tx.status,
        }
        statement = self._database.insert(TRANSACTIONS).values(values)
        # Signing is deterministic: a refused transaction signed again is the same bytes.
        statement = statement.on_conflict_do_update(
            index_elements=["space", "hash"],
            set_={name: values[name] for name in ("role", "job", "step", "sent_block", "status")},
        )
        with self._database.writing() as connection:
            self._verify_free(connection, tx)
            connection.execute(statement)

    def _verify_free(self, connection: Connection, tx: StoredTransaction) -> None:
        t = TRANSACTIONS.c
        is_step = self._is_key(TRANSACTIONS, tx.key)
        is_nonce = and_(t.account == tx.account, t.nonce == tx.nonce)
        in_flight = t.status.in_([TxStatus.SIGNED, TxStatus.MINED])
        query = select(t.job, t.step, t.nonce).where(
            t.space == self._space,
            or_(
                and_(is_nonce, ~is_step, t.status != TxStatus.LOST),
                and_(is_step, t.account == tx.account, t.nonce != tx.nonce, in_flight),
            ),
        )
        row = connection.execute(query).first()
        if row is not None:
            raise SubmissionConflict(
                f"{tx.key.step} of job {tx.key.job}, nonce {tx.nonce}: "
                f"{row.step} of job {row.job} was signed with nonce {row.nonce}"
            )

    def set_transaction_status(self, tx_hash: str, status: TxStatus) -> None:
        """Record what the chain says about a stored transaction."""
        t = TRANSACTIONS.c
        statement = update(TRANSACTIONS).where(t.space == self._space, t.hash == tx_hash)
        with self._database.writing() as connection:
            connection.execute(statement.values(status=status))

    def get_transactions(self, key: StepKey) -> tuple[StoredTransaction, ...]:
        """Return a step's transactions, oldest first."""
        return self._select(self._is_key(TRANSACTIONS, key))

    def get_sent_jobs(self, role: str, step: str) -> frozenset[str]:
        """Return the jobs of which a step was signed and its transaction may still count."""
        t = TRANSACTIONS.c
        query = select(t.job).where(
            t.space == self._space,
            t.role == role,
            t.step == step,
            t.status.in_([TxStatus.SIGNED, TxStatus.MINED]),
        )
        with self._database.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def get_unsettled_transactions(self, account: str) -> tuple[StoredTransaction, ...]:
        """Return an account's transactions whose fate is not known, by nonce."""
        t = TRANSACTIONS.c
        return self._select(and_(t.account == account, t.status == TxStatus.SIGNED))

    def get_highest_nonce(self, account: str) -> int | None:
        """Return the highest nonce in use by a transaction that is not lost."""
        t = TRANSACTIONS.c
        query = select(func.max(t.nonce)).where(
            t.space == self._space, t.account == account, t.status != TxStatus.LOST
        )
        with self._database.reading() as connection:
            highest = connection.execute(query).scalar_one()
        return None if highest is None else int(highest)

    def get_highest_settled_nonce(self, account: str) -> int | None:
        """Return the highest nonce of a transaction that a block was seen to hold."""
        t = TRANSACTIONS.c
        query = select(func.max(t.nonce)).where(
            t.space == self._space, t.account == account, t.status.in_(SETTLED)
        )
        with self._database.reading() as connection:
            highest = connection.execute(query).scalar_one()
        return None if highest is None else int(highest)

    def reopen_transactions(self, account: str, first: int) -> None:
        """Note that no block holds the transactions from nonce `first` on any more."""
        t = TRANSACTIONS.c
        undone = and_(
            t.space == self._space,
            t.account == account,
            t.nonce >= first,
            t.status.in_(SETTLED),
        )
        with self._database.writing() as connection:
            connection.execute(update(TRANSACTIONS).where(undone).values(status=TxStatus.SIGNED))

    def get_nonces(self, account: str, first: int) -> frozenset[int]:
        """Return the nonces from `first` on that stored transactions hold."""
        t = TRANSACTIONS.c
        query = select(t.nonce).where(
            t.space == self._space,
            t.account == account,
            t.nonce >= first,
            t.status != TxStatus.LOST,
        )
        with self._database.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def increment(self, counter: str) -> int:
        """Add one to a durable counter and return it."""
        statement = self._database.insert(COUNTERS).values(space=self._space, name=counter, value=1)
        statement = statement.on_conflict_do_update(
            index_elements=["space", "name"], set_={"value": COUNTERS.c.value + 1}
        ).returning(COUNTERS.c.value)
        with self._database.writing() as connection:
            return int(connection.execute(statement).scalar_one())

    def get_counter(self, counter: str) -> int:
        """Return a durable counter, 0 if it was never incremented."""
        c = COUNTERS.c
        query = select(c.value).where(c.space == self._space, c.name == counter)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar() or 0)

    def _is_key(self, table: Table, key: StepKey) -> ColumnElement[bool]:
        return and_(
            table.c.space == self._space,
            table.c.role == key.role,
            table.c.job == key.job,
            table.c.step == key.step,
        )

    def _select(self, where: ColumnElement[bool]) -> tuple[StoredTransaction, ...]:
        t = TRANSACTIONS.c
        query = select(TRANSACTIONS).where(t.space == self._space, where).order_by(t.nonce, t.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            StoredTransaction(
                key=StepKey(r.role, r.job, r.step),
                account=AccountId(r.account),
                nonce=r.nonce,
                hash=TxHash(r.hash),
                raw=bytes(r.raw),
                label=r.label,
                fees=Fees(Wei(int(r.max_fee)), Wei(int(r.tip))),
                sent_block=r.sent_block,
                status=TxStatus(r.status),
                cost_wei=Wei(int(r.cost)),
            )
            for r in rows
        )
