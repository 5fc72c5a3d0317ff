"""The client follows its job to the end, and objects where it may and must."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.chain.journal import StepStatus
from offchain.roles.challenger import CHALLENGE, CLAIM_DEFAULT
from offchain.roles.client import CREATE, EXPIRE, FAIL, VERIFY, Client, Request
from offchain.roles.context import Context
from offchain.roles.disputes import name_step
from offchain.types import Address, JobState, VersionId, Wei
from tests.unit.roles.conftest import NOW, WORKER, FakeWorld, steps

REQUEST = Request("mine", VersionId(bytes(32)), bytes(64), Wei(1_000))
LATE, EARLY = NOW - 1, NOW + 10


def build(context: Context, may_challenge: bool = False) -> Client:
    context.journal.put_step(context.key("mine", CREATE), StepStatus.DONE, {"job": 1})
    return Client(context, REQUEST, may_challenge=may_challenge)


def test_compute_due_steps__nothing_created__create(chain: FakeWorld) -> None:
    client = Client(chain.build_context("client"), REQUEST)
    assert steps(client.compute_due_steps()) == [CREATE]
    assert not client.is_finished()


@pytest.mark.parametrize(
    ("state", "deadline", "expected"),
    [
        (JobState.OPEN, EARLY, []),
        (JobState.OPEN, LATE, [EXPIRE]),
        (JobState.ASSIGNED, NOW, []),
        (JobState.ASSIGNED, LATE, [FAIL]),
        (JobState.COMMITTED, EARLY, [VERIFY]),
        (JobState.REJECTED, LATE, []),
    ],
)
def test_compute_due_steps__every_state(
    chain: FakeWorld, state: JobState, deadline: int, expected: list[str]
) -> None:
    chain.set_state(state, deadline)
    assert steps(build(chain.build_context("client")).compute_due_steps()) == expected


@pytest.mark.parametrize(
    ("agrees", "may_challenge", "deadline", "expected"),
    [
        (False, True, EARLY, [CHALLENGE]),
        (False, True, LATE, []),
        (False, False, EARLY, []),
        (True, True, EARLY, []),
    ],
    ids=["wrong", "wrong but too late", "wrong but not asked to", "right"],
)
def test_compute_due_steps__checked__challenged_only_when_wrong_and_in_time(
    chain: FakeWorld, agrees: bool, may_challenge: bool, deadline: int, expected: list[str]
) -> None:
    chain.set_state(JobState.COMMITTED, deadline)
    context = chain.build_context("client")
    context.journal.put_step(
        context.key(1, name_step(VERIFY, chain.job)), StepStatus.DONE, {"agrees": agrees}
    )
    assert steps(build(context, may_challenge).compute_due_steps()) == expected


def test_compute_due_steps__own_dispute_unanswered__default_claimed(chain: FakeWorld) -> None:
    client = build(chain.build_context("client"), may_challenge=True)
    chain.open_dispute(WORKER, EARLY)
    assert client.compute_due_steps() == ()
    chain.open_dispute(WORKER, LATE)
    assert steps(client.compute_due_steps()) == [CLAIM_DEFAULT]


def test_is_finished__closed_and_nothing_left_in_the_vault(chain: FakeWorld) -> None:
    client = build(chain.build_context("client"))
    assert not client.is_finished()
    chain.set_state(JobState.FINAL)
    assert client.is_finished()


def test_compute_due_steps__number_went_to_somebody_elses_job__created_again(
    chain: FakeWorld,
) -> None:
    client = build(chain.build_context("client"), may_challenge=True)
    chain.set_state(JobState.COMMITTED)
    chain.job = replace(chain.job, client=Address("0x" + "cc" * 20))
    assert steps(client.compute_due_steps()) == [CREATE]
