"""Graphs that are well formed but fit no program are refused with a typed error, and soon."""

from __future__ import annotations

import pytest

from offchain.errors import ProgramError
from offchain.model.graph import Graph, Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.prove.compile import compile_graph

MAX_DIMENSION = 1 << 20


def _graph(layers: int, rows: int = 1, outputs: int = 1, clamps: bool = False) -> Graph:
    """Return `layers` independent operators on one input, with equal or with distinct tables."""
    ops: list[Op] = []
    for k in range(layers):
        lo, hi = (-(k % 128), k // 128) if clamps else (-128, 127)
        ops.append(Linear(f"a{k}", "x", "w", None))
        ops.append(Requant(f"y{k}", f"a{k}", 1, 8, (8,), 8, "identity", 8, lo, hi))
    spec = TensorSpec("x", (rows, 1), 8, -128, 127)
    graph = Graph((spec,), "y0", (WeightSpec("w", (outputs, 1), 8),), tuple(ops))
    graph.verify()
    return graph


@pytest.mark.parametrize(
    ("graph", "what"),
    [
        (_graph(300, clamps=True), "301 tables"),
        (_graph(1, rows=MAX_DIMENSION, outputs=MAX_DIMENSION), "chunks"),
        (_graph(1000), "bytes"),  # by its encoding
        (_graph(20_000), "bytes"),  # by the number of its operators, before compiling them
    ],
    ids=["tables", "chunks", "encoding", "operators"],
)
def test_graph_beyond_the_format__refused(graph: Graph, what: str) -> None:
    with pytest.raises(ProgramError, match=what):
        compile_graph(graph)


def test_graph_with_as_many_tables_as_ids__compiled() -> None:
    program = compile_graph(_graph(254, clamps=True))
    assert max(block.table_id for block in program.blocks) == 255
    assert len(program.to_bytes()) < 1 << 16
