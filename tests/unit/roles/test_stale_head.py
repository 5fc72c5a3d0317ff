"""On a head that stands still nothing bonded is begun, and nothing owed is left undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.chain.clock import HeadWatch
from offchain.chain.journal import StepStatus
from offchain.roles.base import BaseRole
from offchain.roles.challenger import CHECK, Challenger
from offchain.roles.disputes import CHALLENGE, name_step
from offchain.roles.operator import ACCEPT, COMMIT, Operator
from offchain.types import JobState
from tests.unit.roles.conftest import JOB_ID, NOW, FakeWorld, steps


def tick_after(role: BaseRole, seconds: float, now: list[float]) -> list[str]:
    role.compute_due_steps()
    now[0] += seconds
    return steps(role.compute_due_steps())


@pytest.mark.parametrize(
    ("state", "seconds", "expected"),
    [
        (JobState.OPEN, 300.0, [ACCEPT]),
        (JobState.OPEN, 301.0, []),
        (JobState.ASSIGNED, 301.0, [COMMIT]),
    ],
)
def test_operator__head_stands__takes_no_job_and_commits(
    chain: FakeWorld, state: JobState, seconds: float, expected: list[str]
) -> None:
    now = [0.0]
    watch = HeadWatch(max_head_age_s=300, clock=lambda: now[0])
    chain.set_state(state, NOW + 10)
    operator = Operator(replace(chain.build_context("operator"), heads=watch))
    assert tick_after(operator, seconds, now) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(300.0, [CHALLENGE]), (301.0, [])])
def test_challenger__head_stands__opens_no_dispute(
    chain: FakeWorld, seconds: float, expected: list[str]
) -> None:
    now = [0.0]
    watch = HeadWatch(max_head_age_s=300, clock=lambda: now[0])
    chain.set_state(JobState.COMMITTED)
    context = replace(chain.build_context("challenger"), heads=watch)
    key = context.key(JOB_ID, name_step(CHECK, chain.job))
    context.journal.put_step(key, StepStatus.DONE, {"differs": True})
    assert tick_after(Challenger(context), seconds, now) == expected
