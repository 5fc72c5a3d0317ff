"""An operator's transactions about jobs of its own: taking one, and what it asks for afterwards."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from offchain.chain.client import Call
from offchain.chain.journal import StepKey
from offchain.commit.digest import as_matrix
from offchain.errors import ContentError, ContractRevert, ModelMissing, NoSuchJob
from offchain.roles.base import REFUSALS
from offchain.roles.intake import find_obstacle, hold_intake, verify_wanted
from offchain.roles.plan_checks import verify_defensible
from offchain.roles.trace_pace import is_measured
from offchain.submit.versions import ReproducedVersion, check_provable
from offchain.types import JobId, JobTerms

if TYPE_CHECKING:
    from offchain.roles.operator import Operator


class JobMoves:
    """Sends them for one operator."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context

    def accept(self, job_id: JobId, key: StepKey) -> None:
        """Accept what could be proven in time: version reproduced, input in range, not too much."""
        job = self._context.contracts.market.get_job(job_id)
        try:
            terms = self._context.get_terms(job_id)
            verify_wanted(terms, self._context.settings)
            version = self._context.versions.reproduce(job.version)
            check_provable(
                version.version, version.model, self._context.client.get_block_gas_limit()
            )
            if not is_measured(self._context, job.version):
                # Measuring takes a reference run: not for a job that is not taken anyway.
                obstacle = find_obstacle(self._operator, terms, version)
                if obstacle is not None:
                    self._context.put_off(key, obstacle)
                    return
            verify_defensible(self._context, job.version)
            self._operator.read_input(job.version, terms.in_digest)
        except (ContentError, NoSuchJob, ModelMissing) as error:
            self._context.put_off(key, str(error))  # it may come while the job is open
            return
        except REFUSALS as error:
            self._context.give_up(key, str(error))
            return
        call = self._context.contracts.market.build_accept_job(job_id)
        if not self._may_take(key, terms, version, call):
            return
        self._operator.send(job_id, key, call, "job-accepted", version=version.version.id)

    def _may_take(
        self, key: StepKey, terms: JobTerms, version: ReproducedVersion, call: Call
    ) -> bool:
        """Decide on a job and send the acceptance; waiting for the block is left to `send`.

        One decision at a time: two at once would count on the same room.
        """
        context = self._context
        with hold_intake(context):
            if context.submitter.is_under_way(key):
                return True  # decided before
            obstacle = find_obstacle(self._operator, terms, version)
            if obstacle is not None:
                context.put_off(key, obstacle)
                return False
            with suppress(ContractRevert):  # `send` finds out whether that is anything wrong
                context.submitter.begin(key, call)
        return True

    def refuse(self, job_id: JobId, key: StepKey) -> None:
        """Give a job back whose input cannot be used."""
        call = self._context.contracts.market.build_reject_job(job_id)
        self._operator.send(job_id, key, call, "job-refused")

    def deliver(self, job_id: JobId, key: StepKey) -> None:
        """Post the output that the client asked for, recomputed from the input."""
        job = self._context.contracts.market.get_job(job_id)
        model = self._operator.load_version(job.version).model
        shape, raw = as_matrix(model.output_shape), self._operator.compute_output(job)
        call = self._context.contracts.market.build_deliver_output(
            job_id, model.output_bits // 8, shape, raw
        )
        self._operator.send(job_id, key, call, "output-delivered")

    def request_proof(self, job_id: JobId, key: StepKey) -> None:
        """Begin the proof that a job itself demands."""
        job = self._context.contracts.market.get_job(job_id)
        call = self._context.contracts.game.build_request_proof(job_id, job.out_digest)
        self._operator.send(job_id, key, call, "proof-requested")

    def finalise(self, job_id: JobId, key: StepKey) -> None:
        """Collect the fee of a result that nobody challenged."""
        call = self._context.contracts.market.build_finalise(job_id)
        self._operator.send(job_id, key, call, "job-finalised")

    def fail(self, job_id: JobId, key: StepKey) -> None:
        """Fetch the lock of an own miss back that nobody closed."""
        call = self._context.contracts.market.build_fail_job(job_id)
        self._operator.send(job_id, key, call, "own-miss-closed")
