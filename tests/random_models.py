"""Seeded random integer models, small enough to prove and honest by their static bounds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offchain.model.graph import Graph, Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.model.weights import IntArray
from offchain.quantize.layers import compute_multiplier
from offchain.quantize.ranges import Interval, bound_linear, bound_requant

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
