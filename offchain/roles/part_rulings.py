"""Evidence by a proof about one operator, or about the row of the disputed element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from offchain.chain.contracts.pinpoint_types import WHOLE, PinClaim, Ruling
from offchain.errors import UnprovablePart
from offchain.roles.context import Context
from offchain.roles.trace_book import OwnTrace
from offchain.submit.key_upload import publish_key
from offchain.submit.parts import (
    PartBoundary,
    PartKind,
    Parts,
    build_operator_evidence,
    build_part_statement,
    build_row_evidence,
    cut_execution,
)
from offchain.submit.plans import PROOF
from offchain.submit.proofs import prove_once
from offchain.trace.plan import TraceOp
from offchain.trace.tensors import Opened
from offchain.types import Address


class PartRulings:
    """Proves what is too large to be recomputed on chain."""

    def __init__(self, context: Context, number: Callable[[str], int]) -> None:
        self._context = context
        self._number = number  # the registry's number of an adjudicator's contract

    def prove(
        self, own: OwnTrace, op: TraceOp, claim: PinClaim, output: Opened | None = None
    ) -> Ruling:
        """Return a proof of what was computed here, as evidence about a claim with these inputs.

        `output` is the result as it is claimed, where that is not one's own. The verdict serves
        this account alone. The key is put on chain once. Raises UnprovablePart where the plan has
        no key for it, and what `prove_once` raises.
        """
        parts = own.plan.parts.get(op.name, Parts())
        is_row = claim.elem != WHOLE and parts.row is not None
        kind = PartKind.ROW if is_row else PartKind.OPERATOR
        part, context, graph = parts.get(kind), self._context, own.model.graph
        number = self._number(PROOF)
        registered = context.contracts.adjudicators.get_plan(claim.version)
        if registered is None or not registered.adjudicators >> number & 1:
            raise UnprovablePart("the version's plan names no adjudicator of proofs")
        execution = cut_execution(graph, op.name, kind, claim.elem, own.execution)
        boundary = PartBoundary.of(part, execution)
        statement = build_part_statement(
            part,
            boundary,
            replace(claim, prover=Address(context.submitter.account)),
            context.client.chain_id,
            context.manifest.get("VerifierCore").address,
            context.contracts.pinpoint.address,
        )
        proof, _ = prove_once(context.journal, context.settings, statement, part, execution)
        role = context.settings.role
        vk_data = publish_key(context.submitter, context.client, role, part.key.to_bytes())
        if kind is PartKind.OPERATOR:
            return Ruling(number, build_operator_evidence(vk_data, boundary, proof))
        inputs = [own.tensors.get(name) for name in op.inputs]
        claimed = own.tensors.get(op.name) if output is None else output
        evidence = build_row_evidence(vk_data, op, claim.elem, inputs, claimed, boundary, proof)
        return Ruling(number, evidence)
