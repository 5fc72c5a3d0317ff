"""A registration that lies: client, operator and challenger refuse it before money moves.

The chain takes all of them. A client that does not look escrows a fee; a stranger's operator that
does not look serves it. The honest parties, which look, put no stake, fee or bond on it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.cli.demo.world import World
from offchain.cli.output import ExitCode
from offchain.roles.challenger import Challenger
from offchain.roles.operator import Operator
from offchain.submit.models import encode_input
from offchain.types import ETH, Amount, Digest, JobId, JobState, JobTerms, VersionId
from tests.e2e.agents import ETHER, Agents, instant_blocks

MODES = {
    "poisoned-weights": "verification key",
    "poisoned-root": "weight root",
    "poisoned-program": "program hash",
}
FEE = Amount(ETHER // 1000)
RESULT = Digest(b"\x09" * 32)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "offchain.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


class Lie:
    """A poisoned version and the parties who meet it."""

    def __init__(self, world: World, folder: Path, mode: str) -> None:
        self.world, self.mode = world, mode
        self.agents = Agents(world, folder)
        self.agents.create("registrant", "careless")
        done = run(
            "model", "register", "--fault", mode, "--json",
            "--model", str(world.models / "mlp-digits"), "--state", str(folder / "state"),
            *world.chain_arguments(self.agents.keys["registrant"]),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.version = str(json.loads(done.stdout)["version"])

    def order_carelessly(self) -> JobId:
        """Order on the poisoned version without a look at it; the input's bytes are to be had."""
        content = self.agents.open("client", "careless").content
        model = (
            self.agents.open("client", "careless")
            .versions.reproduce(VersionId(bytes.fromhex(self.world.version[2:])))
            .model
        )
        raw = encode_input(model, json.loads(self.world.input_file.read_text()))
        terms = JobTerms(
            client=self.agents.account("careless").address,
            version=VersionId(bytes.fromhex(self.version[2:])),
            in_digest=content.put(raw, model.input_bits, model.input_shape),
            token=ETH,
            fee=FEE,
            verify_mask=0,
            privacy_mask=0,
            salt=7,
        )
        market = self.world.contracts.market
        self.agents.account("careless").send(market.build_create_job(terms, ""))
        job_id = market.compute_job_id(terms)
        self.agents.jobs.add(job_id)
        return job_id

    def serve_carelessly(self, job_id: JobId) -> None:
        """Take the job and commit a result, with the stake of an owner who does not look."""
        self.agents.create("stranger", "hand")
        contracts = self.world.contracts
        owner, worker = self.agents.account("stranger"), self.agents.account("hand")
        owner.send(contracts.vault.build_deposit(ETHER))
        owner.send(contracts.vault.build_propose_worker(worker.address))
        worker.send(contracts.vault.build_accept_owner(owner.address))
        worker.send(contracts.market.build_accept_job(job_id))
        worker.send(contracts.market.build_commit_result(job_id, RESULT, ""))


@pytest.fixture(params=sorted(MODES))
def lie(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Lie]:
    with instant_blocks(world):
        snapshot = world.anvil.rpc.request("evm_snapshot")
        yield Lie(world, tmp_path, request.param)
        world.anvil.rpc.request("evm_revert", snapshot)


def test_poisoned_version__nobody_who_looks_puts_money_on_it(lie: Lie) -> None:
    world, agents = lie.world, lie.agents
    verified = run(
        "model", "verify", "--json", "--version", lie.version, "--rpc", world.anvil.url,
        "--manifest", str(world.manifest_file), "--model", str(world.models / "mlp-digits"),
    )  # fmt: skip
    assert verified.returncode == ExitCode.MISMATCH
    wrong = [d["digest"] for d in json.loads(verified.stdout)["digests"] if d["verdict"] != "match"]
    assert any(name.startswith(MODES[lie.mode]) for name in wrong)

    key_file, client = world.create_account(agents.folder, "client")
    before = world.client.get_balance(client)
    submitted = run(
        "job", "submit", "--version", lie.version, "--fee-wei", str(FEE), "--no-wait",
        "--input", str(world.input_file), "--home", str(agents.folder / "client"),
        "--models", str(world.models), "--content", str(agents.folder / "content"),
        *world.chain_arguments(key_file),
    )  # fmt: skip
    assert submitted.returncode == ExitCode.MISMATCH
    assert "recomputed" in submitted.stderr
    assert "hint: do not use this version" in submitted.stderr
    assert world.client.get_balance(client) == before

    job_id = lie.order_carelessly()
    operator = agents.hire(Operator)
    owner = agents.addresses["owner"]
    for _ in range(3):
        agents.tick(operator)
    assert world.contracts.market.get_job(job_id).state is JobState.OPEN
    assert world.contracts.vault.get_account(owner).locked == 0

    lie.serve_carelessly(job_id)
    agents.create("challenger")
    before = world.client.get_balance(agents.addresses["challenger"])
    challenger = Challenger(agents.open("challenger", "challenger", challenge_always=True))
    for _ in range(3):
        agents.tick(challenger)
    assert world.contracts.market.get_job(job_id).state is JobState.COMMITTED
    assert world.contracts.vault.get_bonds(job_id) == 0
    assert world.client.get_balance(agents.addresses["challenger"]) == before
