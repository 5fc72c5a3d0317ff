"""Small graphs, one or two for each operator; seeded weights keep every table's bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from offchain.execute.reference import run_traced
from offchain.model.execution import Execution
from offchain.model.graph import Graph, TensorSpec, WeightSpec
from offchain.model.operators import (
    Argmax,
    Conv2d,
    Embedding,
    Gather,
    Linear,
    MatMul,
    MaxPool,
    Normalize,
    Op,
    Product,
    ReduceSum,
    ReluBits,
    Requant,
    Reshape,
    Rotate,
    Slice,
    Softmax,
    Sum,
    Transpose,
)
from offchain.model.weights import IntArray


@dataclass(frozen=True)
class Example:
    """A graph with weights and one execution."""

    graph: Graph
    weights: dict[str, IntArray]
    execution: Execution


@dataclass
class Draft:
    """A graph in the making; every result has 8 bits."""

    seed: int = 0
    inputs: list[TensorSpec] = field(default_factory=list)
    specs: list[WeightSpec] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    weights: dict[str, IntArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def input(self, *shape: int, bits: int = 8, lo: int = -128, hi: int = 127) -> str:
        name = f"x{len(self.inputs)}"
        self.inputs.append(TensorSpec(name, shape, bits, lo, hi))
        return name

    def weight(self, *shape: int, bits: int = 8, lo: int = -128, hi: int = 127) -> str:
        return self.fixed(self.rng.integers(lo, hi + 1, shape), bits)

    def fixed(self, values: IntArray, bits: int) -> str:
        name = f"w{len(self.specs)}"
        self.specs.append(WeightSpec(name, values.shape, bits))
        self.weights[name] = values
        return name

    def add(self, make: Callable[..., Op], *arguments: object) -> str:
        name = f"n{len(self.ops)}"
        self.ops.append(make(name, *arguments))
        return name

    def requant(
        self,
        acc: str,
        bound: int,
        width: int = 8,
        digits: tuple[int, ...] = (8, 8),
        table: str = "identity",
        limits: tuple[int, int] | None = None,
        scale: str | None = None,
    ) -> str:
        """Rescale an accumulator of at most `bound` to `width` bits."""
        s = sum(digits)
        m = max(1, min((((1 << (width - 1)) - 1) << s) // bound, (1 << 15) - 1))
        half = 1 << (min(width, 16) - 1)
        lo, hi = limits or (max(-half, -128), min(half - 1, 127))
        return self.add(Requant, acc, m, s, digits, width, table, 8, lo, hi, scale)

    def finish(self, output: str) -> Example:
        graph = Graph(tuple(self.inputs), output, tuple(self.specs), tuple(self.ops))
        graph.verify()
        inputs = {x.name: self.rng.integers(x.lo, x.hi + 1, x.shape) for x in self.inputs}
        return Example(graph, self.weights, run_traced(graph, self.weights, inputs))


def linear_batch() -> Example:
    d = Draft()
    x, w, b = d.input(3, 5), d.weight(6, 5), d.weight(6, bits=32, lo=-900, hi=900)
    y = d.requant(d.add(Linear, x, w, b), 5 << 14, table="relu", limits=(0, 100))
    w2 = d.weight(3, 6)
    return d.finish(d.requant(d.add(Linear, y, w2, None), 6 << 14))


def linear_flattens_channels() -> Example:
    d = Draft()
    x, w = d.input(3, 2, 5), d.weight(3, 3, 2, 5)
    return d.finish(d.requant(d.add(Linear, x, w, None, 3), 30 << 14))


def linear_per_channel() -> Example:
    d = Draft()
    x, w, b = d.input(2, 4), d.weight(3, 4), d.weight(3, bits=32, lo=-900, hi=900)
    scale = d.weight(3, bits=8, lo=1, hi=9)
    return d.finish(d.requant(d.add(Linear, x, w, b), 9 << 17, scale=scale))


def linear_with_function() -> Example:
    d = Draft()
    x, w = d.input(3, 3), d.weight(5, 3)
    table = d.fixed(np.round(40 * np.tanh(np.arange(-128, 128) / 40)).astype(np.int64), 8)
    y = d.requant(d.add(Linear, x, w, None), 3 << 14, table=table, limits=(-64, 64))
    return d.finish(d.requant(d.add(Linear, y, d.weight(2, 5), None), 5 << 14))


def linear_saturates() -> Example:
    d = Draft()
    x, w = d.input(2, 3), d.weight(4, 3)
    acc = d.add(Linear, x, w, None)
    wide = d.add(Requant, acc, 4000, 8, (8,), 22, "identity", 16, -(1 << 15), (1 << 15) - 1)
    y = d.requant(d.add(Sum, ((wide, 1),)), 1 << 15)
    clamped = d.add(Requant, d.add(Linear, x, w, None), 900, 8, (8,), 20, "relu", 8, 0, 99)
    return d.finish(d.requant(d.add(Sum, ((y, 1), (clamped, 2))), 400))


def convolution(stride: int, padding: int, kernel: int, groups: int, size: int = 5) -> Example:
    d = Draft()
    channels = 4 if groups > 1 else 3
    x = d.input(size, size, channels)
    outputs = {1: 3, 2: 4, 4: 4}[groups]
    w = d.weight(outputs, kernel, kernel, channels // groups)
    b = d.weight(outputs, bits=32, lo=-900, hi=900)
    acc = d.add(Conv2d, x, w, b, stride, padding, groups)
    return d.finish(d.requant(acc, (kernel * kernel * channels) << 14))


def matmul(equation: str, left: Sequence[int], right: Sequence[int], share: int = 1) -> Example:
    d = Draft()
    a, b = d.input(*left), d.input(*right)
    return d.finish(d.requant(d.add(MatMul, a, b, equation, share), 16 << 14))


def sums() -> Example:
    d = Draft()
    x, row, w = d.input(3, 5), d.input(5), d.weight(3, 5)
    y = d.requant(d.add(Sum, ((x, 3), (row, -2), (w, 1))), 6 << 7)
    column = d.requant(d.add(ReduceSum, y, (1, 5)), 5 << 7)
    column = d.add(Reshape, column, (3, 1))
    return d.finish(d.requant(d.add(Sum, ((y, 1), (column, 2), (y, 3))), 6 << 7))


def products() -> Example:
    d = Draft()
    x, row = d.input(3, 5), d.weight(1, 5)
    y = d.requant(d.add(Product, x, x), 1 << 14)
    return d.finish(d.requant(d.add(Product, y, row), 1 << 14))


def pooling() -> Example:
    d = Draft()
    x = d.input(6, 4, 3)
    y = d.requant(d.add(ReduceSum, x, (2, 2, 1)), 4 << 7)
    z = d.requant(d.add(ReduceSum, y, (3, 1, 1)), 3 << 7)
    return d.finish(d.requant(d.add(ReduceSum, z, (2, 1)), 2 << 7))


def rotation() -> Example:
    d = Draft()
    x, cos, sin = d.input(3, 3, 4), d.weight(3, 4), d.weight(3, 4)
    return d.finish(d.requant(d.add(Rotate, x, cos, sin), 2 << 14))


def embedding() -> Example:
    d = Draft()
    x = d.input(3, bits=32, lo=0, hi=6)
    table, position = d.weight(7, 3), d.weight(6, 3)
    return d.finish(d.requant(d.add(Embedding, x, table, position), 2 << 7))


def normalization(kind: str) -> Example:
    d = Draft()
    x, gamma = d.input(3, 5), d.weight(5, lo=0, hi=60)
    y = d.requant(d.add(Sum, ((x, 1),)), 128)
    beta = d.weight(5, bits=32, lo=-900, hi=900) if kind == "layer" else None
    acc = d.add(Normalize, y, gamma, beta, kind, 7, 10)
    return d.finish(d.requant(acc, 3 * 60 << 10))


def softmax(causal: bool, shape: tuple[int, ...] = (2, 3, 3)) -> Example:
    d = Draft()
    x = d.input(*shape, lo=-100)
    table = d.fixed(np.round(255 * np.exp(-np.arange(256) / 40)).astype(np.int64), 16)
    return d.finish(d.requant(d.add(Softmax, x, table, 8, 16, causal), 1 << 16))


def maximum() -> Example:
    d = Draft()
    x = d.input(6, 4, 3)
    y = d.add(MaxPool, x, (2, 2))
    z = d.requant(d.add(Sum, ((y, 1),)), 128)
    return d.finish(d.add(MaxPool, z, (1, 2)))


def relu_by_bits() -> Example:
    d = Draft()
    y = d.add(ReluBits, d.input(3, 3))
    z = d.requant(d.add(Sum, ((y, 1), (y, -3))), 512)
    return d.finish(d.add(ReluBits, z))


def gathering() -> Example:
    d = Draft()
    x = d.input(3, 3)
    y = d.requant(d.add(Sum, ((x, 1),)), 128)
    index = d.fixed(np.array([[8, 0, 4], [3, 3, 7]]), 32)
    z = d.add(Gather, y, index)
    return d.finish(d.requant(d.add(Sum, ((z, 2),)), 256))


def argmax() -> Example:
    d = Draft(seed=3)
    x, w = d.input(3), d.weight(6, 3)
    return d.finish(d.add(Argmax, d.requant(d.add(Linear, x, w, None), 3 << 14)))


def views() -> Example:
    d = Draft()
    x = d.input(6, 4)
    y = d.requant(d.add(Sum, ((x, 1),)), 128)
    y = d.add(Transpose, d.add(Reshape, y, (3, 2, 4)), (1, 2, 0))  # (2, 4, 3)
    y = d.add(Slice, y, 1, 2, 2)  # (2, 2, 3)
    one = d.add(Slice, y, 0, 1, 1)  # (2, 3)
    z = d.requant(d.add(Sum, ((one, 1),)), 128)
    acc = d.add(MatMul, z, one, "ik,jk->ij")
    pooled = d.add(MaxPool, d.add(Reshape, y, (2, 2, 3)), (2, 1))
    w = d.weight(2, 1, 2, 3)
    both = d.add(Linear, pooled, w, None, 3)
    return d.finish(
        d.requant(d.add(Sum, ((d.requant(acc, 3 << 14), 1), (d.requant(both, 6 << 14), 1))), 256)
    )


def scalars() -> Example:
    d = Draft()
    x, w = d.input(1, 1), d.weight(1, 1)
    return d.finish(d.requant(d.add(Linear, x, w, None), 1 << 14))


def attention() -> Example:
    """Two heads of queries on one of keys and values (grouped), causal."""
    d = Draft()
    x = d.input(3, 4)
    q, k, v = (d.requant(d.add(Linear, x, d.weight(n, 4), None), 4 << 14) for n in (8, 4, 4))
    q = d.add(Reshape, q, (3, 2, 4))
    k, v = (d.add(Reshape, y, (3, 1, 4)) for y in (k, v))
    scores = d.requant(d.add(MatMul, q, k, "ihd,jhd->hij", 2), 4 << 14)
    table = d.fixed(np.round(255 * np.exp(-np.arange(256) / 40)).astype(np.int64), 16)
    p = d.requant(d.add(Softmax, scores, table, 8, 16, True), 1 << 16)
    mixed = d.requant(d.add(MatMul, p, v, "hij,jhd->ihd", 2), 3 << 14)
    return d.finish(d.requant(d.add(Linear, mixed, d.weight(4, 2, 4), None, 2), 8 << 14))


EXAMPLES: dict[str, Callable[[], Example]] = {
    "linear_batch": linear_batch,
    "linear_flattens": linear_flattens_channels,
    "linear_per_channel": linear_per_channel,
    "linear_function": linear_with_function,
    "linear_saturates": linear_saturates,
    "conv": lambda: convolution(1, 1, 3, 1),
    "conv_stride": lambda: convolution(2, 1, 3, 1),
    "conv_1x1": lambda: convolution(1, 0, 1, 1),
    "conv_1x1_stride": lambda: convolution(2, 0, 1, 1),
    "conv_groups": lambda: convolution(1, 1, 2, 2, 4),
    "conv_depthwise": lambda: convolution(1, 1, 3, 4, 4),
    "matmul": lambda: matmul("ik,kj->ij", (3, 5), (5, 2)),
    "matmul_batch": lambda: matmul("hik,hjk->hij", (3, 2, 3), (3, 3, 3)),
    "matmul_inner_batch": lambda: matmul("ihk,jhk->hij", (2, 2, 3), (3, 2, 3)),
    "matmul_shared": lambda: matmul("hik,hkj->hij", (4, 2, 3), (2, 3, 2), 2),
    "sums": sums,
    "products": products,
    "pooling": pooling,
    "rotation": rotation,
    "embedding": embedding,
    "layer_norm": lambda: normalization("layer"),
    "rms_norm": lambda: normalization("rms"),
    "softmax": lambda: softmax(False),
    "softmax_causal": lambda: softmax(True),
    "softmax_full": lambda: softmax(False, (2, 4)),
    "max_pool": maximum,
    "relu_bits": relu_by_bits,
    "gather": gathering,
    "argmax": argmax,
    "views": views,
    "scalars": scalars,
    "attention": attention,
}


def iterate() -> Iterator[tuple[str, Example]]:
    for name, make in EXAMPLES.items():
        yield name, make()
