"""The client: check the version, escrow, wait, verify the result locally, collect refunds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import ContentError, ContractRevert
from offchain.roles.base import Action, BaseRole
from offchain.roles.context import Context
from offchain.roles.disputes import CHALLENGE, CLAIM_DEFAULT, DisputeMoves, name_step
from offchain.types import Digest, Job, JobId, JobState, VersionId, Wei

CREATE: Final = "create"
VERIFY: Final = "verify"
EXPIRE: Final = "expire"
FAIL: Final = "fail"


@dataclass(frozen=True)
class Request:
    """What a client asks for; `name` makes submitting it twice one job."""

    name: str
    version: VersionId
    raw_input: bytes
    fee_wei: Wei


class Client(BaseRole):
    """Follows its own job from escrow to the last wei of credit."""

    def __init__(
        self,
        context: Context,
        request: Request,
        verify_locally: bool = True,
        may_challenge: bool = False,
    ) -> None:
        super().__init__(context)
        self._request = request
        self._verify_locally = verify_locally
        self._may_challenge = may_challenge
        self._moves = DisputeMoves(context)

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            VERIFY: self._verify,
            EXPIRE: self._expire,
            FAIL: self._fail,
            CHALLENGE: self._moves.challenge,
            CLAIM_DEFAULT: self._moves.claim_default,
        }

    def get_job_id(self) -> JobId | None:
        """Return the job of this request once its creation was mined."""
        step = self.context.journal.get_step(self.context.key(self._request.name, CREATE))
        if step is None or step.status is not StepStatus.DONE:
            return None
        return JobId(int(step.detail["job"]))

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return the one step that the job's state asks of its client."""
        job_id = self.get_job_id()
        if job_id is None:
            return (self.context.key(self._request.name, CREATE),)
        try:
            job = self.context.contracts.market.get_job(job_id)
        except ContractRevert:  # a reorganisation took the creation with it
            return (self.context.key(self._request.name, CREATE),)
        if not self._is_mine(job):
            return (self.context.key(self._request.name, CREATE),)
        step = self.choose_step(job, self.context.client.get_head().timestamp)
        due = () if step is None else (self.context.key(job_id, step),)
        return (
            *(key for key in due if not self.context.journal.is_given_up(key)),
            *self.compute_withdrawal_steps(),
        )

    def is_finished(self) -> bool:
        """Whether the job is closed and nothing in the vault belongs to this client."""
        job_id = self.get_job_id()
        if job_id is None:
            return False
        job = self.context.contracts.market.get_job(job_id)
        account = self.context.contracts.vault.get_account(self.context.submitter.account)
        return job.state.is_terminal and account.credit_wei + account.held_wei == 0

    def compute_withdrawal_steps(self) -> tuple[StepKey, ...]:
        """Return the withdrawal once everything is ripe: one transaction takes it all."""
        vault = self.context.contracts.vault
        account = vault.get_account(self.context.submitter.account)
        ripe = vault.get_withdrawable(self.context.submitter.account)
        is_all_ripe = ripe == account.credit_wei + account.held_wei
        return super().compute_withdrawal_steps() if is_all_ripe else ()

    def describe(self) -> Mapping[str, Any]:
        """Return what is known of the job, for people and scripts."""
        job_id = self.get_job_id()
        if job_id is None:
            return {"request": self._request.name, "state": "NOT CREATED"}
        job = self.context.contracts.market.get_job(job_id)
        checked = self.context.journal.get_step(self.context.key(job_id, name_step(VERIFY, job)))
        return {
            "request": self._request.name,
            "job": int(job_id),
            "state": job.state.name,
            "out_digest": "0x" + job.out_digest.hex(),
            **({} if checked is None else checked.detail),
        }

    def perform(self, key: StepKey) -> None:
        """Do one step; creation is keyed by the request, everything else by the job."""
        if key.step == CREATE:
            self._create(key)
        else:
            super().perform(key)

    def _is_mine(self, job: Job) -> bool:
        """Whether the number still names this request's job: a reorganisation can give it away."""
        is_own = str(job.client).lower() == str(self.context.submitter.account).lower()
        return is_own and job.version == self._request.version

    def choose_step(self, job: Job, now: int) -> str | None:
        """Return the one step that the job's state asks of its client, if any."""
        if job.state is JobState.OPEN and now > job.deadline:
            return EXPIRE
        if job.state is JobState.ASSIGNED and now > job.deadline:
            return FAIL
        if job.state in (JobState.COMMITTED, JobState.FINAL, JobState.PROVEN):
            verify = name_step(VERIFY, job)
            checked = self.context.journal.get_step(self.context.key(job.id, verify))
            if self._verify_locally and (checked is None or checked.status is StepStatus.BEGUN):
                return verify
            is_wrong = checked is not None and checked.detail["agrees"] is False
            is_open = job.state is JobState.COMMITTED and now <= job.deadline
            is_due = is_wrong and is_open and self._may_challenge
            return name_step(CHALLENGE, job) if is_due else None
        if job.state is JobState.DISPUTED:
            dispute = self._moves.get_own_dispute(job.id)
            return CLAIM_DEFAULT if dispute is not None and now > dispute.prove_until else None
        return None

    def _create(self, key: StepKey) -> None:
        """Escrow the fee, after the version was reproduced and the input checked."""
        model = self.context.versions.reproduce(self._request.version).model
        raw = self._request.raw_input
        model.check_input(raw)
        digest = self.context.content.put(raw, model.input_bits, model.input_shape)
        call = self.context.contracts.market.build_create_job(
            self._request.version, digest, self._request.fee_wei, digest.hex()
        )
        receipt = self.context.submitter.submit(key, call)
        job_id = self.context.contracts.market.find_created_job(receipt)
        self.context.journal.put_step(key, StepStatus.DONE, {"job": int(job_id)})
        self.log.event("job-created", job=job_id, fee_wei=call.value_wei, tx=receipt.tx_hash)

    def _verify(self, job_id: JobId, key: StepKey) -> None:
        """Recompute the result on the reference path and compare digests."""
        job = self.context.contracts.market.get_job(job_id)
        if name_step(VERIFY, job) != key.step:
            return  # reorganised away: the next tick looks at what is there now
        model = self.context.versions.reproduce(job.version).model
        expected = self.context.content.put(
            model.run(self._request.raw_input, "numpy"), model.output_bits, model.output_shape
        )
        agrees = expected == job.out_digest
        facts = {"agrees": agrees, "label": self._read_label(job.out_digest, job)}
        self.context.journal.put_step(key, StepStatus.DONE, facts)
        self.log.event("result-checked", job=job_id, **facts)

    def _read_label(self, digest: Digest, job: Job) -> int | None:
        """Return the winning class of the committed output, if its bytes are to be had."""
        model = self.context.versions.reproduce(job.version).model
        try:
            raw = self.context.content.get(digest, model.output_bits, model.output_shape)
        except ContentError:
            return None
        return model.decide(raw)

    def _expire(self, job_id: JobId, key: StepKey) -> None:
        self._close(job_id, key, EXPIRE)

    def _fail(self, job_id: JobId, key: StepKey) -> None:
        self._close(job_id, key, FAIL)

    def _close(self, job_id: JobId, key: StepKey, how: str) -> None:
        market = self.context.contracts.market
        call = market.build_expire_job(job_id) if how == EXPIRE else market.build_fail_job(job_id)
        try:
            receipt = self.context.submitter.submit(key, call)
        except ContractRevert:
            if not market.get_job(job_id).state.is_terminal:
                raise  # somebody else's transaction did not close it: try again
        else:
            self.log.event(f"job-{how}", job=job_id, tx=receipt.tx_hash)
        self.context.journal.put_step(key, StepStatus.DONE)
