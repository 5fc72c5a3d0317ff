"""Evidence about a pinned claim: the cheapest that decides it, judged here before it is sent."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from threading import Lock
from typing import Final

from offchain import native
from offchain.chain.contracts.pinpoint_types import WHOLE, PinClaim, Ruling
from offchain.errors import EvidenceError, EvidenceTooLarge, NativeProofError
from offchain.prove.cost import estimate_cost
from offchain.prove.job import ProvableModel
from offchain.roles.context import Context
from offchain.roles.trace_book import OwnTrace
from offchain.submit.key_upload import publish_key
from offchain.submit.parts import (
    PartBoundary,
    PartKind,
    build_operator_evidence,
    build_part_statement,
    build_row_evidence,
    choose_part,
    cut_execution,
)
from offchain.submit.plans import PROOF, choose_element_adjudicator
from offchain.submit.proofs import prove_once
from offchain.trace.evidence import ElementClaim, judge_element
from offchain.trace.plan import TraceOp
from offchain.trace.tensors import Opened
from offchain.types import Address, Verdict

EVIDENCE_GAS: Final = 150_000  # of a verdict beside what depends on the evidence
BYTE_GAS: Final = 60  # of evidence: calldata, hashing, and the products that are made of it
KEY_BYTE_GAS: Final = 220  # of a key's data contract


class Rulings:
    """Builds what `adjudicate` and `cure` take."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._proving = Lock()  # one after the other, as proofs of whole results are

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Return the registry's number of every adjudicator by its address."""
        adjudicators = self._context.contracts.adjudicators.get_adjudicators()
        return {str(address): number for number, address in enumerate(adjudicators)}

    def number(self, contract: str) -> int:
        """Return the registry's number of an adjudicator; raise EvidenceError where it has none."""
        address = str(self._context.manifest.get(contract).address)
        if address not in self._numbers:
            raise EvidenceError(f"{contract} is not in the registry of adjudicators")
        return self._numbers[address]

    # One element

    def build_element(
        self,
        own: OwnTrace,
        op: TraceOp,
        claim: PinClaim,
        element: int,
        expected: Verdict,
        output: Opened | None = None,
    ) -> Ruling:
        """Return evidence about an element, from one's own tensors and the claimed output.

        Raises EvidenceTooLarge where it does not fit a transaction, EvidenceError where it does not
        give the expected verdict.
        """
        evidence = own.tensors.evidence(op, element, output)
        said = ElementClaim(claim.desc, claim.elem, claim.in_digests, claim.out_digest)
        found = judge_element(said, evidence)
        if found is not expected:
            raise EvidenceError(f"the element is {found.name}, not {expected.name}")
        return Ruling(self.number(choose_element_adjudicator(op)), evidence)

    # The cheapest

    def defend(self, own: OwnTrace, op: TraceOp, claim: PinClaim) -> Ruling:
        """Return the cheapest evidence that a claim about one's own trace is consistent.

        An element where that will do, else a proof about the operator or about one row of it.
        Raises EvidenceError where the claim is not consistent, EvidenceTooLarge where neither fits.
        """
        is_single = op.descriptor.out.count == 1
        element: Ruling | None = None
        if claim.elem != WHOLE or is_single:
            number = 0 if claim.elem == WHOLE else claim.elem
            try:
                element = self.build_element(own, op, claim, number, Verdict.CONSISTENT)
            except EvidenceTooLarge:
                element = None
        kind = choose_part(own.plan.parts.get(op.name), op, claim.elem)
        if element is not None and (
            kind is None or estimate_gas(element) <= self._estimate_proof(own, op, kind)
        ):
            return element
        if kind is None:
            raise EvidenceTooLarge(op.descriptor.out.count, 1)
        return self.prove(own, op, claim, kind)

    def attack(self, own: OwnTrace, op: TraceOp, claim: PinClaim) -> Ruling:
        """Return a proof that a whole operator's claim is inconsistent: of the output it has."""
        if choose_part(own.plan.parts.get(op.name), op, WHOLE) is None:
            raise EvidenceTooLarge(op.descriptor.out.count, 1)
        return self.prove(own, op, claim, PartKind.OPERATOR)

    def _estimate_proof(self, own: OwnTrace, op: TraceOp, kind: PartKind) -> int:
        part = own.plan.parts[op.name].get(kind)
        blob = part.key.to_bytes()
        gas: int = estimate_cost(part.layout.program, len(blob)).gas
        return gas + KEY_BYTE_GAS * len(blob)

    # Proofs

    def prove(self, own: OwnTrace, op: TraceOp, claim: PinClaim, kind: PartKind) -> Ruling:
        """Prove an operator, or the row of it that holds the claim's element, in a child process.

        The proof is made in this account's name and checked before anybody pays for it. Raises
        EvidenceError for one that does not hold, WitnessError and ProverFailed as provers do.
        """
        context = self._context
        part = own.plan.parts[op.name].get(kind)
        claim = replace(claim, prover=Address(context.submitter.account))
        element = 0 if claim.elem == WHOLE else claim.elem
        execution = cut_execution(own.model.graph, op.name, kind, element, own.execution)
        boundary = PartBoundary.of(part, execution)
        verifier = context.manifest.get("VerifierCore").address
        game = context.contracts.pinpoint.address
        chain_id = context.client.chain_id
        statement = build_part_statement(part, boundary, claim, chain_id, verifier, game)
        with self._proving:
            proof, _ = prove_once(context.journal, context.settings, statement, part, execution)
        self._verify(part, statement.hash(), boundary, proof)
        role, blob = context.settings.role, part.key.to_bytes()
        vk_data = publish_key(context.submitter, context.client, role, blob)
        if kind is PartKind.OPERATOR:
            evidence = build_operator_evidence(vk_data, boundary, proof)
        else:
            inputs = [own.tensors.get(name) for name in op.inputs]
            output = own.tensors.get(op.name)
            evidence = build_row_evidence(vk_data, op, element, inputs, output, boundary, proof)
        return Ruling(self.number(PROOF), evidence)

    def _verify(
        self, part: ProvableModel, statement: bytes, boundary: PartBoundary, proof: bytes
    ) -> None:
        try:
            native.verify(
                part.key.to_bytes(),
                part.reference.tau_g2,
                statement,
                b"".join(boundary.inputs),
                boundary.output,
                proof,
            )
        except NativeProofError as error:
            raise EvidenceError(f"the proof does not hold: {error}") from None


def estimate_gas(ruling: Ruling) -> int:
    """Return about what a verdict on this evidence takes."""
    return EVIDENCE_GAS + BYTE_GAS * len(ruling.evidence)
