"""What is known of an asserter's trace: one's own, but for what was revealed to be otherwise.

Whoever follows the first difference from its own trace knows all that lies to the left of it, and
the siblings on the way are revealed with every step: so it can open every leaf that a pin needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from offchain.commit.digest import tile_leaf
from offchain.errors import TraceError
from offchain.trace.plan import Plan, TraceOp
from offchain.trace.recorder import Granularity, Trace
from offchain.trace.tensors import RevealedTile, TiledTensor
from offchain.trace.tree import EMPTY, join, layer_leaf, operator_leaf

STEP_LEVELS: Final = 5  # of a tree that are revealed in a move


class KnownTree:
    """Own nodes, unless others were told."""

    def __init__(self, own: Sequence[Sequence[bytes]]) -> None:
        """Begin with one's own tree, its levels from the leaves up to the root."""
        self._own = own
        self._told: dict[tuple[int, int], bytes] = {}
        self.depth = len(own) - 1

    @property
    def root(self) -> bytes:
        """Return the root as it is known."""
        return self.node(self.depth, 0)

    def node(self, height: int, index: int) -> bytes:
        """Return a node as it is known."""
        told = self._told.get((height, index))
        return self._own[height][index] if told is None else told

    def tell(self, height: int, first: int, words: Sequence[bytes], root: bytes) -> None:
        """Learn all nodes of a level below one node; raise TraceError unless they lead to it."""
        level, told = list(words), dict[tuple[int, int], bytes]()
        at = first
        while True:
            told |= {(height, at + k): word for k, word in enumerate(level)}
            if len(level) == 1:
                break
            level = [join(a, b) for a, b in zip(level[::2], level[1::2], strict=True)]
            height, at = height + 1, at >> 1
        if level[0] != root:
            raise TraceError("what is said to be revealed does not lead to its node")
        self._told |= told

    def differs(self, height: int, index: int) -> bool:
        """Whether a node is told to be another than one's own."""
        return self.node(height, index) != self._own[height][index]

    def find_difference(self, height: int, index: int, steps: int) -> int | None:
        """Return which descendant `steps` levels below a node differs first, from the left."""
        first = index << steps
        for k in range(1 << steps):
            if self.differs(height - steps, first + k):
                return k
        return None

    def path(self, index: int, height: int = 0, top: int | None = None) -> tuple[bytes, ...]:
        """Return the siblings of a node up to another level, or to the root."""
        levels = range(height, self.depth if top is None else top)
        return tuple(self.node(level, (index >> (level - height)) ^ 1) for level in levels)


class KnownTrace:
    """An asserter's trace as far as it is known."""

    def __init__(self, own: Trace, granularity: Granularity) -> None:
        self.own = own
        self.granularity = granularity
        self.layers = KnownTree(own.tree(granularity).levels)
        self._ops: dict[int, KnownTree] = {}
        self._layer_digests: dict[int, bytes] = {}
        self._op_roots: dict[int, bytes] = {}
        self._op_digests: dict[tuple[int, int], bytes] = {}

    @property
    def plan(self) -> Plan:
        """Return the plan that both traces follow."""
        return self.own.plan

    @property
    def is_op_granular(self) -> bool:
        """Whether the layers' leaves hold the roots over their operators."""
        return self.granularity is Granularity.OP

    # What it says

    def layer_digest(self, layer: int) -> bytes:
        """Return the digest of a layer."""
        return self._layer_digests.get(layer, self.own.layer_digest(layer))

    def op_root(self, layer: int) -> bytes:
        """Return the root over a layer's operators."""
        return self._op_roots.get(layer, self.own.op_roots[layer])

    def leaf_op_root(self, layer: int) -> bytes:
        """Return that root as the layer's leaf holds it: zero where it is told on demand."""
        return self.op_root(layer) if self.is_op_granular else EMPTY

    def op_digest(self, layer: int, position: int) -> bytes:
        """Return the digest of an operator."""
        told = self._op_digests.get((layer, position))
        if told is not None:
            return told
        members = self.plan.layers[layer]
        return self.own.digests[members[position]] if position < len(members) else EMPTY

    def ops(self, layer: int) -> KnownTree:
        """Return the tree over a layer's operators."""
        if layer not in self._ops:
            self._ops[layer] = KnownTree(self.own.layer_trees[layer].levels)
        return self._ops[layer]

    def layer_input(self, layer: int) -> bytes:
        """Return the digest that a layer begins with."""
        return self.own.in_digest if layer == 0 else self.layer_digest(layer - 1)

    def differs_in_layer(self, layer: int) -> bool:
        """Whether a layer's digest is another than one's own."""
        return self.layer_digest(layer) != self.own.layer_digest(layer)

    def find_operator(self, layer: int) -> TraceOp | None:
        """Return the first operator of a layer whose digest is another than one's own."""
        for position, t in enumerate(self.plan.layers[layer]):
            if self.op_digest(layer, position) != self.own.digests[t]:
                return self.plan.ops[t]
        return None

    def find_padding(self, layer: int) -> tuple[int, bytes] | None:
        """Return place and digest of what lies behind a layer's last operator: nothing may."""
        count = len(self.plan.layers[layer])
        found = (
            (position, digest)
            for (at, position), digest in sorted(self._op_digests.items())
            if at == layer and position >= count and digest != EMPTY
        )
        return next(found, None)

    # What is told

    def tell_op_root(self, layer: int, root: bytes) -> None:
        """Learn the root over a layer's operators."""
        self._op_roots[layer] = root

    def tell_layers(
        self,
        height: int,
        position: int,
        node: bytes,
        digests: Sequence[bytes],
        op_roots: Sequence[bytes],
    ) -> None:
        """Learn the leaves of all layers below a node; raise TraceError unless they lead there.

        `op_roots` is empty where the leaves hold none.
        """
        first = position << height
        roots = op_roots or [EMPTY] * len(digests)
        leaves = [
            EMPTY if digest == root == EMPTY else layer_leaf(first + k, digest, root)
            for k, (digest, root) in enumerate(zip(digests, roots, strict=True))
        ]
        self.layers.tell(0, first, leaves, node)
        for k, digest in enumerate(digests):
            if first + k < len(self.plan.layers):
                self._layer_digests[first + k] = digest
                if op_roots:
                    self._op_roots[first + k] = op_roots[k]

    def tell_ops(
        self, layer: int, height: int, position: int, node: bytes, digests: Sequence[bytes]
    ) -> None:
        """Learn all operators below a node of a layer's tree; raise TraceError likewise."""
        first = position << height
        leaves = hash_operators(first, digests)
        self.ops(layer).tell(0, first, leaves, node)
        for k, digest in enumerate(digests):
            self._op_digests[layer, first + k] = digest


def hash_operators(first: int, digests: Sequence[bytes]) -> list[bytes]:
    """Return the leaves of a layer's operators from place `first` on."""
    return [
        EMPTY if digest == EMPTY else operator_leaf(first + k, digest)
        for k, digest in enumerate(digests)
    ]


class KnownOutput:
    """An operator's output as far as it is known: one's own, but for what was revealed."""

    def __init__(self, own: TiledTensor) -> None:
        self.own = own
        self.tree = KnownTree(own.levels)
        self.tile: tuple[int, bytes] | None = None

    def tell_tile(self, index: int, tile: bytes, node: bytes) -> None:
        """Learn a tile; raise TraceError unless it is the node's."""
        if tile_leaf(index, tile) != node:
            raise TraceError("the tile is not the one of its node")
        self.tile = (index, tile)

    def open_tile(self) -> RevealedTile:
        """Return the tile that was revealed, with its siblings; raise TraceError without one."""
        if self.tile is None:
            raise TraceError("no tile was revealed")
        index, tile = self.tile
        return RevealedTile(index, tile, self.tree.path(index))


def compute_steps(height: int) -> int:
    """Return how many levels a move reveals below a node of this height."""
    return min(STEP_LEVELS, height)
