"""Steps that several moves of the game take."""

from __future__ import annotations

from tests.game.money import pay
from tests.game.world import (
    CLIENT,
    COMMITTED,
    DEFAULT,
    DISPUTED,
    FRAUD,
    LEAF,
    OPEN,
    PLACES,
    REJECTED,
    REVEAL,
    Clocks,
    Demand,
    Dispute,
    Key,
    Refused,
    World,
    turn_of,
)


def need(condition: bool) -> None:
    if not condition:
        raise Refused


def put(world: World, dispute: Dispute) -> World:
    """Store a dispute, in its place or behind the others."""
    disputes = list(world.disputes)
    for place, stored in enumerate(disputes):
        if stored.key == dispute.key:
            disputes[place] = dispute
            break
    else:
        disputes.append(dispute)
    return world._replace(disputes=tuple(disputes))


def close(world: World, dispute: Dispute, phase: str) -> World:
    """End a dispute. What it defaulted on cures it only if nobody else disputed the result."""
    alone = not world.is_demanded and all(d.key == dispute.key for d in world.live)
    curable = phase == DEFAULT and dispute.phase == LEAF and alone
    return put(world, dispute._replace(phase=phase, deadline=0, is_curable=curable))


def hold(world: World) -> World:
    """Let a result be disputed: while the window is open, whatever else disputes it."""
    need(world.job in (COMMITTED, DISPUTED) and world.now <= world.deadline)
    return world if world.job == DISPUTED else world._replace(job=DISPUTED)


def prove_seconds(world: World) -> int:
    return min(
        world.terms.prove_cap,
        world.terms.prove + world.terms.prove_each * (world.open_challenges + 1),
    )


def next_bond(world: World) -> int:
    need(world.places < PLACES)
    return world.terms.bond << world.places // 4


def reject(world: World, is_curable: bool, challengers: tuple[str, ...]) -> World:
    """Refuse the result: the client has its fee back, the lock waits for the airgap."""
    demand = world.demand
    rewarded = demand.challengers if demand is not None else ()
    if demand is not None and demand.state == OPEN:
        for challenger in demand.challengers:
            world = pay(world, challenger, demand.bond)
    rewarded = (*rewarded, *(c for c in challengers if c not in rewarded))
    world = pay(world, CLIENT, world.terms.fee)
    return world._replace(
        job=REJECTED,
        deadline=world.now + world.terms.airgap,
        demand=Demand(DEFAULT if is_curable else FRAUD, 0, rewarded, 0),
        rewarded=rewarded,
    )


def doubters(world: World) -> tuple[str, ...]:
    """Return everybody with an open dispute over the trace, each once."""
    found: list[str] = []
    for dispute in world.live:
        found += [c for c in dispute.challengers if c not in found]
    return tuple(found)


def begin_choice(world: World, actor: str) -> tuple[Dispute, int]:
    """Return the actor's search, on its turn, and the turn's last second."""
    need(world.job == DISPUTED)
    dispute = world.find(("search", actor))
    if dispute is None or not dispute.is_live:
        raise Refused
    on_turn, deadline = turn_of(world, dispute)
    need(on_turn == actor and dispute.phase != LEAF and world.now <= deadline)
    return dispute, deadline


def begin_reveal(world: World, key: Key) -> Dispute:
    need(world.job == DISPUTED)
    dispute = world.find(key)
    if dispute is None:
        raise Refused
    need(dispute.phase == REVEAL and world.now <= dispute.deadline)
    return dispute


def pass_turn(
    world: World, dispute: Dispute, deadline: int, phase: str, at: str | tuple[str, int]
) -> World:
    """Stop the mover's clock and start the other's, raised to the least a turn begins with."""
    left, operator, challenger = dispute.clocks
    if left < world.terms.extension:
        used = operator if phase == REVEAL else challenger
        if used < world.terms.max_extensions:
            left = world.terms.extension
            if phase == REVEAL:
                operator += 1
            else:
                challenger += 1
    waiting = Clocks(deadline - world.now, operator, challenger)
    return put(
        world, dispute._replace(phase=phase, deadline=world.now + left, at=at, clocks=waiting)
    )


def pin(world: World, dispute: Dispute, claim: tuple[int, int]) -> World:
    deadline = world.now + prove_seconds(world)
    return put(world, dispute._replace(phase=LEAF, claim=claim, deadline=deadline))
