"""An operator answers requests, commits each result once, and forgets none, whatever is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.journal import Journal, StepStatus
from offchain.errors import ContractRevert, SecondResult, TransactionPending
from offchain.roles import batches, promises
from offchain.roles.batch_settling import FINALISE_BATCH, VOID_BATCH
from offchain.roles.batches import COMMIT_BATCH, name_request
from offchain.roles.operator import Operator
from offchain.roles.receipts import stand_by
from offchain.roles.serving import RECOVER, SERVE
from offchain.roles.session_rules import request_to_detail
from offchain.submit.content import compute_digest
from offchain.types import BatchState, Digest, ProtocolTime, SessionState
from tests.unit.roles.conftest import OTHER, FakeWorld
from tests.unit.roles.session_world import FEE, LOCK, STRANGER, WINDOW, SessionWorld, tick

UNDEFENDABLE = SimpleNamespace(list_undefendable=lambda: ("y1",))


@pytest.fixture
def world(chain: FakeWorld) -> SessionWorld:
    chain.settings.update(batch_size=4, batch_seconds=10)
    return SessionWorld(chain)


def served(world: SessionWorld) -> set[int]:
    return {nonce for _, nonce in world.gateway.results}


# What is served


def test_serve__good_requests__signed_results_and_one_batch(world: SessionWorld) -> None:
    for nonce in range(4):
        world.ask(nonce)
    operator = world.build_operator()
    assert tick(operator) == [SERVE, RECOVER]
    assert served(world) == {0, 1, 2, 3}
    digest, signature = world.gateway.results[(world.id, 2)]
    assert digest == compute_digest(b"\2\0\0\0", 8, (1, 4))
    assert signature == b"\7" * 65
    assert tick(operator) == [COMMIT_BATCH]
    assert world.commits == [[0, 1, 2, 3]]
    assert tick(operator) == []


@pytest.mark.parametrize(
    ("change", "request_", "is_for_good"),
    [
        ({}, {"signer": STRANGER}, False),
        ({}, {"valid_for": 6}, True),
        ({}, {"first": 255}, True),
        ({}, {"is_stored": False}, False),
        ({"used": {7}}, {}, True),
        ({"deposit": 2 * FEE - 1, "used": {1}}, {}, False),
        ({"free": LOCK - 1}, {}, False),
        ({"state": SessionState.CLOSING, "closes_at": 10**6}, {}, False),
    ],
    ids=[
        "not the signer's", "no time left", "input out of range", "input missing", "nonce used",
        "deposit used up", "no stake", "closing",
    ],
)  # fmt: skip
def test_serve__not_to_be_answered__nothing_is_signed(
    world: SessionWorld, change: dict[str, Any], request_: dict[str, Any], is_for_good: bool
) -> None:
    for name, value in change.items():
        setattr(world, name, value)
    world.ask(7, **request_)
    operator = world.build_operator()
    tick(operator)
    assert world.gateway.results == {}
    assert world.model.runs == 0
    step = operator.context.journal.get_step(name_request(operator.context, world.id, 7))
    assert (step is not None) is is_for_good


def test_serve__fee_below_the_floor__nothing_is_signed(world: SessionWorld) -> None:
    world.chain.settings["min_session_fee_wei"] = FEE + 1
    world.ask(0)
    tick(world.build_operator())
    assert world.gateway.results == {}
    world.chain.settings["min_session_fee_wei"] = FEE
    tick(world.build_operator())
    assert served(world) == {0}


def test_serve__plan_that_only_whole_proofs_defend__nothing_is_signed(world: SessionWorld) -> None:
    world.chain.plan = UNDEFENDABLE
    world.ask(0)
    tick(world.build_operator())
    assert world.gateway.results == {}


def test_serve__room_for_some__the_most_urgent_are_served(world: SessionWorld) -> None:
    world.deposit = 2 * FEE
    for nonce, valid_for in enumerate((400, 100, 300, 200)):
        world.ask(nonce, valid_for=valid_for)
    tick(world.build_operator())
    assert served(world) == {1, 3}


def test_serve__promised_results_count__deposit_and_stake_are_not_promised_twice(
    world: SessionWorld,
) -> None:
    world.chain.settings["batch_size"] = 64
    world.free = 3 * LOCK
    operator = world.build_operator()
    for nonce in (0, 20, 40, 60):  # four steps
        world.ask(nonce)
    tick(operator)
    assert len(served(world)) == 3


def test_serve__two_requests_of_one_nonce__only_the_first_is_ever_answered(
    world: SessionWorld,
) -> None:
    world.ask(0)
    operator = world.build_operator()
    tick(operator)
    first = world.gateway.results.pop((world.id, 0))
    world.ask(0, first=99)
    tick(operator)
    assert world.gateway.results[(world.id, 0)] == first
    assert world.model.runs == 1


def test_serve__another_thread_was_first__what_it_wrote_stays(
    world: SessionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = world.ask(0)
    operator = world.build_operator()
    key = name_request(operator.context, world.id, 0)
    written = {
        **request_to_detail(signed.request, signed.signature),
        "out_digest": "05" * 32,
        "served_at": int(world.chain.time.now),
    }

    @contextmanager
    def hold_after_another(context: Any) -> Iterator[None]:
        context.journal.put_step(key, StepStatus.BEGUN, written)
        yield

    monkeypatch.setattr(promises, "hold_intake", hold_after_another)
    tick(operator)
    step = operator.context.journal.get_step(key)
    assert step is not None
    assert step.detail == written
    assert world.model.runs == 0


def test_serve__promised_and_forgotten_by_the_gateway__run_and_committed_all_the_same(
    world: SessionWorld,
) -> None:
    signed = world.ask(0)
    operator = world.build_operator()
    operator.context.journal.put_step(
        name_request(operator.context, world.id, 0),
        StepStatus.BEGUN,
        request_to_detail(signed.request, signed.signature),
    )
    world.gateway.requests.clear()
    assert tick(operator) == [SERVE, RECOVER]
    world.pass_time(10)
    tick(operator)
    assert world.commits == [[0]]


def test_serve__another_result_was_vouched_for__not_signed_and_not_committed(
    world: SessionWorld,
) -> None:
    signed = world.ask(0)
    operator = world.build_operator()
    stand_by(operator.context, world.job_id(0, signed.request.in_digest), Digest(b"\1" * 32))
    key = next(k for k in operator.compute_due_steps() if k.step.startswith(SERVE))
    with pytest.raises(SecondResult):
        operator.perform(key)
    world.pass_time(10)
    assert [k for k in operator.compute_due_steps() if k.step.startswith(COMMIT_BATCH)] == []
    assert world.gateway.results == {}


def test_serve__session_of_another_operator__not_served(world: SessionWorld) -> None:
    world.chain.owner = OTHER
    world.ask(0)
    assert tick(world.build_operator()) == []


def test_serve__in_jail__nothing_taken_but_promised_results_committed(world: SessionWorld) -> None:
    world.ask(0)
    operator = world.build_operator()
    tick(operator)
    world.ask(1)
    world.chain.standing = replace(world.chain.standing, jailed_until=world.chain.time.now + 60)
    world.pass_time(10)
    assert tick(operator) == [COMMIT_BATCH]
    assert served(world) == {0}


def test_serve__gateway_away__what_was_promised_is_still_committed(world: SessionWorld) -> None:
    world.ask(0)
    operator = world.build_operator()
    tick(operator)
    world.gateway.is_away = True
    world.pass_time(10)
    assert tick(operator) == [COMMIT_BATCH]
    assert world.commits == [[0]]


def test_serve__gateway_takes_no_results__committed_and_handed_over_later(
    world: SessionWorld,
) -> None:
    world.ask(0)
    operator = world.build_operator()
    keys = operator.compute_due_steps()
    answer = world.gateway.post_result
    world.gateway.post_result = lambda *_: world.gateway._answer()  # type: ignore[method-assign]
    world.gateway.get_requests(world.id)
    for key in keys:
        if key.step.startswith(SERVE):
            operator.perform(key)
    assert world.gateway.results == {}
    world.gateway.post_result = answer  # type: ignore[method-assign]
    tick(operator)
    assert served(world) == {0}
    assert world.model.runs == 1


# When it is committed


@pytest.mark.parametrize(
    ("count", "wait", "valid_for", "expected"),
    [(3, 0, 100, []), (4, 0, 100, [[0, 1, 2, 3]]), (3, 10, 100, [[0, 1, 2]]), (1, 9, 100, [])],
    ids=["few and fresh", "enough", "old", "not old enough"],
)
def test_commit__by_size_or_age(
    world: SessionWorld, count: int, wait: int, valid_for: int, expected: list[list[int]]
) -> None:
    for nonce in range(count):
        world.ask(nonce, valid_for=valid_for)
    operator = world.build_operator()
    tick(operator)
    world.pass_time(wait)
    tick(operator)
    assert world.commits == expected


def test_commit__validity_ends_soon__not_waited_for(world: SessionWorld) -> None:
    world.chain.settings["batch_seconds"] = 1_000
    world.ask(0, valid_for=20)
    operator = world.build_operator()
    tick(operator)
    world.pass_time(14)
    tick(operator)
    assert world.commits == []
    world.pass_time(1)  # five blocks of a second are left
    tick(operator)
    assert world.commits == [[0]]


@pytest.mark.parametrize("count", [1, 2])
def test_commit__fees_below_the_gas_of_their_batch__none_is_committed(
    world: SessionWorld, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(batches, "count_least_batch", lambda *_: 2)
    for nonce in range(count):
        world.ask(nonce, valid_for=20)
    operator = world.build_operator()
    tick(operator)
    world.pass_time(16)
    tick(operator)
    assert world.commits == ([] if count == 1 else [[0, 1]])
    world.pass_time(10)
    tick(operator)
    step = operator.context.journal.get_step(name_request(operator.context, world.id, 0))
    assert step is not None
    assert (step.status is StepStatus.GIVEN_UP) is (count == 1)


def test_commit__such_a_plan_activated_since__nothing_is_stood_behind(world: SessionWorld) -> None:
    world.chain.settings["batch_size"] = 1
    operator = world.build_operator()
    world.ask(0)
    tick(operator)
    assert served(world) == {0}
    world.chain.plan = UNDEFENDABLE
    assert COMMIT_BATCH in tick(operator)
    assert world.commits == []
    world.chain.plan = None
    tick(operator)
    assert world.commits == [[0]]


def test_commit__such_a_plan_activated_after_a_crash__the_batch_is_abandoned(
    world: SessionWorld,
) -> None:
    """A batch that was written down and never sent is looked at again before it is."""
    world.chain.settings["batch_size"] = 1
    operator = world.build_operator()
    world.ask(0)
    world.refusal = ContractRevert("Paused", {}, "commitBatch", b"")
    tick(operator)
    tick(operator)
    assert served(world) == {0}
    world.refusal, world.chain.plan = None, UNDEFENDABLE
    tick(operator)
    assert world.commits == []
    world.chain.plan = None
    tick(operator)
    tick(operator)
    assert world.commits == [[0]]


def test_commit__session_is_being_closed__not_waited_for(world: SessionWorld) -> None:
    world.ask(0)
    operator = world.build_operator()
    tick(operator)
    world.state, world.closes_at = SessionState.CLOSING, world.chain.time.now + 20
    assert tick(operator) == [COMMIT_BATCH]
    assert world.commits == [[0]]


@pytest.mark.parametrize("state", [SessionState.CLOSED, SessionState.VOIDED])
def test_commit__session_is_over__given_up_and_nothing_sent(
    world: SessionWorld, state: SessionState
) -> None:
    world.ask(0)
    operator = world.build_operator()
    tick(operator)
    world.state = state
    assert tick(operator) == []
    step = operator.context.journal.get_step(name_request(operator.context, world.id, 0))
    assert step is not None
    assert step.status is StepStatus.GIVEN_UP
    assert tick(operator) == []


def test_commit__too_late_for_one__the_others_are_committed(world: SessionWorld) -> None:
    world.ask(0, valid_for=20)
    world.ask(1, valid_for=500)
    operator = world.build_operator()
    tick(operator)
    world.pass_time(20)
    tick(operator)
    assert world.commits == [[1]]


def test_commit__stake_left_for_fewer__as_many_as_it_covers(world: SessionWorld) -> None:
    for nonce in range(4):
        world.ask(nonce)
    operator = world.build_operator()
    tick(operator)
    world.free = 3 * LOCK
    tick(operator)
    assert world.commits == [[0, 1, 2]]


def test_commit__refused_for_a_while__the_same_batch_is_tried_again(world: SessionWorld) -> None:
    for nonce in range(4):
        world.ask(nonce)
    operator = world.build_operator()
    tick(operator)
    world.refusal = ContractRevert("OperatorJailed", {}, "SessionMarket.commitBatch", b"")
    assert tick(operator) == [COMMIT_BATCH]
    world.refusal = None
    assert tick(operator) == [COMMIT_BATCH]
    assert world.commits == [[0, 1, 2, 3]]


def test_commit__a_nonce_was_used_meanwhile__the_rest_goes_into_another_batch(
    world: SessionWorld,
) -> None:
    for nonce in range(4):
        world.ask(nonce)
    operator = world.build_operator()
    tick(operator)
    world.refusal = ContractRevert("NonceUsed", {}, "SessionMarket.commitBatch", b"")
    world.used = {2}  # another machine of this operator, with a journal of its own
    tick(operator)
    world.refusal = None
    tick(operator)
    world.pass_time(10)
    tick(operator)
    assert world.commits == [[0, 1, 3]]


def test_commit__one_is_on_its_way__further_results_wait_for_it(world: SessionWorld) -> None:
    """What it takes of deposit and stake is not seen before it is mined."""
    for nonce in range(4):
        world.ask(nonce)
    operator = world.build_operator()
    tick(operator)
    submit = world.submit

    def hang(*_: Any) -> None:
        raise TransactionPending("0x00", 60.0)

    operator.context.submitter.submit = hang  # type: ignore[method-assign]
    (key,) = [k for k in operator.compute_due_steps() if k.step.startswith(COMMIT_BATCH)]
    with pytest.raises(TransactionPending):
        operator.perform(key)
    for nonce in range(4, 8):
        world.ask(nonce)
    for due in operator.compute_due_steps():
        if due.step.startswith(SERVE):
            operator.perform(due)
    assert served(world) == set(range(8))
    due = [k for k in operator.compute_due_steps() if k.step.startswith(COMMIT_BATCH)]
    assert due == [key]
    operator.context.submitter.submit = submit  # type: ignore[method-assign]
    tick(operator)
    tick(operator)
    assert world.commits == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_commit__cursor_is_behind__no_second_transaction(world: SessionWorld) -> None:
    world.is_read_at_once = False
    for nonce in range(4):
        world.ask(nonce)
    operator = world.build_operator()
    tick(operator)
    assert [tick(operator) for _ in range(3)] == [[COMMIT_BATCH]] * 3
    assert world.commits == [[0, 1, 2, 3]]
    world.read_events()
    assert tick(operator) == []


def test_commit__undone_by_a_reorganisation__committed_again(world: SessionWorld) -> None:
    for nonce in range(4):
        world.ask(nonce)
    operator = world.build_operator()
    tick(operator)
    tick(operator)
    assert tick(operator) == []
    for batch in list(world.batches):
        del world.batches[batch]
        world.known.discard(f"batch-{batch}")
    world.used.clear()
    world.mined.clear()
    operator.context.cursor.rewinds = 1
    assert tick(operator) == [COMMIT_BATCH]
    assert world.commits == [[0, 1, 2, 3]] * 2
    assert tick(operator) == []


# The end of a batch


def commit_one(world: SessionWorld) -> Operator:
    world.ask(0)
    operator = world.build_operator()
    tick(operator)
    world.pass_time(10)
    tick(operator)
    return operator


def test_finalise__window_over__once(world: SessionWorld) -> None:
    operator = commit_one(world)
    world.pass_time(WINDOW)
    assert tick(operator) == []
    world.pass_time(1)
    assert tick(operator) == [FINALISE_BATCH]
    assert list(world.states.values()) == [BatchState.FINAL]
    assert tick(operator) == []


def test_finalise__somebody_was_first__nothing_wrong(world: SessionWorld) -> None:
    operator = commit_one(world)
    world.pass_time(WINDOW + 1)
    (key,) = [k for k in operator.compute_due_steps() if k.step == FINALISE_BATCH]
    world.refusal = ContractRevert("WrongBatchState", {}, "SessionMarket.finaliseBatch", b"")

    def settle() -> None:
        world.states = dict.fromkeys(world.states, BatchState.FINAL)

    world.before_submit = settle
    operator.perform(key)
    assert "overtaken" in operator.log.names  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["paused", "refund"])
def test_pause_and_refund_mode__nothing_but_the_locks_are_fetched_back(
    world: SessionWorld, kind: str
) -> None:
    operator = commit_one(world)
    world.ask(1)
    is_refund = kind == "refund"
    world.chain.time = ProtocolTime(
        world.chain.time.now, is_paused=not is_refund, is_refund_mode=is_refund
    )
    assert tick(operator) == ([VOID_BATCH] if is_refund else [])
    assert list(world.states.values()) == [BatchState.VOIDED if is_refund else BatchState.COMMITTED]


# Whatever is killed


class Killed(BaseException):
    """The process ends here."""


def kill_after(world: SessionWorld, operator: Operator, count: int) -> None:
    """Let the operator die after its count-th trace: in the journal, at the gateway, on chain."""
    left = count

    def trace(function: Callable[..., Any]) -> Callable[..., Any]:
        def traced(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            result = function(*arguments, **named)
            left -= 1
            if left == 0:
                raise Killed
            return result

        return traced

    journal = operator.context.journal
    for owner, name in (
        (journal, "put_step"),
        (journal, "increment"),
        (world.gateway, "post_result"),
        (operator.context.submitter, "submit"),
        (operator.context.content, "offer"),
    ):
        setattr(owner, name, trace(getattr(owner, name)))


def play(world: SessionWorld, operator: Operator) -> None:
    for _ in range(4):
        tick(operator)
        world.pass_time(5)


@pytest.mark.parametrize("is_forgotten", [False, True], ids=["journal kept", "journal lost"])
@pytest.mark.parametrize(
    ("first", "stride"),
    [(3, 5), pytest.param(1, 1, marks=pytest.mark.slow)],
    ids=["some points", "every point"],
)
def test_killed_anywhere__every_nonce_committed_once_and_no_second_result(
    chain: FakeWorld, is_forgotten: bool, first: int, stride: int
) -> None:
    chain.settings.update(batch_size=2, batch_seconds=5)
    points = 0
    for count in range(first, 200, stride):
        world = SessionWorld(chain)
        chain.sent.clear()
        for file in chain.home.glob("journal.sqlite3*"):
            file.unlink()
        for nonce in range(3):
            world.ask(nonce, valid_for=200)
        operator = world.build_operator()
        answer = world.gateway.post_result
        kill_after(world, operator, count)
        try:
            play(world, operator)
        except Killed:
            points += 1
        else:
            break
        world.gateway.post_result = answer  # type: ignore[method-assign]
        operator.context.journal.close()
        if is_forgotten:
            for file in chain.home.glob("journal.sqlite3*"):
                file.unlink()
            world.mined.clear()
        again = world.build_operator(Journal(chain.home / "journal.sqlite3"))
        play(world, again)
        committed = sorted(nonce for nonces in world.commits for nonce in nonces)
        assert committed == [0, 1, 2], count
        assert served(world) == {0, 1, 2}, count
        again.context.journal.close()
    assert points > 20 // stride


def test_stand_by__another_result_of_the_same_request__never_signed(world: SessionWorld) -> None:
    signed = world.ask(0)
    operator = world.build_operator()
    tick(operator)
    job = world.job_id(0, signed.request.in_digest)
    with pytest.raises(SecondResult):
        stand_by(operator.context, job, Digest(b"\1" * 32))
