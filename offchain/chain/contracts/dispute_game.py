"""DisputeGame: prove-it challenges, proofs, defaults, cures and evidence of fraud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any, ClassVar, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes
from offchain.types import (
    Address,
    BlockNumber,
    Digest,
    Dispute,
    DisputeState,
    JobId,
    JobTerms,
    Seconds,
    SignedResult,
    VersionId,
    Wei,
)

SIGNED: Final = "(bytes32,bytes)"


class DisputeGame(Binding):
    """The game of prove-it."""

    NAME: ClassVar[str] = "DisputeGame"

    def get_dispute_of(self, job_id: JobId) -> Dispute | None:
        """Return a job's dispute, whatever its state, or None."""
        dispute = self.read_struct("getDispute", id_bytes(job_id))
        if dispute["state"] == DisputeState.NONE:
            return None
        return Dispute(
            job=job_id,
            state=DisputeState(dispute["state"]),
            challenger=checksum(dispute["challenger"]),
            operator=checksum(dispute["operator"]),
            bond_wei=Wei(dispute["bond"]),
            prove_until=Seconds(dispute["proveBy"]),
            opened_at_block=BlockNumber(dispute["openedAtBlock"]),
            challenge_seed=dispute["challengeSeed"],
        )

    def get_challengers(self, job_id: JobId) -> tuple[Address, ...]:
        """Return all who challenge a job, the first one first."""
        return tuple(checksum(a) for a in self.read("getChallengers", id_bytes(job_id)))

    def get_open_challenges(self, operator: str) -> int:
        """Return how many challenges are open against an operator."""
        return int(self.read("openChallenges", operator))

    def get_announced_at(self, commitment: bytes) -> BlockNumber | None:
        """Return the block in which evidence was announced, or None."""
        return BlockNumber(self.read("announcedAt", commitment)) or None

    def get_bond(self, version: VersionId) -> Wei:
        """Return the bond of a first challenge made at the head's base fee."""
        return Wei(self.read("computeBond", version))

    def get_required_bond(self, job_id: JobId) -> Wei:
        """Return the bond of a challenge to this job now: the first one's, or to join it."""
        return Wei(self.read("requiredBond", id_bytes(job_id)))

    def get_statement(self, job_id: JobId, terms: JobTerms, prover: Address) -> Mapping[str, Any]:
        """Return the statement that the chain will check a proof by `prover` against."""
        return self.read_struct("getStatement", id_bytes(job_id), astuple(terms), prover)

    def build_challenge(self, job_id: JobId, expected: Digest, bond_wei: int) -> Call:
        """Demand a proof of exactly the result that was seen, or join those who did.

        What is sent beyond the bond is credited to the sender.
        """
        return self.build("challenge", id_bytes(job_id), expected, value_wei=bond_wei)

    def build_request_proof(self, job_id: JobId, expected: Digest) -> Call:
        """Begin the proof of a job that requires one."""
        return self.build("requestProof", id_bytes(job_id), expected)

    def build_prove(
        self, job_id: JobId, terms: JobTerms, raw_input: bytes, raw_output: bytes, proof: bytes
    ) -> Call:
        """Prove a committed result; the proof is bound to the sender."""
        return self.build("prove", id_bytes(job_id), astuple(terms), raw_input, raw_output, proof)

    def build_cure(
        self, job_id: JobId, terms: JobTerms, raw_input: bytes, raw_output: bytes, proof: bytes
    ) -> Call:
        """Prove the result after a default, within the airgap."""
        return self.build("cure", id_bytes(job_id), astuple(terms), raw_input, raw_output, proof)

    def build_claim_default(self, job_id: JobId) -> Call:
        """Settle against an operator that did not prove in time."""
        return self.build("claimDefault", id_bytes(job_id))

    def build_distribute_slash(self, job_id: JobId) -> Call:
        """Divide a slashed lock after the airgap."""
        return self.build("distributeSlash", id_bytes(job_id))

    def build_void_dispute(self, job_id: JobId) -> Call:
        """In the refund mode, give a disputed job's money back."""
        return self.build("voidDispute", id_bytes(job_id))

    def build_announce_evidence(self, commitment: bytes) -> Call:
        """Announce evidence, so that who copies it from the pool comes too late."""
        return self.build("announceEvidence", commitment)

    def build_prove_equivocation(
        self, job_id: JobId, first: SignedResult, second: SignedResult, salt: bytes
    ) -> Call:
        """Reject a job whose operator signed two results for it; announced by the sender before."""
        return self.build(
            "proveEquivocation", id_bytes(job_id), astuple(first), astuple(second), salt
        )


def compute_evidence_commitment(
    reporter: str, job_id: JobId, first: SignedResult, second: SignedResult, salt: bytes
) -> bytes:
    """Return keccak256(abi.encode(reporter, jobId, first, second, salt)), what is announced."""
    types = ["address", "bytes32", SIGNED, SIGNED, "bytes32"]
    values = [reporter, id_bytes(job_id), astuple(first), astuple(second), salt]
    return bytes(keccak(encode(types, values)))
