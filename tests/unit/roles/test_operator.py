"""The operator does what the job's state asks, and proves only what is challenged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from offchain.chain.journal import StepStatus
from offchain.errors import UnchallengedProof
from offchain.roles.operator import ACCEPT, COMMIT, FINALISE, PROVE, Operator
from offchain.submit.content import ContentStore
from offchain.submit.proofs import PROVER_ENTRIES, build_statement, count_prover_entries
from offchain.types import Address, JobId, JobState
from tests.unit.roles.conftest import NOW, OWNER, WORKER, FakeWorld, steps

CHALLENGER = Address("0x" + "ee" * 20)
BEFORE, AFTER = NOW + 10, NOW - 1


@pytest.mark.parametrize(
    ("state", "deadline", "expected"),
    [
        (JobState.OPEN, BEFORE, [ACCEPT]),
        (JobState.OPEN, NOW, [ACCEPT]),
        (JobState.OPEN, AFTER, []),
        (JobState.ASSIGNED, BEFORE, [COMMIT]),
        (JobState.COMMITTED, BEFORE, []),
        (JobState.COMMITTED, NOW, []),
        (JobState.COMMITTED, AFTER, [FINALISE]),
        (JobState.DISPUTED, BEFORE, [PROVE]),
        (JobState.FINAL, AFTER, []),
        (JobState.PROVEN, AFTER, []),
        (JobState.REJECTED, AFTER, []),
        (JobState.EXPIRED, AFTER, []),
        (JobState.FAILED, AFTER, []),
        (JobState.CANCELLED, AFTER, []),
    ],
)
def test_compute_due_steps__every_state__prove_only_when_disputed(
    chain: FakeWorld, state: JobState, deadline: int, expected: list[str]
) -> None:
    if state is JobState.DISPUTED:
        chain.open_dispute(CHALLENGER, deadline)
    chain.set_state(state, deadline)
    assert steps(Operator(chain.build_context("operator")).compute_due_steps()) == expected


def test_compute_due_steps__challenge_replaced_by_a_reorganisation__proven_again(
    chain: FakeWorld,
) -> None:
    context = chain.build_context("operator")
    chain.open_dispute(CHALLENGER, BEFORE, seed=b"\4" * 32)
    (first,) = Operator(context).compute_due_steps()
    chain.open_dispute(CHALLENGER, BEFORE, seed=b"\5" * 32)
    (second,) = Operator(context).compute_due_steps()
    assert first != second


def test_compute_due_steps__done_but_undone_by_a_reorganisation__due_again(
    chain: FakeWorld,
) -> None:
    chain.set_state(JobState.ASSIGNED)
    context = chain.build_context("operator")
    context.journal.put_step(context.key(1, COMMIT), StepStatus.DONE)
    assert steps(Operator(context).compute_due_steps()) == [COMMIT]


@pytest.mark.parametrize("state", [JobState.ASSIGNED, JobState.COMMITTED, JobState.DISPUTED])
def test_compute_due_steps__somebody_elses_job__nothing(chain: FakeWorld, state: JobState) -> None:
    chain.set_state(state, AFTER)
    chain.job = replace(chain.job, operator=Address("0x" + "dd" * 20))
    assert Operator(chain.build_context("operator")).compute_due_steps() == ()


def test_compute_due_steps__given_up__not_due_again(chain: FakeWorld) -> None:
    context = chain.build_context("operator")
    context.journal.put_step(context.key(1, ACCEPT), StepStatus.GIVEN_UP)
    assert Operator(context).compute_due_steps() == ()


def test_prove__challenge_not_confirmed__prover_is_not_entered(chain: FakeWorld) -> None:
    chain.open_dispute(CHALLENGER, BEFORE)
    context = chain.build_context("operator")
    Operator(context).perform(context.key(1, PROVE))
    assert context.journal.get_counter(PROVER_ENTRIES) == 0
    assert count_prover_entries(chain.home) == 0


def test_prove__no_dispute__prover_is_not_entered(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("operator")
    Operator(context).perform(context.key(1, PROVE))
    assert context.journal.get_counter(PROVER_ENTRIES) == 0


@pytest.mark.parametrize(
    "change",
    [{"challenge_seed": bytes(32)}, {"challenge_seed": b""}, {"is_open": False}, {"job": JobId(2)}],
    ids=["no seed", "empty seed", "closed", "another job's"],
)
def test_build_statement__without_an_open_challenge__refused(
    chain: FakeWorld, change: dict[str, object]
) -> None:
    chain.open_dispute(CHALLENGER, BEFORE)
    assert chain.dispute is not None
    version = SimpleNamespace(
        version=SimpleNamespace(id=bytes(32), verifier=OWNER, program_hash=b"", srs_id=b""),
        model=SimpleNamespace(layout=SimpleNamespace(program=SimpleNamespace(op_count=4))),
    )
    dispute = replace(chain.dispute, **change)  # type: ignore[arg-type]
    with pytest.raises(UnchallengedProof):
        build_statement(version, chain.job, dispute, 31337, OWNER, WORKER)  # type: ignore[arg-type]
    good = build_statement(version, chain.job, chain.dispute, 31337, OWNER, WORKER)  # type: ignore[arg-type]
    assert (good.prover, good.challenge_seed, good.op_range) == (WORKER, b"\3" * 32, 4)


@pytest.mark.parametrize(("given", "expected"), [(7, False), (8, True)])
def test_has_time_to_prove__one_open_job_and_one_more__half_the_time_must_do(
    chain: FakeWorld, given: int, expected: bool
) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("operator")
    version = SimpleNamespace(
        version=SimpleNamespace(id=bytes(32)),
        model=SimpleNamespace(cost=SimpleNamespace(seconds=2)),
    )
    context.versions.reproduce = lambda _: version
    context.contracts.game.get_prove_seconds = lambda *_: given
    assert Operator(context).has_time_to_prove(version) is expected


def test_read_input__gone_from_the_shared_folder_after_acceptance__own_copy_serves(
    chain: FakeWorld, tmp_path: Path
) -> None:
    """A challenger who deletes the input must not be able to keep the operator from proving."""
    raw = bytes(range(8))
    shared = ContentStore(tmp_path / "shared")
    digest = shared.put(raw, 8, (1, 8))
    model = SimpleNamespace(input_bits=8, input_shape=(1, 8), check_input=lambda _: None)
    context = replace(chain.build_context("operator"), content=shared)
    context.versions.reproduce = lambda _: SimpleNamespace(model=model)
    job = replace(chain.job, in_digest=digest)
    assert Operator(context).read_input(job) == raw
    (tmp_path / "shared" / f"{digest.hex()}.bin").write_bytes(b"something else")
    assert Operator(context).read_input(job) == raw
