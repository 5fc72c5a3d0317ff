"""Play one scenario: fresh accounts, separate processes, and a clock that skips idle waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from offchain.chain.journal import Journal
from offchain.cli.demo.ledger import Ledger, find_leaks
from offchain.cli.demo.processes import Party
from offchain.cli.demo.scenarios import OUTCOMES, Result, Scenario
from offchain.cli.demo.world import World
from offchain.errors import OffchainError
from offchain.submit.proofs import PROVER_ENTRIES, count_prover_entries
from offchain.types import Job, JobId, JobState

POLL_S: Final = 0.3
WORTH_SKIPPING_S: Final = 3
TIMEOUT_S: Final = 120.0  # wall clock; only a broken run gets there


class Play:
    """One scenario with fresh accounts, so that its money is told apart from everybody else's."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self._world = world
        self._scenario = scenario
        self._home = world.folder / scenario.name
        names = ["client", "owner", "worker"]
        if scenario.has_challenger:
            names.append("challenger")
        created = {name: world.create_account(self._home, name) for name in names}
        self._keys = {name: key_file for name, (key_file, _) in created.items()}
        self.accounts = {name: address for name, (_, address) in created.items()}
        self._parties: dict[str, Party] = {}
        self._pids: dict[str, int] = {}
        self._told: dict[str, int] = {}  # events told, by party
        self._ledger = Ledger(world.client, world.manifest, world.contracts, self.accounts)

    def run(self) -> Result:
        """Play the scenario to its end; raise OffchainError when a party fails or time runs out."""
        started = time.monotonic()
        if self._scenario.challenge_always:
            self._close_windows()
        before = self._ledger.take_snapshot()
        try:
            answer = self._play()
        finally:
            for party in self._parties.values():
                party.ask_to_stop()
            for party in self._parties.values():
                party.stop()
        self._tell()
        job = self._world.contracts.market.get_job(JobId(answer["job"]))
        after = self._ledger.take_snapshot([job.id])
        transactions = self._ledger.read_transactions(before, after)
        return Result(
            scenario=self._scenario,
            outcome=OUTCOMES.get(job.state, job.state.name),
            seconds=time.monotonic() - started,
            before=before,
            after=after,
            transactions=transactions,
            leaks=find_leaks(before, after, transactions),
            proofs_generated=self._count_proofs(),
            proofs_refused=sum(t.step == "prove" and not t.succeeded for t in transactions),
            pids=self._pids,
            answer=answer,
        )

    def on_poll(self) -> None:
        """Do nothing; a drill overrides this to disturb the parties while they work."""

    def restart_operator(self) -> None:
        """Kill the operator with its worker, lose its queue, and start it again."""
        self._parties["operator"].kill()
        for file in (self._home / "operator").glob("broker.sqlite3*"):
            file.unlink()
        self._start("operator", self._operator_arguments())

    def get_job(self) -> Job | None:
        """Return the job as the chain has it, once it was created."""
        for created in self._read_party_events("client", "job-created"):
            return self._world.contracts.market.get_job(JobId(created["job"]))
        return None

    def _close_windows(self) -> None:
        """Let every open window pass: who objects to all results would object to others' too."""
        market, first_block = self._world.contracts.market, self._world.manifest.first_block
        for created in market.find_created(first_block):
            job = market.get_job(created.id)
            if job.state is JobState.COMMITTED and market.get_time().now <= job.deadline:
                self._world.skip_to(job.deadline + 1)

    def _play(self) -> Mapping[str, Any]:
        operator = self._start("operator", self._operator_arguments())
        if self._scenario.has_challenger:
            self._start("challenger", self._challenger_arguments())
        self._run_to_end("stake", self._stake_arguments())
        self._wait(self._is_worker_bound, "the worker to agree")
        client = self._start("client", self._client_arguments())
        self._wait(lambda: not client.is_running(), "the client's job to end")
        answer = client.read_answer()
        self._wait(self._is_credit_collected, "the challenger to collect its credit")
        if self._world.contracts.vault.get_withdrawable(self.accounts["owner"]):
            self._run_to_end("withdraw", self._withdraw_arguments())
        for event in operator.read_events("worker-started"):
            self._pids["operator-worker"] = event["worker_pid"]
        for event in operator.read_events("proof-made"):
            self._pids["prover"] = event["prover_pid"]
        return answer

    def _is_worker_bound(self) -> bool:
        owner = self._world.contracts.vault.get_owner_of(self.accounts["worker"])
        return owner == self.accounts["owner"]

    def _is_credit_collected(self) -> bool:
        job = self.get_job()
        if job is None or self._world.contracts.vault.get_funds(job.id).is_slashed:
            return False
        if not self._scenario.has_challenger:
            return True
        account = self._world.contracts.vault.get_account(self.accounts["challenger"])
        return account.total == 0

    def _count_proofs(self) -> int:
        """Return how often the prover was entered; its two counters must agree."""
        home = self._home / "operator"
        journalled = Journal(home / "journal.sqlite3").get_counter(PROVER_ENTRIES)
        counted = count_prover_entries(home)
        if journalled != counted:
            raise OffchainError(f"prover entered {counted} times, journal says {journalled}")
        return journalled

    def _start(self, name: str, arguments: Sequence[str]) -> Party:
        party = Party(name, arguments, self._home)
        self._parties[name] = party
        self._pids[name] = party.pid
        return party

    def _run_to_end(self, name: str, arguments: Sequence[str]) -> Party:
        party = self._start(name, arguments)
        self._wait(lambda: not party.is_running(), f"{name} to end")
        return party

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            for party in self._parties.values():
                party.check()
            if time.monotonic() > deadline:
                raise OffchainError(f"{self._scenario.name}: waited {TIMEOUT_S:.0f} s for {what}")
            self._tell()
            self.on_poll()
            if self._world.is_hurried:
                self._skip_idle_time()
            time.sleep(POLL_S)
        for party in self._parties.values():
            party.check()

    def _tell(self) -> None:
        """Tell what the chain and the parties have said since the last time."""
        self._world.narrator.poll()
        for name, party in self._parties.items():
            events = list(party.read_events())
            for event in events[self._told.get(name, 0) :]:
                self._world.narrator.tell_party(name, event)
            self._told[name] = len(events)

    def _skip_idle_time(self) -> None:
        """Move the chain's clock to the next deadline when nobody can do anything before it."""
        idle_until = self._find_idle_until()
        ahead = 0 if idle_until is None else idle_until - self._world.client.get_head().timestamp
        if idle_until is not None and ahead > WORTH_SKIPPING_S:
            self._world.narrator.say(
                f"nothing can happen for {ahead} s: the chain's clock moves on at once"
            )
            self._world.skip_to(idle_until)

    def _find_idle_until(self) -> int | None:
        """Return the deadline that everybody waits for, or None while somebody has work to do."""
        vault = self._world.contracts.vault
        job = self.get_job()
        if job is not None:
            if job.state is JobState.COMMITTED and not self._scenario.has_challenger:
                return job.deadline if self._has_logged("client", "result-checked") else None
            if job.state is JobState.ASSIGNED and not self._parties["operator"].is_running():
                return job.deadline
            if job.state is JobState.DISPUTED and self._has_logged("operator", "proof-refused"):
                dispute = self._world.contracts.game.get_dispute_of(job.id)
                return None if dispute is None else dispute.prove_until
            if job.state is JobState.REJECTED and vault.get_funds(job.id).is_slashed:
                is_busy = vault.get_account(self.accounts["challenger"]).credit > 0
                return None if is_busy else job.deadline
        return None

    def _has_logged(self, party: str, event: str) -> bool:
        return any(True for _ in self._read_party_events(party, event))

    def _read_party_events(self, party: str, event: str) -> Iterator[Mapping[str, Any]]:
        if party in self._parties:
            yield from self._parties[party].read_events(event)

    def _stake_arguments(self) -> Sequence[str]:
        return (
            "operator", "stake", "--amount-wei", str(self._scenario.stake_wei),
            "--worker", self.accounts["worker"], "--state", str(self._home / "state"), "--json",
            *self._world.chain_arguments(self._keys["owner"]),
        )  # fmt: skip

    def _withdraw_arguments(self) -> Sequence[str]:
        return (
            "withdraw", "--state", str(self._home / "state"), "--json",
            *self._world.chain_arguments(self._keys["owner"]),
        )  # fmt: skip

    def _operator_arguments(self) -> Sequence[str]:
        fault = ("--fault", self._scenario.fault) if self._scenario.fault else ()
        owner = ("--owner", self.accounts["owner"])
        return ("operator", "run", *owner, *fault, *self._role_arguments("operator", "worker"))

    def _challenger_arguments(self) -> Sequence[str]:
        always = ("--challenge-always",) if self._scenario.challenge_always else ()
        game = ("--game", self._scenario.game)
        role = self._role_arguments("challenger", "challenger")
        return ("challenge", "run", *game, *always, *role)

    def _client_arguments(self) -> Sequence[str]:
        return (
            "job", "submit", "--version", self._world.version,
            "--fee-wei", str(self._scenario.fee_wei), "--input", str(self._world.input_file),
            "--request", self._scenario.name, "--json",
            *self._role_arguments("client", "client"),
        )  # fmt: skip

    def _role_arguments(self, role: str, account: str) -> Sequence[str]:
        return (
            "--home", str(self._home / role), "--models", str(self._world.models),
            "--content", str(self._home / "content"),
            *self._world.chain_arguments(self._keys[account]),
        )  # fmt: skip
