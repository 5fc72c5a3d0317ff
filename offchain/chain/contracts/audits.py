"""Audits: proofs that the beacon demands of finished jobs."""

from __future__ import annotations

from typing import ClassVar

from offchain.chain.binding import Binding
from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes
from offchain.types import AuditState, JobId


class Audits(Binding):
    """Audits by proof."""

    NAME: ClassVar[str] = "Audits"

    def get_audit(self, job: JobId) -> AuditState:
        """Return how far a job's audit is."""
        return AuditState(self.read("auditOf", id_bytes(job)))

    def build_request(self, job: JobId) -> Call:
        """Ask the beacon about a committed job, once."""
        return self.build("requestAudit", id_bytes(job))

    def build_draw(self, job: JobId) -> Call:
        """Take the beacon's answer, while the job may be challenged."""
        return self.build("drawAudit", id_bytes(job))
