"""Tensors of operators whose results are cells of what they read (LOWERING.md)."""

from __future__ import annotations

import numpy as np

from offchain.prove.compile.layout import (
    ArgmaxFill,
    CommittedFill,
    GatherFill,
    MaxPoolFill,
    ReluBitsFill,
)
from offchain.prove.witness.cells import Array, narrow, pad, padded_shape, require
from offchain.prove.witness.filler import Filler


def fill_max_pool(filler: Filler, fill: MaxPoolFill) -> None:
    """Fill y, and for each cell of y the first cell of its window that attains it."""
    op = fill.op
    height, width = op.window
    x = filler.read(op.x)
    rows, cols, channels = padded_shape(fill.shape)
    windows = x.reshape(rows, height, cols, width, channels).transpose(0, 2, 4, 1, 3)
    windows = windows.reshape(rows, cols, channels, height * width)
    y = windows.max(axis=-1)
    given = filler.execution.values[op.name]
    real = tuple(slice(0, size) for size in fill.shape)
    require(op.name, given == y[real], "y is not the maximum of its window")
    counts = np.zeros(windows.shape, dtype=np.int8)
    np.put_along_axis(counts, windows.argmax(axis=-1)[..., None], 1, axis=-1)
    counts = counts.reshape(rows, cols, channels, height, width).transpose(0, 3, 1, 4, 2)
    filler.tensors[fill.counts] = np.ascontiguousarray(counts).reshape(-1)
    filler.tensors[fill.y] = y.reshape(-1)
    filler.count_all(fill.table, y[..., None].astype(np.int64) - windows)


def fill_relu_bits(filler: Filler, fill: ReluBitsFill) -> None:
    """Fill the bits of x (two's complement) and y."""
    x = filler.read(fill.op.x)
    y = np.maximum(x, 0)
    given = filler.execution.values[fill.op.name]
    real = tuple(slice(0, size) for size in fill.shape)
    require(fill.op.name, given == y[real], "y is not max(x, 0)")
    for k, tensor in enumerate(fill.bits):
        filler.tensors[tensor] = ((x >> k) & 1).astype(np.int8).reshape(-1)
    filler.tensors[fill.y] = y.reshape(-1)
    if fill.table is not None:
        filler.count_all(fill.table, y.astype(np.int64) + (1 << (len(fill.bits) - 1)))


def fill_gather(filler: Filler, fill: GatherFill) -> None:
    """Fill y and how often each cell is read; y's padding cells are 0 and read nothing."""
    op = fill.op
    y = filler.execution.values[op.name]
    x = filler.execution.values[op.x]
    index = filler.weights[op.index]
    require(op.name, y == x.reshape(-1)[index], "y is not the cell that its index names")
    filler.tensors[fill.y] = narrow(pad(y))
    counts = np.bincount(index.reshape(-1), minlength=x.size).reshape(fill.source)
    filler.tensors[fill.counts] = narrow(pad(counts))


def fill_argmax(filler: Filler, fill: ArgmaxFill) -> None:
    """Fill the output and count the distances from the maximum."""
    x = filler.execution.values[fill.op.x].astype(np.int64)
    y = filler.execution.values[fill.op.name]
    chosen = int(y[0])
    distance = x[chosen] - x - (np.arange(len(x)) < chosen)
    require(fill.op.name, distance >= 0, "y is not the lowest index of the maximum")
    filler.tensors[fill.y] = narrow(pad(y))
    filler.count_all(fill.table, distance)


def fill_committed(filler: Filler, fill: CommittedFill) -> None:
    """Fill a committed input and count its distances from its range's ends."""
    x: Array = filler.execution.values[fill.name]
    require(fill.name, (x >= fill.lo) & (x <= fill.hi), "an input leaves its range")
    filler.tensors[fill.tensor] = narrow(pad(x))
    filler.count_all(fill.table, x - fill.lo)
    filler.count_all(fill.table, fill.hi - x)
