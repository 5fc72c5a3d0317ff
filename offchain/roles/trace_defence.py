"""An asserter's moves in disputes over traces: post, reveal, and show what was pinned consistent.

Anybody who computes the same trace may reveal and show in the operator's place: so does an operator
that is set to rescue others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from offchain.chain.client import Call
from offchain.chain.contracts.pinpoint_types import (
    EMPTY,
    Phase,
    PinpointDispute,
    PostedTrace,
    Search,
)
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import (
    EvidenceError,
    EvidenceTooLarge,
    PlanMismatch,
    TraceError,
    WitnessError,
)
from offchain.roles.base import OF, Action
from offchain.roles.known_trace import KnownTrace
from offchain.roles.money import REQUEST_PROOF_GAS
from offchain.roles.pinned import read_claim, read_searched
from offchain.roles.pins import build_layer_end
from offchain.roles.rulings import Rulings
from offchain.roles.search_moves import (
    AsserterMove,
    Expand,
    Reveal,
    RevealLeaves,
    RevealOps,
    RevealTileRoot,
    answer_output,
    answer_trace,
)
from offchain.roles.trace_book import OwnTrace, TraceBook, get_granularity
from offchain.roles.trace_pace import is_slow, measure_trace
from offchain.roles.trace_turns import (
    RESOLVE,
    TIMEOUT,
    get_deadline,
    is_challengers_turn,
    is_trace_due,
    name_move,
    parse_id,
)
from offchain.submit.plans import VersionPlan
from offchain.trace.recorder import Granularity
from offchain.types import Job, JobId, JobState, ProtocolTime

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

POST_TRACE: Final = "post-trace"
ANSWER: Final = "reveal"
DEFEND: Final = "defend"
CURE_CLAIM: Final = "cure-claim"
PROVE_ALL: Final = "prove-all"
FINALISE_DEFENDED: Final = "finalise-defended"
DISPUTABLE: Final = (
    JobState.COMMITTED,
    JobState.DISPUTED,
    JobState.REJECTED,
    JobState.PROVEN,
    JobState.VOIDED,
)
STUCK: Final = "unanswerable-claim"  # journal step: a claim that only a whole proof answers
ANSWER_GAS: Final = 500_000  # of a dispute's answers, on an average


class TraceDefence:
    """Answers disputes over the traces of one operator's results, and of others' if so set."""

    def __init__(self, operator: Operator, book: TraceBook) -> None:
        self._operator = operator
        self._context = operator.context
        self._book = book
        self._rulings = Rulings(operator.context)

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            POST_TRACE: self.post_trace,
            ANSWER: self.answer,
            DEFEND: self.defend,
            CURE_CLAIM: self.cure,
            PROVE_ALL: self.prove_all,
            TIMEOUT: self.claim_timeout,
            RESOLVE: self.resolve,
            FINALISE_DEFENDED: self.finalise,
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

    def post_trace(self, job_id: JobId, key: StepKey) -> None:
        """Post the trace of a result, after its digests were put where everybody looks."""
        job = self._context.contracts.market.get_job(job_id)
        own = self._book.compute(job)
        granularity = Granularity(self._context.settings.granularity)
        is_op_granular = granularity is Granularity.OP
        last = len(own.plan.plan.layers) - 1
        call = self._book.game.build_post_trace(
            job_id,
            own.trace.root(granularity),
            is_op_granular,
            own.trace.op_roots[last] if is_op_granular else EMPTY,
            own.trace.tree(granularity).path(last),
            self._operator.publish_trace(self._book, own),
        )
        self._operator.send(job_id, key, call, "trace-posted", root=own.trace.root(granularity))

    def answer(self, job_id: JobId, key: StepKey) -> None:
        """Reveal what a search asks for."""
        job, dispute = self._read(job_id, key)
        state = self._book.find_state(job_id, dispute)
        if name_move(ANSWER, dispute) != key.step or state is None:
            return  # it has moved meanwhile, or the events lag behind the head
        own = self._book.compute(job)
        if not self._is_own_trace(own, job_id):
            self._context.give_up(key, "the trace that was posted is not the one computed here")
            return
        known = KnownTrace(own.trace, get_granularity(self._book.game.get_trace(job_id)))
        if state.context != EMPTY:
            op = read_searched(self._book, self._context, own, job, dispute)
            move = answer_output(own.tensors.get(op.name), state)
        else:
            is_expanded = any(self._book.game.get_op_root(job_id, state.layer))
            move = answer_trace(known, state, is_expanded)
        call = self._build(job_id, dispute, state, known, move)
        # Two of these answer one position: the key of a layer's expansion is its own.
        step = self._context.key(job_id, f"{key.step}{OF}{call.function}")
        self._operator.send(job_id, step, call, "revealed", move=call.function)

    def _build(
        self,
        job_id: JobId,
        dispute: PinpointDispute,
        state: Search,
        known: KnownTrace,
        move: AsserterMove,
    ) -> Call:
        game, who = self._book.game, str(dispute.challenger)
        if isinstance(move, Expand):
            return game.build_expand(job_id, build_layer_end(known, move.layer))
        if isinstance(move, Reveal):
            return game.build_reveal(job_id, who, state, move.words)
        if isinstance(move, RevealLeaves):
            return game.build_reveal_leaves(job_id, who, state, move.digests, move.op_roots)
        if isinstance(move, RevealOps):
            return game.build_reveal_ops(job_id, who, state, move.digests, move.op_digests)
        if isinstance(move, RevealTileRoot):
            return game.build_reveal_tile_root(job_id, who, state, move.root)
        return game.build_reveal_tile(job_id, who, state, move.tile)

    def _is_own_trace(self, own: OwnTrace, job_id: JobId) -> bool:
        posted = self._book.game.get_trace(job_id)
        return own.trace.root(get_granularity(posted)) == posted.root

    def defend(self, job_id: JobId, key: StepKey) -> None:
        """Show a pinned claim consistent, by whatever costs least."""
        self._decide(job_id, key, is_cure=False)

    def cure(self, job_id: JobId, key: StepKey) -> None:
        """Show it consistent after the default, within the airgap."""
        self._decide(job_id, key, is_cure=True)

    def _decide(self, job_id: JobId, key: StepKey, is_cure: bool) -> None:
        job, dispute = self._read(job_id, key)
        own = self._book.compute(job)
        claim = read_claim(self._book, self._context, job, dispute, own)
        if name_move(CURE_CLAIM if is_cure else DEFEND, dispute) != key.step or claim is None:
            return
        op = own.plan.plan.ops[claim.op]
        try:
            ruling = self._rulings.defend(own, op, claim)
        except EvidenceTooLarge as error:
            # Nothing smaller than a proof of the whole result answers this claim.
            self._context.journal.put_step(self._context.key(job_id, STUCK), StepStatus.DONE)
            self._context.give_up(key, str(error))
            return
        except (EvidenceError, TraceError, WitnessError) as error:
            self._context.give_up(key, str(error))
            return
        game = self._book.game
        build = game.build_cure if is_cure else game.build_adjudicate
        call = build(job_id, dispute.key, claim, [ruling])
        event = "default-cured" if is_cure else "claim-defended"
        self._operator.send(job_id, key, call, event, op=op.name, element=claim.elem)

    def prove_all(self, job_id: JobId, key: StepKey) -> None:
        """Begin the proof of the whole result, which ends every dispute about it."""
        job = self._context.contracts.market.get_job(job_id)
        call = self._context.contracts.game.build_request_proof(job_id, job.out_digest)
        self._operator.send(job_id, key, call, "proof-requested")

    def claim_timeout(self, job_id: JobId, key: StepKey) -> None:
        """End a dispute whose challenger was silent."""
        call = self._book.game.build_claim_timeout(job_id, self._read(job_id, key)[1].key)
        self._operator.send(job_id, key, call, "timeout-claimed")

    def resolve(self, job_id: JobId, key: StepKey) -> None:
        """End a dispute whose job was settled otherwise."""
        call = self._book.game.build_resolve(job_id, self._read(job_id, key)[1].key)
        self._operator.send(job_id, key, call, "dispute-resolved")

    def finalise(self, job_id: JobId, key: StepKey) -> None:
        """Collect the fee of a result that withstood every dispute."""
        call = self._book.game.build_finalise_defended(job_id)
        self._operator.send(job_id, key, call, "job-finalised")

    def _read(self, job_id: JobId, key: StepKey) -> tuple[Job, PinpointDispute]:
        job = self._context.contracts.market.get_job(job_id)
        return job, self._book.find_dispute(job_id, parse_id(key.step))
