"""The bytes that open elements: ranges of tiles with their siblings (TRACE.md 4)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from offchain.commit.digest import TILE_BYTES, tile_leaf
from offchain.errors import EvidenceError, NotOpened
from offchain.model.weights import IntArray
from offchain.trace.descriptor import count_tiles, tile_depth
from offchain.trace.tensors import Opened
from offchain.trace.tree import EMPTY, count_siblings, join, root_of_range

MAX_RANGES: Final = 255
MAX_RANGE: Final = (1 << 16) - 1
WORD: Final = 32


def merge_tiles(tiles: Iterable[int]) -> list[range]:
    """Return ascending ranges that do not touch, at most 255: nearest neighbours are joined."""
    ranges: list[range] = []
    for tile in sorted(set(tiles)):
        if ranges and tile == ranges[-1].stop:
            ranges[-1] = range(ranges[-1].start, tile + 1)
        else:
            ranges.append(range(tile, tile + 1))
    if len(ranges) > MAX_RANGES:
        gaps = sorted(b.start - a.stop for a, b in itertools.pairwise(ranges))
        ranges = _join_over(ranges, gaps[len(ranges) - MAX_RANGES - 1])
    return ranges


def _join_over(ranges: list[range], gap: int) -> list[range]:
    joined = ranges[:1]
    for current in ranges[1:]:
        if current.start - joined[-1].stop <= gap:
            joined[-1] = range(joined[-1].start, current.stop)
        else:
            joined.append(current)
    return joined


def are_fillers_empty(first: int, count: int, tiles: int, siblings: Sequence[bytes]) -> bool:
    """Whether every sibling of a range that covers no tile of the tensor is that of zero words."""
    low, high, end, filler = first, first + count - 1, tiles - 1, EMPTY
    nodes = iter(siblings)
    for _ in range(tile_depth(tiles)):
        if low & 1:
            next(nodes)
        if not high & 1:
            sibling = next(nodes)
            if high == end and sibling != filler:
                return False
        low, high, end, filler = low >> 1, high >> 1, end >> 1, join(filler, filler)
    return True


def write_openings(tensor: Opened, tiles: Iterable[int], is_weight: bool) -> bytes:
    """Return one tensor's section of the evidence: the ranges that hold these tiles."""
    ranges = merge_tiles(tiles)
    pieces = [bytes([len(ranges)])]
    if ranges and not is_weight:
        pieces.append(tensor.root)
    for tiles_ in ranges:
        if len(tiles_) > MAX_RANGE:
            raise EvidenceError(f"a range of {len(tiles_)} tiles, at most {MAX_RANGE}")
        data, siblings = tensor.open(tiles_.start, len(tiles_))
        pieces += [tiles_.start.to_bytes(4, "big"), len(tiles_).to_bytes(2, "big"), data]
        pieces += siblings
    return b"".join(pieces)


@dataclass(frozen=True)
class OpenedTensor:
    """The ranges of a tensor that evidence opens; number as in the evidence's order."""

    number: int
    element_bytes: int
    root: bytes | None  # None: nothing is opened
    ranges: tuple[tuple[int, bytes], ...] = field(default=())  # first tile, bytes of the tiles

    def read(self, indices: IntArray) -> IntArray:
        """Return elements; raise NotOpened for one outside the ranges."""
        values = np.zeros(len(indices), dtype=np.int64)
        is_found = np.zeros(len(indices), dtype=np.bool_)
        for first, data in self.ranges:
            offset = first * TILE_BYTES // self.element_bytes
            elements = np.frombuffer(data, dtype=f">i{self.element_bytes}")
            inside = (indices >= offset) & (indices < offset + len(elements))
            values[inside] = elements[indices[inside] - offset]
            is_found |= inside
        if not is_found.all():
            raise NotOpened(self.number, int(indices[~is_found][0]))
        return values


class EvidenceReader:
    """Reads evidence from the front; raises EvidenceError for anything the contract refuses."""

    def __init__(self, evidence: bytes) -> None:
        """Begin at the first byte."""
        self._raw = evidence
        self._at = 0

    def number(self, size: int) -> int:
        """Return a big-endian unsigned integer."""
        return int.from_bytes(self._take(size), "big")

    def tensor(
        self, number: int, element_bytes: int, count: int, weight_root: bytes | None = None
    ) -> OpenedTensor:
        """Return openings of a tensor of `count` elements, under one root (of a weight: given).

        Padding has to be zero: else digests could differ though every element agrees.
        """
        ranges = self.number(1)
        if ranges == 0:
            return OpenedTensor(number, element_bytes, None)
        root = self._take(WORD) if weight_root is None else weight_root
        opened = tuple(self._ranges(ranges, count * element_bytes, root))
        return OpenedTensor(number, element_bytes, root, opened)

    def end(self) -> None:
        """Raise EvidenceError unless every byte is read."""
        if self._at != len(self._raw):
            raise EvidenceError(f"{len(self._raw) - self._at} bytes are left over")

    def _ranges(self, count: int, size: int, root: bytes) -> Iterator[tuple[int, bytes]]:
        tiles, end = count_tiles(size), -1
        depth = tile_depth(tiles)
        for _ in range(count):
            first, length = self.number(4), self.number(2)
            if length == 0 or first <= end or first + length > tiles:
                raise EvidenceError(f"{length} tiles from {first} on, of {tiles} after {end}")
            end = first + length  # the next range leaves out one tile at least
            data = self._take(length * TILE_BYTES)
            leaves = [
                tile_leaf(first + k, data[k * TILE_BYTES : (k + 1) * TILE_BYTES])
                for k in range(length)
            ]
            siblings = [self._take(WORD) for _ in range(count_siblings(first, length, depth))]
            if root_of_range(leaves, first, depth, siblings) != root:
                raise EvidenceError(f"tiles from {first} on do not lead to the tensor's root")
            is_padded = not any(data[max(size - first * TILE_BYTES, 0) :])
            if not (is_padded and are_fillers_empty(first, length, tiles, siblings)):
                raise EvidenceError("bytes or leaves behind the tensor's end are not zero")
            yield first, data

    def _take(self, size: int) -> bytes:
        piece = self._raw[self._at : self._at + size]
        if len(piece) != size:
            raise EvidenceError(f"ends at byte {len(self._raw)}, within a field")
        self._at += size
        return piece
