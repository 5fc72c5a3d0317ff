"""The client follows its job to the end, and objects where it may and must."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from offchain.chain.client import Call
from offchain.chain.job_ids import compute_job_id
from offchain.chain.journal import StepStatus
from offchain.errors import JobRefused, VersionMismatch
from offchain.roles.base import DISTRIBUTE, VOID, VOID_DISPUTE, WITHDRAW
from offchain.roles.client import CREATE, EXPIRE, FAIL, Client, Request
from offchain.roles.context import Context
from offchain.roles.disputes import CHALLENGE, CLAIM_DEFAULT, name_step
from offchain.roles.results import REQUEST_DELIVERY, VERIFY
from offchain.types import (
    NOBODY,
    Amount,
    DisputeState,
    JobState,
    ProtocolTime,
    Seconds,
    VerifyMask,
    VersionId,
)
from tests.unit.roles.conftest import (
    CHAIN_ID,
    JOB_ID,
    MARKET,
    NOW,
    OTHER,
    WORKER,
    FakeWorld,
    steps,
)

REQUEST = Request("mine", VersionId(bytes(32)), bytes(8), Amount(10**15))
LATE, EARLY = NOW - 1, NOW + 10
MODEL = SimpleNamespace(
    input_bits=8,
    input_shape=(1, 8),
    output_bits=8,
    output_shape=(1, 4),
    check_input=lambda _: None,
    run=lambda raw, _: raw[:4],
    decide=lambda raw: raw[0],
)


def build(context: Context, may_challenge: bool = False, verify: bool = True) -> Client:
    context.journal.put_step(context.key("mine", CREATE), StepStatus.DONE, {"job": JOB_ID})
    return Client(context, REQUEST, verify, may_challenge)


def judge(context: Context, chain: FakeWorld, agrees: bool) -> None:
    key = context.key(JOB_ID, name_step(VERIFY, chain.job))
    context.journal.put_step(key, StepStatus.DONE, {"agrees": agrees})


def with_model(context: Context) -> Context:
    context.versions.reproduce = lambda _: SimpleNamespace(model=MODEL)
    return context


# Creation


def test_compute_due_steps__nothing_created__create(chain: FakeWorld) -> None:
    client = Client(chain.build_context("client"), REQUEST)
    assert steps(client.compute_due_steps()) == [CREATE]
    assert not client.is_finished()


@pytest.mark.parametrize(
    "time", [ProtocolTime(NOW, is_paused=True), ProtocolTime(NOW, is_refund_mode=True)]
)
def test_compute_due_steps__protocol_stands__nothing_is_created(
    chain: FakeWorld, time: ProtocolTime
) -> None:
    chain.time = time
    assert Client(chain.build_context("client"), REQUEST).compute_due_steps() == ()


def test_order__protocol_paused__said_and_nothing_sent(chain: FakeWorld) -> None:
    chain.time = ProtocolTime(NOW, is_paused=True)
    with pytest.raises(JobRefused, match="paused"):
        Client(chain.build_context("client"), REQUEST).order()
    assert chain.sent == []


def test_order__twice__one_job(chain: FakeWorld) -> None:
    client, _ = create(chain)
    chain.exists = True
    client.order()
    assert len(chain.sent) == 1


def create(chain: FakeWorld, request: Request = REQUEST) -> tuple[Client, Call]:
    chain.exists = False
    client = Client(with_model(chain.build_context("client")), request)
    (key,) = client.compute_due_steps()
    client.perform(key)
    (call,) = chain.sent
    return client, call


def test_create__terms_hash_to_the_job_that_is_followed(chain: FakeWorld) -> None:
    client, call = create(chain)
    _, terms, uri = call  # type: ignore[misc]
    assert client.get_job_id() == compute_job_id(CHAIN_ID, MARKET, terms)
    assert (terms.client, terms.fee, terms.verify_mask) == (WORKER, 10**15, 0)
    assert uri == terms.in_digest.hex()


def test_create__journal_lost__the_same_job_and_nothing_ordered_twice(
    chain: FakeWorld,
) -> None:
    client, _ = create(chain)
    created = client.get_job_id()
    (chain.home / "journal.sqlite3").unlink()
    chain.exists = True
    again = Client(with_model(chain.build_context("client")), REQUEST)
    (key,) = again.compute_due_steps()
    assert key.step == CREATE
    again.perform(key)
    assert len(chain.sent) == 1
    assert again.get_job_id() == created


def test_build_terms__two_names__two_jobs() -> None:
    first, second = (
        replace(REQUEST, name=name).build_terms(WORKER, bytes(32))  # type: ignore[arg-type]
        for name in ("a", "b")
    )
    assert replace(first, salt=second.salt) == second
    assert first != second


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (replace(REQUEST, fee=Amount(10**15 - 1), verify_mask=VerifyMask.PROOF_REQUIRED), None),
        (REQUEST, VersionMismatch("weight root", b"\1", b"\2")),
    ],
    ids=["fee below a proof", "poisoned version"],
)
def test_create__refused__told_and_finished_and_no_money_moved(
    chain: FakeWorld, request_: Request, error: Exception | None
) -> None:
    chain.exists = False
    context = with_model(chain.build_context("client"))
    if error is not None:
        context.versions.reproduce = _raise(error)
    client = Client(context, request_)
    (key,) = client.compute_due_steps()
    with pytest.raises(type(error) if error else JobRefused):
        client.perform(key)
    assert chain.sent == []
    assert client.compute_due_steps() == ()
    assert client.is_finished()
    assert "reason" in client.describe()


def _raise(error: Exception):  # type: ignore[no-untyped-def]
    def reproduce(_: object) -> None:
        raise error

    return reproduce


# Life


@pytest.mark.parametrize(
    ("state", "deadline", "expected"),
    [
        (JobState.OPEN, EARLY, []),
        (JobState.OPEN, NOW, []),
        (JobState.OPEN, LATE, [EXPIRE]),
        (JobState.ASSIGNED, NOW, []),
        (JobState.ASSIGNED, LATE, [FAIL]),
        (JobState.COMMITTED, EARLY, [VERIFY]),
        (JobState.COMMITTED, LATE, [VERIFY]),
        (JobState.FINAL, LATE, [VERIFY]),
        (JobState.PROVEN, LATE, [VERIFY]),
        (JobState.REJECTED, LATE, []),
        (JobState.EXPIRED, LATE, []),
        (JobState.FAILED, LATE, []),
        (JobState.CANCELLED, LATE, []),
        (JobState.REFUSED, LATE, []),
        (JobState.VOIDED, LATE, []),
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
        (False, True, NOW, [CHALLENGE]),
        (False, True, LATE, []),
        (False, False, EARLY, []),
        (True, True, EARLY, []),
    ],
    ids=["wrong", "last second", "wrong but too late", "wrong but not asked to", "right"],
)
def test_compute_due_steps__checked__challenged_only_when_wrong_and_in_time(
    chain: FakeWorld, agrees: bool, may_challenge: bool, deadline: int, expected: list[str]
) -> None:
    chain.set_state(JobState.COMMITTED, deadline)
    context = chain.build_context("client")
    judge(context, chain, agrees)
    assert steps(build(context, may_challenge).compute_due_steps()) == expected


@pytest.mark.parametrize("challenger", [WORKER, OTHER, NOBODY])
def test_compute_due_steps__dispute_unanswered__default_claimed_whoever_began_it(
    chain: FakeWorld, challenger: str
) -> None:
    client = build(chain.build_context("client"), may_challenge=False)
    chain.open_dispute(challenger, NOW)  # type: ignore[arg-type]
    assert client.compute_due_steps() == ()
    chain.open_dispute(challenger, LATE)  # type: ignore[arg-type]
    assert steps(client.compute_due_steps()) == [CLAIM_DEFAULT]


@pytest.mark.parametrize(
    ("challenger", "deadline", "opened_at", "agrees", "expected"),
    [
        (OTHER, NOW, 0, False, [CHALLENGE]),
        (OTHER, LATE, 50, False, []),
        (OTHER, NOW, 50, True, []),
        (WORKER, NOW, 50, False, []),
        (NOBODY, NOW, 50, False, []),
    ],
    ids=["own place, however late the block", "window over", "right", "own", "no bond"],
)
def test_compute_due_steps__somebody_elses_dispute__own_place_until_the_window_closes(
    chain: FakeWorld,
    challenger: str,
    deadline: int,
    opened_at: int,
    agrees: bool,
    expected: list[str],
) -> None:
    chain.set_state(JobState.COMMITTED, deadline)
    chain.open_dispute(challenger, EARLY, opened_at=opened_at)  # type: ignore[arg-type]
    context = chain.build_context("client")
    judge(context, chain, agrees)
    assert steps(build(context, may_challenge=True).compute_due_steps()) == expected


# Delivery


@pytest.mark.parametrize(
    ("wants", "left", "has", "delivered", "expected"),
    [
        (True, 7, False, False, [REQUEST_DELIVERY]),
        (True, 8, False, False, []),
        (True, 7, True, False, []),
        (True, 7, False, True, []),
        (False, 7, False, False, []),
    ],
    ids=["missing", "may come yet", "there", "came by the chain", "not wanted"],
)
def test_compute_due_steps__output__asked_for_where_it_cannot_be_had(
    chain: FakeWorld, wants: bool, left: int, has: bool, delivered: bool, expected: list[str]
) -> None:
    chain.settings["request_delivery"] = wants
    context = with_model(chain.build_context("client"))
    digest = context.content.put(b"\1\2\3\4", 8, (1, 4))
    if not has:
        (chain.home / "content" / f"{digest.hex()}.bin").unlink()
    chain.delivered = b"\1\2\3\4" if delivered else None
    chain.set_state(JobState.COMMITTED, NOW + left, out_digest=digest)
    assert steps(build(context, verify=False).compute_due_steps()) == expected


@pytest.mark.parametrize(
    ("required", "deadline", "deliver_by", "expected"),
    [
        (False, LATE, NOW, []),
        (False, LATE, LATE, [FAIL]),
        (True, NOW, 0, []),
        (True, LATE, 0, [FAIL]),
        (True, LATE, EARLY, [FAIL]),
        (True, NOW, LATE, [FAIL]),
    ],
)
def test_compute_due_steps__committed__failed_without_delivery_or_proof(
    chain: FakeWorld, required: bool, deadline: int, deliver_by: int, expected: list[str]
) -> None:
    chain.set_state(JobState.COMMITTED, deadline, proof_required=required, deliver_by=deliver_by)
    client = build(chain.build_context("client"), verify=False)
    assert steps(client.compute_due_steps()) == expected


# The end


def test_is_finished__closed_and_nothing_left_in_the_vault(chain: FakeWorld) -> None:
    client = build(chain.build_context("client"))
    assert not client.is_finished()
    chain.set_state(JobState.FINAL)
    assert client.is_finished()
    chain.credit = 1
    assert not client.is_finished()
    assert WITHDRAW in steps(client.compute_due_steps())


def test_is_finished__rejected__not_before_the_slash_is_divided(chain: FakeWorld) -> None:
    client = build(chain.build_context("client"))
    chain.open_dispute(OTHER, LATE, state=DisputeState.DEFAULT)
    chain.set_state(JobState.REJECTED, NOW)
    assert not client.is_finished()
    assert client.compute_due_steps() == ()
    chain.set_state(JobState.REJECTED, LATE)
    assert steps(client.compute_due_steps()) == [DISTRIBUTE]
    chain.open_dispute(OTHER, LATE, state=DisputeState.DISTRIBUTED)
    assert client.is_finished()


@pytest.mark.parametrize(
    ("state", "slash", "deadline", "expected"),
    [
        (JobState.OPEN, None, LATE, [VOID]),
        (JobState.ASSIGNED, None, LATE, [VOID]),
        (JobState.COMMITTED, None, EARLY, [VOID]),
        (JobState.DISPUTED, DisputeState.OPEN, EARLY, [VOID_DISPUTE]),
        (JobState.REJECTED, DisputeState.DEFAULT, NOW, [VOID_DISPUTE]),
        (JobState.REJECTED, DisputeState.DEFAULT, LATE, [DISTRIBUTE]),
        (JobState.REJECTED, DisputeState.DISTRIBUTED, LATE, []),
        (JobState.FINAL, None, LATE, []),
        (JobState.VOIDED, None, LATE, []),
    ],
)
def test_compute_due_steps__refund_mode__only_what_gives_money_back(
    chain: FakeWorld,
    state: JobState,
    slash: DisputeState | None,
    deadline: int,
    expected: list[str],
) -> None:
    chain.time = ProtocolTime(Seconds(NOW), is_refund_mode=True)
    if slash is not None:
        chain.open_dispute(OTHER, EARLY, state=slash)
    chain.set_state(state, deadline)
    assert steps(build(chain.build_context("client")).compute_due_steps()) == expected


def test_compute_due_steps__paused__nothing_but_withdrawals(chain: FakeWorld) -> None:
    chain.time = ProtocolTime(Seconds(NOW), is_paused=True)
    chain.credit = 5
    chain.set_state(JobState.ASSIGNED, LATE)
    assert steps(build(chain.build_context("client")).compute_due_steps()) == [WITHDRAW]


def test_compute_due_steps__creation_reorganised_away__created_again(chain: FakeWorld) -> None:
    client = build(chain.build_context("client"), may_challenge=True)
    chain.exists = False
    assert steps(client.compute_due_steps()) == [CREATE]
