"""A job's handle: waiting, its result, objections, and settling what is overdue."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from offchain.errors import ContentError, JobEnded, JobRefused, WaitTimeout, WrongResult
from offchain.sdk.connection import Connection
from offchain.sdk.job import Job
from offchain.sdk.waiting import wait_for
from offchain.submit.content import compute_digest
from offchain.types import Digest, JobState, Seconds
from tests.unit.sdk.conftest import CLIENT, MLP, MODEL, NOW, World, make_terms

LATE = NOW + 101  # a second after every job's deadline


def committed_digest(raw: bytes) -> Digest:
    return compute_digest(raw, MODEL.output_bits, MODEL.output_shape)


RIGHT = MLP.output_bytes()
WRONG = bytes([RIGHT[0] ^ 1, *RIGHT[1:]])


def open_job(connection: Connection, world: World, state: JobState, **facts: Any) -> Job:
    terms = make_terms(
        in_digest=compute_digest(MLP.input_bytes(), MODEL.input_bits, MODEL.input_shape),
        verify_mask=facts.pop("verify_mask", 0),
    )
    return Job(connection, world.put(terms, state, **facts), terms, MLP.input_bytes())


# Waiting


def test_wait_for__nothing_comes__gives_up_with_the_last_state() -> None:
    times = iter([0.0, 0.4, 0.9, 1.0])
    slept: list[float] = []
    with pytest.raises(WaitTimeout, match="still OPEN") as late:
        wait_for("job", lambda: (None, "OPEN"), 1.0, 0.5, lambda: next(times), slept.append)
    assert slept == [0.5, pytest.approx(0.1)]
    assert isinstance(late.value, TimeoutError)


def test_wait_for__no_time_at_all__looks_once() -> None:
    assert wait_for("job", lambda: (7, "FINAL"), 0.0, 0.5) == 7


@pytest.mark.parametrize("state", [JobState.COMMITTED, JobState.DISPUTED])
def test_wait__committed__is_enough_if_asked_for(
    connection: Connection, world: World, state: JobState
) -> None:
    job = open_job(connection, world, state)
    assert job.wait(0, until="committed") is job
    with pytest.raises(WaitTimeout):
        job.wait(0)


@pytest.mark.parametrize("state", [JobState.FINAL, JobState.PROVEN])
def test_wait__final__comes_back(connection: Connection, world: World, state: JobState) -> None:
    job = open_job(connection, world, state)
    assert job.wait(0).wait(0, until="committed") is job


@pytest.mark.parametrize(
    "state",
    [
        JobState.REJECTED, JobState.EXPIRED, JobState.FAILED,
        JobState.CANCELLED, JobState.REFUSED, JobState.VOIDED,
    ],
)  # fmt: skip
def test_wait__ended_without_result__says_so(
    connection: Connection, world: World, state: JobState
) -> None:
    job = open_job(connection, world, state)
    with pytest.raises(JobEnded, match=state.name):
        job.wait(0, until="committed")


@pytest.mark.parametrize("state", [JobState.OPEN, JobState.ASSIGNED])
def test_wait__overdue__does_not_wait_for_what_cannot_come(
    connection: Connection, world: World, state: JobState
) -> None:
    job = open_job(connection, world, state)
    with pytest.raises(WaitTimeout):
        job.wait(0)
    world.now = LATE
    with pytest.raises(JobEnded, match="settle"):
        job.wait(0)


def test_state__of_a_job_that_is_not_there__none(connection: Connection) -> None:
    terms = make_terms()
    job = Job(connection, connection.contracts.market.compute_job_id(terms), terms)
    assert job.state() is JobState.NONE


# The result


def test_output__before_there_is_one__refused(connection: Connection, world: World) -> None:
    job = open_job(connection, world, JobState.ASSIGNED)
    with pytest.raises(JobRefused, match="no result"):
        _ = job.output


def tell_delivered(connection: Connection, *outputs: bytes) -> None:
    """Put outputs on chain; whether they are this job's is for the reader to find out."""
    client, market = cast("Any", connection.client), cast("Any", connection.contracts.market)
    client.collect_logs = lambda *_: [{"output": raw} for raw in outputs]
    market.abi = SimpleNamespace(
        get_topic=lambda _: "0x", decode_event=lambda log: SimpleNamespace(arguments=log)
    )


def test_output__bytes_nobody_has__content_error(connection: Connection, world: World) -> None:
    job = open_job(connection, world, JobState.COMMITTED, out_digest=committed_digest(RIGHT))
    tell_delivered(connection)
    with pytest.raises(ContentError):
        _ = job.output
    job.verify()  # from the input at hand, and then the output is at hand, too
    assert job.output.tolist() == MLP.execute().output.tolist()


def test_output__delivered_on_chain__taken_from_there(connection: Connection, world: World) -> None:
    job = open_job(connection, world, JobState.FINAL, out_digest=committed_digest(RIGHT))
    tell_delivered(connection, WRONG, b"short", RIGHT)
    assert job.output.tolist() == MLP.execute().output.tolist()


def test_verify__right__returns_nothing(connection: Connection, world: World) -> None:
    job = open_job(connection, world, JobState.COMMITTED, out_digest=committed_digest(RIGHT))
    job.verify()
    assert job.label == MODEL.decide(RIGHT)


def test_verify__wrong__tells_both_digests(connection: Connection, world: World) -> None:
    connection.content.put(WRONG, MODEL.output_bits, MODEL.output_shape)
    job = open_job(connection, world, JobState.COMMITTED, out_digest=committed_digest(WRONG))
    with pytest.raises(WrongResult) as wrong:
        job.verify()
    assert wrong.value.committed == committed_digest(WRONG)
    assert wrong.value.recomputed == committed_digest(RIGHT)
    # What the operator put there is shown as what it is.
    assert job.label == MODEL.decide(WRONG)


# Moves


def test_challenge__twice__one_bond(connection: Connection, world: World) -> None:
    job = open_job(connection, world, JobState.COMMITTED, out_digest=committed_digest(WRONG))
    world.dispute = SimpleNamespace(bond_wei=100, prove_until=Seconds(NOW + 50))
    found = job.challenge()
    assert (found.bond_wei, found.prove_until) == (100, NOW + 50)
    job.challenge()
    digest = committed_digest(WRONG).hex()
    assert world.sent == [f"challenge-150 {job.id} challenge:{digest}"]
    world.challengers = (CLIENT.address,)
    job.challenge()
    assert len(world.sent) == 1


def test_challenge__without_bond__asks_for_the_required_proof(
    connection: Connection, world: World
) -> None:
    job = open_job(connection, world, JobState.COMMITTED, out_digest=committed_digest(RIGHT))
    world.dispute = SimpleNamespace(bond_wei=0, prove_until=Seconds(NOW + 50))
    job.challenge(with_bond=False)
    assert world.sent[0].startswith("requestProof")


def disputed(state: str) -> SimpleNamespace:
    return SimpleNamespace(
        is_open=state == "open",
        prove_until=NOW + 50,
        state=SimpleNamespace(holds_slash=state == "slashed"),
    )


@pytest.mark.parametrize(
    ("state", "facts", "dispute", "expected"),
    [
        (JobState.OPEN, {}, None, "expireJob"),
        (JobState.ASSIGNED, {}, None, "failJob"),
        (JobState.COMMITTED, {}, None, "finalise"),
        (JobState.COMMITTED, {"verify_mask": 1}, None, "failJob"),
        (JobState.COMMITTED, {"deliver_by": Seconds(NOW + 5)}, None, "failJob"),
        (JobState.DISPUTED, {}, disputed("open"), "claimDefault"),
        (JobState.REJECTED, {}, disputed("slashed"), "distributeSlash"),
        (JobState.REJECTED, {}, disputed("divided"), None),
        (JobState.FINAL, {}, None, None),
    ],
)
def test_settle__does_what_is_due_and_not_before(
    connection: Connection,
    world: World,
    state: JobState,
    facts: dict[str, Any],
    dispute: Any,
    expected: str | None,
) -> None:
    job = open_job(connection, world, state, **facts)
    world.dispute = dispute
    assert job.settle() is state
    assert world.sent == []
    world.now = LATE
    job.settle()
    assert [sent.split()[0] for sent in world.sent] == ([] if expected is None else [expected])
