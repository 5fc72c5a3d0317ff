"""Static ranges with the actual weights: what no honest in-range input can leave (runtime.md 1).

Interval arithmetic, one interval a channel, is tighter than the L1 bound of the design page:

    high_j = sum_k max(w_jk * lo_k, w_jk * hi_k) + b_j      low_j likewise with min
    |acc| < 2^47,   |acc| * m_j + 2^(s-1) < 2^62,   t in [-2^(width-1), 2^(width-1) - 1]
    max(x) - x < 2^width of a softmax,   S < 2^62 and (2r + 1) S < 2^62 of a normalization
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isqrt
from typing import Final

import numpy as np

from offchain.errors import UnboundedError
from offchain.model.graph import Graph
from offchain.model.operators import (
    Accumulator,
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
)
from offchain.model.values import find_value_problems
from offchain.model.weights import IntArray, Weights, check_weights
from offchain.quantize.intervals import (
    Interval,
    Shape,
    bound_conv2d,
    bound_embedding,
    bound_linear,
    bound_matmul,
    bound_normalize,
    bound_product,
    bound_quotient,
    bound_reduce_sum,
    bound_requant,
    bound_reshape,
    bound_rotate,
    bound_slice,
    bound_softmax,
    bound_sum,
    bound_transpose,
    bound_values,
    make_interval,
    multipliers,
)

__all__ = [
    "Interval",
    "Ranges",
    "bound_linear",
    "bound_quotient",
    "bound_requant",
    "compute_ranges",
    "verify_ranges",
]

ACCUMULATOR_LIMIT: Final = 1 << 47
PRODUCT_LIMIT: Final = 1 << 62  # above, int64 would wrap where the proof does not


def compute_ranges(graph: Graph, weights: Weights) -> Mapping[str, Interval]:
    """Return the interval of every input and of every operator's output.

    Raises UnboundedError naming every tensor that can leave its range, TensorError for bad weights.
    """
    check_weights(graph, weights)
    problems = [f"{name}: {reason}" for name, reason in find_value_problems(graph, weights)]
    if problems:  # a bad table has no bounds to go on with
        raise UnboundedError("model with these weights", problems)
    walk = Ranges(graph.inputs, graph.shapes(), weights)
    for op in graph.ops:
        walk.add(op)
    if walk.problems:
        raise UnboundedError("model with these weights", walk.problems)
    return walk.intervals


def verify_ranges(graph: Graph, weights: Weights) -> None:
    """Raise UnboundedError unless every in-range input stays in every declared range."""
    compute_ranges(graph, weights)


class Ranges:
    """Intervals of a graph's values so far, and every bound that they break."""

    def __init__(
        self, inputs: Sequence[TensorSpec], shapes: Mapping[str, Shape], weights: Weights
    ) -> None:
        """Start with the inputs; operators follow one by one, with shapes and weights in place."""
        self.weights = weights
        self.intervals = {spec.name: _repeat(spec.lo, spec.hi, spec.shape[-1]) for spec in inputs}
        self.shapes = shapes
        self.problems: list[str] = []

    def add(self, op: Op) -> Interval:
        """Bound an operator's result, note what is wrong with it, and return the interval."""
        self.problems += self._find_problems(op)
        interval = self._bound(op)
        if isinstance(op, Accumulator) and interval.magnitude >= ACCUMULATOR_LIMIT:
            self.problems.append(
                f"{op.name}: the accumulator can reach {interval.magnitude} >= 2^47"
            )
        self.intervals[op.name] = interval
        return interval

    def _weight(self, name: str | None) -> IntArray | None:
        return None if name is None else self.weights[name]

    def _read(self, name: str) -> Interval:
        if name in self.intervals:
            return self.intervals[name]
        return bound_values(self.weights[name])

    def _bound(self, op: Op) -> Interval:
        bound = self._bound_accumulator(op) or self._bound_activation(op)
        if bound is None:
            raise TypeError(f"{type(op).__name__} is no operator of the language")
        return bound

    def _bound_accumulator(self, op: Op) -> Interval | None:
        weight = self.weights
        match op:
            case Linear():
                bound = bound_linear(self._read(op.x), weight[op.w], self._weight(op.b))
            case Conv2d():
                bound = bound_conv2d(op, self._read(op.x), weight[op.w], self._weight(op.b))
            case MatMul():
                bound = bound_matmul(op, self._read(op.a), self._read(op.b), self.shapes[op.a])
            case Sum():
                bound = bound_sum([(self._read(name), k) for name, k in op.terms])
            case Product():
                product = bound_product(self._read(op.a), self._read(op.b))
                floor = 0 if op.a == op.b else product.least
                bound = Interval(np.maximum(product.lo, floor), product.hi)
            case ReduceSum():
                bound = bound_reduce_sum(op, self._read(op.x), self.shapes[op.x])
            case Rotate():
                bound = bound_rotate(self._read(op.x), weight[op.cos], weight[op.sin])
            case Normalize():
                n = self.shapes[op.x][-1]
                bound = bound_normalize(op, n, weight[op.gamma], self._weight(op.beta))
            case Softmax():
                bound = bound_softmax(op)
            case Embedding():
                rows = self.shapes[op.name][0]
                bound = bound_embedding(weight[op.table], self._weight(op.position), rows)
            case _:
                return None
        return bound

    def _bound_activation(self, op: Op) -> Interval | None:
        match op:
            case Requant():
                table = None if op.is_built_in else self.weights[op.table]
                columns = self.shapes[op.name][-1]
                bound = bound_requant(op, self._read(op.x), self._weight(op.scale), table, columns)
            case MaxPool():
                x = self._read(op.x)
                bound = Interval(x.lo, x.hi)
            case ReluBits():
                x = self._read(op.x)
                bound = Interval(np.maximum(x.lo, 0), np.maximum(x.hi, 0))
            case Reshape():
                bound = bound_reshape(op, self._read(op.x))
            case Transpose():
                bound = bound_transpose(op, self._read(op.x))
            case Slice():
                bound = bound_slice(op, self._read(op.x), len(self.shapes[op.x]))
            case Gather():
                bound = self._read(op.x).collapse()
            case Argmax():
                bound = make_interval(0, self.shapes[op.x][0] - 1)
            case _:
                return None
        return bound

    def _find_problems(self, op: Op) -> Iterator[str]:
        match op:
            case Requant():
                yield from _requant_problems(op, self._read(op.x), self._weight(op.scale))
            case Softmax():
                x = self._read(op.x)
                if x.greatest - x.least >= 1 << op.width:
                    yield (
                        f"{op.name}: max(x) - x can reach {x.greatest - x.least},"
                        f" outside a table of 2^{op.width}"
                    )
            case Normalize():
                yield from _normalize_problems(op, self._read(op.x), self.shapes[op.x][-1])
            case _:
                pass


def _repeat(lo: int, hi: int, channels: int) -> Interval:
    every = np.ones(channels, dtype=np.int64)
    return Interval(every * lo, every * hi)


def _requant_problems(op: Requant, acc: Interval, scale: IntArray | None) -> Iterator[str]:
    m = multipliers(op, scale)
    product = np.maximum(acc.hi.astype(object), -acc.lo.astype(object)) * m
    if product.max() + (1 << (op.s - 1)) >= PRODUCT_LIMIT:
        yield f"{op.name}: accumulator times m={op.m} can reach 2^62"
    t, half = bound_quotient(acc, m, op.s), 1 << (op.width - 1)
    if t.least < -half or t.greatest >= half:
        yield (
            f"{op.name}: the quotient can span [{t.least}, {t.greatest}],"
            f" outside its {op.width} bits"
        )


def _normalize_problems(op: Normalize, x: Interval, n: int) -> Iterator[str]:
    scale = n if op.kind == "layer" else 1
    # n sum(x^2) - sum(x)^2 is n^2 times the variance, at most a quarter of the range's square.
    total = scale * n * x.magnitude**2 + op.epsilon
    if total >= PRODUCT_LIMIT:
        yield f"{op.name}: n times the sum of squares can reach {total} >= 2^62"
    if op.kind == "layer":
        total = n * n * (x.greatest - x.least) ** 2 // 4 + op.epsilon
    # (2 r + 1) S <= 2 * 2^f sqrt(S) + S, which grows with S.
    largest = 2 * isqrt(total << (2 * op.f)) + 2 + total
    if largest >= PRODUCT_LIMIT:
        yield f"{op.name}: (2 r + 1) S can reach {largest} >= 2^62; a smaller f helps"
