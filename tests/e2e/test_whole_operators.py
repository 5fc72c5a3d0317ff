"""Operators disputed as a whole: nobody shows an element, either side proves the operator alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from offchain.chain.contracts.pinpoint_types import WHOLE
from offchain.cli.demo.ledger import find_leaks
from offchain.cli.demo.world import World
from offchain.cli.drill.company import Company, Offer, instant_blocks
from offchain.commit.model_folder import write_model_folder
from offchain.roles import trace_book
from offchain.roles.account import Account
from offchain.roles.differences import Differences
from offchain.roles.plans import publish_plan
from offchain.submit.models import load_model
from offchain.submit.proofs import count_prover_entries
from offchain.types import JobState, VersionId
from tests.vectors.parts import ROWS, SIZE, build_graph

pytestmark = pytest.mark.slow  # each key and proof of a part takes seconds


@pytest.fixture(scope="module")
def offer(world: World, tmp_path_factory: pytest.TempPathFactory) -> Offer:
    """Two dense layers and their sum, with keys for every operator and row."""
    folder = tmp_path_factory.mktemp("parts")
    write_model_folder(folder / "models" / "parts", *build_graph(), {})
    key_file, _ = world.create_account(folder, "registrant")
    with instant_blocks(world):
        account = Account(world.anvil.url, world.manifest_file, key_file, None, folder / "state")
        model = load_model(folder / "models" / "parts")
        registered = account.register_version(model.folder, "parts")
        version = VersionId(bytes.fromhex(str(registered["version"])[2:]))
        publish_plan(account, model, version, "all")
        wait = world.parameters.exec_seconds + world.parameters.challenge_seconds
        world.anvil.jump_to(world.client.get_head().timestamp + wait)
    sample = np.random.default_rng(1).integers(-128, 128, (ROWS, SIZE)).tolist()
    return Offer(version, folder / "models", sample)


@pytest.fixture
def play(
    world: World, offer: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Company]]:
    """Play a drill in which traces are published without the tensors that they are of."""
    monkeypatch.setattr(trace_book, "MAX_PUBLISHED", 0)

    def run(fault: str, **watcher: object) -> Company:
        company = Company(world, tmp_path, offer)
        company.hire(fault, post_traces=True)
        company.watch(**watcher)
        company.order()
        ledger = company.open_ledger()
        before = ledger.take_snapshot()
        company.play()
        assert company.job is not None
        after = ledger.take_snapshot([company.job])
        sent = ledger.read_transactions(before, after)
        assert find_leaks(before, after, sent) == {}
        assert [t.step for t in sent].count("adjudicate") == 1
        assert "prove" not in [t.step for t in sent]
        return company

    with instant_blocks(world):
        yield run


def read_pinned(company: Company, world: World) -> int:
    events = world.contracts.pinpoint.find_events(world.manifest.first_block, company.job)
    (event,) = [e for e in events if e.name == "OperatorPinned"]
    return int(event.arguments["elem"])


def test_wrong_operator__output_withheld__challenger_proves_its_own(
    world: World, play: Callable[..., Company]
) -> None:
    company = play("wrong-operator")
    assert world.contracts.market.get_job(company.job).state is JobState.REJECTED
    assert read_pinned(company, world) == WHOLE
    assert count_prover_entries(company.folder / "watcher") == 1


def test_right_operator__pinned_as_a_whole__operator_proves_it_alone(
    world: World, play: Callable[..., Company], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Differences, "choose_element", lambda *_: None)
    company = play("", challenge_always=True, game="pinpoint")
    assert world.contracts.market.get_job(company.job).state is JobState.FINAL
    assert read_pinned(company, world) == WHOLE
    assert count_prover_entries(company.folder / "worker") == 1
