"""One walk through a graph for every NumPy runtime: inputs in, kernels applied, values kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import numpy as np

from offchain.errors import TensorError
from offchain.model.execution import Execution, Inputs, RequantStep, RowStep
from offchain.model.graph import Graph
from offchain.model.operators import Accumulator
from offchain.model.values import check_values
from offchain.model.weights import IntArray, Weights, check_tensor, check_weights

# With m < 2^15 this keeps |acc| * m + 2^(s-1) below 2^62, s <= 32: int64 never wraps.
ACCUMULATOR_BITS: Final = 47
ACCUMULATORS: Final = get_args(Accumulator)


@dataclass
class State:
    """Values so far, and the records that go with some of them."""

    weights: Weights
    values: dict[str, IntArray]
    steps: dict[str, RequantStep] = field(default_factory=dict)
    rows: dict[str, RowStep] = field(default_factory=dict)

    def read(self, name: str) -> IntArray:
        """Return an activation, or a weight as int64."""
        if name in self.values:
            return self.values[name]
        return self.weight(name)

    def weight(self, name: str) -> IntArray:
        """Return a weight as int64."""
        return self.weights[name].astype(np.int64, copy=False)


Kernel = Callable[[Any, State], IntArray]  # an operator and what it reads -> its result


def interpret(
    graph: Graph, weights: Weights, inputs: Inputs, kernels: Mapping[type, Kernel]
) -> Execution:
    """Return the output and everything on the way.

    Raises TensorError, naming the tensor, for an input or weight of the wrong type, shape or range,
    for a value outside its table, and for an accumulator of 2^47 or more.
    """
    named = name_inputs(graph, inputs)
    check_weights(graph, weights)
    check_values(graph, weights)
    state = State(weights, {name: x.astype(np.int64) for name, x in named.items()})
    for op in graph.ops:
        result = kernels[type(op)](op, state)
        if isinstance(op, ACCUMULATORS) and is_too_large(result):
            raise TensorError(op.name, f"an accumulator reaches 2^{ACCUMULATOR_BITS}")
        state.values[op.name] = result
    return Execution(state.values[graph.output], state.steps, state.values, state.rows)


def name_inputs(graph: Graph, inputs: Inputs) -> dict[str, IntArray]:
    """Return every input by name; raise TensorError unless each fits its specification."""
    given = dict(inputs) if isinstance(inputs, Mapping) else {graph.input.name: inputs}
    for spec in graph.inputs:
        check_tensor(spec.name, given.get(spec.name), spec.shape, spec.lo, spec.hi)
    unknown = set(given) - {spec.name for spec in graph.inputs}
    if unknown:
        raise TensorError(min(unknown), "is not an input of the graph")
    return given


def is_too_large(acc: IntArray) -> bool:
    """Whether an accumulator reaches 2^47 in magnitude."""
    limit = 1 << ACCUMULATOR_BITS
    return bool(acc.size) and (int(acc.max()) >= limit or int(acc.min()) <= -limit)
