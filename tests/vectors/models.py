"""Small seeded models on which whole proofs and forgeries are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offchain.commit.srs_file import srs_id
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.prove.compile import Layout, compile_layout
from offchain.prove.key import build_key
from offchain.prove.program import VerificationKey
from offchain.prove.reference.curve import combine, encode
from offchain.prove.reference.srs import insecure_srs, insecure_tau_g2
from offchain.prove.witness import Array, RequantTrace, build_witness


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
class SmallModel:
    """A compiled model with its weights and one input."""

    name: str
    layout: Layout
    weights: dict[str, Array]
    public_in: Array
    key: VerificationKey

    def execute(
        self, weights: dict[str, Array] | None = None, override: dict[str, Array] | None = None
    ) -> dict[str, RequantTrace]:
        """Run the integer graph; a cheater runs other weights or puts other activations in."""
        graph, used = self.layout.graph, weights or self.weights
        values: dict[str, Array] = {graph.input.name: self.public_in}
        trace = {}
        for r in self.layout.requants:
            acc = values[r.linear.x] @ used[r.linear.w].T  # (rows, K) @ (K, cols) -> (rows, cols)
            if r.linear.b is not None:
                acc = acc + used[r.linear.b]
            t = (acc * r.op.m + (1 << (r.op.s - 1))) >> r.op.s
            y = np.clip(np.maximum(t, 0) if r.op.table == "relu" else t, r.op.lo, r.op.hi)
            y = (override or {}).get(r.op.name, y)
            values[r.op.name] = y
            trace[r.op.name] = RequantTrace(acc, y)
        return trace

    def witness(self, trace: dict[str, RequantTrace] | None = None) -> dict[int, Array]:
        """Return every tensor of the honest execution."""
        return build_witness(self.layout, self.weights, self.public_in, trace or self.execute())

    def input_bytes(self) -> bytes:
        """Return the public input's bytes."""
        return to_bytes(self.public_in, self.layout.graph.input.bits)


def to_bytes(values: Array, bits: int) -> bytes:
    """Return row-major two's complement big-endian bytes."""
    return values.astype(f">i{bits // 8}").tobytes()


def build(
    name: str,
    seed: int,
    rows: int,
    inputs: int,
    steps: Sequence[Step],
    lo: int = -128,
    hi: int = 127,
) -> SmallModel:
    """Draw weights and an input; choose every m as large as the static bound allows."""
    rng = np.random.default_rng(seed)
    ops: list[Linear | Requant] = []
    specs: list[WeightSpec] = []
    weights: dict[str, Array] = {}
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
    graph = Graph((TensorSpec("x", (rows, inputs), 8, lo, hi),), source, tuple(specs), tuple(ops))
    layout = compile_layout(graph)
    srs = insecure_srs(layout.program.c)
    key = build_key(
        layout,
        weights,
        srs_id(insecure_tau_g2()),
        lambda chunk: encode(combine(srs, [int(v) for v in chunk])),
    )
    return SmallModel(name, layout, weights, rng.integers(lo, hi + 1, (rows, inputs)), key)


def tiny() -> SmallModel:
    """8-4-3, one row: a ReLU table and a range-form output."""
    steps = (Step(4, 6, "relu", clamp=(0, 31)), Step(3, 8, "identity"))
    return build("tiny", 11, 1, 8, steps)


def odd() -> SmallModel:
    """Three rows, 5-6-3: no dimension is a power of two, one layer without bias, 16-bit output."""
    steps = (
        Step(6, 7, "relu", clamp=(0, 60), bias=False),
        Step(3, 10, "identity", digits=(8, 12)),
    )
    return build("odd", 12, 3, 5, steps, lo=-20, hi=90)


def deep() -> SmallModel:
    """Two rows, 6-9-9-7-5: four layers, shared and distinct tables, a clamping output table."""
    steps = (
        Step(9, 6, "relu", clamp=(0, 31)),
        Step(9, 6, "identity"),
        Step(7, 6, "relu", clamp=(0, 31), digits=(8,)),
        Step(5, 9, "identity", clamp=(-100, 100)),
    )
    return build("deep", 13, 2, 6, steps)


def all_models() -> list[SmallModel]:
    """Return every small model."""
    return [tiny(), odd(), deep()]
