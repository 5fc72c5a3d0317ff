"""The language on torch (CPU), bit for bit equal to the NumPy meaning (LANGUAGE.md).

Products run in float64, for which torch calls the machine's fastest kernel. They are exact: every
partial sum of at most 2^22 products of two 16-bit operands is an integer of at most 2^52 < 2^53, so
no order of summation and no fused multiply-add rounds. Everything after is int64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from offchain.errors import MissingDependencyError, TensorError
from offchain.execute.interpreter import ACCUMULATOR_BITS, ACCUMULATORS, name_inputs
from offchain.model.execution import Execution, Inputs
from offchain.model.graph import Graph
from offchain.model.values import check_values
from offchain.model.weights import IntArray, Weights, check_weights

if TYPE_CHECKING:
    from types import ModuleType

    from offchain.execute.torch_state import TorchState


class TorchRuntime:
    """A graph with its weights converted once, for many inputs."""

    def __init__(self, graph: Graph, weights: Weights) -> None:
        """Convert the weights.

        Raises MissingDependencyError without torch, TensorError for bad weights.
        """
        self._torch = load_torch()
        # Torch's names stand in these modules' annotations and bodies: they need it on import.
        from offchain.execute.torch_kernels import TORCH_KERNELS
        from offchain.execute.torch_state import TorchState, convert_weights

        check_weights(graph, weights)
        check_values(graph, weights)
        self._graph = graph
        self._kernels = TORCH_KERNELS
        self._weights = convert_weights(graph, weights)
        self._make_state = TorchState

    def run(self, x: Inputs) -> IntArray:
        """Return the output; raise TensorError for a bad input."""
        output: IntArray = self._execute(x).values[self._graph.output].numpy()
        return output

    def run_traced(self, x: Inputs) -> Execution:
        """Return the output and everything on the way; raise TensorError for a bad input."""
        state = self._execute(x)
        values = {name: value.numpy() for name, value in state.values.items()}
        return Execution(values[self._graph.output], state.steps, values, state.rows)

    def _execute(self, inputs: Inputs) -> TorchState:
        named = name_inputs(self._graph, inputs)
        state = self._make_state(self._weights, named)
        for op in self._graph.ops:
            result = self._kernels[type(op)](op, state)
            if isinstance(op, ACCUMULATORS) and bool((result.abs() >> ACCUMULATOR_BITS).any()):
                raise TensorError(op.name, f"an accumulator reaches 2^{ACCUMULATOR_BITS}")
            state.values[op.name] = result
        return state


def load_torch() -> ModuleType:
    """Return torch; raise MissingDependencyError, which says how to get it, where it is absent."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("torch", "operator") from error
    return torch
