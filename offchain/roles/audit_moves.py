"""Audits by proof: have the beacon decide about ordinary results, and take its answer in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from offchain.chain.job_ids import id_bytes
from offchain.chain.journal import StepKey
from offchain.roles.base import Action, BaseRole
from offchain.roles.quorum_steps import USABLE
from offchain.types import AuditState, Job, JobId, JobState

REQUEST_AUDIT: Final = "request-audit"
DRAW_AUDIT: Final = "draw-audit"


class AuditMoves:
    """Asks for audits of all jobs alike; whom they hit is not this account's choice."""

    def __init__(self, role: BaseRole) -> None:
        self._role = role
        self._context = role.context

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {REQUEST_AUDIT: self.request, DRAW_AUDIT: self.draw}

    def choose(self, job: Job, now: int) -> str | None:
        """Return what a result's audit asks for while it may be challenged.

        Disputed or not: an operator's accomplice could dispute it to spare it the audit.
        """
        has_result = job.state in (JobState.COMMITTED, JobState.DISPUTED)
        if not has_result or job.proof_required or now > job.deadline:
            return None
        audits = self._context.contracts.audits
        state = audits.get_audit(job.id)
        if state is AuditState.NONE:
            return REQUEST_AUDIT
        if state is not AuditState.REQUESTED:
            return None
        seed = self._context.contracts.beacon.get_state(audits.address, id_bytes(job.id))
        return DRAW_AUDIT if seed in USABLE else None

    def request(self, job_id: JobId, key: StepKey) -> None:
        """Ask the beacon about a result, once a job."""
        call = self._context.contracts.audits.build_request(job_id)
        self._role.send(job_id, key, call, "audit-requested")

    def draw(self, job_id: JobId, key: StepKey) -> None:
        """Take the beacon's answer: where it hits, the operator has to prove the result."""
        call = self._context.contracts.audits.build_draw(job_id)
        if self._role.send(job_id, key, call, "audit-drawn"):
            state = self._context.contracts.audits.get_audit(job_id)
            self._context.log.event("audit-decided", job=job_id, state=state.name)
