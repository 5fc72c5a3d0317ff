"""Quorum: replicas of one inference, committed blindly, counted, and decided by jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from offchain.chain.abi import DecodedEvent
from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes, to_job_id
from offchain.chain.quorum_ids import compute_quorum_id, hash_commitment
from offchain.errors import TermsMismatch
from offchain.types import (
    ETH,
    Address,
    Amount,
    BlockNumber,
    CreatedQuorum,
    Digest,
    DrawnReplica,
    JobId,
    QuorumAssurance,
    QuorumId,
    QuorumState,
    QuorumTerms,
    Replica,
    ReplicaState,
    Seconds,
    VersionId,
)
from offchain.types import Quorum as QuorumFacts

QUORUM_CREATED: Final = "QuorumCreated"
REPLICA_DRAWN: Final = "ReplicaDrawn"
ROUND_OPENED: Final = "RoundOpened"
QUORUM_ENDED: Final = "QuorumEnded"


class Quorum(Binding):
    """One inference by several operators who cannot copy from each other."""

    NAME: ClassVar[str] = "Quorum"

    # Views

    def get_quorum(self, quorum: QuorumId) -> QuorumFacts:
        """Return a quorum at the head; raise ContractRevert UnknownQuorum if there is none."""
        found = self.read_struct("getQuorum", _id(quorum))
        return QuorumFacts(
            id=quorum,
            state=QuorumState(found["state"]),
            terms=_read_terms(found["terms"]),
            size=found["size"],
            is_suspect=found["isSuspect"],
            deadline=Seconds(found["deadline"]),
            out_digest=Digest(found["outDigest"]),
        )

    def get_replicas(self, quorum: QuorumId) -> tuple[Replica, ...]:
        """Return the replicas drawn, in order."""
        return tuple(
            Replica(checksum(operator), ReplicaState(state), commitment, Digest(out_digest))
            for operator, state, commitment, out_digest in self.read("getReplicas", _id(quorum))
        )

    def get_assurance(self, quorum: QuorumId) -> QuorumAssurance:
        """Return how much a consumer may rely on the result."""
        return QuorumAssurance(self.read("assuranceOf", _id(quorum)))

    def get_replica_job(self, quorum: QuorumId, index: int) -> JobId:
        """Return the id of the job that a replica is, or would be."""
        return to_job_id(self.read("computeReplicaJobId", _id(quorum), index))

    def get_replica_lock(
        self, token: Address, fee: int, count: int, insured: int, is_audited: bool
    ) -> Amount:
        """Return a replica's lock at the head; raise ContractRevert NoDetection for no lock."""
        return Amount(self.read("computeReplicaLock", token, fee, count, insured, is_audited))

    def get_audit_bps(self) -> int:
        """Return the chance of an audit that was ordered, in hundredths of a percent."""
        return int(self.read("AUDIT_BPS"))

    def hash_commitment(
        self, job: JobId, operator: Address, out_digest: Digest, salt: bytes
    ) -> bytes:
        """Return what an operator commits to, without asking the contract."""
        return hash_commitment(self._client.chain_id, self.address, job, operator, out_digest, salt)

    # Events

    def read_created(self, event: DecodedEvent) -> CreatedQuorum:
        """Return a QuorumCreated event's quorum; raise TermsMismatch unless its id is its hash."""
        told = event.arguments
        terms = _read_terms(told["terms"])
        named = QuorumId(to_job_id(told["quorumId"]))
        found = compute_quorum_id(self._client.chain_id, self.address, terms)
        if named != found:
            raise TermsMismatch(named, found)
        return CreatedQuorum(
            id=named,
            terms=terms,
            input_uri=told["inputUri"],
            draw_until=Seconds(told["drawUntil"]),
            block_number=BlockNumber(event.block_number),
        )

    def read_drawn(self, event: DecodedEvent) -> DrawnReplica:
        """Return a ReplicaDrawn event's replica."""
        told = event.arguments
        return DrawnReplica(
            quorum=QuorumId(to_job_id(told["quorumId"])),
            index=told["replica"],
            job=to_job_id(told["jobId"]),
            operator=checksum(told["operator"]),
            lock=Amount(told["lock"]),
            commit_until=Seconds(told["commitUntil"]),
        )

    # Client

    def build_create(self, terms: QuorumTerms, input_uri: str) -> Call:
        """Order a quorum; the sender is the client of the terms."""
        parts = terms.count + terms.is_audited
        params = (
            terms.version, terms.in_digest, terms.token, terms.fee, terms.count, terms.insured,
            terms.is_audited, terms.salt, input_uri,
        )  # fmt: skip
        value = parts * terms.fee if terms.token == ETH else 0
        return self.build("createQuorum", params, value_wei=value)

    # Worker

    def build_commit(self, quorum: QuorumId, commitment: bytes) -> Call:
        """Commit blindly for the replica of the sender's owner."""
        return self.build("commitBlinded", _id(quorum), commitment)

    def build_refuse(self, quorum: QuorumId) -> Call:
        """Give the replica of the sender's owner back: its input cannot be had, or used."""
        return self.build("refuse", _id(quorum))

    # Anybody

    def build_draw(self, quorum: QuorumId) -> Call:
        """Draw the replicas, or ask for another seed if the last was missed."""
        return self.build("draw", _id(quorum))

    def build_draw_audit(self, quorum: QuorumId) -> Call:
        """Let the beacon decide whether the one replica is audited."""
        return self.build("drawAudit", _id(quorum))

    def build_expire(self, quorum: QuorumId) -> Call:
        """Refund a quorum that nobody drew in time."""
        return self.build("expireQuorum", _id(quorum))

    def build_close_commits(self, quorum: QuorumId) -> Call:
        """End the time for commitments."""
        return self.build("closeCommits", _id(quorum))

    def build_reveal(self, quorum: QuorumId, index: int, out_digest: Digest, salt: bytes) -> Call:
        """Open a commitment."""
        return self.build("reveal", _id(quorum), index, out_digest, salt)

    def build_tally(self, quorum: QuorumId) -> Call:
        """Count what was revealed."""
        return self.build("tally", _id(quorum))

    def build_extract(self, quorum: QuorumId, index: int) -> Call:
        """Make a replica of the provisional result a job."""
        return self.build("extract", _id(quorum), index)

    def build_challenge(self, quorum: QuorumId, index: int, bond_wei: int) -> Call:
        """Make a replica a job, unless it is one, and challenge it."""
        return self.build("challenge", _id(quorum), index, value_wei=bond_wei)

    def build_settle(self, quorum: QuorumId) -> Call:
        """End a round."""
        return self.build("settle", _id(quorum))

    def build_void(self, quorum: QuorumId) -> Call:
        """In the refund mode, give everybody its own money back."""
        return self.build("voidQuorum", _id(quorum))


def _id(quorum: QuorumId) -> bytes:
    return id_bytes(JobId(quorum))


def _read_terms(told: Sequence[Any]) -> QuorumTerms:
    client, version, in_digest, token, fee, count, insured, is_audited, salt = told
    return QuorumTerms(
        client=checksum(client),
        version=VersionId(version),
        in_digest=Digest(in_digest),
        token=checksum(token),
        fee=Amount(fee),
        count=count,
        insured=Amount(insured),
        is_audited=is_audited,
        salt=salt,
    )
