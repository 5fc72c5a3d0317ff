"""A key in several contracts, and a convolutional network in a job, on a real chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.chain.client import Receipt
from offchain.chain.data_contract import read_data
from offchain.cli.demo.world import World
from offchain.commit.model_folder import write_model_folder
from offchain.errors import TransactionPending
from offchain.roles.challenger import Challenger
from offchain.roles.operator import Operator
from offchain.submit.models import load_model
from offchain.submit.transactions import Submitter
from offchain.types import Assurance, JobState
from tests.benchmarks.zoo import build
from tests.e2e.agents import Agents, instant_blocks

PARTS = 4


@pytest.fixture
def agents(world: World, tmp_path: Path) -> Iterator[Agents]:
    with instant_blocks(world):
        yield Agents(world, tmp_path)


def test_key_in_parts__upload_interrupted__goes_on_where_it_stopped(
    agents: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = load_model(agents.world.models / "mlp-digits").vk_blob
    piece_bytes = len(blob) // PARTS + 1
    agents.create("registrant")
    get_nonce = agents.world.client.get_mined_nonce

    def stop_at_the_third(self: Submitter, key: object, *call: object) -> Receipt:
        receipt = submit(self, key, *call)  # type: ignore[arg-type]
        if get_nonce(self.account) == PARTS - 1:
            raise TransactionPending(receipt.tx_hash, 0)  # mined, and nobody has seen it
        return receipt

    submit = Submitter.submit
    with monkeypatch.context() as patch, pytest.raises(TransactionPending):
        patch.setattr(Submitter, "submit", stop_at_the_third)
        agents.account("registrant").publish_key(blob, piece_bytes)
    address = agents.account("registrant").publish_key(blob, piece_bytes)
    assert read_data(address, agents.world.client.get_code) == blob
    assert get_nonce(agents.addresses["registrant"]) == PARTS + 1
    assert agents.account("registrant").publish_key(blob, piece_bytes) == address
    assert get_nonce(agents.addresses["registrant"]) == PARTS + 1


@pytest.mark.slow
def test_images__registered_ordered_challenged__proven(agents: Agents, tmp_path: Path) -> None:
    """LeNet-5: (28, 28, 1) in, ten classes out; the digests are those of matrices."""
    lenet, models = build("lenet5"), tmp_path / "models"
    write_model_folder(models / "lenet5", lenet.graph, lenet.weights, {})
    image = tmp_path / "image.json"
    image.write_text(json.dumps(lenet.inputs[0].tolist()))
    agents.create("registrant")
    registered = agents.account("registrant").register_version(models / "lenet5", "lenet5")
    agents.world = replace(
        agents.world, models=models, version=registered["version"], input_file=image
    )

    operator = agents.hire(Operator, backend="numpy")
    client = agents.order(may_challenge=False)
    agents.create("watcher")
    watcher = Challenger(agents.open("challenger", "watcher", challenge_always=True))
    assert agents.tick(client) == ["create"]
    assert [agents.tick(operator) for _ in range(2)] == [["accept"], ["commit"]]
    assert agents.tick(client) == ["verify"]
    assert [agents.tick(watcher) for _ in range(2)] == [["check"], ["challenge"]]
    assert agents.tick(operator) == ["prove"]
    job = agents.job(client)
    assert job.state is JobState.PROVEN
    assert agents.world.contracts.market.get_assurance(job.id) is Assurance.PROVEN
