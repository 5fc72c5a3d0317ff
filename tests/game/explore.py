"""Walk through every play of a game: each state once, each path counted.

A state stands for all paths that lead to it, so properties of states are checked on every path
while only states are visited. A play is a path from the first state to one without moves. What
plays gain is added up from their ends backwards: the least and the most of all of them, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from operator import add
from typing import Generic, NamedTuple, TypeVar

State = TypeVar("State", bound=Hashable)
Gains = tuple[int, ...]
Edge = tuple[Gains, State]  # what a move gains, and where it leads


class Broken(AssertionError):
    """A check failed in the last state of `path`, which begins with the first."""

    def __init__(self, problem: str, path: Sequence[object]) -> None:
        super().__init__(problem)
        self.path = path


class Endless(Broken):
    """A play returns to a state it was in: the game does not terminate."""


class Rest(NamedTuple):
    """What may follow a state."""

    plays: int
    longest: int  # moves
    least: Gains
    most: Gains


@dataclass(frozen=True)
class Walk(Generic[State]):
    """What was seen: how many states, and moves between them; all plays; every last state."""

    states: int
    moves: int
    rest: Rest
    ends: frozenset[State]


def walk(
    first: State, follow: Callable[[State], Sequence[Edge[State]]], nothing: Gains
) -> Walk[State]:
    """Visit every state that `follow` leads to once. `nothing` is a gain of none.

    Raises Endless where a play can go round in circles, and Broken where `follow` asserts what is
    not so.
    """
    rests: dict[State, Rest] = {}
    on_path: set[State] = set()
    ends: set[State] = set()
    moves = 0
    end = Rest(1, 0, nothing, nothing)
    # Depth first without recursion: a play may have more moves than Python has frames.
    stack: list[tuple[State, Iterator[Edge[State]], Sequence[Edge[State]]]] = []

    def enter(state: State) -> None:
        try:
            edges = follow(state)
        except AssertionError as error:
            raise Broken(str(error), [*(entry[0] for entry in stack), state]) from error
        on_path.add(state)
        stack.append((state, iter(edges), edges))

    enter(first)
    while stack:
        state, waiting, edges = stack[-1]
        for _, following in waiting:
            if following not in rests:
                if following in on_path:
                    path = [*(entry[0] for entry in stack), following]
                    raise Endless(f"comes back to {following}", path)
                enter(following)
                break
        else:
            stack.pop()
            on_path.discard(state)
            moves += len(edges)
            if edges:
                rests[state] = _sum_up([(gains, rests[s]) for gains, s in edges])
            else:
                rests[state] = end
                ends.add(state)
    return Walk(len(rests), moves, rests[first], frozenset(ends))


def _sum_up(edges: Sequence[tuple[Gains, Rest]]) -> Rest:
    plays, longest = 0, 0
    lows, highs = set(), set()
    for gains, rest in edges:
        plays += rest.plays
        longest = max(longest, rest.longest)
        if any(gains):
            lows.add(tuple(map(add, gains, rest.least)))
            highs.add(tuple(map(add, gains, rest.most)))
        else:
            lows.add(rest.least)
            highs.add(rest.most)
    return Rest(plays, longest + 1, _reduce(min, lows), _reduce(max, highs))


def _reduce(choose: Callable[[Sequence[int]], int], found: set[Gains]) -> Gains:
    if len(found) == 1:
        return found.pop()
    return tuple(map(choose, zip(*found, strict=True)))
