"""A position has the same future as the worlds it stands for, and the walk adds it up right."""

from __future__ import annotations

import random

import pytest

from tests.game.explore import Broken, Edge, Endless, Rest, walk
from tests.game.players import follow
from tests.game.positions import reduce
from tests.game.tables import (
    NOTHING,
    SHORT,
    Case,
    cheat,
    compute_gains,
    honest_operator,
    nobody_honest,
)
from tests.game.world import COMMITTED, DISPUTED, World

PLAYS = 25
CASES = (
    honest_operator(3, "ops"),
    honest_operator(2),
    cheat(2, is_published=True, others=2),
    cheat(6, is_published=False, others=2, terms=SHORT),
    nobody_honest(4, ((4, 0), (4, 1))),
    nobody_honest(None, ((4, 0), (1, 1))),
)


def name(case: Case) -> str:
    return case.name


def count_whole(case: Case, first: World) -> Rest:
    """Walk from a world as it is, with absolute times and everything that ever happened."""

    def step(world: World) -> list[Edge[World]]:
        paid = len(world.payments)
        return [(compute_gains(w.payments[paid:]), w) for _, w in follow(case.table, world)]

    return walk(first, step, NOTHING).rest


def count_reduced(case: Case, first: World) -> Rest:
    def step(world: World) -> list[Edge[World]]:
        return [(compute_gains(w.payments), reduce(w)) for _, w in follow(case.table, world)]

    return walk(reduce(first), step, NOTHING).rest


@pytest.mark.parametrize("case", CASES, ids=name)
def test_reduce__on_random_plays__loses_no_future(case: Case) -> None:
    rng = random.Random(case.name)
    for _ in range(PLAYS):
        world = case.first
        while world.job in (COMMITTED, DISPUTED) and not world.is_over:
            paid = len(world.payments)
            whole = {m: (w.payments[paid:], reduce(w)) for m, w in follow(case.table, world)}
            position = reduce(world)
            reduced = {m: (w.payments, reduce(w)) for m, w in follow(case.table, position)}
            assert whole == reduced
            world = rng.choice(follow(case.table, world))[1]
        # Once the job is decided, disputes may be resolved in another order.
        assert count_whole(case, world) == count_reduced(case, world)


def test_reduce__of_a_whole_table__counts_the_same_plays() -> None:
    case = honest_operator(1, "ops")
    assert count_whole(case, case.first) == count_reduced(case, case.first)


def test_walk__diamond__counts_both_paths_and_their_gains() -> None:
    graph = {0: [((1,), 1), ((-5,), 2)], 1: [((2,), 3)], 2: [((0,), 1), ((7,), 3)], 3: []}
    seen = walk(0, lambda state: graph[state], (0,))
    assert seen.states == 4
    assert seen.moves == 5
    assert seen.rest == Rest(plays=3, longest=3, least=(-3,), most=(3,))
    assert seen.ends == {3}


def test_walk__circle__is_endless() -> None:
    with pytest.raises(Endless):
        walk(0, lambda state: [((0,), 1 - state)], (0,))


def test_walk__broken_check__tells_the_path() -> None:
    def step(state: int) -> list[Edge[int]]:
        assert state < 2, "too far"
        return [((0,), state + 1)]

    with pytest.raises(Broken, match="too far") as error:
        walk(0, step, (0,))
    assert error.value.path == [0, 1, 2]
