"""The game of pinpointing, exhausted: honest players win, every play ends, money stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.game import rules
from tests.game.covering import HONEST_CLAIMS, list_claims
from tests.game.explore import Walk, walk
from tests.game.players import Table, follow
from tests.game.vectors import PATH, write
from tests.game.world import (
    DEFENDED,
    FINAL,
    HONEST,
    OPERATOR,
    OTHER,
    PROVEN,
    REJECTED,
    STRANGER,
    TERMS,
    Move,
    World,
    need,
    normalise,
)

LEAST_PLAYS = 100_000
PAID = TERMS.fee * 9_850 // 10_000  # of the fee, less the burn and at most a keeper's tip


def play(fault: int | None, table: Table) -> Walk[World]:
    """Play everything that can happen, and show how much that was."""
    seen = walk(
        normalise(World(fault)),
        lambda world: [normalise(then) for _, then in follow(table, world)],
        check_conserved,
    )
    print(f"fault {fault}: {seen.states} states, {seen.plays} plays, at most {seen.longest} moves")
    return seen


def check_conserved(world: World) -> None:
    assert sum(amount for _, amount in world.money) + world.held == TERMS.fee + TERMS.lock
    assert world.held >= 0


def check_operator_wins(seen: Walk[World]) -> None:
    for end in seen.ends:
        assert end.job in (FINAL, PROVEN)
        assert end.is_over
        # I7, I9: the fee and the lock at least; bonds that others lost come on top.
        assert end.balance(OPERATOR) >= PAID + TERMS.lock


def check_challenger_wins(seen: Walk[World]) -> None:
    for end in seen.ends:
        assert end.job == REJECTED  # I10
        assert end.is_over
        assert end.balance(HONEST) > 0  # I7
        # I8: whoever helps the cheat, a quarter of the lock is burned.
        assert end.balance("burn") >= TERMS.lock * 25 // 100


def honest_operator(others: int) -> Table:
    return Table(True, False, HONEST_CLAIMS, most_disputes=others)


def cheat(fault: int, is_published: bool, others: int = 0) -> Table:
    return Table(False, True, list_claims(fault), is_published, others)


def test_honest_operator__whatever_one_challenger_does__is_paid() -> None:
    check_operator_wins(play(None, honest_operator(1)))


@pytest.mark.slow
def test_honest_operator__two_disputes_at_once__is_paid() -> None:
    seen = play(None, honest_operator(2))
    assert seen.plays >= LEAST_PLAYS
    check_operator_wins(seen)


def test_cheat__whatever_it_does__is_slashed() -> None:
    seen = play(5, cheat(5, is_published=False))
    assert seen.plays >= LEAST_PLAYS
    check_challenger_wins(seen)


@pytest.mark.slow
@pytest.mark.parametrize("is_published", [True, False])
@pytest.mark.parametrize("fault", range(8))
def test_cheat__every_operator__is_slashed(fault: int, is_published: bool) -> None:
    check_challenger_wins(play(fault, cheat(fault, is_published)))


def slow_accomplices() -> Iterator[object]:
    for fault in (3, 4):
        for is_published in (True, False):
            yield pytest.param(fault, is_published, marks=pytest.mark.slow)


@pytest.mark.parametrize(("fault", "is_published"), slow_accomplices())
def test_cheat__with_an_accomplice__is_slashed(fault: int, is_published: bool) -> None:
    check_challenger_wins(play(fault, cheat(fault, is_published, others=1)))


@pytest.mark.slow
def test_anybody__nobody_honest__ends_and_conserves() -> None:
    seen = play(None, Table(False, False, ((4, 0),), True, 1))
    assert all(end.job in (FINAL, PROVEN, REJECTED) and end.is_over for end in seen.ends)


def test_cure__an_accomplice_defaults_first__is_no_shield() -> None:
    """A cheat's accomplice pins a right element: its default, once cured, would save the lock."""
    world = World(5)
    for move in (
        Move(OPERATOR, "post", (), "ops"),
        Move(OTHER, "pinpoint", (5, 1)),
        Move(HONEST, "open_search"),
        *(Move(STRANGER, "wait", (), "past"),) * 3,
    ):
        world = rules.apply(world, move)
        if world.now > 40:
            break
    pinned = world.find(("pin", 5, 1))
    assert pinned is not None
    while world.now <= pinned.deadline:
        world = rules.apply(world, Move(STRANGER, "wait", (), "past"))
    shielded = rules.apply(world, Move(OTHER, "claim_timeout", pinned.key))
    assert shielded.job == REJECTED
    assert not rules.is_allowed(shielded, Move(OPERATOR, "cure", pinned.key))
    # Alone at the table its default is one of silence, which a right answer cures.
    alone = replace(world, disputes=(pinned,), held=world.held - TERMS.bond)
    cured = rules.apply(alone, Move(OTHER, "claim_timeout", pinned.key))
    assert rules.is_allowed(cured, Move(OPERATOR, "cure", pinned.key))


def test_vectors__file__is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == write()


# What the exhaustion would find: each of these rules was a bug of somebody's protocol.


def early_timeout(world: World, move: Move) -> World:
    """Let a timeout be claimed in the last second in which the move still counts."""
    waited = replace(world, now=world.now + 1)
    return replace(rules.claim_timeout(waited, move), now=world.now)


def forgotten_bond(world: World, move: Move) -> World:
    """Close a dispute and keep its bond."""
    then = rules.resolve(world, move)
    return replace(then, money=world.money)


def shielded_operator(world: World, move: Move) -> World:
    """Let one consistent element keep all others of its operator from being disputed."""
    op = int(move.key[0])
    done = [d.claim[0] for d in world.disputes if d.claim and d.phase == DEFENDED]
    need(op not in done)
    return rules.pinpoint(world, move)


def test_rules__early_timeout__an_honest_operator_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.RULES, "claim_timeout", early_timeout)
    with pytest.raises(AssertionError):
        check_operator_wins(play(None, honest_operator(1)))


def test_rules__forgotten_bond__is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.RULES, "resolve", forgotten_bond)
    with pytest.raises(AssertionError):
        play(None, honest_operator(1))


@pytest.mark.slow
def test_rules__shielded_operator__a_cheat_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.RULES, "pinpoint", shielded_operator)
    with pytest.raises(AssertionError):
        check_challenger_wins(play(3, cheat(3, True, others=1)))
