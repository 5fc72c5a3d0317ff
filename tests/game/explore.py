"""Walk through every play of a game: each state once, each path counted.

A state stands for all paths that lead to it, so properties of states are checked on every path
while only states are visited. A play is a path from the first state to one without moves.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)


class Endless(AssertionError):
    """A play returns to a state it was in: the game does not terminate."""


@dataclass(frozen=True)
class Walk(Generic[State]):
    """What was seen: how many states, plays and moves of the longest play; every last state."""

    states: int
    plays: int
    longest: int
    ends: frozenset[State]


def walk(
    first: State,
    follow: Callable[[State], Sequence[State]],
    check: Callable[[State], None],
) -> Walk[State]:
    """Visit every state that `follow` leads to once, call `check` on each, and count plays.

    Raises Endless where a play can go round in circles, and whatever `check` raises.
    """
    plays: dict[State, int] = {}
    longest: dict[State, int] = {}
    on_path: set[State] = set()
    ends: set[State] = set()
    # Depth first without recursion: a play may have more moves than Python has frames.
    stack: list[tuple[State, Iterator[State], list[State]]] = []

    def enter(state: State) -> None:
        check(state)
        followers = list(follow(state))
        if not followers:
            ends.add(state)
        on_path.add(state)
        stack.append((state, iter(followers), followers))

    enter(first)
    while stack:
        state, waiting, followers = stack[-1]
        following = next((s for s in waiting if s not in plays), None)
        if following is not None:
            if following in on_path:
                raise Endless(f"{following}")
            enter(following)
            continue
        stack.pop()
        on_path.discard(state)
        plays[state] = sum(plays[s] for s in followers) if followers else 1
        longest[state] = 1 + max(longest[s] for s in followers) if followers else 0
    return Walk(len(plays), plays[first], longest[first], frozenset(ends))
