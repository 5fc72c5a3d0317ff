"""Who plays: an honest operator, an honest challenger, and players who do whatever is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.game.rules import apply, is_allowed
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
    turn_of,
)

Claim = tuple[int, int]


@dataclass(frozen=True)
class Table:
    """Who sits at it. `claims` are those that others pin; a withheld trace is never published."""

    operator_is_honest: bool
    with_honest_challenger: bool
    claims: tuple[Claim, ...]
    is_published: bool = True
    most_disputes: int = 2  # that others begin


def follow(table: Table, world: World) -> list[tuple[Move, World]]:
    """Return what may happen next, and what comes of it.

    Honest players move before time passes a deadline of theirs, others whenever they like: they
    also come first in every second.
    """
    if world.is_over:
        return []
    honest = [move for move in _choose(table, world) if move is not None]
    # An honest player is never late, but it may come in the last second.
    times = ("last",) if honest else ("last", "past")
    moves = [*honest, *_list_others(table, world), *(Move(STRANGER, "wait", (), t) for t in times)]
    found: dict[Move, World] = {}
    for move in moves:
        if move in found:
            continue
        try:
            found[move] = apply(world, move)
        except Refused:
            if move in honest:
                raise AssertionError(f"the rules refuse an honest {move} in {world}") from None
    return list(found.items())


def _choose(table: Table, world: World) -> Iterator[Move | None]:
    if table.operator_is_honest:
        yield choose_defence(world)
    if table.with_honest_challenger:
        yield choose_attack(world, table.is_published)
    if not table.operator_is_honest and not table.with_honest_challenger:
        return
    yield choose_errand(world)


def choose_defence(world: World) -> Move | None:
    """Return an honest operator's next move: it answers whatever asks it."""
    if world.job != DISPUTED:
        return None
    if world.demand is not None and world.demand.state == OPEN:
        return Move(OPERATOR, "prove")
    for dispute in world.live:
        if dispute.phase == LEAF:
            return Move(OPERATOR, "adjudicate", dispute.key)
        if dispute.phase == TRACE and world.trace is None:
            return Move(OPERATOR, "post", (), "layers")
        if dispute.phase == REVEAL:
            return _answer(world, dispute)
    return None


def _answer(world: World, dispute: Dispute) -> Move:
    challenger = dispute.challengers[0]
    if dispute.at == "layers":
        return Move(OPERATOR, "reveal", (challenger,), "layers")
    layer = int(dispute.at[1])
    if not is_known(world, layer):
        return Move(OPERATOR, "expand", (), layer)
    return Move(OPERATOR, "reveal", (challenger,), "ops")


def choose_attack(world: World, is_published: bool) -> Move | None:
    """Return the next move of a challenger who computed the model again and found `fault`."""
    if world.fault is None or world.job not in (COMMITTED, DISPUTED):
        return None
    own = world.find(("search", HONEST))
    if own is not None and not own.is_live:
        own = None
    shown = "" if own is None else own.at
    if world.trace == "broken" and (is_published or shown == "named"):
        return Move(HONEST, "report")
    won = _win(world)
    if won is not None:
        return won
    if own is not None:
        return _go_on(world, own, world.fault, is_published)
    knows = is_published and world.trace is not None and is_known(world, world.fault // LAYER_OPS)
    return _begin(world, world.fault, knows)


def _win(world: World) -> Move | None:
    """Return the move that shows an inconsistent claim, whoever pinned it."""
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
                return ways[0]
        return Move(HONEST, "adjudicate", dispute.key)
    return None


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


def choose_errand(world: World) -> Move | None:
    """Return a step that anybody may take and some honest party will."""
    return next((move for move in _list_errands(world) if is_allowed(world, move)), None)


def _list_others(table: Table, world: World) -> Iterator[Move]:
    """Yield what dishonest players may try."""
    if not table.operator_is_honest:
        yield from _list_asserter(world)
    begun = sum(OTHER in d.challengers[:1] for d in world.disputes)
    if begun < table.most_disputes:
        yield Move(OTHER, "open_search")
        yield from (Move(OTHER, "pinpoint", claim) for claim in table.claims)
    if world.find(("search", OTHER)) is not None:
        yield Move(OTHER, "search")
        yield from (Move(OTHER, "select_layer", (), layer) for layer in range(LAYERS))
        yield from (Move(OTHER, "pin_searched", claim) for claim in table.claims)
    for dispute in world.live:
        if dispute.phase == LEAF:
            yield Move(OTHER, "adjudicate", dispute.key)
            if dispute.key[0] == "pin":
                yield Move(OTHER, "join", dispute.key[1:])
    yield Move(OTHER, "challenge")
    if world.job in (PROVEN, REJECTED):
        # What is left are errands, in any order: one stands for all.
        errand = choose_errand(world)
        if errand is not None:
            yield errand
    else:
        yield from _list_errands(world)


def _list_asserter(world: World) -> Iterator[Move]:
    for granularity in ("layers", "ops", "broken"):
        yield Move(OPERATOR, "post", (), granularity)
    yield from (Move(OPERATOR, "expand", (), layer) for layer in range(LAYERS))
    for dispute in world.live:
        if dispute.phase == REVEAL:
            for what in ("layers", "ops"):
                yield Move(OPERATOR, "reveal", (dispute.challengers[0],), what)
        if dispute.phase == LEAF:
            yield Move(OPERATOR, "adjudicate", dispute.key)
    yield Move(OPERATOR, "prove")
    yield Move(OPERATOR, "cure")
    yield from (Move(OPERATOR, "cure", d.key) for d in world.disputes if d.is_curable)


def _list_errands(world: World) -> Sequence[Move]:
    return (
        *(Move(STRANGER, "claim_timeout", d.key) for d in world.live),
        *(Move(STRANGER, "resolve", d.key) for d in world.live),
        Move(STRANGER, "claim_default"),
        Move(STRANGER, "distribute"),
        Move(STRANGER, "finalise"),
    )
