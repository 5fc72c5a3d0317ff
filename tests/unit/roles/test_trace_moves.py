"""Whose turn a dispute over a trace is, what it asks of each side, and how it is foreseen."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.contracts.pinpoint_types import (
    EMPTY,
    SEARCH_KEY,
    Phase,
    PinpointDispute,
    PostedTrace,
    Search,
    Tree,
    make_pin_key,
    make_search_key,
)
from offchain.chain.journal import StepStatus
from offchain.errors import TraceError
from offchain.params.presets import LOCAL
from offchain.roles.base import BaseRole
from offchain.roles.challenger import CHECK, Challenger
from offchain.roles.context import Context
from offchain.roles.disputes import CHALLENGE, name_step
from offchain.roles.forecast import (
    ASSERTER,
    CHALLENGER,
    Depths,
    count_moves,
    forecast_dispute,
    forecast_job,
)
from offchain.roles.operator import Operator
from offchain.roles.search_log import read_calls
from offchain.roles.trace_answers import STUCK
from offchain.roles.trace_challenge import PINPOINT, REPORT_FRAUD, TraceMoves
from offchain.roles.trace_defence import FINALISE_DEFENDED, POST_TRACE, PROVE_ALL
from offchain.roles.trace_turns import ANSWER, CURE_CLAIM, DEFEND, MOVE, RESOLVE, RULE, TIMEOUT
from offchain.types import (
    BlockNumber,
    DisputeState,
    JobState,
    ProtocolTime,
    RegisteredPlan,
    Seconds,
    Wei,
)
from tests.unit.roles.conftest import HEAD, JOB_ID, NOW, OTHER, WORKER, FakeWorld, steps

CLOCK = 30
NOT_POSTED = PostedTrace(bytes(32), Seconds(0), False, 1, 1)
POSTED = PostedTrace(b"\5" * 32, Seconds(NOW - 3), True, 1, 1)
PLAN = RegisteredPlan(b"\1" * 32, 2, 1, 1, 0, 1, 3, 1)


def dispute(phase: Phase, deadline: int = NOW + 5, who: str = WORKER) -> PinpointDispute:
    return PinpointDispute(
        id=b"\x21" * 32,
        key=make_search_key(who),
        challenger=who,  # type: ignore[arg-type]
        phase=phase,
        deadline=Seconds(deadline),
        opened_at_block=BlockNumber(1),
        bonds_wei=Wei(5),
        head=b"\x33" * 25 + bytes(7),
    )


def play(
    context: Context, disputes: list[PinpointDispute], posted: PostedTrace = NOT_POSTED
) -> Context:
    """Let a context hold these disputes about its one job."""
    by_key = {d.key: d for d in disputes}
    none = replace(dispute(Phase.NONE), head=EMPTY)
    contracts: Any = context.contracts
    contracts.pinpoint = SimpleNamespace(
        clock_seconds=CLOCK,
        get_trace=lambda _: posted,
        get_dispute=lambda _, key: by_key.get(key, none),
        get_challengers=lambda _, key: (by_key[key].challenger,),
    )
    events = [SimpleNamespace(arguments={"id": d.id, "key": d.key}) for d in disputes]
    others = context.cursor.get_events
    cursor: Any = context.cursor
    cursor.get_events = lambda name, job=None: (
        tuple(events) if name == "DisputeOpened" else others(name, job)
    )
    return context


def due(role: BaseRole) -> list[str]:
    return steps(role.compute_due_steps())


# The challenger


@pytest.mark.parametrize(
    ("phase", "deadline", "posted", "expected"),
    [
        (Phase.TRACE, NOW, NOT_POSTED, []),
        (Phase.TRACE, NOW - 1, NOT_POSTED, [TIMEOUT]),
        (Phase.TRACE, NOW - 1, POSTED, [MOVE]),  # it came in time: the clock of the search runs
        (Phase.TRACE, NOW - 5, POSTED, [TIMEOUT]),  # it came too late
        (Phase.REVEAL, NOW, POSTED, []),
        (Phase.REVEAL, NOW - 1, POSTED, [TIMEOUT]),
        (Phase.SELECT, NOW, POSTED, [MOVE]),
        (Phase.SELECT, NOW - 1, POSTED, []),
        (Phase.LEAF, NOW, POSTED, [RULE]),
        (Phase.LEAF, NOW - 1, POSTED, [TIMEOUT]),
        (Phase.DEFENDER_PROVEN, 0, POSTED, []),
    ],
)
def test_challenger__own_dispute__moves_on_its_turn_and_claims_after_the_others(
    chain: FakeWorld, phase: Phase, deadline: int, posted: PostedTrace, expected: list[str]
) -> None:
    chain.set_state(JobState.DISPUTED, NOW - 1)
    context = play(chain.build_context("challenger"), [dispute(phase, deadline)], posted)
    assert due(Challenger(context)) == expected


class FoundWrong(TraceMoves):
    """Finds the element 2 of operator 3 wrong in a trace that is to be had."""

    def _find_pin(self, *_: object) -> Any:
        return SimpleNamespace(op=3, elem=2)

    def _bound_gas(self, *_: object) -> int:
        return 0


@pytest.mark.parametrize(
    ("phase", "opened_at", "challengers", "expected"),
    [
        (None, 0, 1, "pinpoint"),
        (Phase.LEAF, HEAD, 1, "join"),
        (Phase.LEAF, HEAD + 1 - LOCAL.share_blocks, 3, "join"),
        (Phase.LEAF, HEAD + 1 - LOCAL.share_blocks, 4, "open_dispute"),
        (Phase.LEAF, HEAD - LOCAL.share_blocks, 1, "open_dispute"),
        (Phase.DEFENDER_PROVEN, 0, 1, "open_dispute"),
    ],
)
def test_pinpoint__element_that_somebody_disputes__joined_or_searched_for(
    chain: FakeWorld, phase: Phase | None, opened_at: int, challengers: int, expected: str
) -> None:
    """An accomplice who pins it first, and waits, keeps nobody from disputing it."""
    chain.set_state(JobState.DISPUTED, NOW + 9)
    key = make_pin_key(3, 2)
    there = replace(
        dispute(phase or Phase.LEAF, who=OTHER), key=key, opened_at_block=BlockNumber(opened_at)
    )
    context = play(chain.build_context("challenger"), [there] if phase else [], POSTED)
    game: Any = context.contracts.pinpoint
    game.get_challengers = lambda *_: (OTHER,) * challengers
    game.get_required_bond = lambda _: Wei(2)
    for name in ("pinpoint", "join", "open_dispute"):
        setattr(game, f"build_{name}", lambda *_, name=name: name)
    plan = SimpleNamespace(plan=SimpleNamespace(ops=[SimpleNamespace(name="any")] * 4))
    book: Any = SimpleNamespace(game=game, compute=lambda _: SimpleNamespace(plan=plan))
    moves = FoundWrong(Challenger(context), book)
    moves.pinpoint(JOB_ID, context.key(JOB_ID, name_step(PINPOINT, chain.job)))
    sent: list[Any] = list(chain.sent)
    assert sent == [expected]


def test_challenger__others_search__asks_nothing_of_it(chain: FakeWorld) -> None:
    chain.set_state(JobState.DISPUTED, NOW - 1)
    context = play(chain.build_context("challenger"), [dispute(Phase.SELECT, NOW, OTHER)], POSTED)
    assert due(Challenger(context)) == []


@pytest.mark.parametrize("state", [JobState.REJECTED, JobState.PROVEN, JobState.VOIDED])
def test_challenger__job_settled_otherwise__resolves_its_dispute(
    chain: FakeWorld, state: JobState
) -> None:
    chain.set_state(state)
    context = play(chain.build_context("challenger"), [dispute(Phase.REVEAL)], POSTED)
    assert due(Challenger(context)) == [RESOLVE]


def test_challenger__refund_mode__resolves_whatever_the_phase(chain: FakeWorld) -> None:
    chain.set_state(JobState.DISPUTED)
    chain.time = ProtocolTime(NOW, is_paused=True, is_refund_mode=True)
    context = play(chain.build_context("challenger"), [dispute(Phase.LEAF)], POSTED)
    assert due(Challenger(context)) == [RESOLVE]


@pytest.mark.parametrize(
    ("game", "active_at", "searched", "expected"),
    [
        ("auto", 1, None, [PINPOINT]),
        ("auto", NOW, None, [CHALLENGE]),  # whoever took the job could not see the plan
        ("auto", 0, None, [CHALLENGE]),
        ("prove", 1, None, [CHALLENGE]),
        ("pinpoint", 1, None, [PINPOINT]),
        ("pinpoint", 0, None, []),
        ("auto", 1, Phase.CHALLENGER_TIMEOUT, [CHALLENGE]),  # there is no second search
    ],
)
def test_challenger__wrong_result__disputed_by_the_game_that_the_plan_allows(
    chain: FakeWorld, game: str, active_at: int, searched: Phase | None, expected: list[str]
) -> None:
    chain.set_state(JobState.COMMITTED)
    chain.settings["game"] = game
    context = chain.build_context("challenger")
    context = play(context, [] if searched is None else [dispute(searched)])
    plan = replace(PLAN, active_at=active_at)
    loose: Any = context
    loose.contracts.adjudicators.get_plan = lambda _: plan
    loose.plans.find = lambda _: object()
    loose.versions.reproduce = lambda _: object()
    key = context.key(JOB_ID, name_step(CHECK, chain.job))
    context.journal.put_step(key, StepStatus.DONE, {"differs": True})
    assert due(Challenger(context)) == expected


@pytest.mark.parametrize(
    ("challengers", "is_inside", "is_posted", "expected"),
    [
        (15, False, True, [PINPOINT]),
        (16, False, True, [REPORT_FRAUD]),
        (16, False, False, [CHALLENGE]),  # without a trace there is nothing to show
        (16, True, True, []),
    ],
)
def test_challenger__others_have_taken_all_places__reports_or_asks_for_a_proof(
    chain: FakeWorld, challengers: int, is_inside: bool, is_posted: bool, expected: list[str]
) -> None:
    chain.set_state(JobState.DISPUTED)
    own = [dispute(Phase.REVEAL, NOW + 5)] if is_inside else []
    posted = replace(POSTED if is_posted else NOT_POSTED, challengers=challengers)
    assert due(Challenger(found_wrong(chain, own, posted))) == expected


def test_challenger__report_found_impossible__asks_for_a_proof(chain: FakeWorld) -> None:
    chain.set_state(JobState.DISPUTED)
    context = found_wrong(chain, [], replace(POSTED, challengers=16))
    key = context.key(JOB_ID, name_step(REPORT_FRAUD, chain.job))
    context.give_up(replace(key, step=f"{key.step}:report"), "the output is withheld")
    assert due(Challenger(context)) == [CHALLENGE]


def found_wrong(chain: FakeWorld, disputes: list[PinpointDispute], posted: PostedTrace) -> Context:
    """Return a context that has found its job wrong, of a version with a plan."""
    loose: Any = play(chain.build_context("challenger"), disputes, posted)
    loose.contracts.adjudicators.get_plan = lambda _: PLAN
    loose.plans.find = lambda _: object()
    loose.versions.reproduce = lambda _: object()
    key = loose.key(JOB_ID, name_step(CHECK, chain.job))
    loose.journal.put_step(key, StepStatus.DONE, {"differs": True})
    context: Context = loose
    return context


@pytest.mark.parametrize("is_possible", [True, False])
def test_pinpoint__funds_do_not_cover_a_bond__fraud_is_reported_without(
    chain: FakeWorld, monkeypatch: pytest.MonkeyPatch, is_possible: bool
) -> None:
    chain.set_state(JobState.COMMITTED, NOW + 9)
    chain.balance = Wei(10**15)
    context = found_wrong(chain, [], POSTED)
    game: Any = context.contracts.pinpoint
    game.get_required_bond = lambda _: Wei(10**15)
    plan = SimpleNamespace(plan=SimpleNamespace(ops=[SimpleNamespace(name="any")] * 4))
    own = SimpleNamespace(plan=plan)
    book: Any = SimpleNamespace(game=game, compute=lambda _: own)
    moves = FoundWrong(Challenger(context), book)
    key = context.key(JOB_ID, name_step(PINPOINT, chain.job))
    reported: list[Any] = []
    monkeypatch.setattr(moves._reports, "report_pin", lambda *a: reported.append(a) or is_possible)
    moves.pinpoint(JOB_ID, key)
    ((about, job, traced, pin),) = reported
    assert (about, job.id, traced, pin.op, pin.elem) == (key, JOB_ID, own, 3, 2)
    assert chain.sent == []
    assert context.log.names == ([] if is_possible else ["put-off"])  # type: ignore[attr-defined]


# The operator


@pytest.mark.parametrize(
    ("phase", "deadline", "posted", "expected"),
    [
        (Phase.TRACE, NOW, NOT_POSTED, [POST_TRACE]),
        (Phase.TRACE, NOW - 1, NOT_POSTED, []),
        (Phase.TRACE, NOW, POSTED, []),
        (Phase.REVEAL, NOW, POSTED, [ANSWER]),
        (Phase.REVEAL, NOW - 1, POSTED, []),
        (Phase.SELECT, NOW, POSTED, []),
        (Phase.SELECT, NOW - 1, POSTED, [TIMEOUT]),
        (Phase.LEAF, NOW, POSTED, [DEFEND]),
        (Phase.LEAF, NOW - 1, POSTED, []),
        (Phase.DEFENDER_PROVEN, 0, POSTED, [FINALISE_DEFENDED]),
    ],
)
def test_operator__disputed_trace__answers_on_its_turn(
    chain: FakeWorld, phase: Phase, deadline: int, posted: PostedTrace, expected: list[str]
) -> None:
    chain.set_state(JobState.DISPUTED, NOW - 1)
    assert due(serve(chain, [dispute(phase, deadline, OTHER)], posted)) == expected


def test_operator__claim_went_undecided__cured_by_it_and_not_by_a_whole_proof(
    chain: FakeWorld,
) -> None:
    chain.open_dispute(OTHER, NOW - 1, state=DisputeState.DEFAULT)
    chain.set_state(JobState.REJECTED, NOW + 1)
    operator = serve(chain, [dispute(Phase.DEFAULT, 0, OTHER)], POSTED)
    assert due(operator) == [CURE_CLAIM]
    (key,) = operator.compute_due_steps()
    operator.context.give_up(key, "it is wrong")
    assert due(operator) == ["cure"]


def test_operator__claim_that_nothing_small_answers__proves_the_whole_result(
    chain: FakeWorld,
) -> None:
    chain.set_state(JobState.DISPUTED)
    operator = serve(chain, [dispute(Phase.LEAF, NOW + 5, OTHER)], POSTED)
    assert due(operator) == [DEFEND]
    operator.context.journal.put_step(operator.context.key(JOB_ID, STUCK), StepStatus.DONE)
    assert due(operator) == [DEFEND, PROVE_ALL]


def test_operator__many_disputes__one_proof_is_cheaper(chain: FakeWorld) -> None:
    chain.set_state(JobState.DISPUTED)
    few = [
        replace(dispute(Phase.LEAF, NOW + 5, OTHER), id=bytes([k]) * 32, key=SEARCH_KEY + k)
        for k in range(3)
    ]
    assert PROVE_ALL not in due(serve(chain, few[:2], POSTED))
    assert PROVE_ALL in due(serve(chain, few, POSTED))


def test_operator__others_job__answered_only_where_it_is_set_to_rescue(chain: FakeWorld) -> None:
    chain.set_state(JobState.DISPUTED, operator=OTHER)
    disputes = [dispute(Phase.REVEAL, NOW, OTHER)]
    assert due(serve(chain, disputes, POSTED)) == []
    chain.settings["rescue"] = True
    assert due(serve(chain, disputes, POSTED)) == [ANSWER]
    assert due(serve(chain, [dispute(Phase.TRACE, NOW, OTHER)], NOT_POSTED)) == []


def serve(chain: FakeWorld, disputes: list[PinpointDispute], posted: PostedTrace) -> Operator:
    chain.served = chain.owner
    context = play(chain.build_context("operator"), disputes, posted)
    version = SimpleNamespace(proof_gas=1_000_000)
    loose: Any = context
    loose.versions.reproduce = lambda _: SimpleNamespace(version=version)
    return Operator(context)


# The forecast


@pytest.mark.parametrize(
    ("phase", "state", "expected"),
    [
        (Phase.TRACE, None, (1 + 2 + 1 + 1 + 1, 1 + 2 + 1 + 1 + 1)),
        (Phase.REVEAL, (Tree.LAYERS, 10), (2 + 1 + 1 + 1, 2 + 1 + 1 + 1)),
        (Phase.SELECT, (Tree.LAYERS, 10), (1 + 1 + 1 + 1, 2 + 1 + 1 + 1)),
        (Phase.REVEAL, (Tree.OPS, 3), (1 + 1 + 1, 1 + 1 + 1)),
        (Phase.SELECT, (Tree.NONE, 0), (1, 1 + 1)),
        (Phase.LEAF, None, (1, 0)),
    ],
)
def test_count_moves__longest_way_to_the_end(
    phase: Phase, state: tuple[Tree, int] | None, expected: tuple[int, int]
) -> None:
    at = None
    if state is not None:
        at = Search(EMPTY, EMPTY, int(state[0]) << 112 | state[1] << 104)
    asserter, challenger = count_moves(phase, at, NOT_POSTED, Depths(10, 3, 4))
    assert (len(asserter), len(challenger)) == expected


@pytest.mark.parametrize(
    ("is_right", "now", "winner", "outcome"),
    [
        (True, NOW, ASSERTER, "FINAL"),
        (False, NOW, CHALLENGER, "REJECTED"),
        (None, NOW, "open", "unknown"),
        (True, NOW + 6, CHALLENGER, "REJECTED"),  # who stays silent loses, right or not
    ],
)
def test_forecast__pinned_claim__who_wins_and_what_it_costs(
    chain: FakeWorld, is_right: bool | None, now: int, winner: str, outcome: str
) -> None:
    told = forecast_dispute(
        dispute(Phase.LEAF, NOW + 5), None, POSTED, Depths(0, 1, 0), NOW + 5, now, 10, is_right
    )
    assert (told.winner, told.if_silent, told.turn) == (winner, CHALLENGER, ASSERTER)
    assert told.operator.cost_wei == 10 * told.operator.gas > 0
    assert told.challenger_side.moves == 0
    job = replace(chain.job, state=JobState.DISPUTED)
    assert forecast_job(job, now, None, [told], is_right)["outcome"] == outcome


# Calldata


def test_read_calls__through_another_contract__traced_or_as_it_was_sent() -> None:
    game, other = "0x" + "12" * 20, "0x" + "34" * 20
    inner = {"to": game, "input": "0xbeef", "calls": []}
    answers = {
        "eth_getTransactionByHash": {"to": other, "input": "0xcafe"},
        "debug_traceTransaction": {"to": other, "input": "0xcafe", "calls": [inner]},
    }
    client: Any = SimpleNamespace(rpc=SimpleNamespace(request=lambda name, *_: answers[name]))
    assert read_calls(client, "0x00", game) == (b"\xbe\xef", b"\xca\xfe")
    answers["eth_getTransactionByHash"] = {"to": game, "input": "0xbeef"}
    assert read_calls(client, "0x00", game) == (b"\xbe\xef",)


def test_find_dispute__no_event_names_it__refused(chain: FakeWorld) -> None:
    chain.set_state(JobState.DISPUTED)
    context = play(chain.build_context("challenger"), [dispute(Phase.SELECT)], POSTED)
    challenger = Challenger(context)
    (key,) = challenger.compute_due_steps()
    forged = replace(key, step=key.step.replace("2121", "2222", 1))
    with pytest.raises(TraceError):
        challenger.actions[MOVE](JOB_ID, forged)
