"""Operators that misbehave on purpose, for drills on development chains: what a cheat would do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes
from offchain.chain.journal import StepKey, StepStatus
from offchain.chain.typed_data import build_result_receipt
from offchain.errors import TransactionReverted
from offchain.prove.job import ProvableModel
from offchain.roles.context import Context
from offchain.roles.operator import ACCEPT, COMMIT, INPUTS, Operator
from offchain.submit.content import FolderStore
from offchain.submit.models import Model
from offchain.submit.proofs import Evidence
from offchain.submit.versions import ReproducedVersion
from offchain.types import Digest, JobId, SignedResult, VersionId

# The chain's answer to a false proof is wanted on chain, so its gas is fixed: an estimate would
# refuse to send it.
FALSE_PROOF_GAS: Final = 3_000_000
LOST_BITS: Final = 0b11111  # a 3-bit network in place of the registered 8-bit one


class PerturbedOperator(Operator):
    """Serves cheaper weights than registered; challenged, it proves as best it can.

    It follows the whole protocol: transcript, lookups and openings are computed for the output
    that its weights give. Only: it cannot open the registered commitments to other weights.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._perturbed: dict[VersionId, ReproducedVersion] = {}

    def load_version(self, version: VersionId) -> ReproducedVersion:
        """Return the registered version with weights that are not its own."""
        if version not in self._perturbed:
            found = super().load_version(version)
            self._perturbed[version] = replace(found, model=perturb(found.model))
        return self._perturbed[version]

    def verify_before_sending(self, version: ReproducedVersion, evidence: Evidence) -> None:
        """Verify nothing: the proof is known to be false."""

    def publish_proof(self, job_id: JobId, key: StepKey, call: Call) -> None:
        """Send the proof although a simulation would refuse it, and record the refusal."""
        try:
            receipt = self.context.submitter.submit(key, call, gas_limit=FALSE_PROOF_GAS)
        except TransactionReverted as refused:
            self.context.give_up(key, f"refused on chain: {refused.name}")
            self.log.event("proof-refused", job=job_id, error=refused.name, tx=refused.tx_hash)
            return
        self.context.journal.put_step(key, StepStatus.DONE)
        self.log.event("false-proof-accepted", job=job_id, tx=receipt.tx_hash)


class VanishingOperator(Operator):
    """Accepts a job and is never heard of again."""

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return everything but the commitment."""
        return tuple(key for key in super().compute_due_steps() if key.step != COMMIT)

    def is_finished(self) -> bool:
        """Whether a job was accepted: then this process ends."""
        return any(
            step.key.step == ACCEPT and step.status is StepStatus.DONE
            for step in self.context.journal.get_steps(self.context.settings.role)
        )


class EquivocatingOperator(Operator):
    """Commits the true result on chain, and hands its client a signature of another one."""

    def vouch(self, job_id: JobId, digest: Digest) -> None:
        """Sign both results."""
        super().vouch(job_id, digest)
        other = Digest(bytes(reversed(digest)))
        market = self.context.contracts.market.address
        message = build_result_receipt(
            self.context.client.chain_id, market, id_bytes(job_id), other
        )
        signature = self.context.signer.sign_typed(message)
        self.context.content.put_receipt(job_id, SignedResult(other, signature))


class WithholdingOperator(Operator):
    """Commits the true result and keeps its bytes to itself, until it is paid to deliver them."""

    def publish_output(self, version: VersionId, raw: bytes) -> Digest:
        """Store the output where nobody else looks."""
        model = self.load_version(version).model
        own = FolderStore(self.context.settings.home / INPUTS)
        return own.put(raw, model.output_bits, model.output_shape)


@dataclass(frozen=True)
class PerturbedModel(Model):
    """Other weights under the registered model's key."""

    registered: Model

    @cached_property
    def provable(self) -> ProvableModel:
        """Return the registered key, with the weights that are really run as witness."""
        return replace(self.registered.provable, weights=self.weights)


def perturb(model: Model) -> Model:
    """Return the model without the low bits of its first weight matrix, as if cheaply quantized."""
    weights = coarsen(model)
    return PerturbedModel(model.folder, model.graph, weights, model)


def coarsen(model: Model) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Return the model's weights without the low bits of the first matrix."""
    first = model.graph.weights[0].name
    exact = np.asarray(model.weights[first])
    # Towards zero, so that no accumulator leaves the ranges that the graph declares.
    coarse = np.sign(exact) * (np.abs(exact) & ~np.int64(LOST_BITS))
    return {**model.weights, first: coarse}
