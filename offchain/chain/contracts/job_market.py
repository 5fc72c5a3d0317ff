"""JobMarket: escrow, acceptance, commitment, settlement of a job."""

from __future__ import annotations

from typing import ClassVar, Final

from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call, Receipt
from offchain.errors import OffchainError
from offchain.types import Digest, Job, JobId, JobState, Seconds, VersionId, Wei

NO_VERIFY_MASK: Final = 0  # reserved for other ways of checking
NO_PRIVACY_MASK: Final = 0  # reserved for private jobs


class JobMarket(Binding):
    """The life of a job."""

    NAME: ClassVar[str] = "JobMarket"

    def get_job(self, job_id: JobId) -> Job:
        """Return a job at the head."""
        job = self.read_struct("getJob", job_id)
        return Job(
            id=job_id,
            state=JobState(job["state"]),
            client=checksum(job["client"]),
            operator=checksum(job["operator"]),
            fee_wei=Wei(job["fee"]),
            deadline=Seconds(job["deadline"]),
            version=VersionId(job["version"]),
            in_digest=Digest(job["inDigest"]),
            out_digest=Digest(job["outDigest"]),
        )

    def find_created_job(self, receipt: Receipt) -> JobId:
        """Return the job that a mined creation made."""
        logs = self._client.get_logs([self.address], receipt.block_number, receipt.block_number)
        for event in map(self.abi.decode_event, logs):
            if event and event.name == "JobCreated" and event.tx_hash == receipt.tx_hash:
                return JobId(event.arguments["jobId"])
        raise OffchainError(f"transaction {receipt.tx_hash} created no job")

    def build_create_job(
        self, version: VersionId, in_digest: Digest, fee_wei: Wei, input_uri: str
    ) -> Call:
        """Escrow a fee for one inference."""
        params = (version, in_digest, fee_wei, NO_VERIFY_MASK, NO_PRIVACY_MASK, input_uri)
        return self.build("createJob", params, value_wei=fee_wei)

    def build_accept_job(self, job_id: JobId) -> Call:
        """Take a job; the caller is a worker."""
        return self.build("acceptJob", job_id)

    def build_commit_result(self, job_id: JobId, out_digest: Digest, output_uri: str) -> Call:
        """Commit a result's digest, in clear and once."""
        return self.build("commitResult", job_id, out_digest, output_uri)

    def build_finalise(self, job_id: JobId) -> Call:
        """Settle a result that nobody challenged in time."""
        return self.build("finalise", job_id)

    def build_expire_job(self, job_id: JobId) -> Call:
        """Refund a job that nobody took in time."""
        return self.build("expireJob", job_id)

    def build_fail_job(self, job_id: JobId) -> Call:
        """Refund a job whose operator committed nothing in time."""
        return self.build("failJob", job_id)
