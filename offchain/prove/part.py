"""Parts of a graph: one operator, one row of it, a layer, a shard, proven like a graph of its own.

What a part reads from outside becomes its inputs, each public or committed (form 1 of FORMAT.md 8:
chunks of its own, its declared range proven). Its result is public or committed in the same way, so
the commitment of one part's output is the next part's input.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from offchain.errors import GraphError, ProgramError
from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.operators import Accumulator, Op, Requant, TensorSpec
from offchain.model.weights import IntArray, Weights
from offchain.prove.compile import Choice, Layout, compile_graph
from offchain.prove.compile.graph import PLAIN
from offchain.prove.part_names import list_reads
from offchain.prove.part_rows import cut_rows


@dataclass(frozen=True)
class Part:
    """A part as a graph; `rows` tells which values and weights keep only some of their rows."""

    graph: Graph
    layout: Layout
    rows: Mapping[str, slice] = field(default_factory=dict)

    def select_weights(self, weights: Weights) -> dict[str, IntArray]:
        """Return the part's weights out of the model's."""
        return {w.name: self._select(w.name, weights[w.name]) for w in self.graph.weights}

    def select_execution(self, execution: Execution) -> Execution:
        """Return the part's execution out of the model's."""
        names = [x.name for x in self.graph.inputs] + [op.name for op in self.graph.ops]
        values = {name: self._select(name, execution.values[name]) for name in names}
        return Execution(values[self.graph.output], {}, values, {})

    def _select(self, name: str, values: IntArray) -> IntArray:
        return values[self.rows[name]] if name in self.rows else values


def compile_part(
    graph: Graph,
    first: int,
    last: int,
    *,
    output: str | None = None,
    rows: range | None = None,
    committed: Collection[str] = (),
    choice: Choice = PLAIN,
) -> Part:
    """Compile operators `first` to `last` (positions, inclusive) of a graph.

    `output` names the result to prove where others read several; what does not lead to it is left
    out. `rows` keeps only these rows (positions on its first axis) of the result, where every
    operator works row by row. `committed` names boundary activations that are not public. Raises
    ProgramError with every reason why the part cannot be proven.
    """
    part = _cut(graph, first, last, output)
    kept: Mapping[str, slice] = {}
    if rows is not None:
        part, kept = cut_rows(part, rows)
    return Part(part, compile_graph(part, choice, committed), kept)


def compile_operator(
    graph: Graph,
    name: str,
    *,
    row: int | None = None,
    committed: Collection[str] = (),
    choice: Choice = PLAIN,
) -> Part:
    """Compile one operator, an accumulator with its requant, or one row of it."""
    places = {op.name: k for k, op in enumerate(graph.ops)}
    if name not in places:
        raise ProgramError(f"the graph has no operator {name}")
    first = last = places[name]
    if isinstance(graph.ops[first], Accumulator):
        last = next(k for k, op in enumerate(graph.ops) if isinstance(op, Requant) and op.x == name)
    elif isinstance(op := graph.ops[last], Requant):
        first = places[op.x]
    rows = None if row is None else range(row, row + 1)
    return compile_part(
        graph,
        first,
        last,
        output=graph.ops[last].name,
        rows=rows,
        committed=committed,
        choice=choice,
    )


def _cut(graph: Graph, first: int, last: int, output: str | None) -> Graph:
    """Return the operators that lead to the part's result, with what they read as inputs."""
    if not 0 <= first <= last < len(graph.ops):
        raise ProgramError(f"no operators {first} to {last}: the graph has {len(graph.ops)}")
    inside = graph.ops[first : last + 1]
    result = _find_output(graph, inside, output)
    ops: list[Op] = []
    wanted = {result}
    for op in reversed(inside):
        if op.name in wanted:
            ops.insert(0, op)
            wanted |= set(list_reads(op))
    made = {op.name for op in ops}
    weights = tuple(w for w in graph.weights if w.name in wanted)
    # In the order of first read: that of an operator's descriptor (TRACE.md 3).
    read = dict.fromkeys(n for op in ops for n in list_reads(op))
    names = [n for n in read if n in graph.values and n not in made]
    accumulators = {op.name for op in graph.ops if isinstance(op, Accumulator)}
    if crossing := [n for n in names if n in accumulators]:
        raise ProgramError(
            "a part begins before the accumulators that it requantizes: " + ", ".join(crossing)
        )
    part = Graph(tuple(_describe(graph, n) for n in names), result, weights, tuple(ops))
    try:
        part.verify()
    except GraphError as error:
        raise ProgramError(f"the part is no graph of its own: {error}") from error
    return part


def _find_output(graph: Graph, inside: tuple[Op, ...], output: str | None) -> str:
    """Return the result that is read outside of the part."""
    made = [op.name for op in inside]
    if output is not None:
        if output not in made:
            raise ProgramError(f"{output} is no result of this part")
        return output
    outside = {name for op in graph.ops if op not in inside for name in list_reads(op)}
    read = [name for name in made if name in outside or name == graph.output]
    if len(read) != 1:
        raise ProgramError(
            f"{len(read)} results of this part are read outside of it"
            f" ({', '.join(read) or 'none'}); name the one to prove"
        )
    return read[0]


def _describe(graph: Graph, name: str) -> TensorSpec:
    """Return an activation as an input."""
    for spec in graph.inputs:
        if spec.name == name:
            return spec
    value = graph.values[name]
    return TensorSpec(name, graph.shapes()[name], value.bits, value.lo, value.hi)
