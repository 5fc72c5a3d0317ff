"""Interval arithmetic through every operator (runtime.md 1): sound, and tight where that is easy.

A tensor has one interval a channel (index of its last axis), or one for all. int64 never wraps:
operands have at most 16 bits, sums at most 2^30 terms, and norms are bounded by Cauchy-Schwarz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isqrt, prod
from typing import Final

import numpy as np

from offchain.model.operators import (
    Conv2d,
    MatMul,
    Normalize,
    ReduceSum,
    Requant,
    Reshape,
    Slice,
    Softmax,
    Transpose,
)
from offchain.model.weights import IntArray

Shape = tuple[int, ...]
BLOCK: Final = 1 << 19  # cells of a weight that are looked at together, which bounds memory


@dataclass(frozen=True)
class Interval:
    """Inclusive bounds of every channel of a tensor; both (channels,) or (1,).

    `row_sum` bounds the sum over the last axis where no element is negative.
    """

    lo: IntArray
    hi: IntArray
    row_sum: int | None = None

    @property
    def least(self) -> int:
        """The smallest value of any channel."""
        return int(self.lo.min())

    @property
    def greatest(self) -> int:
        """The largest value of any channel."""
        return int(self.hi.max())

    @property
    def magnitude(self) -> int:
        """The largest magnitude of any channel."""
        return max(self.greatest, -self.least)

    def collapse(self) -> Interval:
        """Return one interval for all channels."""
        return make_interval(self.least, self.greatest)


def make_interval(lo: int, hi: int) -> Interval:
    """Return one interval for all channels."""
    return Interval(np.array([lo], dtype=np.int64), np.array([hi], dtype=np.int64))


def bound_values(w: IntArray) -> Interval:
    """Return the interval of every channel of a weight (..., C)."""
    rows = w.reshape(-1, w.shape[-1]).astype(np.int64)
    return Interval(rows.min(axis=0), rows.max(axis=0))


def bound_linear(x: Interval, w: IntArray, b: IntArray | None) -> Interval:
    """Return the interval of x w^T + b; w (J, K) or (J, *axes), x over the last axis or K."""
    # Tiling repeats the channels of the last axis along the axes before it.
    flat = w.reshape(len(w), -1)  # (J, K)
    lo, hi = (np.resize(side, flat.shape[1]) for side in (x.lo, x.hi))  # (K,)
    step = max(1, BLOCK // flat.shape[1])
    ends = [_bound_rows(flat[j : j + step], lo, hi) for j in range(0, len(flat), step)]
    return _add_bias(Interval(*(np.concatenate(side) for side in zip(*ends, strict=True))), b)


def _bound_rows(w: IntArray, lo: IntArray, hi: IntArray) -> tuple[IntArray, IntArray]:
    plus, minus = np.maximum(w, 0).astype(np.int64), np.minimum(w, 0).astype(np.int64)  # (J, K)
    return plus @ lo + minus @ hi, plus @ hi + minus @ lo


def bound_conv2d(op: Conv2d, x: Interval, w: IntArray, b: IntArray | None) -> Interval:
    """Return the interval of a convolution; with padding a cell may also be 0."""
    if op.padding:
        x = Interval(np.minimum(x.lo, 0), np.maximum(x.hi, 0))
    outputs, _, _, inner = w.shape
    w = w.astype(np.int64)
    plus = np.maximum(w, 0).sum(axis=(1, 2)).reshape(op.groups, outputs // op.groups, inner)
    minus = np.minimum(w, 0).sum(axis=(1, 2)).reshape(plus.shape)
    lo, hi = (np.resize(side, (op.groups, inner, 1)) for side in (x.lo, x.hi))  # (G, c, 1)
    bounds = Interval((plus @ lo + minus @ hi).reshape(-1), (plus @ hi + minus @ lo).reshape(-1))
    return _add_bias(bounds, b)


def _add_bias(acc: Interval, b: IntArray | None) -> Interval:
    return acc if b is None else Interval(acc.lo + b, acc.hi + b)


def bound_matmul(op: MatMul, a: Interval, b: Interval, sizes: Shape) -> Interval:
    """Return the interval of an einsum; `sizes` is a's shape.

    Where a sums to a known row sum (attention), that takes the place of the number of terms.
    """
    left, right, result = op.equation.replace("->", ",").split(",")
    summed = [letter for letter in left if letter in right and letter not in result]
    terms = prod(sizes[left.index(letter)] for letter in summed)
    b = b if right[-1] == result[-1] else b.collapse()
    if a.row_sum is not None and summed == [left[-1]]:
        # a >= 0, so a sum of a b lies between the row sum times the ends of b, and 0.
        return Interval(
            np.minimum(b.lo, 0) * a.row_sum,
            np.maximum(b.hi, 0) * a.row_sum,
        )
    products = bound_product(a.collapse(), b)
    return Interval(products.lo * terms, products.hi * terms)


def bound_product(a: Interval, b: Interval) -> Interval:
    """Return the interval of a b, channel by channel."""
    corners = [p * q for p in (a.lo, a.hi) for q in (b.lo, b.hi)]
    return Interval(np.minimum.reduce(corners), np.maximum.reduce(corners))


def bound_sum(terms: Sequence[tuple[Interval, int]]) -> Interval:
    """Return the interval of a sum of coefficients times tensors."""
    lo, hi = (np.zeros(1, dtype=np.int64) for _ in range(2))
    for x, coefficient in terms:
        ends = (coefficient * x.lo, coefficient * x.hi)
        lo, hi = lo + np.minimum(*ends), hi + np.maximum(*ends)
    return Interval(lo, hi)


def bound_reduce_sum(op: ReduceSum, x: Interval, shape: Shape) -> Interval:
    """Return the interval of sums over windows; `shape` is x's."""
    channels, window = shape[-1], op.windows[-1]
    others = prod(op.windows[:-1])

    def reduce(side: IntArray) -> IntArray:
        summed: IntArray = np.resize(side, channels).reshape(-1, window).sum(axis=1)
        return summed * others

    return Interval(reduce(x.lo), reduce(x.hi))


def bound_rotate(x: Interval, cos: IntArray, sin: IntArray) -> Interval:
    """Return the interval of a rotation, over all positions of cos and sin (T, D)."""
    half = cos.shape[1] // 2
    lo, hi = (np.resize(side, cos.shape[1]) for side in (x.lo, x.hi))
    turned = Interval(
        np.concatenate([-hi[half:], lo[:half]]), np.concatenate([-lo[half:], hi[:half]])
    )
    straight = bound_product(Interval(lo, hi), Interval(cos, cos))  # (T, D)
    crossed = bound_product(turned, Interval(sin, sin))
    return Interval((straight.lo + crossed.lo).min(axis=0), (straight.hi + crossed.hi).max(axis=0))


def bound_normalize(op: Normalize, n: int, gamma: IntArray, beta: IntArray | None) -> Interval:
    """Return the interval of c r gamma + beta, whatever x is.

    rms: x_j^2 <= S and r^2 S <= 2^(2f). layer: the c_j sum to 0, their squares to n (S - epsilon),
    so c_j^2 <= (n - 1) S.
    """
    most = isqrt((n - 1 if op.kind == "layer" else 1) << (2 * op.f)) + 1
    bound = most * np.abs(gamma.astype(np.int64))
    return _add_bias(Interval(-bound, bound), beta)


def bound_softmax(op: Softmax) -> Interval:
    """Return the interval of e iota: a row of them sums to 2^g at most."""
    return replace(make_interval(0, 1 << op.g), row_sum=1 << op.g)


def bound_embedding(table: IntArray, position: IntArray | None, rows: int) -> Interval:
    """Return the interval of a token's row plus one of the first `rows` positions."""
    x = bound_values(table)
    if position is None:
        return x
    p = bound_values(position[:rows])
    return Interval(x.lo + p.lo, x.hi + p.hi)


def bound_quotient(acc: Interval, m: int | IntArray, s: int) -> Interval:
    """Return the interval of t = (acc * m + 2^(s-1)) >> s, which grows with acc."""
    half = 1 << (s - 1)
    lo, hi = ((side.astype(object) * m + half) >> s for side in (acc.lo, acc.hi))
    return Interval(lo, hi)


def bound_requant(
    op: Requant,
    acc: Interval,
    scale: IntArray | None = None,
    table: IntArray | None = None,
    columns: int | None = None,
) -> Interval:
    """Return the interval of y for this scale, this table and `columns` on the last axis."""
    t = bound_quotient(acc, multipliers(op, scale), op.s)
    half = 1 << (op.key_width - 1)
    lo, hi = (np.clip(side, -half, half - 1).astype(np.int64) for side in (t.lo, t.hi))
    if table is not None:
        reached = table[int(lo.min()) + half : int(hi.max()) + half + 1]
        y = make_interval(int(reached.min()), int(reached.max()))
    else:
        floor = max(op.lo, 0) if op.table == "relu" else op.lo
        # hi >= 0, so a relu's floor never exceeds it
        y = Interval(np.clip(lo, floor, op.hi), np.clip(hi, floor, op.hi))
    if acc.row_sum is None or columns is None or op.table != "identity" or op.scale is not None:
        return y
    # Each quotient is rounded up by less than 1/2 + 2^-s, and a clamp at hi >= 0 only lowers it.
    quotients = (acc.row_sum * op.m + columns * (1 << (op.s - 1))) >> op.s
    return replace(y, row_sum=min(quotients, columns * y.greatest))


def multipliers(op: Requant, scale: IntArray | None) -> int | IntArray:
    """Return m_j for every channel, or the one m."""
    return op.m if scale is None else op.m * scale.astype(object)


def bound_reshape(op: Reshape, x: Interval) -> Interval:
    """Return the interval of a reshaped tensor: channels are split, merged or forgotten."""
    old, columns = len(x.lo), op.shape[-1]
    if old % columns == 0:
        return Interval(
            x.lo.reshape(-1, columns).min(axis=0), x.hi.reshape(-1, columns).max(axis=0)
        )
    if old > 1 and columns % old == 0:
        return Interval(np.resize(x.lo, columns), np.resize(x.hi, columns))
    return x.collapse()


def bound_transpose(op: Transpose, x: Interval) -> Interval:
    """Return the interval of a transposed tensor."""
    return x if op.order[-1] == len(op.order) - 1 else x.collapse()


def bound_slice(op: Slice, x: Interval, rank: int) -> Interval:
    """Return the interval of a slice of a tensor of this rank."""
    if op.axis != rank - 1:
        return x
    if op.size == 1 or len(x.lo) == 1:
        return x.collapse()
    cut = slice(op.start, op.start + op.size)
    return Interval(x.lo[cut], x.hi[cut])
