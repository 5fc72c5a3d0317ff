"""Plays that together make every kind of step, and what the chain must show after each.

Chosen step by step: the kind of step that was made least often so far comes next. Between the steps
stand moves that the rules refuse at that point: the contracts have to revert them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.game.players import Claim, Table, follow
from tests.game.rules import RULES, is_allowed
from tests.game.world import HONEST, LAYERS, OPERATOR, OTHER, STRANGER, Move, World

REFUSED_RATE: Final = 0.35
LONGEST: Final = 60  # steps; no play is as long
# Moves whose refusal says something about the rules: a contract cannot know what is true.
REFUSABLE: Final = tuple(
    name for name in RULES if name not in ("post", "report", "prove", "cure", "wait")
)


@dataclass(frozen=True)
class Step:
    """A move, whether it is refused, and the world behind it."""

    move: Move
    is_refused: bool
    world: World


@dataclass(frozen=True)
class Play:
    """One play from the commit to the end."""

    fault: int | None
    is_real: bool  # judged by the element check on real tensors
    steps: tuple[Step, ...]


REAL_FAULTS: Final = (2, 5)
HONEST_CLAIMS: Final[tuple[Claim, ...]] = ((1, 0), (6, 1))


def list_claims(fault: int) -> tuple[Claim, ...]:
    """Return what dishonest players pin: the fault, beside it, and elsewhere."""
    return (fault, 0), (fault, 1), ((fault + 5) % 8, 0)


def list_tables() -> Iterator[tuple[int | None, Table, int, bool]]:
    """Yield fault, table, how many plays there, and whether real adjudicators judge."""
    honest = Table(True, False, HONEST_CLAIMS, most_disputes=2, is_prompt=True)
    yield None, honest, 60, False
    yield None, honest, 15, True
    claims: tuple[Claim, ...]
    for fault in range(8):
        claims = list_claims(fault)
        for is_published in (True, False):
            yield fault, Table(False, True, claims, is_published, 1, is_prompt=True), 12, False
        if fault in REAL_FAULTS:
            yield fault, Table(False, True, claims, True, 1, is_prompt=True), 10, True
    for wrong in (None, 3, 4):
        claims = ((3, 0), (4, 0), (4, 1))
        yield wrong, Table(False, False, claims, True, 2), 30, False


def list_plays(seed: int = 1) -> list[Play]:
    """Return the plays, always the same."""
    rng = random.Random(seed)
    seen: Counter[tuple[object, ...]] = Counter()
    plays = []
    for fault, table, count, is_real in list_tables():
        plays += [_play(rng, seen, fault, table, is_real) for _ in range(count)]
    return plays


def _play(
    rng: random.Random,
    seen: Counter[tuple[object, ...]],
    fault: int | None,
    table: Table,
    is_real: bool,
) -> Play:
    world = World(fault)
    steps: list[Step] = []
    while len(steps) < LONGEST:
        found = follow(table, world)
        # Real tensors have no trace that contradicts itself.
        found = [(m, w) for m, w in found if not (is_real and m.value == "broken")]
        if not found:
            return Play(fault, is_real, tuple(steps))
        if rng.random() < REFUSED_RATE:
            steps += [Step(move, True, world) for move in _refuse(rng, world)]
        move, following = min(found, key=lambda f: (seen[_kind(world, f[0])], rng.random()))
        seen[_kind(world, move)] += 1
        steps.append(Step(move, False, following))
        world = following
    raise AssertionError(f"a play has more than {LONGEST} steps")


def _kind(world: World, move: Move) -> tuple[object, ...]:
    phases = tuple(sorted(d.phase for d in world.disputes))
    demand = None if world.demand is None else world.demand.state
    about = move.key[0] if move.key and isinstance(move.key[0], str) else ""
    return move.actor, move.name, about, move.value, world.job, world.trace, demand, phases


def _refuse(rng: random.Random, world: World) -> Sequence[Move]:
    """Return at most one move that the rules refuse."""
    name = rng.choice(REFUSABLE)
    actor = rng.choice((OPERATOR, HONEST, OTHER, STRANGER))
    move = Move(actor, name)
    if name in ("adjudicate", "claim_timeout", "resolve"):
        if not world.disputes:
            return ()
        move = move._replace(key=rng.choice(world.disputes).key)
        if name == "adjudicate" and move.key[0] == "search":
            return ()  # without a claim there is nothing to send
    elif name in ("pinpoint", "pin_searched", "join"):
        move = move._replace(key=(rng.randrange(8), rng.randrange(2)))
    elif name in ("select_layer", "expand"):
        move = move._replace(value=rng.randrange(LAYERS))
    elif name == "reveal":
        asked = (rng.choice((HONEST, OTHER)),)
        move = move._replace(key=asked, value=rng.choice(("layers", "ops")))
    return () if is_allowed(world, move) else (move,)
