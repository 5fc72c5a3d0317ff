"""The operator: accept what it can reproduce, run, commit; prove only what is challenged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

from offchain.chain.client import Call
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import ContentError
from offchain.roles.base import OF, UNUSABLE, Action, BaseRole
from offchain.roles.batch_settling import FINALISE_BATCH
from offchain.roles.binding import ACCEPT_OWNER, UNJAIL, WorkerMoves
from offchain.roles.candidacy import ENLIST
from offchain.roles.context import Context
from offchain.roles.defence import CURE, PROVE, DefenceMoves
from offchain.roles.disputes import CHALLENGE
from offchain.roles.dissent import Dissent
from offchain.roles.further_work import FurtherWork
from offchain.roles.inputs import INPUTS
from offchain.roles.job_moves import JobMoves
from offchain.roles.orders import TAKE
from offchain.roles.quorum_book import OpenQuorum
from offchain.roles.quorum_watch import CHALLENGE_REPLICA, EXTRACT
from offchain.roles.receipts import publish_receipt
from offchain.roles.serving import RECOVER, SERVE
from offchain.roles.trace_book import OwnTrace, TraceBook
from offchain.roles.trace_challenge import PINPOINT
from offchain.roles.trace_defence import TraceDefence
from offchain.submit.content import FolderStore
from offchain.submit.proofs import Evidence, verify_evidence
from offchain.submit.versions import ReproducedVersion
from offchain.types import (
    Address,
    Digest,
    Job,
    JobId,
    JobState,
    ProtocolTime,
    VersionId,
)

ACCEPT: Final = "accept"
RUN: Final = "run"
COMMIT: Final = "commit"
REFUSE: Final = "refuse"
DELIVER: Final = "deliver"
REQUEST_PROOF: Final = "request-proof"
FINALISE: Final = "finalise"
FAIL: Final = "fail"
# Least urgent last; "" is everything else.
NOT_URGENT: Final = ("", FAIL, FINALISE, FINALISE_BATCH, SERVE, RECOVER, ACCEPT, TAKE)
REFUSAL_PART: Final = 4  # an input may be called unusable within a quarter of T_exec


class Operator(BaseRole):
    """Serves jobs for its stake's owner with its own hot key."""

    BONDED: ClassVar[frozenset[str]] = frozenset(
        {ACCEPT, TAKE, SERVE, RECOVER, ENLIST, EXTRACT, CHALLENGE_REPLICA, CHALLENGE, PINPOINT}
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._moves = JobMoves(self)
        self._defence = DefenceMoves(self)
        self._worker = WorkerMoves(self)
        self._further = FurtherWork(self)
        self._dissent = Dissent(self)
        self._traces = TraceDefence(
            self,
            TraceBook(
                context,
                lambda job: self.load_version(job.version).model,
                lambda job: self.read_input(job.version, context.get_terms(job.id).in_digest),
            ),
        )

    @property
    def own_actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            **self._dissent.actions,
            ACCEPT_OWNER: self._worker.accept_owner,
            UNJAIL: self._worker.unjail,
            ACCEPT: self._moves.accept,
            COMMIT: self._commit,
            REFUSE: self._moves.refuse,
            DELIVER: self._moves.deliver,
            REQUEST_PROOF: self._moves.request_proof,
            PROVE: self._defence.prove,
            CURE: self._defence.cure,
            FINALISE: self._moves.finalise,
            FAIL: self._moves.fail,
            **self._further.actions,
            **self._traces.actions,
        }

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return what is left to do, from chain and journal alone."""
        with self._worker.remembered():
            return super().compute_due_steps()

    def compute_job_steps(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return what live jobs, sessions, batches and orders ask for, fresh ones last."""
        due = (*super().compute_job_steps(time), *self._further.compute_steps(time))
        return tuple(sorted(due, key=lambda key: NOT_URGENT.index(_name_urgency(key.step))))

    def is_still_asked(self, key: StepKey) -> bool:
        """Whether a step that is about no job is asked for yet."""
        return self._further.is_still_asked(key)

    def is_party(self, job: Job) -> bool:
        """Whether the stake behind the job is this worker's owner's."""
        return job.operator == self._worker.get_owner()

    def compute_account_steps(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return the steps that bind this worker to its owner or lead it out of jail."""
        return self._worker.compute_steps(time)

    def choose(self, job: Job, time: ProtocolTime) -> str | None:
        """Return the one step that a job asks of its operator, or of one who says otherwise."""
        if self._dissent.concerns(job):
            return self._dissent.choose(job, time)
        return super().choose(job, time)

    def choose_moves(self, job: Job, time: ProtocolTime) -> tuple[str, ...]:
        """Return what disputes over the job's trace ask of its operator, or of a rescuer."""
        if self._dissent.concerns(job):
            return self._dissent.choose_moves(job, time)
        return self._traces.choose_moves(job, time)

    def choose_step(self, job: Job, now: int) -> str | None:
        """Return the one step that the job's state asks of its operator, if any."""
        if job.state is JobState.OPEN:
            may_take = now <= job.deadline and self._worker.may_take_jobs()
            return ACCEPT if may_take else None
        if not self.is_party(job):
            return None
        if job.state is JobState.ASSIGNED:
            return self._choose_assigned(job, now)
        if job.state is JobState.COMMITTED:
            return self._choose_committed(job, now)
        if job.state is JobState.DISPUTED and now <= job.deliver_by:
            return DELIVER  # a dispute does not put it off
        return None if self._traces.may_cure(job, now) else self._defence.choose_step(job, now)

    def _choose_assigned(self, job: Job, now: int) -> str | None:
        if now > job.deadline:
            # Too late to commit. Its client closes it; where nobody does, the lock is fetched back.
            is_forgotten = now > job.deadline + self.context.parameters.keeper_delay_seconds
            return FAIL if is_forgotten else None
        is_unusable = self.context.journal.is_given_up(self.context.key(job.id, RUN))
        return REFUSE if is_unusable and now <= self._refusable_until(job) else COMMIT

    def _choose_committed(self, job: Job, now: int) -> str | None:
        if job.deliver_by:
            return DELIVER if now <= job.deliver_by else None
        if job.proof_required:
            return REQUEST_PROOF if now <= job.deadline else None
        return FINALISE if now > job.deadline else None

    def _refusable_until(self, job: Job) -> int:
        whole = self.context.parameters.exec_seconds
        return job.deadline - whole + whole // REFUSAL_PART

    def list_open_jobs(self) -> tuple[Job, ...]:
        """Return the jobs of this worker's owner that may still ask it for a result or a proof.

        One whose result is overdue is lost, and one whose window is over cannot be challenged.
        """
        owner = self._worker.get_owner()
        now = self.context.contracts.market.get_time().now
        sent = self.context.journal.get_sent_jobs(self.context.settings.role, ACCEPT)
        jobs = (
            # On its way or mined just now: counted as if it were taken.
            replace(job, state=JobState.ASSIGNED, operator=owner)
            if job.state is JobState.OPEN and job.id in sent and owner is not None
            else job
            for job in self.context.read_jobs()
        )
        return tuple(job for job in jobs if job.operator == owner and _is_open(job, now))

    def _commit(self, job_id: JobId, key: StepKey) -> None:
        job = self.context.contracts.market.get_job(job_id)
        if job.state is not JobState.ASSIGNED:
            return
        try:
            digest = self.run_job(job)
        except UNUSABLE as error:
            # A refusal within the first quarter costs nothing; later it is tried again.
            self.context.give_up(self.context.key(job_id, RUN), str(error))
            return
        self._traces.prepare(job)
        self.vouch(job_id, digest)
        call = self.context.contracts.market.build_commit_result(job_id, digest, digest.hex())
        self.send(job_id, key, call, "result-committed", digest=digest)

    def run_job(self, job: Job) -> Digest:
        """Run the inference once a job; a restart finds the digest in the journal.

        Raises ContentError, TensorError or RangeError where the input cannot be used.
        """
        key = self.context.key(job.id, RUN)
        step = self.context.journal.get_step(key)
        if step is not None and step.status is StepStatus.DONE:
            return Digest(bytes.fromhex(step.detail["digest"]))
        digest = self.publish_output(job.version, self.compute_output(job))
        self.context.journal.put_step(key, StepStatus.DONE, {"digest": digest.hex()})
        return digest

    def compute_output(self, job: Job) -> bytes:
        """Run the inference of a job; raises as `run_job` does."""
        model = self.load_version(job.version).model
        raw_input = self.read_input(job.version, self.context.get_terms(job.id).in_digest)
        return model.run(raw_input, self.context.settings.backend)

    def publish_output(self, version: VersionId, raw: bytes) -> Digest:
        """Put an output where its client looks for it and return its digest."""
        model = self.load_version(version).model
        return self.context.content.offer(raw, model.output_bits, model.output_shape)

    def publish_trace(self, book: TraceBook, own: OwnTrace) -> str:
        """Put a trace where whoever doubts the result looks for it, and return its URI."""
        return book.publish(own)

    def vouch(self, job_id: JobId, digest: Digest) -> None:
        """Sign the result for its client, after writing down that no other will ever be signed."""
        publish_receipt(self.context, job_id, digest)

    def publish_proof(self, job_id: JobId, key: StepKey, call: Call) -> None:
        """Send a proof that was found valid here."""
        is_cure = key.step.startswith(CURE + OF)
        self.send(job_id, key, call, "default-cured" if is_cure else "proof-accepted")

    def read_input(self, version: VersionId, digest: Digest) -> bytes:
        """Return a job's input from this operator's own copy, made before it accepts.

        Somebody who can delete from the shared folder must not be able to keep it from proving.
        """
        model = self.context.versions.reproduce(version).model
        bits, shape = model.input_bits, model.input_shape
        own = FolderStore(self.context.settings.home / INPUTS)
        try:
            raw = own.get(digest, bits, shape)
        except ContentError:
            raw = self.context.content.get(digest, bits, shape)
            own.put(raw, bits, shape)
        model.check_input(raw)
        return raw

    def load_version(self, version: VersionId) -> ReproducedVersion:
        """Return a version as this operator runs it, reproduced from its files."""
        return self.context.versions.reproduce(version)

    def list_promised_orders(self) -> tuple[VersionId, ...]:
        """Return the versions of signed orders that are being taken, and of open replicas."""
        return self._further.list_promised_orders()

    def choose_commitment(self, quorum: OpenQuorum, index: int, own: bytes) -> bytes | None:  # noqa: ARG002
        """Return what is committed for a replica: this worker's own blinded result."""
        return own

    def verify_before_sending(self, version: ReproducedVersion, evidence: Evidence) -> None:
        """Check the proof before anybody pays gas for it."""
        verify_evidence(version.model, evidence)

    def get_owner(self) -> Address | None:
        """Return the owner whose stake this worker's jobs lock."""
        return self._worker.get_owner()

    def may_take_jobs(self) -> bool:
        """Whether there is an owner to serve, and it is not in jail."""
        return self._worker.may_take_jobs()


def _is_open(job: Job, now: int) -> bool:
    if job.state is JobState.DISPUTED:
        return True
    has_window = job.state in (JobState.ASSIGNED, JobState.COMMITTED)
    return has_window and now <= max(job.deadline, job.deliver_by)


def _name_urgency(step: str) -> str:
    name = step.partition(OF)[0]
    return name if name in NOT_URGENT else ""
