"""The parties of one drill: real roles with fresh accounts, on a chain that mines at every step.

Nobody waits here: where no role has anything to do, the chain's clock moves on to the next
deadline. So a drill that takes minutes of block time takes seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from offchain.chain.anvil import BLOCK_S
from offchain.chain.journal import StepKey
from offchain.cli.demo.ledger import Ledger, Snapshot, Transaction
from offchain.cli.demo.narrator import ETHER
from offchain.cli.demo.world import World
from offchain.errors import ContractRevert, OffchainError
from offchain.params.settings import Settings
from offchain.roles.account import Account
from offchain.roles.base import OF, BaseRole
from offchain.roles.build import DRILLS
from offchain.roles.challenger import Challenger
from offchain.roles.client import Client, Request
from offchain.roles.context import ACCOUNT_JOB, Context
from offchain.roles.deadlines import list_deadlines
from offchain.roles.drills import CarelessClient
from offchain.roles.opening import open_context
from offchain.roles.operator import Operator
from offchain.submit.models import encode_input
from offchain.types import Amount, JobId, VersionId

MOST_ROUNDS: Final = 200  # of a drill, in each of which every role does what is due
STAKE_WEI: Final = ETHER
FEE_WEI: Final = Amount(ETHER // 1000)
ORDER: Final = "order"


@contextmanager
def instant_blocks(world: World) -> Iterator[None]:
    """Mine at every transaction inside, and by the clock again afterwards."""
    rpc = world.anvil.rpc
    rpc.request("evm_setIntervalMining", 0)
    rpc.request("evm_setAutomine", True)
    try:
        yield
    finally:
        rpc.request("evm_setAutomine", False)
        world.anvil.start_clock(BLOCK_S)


@dataclass(frozen=True)
class Offer:
    """A registered version, where its files are, and an input for it."""

    version: VersionId
    models: Path
    sample: Sequence[Any]  # nested as the input's shape is


class Company:
    """One drill's parties; what they own before anything happens is remembered."""

    def __init__(self, world: World, folder: Path, offer: Offer | None = None) -> None:
        """Play about an offer, the world's own unless another is given."""
        self.world = world
        self.folder = folder
        self.offer = offer or Offer(
            VersionId(bytes.fromhex(world.version[2:])),
            world.models,
            json.loads(world.input_file.read_text()),
        )
        self.roles: dict[str, BaseRole] = {}
        self.jobs: set[str] = {ACCOUNT_JOB, ORDER}  # others' jobs are on the chain as well
        self.done: list[tuple[str, str]] = []  # who did which step
        self.job: JobId | None = None  # of the client's order
        self._keys: dict[str, Path] = {}
        self.addresses: dict[str, str] = {}

    # Who takes part

    def create(self, name: str) -> str:
        """Return the address of a fresh funded account."""
        self._keys[name], self.addresses[name] = self.world.create_account(self.folder, name)
        return self.addresses[name]

    def open_account(self, name: str) -> Account:
        """Return an account that signs a few transactions of its own."""
        world = self.world
        key = self._keys[name]
        return Account(world.anvil.url, world.manifest_file, key, None, self.folder / "state")

    def open_context(self, role: str, name: str, **settings: Any) -> Context:
        """Return what a role of this party needs."""
        return open_context(
            Settings(
                role=role,
                home=self.folder / name,
                rpc_url=self.world.anvil.url,
                manifest=self.world.manifest_file,
                key_file=self._keys[name],
                content=str(self.folder / "content"),
                models=self.offer.models,
                **{"backend": "numpy", **settings},
            )
        )

    def hire(self, fault: str = "", name: str = "", **settings: Any) -> BaseRole:
        """Add an operator and its owner, who has staked and proposed it."""
        owner, worker = f"{name}owner", f"{name}worker"
        self.create(owner)
        self.create(worker)
        vault, account = self.world.contracts.vault, self.open_account(owner)
        account.send(vault.build_deposit(STAKE_WEI))
        account.send(vault.build_propose_worker(self.addresses[worker]))
        context = self.open_context(
            "operator", worker, owner=self.addresses[owner], fault=fault, **settings
        )
        role = DRILLS[fault](context) if fault else Operator(context)
        self.roles[worker] = role
        return role

    def watch(self, name: str = "watcher", **settings: Any) -> BaseRole:
        """Add a challenger."""
        self.create(name)
        self.roles[name] = Challenger(self.open_context("challenger", name, **settings))
        return self.roles[name]

    def order(self, version: VersionId | None = None, kind: type[Client] = Client) -> Client:
        """Add a client, who orders the offered sample at its first turn.

        Its job is known beforehand: the id is the hash of the terms.
        """
        self.create("client")
        context = self.open_context("client", "client")
        model = context.versions.reproduce(self.offer.version).model
        raw = encode_input(model, self.offer.sample)
        digest = context.content.put(raw, model.input_bits, model.input_shape)
        request = Request(ORDER, version or self.offer.version, raw, FEE_WEI)
        terms = request.build_terms(self.addresses["client"], digest)
        self.job = self.world.contracts.market.compute_job_id(terms)
        self.jobs.add(self.job)
        client = kind(context, request, verify_locally=kind is Client)
        if isinstance(client, CarelessClient):
            client.in_digest = digest
        self.roles["client"] = client
        return client

    # What happens

    def play(self) -> None:
        """Let everybody act until the client has nothing left to wait for, and nobody to do."""
        for _ in range(MOST_ROUNDS):
            if self.tick_all():
                continue
            if not self.skip():
                return
        raise OffchainError(f"the drill did not end within {MOST_ROUNDS} rounds")

    def tick_all(self) -> bool:
        """Let every role do what is due now; return whether anything was done."""
        changed = [self.tick(name) for name in tuple(self.roles)]
        return any(changed)

    def tick(self, name: str) -> bool:
        """Let one role do what is due of this drill; return whether it changed anything."""
        role, changed = self.roles[name], False
        for key in role.compute_due_steps():
            if key.job in self.jobs:
                changed = self._perform(name, role, key) or changed
        return changed

    def _perform(self, name: str, role: BaseRole, key: StepKey) -> bool:
        before = self._measure(role)
        try:
            role.perform(key)
        except OffchainError as error:
            self.done.append((name, f"{key.step.partition(OF)[0]}: {type(error).__name__}"))
            if isinstance(error, ContractRevert):
                role.log.event("retry", doing=key.step, reason=str(error))
        if self._measure(role) == before:
            return False
        self.done.append((name, key.step.partition(OF)[0]))
        return True

    def _measure(self, role: BaseRole) -> tuple[int, int]:
        """Return what a step that did anything has changed: the chain, or the role's journal."""
        steps = role.context.journal.get_steps(role.context.settings.role)
        return self.world.client.get_head().number, sum(s.status != "begun" for s in steps)

    def skip(self) -> bool:
        """Move the clock to just after the next deadline; return whether there is one."""
        market = self.world.contracts.market
        now = market.get_time().now
        ahead = [
            when
            for when in ([] if self.job is None else self._list_deadlines(self.job))
            if when >= now
        ]
        if not ahead:
            return False
        head = self.world.client.get_head().timestamp
        self.world.anvil.jump_to(head + min(ahead) - now + 1)
        return True

    def _list_deadlines(self, job: JobId) -> tuple[int, ...]:
        context = next(iter(self.roles.values())).context
        return list_deadlines(self.world.contracts, context.cursor, job)

    # What came of it

    def open_ledger(self) -> Ledger:
        """Return what reads everybody's money."""
        world = self.world
        return Ledger(world.client, world.manifest, world.contracts, self.addresses)

    def compute_profit(
        self, before: Snapshot, after: Snapshot, sent: tuple[Transaction, ...]
    ) -> Mapping[str, Mapping[str, str]]:
        """Return what each party gained or lost, and its gas; strings: JSON numbers lose wei."""
        found = {}
        for party, holding in after.holdings.items():
            gas = sum(t.cost_wei for t in sent if t.party == party)
            net = holding.total_wei - before.holdings[party].total_wei
            found[party] = {"net_wei": str(net), "gas_wei": str(gas)}
        return found
