"""Shared by the roles: locked, idempotent performing and the withdrawal of credit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Final

from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import (
    ContentError,
    JobRefused,
    ProblemsError,
    ProgramError,
    RangeError,
    TensorError,
    VersionMismatch,
)
from offchain.roles.context import ACCOUNT_JOB, Context
from offchain.roles.lock import hold_step
from offchain.types import Job, JobId

Action = Callable[[JobId, StepKey], None]
WITHDRAW: Final = "withdraw"
CLOSED: Final = "closed"  # journal step of a job whose state is terminal
# What is wrong with a job for good: retrying does not mend it.
REFUSALS: Final = (
    ContentError,
    JobRefused,
    ProblemsError,
    ProgramError,
    RangeError,
    TensorError,
    VersionMismatch,
)
OF: Final = ":"  # separates a step's name from what it is about, e.g. a challenge's seed


class BaseRole(ABC):
    """A party whose steps are looked up by name."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.log = context.log

    @abstractmethod
    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return what is left to do, from chain and journal alone."""

    @property
    @abstractmethod
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""

    @abstractmethod
    def choose_step(self, job: Job, now: int) -> str | None:
        """Return the one step that a live job's state asks of this role at time `now`."""

    def compute_job_steps(self) -> tuple[StepKey, ...]:
        """Return every live job's step, but those that were given up."""
        self.context.cursor.advance()
        now = self.context.client.get_head().timestamp
        due = []
        for job_id in self.context.list_jobs():
            if self.context.journal.is_done(self.context.key(job_id, CLOSED)):
                continue
            job = self.context.contracts.market.get_job(job_id)
            if job.state.is_terminal:
                detail = {"state": job.state.name}
                self.context.journal.put_step(
                    self.context.key(job_id, CLOSED), StepStatus.DONE, detail
                )
                self.log.event("job-closed", job=job_id, state=job.state.name)
                continue
            step = self.choose_step(job, now)
            if step is not None:
                key = self.context.key(job_id, step)
                if not self.context.journal.is_given_up(key):
                    due.append(key)
        return tuple(due)

    def is_finished(self) -> bool:
        """Services never finish."""
        return False

    def perform(self, key: StepKey) -> None:
        """Do one step unless it was given up, or another process is doing it.

        A step that is done may be due again: a reorganisation can undo its transaction. Sending it
        again is left to the submitter, which repeats the same bytes or finds the receipt.
        """
        with hold_step(self.context.journal, key) as mine:
            if not mine or self.context.journal.is_given_up(key):
                return
            if not self.context.journal.is_done(key):
                self.context.journal.put_step(key, StepStatus.BEGUN)
            if key.job == ACCOUNT_JOB:
                self._withdraw(key)
            else:
                self.actions[key.step.partition(OF)[0]](JobId(int(key.job)), key)

    def compute_withdrawal_steps(self) -> tuple[StepKey, ...]:
        """Return the step that collects this account's credit, if there is any to collect."""
        vault = self.context.contracts.vault
        if vault.get_withdrawable(self.context.submitter.account) == 0:
            return ()
        # Numbered: each withdrawal is a step of its own, and an unfinished one keeps its number.
        number = self.context.journal.get_counter(WITHDRAW)
        return (self.context.key(ACCOUNT_JOB, f"{WITHDRAW}-{number}"),)

    def _withdraw(self, key: StepKey) -> None:
        if self.context.journal.is_done(key):
            return
        receipt = self.context.submitter.submit(
            key, self.context.contracts.vault.build_withdraw_credit()
        )
        with self.context.journal.atomic():
            self.context.journal.put_step(key, StepStatus.DONE)
            self.context.journal.increment(WITHDRAW)
        self.log.event("credit-withdrawn", tx=receipt.tx_hash)
