"""Whose turn a dispute over a trace is, and how its steps are named."""

from __future__ import annotations

from typing import Final

from offchain.chain.contracts.pinpoint_game import PinpointGame
from offchain.chain.contracts.pinpoint_types import Phase, PinpointDispute, PostedTrace
from offchain.roles.base import OF

MOVE: Final = "search-move"
RULE: Final = "adjudicate"
ANSWER: Final = "reveal"
DEFEND: Final = "defend"
CURE_CLAIM: Final = "cure-claim"
TIMEOUT: Final = "claim-timeout"
RESOLVE: Final = "resolve"
VOID_HELD: Final = "void-held"
DIGITS: Final = 16  # of an id's and of a position's hexadecimal form in a step's name


def name_move(step: str, dispute: PinpointDispute) -> str:
    """Return the name of a step about a dispute as it stands: each position has its own."""
    where = f"{int(dispute.phase)}-{dispute.head.hex()[:DIGITS]}"
    return OF.join((step, dispute.id.hex()[:DIGITS], where))


def parse_id(step: str) -> str:
    """Return the digits with which the id of the dispute begins that a step is about."""
    return step.split(OF)[1]


def is_trace_due(dispute: PinpointDispute, posted: PostedTrace) -> bool:
    """Whether a dispute waits for the trace: one that came too late does not answer it."""
    is_answered = posted.is_posted and posted.posted_at <= dispute.deadline
    return dispute.phase is Phase.TRACE and not is_answered


def is_challengers_turn(dispute: PinpointDispute, posted: PostedTrace) -> bool:
    """Whether the challenger has to move."""
    if dispute.phase is Phase.TRACE:
        return not is_trace_due(dispute, posted)
    return dispute.phase is Phase.SELECT


def get_deadline(game: PinpointGame, dispute: PinpointDispute, posted: PostedTrace) -> int:
    """Return the last second of whoever is on turn."""
    if dispute.phase is Phase.TRACE and not is_trace_due(dispute, posted):
        return posted.posted_at + game.clock_seconds
    return dispute.deadline
