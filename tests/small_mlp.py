"""Small seeded dense models: graph, weights and one input, as an owner would publish them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from offchain.commit.digest import encode_tensor
from offchain.execute import reference
from offchain.model.execution import Execution
from offchain.model.graph import Graph, Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.model.weights import IntArray
from offchain.prove.job import ProvableModel, list_tensors


@dataclass(frozen=True)
class Step:
    """One linear layer and its requantization."""

    outputs: int
    width: int
    table: str
    digits: tuple[int, ...] = (8, 8)
    bias: bool = True
    clamp: tuple[int, int] | None = None  # None: range form


@dataclass(frozen=True)
class SmallMlp:
    """A model and one input in range."""

    name: str
    graph: Graph
    weights: dict[str, IntArray]
    x: IntArray

    def execute(self) -> Execution:
        """Run the graph on the input."""
        return reference.run_traced(self.graph, self.weights, self.x)

    def input_bytes(self) -> bytes:
        """Return the public input's bytes."""
        return encode_tensor(self.x, self.graph.input.bits)

    def output_bytes(self) -> bytes:
        """Return the honest output's bytes."""
        return encode_tensor(self.execute().output, self.graph.output_spec().bits)

    def tensors(self, model: ProvableModel) -> list[Any]:
        """Return what the native prover takes for an honest proof under this model's key."""
        return list_tensors(model, self.execute())


def build(
    name: str,
    seed: int,
    rows: int,
    inputs: int,
    steps: Sequence[Step],
    lo: int = -128,
    hi: int = 127,
) -> SmallMlp:
    """Draw weights and an input; choose every m as large as the static bound allows."""
    rng = np.random.default_rng(seed)
    ops: list[Op] = []
    specs: list[WeightSpec] = []
    weights: dict[str, IntArray] = {}
    source, size, bound = "x", inputs, max(-lo, hi)
    for k, step in enumerate(steps):
        w = rng.integers(-128, 128, (step.outputs, size))
        b = rng.integers(-1000, 1000, (step.outputs,)) if step.bias else None
        worst = int(np.abs(w).sum(axis=1).max()) * bound + (1000 if step.bias else 0)
        s, half = sum(step.digits), 1 << (step.width - 1)
        m = min((1 << 15) - 1, max(1, ((half - 1) << s) // worst))
        weights[f"w{k}"] = w
        specs.append(WeightSpec(f"w{k}", w.shape, 8))
        if b is not None:
            weights[f"b{k}"] = b
            specs.append(WeightSpec(f"b{k}", b.shape, 32))
        ops.append(Linear(f"a{k}", source, f"w{k}", None if b is None else f"b{k}"))
        y_lo, y_hi = step.clamp or (-half, half - 1)
        bits = 8 if y_lo >= -128 and y_hi <= 127 else 16
        ops.append(
            Requant(f"y{k}", f"a{k}", m, s, step.digits, step.width, step.table, bits, y_lo, y_hi)
        )
        source, size, bound = f"y{k}", step.outputs, max(-y_lo, y_hi)
    inputs_spec = (TensorSpec("x", (rows, inputs), 8, lo, hi),)
    graph = Graph(inputs_spec, source, tuple(specs), tuple(ops))
    return SmallMlp(name, graph, weights, rng.integers(lo, hi + 1, (rows, inputs)))


def tiny() -> SmallMlp:
    """8-4-3, one row: a ReLU table and a range-form output."""
    steps = (Step(4, 6, "relu", clamp=(0, 31)), Step(3, 8, "identity"))
    return build("tiny", 11, 1, 8, steps)


def odd() -> SmallMlp:
    """Three rows, 5-6-3: no dimension is a power of two, one layer without bias, 16-bit output."""
    steps = (
        Step(6, 7, "relu", clamp=(0, 60), bias=False),
        Step(3, 10, "identity", digits=(8, 12)),
    )
    return build("odd", 12, 3, 5, steps, lo=-20, hi=90)


def deep() -> SmallMlp:
    """Two rows, 6-9-9-7-5: four layers, shared and distinct tables, a clamping output table."""
    steps = (
        Step(9, 6, "relu", clamp=(0, 31)),
        Step(9, 6, "identity"),
        Step(7, 6, "relu", clamp=(0, 31), digits=(8,)),
        Step(5, 9, "identity", clamp=(-100, 100)),
    )
    return build("deep", 13, 2, 6, steps)


def all_models() -> tuple[SmallMlp, ...]:
    """Return every model."""
    return tiny(), odd(), deep()
