"""Static ranges: nothing leaves them, and what cannot be bounded is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import TensorError, UnboundedError
from offchain.execute.reference import run_traced
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.quantize.ranges import compute_ranges, verify_ranges
from tests.random_models import draw_graph, draw_model, draw_operator
from tests.random_operators import DRAWERS

SIZES = st.lists(st.integers(1, 9), min_size=2, max_size=5)


@given(st.integers(0, 2**32), SIZES)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_compute_ranges__random_inputs_and_corners__never_left(seed: int, sizes: list[int]) -> None:
    rows = 16
    model = draw_model(seed, rows, sizes, max_width=12)
    ranges = compute_ranges(model.graph, model.weights)
    spec = model.graph.input
    corners = np.random.default_rng(seed).choice(np.array([spec.lo, spec.hi]), spec.shape)
    for x in (model.x, corners):
        for op in model.graph.ops:
            if not isinstance(op, Requant):
                continue
            step = run_traced(model.graph, model.weights, x).steps[op.name]
            acc, y = ranges[op.x], ranges[op.name]
            assert (acc.lo <= step.acc).all()
            assert (step.acc <= acc.hi).all()
            assert (y.lo <= step.y).all()
            assert (step.y <= y.hi).all()
            half = 1 << (op.width - 1)
            assert (-half <= step.t).all()
            assert (step.t < half).all()


@pytest.mark.parametrize("kind", [*DRAWERS, None])
@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_compute_ranges__random_operators__no_value_leaves_its_interval(
    kind: str | None, seed: int
) -> None:
    model = draw_graph(seed) if kind is None else draw_operator(kind, seed)
    ranges = compute_ranges(model.graph, model.weights)
    spec = model.graph.input
    corners = np.random.default_rng(seed).choice(np.array([spec.lo, spec.hi]), spec.shape)
    for x in (model.x, corners):
        for name, values in run_traced(model.graph, model.weights, x).values.items():
            assert (ranges[name].lo <= values).all(), name
            assert (values <= ranges[name].hi).all(), name
            row_sum = ranges[name].row_sum
            assert row_sum is None or int(values.sum(axis=-1).max()) <= row_sum


def linear(x: TensorSpec, w_bits: int, columns: int, m: int = 1, s: int = 32) -> Graph:
    digits = {16: (8, 8), 32: (16, 16)}[s]
    return Graph(
        (x,),
        "y",
        (WeightSpec("w", (2, columns), w_bits), WeightSpec("b", (2,), 32)),
        (
            Linear("a", "x", "w", "b"),
            Requant("y", "a", m, s, digits, 16, "identity", 16, -(1 << 15), (1 << 15) - 1),
        ),
    )


def test_compute_ranges__one_sided_input__tighter_than_the_l1_bound() -> None:
    graph = linear(TensorSpec("x", (1, 2), 8, 0, 10), 8, 2)
    weights = {"w": np.array([[3, -5], [1, 1]]), "b": np.array([7, -2])}
    acc = compute_ranges(graph, weights)["a"]
    assert acc.hi.tolist() == [37, 18]  # the L1 bound would be 87 and 22
    assert acc.lo.tolist() == [-43, -2]


def test_verify_ranges__accumulator_of_2_to_47__refused_by_name() -> None:
    columns = 1 << 17
    graph = linear(TensorSpec("x", (1, columns), 16, -(1 << 15), 0), 16, columns)
    weights = {"w": np.full((2, columns), -(1 << 15)), "b": np.zeros(2, dtype=np.int64)}
    with pytest.raises(UnboundedError, match="a: the accumulator can reach 140737488355328"):
        verify_ranges(graph, weights)


def test_verify_ranges__product_of_2_to_62__refused_by_name() -> None:
    """It needs an accumulator beyond 2^47 as well: (2^47 - 1)(2^15 - 1) + 2^31 < 2^62."""
    columns = 1 << 18
    graph = linear(TensorSpec("x", (1, columns), 16, -(1 << 15), 0), 16, columns, m=(1 << 15) - 1)
    weights = {"w": np.full((2, columns), -(1 << 15)), "b": np.zeros(2, dtype=np.int64)}
    with pytest.raises(UnboundedError) as caught:
        verify_ranges(graph, weights)
    assert any(problem.startswith("y: accumulator times m") for problem in caught.value.problems)


@pytest.mark.parametrize("bias", [(1 << 30) - (1 << 14), -(1 << 30) - (1 << 14) - 1])
def test_verify_ranges__quotient_leaves_its_width__refused_by_name(bias: int) -> None:
    graph = linear(TensorSpec("x", (1, 1), 8, 0, 0), 8, 1, m=2, s=16)
    weights = {"w": np.array([[1], [-1]]), "b": np.array([bias, 0])}
    with pytest.raises(UnboundedError, match=r"y: the quotient can span .* outside its 16 bits"):
        verify_ranges(graph, weights)


@pytest.mark.parametrize("bias", [(1 << 30) - (1 << 14) - 1, -(1 << 30) - (1 << 14)])
def test_verify_ranges__quotient_at_the_end_of_its_width__accepted(bias: int) -> None:
    graph = linear(TensorSpec("x", (1, 1), 8, 0, 0), 8, 1, m=2, s=16)
    verify_ranges(graph, {"w": np.array([[1], [1]]), "b": np.array([bias, 0])})


def test_verify_ranges__two_bad_tensors__both_named() -> None:
    graph = Graph(
        (TensorSpec("x", (1, 1), 8, -128, 127),),
        "z",
        (WeightSpec("v", (1, 1), 8), WeightSpec("w", (1, 1), 8)),
        (
            Linear("a", "x", "v", None),
            Requant("y", "a", 30000, 8, (8,), 4, "identity", 16, -20000, 20000),
            Linear("c", "y", "w", None),
            Requant("z", "c", 30000, 8, (8,), 4, "identity", 8, -8, 7),
        ),
    )
    with pytest.raises(UnboundedError) as caught:
        verify_ranges(graph, {"v": np.array([[100]]), "w": np.array([[100]])})
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["y", "z"]


def test_verify_ranges__missing_weight__refused() -> None:
    graph = linear(TensorSpec("x", (1, 1), 8, 0, 1), 8, 1)
    with pytest.raises(TensorError, match="b: is missing"):
        verify_ranges(graph, {"w": np.array([[1], [1]])})
