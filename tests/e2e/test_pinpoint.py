"""A residual network on a real chain: one wrong operator in its middle is found and slashed.

Nothing is proven. Whoever pins what is right loses its bond; a process that dies goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offchain.cli.demo.ledger import find_leaks
from offchain.cli.demo.world import World
from offchain.cli.drill.company import Company, Offer, instant_blocks
from offchain.roles.dossier import Dossier, export_dossier
from offchain.roles.faulty import choose_middle
from offchain.roles.foresight import Foresight
from offchain.submit.content import FolderStore
from offchain.submit.models import load_model
from offchain.submit.proofs import count_prover_entries
from offchain.types import DisputeState, JobState
from tests.residual_net import build_residual_net

MIDDLE = "h2"


@pytest.fixture(scope="module")
def offer(residual_net: Offer) -> Offer:
    """The network whose middle is the operator that drills spoil."""
    assert choose_middle(build_residual_net()[0]) == MIDDLE
    return residual_net


@pytest.fixture
def play(world: World, offer: Offer, tmp_path: Path) -> Iterator[Callable[..., Company]]:
    """Play a drill about the network to its end; every wei has to be somewhere."""

    def run(fault: str, watcher: dict[str, object], **operator: object) -> Company:
        company = Company(world, tmp_path, offer)
        company.hire(fault, **operator)
        company.watch(**watcher)
        company.order()
        ledger = company.open_ledger()
        before = ledger.take_snapshot()
        company.play()
        assert company.job is not None
        after = ledger.take_snapshot([company.job])
        sent = ledger.read_transactions(before, after)
        assert find_leaks(before, after, sent) == {}
        net = company.compute_profit(before, after, sent)
        company.net = {name: int(part["net_wei"]) for name, part in net.items()}
        company.sent = [t.step for t in sent if t.succeeded]
        return company

    with instant_blocks(world):
        yield run


def check_slashed(company: Company, world: World) -> None:
    job = world.contracts.market.get_job(company.job)
    assert job.state is JobState.REJECTED
    dispute = world.contracts.game.get_dispute_of(company.job)
    assert dispute is not None
    assert dispute.state is DisputeState.DISTRIBUTED
    assert count_prover_entries(company.folder / "worker") == 0
    assert company.net["owner"] < 0 < company.net["watcher"]
    pinned = read_pinned(company, world)
    assert pinned == MIDDLE


def read_pinned(company: Company, world: World) -> str:
    """Return the operator about which the verdict was."""
    game = world.contracts.pinpoint
    (event,) = [
        e
        for e in game.find_events(world.manifest.first_block, company.job)
        if e.name == "OperatorPinned"
    ]
    book = company.roles["watcher"].context
    version = book.versions.reproduce(company.offer.version)
    plan = book.plans.find(version)
    assert plan is not None
    return plan.plan.ops[int(event.arguments["op"])].name


def test_wrong_operator__trace_there__pinned_in_one_transaction(
    world: World, play: Callable[..., Company]
) -> None:
    company = play("wrong-operator", {}, post_traces=True)
    check_slashed(company, world)
    disputed = [step for step in company.sent if step in ("pinpoint", "adjudicate", "search")]
    assert disputed == ["pinpoint", "adjudicate"]
    check_evidence(company, world)


def check_evidence(company: Company, world: World) -> None:
    """An outsider recomputes the verdict from the exported file, and finds what was changed."""
    content = FolderStore(company.folder / "content")
    document = export_dossier(world.client, world.manifest, world.contracts, content, company.job)
    document = json.loads(json.dumps(document))
    abi = world.manifest.get("PinpointGame").abi
    model = load_model(company.offer.models / "residual")
    findings = Dossier(document, abi).check(model)
    assert [f for f in findings if not f.holds] == []
    assert any("INCONSISTENT" in f.what for f in findings)
    document["trace"]["root"] = "0x" + "11" * 32
    assert any(f.holds is False for f in Dossier(document, abi).check(model))


@pytest.mark.parametrize("granularity", ["op", "layer"])
def test_wrong_operator__trace_withheld__searched_down_to_the_element(
    world: World, play: Callable[..., Company], granularity: str
) -> None:
    company = play("withhold-trace", {}, granularity=granularity)
    check_slashed(company, world)
    assert {"open-dispute", "search", "reveal", "reveal-tile", "pin"} <= set(company.sent)


def test_right_operator__pinned__griefer_loses_its_bond(
    world: World, play: Callable[..., Company]
) -> None:
    company = play("", {"challenge_always": True, "game": "pinpoint"}, post_traces=True)
    assert world.contracts.market.get_job(company.job).state is JobState.FINAL
    assert company.net["watcher"] < 0 < company.net["owner"]
    assert "adjudicate" in company.sent
    assert count_prover_entries(company.folder / "worker") == 0


def test_forecast__wrong_operator_pinned__challenger_wins_by_what_is_left_to_do(
    world: World, offer: Offer, tmp_path: Path
) -> None:
    with instant_blocks(world):
        company = Company(world, tmp_path, offer)
        company.hire("wrong-operator")
        watcher = company.watch()
        company.order()
        foresight = Foresight(world.client, world.manifest, world.contracts, world.parameters)
        content = FolderStore(tmp_path / "content")
        phases = []
        for _ in range(12):
            company.tick_all()
            if world.contracts.pinpoint.find_events(world.manifest.first_block, company.job):
                versions = watcher.context.versions
                recomputed = foresight.recompute(versions, content, company.job)
                told = foresight.foresee(company.job, recomputed)
                phases += [d["phase"] for d in told["disputes"]]
                assert told["outcome"] == "REJECTED"
                assert all(d["winner"] == "challenger" for d in told["disputes"])
                blind = foresight.foresee(company.job, None)
                assert blind["outcome"] in ("REJECTED", "unknown")
            if world.contracts.market.get_job(company.job).state is JobState.REJECTED:
                break
        assert "LEAF" in phases
