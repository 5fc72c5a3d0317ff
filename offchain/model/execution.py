"""What an execution leaves behind: the output, and every intermediate value when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from offchain.model.graph import Graph
from offchain.model.weights import IntArray, Weights


@dataclass(frozen=True)
class RequantStep:
    """One requantization as executed; all (rows, cols): accumulator, rounded quotient, result."""

    acc: IntArray
    t: IntArray
    y: IntArray


@dataclass(frozen=True)
class Execution:
    """An output (rows, cols) and, by name of the requantization, how it came about."""

    output: IntArray
    steps: Mapping[str, RequantStep]


Executor = Callable[[Graph, Weights, IntArray], Execution]  # any runtime, with tracing
