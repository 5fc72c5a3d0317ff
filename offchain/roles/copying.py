"""An operator that copies a blinded result, for drills on development chains."""

from __future__ import annotations

from typing import Any

from offchain.chain.client import Call
from offchain.chain.journal import StepKey
from offchain.errors import ContractRevert
from offchain.roles.base import OF
from offchain.roles.operator import Operator
from offchain.roles.quorum_book import OpenQuorum
from offchain.roles.replicas import COMMIT
from offchain.types import JobId

REFUSED = "BadCommitment"


class CopyingOperator(Operator):
    """Waits for another replica's commitment and sends it as its own: the chain refuses it."""

    def choose_commitment(self, quorum: OpenQuorum, index: int, own: bytes) -> bytes | None:  # noqa: ARG002
        """Return what somebody else has committed to, once there is anything."""
        others = (r.commitment for k, r in enumerate(quorum.replicas) if k != index)
        return next((commitment for commitment in others if any(commitment)), None)

    def send(self, job_id: JobId, key: StepKey, call: Call, event: str, **facts: Any) -> bool:
        """Send a step's transaction; a copy that is refused is not tried again."""
        try:
            return super().send(job_id, key, call, event, **facts)
        except ContractRevert as revert:
            if revert.name != REFUSED:
                raise
            step = OF.join(key.step.split(OF)[:2]) if key.step.startswith(COMMIT) else key.step
            self.context.give_up(self.context.key(key.job, step), f"refused on chain: {REFUSED}")
            return False
