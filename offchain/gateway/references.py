"""Who still needs a stored tensor: jobs and batches on chain, orders and requests here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from offchain.types import BatchId, Digest, JobId, OrderHash, Seconds, SessionId


@dataclass(frozen=True)
class Use:
    """How a digest is used; `ended_at` is of the protocol's clock, or a block's timestamp.

    A block's timestamp is at or after the protocol's clock at that block, so content is never
    dropped too early by it.
    """

    is_live: bool = False  # something that is not final names it
    ended_at: Seconds | None = None  # when the last thing that named it became final


UNUSED: Final = Use()


class References(Protocol):
    """Something that names digests."""

    def find_use(self, digest: Digest) -> Use:
        """Return whether anything live names a digest as input or output, and when the last ended.

        Raises OffchainError where it cannot tell: then nothing is dropped.
        """
        ...


@dataclass(frozen=True)
class OrderFate:
    """What became of an order on chain."""

    job: JobId | None = None
    is_cancelled: bool = False


@dataclass(frozen=True)
class LeafFate:
    """A request's result on chain: a leaf of a batch."""

    batch: BatchId
    index: int
    out_digest: Digest
    job: JobId


class IndexView(References, Protocol):
    """What the gateway's own parts ask the index of the chain."""

    def find_orders(self, hashes: Sequence[OrderHash]) -> Mapping[OrderHash, OrderFate]:
        """Return what became of those orders that events name."""
        ...

    def find_leaves(self, session: SessionId, nonces: Sequence[int]) -> Mapping[int, LeafFate]:
        """Return the results of those nonces that batches hold."""
        ...


def merge_uses(uses: Iterable[Use]) -> Use:
    """Return what several sources know together."""
    found = tuple(uses)
    ends = [use.ended_at for use in found if use.ended_at is not None]
    return Use(any(use.is_live for use in found), max(ends, default=None))
