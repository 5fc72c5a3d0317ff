"""The language on torch (CPU), bit for bit equal to the NumPy meaning (runtime.md 1).

Products run in float64, for which torch calls the machine's fastest kernel. They are exact: every
partial sum of at most 2^20 products of two 16-bit operands is an integer of at most 2^50 < 2^53, so
no order of summation and no fused multiply-add rounds. Everything after is int64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from offchain.errors import MissingDependencyError, TensorError
from offchain.execute.reference import ACCUMULATOR_BITS, check_input
from offchain.model.execution import Execution, RequantStep
from offchain.model.graph import Graph, Linear, Requant
from offchain.model.weights import IntArray, Weights, check_weights

if TYPE_CHECKING:
    from types import ModuleType

    from torch import Tensor


class TorchRuntime:
    """A graph with its weights converted once, for many inputs."""

    def __init__(self, graph: Graph, weights: Weights) -> None:
        """Convert the weights.

        Raises MissingDependencyError without torch, TensorError for bad weights.
        """
        self._torch = load_torch()
        check_weights(graph, weights)
        self._graph = graph
        self._matrices = {
            op.w: self._torch.from_numpy(weights[op.w].astype(np.float64)).T.contiguous()
            for op in graph.ops
            if isinstance(op, Linear)
        }  # (K, J)
        self._biases = {
            op.b: self._torch.from_numpy(weights[op.b].astype(np.int64))
            for op in graph.ops
            if isinstance(op, Linear) and op.b is not None
        }  # (J,)

    def run(self, x: IntArray) -> IntArray:
        """Return the output (rows, cols); raise TensorError for a bad input."""
        return self._execute(x, None)

    def run_traced(self, x: IntArray) -> Execution:
        """Return the output and every step; raise TensorError for a bad input."""
        steps: dict[str, RequantStep] = {}
        return Execution(self._execute(x, steps), steps)

    def _execute(self, x: IntArray, steps: dict[str, RequantStep] | None) -> IntArray:
        graph = self._graph
        check_input(graph, x)
        values = {graph.input.name: self._torch.from_numpy(x.astype(np.int64))}
        for op in graph.ops:
            if isinstance(op, Linear):
                values[op.name] = self._accumulate(op, values[op.x])
            else:
                t, y = self._requantize(op, values[op.x])
                values[op.name] = y
                if steps is not None:
                    steps[op.name] = RequantStep(values[op.x].numpy(), t.numpy(), y.numpy())
        output: IntArray = values[graph.output].numpy()
        return output

    def _accumulate(self, op: Linear, x: Tensor) -> Tensor:
        exact = x.to(self._torch.float64) @ self._matrices[op.w]  # (R, K) @ (K, J) -> (R, J)
        acc: Tensor = exact.to(self._torch.int64)
        if op.b is not None:
            acc = acc + self._biases[op.b]  # (R, J) + (J,) -> (R, J)
        if bool((acc.abs() >= 1 << ACCUMULATOR_BITS).any()):
            raise TensorError(op.name, f"an accumulator reaches 2^{ACCUMULATOR_BITS}")
        return acc

    def _requantize(self, op: Requant, acc: Tensor) -> tuple[Tensor, Tensor]:
        t = (acc * op.m + (1 << (op.s - 1))) >> op.s  # int64 >> is an arithmetic shift in torch
        f = t.clamp(min=0) if op.table == "relu" else t
        return t, f.clamp(op.lo, op.hi)


def load_torch() -> ModuleType:
    """Return torch; raise MissingDependencyError, which says how to get it, where it is absent."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("torch", "operator") from error
    return torch
