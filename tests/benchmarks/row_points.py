"""Element checks of rows: what a verdict about one cell of a normalization or softmax costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from offchain.chain.client import Call
from offchain.chain.manifest import Deployment
from offchain.execute.fast import run_traced
from offchain.model.graph import Graph
from offchain.model.operators import (
    Argmax,
    Normalize,
    Op,
    Requant,
    Softmax,
    TensorSpec,
    WeightSpec,
)
from offchain.model.weights import IntArray
from offchain.trace.plan import build_plan, weight_roots
from offchain.trace.recorder import Tensors, record_trace
from tests.benchmarks.gas_chain import GasChain

CONTRACT: Final = "RowAdjudicator"
ROWS: Final = 4
VERSION: Final = bytes(32)
Layer = tuple[Graph, Mapping[str, IntArray], IntArray]


def make_softmax(size: int) -> Layer:
    """Return a softmax over rows of 8-bit cells, its table of 256 entries in use all over."""
    table = np.rint(1000 * np.exp(-np.arange(256) / 40)).astype(np.int64)
    requant = Requant("y", "acc", 1, 16, (16,), 20, "identity", 16, -32768, 32767)
    return _make(size, {"t": (table, 16)}, Softmax("acc", "x", "t", 8, 30, False), requant)


def make_normalization(size: int) -> Layer:
    """Return a layer normalization over rows of 8-bit cells."""
    weights = {"g": (np.full(size, 64), 8), "b": (np.arange(size), 32)}
    requant = Requant("y", "acc", 1, 16, (16,), 32, "identity", 16, -32768, 32767)
    return _make(size, weights, Normalize("acc", "x", "g", "b", "layer", 1, 12), requant)


def make_argmax(size: int) -> Layer:
    """Return the argmax of 16-bit logits."""
    x = np.random.default_rng(size).integers(-(1 << 15), 1 << 15, (size,))
    spec = TensorSpec("x", (size,), 16, -(1 << 15), (1 << 15) - 1)
    return Graph((spec,), "y", (), (Argmax("y", "x"),)), {}, x


def _make(size: int, weights: Mapping[str, tuple[IntArray, int]], *ops: Op) -> Layer:
    x = np.random.default_rng(size).integers(-128, 128, (ROWS, size))
    specs = tuple(WeightSpec(name, w.shape, bits) for name, (w, bits) in weights.items())
    graph = Graph((TensorSpec("x", x.shape, 8, -128, 127),), "y", specs, ops)
    return graph, {name: w for name, (w, _) in weights.items()}, x


CASES: Final[tuple[tuple[str, Callable[[int], Layer], int], ...]] = (
    ("softmax", make_softmax, 1024),
    ("softmax", make_softmax, 4096),
    ("normalization", make_normalization, 1024),
    ("normalization", make_normalization, 4096),
    ("argmax", make_argmax, 32_000),
)


class RowPoints:
    """Asks for verdicts in transactions of their own, as `ElementPoints` does."""

    def __init__(self, chain: GasChain) -> None:
        self.chain = chain
        self.sender = chain.create_account()

    def play(self) -> None:
        """Have the last element of each operator recomputed."""
        for name, make, size in CASES:
            call = self._build_call(*make(size))
            self.chain.send(self.sender, call, f"element, {name} over {size:,}")

    def _build_call(self, graph: Graph, weights: Mapping[str, IntArray], x: IntArray) -> Call:
        graph.verify()
        plan = build_plan(graph, weight_roots(graph, weights))
        execution = run_traced(graph, weights, x)
        (op,) = plan.ops
        element = op.descriptor.out.count - 1
        said = record_trace(plan, graph, execution).claim(op.index, element)
        evidence = Tensors(graph, weights, execution).evidence(op, element)
        sides = (said.element, said.out_digest, list(said.in_digests), op.encoded)
        claim: tuple[Any, ...] = (VERSION, VERSION, VERSION, self.sender, op.index, *sides)
        deployment: Deployment = self.chain.manifest.contracts[CONTRACT]
        calldata = deployment.abi.encode_call("adjudicate", [claim, evidence])
        return Call(CONTRACT, "adjudicate", deployment.address, calldata)
