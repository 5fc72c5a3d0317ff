"""Positions: worlds reduced to what may still happen, so that equal futures are one state.

A position counts seconds from now, and has forgotten what no rule and no player can read any more.
Payments are no part of it: nobody's move depends on what it earned. Each line of `reduce` says why
it loses nothing; tests/unit/game/test_positions.py plays the same table on whole worlds.
"""

from __future__ import annotations

from typing import Final

from tests.game.world import (
    COMMITTED,
    DEFAULT,
    DISPUTED,
    LEAF,
    LIVE,
    SELECT,
    STOPPED,
    TRACE,
    Clocks,
    Demand,
    Dispute,
    World,
)

# A deadline that is over is compared with later seconds only.
OVERDUE: Final = -1
# A search has two turns a side, layers and operators: raises beyond the last two do not differ.
TURNS: Final = 2


def reduce(world: World) -> World:
    """Return the position of a world."""
    if world.job in (COMMITTED, DISPUTED):
        return _reduce_open(world)
    return _reduce_decided(world)


def _reduce_open(world: World) -> World:
    then, terms = world.now, world.terms
    posted = None
    if world.trace is not None:
        # Read only to tell whose turn it is, and how long, in searches that waited for the trace.
        waiting = (d for d in world.disputes if d.phase == TRACE)
        if any(world.posted_at <= d.deadline for d in waiting):
            posted = max(world.posted_at - then, OVERDUE - terms.clock)
    disputes = [_reduce_dispute(d, world, posted) for d in world.disputes]
    if len(disputes) > 1:
        disputes.sort()  # by key: no rule reads the order, prompt players answer in it
    demand = world.demand
    if demand is not None:
        demand = Demand(demand.state, max(demand.deadline - then, OVERDUE), *demand[2:])
    # Whoever pays out later than the keeper's delay is late, however long ago that was.
    deadline = max(world.deadline - then, OVERDUE - terms.keeper_delay)
    return World(
        world.fault, 0, world.job, deadline, world.trace, posted or 0,
        world.expanded, tuple(disputes), demand, (), (), world.held, terms,
    )  # fmt: skip


def _reduce_dispute(dispute: Dispute, world: World, posted: int | None) -> Dispute:
    key, challengers, phase, deadline, bond, at, clocks, claim, is_curable = dispute
    if phase not in LIVE:
        # What was disputed, by whom, and how it ended: its clocks and its bond are settled.
        return Dispute(key, challengers[:1], phase, 0, 0, "", STOPPED, claim, is_curable)
    if phase == LEAF or (phase == SELECT and at == "named"):
        clocks = STOPPED  # no turn follows
    elif clocks.operator or clocks.challenger:
        plenty = world.terms.max_extensions - TURNS
        raised = max(clocks.operator - plenty, 0), max(clocks.challenger - plenty, 0)
        clocks = Clocks(clocks.waiting, *raised)
    if phase == TRACE and world.trace is not None:
        # Only whether the trace came in time is read from here on.
        left = posted if posted is not None and world.posted_at <= deadline else None
        deadline = OVERDUE - world.terms.clock - 1 if left is None else left
    else:
        deadline = max(deadline - world.now, OVERDUE)
    return Dispute(key, challengers, phase, deadline, bond, at, clocks, claim, is_curable)


def _reduce_decided(world: World) -> World:
    """Reduce a job that is decided: bonds go back, and the lock waits for the airgap."""
    demand = world.demand
    is_pending = world.is_divisible
    disputes = []
    for dispute in world.disputes:
        if dispute.phase in LIVE:
            # `resolve` reads bonds and challengers only.
            challengers = tuple(sorted(dispute.challengers))
            disputes.append(Dispute(dispute.key, challengers, LEAF, 0, dispute.bond))
        elif dispute.is_curable and is_pending:
            disputes.append(dispute._replace(at="", clocks=STOPPED, bond=0))
    disputes.sort()
    is_curable = is_pending and demand is not None and demand.state == DEFAULT
    return World(
        fault=world.fault,
        job=world.job,
        deadline=world.deadline - world.now if is_pending else 0,
        trace=world.trace if is_curable else None,  # a broken trace cures what is wrong
        disputes=tuple(disputes),
        demand=None if demand is None else Demand(demand.state, 0, (), 0),
        rewarded=tuple(sorted(world.rewarded)) if is_pending else (),
        held=world.held,
        terms=world.terms,
    )
