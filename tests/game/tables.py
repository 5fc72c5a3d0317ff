"""The tables at which the game is played out, and what has to come of every play at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, cast

from tests.game.covering import HONEST_CLAIMS, list_claims
from tests.game.explore import Broken, Edge, Gains, Rest, Walk, walk
from tests.game.money import compute_owed
from tests.game.players import Table, follow, list_late
from tests.game.positions import reduce
from tests.game.steps import doubters
from tests.game.world import (
    BURN,
    CLIENT,
    DISPUTED,
    FINAL,
    HONEST,
    OPERATOR,
    OTHER,
    PROVEN,
    REJECTED,
    STRANGER,
    TERMS,
    Payment,
    Terms,
    World,
)

# Whose gains are added up: every account, and all cheats together.
ACCOUNTS: Final = (OPERATOR, CLIENT, HONEST, OTHER, STRANGER, BURN)
CHEATS: Final = len(ACCOUNTS)
CHEATING: Final = (OPERATOR, OTHER, STRANGER)
NOTHING: Final[Gains] = (0,) * (CHEATS + 1)
PAID: Final = TERMS.fee * 9_850 // 10_000  # of the fee, less the burn and at most a keeper's tip
# The rules are the same for times of any length. With these, most seconds are the last of some
# deadline or the one behind it, and many orders of events are one state.
SHORT: Final = replace(
    TERMS, window=3, trace=2, clock=4, extension=1, prove=4, prove_each=1, prove_cap=6, airgap=2,
    keeper_delay=2,
)  # fmt: skip

Check = Callable[[Rest], None]


@dataclass(frozen=True)
class Case:
    """A table, how it stands there at the commit, how plays may end, and who gains what then."""

    name: str
    table: Table
    first: World
    ends: tuple[str, ...]
    check: Check


def play_out(case: Case) -> Walk[World]:
    """Play everything that can happen at a table, and check it; raise AssertionError, Endless."""
    table = case.table

    def step(world: World) -> list[Edge[World]]:
        assert world.held == compute_owed(world), f"the vault holds {world.held} of {world}"
        edges = []
        for move, then in follow(table, world):
            gained = compute_gains(then.payments)
            assert sum(gained[:CHEATS]) == world.held - then.held, f"{move} loses money in {world}"
            if table.with_honest_challenger:
                check_shared(world, then)
            if then.is_over:
                assert then.job in case.ends, f"the job ends {then.job}"
                late = list_late(table, then)
                assert not late, f"{late} after the end"
            edges.append((gained, reduce(then)))
        assert edges or world.is_over, f"nothing can be done any more in {world}"
        return edges

    seen = walk(reduce(case.first), step, NOTHING)
    case.check(seen.rest)
    return seen


def compute_gains(payments: tuple[Payment, ...]) -> Gains:
    """Return what each of ACCOUNTS gains, and CHEATING together."""
    if not payments:
        return NOTHING
    gained = [0] * (CHEATS + 1)
    for account, amount in payments:
        gained[ACCOUNTS.index(account)] += amount
        if account in CHEATING:
            gained[CHEATS] += amount
    return tuple(gained)


def retell(case: Case, error: AssertionError) -> str:
    """Return what failed, and the moves that led there."""
    told = [str(error)]
    if isinstance(error, Broken):
        for world, then in pairwise(cast(list[World], error.path)):
            moves = (move for move, found in follow(case.table, world) if reduce(found) == then)
            told.append(f"  {next(moves)}")
    return "\n".join(told)


# What has to come of it


def check_shared(world: World, then: World) -> None:
    """I7: an honest challenger with a bond at stake shares the reward, whoever's move wins it."""
    if world.job == DISPUTED and then.job == REJECTED and HONEST in doubters(world):
        assert HONEST in then.rewarded, f"no reward for the honest of {world}"


def check_operator_wins(plays: Rest) -> None:
    # I7, I9: the fee and the lock at least; bonds that others lost come on top.
    expect_least(plays, OPERATOR, PAID + TERMS.lock)


def check_cheats_lose(plays: Rest) -> None:
    # An accomplice who is quicker may take the reward, never anything of an honest challenger's.
    expect_least(plays, HONEST, 0)
    # I8: whoever helps the cheat, 65 % of the lock and the fee are lost.
    expect_least(plays, BURN, TERMS.lock * 25 // 100)
    expect_least(plays, CLIENT, TERMS.fee + TERMS.lock * 40 // 100)
    most = plays.most[CHEATS]
    assert most <= TERMS.lock * 35 // 100, f"the cheats gain {most}"


def check_challenger_wins(plays: Rest) -> None:
    check_cheats_lose(plays)
    # I7: alone against the cheat, at least the half of the reward that a demand beside it leaves.
    expect_least(plays, HONEST, TERMS.lock * 35 // 100 // 2)


def check_nothing(plays: Rest) -> None:
    """Where nobody is honest anybody may lose: that plays end, and add up, is checked already."""


def expect_least(plays: Rest, account: str, least: int) -> None:
    found = plays.least[ACCOUNTS.index(account)]
    assert found >= least, f"{account} gains {found} in the worst play, not {least}"


# The tables


def begin(fault: int | None, terms: Terms = TERMS, trace: str | None = None) -> World:
    """Return the world behind the commit of a result, with its trace or without."""
    return World(fault, deadline=terms.window, trace=trace, terms=terms)


def honest_operator(others: int, trace: str | None = None, terms: Terms = TERMS) -> Case:
    """An honest operator against others who begin so many disputes, and demand a full proof."""
    shown = "posted first" if trace else "posted on demand"
    table = Table(True, False, HONEST_CLAIMS, most_disputes=others)
    name = f"honest operator, {shown}, {others} dispute{'s' * (others > 1)}"
    return Case(
        name + _name(terms), table, begin(None, terms, trace), (FINAL, PROVEN), check_operator_wins
    )


def cheat(
    fault: int, is_published: bool, others: int = 0, terms: Terms = TERMS, is_prompt: bool = False
) -> Case:
    """A wrong result against an honest challenger; accomplices begin so many disputes more."""
    claims, reports = list_claims(fault), others > 0
    table = Table(False, True, claims, is_published, others, is_prompt, reports)
    name = f"operator {fault} wrong, {'published' if is_published else 'withheld'}"
    if others:
        name += ", an accomplice" if others == 1 else f", {others} disputes of accomplices"
    if is_prompt:
        name += ", prompt"
    check = check_cheats_lose if others else check_challenger_wins
    # I10: a wrong result is never paid.
    return Case(name + _name(terms), table, begin(fault, terms), (REJECTED,), check)


def nobody_honest(fault: int | None, claims: tuple[tuple[int, int], ...]) -> Case:
    """Operator and others do whatever is allowed, and nothing that has to be done is done."""
    table = Table(False, False, claims, True, 1, others_report=True)
    name = "nobody honest, " + ("nothing" if fault is None else f"operator {fault}") + " wrong"
    return Case(name, table, begin(fault), (FINAL, PROVEN, REJECTED), check_nothing)


def _name(terms: Terms) -> str:
    return ", short times" if terms is SHORT else ""


def list_quick() -> Iterator[Case]:
    """Yield what takes seconds altogether: every wrong operator, and honest ones."""
    for fault in range(8):
        for is_published in (True, False):
            yield cheat(fault, is_published)
    yield honest_operator(1)
    yield honest_operator(2)
    yield honest_operator(1, "ops")


def list_slow() -> Iterator[Case]:
    """Yield what takes minutes: many disputes at once, nobody honest, and accomplices.

    Accomplices: of the last operator of a layer, and of the first of the next.
    """
    yield honest_operator(2, "ops")
    yield honest_operator(3, "ops")
    yield nobody_honest(None, ((4, 0),))
    yield nobody_honest(4, ((4, 0),))
    for fault in (3, 4):
        for is_published in (True, False):
            yield cheat(fault, is_published, 1, SHORT)


def list_longest() -> Iterator[Case]:
    """Yield accomplices at the lengths of time that the contracts' tests have."""
    for fault in (3, 4):
        for is_published in (True, False):
            yield cheat(fault, is_published, 1, is_prompt=True)
