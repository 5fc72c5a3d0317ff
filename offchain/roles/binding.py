"""Whom a worker serves: only an owner that its settings pin, and only out of jail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from offchain.chain.binding import checksum
from offchain.chain.journal import StepKey
from offchain.roles.base import OF, BaseRole
from offchain.roles.context import ACCOUNT_JOB
from offchain.types import Address, JobId, ProtocolTime, Standing

ACCEPT_OWNER: Final = "accept-owner"
UNJAIL: Final = "unjail"


class WorkerMoves:
    """Binds a worker to its owner and leads it out of jail."""

    def __init__(self, role: BaseRole) -> None:
        self._role = role
        self._context = role.context
        self._vault = role.context.contracts.vault
        self._account = str(role.context.submitter.account)
        self._remembered: tuple[Address | None, Standing | None] | None = None

    @contextmanager
    def remembered(self) -> Iterator[None]:
        """Ask the chain for owner and standing once inside, not once a job."""
        owner = self.get_owner()
        standing = None if owner is None else self._vault.get_standing(owner)
        self._remembered = (owner, standing)
        try:
            yield
        finally:
            self._remembered = None

    def get_owner(self) -> Address | None:
        """Return the owner whose stake this worker's jobs lock, or None.

        A worker that somebody else has talked into its service serves nobody.
        """
        if self._remembered is not None:
            return self._remembered[0]
        owner = self._vault.get_owner_of(self._account)
        pinned = self._get_pinned()
        return owner if pinned is None or pinned == owner else None

    def may_take_jobs(self) -> bool:
        """Whether there is an owner to serve, and it is not in jail."""
        owner = self.get_owner()
        if owner is None:
            key = self._context.key(ACCOUNT_JOB, ACCEPT_OWNER)
            self._context.put_off(key, "this worker serves no owner: no job is taken")
            return False
        return self._get_standing(owner).jailed_until == 0

    def compute_steps(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return the consent to the pinned owner, or the way out of jail, where one is due."""
        owner = self.get_owner()
        if owner is None:
            return self._compute_consent()
        standing = self._get_standing(owner)
        if not _can_leave(standing, time):
            return ()
        # Named by the term: each jail is left once.
        return (self._context.key(ACCOUNT_JOB, f"{UNJAIL}{OF}{standing.jailed_until}"),)

    def _compute_consent(self) -> tuple[StepKey, ...]:
        pinned = self._get_pinned()
        if pinned is None or self._vault.get_proposed_worker(pinned) != self._account:
            return ()
        if self._vault.get_served_owner(self._account) not in (None, pinned):
            return ()  # an address serves one owner in its life
        # A worker may leave and come back: numbered by its own count of transactions.
        number = self._context.journal.get_counter(ACCEPT_OWNER)
        return (self._context.key(ACCOUNT_JOB, f"{ACCEPT_OWNER}{OF}{number}"),)

    def accept_owner(self, _: JobId, key: StepKey) -> None:
        """Agree to work for the pinned owner; nobody else is ever served."""
        pinned = self._get_pinned()
        if pinned is None or not self._compute_consent():
            return
        receipt = self._context.submitter.submit(key, self._vault.build_accept_owner(pinned))
        self._context.journal.increment(ACCEPT_OWNER)
        self._context.log.event("owner-accepted", owner=pinned, tx=receipt.tx_hash)

    def unjail(self, _: JobId, key: StepKey) -> None:
        """Leave jail."""
        receipt = self._context.submitter.submit(key, self._vault.build_unjail())
        self._context.log.event("left-jail", tx=receipt.tx_hash)

    def _get_standing(self, owner: Address) -> Standing:
        standing = None if self._remembered is None else self._remembered[1]
        return self._vault.get_standing(owner) if standing is None else standing

    def _get_pinned(self) -> Address | None:
        owner = self._context.settings.owner
        return checksum(owner) if owner else None


def _can_leave(standing: Standing, time: ProtocolTime) -> bool:
    return 0 < standing.jailed_until <= time.now
