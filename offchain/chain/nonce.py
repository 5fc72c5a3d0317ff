"""Nonces for one account that several processes may sign for."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offchain.chain.client import ChainClient
from offchain.chain.journal import Journal
from offchain.types import AccountId


class NonceManager:
    """Hands out one nonce at a time, under a file lock that a killed process cannot keep."""

    def __init__(self, client: ChainClient, journal: Journal, account: AccountId) -> None:
        self._client = client
        self._journal = journal
        self._account = account
        self._lock = journal.path.parent / f"nonce-{client.chain_id}-{account}.lock"

    @contextmanager
    def reserve(self) -> Iterator[int]:
        """Yield the next nonce; store and broadcast its transaction before leaving.

        The next nonce is the chain's own count or, where the journal holds a signed transaction
        that the pool has forgotten, one above it: a stored transaction is never overwritten.
        """
        with _held(self._lock):
            stored = self._journal.get_highest_nonce(self._account)
            on_chain = self._client.get_nonce(self._account)
            yield on_chain if stored is None else max(on_chain, stored + 1)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
