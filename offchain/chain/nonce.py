"""Nonces for one account that several processes, on several machines, may sign for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from offchain.chain.client import ChainClient
from offchain.chain.journal import Journal
from offchain.errors import UnknownPending
from offchain.types import AccountId


class NonceManager:
    """Hands out one nonce at a time, under a lock that a killed process cannot keep."""

    def __init__(self, client: ChainClient, journal: Journal, account: AccountId) -> None:
        self._client = client
        self._journal = journal
        self._account = account
        # Roles that share a server and an account take turns too: no role's name is in it.
        self._lock = f"nonce-{client.chain_id}-{account}"

    @contextmanager
    def reserve(self) -> Iterator[int]:
        """Yield the next nonce; store and broadcast its transaction before leaving.

        The next nonce is the node's own count, its pool included, or, where the journal holds a
        signed transaction that the pool has forgotten, one above it: neither a stored nor a
        pooled transaction is ever overwritten.
        """
        with self._journal.locks.hold(self._lock):
            stored = self._journal.get_highest_nonce(self._account)
            on_chain = self._client.get_nonce(self._account)
            yield on_chain if stored is None else max(on_chain, stored + 1)

    def verify_pool_is_known(self) -> None:
        """Raise UnknownPending when the pool has transactions that this journal did not sign.

        After a lost journal they may be the very step that is about to be signed again.
        """
        mined = self._client.get_mined_nonce(self._account)
        pooled = range(mined, self._client.get_nonce(self._account))
        if pooled:
            unknown = sorted(set(pooled) - self._journal.get_nonces(self._account, mined))
            if unknown:
                raise UnknownPending(self._account, unknown)
