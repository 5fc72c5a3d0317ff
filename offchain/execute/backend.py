"""One door to every runtime; whichever is chosen, the bits are the same."""

from __future__ import annotations

from enum import StrEnum

from offchain.execute import fast
from offchain.execute.torch_runtime import TorchRuntime
from offchain.model.execution import Execution, Inputs
from offchain.model.graph import Graph
from offchain.model.weights import IntArray, Weights


class Backend(StrEnum):
    """Runtimes: `numpy` needs no extra, `torch` keeps its weights converted for many inputs."""

    NUMPY = "numpy"
    TORCH = "torch"


def run_graph(graph: Graph, weights: Weights, x: Inputs, backend: str) -> IntArray:
    """Return the output for an input, or for every input of a part by name.

    Raises ValueError for an unknown backend, TensorError for a bad input or weight,
    MissingDependencyError without torch.
    """
    if Backend(backend) is Backend.TORCH:
        return TorchRuntime(graph, weights).run(x)
    return fast.run(graph, weights, x)


def trace_graph(graph: Graph, weights: Weights, x: Inputs, backend: str) -> Execution:
    """Return the output and every value, which a proof needs; errors as for `run_graph`."""
    if Backend(backend) is Backend.TORCH:
        return TorchRuntime(graph, weights).run_traced(x)
    return fast.run_traced(graph, weights, x)
