"""Draws one operator of every kind onto a graph that grows, honest by its static bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod

import numpy as np

from offchain.model.graph import Graph
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
    TensorSpec,
    Transpose,
    WeightSpec,
)
from offchain.model.weights import IntArray
from offchain.quantize.ranges import Interval, Ranges

Shape = tuple[int, ...]
DIGITS = ((8,), (12,), (16,), (8, 8), (12, 8), (8, 16), (16, 16))
TOP_MULTIPLIER = (1 << 15) - 1


@dataclass
class GraphBuilder:
    """A graph that grows; every operator is drawn onto an activation that is there already."""

    rng: np.random.Generator
    source: TensorSpec
    max_width: int
    specs: list[WeightSpec] = field(default_factory=list)
    weights: dict[str, IntArray] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pool = [self.source.name] if self.source.bits < 32 else []

    def build(self, output: str) -> Graph:
        """Return the graph as it is, with this output."""
        return Graph((self.source,), output, tuple(self.specs), tuple(self.ops))

    def shape(self, name: str) -> Shape:
        return self.build(name).shapes()[name]

    def bits(self, name: str) -> int:
        return self.build(name).values[name].bits

    def interval(self, name: str) -> Interval:
        """Return the static bounds of a value; they have to hold."""
        walk = Ranges((self.source,), self.build(name).shapes(), self.weights)
        for op in self.ops:
            walk.add(op)
        assert not walk.problems, walk.problems
        return walk.intervals[name]

    def pick(self, low: int, high: int) -> int:
        """Draw an integer of low..high."""
        return int(self.rng.integers(low, high + 1))

    def name(self, kind: str) -> str:
        return f"{kind}{len(self.ops)}"

    def weight(self, shape: Shape, bits: int = 8, lo: int | None = None) -> str:
        """Add a weight of random values and return its name."""
        half = 1 << (bits - 1)
        values = self.rng.integers(-half if lo is None else lo, half, shape)
        return self.keep(values, bits)

    def keep(self, values: IntArray, bits: int) -> str:
        """Add a weight of these values and return its name."""
        name = f"w{len(self.specs)}"
        self.specs.append(WeightSpec(name, values.shape, bits))
        self.weights[name] = values.astype(np.int64)
        return name

    def bias(self, columns: int) -> str | None:
        return self.weight((columns,), 16) if self.pick(0, 1) else None

    def add(self, op: Op) -> str:
        """Add an activation's operator."""
        self.ops.append(op)
        self.pool.append(op.name)
        return op.name

    def requantize(self, op: Op) -> str:
        """Add an accumulator and a requantization that fits its bounds."""
        self.ops.append(op)
        acc, rng = self.interval(op.name), self.rng
        columns = self.shape(op.name)[-1]
        scale = None
        if isinstance(op, Linear | Conv2d) and self.pick(0, 3) == 0:
            scale = self.keep(rng.integers(1, 9, (columns,)), 8)
            acc = Interval(acc.lo * self.weights[scale], acc.hi * self.weights[scale])
        width = self.pick(4, self.max_width)
        fitting = [d for d in DIGITS if _largest_multiplier(acc, sum(d), width) >= 1]
        digits = fitting[self.pick(0, len(fitting) - 1)]
        top = TOP_MULTIPLIER // (8 if scale else 1)
        m = min(_largest_multiplier(acc, sum(digits), width), top)
        if self.pick(0, 7) == 0:  # the same quotient, but declared wide: it saturates
            width, digits = self.pick(17, 20), (8,)
            m = min(_largest_multiplier(acc, 8, width), top)
            if m < 1:
                width, digits, m = 32, (16, 16), 1
        name = self.name("y")
        table, bits, lo, hi = self._draw_function(min(width, 16))
        return self.add(
            Requant(name, op.name, m, sum(digits), digits, width, table, bits, lo, hi, scale)
        )

    def _draw_function(self, width: int) -> tuple[str, int, int, int]:
        half = 1 << (width - 1)
        kind = self.pick(0, 3)
        if kind == 0 and width < 12:  # any function with f(0) = 0
            values = self.rng.integers(-100, 101, (2 * half,))
            values[half] = 0
            return self.keep(values, 8), 8, -100, 100
        lo, hi = (0, half - 1) if kind == 1 else (-half, half - 1)
        if self.pick(0, 1):  # a clamp that saturates
            lo, hi = max(lo // 2, -128), min(hi // 2, 127)
        bits = 8 if lo >= -128 and hi <= 127 else 16
        return "relu" if kind == 1 else "identity", bits, lo, hi


def _largest_multiplier(acc: Interval, s: int, width: int) -> int:
    """Return the largest m with which every quotient fits; 0 if there is none."""
    end, half = 1 << (width - 1 + s), 1 << (s - 1)
    return min((end - half - 1) // max(acc.greatest, 1), (end - half) // max(-acc.least, 1))


def draw_linear(b: GraphBuilder, x: str) -> str | None:
    shape = b.shape(x)
    axes = b.pick(1, min(len(shape), 3))
    outputs = b.pick(1, 6)
    w = b.weight((outputs, *shape[len(shape) - axes :]))
    return b.requantize(Linear(b.name("a"), x, w, b.bias(outputs), axes))


def draw_conv2d(b: GraphBuilder, x: str) -> str | None:
    shape = b.shape(x)
    if len(shape) != 3:
        return None
    height, width, channels = shape
    kernel = (b.pick(1, min(3, height)), b.pick(1, min(3, width)))
    powers = [g for g in (1, 2, 4) if channels % g == 0 and not channels & (channels - 1)]
    groups = powers[b.pick(0, len(powers) - 1)] if powers else 1
    outputs = groups * b.pick(1, 2)
    w = b.weight((outputs, *kernel, channels // groups))
    padding = b.pick(0, min(kernel) - 1)
    op = Conv2d(b.name("a"), x, w, b.bias(outputs), b.pick(1, 2), padding, groups)
    return b.requantize(op)


def draw_matmul(b: GraphBuilder, x: str) -> str | None:
    shape = b.shape(x)
    if len(shape) == 2:
        equation = ("ik,jk->ij", "ki,kj->ij", "ki,kj->ji")[b.pick(0, 2)]
    elif len(shape) == 3 and shape[1] == 4 and b.pick(0, 1):
        pair = b.add(Slice(b.name("s"), x, 1, 0, 2))
        return b.requantize(MatMul(b.name("a"), x, pair, "qhd,khd->hqk", 2))
    elif len(shape) == 3:
        equation = ("hqd,hkd->hqk", "qhd,khd->hqk", "abc,abd->acd", "abc,dbc->ad")[b.pick(0, 3)]
    else:
        return None
    return b.requantize(MatMul(b.name("a"), x, x, equation))


def draw_sum(b: GraphBuilder, x: str) -> str | None:
    shape = b.shape(x)
    terms = [(x, b.pick(1, 9)), (b.weight(shape[-1:]), -b.pick(1, 9))]
    others = [name for name in b.pool if b.shape(name) in (shape, shape[-1:])]
    terms.append((others[b.pick(0, len(others) - 1)], b.pick(-9, -1)))
    return b.requantize(Sum(b.name("a"), tuple(terms)))


def draw_product(b: GraphBuilder, x: str) -> str | None:
    shape = b.shape(x)
    others = [name for name in b.pool if b.shape(name) in (shape, shape[-1:])]
    other = others[b.pick(0, len(others) - 1)] if b.pick(0, 1) else b.weight(shape[-1:])
    return b.requantize(Product(b.name("a"), x, other))


def draw_reduce_sum(b: GraphBuilder, x: str) -> str | None:
    windows = []
    for size in b.shape(x):
        fitting = [w for w in (1, 2, 4, size) if size % w == 0]
        windows.append(fitting[b.pick(0, len(fitting) - 1)])
    if all(w == size > 1 for w, size in zip(windows, b.shape(x), strict=True)):
        windows[0] = 1
    return b.requantize(ReduceSum(b.name("a"), x, tuple(windows)))


def draw_rotate(b: GraphBuilder, x: str) -> str | None:
    shape = b.shape(x)
    if len(shape) < 2 or shape[-1] not in (2, 4, 8):
        return None
    cos, sin = (b.weight((shape[0], shape[-1])) for _ in range(2))
    return b.requantize(Rotate(b.name("a"), x, cos, sin))


def draw_normalize(b: GraphBuilder, x: str) -> str | None:
    shape = b.shape(x)
    if shape[-1] < 2:
        return None
    gamma, beta = b.weight(shape[-1:]), b.bias(shape[-1])
    kind = ("layer", "rms")[b.pick(0, 1)]
    op = Normalize(b.name("a"), x, gamma, beta, kind, b.pick(1, 1000), b.pick(4, 12))
    return b.requantize(op)


def draw_softmax(b: GraphBuilder, x: str) -> str | None:
    shape, interval = b.shape(x), b.interval(x)
    width = max(4, (interval.greatest - interval.least).bit_length())
    if width > b.max_width:
        return None
    steps = np.arange(1 << width)
    table = b.keep(np.rint(1000 * np.exp(-steps / b.pick(2, 40))), 16)
    causal = len(shape) >= 2 and shape[-1] == shape[-2] and bool(b.pick(0, 1))
    return b.requantize(Softmax(b.name("a"), x, table, width, b.pick(12, 24), causal))


def draw_embedding(b: GraphBuilder, x: str) -> str | None:
    columns = b.pick(1, 6)
    table = b.weight((b.source.hi + 1 + b.pick(0, 2), columns))
    position = b.weight((b.source.shape[0] + b.pick(0, 2), columns)) if b.pick(0, 1) else None
    return b.requantize(Embedding(b.name("a"), b.source.name, table, position))


def draw_max_pool(b: GraphBuilder, x: str) -> str | None:
    shape = b.shape(x)
    if len(shape) != 3:
        return None
    window = tuple(2 if size % 2 == 0 and b.pick(0, 3) else 1 for size in shape[:2])
    return b.add(MaxPool(b.name("y"), x, (window[0], window[1])))


def draw_relu_bits(b: GraphBuilder, x: str) -> str | None:
    return b.add(ReluBits(b.name("y"), x)) if b.bits(x) == 8 else None


def draw_reshape(b: GraphBuilder, x: str) -> str | None:
    """Split or merge axes where that is a split or merge of index bits."""
    shape = b.shape(x)
    choices: list[Shape] = []
    for axis, size in enumerate(shape):
        if size % 2 == 0 and len(shape) < 4:
            choices.append((*shape[:axis], size // 2, 2, *shape[axis + 1 :]))
        if axis and not size & (size - 1):
            choices.append((*shape[: axis - 1], shape[axis - 1] * size, *shape[axis + 1 :]))
    if not choices:
        return None
    return b.add(Reshape(b.name("y"), x, choices[b.pick(0, len(choices) - 1)]))


def draw_transpose(b: GraphBuilder, x: str) -> str | None:
    order = tuple(int(axis) for axis in b.rng.permutation(len(b.shape(x))))
    return b.add(Transpose(b.name("y"), x, order)) if len(order) > 1 else None


def draw_slice(b: GraphBuilder, x: str) -> str | None:
    shape = b.shape(x)
    axis = b.pick(0, len(shape) - 1)
    sizes = [size for size in (1, 2, 4) if size <= shape[axis] and (size > 1 or len(shape) > 1)]
    if not sizes:
        return None
    size = sizes[b.pick(0, len(sizes) - 1)]
    start = size * b.pick(0, shape[axis] // size - 1)
    return b.add(Slice(b.name("y"), x, axis, start, size))


def draw_gather(b: GraphBuilder, x: str) -> str | None:
    shape = tuple(b.pick(1, 4) for _ in range(b.pick(1, 3)))
    index = b.keep(b.rng.integers(0, prod(b.shape(x)), shape), 32)
    return b.add(Gather(b.name("y"), x, index))


def draw_argmax(b: GraphBuilder, x: str) -> str | None:
    if len(b.shape(x)) != 1:
        return None
    b.ops.append(Argmax(b.name("y"), x))
    return b.ops[-1].name


DRAWERS: dict[str, Callable[[GraphBuilder, str], str | None]] = {
    "linear": draw_linear,
    "conv2d": draw_conv2d,
    "matmul": draw_matmul,
    "sum": draw_sum,
    "product": draw_product,
    "reduce_sum": draw_reduce_sum,
    "rotate": draw_rotate,
    "normalize": draw_normalize,
    "softmax": draw_softmax,
    "embedding": draw_embedding,
    "max_pool": draw_max_pool,
    "relu_bits": draw_relu_bits,
    "reshape": draw_reshape,
    "transpose": draw_transpose,
    "slice": draw_slice,
    "gather": draw_gather,
    "argmax": draw_argmax,
}
