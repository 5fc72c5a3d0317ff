"""What an execution leaves behind: the output, and every intermediate value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from offchain.model.graph import Graph
from offchain.model.weights import IntArray, Weights


@dataclass(frozen=True)
class RequantStep:
    """One requantization as executed, all of one shape: accumulator, rounded quotient, result.

    The quotient is the one before it saturates.
    """

    acc: IntArray
    t: IntArray
    y: IntArray


@dataclass(frozen=True)
class NormalizeStep:
    """Rows (...,) of a normalization.

    S with its epsilon, and r with r^2 S <= 2^(2f) < (r+1)^2 S.
    """

    total: IntArray
    root: IntArray


@dataclass(frozen=True)
class SoftmaxStep:
    """Rows (...,) of a softmax, and its cells e (..., K).

    Maximum of the cells that take part, sum of e, iota = floor(2^g / sum).
    """

    maximum: IntArray
    e: IntArray
    total: IntArray
    iota: IntArray


RowStep = NormalizeStep | SoftmaxStep


@dataclass(frozen=True)
class Execution:
    """An output and, by name, how it came about."""

    output: IntArray
    steps: Mapping[str, RequantStep]  # by requantization
    values: Mapping[str, IntArray]  # inputs, accumulators and activations
    rows: Mapping[str, RowStep]  # by normalization or softmax


Inputs = IntArray | Mapping[str, IntArray]  # the only input, or every input by name
Executor = Callable[[Graph, Weights, IntArray], Execution]  # any runtime, with tracing
