"""What a client does about its job while only disputes over its trace hold it.

Such a dispute may be an accomplice's, who wants nobody else to act: whoever's money is in the job
ends what both sides have forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from offchain.chain.journal import StepKey
from offchain.roles.base import Action
from offchain.roles.trace_book import TraceBook
from offchain.roles.trace_defence import FINALISE_DEFENDED
from offchain.roles.trace_turns import TIMEOUT, VOID_HELD, get_deadline, name_move, parse_id
from offchain.types import Job, JobId

if TYPE_CHECKING:
    from offchain.roles.base import BaseRole

OBJECTION_PART: Final = 2  # of the window: those who dispute the trace in earnest may win before


class HeldMoves:
    """Ends disputes of others over one account's job."""

    def __init__(self, role: BaseRole, book: TraceBook) -> None:
        self._role = role
        self._context = role.context
        self._book = book

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            TIMEOUT: self.claim_timeout,
            FINALISE_DEFENDED: self.finalise,
            VOID_HELD: self.void,
        }

    def may_object(self, job: Job, now: int) -> bool:
        """Whether a bond is put against a held result: late, but before the window is over."""
        left = job.deadline - now
        return 0 <= left <= self._context.parameters.challenge_seconds // OBJECTION_PART

    def choose(self, job: Job, now: int) -> str | None:
        """Return what ends a dispute, or the job, that those concerned have forgotten."""
        delay = self._context.parameters.keeper_delay_seconds
        posted = self._book.game.get_trace(job.id)
        open_ones = [d for d in self._book.list_disputes(job.id) if d.phase.is_open]
        for dispute in open_ones:
            if now > get_deadline(self._book.game, dispute, posted) + delay:
                return name_move(TIMEOUT, dispute)
        is_over = now > max(job.deadline, job.deliver_by) + delay
        return FINALISE_DEFENDED if is_over and not posted.open_places else None

    def claim_timeout(self, job_id: JobId, key: StepKey) -> None:
        """End a dispute in which a side was silent."""
        dispute = self._book.find_dispute(job_id, parse_id(key.step))
        call = self._book.game.build_claim_timeout(job_id, dispute.key)
        self._role.send(job_id, key, call, "timeout-claimed")

    def finalise(self, job_id: JobId, key: StepKey) -> None:
        """Close a job that withstood every dispute, or whose output did not come meanwhile."""
        call = self._book.game.build_finalise_defended(job_id)
        self._role.send(job_id, key, call, "job-closed-after-disputes")

    def void(self, job_id: JobId, key: StepKey) -> None:
        """In the refund mode, give everybody the money of a held job back."""
        self._role.send(job_id, key, self._book.game.build_void_held(job_id), "job-voided")
