"""Inputs and outputs by digest, and signed results by job."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi import Path as PathParameter
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from offchain.gateway.content import ContentService
from offchain.gateway.core import Gateway, get_gateway
from offchain.gateway.faults import SignatureRefused, Unknown
from offchain.gateway.receipts import Receipt
from offchain.gateway.schema import HEX32, AddressText, Hex32, Model, describe_errors
from offchain.submit.content import MAX_RECEIPTS
from offchain.types import Digest, JobId

router = APIRouter()

MAX_DIMENSIONS: Final = 8
# Dimensions are 32 bits wide; the size limit of an upload is far below their product.
SHAPE: Final = rf"^[1-9][0-9]{{0,8}}(,[1-9][0-9]{{0,8}}){{0,{MAX_DIMENSIONS - 1}}}$"
FOREVER: Final = "public, max-age=31536000, immutable"
BYTES: Final = "application/octet-stream"
UPLOAD: Final = {
    "requestBody": {
        "required": True,
        "description": "The tensor: row-major, two's complement, big-endian.",
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
    }
}
DOWNLOAD: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The tensor's bytes, whose digest was computed again just now",
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "Unchanged: a digest names one content for ever"},
}

Door = Annotated[Gateway, Depends(get_gateway)]
DigestPath = Annotated[str, PathParameter(pattern=HEX32, examples=["0x" + "5a" * 32])]
Bits = Annotated[Literal["8", "16", "32"], Query(description="Bits of an element.")]
Shape = Annotated[
    str,
    Query(pattern=SHAPE, max_length=80, description="Dimensions.", examples=["1,64"]),
]


# A key's: 65 bytes (r, s, v), or 64 (EIP-2098).
KeySignature = Annotated[str, Field(pattern="^0x[0-9a-f]{128,130}$")]


class ContentAnswer(Model):
    """What was stored."""

    digest: Hex32
    size: int = Field(ge=0, description="Bytes.")


class ReceiptBody(Model):
    """A result that an operator's key vouches for: EIP-712 Result(jobId, outDigest)."""

    outDigest: Hex32
    signature: KeySignature


class ReceiptAnswer(Model):
    """A signed result with the account that signed it; 65 bytes of signature."""

    jobId: Hex32
    outDigest: Hex32
    signature: Annotated[str, Field(pattern="^0x[0-9a-f]{130}$")]
    signer: AddressText


class ReceiptsAnswer(Model):
    """The signed results of a job: two of them are evidence of fraud."""

    jobId: Hex32
    items: list[ReceiptAnswer] = Field(max_length=MAX_RECEIPTS)


@router.put(
    "/content/{digest}",
    tags=["content"],
    status_code=201,
    openapi_extra=UPLOAD,
    responses={
        200: {"model": ContentAnswer, "description": "It was there; its time begins again"},
        **describe_errors(408, 409, 413, 507),
    },
)
async def put_content(
    digest: DigestPath,
    bits: Bits,
    shape: Shape,
    request: Request,
    response: Response,
    gateway: Door,
) -> ContentAnswer:
    """Store a tensor under its digest.

    Refused with DigestMismatch unless the bytes have that digest. It is kept while something that
    is not final names it, and for the retention time after that, or after the upload.
    """
    return await _store(gateway, request, response, bits, shape, parse_hex(digest))


@router.post(
    "/content",
    tags=["content"],
    status_code=201,
    openapi_extra=UPLOAD,
    responses={
        200: {"model": ContentAnswer, "description": "It was there; its time begins again"},
        **describe_errors(408, 409, 413, 507),
    },
)
async def post_content(
    bits: Bits, shape: Shape, request: Request, response: Response, gateway: Door
) -> ContentAnswer:
    """Store a tensor and return its digest."""
    return await _store(gateway, request, response, bits, shape, None)


@router.get(
    "/content/{digest}",
    tags=["content"],
    response_class=Response,
    responses={**DOWNLOAD, **describe_errors(404)},
)
def get_content(
    digest: DigestPath,
    request: Request,
    gateway: Door,
    if_none_match: Annotated[str, Header(max_length=512)] = "",
) -> Response:
    """Return a tensor's bytes. Whoever reads them computes the digest, too."""
    name = Digest(parse_hex(digest))
    known = gateway.content.find(name)
    if known is not None and is_same(if_none_match, digest):
        return Response(status_code=304, headers=_headers(digest))
    if known is not None:
        gateway.limits.take_download(request, known.size)
    return Response(gateway.content.get(name), media_type=BYTES, headers=_headers(digest))


@router.head(
    "/content/{digest}",
    tags=["content"],
    response_class=Response,
    responses={
        200: {"description": "It is stored, so many bytes"},
        404: {"description": "Unknown"},
    },
)
def head_content(digest: DigestPath, gateway: Door) -> Response:
    """Tell whether a tensor is stored."""
    known = gateway.content.find(Digest(parse_hex(digest)))
    if known is None:
        raise Unknown(f"no content for {digest}")
    headers = {**_headers(digest), "Content-Length": str(known.size)}
    return Response(media_type=BYTES, headers=headers)


@router.put(
    "/receipts/{job_id}",
    tags=["receipts"],
    status_code=201,
    responses={
        200: {"model": ReceiptsAnswer, "description": "It was there"},
        **describe_errors(403, 404, 408, 409, 413),
    },
)
def put_receipt(
    job_id: DigestPath, body: ReceiptBody, request: Request, response: Response, gateway: Door
) -> ReceiptsAnswer:
    """Keep a signed result of a job on chain; the job's operator or its worker has to have signed.

    Receipts of an operator do not count against the limit of writes.
    """
    name = JobId(job_id)
    digest, signature = (
        Digest(parse_hex(body.outDigest)),
        parse_signature_text(body.signature),
    )
    if gateway.receipts.put_for_job(name, digest, signature):
        gateway.limits.forgive_write(request)
    else:
        response.status_code = 200
    return describe_receipts(gateway, name)


@router.get("/receipts/{job_id}", tags=["receipts"])
def get_receipts(job_id: DigestPath, gateway: Door) -> ReceiptsAnswer:
    """Return the signed results of a job; an empty list where there are none."""
    return describe_receipts(gateway, JobId(job_id))


def describe_receipts(gateway: Gateway, job_id: JobId) -> ReceiptsAnswer:
    """Return a job's receipts as the API shows them."""
    items = [describe_receipt(receipt) for receipt in gateway.receipts.get(job_id)]
    return ReceiptsAnswer(jobId=job_id, items=items[:MAX_RECEIPTS])


def describe_receipt(receipt: Receipt) -> ReceiptAnswer:
    """Return a receipt as the API shows it."""
    return ReceiptAnswer(
        jobId=receipt.job,
        outDigest=receipt.out_digest,
        signature=receipt.signature,
        signer=receipt.signer,
    )


async def _store(
    gateway: Gateway, request: Request, response: Response, bits: str, shape: str,
    named: bytes | None,
) -> ContentAnswer:  # fmt: skip
    raw = await request.body()  # read under its limit before this route was called
    owner = gateway.limits.client_of(request)
    dimensions = tuple(int(part) for part in shape.split(","))
    expected = None if named is None else Digest(named)
    put = ContentService.put
    digest, is_added = await run_in_threadpool(
        put, gateway.content, raw, int(bits), dimensions, owner, expected
    )
    response.status_code = 201 if is_added else 200
    return ContentAnswer(digest="0x" + digest.hex(), size=len(raw))


def parse_hex(text: str) -> bytes:
    """Return the bytes of a text that its pattern has admitted."""
    return bytes.fromhex(text[2:])


def parse_signature_text(text: str) -> bytes:
    """Return a signature's bytes; raise SignatureRefused where half a byte is left."""
    if len(text) % 2:
        raise SignatureRefused("a signature is whole bytes")
    return parse_hex(text)


def is_same(if_none_match: str, tag: str) -> bool:
    """Whether a client has what this entity tag names (RFC 9110, 13.1.2)."""
    tags = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return "*" in tags or f'"{tag}"' in tags


def _headers(digest: str) -> dict[str, str]:
    return {
        "ETag": f'"{digest}"',
        "Cache-Control": FOREVER,
        "Content-Disposition": "attachment",
    }
