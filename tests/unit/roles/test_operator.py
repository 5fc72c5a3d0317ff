"""The operator does what the job's state asks, and proves only what is challenged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.journal import StepStatus
from offchain.chain.rpc import RpcError
from offchain.errors import (
    ProofError,
    SecondResult,
    SignerRefused,
    UnchallengedProof,
    VersionMismatch,
)
from offchain.params.presets import LOCAL
from offchain.roles import defence
from offchain.roles.base import VOID, VOID_DISPUTE
from offchain.roles.binding import ACCEPT_OWNER, UNJAIL
from offchain.roles.context import Context
from offchain.roles.defence import CURE, PRESSING_PART, PROVE
from offchain.roles.operator import (
    ACCEPT,
    COMMIT,
    DELIVER,
    FAIL,
    FINALISE,
    REFUSE,
    REQUEST_PROOF,
    Operator,
)
from offchain.roles.receipts import STAND_BY, stand_by
from offchain.submit.content import FolderStore, compute_digest
from offchain.submit.proofs import PROVER_ENTRIES, build_statement, count_prover_entries
from offchain.types import (
    NOBODY,
    Address,
    Digest,
    DisputeState,
    JobId,
    JobState,
    ProtocolTime,
    Seconds,
    Standing,
    Wei,
)
from tests.unit.roles.conftest import (
    JOB_ID,
    NOW,
    OTHER,
    OWNER,
    SEED,
    TERMS,
    WORKER,
    FakeWorld,
    steps,
)

BEFORE, AFTER = NOW + 10, NOW - 1
JAIL_TERM = Seconds(NOW + 60)


class TestModel:
    """Doubles nothing: an input's first bytes are its output."""

    __test__ = False
    input_bits = output_bits = 8
    input_shape, output_shape = (1, 8), (1, 4)
    output_bytes = 4
    cost = SimpleNamespace(seconds=2, gas=10**6, calldata_bytes=2_000)

    def check_input(self, raw: bytes) -> None:
        assert len(raw) == 8

    def run(self, raw: bytes, _: str) -> bytes:
        return raw[:4]


def with_model(chain: FakeWorld, context: Context) -> Context:
    """Let the context reproduce every version, and put the job's input into the content store."""
    version = SimpleNamespace(
        id=TERMS.version, prove_seconds=2, proof_gas=10**6, royalty_bps=0, output_bytes=4
    )
    found = SimpleNamespace(version=version, model=TestModel())
    context.versions.reproduce = lambda _: found
    digest = context.content.put(bytes(range(8)), 8, (1, 8))
    chain.terms = replace(chain.terms, in_digest=digest)
    return context


def perform_due(role: Operator) -> list[str]:
    """Perform what is due and return its names."""
    due = role.compute_due_steps()
    for key in due:
        role.perform(key)
    return steps(due)


# What a state asks for


@pytest.mark.parametrize(
    ("state", "deadline", "expected"),
    [
        (JobState.OPEN, BEFORE, [ACCEPT]),
        (JobState.OPEN, NOW, [ACCEPT]),
        (JobState.OPEN, AFTER, []),
        (JobState.ASSIGNED, BEFORE, [COMMIT]),
        (JobState.ASSIGNED, NOW, [COMMIT]),
        (JobState.ASSIGNED, AFTER, []),
        (JobState.ASSIGNED, NOW - LOCAL.keeper_delay_seconds, []),
        (JobState.ASSIGNED, NOW - LOCAL.keeper_delay_seconds - 1, [FAIL]),
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
        (JobState.REFUSED, AFTER, []),
        (JobState.VOIDED, AFTER, []),
    ],
)
def test_compute_due_steps__every_state__prove_only_when_disputed(
    chain: FakeWorld, state: JobState, deadline: int, expected: list[str]
) -> None:
    if state is JobState.DISPUTED:
        chain.open_dispute(OTHER, deadline)
    chain.set_state(state, deadline)
    assert steps(Operator(chain.build_context("operator")).compute_due_steps()) == expected


@pytest.mark.parametrize(
    ("required", "deadline", "deliver_by", "expected"),
    [
        (False, AFTER, BEFORE, [DELIVER]),
        (False, BEFORE, NOW, [DELIVER]),
        (False, AFTER, AFTER, []),
        (True, BEFORE, 0, [REQUEST_PROOF]),
        (True, NOW, 0, [REQUEST_PROOF]),
        (True, AFTER, 0, []),
        (True, BEFORE, BEFORE, [DELIVER]),
    ],
)
def test_compute_due_steps__committed__delivery_and_required_proof_in_time(
    chain: FakeWorld, required: bool, deadline: int, deliver_by: int, expected: list[str]
) -> None:
    chain.set_state(JobState.COMMITTED, deadline, proof_required=required, deliver_by=deliver_by)
    assert steps(Operator(chain.build_context("operator")).compute_due_steps()) == expected


@pytest.mark.parametrize(
    ("state", "prove_until", "airgap_until", "expected"),
    [
        (DisputeState.OPEN, NOW, 0, [PROVE]),
        (DisputeState.OPEN, AFTER, 0, []),
        (DisputeState.DEFAULT, AFTER, NOW, [CURE]),
        (DisputeState.DEFAULT, AFTER, AFTER, []),
        (DisputeState.FRAUD_PROVEN, 0, NOW, []),
        (DisputeState.CURED, AFTER, NOW, []),
    ],
)
def test_compute_due_steps__dispute__a_proof_only_while_it_counts(
    chain: FakeWorld, state: DisputeState, prove_until: int, airgap_until: int, expected: list[str]
) -> None:
    chain.open_dispute(OTHER, prove_until, state=state)
    if state is not DisputeState.OPEN:
        chain.set_state(JobState.REJECTED, airgap_until)
    assert steps(Operator(chain.build_context("operator")).compute_due_steps()) == expected


def test_compute_due_steps__challenge_replaced_by_a_reorganisation__proven_again(
    chain: FakeWorld,
) -> None:
    context = chain.build_context("operator")
    chain.open_dispute(OTHER, BEFORE, seed=b"\4" * 32)
    (first,) = Operator(context).compute_due_steps()
    chain.open_dispute(OTHER, BEFORE, seed=b"\5" * 32)
    (second,) = Operator(context).compute_due_steps()
    assert first != second


def test_compute_due_steps__done_but_undone_by_a_reorganisation__due_again(
    chain: FakeWorld,
) -> None:
    chain.set_state(JobState.ASSIGNED)
    context = chain.build_context("operator")
    context.journal.put_step(context.key(JOB_ID, COMMIT), StepStatus.DONE)
    assert steps(Operator(context).compute_due_steps()) == [COMMIT]


@pytest.mark.parametrize("state", [JobState.ASSIGNED, JobState.COMMITTED, JobState.DISPUTED])
def test_compute_due_steps__somebody_elses_job__nothing(chain: FakeWorld, state: JobState) -> None:
    chain.set_state(state, AFTER)
    chain.job = replace(chain.job, operator=Address("0x" + "dd" * 20))
    assert Operator(chain.build_context("operator")).compute_due_steps() == ()


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("deadline", [BEFORE, AFTER])
def test_compute_due_steps__paused__nothing_in_any_state(
    chain: FakeWorld, state: JobState, deadline: int
) -> None:
    chain.time = ProtocolTime(NOW, is_paused=True)
    chain.open_dispute(OTHER, BEFORE)
    chain.set_state(state, deadline)
    assert Operator(chain.build_context("operator")).compute_due_steps() == ()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (JobState.ASSIGNED, [VOID]),
        (JobState.COMMITTED, [VOID]),
        (JobState.DISPUTED, [VOID_DISPUTE]),
        (JobState.FINAL, []),
    ],
)
def test_compute_due_steps__refund_mode__lock_fetched_back(
    chain: FakeWorld, state: JobState, expected: list[str]
) -> None:
    chain.time = ProtocolTime(NOW, is_refund_mode=True)
    chain.open_dispute(OTHER, BEFORE)
    chain.set_state(state, AFTER)
    context = chain.build_context("operator")
    assert steps(Operator(context).compute_due_steps()) == expected
    chain.job = replace(chain.job, operator=OTHER)
    assert Operator(context).compute_due_steps() == ()


# Whom it serves


@pytest.mark.parametrize(
    ("pinned", "proposed", "served", "expected"),
    [
        (OWNER, WORKER, None, [ACCEPT_OWNER]),
        (OWNER, WORKER, OWNER, [ACCEPT_OWNER]),
        (OWNER, WORKER, OTHER, []),
        (OWNER, OTHER, None, []),
        (OWNER, None, None, []),
        ("", WORKER, None, []),
    ],
    ids=["pinned", "came back", "served another", "another worker", "not proposed", "not pinned"],
)
def test_compute_due_steps__no_owner__only_the_pinned_one_is_accepted(
    chain: FakeWorld,
    pinned: str,
    proposed: Address | None,
    served: Address | None,
    expected: list[str],
) -> None:
    chain.owner, chain.proposed, chain.served = None, proposed, served
    chain.settings["owner"] = pinned
    role = Operator(chain.build_context("operator"))
    assert perform_due(role) == expected
    assert chain.sent == ([("accept-owner", OWNER)] if expected else [])


def test_compute_due_steps__bound_to_somebody_who_is_not_pinned__serves_nobody(
    chain: FakeWorld,
) -> None:
    chain.owner = OTHER
    chain.settings["owner"] = OWNER
    for state in JobState:
        chain.open_dispute(OTHER, BEFORE)
        chain.set_state(state, BEFORE)
        assert Operator(chain.build_context("operator")).compute_due_steps() == ()


@pytest.mark.parametrize(
    ("until", "expected"),
    [(0, [ACCEPT]), (NOW + 1, []), (NOW, [UNJAIL])],
    ids=["free", "in jail", "served its term"],
)
def test_compute_due_steps__jail__no_jobs_before_it_is_left(
    chain: FakeWorld, until: int, expected: list[str]
) -> None:
    chain.standing = Standing(Seconds(until), Seconds(0), 0)
    assert steps(Operator(chain.build_context("operator")).compute_due_steps()) == expected


# What it takes


def test_accept__good_job__taken(chain: FakeWorld) -> None:
    context = with_model(chain, chain.build_context("operator"))
    assert perform_due(Operator(context)) == [ACCEPT]
    assert chain.sent == [("accept", JOB_ID)]


@pytest.mark.parametrize(
    ("change", "terms", "settings"),
    [
        ({"balance": Wei(0)}, {}, {}),
        ({}, {"fee": 10**12}, {}),
        ({}, {}, {"min_fee_wei": 10**15 + 1}),
        ({}, {"verify_mask": 1}, {}),
        ({}, {"token": OTHER}, {"accept_token": True, "min_fee_token": 10**15 + 1}),
        ({}, {"token": OTHER}, {}),
    ],
    ids=[
        "no gas for what may come", "fee below the gas", "fee below the floor",
        "fee below the required proof", "token fee below the floor", "token not accepted",
    ],
)  # fmt: skip
def test_accept__does_not_pay__not_taken(
    chain: FakeWorld, change: dict[str, Any], terms: dict[str, Any], settings: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(chain, name, value)
    chain.settings.update(settings)
    context = with_model(chain, chain.build_context("operator"))
    chain.terms = replace(chain.terms, **terms)
    perform_due(Operator(context))
    assert chain.sent == []


def test_accept__token_accepted__taken(chain: FakeWorld) -> None:
    chain.settings.update(accept_token=True, min_fee_token=10**15)
    context = with_model(chain, chain.build_context("operator"))
    chain.terms = replace(chain.terms, token=OTHER)
    perform_due(Operator(context))
    assert chain.sent == [("accept", JOB_ID)]


def test_accept__input_comes_late__taken_then(chain: FakeWorld) -> None:
    context = with_model(chain, chain.build_context("operator"))
    path = chain.home / "content" / f"{chain.terms.in_digest.hex()}.bin"
    raw = path.read_bytes()
    path.unlink()
    role = Operator(context)
    assert perform_due(role) == [ACCEPT]
    assert chain.sent == []
    path.write_bytes(raw)
    assert perform_due(role) == [ACCEPT]
    assert chain.sent == [("accept", JOB_ID)]


def test_accept__version_not_reproduced__never_taken(chain: FakeWorld) -> None:
    context = with_model(chain, chain.build_context("operator"))

    def reproduce(_: object) -> None:
        raise VersionMismatch("verification key hash", b"\1", b"\2")

    context.versions.reproduce = reproduce  # type: ignore[assignment,method-assign]
    role = Operator(context)
    assert perform_due(role) == [ACCEPT]
    assert perform_due(role) == []
    assert chain.sent == []


@pytest.mark.parametrize(
    ("block_s", "uncommitted", "expected"),
    [(0, 4, True), (0, 5, False), (1, 1, True), (1, 2, False), (12, 0, True), (12, 1, False)],
)
def test_accept__results_of_earlier_jobs_are_due__only_as_many_as_can_be_committed(
    chain: FakeWorld, block_s: int, uncommitted: int, expected: bool
) -> None:
    chain.block_s = block_s
    context = with_model(chain, chain.build_context("operator"))
    waiting = replace(chain.job, state=JobState.ASSIGNED)
    role = Operator(context)
    role.list_open_jobs = lambda: (waiting,) * uncommitted  # type: ignore[method-assign]
    perform_due(role)
    assert bool(chain.sent) is expected


@pytest.mark.parametrize(
    ("state", "deadline", "deliver_by", "expected"),
    [
        (JobState.OPEN, BEFORE, 0, False),
        (JobState.ASSIGNED, NOW, 0, True),
        (JobState.ASSIGNED, AFTER, 0, False),
        (JobState.COMMITTED, NOW, 0, True),
        (JobState.COMMITTED, AFTER, 0, False),
        (JobState.COMMITTED, AFTER, BEFORE, True),
        (JobState.DISPUTED, AFTER, 0, True),
        (JobState.REJECTED, BEFORE, 0, False),
        (JobState.FINAL, AFTER, 0, False),
    ],
)
def test_list_open_jobs__what_may_still_ask_for_something(
    chain: FakeWorld, state: JobState, deadline: int, deliver_by: int, expected: bool
) -> None:
    chain.set_state(state, deadline, deliver_by=deliver_by)
    role = Operator(chain.build_context("operator"))
    assert role.list_open_jobs() == ((chain.job,) if expected else ())
    chain.job = replace(chain.job, operator=OTHER)
    assert role.list_open_jobs() == ()


def test_list_open_jobs__an_acceptance_is_on_its_way__counted_as_taken(chain: FakeWorld) -> None:
    """Threads decide one after the other, long before a block holds what was decided."""
    context = chain.build_context("operator")
    role = Operator(context)
    assert role.list_open_jobs() == ()
    context.journal.get_sent_jobs = (  # type: ignore[method-assign]
        lambda role, step: frozenset({JOB_ID}) if (role, step) == ("operator", ACCEPT) else ()
    )
    (counted,) = role.list_open_jobs()
    assert (counted.state, counted.operator) == (JobState.ASSIGNED, chain.owner)


def test_compute_due_steps__many_jobs__what_has_a_deadline_comes_first(chain: FakeWorld) -> None:
    states = [JobState.OPEN, JobState.COMMITTED, JobState.ASSIGNED]
    ids = [JobId("0x" + f"{number:064x}") for number in range(3)]
    deadlines = [BEFORE, AFTER, BEFORE]
    context = chain.build_context("operator")
    context.cursor.get_live_jobs = lambda: tuple(ids)  # type: ignore[method-assign]
    context.contracts.market.get_job = lambda job_id: replace(  # type: ignore[method-assign]
        chain.job,
        id=job_id,
        state=states[ids.index(job_id)],
        deadline=Seconds(deadlines[ids.index(job_id)]),
    )
    assert steps(Operator(context).compute_due_steps()) == [COMMIT, FINALISE, ACCEPT]


def test_perform__handed_out_twice__done_once(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED, AFTER)
    role = Operator(chain.build_context("operator"))
    (key,) = role.compute_due_steps()
    role.perform(key)
    chain.set_state(JobState.FINAL)
    role.perform(key)
    assert chain.sent == [("finalise", JOB_ID)]


# What it does with a job


def test_commit__result_vouched_for_and_committed(chain: FakeWorld) -> None:
    chain.set_state(JobState.ASSIGNED)
    context = with_model(chain, chain.build_context("operator"))
    assert perform_due(Operator(context)) == [COMMIT]
    ((name, job, digest, _),) = chain.sent  # type: ignore[misc]
    assert (name, job) == ("commit", JOB_ID)
    assert context.content.get(digest, 8, (1, 4)) == bytes(range(4))
    (receipt,) = context.content.get_receipts(JOB_ID)
    assert receipt.out_digest == digest


def test_commit__another_digest_was_vouched_for__never_signed(chain: FakeWorld) -> None:
    chain.set_state(JobState.ASSIGNED)
    context = with_model(chain, chain.build_context("operator"))
    stand_by(context, JOB_ID, Digest(b"\6" * 32))
    with pytest.raises(SecondResult):
        perform_due(Operator(context))
    assert chain.sent == []
    assert context.content.get_receipts(JOB_ID) == ()


def test_commit__signer_signs_no_messages__committed_all_the_same(chain: FakeWorld) -> None:
    chain.set_state(JobState.ASSIGNED)
    context = with_model(chain, chain.build_context("operator"))

    def refuse(_: object) -> bytes:
        raise SignerRefused("http://signer", "transactions only")

    context.signer.sign_typed = refuse  # type: ignore[method-assign]
    perform_due(Operator(context))
    assert len(chain.sent) == 1
    assert context.journal.is_done(context.key(JOB_ID, STAND_BY))


def test_commit__shared_folder_blocked__committed_all_the_same(chain: FakeWorld) -> None:
    """A client knows the output's name: what it puts there must not cost the operator its lock."""
    chain.set_state(JobState.ASSIGNED)
    context = with_model(chain, chain.build_context("operator"))
    folder = chain.home / "content"
    (folder / f"{compute_digest(bytes(range(4)), 8, (1, 4)).hex()}.bin").mkdir()
    (folder / "receipts").write_bytes(b"no folder")
    perform_due(Operator(context))
    assert len(chain.sent) == 1
    assert len(list(folder.iterdir())) == 3  # nothing half written stays


@pytest.mark.parametrize(
    ("since", "expected"),
    [(0, [REFUSE]), (LOCAL.exec_seconds // 4, [REFUSE]), (LOCAL.exec_seconds // 4 + 1, [COMMIT])],
    ids=["at once", "last second", "too late"],
)
def test_commit__input_vanished__refused_within_a_quarter(
    chain: FakeWorld, since: int, expected: list[str]
) -> None:
    chain.set_state(JobState.ASSIGNED, NOW - since + LOCAL.exec_seconds)
    context = with_model(chain, chain.build_context("operator"))
    (chain.home / "content" / f"{chain.terms.in_digest.hex()}.bin").unlink()
    role = Operator(context)
    assert perform_due(role) == [COMMIT]
    assert chain.sent == []
    assert perform_due(role) == expected
    assert chain.sent == ([("refuse", JOB_ID)] if expected == [REFUSE] else [])


def test_deliver__own_copy_of_the_input__output_recomputed(chain: FakeWorld) -> None:
    context = with_model(chain, chain.build_context("operator"))
    chain.set_state(JobState.COMMITTED, AFTER, deliver_by=BEFORE)
    perform_due(Operator(context))
    assert chain.sent == [("deliver", JOB_ID, 1, (1, 4), bytes(range(4)))]


def test_prove__challenge_not_confirmed__prover_is_not_entered(chain: FakeWorld) -> None:
    chain.open_dispute(OTHER, BEFORE)
    context = chain.build_context("operator")
    assert perform_due(Operator(context)) == [PROVE]
    assert context.journal.get_counter(PROVER_ENTRIES) == 0
    assert count_prover_entries(chain.home) == 0


def test_prove__unconfirmed_but_little_time_left__proven_at_the_head(chain: FakeWorld) -> None:
    """Endpoints that disagree all the time must not cost an honest operator its lock."""
    chain.open_dispute(OTHER, NOW + LOCAL.prove_seconds // PRESSING_PART - 1)
    role = Operator(with_model(chain, chain.build_context("operator")))
    role._defence._get_evidence = (  # type: ignore[method-assign]
        lambda *_: SimpleNamespace(raw_input=b"", raw_output=b"", proof=b"proof")
    )
    role.publish_proof = lambda *_: chain.sent.append("proof")  # type: ignore[assignment,arg-type,method-assign]
    assert perform_due(role) == [PROVE]
    assert chain.sent == ["proof"]


def test_prove__stored_proof_is_damaged__made_again(
    chain: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.open_dispute(OTHER, NOW)
    role = Operator(with_model(chain, chain.build_context("operator")))
    stored = chain.home / "proofs" / f"{'07' * 32}.bin"
    stored.parent.mkdir()
    stored.write_bytes(b"damaged")
    statement = SimpleNamespace(hash=lambda: b"\7" * 32)
    monkeypatch.setattr(defence, "build_statement", lambda *_, **__: statement)
    monkeypatch.setattr(defence, "verify_statement", lambda *_: None)
    monkeypatch.setattr(defence, "prove_dispute", lambda *_: SimpleNamespace(run=None))
    role.context.contracts.game.get_statement = lambda *_: statement  # type: ignore[method-assign]

    def refuse(*_: object) -> None:
        raise ProofError("not a proof")

    role.verify_before_sending = refuse  # type: ignore[method-assign]
    with pytest.raises(ProofError):
        perform_due(role)
    assert not stored.exists()


def test_compute_due_steps__node_gives_no_logs__known_jobs_served_all_the_same(
    chain: FakeWorld,
) -> None:
    chain.set_state(JobState.ASSIGNED)
    context = chain.build_context("operator")

    def refuse() -> int:
        raise RpcError("eth_getLogs", -32601, "not available here", None)

    context.cursor.advance = refuse  # type: ignore[method-assign]
    assert steps(Operator(context).compute_due_steps()) == [COMMIT]


def test_accept__proof_would_outlast_the_provers_limit__not_taken(chain: FakeWorld) -> None:
    chain.settings["prover_timeout_s"] = TestModel.cost.seconds - 0.5
    role = Operator(with_model(chain, chain.build_context("operator")))
    assert perform_due(role) == [ACCEPT]
    assert chain.sent == []


def test_prove__no_dispute__prover_is_not_entered(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    context = chain.build_context("operator")
    Operator(context).perform(context.key(JOB_ID, f"{PROVE}:{SEED.hex()}"))
    assert context.journal.get_counter(PROVER_ENTRIES) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"challenge_seed": bytes(32)},
        {"challenge_seed": b""},
        {"state": DisputeState.DEFENDER_PROVEN},
        {"state": DisputeState.FRAUD_PROVEN},
        {"job": JobId("0x" + "12" * 32)},
    ],
    ids=["no seed", "empty seed", "proven", "fraud", "another job's"],
)
def test_build_statement__without_a_challenge__refused(
    chain: FakeWorld, change: dict[str, object]
) -> None:
    chain.open_dispute(OTHER, BEFORE)
    assert chain.dispute is not None
    version = SimpleNamespace(
        version=SimpleNamespace(id=bytes(32), verifier=OWNER, program_hash=b"", srs_id=b""),
        model=SimpleNamespace(layout=SimpleNamespace(program=SimpleNamespace(op_count=4))),
    )
    dispute = replace(chain.dispute, **change)  # type: ignore[arg-type]
    with pytest.raises(UnchallengedProof):
        build_statement(version, chain.job, TERMS, dispute, 31337, OWNER, WORKER)  # type: ignore[arg-type]
    good = build_statement(version, chain.job, TERMS, chain.dispute, 31337, OWNER, WORKER)  # type: ignore[arg-type]
    assert (good.prover, good.challenge_seed, good.op_range) == (WORKER, SEED, 4)
    assert (good.job_id, good.in_digest) == (int(JOB_ID, 16), TERMS.in_digest)


def test_read_input__gone_from_the_shared_folder_after_acceptance__own_copy_serves(
    chain: FakeWorld, tmp_path: Path
) -> None:
    """A challenger who deletes the input must not be able to keep the operator from proving."""
    context = with_model(chain, chain.build_context("operator"))
    digest, role = chain.terms.in_digest, Operator(context)
    raw = role.read_input(TERMS.version, digest)
    (tmp_path / "content" / f"{digest.hex()}.bin").write_bytes(b"something else")
    assert role.read_input(TERMS.version, digest) == raw
    assert FolderStore(tmp_path / "inputs").get(digest, 8, (1, 8)) == raw


def test_is_party__nobody__is_no_owner(chain: FakeWorld) -> None:
    chain.owner = None
    chain.job = replace(chain.job, operator=NOBODY)
    assert not Operator(chain.build_context("operator")).is_party(chain.job)
