"""Graphs that cannot be proven are refused at compilation, with every reason, and soon."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from offchain.errors import ProgramError, TensorError
from offchain.model.graph import Graph, TensorSpec, WeightSpec
from offchain.model.operators import (
    Conv2d,
    Linear,
    Op,
    Product,
    ReduceSum,
    Requant,
    Reshape,
    Softmax,
    Sum,
)
from offchain.prove.compile import Choice, compile_graph
from offchain.prove.program import Opening
from offchain.prove.witness import build_fixed
from tests.unit.prove.graphs import EXAMPLES, Draft


def requant(name: str, acc: str) -> Requant:
    return Requant(name, acc, 1, 8, (8,), 8, "identity", 8, -128, 127)


def test_graph_with_several_reasons__names_every_operator() -> None:
    d = Draft()
    x = d.input(5, 6, 6)
    w = d.weight(9, 3, 3, 2)
    d.add(Reshape, x, (6, 5, 6))
    grouped = d.add(Conv2d, x, w, None, 1, 1, 3)
    y = d.requant(grouped, 1 << 20)
    table = d.fixed(np.ones(256, dtype=np.int64), 16)
    d.add(Softmax, d.input(2, 3), table, 8, 16, True)
    masked = d.requant(f"n{len(d.ops) - 1}", 1 << 16)
    graph = Graph(tuple(d.inputs), y, tuple(d.specs), tuple(d.ops))
    graph.verify()
    with pytest.raises(ProgramError) as raised:
        compile_graph(graph)
    for name, reason in ((d.ops[0].name, "use a Gather"), (y, "powers of two"), (masked, "square")):
        assert name in str(raised.value)
        assert reason in str(raised.value)


def test_function_with_garbage_in_padding__refused_only_where_it_is_summed() -> None:
    """0.5-like tables are fine until an operator reads the padding cells that they fill."""
    table = np.arange(-64, 64, dtype=np.int64).repeat(2) + 3

    def build(summed: bool) -> tuple[Graph, dict[str, np.ndarray]]:  # type: ignore[type-arg]
        d = Draft()
        x = d.input(3, 3)
        name = d.fixed(table, 8)
        y = d.requant(d.add(Sum, ((x, 1),)), 128, table=name, limits=(-64, 70))
        # A product with x, whose padding is 0, has zeros there whatever y has.
        after = d.add(ReduceSum, y, (1, 3)) if summed else d.add(Product, y, x)
        y = d.requant(after, 400 if summed else 4)
        example = d.finish(y)
        return example.graph, example.weights

    graph, weights = build(summed=False)
    build_fixed(compile_graph(graph), weights)
    graph, weights = build(summed=True)
    layout = compile_graph(graph)
    assert list(layout.zero_tables) == ["w0"]
    with pytest.raises(TensorError, match="maps 0 to 3"):
        build_fixed(layout, weights)
    weights["w0"] = table - 3
    build_fixed(layout, weights)


def layers(count: int, rows: int = 1, outputs: int = 1, digits: int = 1) -> Graph:
    """Return `count` independent operators on one input."""
    ops: list[Op] = []
    for k in range(count):
        last = dataclasses.replace(requant(f"y{k}", f"a{k}"), s=8 * digits, digits=(8,) * digits)
        ops += [Linear(f"a{k}", "x", "w", None), last]
    spec = TensorSpec("x", (rows, 1), 8, -128, 127)
    return Graph((spec,), "y0", (WeightSpec("w", (outputs, 1), 8),), tuple(ops))


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (layers(1, rows=1 << 20, outputs=1 << 10), "chunks"),
        (layers(2000, digits=2), "program bytes"),  # by its encoding
        (layers(20_000), "operators"),  # before anything is compiled
    ],
    ids=["chunks", "encoding", "operators"],
)
def test_graph_beyond_the_format__refused(graph: Graph, reason: str) -> None:
    choice = Choice(c=8, stacks=False)
    with pytest.raises(ProgramError, match=reason):
        compile_graph(graph, choice)


def test_public_output_with_garbage_in_padding__refused_when_the_weights_are_known() -> None:
    """Verifiers pad a public output with zeros, so no proof of such a model could be accepted."""
    d = Draft()
    y = d.requant(
        d.add(Sum, ((d.input(3, 3), 1),)),
        128,
        table=d.fixed(np.arange(-64, 64, dtype=np.int64).repeat(2) + 3, 8),
        limits=(-64, 70),
    )
    layout = compile_graph(Graph(tuple(d.inputs), y, tuple(d.specs), tuple(d.ops)))
    with pytest.raises(TensorError):
        build_fixed(layout, d.weights)


def test_committed_output_opened_by_mercury__refused() -> None:
    """Cells beyond the chunk would give one tensor many digests."""
    d = Draft()
    y = d.requant(d.add(Sum, ((d.input(4, 4), 1),)), 128)
    graph = Graph(tuple(d.inputs), y, tuple(d.specs), tuple(d.ops))
    assert compile_graph(graph, committed=(y,)).program.opening == Opening.HYPERKZG
    with pytest.raises(ProgramError, match="HyperKZG"):
        compile_graph(graph, Choice(opening=Opening.MERCURY), committed=(y,))


def test_committed_tokens__refused() -> None:
    graph = EXAMPLES["embedding"]().graph
    with pytest.raises(ProgramError, match="tokens are public"):
        compile_graph(graph, committed=[graph.input.name])


def test_committed_argmax__refused() -> None:
    graph = EXAMPLES["argmax"]().graph
    with pytest.raises(ProgramError, match="an argmax is public"):
        compile_graph(graph, committed=[graph.output])


def test_identity_that_could_wrap__refused() -> None:
    """The type-level bound of proofs-spec.md 16; no graph of the language reaches it by itself."""
    graph = EXAMPLES["scalars"]().graph
    op = graph.ops[1]
    assert isinstance(op, Requant)
    wide = dataclasses.replace(op, s=256, digits=(16,) * 16)
    broken = dataclasses.replace(graph, ops=(graph.ops[0], wide))
    with pytest.raises(ProgramError, match="wrap around the field"):
        compile_graph(broken)
