"""One door to every runtime; whichever is chosen, the bits are the same."""

from __future__ import annotations

from enum import StrEnum

from offchain.execute import reference
from offchain.execute.torch_runtime import TorchRuntime
from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.weights import IntArray, Weights


class Backend(StrEnum):
    """Runtimes: `numpy` needs no extra, `torch` is for models too large for it."""

    NUMPY = "numpy"
    TORCH = "torch"


def run_graph(graph: Graph, weights: Weights, x: IntArray, backend: str) -> IntArray:
    """Return the output (rows, cols) for an input (rows, cols).

    Raises ValueError for an unknown backend, TensorError for a bad input or weight,
    MissingDependencyError without torch.
    """
    if Backend(backend) is Backend.TORCH:
        return TorchRuntime(graph, weights).run(x)
    return reference.run(graph, weights, x)


def trace_graph(graph: Graph, weights: Weights, x: IntArray, backend: str) -> Execution:
    """Return the output and every step, which a proof needs; errors as for `run_graph`."""
    if Backend(backend) is Backend.TORCH:
        return TorchRuntime(graph, weights).run_traced(x)
    return reference.run_traced(graph, weights, x)
