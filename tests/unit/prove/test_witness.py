"""An execution that violates a relation fails before proving, naming operator and element."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from offchain.errors import TensorError, WitnessError
from offchain.model.execution import Execution
from offchain.model.operators import Accumulator, Requant
from offchain.prove.compile import compile_graph
from offchain.prove.witness import build_fixed, build_witness
from offchain.prove.witness.cells import pad, read_view
from tests.unit.prove.graphs import EXAMPLES, Example


def change(example: Example, name: str, cell: int, delta: int) -> Execution:
    """Return the execution with one element changed and nothing that follows from it."""
    values = dict(example.execution.values)
    values[name] = values[name].copy()
    values[name].reshape(-1)[cell] += delta
    return dataclasses.replace(example.execution, values=values)


@pytest.mark.parametrize("example", sorted(EXAMPLES))
def test_any_value_changed__its_operator_is_named(example: str) -> None:
    case = EXAMPLES[example]()
    layout = compile_graph(case.graph)
    for op in case.graph.ops:
        name = op.name
        if type(op).__name__ in ("Reshape", "Transpose", "Slice"):
            continue  # no cells of their own
        size = case.execution.values[name].size
        cell = size - 1
        with pytest.raises(WitnessError) as raised:
            build_witness(layout, case.weights, change(case, name, cell, 1))
        # A changed activation may be seen first where it is read.
        if isinstance(op, Accumulator):
            assert raised.value.operator == name
            assert raised.value.element == cell
            where = np.unravel_index(cell, case.execution.values[name].shape)
            assert str(tuple(int(k) for k in where)) in str(raised.value)


def test_output_changed__requant_and_element_are_named() -> None:
    case = EXAMPLES["linear_batch"]()
    layout = compile_graph(case.graph)
    with pytest.raises(WitnessError) as raised:
        build_witness(layout, case.weights, change(case, case.graph.output, 4, -1))
    assert (raised.value.operator, raised.value.element) == (case.graph.output, 4)
    assert "(1, 1)" in str(raised.value)


def test_quotient_beyond_its_width__named() -> None:
    """A requant whose multiplier is too large, executed all the same."""
    case = EXAMPLES["scalars"]()
    op = case.graph.ops[1]
    assert isinstance(op, Requant)
    graph = dataclasses.replace(
        case.graph, ops=(case.graph.ops[0], dataclasses.replace(op, m=(1 << 15) - 1))
    )
    values = dict(case.execution.values)
    values[case.graph.input.name] = np.array([[127]])
    values[case.graph.ops[0].name] = 127 * case.weights["w0"].astype(np.int64)
    execution = dataclasses.replace(case.execution, values=values)
    with pytest.raises(WitnessError, match="leaves 8 bits"):
        build_witness(compile_graph(graph), case.weights, execution)


def test_missing_weight__refused() -> None:
    case = EXAMPLES["scalars"]()
    with pytest.raises(TensorError, match="missing"):
        build_fixed(compile_graph(case.graph), {})


def test_views__read_back_what_they_name() -> None:
    case = EXAMPLES["views"]()
    layout = compile_graph(case.graph)
    witness = build_witness(layout, case.weights, case.execution)
    for name, view in layout.views.items():
        expected = pad(case.execution.values[name])
        assert (read_view(view, witness[view.tensor]).reshape(-1) == expected).all()
