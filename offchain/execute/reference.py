"""The meaning of the language in plain NumPy (runtime.md 1); every other runtime must equal it.

acc[r, j] = sum_k x[r, k] * w[j, k] + b[j]                  |acc| < 2^47
t = (acc * m + 2^(s-1)) >> s                                round half up, floor shift
y = clamp(f(t), lo, hi)                                     f: identity or relu
"""

from __future__ import annotations

from typing import Final

import numpy as np

from offchain.errors import TensorError
from offchain.model.execution import Execution, RequantStep
from offchain.model.graph import Graph, Linear, Requant
from offchain.model.weights import IntArray, Weights, check_tensor, check_weights

# With m < 2^15 this keeps |acc| * m + 2^(s-1) below 2^62, s <= 32: int64 never wraps.
ACCUMULATOR_BITS: Final = 47


def run(graph: Graph, weights: Weights, x: IntArray) -> IntArray:
    """Return the output (rows, cols) for an input (rows, cols); see `run_traced` for the errors."""
    return run_traced(graph, weights, x).output


def run_traced(graph: Graph, weights: Weights, x: IntArray) -> Execution:
    """Return the output and every step.

    Raises TensorError, naming the tensor, for an input or weight of the wrong type, shape or range,
    and for an accumulator of 2^47 or more.
    """
    check_input(graph, x)
    check_weights(graph, weights)
    values: dict[str, IntArray] = {graph.input.name: x.astype(np.int64)}
    steps: dict[str, RequantStep] = {}
    for op in graph.ops:
        if isinstance(op, Linear):
            values[op.name] = accumulate(op, values[op.x], weights)
        else:
            steps[op.name] = requantize(op, values[op.x])
            values[op.name] = steps[op.name].y
    return Execution(values[graph.output], steps)


def check_input(graph: Graph, x: object) -> None:
    """Raise TensorError unless x is an integer array of the graph's input shape and range."""
    spec = graph.input
    check_tensor(spec.name, x, spec.shape, spec.lo, spec.hi)


def accumulate(op: Linear, x: IntArray, weights: Weights) -> IntArray:
    """Return x w^T + b; raise TensorError if an element reaches 2^47."""
    # No int64 overflow: at most 2^20 products of two 16-bit operands.
    acc = x @ weights[op.w].astype(np.int64).T  # (R, K) @ (K, J) -> (R, J)
    if op.b is not None:
        acc = acc + weights[op.b].astype(np.int64)  # (R, J) + (J,) -> (R, J)
    if (np.abs(acc) >= 1 << ACCUMULATOR_BITS).any():
        raise TensorError(op.name, f"an accumulator reaches 2^{ACCUMULATOR_BITS}")
    return acc


def requantize(op: Requant, acc: IntArray) -> RequantStep:
    """Return quotient and result of a requantization; all (R, J)."""
    t = (acc * op.m + (1 << (op.s - 1))) >> op.s
    f = np.maximum(t, 0) if op.table == "relu" else t
    return RequantStep(acc, t, np.clip(f, op.lo, op.hi))
