"""The game of pinpointing as an executable model: what the chain knows, clocks and money.

Written from protocol.md 3.5, 3.8 and 3.15, not from the contracts; `GameReplay.t.sol` plays the
same moves on them. The network has 2 layers of 4 operators. Operator `fault` of the committed
result is wrong in its element 0 (all after it follow from its output); None: none is. Times are
seconds, amounts wei. Every move is in a block of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

LAYERS: Final = 2
LAYER_OPS: Final = 4
ELEMENTS: Final = (0, 1)  # of each operator's output, as far as anybody pins them
PLACES: Final = 16

# Actors. The operator is the asserter; the client never moves.
OPERATOR, HONEST, OTHER, STRANGER = "operator", "honest", "other", "stranger"

# Job states, phases of disputes, states of the demand for a proof of the whole result.
COMMITTED, DISPUTED, FINAL, PROVEN, REJECTED = [
    "COMMITTED",
    "DISPUTED",
    "FINAL",
    "PROVEN",
    "REJECTED",
]
TRACE, REVEAL, SELECT, LEAF = ["TRACE", "REVEAL", "SELECT", "LEAF"]
DEFENDED, FRAUD, DEFAULT, TIMED_OUT, CANCELLED, CURED = [
    "DEFENDER_PROVEN",
    "FRAUD_PROVEN",
    "DEFAULT",
    "CHALLENGER_TIMEOUT",
    "CANCELLED",
    "CURED",
]
OPEN, DISTRIBUTED = "OPEN", "DISTRIBUTED"
LIVE: Final = (TRACE, REVEAL, SELECT, LEAF)


@dataclass(frozen=True)
class Terms:
    """What the deployment and the job fix; the defaults are those of the contracts' tests."""

    fee: int = 2 * 10**15
    lock: int = 70 * 10**15
    bond: int = 3_607_500_000_000_000
    protocol_fee_bps: int = 100
    window: int = 15
    trace: int = 10
    clock: int = 30
    extension: int = 3
    max_extensions: int = 9
    prove: int = 30
    prove_cap: int = 60
    prove_each: int = 5
    airgap: int = 10
    keeper_delay: int = 10
    keeper_tip_bps: int = 50


TERMS: Final = Terms()
Key = tuple[str, str] | tuple[str, int, int]  # ("search", challenger) or ("pin", op, elem)


@dataclass(frozen=True)
class Clocks:
    """What a side that is not on turn has left, and how often each side was raised."""

    waiting: int
    operator: int = 0
    challenger: int = 0


@dataclass(frozen=True)
class Dispute:
    """One dispute over the trace."""

    key: Key
    challengers: tuple[str, ...]
    phase: str
    deadline: int
    bond: int  # of each challenger
    # What a search stands at: "" (no trace yet), "layers", "leaves", ("ops", layer), "named"
    at: str | tuple[str, int] = ""
    clocks: Clocks = Clocks(0)
    claim: tuple[int, int] | None = None  # (op, elem) once it is pinned
    is_curable: bool = False  # a claim that went undecided

    @property
    def is_live(self) -> bool:
        return self.phase in LIVE


@dataclass(frozen=True)
class Demand:
    """The demand for a proof of the whole result, and the verdict about the job."""

    state: str
    deadline: int
    challengers: tuple[str, ...]
    bond: int


@dataclass(frozen=True)
class World:
    """Everything the chain knows of one job, its disputes and its money."""

    fault: int | None
    now: int = 0
    job: str = COMMITTED
    deadline: int = TERMS.window
    trace: str | None = None  # "layers", "ops", or "broken": operators contradict a layer
    posted_at: int = 0
    expanded: frozenset[int] = frozenset()
    disputes: tuple[Dispute, ...] = ()
    demand: Demand | None = None
    rewarded: tuple[str, ...] = ()
    # What each account gained or lost since the commit, in a fixed order: hashable.
    money: tuple[tuple[str, int], ...] = ()
    held: int = TERMS.fee + TERMS.lock  # in the vault for this job: fee, lock, bonds
    terms: Terms = field(default=TERMS, compare=False)

    def find(self, key: Key) -> Dispute | None:
        return next((d for d in self.disputes if d.key == key), None)

    @property
    def live(self) -> tuple[Dispute, ...]:
        return tuple(d for d in self.disputes if d.is_live)

    @property
    def places(self) -> int:
        return sum(len(d.challengers) for d in self.live)

    @property
    def open_challenges(self) -> int:
        return len(self.live) + (self.demand is not None and self.demand.state == OPEN)

    @property
    def is_over(self) -> bool:
        """Whether no money of the job is left to move."""
        return self.held == 0 and not self.live

    def balance(self, account: str) -> int:
        return dict(self.money).get(account, 0)


class Refused(Exception):
    """The rules do not allow the move."""


@dataclass(frozen=True, order=True)
class Move:
    """Who does what: `name` is a rule below."""

    actor: str
    name: str
    key: tuple[str | int, ...] = ()
    value: str | int = ""


def is_consistent(world: World, claim: tuple[int, int]) -> bool:
    """Whether an element follows from the inputs that the trace gives its operator."""
    op, elem = claim
    # A trace whose layer 0 contradicts its operators is consistent in each of them.
    return world.trace == "broken" or op != world.fault or elem != 0


# Money


def pay(world: World, account: str, amount: int) -> World:
    """Move money of the job out of the vault's hold to an account."""
    money = dict(world.money)
    money[account] = money.get(account, 0) + amount
    return replace(world, money=tuple(sorted(money.items())), held=world.held - amount)


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
    return pay(world, "burn", total - total * 80 // 100)


def pay_fee(world: World, keeper: str | None = None) -> World:
    """Pay the operator of a result that counts, and whoever had to remind it; free its lock."""
    terms = world.terms
    burned = terms.fee * terms.protocol_fee_bps // 10_000
    tip = 0 if keeper is None else terms.fee * terms.keeper_tip_bps // 10_000
    if keeper is not None:
        world = pay(world, keeper, tip)
    world = pay(pay(world, "burn", burned), OPERATOR, terms.fee - burned - tip)
    return pay(world, OPERATOR, terms.lock)


def divide(world: World, is_cured: bool) -> World:
    """Divide the slashed lock: 40/35/25, or 80 % back and 10/5/5."""
    lock = world.terms.lock
    back = lock * 80 // 100 if is_cured else 0
    client = lock * (10 if is_cured else 40) // 100
    reward = lock * (5 if is_cured else 35) // 100
    each = reward // len(world.rewarded)
    for challenger in world.rewarded:
        world = pay(world, challenger, each)
    world = pay(pay(world, OPERATOR, back), "client", client)
    return pay(world, "burn", lock - back - client - each * len(world.rewarded))


# Steps that several moves take


def need(condition: bool) -> None:
    if not condition:
        raise Refused


def put(world: World, dispute: Dispute) -> World:
    """Store a dispute, in its place or behind the others."""
    if world.find(dispute.key) is None:
        return replace(world, disputes=(*world.disputes, dispute))
    return replace(
        world, disputes=tuple(dispute if d.key == dispute.key else d for d in world.disputes)
    )


def close(world: World, dispute: Dispute, phase: str) -> World:
    """End a dispute. What it defaulted on cures it only if nobody else disputed the result."""
    then = put(world, replace(dispute, phase=phase, deadline=0))
    alone = not then.live and (world.demand is None or world.demand.state != OPEN)
    curable = phase == DEFAULT and dispute.phase == LEAF and alone
    return put(then, replace(dispute, phase=phase, deadline=0, is_curable=curable))


def hold(world: World) -> World:
    """Let a result be disputed: while the window is open, whatever else disputes it."""
    need(world.job in (COMMITTED, DISPUTED) and world.now <= world.deadline)
    return replace(world, job=DISPUTED)


def prove_seconds(world: World) -> int:
    terms = world.terms
    return min(terms.prove_cap, terms.prove + terms.prove_each * (world.open_challenges + 1))


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
    world = pay(world, "client", world.terms.fee)
    return replace(
        world,
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
    deadline = turn_of(world, dispute)[1]
    need(turn_of(world, dispute)[0] == actor and dispute.phase != LEAF and world.now <= deadline)
    return dispute, deadline


def begin_reveal(world: World, key: Key) -> Dispute:
    need(world.job == DISPUTED)
    dispute = world.find(key)
    if dispute is None:
        raise Refused
    need(dispute.phase == REVEAL and world.now <= dispute.deadline)
    return dispute


def turn_of(world: World, dispute: Dispute) -> tuple[str, int]:
    """Return who is on turn and its last second."""
    if dispute.phase == TRACE:
        if world.trace is not None and world.posted_at <= dispute.deadline:
            return dispute.challengers[0], world.posted_at + world.terms.clock
        return OPERATOR, dispute.deadline
    actor = OPERATOR if dispute.phase in (REVEAL, LEAF) else dispute.challengers[0]
    return actor, dispute.deadline


def pass_turn(
    world: World, dispute: Dispute, deadline: int, phase: str, at: str | tuple[str, int]
) -> World:
    """Stop the mover's clock and start the other's, raised to the least a turn begins with."""
    clocks = dispute.clocks
    left, operator, challenger = clocks.waiting, clocks.operator, clocks.challenger
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
        world, replace(dispute, phase=phase, deadline=world.now + left, at=at, clocks=waiting)
    )


def is_known(world: World, layer: int) -> bool:
    """Whether a layer's operators can be opened on chain."""
    return world.trace in ("ops", "broken") or layer in world.expanded


def pin(world: World, dispute: Dispute, claim: tuple[int, int]) -> World:
    return put(
        world,
        replace(
            dispute,
            phase=LEAF,
            claim=claim,
            deadline=world.now + prove_seconds(world),
        ),
    )


# Time


def list_deadlines(world: World) -> list[int]:
    """Return the last seconds that still matter."""
    found = [turn_of(world, d)[1] for d in world.live if world.job == DISPUTED]
    if world.demand is not None and world.demand.state == OPEN:
        found.append(world.demand.deadline)
    if world.job in (COMMITTED, DISPUTED):
        found.append(world.deadline)
    verdict = None if world.demand is None else world.demand.state
    if world.job == REJECTED and verdict in (DEFAULT, FRAUD):
        found.append(world.deadline)
    return sorted(found)


def normalise(world: World) -> World:
    """Return the world as it matters for what may still happen: seconds count from now.

    Worlds that differ in nothing else are one state of an exploration.
    """
    then = world.now
    waits = any(d.phase == TRACE for d in world.live)
    return replace(
        world,
        now=0,
        deadline=world.deadline - then if world.held else 0,
        posted_at=world.posted_at - then if waits and world.trace is not None else 0,
        disputes=tuple(sorted((_shift(d, then) for d in world.disputes), key=lambda d: str(d.key))),
        demand=None
        if world.demand is None
        else replace(
            world.demand,
            deadline=world.demand.deadline - then if world.demand.state == OPEN else 0,
        ),
    )


def _shift(dispute: Dispute, then: int) -> Dispute:
    if dispute.is_live:
        return replace(dispute, deadline=dispute.deadline - then)
    return replace(dispute, at="", clocks=Clocks(0), bond=0, challengers=dispute.challengers[:1])
