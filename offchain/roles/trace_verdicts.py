"""How a challenger's disputes over traces end: shown inconsistent, by silence, or otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offchain.chain.contracts.pinpoint_types import WHOLE, PinClaim, PinpointDispute, Ruling
from offchain.chain.journal import StepKey
from offchain.errors import EvidenceError, EvidenceTooLarge, TraceError, WitnessError
from offchain.roles.differences import compare_output
from offchain.roles.pinned import read_claim
from offchain.roles.rulings import Rulings
from offchain.roles.trace_book import OwnTrace, TraceBook
from offchain.roles.trace_turns import RULE, name_move, parse_id
from offchain.trace.plan import TraceOp
from offchain.trace.tensors import Opened, TiledTensor
from offchain.types import Job, JobId, Verdict

if TYPE_CHECKING:
    from offchain.roles.base import BaseRole


class TraceVerdicts:
    """Ends one account's disputes."""

    def __init__(self, role: BaseRole, book: TraceBook) -> None:
        self._role = role
        self._context = role.context
        self._book = book
        self._rulings = Rulings(role.context)

    def rule(self, job_id: JobId, key: StepKey) -> None:
        """Show a pinned claim inconsistent, where that can be shown from here."""
        job, dispute = self._read(job_id, key)
        claim = read_claim(self._book, self._context, job, dispute)
        if name_move(RULE, dispute) != key.step or claim is None:
            return  # it is decided, or the events lag behind the head
        own = self._book.compute(job)
        op = own.plan.plan.ops[claim.op]
        try:
            ruling = self._refute(own, job, dispute, op, claim)
        except (EvidenceError, EvidenceTooLarge, TraceError, WitnessError) as error:
            self._context.give_up(key, str(error))  # the asserter shows it, or defaults
            return
        call = self._book.game.build_adjudicate(job_id, dispute.key, claim, [ruling])
        self._role.send(job_id, key, call, "fraud-shown", op=op.name, element=claim.elem)

    def _refute(
        self, own: OwnTrace, job: Job, dispute: PinpointDispute, op: TraceOp, claim: PinClaim
    ) -> Ruling:
        """Return evidence that a claim is inconsistent: one element, or a proof of the operator."""
        if claim.out_digest == own.trace.digests[op.index]:
            raise EvidenceError("the claim is what is computed here, too")
        try:
            output = self._find_output(own, job, dispute, op, claim.out_digest)
            element = claim.elem
            if claim.elem == WHOLE and isinstance(output, TiledTensor):
                element = compare_output(own, op, output)
            expected = Verdict.INCONSISTENT
            return self._rulings.build_element(own, op, claim, element, expected, output)
        except (EvidenceTooLarge, TraceError):
            if claim.elem != WHOLE:
                raise
        return self._rulings.attack(own, op, claim)

    def _find_output(
        self, own: OwnTrace, job: Job, dispute: PinpointDispute, op: TraceOp, digest: bytes
    ) -> Opened:
        """Return the output as it is claimed: its bytes, or the tile that a search revealed."""
        theirs = self._book.fetch_output(op, digest)
        if theirs is not None:
            return theirs
        return self._book.learn_output(own, job.id, dispute, op).open_tile()

    def claim_timeout(self, job_id: JobId, key: StepKey) -> None:
        """End a dispute whose other side was silent."""
        call = self._book.game.build_claim_timeout(job_id, self._read(job_id, key)[1].key)
        self._role.send(job_id, key, call, "timeout-claimed")

    def resolve(self, job_id: JobId, key: StepKey) -> None:
        """End a dispute whose job was settled otherwise; bonds go where they belong."""
        call = self._book.game.build_resolve(job_id, self._read(job_id, key)[1].key)
        self._role.send(job_id, key, call, "dispute-resolved")

    def void_held(self, job_id: JobId, key: StepKey) -> None:
        """In the refund mode, give everybody the money of a held job back."""
        call = self._book.game.build_void_held(job_id)
        self._role.send(job_id, key, call, "job-voided")

    def _read(self, job_id: JobId, key: StepKey) -> tuple[Job, PinpointDispute]:
        job = self._context.contracts.market.get_job(job_id)
        return job, self._book.find_dispute(job_id, parse_id(key.step))
