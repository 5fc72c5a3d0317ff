"""The challenger objects only to what it has found wrong, and only where it can see it through."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from offchain.chain.journal import StepStatus
from offchain.errors import ContractRevert, ModelMissing
from offchain.params.presets import LOCAL
from offchain.roles.base import DISTRIBUTE
from offchain.roles.challenger import CHALLENGE, CHECK, CLAIM_DEFAULT, Challenger
from offchain.roles.context import Context
from offchain.roles.disputes import compute_bond_to_send, name_step
from offchain.submit.content import compute_digest
from offchain.types import NOBODY, Address, Digest, DisputeState, JobState, VersionId, Wei
from tests.unit.roles.conftest import HEAD, JOB_ID, NOW, OTHER, WORKER, FakeWorld, steps

CLIENT = Address("0x" + "cC" * 20)


@pytest.fixture(autouse=True)
def somebody_elses_job(chain: FakeWorld) -> None:
    chain.job = replace(chain.job, client=CLIENT)


def check(context: Context, chain: FakeWorld, differs: bool) -> None:
    key = context.key(JOB_ID, name_step(CHECK, chain.job))
    context.journal.put_step(key, StepStatus.DONE, {"differs": differs})


def test_compute_due_steps__committed__checked_before_anything(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    chain.settings["challenge_always"] = True
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
    chain.settings["challenge_always"] = always
    context = chain.build_context("challenger")
    check(context, chain, differs)
    assert steps(Challenger(context).compute_due_steps()) == expected


def test_compute_due_steps__version_not_reproduced__never_challenged(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")
    context.give_up(context.key(JOB_ID, name_step(CHECK, chain.job)), "another weight root")
    assert Challenger(context).compute_due_steps() == ()


def test_check__input_missing__asked_for_as_long_as_the_window_is_open(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")
    model = SimpleNamespace(input_bits=8, input_shape=(1, 8))
    context.versions.reproduce = lambda _: SimpleNamespace(model=model)
    role = Challenger(context)
    (key,) = role.compute_due_steps()
    role.perform(key)
    role.perform(key)
    assert role.compute_due_steps() == (key,)
    assert context.log.names == ["put-off"]  # type: ignore[attr-defined]  # told once, not twice
    chain.set_state(JobState.COMMITTED, NOW - 1)
    assert role.compute_due_steps() == ()


def test_check__model_missing__asked_for_as_long_as_the_window_is_open(chain: FakeWorld) -> None:
    """Who registered the version serves its files: a silence at first sight must not end it."""
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")

    def miss(_: VersionId) -> None:
        raise ModelMissing("is being fetched")

    context.versions.reproduce = miss
    role = Challenger(context)
    (key,) = role.compute_due_steps()
    role.perform(key)
    assert role.compute_due_steps() == (key,)


def test_check__something_lies_in_the_place_of_the_true_result__found_wrong_all_the_same(
    chain: FakeWorld,
) -> None:
    """A cheat knows the true result's name and can write into the shared folder, too."""
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")
    chain.terms = replace(chain.terms, in_digest=context.content.put(bytes(8), 8, (1, 8)))
    (chain.home / "content" / f"{compute_digest(bytes(4), 8, (1, 4)).hex()}.bin").mkdir()
    model = SimpleNamespace(
        input_bits=8,
        input_shape=(1, 8),
        output_bits=8,
        output_shape=(1, 4),
        check_input=lambda _: None,
        run=lambda raw, _: raw[:4],
    )
    context.versions.reproduce = lambda _: SimpleNamespace(model=model)
    role = Challenger(context)
    (key,) = role.compute_due_steps()
    role.perform(key)
    assert steps(role.compute_due_steps()) == [CHALLENGE]


def test_compute_due_steps__window_over__nothing(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED, NOW - 1)
    assert Challenger(chain.build_context("challenger")).compute_due_steps() == ()


@pytest.mark.parametrize(
    ("prove_until", "expected"),
    [(NOW, []), (NOW - 1, [CLAIM_DEFAULT])],
    ids=["a proof may still come", "too late"],
)
def test_compute_due_steps__own_dispute__default_only_after_the_last_second(
    chain: FakeWorld, prove_until: int, expected: list[str]
) -> None:
    chain.open_dispute(WORKER, prove_until)
    context = chain.build_context("challenger")
    assert steps(Challenger(context).compute_due_steps()) == expected


@pytest.mark.parametrize(
    ("differs", "opened_at", "crowd", "expected"),
    [
        (True, HEAD, 1, [CHALLENGE]),
        (True, HEAD + 1 - LOCAL.share_blocks, 1, [CHALLENGE]),
        (True, HEAD - LOCAL.share_blocks, 1, []),
        (True, HEAD, LOCAL.max_challengers - 1, [CHALLENGE]),
        (True, HEAD, LOCAL.max_challengers, []),
        (False, HEAD, 1, []),
    ],
    ids=["wrong", "last block to join", "too late", "one place left", "full", "right"],
)
def test_compute_due_steps__somebody_elses_dispute__joined_where_the_reward_is_shared(
    chain: FakeWorld, differs: bool, opened_at: int, crowd: int, expected: list[str]
) -> None:
    chain.settings["challenge_always"] = True  # says nothing about others' disputes
    chain.open_dispute(OTHER, NOW + 10, opened_at=opened_at)
    chain.challengers = [OTHER] * crowd
    context = chain.build_context("challenger")
    check(context, chain, differs)
    assert steps(Challenger(context).compute_due_steps()) == expected


def test_compute_due_steps__client_among_the_challengers__takes_nobodys_place(
    chain: FakeWorld,
) -> None:
    chain.open_dispute(OTHER, NOW + 10)
    chain.challengers = [OTHER] * (LOCAL.max_challengers - 1) + [CLIENT]
    context = chain.build_context("challenger")
    check(context, chain, True)
    assert steps(Challenger(context).compute_due_steps()) == [CHALLENGE]


def test_compute_due_steps__dispute_without_a_bond__not_joined(chain: FakeWorld) -> None:
    chain.open_dispute(NOBODY, NOW + 10)
    context = chain.build_context("challenger")
    check(context, chain, True)
    assert Challenger(context).compute_due_steps() == ()


@pytest.mark.parametrize(
    ("challenger", "state", "airgap_until", "expected"),
    [
        (WORKER, DisputeState.DEFAULT, NOW, []),
        (WORKER, DisputeState.DEFAULT, NOW - 1, [DISTRIBUTE]),
        (WORKER, DisputeState.FRAUD_PROVEN, NOW - 1, [DISTRIBUTE]),
        (WORKER, DisputeState.CURED, NOW - 1, []),
        (WORKER, DisputeState.DISTRIBUTED, NOW - 1, []),
        (OTHER, DisputeState.DEFAULT, NOW - 1, []),
    ],
)
def test_compute_due_steps__rejected__slash_divided_once_the_airgap_is_over(
    chain: FakeWorld,
    challenger: Address,
    state: DisputeState,
    airgap_until: int,
    expected: list[str],
) -> None:
    chain.open_dispute(challenger, NOW - 20, state=state)
    chain.set_state(JobState.REJECTED, airgap_until)
    context = chain.build_context("challenger")
    assert steps(Challenger(context).compute_due_steps()) == expected


def test_challenge__funds_do_not_reach_to_the_end__put_off_until_they_do(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    chain.balance = Wei(10**6)
    context = chain.build_context("challenger")
    check(context, chain, True)
    role = Challenger(context)
    (key,) = role.compute_due_steps()
    role.perform(key)
    assert chain.sent == []
    chain.balance = Wei(10**18)
    assert role.compute_due_steps() == (key,)
    role.perform(key)
    assert chain.sent == [("challenge", JOB_ID, chain.job.out_digest, 8)]


@pytest.mark.parametrize(("required", "sent"), [(0, 0), (1, 2), (100, 150), (101, 152)])
def test_compute_bond_to_send__half_as_much_again_rounded_up(required: int, sent: int) -> None:
    assert compute_bond_to_send(required) == sent


def test_challenge__bond_rose__tried_again(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")
    check(context, chain, True)
    role = Challenger(context)
    (key,) = role.compute_due_steps()
    chain.refusal = ContractRevert("BondTooSmall", {}, "DisputeGame.challenge", b"")
    with pytest.raises(ContractRevert):  # the loop's policy logs it
        role.perform(key)
    assert role.compute_due_steps() == (key,)


def test_challenge__overtaken_by_the_deadline__dropped(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")
    check(context, chain, True)
    role = Challenger(context)
    (key,) = role.compute_due_steps()
    chain.refusal = ContractRevert("DeadlinePassed", {}, "DisputeGame.challenge", b"")
    chain.meanwhile = lambda: chain.set_state(JobState.COMMITTED, NOW - 1)
    role.perform(key)
    assert "overtaken" in context.log.names  # type: ignore[attr-defined]
    assert role.compute_due_steps() == ()


def test_reorganised_result__checked_itself_and_never_challenged_for_the_other(
    chain: FakeWorld,
) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("challenger")
    found_wrong = context.key(JOB_ID, name_step(CHALLENGE, chain.job))
    check(context, chain, True)
    assert Challenger(context).compute_due_steps() == (found_wrong,)
    chain.job = replace(chain.job, out_digest=Digest(b"\5" * 32))
    assert steps(Challenger(context).compute_due_steps()) == [CHECK]
    Challenger(context).perform(found_wrong)
    assert chain.sent == []
