"""Audits by proof: asked for once, drawn while the result may be challenged."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from offchain.roles.challenger import Challenger
from offchain.types import AuditState, JobState, SeedState
from tests.unit.roles.conftest import JOB_ID, NOW, FakeWorld, steps


def open_challenger(chain: FakeWorld, state: AuditState, seed: SeedState) -> Challenger:
    chain.settings["audit"] = True
    context = chain.build_context("challenger")
    contracts: Any = context.contracts
    contracts.audits = SimpleNamespace(
        address="0x" + "77" * 20,
        get_audit=lambda _: state,
        build_request=lambda job: ("request-audit", job),
        build_draw=lambda job: ("draw-audit", job),
    )
    contracts.beacon = SimpleNamespace(get_state=lambda *_: seed)
    return Challenger(context)


@pytest.mark.parametrize(
    ("state", "seed", "due"),
    [
        (AuditState.NONE, SeedState.NONE, "request-audit"),
        (AuditState.REQUESTED, SeedState.WAITING, None),
        (AuditState.REQUESTED, SeedState.READY, "draw-audit"),
        (AuditState.REQUESTED, SeedState.MISSED, "draw-audit"),
        (AuditState.SPARED, SeedState.FIXED, None),
        (AuditState.DRAWN, SeedState.FIXED, None),
    ],
)
def test_audit__of_each_state(
    chain: FakeWorld, state: AuditState, seed: SeedState, due: str | None
) -> None:
    chain.set_state(JobState.COMMITTED)
    challenger = open_challenger(chain, state, seed)
    found = [step for step in steps(challenger.compute_due_steps()) if "audit" in step]
    assert found == ([] if due is None else [due])


def test_audit__of_a_disputed_job__asked_for(chain: FakeWorld) -> None:
    chain.set_state(JobState.DISPUTED, NOW + 9)
    challenger = open_challenger(chain, AuditState.NONE, SeedState.NONE)
    assert "request-audit" in steps(challenger.compute_due_steps())


@pytest.mark.parametrize(
    ("job", "deadline", "proof_required"),
    [
        (JobState.COMMITTED, NOW - 1, False),
        (JobState.COMMITTED, NOW + 9, True),
        (JobState.ASSIGNED, NOW + 9, False),
        (JobState.DISPUTED, NOW - 1, False),
        (JobState.REJECTED, NOW + 9, False),
    ],
)
def test_audit__impossible__not_asked_for(
    chain: FakeWorld, job: JobState, deadline: int, proof_required: bool
) -> None:
    chain.set_state(job, deadline, proof_required=proof_required)
    challenger = open_challenger(chain, AuditState.NONE, SeedState.NONE)
    assert not [step for step in steps(challenger.compute_due_steps()) if "audit" in step]


def test_audit__asked_and_drawn__sent_and_told(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    for state in (AuditState.NONE, AuditState.REQUESTED):
        challenger = open_challenger(chain, state, SeedState.READY)
        for key in challenger.compute_due_steps():
            if "audit" in key.step:
                challenger.perform(key)
    assert chain.sent == [("request-audit", JOB_ID), ("draw-audit", JOB_ID)]


def test_audit__not_set__nothing_is_asked(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    challenger = Challenger(chain.build_context("challenger"))
    assert not [step for step in steps(challenger.compute_due_steps()) if "audit" in step]
