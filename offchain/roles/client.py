"""The client: check the version, escrow, wait, verify the result locally, collect refunds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from eth_utils.crypto import keccak

from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import JobRefused
from offchain.roles.base import REFUSALS, Action, BaseRole
from offchain.roles.context import Context
from offchain.roles.disputes import CHALLENGE, CLAIM_DEFAULT, DisputeMoves, name_step
from offchain.roles.evidence import ANNOUNCE, REPORT, EvidenceMoves
from offchain.roles.held import HeldMoves
from offchain.roles.plan_checks import warn_of_plan
from offchain.roles.results import REQUEST_DELIVERY, VERIFY, ResultMoves
from offchain.roles.trace_book import TraceBook
from offchain.roles.trace_turns import VOID_HELD
from offchain.types import (
    ETH,
    Address,
    Amount,
    Digest,
    Job,
    JobId,
    JobState,
    JobTerms,
    ProtocolTime,
    VerifyMask,
    VersionId,
)

CREATE: Final = "create"
EXPIRE: Final = "expire"
FAIL: Final = "fail"
NO_PRIVACY_MASK: Final = 0  # reserved for private jobs
SALT_BYTES: Final = 8


@dataclass(frozen=True)
class Request:
    """What a client asks for; `name` makes submitting it twice one job.

    The name becomes the job's salt, so even a client that lost its journal orders nothing twice:
    the chain refuses a job that exists.
    """

    name: str
    version: VersionId
    raw_input: bytes
    fee: Amount
    token: Address = ETH
    verify_mask: VerifyMask = VerifyMask.NONE

    def build_terms(self, client: str, in_digest: Digest) -> JobTerms:
        """Return the job's terms."""
        return JobTerms(
            client=Address(client),
            version=self.version,
            in_digest=in_digest,
            token=self.token,
            fee=self.fee,
            verify_mask=int(self.verify_mask),
            privacy_mask=NO_PRIVACY_MASK,
            salt=int.from_bytes(keccak(text=self.name)[:SALT_BYTES], "big"),
        )


class Client(BaseRole):
    """Follows its own job from escrow to the last wei of credit."""

    BONDED: ClassVar[frozenset[str]] = frozenset({CHALLENGE})

    def __init__(
        self,
        context: Context,
        request: Request,
        verify_locally: bool = True,
        may_challenge: bool = False,
    ) -> None:
        super().__init__(context)
        self._request = request
        self._may_challenge = may_challenge
        self._moves = DisputeMoves(self)
        self._evidence = EvidenceMoves(self)
        self._results = ResultMoves(self, request.raw_input, verify_locally)
        self._held = HeldMoves(
            self,
            TraceBook(
                context,
                lambda job: context.versions.reproduce(job.version).model,
                lambda _: request.raw_input,
            ),
        )

    @property
    def own_actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            CREATE: self._create,
            VERIFY: self._results.verify,
            REQUEST_DELIVERY: self._results.request_delivery,
            EXPIRE: self._expire,
            FAIL: self._fail,
            CHALLENGE: self._moves.challenge,
            CLAIM_DEFAULT: self._moves.claim_default,
            ANNOUNCE: self._evidence.announce,
            REPORT: self._evidence.report,
            **self._held.actions,
        }

    # The job

    def get_job_id(self) -> JobId | None:
        """Return the job of this request once its creation was mined."""
        step = self.context.journal.get_step(self._create_key)
        if step is None or step.status is not StepStatus.DONE:
            return None
        return JobId(step.detail["job"])

    @cached_property
    def _create_key(self) -> StepKey:
        return self.context.key(self._request.name, CREATE)

    def is_party(self, job: Job) -> bool:
        """Whether it is this account's job."""
        return str(job.client) == str(self.context.submitter.account)

    def is_finished(self) -> bool:
        """Whether the job is closed and nothing in the vault belongs to this client."""
        job_id = self.get_job_id()
        if job_id is None:
            return self.context.journal.is_given_up(self._create_key)
        job = self.context.find_job(job_id)
        if job is None or not job.state.is_terminal or self.get_waiting_slash(job) is not None:
            return False
        vault, account = self.context.contracts.vault, self.context.submitter.account
        return not any(vault.get_withdrawable(account, token) for token in self.tokens)

    def describe(self) -> Mapping[str, Any]:
        """Return what is known of the job, for people and scripts."""
        job_id = self.get_job_id()
        job = None if job_id is None else self.context.find_job(job_id)
        if job is None:
            step = self.context.journal.get_step(self._create_key)
            reason = (
                {}
                if step is None
                else {k: step.detail[k] for k in ("reason",) & step.detail.keys()}
            )
            return {"request": self._request.name, "state": "NOT CREATED", **reason}
        checked = self.context.journal.get_step(self.context.key(job.id, name_step(VERIFY, job)))
        return {
            "request": self._request.name,
            "job": job.id,
            "state": job.state.name,
            "assurance": self.context.contracts.market.get_assurance(job.id).name,
            "out_digest": "0x" + job.out_digest.hex(),
            **({} if checked is None else checked.detail),
        }

    def order(self) -> None:
        """Create the job unless it exists; raise JobRefused where nothing can be ordered now."""
        for key in self.compute_due_steps():
            if key == self._create_key:
                self.perform(key)
        if self.get_job_id() is None:
            step = self.context.journal.get_step(self._create_key)
            reason = "the protocol is paused or gives refunds" if step is None else "see the log"
            raise JobRefused(f"the job was not created: {reason}")

    # What is due

    def compute_job_steps(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return the one step that the job's state asks of its client."""
        job_id = self.get_job_id()
        job = None if job_id is None else self.context.find_job(job_id)
        if job is None:  # never created, or a reorganisation took the creation with it
            is_given_up = self.context.journal.is_given_up(self._create_key)
            return (self._create_key,) if time.is_running and not is_given_up else ()
        step = self.choose(job, time)
        key = None if step is None else self.context.key(job.id, step)
        return () if key is None or self.context.journal.is_given_up(key) else (key,)

    def choose(self, job: Job, time: ProtocolTime) -> str | None:
        """Return the one step that the job asks of its client, in the refund mode or without."""
        step = super().choose(job, time)
        is_void = time.is_refund_mode and job.state is JobState.DISPUTED and self.is_party(job)
        return VOID_HELD if step is None and is_void else step

    def choose_step(self, job: Job, now: int) -> str | None:
        """Return the one step that the job's state asks of its client, if any."""
        if job.state is JobState.OPEN:
            return EXPIRE if now > job.deadline else None
        if job.state is JobState.ASSIGNED:
            return FAIL if now > job.deadline else None
        if job.state is JobState.COMMITTED:
            return self._choose_committed(job, now)
        if job.state is JobState.DISPUTED:
            return self._choose_disputed(job, now)
        if job.state in (JobState.FINAL, JobState.PROVEN):
            return self._results.choose_check(job)
        return self.choose_distribution(job, now)

    def _choose_committed(self, job: Job, now: int) -> str | None:
        if _has_failed(job, now):
            return FAIL
        return self._choose_objection(job, now, may_object=True)

    def _choose_objection(self, job: Job, now: int, may_object: bool) -> str | None:
        objection = self._evidence.choose_step(job) or self._results.choose_check(job)
        if objection is not None or now > job.deadline:
            return objection
        if may_object and self._may_challenge and self._results.is_wrong(job):
            return name_step(CHALLENGE, job)
        return self._results.choose_delivery(job, now)

    def _choose_held(self, job: Job, now: int) -> str | None:
        """Return the step about a job that only disputes over its trace hold."""
        may_object = self._held.may_object(job, now)
        return self._choose_objection(job, now, may_object) or self._held.choose(job, now)

    def _choose_disputed(self, job: Job, now: int) -> str | None:
        dispute = self._moves.get_open_dispute(job)
        if dispute is None:
            return self._choose_held(job, now)
        if now > dispute.prove_until:
            return CLAIM_DEFAULT  # whoever asked for the proof: it is this client's refund
        report = self._evidence.choose_step(job)
        if report is not None or not self._may_challenge:
            return report
        # A client has a place of its own in a dispute that others began.
        if not self._moves.may_join(dispute, job, now) or self._moves.is_challenging(job.id):
            return None
        check = self._results.choose_check(job)
        if check is None and self._results.is_wrong(job):
            return name_step(CHALLENGE, job)
        return check

    # What is done

    def _create(self, _: JobId, key: StepKey) -> None:
        """Escrow the fee, after the version was reproduced and the input checked.

        Gives up, and says why, where the version or the input is not what it should be.
        """
        try:
            terms = self.check_request()
        except REFUSALS as error:
            self.context.give_up(key, str(error))
            raise
        market = self.context.contracts.market
        job_id = market.compute_job_id(terms)
        if self.context.find_job(job_id) is None:
            call = market.build_create_job(terms, terms.in_digest.hex())
            receipt = self.context.submitter.submit(key, call)
            self.log.event("job-created", job=job_id, fee=int(terms.fee), tx=receipt.tx_hash)
        self.context.journal.put_step(key, StepStatus.DONE, {"job": job_id})

    def check_request(self) -> JobTerms:
        """Return the terms to order by, once version, input and fee were checked."""
        version = self.context.versions.reproduce(self._request.version)
        warn_of_plan(self.context, version)
        model = version.model
        raw = self._request.raw_input
        model.check_input(raw)
        digest = self.context.content.put(raw, model.input_bits, model.input_shape)
        terms = self._request.build_terms(self.context.submitter.account, digest)
        self._verify_proof_fee(terms)
        return terms

    @property
    def request(self) -> Request:
        """Return what is ordered."""
        return self._request

    def _verify_proof_fee(self, terms: JobTerms) -> None:
        if terms.proof_required:
            least = self.context.contracts.market.compute_proof_fee(terms.version)
            if terms.fee < least:
                raise JobRefused(f"a required proof costs {least} wei now, the fee is {terms.fee}")

    def _expire(self, job_id: JobId, key: StepKey) -> None:
        self.send(job_id, key, self.context.contracts.market.build_expire_job(job_id), "job-expire")

    def _fail(self, job_id: JobId, key: StepKey) -> None:
        self.send(job_id, key, self.context.contracts.market.build_fail_job(job_id), "job-fail")


def _has_failed(job: Job, now: int) -> bool:
    """Whether an output was not delivered, or a required proof not even begun, in time."""
    is_undelivered = now > job.deliver_by > 0
    return is_undelivered or (job.proof_required and now > job.deadline)
