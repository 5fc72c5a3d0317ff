"""What a graph asks of the values of its weights, beyond shape and width (LANGUAGE.md)."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from offchain.errors import TensorError
from offchain.model.graph import Graph
from offchain.model.operators import MAX_TABLE_ENTRY, MULTIPLIERS, Gather, Requant, Softmax
from offchain.model.weights import Weights


def check_values(graph: Graph, weights: Weights) -> None:
    """Raise TensorError, naming operator and weight, for the first value that breaks a rule."""
    for operator, reason in find_value_problems(graph, weights):
        raise TensorError(operator, reason)


def find_value_problems(graph: Graph, weights: Weights) -> Iterator[tuple[str, str]]:
    """Yield operator and reason for every table, scale or index with a value out of bounds."""
    for op in graph.ops:
        if isinstance(op, Requant):
            for reason in _requant_problems(op, weights):
                yield op.name, reason
        elif isinstance(op, Softmax):
            for reason in _softmax_problems(op, weights):
                yield op.name, reason
        elif isinstance(op, Gather):
            least, greatest = _span(weights, op.index)
            cells = prod(graph.shapes()[op.x])
            if not 0 <= least <= greatest < cells:
                yield (
                    op.name,
                    f"{op.index!r} spans [{least}, {greatest}], {op.x!r} has {cells} cells",
                )


def _requant_problems(op: Requant, weights: Weights) -> Iterator[str]:
    if not op.is_built_in:
        least, greatest = _span(weights, op.table)
        if not op.lo <= least <= greatest <= op.hi:
            yield f"table {op.table!r} spans [{least}, {greatest}], outside [{op.lo}, {op.hi}]"
    if op.scale is not None:
        least, greatest = (op.m * value for value in _span(weights, op.scale))
        if not MULTIPLIERS[0] <= least <= greatest <= MULTIPLIERS[-1]:
            yield f"m times {op.scale!r} spans [{least}, {greatest}], outside 1..{MULTIPLIERS[-1]}"


def _softmax_problems(op: Softmax, weights: Weights) -> Iterator[str]:
    least, greatest = _span(weights, op.table)
    if not 0 <= least <= greatest <= MAX_TABLE_ENTRY:
        yield f"table {op.table!r} spans [{least}, {greatest}], outside 0..{MAX_TABLE_ENTRY}"
    if int(weights[op.table][0]) < 1:
        yield f"the first entry of table {op.table!r} is not positive"


def _span(weights: Weights, name: str) -> tuple[int, int]:
    return int(np.min(weights[name])), int(np.max(weights[name]))
