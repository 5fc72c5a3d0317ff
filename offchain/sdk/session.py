"""Many inferences under one deposit: a request costs a signature, not a transaction."""

from __future__ import annotations

from typing import Any, Final

from offchain.chain.session_ids import compute_session_id
from offchain.chain.transaction import parse_signature
from offchain.chain.typed_data import build_request, verify_typed_signature
from offchain.errors import (
    ConfigError,
    ContractRevert,
    GatewayRefused,
    SignerMismatch,
    TermsMismatch,
)
from offchain.sdk.connection import Connection
from offchain.sdk.pending import PendingResult
from offchain.submit.gateway import SignedRequest, parse_signed_request
from offchain.submit.models import encode_input
from offchain.types import (
    AccountId,
    Amount,
    Digest,
    Seconds,
    SessionId,
    SessionRequest,
    SessionState,
    SessionTerms,
)
from offchain.types import Session as SessionFacts

UNKNOWN_SESSION: Final = "UnknownSession"
OPEN: Final = "open-session"
REQUEST: Final = "request"  # journal step of a nonce: what was signed under it
NAMED: Final = "named-request"
ATTEMPTS: Final = 16  # nonces that a lost journal may have signed already
LATE_PERCENT: Final = 300  # default validity, in T_exec


class Session:
    """One session. Its terms are fixed and known to hash to its id."""

    def __init__(self, connection: Connection, session: SessionId, terms: SessionTerms) -> None:
        self.id = session
        self.terms = terms
        self._connection = connection

    def __repr__(self) -> str:
        return f"Session({self.id})"

    # What it is now

    def facts(self) -> SessionFacts:
        """Return everything that the sessions' market holds of it."""
        return self._connection.sessions.get_session(self.id)

    def state(self) -> SessionState:
        """Return the session's state."""
        return self.facts().state

    def exists(self) -> bool:
        """Whether the session is on chain; a reorganisation can take it."""
        try:
            return self.state() is not SessionState.NONE
        except ContractRevert as revert:
            if revert.name != UNKNOWN_SESSION:
                raise
            return False

    @property
    def deposit(self) -> Amount:
        """Return what is left for further results."""
        return self.facts().deposit

    # Requests

    def request(
        self, values: Any, valid_seconds: int | None = None, name: str | None = None
    ) -> PendingResult:
        """Sign a request and hand it to the operator through the gateway.

        `values` are the input as a list or array of integers. The operator is paid one fee if its
        result is on chain within `valid_seconds` of the protocol's clock (three times T_exec by
        default), nothing otherwise. The same `name` is the same request, whatever happened between;
        without one, a request that was signed and refused may be served beside its repetition.
        Raises TensorError or RangeError for an input that the model does not take, GatewayRefused
        or GatewayUnavailable.
        """
        connection = self._connection
        model = connection.versions.reproduce(self.terms.version).model
        raw = encode_input(model, values)
        digest = connection.content.put(raw, model.input_bits, model.input_shape)
        known = None if name is None else connection.recall(NAMED, f"{self.id}:{name}")
        if known is not None:
            return self._repeat(int(known["nonce"]), digest, raw, str(name))
        span = valid_seconds
        if span is None:
            span = connection.parameters.exec_seconds * LATE_PERCENT // 100
        now = connection.contracts.market.get_time().now
        for attempt in range(ATTEMPTS):
            nonce = self._take_nonce()
            if name is not None:
                connection.remember(NAMED, f"{self.id}:{name}", {"nonce": nonce})
            request = SessionRequest(self.id, nonce, digest, Seconds(now + span))
            try:
                return self._post(request, raw)
            except GatewayRefused as refused:
                # Another request has the nonce: this journal is younger than the session.
                is_last = refused.status != 409 or attempt == ATTEMPTS - 1
                if is_last or not self._is_taken(request):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _take_nonce(self) -> int:
        connection = self._connection
        while True:
            nonce = connection.journal.increment(f"nonces:{self.id}") - 1
            if not connection.sessions.is_nonce_used(self.id, nonce):
                return nonce

    def _is_taken(self, request: SessionRequest) -> bool:
        """Whether another request counts under this nonce: on chain, or by this signer's own hand.

        What was refused is signed all the same: a gateway that is believed without a proof would
        collect one paid request after the other for a single input.
        """
        connection = self._connection
        if connection.sessions.is_nonce_used(self.id, request.nonce):
            return True
        try:
            told = connection.gateway.get_request(self.id, request.nonce)
            other = parse_signed_request(self.id, told)
            message = build_request(
                connection.client.chain_id, connection.sessions.address, other.request
            )
            verify_typed_signature(message, other.signature, AccountId(self.terms.signer))
        except (GatewayRefused, SignerMismatch, ValueError):
            return False
        return other.request.nonce == request.nonce and other.request != request

    def _repeat(self, nonce: int, digest: Digest, raw: bytes, name: str) -> PendingResult:
        detail = self._connection.recall(f"{REQUEST}:{nonce}", self.id)
        if detail is None:  # named, and stopped before it was signed
            now = self._connection.contracts.market.get_time().now
            span = self._connection.parameters.exec_seconds * LATE_PERCENT // 100
            return self._post(SessionRequest(self.id, nonce, digest, Seconds(now + span)), raw)
        if detail["in_digest"] != digest.hex():
            raise ConfigError(f"the request {name!r} was made with another input")
        request = SessionRequest(self.id, nonce, digest, Seconds(detail["valid_until"]))
        return self._post(request, raw)

    def _post(self, request: SessionRequest, raw: bytes) -> PendingResult:
        connection = self._connection
        detail = {"in_digest": request.in_digest.hex(), "valid_until": int(request.valid_until)}
        connection.remember(f"{REQUEST}:{request.nonce}", self.id, detail)
        pending = PendingResult(connection, self.terms, request, raw)
        if connection.sessions.is_nonce_used(self.id, request.nonce):
            return pending  # served already
        message = build_request(connection.client.chain_id, connection.sessions.address, request)
        # As batches hold it: 64 bytes (EIP-2098).
        signature = parse_signature(connection.signer.sign_typed(message)).to_compact()
        connection.gateway.post_request(SignedRequest(request, signature))
        return pending

    @property
    def results(self) -> tuple[PendingResult, ...]:
        """Return the requests that this account's journal knows, by nonce, whatever their state."""
        connection = self._connection
        found = []
        for nonce in range(connection.journal.get_counter(f"nonces:{self.id}")):
            detail = connection.recall(f"{REQUEST}:{nonce}", self.id)
            if detail is not None:
                digest = Digest(bytes.fromhex(detail["in_digest"]))
                until = Seconds(detail["valid_until"])
                request = SessionRequest(self.id, nonce, digest, until)
                found.append(PendingResult(connection, self.terms, request))
        return tuple(found)

    # Money and end

    def add_deposit(self, amount: int) -> None:
        """Add to the deposit, in the session's token."""
        sessions = self._connection.sessions
        call = sessions.build_add_deposit(self.id, amount, self.terms.token)
        self._connection.send_once(call)

    def close(self) -> Seconds:
        """Close the session; return the last second in which its operator may still post results.

        As its operator: closed at once. What is left of the deposit is credited by `withdraw`.
        """
        if self.state() is SessionState.OPEN:
            call = self._connection.sessions.build_close_session(self.id)
            self._connection.send(self.id, "close", call)
        return self.facts().closes_at

    def withdraw(self) -> None:
        """Credit the rest of the deposit to the client, once the session has closed.

        Raises ContractRevert before that; the credit leaves the vault with `Client.withdraw`.
        """
        call = self._connection.sessions.build_withdraw_session(self.id)
        self._connection.send(self.id, "withdraw", call)


def open_session(connection: Connection, terms: SessionTerms, deposit: int) -> Session:
    """Return the session of these terms, opened with a first deposit unless it exists."""
    sessions = connection.sessions
    found = compute_session_id(connection.client.chain_id, sessions.address, terms)
    session = Session(connection, found, terms)
    if not session.exists():
        call = sessions.build_open_session(
            signer=terms.signer,
            operator=terms.operator,
            version=terms.version,
            token=terms.token,
            fee=int(terms.fee),
            salt=terms.salt,
            deposit=deposit,
        )
        connection.send(found, OPEN, call)
    return session


def find_session(connection: Connection, wanted: SessionId) -> Session:
    """Return a session; raise ContractRevert UnknownSession, or TermsMismatch where a node lies."""
    sessions = connection.sessions
    terms = sessions.get_session(wanted).terms
    found = compute_session_id(connection.client.chain_id, sessions.address, terms)
    if found != wanted:
        raise TermsMismatch(wanted, found)
    return Session(connection, wanted, terms)
