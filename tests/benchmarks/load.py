"""Many jobs through one operator: ordered, driven to the end, counted to the wei and to the nonce.

The client's orders are signed and sent one behind the other without waiting. The operator is the
real service, its tick in one process and a Celery worker in another; in the middle both are killed
and their queue is deleted. Blocks come every second; only the wait for the challenge windows, in
which nobody has anything to do, is skipped by moving the chain's clock.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from offchain.chain.client import Call
from offchain.chain.fees import compute_fees
from offchain.chain.job_ids import to_job_id
from offchain.chain.keys import load_signer
from offchain.cli.demo.ledger import Ledger, Snapshot, Transaction, find_leaks
from offchain.cli.demo.narrator import ETHER
from offchain.cli.demo.processes import Party
from offchain.cli.demo.world import World
from offchain.errors import OffchainError
from offchain.roles.account import Account
from offchain.submit.content import FolderStore
from offchain.submit.models import encode_input, find_model
from offchain.types import ETH, Address, Amount, JobId, JobState, JobTerms, VersionId, Wei

FEE: Final = Amount(ETHER // 1000)
SPARE_WEI: Final = 100 * ETHER
CREATE_GAS: Final = 250_000
POLL_S: Final = 0.5
TIMEOUT_S: Final = 60.0  # and what a slow machine may take for each job, both wall clock
JOB_S: Final = 3.0
RESTART_BLOCKS: Final = 4  # blocks with transactions, after a kill, among which the pause is
STEPS: Final = ("accept", "commit", "finalise")  # an operator's transactions about one job
STATES: Final = {
    "JobCreated": "created",
    "JobAccepted": "accepted",
    "ResultCommitted": "committed",
    "JobFinalised": "final",
}


@dataclass
class Life:
    """When a job reached its states, in seconds of the chain's clock."""

    at: dict[str, int] = field(default_factory=dict)
    deadline: int = 0  # of its challenge window

    def has(self, state: str) -> bool:
        """Whether it has reached a state."""
        return state in self.at


@dataclass(frozen=True)
class Outcome:
    """What a load came to."""

    lives: Mapping[JobId, Life]
    settled_from: int  # chain time at which the windows had been skipped
    restart_gap_s: int  # without a transaction of the operator's, from its death on
    before: Snapshot
    after: Snapshot
    transactions: Sequence[Transaction]
    states: Mapping[JobState, int]
    other_events: Mapping[str, int]  # that no unchallenged job should have
    killed_at: int  # results that were committed when the operator was killed
    in_flight: int  # its transactions in the pool then
    wall_s: float

    @property
    def leaks(self) -> Mapping[str, int]:
        """Return the wei that do not add up, by equation."""
        return find_leaks(self.before, self.after, tuple(self.transactions))

    def count(self, step: str, *, succeeded: bool = True) -> int:
        """Return how many mined transactions of one kind there are."""
        return sum(t.step == step and t.succeeded == succeeded for t in self.transactions)


class Load:
    """N jobs of one client for one operator."""

    def __init__(
        self, world: World, folder: Path, inputs: Sequence[Sequence[int]], jobs: int, kill: bool
    ) -> None:
        self._world, self._folder, self._jobs, self._kill = world, folder, jobs, kill
        self._inputs = inputs
        self._keys: dict[str, Path] = {}
        self._accounts: dict[str, str] = {}
        for name in ("client", "owner", "worker"):
            self._keys[name], self._accounts[name] = world.create_account(folder, name)
        lock = world.contracts.market.compute_lock(ETH, FEE)
        self._stake_wei = lock * jobs
        world.anvil.fund(self._accounts["owner"], self._stake_wei + SPARE_WEI)
        world.anvil.fund(self._accounts["client"], jobs * FEE + SPARE_WEI)
        self._ledger = Ledger(world.client, world.manifest, world.contracts, self._accounts)
        self._lives: dict[JobId, Life] = {}
        self._events: Counter[str] = Counter()
        self._next_block = world.client.get_head().number + 1
        self._timestamps: dict[int, int] = {}
        self._operator: Party | None = None
        self._starts = 0

    def run(self) -> Outcome:
        """Order, serve, kill, restart, settle; raise OffchainError when a party fails."""
        began = time.monotonic()
        before = self._ledger.take_snapshot()
        deadline = began + TIMEOUT_S + JOB_S * self._jobs
        killed_at = in_flight = killed_block = 0
        with self._running_operator():
            self._bind()
            orders = self._order()
            if self._kill:
                half = self._jobs // 2
                self._wait(
                    lambda: self._count("committed") >= half and self._count_pooled() > 0,
                    deadline,
                    "half the results, and a transaction in the pool",
                )
                killed_at, in_flight = self._count("committed"), self._count_pooled()
                killed_block = self._world.client.get_head().number
                self._restart_operator()
            self._wait(lambda: self._count("committed") == len(orders), deadline, "all results")
            settled_from = self._skip_windows()
            self._wait(lambda: self._count("final") == len(orders), deadline, "all payments")
        after = self._ledger.take_snapshot(orders)
        transactions = self._ledger.read_transactions(before, after)
        market = self._world.contracts.market
        return Outcome(
            lives=self._lives,
            settled_from=settled_from,
            restart_gap_s=self._find_gap(killed_block, transactions),
            before=before,
            after=after,
            transactions=transactions,
            states=Counter(market.get_job(job).state for job in orders),
            other_events={n: c for n, c in self._events.items() if n.startswith("Job")},
            killed_at=killed_at,
            in_flight=in_flight,
            wall_s=time.monotonic() - began,
        )

    # The parties

    @contextmanager
    def _running_operator(self) -> Iterator[None]:
        self._start_operator()
        try:
            yield
        finally:
            if self._operator is not None:
                self._operator.stop()

    def _start_operator(self) -> None:
        self._starts += 1
        world = self._world
        self._operator = Party(
            f"operator-{self._starts}",
            (
                "operator", "run", "--owner", self._accounts["owner"],
                "--home", str(self._folder / "operator"), "--models", str(world.models),
                "--content", str(world.content), *world.chain_arguments(self._keys["worker"]),
            ),
            self._folder,
        )  # fmt: skip

    def _restart_operator(self) -> None:
        assert self._operator is not None
        self._operator.kill()
        for file in (self._folder / "operator").glob("broker.sqlite3*"):
            file.unlink()
        self._start_operator()

    def _bind(self) -> None:
        vault = self._world.contracts.vault
        account = Account(
            self._world.anvil.url,
            self._world.manifest_file,
            self._keys["owner"],
            self._world.terrain.password_file,
            self._folder / "state",
        )
        account.send(vault.build_deposit(self._stake_wei))
        account.send(vault.build_propose_worker(self._accounts["worker"]))
        self._wait(
            lambda: vault.get_owner_of(self._accounts["worker"]) == self._accounts["owner"],
            time.monotonic() + TIMEOUT_S,
            "the worker to agree",
        )

    def _order(self) -> list[JobId]:
        """Sign and send all orders, one nonce after the other, without waiting for any."""
        client, market = self._world.client, self._world.contracts.market
        version = VersionId(bytes.fromhex(self._world.version[2:]))
        chain = self._world.contracts.registry.get_version(version)
        model = find_model(self._world.models, chain.graph_hash, chain.weight_root)
        content = FolderStore(self._world.content)
        signer = load_signer(self._keys["client"], self._world.terrain.password_file)
        nonce = client.get_nonce(signer.address)
        ids = []
        for number in range(self._jobs):
            raw = encode_input(model, list(self._inputs[number % len(self._inputs)]))
            digest = content.put(raw, model.input_bits, model.input_shape)
            terms = JobTerms(
                Address(signer.address), version, digest, ETH, FEE, 0, 0, salt=number + 1
            )
            call = market.build_create_job(terms, digest.hex())
            client.broadcast(self._sign(signer, call, nonce + number))
            ids.append(market.compute_job_id(terms))
        return ids

    def _sign(self, signer: Any, call: Call, nonce: int) -> bytes:
        fees = compute_fees(Wei(ETHER // 10**9))
        raw: bytes
        raw, _ = signer.sign_transaction(
            {
                "type": 2,
                "chainId": self._world.client.chain_id,
                "nonce": nonce,
                "to": call.to,
                "value": int(call.value_wei),
                "data": call.calldata,
                "gas": CREATE_GAS,
                "maxFeePerGas": int(fees.max_fee_wei),
                "maxPriorityFeePerGas": int(fees.tip_wei),
            }
        )
        return raw

    # The chain

    def _skip_windows(self) -> int:
        """Move the clock behind the last job's challenge window; return the chain's time then."""
        last = max(life.deadline for life in self._lives.values())
        if last >= self._world.client.get_head().timestamp:
            self._world.anvil.jump_to(last + 1)
        return self._world.client.get_head().timestamp

    def _count(self, state: str) -> int:
        return sum(life.has(state) for life in self._lives.values())

    def _count_pooled(self) -> int:
        client, worker = self._world.client, self._accounts["worker"]
        return client.get_nonce(worker) - client.get_mined_nonce(worker)

    def _read_events(self) -> None:
        client, market = self._world.client, self._world.contracts.market
        head = client.get_head().number
        if head < self._next_block:
            return
        for log in client.get_logs([market.address], self._next_block, head):
            event = market.abi.decode_event(log)
            if event is None:
                continue
            state = STATES.get(event.name)
            if state is None:
                self._events[event.name] += 1
                continue
            life = self._lives.setdefault(to_job_id(event.arguments["jobId"]), Life())
            life.at[state] = self._get_timestamp(event.block_number)
            if state == "committed":
                window = self._world.parameters.challenge_seconds
                life.deadline = life.at[state] + window
        self._next_block = head + 1

    def _get_timestamp(self, number: int) -> int:
        if number not in self._timestamps:
            block = self._world.client.get_block(number)
            assert block is not None
            self._timestamps[number] = block.timestamp
        return self._timestamps[number]

    def _wait(self, condition: Callable[[], bool], deadline: float, what: str) -> None:
        while True:
            self._read_events()
            if condition():
                return
            if self._operator is not None:
                self._operator.check()
            if time.monotonic() > deadline:
                raise OffchainError(f"waited in vain for {what}")
            time.sleep(POLL_S)

    def _find_gap(self, killed_block: int, transactions: Sequence[Transaction]) -> int:
        """Return the longest pause between blocks with its transactions around the restart."""
        blocks = sorted({t.block for t in transactions if t.party == "worker"})
        # What was in the pool is mined after the death, too.
        around = [pair for pair in pairwise(blocks) if pair[1] > killed_block > 0]
        nearest = around[:RESTART_BLOCKS]
        return max((self._get_timestamp(b) - self._get_timestamp(a) for a, b in nearest), default=0)
