"""The challenger: recompute every committed result, object where it differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from offchain.chain.journal import StepKey, StepStatus
from offchain.roles.base import REFUSALS, Action, BaseRole
from offchain.roles.context import Context
from offchain.roles.disputes import CHALLENGE, CLAIM_DEFAULT, DisputeMoves, name_step
from offchain.types import Job, JobId, JobState

CHECK: Final = "check"


class Challenger(BaseRole):
    """Watches all jobs. A result that could not be reproduced here is never challenged."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._moves = DisputeMoves(context)

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            CHECK: self._check,
            CHALLENGE: self._moves.challenge,
            CLAIM_DEFAULT: self._moves.claim_default,
        }

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return what committed results and own disputes ask for."""
        return (*self.compute_job_steps(), *self.compute_withdrawal_steps())

    def choose_step(self, job: Job, now: int) -> str | None:
        """Return the one step that the job's state asks of its challenger, if any."""
        if job.state is JobState.COMMITTED and now <= job.deadline:
            check = name_step(CHECK, job)
            checked = self.context.journal.get_step(self.context.key(job.id, check))
            if checked is None or checked.status is StepStatus.BEGUN:
                return check
            if checked.status is StepStatus.GIVEN_UP:
                return None
            is_wanted = checked.detail.get("differs") or self.context.settings.challenge_always
            return name_step(CHALLENGE, job) if is_wanted else None
        if job.state is JobState.DISPUTED:
            dispute = self._moves.get_own_dispute(job.id)
            if dispute is not None and now > dispute.prove_until:
                return CLAIM_DEFAULT
        return None

    def _check(self, job_id: JobId, key: StepKey) -> None:
        """Recompute on the CPU reference: a challenge never rests on a fast path alone."""
        job = self.context.contracts.market.get_job(job_id)
        if name_step(CHECK, job) != key.step:
            return  # reorganised away: the next tick looks at what is there now
        try:
            model = self.context.versions.reproduce(job.version).model
            raw = self.context.content.get(job.in_digest, model.input_bits, model.input_shape)
            model.check_input(raw)
        except REFUSALS as error:
            self.context.give_up(key, str(error))
            return
        expected = self.context.content.put(
            model.run(raw, "numpy"), model.output_bits, model.output_shape
        )
        differs = expected != job.out_digest
        self.context.journal.put_step(key, StepStatus.DONE, {"differs": differs})
        self.log.event("result-recomputed", job=job_id, differs=differs)
