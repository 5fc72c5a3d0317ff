"""Roles in this process, on a real chain that mines at every transaction: move by move."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from offchain.chain.anvil import BLOCK_S
from offchain.chain.client import Call
from offchain.chain.contracts.guardian import Guardian
from offchain.cli.demo.world import World
from offchain.params.settings import Settings
from offchain.roles.account import Account
from offchain.roles.base import OF, BaseRole
from offchain.roles.client import Client, Request
from offchain.roles.context import ACCOUNT_JOB, Context
from offchain.roles.opening import open_context
from offchain.submit.models import encode_input
from offchain.types import Amount, GuardianAction, Job, VersionId

ETHER = 10**18
ORDER = "order"
MINED_S = 10.0
FEE = Amount(ETHER // 1000)
# Two of the three guardians of a local deployment: accounts 7 and 8 of the node's mnemonic.
MEMBERS = (
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
)


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


@dataclass
class Agents:
    """The parties of one test, with fresh accounts, a content folder and a ledger of their own."""

    world: World
    folder: Path

    def __post_init__(self) -> None:
        self.keys: dict[str, Path] = {}
        self.addresses: dict[str, str] = {}
        self.placed: tuple[Request, bool, bool] | None = None  # the last order
        self.jobs = {ACCOUNT_JOB, ORDER}  # others' jobs are on the chain as well

    def create(self, *names: str) -> None:
        for name in names:
            key_file, address = self.world.create_account(self.folder, name)
            self.keys[name], self.addresses[name] = key_file, address

    def account(self, name: str) -> Account:
        return Account(
            self.world.anvil.url,
            self.world.manifest_file,
            self.keys[name],
            None,
            self.folder / "state",
        )

    def settings(self, role: str, name: str, **settings: Any) -> Settings:
        return Settings(
            role=role,
            home=self.folder / name,
            rpc_url=self.world.anvil.url,
            manifest=self.world.manifest_file,
            key_file=self.keys[name],
            content=str(self.folder / "content"),
            models=self.world.models,
            **settings,
        )

    def open(self, role: str, name: str, **settings: Any) -> Context:
        return open_context(self.settings(role, name, **settings))

    def hire(self, kind: type[BaseRole], **settings: Any) -> BaseRole:
        """Return an operator whose owner has staked and proposed it; it agrees by itself."""
        self.create("owner", "worker")
        vault = self.world.contracts.vault
        owner = self.account("owner")
        owner.send(vault.build_deposit(ETHER))
        owner.send(vault.build_propose_worker(self.addresses["worker"]))
        context = self.open("operator", "worker", owner=self.addresses["owner"], **settings)
        role = kind(context)
        assert self.tick(role) == ["accept-owner"]
        return role

    def order(
        self, verify: bool = True, may_challenge: bool = True, version: str = "", **terms: Any
    ) -> Client:
        """Return a client; its first tick orders the sample."""
        self.create("client")
        wants = bool(terms.pop("request_delivery", False))
        context = self.open("client", "client", request_delivery=wants)
        version_id = VersionId(bytes.fromhex((version or self.world.version)[2:]))
        reference = bytes.fromhex(self.world.version[2:])
        model = context.versions.reproduce(VersionId(reference)).model
        raw = encode_input(model, json.loads(self.world.input_file.read_text()))
        request = replace(Request(ORDER, version_id, raw, FEE), **terms)
        digest = context.content.put(raw, model.input_bits, model.input_shape)
        expected = request.build_terms(self.addresses["client"], digest)
        self.jobs.add(self.world.contracts.market.compute_job_id(expected))
        self.placed = (request, verify, may_challenge)
        return Client(context, *self.placed)

    def tick(self, role: BaseRole) -> list[str]:
        """Perform what is due now about the account or this test's job; return its names."""
        due = [key for key in role.compute_due_steps() if key.job in self.jobs]
        for key in due:
            role.perform(key)
        return [key.step.partition(OF)[0] for key in due]

    def job(self, client: Client) -> Job:
        job_id = client.get_job_id()
        assert job_id is not None
        return self.world.contracts.market.get_job(job_id)

    def jump(self, clock: int) -> None:
        """Move the protocol's clock to a second (nothing was ever paused, unless said)."""
        ahead = clock - self.world.contracts.market.get_time().now
        if ahead > 0:
            self.world.anvil.jump_to(self.world.client.get_head().timestamp + ahead)

    def approve(self, action: GuardianAction) -> None:
        """Have the guardian act."""
        guardian = Guardian(self.world.client, self.world.manifest)
        for member in MEMBERS:
            assert guardian.is_member(member)
            self.impersonate(member, guardian.build_approve(action))

    def impersonate(self, sender: str, call: Call) -> None:
        """Send a call from an account whose key is not at hand."""
        rpc = self.world.anvil.rpc
        self.world.anvil.fund(sender, ETHER)
        rpc.request("anvil_impersonateAccount", sender)
        fields = {"from": sender, "to": call.to, "data": "0x" + call.calldata.hex()}
        tx_hash = rpc.request("eth_sendTransaction", fields)
        receipt, deadline = None, time.monotonic() + MINED_S
        while receipt is None and time.monotonic() < deadline:
            receipt = self.world.client.get_receipt(tx_hash)
        assert receipt is not None
        assert receipt.succeeded
