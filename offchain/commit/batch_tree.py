"""The Merkle tree over the results of a batch (protocol.md A.22), for up to 256 leaves.

leaf = keccak256(0x00 || job id || output digest), node = keccak256(0x01 || left || right); the
leaves are padded with zero words to a power of two. Domain tags keep a node from being shown as a
leaf. The tree of one leaf is the leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_hash.auto import keccak

from offchain.types import Digest

LEAF: Final = b"\x00"
NODE: Final = b"\x01"
PADDING: Final = bytes(32)
MAX_LEAVES: Final = 256


def compute_leaf(job: bytes, out_digest: Digest) -> bytes:
    """Return the leaf of a job's 32 bytes and its result's digest."""
    return keccak(LEAF + job + out_digest)


def compute_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of 1 to 256 leaves."""
    return _compute_layers(leaves)[-1][0]


def compute_path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the siblings of a leaf, from its own up to the root's children."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"leaf {index} of {len(leaves)}")
    return tuple(
        layer[(index >> height) ^ 1] for height, layer in enumerate(_compute_layers(leaves)[:-1])
    )


def compute_root_of_path(leaf: bytes, index: int, path: Sequence[bytes]) -> bytes:
    """Return the root that a leaf at a place and its siblings lead to."""
    node = leaf
    for height, sibling in enumerate(path):
        is_right = index >> height & 1
        node = _join(sibling, node) if is_right else _join(node, sibling)
    return node


def _compute_layers(leaves: Sequence[bytes]) -> list[list[bytes]]:
    if not 1 <= len(leaves) <= MAX_LEAVES:
        raise ValueError(f"{len(leaves)} leaves: a batch has 1 to {MAX_LEAVES}")
    width = 1 << (len(leaves) - 1).bit_length()
    layers = [[*leaves, *[PADDING] * (width - len(leaves))]]
    while len(layers[-1]) > 1:
        below = layers[-1]
        layers.append([_join(below[i], below[i + 1]) for i in range(0, len(below), 2)])
    return layers


def _join(left: bytes, right: bytes) -> bytes:
    return keccak(NODE + left + right)
