"""An operator's work beside single jobs: sessions and their batches, signed orders, replicas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from offchain.chain.journal import StepKey
from offchain.roles.base import Action
from offchain.roles.batch_settling import FINALISE_BATCH, VOID_BATCH, BatchSettling
from offchain.roles.batches import COMMIT_BATCH, BatchMoves
from offchain.roles.orders import TAKE, OrderMoves
from offchain.roles.quorum_book import QUORUM
from offchain.roles.replicas import ReplicaMoves
from offchain.roles.serving import RECOVER, SERVE, ServeMoves
from offchain.roles.session_book import BATCH
from offchain.types import ProtocolTime, Session, VersionId

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

NO_STEPS: Final[tuple[StepKey, ...]] = ()


class FurtherWork:
    """What one operator does beside the jobs that it finds on chain.

    Without a gateway nothing further is taken but replicas; batches that were promised are
    committed and settled all the same.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context
        gateway = operator.context.gateway
        self._batches = BatchMoves(operator)
        self._settling = BatchSettling(operator)
        self.replicas = ReplicaMoves(operator)
        self._serving = None if gateway is None else ServeMoves(operator, gateway)
        self._orders = None if gateway is None else OrderMoves(operator, gateway)

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        actions: dict[str, Action] = {
            COMMIT_BATCH: self._batches.commit,
            FINALISE_BATCH: self._settling.finalise,
            VOID_BATCH: self._settling.void,
            **self.replicas.actions,
        }
        if self._serving is not None:
            actions |= {SERVE: self._serving.serve, RECOVER: self._serving.recover}
        if self._orders is not None:
            actions |= {TAKE: self._orders.take}
        return actions

    def compute_steps(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return what sessions, batches, orders and replicas ask for."""
        settlements = self._settling.compute_settlements(time)
        replicas = self._operator.drop_if_stale(self.replicas.compute_steps(time))
        if time.is_refund_mode:
            return (*settlements, *replicas)
        if time.is_paused:
            return NO_STEPS
        sessions = self._list_own_sessions()
        due = [*settlements, *replicas, *self._batches.compute_commits(sessions, time.now)]
        if self._operator.may_take_jobs():
            if self._serving is not None:
                due += self._serving.compute_steps(sessions)
            if self._orders is not None:
                due += self._orders.compute_steps(time.now)
        return self._operator.drop_if_stale(due)

    def list_promised_orders(self) -> tuple[VersionId, ...]:
        """Return the versions of signed orders that are being taken, and of open replicas."""
        orders = () if self._orders is None else self._orders.list_promised()
        return (*orders, *self.replicas.list_promised())

    def is_still_asked(self, key: StepKey) -> bool:
        """Whether a step about a batch or a quorum is asked for yet."""
        if key.job.startswith(QUORUM):
            return self.replicas.is_still_asked(key)
        return not key.job.startswith(BATCH) or self._settling.is_still_asked(key)

    def _list_own_sessions(self) -> tuple[Session, ...]:
        """Return the live sessions that name this worker's owner, as they stand at the head."""
        owner, book = self._operator.get_owner(), self._context.sessions
        found = []
        for session_id in book.list_sessions():
            terms = book.get_terms(session_id)
            if terms is None or owner is None or terms.operator != owner:
                continue
            session = book.find_session(session_id)
            if session is not None:
                found.append(session)
        return tuple(found)
