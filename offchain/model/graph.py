"""The integer graph: a model's architecture as one canonical byte string (runtime.md 1).

A graph lists linear maps and requantizations over named integer matrices. It holds shapes, ranges
and multipliers but no weights, so it is public; its hash binds everybody to the same arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from eth_hash.auto import keccak

from offchain.errors import GraphError
from offchain.model.graph_json import decode_graph, encode_graph
from offchain.model.graph_rules import find_problems
from offchain.model.operators import Linear, Op, Requant, TensorSpec, WeightSpec

__all__ = ["Graph", "Linear", "Op", "Requant", "TensorSpec", "WeightSpec"]


@dataclass(frozen=True)
class Graph:
    """Operators in execution order; an operator's output carries the operator's name."""

    input: TensorSpec
    output: str
    weights: tuple[WeightSpec, ...]
    ops: tuple[Op, ...]

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: ASCII JSON, sorted keys, no spaces, no fractions."""
        return encode_graph(self.input, self.output, self.weights, self.ops)

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Graph:
        """Decode canonical bytes; raise GraphError, with every problem at once, for others."""
        graph = cls(*decode_graph(encoded))
        graph.verify()
        # INVARIANT: one graph has one byte string; repeated keys, spaces and other orders end here.
        if graph.to_bytes() != encoded:
            raise GraphError("integer graph", ["its bytes are not canonical"])
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

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Return (rows, cols) of the input and of every operator's output."""
        rows, cols = self.input.shape
        shapes = {self.input.name: (rows, cols)}
        for op in self.ops:
            cols = self.weight(op.w).shape[0] if isinstance(op, Linear) else shapes[op.x][1]
            shapes[op.name] = (rows, cols)
        return shapes

    def with_rows(self, rows: int) -> Graph:
        """Return the same operators over an input with another number of rows."""
        shape = (rows, self.input.shape[1])
        return replace(self, input=replace(self.input, shape=shape))

    def output_spec(self) -> TensorSpec:
        """Return shape, width and range of the output."""
        for op in self.ops:
            if isinstance(op, Requant) and op.name == self.output:
                return TensorSpec(op.name, self.shapes()[op.name], op.bits, op.lo, op.hi)
        raise KeyError(self.output)

    def verify(self) -> None:
        """Raise GraphError with every rule of the language that this graph breaks."""
        problems = find_problems(self.input, self.output, self.weights, self.ops)
        if problems:
            raise GraphError("integer graph", problems)
