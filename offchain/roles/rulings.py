"""Evidence about a pinned claim: the cheapest that decides it, judged here before it is sent."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from offchain.chain.contracts.pinpoint_types import WHOLE, PinClaim, Ruling
from offchain.errors import EvidenceError, EvidenceTooLarge, UnprovablePart
from offchain.roles.context import Context
from offchain.roles.part_rulings import PartRulings
from offchain.roles.trace_book import OwnTrace
from offchain.submit.plans import choose_element_adjudicator
from offchain.trace.evidence import ElementClaim, judge_element
from offchain.trace.plan import TraceOp
from offchain.trace.tensors import Opened
from offchain.types import Verdict

EVIDENCE_GAS: Final = 150_000  # of a verdict beside what depends on the evidence
BYTE_GAS: Final = 60  # of evidence: calldata, hashing, and the products that are made of it


class Rulings:
    """Builds what `adjudicate` and `cure` take."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._parts = PartRulings(context, self.number)

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

    def defend(self, own: OwnTrace, op: TraceOp, claim: PinClaim) -> Ruling:
        """Return evidence that a claim about one's own trace is consistent.

        Recomputed on chain where that fits a transaction, proven elsewhere. Raises EvidenceTooLarge
        where neither is possible, EvidenceError where the claim is wrong.
        """
        try:
            return self._defend_element(own, op, claim)
        except EvidenceTooLarge:
            try:
                return self._parts.prove(own, op, claim)
            except UnprovablePart:
                pass
            raise

    def _defend_element(self, own: OwnTrace, op: TraceOp, claim: PinClaim) -> Ruling:
        if claim.elem == WHOLE and op.descriptor.out.count > 1:
            raise EvidenceTooLarge(op.descriptor.out.count, 1)
        element = 0 if claim.elem == WHOLE else claim.elem
        return self.build_element(own, op, claim, element, Verdict.CONSISTENT)


def estimate_gas(ruling: Ruling) -> int:
    """Return about what a verdict on this evidence takes."""
    return EVIDENCE_GAS + BYTE_GAS * len(ruling.evidence)
