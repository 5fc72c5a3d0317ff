"""Element checks: what a verdict about one element of a linear layer costs without any proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from offchain.chain.client import Call
from offchain.chain.manifest import Deployment
from offchain.execute.fast import run_traced
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.trace.plan import TraceOp, build_plan, weight_roots
from offchain.trace.recorder import Tensors, Trace, record_trace
from tests.benchmarks.gas_chain import GasChain, Row

CONTRACT: Final = "ContractionAdjudicator"
OUTPUTS: Final = 1024
ROWS: Final = 4
ELEMENT: Final = 2 * OUTPUTS + 1001  # in the middle of the result: tiles with neighbours all round
# Gas of the transaction, by K; None: no bar.
MAXIMA: Final[Mapping[int, int | None]] = {1024: 400_000, 4096: 800_000, 16384: None}
VERSION: Final = bytes(32)


def case_of(size: int) -> str:
    """Return the row's name."""
    return f"element, K = {size:,}"


def explain_excess(rows: Iterable[Row]) -> list[str]:
    """Return a sentence for every element check that costs more than its bar."""
    gas = {row.case: row.gas for row in rows if row.contract == CONTRACT}
    return [
        f"{case_of(size)}: {gas[case_of(size)]:,} gas, the bar is {limit:,}"
        for size, limit in MAXIMA.items()
        if limit is not None and gas[case_of(size)] > limit
    ]


class ElementPoints:
    """Asks for verdicts in transactions of their own; a view costs what it costs in a dispute."""

    def __init__(self, chain: GasChain) -> None:
        self.chain = chain
        self.sender = chain.create_account()

    def play(self) -> None:
        """Have one element of an 8-bit layer recomputed for each number of products."""
        for size in MAXIMA:
            op, trace, tensors = run_layer(size)
            evidence = tensors.evidence(op, ELEMENT)
            self.chain.send(self.sender, self._build_call(op, trace, evidence), case_of(size))

    def _build_call(self, op: TraceOp, trace: Trace, evidence: bytes) -> Call:
        deployment: Deployment = self.chain.manifest.contracts[CONTRACT]
        of_trace = trace.claim(op.index, ELEMENT)
        sides = (of_trace.element, of_trace.out_digest, list(of_trace.in_digests), op.encoded)
        claim: tuple[Any, ...] = (VERSION, VERSION, VERSION, self.sender, op.index, *sides)
        calldata = deployment.abi.encode_call("adjudicate", [claim, evidence])
        return Call(CONTRACT, "adjudicate", deployment.address, calldata)


def run_layer(size: int) -> tuple[TraceOp, Trace, Tensors]:
    """Return y = x w + b of random 8-bit elements, with K = size, requantised by columns."""
    rng = np.random.default_rng(size)
    x = rng.integers(-128, 128, (ROWS, size))
    weights = {
        "w": rng.integers(-128, 128, (OUTPUTS, size)),
        "b": rng.integers(-(1 << 20), 1 << 20, (OUTPUTS,)),
        "scale": rng.integers(1, 1 << 15, (OUTPUTS,)),
    }
    specs = (
        WeightSpec("w", (OUTPUTS, size), 8),
        WeightSpec("b", (OUTPUTS,), 32),
        WeightSpec("scale", (OUTPUTS,), 16),
    )
    requant = Requant("y", "acc", 1, 28, (16, 12), 32, "identity", 8, -128, 127, "scale")
    graph = Graph(
        (TensorSpec("x", (ROWS, size), 8, -128, 127),),
        "y",
        specs,
        (Linear("acc", "x", "w", "b"), requant),
    )
    graph.verify()
    plan = build_plan(graph, weight_roots(graph, weights))
    execution = run_traced(graph, weights, x)
    (op,) = plan.ops
    return op, record_trace(plan, graph, execution), Tensors(graph, weights, execution)
