"""The plan of a model: its trace operators, its layers, and a descriptor of every operator.

A plan follows from the graph, the weights and the part keys alone, so everybody can recompute the
root that a version's registrant names on chain (TRACE.md 2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from offchain.commit.digest import as_matrix, encode_tensor, tile_root
from offchain.errors import DescriptorError, PlanError
from offchain.model.graph import Graph
from offchain.model.operators import Accumulator, Op, Requant, TensorSpec
from offchain.model.weights import Weights
from offchain.prove.part_names import list_reads
from offchain.trace.descriptor import (
    LAYER_INPUT,
    MAX_INPUTS,
    MAX_WEIGHTS,
    NO_KEY,
    WEIGHT,
    Descriptor,
    InputSpec,
    MatrixSpec,
    WeightRef,
)
from offchain.trace.descriptor_bytes import encode_descriptor
from offchain.trace.lowering import Names, lower, lower_requant
from offchain.trace.tree import MerkleTree, depth_of, plan_leaf

MAX_LAYER: Final = 8  # operators, unless a single segment is longer
SUBJECT: Final = "plan"


@dataclass(frozen=True)
class PartKeys:
    """Verification keys of one operator and of one row of it; zero where there is none."""

    op_key: bytes = NO_KEY
    row_key: bytes = NO_KEY


@dataclass(frozen=True)
class TraceOp:
    """A trace operator: an activation's operator, with its accumulator where it is a requant."""

    index: int
    layer: int
    position: int
    op: Op
    accumulator: Op | None
    inputs: tuple[str, ...]  # distinct activations in the order in which they are read
    weights: tuple[str, ...]
    descriptor: Descriptor
    encoded: bytes

    @property
    def name(self) -> str:
        """The name of its result."""
        return self.op.name


@dataclass(frozen=True)
class Plan:
    """All trace operators; layer l has `layers[l]` of them."""

    ops: tuple[TraceOp, ...]
    layers: tuple[range, ...]
    input: TensorSpec

    @property
    def plan_depth(self) -> int:
        """Depth of the tree over the descriptors."""
        return depth_of(len(self.ops))

    @property
    def layer_depth(self) -> int:
        """Depth of a trace's tree over its layers."""
        return depth_of(len(self.layers))

    @property
    def op_depth(self) -> int:
        """Depth of every layer's tree over its operators."""
        return depth_of(max(len(layer) for layer in self.layers))

    @cached_property
    def tree(self) -> MerkleTree:
        """The tree over the descriptors."""
        return MerkleTree([plan_leaf(op.index, op.encoded) for op in self.ops])

    @property
    def root(self) -> bytes:
        """What the version's registrant names on chain."""
        return self.tree.root

    def path(self, op: int) -> tuple[bytes, ...]:
        """Return the siblings of an operator's leaf."""
        return self.tree.path(op)

    def find(self, name: str) -> TraceOp:
        """Return the operator that makes a value; raise KeyError for another name."""
        return self.ops[self._places[name]]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {op.name: op.index for op in self.ops}


def weight_roots(graph: Graph, weights: Weights) -> dict[str, bytes]:
    """Return the root over the tiles of every weight's bytes."""
    return {
        spec.name: tile_root(encode_tensor(weights[spec.name], spec.bits, spec.name))
        for spec in graph.weights
    }


def build_plan(
    graph: Graph, roots: Mapping[str, bytes], keys: Mapping[str, PartKeys] | None = None
) -> Plan:
    """Return the plan of a model.

    `roots` are those of `weight_roots`, `keys` name operators by their results. Raises GraphError
    for a part with several inputs, PlanError with every operator that no descriptor can say.
    """
    source = graph.input
    traced = list_trace_ops(graph)
    layers = cut_layers(graph, traced)
    accumulators = {op.name: op for op in graph.ops if isinstance(op, Accumulator)}
    describer = _Describer(graph, roots, keys or {})
    ops, problems = [], []
    for number, layer in enumerate(layers):
        places = {traced[t].name: t - layer.start for t in layer}
        for t in layer:
            op = traced[t]
            accumulator = accumulators[op.x] if isinstance(op, Requant) else None
            try:
                ops.append(describer.describe(t, number, len(layer), places, op, accumulator))
            except DescriptorError as error:
                problems.append(f"{op.name}: {error}")
    if problems:
        raise PlanError(SUBJECT, problems)
    return Plan(tuple(ops), tuple(layers), source)


def list_trace_ops(graph: Graph) -> tuple[Op, ...]:
    """Return the operators of a trace: those that lead to the output, without accumulators."""
    wanted = {graph.output}
    for op in reversed(graph.ops):
        if op.name in wanted:
            wanted |= set(list_reads(op))
    return tuple(op for op in graph.ops if op.name in wanted and not isinstance(op, Accumulator))


def cut_layers(graph: Graph, traced: Sequence[Op]) -> list[range]:
    """Return the layers: runs of trace operators that hand over nothing but their last result."""
    accumulators = {op.name: op for op in graph.ops if isinstance(op, Accumulator)}
    last_read = {graph.output: len(traced)}
    for t, op in enumerate(traced):
        for name in _reads(op, accumulators):
            last_read[name] = max(t, last_read.get(name, 0))
    segments, first = [], 0
    alive = {graph.input.name}
    for t, op in enumerate(traced):
        alive = {name for name in (*alive, op.name) if last_read[name] > t}
        if alive == {op.name}:
            segments.append(range(first, t + 1))
            first = t + 1
    layers: list[range] = []
    for segment in segments:
        if layers and segment.stop - layers[-1].start <= MAX_LAYER:
            layers[-1] = range(layers[-1].start, segment.stop)
        else:
            layers.append(segment)
    return layers


def _reads(op: Op, accumulators: Mapping[str, Op]) -> tuple[str, ...]:
    """Return every activation and weight that a trace operator reads, each once, in order."""
    names = list_reads(op)
    if isinstance(op, Requant):
        names = (
            *list_reads(accumulators[op.x]),
            *(name for name in names if name != op.x),
        )
    return tuple(dict.fromkeys(names))


class _Describer:
    """Writes descriptors of one graph."""

    def __init__(
        self, graph: Graph, roots: Mapping[str, bytes], keys: Mapping[str, PartKeys]
    ) -> None:
        self._graph = graph
        self._roots = roots
        self._keys = keys
        self._accumulators = {op.name: op for op in graph.ops if isinstance(op, Accumulator)}
        self._weights = {spec.name: spec for spec in graph.weights}
        self._shapes = {**graph.shapes(), **{w.name: w.shape for w in graph.weights}}
        self._values = graph.values

    def describe(
        self,
        index: int,
        layer: int,
        layer_ops: int,
        places: Mapping[str, int],
        op: Op,
        accumulator: Op | None,
    ) -> TraceOp:
        reads = _reads(op, self._accumulators)
        weights = tuple(name for name in reads if name in self._weights)
        inputs = tuple(name for name in reads if name not in self._weights)
        if len(inputs) > MAX_INPUTS or len(weights) > MAX_WEIGHTS:
            raise DescriptorError(
                f"reads {len(inputs)} activations and {len(weights)} weights, at most"
                f" {MAX_INPUTS} and {MAX_WEIGHTS} fit a descriptor; split it"
            )
        operands = {
            **{name: k for k, name in enumerate(inputs)},
            **{name: WEIGHT + k for k, name in enumerate(weights)},
        }
        names = Names(self._shapes, operands)
        keys = self._keys.get(op.name, PartKeys())
        descriptor = Descriptor(
            layer=layer,
            position=places[op.name],
            layer_ops=layer_ops,
            out=self._matrix(op.name),
            inputs=tuple(
                InputSpec(places.get(name, LAYER_INPUT), self._matrix(name)) for name in inputs
            ),
            weights=tuple(self._weight(name) for name in weights),
            params=lower(accumulator or op, names),
            rescale=lower_requant(op, names) if isinstance(op, Requant) else None,
            op_key=keys.op_key,
            row_key=keys.row_key,
        )
        encoded = encode_descriptor(descriptor)
        place = descriptor.position
        return TraceOp(index, layer, place, op, accumulator, inputs, weights, descriptor, encoded)

    def _matrix(self, name: str) -> MatrixSpec:
        rows, cols = as_matrix(self._shapes[name])
        return MatrixSpec(self._values[name].bits // 8, rows, cols)

    def _weight(self, name: str) -> WeightRef:
        spec = self._weights[name]
        count = 1
        for size in spec.shape:
            count *= size
        return WeightRef(spec.bits // 8, count, self._roots[name])
