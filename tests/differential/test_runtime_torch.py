"""The torch and BLAS runtimes equal the NumPy meaning bit for bit (LANGUAGE.md)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.execute import fast
from offchain.execute.reference import run, run_traced
from offchain.execute.torch_runtime import TorchRuntime
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.model.weights import IntArray
from tests.random_models import RandomModel, draw_graph, draw_model, draw_operator
from tests.random_operators import DRAWERS

ROWS = 7


def assert_runtimes_agree(model: RandomModel) -> None:
    """Every input, accumulator and activation, and every record of a step, is the same."""
    expected = run_traced(model.graph, model.weights, model.x)
    for other in (
        fast.run_traced(model.graph, model.weights, model.x),
        TorchRuntime(model.graph, model.weights).run_traced(model.x),
    ):
        assert_equal(expected.values, other.values)
        assert np.array_equal(expected.output, other.output)
        for name in expected.steps.keys() | other.steps.keys():
            assert_equal(vars(expected.steps[name]), vars(other.steps[name]))
        for name in expected.rows.keys() | other.rows.keys():
            assert_equal(vars(expected.rows[name]), vars(other.rows[name]))


def assert_equal(expected: Mapping[str, IntArray], actual: Mapping[str, IntArray]) -> None:
    assert expected.keys() == actual.keys()
    for name, values in expected.items():
        assert values.dtype == actual[name].dtype == np.int64, name
        assert np.array_equal(values, actual[name]), name


@pytest.mark.parametrize("kind", DRAWERS)
@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_runtimes__random_operator__every_value_equal(kind: str, seed: int) -> None:
    assert_runtimes_agree(draw_operator(kind, seed, max_width=14))


@given(st.integers(0, 2**32), st.integers(3, 12))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_runtimes__random_graph_of_all_operators__every_value_equal(seed: int, size: int) -> None:
    assert_runtimes_agree(draw_graph(seed, size, max_width=14))


@given(
    st.integers(0, 2**32),
    st.integers(1, 5),
    st.lists(st.integers(1, 40), min_size=2, max_size=5),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_runtimes__random_mlp__every_value_equal(seed: int, rows: int, sizes: list[int]) -> None:
    model = draw_model(seed, rows, sizes, max_width=16)
    assert_runtimes_agree(model)


def wide_graph(bits: int, columns: int, m: int, s: int, width: int) -> Graph:
    """Return one wide linear with the largest operands and a requantization."""
    digits = {8: (8,), 16: (8, 8), 32: (16, 16)}[s]
    half, end = 1 << (bits - 1), 1 << (width - 1)
    return Graph(
        (TensorSpec("x", (ROWS, columns), bits, -half, half - 1),),
        "y",
        (WeightSpec("w", (5, columns), bits), WeightSpec("b", (5,), 32)),
        (
            Linear("a", "x", "w", "b"),
            Requant("y", "a", m, s, digits, width, "identity", 16, -end, end - 1),
        ),
    )


def extremes(bits: int, shape: tuple[int, ...], seed: int) -> IntArray:
    """Draw only the two ends of the range."""
    half = 1 << (bits - 1)
    return np.random.default_rng(seed).choice(np.array([-half, half - 1]), shape)


@pytest.mark.parametrize(("bits", "columns"), [(8, 1), (8, 4099), (16, 3), (16, 4099)])
@pytest.mark.parametrize(("m", "s"), [(1, 8), (32767, 16), (32767, 32), (12345, 32)])
def test_torch__ends_of_all_ranges__equal(bits: int, columns: int, m: int, s: int) -> None:
    graph = wide_graph(bits, columns, m, s, 16)
    for seed in range(3):
        weights = {"w": extremes(bits, (5, columns), seed), "b": extremes(32, (5,), seed)}
        x = extremes(bits, (ROWS, columns), seed + 100)
        expected = run(graph, weights, x)
        assert np.array_equal(expected, TorchRuntime(graph, weights).run(x))
        assert np.array_equal(expected, fast.run(graph, weights, x))


def test_torch__all_lowest__product_of_two_minima_is_positive() -> None:
    graph = wide_graph(8, 64, 1, 8, 16)
    weights = {"w": np.full((5, 64), -128), "b": np.zeros(5, dtype=np.int64)}
    output = TorchRuntime(graph, weights).run(np.full((ROWS, 64), -128))
    assert (output == 64 * 128 * 128 >> 8).all()


def test_torch__every_tie_of_a_requantization__rounds_as_numpy() -> None:
    """Accumulators around each multiple of half a step, on both sides of zero."""
    halves = np.arange(-40, 41) * 128
    acc = np.concatenate([halves - 1, halves, halves + 1])
    shape = (len(acc), 1)
    graph = Graph(
        (TensorSpec("x", (1, 1), 8, 0, 0),),
        "y",
        (WeightSpec("w", shape, 8), WeightSpec("b", (len(acc),), 32)),
        (Linear("a", "x", "w", "b"), Requant("y", "a", 1, 8, (8,), 8, "identity", 8, -9, 11)),
    )
    weights = {"w": np.zeros(shape, dtype=np.int64), "b": acc}
    x = np.zeros((1, 1), dtype=np.int64)
    expected = np.clip(np.floor((acc + 128) / 256), -9, 11)
    assert np.array_equal(run(graph, weights, x)[0], expected)
    assert np.array_equal(TorchRuntime(graph, weights).run(x)[0], expected)


@pytest.mark.parametrize("block", [1, 3, 64])
def test_fast__sum_cut_into_blocks__equal(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = wide_graph(16, 100, 1, 8, 16)
    weights = {"w": extremes(16, (5, 100), 1), "b": extremes(32, (5,), 2)}
    x = extremes(16, (ROWS, 100), 3)
    monkeypatch.setattr(fast, "BLOCK", block)
    assert np.array_equal(run(graph, weights, x), fast.run(graph, weights, x))
