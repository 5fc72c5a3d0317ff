"""The parties of a drill about one quorum: several operators, a client that waits, nobody hurried.

A draw needs blocks, and operators wait for each other in blocks: where nobody acts some are mined,
and where that moves nobody either, the clock moves on to the next deadline.
"""

from __future__ import annotations

from typing import Any, Final

from offchain.cli.drill.company import FEE_WEI, MOST_ROUNDS, Company
from offchain.errors import OffchainError
from offchain.roles.base import BaseRole
from offchain.roles.deadlines import list_deadlines, list_quorum_deadlines
from offchain.roles.quorum_book import QuorumBook, name_quorum
from offchain.roles.quorum_order import place_quorum, put_input
from offchain.submit.models import encode_input
from offchain.types import ETH, Amount, JobId, Quorum, QuorumId, QuorumTerms

IDLE_BLOCKS: Final = 3  # mined where nobody acts: the beacon's delay, or others' turns
ENLIST_ROUNDS: Final = 6
NAMES: Final = ("first", "second", "third", "fourth", "fifth")


class QuorumCompany(Company):
    """One drill's parties about one quorum."""

    quorum: QuorumId | None = None

    def hire_all(self, faults: tuple[str, ...], **settings: Any) -> tuple[BaseRole, ...]:
        """Add an operator for each fault, "" for an honest one; all enlist for the version."""
        settings = {"replicas": "0x" + self.offer.version.hex(), "min_fee_wei": 1, **settings}
        hired = []
        for name, fault in zip(NAMES, faults, strict=False):
            role = self.hire(fault, name, **settings)
            hired.append(role)
        for _ in range(ENLIST_ROUNDS):
            if not self.tick_all():
                break
        return tuple(hired)

    def order_quorum(self, count: int = 3, is_audited: bool = False) -> QuorumId:
        """Have a client order replicas of the offered sample."""
        if "client" not in self.addresses:
            self.create("client")
        account, context = self.open_account("client"), self.open_context("client", "client")
        model = context.versions.reproduce(self.offer.version).model
        raw = encode_input(model, self.offer.sample)
        digest = context.content.put(raw, model.input_bits, model.input_shape)
        terms = QuorumTerms(
            client=account.address,
            version=self.offer.version,
            in_digest=digest,
            token=ETH,
            fee=FEE_WEI,
            count=count,
            insured=Amount(0),
            is_audited=is_audited,
            salt=1,
        )
        put_input(context.content, model, raw, terms)
        self.quorum, _ = place_quorum(account, terms)
        self.jobs.add(name_quorum(self.quorum))
        return self.quorum

    def play(self) -> None:
        """Let everybody act until nobody has anything to do and no deadline is left."""
        for _ in range(MOST_ROUNDS):
            if self.tick_all():
                continue
            self.world.anvil.mine(IDLE_BLOCKS, 1)
            if not self.tick_all() and not self.skip():
                return
        raise OffchainError(f"the drill did not end within {MOST_ROUNDS} rounds")

    def tick(self, name: str) -> bool:
        """Let one role do what is due, replicas that became jobs included."""
        self.jobs.update(self.list_replica_jobs())
        return super().tick(name)

    def list_replica_jobs(self) -> tuple[JobId, ...]:
        """Return the ids of the jobs that the replicas drawn are, or would be."""
        if self.quorum is None:
            return ()
        book = QuorumBook(self.world.client.chain_id, self.world.contracts)
        found = book.find(self.quorum)
        return (
            ()
            if found is None
            else tuple(book.get_job_id(found, index) for index in range(len(found.replicas)))
        )

    def read_quorum(self) -> Quorum:
        """Return the quorum at the head."""
        if self.quorum is None:
            raise OffchainError("no quorum was ordered")
        return self.world.contracts.quorum.get_quorum(self.quorum)

    def skip(self) -> bool:
        """Move the clock to just after the next deadline of quorum or jobs, if there is one."""
        contracts = self.world.contracts
        now = contracts.market.get_time().now
        times = [] if self.quorum is None else [*list_quorum_deadlines(contracts, self.quorum)]
        cursor = next(iter(self.roles.values())).context.cursor
        for job in self.list_replica_jobs():
            times += list_deadlines(contracts, cursor, job)
        ahead = [when for when in times if when >= now]
        if not ahead:
            return False
        head = self.world.client.get_head().timestamp
        self.world.anvil.jump_to(head + min(ahead) - now + 1)
        return True
