"""Where two traces part: the first operator and the first element that differ (TRACE.md 6)."""

from __future__ import annotations

import numpy as np

from offchain.commit.digest import TILE_BYTES
from offchain.errors import TraceError
from offchain.model.execution import Execution
from offchain.model.weights import IntArray
from offchain.trace.plan import Plan
from offchain.trace.recorder import Trace


def find_operator(mine: Trace, theirs: Trace) -> int | None:
    """Return the first trace operator whose digests differ, None where none does.

    All its inputs are equal, so one side computed this operator wrong. Raises TraceError for
    traces of different plans or inputs: then the inputs have to be settled first.
    """
    if mine.plan.root != theirs.plan.root:
        raise TraceError("the traces have different plans")
    if mine.in_digest != theirs.in_digest:
        raise TraceError("the traces begin with different inputs")
    for index, (a, b) in enumerate(zip(mine.digests, theirs.digests, strict=True)):
        if a != b:
            return index
    return None


def find_layer(mine: Trace, theirs: Trace) -> int | None:
    """Return the first layer whose last digests differ, None where none does."""
    for layer in range(len(mine.plan.layers)):
        if mine.layer_digest(layer) != theirs.layer_digest(layer):
            return layer
    return None


def find_difference(plan: Plan, mine: Execution, theirs: Execution) -> tuple[int, int] | None:
    """Return the first trace operator, and its first element, in which two executions differ."""
    for op in plan.ops:
        element = find_element(mine.values[op.name], theirs.values[op.name])
        if element is not None:
            return op.index, element
    return None


def find_element(mine: IntArray, theirs: IntArray) -> int | None:
    """Return the first element, row-major, in which two results differ, None where none does."""
    if mine.size != theirs.size:
        raise TraceError(f"{mine.size} and {theirs.size} elements")
    differing = np.flatnonzero(mine.reshape(-1) != theirs.reshape(-1))
    return int(differing[0]) if len(differing) else None


def find_element_in_tile(mine: bytes, theirs: bytes, tile: int, element_bytes: int) -> int | None:
    """Return the first element in which two tiles at one place differ, None where none does."""
    for offset in range(0, TILE_BYTES, element_bytes):
        if mine[offset : offset + element_bytes] != theirs[offset : offset + element_bytes]:
            return (tile * TILE_BYTES + offset) // element_bytes
    return None
