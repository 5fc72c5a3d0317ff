"""A challenger recomputes every result of a batch and challenges by inclusion what differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from offchain.chain.job_ids import id_bytes
from offchain.commit.batch_tree import compute_leaf, compute_root_of_path
from offchain.errors import ContractRevert, ModelMissing, TermsMismatch, VersionMismatch
from offchain.roles.batch_checks import AHEAD, CHALLENGE_RESULT, CHECK_BATCH, Findings
from offchain.roles.challenger import Challenger
from offchain.submit.content import compute_digest
from offchain.types import BatchId, BatchState, Digest, ProtocolTime, Wei
from tests.unit.roles.conftest import FakeWorld
from tests.unit.roles.session_world import WINDOW, SessionWorld, tick

WRONG = Digest(b"\x0e" * 32)


@pytest.fixture
def world(chain: FakeWorld) -> SessionWorld:
    return SessionWorld(chain)


def commit(world: SessionWorld, wrong: Sequence[int] = (), count: int = 4) -> BatchId:
    """Put a batch on chain in which some results are wrong."""
    results = []
    for nonce in range(count):
        digest = world.ask(nonce).request.in_digest
        right = compute_digest(bytes([nonce, 0, 0, 0]), 8, (1, 4))
        results.append((nonce, digest, WRONG if nonce in wrong else right))
    return world.add_batch(results)


def get_challenged(world: SessionWorld) -> list[int]:
    return [call[2].index for call in world.chain.sent if call[0] == "challenge-result"]


def build(world: SessionWorld) -> Challenger:
    return Challenger(world.build_context("challenger"))


def test_check__all_right__nothing_challenged(world: SessionWorld) -> None:
    commit(world)
    watcher = build(world)
    assert tick(watcher) == [CHECK_BATCH]
    assert tick(watcher) == []
    assert get_challenged(world) == []


def test_check__some_wrong__exactly_those_challenged_by_inclusion(world: SessionWorld) -> None:
    batch = commit(world, wrong=(1, 3))
    watcher = build(world)
    tick(watcher)
    assert tick(watcher) == [CHALLENGE_RESULT] * 2
    assert sorted(get_challenged(world)) == [1, 3]
    told = world.batches[batch]
    for call in world.chain.sent:
        _, named, leaf, path, bond = call
        job = id_bytes(world.job_id(leaf.nonce, leaf.in_digest))
        root = compute_root_of_path(compute_leaf(job, leaf.out_digest), leaf.index, path)
        assert (named, root, leaf.out_digest) == (batch, told.root, WRONG)
        assert bond == 9  # half as much again as required


def test_challenge__it_is_a_job_by_now__left_to_what_watches_jobs(world: SessionWorld) -> None:
    batch = commit(world, wrong=(0,))
    watcher = build(world)
    tick(watcher)
    leaf = world.batches[batch].leaves[0]
    world.known.add(world.job_id(leaf.nonce, leaf.in_digest))
    world.chain.exists = False
    assert tick(watcher) == []


def test_check__input_missing__never_challenged_and_looked_at_again(world: SessionWorld) -> None:
    batch = commit(world, wrong=(2,))
    digest = world.batches[batch].leaves[2].in_digest
    file = world.chain.home / "content" / f"{digest.hex()}.bin"
    raw = file.read_bytes()
    file.unlink()
    watcher = build(world)
    assert [tick(watcher) for _ in range(3)] == [[CHECK_BATCH]] * 3
    assert get_challenged(world) == []
    file.write_bytes(raw)
    tick(watcher)
    tick(watcher)
    assert get_challenged(world) == [2]


def test_check__input_that_the_model_does_not_take__never_challenged(world: SessionWorld) -> None:
    digest = world.ask(0, first=255).request.in_digest
    world.add_batch([(0, digest, WRONG)])
    watcher = build(world)
    tick(watcher)
    tick(watcher)
    assert get_challenged(world) == []


@pytest.mark.parametrize(
    ("error", "is_for_good"),
    [(VersionMismatch("graph hash", b"\1", b"\2"), True), (ModelMissing("not here"), False)],
)
def test_check__version_not_reproduced__never_challenged(
    world: SessionWorld, error: Exception, is_for_good: bool
) -> None:
    commit(world, wrong=(0,))
    watcher = build(world)

    def reproduce(_: object) -> Any:
        raise error

    watcher.context.versions.reproduce = reproduce  # type: ignore[method-assign]
    assert tick(watcher) == [CHECK_BATCH]
    assert tick(watcher) == ([] if is_for_good else [CHECK_BATCH])
    assert get_challenged(world) == []


def test_check__event_tells_other_results_than_the_root__told_of_and_left_alone(
    world: SessionWorld,
) -> None:
    batch, other = commit(world), world.ask(9)
    told = world.batches[batch]
    lied = (*told.leaves[:3], type(told.leaves[3])(3, 3, told.leaves[3].in_digest, WRONG))
    object.__setattr__(told, "leaves", lied)
    world.add_batch([(9, other.request.in_digest, WRONG)])
    watcher = build(world)
    with pytest.raises(TermsMismatch):
        watcher.context.sessions.get_committed(batch)
    assert tick(watcher) == [CHECK_BATCH]
    tick(watcher)
    assert get_challenged(world) == [0]  # of the other batch
    assert "put-off" in watcher.log.names  # type: ignore[attr-defined]


def test_check__slow_model__goes_on_where_it_stopped(world: SessionWorld) -> None:
    commit(world, wrong=(3,))
    watcher = build(world)
    seconds = iter(range(0, 10_000, 10))
    watcher._batches._clock = lambda: float(next(seconds))
    steps = []
    for _ in range(6):
        due = [k for k in watcher.compute_due_steps() if k.job.startswith("batch")]
        steps += [key.step for key in due]
        for key in due:
            watcher.perform(key)
    assert steps == [f"{CHECK_BATCH}:{n}" for n in range(4)] + [f"{CHALLENGE_RESULT}:3"] * 2
    assert world.model.runs == 4


def test_challenge__window_over__not_sent(world: SessionWorld) -> None:
    commit(world, wrong=(0,))
    watcher = build(world)
    tick(watcher)
    world.pass_time(WINDOW + 1)
    assert tick(watcher) == []


def test_challenge__funds_do_not_reach__put_off_until_they_do(world: SessionWorld) -> None:
    commit(world, wrong=(0,))
    world.chain.balance = Wei(10**6)
    watcher = build(world)
    tick(watcher)
    tick(watcher)
    assert get_challenged(world) == []
    world.chain.balance = Wei(10**18)
    tick(watcher)
    assert get_challenged(world) == [0]


def test_challenge__refused_while_it_is_still_possible__told_and_tried_again(
    world: SessionWorld,
) -> None:
    commit(world, wrong=(0,))
    watcher = build(world)
    world.chain.exists = False  # the job
    tick(watcher)
    world.refusal = ContractRevert("BondTooSmall", {}, "SessionMarket.challenge", b"")
    (key,) = [k for k in watcher.compute_due_steps() if k.job.startswith("batch")]
    with pytest.raises(ContractRevert):  # the loop's policy logs it
        watcher.perform(key)
    world.refusal = None
    tick(watcher)
    assert get_challenged(world) == [0]


def test_challenge__batch_is_settled_meanwhile__dropped(world: SessionWorld) -> None:
    batch = commit(world, wrong=(0,))
    watcher = build(world)
    world.chain.exists = False
    tick(watcher)
    (key,) = [k for k in watcher.compute_due_steps() if k.job.startswith("batch")]
    world.refusal = ContractRevert("WrongBatchState", {}, "SessionMarket.challenge", b"")
    world.states[batch] = BatchState.FINAL
    watcher.perform(key)
    assert "overtaken" in watcher.log.names  # type: ignore[attr-defined]


def test_challenge__many__sent_ahead_of_being_waited_for(world: SessionWorld) -> None:
    count = AHEAD + 4
    commit(world, wrong=range(count), count=count)
    watcher = build(world)
    tick(watcher)
    (first, *_) = [k for k in watcher.compute_due_steps() if k.job.startswith("batch")]
    watcher.perform(first)
    assert sorted(get_challenged(world)) == list(range(AHEAD + 1))
    tick(watcher)
    assert sorted(get_challenged(world)) == list(range(count))


def test_drill__right_results_too__challenged(world: SessionWorld) -> None:
    world.chain.settings["challenge_always"] = True
    commit(world, count=2)
    watcher = build(world)
    tick(watcher)
    tick(watcher)
    assert sorted(get_challenged(world)) == [0, 1]


@pytest.mark.parametrize(
    "time", [{"is_paused": True}, {"is_refund_mode": True}], ids=["paused", "refund mode"]
)
def test_compute_due_steps__no_step_is_possible__none_asked_for(
    world: SessionWorld, time: dict[str, bool]
) -> None:
    commit(world, wrong=(0,))
    watcher = build(world)
    tick(watcher)
    world.chain.time = ProtocolTime(world.chain.time.now, **time)
    assert tick(watcher) == []


def test_findings__through_the_journal__the_same() -> None:
    findings = Findings(frozenset({2, 0}), frozenset({1}))
    detail = findings.to_detail()
    assert Findings(frozenset(detail["right"]), frozenset(detail["wrong"])) == findings
    assert findings.checked == {0, 1, 2}
