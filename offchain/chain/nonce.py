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

        The next nonce is the first that neither the node, its pool included, nor a signed
        transaction of the journal holds: nothing stored or pooled is ever overwritten, and one that
        was refused leaves no gap behind which everything later would wait for ever.
        """
        with self._journal.locks.hold(self._lock):
            settled = self._journal.get_highest_settled_nonce(self._account)
            nonce = self._client.get_nonce(self._account)
            nonce = nonce if settled is None else max(nonce, settled + 1)  # a node may be behind
            stored = self._journal.get_nonces(self._account, nonce)
            while nonce in stored:
                nonce += 1
            yield nonce

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
