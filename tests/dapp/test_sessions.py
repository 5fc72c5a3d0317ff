"""Sessions and signed orders through a gateway, with operators and a challenger as processes."""

from __future__ import annotations

import contextlib
import io
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.keys import create_key_file
from offchain.cli.demo.play import load_sample
from offchain.cli.demo.processes import Party
from offchain.cli.demo.showcase import Showcase
from offchain.cli.main import cli
from offchain.params.presets import get_preset
from offchain.roles.account import Account
from offchain.types import (
    ETH,
    Assurance,
    BatchId,
    BatchState,
    DisputeState,
    JobId,
    JobState,
    SessionId,
)

ETHER = 10**18
STAKE = 3 * ETHER
FEE = ETHER // 1000
LOCK_FEES = 35
WAIT_S = 60.0  # wall clock; only what is broken waits so long
POLL_S = 0.2
KILLS = 4


@dataclass
class Troupe:
    """Parties of one test on the showcase's chain, with keys of their own."""

    stage: Showcase
    folder: Path
    parties: dict[str, Party] = field(default_factory=dict)

    def create(self, *names: str) -> None:
        for name in names:
            address = create_key_file(self.folder / f"{name}.key").address
            self.stage.anvil.fund(address, 10 * ETHER)

    def open(self, name: str) -> Account:
        key = self.folder / f"{name}.key"
        url = self.stage.anvil.url
        return Account(url, self.stage.manifest, key, None, self.folder / "state")

    @cached_property
    def chain(self) -> Account:
        self.create("reader")
        return self.open("reader")

    def call(self, *words: str, key: str | None = None) -> Any:
        """Run a command with --json in this process; return its answer."""
        chain = ["--rpc", self.stage.anvil.url, "--manifest", str(self.stage.manifest)]
        signer = []
        if key is not None:
            signer = ["--key-file", str(self.folder / f"{key}.key")]
            signer += ["--state", str(self.folder / "state")]
        answer = io.StringIO()
        with contextlib.redirect_stdout(answer):
            cli([*words, *chain, *signer, "--json"], standalone_mode=False)
        return json.loads(answer.getvalue())

    def hire(self, *options: str) -> str:
        """Stake for an operator and start it; return its owner's address."""
        self.create("owner", "worker")
        owner, worker = self.open("owner"), self.open("worker").address
        owner.send(owner.contracts.vault.build_deposit(STAKE))
        owner.send(owner.contracts.vault.build_propose_worker(worker))
        self.start_operator(owner.address, *options)
        self.wait(lambda: owner.contracts.vault.get_owner_of(worker) == owner.address)
        return str(owner.address)

    def start_operator(self, owner: str, *options: str) -> None:
        self.start(
            "operator", "operator", "run", "--owner", owner, "--backend", "numpy",
            "--gateway", self.stage.gateway, "--batch-size", "4", "--batch-seconds", "3",
            "--key-file", str(self.folder / "worker.key"), *options,
        )  # fmt: skip

    def start(self, name: str, *arguments: str) -> None:
        self.parties[name] = Party(
            name,
            [*arguments, "--home", str(self.folder / name), "--rpc", self.stage.anvil.url,
             "--manifest", str(self.stage.manifest), "--content", self.stage.gateway,
             "--models", str(self.stage.folder / "models")],
            self.folder / "processes",
        )  # fmt: skip

    def wait(self, condition: Callable[[], Any], what: str = "", patience_s: float = WAIT_S) -> Any:
        deadline = time.monotonic() + patience_s
        while not (found := condition()):
            for party in self.parties.values():
                party.check()
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(POLL_S)
        return found

    def read_batches(self, session: str) -> list[Any]:
        """Return the batches of a session, as their events tell them."""
        account = self.chain
        sessions = account.contracts.sessions
        topics = [sessions.abi.get_topic("BatchCommitted"), session]
        last = account.client.get_head().number
        first = account.manifest.first_block
        logs = account.client.collect_logs([sessions.address], first, last, topics)
        return [
            sessions.read_committed(event)
            for log in logs
            if (event := sessions.abi.decode_event(log)) is not None
        ]

    def list_nonces(self, session: str) -> list[int]:
        batches = self.read_batches(session)
        return sorted(leaf.nonce for batch in batches for leaf in batch.leaves)

    def open_session(self, version: str, operator: str, results: int) -> str:
        self.create("client")
        opened = self.call(
            "session", "open", "--version", version, "--operator", operator,
            "--fee-wei", str(FEE), "--deposit-wei", str(results * FEE), key="client",
        )  # fmt: skip
        assert opened["state"] == "OPEN"
        assert opened["results_left"] == results
        return str(opened["session"])

    def request(self, session: str, digit: int, *options: str) -> Any:
        file = self.folder / f"digit-{digit}.json"
        file.write_text(json.dumps([digit, *load_sample()[1:]]))
        return self.call(
            "session", "request", "--session", session, "--input", str(file),
            "--gateway", self.stage.gateway, "--models", str(self.stage.folder / "models"),
            *options, key="client",
        )  # fmt: skip


@pytest.fixture
def troupe(stage: Showcase, tmp_path: Path) -> Iterator[Troupe]:
    opened = Troupe(stage, tmp_path)
    yield opened
    for party in opened.parties.values():
        party.kill()


@pytest.mark.slow
def test_session__operator_killed_in_the_middle__each_result_committed_once_and_paid(
    troupe: Troupe,
) -> None:
    digits = troupe.stage.versions["digits"]
    owner = troupe.hire()
    session = troupe.open_session(digits, owner, 10)
    for digit in range(5):
        troupe.request(session, digit, "--no-wait")
    operator = troupe.parties["operator"]
    troupe.wait(lambda: any(operator.read_events("request-served")), "a first result")
    operator.kill()  # as a power cut would, its workers too
    troupe.start_operator(owner)
    result = troupe.request(session, 5)
    assert result["agrees"] is True
    assert result["signed_by"] == troupe.open("worker").address
    assert result["nonce"] == 5
    troupe.wait(lambda: len(troupe.list_nonces(session)) == 6, "all results to be committed")
    assert troupe.list_nonces(session) == list(range(6))

    vault = troupe.chain.contracts.vault
    troupe.stage.skip(get_preset("showcase").challenge_seconds + 2)
    shown = troupe.wait(
        lambda: (
            troupe.call("session", "show", "--session", session[:12])
            if vault.get_withdrawable(owner) >= 6 * FEE * 985 // 1000
            else None
        ),
        "the batches to be paid",
    )
    assert {batch["state"] for batch in shown["batches"]} == {"FINAL"}
    assert shown["results_left"] == 4
    assert vault.get_account(owner).locked == 0

    troupe.call("session", "close", "--session", session, key="client")
    troupe.stage.skip(get_preset("showcase").exec_seconds + 2)
    closed = troupe.call("session", "withdraw", "--session", session, key="client")
    assert closed["state"] == "CLOSED"
    assert vault.get_withdrawable(troupe.open("client").address) == 4 * FEE


@pytest.mark.slow
@pytest.mark.parametrize("is_forgotten", [False, True], ids=["journal kept", "journal lost"])
def test_session__operator_killed_again_and_again__each_result_committed_once(
    troupe: Troupe, is_forgotten: bool
) -> None:
    draw = random.Random(is_forgotten)
    digits = troupe.stage.versions["digits"]
    owner = troupe.hire()
    session = troupe.open_session(digits, owner, KILLS * 3)
    for kill in range(KILLS):
        for digit in range(3):
            troupe.request(session, 3 * kill + digit, "--no-wait")
        operator = troupe.parties["operator"]
        seen = draw.choice(["worker-started", "request-served", "batch-committed"])
        with contextlib.suppress(AssertionError):  # everything may have been done before
            troupe.wait(lambda: any(operator.read_events(seen)), seen, patience_s=8.0)  # noqa: B023
        time.sleep(draw.uniform(0.0, 1.0))
        operator.kill()
        if is_forgotten:
            for file in (troupe.folder / "operator").glob("*.sqlite3*"):
                file.unlink()
        troupe.start_operator(owner)
    expected = list(range(3 * KILLS))
    troupe.wait(lambda: troupe.list_nonces(session) == expected, "all results to be committed")
    time.sleep(2.0)
    assert troupe.list_nonces(session) == expected


@pytest.mark.slow
def test_session__cheat__each_wrong_result_challenged_by_inclusion_and_slashed(
    troupe: Troupe,
) -> None:
    digits = troupe.stage.versions["digits"]
    owner = troupe.hire("--fault", "perturbed-weights")
    troupe.create("watcher")
    key = str(troupe.folder / "watcher.key")
    troupe.start("challenger", "challenge", "run", "--key-file", key)
    session = SessionId(troupe.open_session(digits, owner, 10))
    told = troupe.request(session, 7)
    assert told["agrees"] is False
    contracts = troupe.chain.contracts
    job = JobId(told["job"])
    dispute = troupe.wait(lambda: find_dispute(troupe, job), "the wrong result to be challenged")
    assert dispute.challenger == troupe.open("watcher").address
    (batch,) = troupe.read_batches(session)
    assert contracts.sessions.get_batch(BatchId(batch.id)).extracted == 1
    operator = troupe.parties["operator"]
    troupe.wait(lambda: any(operator.read_events("proof-refused")), "a proof of a wrong result")
    troupe.stage.skip(dispute.prove_until - troupe.stage.get_time() + 2)
    troupe.wait(lambda: contracts.market.get_job(job).state is JobState.REJECTED, "the default")
    rejected = contracts.market.get_job(job)
    troupe.stage.skip(rejected.deadline - troupe.stage.get_time() + 2)
    troupe.wait(
        lambda: contracts.game.get_dispute_of(job).state is DisputeState.DISTRIBUTED, "the slash"
    )
    left = contracts.vault.get_account(owner)
    assert STAKE - left.total == LOCK_FEES * FEE
    client = contracts.vault.get_withdrawable(troupe.open("client").address)
    assert client == FEE + LOCK_FEES * FEE * 40 // 100
    troupe.wait(
        lambda: contracts.sessions.get_batch(BatchId(batch.id)).state is BatchState.FINAL,
        "the rest of the batch to be settled",
    )


@pytest.mark.slow
def test_session__right_result_challenged__proven_and_paid(troupe: Troupe) -> None:
    digits = troupe.stage.versions["digits"]
    owner = troupe.hire()
    session = troupe.open_session(digits, owner, 2)
    told = troupe.request(session, 3)
    troupe.create("watcher")
    key = str(troupe.folder / "watcher.key")
    troupe.start("challenger", "challenge", "run", "--challenge-always", "--key-file", key)
    contracts, job = troupe.chain.contracts, JobId(told["job"])
    troupe.wait(lambda: find_dispute(troupe, job), "the right result to be challenged")
    troupe.wait(lambda: contracts.market.get_job(job).state is JobState.PROVEN, "the proof")
    assert contracts.market.get_assurance(job) is Assurance.PROVEN
    assert contracts.vault.get_account(owner).locked == 0
    assert contracts.vault.get_account(owner).free == STAKE
    # The fee, and half of the bond of who was wrong, or more.
    assert contracts.vault.get_withdrawable(owner) > FEE * 985 // 1000


def find_dispute(troupe: Troupe, job: JobId) -> Any:
    return troupe.chain.contracts.game.get_dispute_of(job)


def test_order__signed_and_posted__taken_at_a_price_that_rose_and_final(troupe: Troupe) -> None:
    digits = troupe.stage.versions["digits"]
    troupe.create("client")
    troupe.call("order", "fund", "--amount-wei", str(4 * FEE), key="client")
    file, input_file = troupe.folder / "order.json", troupe.folder / "digit.json"
    input_file.write_text(json.dumps(load_sample()))
    signed = troupe.call(
        "order", "sign", "--version", digits, "--input", str(input_file), "--out", str(file),
        "--models", str(troupe.stage.folder / "models"), "--content", troupe.stage.gateway,
        "--min-fee-wei", "1", "--max-fee-wei", str(4 * FEE), "--ramp-seconds", "8",
        key="client",
    )  # fmt: skip
    answer = io.StringIO()
    with contextlib.redirect_stdout(answer):
        cli(
            ["order", "post", "--file", str(file), "--gateway", troupe.stage.gateway, "--json"],
            standalone_mode=False,
        )
    assert json.loads(answer.getvalue())["order"] == signed["order"]
    shown = troupe.wait(
        lambda: (
            found
            if (found := troupe.call("order", "show", "--file", str(file)))["state"] == "taken"
            else None
        ),
        "an operator to take the order",
    )
    market, vault = troupe.chain.contracts.market, troupe.chain.contracts.vault
    job = market.get_job(JobId(shown["job"]))
    assert job.operator == troupe.stage.operators["honest"]
    assert 1 < job.fee <= 4 * FEE
    credit = vault.get_account(troupe.open("client").address, ETH).credit
    assert credit == 4 * FEE - job.fee
    troupe.wait(lambda: market.get_job(job.id).state is JobState.COMMITTED, "the result")
    troupe.stage.skip(get_preset("showcase").challenge_seconds + 2)
    troupe.wait(lambda: market.get_job(job.id).state is JobState.FINAL, "the payment")
