"""A residual network on a real chain: one wrong operator in its middle is found and slashed.

Nothing is proven. Whoever pins what is right loses its bond; a process that dies goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from offchain.cli.demo.ledger import find_leaks
from offchain.cli.demo.world import World
from offchain.cli.drill.company import Company, Offer, instant_blocks
from offchain.cli.main import cli
from offchain.errors import EvidenceError
from offchain.roles.faulty import choose_middle
from offchain.roles.foresight import Foresight
from offchain.roles.one_job import OneJobChallenger
from offchain.submit.content import FolderStore
from offchain.submit.proofs import count_prover_entries
from offchain.types import DisputeState, JobState
from tests.residual_net import build_residual_net

MIDDLE = "h2"
POOR = 3 * 10**16  # gas for a report, and no bond
REPORTED = ("announce-evidence", "report-fraud")


@pytest.fixture(scope="module")
def offer(residual_net: Offer) -> Offer:
    """The network whose middle is the operator that drills spoil."""
    assert choose_middle(build_residual_net()[0]) == MIDDLE
    return residual_net


@pytest.fixture
def play(world: World, offer: Offer, tmp_path: Path) -> Iterator[Callable[..., Company]]:
    """Play a drill about the network to its end; every wei has to be somewhere."""

    def run(
        fault: str,
        watcher: dict[str, object],
        is_one_job: bool = False,
        wealth_wei: int | None = None,
        **operator: object,
    ) -> Company:
        company = Company(world, tmp_path, offer)
        company.hire(fault, **operator)
        context = company.watch(**watcher).context
        if wealth_wei is not None:
            world.anvil.fund(company.addresses["watcher"], wealth_wei)
        company.order()
        if is_one_job:  # whoever disputes a single result from the command line
            company.roles["watcher"] = OneJobChallenger(context, company.job)
        ledger = company.open_ledger()
        before = ledger.take_snapshot()
        while wealth_wei is not None and ("watcher", "pinpoint") not in company.done:
            assert company.tick_all()
        world.anvil.mine(1, 1)  # a report is made in a later block than it is announced
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


@pytest.mark.slow
def test_wrong_operator__challenger_without_a_bond__shows_the_fraud_all_the_same(
    world: World, play: Callable[..., Company]
) -> None:
    """It announces, reports in a later block, and is rewarded; who looks on can check that."""
    company = play("wrong-operator", {}, wealth_wei=POOR, post_traces=True)
    assert [step for step in company.sent if step in REPORTED] == list(REPORTED)
    assert not {"pinpoint", "open-dispute"} & set(company.sent)
    job = world.contracts.market.get_job(company.job)
    assert job.state is JobState.REJECTED
    assert company.net["owner"] < 0 < company.net["watcher"]
    check_evidence(company, world)


@pytest.mark.slow
def test_wrong_operator__trace_of_layers_there__searched_until_its_layer_is_expanded(
    world: World, play: Callable[..., Company]
) -> None:
    company = play("wrong-operator", {}, post_traces=True, granularity="layer")
    check_slashed(company, world)
    moves = ("post-trace", "open-dispute", "reveal", "select", "expand", "pin", "adjudicate")
    told = [step for step in company.sent if step in moves]
    assert told == [*moves[:5], "reveal", *moves[5:]]


def check_evidence(company: Company, world: World) -> None:
    """An outsider recomputes the verdict from the exported file, and finds what was changed."""
    chain = ("--rpc", world.anvil.url, "--manifest", str(world.manifest_file))
    file, content = str(company.folder / "dispute.json"), str(company.folder / "content")
    told = call("evidence", "export", company.job, *chain, "--content", content, "--out", file)
    assert told["job"] == company.job
    model = ("--model", str(company.offer.models / "residual"))
    findings = call("evidence", "check", file, *model)
    assert {finding["result"] for finding in findings} == {"holds"}
    assert any("INCONSISTENT" in finding["check"] for finding in findings)
    document = json.loads(Path(file).read_text())
    assert document["trace"]["digests"] is not None
    document["trace"]["root"] = "0x" + "11" * 32
    Path(file).write_text(json.dumps(document))
    with pytest.raises(EvidenceError):
        call("evidence", "check", file, *model)
    shown = call("dispute", "show", company.job, *chain)
    assert (shown["state"], shown["disputes"]) == ("REJECTED", [])
    assert shown["prove_it"]["state"] == "DISTRIBUTED"


def call(*arguments: str) -> Any:
    """Return the JSON answer of a command; raises what it raises."""
    done = CliRunner().invoke(cli, [*arguments, "--json"], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)


@pytest.mark.parametrize("granularity", ["op", pytest.param("layer", marks=pytest.mark.slow)])
def test_wrong_operator__trace_withheld__searched_down_to_the_element(
    world: World, play: Callable[..., Company], granularity: str
) -> None:
    is_one_job = granularity == "op"
    company = play("withhold-trace", {}, is_one_job, granularity=granularity)
    check_slashed(company, world)
    assert not is_one_job or company.roles["watcher"].is_finished()
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
