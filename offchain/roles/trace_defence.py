"""What disputes over traces ask of an asserter: of a result's operator, or of who rescues others'.

Anybody who computes the same trace may reveal and show in the operator's place: so does an operator
that is set to rescue others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from offchain.chain.contracts.pinpoint_types import (
    Phase,
    PinpointDispute,
    PostedTrace,
)
from offchain.errors import (
    PlanMismatch,
)
from offchain.roles.base import Action
from offchain.roles.money import REQUEST_PROOF_GAS
from offchain.roles.trace_answers import STUCK, TraceAnswers
from offchain.roles.trace_book import TraceBook
from offchain.roles.trace_pace import is_slow, measure_trace
from offchain.roles.trace_turns import (
    ANSWER,
    CURE_CLAIM,
    DEFEND,
    RESOLVE,
    TIMEOUT,
    get_deadline,
    is_challengers_turn,
    is_trace_due,
    name_move,
)
from offchain.submit.plans import VersionPlan
from offchain.types import Job, JobState, ProtocolTime

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

POST_TRACE: Final = "post-trace"
PROVE_ALL: Final = "prove-all"
FINALISE_DEFENDED: Final = "finalise-defended"
DISPUTABLE: Final = (
    JobState.COMMITTED,
    JobState.DISPUTED,
    JobState.REJECTED,
    JobState.PROVEN,
    JobState.VOIDED,
)
ANSWER_GAS: Final = 500_000  # of a dispute's answers, on an average


class TraceDefence:
    """Answers disputes over the traces of one operator's results, and of others' if so set."""

    def __init__(self, operator: Operator, book: TraceBook) -> None:
        self._operator = operator
        self._context = operator.context
        self._book = book
        self._answers = TraceAnswers(operator, book)

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            POST_TRACE: self._answers.post_trace,
            ANSWER: self._answers.answer,
            DEFEND: self._answers.defend,
            CURE_CLAIM: self._answers.cure,
            PROVE_ALL: self._answers.prove_all,
            TIMEOUT: self._answers.claim_timeout,
            RESOLVE: self._answers.resolve,
            FINALISE_DEFENDED: self._answers.finalise,
        }

    # What is due

    def choose_moves(self, job: Job, time: ProtocolTime) -> tuple[str, ...]:
        """Return what the disputes over a job's trace ask of its operator, or of a rescuer."""
        is_own = self._operator.is_party(job)
        if not is_own and not self._context.settings.rescue:
            return ()
        if job.state not in DISPUTABLE:
            return ()
        if job.state is JobState.COMMITTED:
            return self._choose_voluntary(job, time) if is_own else ()
        disputes = self._book.list_disputes(job.id)
        if not disputes:
            return ()
        posted = self._book.game.get_trace(job.id)
        steps = [self._choose(job, d, posted, time, is_own) for d in disputes]
        if is_own and job.state is JobState.DISPUTED and not time.is_refund_mode:
            steps.append(self._choose_end(job, disputes, time))
        return tuple(dict.fromkeys(step for step in steps if step is not None))

    def may_cure(self, job: Job, now: int) -> bool:
        """Whether showing one claim consistent cures the default: that is cheaper than a proof."""
        if job.state is not JobState.REJECTED or now > job.deadline:
            return False
        given_up = self._context.journal.is_given_up
        return any(
            d.phase is Phase.DEFAULT
            and any(d.head)
            and not given_up(self._context.key(job.id, name_move(CURE_CLAIM, d)))
            for d in self._book.list_disputes(job.id)
        )

    def _choose_voluntary(self, job: Job, time: ProtocolTime) -> tuple[str, ...]:
        context = self._context
        if time.now > job.deadline or time.is_refund_mode or job.proof_required:
            return ()
        if not (context.settings.post_traces or is_slow(context, job.version)):
            return ()
        if self._book.game.get_trace(job.id).is_posted or self._find_plan(job) is None:
            return ()
        return (POST_TRACE,)

    def _choose(
        self,
        job: Job,
        dispute: PinpointDispute,
        posted: PostedTrace,
        time: ProtocolTime,
        is_own: bool,
    ) -> str | None:
        if dispute.phase is Phase.DEFAULT:
            return self._choose_cure(job, dispute, time) if is_own else None
        if not dispute.phase.is_open:
            return None
        if job.state is not JobState.DISPUTED or time.is_refund_mode:
            return name_move(RESOLVE, dispute) if is_own else None
        is_over = time.now > get_deadline(self._book.game, dispute, posted)
        if is_challengers_turn(dispute, posted):
            return name_move(TIMEOUT, dispute) if is_over and is_own else None
        return None if is_over else self._choose_answer(dispute, posted, is_own)

    def _choose_cure(self, job: Job, dispute: PinpointDispute, time: ProtocolTime) -> str | None:
        """Return the cure of a claim that went undecided; a full proof cures any other default."""
        may_cure = job.state is JobState.REJECTED and time.now <= job.deadline
        return name_move(CURE_CLAIM, dispute) if may_cure and any(dispute.head) else None

    def _choose_answer(
        self, dispute: PinpointDispute, posted: PostedTrace, is_own: bool
    ) -> str | None:
        if is_trace_due(dispute, posted):
            return POST_TRACE if is_own and not posted.is_posted else None
        return name_move(DEFEND if dispute.phase is Phase.LEAF else ANSWER, dispute)

    def _choose_end(
        self, job: Job, disputes: Sequence[PinpointDispute], time: ProtocolTime
    ) -> str | None:
        is_proving = self._context.contracts.game.get_dispute_of(job.id) is not None
        count = sum(dispute.phase.is_open for dispute in disputes)
        if is_proving:
            return None
        if count == 0:
            # An output that is due may still come.
            until = max(job.deadline, job.deliver_by)
            return FINALISE_DEFENDED if time.now > until else None
        if self._context.journal.is_done(self._context.key(job.id, STUCK)):
            return PROVE_ALL
        version = self._context.versions.reproduce(job.version).version
        return PROVE_ALL if count * ANSWER_GAS > version.proof_gas + REQUEST_PROOF_GAS else None

    def _find_plan(self, job: Job) -> VersionPlan | None:
        try:
            return self._book.find_plan(job)
        except PlanMismatch:
            return None

    # What is done

    def prepare(self, job: Job) -> None:
        """Before a result is committed, compute its trace if that takes long: it may be asked for.

        Raises as the input does.
        """
        plan = None if job.proof_required else self._find_plan(job)
        if plan is None:
            return
        measure_trace(self._context, self._context.versions.reproduce(job.version), plan)
        if is_slow(self._context, job.version):
            self._book.compute(job)
