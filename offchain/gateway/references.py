"""Who still needs a stored tensor: jobs and batches on chain, orders and requests here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from offchain.types import Digest, Seconds


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


def merge_uses(uses: Iterable[Use]) -> Use:
    """Return what several sources know together."""
    found = tuple(uses)
    ends = [use.ended_at for use in found if use.ended_at is not None]
    return Use(any(use.is_live for use in found), max(ends, default=None))
