"""Fill every tensor of a program but the late ones, from weights and one execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from offchain.model.execution import Execution
from offchain.model.weights import Weights
from offchain.prove.compile.layout import (
    ArgmaxFill,
    CommittedFill,
    GatherFill,
    Layout,
    MaxPoolFill,
    NormalizeFill,
    ReluBitsFill,
    RequantFill,
    SoftmaxFill,
)
from offchain.prove.witness.accumulators import check_accumulators
from offchain.prove.witness.cells import Array, narrow, pad
from offchain.prove.witness.filler import Filler
from offchain.prove.witness.fixed import build_fixed
from offchain.prove.witness.requant import fill_requant
from offchain.prove.witness.rows import fill_normalize, fill_softmax
from offchain.prove.witness.selections import (
    fill_argmax,
    fill_committed,
    fill_gather,
    fill_max_pool,
    fill_relu_bits,
)

_FILLINGS: Final[dict[type, Callable[[Filler, Any], None]]] = {
    RequantFill: fill_requant,
    NormalizeFill: fill_normalize,
    SoftmaxFill: fill_softmax,
    MaxPoolFill: fill_max_pool,
    ReluBitsFill: fill_relu_bits,
    GatherFill: fill_gather,
    ArgmaxFill: fill_argmax,
    CommittedFill: fill_committed,
}


def build_witness(
    layout: Layout,
    weights: Weights,
    execution: Execution,
    fixed: Mapping[int, Array] | None = None,
) -> dict[int, Array]:
    """Return every tensor but the late ones by id: padded, flat, in small signed types.

    `fixed` is what `build_fixed` returns for these weights, where it is at hand. Raises
    WitnessError, naming operator and element, where the execution violates a relation, and
    TensorError as `build_fixed` does.
    """
    check_accumulators(layout.graph, weights, execution)
    tensors = dict(build_fixed(layout, weights) if fixed is None else fixed)
    filler = Filler(layout, weights, execution, tensors)
    for spec in layout.graph.inputs:
        tensors[layout.views[spec.name].tensor] = narrow(pad(execution.values[spec.name]))
    for fill in layout.fills:
        _FILLINGS[type(fill)](filler, fill)
    for table, counts in zip(layout.tables, filler.counts, strict=True):
        tensors[table.counts] = narrow(counts)
    overlay(layout, tensors)
    return tensors


def overlay(layout: Layout, tensors: dict[int, Array]) -> None:
    """Fill the tensors that are other tensors' cells: whole chunks and stacks.

    Members of stacks become parts of them, so that both take memory once.
    """
    for chunk, tensor in layout.whole_chunks.items():
        cells = np.zeros(1 << layout.program.c, dtype=tensors[tensor].dtype)
        cells[: len(tensors[tensor])] = tensors[tensor]
        tensors[chunk] = cells
    for stack, members in layout.stacks.items():
        tensors[stack] = np.concatenate([tensors[k] for k in members])
        for member, cells in zip(members, np.split(tensors[stack], len(members)), strict=True):
            tensors[member] = cells
