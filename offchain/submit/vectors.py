"""Self-test vectors of a plan: real computations, and the same with one element changed.

An adjudicator has to decide each as expected, and to refuse it with one bit flipped, before the
plan that names it becomes active (contracts/adjudication/AdjudicatorRegistry.sol).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from eth_hash.auto import keccak

from offchain.chain.contracts.adjudicator_registry import Vector
from offchain.chain.contracts.pinpoint_types import PinClaim
from offchain.commit.digest import digest_of_root
from offchain.errors import EvidenceError, EvidenceTooLarge, PlanError
from offchain.execute.backend import Backend, trace_graph
from offchain.model.execution import Execution
from offchain.prove.job import ProvableModel
from offchain.prove.program import Lookup
from offchain.prove.statement import Statement
from offchain.prove.verification_key import POINT_BYTES
from offchain.submit.models import Model
from offchain.submit.parts import (
    PartBoundary,
    PartKind,
    build_operator_evidence,
    build_part_statement,
    cut_execution,
)
from offchain.submit.plans import VersionPlan, choose_element_adjudicator
from offchain.trace.evidence import WHOLE
from offchain.trace.plan import TraceOp
from offchain.trace.recorder import Tensors, Trace, record_trace
from offchain.trace.tensors import TiledTensor
from offchain.types import Address, Digest, Verdict, VersionId

SEED_TAG: Final = b"zkDPS plan vector"
NO_JOB: Final = bytes(32)
SCALAR_BYTES: Final = 32
Prove = Callable[[ProvableModel, Statement, Execution], bytes]


@dataclass(frozen=True)
class Vectors:
    """One execution of a model, of which vectors are made."""

    model: Model
    plan: VersionPlan
    version: VersionId
    prover: Address
    required: int  # of each verdict

    def build_element_vectors(self, adjudicator: str) -> list[Vector]:
        """Return vectors of elements: `required` consistent ones, then as many inconsistent.

        Raises PlanError where the plan's operators do not give so many.
        """
        found: list[Vector] = []
        for op in self._list_by_size(adjudicator):
            for element in _choose_elements(op):
                if len(found) == 2 * self.required:
                    break
                found += self._build_pair(op, element)
        if len(found) < 2 * self.required:
            raise PlanError("plan", [f"too few elements to test {adjudicator}"])
        return sorted(found, key=lambda vector: vector.expected)

    def build_proof_vectors(
        self,
        chain_id: int,
        verifier: Address,
        registry: Address,
        keep: Callable[[bytes], Address],
        prove: Prove,
    ) -> list[Vector]:
        """Return vectors of one operator's proof: the same proof speaks for each of them.

        `keep` puts a key on chain and returns its data contract, `prove` makes a proof.
        """
        op, part = self._choose_part()
        execution = cut_execution(self.model.graph, op.name, PartKind.OPERATOR, 0, self._execution)
        boundary = PartBoundary.of(part, execution)
        claim = self._claim(op, 0)
        statement = build_part_statement(part, boundary, claim, chain_id, verifier, registry)
        proof = prove(part, statement, execution)
        vk_data = keep(part.key.to_bytes())
        evidence = build_operator_evidence(vk_data, boundary, proof)
        mutate_at = len(evidence) - len(proof) + _find_scalar(part)
        wrong = self._change(op, 0)[1]
        claims = [
            (replace(claim, elem=element, out_digest=digest), verdict)
            for digest, verdict in (
                (claim.out_digest, Verdict.CONSISTENT),
                (wrong, Verdict.INCONSISTENT),
            )
            for element in (0, WHOLE)
        ]
        path = self.plan.plan.path(op.index)
        return [Vector(c, path, evidence, verdict, mutate_at) for c, verdict in claims]

    # -- elements

    def _list_by_size(self, adjudicator: str) -> Sequence[TraceOp]:
        """Return the adjudicator's operators, those that read little first."""

        def size(op: TraceOp) -> int:
            d = op.descriptor
            read = sum(x.spec.count * x.spec.element_bytes for x in d.inputs)
            return read + sum(w.elements * w.element_bytes for w in d.weights)

        ops = [op for op in self.plan.plan.ops if choose_element_adjudicator(op) == adjudicator]
        return sorted(ops, key=size)

    def _build_pair(self, op: TraceOp, element: int) -> Iterator[Vector]:
        """Yield a consistent and an inconsistent vector; none where the evidence is too large."""
        at = 0 if element == WHOLE else element
        changed, digest = self._change(op, at)
        path = self.plan.plan.path(op.index)
        claim = self._claim(op, element)
        try:
            right = self._tensors.evidence(op, at)
            wrong = self._tensors.evidence(op, at, changed)
        except (EvidenceError, EvidenceTooLarge):
            return
        # The last byte belongs to what leads from the output's tile to its digest.
        yield Vector(claim, path, right, Verdict.CONSISTENT, len(right) - 1)
        claim = replace(claim, out_digest=digest)
        yield Vector(claim, path, wrong, Verdict.INCONSISTENT, len(wrong) - 1)

    def _change(self, op: TraceOp, element: int) -> tuple[TiledTensor, Digest]:
        """Return an operator's result with one element changed, and its digest."""
        spec = op.descriptor.out
        values = self._execution.values[op.name].copy()
        top = (1 << (8 * spec.element_bytes - 1)) - 1
        values.flat[element] += -1 if values.flat[element] == top else 1
        changed = TiledTensor.of(values, 8 * spec.element_bytes, op.name)
        shape = (spec.rows, spec.cols)
        return changed, digest_of_root(changed.root, shape, 8 * spec.element_bytes)

    # -- proofs

    def _choose_part(self) -> tuple[TraceOp, ProvableModel]:
        """Return the operator whose key is the smallest."""
        keyed = [
            (len(parts.operator.key.to_bytes()), self.plan.plan.find(name), parts.operator)
            for name, parts in self.plan.parts.items()
            if parts.operator is not None
        ]
        if not keyed:
            raise PlanError("plan", ["no operator has a key: there is nothing to prove"])
        _, op, part = min(keyed, key=lambda found: (found[0], found[1].index))
        return op, part

    # -- one execution

    def _claim(self, op: TraceOp, element: int) -> PinClaim:
        said = self._trace.claim(op.index, element)
        return PinClaim(
            version=self.version,
            job_id=NO_JOB,
            seed=keccak(SEED_TAG + self.version),
            prover=self.prover,
            op=op.index,
            elem=element,
            out_digest=said.out_digest,
            in_digests=said.in_digests,
            desc=said.descriptor,
        )

    @cached_property
    def _execution(self) -> Execution:
        graph = self.model.graph
        x = np.random.default_rng(0).integers(
            graph.input.lo, graph.input.hi, graph.input.shape, dtype=np.int64, endpoint=True
        )
        return trace_graph(graph, self.model.weights, x, Backend.NUMPY)

    @cached_property
    def _tensors(self) -> Tensors:
        return Tensors(self.model.graph, self.model.weights, self._execution)

    @cached_property
    def _trace(self) -> Trace:
        return record_trace(self.plan.plan, self.model.graph, self._execution)


def _choose_elements(op: TraceOp) -> Sequence[int]:
    """Return elements of an operator's result; a single one is the whole operator, too."""
    count = op.descriptor.out.count
    return (0, count - 1) if count > 1 else (0, WHOLE)


def _find_scalar(part: ProvableModel) -> int:
    """Return where the first scalar behind the proof's commitments ends (FORMAT.md 7)."""
    program = part.layout.program
    late = program.late_chunks if program.lookup == Lookup.INVERSES else 0
    return POINT_BYTES * (program.proof_chunks + late) + SCALAR_BYTES - 1
