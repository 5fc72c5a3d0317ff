"""The tick: compare chain and journal, hand out what is left to do, repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from math import inf
from typing import Final, Protocol

from offchain.chain.journal import StepKey
from offchain.errors import QueueFull
from offchain.roles.log import Log
from offchain.roles.policy import failure_policy

# A step still due so long after it was handed out is handed out again: its message was lost or its
# worker died. Steps are idempotent, so handing out one twice costs a look into the journal.
REDISPATCH_S: Final = 5.0
NEVER: Final = -inf


class Role(Protocol):
    """A party. Everything it does is a step that may be performed any number of times."""

    log: Log

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return what is left to do, from chain and journal alone."""

    def perform(self, key: StepKey) -> None:
        """Do one step; a step that is done already does nothing."""

    def is_finished(self) -> bool:
        """Whether this party has nothing left to wait for."""


Dispatch = Callable[[StepKey], None]  # raises QueueFull


def run_role(
    role: Role,
    dispatch: Dispatch,
    poll_s: float,
    should_stop: Callable[[], bool],
    on_tick: Callable[[], None] = lambda: None,
) -> None:
    """Tick until the role is finished or told to stop."""
    handed_out: dict[StepKey, float] = {}
    while not should_stop():
        on_tick()
        with failure_policy(role.log, "tick"):
            due = take_turns(role.compute_due_steps(), handed_out)
            handed_out = {key: handed_out[key] for key in due if key in handed_out}
            hand_out(due, handed_out, dispatch)
            if role.is_finished():
                return
        time.sleep(poll_s)


def take_turns(due: Sequence[StepKey], handed_out: Mapping[StepKey, float]) -> tuple[StepKey, ...]:
    """Return the steps in the role's order, but among neighbours of one kind the longest waiting.

    Otherwise a few that are put off again and again would keep all others from their turn.
    """
    kinds = groupby(due, key=lambda key: key.step)
    return tuple(
        key for _, kind in kinds for key in sorted(kind, key=lambda k: handed_out.get(k, NEVER))
    )


def hand_out(due: Sequence[StepKey], handed_out: dict[StepKey, float], dispatch: Dispatch) -> None:
    """Hand out what was not handed out lately, until the queue is full; note when."""
    for key in due:
        now = time.monotonic()  # paces this process only; deadlines are block times
        if now - handed_out.get(key, NEVER) < REDISPATCH_S:
            continue
        try:
            dispatch(key)
        except QueueFull:
            return
        handed_out[key] = now


def perform_inline(role: Role) -> Dispatch:
    """Return a dispatcher that performs each step in this process."""

    def dispatch(key: StepKey) -> None:
        with failure_policy(role.log, f"{key.step} of job {key.job}"):
            role.perform(key)

    return dispatch
