"""Every operator on values worked out by hand, on every runtime."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import TensorError
from offchain.execute import fast, reference
from offchain.execute.rows import integer_square_root, reciprocal_root
from offchain.execute.torch_runtime import TorchRuntime
from offchain.model.execution import Execution, NormalizeStep, SoftmaxStep
from offchain.model.graph import Graph, TensorSpec, WeightSpec
from offchain.model.operators import (
    Argmax,
    Conv2d,
    Embedding,
    Gather,
    Linear,
    MatMul,
    MaxPool,
    Normalize,
    Op,
    Product,
    ReduceSum,
    ReluBits,
    Requant,
    Reshape,
    Rotate,
    Slice,
    Softmax,
    Sum,
    Transpose,
)

RUNTIMES = ["reference", "fast", "torch"]


def execute(
    runtime: str, ops: list[Op], inputs: dict[str, Any], weights: dict[str, Any]
) -> Execution:
    """Run operators on inputs of 16 bits (tokens: of 32); the last one is the output."""
    arrays = {name: np.array(values, dtype=np.int64) for name, values in inputs.items()}
    held = {name: np.array(values, dtype=np.int64) for name, values in weights.items()}
    specs = tuple(
        TensorSpec(name, x.shape, *((32, 0, 99) if name == "tokens" else (16, -32768, 32767)))
        for name, x in arrays.items()
    )
    declared = tuple(WeightSpec(name, w.shape, 32) for name, w in held.items())
    graph = Graph(specs, ops[-1].name, declared, tuple(ops))
    if runtime == "torch":
        return TorchRuntime(graph, held).run_traced(arrays)
    run = fast.run_traced if runtime == "fast" else reference.run_traced
    return run(graph, held, arrays)


X = [[1, 2, 3], [4, -5, 6]]
IMAGE = [[[1], [2], [3]], [[4], [5], [6]], [[7], [8], [9]]]
PAIRS = [[[1, 10], [2, 20]], [[3, 30], [4, 40]]]

CASES: dict[str, tuple[Op, dict[str, Any], dict[str, Any], Any]] = {
    "linear": (
        Linear("y", "x", "w", "b"),
        {"x": X},
        {"w": [[1, 0, -1], [2, 2, 2]], "b": [10, -1]},
        [[8, 11], [8, 9]],
    ),
    "linear over two axes": (
        Linear("y", "x", "w", None, 2),
        {"x": X},
        {"w": [[[1, 1, 1], [1, 1, 1]], [[1, 0, 0], [0, 0, -1]]]},
        [11, -5],
    ),
    "linear over the last of three axes": (
        Linear("y", "x", "w", None),
        {"x": PAIRS},
        {"w": [[1, 1]]},
        [[[11], [22]], [[33], [44]]],
    ),
    "convolution": (
        Conv2d("y", "x", "w", "b", 1, 0),
        {"x": IMAGE},
        {"w": [[[[1], [2]], [[3], [4]]]], "b": [100]},
        [[[137], [147]], [[167], [177]]],  # 1 + 2*2 + 3*4 + 4*5 = 37
    ),
    "convolution with stride and padding": (
        Conv2d("y", "x", "w", None, 2, 1),
        {"x": IMAGE},
        {"w": [[[[1], [2]], [[3], [4]]]]},
        [[[4], [18]], [[36], [77]]],  # zeros above and left; last: 5 + 2*6 + 3*8 + 4*9
    ),
    "convolution in groups": (
        Conv2d("y", "x", "w", None, 1, 0, 2),
        {"x": PAIRS},
        {"w": [[[[1], [0]], [[0], [1]]], [[[0], [1]], [[1], [0]]]]},
        [[[5, 50]]],  # 1 + 4 of the first channel, 20 + 30 of the second
    ),
    "matrix product": (
        MatMul("y", "a", "b", "ik,kj->ij"),
        {"a": [[1, 2], [3, 4]], "b": [[5, 6], [7, 8]]},
        {},
        [[19, 22], [43, 50]],
    ),
    "batched product, transposed": (
        MatMul("y", "a", "b", "qhd,khd->hqk"),
        {"a": PAIRS, "b": PAIRS},
        {},
        [[[101, 303], [303, 909]], [[404, 808], [808, 1616]]],
    ),
    "shared heads": (
        MatMul("y", "a", "b", "qhd,khd->hqk", 2),
        {"a": PAIRS, "b": [[[1, 0]], [[0, 1]]]},
        {},
        [[[1, 10], [3, 30]], [[2, 20], [4, 40]]],
    ),
    "sum": (
        Sum("y", (("x", 2), ("w", -3), ("x", 1))),
        {"x": X},
        {"w": [1, 10, 100]},
        [[0, -24, -291], [9, -45, -282]],
    ),
    "product, broadcast": (
        Product("y", "x", "w"),
        {"x": X},
        {"w": [1, 10, 100]},
        [[1, 20, 300], [4, -50, 600]],
    ),
    "sums over windows": (
        ReduceSum("y", "x", (1, 2, 1)),
        {"x": [[[1, 2], [3, 4], [5, 6], [7, 8]]]},
        {},
        [[[4, 6], [12, 14]]],
    ),
    "sums over whole axes": (ReduceSum("y", "x", (2, 1)), {"x": X}, {}, [5, -3, 9]),
    "rotation": (
        Rotate("y", "x", "c", "s"),
        {"x": [[1, 2, 3, 4]]},
        {"c": [[1, 10, 100, 1000]], "s": [[5, 6, 7, 8]]},
        [[1 - 15, 20 - 24, 300 + 7, 4000 + 16]],
    ),
    "layer normalization": (
        Normalize("y", "x", "g", "b", "layer", 6, 8),
        {"x": [[1, 2, 3]]},
        {"g": [1, 2, 3], "b": [7, 7, 7]},
        # c = (-3, 0, 3), S = 3 * 14 - 36 + 6 = 12, r = floor(256 / sqrt(12)) = 73
        [[-3 * 73 + 7, 7, 3 * 73 * 3 + 7]],
    ),
    "rms normalization": (
        Normalize("y", "x", "g", None, "rms", 2, 8),
        {"x": [[1, 2, 3]]},
        {"g": [1, 1, -1]},
        [[64, 128, -192]],  # S = 16, r = 64
    ),
    "softmax": (
        Softmax("y", "x", "t", 4, 10, causal=False),
        {"x": [[3, 5, 5], [0, 0, 4]]},
        {"t": [100, 50, 20, 10, 5, *[0] * 11]},
        # e = (20, 100, 100), iota = floor(1024 / 220) = 4; e = (5, 5, 100), iota = 9
        [[80, 400, 400], [45, 45, 900]],
    ),
    "embedding": (
        Embedding("y", "tokens", "t", "p"),
        {"tokens": [2, 0]},
        {"t": [[1, 2], [3, 4], [5, 6]], "p": [[10, 10], [20, 20], [30, 30]]},
        [[15, 16], [21, 22]],
    ),
    "maximum": (
        MaxPool("y", "x", (2, 1)),
        {"x": [[[1, -2], [3, 4]], [[5, -6], [-7, 8]]]},
        {},
        [[[5, -2], [3, 8]]],
    ),
    "relu": (ReluBits("y", "x"), {"x": [-3, 0, 4]}, {}, [0, 0, 4]),
    "reshape": (Reshape("y", "x", (3, 2)), {"x": X}, {}, [[1, 2], [3, 4], [-5, 6]]),
    "transpose": (
        Transpose("y", "x", (2, 0, 1)),
        {"x": PAIRS},
        {},
        [[[1, 2], [3, 4]], [[10, 20], [30, 40]]],
    ),
    "slice": (Slice("y", "x", 0, 2, 2), {"x": [1, 2, 3, 4]}, {}, [3, 4]),
    "slice that drops its axis": (Slice("y", "x", 1, 1, 1), {"x": X}, {}, [2, -5]),
    "gather": (Gather("y", "x", "i"), {"x": X}, {"i": [[5, 0], [4, 4]]}, [[6, 1], [-5, -5]]),
    "argmax, first of equals": (Argmax("y", "x"), {"x": [1, 7, -3, 7]}, {}, [1]),
}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("case", CASES)
def test_run__operator_by_hand__result(case: str, runtime: str) -> None:
    op, inputs, weights, expected = CASES[case]
    assert execute(runtime, [op], inputs, weights).output.tolist() == expected


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_run__causal_softmax__masked_cells_are_0_and_no_maximum(runtime: str) -> None:
    op = Softmax("y", "x", "t", 4, 10, causal=True)
    table = [100, 50, 20, 10, 5, *[0] * 11]
    x = [[1, 5, 9000], [1, 2, 3]]  # query 0 of 2 sees the first 2 of 3 keys
    run = execute(runtime, [op], {"x": x}, {"t": table})
    assert run.output.tolist() == [[45, 900, 0], [20 * 6, 50 * 6, 100 * 6]]
    rows = run.rows["y"]
    assert isinstance(rows, SoftmaxStep)
    assert rows.maximum.tolist() == [5, 3]
    assert rows.e.tolist() == [[5, 100, 0], [20, 50, 100]]
    assert rows.total.tolist() == [105, 170]
    assert rows.iota.tolist() == [9, 6]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_run__normalization__rows_recorded(runtime: str) -> None:
    op, inputs, weights, _ = CASES["layer normalization"]
    rows = execute(runtime, [op], inputs, weights).rows["y"]
    assert isinstance(rows, NormalizeStep)
    assert (rows.total.tolist(), rows.root.tolist()) == ([12], [73])


def requant(**changes: Any) -> Requant:
    """Return y = clamp((2 x m_j + 128) >> 8) after a product with 2."""
    fields = {"m": 1, "s": 8, "digits": (8,), "width": 8, "table": "identity", "bits": 16}
    fields |= {"lo": -32768, "hi": 32767} | changes
    return Requant("y", "a", **fields)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("changes", "weights", "x", "y"),
    [
        ({"scale": "m"}, {"m": [1, 3, 5]}, [128, 128, -128], [1, 3, -5]),
        ({"m": 2, "scale": "m"}, {"m": [1, 3, 5]}, [64, 64, 64], [1, 3, 5]),
        # 32767 * 2 * 2000 / 256 saturates to 16 bits, then the function
        ({"m": 2000, "width": 20}, {}, [32767, -32768, 0], [32767, -32768, 0]),
        ({"m": 2000, "width": 20, "table": "relu", "hi": 99}, {}, [32767, -32768, 0], [99, 0, 0]),
        ({"width": 4, "table": "f"}, {"f": range(100, 116)}, [0, 896, -1024], [108, 115, 100]),
        (
            {"m": 2000, "width": 17, "table": "f"},
            {"f": [3, *[1] * 65534, 2]},
            [32767, -32768, 0],
            [2, 3, 1],
        ),
    ],
)
def test_run__requantization__by_hand(
    changes: dict[str, Any], weights: dict[str, Any], x: list[int], y: list[int], runtime: str
) -> None:
    product = Product("a", "x", "two")
    run = execute(runtime, [product, requant(**changes)], {"x": x}, {"two": [2] * 3, **weights})
    assert run.output.tolist() == y


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("ops", "weights", "reason"),
    [
        ([requant(width=4, table="f")], {"f": [0] * 16}, "y: a quotient leaves its 4 bits"),
        ([requant(width=4, table="f", hi=5)], {"f": [6] * 16}, r"y: table 'f' spans \[6, 6\]"),
        ([requant(m=2, scale="m")], {"m": [1, 1, 20000]}, "y: m times 'm' spans"),
        ([requant(scale="m")], {"m": [1, 0, 1]}, "y: m times 'm' spans"),
        ([Gather("y", "x", "i")], {"i": [3]}, "y: 'i' spans"),
        ([Gather("y", "x", "i")], {"i": [-1]}, "y: 'i' spans"),
        ([Softmax("y", "x", "t", 4, 9, causal=False)], {"t": [1] * 16}, r"y: max.* reaches 2\^4"),
        ([Softmax("y", "x", "t", 4, 9, causal=False)], {"t": [0] * 16}, "y: the first entry"),
        ([Softmax("y", "x", "t", 4, 9, causal=False)], {"t": [1 << 16] * 16}, "outside 0..65535"),
        ([Softmax("y", "x", "t", 4, 9, causal=False)], {"t": [5] * 15 + [-1]}, "outside 0..65535"),
    ],
)
def test_run__value_outside_its_bounds__refused_by_name(
    ops: list[Op], weights: dict[str, Any], reason: str, runtime: str
) -> None:
    product = Product("a", "x", "two")
    with pytest.raises(TensorError, match=reason):
        execute(runtime, [product, *ops], {"x": [9999, 0, 5]}, {"two": [2] * 3, **weights})


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_run__sum_of_squares_of_2_to_62__refused(runtime: str) -> None:
    x = np.full((1, 1 << 17), -(1 << 15))
    op = Normalize("y", "x", "g", None, "layer", 1, 8)
    with pytest.raises(TensorError, match=r"y: .* 2\^62"):
        execute(runtime, [op], {"x": x}, {"g": np.ones(1 << 17)})


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_run__inputs_of_a_part__each_checked_by_name(runtime: str) -> None:
    op = MatMul("y", "a", "b", "ik,kj->ij")
    one = [[1]]
    assert execute(runtime, [op], {"a": one, "b": one}, {}).output.tolist() == [[1]]
    with pytest.raises(TensorError, match="b: element"):
        execute(runtime, [op], {"a": one, "b": [[40000]]}, {})


@given(st.integers(0, (1 << 62) - 1))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_integer_square_root__any__is_the_floor(q: int) -> None:
    assert integer_square_root(np.array([q]))[0] == isqrt(q)


@pytest.mark.parametrize("root", [1, 2, (1 << 26) + 1, (1 << 31) - 1])
def test_integer_square_root__around_squares__is_the_floor(root: int) -> None:
    near = np.array([root * root - 1, root * root, root * root + 1])
    assert integer_square_root(near).tolist() == [root - 1, root, root]


@given(st.integers(1, (1 << 62) - 1), st.integers(1, 29))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_reciprocal_root__any__meets_both_inequalities(total: int, f: int) -> None:
    r = int(reciprocal_root(np.array([total]), f)[0])
    assert r * r * total <= 1 << (2 * f) < (r + 1) ** 2 * total
