"""Fixed tensors: weights, what operators derive from them, and tables' columns (LOWERING.md)."""

from __future__ import annotations

from typing import Final

import numpy as np

from offchain.errors import TensorError
from offchain.model.operators import SATURATED_WIDTH, Requant
from offchain.model.weights import Weights, check_weights
from offchain.prove.compile.layout import (
    ClampSource,
    FixedSource,
    IndexSource,
    Layout,
    SaturationSource,
    SineSource,
    WeightSource,
)
from offchain.prove.compile.points import ceil_log2
from offchain.prove.witness.cells import Array, narrow, pad

LIMIT_16: Final = 1 << (SATURATED_WIDTH - 1)


def build_fixed(layout: Layout, weights: Weights) -> dict[int, Array]:
    """Return the fixed tensors by id, padded and flat.

    Raises TensorError for a weight that is missing or does not fit, and for a function table that
    does not map 0 to 0 though an operator reads padding cells which it fills.
    """
    check_weights(layout.graph, weights)
    _check_zero_tables(layout, weights)
    return {k: pad(_derive(source, weights)) for k, source in layout.fixed.items()}


def _check_zero_tables(layout: Layout, weights: Weights) -> None:
    for op in layout.graph.ops:
        if not isinstance(op, Requant) or op.table not in layout.zero_tables:
            continue
        found = int(weights[op.table][1 << (op.key_width - 1)])
        if found:
            reader = layout.zero_tables[op.table]
            raise TensorError(
                op.table, f"maps 0 to {found}, but {reader} reads padding cells that it fills"
            )


def _derive(source: FixedSource, weights: Weights) -> Array:
    """Return a fixed tensor in its own shape."""
    match source:
        case WeightSource():
            return _scaled(source, weights)
        case SineSource():
            half = source.shape[-1] // 2
            sine = weights[source.name].astype(np.int64)
            sine[..., :half] *= -1
            return narrow(sine)
        case IndexSource():
            cells = np.unravel_index(weights[source.name], source.source)
            index = np.zeros(source.shape, dtype=np.int64)
            for size, axis in zip(source.source, cells, strict=True):
                index = (index << ceil_log2(size)) + axis
            return narrow(index)
        case ClampSource():
            half = 1 << (source.width - 1)
            keys = np.arange(-half, half)
            values = np.maximum(keys, 0) if source.function == "relu" else keys
            return narrow(np.clip(values, source.lo, source.hi))
        case SaturationSource():
            return _saturation(source)


def _scaled(source: WeightSource, weights: Weights) -> Array:
    weight = weights[source.name][tuple(slice(0, size) for size in source.shape)]
    if source.scale is None:
        return narrow(weight)
    shape = (-1, *(1,) * (weight.ndim - 1))
    return narrow(weight.astype(np.int64) * weights[source.scale].astype(np.int64).reshape(shape))


def _saturation(source: SaturationSource) -> Array:
    """Return a or b of row hi: (1, 0) where the quotient fits 16 bits, else (0, the limit)."""
    middle = 1 << (source.width - SATURATED_WIDTH - 1)
    rows = np.arange(1 << (source.width - SATURATED_WIDTH + 1))
    if not source.is_offset:
        return narrow((rows == middle).astype(np.int8))
    return narrow(np.where(rows < middle, -LIMIT_16, np.where(rows > middle, LIMIT_16 - 1, 0)))
