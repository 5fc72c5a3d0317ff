"""The integer graph: a model's architecture as one canonical byte string (LANGUAGE.md).

A graph lists operators over named integer tensors. It holds shapes, ranges and multipliers but no
weights, so it is public; its hash binds everybody to the same arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from eth_hash.auto import keccak

from offchain.errors import GraphError
from offchain.model.graph_json import decode_graph, encode_graph
from offchain.model.graph_rules import Walk
from offchain.model.operators import Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.model.scope import Value

__all__ = ["Graph", "Linear", "Op", "Requant", "TensorSpec", "WeightSpec"]

SUBJECT = "integer graph"


@dataclass(frozen=True)
class Graph:
    """Operators in execution order; an operator's result carries the operator's name."""

    inputs: tuple[TensorSpec, ...]
    output: str
    weights: tuple[WeightSpec, ...]
    ops: tuple[Op, ...]

    @property
    def input(self) -> TensorSpec:
        """The only input of a whole model; raise GraphError for a part with several."""
        if len(self.inputs) != 1:
            raise GraphError(SUBJECT, [f"has {len(self.inputs)} inputs; a model has exactly one"])
        return self.inputs[0]

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: ASCII JSON, sorted keys, no spaces, no fractions."""
        return encode_graph(self.inputs, self.output, self.weights, self.ops)

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Graph:
        """Decode canonical bytes; raise GraphError, with every problem at once, for others."""
        graph = cls(*decode_graph(encoded))
        graph.verify()
        # INVARIANT: one graph has one byte string; repeated keys, spaces and other orders end here.
        if graph.to_bytes() != encoded:
            raise GraphError(SUBJECT, ["its bytes are not canonical"])
        return graph

    def hash(self) -> bytes:
        """Return keccak256 of the canonical bytes (32 bytes)."""
        return bytes(keccak(self.to_bytes()))

    def weight(self, name: str) -> WeightSpec:
        """Return the weight called `name`; raise KeyError if there is none."""
        for spec in self.weights:
            if spec.name == name:
                return spec
        raise KeyError(name)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every input and of every operator's result.

        Raises GraphError, as `verify` does, for a graph whose shapes cannot all be told.
        """
        if any(value.shape is None for value in self.values.values()):
            self.verify()
        return {name: value.shape for name, value in self.values.items() if value.shape is not None}

    @property
    def values(self) -> dict[str, Value]:
        """Role, shape, stored width and range of every input and result."""
        return self._walk.values

    def with_rows(self, rows: int) -> Graph:
        """Return the same operators over an input with another size of its first axis."""
        source = self.input
        return replace(self, inputs=(replace(source, shape=(rows, *source.shape[1:])),))

    def output_spec(self) -> TensorSpec:
        """Return shape, width and range of the output; raise KeyError if nothing writes it."""
        value = self.values[self.output]
        return TensorSpec(self.output, self.shapes()[self.output], value.bits, value.lo, value.hi)

    def verify(self) -> None:
        """Raise GraphError with every rule of the language that this graph breaks."""
        if self._walk.problems:
            raise GraphError(SUBJECT, self._walk.problems)

    @cached_property
    def _walk(self) -> Walk:
        return Walk(self.inputs, self.output, self.weights, self.ops)
