"""What all fillings share: the execution, the tensors so far and the tables' multiplicities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from offchain.model.execution import Execution
from offchain.model.operators import Requant
from offchain.model.weights import Weights
from offchain.prove.compile.layout import Digits, Layout
from offchain.prove.witness.cells import (
    Array,
    Bools,
    count_pads,
    fit_type,
    narrow,
    pad,
    read_view,
)


@dataclass
class Filler:
    """A witness in the making."""

    layout: Layout
    weights: Weights
    execution: Execution
    tensors: dict[int, Array]
    counts: list[Array] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = [np.zeros(1 << t.width, dtype=np.int64) for t in self.layout.tables]

    def put(
        self,
        tensor: int,
        values: Array | Bools,
        lo: int,
        hi: int,
        fill: int,
        table: int | None = None,
    ) -> None:
        """Store real cells of [lo, hi], `fill` in padding cells; count lookups in `table`."""
        cells = pad(values, fit_type(lo, hi), fill)
        self.tensors[tensor] = cells
        if table is not None:
            self.count_all(table, cells)

    def count_all(self, table: int, keys: Array) -> None:
        """Count lookups of flat keys."""
        counts = self.counts[table]
        counts += np.bincount(keys.reshape(-1), minlength=len(counts))

    def count(self, table: int, keys: Array, fill: int, shape: Sequence[int]) -> None:
        """Count lookups of real cells' keys, and of `fill` in every padding cell of a shape."""
        self.count_all(table, keys)
        self.counts[table][fill] += count_pads(shape)

    def put_digits(self, digits: Digits, values: Array) -> None:
        """Store the digits of flat padded integers and count their lookups."""
        shift = 0
        for tensor, width, table in zip(digits.tensors, digits.widths, digits.tables, strict=True):
            mask = (1 << width) - 1
            cells = ((values >> shift) & mask).astype(fit_type(0, mask))
            self.tensors[tensor] = cells
            self.count_all(table, cells)
            shift += width

    def put_number(self, tensor: int, digits: Digits, values: Array) -> None:
        """Store flat padded integers and their digits, which may be one tensor."""
        self.put_digits(digits, values)
        if tensor not in digits.tensors:
            self.tensors[tensor] = narrow(values)

    def multiplier(self, op: Requant) -> Array | int:
        """Return m, or m for every channel."""
        if op.scale is None:
            return op.m
        return op.m * self.weights[op.scale].astype(np.int64)

    def read(self, name: str) -> Array:
        """Return an activation with its padding cells, in its own padded shape."""
        view = self.layout.views[name]
        return read_view(view, self.tensors[view.tensor])
