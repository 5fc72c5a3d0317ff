"""Fraud shown without a bond: announced once, reported a block later, or found impossible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from offchain.chain.artifacts import load_artifact
from offchain.chain.contracts.pinpoint_game import PinpointGame, compute_report_commitment
from offchain.chain.contracts.pinpoint_types import EMPTY, Pin, PostedTrace
from offchain.errors import ContractRevert
from offchain.roles.base import BaseRole
from offchain.roles.challenger import Challenger
from offchain.roles.context import Context
from offchain.roles.differences import Differences
from offchain.roles.fraud_reports import HOME_FILE, FraudReports
from offchain.roles.known_trace import KnownTrace
from offchain.roles.pin_calldata import read_pin
from offchain.roles.pins import claim_pin
from offchain.roles.trace_book import OwnTrace
from offchain.submit.models import Model
from offchain.submit.plans import CONTRACTION, ROW, VersionPlan
from offchain.trace.evidence import ElementClaim, judge_element
from offchain.trace.recorder import Granularity, Trace
from offchain.trace.tensors import TiledTensor
from offchain.types import Job, Seconds, Verdict, Wei
from tests.unit.roles.conftest import HEAD, JOB_ID, OWNER, TERMS, WORKER, FakeWorld
from tests.vectors.parts import ELEMENT, Case, build_graph

WRONG = "y1"
POSTED = PostedTrace(b"\5" * 32, Seconds(1), True, 1, 1)


@pytest.fixture(scope="module")
def case() -> Case:
    return Case(*build_graph())


@dataclass
class World:
    """One account that has computed a job, and somebody's trace that is wrong in one element."""

    chain: FakeWorld
    case: Case
    granularity: Granularity = Granularity.OP
    output: TiledTensor | None = None

    def __post_init__(self) -> None:
        deployed = SimpleNamespace(address=OWNER, abi=load_artifact("PinpointGame").abi)
        client: Any = SimpleNamespace()
        manifest: Any = SimpleNamespace(get=lambda _: deployed)
        self.game = PinpointGame(client, manifest)
        self.own = OwnTrace(
            VersionPlan(self.case.plan, {}, "none"),
            Model(Path(), self.case.graph, self.case.weights),
            self.case.execution,
            self.case.trace,
            b"",
        )
        self.output, digest = self.case.change(WRONG, ELEMENT)
        wrong = self.case.plan.find(WRONG).index
        said = [digest if k == wrong else d for k, d in enumerate(self.case.trace.digests)]
        self.theirs = Trace(self.case.plan, self.case.trace.in_digest, tuple(said))
        self.op_root = EMPTY
        self.context = self.open_context()

    def open_context(self) -> Context:
        context: Any = self.chain.build_context("challenger")
        addresses = {CONTRACTION: OWNER, ROW: WORKER}
        context.contracts.adjudicators.get_adjudicators = lambda: (OWNER, WORKER)
        manifest: Any = SimpleNamespace(get=lambda n: SimpleNamespace(address=addresses[n]))
        return replace(cast(Context, context), manifest=manifest)

    @property
    def job(self) -> Job:
        return self.chain.job

    @property
    def book(self) -> Any:
        game = SimpleNamespace(
            build_prove_fraud=self.game.build_prove_fraud, get_op_root=lambda *_: self.op_root
        )
        return SimpleNamespace(
            game=game,
            fetch=lambda *_: KnownTrace(self.theirs, self.granularity),
            fetch_output=lambda *_: self.output,
        )

    def find_pin(self) -> Pin | None:
        return Differences(self.book).find_pin(self.own, self.job, TERMS, POSTED)

    def report(self) -> bool:
        """Do what is to be done, in a role that has just been started."""
        role: BaseRole = Challenger(self.context)
        pin = self.find_pin()
        return FraudReports(role, self.book).report_pin(self.key, self.job, self.own, pin)

    @property
    def key(self) -> Any:
        return self.context.key(JOB_ID, "report-fraud:22")

    @property
    def sent(self) -> list[Any]:
        return list(self.chain.sent)

    def is_over(self) -> bool:
        return FraudReports(Challenger(self.context), self.book).is_over(JOB_ID, self.key)


@pytest.fixture
def world(chain: FakeWorld, case: Case) -> World:
    return World(chain, case)


def test_report__announced_once_then_made__with_evidence_that_convicts(world: World) -> None:
    world.chain.announced = None
    assert world.report()
    ((name, commitment),) = world.sent
    assert name == "announce"
    world.chain.announced = HEAD  # in this very block
    assert world.report()
    assert len(world.sent) == 1
    world.chain.announced = HEAD - 1
    assert world.report()
    report = world.sent[1]
    assert commitment == compute_report_commitment(WORKER, report)
    (told,) = world.game.abi.decode_calls("proveFraud", report.calldata)
    ((adjudicator, evidence),) = told["rulings"]
    assert adjudicator == 0
    claim = claim_pin(world.job.version, JOB_ID, read_pin(told["pin"]))
    assert (claim.op, claim.elem) == (world.case.plan.find(WRONG).index, ELEMENT)
    said = ElementClaim(claim.desc, claim.elem, claim.in_digests, claim.out_digest)
    assert judge_element(said, bytes(evidence)) is Verdict.INCONSISTENT


def test_report__salt__cannot_be_guessed(world: World, case: Case, tmp_path: Path) -> None:
    """It is the home's: whoever knows job, trace and reporter knows no announcement."""
    world.chain.announced = None
    assert world.report()
    (tmp_path / "other").mkdir()
    other = World(FakeWorld(tmp_path / "other"), case)
    other.chain.announced = None
    assert other.report()
    assert world.sent[0][1] != other.sent[0][1]


@pytest.mark.parametrize("missing", ["trace", "output", "fault"])
def test_report__nothing_to_show__given_up_and_nothing_sent(world: World, missing: str) -> None:
    if missing == "trace":
        world.granularity = Granularity.LAYER  # and the layer was not expanded
    elif missing == "output":
        world.output = None
    else:
        world.theirs = world.case.trace
        world.output = TiledTensor(b"", 1)
    assert not world.report()
    assert world.is_over()
    assert not world.report()
    assert world.sent == []
    assert world.context.log.names == ["refused"]  # type: ignore[attr-defined]


def test_report__refused_by_the_chain__given_up(world: World) -> None:
    """A lock that only two adjudicators may slash, for example."""
    world.chain.announced = HEAD - 1
    world.chain.refusal = ContractRevert("SecondRulingNeeded", {}, "proveFraud", b"")
    role: Any = Challenger(world.context)
    role._is_due = lambda *_: True
    reports = FraudReports(role, world.book)
    assert not reports.report_pin(world.key, world.job, world.own, world.find_pin())
    assert world.is_over()


def test_report__node_lags_behind_the_announcement__tried_again(world: World) -> None:
    world.chain.announced = HEAD - 1
    world.chain.refusal = ContractRevert("NotAnnounced", {}, "proveFraud", b"")
    role: Any = Challenger(world.context)
    role._is_due = lambda *_: True
    reports = FraudReports(role, world.book)
    assert reports.report_pin(world.key, world.job, world.own, world.find_pin())
    assert not world.is_over()
    world.chain.refusal = None
    assert world.report()
    assert len(world.sent) == 1


def test_report__home_lost_and_the_journal_kept__announced_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another salt makes another report: the step that announced the first one is not its own."""
    steps: list[str] = []
    monkeypatch.setattr(Challenger, "send", lambda *told, **_: steps.append(told[2].step))
    world.chain.announced = None
    assert world.report() and world.report()
    (world.context.settings.home / HOME_FILE).unlink()
    assert world.report()
    first, again, other = steps
    assert first == again != other


def test_report__not_even_gas_for_it__put_off(world: World) -> None:
    world.chain.balance = Wei(10**14)
    assert not world.report()
    assert not world.is_over()
    world.chain.balance, world.chain.announced = Wei(10**18), None
    assert world.report()
    assert len(world.sent) == 1


@pytest.mark.parametrize(
    ("expanded", "is_found"), [("not", False), ("otherwise", False), ("as published", True)]
)
def test_find_pin__trace_of_layers__only_what_was_expanded(
    world: World, expanded: str, is_found: bool
) -> None:
    """The chain opens no operator of a layer whose root it does not hold: that is searched for."""
    world.granularity = Granularity.LAYER
    layer = world.case.plan.find(WRONG).layer
    roots = {"not": EMPTY, "otherwise": b"\1" * 32, "as published": world.theirs.op_roots[layer]}
    world.op_root = roots[expanded]
    pin = world.find_pin()
    assert (pin is not None) is is_found
    if pin is not None:
        assert replace(pin, siblings=()).elem == ELEMENT
