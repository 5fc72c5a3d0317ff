"""Evidence of fraud: an operator signed two results for one job. Announced first, then proven."""

from __future__ import annotations

from typing import Final

from eth_utils.crypto import keccak

from offchain.chain.contracts.dispute_game import compute_evidence_commitment
from offchain.chain.journal import Step, StepKey, StepStatus
from offchain.roles.base import OF, BaseRole
from offchain.roles.receipts import find_conflict
from offchain.types import Digest, Job, JobId, JobState, SignedResult

EVIDENCE: Final = "evidence"  # journal step: what was found, under which salt
ANNOUNCE: Final = "announce-evidence"
REPORT: Final = "report-fraud"
SALT_DIGITS: Final = 16  # of its hexadecimal form in a step's name
REPORTABLE: Final = (JobState.COMMITTED, JobState.DISPUTED)


class EvidenceMoves:
    """Reports an operator that signed another result than it committed."""

    def __init__(self, role: BaseRole) -> None:
        self._role = role
        self._context = role.context

    def choose_step(self, job: Job) -> str | None:
        """Return the step that evidence against a job's operator asks for, if there is any.

        The announcement has to be a block old when the evidence itself shows what it was.
        """
        if job.state not in REPORTABLE:
            return None
        found = self._find(job)
        if found is None:
            return None
        announced = self._context.contracts.game.get_announced_at(self._commit(job.id, found))
        step = ANNOUNCE if announced is None else REPORT
        return step + OF + str(found.detail["salt"])[:SALT_DIGITS]

    def announce(self, job_id: JobId, key: StepKey) -> None:
        """Announce the evidence without showing it."""
        found = self._get(job_id)
        if found is None:
            return
        call = self._context.contracts.game.build_announce_evidence(self._commit(job_id, found))
        self._role.send(job_id, key, call, "evidence-announced")

    def report(self, job_id: JobId, key: StepKey) -> None:
        """Show the evidence: the receipt, and the result committed on chain."""
        found = self._get(job_id)
        if found is None:
            return
        call = self._context.contracts.game.build_prove_equivocation(
            job_id, *_read(found), bytes.fromhex(found.detail["salt"])
        )
        self._role.send(job_id, key, call, "fraud-reported")

    def _find(self, job: Job) -> Step | None:
        """Return the journalled evidence about the committed result, looking for it first."""
        found = self._get(job.id)
        if found is not None and _read(found)[1].out_digest == job.out_digest:
            return found
        receipt = find_conflict(self._context, job)
        if receipt is None:
            return None
        detail = {
            "digest": receipt.out_digest.hex(),
            "signature": receipt.signature.hex(),
            "committed": job.out_digest.hex(),
            # Of the evidence itself, so that a journal that was lost finds its announcement again.
            "salt": keccak(receipt.signature + job.out_digest).hex(),
        }
        key = self._context.key(job.id, EVIDENCE)
        self._context.journal.put_step(key, StepStatus.DONE, detail)
        self._context.log.event("fraud-found", job=job.id, signed=receipt.out_digest)
        return Step(key, StepStatus.DONE, detail)

    def _get(self, job_id: JobId) -> Step | None:
        return self._context.journal.get_step(self._context.key(job_id, EVIDENCE))

    def _commit(self, job_id: JobId, found: Step) -> bytes:
        salt = bytes.fromhex(found.detail["salt"])
        account = self._context.submitter.account
        return compute_evidence_commitment(account, job_id, *_read(found), salt)


def _read(found: Step) -> tuple[SignedResult, SignedResult]:
    """Return the operator's receipt and, unsigned, the committed result."""
    signed = SignedResult(
        Digest(bytes.fromhex(found.detail["digest"])), bytes.fromhex(found.detail["signature"])
    )
    return signed, SignedResult(Digest(bytes.fromhex(found.detail["committed"])))
