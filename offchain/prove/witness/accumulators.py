"""Check that an execution's accumulators are what its operators compute, before they are proven.

Large maps are compared after a projection: sums over outputs with fixed odd-looking weights, modulo
2^64. An error passes it only by accident; a wrong proof would be refused all the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.execute.interpreter import State
from offchain.execute.reference import KERNELS
from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.operators import Accumulator, Conv2d, Linear
from offchain.model.weights import IntArray, Weights
from offchain.prove.witness.cells import require

_STRIDE: Final = np.int64(0x1E3779B97F4A7C15)  # of a multiplicative (Fibonacci) hash


def check_accumulators(graph: Graph, weights: Weights, execution: Execution) -> None:
    """Raise WitnessError, naming operator and element, for the first wrong accumulator."""
    state = State(weights, dict(execution.values))
    for op in graph.ops:
        if not isinstance(op, Accumulator):
            continue
        if isinstance(op, Linear) and _is_linear(op, state):
            continue
        if isinstance(op, Conv2d) and op.groups == 1 and _is_conv2d(op, state):
            continue
        expected = KERNELS[type(op)](op, state)
        require(op.name, execution.values[op.name] == expected, "is not the exact accumulator")


def _project(count: int) -> npt.NDArray[np.int64]:
    weights: npt.NDArray[np.int64] = np.arange(1, count + 1, dtype=np.int64) * _STRIDE
    return weights ^ (weights >> 29)


def _is_linear(op: Linear, state: State) -> bool:
    x, w = state.read(op.x), state.weights[op.w]
    v = _project(len(w))
    mixed = v @ w.reshape(len(w), -1).astype(np.int64, copy=False)
    expected = x.reshape(-1, len(mixed)) @ mixed + _bias(op.b, state, v)
    return bool((state.values[op.name].reshape(-1, len(v)) @ v == expected).all())


def _is_conv2d(op: Conv2d, state: State) -> bool:
    w = state.weights[op.w]
    v = _project(len(w))
    mixed = np.tensordot(v, w.astype(np.int64, copy=False), axes=1)[None]
    one = Conv2d(op.name, op.x, "w", None, op.stride, op.padding)
    expected: IntArray = KERNELS[Conv2d](one, State({"w": mixed}, state.values))
    expected = expected[..., 0] + _bias(op.b, state, v)
    return bool((state.values[op.name] @ v == expected).all())


def _bias(name: str | None, state: State, v: IntArray) -> IntArray:
    if name is None:
        return np.zeros(1, dtype=np.int64)
    projected: IntArray = state.weight(name)[None] @ v
    return projected
