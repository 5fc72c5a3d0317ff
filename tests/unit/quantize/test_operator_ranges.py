"""Bounds of the operators: tight where they promise it, and refusals that name every problem."""

from __future__ import annotations

import numpy as np
import pytest

from offchain.errors import UnboundedError
from offchain.model.graph import Graph, TensorSpec, WeightSpec
from offchain.model.operators import (
    Conv2d,
    Gather,
    MatMul,
    Normalize,
    Op,
    Product,
    Requant,
    Rotate,
    Softmax,
)
from offchain.quantize.ranges import Interval, compute_ranges

FULL = (-(1 << 15), (1 << 15) - 1)


def requant(name: str, x: str, m: int = 1, digits: tuple[int, ...] = (16,)) -> Requant:
    return Requant(name, x, m, sum(digits), digits, 16, "identity", 16, *FULL)


def bound(
    x: TensorSpec, ops: list[Op], weights: dict[str, list[object]], of: str = "a"
) -> Interval:
    """Return the interval of one value."""
    held = {name: np.array(values, dtype=np.int64) for name, values in weights.items()}
    specs = tuple(WeightSpec(name, w.shape, 32) for name, w in held.items())
    return compute_ranges(Graph((x,), ops[-1].name, specs, tuple(ops)), held)[of]


def test_compute_ranges__convolution_with_padding__zero_is_in_reach() -> None:
    x = TensorSpec("x", (3, 3, 1), 8, 5, 9)
    weights: dict[str, list[object]] = {"w": [[[[2], [2]], [[2], [-1]]]]}
    inside = bound(x, [Conv2d("a", "x", "w", None, 1, 0), requant("y", "a")], weights)
    assert (inside.lo.tolist(), inside.hi.tolist()) == ([3 * 2 * 5 - 9], [3 * 2 * 9 - 5])
    edge = bound(x, [Conv2d("a", "x", "w", None, 1, 1), requant("y", "a")], weights)
    assert (edge.lo.tolist(), edge.hi.tolist()) == ([-9], [3 * 2 * 9])


def test_compute_ranges__square__is_not_negative() -> None:
    x = TensorSpec("x", (3,), 8, -5, 4)
    a = bound(x, [Product("a", "x", "x"), requant("y", "a")], {})
    assert (a.least, a.greatest) == (0, 25)


def test_compute_ranges__rotation__position_by_position() -> None:
    x = TensorSpec("x", (2, 2), 8, -1, 2)
    weights: dict[str, list[object]] = {"c": [[10, 10], [0, 0]], "s": [[0, 0], [7, 7]]}
    a = bound(x, [Rotate("a", "x", "c", "s"), requant("y", "a")], weights)
    # cos and sin are never 10 and 7 at once; rot(x) = (-x_1, x_0)
    assert (a.lo.tolist(), a.hi.tolist()) == ([-14, -10], [20, 20])


def test_compute_ranges__attention__weights_of_a_row_sum_to_one() -> None:
    x = TensorSpec("x", (64, 64), 8, -100, 100)
    ops: list[Op] = [
        Softmax("e", "x", "t", 8, 20, causal=False),
        requant("p", "e", 1, (8,)),
        MatMul("a", "p", "x", "qk,kd->qd"),
        requant("y", "a"),
    ]
    a = bound(x, ops, {"t": [1000] * 256})
    # The rows of p sum to at most (2^20 + 64 * 2^7) / 2^8, not to 64 times the greatest p.
    assert (a.least, a.greatest) == (-100 * (4096 + 32), 100 * (4096 + 32))


@pytest.mark.parametrize(("kind", "most"), [("layer", 3), ("rms", 1)])
def test_compute_ranges__normalization__cauchy_schwarz(kind: str, most: int) -> None:
    x = TensorSpec("x", (10,), 16, *FULL)
    op = Normalize("a", "x", "g", None, kind, 1, 12)
    a = bound(x, [op, requant("y", "a")], {"g": [1, -2, *[1] * 8]})
    assert a.hi.tolist()[:2] == [most * 4096 + 1, 2 * (most * 4096 + 1)]
    assert a.lo.tolist() == [-v for v in a.hi.tolist()]


def test_compute_ranges__many_problems__all_told_at_once() -> None:
    x = TensorSpec("x", (1 << 17, 2), 16, *FULL)
    graph = Graph(
        (x,),
        "z",
        (
            WeightSpec("t", (16,), 16),
            WeightSpec("g", (2,), 8),
        ),
        (
            Softmax("s", "x", "t", 4, 46, causal=False),
            requant("p", "s", 1000, (8,)),
            Normalize("n", "x", "g", None, "layer", 1, 29),
            requant("q", "n"),
            MatMul("a", "x", "x", "ki,kj->ij"),
            requant("z", "a"),
        ),
    )
    weights = {"t": np.ones(16, dtype=np.int64), "g": np.full(2, 127)}
    with pytest.raises(UnboundedError) as caught:
        compute_ranges(graph, weights)
    starts = [problem.split(" can ")[0] for problem in caught.value.problems]
    assert starts == [
        "s: max(x) - x",
        "p: the quotient",
        "q: the quotient",
        "a: the accumulator",
        "z: the quotient",
    ]


@pytest.mark.parametrize(
    ("columns", "f", "named"),
    [(1 << 16, 8, "n times the sum of squares"), (60_000, 29, r"\(2 r \+ 1\) S")],
)
def test_compute_ranges__normalization_out_of_bounds__refused(
    columns: int, f: int, named: str
) -> None:
    x = TensorSpec("x", (columns,), 16, *FULL)
    op = Normalize("a", "x", "g", None, "layer", 1, f)
    with pytest.raises(UnboundedError, match=f"a: {named}"):
        bound(x, [op, requant("y", "a", 1, (16, 16))], {"g": [1] * columns})


def test_compute_ranges__bad_tables__all_told_at_once() -> None:
    x = TensorSpec("x", (4,), 8, 0, 15)
    ops: list[Op] = [
        Softmax("s", "x", "t", 4, 9, causal=False),
        Requant("p", "s", 1, 8, (8,), 4, "f", 8, -5, 5),
        Gather("y", "p", "i"),
    ]
    with pytest.raises(UnboundedError) as caught:
        bound(x, ops, {"t": [0] * 16, "f": [6] * 16, "i": [4]})
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["s", "p", "y"]
