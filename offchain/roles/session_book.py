"""Sessions and batches as confirmed events tell them, and as they stand at the head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from offchain.chain.job_ids import id_bytes
from offchain.chain.session_ids import build_job_terms, compute_batch_id
from offchain.commit.batch_tree import compute_leaf, compute_root
from offchain.errors import ContractRevert, NoSuchSession, TermsMismatch
from offchain.types import (
    Batch,
    BatchId,
    BatchLeaf,
    BatchState,
    CommittedBatch,
    Digest,
    JobId,
    JobTerms,
    Session,
    SessionId,
    SessionState,
    SessionTerms,
)

if TYPE_CHECKING:
    from offchain.chain.contracts.job_market import JobMarket
    from offchain.chain.contracts.session_market import SessionMarket
    from offchain.chain.cursor import EventCursor

OPENED: Final = "SessionOpened"
COMMITTED: Final = "BatchCommitted"
UNKNOWN: Final = ("UnknownSession", "UnknownBatch")
SESSION: Final = "session-"  # how the cursor and the journal name them
BATCH: Final = "batch-"


def name_session(session: SessionId) -> str:
    """Return a session's name in cursor and journal."""
    return SESSION + session


def name_batch(batch: BatchId) -> str:
    """Return a batch's name in cursor and journal."""
    return BATCH + batch


class SessionBook:
    """Remembers what never changes: a session's terms, and a batch until a reorganisation."""

    def __init__(self, cursor: EventCursor, sessions: SessionMarket, market: JobMarket) -> None:
        self._cursor = cursor
        self._sessions = sessions
        self._market = market
        self._terms: dict[SessionId, SessionTerms] = {}
        self._batches: dict[BatchId, CommittedBatch] = {}
        self._rewinds = 0

    def list_sessions(self) -> tuple[SessionId, ...]:
        """Return the sessions that live, oldest first."""
        return tuple(SessionId(name) for name in self._list(SESSION))

    def list_batches(self) -> tuple[BatchId, ...]:
        """Return the batches that are not settled, oldest first."""
        return tuple(BatchId(name) for name in self._list(BATCH))

    def get_terms(self, session: SessionId) -> SessionTerms | None:
        """Return a session's terms, or None where no event of it was read.

        Raises TermsMismatch where an event tells terms that do not hash to the session's id.
        """
        if session not in self._terms:
            for event in self._cursor.get_events(OPENED, name_session(session)):
                found, terms = self._sessions.read_opened(event)
                self._terms[found] = terms
        return self._terms.get(session)

    def get_committed(self, batch: BatchId) -> CommittedBatch | None:
        """Return a batch with its leaves, or None where no event of it was read.

        Raises TermsMismatch where its leaves do not hash to the root that its id names, and
        NoSuchSession where no event of its session was read.
        """
        if self._rewinds != self._cursor.rewinds:
            # The same batch may be committed again in another block: its window is another.
            self._batches, self._rewinds = {}, self._cursor.rewinds
        if batch not in self._batches:
            for event in self._cursor.get_events(COMMITTED, name_batch(batch)):
                committed = self._sessions.read_committed(event)
                self._verify(committed)
                self._batches[committed.id] = committed
        return self._batches.get(batch)

    def get_job_terms(self, session: SessionId, nonce: int, in_digest: Digest) -> JobTerms:
        """Return the terms of the job that a request stands for.

        Raises NoSuchSession where no event of the session was read.
        """
        terms = self.get_terms(session)
        if terms is None:
            raise NoSuchSession(session)
        return build_job_terms(session, terms, nonce, in_digest)

    def compute_leaves(self, batch: CommittedBatch) -> tuple[bytes, ...]:
        """Return the leaves of a batch's tree; raises NoSuchSession."""
        return tuple(
            compute_leaf(id_bytes(self.get_job_id(batch.session, leaf)), leaf.out_digest)
            for leaf in batch.leaves
        )

    def get_job_id(self, session: SessionId, leaf: BatchLeaf) -> JobId:
        """Return the id of the job that a batch's result is or becomes; raises NoSuchSession."""
        terms = self.get_job_terms(session, leaf.nonce, leaf.in_digest)
        return self._market.compute_job_id(terms)

    def _verify(self, batch: CommittedBatch) -> None:
        """Raise TermsMismatch unless the results that an event tells are those of its batch."""
        root = compute_root(self.compute_leaves(batch))
        found = compute_batch_id(batch.session, root)
        if root != batch.root or found != batch.id:
            raise TermsMismatch(batch.id, found)

    def find_session(self, session: SessionId) -> Session | None:
        """Return a session at the head, or None where a reorganisation took it."""
        try:
            found = self._sessions.get_session(session)
        except ContractRevert as revert:
            if revert.name not in UNKNOWN:
                raise
            return None
        return None if found.state is SessionState.NONE else found

    def find_batch(self, batch: BatchId) -> Batch | None:
        """Return a batch at the head, or None where a reorganisation took it."""
        try:
            found = self._sessions.get_batch(batch)
        except ContractRevert as revert:
            if revert.name not in UNKNOWN:
                raise
            return None
        return None if found.state is BatchState.NONE else found

    def _list(self, prefix: str) -> tuple[str, ...]:
        live = self._cursor.get_live_jobs()
        return tuple(name.removeprefix(prefix) for name in live if name.startswith(prefix))
