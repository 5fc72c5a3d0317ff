"""Sessions: signed requests on their way to the operator, its signed results on their way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathParameter
from pydantic import Field

from offchain.gateway.core import Gateway, get_gateway
from offchain.gateway.faults import Refused
from offchain.gateway.requests import KnownRequest
from offchain.gateway.routes.content import (
    KeySignature,
    ReceiptAnswer,
    describe_receipt,
    parse_hex,
    parse_signature_text,
)
from offchain.gateway.schema import (
    HEX32,
    WHOLE,
    AddressText,
    AsOf,
    DecimalText,
    Hex32,
    Model,
    describe_errors,
)
from offchain.types import Digest, JobId, Seconds, SessionId, SessionRequest, SessionState

router = APIRouter(tags=["sessions"])

UINT32: Final = 2**32 - 1
UINT40: Final = 2**40 - 1
MAX_PAGE: Final = 256

Door = Annotated[Gateway, Depends(get_gateway)]
State = Literal["open", "served", "expired"]
SessionStateName = Literal["open", "closing", "closed", "voided"]
STATES: Final[Mapping[SessionState, SessionStateName]] = {
    SessionState.OPEN: "open",
    SessionState.CLOSING: "closing",
    SessionState.CLOSED: "closed",
    SessionState.VOIDED: "voided",
}
SessionPath = Annotated[str, PathParameter(pattern=HEX32, examples=["0x" + "5a" * 32])]
Nonce = Annotated[int, Field(ge=0, le=UINT32), WHOLE]
Time = Annotated[int, Field(ge=0, le=UINT40, description="Protocol's clock, seconds."), WHOLE]
NoncePath = Annotated[int, PathParameter(ge=0, le=UINT32)]


class Counts(Model):
    """Requests of a session by state, as far as this gateway got them."""

    open: int
    served: int
    expired: int


class SessionAnswer(Model):
    """A session as the chain has it."""

    asOf: AsOf
    sessionId: Hex32
    state: SessionStateName
    client: AddressText
    signer: AddressText
    operator: AddressText
    version: Hex32
    token: AddressText
    fee: DecimalText
    salt: DecimalText
    deposit: DecimalText
    closesAt: int = Field(description="Last second of a session that is closing, else 0.")
    requests: Counts


class RequestBody(Model):
    """The EIP-712 struct Request but for its session, signed by the session's signer."""

    nonce: Nonce
    inDigest: Hex32
    validUntil: Time
    signature: KeySignature


class ResultBody(Model):
    """A result of a request: EIP-712 Result(jobId, outDigest) by the session's operator."""

    nonce: Nonce
    outDigest: Hex32
    signature: KeySignature


class RequestItem(Model):
    """A request with what became of it."""

    nonce: Nonce
    inDigest: Hex32
    validUntil: int
    signature: str = Field(description="64 bytes: r, and s with the parity (EIP-2098).")
    state: State
    jobId: Hex32
    outDigest: Hex32 | None = Field(description="Of the batch, or of the first signed result.")
    batchId: Hex32 | None = Field(description="Of a result that is on chain.")


class RequestAnswer(RequestItem):
    """One request with the results that were signed for it."""

    asOf: AsOf
    sessionId: Hex32
    receipts: list[ReceiptAnswer]


class RequestsAnswer(Model):
    """A page of requests by nonce."""

    asOf: AsOf
    sessionId: Hex32
    items: list[RequestItem]
    next: str | None = Field(description="`cursor` of the next page.")


@router.get("/sessions/{session_id}", responses=describe_errors(404))
def get_session(session_id: SessionPath, gateway: Door) -> SessionAnswer:
    """Return a session."""
    session = gateway.requests.get_session(SessionId(session_id))
    terms = session.terms
    return SessionAnswer(
        asOf=gateway.get_as_of(),
        sessionId=session.id,
        state=STATES[session.state],
        client=terms.client,
        signer=terms.signer,
        operator=terms.operator,
        version="0x" + terms.version.hex(),
        token=terms.token,
        fee=str(terms.fee),
        salt=str(terms.salt),
        deposit=str(session.deposit),
        closesAt=int(session.closes_at),
        requests=Counts(**gateway.requests.count(session.id)),
    )


@router.post(
    "/sessions/{session_id}/requests",
    status_code=201,
    responses={
        200: {"model": RequestAnswer, "description": "It was known"},
        **describe_errors(403, 404, 408, 409, 413),
    },
)
def post_request(
    session_id: SessionPath, body: RequestBody, response: Response, gateway: Door
) -> RequestAnswer:
    """Hand a signed request to the session's operator. Its input has to be uploaded before."""
    digest = Digest(parse_hex(body.inDigest))
    request = SessionRequest(SessionId(session_id), body.nonce, digest, Seconds(body.validUntil))
    if not gateway.content.has(digest):
        raise Refused("upload the input first", inDigest=body.inDigest)
    known, is_added = gateway.requests.post(request, parse_signature_text(body.signature))
    if not is_added:
        response.status_code = 200
    return _answer(known, gateway)


@router.get("/sessions/{session_id}/requests")
def list_requests(
    session_id: SessionPath,
    gateway: Door,
    state: State | None = None,
    cursor: Annotated[int, Query(ge=-1, le=UINT32, description="Nonce before the first.")] = -1,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = MAX_PAGE,
) -> RequestsAnswer:
    """List a session's requests, as far as the gateway has followed the chain."""
    found = gateway.requests.list(SessionId(session_id), state, cursor, limit)
    return RequestsAnswer(
        asOf=gateway.get_as_of(),
        sessionId=session_id,
        items=[RequestItem(**_describe(known)) for known in found],
        next=str(found[-1].nonce) if len(found) == limit else None,
    )


@router.get("/sessions/{session_id}/requests/{nonce}", responses=describe_errors(404))
def get_request(session_id: SessionPath, nonce: NoncePath, gateway: Door) -> RequestAnswer:
    """Return one request with its results."""
    return _answer(gateway.requests.get(SessionId(session_id), nonce), gateway)


@router.post(
    "/sessions/{session_id}/results",
    status_code=201,
    responses={
        200: {"model": RequestAnswer, "description": "It was known"},
        **describe_errors(403, 404, 408, 409, 413),
    },
)
def post_result(
    session_id: SessionPath, body: ResultBody, request: Request, response: Response, gateway: Door
) -> RequestAnswer:
    """Hand an operator's signed result to the session's client.

    Results of an operator do not count against the limit of writes.
    """
    digest, signature = Digest(parse_hex(body.outDigest)), parse_signature_text(body.signature)
    session = SessionId(session_id)
    known, is_added = gateway.requests.post_result(session, body.nonce, digest, signature)
    if is_added:
        gateway.limits.forgive_write(request)
    else:
        response.status_code = 200
    return _answer(known, gateway)


def _answer(known: KnownRequest, gateway: Gateway) -> RequestAnswer:
    receipts = [describe_receipt(receipt) for receipt in gateway.receipts.get(JobId(known.job))]
    return RequestAnswer(
        **_describe(known),
        asOf=gateway.get_as_of(),
        sessionId=known.session,
        receipts=receipts,
    )


def _describe(known: KnownRequest) -> dict[str, Any]:
    return {
        "nonce": known.nonce,
        "inDigest": known.in_digest,
        "validUntil": known.valid_until,
        "signature": known.signature,
        "state": known.state,
        "jobId": known.job,
        "outDigest": known.out_digest,
        "batchId": known.batch,
    }
