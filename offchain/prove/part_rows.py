"""Some rows of a graph: the same operators on a part of every first axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from offchain.errors import ProgramError
from offchain.model.graph import Graph
from offchain.model.operators import (
    Conv2d,
    Embedding,
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
from offchain.prove.part_names import list_reads


def cut_rows(graph: Graph, rows: range) -> tuple[Graph, Mapping[str, slice]]:
    """Return the graph of these rows of its result, and which names keep only some of theirs.

    Raises ProgramError, naming operators, where a row of the result needs more than rows.
    """
    size = graph.shapes()[graph.output][0]
    if rows.step != 1 or not 0 <= rows.start < rows.stop <= size:
        raise ProgramError(f"{rows} are no rows of {graph.output}, which has {size}")
    walk = _Walk(graph, {graph.output})
    for op in reversed(graph.ops):
        if op.name in walk.cut:
            walk.visit(op)
    walk.finish()
    kept = {name: slice(rows.start, rows.stop) for name in walk.cut}
    count = len(rows)
    inputs = tuple(
        replace(x, shape=(count, *x.shape[1:])) if x.name in kept else x for x in graph.inputs
    )
    weights = tuple(
        replace(w, shape=(count, *w.shape[1:])) if w.name in kept else w for w in graph.weights
    )
    ops = tuple(
        replace(op, shape=(count, *op.shape[1:])) if isinstance(op, Reshape) else op
        for op in graph.ops
    )
    result = Graph(inputs, graph.output, weights, ops)
    result.verify()
    return result, kept


@dataclass
class _Walk:
    """Walks from the result back to what its rows need: rows (`cut`) or everything (`whole`)."""

    graph: Graph
    cut: set[str]
    whole: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def visit(self, op: Op) -> None:
        rule = _RULES.get(type(op))
        rowwise = None if rule is None else rule(self, op)
        if rowwise is None:
            self.problems.append(f"{op.name}: a row of it needs more than rows of what it reads")
            return
        self.cut |= rowwise
        self.whole |= set(list_reads(op)) - rowwise

    def finish(self) -> None:
        made = {op.name for op in self.graph.ops}
        for name in sorted(self.whole & (self.cut | made)):
            self.problems.append(f"{name}: all of it is needed; prove from there on")
        if self.problems:
            raise ProgramError("rows cannot be proven alone: " + "; ".join(self.problems))

    def shape(self, name: str) -> tuple[int, ...]:
        shapes = self.graph.shapes()
        return shapes[name] if name in shapes else self.graph.weight(name).shape

    def broadcast(self, op: Op, names: list[str]) -> set[str]:
        """Return the operands that have the result's first axis."""
        result = self.shape(op.name)
        return {
            n for n in names if len(self.shape(n)) == len(result) and self.shape(n)[0] == result[0]
        }


# Each returns the names that are cut with the operator's result, None if rows do not suffice.


def _linear(walk: _Walk, op: Linear) -> set[str] | None:
    if op.axes < len(walk.shape(op.x)):
        return {op.x}
    return {op.w} | ({op.b} if op.b is not None else set())  # its only axis are the outputs


def _conv2d(walk: _Walk, op: Conv2d) -> set[str] | None:
    kernel = walk.shape(op.w)[1]
    return {op.x} if (kernel, op.stride, op.padding) == (1, 1, 0) else None


def _matmul(_: _Walk, op: MatMul) -> set[str] | None:
    left, right, result = op.equation.replace("->", ",").split(",")
    row = result[0]
    if (row in left[1:] or row in right[1:]) or (op.share > 1 and row in left and row in right):
        return None
    return {name for name, letters in ((op.a, left), (op.b, right)) if row in letters}


def _requant(walk: _Walk, op: Requant) -> set[str] | None:
    flat = op.scale is not None and len(walk.shape(op.x)) == 1
    return {op.x, op.scale} if flat and op.scale is not None else {op.x}


def _softmax(walk: _Walk, op: Softmax) -> set[str] | None:
    rank = len(walk.shape(op.x))
    return {op.x} if rank > (2 if op.causal else 1) else None


def _normalize(walk: _Walk, op: Normalize) -> set[str] | None:
    return {op.x} if len(walk.shape(op.x)) > 1 else None


def _embedding(_: _Walk, op: Embedding) -> set[str] | None:
    return {op.tokens} | ({op.position} if op.position is not None else set())


_RULES: Final[dict[type, Callable[[_Walk, Any], set[str] | None]]] = {
    Linear: _linear,
    Conv2d: _conv2d,
    MatMul: _matmul,
    Sum: lambda walk, op: walk.broadcast(op, [name for name, _ in op.terms]),
    Product: lambda walk, op: walk.broadcast(op, [op.a, op.b]),
    ReduceSum: lambda _, op: {op.x} if op.windows[0] == 1 else None,
    Rotate: lambda _, op: {op.x, op.cos, op.sin},
    Normalize: _normalize,
    Softmax: _softmax,
    Embedding: _embedding,
    Requant: _requant,
    MaxPool: lambda _, op: {op.x} if op.window[0] == 1 else None,
    ReluBits: lambda _, op: {op.x},
    Transpose: lambda _, op: {op.x} if op.order[0] == 0 else None,
    Reshape: lambda walk, op: {op.x} if op.shape[0] == walk.shape(op.x)[0] else None,
    Slice: lambda _, op: {op.x} if op.axis != 0 else None,
}
