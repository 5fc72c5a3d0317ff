"""How an operator's batches end: paid after their window, or voided in the refund mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from offchain.chain.journal import StepKey
from offchain.roles.session_book import BATCH, name_batch
from offchain.types import BatchId, BatchState, JobId, ProtocolTime

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

FINALISE_BATCH: Final = "finalise-batch"
VOID_BATCH: Final = "void-batch"


class BatchSettling:
    """Settles the batches of one operator."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context

    def compute_settlements(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return what own batches ask for once their window is over, or in the refund mode."""
        context, owner = self._context, self._operator.get_owner()
        due = []
        for batch in context.read_batches():
            if batch.operator != owner:
                continue
            if time.is_refund_mode:
                due.append(context.key(name_batch(batch.id), VOID_BATCH))
            elif time.now > batch.challenge_until:
                due.append(context.key(name_batch(batch.id), FINALISE_BATCH))
        return tuple(due)

    def finalise(self, _: JobId, key: StepKey) -> None:
        """Settle what nobody challenged in time."""
        batch_id = self._get_open(key)
        if batch_id is not None:
            call = self._context.contracts.sessions.build_finalise_batch(batch_id)
            self._operator.send(JobId(key.job), key, call, "batch-finalised")

    def void(self, _: JobId, key: StepKey) -> None:
        """In the refund mode, fetch the locks of a batch back."""
        batch_id = self._get_open(key)
        if batch_id is not None:
            call = self._context.contracts.sessions.build_void_batch(batch_id)
            self._operator.send(JobId(key.job), key, call, "batch-voided")

    def is_still_asked(self, key: StepKey) -> bool:
        """Whether a settlement is due at the head, after it was refused."""
        return self._get_open(key) is not None

    def _get_open(self, key: StepKey) -> BatchId | None:
        batch_id = BatchId(key.job.removeprefix(BATCH))
        batch = self._context.sessions.find_batch(batch_id)
        return batch_id if batch is not None and batch.state is BatchState.COMMITTED else None
