"""The game of pinpointing, exhausted: honest players win, every play ends, money stays."""

from __future__ import annotations

import pytest

from tests.game import rules
from tests.game.explore import Walk
from tests.game.steps import need
from tests.game.tables import (
    SHORT,
    Case,
    cheat,
    honest_operator,
    list_quick,
    list_slow,
    play_out,
    retell,
)
from tests.game.vectors import PATH, write
from tests.game.world import (
    DEFENDED,
    HONEST,
    OPERATOR,
    OTHER,
    REJECTED,
    STRANGER,
    TERMS,
    Move,
    World,
)

LEAST_PLAYS = 100_000  # of one wrong operator alone
QUICK = list(list_quick())


def name(case: Case) -> str:
    return case.name


def play(case: Case) -> Walk[World]:
    """Play a table out, or tell the moves that lead to what is wrong."""
    try:
        return play_out(case)
    except AssertionError as error:
        pytest.fail(retell(case, error))


@pytest.mark.parametrize("case", QUICK, ids=name)
def test_table__quick__is_played_out(case: Case) -> None:
    seen = play(case)
    assert case.table.operator_is_honest or seen.rest.plays >= LEAST_PLAYS


@pytest.mark.slow
@pytest.mark.parametrize("case", list(list_slow()), ids=name)
def test_table__slow__is_played_out(case: Case) -> None:
    play(case)


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
    alone = world._replace(disputes=(pinned,), held=world.held - TERMS.bond)
    cured = rules.apply(alone, Move(OTHER, "claim_timeout", pinned.key))
    assert rules.is_allowed(cured, Move(OPERATOR, "cure", pinned.key))


def test_vectors__file__is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == write()


# What the exhaustion would find: each of these rules was a bug of somebody's protocol.


def early_timeout(world: World, move: Move) -> World:
    """Let a timeout be claimed in the last second in which the move still counts."""
    waited = world._replace(now=world.now + 1)
    return rules.claim_timeout(waited, move)._replace(now=world.now)


def forgotten_bond(world: World, move: Move) -> World:
    """Close a dispute and keep its bond."""
    then = rules.resolve(world, move)
    return then._replace(payments=world.payments)


def shielded_operator(world: World, move: Move) -> World:
    """Let one consistent element keep all others of its operator from being disputed."""
    op = int(move.key[0])
    done = [d.claim[0] for d in world.disputes if d.claim and d.phase == DEFENDED]
    need(op not in done)
    return rules.pinpoint(world, move)


def test_rules__early_timeout__an_honest_operator_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.RULES, "claim_timeout", early_timeout)
    with pytest.raises(AssertionError):
        play_out(honest_operator(1))


def test_rules__forgotten_bond__is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.RULES, "resolve", forgotten_bond)
    with pytest.raises(AssertionError):
        play_out(honest_operator(1))


@pytest.mark.slow
def test_rules__shielded_operator__a_cheat_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.RULES, "pinpoint", shielded_operator)
    with pytest.raises(AssertionError):
        play_out(cheat(3, True, others=1, terms=SHORT))
