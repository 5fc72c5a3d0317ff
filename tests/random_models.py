"""Seeded random integer models, small enough to prove and honest by their static bounds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offchain.model.graph import Graph, Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.model.operators import Argmax
from offchain.model.weights import IntArray
from offchain.quantize.layers import compute_multiplier
from offchain.quantize.ranges import Interval, bound_linear, bound_requant
from tests.random_operators import DRAWERS, GraphBuilder

# An input that each kind of operator can be drawn onto; (rows, cols) for the others.
SHAPES = {
    "conv2d": ((4, 5, 3), (6, 6, 4), (3, 3, 2)),
    "max_pool": ((4, 6, 3), (2, 2, 5)),
    "rotate": ((3, 4), (3, 2, 8)),
    "matmul": ((3, 5), (3, 4, 2), (2, 3, 4)),
    "softmax": ((3, 3), (4, 5), (2, 3, 3)),
    "argmax": ((7,), (16,)),
}
OTHER_SHAPES = ((5,), (3, 4), (4, 8), (2, 3, 4), (4, 4, 4))

DIGITS = ((8,), (12,), (16,), (8, 8), (12, 8), (8, 16), (16, 16))


@dataclass(frozen=True)
class RandomModel:
    """A graph, its weights by name, and one input in range."""

    graph: Graph
    weights: dict[str, IntArray]
    x: IntArray


def draw_model(
    seed: int, rows: int = 2, sizes: Sequence[int] = (8, 4, 3), max_width: int = 10
) -> RandomModel:
    """Draw a chain of linear and requant with columns `sizes`; everything else is random too."""
    rng = np.random.default_rng(seed)
    bits = int(rng.choice((8, 16)))
    lo, hi = sorted(int(v) for v in rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), 2))
    spec = TensorSpec("x", (rows, sizes[0]), bits, lo, hi)
    every = np.ones(sizes[0], dtype=np.int64)
    interval, source = Interval(every * lo, every * hi), "x"
    ops: list[Op] = []
    specs: list[WeightSpec] = []
    weights: dict[str, IntArray] = {}
    for k, (inner, outer) in enumerate(itertools.pairwise(sizes)):
        weight_bits = int(rng.choice((8, 16)))
        half = 1 << (weight_bits - 1)
        w = rng.integers(-half, half, (outer, inner))
        b = rng.integers(-(1 << 20), 1 << 20, (outer,)) if rng.random() < 0.7 else None
        weights[f"w{k}"] = w
        specs.append(WeightSpec(f"w{k}", w.shape, weight_bits))
        if b is not None:
            weights[f"b{k}"] = b
            specs.append(WeightSpec(f"b{k}", b.shape, 32))
        acc = bound_linear(interval, w, b)
        requant = _draw_requant(rng, k, acc, max_width)
        ops += [Linear(f"a{k}", source, f"w{k}", None if b is None else f"b{k}"), requant]
        interval, source = bound_requant(requant, acc), requant.name
    graph = Graph((spec,), source, tuple(specs), tuple(ops))
    graph.verify()
    return RandomModel(graph, weights, rng.integers(lo, hi + 1, spec.shape))


def _draw_requant(rng: np.random.Generator, k: int, acc: Interval, max_width: int) -> Requant:
    width = int(rng.integers(4, max_width + 1))
    fitting = [d for d in DIGITS if compute_multiplier(acc, sum(d), width) >= 1]
    digits = fitting[int(rng.integers(len(fitting)))]
    m = min(int(compute_multiplier(acc, sum(digits), width)), (1 << 15) - 1)
    table = str(rng.choice(("identity", "relu")))
    half = 1 << (width - 1)
    lo, hi = (0, half - 1) if table == "relu" else (-half, half - 1)
    if rng.random() < 0.5:  # a clamp that saturates
        lo, hi = lo // 2, hi // 2
    bits = 8 if lo >= -128 and hi <= 127 else 16
    return Requant(f"y{k}", f"a{k}", m, sum(digits), digits, width, table, bits, lo, hi)


def draw_operator(kind: str, seed: int, max_width: int = 10) -> RandomModel:
    """Draw a graph of one operator of this kind (a key of DRAWERS) between two requantizations.

    The output is a requantization, or the argmax.
    """
    rng = np.random.default_rng(seed)
    while True:
        builder = _start(rng, kind, max_width)
        if kind != "embedding":
            _draw(builder, "product", "x")  # so that what the operator reads is committed
        if _draw(builder, kind, builder.pool[-1] if builder.pool else ""):
            return _finish(builder)


def draw_graph(seed: int, operators: int = 6, max_width: int = 10) -> RandomModel:
    """Draw a graph of operators of random kinds, each onto a random earlier activation."""
    rng = np.random.default_rng(seed)
    kinds = [kind for kind in DRAWERS if kind not in ("embedding", "argmax")]
    starts = (*SHAPES, "embedding", "linear", "linear")
    builder = _start(rng, str(rng.choice(starts)), max_width)
    if builder.source.bits == 32:
        _draw(builder, "embedding", "")
    else:
        _draw(builder, "sum", "x")
    while len(builder.pool) <= operators:
        # Mostly the latest, so that graphs are deep as well as wide.
        back = min(int(rng.geometric(0.6)), len(builder.pool))
        _draw(builder, str(rng.choice(kinds)), builder.pool[-back])
    if rng.random() < 0.2:
        _draw(builder, "argmax", builder.pool[-1])
    return _finish(builder)


def _start(rng: np.random.Generator, kind: str, max_width: int) -> GraphBuilder:
    if kind == "embedding":
        rows = int(rng.integers(1, 6))
        return GraphBuilder(
            rng, TensorSpec("x", (rows,), 32, 0, int(rng.integers(1, 9))), max_width
        )
    shapes = SHAPES.get(kind, OTHER_SHAPES)
    shape = shapes[int(rng.integers(len(shapes)))]
    bits = int(rng.choice((8, 16)))
    half = 1 << (bits - 1)
    lo, hi = sorted(int(v) for v in rng.integers(-half, half, 2))
    return GraphBuilder(rng, TensorSpec("x", shape, bits, lo, hi), max_width)


def _draw(builder: GraphBuilder, kind: str, x: str) -> bool:
    """Draw an operator if it applies and its accumulator can be requantized."""
    before = len(builder.ops), len(builder.specs), len(builder.pool)
    if DRAWERS[kind](builder, x) is not None:
        return True
    del builder.ops[before[0] :], builder.specs[before[1] :], builder.pool[before[2] :]
    return False


def _finish(builder: GraphBuilder) -> RandomModel:
    last = builder.ops[-1]
    if not isinstance(last, Requant | Argmax):
        _draw(builder, "sum", builder.pool[-1])
    graph = builder.build(builder.ops[-1].name)
    graph.verify()
    names = {spec.name for spec in builder.specs}
    weights = {name: values for name, values in builder.weights.items() if name in names}
    source = builder.source
    x = builder.rng.integers(source.lo, source.hi + 1, source.shape)
    return RandomModel(graph, weights, x)
