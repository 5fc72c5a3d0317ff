"""The meaning of the language on values worked out by hand, and refusals of bad tensors."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from offchain.errors import TensorError
from offchain.execute.backend import run_graph, trace_graph
from offchain.execute.reference import run, run_traced
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.model.weights import IntArray


def one_op(
    m: int = 1, s: int = 8, table: str = "identity", lo: int = -128, hi: int = 127, width: int = 8
) -> Graph:
    """y = clamp(f((3 x_0 - 2 x_1 + 5) * m / 2^s)) on two 8-bit columns."""
    return Graph(
        (TensorSpec("x", (1, 2), 8, -128, 127),),
        "y",
        (WeightSpec("w", (1, 2), 8), WeightSpec("b", (1,), 32)),
        (
            Linear("a", "x", "w", "b"),
            Requant("y", "a", m, s, (s,), width, table, 8, lo, hi),
        ),
    )


WEIGHTS: dict[str, IntArray] = {
    "w": np.array([[3, -2]], dtype=np.int64),
    "b": np.array([5], dtype=np.int64),
}


def test_run_traced__by_hand__accumulator_quotient_result() -> None:
    execution = run_traced(one_op(m=100), WEIGHTS, np.array([[10, -7]]))
    step = execution.steps["y"]
    assert step.acc.tolist() == [[3 * 10 + 14 + 5]]
    assert step.t.tolist() == [[19]]  # 49 * 100 / 256 = 19.14
    assert execution.output.tolist() == [[19]]


@pytest.mark.parametrize(
    ("acc", "t"),
    [(128, 1), (127, 0), (-128, 0), (-129, -1), (384, 2), (-384, -1), (-385, -2), (0, 0)],
)
def test_run_traced__tie__rounds_half_up(acc: int, t: int) -> None:
    weights = {"w": np.zeros((1, 2), dtype=np.int64), "b": np.array([acc], dtype=np.int64)}
    execution = run_traced(one_op(), weights, np.zeros((1, 2), dtype=np.int64))
    assert execution.steps["y"].t.tolist() == [[t]]


@pytest.mark.parametrize(
    ("table", "lo", "hi", "t", "y"),
    [
        ("identity", -3, 4, 5, 4),
        ("identity", -3, 4, -5, -3),
        ("identity", -3, 4, 4, 4),
        ("relu", 0, 4, -5, 0),
        ("relu", 0, 4, 5, 4),
        ("relu", -3, 4, -5, 0),
        ("relu", 0, 4, 3, 3),
    ],
)
def test_run__outside_the_clamp__saturates(table: str, lo: int, hi: int, t: int, y: int) -> None:
    weights = {"w": np.zeros((1, 2), dtype=np.int64), "b": np.array([t << 8], dtype=np.int64)}
    graph = one_op(table=table, lo=lo, hi=hi)
    assert run(graph, weights, np.zeros((1, 2), dtype=np.int64)).tolist() == [[y]]


def test_run__extreme_operands__exact() -> None:
    weights = {"w": np.full((1, 2), -128), "b": np.array([-(1 << 31)])}
    step = run_traced(one_op(), weights, np.full((1, 2), -128)).steps["y"]
    assert step.acc.tolist() == [[2 * 128 * 128 - (1 << 31)]]


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.zeros((1, 3), dtype=np.int64), "shape"),
        (np.zeros(2, dtype=np.int64), "shape"),
        (np.zeros((1, 2)), "dtype float64"),
        (np.zeros((1, 2), dtype=bool), "dtype bool"),
        (np.array([[0, 128]]), r"element \(0, 1\) is 128, outside \[-128, 127\]"),
        (np.array([[-129, 0]]), "-129"),
        (np.array([[2**64 - 1, 0]], dtype=np.uint64), "18446744073709551615"),
        ([[0, 0]], "list"),
    ],
)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_run_graph__bad_input__refused_by_name(x: IntArray, reason: str, backend: str) -> None:
    with pytest.raises(TensorError, match=f"x: .*{reason}"):
        run_graph(one_op(), WEIGHTS, x, backend)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({"w": WEIGHTS["w"]}, "b: is missing"),
        ({**WEIGHTS, "v": WEIGHTS["b"]}, "v: is not a weight"),
        ({**WEIGHTS, "w": WEIGHTS["w"].T}, "w: has shape"),
        ({**WEIGHTS, "w": np.array([[128, 0]])}, "w: element .* is 128"),
        ({**WEIGHTS, "b": np.array([1 << 31])}, "b: element"),
        ({**WEIGHTS, "b": np.array([0.5])}, "b: has dtype"),
    ],
)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_run_graph__bad_weights__refused_by_name(
    weights: dict[str, IntArray], reason: str, backend: str
) -> None:
    with pytest.raises(TensorError, match=reason):
        run_graph(one_op(), weights, np.zeros((1, 2), dtype=np.int64), backend)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_run_graph__accumulator_of_2_to_47__refused(backend: str) -> None:
    columns = 1 << 17
    graph = Graph(
        (TensorSpec("x", (1, columns), 16, -(1 << 15), (1 << 15) - 1),),
        "y",
        (WeightSpec("w", (1, columns), 16),),
        (Linear("a", "x", "w", None), Requant("y", "a", 1, 8, (8,), 8, "identity", 8, -128, 127)),
    )
    lowest = np.full((1, columns), -(1 << 15))
    with pytest.raises(TensorError, match=r"a: .*2\^47"):
        run_graph(graph, {"w": lowest}, lowest, backend)


def test_run_graph__unknown_backend__refused() -> None:
    with pytest.raises(ValueError, match="abacus"):
        run_graph(one_op(), WEIGHTS, np.zeros((1, 2), dtype=np.int64), "abacus")


def test_trace_graph__numpy_and_torch__same_steps() -> None:
    x = np.array([[-128, 127]])
    graph = dataclasses.replace(one_op(m=37, table="relu"))
    first, second = (trace_graph(graph, WEIGHTS, x, backend) for backend in ("numpy", "torch"))
    for a, b in zip(first.steps.values(), second.steps.values(), strict=True):
        assert (a.acc == b.acc).all()
        assert (a.t == b.t).all()
        assert (a.y == b.y).all()
