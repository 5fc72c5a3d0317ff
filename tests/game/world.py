"""The game of pinpointing as an executable model: what the chain knows of one job.

Written from protocol.md 3.5, 3.8 and 3.15, not from the contracts; `GameReplay.t.sol` plays the
same moves on them. The network has 2 layers of 4 operators. Operator `fault` of the committed
result is wrong in its element 0 (all after it follow from its output); None: none is. Times are
seconds, amounts wei. Every move is in a block of its own.

Worlds are named tuples: they are copied and compared a million times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

LAYERS: Final = 2
LAYER_OPS: Final = 4
PLACES: Final = 16

# Actors. The operator is the asserter; the client never moves.
OPERATOR, HONEST, OTHER, STRANGER = "operator", "honest", "other", "stranger"
CLIENT, BURN = "client", "burn"  # have accounts only

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


@dataclass(frozen=True, eq=False)  # one object each: hashed with every world
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
Payment = tuple[str, int]  # what an account gained, or lost


class Clocks(NamedTuple):
    """What a side that is not on turn has left, and how often each side was raised."""

    waiting: int
    operator: int = 0
    challenger: int = 0


STOPPED: Final = Clocks(0)


class Dispute(NamedTuple):
    """One dispute over the trace."""

    key: Key
    challengers: tuple[str, ...]
    phase: str
    deadline: int
    bond: int  # of each challenger
    # What a search stands at: "" (no trace yet), "layers", "leaves", ("ops", layer), "named"
    at: str | tuple[str, int] = ""
    clocks: Clocks = STOPPED
    claim: tuple[int, int] | None = None  # (op, elem) once it is pinned
    is_curable: bool = False  # a claim that went undecided

    @property
    def is_live(self) -> bool:
        return self.phase in LIVE


class Demand(NamedTuple):
    """The demand for a proof of the whole result, and the verdict about the job."""

    state: str
    deadline: int
    challengers: tuple[str, ...]
    bond: int


class World(NamedTuple):
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
    payments: tuple[Payment, ...] = ()  # since the commit
    held: int = TERMS.fee + TERMS.lock  # in the vault for this job: fee, lock, bonds
    terms: Terms = TERMS

    def find(self, key: tuple[str | int, ...]) -> Dispute | None:
        for dispute in self.disputes:
            if dispute.key == key:
                return dispute
        return None

    @property
    def live(self) -> list[Dispute]:
        return [d for d in self.disputes if d.phase in LIVE]

    @property
    def places(self) -> int:
        return sum(len(d.challengers) for d in self.live)

    @property
    def is_demanded(self) -> bool:
        """Whether a proof of the whole result is due."""
        return self.demand is not None and self.demand.state == OPEN

    @property
    def open_challenges(self) -> int:
        return len(self.live) + self.is_demanded

    @property
    def is_divisible(self) -> bool:
        """Whether the lock of a rejected result waits for the airgap."""
        demand = self.demand
        return self.job == REJECTED and demand is not None and demand.state in (DEFAULT, FRAUD)

    @property
    def is_over(self) -> bool:
        """Whether no money of the job is left to move."""
        return self.held == 0 and not self.live

    def balance(self, account: str) -> int:
        """Return what an account gained since the commit."""
        return sum(amount for name, amount in self.payments if name == account)


class Refused(Exception):
    """The rules do not allow the move."""


class Move(NamedTuple):
    """Who does what: `name` is a rule."""

    actor: str
    name: str
    key: tuple[str | int, ...] = ()
    value: str | int = ""


# What anybody can read off the world


def is_consistent(world: World, claim: tuple[int, int]) -> bool:
    """Whether an element follows from the inputs that the trace gives its operator."""
    op, elem = claim
    # A trace whose layer 0 contradicts its operators is consistent in each of them.
    return world.trace == "broken" or op != world.fault or elem != 0


def is_known(world: World, layer: int) -> bool:
    """Whether a layer's operators can be opened on chain."""
    return world.trace in ("ops", "broken") or layer in world.expanded


def turn_of(world: World, dispute: Dispute) -> tuple[str, int]:
    """Return who is on turn and its last second."""
    if dispute.phase == TRACE:
        if world.trace is not None and world.posted_at <= dispute.deadline:
            return dispute.challengers[0], world.posted_at + world.terms.clock
        return OPERATOR, dispute.deadline
    actor = OPERATOR if dispute.phase in (REVEAL, LEAF) else dispute.challengers[0]
    return actor, dispute.deadline


def list_deadlines(world: World) -> list[int]:
    """Return the last seconds that still matter."""
    found = []
    if world.job == DISPUTED:
        found += [turn_of(world, d)[1] for d in world.disputes if d.phase in LIVE]
    demand = world.demand
    if demand is not None and demand.state == OPEN:
        found.append(demand.deadline)
    if world.job in (COMMITTED, DISPUTED) or world.is_divisible:
        found.append(world.deadline)
    found.sort()
    return found
