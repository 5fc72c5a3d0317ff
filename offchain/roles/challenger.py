"""The challenger: recompute every committed result, object where it differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import ContentError, ModelMissing, NoSuchJob
from offchain.roles.audit_moves import AuditMoves
from offchain.roles.base import REFUSALS, Action, BaseRole
from offchain.roles.batch_checks import CHALLENGE_RESULT, CHECK_BATCH, BatchWatch
from offchain.roles.context import Context
from offchain.roles.disputes import CHALLENGE, CLAIM_DEFAULT, DisputeMoves, name_step
from offchain.roles.inputs import InputCopies
from offchain.roles.plan_checks import warn_of_plan
from offchain.roles.quorum_book import QUORUM, name_quorum, parse_quorum
from offchain.roles.quorum_watch import CHALLENGE_REPLICA, EXTRACT, QuorumWatch
from offchain.roles.trace_book import TraceBook
from offchain.roles.trace_challenge import PINPOINT, TraceMoves
from offchain.types import Dispute, Job, JobId, JobState, ProtocolTime

CHECK: Final = "check"


class Challenger(BaseRole):
    """Watches all jobs. A result that could not be reproduced here is never challenged."""

    BONDED: ClassVar[frozenset[str]] = frozenset(
        {CHALLENGE, CHALLENGE_RESULT, PINPOINT, EXTRACT, CHALLENGE_REPLICA}
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._moves = DisputeMoves(self)
        self._batches = BatchWatch(self)
        self._audits = AuditMoves(self)
        self._inputs = InputCopies(context)
        self._quorums = QuorumWatch(
            self, lambda version: context.versions.reproduce(version).model, self._inputs.fetch
        )
        self._traces = TraceMoves(
            self,
            TraceBook(
                context,
                lambda job: context.versions.reproduce(job.version).model,
                self._inputs.read,
            ),
        )

    @property
    def own_actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            CHECK: self._check,
            CHALLENGE: self._moves.challenge,
            CLAIM_DEFAULT: self._moves.claim_default,
            CHECK_BATCH: self._batches.check,
            CHALLENGE_RESULT: self._batches.challenge,
            **self._audits.actions,
            **self._quorums.actions,
            **self._traces.actions,
        }

    def compute_job_steps(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return what live jobs, open batches and watched quorums ask for."""
        due = super().compute_job_steps(time)
        if not time.is_running:
            return due
        batches, quorums = self._batches.compute_steps(time.now), self._watch_quorums(time.now)
        return (*due, *self.drop_if_stale((*batches, *quorums)))

    def _watch_quorums(self, now: int) -> tuple[StepKey, ...]:
        if not self.context.settings.watch_quorums:
            return ()
        return tuple(
            self.context.key(name_quorum(quorum.id), step)
            for quorum in self.context.read_quorums()
            for step in self._quorums.choose(quorum, now)
        )

    def is_still_asked(self, key: StepKey) -> bool:
        """Whether a refused challenge to a batch's result, or to a replica, is still possible."""
        if key.job.startswith(QUORUM):
            quorum = self.context.quorums.find(parse_quorum(key.job))
            now = self.context.contracts.market.get_time().now
            return quorum is not None and key.step in self._quorums.choose(quorum, now)
        return self._batches.is_still_asked(key)

    def is_party(self, job: Job) -> bool:
        """Whether this account challenges the job."""
        if job.state is JobState.DISPUTED and self._traces.is_challenging(job.id):
            return True
        in_dispute = job.state in (JobState.DISPUTED, JobState.REJECTED)
        return in_dispute and self._moves.is_challenging(job.id)

    def choose_moves(self, job: Job, time: ProtocolTime) -> tuple[str, ...]:
        """Return what this account's disputes over the job's trace, and its audit, ask of it."""
        moves = self._traces.choose_moves(job, time)
        if not self.context.settings.audit or not time.is_running:
            return moves
        audit = self._audits.choose(job, time.now)
        return moves if audit is None else (*moves, audit)

    def choose_step(self, job: Job, now: int) -> str | None:
        """Return the one step that the job's state asks of its challenger, if any."""
        if job.state is JobState.COMMITTED and now <= job.deadline:
            return self._choose_objection(job, now)
        if job.state is JobState.DISPUTED:
            return self._choose_in_dispute(job, now)
        return self.choose_distribution(job, now)

    def _choose_in_dispute(self, job: Job, now: int) -> str | None:
        dispute = self._moves.get_open_dispute(job)
        if dispute is None:
            # Held by disputes over its trace alone: whoever finds it wrong has one of its own.
            is_late = now > job.deadline or self._traces.is_challenging(job.id)
            return None if is_late else self._choose_objection(job, now)
        if self._moves.is_challenging(job.id):
            return CLAIM_DEFAULT if now > dispute.prove_until else None
        return self._choose_objection(job, now, dispute)

    def _choose_objection(self, job: Job, now: int, dispute: Dispute | None = None) -> str | None:
        check = name_step(CHECK, job)
        checked = self.context.journal.get_step(self.context.key(job.id, check))
        if checked is None or checked.status is StepStatus.BEGUN:
            return check
        if checked.status is StepStatus.GIVEN_UP:
            return None
        # Others' disputes are shared only against results that were found wrong.
        to_all = self.context.settings.challenge_always and dispute is None
        if not (checked.detail.get("differs") or to_all):
            return None
        if dispute is not None:
            may_join = self._moves.may_join(dispute, job, now)
            return name_step(CHALLENGE, job) if may_join else None
        if self._traces.may_open(job):
            return self._traces.choose_opening(job, now)
        return None if self.context.settings.game == "pinpoint" else name_step(CHALLENGE, job)

    def _check(self, job_id: JobId, key: StepKey) -> None:
        """Recompute on the CPU reference: a challenge never rests on a fast path alone."""
        job = self.context.contracts.market.get_job(job_id)
        if name_step(CHECK, job) != key.step or self.context.journal.is_done(key):
            return  # reorganised away: the next tick looks at what is there now
        try:
            version = self.context.versions.reproduce(job.version)
            warn_of_plan(self.context, version)
            model = version.model
            raw = self._inputs.read(job)
            model.check_input(raw)
        except (ContentError, NoSuchJob, ModelMissing) as error:
            # It may come while the window is open; the tick asks again as long as it is.
            self.context.put_off(key, str(error))
            return
        except REFUSALS as error:
            self.context.give_up(key, str(error))
            return
        expected = self.context.content.offer(
            model.run(raw, "numpy"), model.output_bits, model.output_shape
        )
        differs = expected != job.out_digest
        self.context.journal.put_step(key, StepStatus.DONE, {"differs": differs})
        self.log.event("result-recomputed", job=job_id, differs=differs)
