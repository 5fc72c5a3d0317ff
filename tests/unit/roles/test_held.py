"""A dispute over a job's trace, an accomplice's perhaps, does not put its client to sleep."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.contracts.pinpoint_types import Phase
from offchain.params.presets import LOCAL
from offchain.roles.base import VOID_DISPUTE
from offchain.roles.disputes import CHALLENGE
from offchain.roles.results import REQUEST_DELIVERY, VERIFY
from offchain.roles.trace_defence import FINALISE_DEFENDED
from offchain.roles.trace_turns import TIMEOUT, VOID_HELD
from offchain.types import JobState, ProtocolTime
from tests.unit.roles.conftest import NOW, OTHER, FakeWorld, steps
from tests.unit.roles.test_client import build, judge, with_model

LAST_HALF = NOW + LOCAL.challenge_seconds // 2
DELAY = LOCAL.keeper_delay_seconds
ID = b"\5" * 32


class Held:
    """A game over traces in which one dispute holds the job."""

    def __init__(self, phase: Phase, deadline: int) -> None:
        self.clock_seconds = 30
        self.dispute = SimpleNamespace(
            id=ID, key=7, phase=phase, deadline=deadline, head=b"\6" * 32, challenger=OTHER
        )
        self.open_places = 1 if phase.is_open else 0

    def get_trace(self, _: object) -> SimpleNamespace:
        return SimpleNamespace(is_posted=True, posted_at=1, open_places=self.open_places)

    def get_dispute(self, *_: object) -> SimpleNamespace:
        return self.dispute

    def __getattr__(self, name: str) -> Any:
        assert name.startswith("build_")
        return lambda *arguments: (name.removeprefix("build_"), *arguments[1:])


def hold(chain: FakeWorld, deadline: int, phase: Phase, until: int, **others: Any) -> Any:
    """Return the client's context while its job is held."""
    chain.set_state(JobState.DISPUTED, deadline, **others)
    context: Any = with_model(chain.build_context("client"))
    context.contracts.pinpoint = Held(phase, until)
    known = context.cursor.get_events
    context.cursor.get_events = lambda name, job=None: (
        (SimpleNamespace(arguments={"id": ID, "key": 7}),)
        if name == "DisputeOpened"
        else known(name, job)
    )
    return context


def test_held__result_is_checked_and_objected_to(chain: FakeWorld) -> None:
    context = hold(chain, NOW + 1, Phase.LEAF, NOW + 5)
    client = build(context, may_challenge=True)
    assert steps(client.compute_due_steps()) == [VERIFY]
    judge(context, chain, agrees=False)
    assert steps(client.compute_due_steps()) == [CHALLENGE]
    chain.set_state(JobState.DISPUTED, LAST_HALF + 1)
    judge(context, chain, agrees=False)
    assert steps(client.compute_due_steps()) == []  # others may win with their dispute before


def test_held__output_that_cannot_be_had__asked_for(chain: FakeWorld) -> None:
    chain.settings["request_delivery"] = True
    context = hold(chain, NOW + 1, Phase.LEAF, NOW + 5)
    judge(context, chain, agrees=True)
    assert steps(build(context).compute_due_steps()) == [REQUEST_DELIVERY]


@pytest.mark.parametrize(
    ("phase", "until", "deadline", "deliver_by", "expected"),
    [
        (Phase.LEAF, NOW - DELAY, NOW + 9, 0, []),
        (Phase.LEAF, NOW - DELAY - 1, NOW + 9, 0, [TIMEOUT]),
        (Phase.SELECT, NOW - DELAY - 1, NOW - 99, 0, [TIMEOUT]),
        (Phase.DEFENDER_PROVEN, 0, NOW - DELAY, 0, []),
        (Phase.DEFENDER_PROVEN, 0, NOW - DELAY - 1, 0, [FINALISE_DEFENDED]),
        (Phase.DEFENDER_PROVEN, 0, NOW - DELAY - 1, NOW - DELAY, []),
        (Phase.DEFENDER_PROVEN, 0, NOW - 99, NOW - DELAY - 1, [FINALISE_DEFENDED]),
    ],
)
def test_held__what_both_sides_forgot__ended(
    chain: FakeWorld, phase: Phase, until: int, deadline: int, deliver_by: int, expected: list[str]
) -> None:
    context = hold(chain, deadline, phase, until, deliver_by=deliver_by)
    judge(context, chain, agrees=True)
    client = build(context)
    due = client.compute_due_steps()
    assert steps(due) == expected
    for key in due:
        client.perform(key)
    names = {TIMEOUT: "claim_timeout", FINALISE_DEFENDED: "finalise_defended"}
    sent: list[Any] = list(chain.sent)
    assert [call[0] for call in sent] == [names[step] for step in expected]


def test_held__refund_mode__voided(chain: FakeWorld) -> None:
    chain.time = ProtocolTime(NOW, is_refund_mode=True)
    context = hold(chain, NOW + 9, Phase.LEAF, NOW + 5)
    client = build(context)
    assert steps(client.compute_due_steps()) == [VOID_HELD]
    chain.open_dispute(OTHER, NOW + 9)
    assert steps(client.compute_due_steps()) == [VOID_DISPUTE]
