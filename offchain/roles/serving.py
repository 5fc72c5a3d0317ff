"""An operator's answers to the requests of sessions that name its owner.

A request is checked, then written down, then run; the one digest that is ever signed for it is
written down before the signature is made. So a process that is killed at any point runs it again,
finds the same digest, and signs the same result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import TYPE_CHECKING, Final

from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import GatewayRefused, GatewayUnavailable
from offchain.roles.base import UNUSABLE
from offchain.roles.batches import name_request
from offchain.roles.exposure import OF, REQUEST
from offchain.roles.promises import Promises, Sitting
from offchain.roles.receipts import sign_receipt, stand_by
from offchain.roles.session_book import SESSION, name_session
from offchain.roles.session_rules import (
    BLOCK_OF_NONCES,
    Result,
    group_by_step,
    may_serve,
    read_request,
    read_result,
    request_to_detail,
)
from offchain.submit.gateway import GatewayClient, SignedRequest
from offchain.types import JobId, Session, SessionId, SessionRequest

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

ASK_S: Final = 1.0  # between two questions to a gateway, of the machine's clock
ASK_EACH_S: Final = 0.2
SERVE: Final = "serve"
RECOVER: Final = "recover"  # once a journal's life: what was answered and forgotten
OPEN: Final = "open"  # requests' states at a gateway
SERVED: Final = "served"


class ServeMoves:
    """Serves the sessions of one operator through one gateway."""

    def __init__(
        self,
        operator: Operator,
        gateway: GatewayClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operator = operator
        self._context = operator.context
        self._gateway = gateway
        self._clock = clock
        self._promises = Promises(operator)
        self._asked_at = -inf
        self._due: tuple[StepKey, ...] = ()

    # What is due

    def compute_steps(self, sessions: Sequence[Session]) -> tuple[StepKey, ...]:
        """Return the requests that wait for an answer, in blocks of neighbouring nonces.

        A gateway counts its callers' requests: with many sessions it is asked less often.
        """
        now = self._clock()
        if now - self._asked_at >= max(ASK_S, ASK_EACH_S * len(sessions)):
            self._asked_at = now
            self._due = self._ask(sessions)
        return self._due

    def _ask(self, sessions: Sequence[Session]) -> tuple[StepKey, ...]:
        due: list[StepKey] = []
        for session in filter(may_serve, sessions):
            recover = self._key(session.id, RECOVER)
            if not self._context.journal.is_done(recover):
                due.append(recover)
            nonces = set(self._list_promised(session.id))
            try:
                listed = self._gateway.get_requests(session.id, OPEN)
            except GatewayUnavailable as error:
                self._context.put_off(recover, str(error))
                break  # one that does not answer would hold up the tick once a session
            except GatewayRefused as error:
                self._context.put_off(recover, str(error))
                continue
            nonces |= {signed.request.nonce for signed in listed} - self._list_refused(session.id)
            due += [self._key(session.id, f"{SERVE}{OF}{block}") for block in group_by_step(nonces)]
        return tuple(due)

    def _list_promised(self, session: SessionId) -> frozenset[int]:
        """Return the nonces of requests that were promised and not run yet."""
        steps = self._context.journal.get_steps(
            self._context.settings.role, name_session(session), REQUEST + OF, StepStatus.BEGUN
        )
        return frozenset(
            int(step.key.step.partition(OF)[2]) for step in steps if "out_digest" not in step.detail
        )

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
            session_id, key, [s for s in listed if s.request.nonce // BLOCK_OF_NONCES == block]
        )

    def recover(self, _: JobId, key: StepKey) -> None:
        """Answer again what was answered before the journal was lost and is in no batch yet."""
        session_id = SessionId(key.job.removeprefix(SESSION))
        listed = self._gateway.get_requests(session_id, SERVED)
        unknown = [s for s in listed if not self._is_known(s.request)]
        self._serve_all(session_id, key, unknown)
        self._context.journal.put_step(key, StepStatus.DONE)

    def _is_known(self, request: SessionRequest) -> bool:
        key = name_request(self._context, request.session, request.nonce)
        return self._context.journal.get_step(key) is not None

    def _serve_all(
        self, session_id: SessionId, key: StepKey, listed: Sequence[SignedRequest]
    ) -> None:
        sitting = self._promises.begin(session_id, key)
        if sitting is None:
            return
        self._promises.make(sitting, key, listed)
        nonces = {signed.request.nonce for signed in listed}
        if key.step != RECOVER:
            block = int(key.step.partition(OF)[2])
            promised = self._list_promised(session_id)
            nonces |= {nonce for nonce in promised if nonce // BLOCK_OF_NONCES == block}
        self._answer_all(sitting, nonces)

    def _answer_all(self, sitting: Sitting, nonces: Iterable[int]) -> None:
        for nonce in sorted(nonces):
            self._answer(sitting, nonce)

    def _answer(self, sitting: Sitting, nonce: int) -> None:
        """Run a promised request unless that was done, and hand its result to the client."""
        key = name_request(self._context, sitting.session.id, nonce)
        step = self._context.journal.get_step(key)
        if step is None or "in_digest" not in step.detail or step.status is StepStatus.GIVEN_UP:
            return
        # Another request of this nonce may be listed now: the one that was promised counts.
        request, signature = read_request(sitting.session.id, nonce, step.detail)
        result = read_result(sitting.session.id, nonce, step.detail)
        if result is None:
            result = self._run(sitting, request, signature, key)
        if result is not None:
            self._publish(result, key)

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
            # Left as it is where it went into a batch, or was given up, meanwhile.
            found = context.journal.get_step(key)
            if found is not None and found.status is StepStatus.BEGUN:
                context.journal.put_step(key, StepStatus.BEGUN, detail)
        context.log.event("request-served", session=request.session, nonce=request.nonce)
        return result

    def _publish(self, result: Result, key: StepKey) -> None:
        """Hand the signed result to the client.

        What the gateway does not take it will list again; a batch holds the result all the same.
        """
        request = result.request
        signature = sign_receipt(self._context, self._get_job_id(request), result.out_digest)
        if signature is None:
            return
        try:
            self._gateway.post_result(request.session, request.nonce, result.out_digest, signature)
        except (GatewayRefused, GatewayUnavailable) as error:
            self._context.put_off(key, str(error))

    def _get_job_id(self, request: SessionRequest) -> JobId:
        return self._context.contracts.market.compute_job_id(self._promises.get_terms(request))

    def _key(self, session: SessionId, step: str) -> StepKey:
        return self._context.key(name_session(session), step)
