"""Quorums as confirmed events name them, and as they stand at the head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from offchain.chain.job_ids import id_bytes, to_job_id
from offchain.chain.quorum_ids import build_replica_terms, compute_audit_key, compute_quorum_id
from offchain.errors import ContractRevert, TermsMismatch
from offchain.types import (
    Address,
    DisputeState,
    JobId,
    JobState,
    Quorum,
    QuorumId,
    QuorumState,
    Replica,
    ReplicaState,
    SeedState,
)

if TYPE_CHECKING:
    from offchain.chain.cursor import EventCursor
    from offchain.roles.context import Contracts

QUORUM: Final = "quorum-"  # how the cursor and the journal name them
EXTRACTED: Final = "ReplicaExtracted"
REVEALS_OPENED: Final = "RevealsOpened"
UNKNOWN: Final = "UnknownQuorum"
SEED_STATES: Final = (QuorumState.OPEN, QuorumState.AUDITING)
ROUND_STATES: Final = (QuorumState.PROVISIONAL, QuorumState.SPLIT)


@dataclass(frozen=True)
class OpenQuorum:
    """A quorum with its replicas, in one reading of the head."""

    facts: Quorum
    replicas: tuple[Replica, ...]

    @property
    def id(self) -> QuorumId:
        """Return the quorum's id."""
        return self.facts.id

    @property
    def is_round(self) -> bool:
        """Whether results are known and may be disputed."""
        return self.facts.state in ROUND_STATES

    def find_own(self, owner: str | None) -> int | None:
        """Return the number of an owner's replica, or None where it has none."""
        for index, replica in enumerate(self.replicas):
            if owner is not None and replica.operator == owner:
                return index
        return None

    def list_in(self, state: ReplicaState) -> tuple[int, ...]:
        """Return the numbers of the replicas in a state."""
        return tuple(k for k, replica in enumerate(self.replicas) if replica.state is state)


def name_quorum(quorum: QuorumId) -> str:
    """Return a quorum's name in cursor and journal."""
    return QUORUM + quorum


def parse_quorum(name: str) -> QuorumId:
    """Return the quorum that a name in the journal is of."""
    return QuorumId(name.removeprefix(QUORUM))


class QuorumBook:
    """Reads quorums of one deployment at the head."""

    def __init__(self, chain_id: int, contracts: Contracts) -> None:
        self._chain_id = chain_id
        self._contracts = contracts

    def find(self, quorum: QuorumId) -> OpenQuorum | None:
        """Return a quorum at the head, or None where a reorganisation took it.

        Raises TermsMismatch where a node tells terms that are not those that the id names.
        """
        market = self._contracts.quorum
        try:
            facts, replicas = market.get_quorum(quorum), market.get_replicas(quorum)
        except ContractRevert as revert:
            if revert.name != UNKNOWN:
                raise
            return None
        found = compute_quorum_id(self._chain_id, market.address, facts.terms)
        if found != quorum:
            raise TermsMismatch(quorum, found)
        return OpenQuorum(facts, replicas)

    def get_job_id(self, quorum: OpenQuorum, index: int) -> JobId:
        """Return the id of the job that a replica is, or would be."""
        terms = build_replica_terms(quorum.id, quorum.facts.terms, index)
        return self._contracts.market.compute_job_id(terms)

    def get_seed(self, quorum: OpenQuorum) -> tuple[SeedState, int]:
        """Return how the beacon stands to what a quorum waits for, and when that was asked."""
        requester, key = self._contracts.quorum.address, id_bytes(JobId(quorum.id))
        if quorum.facts.state is QuorumState.AUDITING:
            key = compute_audit_key(quorum.id)
        beacon = self._contracts.beacon
        return beacon.get_state(requester, key), beacon.get_request_block(requester, key)

    def is_over(self, quorum: OpenQuorum) -> bool:
        """Whether every job that was taken out is over, the airgap of its slash included."""
        return all(
            self._is_job_over(self.get_job_id(quorum, index))
            for index in quorum.list_in(ReplicaState.EXTRACTED)
        )

    def _is_job_over(self, job_id: JobId) -> bool:
        job = self._contracts.market.get_job(job_id)
        if job.state is not JobState.REJECTED:
            return job.state.is_terminal
        dispute = self._contracts.game.get_dispute_of(job_id)
        return dispute is not None and dispute.state not in (
            DisputeState.DEFAULT,
            DisputeState.FRAUD_PROVEN,
        )

    def find_place(self, quorum: OpenQuorum, owner: Address) -> int | None:
        """Return an owner's place among the candidates of a quorum, None where it has none."""
        terms = quorum.facts.terms
        listed = self._contracts.pool.get_candidates(terms.version, terms.token)
        for place, candidate in enumerate(listed):
            if candidate.operator == owner:
                return place
        return None


class QuorumEvents(QuorumBook):
    """Reads quorums that confirmed events name."""

    def __init__(self, chain_id: int, contracts: Contracts, cursor: EventCursor) -> None:
        super().__init__(chain_id, contracts)
        self._cursor = cursor

    def list_live(self) -> tuple[QuorumId, ...]:
        """Return the quorums that no confirmed event has ended, oldest first."""
        live = self._cursor.get_live_jobs()
        return tuple(parse_quorum(name) for name in live if name.startswith(QUORUM))

    def find_extracted(self, job_id: JobId) -> QuorumId | None:
        """Return the quorum that a job was taken out of, or None for any other job."""
        for event in self._cursor.get_events(EXTRACTED):
            if to_job_id(event.arguments["jobId"]) == job_id:
                return QuorumId(to_job_id(event.arguments["quorumId"]))
        return None

    def are_reveals_confirmed(self, quorum: QuorumId) -> bool:
        """Whether the end of the commitments is in a block that the cursor has passed."""
        return bool(self._cursor.get_events(REVEALS_OPENED, name_quorum(quorum)))
