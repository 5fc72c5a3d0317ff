"""The trace of an execution: a digest of every operator's result, under one root (TRACE.md 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from offchain.commit.digest import as_matrix, tensor_digest
from offchain.errors import TraceError
from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.weights import IntArray, Weights
from offchain.trace.evidence import ElementClaim, build_evidence
from offchain.trace.plan import Plan, TraceOp
from offchain.trace.tensors import Opened, TiledTensor
from offchain.trace.tree import EMPTY, MerkleTree, layer_leaf, operator_leaf
from offchain.types import Digest

MAGIC: Final = b"zkDPStr1"


class Granularity(StrEnum):
    """What a posted root commits to: layers, which can be expanded later, or every operator."""

    LAYER = "layer"
    OP = "op"


@dataclass(frozen=True)
class Trace:
    """Digests of the graph's input and of every trace operator's result, in the plan's order."""

    plan: Plan
    in_digest: Digest
    digests: tuple[Digest, ...]

    def __post_init__(self) -> None:
        """Raise TraceError for another number of digests than the plan has operators."""
        if len(self.digests) != len(self.plan.ops):
            raise TraceError(f"{len(self.digests)} digests of {len(self.plan.ops)} operators")

    @property
    def out_digest(self) -> Digest:
        """The digest of the result."""
        return self.digests[-1]

    def layer_digest(self, layer: int) -> Digest:
        """Return the digest of a layer's last operator."""
        return self.digests[self.plan.layers[layer][-1]]

    def layer_input(self, layer: int) -> Digest:
        """Return the digest that a layer begins with."""
        return self.in_digest if layer == 0 else self.layer_digest(layer - 1)

    def in_digests(self, op: TraceOp) -> tuple[Digest, ...]:
        """Return the digests of an operator's inputs."""
        return tuple(
            self.in_digest if name == self.plan.input.name else self.digests[self._index(name)]
            for name in op.inputs
        )

    def claim(self, op: int, element: int) -> ElementClaim:
        """Return what this trace says of one element."""
        described = self.plan.ops[op]
        return ElementClaim(
            described.encoded, element, self.in_digests(described), self.digests[op]
        )

    @cached_property
    def layer_trees(self) -> tuple[MerkleTree, ...]:
        """One tree over the operators of each layer, all of the plan's depth."""
        return tuple(
            MerkleTree(
                [operator_leaf(k, self.digests[t]) for k, t in enumerate(layer)],
                self.plan.op_depth,
            )
            for layer in self.plan.layers
        )

    @property
    def op_roots(self) -> tuple[bytes, ...]:
        """The root of each layer."""
        return tuple(tree.root for tree in self.layer_trees)

    def tree(self, granularity: Granularity) -> MerkleTree:
        """Return the tree over the layers."""
        return self._trees[granularity]

    def root(self, granularity: Granularity) -> bytes:
        """Return what is posted on chain."""
        return self.tree(granularity).root

    @cached_property
    def _trees(self) -> dict[Granularity, MerkleTree]:
        roots = {
            Granularity.LAYER: (EMPTY,) * len(self.plan.layers),
            Granularity.OP: self.op_roots,
        }
        return {
            granularity: MerkleTree(
                [
                    layer_leaf(k, self.layer_digest(k), op_root)
                    for k, op_root in enumerate(op_roots)
                ],
                self.plan.layer_depth,
            )
            for granularity, op_roots in roots.items()
        }

    def _index(self, name: str) -> int:
        return self.plan.find(name).index


def record_trace(plan: Plan, graph: Graph, execution: Execution) -> Trace:
    """Return the trace of an execution; raise TensorError for a value outside its width."""
    values, bits = execution.values, graph.values
    digests = [
        tensor_digest(values[name].reshape(as_matrix(values[name].shape)), bits[name].bits, name)
        for name in (plan.input.name, *(op.name for op in plan.ops))
    ]
    return Trace(plan, digests[0], tuple(digests[1:]))


class Tensors:
    """The tensors of one execution and of its model, tiled when they are asked for."""

    def __init__(self, graph: Graph, weights: Weights, execution: Execution) -> None:
        """Hold what `open` may have to open; nothing is hashed yet."""
        self._bits = {
            **{name: value.bits for name, value in graph.values.items()},
            **{spec.name: spec.bits for spec in graph.weights},
        }
        self._arrays: Mapping[str, IntArray] = {**execution.values, **weights}
        self._tiled: dict[str, TiledTensor] = {}

    def get(self, name: str) -> TiledTensor:
        """Return an activation or a weight; raise KeyError for another name."""
        if name not in self._tiled:
            self._tiled[name] = TiledTensor.of(self._arrays[name], self._bits[name], name)
        return self._tiled[name]

    def evidence(self, op: TraceOp, element: int, output: Opened | None = None) -> bytes:
        """Return evidence about an element; errors as for `build_evidence`.

        `output` is the result as it is claimed, where that is not this execution's.
        """
        return build_evidence(
            op.descriptor,
            element,
            [self.get(name) for name in op.inputs],
            [self.get(name) for name in op.weights],
            self.get(op.name) if output is None else output,
        )


def encode_trace(trace: Trace) -> bytes:
    """Return the file that an operator publishes: magic, u32 count, digests from the input on."""
    digests = (trace.in_digest, *trace.digests)
    return MAGIC + len(digests).to_bytes(4, "big") + b"".join(digests)


def decode_trace(plan: Plan, raw: bytes) -> Trace:
    """Return a published trace; raise TraceError for bytes that are no trace of this plan."""
    count = len(plan.ops) + 1
    head = MAGIC + count.to_bytes(4, "big")
    if not raw.startswith(head) or len(raw) != len(head) + 32 * count:
        raise TraceError(f"{len(raw)} bytes are no trace of {len(plan.ops)} operators")
    digests = [raw[k : k + 32] for k in range(len(head), len(raw), 32)]
    return Trace(plan, Digest(digests[0]), tuple(Digest(d) for d in digests[1:]))
