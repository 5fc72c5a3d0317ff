"""Who plays: an honest operator, an honest challenger, and players who do whatever is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple

from tests.game.rules import RULES, apply, is_allowed
from tests.game.world import (
    COMMITTED,
    DISPUTED,
    HONEST,
    LAYER_OPS,
    LAYERS,
    LEAF,
    OPEN,
    OPERATOR,
    OTHER,
    PROVEN,
    REJECTED,
    REVEAL,
    STRANGER,
    TRACE,
    Dispute,
    Move,
    Refused,
    World,
    is_consistent,
    is_known,
    list_deadlines,
    turn_of,
)

Claim = tuple[int, int]


# Moves that somebody may try whatever the world is like; the rules refuse most of them.
POSTS: Final = tuple(Move(OPERATOR, "post", (), how) for how in ("layers", "ops", "broken"))
EXPANDS: Final = tuple(Move(OPERATOR, "expand", (), layer) for layer in range(LAYERS))
FULL_PROOFS: Final = (Move(OPERATOR, "prove"), Move(OPERATOR, "cure"))
OPEN_SEARCH: Final = Move(OTHER, "open_search")
SEARCH: Final = Move(OTHER, "search")
SELECTS: Final = tuple(Move(OTHER, "select_layer", (), layer) for layer in range(LAYERS))
CHALLENGE: Final = Move(OTHER, "challenge")
REPORT: Final = Move(OTHER, "report")
TO_LAST: Final = Move(STRANGER, "wait", (), "last")
TO_PAST: Final = Move(STRANGER, "wait", (), "past")
PAYOUTS: Final = tuple(Move(STRANGER, n) for n in ("claim_default", "distribute", "finalise"))


@dataclass(frozen=True)
class Table:
    """Who sits at it. `claims` are those that others pin; a withheld trace is never published."""

    operator_is_honest: bool
    with_honest_challenger: bool
    claims: tuple[Claim, ...]
    is_published: bool = True
    most_disputes: int = 2  # that others begin
    # Prompt honest players answer one thing after the other before any deadline passes. Others
    # take what they have to do in any order, each as late as they may.
    is_prompt: bool = False
    others_report: bool = False  # what is wrong, too: an accomplice who takes the reward

    @cached_property
    def pinpoints(self) -> tuple[Move, ...]:
        return tuple(Move(OTHER, "pinpoint", claim) for claim in self.claims)

    @cached_property
    def pins(self) -> tuple[Move, ...]:
        return tuple(Move(OTHER, "pin_searched", claim) for claim in self.claims)


def follow(table: Table, world: World) -> list[tuple[Move, World]]:
    """Return what may happen next, and what comes of it.

    Honest players move before time passes a deadline of theirs, others whenever they like: they
    also come first in every second.
    """
    if world.is_over:
        return []
    errands = _try(world, _list_errands(world))
    if world.job in (PROVEN, REJECTED):
        # What is left are errands, in any order: one stands for all.
        errands = dict(islice(errands.items(), 1))
    honest = list(_list_honest(table, world))
    found: dict[Move, World] = {}
    for duty in honest:
        try:
            found[duty.move] = apply(world, duty.move)
        except Refused:
            raise AssertionError(f"the rules refuse an honest {duty.move} in {world}") from None
    if table.operator_is_honest or table.with_honest_challenger:
        found |= islice(errands.items(), 1)
    # An honest player is never late, but it may come in the last second.
    may_pass = not found if table.is_prompt else _may_pass(world, honest)
    found |= _try(world, _list_others(table, world))
    found |= errands
    found |= _try(world, (TO_LAST, TO_PAST) if may_pass else (TO_LAST,))
    return list(found.items())


def list_late(table: Table, world: World) -> list[Move]:
    """Return what the rules still allow others, also in a world that is over."""
    return list(_try(world, [*_list_others(table, world), *_list_errands(world)]))


def _try(world: World, moves: Sequence[Move]) -> dict[Move, World]:
    """Return the moves that the rules allow, and what comes of each."""
    found = {}
    for move in moves:
        try:
            found[move] = RULES[move.name](world, move)
        except Refused:
            continue
    return found


class Duty(NamedTuple):
    """What an honest player has to do, and the last second for it; None: nothing is lost later."""

    move: Move
    until: int | None


def _list_honest(table: Table, world: World) -> Iterator[Duty]:
    if table.operator_is_honest:
        defence = list_defence(world)
        yield from islice(defence, 1) if table.is_prompt else defence
    if table.with_honest_challenger:
        attack = list_attack(world, table.is_published)
        for move in islice(attack, 1) if table.is_prompt else attack:
            yield Duty(move, _limit_attack(world, move))


def _may_pass(world: World, honest: list[Duty]) -> bool:
    """Whether nobody honest is late a second after the next deadline."""
    limits = [duty.until for duty in honest if duty.until is not None]
    if not limits:
        return True
    coming = [d for d in list_deadlines(world) if d >= world.now]
    return not coming or coming[0] < min(limits)


def list_defence(world: World) -> Iterator[Duty]:
    """Yield an honest operator's moves: it answers whatever asks it."""
    if world.job != DISPUTED:
        return
    if world.demand is not None and world.demand.state == OPEN:
        yield Duty(Move(OPERATOR, "prove"), world.demand.deadline)
    for dispute in world.live:
        if dispute.phase == LEAF:
            yield Duty(Move(OPERATOR, "adjudicate", dispute.key), dispute.deadline)
        elif dispute.phase == TRACE and world.trace is None:
            yield Duty(Move(OPERATOR, "post", (), "layers"), dispute.deadline)
        elif dispute.phase == REVEAL:
            yield Duty(_answer(world, dispute), dispute.deadline)


def _answer(world: World, dispute: Dispute) -> Move:
    challenger = dispute.challengers[0]
    if dispute.at == "layers":
        return Move(OPERATOR, "reveal", (challenger,), "layers")
    layer = int(dispute.at[1])
    if not is_known(world, layer):
        return Move(OPERATOR, "expand", (), layer)
    return Move(OPERATOR, "reveal", (challenger,), "ops")


def _limit_attack(world: World, move: Move) -> int | None:
    """Return the last second in which an honest challenger's move loses nothing."""
    limits = []
    own = world.find(("search", HONEST))
    if own is not None and own.is_live:
        actor, deadline = turn_of(world, own)
        if actor == HONEST:
            limits.append(deadline)
    if move.name in ("open_search", "pinpoint") or not _takes_part(world):
        # Behind the window nothing can be begun, and what nobody disputes any more is paid.
        limits.append(world.deadline)
    if move.name in ("adjudicate", "join"):
        pinned = world.find(("pin", *move.key) if move.name == "join" else move.key)
        limits.append(0 if pinned is None else pinned.deadline)
    return min(limits, default=None)


def list_attack(world: World, is_published: bool) -> Iterator[Move]:
    """Yield moves of a challenger who computed the model again and found `fault`."""
    if world.fault is None or world.job not in (COMMITTED, DISPUTED):
        return
    own = world.find(("search", HONEST))
    if own is not None and not own.is_live:
        own = None
    shown = "" if own is None else own.at
    if world.trace == "broken" and (is_published or shown == "named"):
        yield Move(HONEST, "report")
        return
    won = list(_list_wins(world))
    if won:
        yield from won
        return
    if own is not None:
        move = _go_on(world, own, world.fault, is_published)
    else:
        layer = world.fault // LAYER_OPS
        knows = is_published and world.trace is not None and is_known(world, layer)
        move = _begin(world, world.fault, knows)
    if move is not None:
        yield move


def _list_wins(world: World) -> Iterator[Move]:
    """Yield moves that show an inconsistent claim, whoever pinned it."""
    for dispute in world.live:
        wrong = dispute.claim is not None and not is_consistent(world, dispute.claim)
        if dispute.phase != LEAF or not wrong or world.now > dispute.deadline:
            continue
        # Whoever has a bond at stake shares the reward, whichever dispute is won.
        ways = [Move(HONEST, "join", dispute.key[1:])] if dispute.key[0] == "pin" else []
        ways.append(Move(HONEST, "open_search"))
        if not _takes_part(world):
            ways = [move for move in ways if is_allowed(world, move)]
            if ways:
                yield from ways
                continue
        yield Move(HONEST, "adjudicate", dispute.key)


def _begin(world: World, fault: int, knows: bool) -> Move | None:
    if _takes_part(world) or world.now > world.deadline:
        return None
    if knows:
        return Move(HONEST, "pinpoint", (fault, 0))
    opening = Move(HONEST, "open_search")
    return opening if is_allowed(world, opening) else None


def _takes_part(world: World) -> bool:
    return any(HONEST in dispute.challengers for dispute in world.live)


def _go_on(world: World, own: Dispute, fault: int, is_published: bool) -> Move | None:
    if turn_of(world, own)[0] != HONEST:
        return None
    if own.phase == TRACE:
        if is_published and is_known(world, fault // LAYER_OPS):
            return Move(HONEST, "pin_searched", (fault, 0))
        return Move(HONEST, "search")
    if own.at == "leaves":
        return Move(HONEST, "select_layer", (), fault // LAYER_OPS)
    return Move(HONEST, "pin_searched", (fault, 0))


def _list_others(table: Table, world: World) -> list[Move]:
    """Return what dishonest players may try."""
    moves = [] if table.operator_is_honest else _list_asserter(world)
    begun = sum(OTHER in d.challengers[:1] for d in world.disputes)
    if begun < table.most_disputes:
        moves += (OPEN_SEARCH, *table.pinpoints)
    if world.find(("search", OTHER)) is not None:
        moves += (SEARCH, *SELECTS, *table.pins)
    for dispute in world.live:
        if dispute.phase == LEAF:
            moves.append(Move(OTHER, "adjudicate", dispute.key))
            if dispute.key[0] == "pin":
                moves.append(Move(OTHER, "join", dispute.key[1:]))
    moves.append(CHALLENGE)
    if table.others_report:
        moves.append(REPORT)
    return moves


def _list_asserter(world: World) -> list[Move]:
    moves = [*POSTS, *EXPANDS, *FULL_PROOFS]
    for dispute in world.disputes:
        if dispute.phase == REVEAL:
            for what in ("layers", "ops"):
                moves.append(Move(OPERATOR, "reveal", (dispute.challengers[0],), what))
        elif dispute.phase == LEAF:
            moves.append(Move(OPERATOR, "adjudicate", dispute.key))
        elif dispute.is_curable:
            moves.append(Move(OPERATOR, "cure", dispute.key))
    return moves


def _list_errands(world: World) -> Sequence[Move]:
    """Return steps that anybody may take and some honest party will."""
    live = world.live
    return (
        *[Move(STRANGER, "claim_timeout", d.key) for d in live],
        *[Move(STRANGER, "resolve", d.key) for d in live],
        *PAYOUTS,
    )
