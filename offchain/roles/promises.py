"""Which requests an operator promises to answer: written down before anything is run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offchain.chain.journal import StepKey, StepStatus
from offchain.chain.typed_data import build_request, verify_typed_signature
from offchain.errors import ContentError, ModelMissing, SignerMismatch
from offchain.roles.base import REFUSALS
from offchain.roles.batches import name_request
from offchain.roles.intake import find_session_obstacle, hold_intake, verify_wanted
from offchain.roles.pace import measure_pace
from offchain.roles.plan_checks import verify_defensible
from offchain.roles.session_rules import (
    compact_or_none,
    compute_safety_s,
    may_serve,
    request_to_detail,
    verify_request,
)
from offchain.submit.gateway import SignedRequest
from offchain.submit.versions import ReproducedVersion, check_provable
from offchain.types import AccountId, JobTerms, Session, SessionId, SessionRequest

if TYPE_CHECKING:
    from offchain.roles.operator import Operator


@dataclass(frozen=True)
class Sitting:
    """What all requests of one session share while some of them are served."""

    session: Session
    version: ReproducedVersion  # as this operator runs it
    now: int
    safety_s: int


class Promises:
    """Decides on requests for one operator."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context

    def begin(self, session_id: SessionId, key: StepKey) -> Sitting | None:
        """Look at a session and its version; None where it is not served now."""
        context = self._context
        session = context.sessions.find_session(session_id)
        if session is None or not may_serve(session):
            return None
        if session.terms.operator != self._operator.get_owner():
            return None
        try:
            version = self._operator.load_version(session.terms.version)
            check_provable(version.version, version.model, context.client.get_block_gas_limit())
            verify_defensible(context, session.terms.version)
        except (ModelMissing, *REFUSALS) as error:
            context.put_off(key, str(error))
            return None
        safety_s = compute_safety_s(measure_pace(context.client, context.client.get_head()))
        return Sitting(session, version, context.contracts.market.get_time().now, safety_s)

    def make(self, sitting: Sitting, key: StepKey, listed: Iterable[SignedRequest]) -> None:
        """Promise those of the listed requests that can be served: as many as there is room for.

        The most urgent first. One decision at a time: two at once would count on the same room.
        """
        checked = [taken for signed in listed if (taken := self._check(sitting, signed))]
        checked.sort(key=lambda signed: (signed.request.valid_until, signed.request.nonce))
        with hold_intake(self._context):
            fresh = [signed for signed in checked if self._is_fresh(signed.request)]
            fitting = self._fit(sitting, key, fresh)
            with self._context.journal.atomic():
                for signed in fitting:
                    detail = request_to_detail(signed.request, signed.signature)
                    self._context.journal.put_step(
                        self._name(signed.request), StepStatus.BEGUN, detail
                    )

    def get_terms(self, request: SessionRequest) -> JobTerms:
        """Return the terms of the job that a request stands for."""
        return self._context.sessions.get_job_terms(
            request.session, request.nonce, request.in_digest
        )

    def _check(self, sitting: Sitting, signed: SignedRequest) -> SignedRequest | None:
        """Return a request that can be served, or None; whatever is not yet so is left for later.

        Gives it up where its signer asked for something impossible. What anybody could have put
        there, a signature of somebody else's, says nothing about the nonce.
        """
        context, request = self._context, signed.request
        key = self._name(request)
        if context.journal.get_step(key) is not None:
            return None  # decided before
        signature = self._verify_signer(sitting.session, signed)
        if signature is None:
            context.put_off(key, "not signed by the session's signer")
            return None
        try:
            verify_request(request, sitting.now, sitting.safety_s)
            verify_wanted(self.get_terms(request), context.settings)
            self._operator.read_input(sitting.session.terms.version, request.in_digest)
        except ContentError as error:
            context.put_off(key, str(error))  # it may come while the request is valid
            return None
        except REFUSALS as error:
            context.give_up(key, str(error))
            return None
        return SignedRequest(request, signature)

    def _fit(
        self, sitting: Sitting, key: StepKey, fresh: Sequence[SignedRequest]
    ) -> Sequence[SignedRequest]:
        """Return as many of the requests as there is room for; halves are tried, not each."""
        while fresh:
            terms = self.get_terms(fresh[0].request)
            obstacle = find_session_obstacle(
                self._operator, sitting.session, terms, sitting.version, len(fresh)
            )
            if obstacle is None:
                break
            self._context.put_off(key, obstacle)
            fresh = fresh[: len(fresh) // 2]
        return fresh

    def _is_fresh(self, request: SessionRequest) -> bool:
        """Whether no other thread has decided on a request, and no batch holds its nonce."""
        journal, key = self._context.journal, self._name(request)
        if journal.get_step(key) is not None:
            return False
        if self._context.contracts.sessions.is_nonce_used(request.session, request.nonce):
            journal.put_step(key, StepStatus.DONE)
            return False
        return True

    def _verify_signer(self, session: Session, signed: SignedRequest) -> bytes | None:
        """Return the signature as the contract takes it, or None where it is not the signer's."""
        signature = compact_or_none(signed.signature)
        if signature is None:
            return None
        context = self._context
        sessions = context.contracts.sessions.address
        message = build_request(context.client.chain_id, sessions, signed.request)
        try:
            verify_typed_signature(message, signature, AccountId(session.terms.signer))
        except SignerMismatch:
            return None
        return signature

    def _name(self, request: SessionRequest) -> StepKey:
        return name_request(self._context, request.session, request.nonce)
