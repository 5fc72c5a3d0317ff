"""A challenger of one job: for whoever disputes a single result from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offchain.chain.journal import StepKey, StepStatus
from offchain.roles.challenger import CHECK, Challenger
from offchain.roles.context import Context
from offchain.roles.disputes import name_step
from offchain.types import JobId, JobState, ProtocolTime


class OneJobChallenger(Challenger):
    """Sees one job through, and is finished with it."""

    def __init__(self, context: Context, job_id: JobId) -> None:
        super().__init__(context)
        self._job_id = job_id

    def compute_job_steps(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return what the one job asks for."""
        due = super().compute_job_steps(time)
        return tuple(key for key in due if key.job == self._job_id)

    def is_finished(self) -> bool:
        """Whether the job was found right, or is settled and nothing is left to collect."""
        job = self.context.find_job(self._job_id)
        if job is None:
            return False
        vault, account = self.context.contracts.vault, self.context.submitter.account
        if any(vault.get_withdrawable(account, token) for token in self.tokens):
            return not self.context.settings.collect
        if job.state.is_terminal:
            return self.get_waiting_slash(job) is None
        return job.state is JobState.COMMITTED and self._is_right()

    def _is_right(self) -> bool:
        if self.context.settings.challenge_always:
            return False
        job = self.context.contracts.market.get_job(self._job_id)
        key = self.context.key(job.id, name_step(CHECK, job))
        step = self.context.journal.get_step(key)
        if step is None or step.status is StepStatus.BEGUN:
            return False
        return not step.detail.get("differs")

    def describe(self) -> Mapping[str, Any]:
        """Return what became of the job."""
        job = self.context.contracts.market.get_job(self._job_id)
        return {"job": job.id, "state": job.state.name}
