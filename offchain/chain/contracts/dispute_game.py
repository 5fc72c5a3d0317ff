"""DisputeGame: prove-it challenges, proofs and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.types import Address, Digest, Dispute, DisputeId, JobId, Seconds, VersionId, Wei

OPEN: Final = 1  # DisputeState.OPEN


class DisputeGame(Binding):
    """The game of prove-it."""

    NAME: ClassVar[str] = "DisputeGame"

    def get_dispute_of(self, job_id: JobId) -> Dispute | None:
        """Return a job's dispute, open or closed, or None."""
        dispute_id = DisputeId(self.read("disputeOf", job_id))
        if dispute_id == 0:
            return None
        dispute = self.read_struct("getDispute", dispute_id)
        return Dispute(
            id=dispute_id,
            job=JobId(dispute["jobId"]),
            challenger=checksum(dispute["challenger"]),
            operator=checksum(dispute["operator"]),
            bond_wei=Wei(dispute["bond"]),
            prove_until=Seconds(dispute["proveBy"]),
            challenge_seed=dispute["challengeSeed"],
            is_open=dispute["state"] == OPEN,
        )

    def get_required_bond(self, job_id: JobId) -> Wei:
        """Return the bond of a challenge made at the head's base fee."""
        return Wei(self.read("requiredBond", job_id))

    def get_prove_seconds(self, version: VersionId, operator: Address) -> Seconds:
        """Return how long a proof may take in a challenge that is made now."""
        return Seconds(self.read("computeProveSeconds", version, operator))

    def get_statement(self, dispute_id: DisputeId, prover: Address) -> Mapping[str, Any]:
        """Return the statement that the chain will check a proof by `prover` against."""
        return self.read_struct("getStatement", dispute_id, prover)

    def build_challenge(self, job_id: JobId, expected: Digest, bond_wei: Wei) -> Call:
        """Demand a proof of exactly the result that was seen."""
        return self.build("challenge", job_id, expected, value_wei=bond_wei)

    def build_prove(
        self, dispute_id: DisputeId, raw_input: bytes, raw_output: bytes, proof: bytes
    ) -> Call:
        """Prove a committed result; the proof is bound to the sender."""
        return self.build("prove", dispute_id, raw_input, raw_output, proof)

    def build_claim_default(self, dispute_id: DisputeId) -> Call:
        """Settle against an operator that did not prove in time."""
        return self.build("claimDefault", dispute_id)
