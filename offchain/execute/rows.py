"""Per-row integers of normalizations and softmaxes, for every runtime and for witnesses.

NumPy int64. Nothing wraps: S < 2^62, |c r| <= sqrt(n) 2^f (Cauchy-Schwarz), e iota <= 2^g.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.errors import TensorError
from offchain.model.execution import NormalizeStep, SoftmaxStep
from offchain.model.operators import Normalize, Softmax
from offchain.model.weights import IntArray

ROW_LIMIT: Final = 1 << 62  # of S and of every term that it is made of


def integer_square_root(q: IntArray) -> IntArray:
    """Return floor(sqrt(q)) for 0 <= q < 2^62."""
    # The rounded float root is off by one at most; both corrections are exact.
    root: IntArray = np.sqrt(q.astype(np.float64)).astype(np.int64)
    root -= root * root > q
    root += (root + 1) * (root + 1) <= q
    return root


def reciprocal_root(total: IntArray, f: int) -> IntArray:
    """Return r with r^2 S <= 2^(2f) < (r+1)^2 S, that is floor(sqrt(2^(2f) / S)); S >= 1."""
    return integer_square_root((1 << (2 * f)) // total)


def center(op: Normalize, x: IntArray) -> IntArray:
    """Return c (..., n): n x - sum(x) for a layer's normalization, x for rms."""
    if op.kind == "rms":
        return x
    centred: IntArray = x.shape[-1] * x - x.sum(axis=-1, keepdims=True)
    return centred


def normalize_rows(op: Normalize, x: IntArray) -> NormalizeStep:
    """Return S and r of every row of x (..., n); raise TensorError if n^2 x^2 reaches 2^62."""
    n = x.shape[-1] if op.kind == "layer" else 1
    largest = int(np.abs(x).max(initial=0))
    if n * x.shape[-1] * largest**2 + op.epsilon >= ROW_LIMIT:
        raise TensorError(op.name, "a row's sum of squares can reach 2^62")
    total = n * (x * x).sum(axis=-1) + op.epsilon
    if op.kind == "layer":
        total -= x.sum(axis=-1) ** 2
    return NormalizeStep(total, reciprocal_root(total, op.f))


def take_part(op: Softmax, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return which cells take part, in a shape that broadcasts to (..., Q, K)."""
    if not op.causal:
        return np.ones((1,) * len(shape), dtype=np.bool_)
    queries, keys = shape[-2:]
    mask: npt.NDArray[np.bool_] = np.tri(queries, keys, keys - queries, dtype=np.bool_)
    return mask


def softmax_rows(op: Softmax, x: IntArray, table: IntArray) -> SoftmaxStep:
    """Return maximum, e, sum and iota for x (..., K).

    Raises TensorError if max(x) - x leaves the table.
    """
    mask = np.broadcast_to(take_part(op, x.shape), x.shape)
    lowest = np.iinfo(np.int64).min
    maximum = np.where(mask, x, lowest).max(axis=-1)
    distance = np.where(mask, maximum[..., None] - x, 0)
    if (distance >> op.width).any():
        raise TensorError(op.name, f"max(x) - x reaches 2^{op.width}")
    e = np.where(mask, table[distance], 0)
    total = e.sum(axis=-1)
    return SoftmaxStep(maximum, e, total, (1 << op.g) // total)
