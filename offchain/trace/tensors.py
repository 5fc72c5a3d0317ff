"""Tensors as trees of tiles, of which ranges can be opened (TRACE.md 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from offchain.commit.digest import TILE_BYTES, encode_tensor, tile_leaf
from offchain.errors import TraceError
from offchain.model.weights import IntArray
from offchain.trace.descriptor import count_tiles
from offchain.trace.tree import MerkleTree, root_of_path


@dataclass(frozen=True)
class TiledTensor:
    """All of a tensor: row-major two's complement big-endian bytes."""

    raw: bytes
    element_bytes: int

    @classmethod
    def of(cls, values: IntArray, bits: int, name: str = "tensor") -> TiledTensor:
        """Return the tensor of these values; raise TensorError for one that does not fit."""
        return cls(encode_tensor(values, bits, name), bits // 8)

    @property
    def tiles(self) -> int:
        """Leaves that hold bytes."""
        return count_tiles(len(self.raw))

    @property
    def root(self) -> bytes:
        """The root over the tiles."""
        return self.tree.root

    @cached_property
    def tree(self) -> MerkleTree:
        """The tree over the tiles."""
        return MerkleTree([tile_leaf(k, self.tile(k)) for k in range(self.tiles)])

    @cached_property
    def _values(self) -> IntArray:
        return np.frombuffer(self.raw, dtype=f">i{self.element_bytes}")

    def read(self, indices: IntArray) -> IntArray:
        """Return elements; raise IndexError for one that is not there."""
        values: IntArray = self._values[indices].astype(np.int64)
        return values

    def tile(self, index: int) -> bytes:
        """Return a tile, the last one padded with zeros."""
        return self.raw[index * TILE_BYTES : (index + 1) * TILE_BYTES].ljust(TILE_BYTES, b"\0")

    def open(self, first: int, count: int) -> tuple[bytes, tuple[bytes, ...]]:
        """Return consecutive tiles and the siblings of their range."""
        if first < 0 or count < 1 or first + count > self.tiles:
            raise TraceError(f"tiles {first}..{first + count - 1} of {self.tiles}")
        tiles = b"".join(self.tile(k) for k in range(first, first + count))
        return tiles, self.tree.range_proof(first, count)


@dataclass(frozen=True)
class RevealedTile:
    """One tile of a tensor of which nothing else is known: what a search ends with."""

    index: int
    tile: bytes
    path: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """The root that the tile and its siblings lead to."""
        return root_of_path(tile_leaf(self.index, self.tile), self.index, self.path)

    def open(self, first: int, count: int) -> tuple[bytes, Sequence[bytes]]:
        """Return the tile and its siblings; raise TraceError for any other range."""
        if (first, count) != (self.index, 1):
            raise TraceError(f"tiles {first}..{first + count - 1}, only {self.index} is known")
        return self.tile, self.path


Opened = TiledTensor | RevealedTile
