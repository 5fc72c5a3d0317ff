"""Tensors of requantizations: quotient, remainder's digits, result (LOWERING.md)."""

from __future__ import annotations

from typing import Final

import numpy as np

from offchain.model.operators import SATURATED_WIDTH, Requant
from offchain.prove.compile.layout import Digits, RequantFill, Wide
from offchain.prove.witness.cells import Array, require
from offchain.prove.witness.filler import Filler

LIMIT_16: Final = 1 << (SATURATED_WIDTH - 1)


def fill_requant(filler: Filler, fill: RequantFill) -> None:
    """Fill one requantization from its accumulator; y must be what the quotient gives.

    A padding cell's accumulator is 0.
    """
    op = fill.op
    acc = filler.execution.values[op.x]
    scaled = acc.astype(np.int64) * filler.multiplier(op)
    scaled += 1 << (op.s - 1)
    t = scaled >> op.s
    half = 1 << (op.width - 1)
    require(op.name, (t >= -half) & (t < half), f"a quotient leaves {op.width} bits")
    _fill_digits(filler, fill.digits, scaled, op.s)
    if fill.wide is not None:
        t = _saturate(filler, op, fill.wide, t)
    _fill_result(filler, fill, t)


def _fill_digits(filler: Filler, digits: Digits, scaled: Array, s: int) -> None:
    """Cut the low bits of acc m + 2^(s-1), which is 2^(s-1) in padding cells."""
    filling, shift = 1 << (s - 1), 0
    for tensor, width, table in zip(digits.tensors, digits.widths, digits.tables, strict=True):
        mask = (1 << width) - 1
        values = (scaled >> shift) & mask if shift else scaled & mask
        filler.put(tensor, values, 0, mask, filling >> shift & mask, table=table)
        shift += width


def _saturate(filler: Filler, op: Requant, wide: Wide, t: Array) -> Array:
    """Fill hi, lo, a, b and return the saturated quotient."""
    shifted = t + ((1 << (op.width - 1)) + LIMIT_16)
    hi, lo = shifted >> SATURATED_WIDTH, shifted & ((1 << SATURATED_WIDTH) - 1)
    middle = 1 << (op.width - SATURATED_WIDTH - 1)
    fits = hi == middle
    limit = np.where(hi < middle, -LIMIT_16, LIMIT_16 - 1)
    filler.put(wide.lo, lo, 0, (1 << SATURATED_WIDTH) - 1, LIMIT_16, table=wide.lo_table)
    filler.put(wide.hi, hi, 0, 2 * middle, middle, table=wide.table)
    filler.put(wide.a, fits, 0, 1, 1)
    filler.put(wide.b, np.where(fits, 0, limit), -LIMIT_16, LIMIT_16 - 1, 0)
    saturated: Array = np.clip(t, -LIMIT_16, LIMIT_16 - 1)
    return saturated


def _fill_result(filler: Filler, fill: RequantFill, t: Array) -> None:
    op = fill.op
    y = filler.execution.values[op.name]
    half = 1 << (op.key_width - 1)
    if fill.q is None:
        require(op.name, y == t, "y is not the rounded quotient")
        filler.put(fill.y, y, -half, half - 1, 0)
        if fill.table is not None:
            filler.count(fill.table, t + half, half, fill.shape)
        return
    if fill.table is None:
        raise ValueError("a key without its table")
    table = filler.tensors[filler.layout.tables[fill.table].columns[0]]
    key = t + half
    require(op.name, y == table[key], "y is not the table's value")
    filler.put(fill.q, key, 0, 2 * half - 1, half, table=fill.table)
    filler.put(fill.y, y, op.lo, op.hi, int(table[half]))
