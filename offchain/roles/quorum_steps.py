"""Which step of a quorum anybody may take now, and how steps of quorums are named.

A step's name holds what makes it a step of its own: the request of a seed, or the last second of
the state that it ends. A round of disputes that begins again has another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from offchain.chain.client import Call
from offchain.roles.base import OF
from offchain.roles.quorum_book import SEED_STATES, OpenQuorum, QuorumBook
from offchain.types import ProtocolTime, QuorumState, ReplicaState, SeedState

if TYPE_CHECKING:
    from offchain.chain.contracts.quorum import Quorum

DRAW: Final = "draw-replicas"
EXPIRE: Final = "expire-quorum"
CLOSE_COMMITS: Final = "close-commits"
DECIDE_AUDIT: Final = "decide-audit"
TALLY: Final = "tally"
SETTLE: Final = "settle-quorum"
VOID: Final = "void-quorum"
# What a role logs when it has taken one.
EVENTS: Final = {
    DRAW: "replicas-drawn",
    EXPIRE: "quorum-expired",
    CLOSE_COMMITS: "commits-closed",
    DECIDE_AUDIT: "audit-of-replica-decided",
    TALLY: "replicas-counted",
    SETTLE: "round-settled",
    VOID: "quorum-voided",
}
KEEPER_STEPS: Final = tuple(EVENTS)
# A seed that passed unused is asked for again by the same call.
USABLE: Final = (SeedState.READY, SeedState.FIXED, SeedState.MISSED)


def choose_keeper_step(book: QuorumBook, quorum: OpenQuorum, time: ProtocolTime) -> str | None:
    """Return the step that anybody may take, with what makes it a step of its own, or None."""
    facts = quorum.facts
    if facts.state.is_over or (time.is_paused and not time.is_refund_mode):
        return None
    if time.is_refund_mode:
        return VOID
    if facts.state in SEED_STATES:
        return _choose_draw(book, quorum, time.now)
    is_late = time.now > facts.deadline
    if facts.state is QuorumState.COMMITTING:
        step, is_due = CLOSE_COMMITS, is_late
    elif facts.state is QuorumState.REVEALING:
        step, is_due = TALLY, is_late or not quorum.list_in(ReplicaState.COMMITTED)
    else:
        step, is_due = SETTLE, is_late and book.is_over(quorum)
    return f"{step}{OF}{facts.deadline}" if is_due else None


def _choose_draw(book: QuorumBook, quorum: OpenQuorum, now: int) -> str | None:
    is_open = quorum.facts.state is QuorumState.OPEN
    if is_open and now > quorum.facts.deadline:
        return EXPIRE
    seed, asked_at = book.get_seed(quorum)
    step = DRAW if is_open else DECIDE_AUDIT
    return f"{step}{OF}{asked_at}" if seed in USABLE else None


def build_keeper_call(market: Quorum, quorum: OpenQuorum, step: str) -> Call:
    """Return the transaction of a keeper's step."""
    builders = {
        DRAW: market.build_draw,
        EXPIRE: market.build_expire,
        CLOSE_COMMITS: market.build_close_commits,
        DECIDE_AUDIT: market.build_draw_audit,
        TALLY: market.build_tally,
        SETTLE: market.build_settle,
        VOID: market.build_void,
    }
    return builders[step.partition(OF)[0]](quorum.id)
