"""An operator's disputes about others' replicas of what it has computed itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from offchain.roles.base import Action
from offchain.roles.challenger import Challenger
from offchain.types import Digest, Job, JobId, JobState, ProtocolTime, QuorumId

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

DISPUTABLE = (JobState.COMMITTED, JobState.DISPUTED, JobState.REJECTED, JobState.PROVEN)


class Dissent:
    """Lets an operator challenge a replica that says otherwise than its own, and nothing else."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context
        self._challenger = Challenger(operator.context)
        self._quorums: dict[JobId, QuorumId | None] = {}
        self._own: dict[QuorumId, Digest] = {}
        self._rewinds = 0

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return self._challenger.own_actions

    def concerns(self, job: Job) -> bool:
        """Whether a job was taken out of a quorum in which this operator says otherwise."""
        owner = self._operator.get_owner()
        if job.state not in DISPUTABLE or owner is None or job.operator == owner:
            return False
        quorum = self._find_quorum(job.id)
        own = None if quorum is None else self._get_own(quorum, owner)
        return own is not None and own != job.out_digest

    def choose(self, job: Job, time: ProtocolTime) -> str | None:
        """Return the one step that a disputed replica asks of its challenger."""
        return self._challenger.choose(job, time)

    def choose_moves(self, job: Job, time: ProtocolTime) -> tuple[str, ...]:
        """Return what disputes over a replica's trace ask of their challenger."""
        return self._challenger.choose_moves(job, time)

    def _find_quorum(self, job_id: JobId) -> QuorumId | None:
        if self._rewinds != self._context.cursor.rewinds:
            self._quorums, self._own = {}, {}
            self._rewinds = self._context.cursor.rewinds
        if job_id not in self._quorums:
            # A job and its extraction are told by one transaction: what is not known never will be.
            self._quorums[job_id] = self._context.quorums.find_extracted(job_id)
        return self._quorums[job_id]

    def _get_own(self, quorum_id: QuorumId, owner: str) -> Digest | None:
        if quorum_id not in self._own:
            quorum = self._context.quorums.find(quorum_id)
            index = None if quorum is None else quorum.find_own(owner)
            if quorum is None or index is None or not any(quorum.replicas[index].out_digest):
                return None
            self._own[quorum_id] = quorum.replicas[index].out_digest
        return self._own[quorum_id]
