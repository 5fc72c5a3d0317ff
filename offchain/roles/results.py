"""What a client does about a result: recompute it, fetch its bytes, have them delivered."""

from __future__ import annotations

from typing import Final

from offchain.chain.journal import Step, StepKey, StepStatus
from offchain.errors import ContentError
from offchain.roles.base import BaseRole
from offchain.roles.disputes import name_step
from offchain.submit.models import Model
from offchain.types import ETH, Job, JobId

VERIFY: Final = "verify"
REQUEST_DELIVERY: Final = "request-delivery"
# An output that cannot be fetched is waited for until so much of the window is left.
REQUEST_PART: Final = 2


class ResultMoves:
    """Checks the result of one client's job."""

    def __init__(self, role: BaseRole, raw_input: bytes, verify_locally: bool) -> None:
        self._role = role
        self._context = role.context
        self._raw_input = raw_input
        self._verify_locally = verify_locally

    def choose_check(self, job: Job) -> str | None:
        """Return the check of the committed result, unless it was made."""
        if not self._verify_locally:
            return None
        checked = self._get_check(job)
        is_due = checked is None or checked.status is StepStatus.BEGUN
        return name_step(VERIFY, job) if is_due else None

    def is_wrong(self, job: Job) -> bool:
        """Whether the committed result was found to be another than this client's own."""
        checked = self._get_check(job)
        return checked is not None and checked.detail.get("agrees") is False

    def choose_delivery(self, job: Job, now: int) -> str | None:
        """Return the request for the output's bytes, where they are wanted and cannot be had."""
        context = self._context
        if not context.settings.request_delivery or job.deliver_by:
            return None
        left = job.deadline - now
        if left > context.parameters.challenge_seconds // REQUEST_PART:
            return None  # they may come yet
        return None if self._has_output(job) else REQUEST_DELIVERY

    def verify(self, job_id: JobId, key: StepKey) -> None:
        """Recompute the result on the reference path and compare digests."""
        context = self._context
        job = context.contracts.market.get_job(job_id)
        if name_step(VERIFY, job) != key.step:
            return  # reorganised away: the next tick looks at what is there now
        model = context.versions.reproduce(job.version).model
        expected = context.content.offer(
            model.run(self._raw_input, "numpy"), model.output_bits, model.output_shape
        )
        raw = self._fetch(job, model)
        facts = {
            "agrees": expected == job.out_digest,
            "label": None if raw is None else model.decide(raw),
        }
        context.journal.put_step(key, StepStatus.DONE, facts)
        context.log.event("result-checked", job=job_id, **facts)

    def request_delivery(self, job_id: JobId, key: StepKey) -> None:
        """Pay for the output's bytes on chain; the payment comes back if they do not come."""
        context = self._context
        job = context.contracts.market.get_job(job_id)
        payment = context.contracts.market.compute_delivery_payment(job_id)
        # The price moves with the base fee; more than it is part of the payment.
        value = 2 * payment if job.token == ETH else 0
        call = context.contracts.market.build_request_delivery(job_id, value)
        self._role.send(job_id, key, call, "delivery-requested", payment=value or payment)

    def _has_output(self, job: Job) -> bool:
        model = self._context.versions.reproduce(job.version).model
        return self._fetch(job, model) is not None

    def _fetch(self, job: Job, model: Model) -> bytes | None:
        """Return the committed output's bytes from the shared folder or the chain, if they are."""
        content = self._context.content
        try:
            return content.get(job.out_digest, model.output_bits, model.output_shape)
        except ContentError:
            pass  # perhaps they were delivered on chain
        for event in self._context.cursor.get_events("OutputDelivered", job.id):
            raw: bytes = event.arguments["output"]
            try:
                if content.offer(raw, model.output_bits, model.output_shape) == job.out_digest:
                    return raw
            except ContentError:
                continue
        return None

    def _get_check(self, job: Job) -> Step | None:
        key = self._context.key(job.id, name_step(VERIFY, job))
        return self._context.journal.get_step(key)
