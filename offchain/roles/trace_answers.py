"""An asserter's moves in disputes over traces: post, reveal, show what was pinned consistent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from offchain.chain.client import Call
from offchain.chain.contracts.pinpoint_types import EMPTY, PinpointDispute, Search
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import EvidenceError, EvidenceTooLarge, TraceError, WitnessError
from offchain.roles.base import OF
from offchain.roles.known_trace import KnownTrace
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
from offchain.roles.trace_turns import ANSWER, CURE_CLAIM, DEFEND, name_move, parse_id
from offchain.trace.recorder import Granularity
from offchain.types import Job, JobId

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

STUCK: Final = "unanswerable-claim"  # journal step: a claim that only a whole proof answers


class TraceAnswers:
    """Makes them for one operator."""

    def __init__(self, operator: Operator, book: TraceBook) -> None:
        self._operator = operator
        self._context = operator.context
        self._book = book
        self._rulings = Rulings(operator.context)

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
