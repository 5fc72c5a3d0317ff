"""The moves of the game of pinpointing: who may make them when, and what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.game.money import divide, pay, pay_fee, settle_bonds, stake
from tests.game.steps import (
    begin_choice,
    begin_reveal,
    close,
    doubters,
    hold,
    need,
    next_bond,
    pass_turn,
    pin,
    prove_seconds,
    put,
    reject,
)
from tests.game.world import (
    BURN,
    CANCELLED,
    COMMITTED,
    CURED,
    DEFAULT,
    DEFENDED,
    DISPUTED,
    DISTRIBUTED,
    FINAL,
    FRAUD,
    LAYER_OPS,
    LEAF,
    OPEN,
    OPERATOR,
    PLACES,
    PROVEN,
    REJECTED,
    REVEAL,
    SELECT,
    TIMED_OUT,
    TRACE,
    Clocks,
    Demand,
    Dispute,
    Key,
    Move,
    Refused,
    World,
    is_consistent,
    is_known,
    list_deadlines,
    turn_of,
)

# Moves: the asserter's


def post(world: World, move: Move) -> World:
    need(move.actor == OPERATOR and world.job in (COMMITTED, DISPUTED) and world.trace is None)
    need(move.value != "broken" or world.fault is not None)
    return world._replace(trace=str(move.value), posted_at=world.now)


def expand(world: World, move: Move) -> World:
    layer = int(move.value)
    need(move.actor == OPERATOR and world.job in (COMMITTED, DISPUTED))
    need(world.trace == "layers" and layer not in world.expanded)
    return world._replace(expanded=world.expanded | {layer})


def reveal(world: World, move: Move) -> World:
    """Reveal all that is left below the node: layers, or operators."""
    dispute = begin_reveal(world, ("search", str(move.key[0])))
    at: str
    if dispute.at == "layers":
        need(move.value in ("layers", "ops"))
        need(move.value == "layers" or world.trace in ("ops", "broken"))
        at = "leaves" if move.value == "layers" else "named"
    else:
        need(move.value == "ops" and is_known(world, int(dispute.at[1])))
        at = "named"
    return pass_turn(world, dispute, dispute.deadline, SELECT, at)


# Moves: challengers'


def open_search(world: World, move: Move) -> World:
    world = hold(world)
    key = ("search", move.actor)
    need(world.find(key) is None)
    bond = next_bond(world)
    if world.trace is None:
        dispute = Dispute(
            key, (move.actor,), TRACE, world.now + world.terms.trace, bond,
            clocks=Clocks(world.terms.clock),
        )  # fmt: skip
    else:
        dispute = Dispute(
            key, (move.actor,), REVEAL, world.now + world.terms.clock, bond,
            "layers", Clocks(world.terms.clock),
        )  # fmt: skip
    return put(stake(world, move.actor, bond), dispute)


def search(world: World, move: Move) -> World:
    dispute, deadline = begin_choice(world, move.actor)
    need(dispute.phase == TRACE)
    return pass_turn(
        world, dispute._replace(clocks=Clocks(world.terms.clock)), deadline, REVEAL, "layers"
    )


def select_layer(world: World, move: Move) -> World:
    dispute, deadline = begin_choice(world, move.actor)
    need(dispute.at == "leaves" and dispute.phase == SELECT)
    return pass_turn(world, dispute, deadline, REVEAL, ("ops", int(move.value)))


def pin_searched(world: World, move: Move) -> World:
    dispute, _ = begin_choice(world, move.actor)
    op, elem = int(move.key[0]), int(move.key[1])
    need(world.trace is not None and is_known(world, op // LAYER_OPS))
    found = world.find(("pin", op, elem))
    need(found is None or found.phase != DEFENDED)
    need(not _was_defended(world, (op, elem)))
    return pin(world, dispute, (op, elem))


def _was_defended(world: World, claim: tuple[int, int]) -> bool:
    return any(d.claim == claim and d.phase == DEFENDED for d in world.disputes)


def pinpoint(world: World, move: Move) -> World:
    world = hold(world)
    op, elem = int(move.key[0]), int(move.key[1])
    key = ("pin", op, elem)
    need(world.trace is not None and is_known(world, op // LAYER_OPS))
    need(world.find(key) is None and not _was_defended(world, (op, elem)))
    bond = next_bond(world)
    # The hub counts the challenge before the time is computed.
    proved_by = min(
        world.terms.prove_cap,
        world.terms.prove + world.terms.prove_each * (world.open_challenges + 2),
    )
    dispute = Dispute(key, (move.actor,), LEAF, world.now + proved_by, bond, claim=(op, elem))
    return put(stake(world, move.actor, bond), dispute)


def join(world: World, move: Move) -> World:
    need(world.job == DISPUTED)
    dispute = world.find(("pin", int(move.key[0]), int(move.key[1])))
    if dispute is None:
        raise Refused
    need(dispute.phase == LEAF and world.now <= dispute.deadline)
    need(move.actor not in dispute.challengers and world.places < PLACES)
    world = stake(world, move.actor, dispute.bond)
    return put(world, dispute._replace(challengers=(*dispute.challengers, move.actor)))


def challenge(world: World, move: Move) -> World:
    """Demand a proof of the whole result, or share the demand."""
    world = hold(world) if world.demand is None else world
    demand = world.demand
    if demand is None:
        deadline = world.now + prove_seconds(world)
        world = stake(world, move.actor, world.terms.bond)
        return world._replace(demand=Demand(OPEN, deadline, (move.actor,), world.terms.bond))
    need(world.job == DISPUTED and demand.state == OPEN and world.now <= demand.deadline)
    need(demand.bond != 0 and move.actor not in demand.challengers)
    world = stake(world, move.actor, demand.bond)
    return world._replace(demand=demand._replace(challengers=(*demand.challengers, move.actor)))


# Moves: anybody's


def adjudicate(world: World, move: Move) -> World:
    """Decide a pinned claim as it is: nobody can show what is not so."""
    need(world.job == DISPUTED)
    dispute = world.find(_key(move.key))
    if dispute is None or dispute.claim is None:
        raise Refused
    need(dispute.phase == LEAF and world.now <= dispute.deadline)
    consistent = is_consistent(world, dispute.claim)
    if not consistent:
        challengers = doubters(world)
        world = settle_bonds(close(world, dispute, FRAUD), dispute, None)
        return reject(world, False, challengers)
    return settle_bonds(close(world, dispute, DEFENDED), dispute, move.actor)


def report(world: World, move: Move) -> World:
    """Show without a bond that an operator, or a layer, is wrong; announced a block before."""
    need(world.job in (COMMITTED, DISPUTED) and world.trace is not None and world.fault is not None)
    fault = world.fault or 0
    need(world.trace == "broken" or is_known(world, fault // LAYER_OPS))
    challengers = doubters(world)
    if move.actor not in challengers:
        challengers = (*challengers, move.actor)
    return reject(world, False, challengers)


def claim_timeout(world: World, move: Move) -> World:
    need(world.job == DISPUTED)
    dispute = world.find(_key(move.key))
    if dispute is None:
        raise Refused
    need(dispute.is_live)
    actor, deadline = turn_of(world, dispute)
    need(world.now > deadline)
    if actor != OPERATOR:
        return settle_bonds(close(world, dispute, TIMED_OUT), dispute, OPERATOR)
    challengers = doubters(world)
    world = settle_bonds(close(world, dispute, DEFAULT), dispute, None)
    return reject(world, True, challengers)


def resolve(world: World, move: Move) -> World:
    dispute = world.find(_key(move.key))
    if dispute is None:
        raise Refused
    need(dispute.is_live and world.job in (PROVEN, REJECTED))
    if world.job == PROVEN:
        return settle_bonds(close(world, dispute, DEFENDED), dispute, OPERATOR)
    return settle_bonds(close(world, dispute, CANCELLED), dispute, None)


def prove(world: World, move: Move) -> World:
    """Prove the whole result; the operator demands it of itself where nobody else did."""
    need(world.fault is None and world.job == DISPUTED)
    demand = world.demand
    if demand is None:
        need(move.actor == OPERATOR)
        demand = Demand(OPEN, world.now + prove_seconds(world), (), 0)
    need(demand.state == OPEN and world.now <= demand.deadline)
    total = demand.bond * len(demand.challengers)
    world = pay(world, move.actor, total * 80 // 100)
    world = pay(world, BURN, total - total * 80 // 100)
    return pay_fee(world)._replace(job=PROVEN, demand=demand._replace(state=DEFENDED))


def claim_default(world: World, move: Move) -> World:
    demand = world.demand
    need(demand is not None and demand.state == OPEN and world.job == DISPUTED)
    need(demand is not None and world.now > demand.deadline)
    return reject(world, True, doubters(world))


def cure(world: World, move: Move) -> World:
    """Show after a default, within the airgap, that the pinned claim, or all of it, was right."""
    need(world.job == REJECTED and world.demand is not None and world.demand.state == DEFAULT)
    need(world.now <= world.deadline)
    if move.key:
        dispute = world.find(_key(move.key))
        if dispute is None or dispute.claim is None:
            raise Refused
        need(dispute.is_curable and is_consistent(world, dispute.claim))
        world = put(world, dispute._replace(phase=CURED, is_curable=False))
    else:
        need(world.fault is None)
    return _end(divide(world, True), CURED)


def distribute(world: World, move: Move) -> World:
    need(world.job == REJECTED and world.demand is not None)
    need(world.demand is not None and world.demand.state in (DEFAULT, FRAUD))
    need(world.now > world.deadline)
    return _end(divide(world, False), DISTRIBUTED)


def _end(world: World, state: str) -> World:
    return world._replace(demand=(world.demand or Demand("", 0, (), 0))._replace(state=state))


def finalise(world: World, move: Move) -> World:
    """Pay a result that nobody disputed, or that withstood every dispute."""
    need(world.job in (COMMITTED, DISPUTED) and world.now > world.deadline)
    need(not world.live and (world.demand is None or world.demand.state != OPEN))
    is_late = world.now > world.deadline + world.terms.keeper_delay
    keeper = move.actor if is_late and move.actor != OPERATOR else None
    return pay_fee(world, keeper)._replace(job=FINAL)


def _key(key: tuple[str | int, ...]) -> Key:
    if key[0] == "search":
        return "search", str(key[1])
    return "pin", int(key[1]), int(key[2])


# Time


def wait(world: World, move: Move) -> World:
    """Let time pass to the next deadline's last second, or to the second after it."""
    waiting = [d for d in list_deadlines(world) if d >= world.now]
    need(bool(waiting))
    then = waiting[0] + (move.value == "past")
    need(then > world.now)
    return world._replace(now=then)


RULES: Final[dict[str, Callable[[World, Move], World]]] = {
    rule.__name__: rule
    for rule in (
        post, expand, reveal, open_search, search, select_layer, pin_searched, pinpoint, join,
        challenge, adjudicate, report, claim_timeout, resolve, prove, claim_default, cure,
        distribute, finalise, wait,
    )
}  # fmt: skip


def apply(world: World, move: Move) -> World:
    """Return the world after a move; raise Refused where the rules do not allow it."""
    return RULES[move.name](world, move)


def is_allowed(world: World, move: Move) -> bool:
    """Whether the rules allow a move."""
    try:
        apply(world, move)
    except Refused:
        return False
    return True
