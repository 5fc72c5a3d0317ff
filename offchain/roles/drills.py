"""Operators that misbehave on purpose, for drills on development chains: what a cheat would do."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, Final

from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes
from offchain.chain.journal import StepKey, StepStatus
from offchain.chain.typed_data import build_result_receipt
from offchain.errors import TransactionReverted
from offchain.roles.base import OF
from offchain.roles.client import Client
from offchain.roles.context import Context
from offchain.roles.defence import PROVE
from offchain.roles.faulty import perturb, spoil_everything, spoil_operator
from offchain.roles.inputs import INPUTS
from offchain.roles.operator import ACCEPT, COMMIT, Operator
from offchain.roles.trace_book import OwnTrace, TraceBook
from offchain.roles.trace_defence import PROVE_ALL
from offchain.roles.trace_turns import DEFEND
from offchain.submit.content import FolderStore
from offchain.submit.models import Model
from offchain.submit.proofs import Evidence
from offchain.submit.versions import ReproducedVersion
from offchain.types import Digest, JobId, JobTerms, SignedResult, VersionId

# The chain's answer to a false proof is wanted on chain, so its gas is fixed: an estimate would
# refuse to send it.
FALSE_PROOF_GAS: Final = 3_000_000


class FaultyOperator(Operator):
    """Serves a registered version otherwise than it is registered; challenged, it does its best.

    It follows the whole protocol: traces, transcripts and openings are computed for what it really
    runs. Only: that is not what it registered for, and no proof can show that it is.
    """

    @staticmethod
    @abstractmethod
    def spoil(model: Model) -> Model:
        """Return what is run in a model's place."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._spoilt: dict[VersionId, ReproducedVersion] = {}

    def load_version(self, version: VersionId) -> ReproducedVersion:
        """Return the registered version with what is run in its place."""
        if version not in self._spoilt:
            found = super().load_version(version)
            self._spoilt[version] = replace(found, model=self.spoil(found.model))
        return self._spoilt[version]

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


class PerturbedOperator(FaultyOperator):
    """Serves cheaper weights than registered."""

    @staticmethod
    def spoil(model: Model) -> Model:
        """Return a coarser model."""
        return perturb(model)


class WrongOperator(FaultyOperator):
    """Serves the registered weights, but one operator in the middle rounds as it should not."""

    @staticmethod
    def spoil(model: Model) -> Model:
        """Return the model with one wrong operator."""
        return spoil_operator(model)


class SecretiveOperator(WrongOperator):
    """Serves one wrong operator, and keeps its trace to itself as far as that goes unpunished."""

    def publish_trace(self, book: TraceBook, own: OwnTrace) -> str:  # noqa: ARG002
        """Publish nothing."""
        return ""


class LateOperator(Operator):
    """Serves honestly, and answers no challenge before it has lost: then it cures the default."""

    SILENT: ClassVar[frozenset[str]] = frozenset({PROVE, DEFEND, PROVE_ALL})

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return everything but what would be in time."""
        due = super().compute_due_steps()
        return tuple(key for key in due if key.step.partition(OF)[0] not in self.SILENT)


class LazyOperator(FaultyOperator):
    """Runs nothing and commits what costs nothing to make up."""

    @staticmethod
    def spoil(model: Model) -> Model:
        """Return a model that computes nothing."""
        return spoil_everything(model)


class CarelessClient(Client):
    """Orders without a look at the version; `in_digest` is the input's, as it was stored."""

    in_digest: Digest

    def check_request(self) -> JobTerms:
        """Check nothing."""
        return self.request.build_terms(self.context.submitter.account, self.in_digest)


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
