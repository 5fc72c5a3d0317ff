"""Every operator's rules: a graph that keeps them, and refusals that name operator and reason."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import GraphError
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
from tests.random_models import draw_graph, draw_operator
from tests.random_operators import DRAWERS

Shape = tuple[int, ...]


def part(op: Op, inputs: dict[str, Shape], weights: dict[str, Shape]) -> Graph:
    """Return a part of a graph: one operator, and what it takes to read and to end it."""
    specs = tuple(
        TensorSpec(name, shape, *((32, 0, 4) if name == "tokens" else (8, -128, 127)))
        for name, shape in inputs.items()
    )
    declared = tuple(
        WeightSpec(name, shape, 32 if name in ("i", "b") else 8) for name, shape in weights.items()
    )
    ops: tuple[Op, ...] = (op,)
    if isinstance(op, Reshape | Transpose | Slice):
        ops = (op, ReluBits("y", op.name))
    elif not isinstance(op, MaxPool | ReluBits | Gather | Argmax):
        ops = (op, Requant("y", op.name, 1, 8, (8,), 8, "identity", 8, -128, 127))
    return Graph(specs, ops[-1].name, declared, ops)


LEGAL: dict[str, tuple[Op, dict[str, Shape], dict[str, Shape], Shape]] = {
    "linear": (
        Linear("a", "x", "w", "b", 2),
        {"x": (5, 3, 2)},
        {"w": (7, 3, 2), "b": (7,)},
        (5, 7),
    ),
    "conv2d": (
        Conv2d("a", "x", "w", "b", 2, 1, 2),
        {"x": (7, 8, 4)},
        {"w": (6, 3, 3, 2), "b": (6,)},
        (4, 4, 6),
    ),
    "matmul": (
        MatMul("a", "p", "q", "qhd,khd->hqk", 2),
        {"p": (5, 6, 3), "q": (4, 3, 3)},
        {},
        (6, 5, 4),
    ),
    "sum": (Sum("a", (("x", 1), ("w", -32767))), {"x": (5, 3)}, {"w": (3,)}, (5, 3)),
    "product": (Product("a", "x", "w"), {"x": (5, 3)}, {"w": (5, 1)}, (5, 3)),
    "reducesum": (ReduceSum("a", "x", (2, 3, 1)), {"x": (6, 3, 5)}, {}, (3, 5)),
    "rotate": (Rotate("a", "x", "c", "s"), {"x": (3, 2, 8)}, {"c": (3, 8), "s": (3, 8)}, (3, 2, 8)),
    "normalize": (
        Normalize("a", "x", "g", "b", "layer", 1, 29),
        {"x": (5, 3)},
        {"g": (3,), "b": (3,)},
        (5, 3),
    ),
    "softmax": (Softmax("a", "x", "t", 4, 46, causal=True), {"x": (3, 5)}, {"t": (16,)}, (3, 5)),
    "embedding": (
        Embedding("a", "tokens", "t", "p"),
        {"tokens": (3,)},
        {"t": (5, 2), "p": (9, 2)},
        (3, 2),
    ),
    "maxpool": (MaxPool("a", "x", (2, 4)), {"x": (6, 8, 3)}, {}, (3, 2, 3)),
    "relubits": (ReluBits("a", "x"), {"x": (6,)}, {}, (6,)),
    "reshape": (Reshape("a", "x", (3, 4)), {"x": (6, 2)}, {}, (3, 4)),
    "transpose": (Transpose("a", "x", (1, 2, 0)), {"x": (6, 2, 5)}, {}, (2, 5, 6)),
    "slice": (Slice("a", "x", 1, 2, 2), {"x": (6, 5)}, {}, (6, 2)),
    "gather": (Gather("a", "x", "i"), {"x": (6, 5)}, {"i": (2, 2)}, (2, 2)),
    "argmax": (Argmax("a", "x"), {"x": (6,)}, {}, (1,)),
}


@pytest.mark.parametrize("kind", LEGAL)
def test_verify__legal_operator__shape_and_bytes(kind: str) -> None:
    op, inputs, weights, shape = LEGAL[kind]
    graph = part(op, inputs, weights)
    graph.verify()
    assert graph.shapes()["a"] == shape
    assert Graph.from_bytes(graph.to_bytes()) == graph


@pytest.mark.parametrize(
    ("kind", "changes", "named"),
    [
        ("linear", {"axes": 1}, "rank 3, expected 2"),
        ("linear", {"axes": 4}, "axes=4 are not the last axes"),
        ("linear", {"b": None}, "'b' is not used"),
        ("linear", {"w": "x"}, "weight 'x' is not declared"),
        ("linear", {"x": "w"}, "reads the weight 'w'"),
        ("conv2d", {"groups": 1}, "1 groups of 2 do not make 4 channels"),
        ("conv2d", {"groups": 4}, "4 groups of 2"),
        ("conv2d", {"stride": 0}, "stride 0"),
        ("conv2d", {"padding": 3}, "padding 3 is not below"),
        ("conv2d", {"padding": -1}, "padding -1"),
        ("matmul", {"share": 1}, "axis 'h' has 6 in a, 3 in b"),
        ("matmul", {"share": 3}, "share=3 is not a power of two"),
        ("matmul", {"equation": "qhd,khd"}, "is not of the form"),
        ("matmul", {"equation": "qhd,khd->hqkd"}, "more than one batch axis"),
        ("matmul", {"equation": "qhd,khe->hqk"}, "drops or invents"),
        ("matmul", {"equation": "qhd,khd->hqkz"}, "drops or invents"),
        ("matmul", {"equation": "qhd,kse->qhdk"}, "sums nothing"),
        ("matmul", {"equation": "qhd,khd->qk"}, "share=2 without a batch axis"),
        ("matmul", {"equation": "qqd,khd->hqk"}, "stands twice"),
        ("matmul", {"equation": "qh,kqh->qk"}, "does not fit ranks 3 and 3"),
        ("sum", {"terms": ()}, "a sum of nothing"),
        ("sum", {"terms": (("w", 1),)}, "sums no activation"),
        ("sum", {"terms": (("x", 0), ("w", 1))}, "coefficient 0"),
        ("sum", {"terms": (("x", 1 << 15), ("w", 1))}, "coefficient 32768"),
        ("sum", {"terms": (("x", 1), ("lost", 1))}, "'lost'"),
        ("product", {"a": "w"}, "reads the weight 'w'"),
        ("reducesum", {"windows": (2, 3)}, "2 windows for the rank 3"),
        ("reducesum", {"windows": (3, 3, 1)}, "a window of 3"),
        ("reducesum", {"windows": (4, 3, 1)}, "a window of 4"),
        ("reducesum", {"windows": (6, 3, 5)}, "no axis is left"),
        ("rotate", {"cos": "lost"}, "'lost' is not declared"),
        ("normalize", {"kind": "batch"}, "kind 'batch'"),
        ("normalize", {"epsilon": 0}, "epsilon=0"),
        ("normalize", {"f": 30}, "f=30"),
        ("softmax", {"width": 5}, r"'t' has shape \[16\], expected \[32\]"),
        ("softmax", {"width": 17}, "width=17"),
        ("softmax", {"g": 47}, "g=47"),
        ("embedding", {"table": "p"}, "'t' is not used"),
        ("embedding", {"position": "t"}, "'p' is not used"),
        ("embedding", {"tokens": "t"}, "is not an input of tokens"),
        ("maxpool", {"window": (4, 4)}, "windows 4 x 4 do not divide 6 x 8"),
        ("maxpool", {"window": (3, 2)}, "not two powers of two"),
        ("maxpool", {"window": (2, 2, 2)}, "not two powers of two"),
        ("reshape", {"shape": (3, 5)}, r"\[3, 5\] has 15 cells, 'x' 12"),
        ("reshape", {"shape": ()}, "not a shape"),
        ("reshape", {"shape": (12, 1, 1, 1, 1)}, "not a shape"),
        ("transpose", {"order": (0, 1)}, "does not permute"),
        ("transpose", {"order": (0, 1, 1)}, "does not permute"),
        ("slice", {"start": 1}, "power of two that divides start 1"),
        ("slice", {"start": 4}, "4..5 of axis 1"),
        ("slice", {"axis": 2}, "of axis 2"),
        ("slice", {"size": 3, "start": 0}, "size 3"),
        ("gather", {"index": "lost"}, "'lost' is not declared"),
        ("relubits", {"x": "a"}, "no earlier operator"),
    ],
)
def test_verify__broken_operator__refused_by_name(
    kind: str, changes: dict[str, Any], named: str
) -> None:
    op, inputs, weights, _ = LEGAL[kind]
    with pytest.raises(GraphError, match=named) as caught:
        part(dataclasses.replace(op, **changes), inputs, weights).verify()
    assert any(problem.startswith(("a:", "weight ", "input ")) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("kind", "inputs", "weights", "named"),
    [
        ("conv2d", {"x": (2, 8)}, {}, r"expected x \(H, W, C\)"),
        ("conv2d", {"x": (1, 1, 4)}, {"w": (6, 5, 5, 2)}, "larger than 'x'"),
        ("sum", {"x": (5, 2)}, {}, "do not broadcast"),
        ("product", {"x": (1, 3)}, {"w": (5, 1)}, r"no operand has the result's shape \[5, 3\]"),
        ("rotate", {"x": (3, 2, 6)}, {"c": (3, 6), "s": (3, 6)}, "not a power of two"),
        ("rotate", {"x": (8,)}, {"c": (8, 8), "s": (8, 8)}, "rank 1"),
        ("softmax", {"x": (5, 3)}, {}, "as a causal mask needs"),
        ("embedding", {}, {"t": (4, 2)}, "the table has 4 rows"),
        ("embedding", {}, {"p": (2, 2)}, "'p' has shape"),
        ("embedding", {"tokens": (3, 1)}, {}, "rank 2, expected 1"),
        ("argmax", {"x": (6, 1)}, {}, "rank 2, expected 1"),
        ("slice", {"x": (6,)}, {}, "of axis 1"),
    ],
)
def test_verify__operand_of_another_shape__refused_by_name(
    kind: str, inputs: dict[str, Shape], weights: dict[str, Shape], named: str
) -> None:
    op, legal_inputs, legal_weights, _ = LEGAL[kind]
    with pytest.raises(GraphError, match=named):
        part(op, legal_inputs | inputs, legal_weights | weights).verify()


def test_verify__roles__accumulators_tokens_and_results_are_no_activations() -> None:
    graph = Graph(
        (TensorSpec("x", (4,), 8, -8, 7), TensorSpec("tokens", (4,), 32, 0, 1)),
        "a",
        (WeightSpec("s", (4,), 8),),
        (
            Product("p", "x", "x"),
            ReluBits("r", "p"),
            ReluBits("t", "tokens"),
            Argmax("a", "x"),
            ReluBits("u", "a"),
            Argmax("v", "x"),
            Requant("y", "p", 1, 8, (8,), 8, "identity", 8, -128, 127, "s"),
            Requant("z", "p", 1, 8, (8,), 8, "identity", 8, -128, 127),
            Product("q", "x", "x"),
        ),
    )
    with pytest.raises(GraphError) as caught:
        graph.verify()
    assert list(caught.value.problems) == [
        "r: reads the accumulator 'p'; requantize it first",
        "t: reads 'tokens', which is tokens",
        "u: reads 'a', which is the result of an argmax",
        "y: a scale for each channel, but 'p' is no linear or conv2d",
        "p: 2 requants read this accumulator, expected 1",
        "v: an argmax is the output or nothing",
        "q: 0 requants read this accumulator, expected 1",
    ]


def test_verify__16_bit_input_of_relu_bits__refused() -> None:
    graph = Graph((TensorSpec("x", (4,), 16, -8, 7),), "y", (), (ReluBits("y", "x"),))
    with pytest.raises(GraphError, match="'x' has 16 bits, expected 8"):
        graph.verify()


def test_verify__no_input__refused() -> None:
    with pytest.raises(GraphError, match="has no input"):
        Graph((), "y", (), (ReluBits("y", "x"),)).verify()


def test_input__part_with_two__refused() -> None:
    op, inputs, weights, _ = LEGAL["matmul"]
    with pytest.raises(GraphError, match="has 2 inputs; a model has exactly one"):
        _ = part(op, inputs, weights).input


def test_output_spec__argmax_and_relu__ranges_follow() -> None:
    op, inputs, weights, _ = LEGAL["argmax"]
    assert part(op, inputs, weights).output_spec() == TensorSpec("a", (1,), 32, 0, 5)
    op, inputs, weights, _ = LEGAL["relubits"]
    assert part(op, inputs, weights).output_spec() == TensorSpec("a", (6,), 8, 0, 127)


@pytest.mark.parametrize("kind", DRAWERS)
def test_from_bytes__random_operator__returns_it(kind: str) -> None:
    for seed in range(5):
        graph = draw_operator(kind, seed).graph
        assert Graph.from_bytes(graph.to_bytes()) == graph


@given(st.integers(0, 2**32), st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_from_bytes__random_graph_with_a_number_changed__legal_or_refused(
    seed: int, data: st.DataObject
) -> None:
    """Nothing but GraphError: no other exception, and no memory for shapes that do not fit."""
    encoded = draw_graph(seed, 4).graph.to_bytes()
    digits = [k for k, c in enumerate(encoded) if chr(c).isdigit()]
    at = digits[data.draw(st.integers(0, len(digits) - 1))]
    number = str(data.draw(st.sampled_from([0, -1, 3, 77, 1 << 20, 1 << 40, 10**30]))).encode()
    spoilt = encoded[:at] + number + encoded[at + 1 :]
    try:
        assert Graph.from_bytes(spoilt).to_bytes() == spoilt
    except GraphError:
        return
