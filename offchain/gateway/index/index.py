"""The index of one deployment: it follows the head, and answers what it has read so far."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offchain.chain.abi import ContractAbi
from offchain.chain.client import ChainClient
from offchain.chain.cursor import EventCursor
from offchain.chain.database import Database, Place
from offchain.chain.event_store import Position, compute_deployment_key
from offchain.chain.manifest import Manifest
from offchain.chain.rpc import Notify, ignore
from offchain.gateway.index.projection import IndexProjection
from offchain.gateway.index.reader import Reader
from offchain.gateway.index.records import Deployment
from offchain.gateway.index.stream import Broadcaster, Change
from offchain.gateway.index.tables import SCHEMA
from offchain.gateway.references import LeafFate, OrderFate, Use
from offchain.types import (
    Address,
    BatchId,
    BlockStamp,
    Digest,
    JobId,
    OrderHash,
    Seconds,
    SessionId,
)

# Changes with the tables: an index of another form is left alone and read again from the chain.
FORM: Final = 2
WATCHED: Final = (
    "StakeVault", "ModelRegistry", "JobMarket", "DisputeGame", "Guardian", "SessionMarket",
    "OrderBook", "ResultRelay",
)  # fmt: skip
STALE_S: Final = 30.0  # since the chain was last read to its confirmed head


@dataclass(frozen=True)
class Health:
    """How the index stands to the chain."""

    position: Position
    head: BlockStamp | None  # as it was last seen
    is_stale: bool  # the node has not answered, or the index has not caught up, for a while

    @property
    def behind(self) -> int | None:
        """Return how many blocks the index is behind the head."""
        return None if self.head is None else max(self.head.number - self.position.number, 0)


class Index:
    """Tables derived from a deployment's events, in one file that can be deleted at any time."""

    def __init__(
        self,
        folder: Path,
        client: ChainClient,
        manifest: Manifest,
        confirmations: int,
        notify: Notify = ignore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        contracts = list_watched(manifest)
        key = compute_deployment_key(client.chain_id, contracts)
        # Another deployment, or another form of the tables, is another file.
        named = hashlib.sha256(f"{FORM}/{manifest.first_block}/{key}".encode()).hexdigest()[:16]
        place = Place(folder / f"index-{named}.sqlite3")
        self._projection = IndexProjection(
            Deployment(
                client.chain_id,
                manifest.get("JobMarket").address,
                manifest.get("SessionMarket").address,
                notify,
            )
        )
        self._client = client
        self._clock = clock
        self._cursor = EventCursor(
            place, client, contracts, manifest.first_block, confirmations, notify=notify,
            projection=self._projection, schema=SCHEMA,
        )  # fmt: skip
        self._confirmations = confirmations
        self._database = Database(place, SCHEMA)
        self.reader = Reader(self._database, key, manifest.first_block)
        self.changes = Broadcaster()
        self._lock = threading.Lock()  # one step at a time
        self._head: BlockStamp | None = None
        self._followed_at: float | None = None

    def close(self) -> None:
        """Release the database."""
        self._cursor.close()
        self._database.close()

    def advance(self) -> None:
        """Read what is confirmed and undo what a reorganisation took; tell the listeners.

        Raises OffchainError while node or database do not answer; what was read stays readable.
        """
        with self._lock:
            try:
                head = self._client.get_head()
                self._head = head
                last = self._cursor.advance()
                if last >= head.number - (self._confirmations - 1):
                    self._followed_at = self._clock()
            finally:
                self._tell()

    def _tell(self) -> None:
        projection = self._projection
        if not projection.has_changed:
            return
        ids, rewound_to = frozenset(projection.touched), projection.rewound_to
        projection.forget_changes()
        with self.reader.view() as view:
            position = view.as_of
        # Which of a lost branch's jobs are gone is not listed: whoever shows any reads again.
        self.changes.publish(Change(position, ids, rewound_to, rewound_to is not None))

    # What the gateway's own parts ask (`offchain/gateway/references.py`)

    def find_use(self, digest: Digest) -> Use:
        """Return whether anything live names a digest, and when the last thing that did ended."""
        with self.reader.view() as view:
            closed = view.list_uses("0x" + digest.hex())
        ends = [Seconds(end) for end in closed if end is not None]
        return Use(len(ends) < len(closed), max(ends, default=None))

    def find_orders(self, hashes: Sequence[OrderHash]) -> Mapping[OrderHash, OrderFate]:
        """Return what became of those orders that events name."""
        with self.reader.view() as view:
            found = view.find_many("order", hashes)
        return {
            OrderHash(key): OrderFate(record.body["job"], record.body["state"] == "cancelled")
            for key, record in found.items()
        }

    def find_leaves(self, session: SessionId, nonces: Sequence[int]) -> Mapping[int, LeafFate]:
        """Return the results of those nonces that batches hold."""
        with self.reader.view() as view:
            leaves = view.list_session_leaves(session, nonces)
        return {
            leaf.nonce: LeafFate(
                BatchId(leaf.batch),
                leaf.position,
                Digest(bytes.fromhex(leaf.out_digest[2:])),
                JobId(leaf.job),
            )
            for leaf in leaves
        }

    def get_health(self) -> Health:
        """Return how the index stands; raises DatabaseUnavailable."""
        with self.reader.view() as view:
            position = view.as_of
        followed = self._followed_at
        is_stale = followed is None or self._clock() - followed > STALE_S
        return Health(position, self._head, is_stale)


def list_watched(manifest: Manifest) -> Mapping[Address, ContractAbi]:
    """Return the contracts whose events the index reads."""
    found = (manifest.get(name) for name in WATCHED)
    return {deployment.address: deployment.abi for deployment in found}
