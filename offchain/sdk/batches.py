"""Results of a session on chain: the batch that holds a request's result, found and verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from offchain.chain.contracts.session_market import BATCH_COMMITTED
from offchain.chain.job_ids import id_bytes
from offchain.chain.session_ids import build_job_terms, compute_batch_id
from offchain.commit.batch_tree import compute_leaf, compute_path, compute_root
from offchain.errors import JobEnded, TermsMismatch
from offchain.sdk.connection import Connection
from offchain.types import BatchId, BatchLeaf, CommittedBatch, SessionRequest, SessionTerms

OVERTAKEN: Final = "overtaken"
OVERTAKEN_BY: Final = "its nonce was answered for another input; nothing was paid for this one"


@dataclass(frozen=True)
class Inclusion:
    """A result in a batch, with what proves that it is there."""

    batch: CommittedBatch
    leaf: BatchLeaf
    path: Sequence[bytes]  # siblings, from the leaf up

    @property
    def batch_id(self) -> BatchId:
        """Return the batch's id."""
        return self.batch.id


def find_inclusion(
    connection: Connection, request: SessionRequest, terms: SessionTerms
) -> Inclusion | None:
    """Return where the result of a request is committed, or None.

    Raises TermsMismatch where a node tells results that do not hash to their batch, and JobEnded
    where the nonce went to another request: its result says nothing about this one's input.
    """
    sessions = connection.sessions
    if not sessions.is_nonce_used(request.session, request.nonce):
        return None
    topics = [sessions.abi.get_topic(BATCH_COMMITTED), request.session]
    first, last = connection.manifest.first_block, connection.client.get_head().number
    logs = connection.client.collect_logs([sessions.address], first, last, topics)
    for event in filter(None, map(sessions.abi.decode_event, logs)):
        batch = sessions.read_committed(event)
        for leaf in batch.leaves:
            if leaf.nonce == request.nonce:
                inclusion = _prove(connection, batch, leaf, terms)
                if leaf.in_digest != request.in_digest:
                    raise JobEnded(f"of nonce {leaf.nonce}", OVERTAKEN, OVERTAKEN_BY)
                return inclusion
    return None  # mined a moment ago: the next look finds its log


def _prove(
    connection: Connection, batch: CommittedBatch, leaf: BatchLeaf, terms: SessionTerms
) -> Inclusion:
    market = connection.contracts.market
    leaves = []
    for other in batch.leaves:
        job = market.compute_job_id(
            build_job_terms(batch.session, terms, other.nonce, other.in_digest)
        )
        leaves.append(compute_leaf(id_bytes(job), other.out_digest))
    root = compute_root(leaves)
    found = compute_batch_id(batch.session, root)
    if root != batch.root or found != batch.id:
        raise TermsMismatch(batch.id, found)
    return Inclusion(batch, leaf, compute_path(leaves, leaf.index))
