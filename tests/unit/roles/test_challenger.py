"""The challenger objects only to what it has found wrong, and only where it can see it through."""

from __future__ import annotations

import pytest

from offchain.chain.journal import StepStatus
from offchain.roles.challenger import CHALLENGE, CHECK, CLAIM_DEFAULT, Challenger
from offchain.types import Address, JobState, Wei
from tests.unit.roles.conftest import NOW, WORKER, FakeWorld, steps

OTHER = Address("0x" + "ee" * 20)


def test_compute_due_steps__committed__checked_before_anything(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    chain.challenge_always = True
    context = chain.build_context("challenger")
    assert steps(Challenger(context).compute_due_steps()) == [CHECK]


@pytest.mark.parametrize(
    ("differs", "always", "expected"),
    [(True, False, [CHALLENGE]), (False, False, []), (False, True, [CHALLENGE])],
)
def test_compute_due_steps__checked__challenged_where_it_differs(
    chain: FakeWorld, differs: bool, always: bool, expected: list[str]
) -> None:
    chain.set_state(JobState.COMMITTED)
    chain.challenge_always = always
    context = chain.build_context("challenger")
    context.journal.put_step(context.key(1, CHECK), StepStatus.DONE, {"differs": differs})
    assert steps(Challenger(context).compute_due_steps()) == expected


def test_compute_due_steps__could_not_reproduce__never_challenged(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")
    context.give_up(context.key(1, CHECK), "no content")
    assert Challenger(context).compute_due_steps() == ()


def test_compute_due_steps__window_over__nothing(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED, NOW - 1)
    assert Challenger(chain.build_context("challenger")).compute_due_steps() == ()


@pytest.mark.parametrize(
    ("challenger", "prove_until", "expected"),
    [(WORKER, NOW, []), (WORKER, NOW - 1, [CLAIM_DEFAULT]), (OTHER, NOW - 1, [])],
    ids=["a proof may still come", "too late", "somebody else's"],
)
def test_compute_due_steps__disputed__default_only_after_the_last_second(
    chain: FakeWorld, challenger: Address, prove_until: int, expected: list[str]
) -> None:
    chain.open_dispute(challenger, prove_until)
    context = chain.build_context("challenger")
    assert steps(Challenger(context).compute_due_steps()) == expected


def test_challenge__funds_do_not_reach_to_the_end__not_opened(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    chain.balance = Wei(10**6)
    context = chain.build_context("challenger")
    Challenger(context).perform(context.key(1, CHALLENGE))
    step = context.journal.get_step(context.key(1, CHALLENGE))
    assert step is not None
    assert step.status is StepStatus.GIVEN_UP
