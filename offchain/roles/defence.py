"""An operator's answer to a challenge: a proof before the deadline, or within the airgap a cure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from threading import Lock
from typing import TYPE_CHECKING, Final

from offchain.chain.client import Call
from offchain.chain.job_ids import to_job_id
from offchain.chain.journal import StepKey
from offchain.errors import ProofError
from offchain.roles.base import OF
from offchain.submit.proofs import (
    Evidence,
    build_statement,
    forget_proof,
    prove_dispute,
    verify_statement,
)
from offchain.types import Address, Dispute, DisputeState, Job, JobId, JobState, JobTerms

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

PROVE: Final = "prove"
CURE: Final = "cure"
PRESSING_PART: Final = 4  # of the least time that a challenge gives
BuildCall = Callable[[JobId, JobTerms, bytes, bytes, bytes], Call]


class DefenceMoves:
    """Proves challenged results of one operator."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context
        # One after the other, as intake counts on: side by side the first would be late, too.
        self._proving = Lock()

    def choose_step(self, job: Job, now: int) -> str | None:
        """Return the proof that a job's dispute asks for while it can still count.

        Keyed by the seed: a challenge that a reorganisation replaced is proven again.
        """
        if job.state not in (JobState.DISPUTED, JobState.REJECTED):
            return None
        dispute = self._context.contracts.game.get_dispute_of(job.id)
        if dispute is None:
            return None
        if dispute.is_open and now <= dispute.prove_until:
            return PROVE + OF + dispute.challenge_seed.hex()
        if dispute.state is DisputeState.DEFAULT and now <= job.deadline:
            return CURE + OF + dispute.challenge_seed.hex()
        return None

    def prove(self, job_id: JobId, key: StepKey) -> None:
        """Answer a challenge: prove in a child process, check the proof, publish it."""
        self._answer(job_id, key, self._context.contracts.game.build_prove)

    def cure(self, job_id: JobId, key: StepKey) -> None:
        """Prove after a default: the result stays rejected, most of the lock comes back."""
        self._answer(job_id, key, self._context.contracts.game.build_cure)

    def _answer(self, job_id: JobId, key: StepKey, build: BuildCall) -> None:
        dispute = self._context.contracts.game.get_dispute_of(job_id)
        if dispute is None or not (self._is_confirmed(dispute) or self._is_pressing(dispute)):
            return  # a later tick comes back; a reorganised challenge is proven again
        if not key.step.endswith(OF + dispute.challenge_seed.hex()):
            return  # another challenge: the tick hands out its own step
        job = self._context.contracts.market.get_job(job_id)
        terms = self._context.get_terms(job_id)
        evidence = self._get_evidence(job, terms, dispute)
        call = build(job_id, terms, evidence.raw_input, evidence.raw_output, evidence.proof)
        self._operator.publish_proof(job_id, key, call)

    def _get_evidence(self, job: Job, terms: JobTerms, dispute: Dispute) -> Evidence:
        """Run again, prove unless that was done, and check before anybody pays gas for it."""
        context = self._context
        prover = Address(context.submitter.account)
        version = self._operator.load_version(job.version)
        statement = build_statement(
            version,
            job,
            terms,
            dispute,
            chain_id=context.client.chain_id,
            market=context.contracts.market.address,
            prover=prover,
        )
        verify_statement(statement, context.contracts.game.get_statement(job.id, terms, prover))
        raw_input = self._operator.read_input(job.version, terms.in_digest)
        with self._proving:
            evidence = prove_dispute(
                context.journal, context.settings, statement, version.model, raw_input
            )
        if evidence.run is not None:
            context.log.event("proof-made", job=job.id, **asdict(evidence.run))
        try:
            self._operator.verify_before_sending(version, evidence)
        except ProofError:
            if evidence.run is None:
                forget_proof(context.settings, statement)  # damaged: the next try makes another
            raise
        return evidence

    def _is_pressing(self, dispute: Dispute) -> bool:
        """Whether so little time is left that the head has to do.

        A proof in vain costs some computing, silence the lock: nodes that disagree or keep logs to
        themselves must not hold one up until it is too late.
        """
        left = dispute.prove_until - self._context.contracts.market.get_time().now
        return left < self._context.parameters.prove_seconds // PRESSING_PART

    def _is_confirmed(self, dispute: Dispute) -> bool:
        """Whether the challenge is in a block that the cursor has passed."""
        events = self._context.cursor.get_events("ResultChallenged", dispute.job)
        return any(
            to_job_id(event.arguments["jobId"]) == dispute.job
            and event.arguments["challengeSeed"] == dispute.challenge_seed
            for event in events
        )
