"""An operator's replicas, move by move; nothing is shown before all commitments are fixed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.quorum_ids import compute_quorum_id
from offchain.errors import ConfigError, ContractRevert, SignerRefused
from offchain.params.settings import Settings
from offchain.roles.candidacy import parse_versions
from offchain.roles.copying import CopyingOperator
from offchain.roles.operator import Operator
from offchain.roles.quorum_book import QuorumBook
from offchain.roles.quorum_steps import choose_keeper_step
from offchain.submit.content import FolderStore, compute_digest
from offchain.types import (
    ETH,
    Amount,
    BlockNumber,
    Candidate,
    Job,
    JobState,
    ProtocolTime,
    QuorumState,
    ReplicaState,
    Seconds,
    SeedState,
    Standing,
)
from tests.unit.roles.conftest import CHAIN_ID, JOB_ID, NOW, OTHER, OWNER, FakeWorld
from tests.unit.roles.quorum_world import (
    NOTHING,
    QUORUMS,
    RAW,
    RESULT,
    STAKE,
    THIRD,
    VERSION,
    WRONG,
    QuorumWorld,
)

LISTED = "0x" + VERSION.hex()


@pytest.fixture
def world(chain: FakeWorld) -> QuorumWorld:
    return QuorumWorld(chain)


def commit(world: QuorumWorld, operator: Operator | None = None) -> bytes:
    """Have the worker commit; put its commitment on chain."""
    world.tick(operator or world.operator())
    commitment: bytes = world.chain.sent[-1][2]
    world.replicas[0] = replace(
        world.replicas[0], state=ReplicaState.COMMITTED, commitment=commitment
    )
    return commitment


def begin_reveals(world: QuorumWorld) -> None:
    world.state = QuorumState.REVEALING
    for index in (1, 2):
        world.replicas[index] = replace(world.replicas[index], state=ReplicaState.COMMITTED)


# Commitments


def test_drawn__commits_blindly_once__nothing_of_the_result_is_anywhere_else(
    world: QuorumWorld, chain: FakeWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = world.operator()
    assert world.tick(operator) == ["commit-replica"]
    name, quorum, commitment = chain.sent[0]
    assert (name, quorum) == ("commit", world.id)
    assert len(commitment) == 32 and commitment != RESULT
    shared = {file.stem for file in (chain.home / "content").rglob("*") if file.is_file()}
    assert not any(RESULT.hex() in stem for stem in shared)
    log: Any = operator.log
    assert RESULT.hex() not in json.dumps(log.events, default=str) + capsys.readouterr().err


def test_killed_with_its_home_lost__commits_to_the_same_and_opens_it(
    world: QuorumWorld, chain: FakeWorld, tmp_path: Path
) -> None:
    """The salt follows from the worker's key alone."""
    first = commit(world)
    begin_reveals(world)
    chain.home = tmp_path / "another"
    chain.home.mkdir()
    chain.sent.clear()
    assert world.tick(world.operator()) == ["reveal-replica"]
    name, _, index, digest, salt = chain.sent[0]
    assert (name, index, digest) == ("reveal", 0, RESULT)
    market = world.build_context().contracts.quorum
    assert market.hash_commitment(world.job_id(0), OWNER, digest, salt) == first


@pytest.mark.parametrize("is_random", [False, True])
def test_signer_without_messages_or_with_random_nonces__a_secret_of_the_home_blinds(
    world: QuorumWorld, chain: FakeWorld, is_random: bool
) -> None:
    count = iter(range(1, 100))

    def sign(_: object) -> bytes:
        if is_random:
            return bytes([next(count)]) * 65
        raise SignerRefused("signer", "signs transactions only")

    operator = world.operator()
    operator.context.signer.sign_typed = sign  # type: ignore[method-assign]
    first = commit(world, operator)
    secret = chain.home / "replicas.secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    begin_reveals(world)
    again = world.operator()
    again.context.signer.sign_typed = sign  # type: ignore[method-assign]
    assert world.tick(again) == ["reveal-replica"]
    _, _, _, digest, salt = chain.sent[-1]
    found = again.context.contracts.quorum.hash_commitment(world.job_id(0), OWNER, digest, salt)
    assert found == first


def test_copied_before_it_was_mined__commits_with_another_salt__opens_that_one(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    mine = commit(world)
    world.replicas[0] = replace(world.replicas[0], state=ReplicaState.DRAWN, commitment=bytes(32))
    world.replicas[1] = replace(world.replicas[1], state=ReplicaState.COMMITTED, commitment=mine)
    second = commit(world)
    assert second != mine
    begin_reveals(world)
    assert "reveal-replica" in world.tick(world.operator())
    _, _, _, digest, salt = chain.sent[-1]
    market = world.build_context().contracts.quorum
    assert market.hash_commitment(world.job_id(0), OWNER, digest, salt) == second
    # What the copier sees opens nothing for it: its commitment would have to name itself.
    assert market.hash_commitment(world.job_id(1), OTHER, digest, salt) != mine


def test_copying_operator__waits_for_another__is_refused_and_gives_up(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    operator = world.operator(CopyingOperator)
    world.tick(operator)
    assert chain.sent == []
    other = b"\x44" * 32
    world.replicas[1] = replace(world.replicas[1], state=ReplicaState.COMMITTED, commitment=other)
    world.refusal = ContractRevert("BadCommitment", {}, "Quorum.commitBlinded", b"")
    world.tick(operator)
    world.refusal = None
    world.tick(operator)
    assert chain.sent == []


def test_too_late_to_commit__only_the_end_of_the_commitments(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    world.deadline = NOW - 1
    assert world.tick(world.operator()) == ["close-commits"]
    assert chain.sent == [("close", world.id)]


def test_input_that_cannot_be_used__given_back_in_time_and_not_later(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    unusable = b"\xff" * 8
    world.terms = replace(world.terms, in_digest=compute_digest(unusable, 8, (1, 8)))
    world.id = compute_quorum_id(CHAIN_ID, QUORUMS, world.terms)
    operator = world.operator()
    FolderStore(chain.home / "content").put(unusable, 8, (1, 8))
    assert [world.tick(operator) for _ in range(2)] == [["commit-replica"], ["refuse-replica"]]
    assert chain.sent == [("refuse-replica", world.id)]
    world.deadline = NOW + 20 - 6
    assert world.tick(operator) == ["commit-replica"]


def test_input_not_there__waited_for_before_it_is_given_back(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    operator = world.operator()
    for file in (chain.home / "content").rglob("*.bin"):
        file.unlink()
    assert [world.tick(operator) for _ in range(2)] == [["commit-replica"], ["commit-replica"]]
    world.deadline = NOW + 20 - 4
    assert [world.tick(operator) for _ in range(2)] == [["commit-replica"], ["refuse-replica"]]


# Openings


def test_reveals_not_confirmed__waits_unless_the_time_presses(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    commit(world)
    begin_reveals(world)
    world.are_reveals_confirmed = False
    chain.sent.clear()
    operator = world.operator()
    world.tick(operator)
    assert chain.sent == []
    world.deadline = NOW + 2
    world.tick(operator)
    assert chain.sent[0][0] == "reveal"


def test_revealed__output_and_receipt_are_published_then(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    commit(world)
    content = world.build_context().content
    assert content.get_receipts(world.job_id(0)) == ()
    begin_reveals(world)
    world.tick(world.operator())
    assert content.get(RESULT, 8, (1, 4)) == RAW[:4]
    assert [r.out_digest for r in content.get_receipts(world.job_id(0))] == [RESULT]


def test_commitment_of_another_key__given_up_not_guessed(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    world.replicas[0] = replace(
        world.replicas[0], state=ReplicaState.COMMITTED, commitment=b"\x77" * 32
    )
    begin_reveals(world)
    operator = world.operator()
    world.tick(operator)
    assert chain.sent == []
    assert "refused" in operator.log.names  # type: ignore[attr-defined]


# Rounds


def test_majority_agrees__nothing_to_look_at(world: QuorumWorld) -> None:
    world.open_round(RESULT, RESULT, WRONG)
    assert world.tick(world.operator()) == []
    assert world.model.runs == 0


def test_outvoted__recomputes_then_takes_one_replica_of_the_majority_out(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    world.open_round(RESULT, WRONG, WRONG)
    operator = world.operator()
    assert world.tick(operator) == ["check-quorum"]
    assert world.tick(operator) == ["extract-replica"]
    assert chain.sent == [("extract", world.id, 1)]
    world.set_replica(1, ReplicaState.EXTRACTED, WRONG)
    assert world.tick(operator) == []


def test_outvoted_and_wrong_itself__recomputed_before_anything_is_at_stake(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    world.open_round(WRONG, RESULT, RESULT)
    operator = world.operator()
    assert [world.tick(operator) for _ in range(2)] == [["check-quorum"], []]
    assert chain.sent == []


def test_outvoted_without_funds_for_the_whole_dispute__does_not_begin(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    world.open_round(RESULT, WRONG, WRONG)
    chain.balance = chain.balance.__class__(10)
    operator = world.operator()
    world.tick(operator), world.tick(operator)
    assert chain.sent == []


def test_beaten_replica__does_not_object_any_more(world: QuorumWorld) -> None:
    world.open_round(WRONG, RESULT, RESULT)
    world.set_replica(0, ReplicaState.OUT, WRONG)
    assert world.tick(world.operator()) == []


def test_suspect__stands_behind_its_own_after_computing_it_again(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    world.open_round(RESULT, RESULT, WRONG)
    world.set_replica(1, ReplicaState.OUT, RESULT)
    world.is_suspect = True
    assert world.tick(world.operator()) == ["stand-behind"]
    assert chain.sent == [("extract", world.id, 0)]
    assert world.model.runs == 1


def test_suspect_and_wrong__does_not_stand_behind_it(world: QuorumWorld, chain: FakeWorld) -> None:
    world.open_round(WRONG, WRONG, RESULT)
    world.is_suspect = True
    operator = world.operator()
    world.tick(operator), world.tick(operator)
    assert chain.sent == []


def test_split__demands_a_proof_of_each_other_result(world: QuorumWorld, chain: FakeWorld) -> None:
    world.open_round(RESULT, WRONG, bytes(31) + b"\1", state=QuorumState.SPLIT)  # type: ignore[arg-type]
    operator = world.operator()
    assert world.tick(operator) == ["check-quorum"]
    assert world.tick(operator) == ["challenge-replica", "challenge-replica"]
    assert [(call[0], call[2]) for call in chain.sent] == [
        ("challenge-replica", 1),
        ("challenge-replica", 2),
    ]


# Anybody's steps


RUNNING = ProtocolTime(NOW)
LATE = ProtocolTime(Seconds(NOW + 100))


@pytest.mark.parametrize(
    ("state", "seed", "time", "step"),
    [
        (QuorumState.OPEN, SeedState.WAITING, RUNNING, None),
        (QuorumState.OPEN, SeedState.READY, RUNNING, "draw-replicas:40"),
        (QuorumState.OPEN, SeedState.MISSED, RUNNING, "draw-replicas:40"),
        (QuorumState.OPEN, SeedState.READY, LATE, "expire-quorum"),
        (QuorumState.COMMITTING, SeedState.FIXED, RUNNING, None),
        (QuorumState.COMMITTING, SeedState.FIXED, LATE, f"close-commits:{NOW + 20}"),
        (QuorumState.AUDITING, SeedState.WAITING, LATE, None),
        (QuorumState.AUDITING, SeedState.READY, LATE, "decide-audit:40"),
        (QuorumState.REVEALING, SeedState.FIXED, RUNNING, f"tally:{NOW + 20}"),
        (QuorumState.PROVISIONAL, SeedState.FIXED, RUNNING, None),
        (QuorumState.PROVISIONAL, SeedState.FIXED, LATE, f"settle-quorum:{NOW + 20}"),
        (QuorumState.FINAL, SeedState.FIXED, LATE, None),
        (QuorumState.SPLIT, SeedState.FIXED, ProtocolTime(NOW, is_paused=True), None),
        (
            QuorumState.SPLIT,
            SeedState.FIXED,
            ProtocolTime(NOW, is_paused=True, is_refund_mode=True),
            "void-quorum",
        ),
    ],
)
def test_keeper_step__of_each_state(
    world: QuorumWorld,
    state: QuorumState,
    seed: SeedState,
    time: ProtocolTime,
    step: str | None,
) -> None:
    world.state, world.seed = state, seed
    context = world.build_context()
    book = QuorumBook(context.client.chain_id, context.contracts)
    found = book.find(world.id)
    assert found is not None
    assert choose_keeper_step(book, found, time) == step


def test_tally__not_before_everybody_has_opened_or_the_time_is_over(world: QuorumWorld) -> None:
    world.state = QuorumState.REVEALING
    world.set_replica(2, ReplicaState.COMMITTED)
    context = world.build_context()
    book = QuorumBook(context.client.chain_id, context.contracts)
    found = book.find(world.id)
    assert found is not None
    assert choose_keeper_step(book, found, RUNNING) is None
    assert choose_keeper_step(book, found, LATE) is not None


@pytest.mark.parametrize(
    ("job", "is_held", "is_due"),
    [
        (JobState.COMMITTED, False, False),
        (JobState.DISPUTED, False, False),
        (JobState.REJECTED, True, False),
        (JobState.REJECTED, False, True),
        (JobState.FINAL, False, True),
    ],
)
def test_settle__waits_for_the_jobs_and_their_airgaps(
    world: QuorumWorld, chain: FakeWorld, job: JobState, is_held: bool, is_due: bool
) -> None:
    from offchain.types import DisputeState

    world.open_round(RESULT, WRONG, WRONG)
    world.set_replica(1, ReplicaState.EXTRACTED, WRONG)
    world.jobs[world.job_id(1)] = replace(chain.job, id=world.job_id(1), state=job)
    state = DisputeState.DEFAULT if is_held else DisputeState.DISTRIBUTED
    chain.open_dispute(OTHER, NOW + 9, state=state)
    world.deadline = NOW - 1
    due = world.tick(world.operator())
    assert ("settle-quorum" in due) is is_due


def test_second_replica__lets_the_first_go_ahead_by_a_block(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    world.replicas = [world.replicas[1], world.replicas[0], world.replicas[2]]
    world.open_round(RESULT, RESULT, RESULT)
    world.deadline = NOW - 1
    operator = world.operator()
    assert world.tick(operator) == []
    world.head += 1
    assert world.tick(operator) == ["settle-quorum"]
    assert chain.sent == [("settle", world.id)]


def test_stranger_to_the_quorum__does_nothing(world: QuorumWorld) -> None:
    world.replicas = world.replicas[1:]
    world.open_round(WRONG, WRONG)
    world.deadline = NOW - 1
    assert world.tick(world.operator()) == []


def test_too_few_candidates__put_off_not_failed(world: QuorumWorld) -> None:
    world.state, world.replicas = QuorumState.OPEN, []
    world.candidates = [entry(OWNER)]
    world.refusal = ContractRevert("TooFewCandidates", {}, "Quorum.draw", b"")
    operator = world.operator(replicas=LISTED)
    assert world.tick(operator) == ["draw-replicas"]
    assert "put-off" in operator.log.names  # type: ignore[attr-defined]


# Whoever watches without a replica


def test_watcher__takes_out_what_is_wrong__only_if_set_to(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    world.open_round(WRONG, WRONG, WRONG)
    assert world.tick(world.challenger()) == []
    watcher = world.challenger(watch_quorums=True)
    assert [world.tick(watcher) for _ in range(2)] == [["check-quorum"], ["extract-replica"]]
    assert chain.sent == [("extract", world.id, 0)]


def test_watcher__right_result__lets_it_be(world: QuorumWorld, chain: FakeWorld) -> None:
    world.open_round(RESULT, RESULT, WRONG)
    watcher = world.challenger(watch_quorums=True)
    assert [world.tick(watcher) for _ in range(2)] == [["check-quorum"], []]
    assert chain.sent == []


# Others' replicas that are jobs


@pytest.mark.parametrize(
    ("own", "theirs", "operator", "concerns"),
    [
        (RESULT, WRONG, OTHER, True),
        (RESULT, RESULT, OTHER, False),
        (RESULT, WRONG, OWNER, False),
        (NOTHING, WRONG, OTHER, False),
    ],
)
def test_dissent__concerns_replicas_that_say_otherwise_only(
    world: QuorumWorld, chain: FakeWorld, own: bytes, theirs: bytes, operator: str, concerns: bool
) -> None:
    world.open_round(own, theirs, theirs)  # type: ignore[arg-type]
    job = make_job(world, chain, theirs, operator)
    found = world.operator()
    assert found._dissent.concerns(job) is concerns
    stranger = replace(job, id=JOB_ID)
    assert found._dissent.concerns(stranger) is False


def make_job(world: QuorumWorld, chain: FakeWorld, digest: bytes, operator: str) -> Job:
    job_id = world.job_id(1)
    values: dict[str, Any] = {"out_digest": digest, "operator": operator}
    job = replace(chain.job, id=job_id, state=JobState.COMMITTED, **values)
    world.jobs[job_id] = job
    return job


# Lists


def entry(operator: str = OWNER, stake: int = STAKE) -> Candidate:
    fields: dict[str, Any] = {"operator": operator, "tag": operator}
    fields |= {"since": BlockNumber(1), "unbond_before": Seconds(NOW)}
    return Candidate(stake=Amount(stake), min_fee=Amount(0), **fields)


def idle(world: QuorumWorld) -> QuorumWorld:
    world.state, world.seed = QuorumState.OPEN, SeedState.WAITING
    world.replicas = []
    return world


def test_enlists_anew__after_an_unbonding(world: QuorumWorld) -> None:
    operator = idle(world).operator(replicas=LISTED)
    world.candidates, world.unbond_ready_at = [entry()], NOW - 1
    assert world.tick(operator) == []
    world.unbond_ready_at, world.head = NOW, world.head + 1
    assert world.tick(operator) == ["enlist"]


def test_enlists_once_with_the_least_fee__renews_when_its_stake_has_doubled(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    operator = idle(world).operator(replicas=LISTED, min_fee_wei=7)
    assert world.tick(operator) == ["enlist"]
    assert chain.sent == [("enlist", VERSION, ETH, OWNER, 7)]
    world.candidates, world.head = [entry()], world.head + 1
    assert world.tick(operator) == []
    world.candidates, world.head = [entry(stake=STAKE // 2)], world.head + 1
    assert world.tick(operator) == ["enlist"]


def test_version_without_active_plan__not_enlisted(world: QuorumWorld, chain: FakeWorld) -> None:
    world.is_active = False
    operator = idle(world).operator(replicas=LISTED, min_fee_wei=7)
    world.tick(operator)
    assert chain.sent == []
    assert "put-off" in operator.log.names  # type: ignore[attr-defined]


def test_version_that_only_whole_proofs_defend__not_enlisted(
    world: QuorumWorld, chain: FakeWorld
) -> None:
    chain.plan = SimpleNamespace(list_undefendable=lambda: ("y1",))
    operator = idle(world).operator(replicas=LISTED, min_fee_wei=7)
    world.tick(operator)
    assert chain.sent == []
    assert "put-off" in operator.log.names  # type: ignore[attr-defined]


def test_in_jail__not_enlisted(world: QuorumWorld, chain: FakeWorld) -> None:
    chain.standing = Standing(Seconds(NOW + 50), Seconds(0), 0)
    assert "enlist" not in world.tick(idle(world).operator(replicas=LISTED, min_fee_wei=7))


def test_version_no_more_served__leaves_its_list(world: QuorumWorld, chain: FakeWorld) -> None:
    world.candidates = [entry()]
    told = {"version": bytes(VERSION), "operator": OWNER.lower(), "token": ETH}
    world.entered = [SimpleNamespace(arguments=told)]
    operator = idle(world).operator(replicas="")
    assert world.tick(operator) == ["leave"]
    assert chain.sent == [("leave", VERSION, ETH)]


def test_open_replicas__count_as_promised_work(world: QuorumWorld) -> None:
    operator = world.operator()
    assert operator.list_promised_orders() == (VERSION,)
    world.set_replica(0, ReplicaState.EXTRACTED, RESULT)
    assert operator.list_promised_orders() == ()


@pytest.mark.parametrize("text", ["0x12", "zz" * 32, LISTED + ",1"])
def test_version_that_is_none__refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_versions(text)


def test_settings__of_replicas_have_defaults_that_change_nothing() -> None:
    fields = Settings.__dataclass_fields__
    assert (fields["replicas"].default, fields["tag"].default) == ("", "")
    assert fields["watch_quorums"].default is fields["audit"].default is False
    assert THIRD != OWNER
