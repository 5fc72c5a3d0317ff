"""Fill every tensor of a program from a model's weights and one execution (FORMAT.md 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.errors import WitnessError
from offchain.prove.compile import Layout, RequantTensors, ceil_log2

Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RequantTrace:
    """One requantization as executed: accumulator and result, both (rows, cols)."""

    acc: Array
    y: Array


def build_fixed(layout: Layout, weights: Mapping[str, Array]) -> dict[int, Array]:
    """Return the fixed tensors, padded and flat: weights (names of the graph) and table columns."""
    fixed = {}
    for name, tensor in layout.weights.items():
        fixed[tensor] = pad(weights[name], layout.shapes[tensor], name)
    for index, tensor in layout.table_values.items():
        fixed[tensor] = np.array(layout.tables[index].values(), dtype=np.int64)
    return fixed


def build_witness(
    layout: Layout,
    weights: Mapping[str, Array],
    public_in: Array,
    trace: Mapping[str, RequantTrace],
) -> dict[int, Array]:
    """Return all tensors by id, padded and flat.

    `trace` maps every requantization's name to what was executed. Raises WitnessError, naming
    operator and element, where the trace violates the operator's meaning or leaves a table.
    """
    tensors = build_fixed(layout, weights)
    tensors[0] = pad(public_in, layout.shapes[0], layout.graph.input.name)
    counts = [np.zeros(1 << table.width, dtype=np.int64) for table in layout.tables]
    for r in layout.requants:
        _fill_requant(layout, r, trace[r.op.name], tensors, counts)
    for tensor, count in zip(layout.multiplicities, counts, strict=True):
        tensors[tensor] = count
    return tensors


def pad(values: Array, shape: tuple[int, ...], name: str) -> Array:
    """Zero-pad every axis to a power of two and flatten; raise WitnessError for another shape."""
    if values.shape != shape:
        raise WitnessError(name, 0, f"has shape {values.shape}, expected {shape}")
    widths = [(0, (1 << ceil_log2(size)) - size) for size in shape]
    return np.pad(values.astype(np.int64), widths).reshape(-1)


def _fill_requant(
    layout: Layout,
    r: RequantTensors,
    trace: RequantTrace,
    tensors: dict[int, Array],
    counts: list[Array],
) -> None:
    op, half = r.op, 1 << (r.op.width - 1)
    shape = layout.shapes[r.y]
    acc = pad(trace.acc, shape, op.name)  # a padding cell's accumulator is 0
    y = pad(trace.y, shape, op.name)
    scaled = acc * op.m + (1 << (op.s - 1))
    key = (scaled >> op.s) + half
    remainder = scaled & ((1 << op.s) - 1)
    _require(op.name, (key >= 0) & (key < 2 * half), "the quotient leaves its table")
    if r.q is None:
        _require(op.name, y == key - half, "y is not the rounded quotient")
    else:
        values = np.array(layout.tables[r.table].values(), dtype=np.int64)
        _require(op.name, y == values[key], "y is not the table's value")
        tensors[r.q] = key
    tensors[r.y] = y
    counts[r.table] += np.bincount(key, minlength=2 * half)
    for tensor, table, width in zip(r.digits, r.digit_tables, op.digits, strict=True):
        digit = remainder & ((1 << width) - 1)
        remainder = remainder >> width
        tensors[tensor] = digit
        counts[table] += np.bincount(digit, minlength=1 << width)


def _require(name: str, holds: npt.NDArray[np.bool_], reason: str) -> None:
    if not holds.all():
        raise WitnessError(name, int(np.argmin(holds)), reason)
