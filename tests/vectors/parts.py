"""Evidence about single operators and rows, right and wrong: `parts.json`.

Two dense layers that differ in their weights alone, then their sum: one operator with two inputs.
Every key lies in a data contract of its own. `python -m tests.vectors.parts` writes the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from offchain import native
from offchain.chain.contracts.pinpoint_types import PinClaim
from offchain.commit.digest import digest_of_root
from offchain.execute import reference
from offchain.model.execution import Execution
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.model.operators import Sum
from offchain.model.weights import IntArray
from offchain.prove.job import ProvableModel, list_tensors
from offchain.prove.statement import Statement
from offchain.submit.parts import (
    PartBoundary,
    PartKind,
    Parts,
    build_operator_evidence,
    build_part_statement,
    build_row_evidence,
    cut_execution,
)
from offchain.submit.plans import select_parts
from offchain.trace.plan import Plan, build_plan, weight_roots
from offchain.trace.recorder import Tensors, Trace, record_trace
from offchain.trace.tensors import TiledTensor
from offchain.types import Address, Digest, VersionId
from tests.vectors.encoding import hexed
from tests.vectors.proofs import MARKET, PROVER, VERIFIER

PATH: Final = Path(__file__).parent / "parts.json"
CHAIN_ID: Final = 31337
ROWS: Final = 3
SIZE: Final = 8
ELEMENT: Final = 13  # of row 1
WHOLE: Final = (1 << 64) - 1


def build_graph() -> tuple[Graph, dict[str, IntArray]]:
    """Return the graph and its weights."""
    rng = np.random.default_rng(6)
    shape = (SIZE, SIZE)
    weights = {name: rng.integers(-64, 65, shape) for name in ("w0", "w1")}
    specs = tuple(WeightSpec(name, shape, 8) for name in weights)
    ops = (
        Linear("a0", "x", "w0", None),
        Requant("y0", "a0", 120, 16, (8, 8), 8, "identity", 8, -128, 127),
        Linear("a1", "y0", "w1", None),
        Requant("y1", "a1", 120, 16, (8, 8), 8, "identity", 8, -128, 127),
        Sum("a2", (("y1", 3), ("y0", -2))),
        Requant("y2", "a2", 50, 8, (8,), 8, "identity", 8, -128, 127),
    )
    graph = Graph((TensorSpec("x", (ROWS, SIZE), 8, -128, 127),), "y2", specs, ops)
    graph.verify()
    return graph, weights


@dataclass(frozen=True)
class Case:
    """The model, its keys and one execution."""

    graph: Graph
    weights: dict[str, IntArray]

    @cached_property
    def parts(self) -> dict[str, Parts]:
        """All part keys by operator."""
        return select_parts(self.graph, self.weights, "all")

    @cached_property
    def plan(self) -> Plan:
        """The plan with the keys."""
        keys = {name: parts.keys for name, parts in self.parts.items()}
        return build_plan(self.graph, weight_roots(self.graph, self.weights), keys)

    @cached_property
    def execution(self) -> Execution:
        """A run on a seeded input."""
        x = np.random.default_rng(7).integers(-128, 128, (ROWS, SIZE))
        return reference.run_traced(self.graph, self.weights, x)

    @cached_property
    def trace(self) -> Trace:
        """What the run commits to."""
        return record_trace(self.plan, self.graph, self.execution)

    def claim(self, name: str, element: int) -> PinClaim:
        """Return the true claim about an operator."""
        op = self.plan.find(name)
        said = self.trace.claim(op.index, element)
        return PinClaim(
            version=VersionId(b"version".ljust(32, b"\0")),
            job_id=bytes([6]) * 32,
            seed=bytes([7]) * 32,
            prover=Address(PROVER),
            op=op.index,
            elem=element,
            out_digest=said.out_digest,
            in_digests=said.in_digests,
            desc=said.descriptor,
        )

    def change(self, name: str, element: int) -> tuple[TiledTensor, Digest]:
        """Return an operator's result with one element changed, and its digest."""
        values = self.execution.values[name].copy()
        values.flat[element] += 1 if values.flat[element] < 127 else -1
        tensor = TiledTensor.of(values, 8, name)
        return tensor, digest_of_root(tensor.root, (ROWS, SIZE), 8)


def prove(part: ProvableModel, statement: Statement, execution: Execution) -> bytes:
    """Return a proof by the native prover."""
    tensors = list_tensors(part, execution)
    return native.prove(part.key.to_bytes(), part.srs, statement.hash(), tensors)


def place_key(name: str, kind: PartKind) -> Address:
    """Return where the test puts a part's key."""
    return Address(to_checksum_address(keccak(f"{name} {kind.name}".encode())[:20]))


def part_vector(case: Case, name: str, kind: PartKind) -> dict[str, Any]:
    """Return the true claim and evidence, and the claim and evidence of a changed output."""
    part = case.parts[name].get(kind)
    execution = cut_execution(case.graph, name, kind, ELEMENT, case.execution)
    boundary = PartBoundary.of(part, execution)
    claim = case.claim(name, WHOLE if kind is PartKind.OPERATOR else ELEMENT)
    statement = build_part_statement(
        part, boundary, claim, CHAIN_ID, Address(VERIFIER), Address(MARKET)
    )
    proof = prove(part, statement, execution)
    vk_data = place_key(name, kind)
    changed, wrong = case.change(name, ELEMENT)
    op = case.plan.find(name)
    if kind is PartKind.OPERATOR:
        right_evidence = wrong_evidence = build_operator_evidence(vk_data, boundary, proof)
    else:
        tensors = Tensors(case.graph, case.weights, case.execution)
        inputs = [tensors.get(x) for x in op.inputs]
        right_evidence, wrong_evidence = (
            build_row_evidence(vk_data, op, ELEMENT, inputs, output, boundary, proof)
            for output in (tensors.get(name), changed)
        )
    return {
        "name": f"{name} {kind.name.lower()}",
        "vkData": vk_data,
        "vk": hexed(part.key.to_bytes()),
        "op": claim.op,
        "elem": hexed(claim.elem.to_bytes(8, "big")),
        "desc": hexed(claim.desc),
        "inDigests": [hexed(digest) for digest in claim.in_digests],
        "outDigest": hexed(claim.out_digest),
        "wrongDigest": hexed(wrong),
        "path": [hexed(node) for node in case.plan.path(op.index)],
        "evidence": hexed(right_evidence),
        "wrongEvidence": hexed(wrong_evidence),
        "proofBytes": len(proof),
    }


def part_vectors() -> dict[str, Any]:
    """Return the file's content."""
    case = Case(*build_graph())
    claim = case.claim("y0", 0)
    return {
        "version": hexed(claim.version),
        "jobId": hexed(claim.job_id),
        "seed": hexed(claim.seed),
        "prover": claim.prover,
        "market": MARKET,
        "verifier": VERIFIER,
        "planRoot": hexed(case.plan.root),
        "planDepth": case.plan.plan_depth,
        "tauG2": hexed(native.tau_g2_insecure()),
        "parts": [
            part_vector(case, name, kind) for name in ("y0", "y1", "y2") for kind in PartKind
        ],
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(part_vectors(), indent=1) + "\n", encoding="utf-8")
