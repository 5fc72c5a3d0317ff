"""False witnesses: everything that follows from a lie is computed again, and only that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from offchain.prove.compile.layout import Digits, OperatorFill, RequantFill
from offchain.prove.reference.field import R
from tests.attacks.cheater import Tensors
from tests.attacks.lookups import recount
from tests.vectors.models import Array
from tests.vectors.sketch import CompiledModel

Fill = TypeVar("Fill", bound=OperatorFill)


def fill_of(model: CompiledModel, kind: type[Fill], name: str | None = None) -> Fill:
    """Return what fills an operator's tensors: of this kind, the named one or the only one."""
    found = [
        f
        for f in model.layout.fills
        if isinstance(f, kind) and name in (None, getattr(getattr(f, "op", f), "name", None))
    ]
    (fill,) = found
    return fill


def last_requant(model: CompiledModel) -> RequantFill:
    """Return the requantization that gives the output."""
    return fill_of(model, RequantFill, model.layout.graph.output)


def padded(values: Array, fill: int = 0) -> list[int]:
    """Return an array padded per axis to powers of two, and flat."""
    widths = [(0, (1 << (size - 1).bit_length()) - size) for size in values.shape]
    cells = np.pad(values.astype(object), widths, constant_values=fill)
    return [int(v) for v in cells.reshape(-1)]


def cell_of(shape: Sequence[int], *place: int) -> int:
    """Return the padded flat index of a cell."""
    index = 0
    for size, k in zip(shape, place, strict=True):
        index = (index << (size - 1).bit_length()) + k
    return index


def cut_digits(tensors: Tensors, digits: Digits, cell: int, value: int) -> None:
    """Write an integer's digits; the highest takes what is left over, also if it is negative."""
    for k, (tensor, width) in enumerate(zip(digits.tensors, digits.widths, strict=True)):
        last = k == len(digits.tensors) - 1
        tensors[tensor][cell] = (value if last else value & ((1 << width) - 1)) % R
        if last and value < 0:
            tensors[tensor][cell] = value
        value >>= width


def read_digits(tensors: Tensors, digits: Digits, cell: int) -> int:
    """Return the integer that digits spell."""
    value, shift = 0, 0
    for tensor, width in zip(digits.tensors, digits.widths, strict=True):
        value += tensors[tensor][cell] << shift
        shift += width
    return value


def key_at(model: CompiledModel, tensors: Tensors, fill: RequantFill, cell: int) -> int:
    """Return the table key of a cell."""
    if fill.q is not None:
        return tensors[fill.q][cell]
    return tensors[fill.y][cell] + (1 << (fill.op.width - 1))


def set_key(model: CompiledModel, tensors: Tensors, fill: RequantFill, cell: int, key: int) -> None:
    """Give a cell another quotient, and the table's value to match."""
    if fill.q is None or fill.table is None:
        tensors[fill.y][cell] = key - (1 << (fill.op.width - 1))
        return
    tensors[fill.q][cell] = key
    tensors[fill.y][cell] = tensors[model.layout.tables[fill.table].columns[0]][key]


def rewrite(
    model: CompiledModel,
    tensors: Tensors,
    acc: Array | Sequence[int],
    name: str | None = None,
    half: bool = True,
) -> None:
    """Requantize another accumulator, an array or padded cells; without `half` round down."""
    fill = fill_of(model, RequantFill, name or model.layout.graph.output)
    op = fill.op
    cells = padded(acc) if isinstance(acc, np.ndarray) else list(acc)
    columns = 1 << (fill.shape[-1] - 1).bit_length()
    scales = [1] * columns
    if op.scale is not None:
        scales = padded(model.weights[op.scale])
    for cell, value in enumerate(cells):
        scaled = value * op.m * scales[cell % columns] + ((1 << (op.s - 1)) if half else 0)
        key = (scaled >> op.s) + (1 << (op.key_width - 1))
        if not 0 <= key < 1 << op.key_width:
            raise ValueError(f"the lie leaves its table in cell {cell}")
        set_key(model, tensors, fill, cell, key)
        cut_digits(tensors, fill.digits, cell, scaled & ((1 << op.s) - 1))


def carry(model: CompiledModel, tensors: Tensors, step: int, name: str | None = None) -> int:
    """Add `step` to a quotient and take it off the remainder's highest digit; return the cell."""
    fill = fill_of(model, RequantFill, name or model.layout.graph.output)
    rows = range(1 << fill.op.key_width)
    cell = next(i for i in real_cells(fill.shape) if key_at(model, tensors, fill, i) + step in rows)
    set_key(model, tensors, fill, cell, key_at(model, tensors, fill, cell) + step)
    tensors[fill.digits.tensors[-1]][cell] -= step << fill.op.digits[-1]
    return cell


def real_cells(shape: Sequence[int]) -> list[int]:
    """Return the flat indices of the cells that are no padding."""
    return [cell_of(shape, *place) for place in np.ndindex(*shape)]


def lie(
    change: Callable[[CompiledModel, Tensors], object],
) -> Callable[[CompiledModel], Tensors]:
    """Return what changes the honest tensors and counts the lookups again."""

    def make(model: CompiledModel) -> Tensors:
        tensors = model.tensors()
        change(model, tensors)
        recount(model.program, tensors)
        return tensors

    return make
