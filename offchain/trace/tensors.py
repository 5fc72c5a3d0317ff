"""Tensors as trees of tiles, of which ranges can be opened (TRACE.md 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np

from offchain import native
from offchain.commit.digest import TILE_BYTES, encode_tensor, tile_leaf, tile_root
from offchain.errors import TraceError
from offchain.model.weights import IntArray
from offchain.trace.descriptor import count_tiles, tile_depth
from offchain.trace.tree import range_proof, root_of_path


class Nodes(Sequence[bytes]):
    """One level of a tree whose nodes lie in one string of bytes."""

    def __init__(self, nodes: bytes, first: int, count: int) -> None:
        """Show `count` nodes from number `first` on."""
        self._nodes, self._first, self._count = nodes, first, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        at = 32 * (self._first + index)
        return self._nodes[at : at + 32]


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

    @cached_property
    def root(self) -> bytes:
        """The root over the tiles."""
        return tile_root(self.raw)

    @cached_property
    def levels(self) -> tuple[Nodes, ...]:
        """The tree over the tiles, from the leaves up to the root."""
        nodes, depth = native.tile_levels(self.raw), tile_depth(self.tiles)
        widths = [1 << (depth - height) for height in range(depth + 1)]
        starts = [sum(widths[:height]) for height in range(depth + 1)]
        return tuple(Nodes(nodes, at, width) for at, width in zip(starts, widths, strict=True))

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
        return tiles, range_proof(self.levels, first, count)


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
