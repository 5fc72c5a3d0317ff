"""The money of the game: bonds, the fee, the slashed lock (protocol.md 3.15)."""

from __future__ import annotations

from tests.game.world import (
    BURN,
    CLIENT,
    COMMITTED,
    DISPUTED,
    OPERATOR,
    Dispute,
    World,
)


def pay(world: World, account: str, amount: int) -> World:
    """Move money of the job out of the vault's hold to an account."""
    payments = (*world.payments, (account, amount))
    return world._replace(payments=payments, held=world.held - amount)


def stake(world: World, account: str, amount: int) -> World:
    return pay(world, account, -amount)


def settle_bonds(world: World, dispute: Dispute, defender: str | None) -> World:
    """Give bonds back, or to `defender` (80 %, rounded down) and the burn."""
    total = dispute.bond * len(dispute.challengers)
    if defender is None:
        for challenger in dispute.challengers:
            world = pay(world, challenger, dispute.bond)
        return world
    world = pay(world, defender, total * 80 // 100)
    return pay(world, BURN, total - total * 80 // 100)


def pay_fee(world: World, keeper: str | None = None) -> World:
    """Pay the operator of a result that counts, and whoever had to remind it; free its lock."""
    burned = world.terms.fee * world.terms.protocol_fee_bps // 10_000
    tip = 0 if keeper is None else world.terms.fee * world.terms.keeper_tip_bps // 10_000
    if keeper is not None:
        world = pay(world, keeper, tip)
    world = pay(pay(world, BURN, burned), OPERATOR, world.terms.fee - burned - tip)
    return pay(world, OPERATOR, world.terms.lock)


def divide(world: World, is_cured: bool) -> World:
    """Divide the slashed lock: 40/35/25, or 80 % back and 10/5/5."""
    back = world.terms.lock * 80 // 100 if is_cured else 0
    client = world.terms.lock * (10 if is_cured else 40) // 100
    reward = world.terms.lock * (5 if is_cured else 35) // 100
    each = reward // len(world.rewarded)
    for challenger in world.rewarded:
        world = pay(world, challenger, each)
    world = pay(pay(world, OPERATOR, back), CLIENT, client)
    return pay(world, BURN, world.terms.lock - back - client - each * len(world.rewarded))


def compute_owed(world: World) -> int:
    """Return what the vault must hold: whatever the job and its open disputes still decide."""
    demand = world.demand
    owed = sum(d.bond * len(d.challengers) for d in world.live)
    if demand is not None and world.is_demanded:
        owed += demand.bond * len(demand.challengers)
    if world.job in (COMMITTED, DISPUTED):
        return owed + world.terms.fee + world.terms.lock
    return owed + world.terms.lock if world.is_divisible else owed
