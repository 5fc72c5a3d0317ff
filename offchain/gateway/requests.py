"""Signed requests of sessions and their results: checked, kept, and followed into their batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from offchain.chain.database import Database
from offchain.chain.job_ids import compute_job_id
from offchain.chain.session_ids import build_job_terms
from offchain.chain.typed_data import build_request
from offchain.gateway.chain_view import ChainClock, ChainView
from offchain.gateway.config import Limits
from offchain.gateway.faults import Refused, Unknown
from offchain.gateway.receipts import ReceiptBook
from offchain.gateway.references import UNUSED, IndexView, LeafFate, Use
from offchain.gateway.signatures import verify_key_signature
from offchain.gateway.tables import REQUESTS
from offchain.types import (
    BatchId,
    Digest,
    JobId,
    Seconds,
    Session,
    SessionId,
    SessionRequest,
    SessionState,
)

OPEN: Final = "open"
SERVED: Final = "served"
EXPIRED: Final = "expired"
# Served and expired ones stay for a while, too: so many times as many that no batch holds.
KEPT: Final = 4
CHUNK: Final = 500  # requests followed in one query
UNSETTLED_S: Final = 600  # protocol's clock: so long a reorganisation may change an end


@dataclass(frozen=True)
class KnownRequest:
    """A request with its client's signature (64 bytes) and what became of it."""

    session: SessionId
    nonce: int
    in_digest: str
    valid_until: int
    signature: str
    job: JobId
    state: str
    out_digest: str | None  # of the batch's leaf, or of the first signed result
    batch: BatchId | None


class RequestBoard:
    """Requests that operators of sessions serve."""

    def __init__(
        self,
        database: Database,
        chain: ChainView,
        clock: ChainClock,
        limits: Limits,
        receipts: ReceiptBook,
    ) -> None:
        self._database, self._chain, self._clock, self._limits = database, chain, clock, limits
        self._receipts = receipts
        self._space = database.space

    # Sessions

    def get_session(self, name: SessionId) -> Session:
        """Return a session as the chain has it; raises Unknown."""
        session = self._chain.find_session(name)
        if session is None:
            raise Unknown(f"no session {name} on chain")
        return session

    def count(self, session: SessionId) -> Mapping[str, int]:
        """Return how many requests of a session are in each state."""
        r = REQUESTS.c
        query = (
            select(r.state, func.count())
            .where(r.space == self._space, r.session == session)
            .group_by(r.state)
        )
        with self._database.reading() as connection:
            found = {row[0]: int(row[1]) for row in connection.execute(query)}
        return {state: found.get(state, 0) for state in (OPEN, SERVED, EXPIRED)}

    # Requests

    def post(self, request: SessionRequest, signature: bytes) -> tuple[KnownRequest, bool]:
        """Keep a request; return it, and whether it was not known.

        Raises Unknown, SignatureRefused, and Refused where its operator could not serve it.
        """
        session = self.get_session(request.session)
        message = build_request(self._chain.chain_id, self._chain.sessions, request)
        signed = verify_key_signature(message, signature, session.terms.signer)
        known = self._find(request.session, request.nonce)
        if known is not None:
            asked = ("0x" + request.in_digest.hex(), int(request.valid_until))
            if (known.in_digest, known.valid_until) != asked:
                raise Refused(f"nonce {request.nonce} is another request's", nonce=request.nonce)
            return known, False
        self._check(session, request)
        terms = build_job_terms(session.id, session.terms, request.nonce, request.in_digest)
        job = compute_job_id(self._chain.chain_id, self._chain.market, terms)
        return self._insert(request, "0x" + signed.to_compact().hex(), job), True

    def get(self, session: SessionId, nonce: int) -> KnownRequest:
        """Return a request; raises Unknown."""
        known = self._find(session, nonce)
        if known is None:
            raise Unknown(f"no request {nonce} of session {session}")
        return known

    def list(
        self, session: SessionId, state: str | None, after: int, limit: int
    ) -> Sequence[KnownRequest]:
        """Return at most `limit` requests with a greater nonce than `after`, in their order."""
        r = REQUESTS.c
        condition = (r.session == session) & (r.nonce > after)
        if state is not None:
            condition &= r.state == state
        if state == OPEN:
            condition &= r.valid_until >= self._clock.now
        return self._read(condition, limit)

    # Results

    def post_result(
        self, name: SessionId, nonce: int, out_digest: Digest, signature: bytes
    ) -> tuple[KnownRequest, bool]:
        """Keep an operator's signed result of a request; return it, and whether it was not known.

        Raises Unknown, SignatureRefused and Refused.
        """
        known = self.get(name, nonce)
        operator = self.get_session(name).terms.operator
        is_added = self._receipts.put(known.job, operator, out_digest, signature)
        if known.state != SERVED:
            r = REQUESTS.c
            is_own = (r.space == self._space) & (r.session == name) & (r.nonce == nonce)
            values = {
                "state": SERVED, "out_digest": "0x" + out_digest.hex(),
                "settled_at": self._clock.now,
            }  # fmt: skip
            with self._database.writing() as connection:
                is_unserved = is_own & (r.state != SERVED)
                connection.execute(update(REQUESTS).where(is_unserved).values(values))
        return self.get(name, nonce), is_added

    # What becomes of them

    def find_use(self, digest: Digest) -> Use:
        """Return whether a request that can still get into a batch names a digest.

        A request that is in one is a matter of the chain, and of its index.
        """
        r, text = REQUESTS.c, "0x" + digest.hex()
        query = (
            select(func.count(), func.max(r.valid_until))
            .where(r.space == self._space, r.batch.is_(None))
            .where(or_(r.in_digest == text, r.out_digest == text))
        )
        with self._database.reading() as connection:
            count, last = connection.execute(query).one()
        if not count:
            return UNUSED
        return Use(is_live=last >= self._clock.now, ended_at=Seconds(last))

    def follow(self, index: IndexView) -> None:
        """Learn which results batches hold, and again where a block may yet go."""
        r, since = REQUESTS.c, self._clock.now - UNSETTLED_S
        is_due = or_(r.state == OPEN, and_(r.state == SERVED, r.batch.is_(None)))
        is_due = or_(is_due, r.settled_at > since)
        after: tuple[str, int] = ("", -1)
        while True:
            is_later = or_(r.session > after[0], and_(r.session == after[0], r.nonce > after[1]))
            known = self._read(and_(is_due, is_later), CHUNK)
            if not known:
                return
            for session, group in groupby(known, key=lambda request: request.session):
                own = list(group)
                self._settle(own, index.find_leaves(session, [one.nonce for one in own]))
            after = (known[-1].session, known[-1].nonce)

    def purge(self, before: int) -> int:
        """Drop requests that were valid until before a time; return how many."""
        r = REQUESTS.c
        is_over = (r.space == self._space) & (r.valid_until < before)
        with self._database.writing() as connection:
            return int(connection.execute(delete(REQUESTS).where(is_over)).rowcount)

    def _check(self, session: Session, request: SessionRequest) -> None:
        now = self._clock.now
        is_closing = session.state is SessionState.CLOSING and now <= session.closes_at
        if session.state is not SessionState.OPEN and not is_closing:
            raise Refused("the session takes no requests", state=session.state.name.lower())
        last = now + self._limits.longest_validity_s
        if not now <= request.valid_until <= last:
            told = f"validUntil is between {now} and {last}"
            raise Refused(told, validUntil=int(request.valid_until), now=now, last=last)
        if session.deposit < session.terms.fee:
            raise Refused("the deposit is used up", deposit=str(session.deposit))
        if self._chain.is_nonce_used(session.id, request.nonce):
            raise Refused(f"nonce {request.nonce} was used on chain", nonce=request.nonce)

    def _insert(self, request: SessionRequest, signature: str, job: JobId) -> KnownRequest:
        r, most = REQUESTS.c, self._limits.requests_per_session
        own = (r.space == self._space) & (r.session == request.session)
        unsettled = select(func.count()).where(own, r.batch.is_(None))
        with self._database.writing() as connection:
            waiting = unsettled.where(r.state == OPEN)
            if connection.execute(waiting).scalar_one() >= most:
                raise Refused(f"{most} requests of the session wait already", limit=most)
            if connection.execute(unsettled).scalar_one() >= KEPT * most:
                told = f"{KEPT * most} requests of the session are in no batch"
                raise Refused(told, limit=KEPT * most)
            connection.execute(
                self._database.insert(REQUESTS)
                .values(
                    space=self._space,
                    session=request.session,
                    nonce=request.nonce,
                    in_digest="0x" + request.in_digest.hex(),
                    valid_until=int(request.valid_until),
                    signature=signature,
                    job=job,
                    state=OPEN,
                    settled_at=0,
                    received_at=self._clock.now,
                )
                .on_conflict_do_nothing()
            )
        return self.get(request.session, request.nonce)

    def _settle(self, known: Sequence[KnownRequest], leaves: Mapping[int, LeafFate]) -> None:
        """Store what changed."""
        now = self._clock.now
        receipts = self._receipts.get_all([request.job for request in known])
        changes: list[tuple[KnownRequest, dict[str, Any]]] = []
        for request in known:
            signed = receipts.get(request.job, ())
            first = signed[0].out_digest if signed else None
            state, out_digest, batch = _compute_end(request, leaves.get(request.nonce), first, now)
            if (state, out_digest, batch) != (request.state, request.out_digest, request.batch):
                settled = 0 if state == OPEN else now
                ends = {"state": state, "out_digest": out_digest, "batch": batch}
                changes.append((request, {**ends, "settled_at": settled}))
        if not changes:
            return
        r = REQUESTS.c
        with self._database.writing() as connection:
            for request, values in changes:
                is_own = (r.session == request.session) & (r.nonce == request.nonce)
                connection.execute(
                    update(REQUESTS).where(r.space == self._space, is_own).values(values)
                )

    def _find(self, session: SessionId, nonce: int) -> KnownRequest | None:
        r = REQUESTS.c
        found = self._read((r.session == session) & (r.nonce == nonce), 1)
        return found[0] if found else None

    def _read(self, condition: ColumnElement[bool], limit: int) -> Sequence[KnownRequest]:
        r = REQUESTS.c
        query = (
            select(REQUESTS)
            .where(r.space == self._space, condition)
            .order_by(r.session, r.nonce)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [_request(row) for row in connection.execute(query)]


def _compute_end(
    request: KnownRequest, leaf: LeafFate | None, signed: str | None, now: int
) -> tuple[str, str | None, BatchId | None]:
    if leaf is not None:
        return SERVED, "0x" + leaf.out_digest.hex(), leaf.batch
    if signed is not None:
        return SERVED, signed, None
    return (EXPIRED if request.valid_until < now else OPEN), None, None


def _request(row: Any) -> KnownRequest:
    return KnownRequest(
        session=SessionId(row.session),
        nonce=row.nonce,
        in_digest=row.in_digest,
        valid_until=row.valid_until,
        signature=row.signature,
        job=JobId(row.job),
        state=row.state,
        out_digest=row.out_digest,
        batch=None if row.batch is None else BatchId(row.batch),
    )
