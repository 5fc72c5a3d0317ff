"""Signed results: an operator's word on a digest, kept beside the output for whoever wants it.

Two of them for one job are evidence of fraud (protocol.md 3.6), so an operator writes down which
digest it stands by before anything of it is signed, and never stands by a second one.
"""

from __future__ import annotations

from typing import Final

from offchain.chain.job_ids import id_bytes
from offchain.chain.journal import StepStatus
from offchain.chain.transaction import parse_compact, parse_signature, recover_message
from offchain.chain.typed_data import COMPACT, TypedMessage, build_result_receipt
from offchain.errors import SecondResult, SignerMismatch, SignerRefused, StorageError
from offchain.roles.context import Context
from offchain.types import Digest, Job, JobId, SignedResult

STAND_BY: Final = "stand-by"  # journal step: the one digest that may ever be signed for a job
RECEIPT: Final = "receipt"


def stand_by(context: Context, job_id: JobId, digest: Digest) -> None:
    """Write down the one digest that is signed for a job; raise SecondResult for another one."""
    key = context.key(job_id, STAND_BY)
    with context.journal.atomic():
        step = context.journal.get_step(key)
        if step is None:
            context.journal.put_step(key, StepStatus.DONE, {"digest": digest.hex()})
            return
    if step.detail["digest"] != digest.hex():
        raise SecondResult(job_id, bytes.fromhex(step.detail["digest"]), digest)


def publish_receipt(context: Context, job_id: JobId, digest: Digest) -> None:
    """Sign the digest that this operator stands by and keep the signature beside the output.

    A signer that signs transactions only, or a folder that takes no file, keeps nobody from
    serving: the receipt is a courtesy.
    """
    signature = sign_receipt(context, job_id, digest)
    if signature is None:
        return
    try:
        context.content.put_receipt(job_id, SignedResult(digest, signature))
    except StorageError as error:
        context.put_off(context.key(job_id, RECEIPT), str(error))


def sign_receipt(context: Context, job_id: JobId, digest: Digest) -> bytes | None:
    """Return the signature (65 bytes) of the one digest that this operator stands by.

    None where the signer signs transactions only; raises SecondResult for a second digest.
    """
    stand_by(context, job_id, digest)
    try:
        return context.signer.sign_typed(_message(context, job_id, digest))
    except SignerRefused as error:
        context.put_off(context.key(job_id, RECEIPT), str(error))
        return None


def find_conflict(context: Context, job: Job) -> SignedResult | None:
    """Return a receipt of the job's operator for another digest than the committed one, if any.

    Files are nobody's word: only a signature by the operator, or by a worker that ever served it,
    counts, as it does on chain. Its signature is returned in the one form that the chain reads,
    whichever form its signer, or whoever kept it, chose.
    """
    for receipt in context.content.get_receipts(job.id):
        if receipt.out_digest == job.out_digest:
            continue
        try:
            message = _message(context, job.id, receipt.out_digest)
            parse = parse_compact if len(receipt.signature) == COMPACT else parse_signature
            signature = parse(receipt.signature)
            signer = str(recover_message(message.to_signable(), signature))
        except (SignerMismatch, ValueError):
            continue  # anybody may have put it there, a digest of another length, too
        served = context.contracts.vault.get_served_owner(signer)
        if str(job.operator) in (signer, str(served)):
            return SignedResult(receipt.out_digest, signature.to_bytes())
    return None


def _message(context: Context, job_id: JobId, digest: Digest) -> TypedMessage:
    market = context.contracts.market.address
    return build_result_receipt(context.client.chain_id, market, id_bytes(job_id), digest)
