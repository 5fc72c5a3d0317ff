"""Shared by the roles: the walk over live jobs, locked and idempotent performing, withdrawals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Final

from offchain.chain.client import Call
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import (
    ContentError,
    ContractRevert,
    JobRefused,
    ProblemsError,
    ProgramError,
    RangeError,
    TensorError,
    TermsMismatch,
    VersionMismatch,
)
from offchain.roles.context import ACCOUNT_JOB, ID_PREFIX, Context
from offchain.roles.lock import hold_step
from offchain.roles.policy import failure_policy
from offchain.types import Address, Dispute, Job, JobId, JobState, ProtocolTime

Action = Callable[[JobId, StepKey], None]
WITHDRAW: Final = "withdraw"
VOID: Final = "void"
VOID_DISPUTE: Final = "void-dispute"
DISTRIBUTE: Final = "distribute-slash"
# What is wrong with a job for good: retrying does not mend it. Missing content may come yet.
REFUSALS: Final = (
    JobRefused,
    ProblemsError,
    ProgramError,
    RangeError,
    TensorError,
    TermsMismatch,
    VersionMismatch,
)
# What is wrong with an input's bytes.
UNUSABLE: Final = (ContentError, RangeError, TensorError)
OF: Final = ":"  # separates a step's name from what it is about, e.g. a challenge's seed
NO_DISPUTE_YET: Final = (JobState.OPEN, JobState.ASSIGNED, JobState.COMMITTED)


class BaseRole(ABC):
    """A party whose steps are looked up by name."""

    # Steps that put money at stake of the role's own will: none is begun on a head that stands.
    BONDED: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, context: Context) -> None:
        self.context = context
        self.log = context.log
        self._live: frozenset[JobId] = frozenset()

    @property
    @abstractmethod
    def own_actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it, of this role alone."""

    @abstractmethod
    def choose_step(self, job: Job, now: int) -> str | None:
        """Return the one step that a live job's state asks of this role at time `now`."""

    @abstractmethod
    def is_party(self, job: Job) -> bool:
        """Whether money of this role's is in the job or its dispute."""

    @cached_property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            **self.own_actions,
            WITHDRAW: self._withdraw,
            VOID: self._void,
            VOID_DISPUTE: self._void_dispute,
            DISTRIBUTE: self._distribute,
        }

    @cached_property
    def tokens(self) -> tuple[Address, ...]:
        """Return the tokens of the vault's ledger."""
        return self.context.contracts.vault.get_tokens()

    def is_finished(self) -> bool:
        """Services never finish."""
        return False

    # What is due

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return what is left to do, from chain and journal alone."""
        # Without fresh events, what is known already still has its deadlines.
        with failure_policy(self.log, "reading events"):
            self.context.cursor.advance()
        time = self.context.contracts.market.get_time()
        return (
            *self.compute_account_steps(time),
            *self.compute_job_steps(time),
            *self.compute_withdrawal_steps(),
        )

    def compute_account_steps(self, _: ProtocolTime) -> tuple[StepKey, ...]:
        """Return the steps that belong to no job."""
        return ()

    def compute_job_steps(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return every live job's step, but those that were given up."""
        self._tell_closed(frozenset(self.context.list_jobs()))
        if time.is_paused and not time.is_refund_mode:
            return ()  # the clock stands: no deadline passes, and no step is possible
        steps = [
            (job.id, step)
            for job in self.context.read_jobs()
            for step in self.choose_all(job, time)
        ]
        due = self.drop_if_stale(self.context.key(job, step) for job, step in steps)
        given_up = self.context.journal.get_given_up(self.context.settings.role) if due else ()
        return tuple(key for key in due if key not in given_up)

    def choose_all(self, job: Job, time: ProtocolTime) -> tuple[str, ...]:
        """Return what a job and each of its disputes over traces ask of this role."""
        step = self.choose(job, time)
        further = () if time.is_paused and not time.is_refund_mode else self.choose_moves(job, time)
        return further if step is None else (step, *further)

    def choose_moves(self, job: Job, time: ProtocolTime) -> tuple[str, ...]:  # noqa: ARG002
        """Return the moves that disputes over a job's trace ask of this role, one a dispute."""
        return ()

    def choose(self, job: Job, time: ProtocolTime) -> str | None:
        """Return the one step that a job asks of this role, in the refund mode or without."""
        if not time.is_refund_mode:
            return None if time.is_paused else self.choose_step(job, time.now)
        if not self.is_party(job):
            return None
        if job.state in NO_DISPUTE_YET:
            return VOID
        if job.state is JobState.DISPUTED:
            # One that only disputes over its trace hold is voided by theirs.
            known = self.context.contracts.game.get_dispute_of(job.id)
            return None if known is None else VOID_DISPUTE
        if self.get_waiting_slash(job) is not None:
            return DISTRIBUTE if time.now > job.deadline else VOID_DISPUTE
        return None

    def choose_distribution(self, job: Job, now: int) -> str | None:
        """Return the division of a slashed lock, once the airgap is over."""
        if job.state is JobState.REJECTED and now > job.deadline and self.is_party(job):
            return None if self.get_waiting_slash(job) is None else DISTRIBUTE
        return None

    def get_waiting_slash(self, job: Job) -> Dispute | None:
        """Return the dispute whose slashed lock is not divided yet, if the job has one."""
        if job.state is not JobState.REJECTED:
            return None
        dispute = self.context.contracts.game.get_dispute_of(job.id)
        return dispute if dispute is not None and dispute.state.holds_slash else None

    def compute_withdrawal_steps(self) -> tuple[StepKey, ...]:
        """Return the steps that collect this account's credit, if there is any to collect."""
        context = self.context
        if not context.settings.collect:
            return ()
        account = context.submitter.account
        due = []
        for token in self.tokens:
            if context.contracts.vault.get_withdrawable(account, token):
                # Numbered: each withdrawal is a step of its own; one unfinished keeps its number.
                number = context.journal.get_counter(_name_withdrawals(token))
                due.append(context.key(ACCOUNT_JOB, f"{WITHDRAW}{OF}{token}{OF}{number}"))
        return tuple(due)

    def _tell_closed(self, live: frozenset[JobId]) -> None:
        for job_id in sorted(self._live - live):
            job = self.context.find_job(job_id)
            if job is not None and job.state.is_terminal:
                self.log.event("job-closed", job=job_id, state=job.state.name)
        self._live = live

    # What is done

    def perform(self, key: StepKey) -> None:
        """Do one step unless it was given up, is due no more, or another process is doing it.

        A step that is done may be due again: a reorganisation can undo its transaction. Sending it
        again is left to the submitter, which repeats the same bytes or finds the receipt.
        """
        with hold_step(self.context.journal, key) as mine:
            if not mine or self.context.journal.is_given_up(key) or self._is_over(key):
                return
            if not self.context.journal.is_done(key):
                self.context.journal.put_step(key, StepStatus.BEGUN)
            self.actions[key.step.partition(OF)[0]](JobId(key.job), key)

    def send(self, job_id: JobId, key: StepKey, call: Call, event: str, **facts: Any) -> bool:
        """Send a step's transaction and tell of it; return whether it did what it is for.

        Where the chain refuses it and does not ask for it any more, somebody was first or its time
        is over: nothing is wrong. Raises ContractRevert where the step is still due.
        """
        try:
            receipt = self.context.submitter.submit(key, call)
        except ContractRevert as revert:
            if self._is_due(job_id, key):
                raise
            self.log.event("overtaken", job=job_id, step=key.step, reason=str(revert))
            return False
        self.context.journal.put_step(key, StepStatus.DONE)
        self.log.event(event, job=job_id, tx=receipt.tx_hash, **facts)
        return True

    def _is_over(self, key: StepKey) -> bool:
        """Whether a step about a job was handed out and is not asked for any more."""
        return key.job.startswith(ID_PREFIX) and not self._is_due(JobId(key.job), key)

    def drop_if_stale(self, keys: Iterable[StepKey]) -> tuple[StepKey, ...]:
        """Return the steps without those that would put money at stake on a head that stands."""
        if not self.context.heads.is_stale(self.context.client.get_head()):
            return tuple(keys)
        return tuple(key for key in keys if key.step.partition(OF)[0] not in self.BONDED)

    def is_still_asked(self, key: StepKey) -> bool:  # noqa: ARG002
        """Whether a step that is about no job, but a batch or an order, is asked for yet."""
        return True

    def _is_due(self, job_id: JobId, key: StepKey) -> bool:
        if not key.job.startswith(ID_PREFIX):
            return self.is_still_asked(key)
        job = self.context.find_job(job_id)
        time = self.context.contracts.market.get_time()
        if job is None:
            return False
        # A move may take several transactions, each a step of its own below the one that is asked.
        return any(
            key.step == step or key.step.startswith(step + OF)
            for step in self.choose_all(job, time)
        )

    def _withdraw(self, _: JobId, key: StepKey) -> None:
        if self.context.journal.is_done(key):
            return
        token = Address(key.step.split(OF)[1])
        call = self.context.contracts.vault.build_withdraw_credit(token)
        receipt = self.context.submitter.submit(key, call)
        with self.context.journal.atomic():
            self.context.journal.put_step(key, StepStatus.DONE)
            self.context.journal.increment(_name_withdrawals(token))
        self.log.event("credit-withdrawn", token=token, tx=receipt.tx_hash)

    def _void(self, job_id: JobId, key: StepKey) -> None:
        call = self.context.contracts.market.build_void_job(job_id)
        self.send(job_id, key, call, "job-voided")

    def _void_dispute(self, job_id: JobId, key: StepKey) -> None:
        call = self.context.contracts.game.build_void_dispute(job_id)
        self.send(job_id, key, call, "dispute-voided")

    def _distribute(self, job_id: JobId, key: StepKey) -> None:
        call = self.context.contracts.game.build_distribute_slash(job_id)
        self.send(job_id, key, call, "slash-distributed")


def _name_withdrawals(token: str) -> str:
    """Return the journal's counter of an account's withdrawals of one token."""
    return f"{WITHDRAW}{OF}{token}"
