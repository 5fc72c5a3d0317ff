"""Signed results by job: an operator's word, checked before it is kept (protocol.md 3.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, func, select

from offchain.chain.database import Database
from offchain.chain.job_ids import id_bytes
from offchain.chain.typed_data import build_result_receipt
from offchain.errors import SignerMismatch
from offchain.gateway.chain_view import ChainClock, ChainView
from offchain.gateway.faults import Refused, SignatureRefused, Unknown
from offchain.gateway.signatures import parse_any, recover_signer
from offchain.gateway.tables import RECEIPTS
from offchain.submit.content import MAX_RECEIPTS
from offchain.types import NOBODY, Address, Digest, JobId

PURGE: Final = 1000  # receipts dropped at one time


@dataclass(frozen=True)
class Receipt:
    """A result that `signer`, an operator or its worker, vouched for; 65 bytes of signature."""

    job: JobId
    out_digest: str
    signature: str
    signer: Address


class ReceiptBook:
    """At most MAX_RECEIPTS a job, one for each digest: two of them are evidence of fraud."""

    def __init__(self, database: Database, chain: ChainView, clock: ChainClock) -> None:
        self._database, self._chain, self._clock = database, chain, clock
        self._space = database.space

    def put_for_job(self, job_id: JobId, out_digest: Digest, signature: bytes) -> bool:
        """Keep a signed result of a job that is on chain; return whether it was not known.

        Raises Unknown, SignatureRefused, and Refused where a job has as many as it may have.
        """
        job = self._chain.find_job(job_id)
        if job is None:
            raise Unknown(f"no job {job_id} on chain")
        if job.operator == NOBODY:
            raise Refused(f"job {job_id} has no operator")
        return self.put(job_id, job.operator, out_digest, signature)

    def put(self, job_id: JobId, operator: Address, out_digest: Digest, signature: bytes) -> bool:
        """Keep a result that `operator`, or somebody who ever worked for it, signed."""
        message = build_result_receipt(
            self._chain.chain_id, self._chain.market, id_bytes(job_id), out_digest
        )
        try:
            parsed = parse_any(signature)
            signer = recover_signer(message, parsed)
        except SignerMismatch as error:
            raise SignatureRefused(str(error), expected=operator) from None
        if operator not in (signer, self._chain.get_served_owner(signer)):
            told = f"signed by {signer}, who never worked for {operator}"
            raise SignatureRefused(told, expected=operator)
        receipt = Receipt(job_id, "0x" + out_digest.hex(), "0x" + parsed.to_bytes().hex(), signer)
        return self._insert(receipt)

    def get(self, job_id: JobId) -> Sequence[Receipt]:
        """Return the signed results of a job, earliest first."""
        return self.get_all([job_id]).get(job_id, ())

    def get_all(self, jobs: Sequence[JobId]) -> Mapping[JobId, Sequence[Receipt]]:
        """Return the signed results of several jobs."""
        r = RECEIPTS.c
        query = (
            select(RECEIPTS)
            .where(r.space == self._space, r.job.in_(jobs))
            .order_by(r.received_at, r.out_digest)
        )
        found: dict[JobId, list[Receipt]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(JobId(row.job), []).append(_receipt(row))
        return found

    def purge(self, before: int) -> int:
        """Drop receipts that came before a time; return how many."""
        r = RECEIPTS.c
        query = (
            select(r.job, r.out_digest)
            .where(r.space == self._space, r.received_at < before)
            .limit(PURGE)
        )
        with self._database.writing() as connection:
            due = connection.execute(query).all()
            for row in due:
                is_due = (r.job == row.job) & (r.out_digest == row.out_digest)
                connection.execute(delete(RECEIPTS).where(r.space == self._space, is_due))
        return len(due)

    def _insert(self, receipt: Receipt) -> bool:
        r = RECEIPTS.c
        is_job = (r.space == self._space) & (r.job == receipt.job)
        values = {
            "space": self._space,
            "job": receipt.job,
            "out_digest": receipt.out_digest,
            "signature": receipt.signature,
            "signer": receipt.signer,
            "received_at": self._clock.now,
        }
        with self._database.writing() as connection:
            known = connection.execute(
                select(r.job).where(is_job, r.out_digest == receipt.out_digest)
            ).first()
            if known is not None:
                return False
            count = connection.execute(select(func.count()).where(is_job)).scalar_one()
            if count >= MAX_RECEIPTS:
                raise Refused(f"job {receipt.job} has {MAX_RECEIPTS} receipts", limit=MAX_RECEIPTS)
            connection.execute(RECEIPTS.insert().values(values))
        return True


def _receipt(row: Any) -> Receipt:
    return Receipt(JobId(row.job), row.out_digest, row.signature, Address(row.signer))
