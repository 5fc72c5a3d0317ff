"""JobMarket: escrow, acceptance, commitment, settlement of a job, and the protocol's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, ClassVar, Final

from offchain.chain.abi import DecodedEvent
from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.chain.job_ids import compute_job_id, id_bytes, to_job_id
from offchain.errors import TermsMismatch
from offchain.types import (
    ETH,
    Amount,
    Assurance,
    BlockNumber,
    CreatedJob,
    Digest,
    Job,
    JobId,
    JobState,
    JobTerms,
    ProtocolTime,
    Seconds,
    VersionId,
    Wei,
)

JOB_CREATED: Final = "JobCreated"


class JobMarket(Binding):
    """The life of a job."""

    NAME: ClassVar[str] = "JobMarket"

    # Time

    def get_time(self) -> ProtocolTime:
        """Return the protocol's clock at the head, and what stands in a step's way."""
        return ProtocolTime(
            now=Seconds(self.read("clock")),
            is_paused=bool(self.read("isPaused")),
            is_refund_mode=bool(self.read("isRefundMode")),
        )

    def get_parameters_hash(self) -> bytes:
        """Return what names the parameters: keccak256 of their ABI encoding."""
        return bytes(self.read("PARAMETERS_HASH"))

    # Jobs

    def get_job(self, job_id: JobId) -> Job:
        """Return a job at the head; raise ContractRevert UnknownJob if there is none."""
        job = self.read_struct("getJob", id_bytes(job_id))
        return Job(
            id=job_id,
            state=JobState(job["state"]),
            client=checksum(job["client"]),
            token=checksum(job["token"]),
            fee=Amount(job["fee"]),
            operator=checksum(job["operator"]),
            deadline=Seconds(job["deadline"]),
            version=VersionId(job["version"]),
            out_digest=Digest(job["outDigest"]),
            proof_required=bool(job["proofRequired"]),
            deliver_by=Seconds(job["deliverBy"]),
        )

    def get_assurance(self, job_id: JobId) -> Assurance:
        """Return how much a consumer may rely on the job's result."""
        return Assurance(self.read("assurance", id_bytes(job_id)))

    def compute_job_id(self, terms: JobTerms) -> JobId:
        """Return the id of a job with these terms on this chain and market, without asking it."""
        return compute_job_id(self._client.chain_id, self.address, terms)

    def read_created(self, event: DecodedEvent) -> CreatedJob:
        """Return a JobCreated event's job; raise TermsMismatch unless its terms hash to its id."""
        client, version, in_digest, token, fee, verify, privacy, salt = event.arguments["terms"]
        terms = JobTerms(
            client=checksum(client),
            version=VersionId(version),
            in_digest=Digest(in_digest),
            token=checksum(token),
            fee=Amount(fee),
            verify_mask=verify,
            privacy_mask=privacy,
            salt=salt,
        )
        named, found = to_job_id(event.arguments["jobId"]), self.compute_job_id(terms)
        if named != found:
            raise TermsMismatch(named, found)
        uri = str(event.arguments["inputUri"])
        return CreatedJob(named, terms, uri, BlockNumber(event.block_number))

    def find_created(
        self, first_block: int, job_id: JobId | None = None, client: str | None = None
    ) -> Sequence[CreatedJob]:
        """Return the jobs that the chain's logs name, oldest first; of one id or client if given.

        For tools without an event cursor; the indexed topics keep the answer small.
        """
        topics: list[str | None] = [self.abi.get_topic(JOB_CREATED), job_id]
        topics.append(None if client is None else "0x" + client[2:].lower().rjust(64, "0"))
        last = self._client.get_head().number
        logs = self._client.collect_logs([self.address], first_block, last, topics)
        events = map(self.abi.decode_event, logs)
        return tuple(self.read_created(e) for e in events if e and e.name == JOB_CREATED)

    # Prices

    def compute_lock(self, token: str, fee: int) -> Amount:
        """Return the stake that a job of this fee locks when it is taken now."""
        return Amount(self.read("computeLock", token, fee))

    def compute_proof_fee(self, version: VersionId) -> Wei:
        """Return the least fee of a job of this version that requires a proof."""
        return Wei(self.read("computeProofFee", version))

    def compute_delivery_payment(self, job_id: JobId) -> Amount:
        """Return what a delivery requested now costs, in the job's token."""
        return Amount(self.read("computeDeliveryPayment", id_bytes(job_id)))

    # Client

    def build_create_job(self, terms: JobTerms, input_uri: str) -> Call:
        """Escrow a fee for one inference; the sender has to be the client of the terms."""
        params = (*astuple(terms)[1:], input_uri)
        return self.build(
            "createJob", params, value_wei=int(terms.fee) if terms.token == ETH else 0
        )

    def build_cancel_job(self, job_id: JobId) -> Call:
        """Take back a job that nobody has taken."""
        return self._build("cancelJob", job_id)

    def build_request_delivery(self, job_id: JobId, value_wei: int) -> Call:
        """Ask for the output's bytes on chain; `value_wei` is 0 where the job is not in ETH."""
        return self.build("requestDelivery", id_bytes(job_id), value_wei=value_wei)

    # Worker

    def build_accept_job(self, job_id: JobId) -> Call:
        """Take a job; the caller is a worker."""
        return self._build("acceptJob", job_id)

    def build_reject_job(self, job_id: JobId) -> Call:
        """Give a job back whose input cannot be used, within a quarter of T_exec."""
        return self._build("rejectJob", job_id)

    def build_commit_result(self, job_id: JobId, out_digest: Digest, output_uri: str) -> Call:
        """Commit a result's digest, in clear and once."""
        return self._build("commitResult", job_id, out_digest, output_uri)

    def build_deliver_output(
        self, job_id: JobId, bytes_per_element: int, dims: Sequence[int], output: bytes
    ) -> Call:
        """Post the output that the client asked for."""
        return self._build("deliverOutput", job_id, bytes_per_element, list(dims), output)

    # Anybody

    def build_finalise(self, job_id: JobId) -> Call:
        """Settle a result that nobody challenged in time."""
        return self._build("finalise", job_id)

    def build_expire_job(self, job_id: JobId) -> Call:
        """Refund a job that nobody took in time."""
        return self._build("expireJob", job_id)

    def build_fail_job(self, job_id: JobId) -> Call:
        """Refund a job whose operator did not do in time what was due."""
        return self._build("failJob", job_id)

    def build_void_job(self, job_id: JobId) -> Call:
        """In the refund mode, give everybody its money back from a job that nobody disputes."""
        return self._build("voidJob", job_id)

    def _build(self, function: str, job_id: JobId, *arguments: Any) -> Call:
        return self.build(function, id_bytes(job_id), *arguments)
