"""How long traces take here: measured once, posted up front where it is long, refused beyond."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.errors import JobRefused
from offchain.roles import job_moves, trace_defence, trace_pace
from offchain.roles.context import Context
from offchain.roles.log import Reminders
from offchain.roles.operator import ACCEPT, COMMIT, Operator
from offchain.roles.plan_checks import verify_defensible
from offchain.roles.trace_defence import POST_TRACE
from offchain.roles.trace_pace import is_measured, is_slow, measure_trace, verify_pace
from offchain.submit.models import Model
from offchain.submit.plans import VersionPlan, build_version_plan
from offchain.submit.versions import ReproducedVersion
from offchain.types import JobState, RegisteredPlan
from tests.unit.roles.conftest import JOB_ID, NOW, TERMS, FakeWorld, steps
from tests.vectors.parts import build_graph

T_TRACE = 60
REGISTERED = RegisteredPlan(b"\1" * 32, 3, 1, 2, 0, 2, 3, 1)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(Path(), *build_graph())


@pytest.fixture(scope="module")
def plan(model: Model) -> VersionPlan:
    return build_version_plan(model, "none")


@pytest.fixture
def context(chain: FakeWorld, model: Model, plan: VersionPlan) -> Context:
    chain.plan = plan
    made: Any = chain.build_context("operator")
    version = SimpleNamespace(id=TERMS.version, proof_gas=10**6)
    made.versions.reproduce = lambda _: ReproducedVersion(version, model)  # type: ignore[arg-type]
    made.contracts.pinpoint = SimpleNamespace(
        trace_seconds=T_TRACE, get_trace=lambda _: SimpleNamespace(is_posted=False)
    )
    made.contracts.adjudicators.get_plan = lambda _: REGISTERED
    context_: Context = made
    return context_


class Watch:
    """A clock by which the runs take so long, one after the other."""

    def __init__(self, *seconds: float) -> None:
        self.now, self.runs = 0.0, 0
        self._times = self._tick(seconds)

    def _tick(self, seconds: tuple[float, ...]) -> Iterator[float]:
        for each in seconds:
            yield self.now
            self.now, self.runs = self.now + each, self.runs + 1
            yield self.now

    def __call__(self) -> float:
        return next(self._times)


def measure(context: Context, watch: Watch) -> float:
    version = context.versions.reproduce(TERMS.version)
    return measure_trace(context, version, context.plans.find(version), watch)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("runs", "expected", "slow"),
    [
        ((29.0,), 29.0, False),
        ((30.0,), 30.0, False),
        ((31.0, 20.0), 20.0, False),  # something else ran beside it
        ((31.0, 32.0), 31.0, True),
        ((200.0, 100.0), 100.0, True),
    ],
)
def test_measure__once_a_version__what_seems_long_twice(
    context: Context, runs: tuple[float, ...], expected: float, slow: bool
) -> None:
    assert not is_slow(context, TERMS.version)
    watch = Watch(*runs)
    assert measure(context, watch) == expected
    assert watch.runs == len(runs)
    assert measure(context, watch) == expected  # from the journal: the clock has stopped
    assert is_slow(context, TERMS.version) is slow
    assert context.log.names == ["trace-measured"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("seconds", "is_refused"), [(60.0, False), (61.0, True)])
def test_intake__trace_takes_longer_than_there_is_time__refused(
    context: Context, seconds: float, is_refused: bool
) -> None:
    measure(context, Watch(seconds, seconds))
    if not is_refused:
        verify_defensible(context, TERMS.version)
        return
    with pytest.raises(JobRefused, match=r"61\.0 s to compute here, and 60 s"):
        verify_defensible(context, TERMS.version)


def test_measure__too_slow_once__again_after_a_while_or_a_restart(context: Context) -> None:
    assert measure(context, Watch(200.0, 100.0)) == 100.0
    assert measure(context, Watch()) == 100.0  # not at once
    later = replace(context, reminders=Reminders())
    assert measure(later, Watch(50.0, 40.0)) == 40.0
    later = replace(context, reminders=Reminders())
    assert measure(later, Watch()) == 40.0  # it is served: nothing to look at again


def test_measure__each_machine_for_itself__posted_up_front_if_one_is_slow(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(context, Watch(1.0))
    monkeypatch.setattr(trace_pace.platform, "node", lambda: "another")
    assert not is_measured(context, TERMS.version)
    assert measure(context, Watch(59.0, 59.0)) == 59.0
    monkeypatch.undo()
    assert measure(context, Watch()) == 1.0
    assert is_slow(context, TERMS.version)


def test_accept__a_job_that_is_not_taken_anyway__measures_nothing(
    chain: FakeWorld, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.set_state(JobState.OPEN, NOW + 9)
    monkeypatch.setattr(job_moves, "check_provable", lambda *_: None)
    monkeypatch.setattr(job_moves, "find_obstacle", lambda *_: "the fee is below the floor")
    monkeypatch.setattr(trace_pace, "_time", lambda *_: pytest.fail("measured"))
    Operator(context).perform(context.key(JOB_ID, ACCEPT))
    assert chain.sent == []


def test_intake__measures_for_itself(context: Context, plan: VersionPlan) -> None:
    verify_pace(context, context.versions.reproduce(TERMS.version), plan)
    assert context.log.names == ["trace-measured"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("seconds", "expected"), [(30.0, []), (31.0, [POST_TRACE])])
def test_committed__of_a_slow_version__its_trace_is_posted_up_front(
    chain: FakeWorld, context: Context, seconds: float, expected: list[str]
) -> None:
    measure(context, Watch(seconds, seconds))
    chain.set_state(JobState.COMMITTED)
    assert steps(Operator(context).compute_due_steps()) == expected


@pytest.mark.parametrize(("seconds", "is_slow_"), [(30.0, False), (31.0, True)])
def test_commit__of_a_slow_version__its_trace_is_there_before(
    chain: FakeWorld,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    is_slow_: bool,
) -> None:
    """Whoever asks for it at once gets it though it takes longer than a dispute's clocks allow."""
    measure(context, Watch(seconds, seconds))
    chain.set_state(JobState.ASSIGNED, NOW + 9)
    seen: list[object] = []
    operator = Operator(context)
    monkeypatch.setattr(operator, "run_job", lambda _: b"\2" * 32)
    monkeypatch.setattr(
        trace_defence.TraceBook, "compute", lambda _, job: seen.append((job.id, len(chain.sent)))
    )
    operator.perform(context.key(JOB_ID, COMMIT))
    assert seen == ([(JOB_ID, 0)] if is_slow_ else [])
    assert len(chain.sent) == 1


def test_commit__journal_lost_since_it_was_taken__measured_then(
    chain: FakeWorld, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.set_state(JobState.ASSIGNED, NOW + 9)
    operator = Operator(context)
    monkeypatch.setattr(operator, "run_job", lambda _: b"\2" * 32)
    measured: list[object] = []
    monkeypatch.setattr(trace_pace, "_time", lambda *_: measured.append(0) or 1.0)
    operator.perform(context.key(JOB_ID, COMMIT))
    assert len(measured) == 1 and len(chain.sent) == 1


@pytest.mark.parametrize(("after_taking", "measured"), [(0, 1), (1, 0)])
def test_commit__plan_became_active_after_the_job_was_taken__waits_for_no_measurement(
    chain: FakeWorld,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    after_taking: int,
    measured: int,
) -> None:
    """It does not count for the job, and whoever owns the version chose the time."""
    taken_at = NOW - 1
    chain.set_state(JobState.ASSIGNED, taken_at + context.parameters.exec_seconds)
    active = replace(REGISTERED, active_at=taken_at + after_taking)
    monkeypatch.setattr(context.contracts.adjudicators, "get_plan", lambda _: active)
    operator = Operator(context)
    monkeypatch.setattr(operator, "run_job", lambda _: b"\2" * 32)
    runs: list[object] = []
    monkeypatch.setattr(trace_pace, "_time", lambda *_: runs.append(0) or 1.0)
    operator.perform(context.key(JOB_ID, COMMIT))
    assert (len(runs), len(chain.sent)) == (measured, 1)
