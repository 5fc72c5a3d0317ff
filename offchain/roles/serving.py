"""An operator's answers to the requests of sessions that name its owner.

A request is checked, then written down, then run; the one digest that is ever signed for it is
written down before the signature is made. So a process that is killed at any point runs it again,
finds the same digest, and signs the same result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from offchain.chain.journal import StepKey, StepStatus
from offchain.chain.typed_data import build_request, verify_typed_signature
from offchain.errors import (
    ContentError,
    GatewayRefused,
    GatewayUnavailable,
    ModelMissing,
    SignerMismatch,
)
from offchain.roles.base import REFUSALS, UNUSABLE
from offchain.roles.batches import name_request
from offchain.roles.exposure import OF, REQUEST
from offchain.roles.intake import find_session_obstacle, hold_intake, verify_wanted
from offchain.roles.pace import measure_pace
from offchain.roles.receipts import sign_receipt, stand_by
from offchain.roles.session_book import SESSION, name_session
from offchain.roles.session_rules import (
    BLOCK_OF_NONCES,
    Result,
    compact_or_none,
    compute_safety_s,
    group_by_step,
    may_serve,
    read_request,
    read_result,
    request_to_detail,
    verify_request,
)
from offchain.submit.gateway import GatewayClient, SignedRequest
from offchain.submit.versions import ReproducedVersion, check_provable
from offchain.types import AccountId, JobId, JobTerms, Session, SessionId, SessionRequest

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

SERVE: Final = "serve"
RECOVER: Final = "recover"  # once a journal's life: what was answered and forgotten
OPEN: Final = "open"  # requests' states at a gateway
SERVED: Final = "served"


@dataclass(frozen=True)
class Sitting:
    """What all requests of one session share while some of them are served."""

    session: Session
    version: ReproducedVersion  # as this operator runs it
    now: int
    safety_s: int


class ServeMoves:
    """Serves the sessions of one operator through one gateway."""

    def __init__(self, operator: Operator, gateway: GatewayClient) -> None:
        self._operator = operator
        self._context = operator.context
        self._gateway = gateway

    # What is due

    def compute_steps(self, sessions: Sequence[Session]) -> tuple[StepKey, ...]:
        """Return the requests that wait for an answer, in blocks of neighbouring nonces."""
        due: list[StepKey] = []
        for session in filter(may_serve, sessions):
            recover = self._key(session.id, RECOVER)
            if not self._context.journal.is_done(recover):
                due.append(recover)
            try:
                waiting = self._gateway.get_requests(session.id, OPEN)
            except GatewayUnavailable as error:
                self._context.put_off(recover, str(error))
                break  # one that does not answer would hold up the tick once a session
            except GatewayRefused as error:
                self._context.put_off(recover, str(error))
                continue
            refused = self._list_refused(session.id)
            nonces = (signed.request.nonce for signed in waiting)
            blocks = group_by_step(nonce for nonce in nonces if nonce not in refused)
            due += [self._key(session.id, f"{SERVE}{OF}{block}") for block in blocks]
        return tuple(due)

    def _list_refused(self, session: SessionId) -> frozenset[int]:
        """Return the nonces whose request was refused for good."""
        steps = self._context.journal.get_steps(
            self._context.settings.role, name_session(session), REQUEST + OF, StepStatus.GIVEN_UP
        )
        return frozenset(int(step.key.step.partition(OF)[2]) for step in steps)

    # What is done

    def serve(self, _: JobId, key: StepKey) -> None:
        """Answer the open requests of one block of nonces."""
        session_id = SessionId(key.job.removeprefix(SESSION))
        block = int(key.step.partition(OF)[2])
        listed = self._gateway.get_requests(session_id, OPEN)
        self._serve_all(
            session_id, key, (s for s in listed if s.request.nonce // BLOCK_OF_NONCES == block)
        )

    def recover(self, _: JobId, key: StepKey) -> None:
        """Answer again what was answered before the journal was lost and is in no batch yet."""
        session_id = SessionId(key.job.removeprefix(SESSION))
        listed = self._gateway.get_requests(session_id, SERVED)
        known = self._context.journal.get_step
        unknown = [
            signed
            for signed in listed
            if known(name_request(self._context, session_id, signed.request.nonce)) is None
        ]
        self._serve_all(session_id, key, unknown)
        self._context.journal.put_step(key, StepStatus.DONE)

    def _serve_all(
        self, session_id: SessionId, key: StepKey, listed: Iterable[SignedRequest]
    ) -> None:
        sitting = self._begin(session_id, key)
        if sitting is None:
            return
        for signed in sorted(listed, key=lambda s: (s.request.valid_until, s.request.nonce)):
            self._serve_one(sitting, signed)

    def _begin(self, session_id: SessionId, key: StepKey) -> Sitting | None:
        """Look at the session and its version; None where it is not served now."""
        context = self._context
        session = context.sessions.find_session(session_id)
        if session is None or not may_serve(session):
            return None
        if session.terms.operator != self._operator.get_owner():
            return None
        try:
            version = self._operator.load_version(session.terms.version)
            check_provable(version.version, version.model, context.client.get_block_gas_limit())
        except (ModelMissing, *REFUSALS) as error:
            context.put_off(key, str(error))
            return None
        safety_s = compute_safety_s(measure_pace(context.client, context.client.get_head()))
        return Sitting(session, version, context.contracts.market.get_time().now, safety_s)

    def _serve_one(self, sitting: Sitting, signed: SignedRequest) -> None:
        context, request = self._context, signed.request
        key = name_request(context, sitting.session.id, request.nonce)
        step = context.journal.get_step(key)
        if step is None:
            if not self._take(sitting, signed, key):
                return
            step = context.journal.get_step(key)
        if step is None or "in_digest" not in step.detail or step.status is StepStatus.GIVEN_UP:
            return
        # Another request of this nonce may be listed now: the one that was taken counts.
        taken, signature = read_request(sitting.session.id, request.nonce, step.detail)
        result = read_result(sitting.session.id, request.nonce, step.detail)
        if result is None:
            result = self._run(sitting, taken, signature, key)
        if result is not None:
            self._publish(sitting, result, key)

    def _take(self, sitting: Sitting, signed: SignedRequest, key: StepKey) -> bool:
        """Check a request and write it down as promised; whatever is not yet so is left for later.

        Gives it up where its signer asked for something impossible. What anybody could have put
        there, a signature of somebody else's, says nothing about the nonce.
        """
        context, request = self._context, signed.request
        signature = self._verify_signer(sitting.session, signed)
        if signature is None:
            context.put_off(key, "not signed by the session's signer")
            return False
        try:
            verify_request(request, sitting.now, sitting.safety_s)
            verify_wanted(self._get_terms(request), context.settings)
            self._operator.read_input(sitting.session.terms.version, request.in_digest)
        except ContentError as error:
            context.put_off(key, str(error))  # it may come while the request is valid
            return False
        except REFUSALS as error:
            context.give_up(key, str(error))
            return False
        return self._promise(sitting, request, signature, key)

    def _promise(
        self, sitting: Sitting, request: SessionRequest, signature: bytes, key: StepKey
    ) -> bool:
        """Write a good request down unless there is no room for it now.

        One decision at a time: two at once would count on the same room.
        """
        context, session = self._context, sitting.session
        with hold_intake(context):
            if context.journal.get_step(key) is not None:
                return True  # another thread was first
            if context.contracts.sessions.is_nonce_used(session.id, request.nonce):
                context.journal.put_step(key, StepStatus.DONE)
                return False
            terms = self._get_terms(request)
            obstacle = find_session_obstacle(self._operator, session, terms, sitting.version)
            if obstacle is not None:
                context.put_off(self._key(session.id, SERVE), obstacle)
                return False
            detail = request_to_detail(request, signature)
            context.journal.put_step(key, StepStatus.BEGUN, detail)
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

    def _run(
        self, sitting: Sitting, request: SessionRequest, signature: bytes, key: StepKey
    ) -> Result | None:
        """Run a request once and write down which result is stood by."""
        context, version_id = self._context, sitting.session.terms.version
        try:
            raw = self._operator.read_input(version_id, request.in_digest)
            output = sitting.version.model.run(raw, context.settings.backend)
        except UNUSABLE as error:
            context.put_off(key, str(error))
            return None
        digest = self._operator.publish_output(version_id, output)
        result = Result(request, signature, digest, context.contracts.market.get_time().now)
        detail = {
            **request_to_detail(request, signature),
            "out_digest": digest.hex(),
            "served_at": int(result.served_at),
        }
        with context.journal.atomic():
            stand_by(context, self._get_job_id(request), digest)
            # Kept as it is where it went into a batch meanwhile, by another thread.
            found = context.journal.get_step(key)
            if found is not None and found.status is StepStatus.BEGUN:
                context.journal.put_step(key, StepStatus.BEGUN, detail)
        context.log.event("request-served", session=request.session, nonce=request.nonce)
        return result

    def _publish(self, sitting: Sitting, result: Result, key: StepKey) -> None:
        """Hand the signed result to the client; the gateway's refusal keeps nobody from a batch."""
        request = result.request
        job_id = self._get_job_id(request)
        signature = sign_receipt(self._context, job_id, result.out_digest)
        if signature is None:
            return
        try:
            self._gateway.post_result(
                sitting.session.id, request.nonce, result.out_digest, signature
            )
        except GatewayRefused as error:
            self._context.put_off(key, str(error))

    def _get_terms(self, request: SessionRequest) -> JobTerms:
        """Return the terms of the job that a request stands for."""
        return self._context.sessions.get_job_terms(
            request.session, request.nonce, request.in_digest
        )

    def _get_job_id(self, request: SessionRequest) -> JobId:
        return self._context.contracts.market.compute_job_id(self._get_terms(request))

    def _key(self, session: SessionId, step: str) -> StepKey:
        return self._context.key(name_session(session), step)
