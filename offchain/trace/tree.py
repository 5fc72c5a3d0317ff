"""Merkle trees of a fixed depth: paths, subtrees, and proofs of whole ranges (TRACE.md 1).

node = keccak256(0x01 || left || right); missing leaves are zero words, so a tree of depth d has 2^d
places and every path d siblings. The contract's side is contracts/libraries/TraceTree.sol.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_hash.auto import keccak

from offchain.errors import TraceError

NODE: Final = b"\x01"
LAYER_LEAF: Final = b"\x10"
OPERATOR_LEAF: Final = b"\x11"
PLAN_LEAF: Final = b"\x13"
EMPTY: Final = bytes(32)
MAX_DEPTH: Final = 32


def join(left: bytes, right: bytes) -> bytes:
    """Return the node above two nodes."""
    return bytes(keccak(NODE + left + right))


def layer_leaf(layer: int, digest: bytes, op_root: bytes = EMPTY) -> bytes:
    """Return a layer's leaf; without `op_root` the trace has the granularity of layers."""
    return bytes(keccak(LAYER_LEAF + layer.to_bytes(8, "big") + digest + op_root))


def operator_leaf(position: int, digest: bytes) -> bytes:
    """Return the leaf of the operator at a position of its layer."""
    return bytes(keccak(OPERATOR_LEAF + position.to_bytes(8, "big") + digest))


def plan_leaf(op: int, descriptor: bytes) -> bytes:
    """Return the plan's leaf of trace operator `op`."""
    return bytes(keccak(PLAN_LEAF + op.to_bytes(8, "big") + keccak(descriptor)))


def depth_of(count: int) -> int:
    """Return ceil(log2(count)): the least depth of a tree with so many leaves."""
    if count < 1:
        raise TraceError(f"a tree of {count} leaves")
    return (count - 1).bit_length()


class MerkleTree:
    """All nodes of a tree; `levels[0]` are the 2^depth leaves, `levels[depth]` is the root."""

    def __init__(self, leaves: Sequence[bytes], depth: int | None = None) -> None:
        """Hash the leaves (32 bytes each); raise TraceError if they do not fit the depth."""
        least = depth_of(len(leaves))
        self.depth = least if depth is None else depth
        if not least <= self.depth <= MAX_DEPTH:
            raise TraceError(f"{len(leaves)} leaves in a tree of depth {self.depth}")
        level = [*leaves, *[EMPTY] * ((1 << self.depth) - len(leaves))]
        self.levels = [level]
        while len(level) > 1:
            level = [join(a, b) for a, b in zip(level[::2], level[1::2], strict=True)]
            self.levels.append(level)

    @property
    def root(self) -> bytes:
        """The node above all leaves."""
        return self.levels[-1][0]

    def node(self, height: int, index: int) -> bytes:
        """Return the node `height` levels above the leaves."""
        if not (0 <= height <= self.depth and 0 <= index < len(self.levels[height])):
            raise TraceError(f"no node {index} at height {height}: the depth is {self.depth}")
        return self.levels[height][index]

    def descendants(self, height: int, index: int, steps: int) -> tuple[bytes, ...]:
        """Return the 2^steps nodes that lie `steps` levels below a node, from left to right."""
        self.node(height, index)
        if not 0 <= steps <= height:
            raise TraceError(f"{steps} levels below height {height}")
        return tuple(self.levels[height - steps][index << steps : (index + 1) << steps])

    def path(self, index: int) -> tuple[bytes, ...]:
        """Return the siblings of a leaf, from its own up to the root's children."""
        return self.range_proof(index, 1)

    def range_proof(self, first: int, count: int) -> tuple[bytes, ...]:
        """Return the siblings that complete the leaves first .. first + count - 1 to the root."""
        return range_proof(self.levels, first, count)


def range_proof(levels: Sequence[Sequence[bytes]], first: int, count: int) -> tuple[bytes, ...]:
    """Return a range's siblings, level by level, the left one before the right one."""
    if not (count >= 1 and first >= 0 and first + count <= len(levels[0])):
        raise TraceError(f"leaves {first}..{first + count - 1} of {len(levels[0])}")
    siblings = []
    low, high = first, first + count - 1
    for level in levels[:-1]:
        if low & 1:
            siblings.append(level[low - 1])
        if not high & 1:
            siblings.append(level[high + 1])
        low, high = low >> 1, high >> 1
    return tuple(siblings)


def count_siblings(first: int, count: int, depth: int) -> int:
    """Return how many siblings a range's proof has."""
    low, high, siblings = first, first + count - 1, 0
    for _ in range(depth):
        siblings += (low & 1) + (~high & 1)
        low, high = low >> 1, high >> 1
    return siblings


def root_of_path(leaf: bytes, index: int, path: Sequence[bytes]) -> bytes:
    """Return the root that a leaf at a place and its siblings lead to."""
    return root_of_range([leaf], index, len(path), path)


def root_of_range(
    leaves: Sequence[bytes], first: int, depth: int, siblings: Sequence[bytes]
) -> bytes:
    """Return the root that consecutive leaves and the siblings of their range lead to.

    Raises TraceError for leaves outside the tree, and for a sibling too few or too many.
    """
    low, high = first, first + len(leaves) - 1
    if not (leaves and low >= 0 and high < 1 << depth):
        raise TraceError(f"leaves {low}..{high} in a tree of depth {depth}")
    if len(siblings) != count_siblings(first, len(leaves), depth):
        raise TraceError(f"{len(siblings)} siblings for leaves {low}..{high} of depth {depth}")
    level, left = list(leaves), iter(siblings)
    for _ in range(depth):
        if low & 1:
            level.insert(0, next(left))
        if not high & 1:
            level.append(next(left))
        level = [join(a, b) for a, b in zip(level[::2], level[1::2], strict=True)]
        low, high = low >> 1, high >> 1
    return level[0]
