"""What becomes of a disputed result: who wins, what each side has to do, until when, at what cost.

Pure: everything that is read from the chain comes in as records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from offchain.chain.contracts.pinpoint_types import (
    EMPTY,
    Phase,
    PinpointDispute,
    PostedTrace,
    Search,
    Tree,
)
from offchain.roles.known_trace import STEP_LEVELS
from offchain.roles.trace_turns import is_challengers_turn
from offchain.types import Dispute, DisputeState, Job, JobState

ASSERTER: Final = "operator"
CHALLENGER: Final = "challenger"
NOBODY_WINS: Final = "open"

# Gas of moves, with room: `./scripts/bench gas` measures them.
POST_GAS: Final = 130_000
REVEAL_GAS: Final = 130_000
SELECT_GAS: Final = 110_000
PIN_GAS: Final = 200_000
RULE_GAS: Final = 600_000
TIMEOUT_GAS: Final = 300_000


@dataclass(frozen=True)
class Side:
    """What one side has still to do if both play to the end, and what that takes."""

    moves: int
    gas: int
    cost_wei: int


@dataclass(frozen=True)
class DisputeForecast:
    """One dispute over a trace."""

    key: str
    kind: str  # pin or search
    phase: str
    challenger: str
    turn: str
    deadline: int
    seconds_left: int
    if_silent: str  # who wins if the side on turn stays silent
    winner: str  # who wins if both play as well as they can
    operator: Side
    challenger_side: Side
    bonds_wei: int


@dataclass(frozen=True)
class Depths:
    """How deep the trees of a search are."""

    layers: int
    ops: int
    tiles: int  # of the largest output


def forecast_dispute(
    dispute: PinpointDispute,
    state: Search | None,
    posted: PostedTrace,
    depths: Depths,
    deadline: int,
    now: int,
    gas_price_wei: int,
    is_claim_right: bool | None,
) -> DisputeForecast:
    """Return what becomes of one open dispute.

    `state`: where its search stands. `is_claim_right`: whether what is asserted in it is what one
    computes oneself, None where that is not known.
    """
    is_challenger = is_challengers_turn(dispute, posted)
    asserter, challenger = count_moves(dispute.phase, state, posted, depths)
    turn = CHALLENGER if is_challenger else ASSERTER
    other = ASSERTER if is_challenger else CHALLENGER
    winner = NOBODY_WINS
    if now > deadline:
        winner = other
    elif is_claim_right is not None:
        winner = ASSERTER if is_claim_right else CHALLENGER
    return DisputeForecast(
        key=f"{dispute.key:#x}",
        kind="search" if dispute.is_search else "pin",
        phase=dispute.phase.name,
        challenger=str(dispute.challenger),
        turn=turn,
        deadline=deadline,
        seconds_left=max(0, deadline - now),
        if_silent=other,
        winner=winner,
        operator=_price(asserter, gas_price_wei),
        challenger_side=_price(challenger, gas_price_wei),
        bonds_wei=int(dispute.bonds_wei),
    )


def count_moves(
    phase: Phase, state: Search | None, posted: PostedTrace, depths: Depths
) -> tuple[list[int], list[int]]:
    """Return the gas of every move that operator and challenger have left, if nobody stops early.

    With the trace's digests at hand a challenger pins at once: this is the longest way.
    """
    asserter: list[int] = []
    challenger: list[int] = []
    if phase is Phase.LEAF:
        return [RULE_GAS], challenger
    if phase is Phase.TRACE:
        if not posted.is_posted:
            asserter.append(POST_GAS)
        challenger.append(SELECT_GAS)
    is_select = phase is Phase.SELECT
    tree = Tree.LAYERS if state is None else state.tree
    is_output = state is not None and state.context != EMPTY
    height = depths.layers if state is None or phase is Phase.TRACE else state.height
    for stage in _list_stages(tree, height, depths, is_output):
        rounds = _count_rounds(stage)
        asserter += [REVEAL_GAS] * (rounds - is_select)
        challenger += [SELECT_GAS] * rounds
        is_select = False
    challenger.append(PIN_GAS)
    asserter.append(RULE_GAS)
    return asserter, challenger


def _list_stages(tree: Tree, height: int, depths: Depths, is_output: bool) -> list[int]:
    """Return the heights of the trees that are still to be searched, one after another."""
    if is_output:
        return [] if tree is Tree.NONE else [height]
    if tree is Tree.NONE:
        return [depths.tiles]
    if tree is Tree.OPS:
        return [height, depths.tiles]
    return [height, depths.ops, depths.tiles]


def _count_rounds(height: int) -> int:
    return max(1, -(-height // STEP_LEVELS))


def _price(moves: Sequence[int], gas_price_wei: int) -> Side:
    return Side(len(moves), sum(moves), sum(moves) * gas_price_wei)


def forecast_job(
    job: Job,
    now: int,
    prove_it: Dispute | None,
    disputes: Sequence[DisputeForecast],
    is_result_right: bool | None,
) -> Mapping[str, Any]:
    """Return what becomes of a job, for people and scripts."""
    return {
        "job": job.id,
        "state": job.state.name,
        "now": now,
        "window_ends": int(job.deadline),
        "result": _name(is_result_right),
        "outcome": _foresee(job, now, prove_it, disputes, is_result_right),
        "prove_it": None if prove_it is None else _describe(prove_it, now),
        "disputes": [asdict(dispute) for dispute in disputes],
    }


def _name(is_right: bool | None) -> str:
    return "unknown" if is_right is None else "right" if is_right else "wrong"


def _foresee(
    job: Job,
    now: int,
    prove_it: Dispute | None,
    disputes: Sequence[DisputeForecast],
    is_right: bool | None,
) -> str:
    """Return the state that the job reaches if everybody plays as well as they can."""
    if job.state.is_terminal:
        return job.state.name
    overdue = prove_it is not None and prove_it.is_open and now > prove_it.prove_until
    if overdue or any(dispute.winner == CHALLENGER for dispute in disputes):
        return JobState.REJECTED.name
    is_contested = bool(disputes) or (prove_it is not None and prove_it.is_open)
    if is_contested and is_right is None and any(d.winner == NOBODY_WINS for d in disputes):
        return "unknown"
    if prove_it is not None and prove_it.state is DisputeState.OPEN:
        return JobState.REJECTED.name if is_right is False else JobState.PROVEN.name
    return JobState.FINAL.name


def _describe(dispute: Dispute, now: int) -> Mapping[str, Any]:
    return {
        "state": dispute.state.name,
        "challenger": str(dispute.challenger),
        "bond_wei": int(dispute.bond_wei),
        "prove_until": int(dispute.prove_until),
        "seconds_left": max(0, dispute.prove_until - now),
        "if_silent": CHALLENGER,
    }
