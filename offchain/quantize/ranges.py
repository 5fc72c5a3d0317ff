"""Static ranges with the actual weights: what no honest in-range input can leave (runtime.md 1).

Interval arithmetic, one interval a column, is tighter than the L1 bound of the design page:

    high_j = sum_k max(w_jk * lo_k, w_jk * hi_k) + b_j      low_j likewise with min
    |acc| < 2^47,   |acc| * m + 2^(s-1) < 2^62,   t in [-2^(width-1), 2^(width-1) - 1]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from offchain.errors import UnboundedError
from offchain.model.graph import Graph, Linear, Requant
from offchain.model.weights import IntArray, Weights, check_weights

ACCUMULATOR_LIMIT: Final = 1 << 47
PRODUCT_LIMIT: Final = 1 << 62  # above, int64 would wrap where the proof does not


@dataclass(frozen=True)
class Interval:
    """Inclusive bounds of every column of a tensor; both (cols,)."""

    lo: IntArray
    hi: IntArray

    @property
    def least(self) -> int:
        """The smallest value of any column."""
        return int(self.lo.min())

    @property
    def greatest(self) -> int:
        """The largest value of any column."""
        return int(self.hi.max())

    @property
    def magnitude(self) -> int:
        """The largest magnitude of any column."""
        return max(self.greatest, -self.least)


def compute_ranges(graph: Graph, weights: Weights) -> Mapping[str, Interval]:
    """Return the interval of the input and of every operator's output.

    Raises UnboundedError naming every tensor that can leave its range, TensorError for bad weights.
    """
    check_weights(graph, weights)
    spec = graph.input
    every = np.ones(spec.shape[1], dtype=np.int64)
    ranges = {spec.name: Interval(every * spec.lo, every * spec.hi)}
    problems: list[str] = []
    for op in graph.ops:
        if isinstance(op, Linear):
            bias = None if op.b is None else weights[op.b]
            acc = bound_linear(ranges[op.x], weights[op.w], bias)
            if acc.magnitude >= ACCUMULATOR_LIMIT:
                problems.append(f"{op.name}: the accumulator can reach {acc.magnitude} >= 2^47")
            ranges[op.name] = acc
        else:
            problems += _requant_problems(op, ranges[op.x])
            ranges[op.name] = bound_requant(op, ranges[op.x])
    if problems:
        raise UnboundedError("model with these weights", problems)
    return ranges


def verify_ranges(graph: Graph, weights: Weights) -> None:
    """Raise UnboundedError unless every in-range input stays in every declared range."""
    compute_ranges(graph, weights)


def bound_linear(x: Interval, w: IntArray, b: IntArray | None) -> Interval:
    """Return the interval of x w^T + b; w (out, in), b (out,)."""
    # No int64 overflow: at most 2^20 products of two 16-bit operands.
    plus, minus = np.maximum(w, 0), np.minimum(w, 0)  # (J, K)
    hi = plus @ x.hi + minus @ x.lo  # (J, K) @ (K,) -> (J,)
    lo = plus @ x.lo + minus @ x.hi  # (J, K) @ (K,) -> (J,)
    return Interval(lo, hi) if b is None else Interval(lo + b, hi + b)


def bound_quotient(acc: Interval, m: int, s: int) -> Interval:
    """Return the interval of t = (acc * m + 2^(s-1)) >> s, which grows with acc."""
    half = 1 << (s - 1)
    return Interval(*((side.astype(object) * m + half) >> s for side in (acc.lo, acc.hi)))


def bound_requant(op: Requant, acc: Interval) -> Interval:
    """Return the interval of y; the function and the clamp grow with t."""
    t = bound_quotient(acc, op.m, op.s)
    floor = max(op.lo, 0) if op.table == "relu" else op.lo
    return Interval(
        *(np.clip(side, floor, op.hi).astype(np.int64) for side in (t.lo, t.hi))
    )  # hi >= 0, so a relu's floor never exceeds it


def _requant_problems(op: Requant, acc: Interval) -> Iterator[str]:
    if acc.magnitude * op.m + (1 << (op.s - 1)) >= PRODUCT_LIMIT:
        yield f"{op.name}: accumulator times m={op.m} can reach 2^62"
    t, half = bound_quotient(acc, op.m, op.s), 1 << (op.width - 1)
    if t.least < -half or t.greatest >= half:
        yield (
            f"{op.name}: the quotient can span [{t.least}, {t.greatest}],"
            f" outside its {op.width} bits"
        )
