"""The challenger objects only to what it has found wrong, and only where it can see it through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.chain.journal import StepStatus
from offchain.roles.challenger import CHALLENGE, CHECK, CLAIM_DEFAULT, Challenger
from offchain.roles.disputes import name_step
from offchain.types import Address, Digest, JobState, Wei
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
    context.journal.put_step(
        context.key(1, name_step(CHECK, chain.job)), StepStatus.DONE, {"differs": differs}
    )
    assert steps(Challenger(context).compute_due_steps()) == expected


def test_compute_due_steps__could_not_reproduce__never_challenged(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")
    context.give_up(context.key(1, name_step(CHECK, chain.job)), "no content")
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
    Challenger(context).perform(context.key(1, name_step(CHALLENGE, chain.job)))
    step = context.journal.get_step(context.key(1, name_step(CHALLENGE, chain.job)))
    assert step is not None
    assert step.status is StepStatus.GIVEN_UP


def test_reorganised_result__checked_itself_and_never_challenged_for_the_other(
    chain: FakeWorld,
) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")
    found_wrong = context.key(1, name_step(CHALLENGE, chain.job))
    check = context.key(1, name_step(CHECK, chain.job))
    context.journal.put_step(check, StepStatus.DONE, {"differs": True})
    assert Challenger(context).compute_due_steps() == (found_wrong,)
    chain.job = replace(chain.job, out_digest=Digest(b"\5" * 32))
    assert steps(Challenger(context).compute_due_steps()) == [CHECK]
    Challenger(context).perform(found_wrong)  # it has no submitter to send anything with
    assert not context.journal.is_done(found_wrong)
