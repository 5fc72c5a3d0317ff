"""Where the fields of an element's evidence lie, read from the format alone.

A second reading of the format, apart from the package's: it finds the bytes that a test damages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

TILE: Final = 1024
HASH: Final = 32


@dataclass(frozen=True)
class Tensor:
    """A tensor as the descriptor names it: its kind ("input", "weight" or "output") and size."""

    kind: str
    width: int
    elements: int

    @property
    def depth(self) -> int:
        """Levels of its tree of tiles."""
        return (max(1, ceil(self.width * self.elements / TILE)) - 1).bit_length()


@dataclass(frozen=True)
class Field:
    """Bytes [start, stop) of the evidence."""

    name: str  # "elem", "ranges", "root", "first", "count", "tiles" or "sibling"
    tensor: int  # -1 for the element's index
    start: int
    stop: int

    def read(self, evidence: bytes) -> int:
        """Return the field as a number."""
        return int.from_bytes(evidence[self.start : self.stop], "big")


class Cursor:
    """Reads big-endian numbers one behind the other."""

    def __init__(self, raw: bytes, at: int = 0) -> None:
        """Start at byte `at`."""
        self.raw, self.at = raw, at

    def take(self, size: int) -> int:
        """Return the next number of `size` bytes."""
        value = int.from_bytes(self.raw[self.at : self.at + size], "big")
        self.at += size
        return value


def read_tensors(desc: bytes) -> list[Tensor]:
    """Return the descriptor's tensors in the order of the evidence: inputs, weights, output."""
    inputs, weights = desc[2], desc[3]
    cursor = Cursor(desc, 12 + 2 * HASH)

    def take(kind: str) -> Tensor:
        return Tensor(kind, cursor.take(1), cursor.take(4) * cursor.take(4))

    output = take("output")
    found = []
    for _ in range(inputs):
        cursor.take(2)
        found.append(take("input"))
    for _ in range(weights):
        found.append(Tensor("weight", cursor.take(1), cursor.take(8)))
        cursor.take(HASH)
    return [*found, output]


def count_siblings(first: int, count: int, depth: int) -> int:
    """Return how many siblings prove `count` leaves from `first` on in a tree of this depth."""
    last, siblings = first + count - 1, 0
    for _ in range(depth):
        siblings += (first & 1) + (1 - (last & 1))
        first, last = first >> 1, last >> 1
    return siblings


def split_evidence(desc: bytes, evidence: bytes) -> list[Field]:
    """Return every field in order; they cover the evidence without a gap."""
    fields = list(_walk(desc, evidence))
    assert fields[-1].stop == len(evidence)
    return fields


def _walk(desc: bytes, evidence: bytes) -> Iterator[Field]:
    cursor = Cursor(evidence)

    def take(name: str, tensor: int, size: int) -> Field:
        start = cursor.at
        cursor.take(size)
        return Field(name, tensor, start, cursor.at)

    yield take("elem", -1, 8)
    for k, tensor in enumerate(read_tensors(desc)):
        ranges = take("ranges", k, 1)
        yield ranges
        if ranges.read(evidence) and tensor.kind != "weight":
            yield take("root", k, HASH)
        for _ in range(ranges.read(evidence)):
            first = take("first", k, 4)
            yield first
            count = take("count", k, 2)
            yield count
            yield take("tiles", k, TILE * count.read(evidence))
            for _ in range(
                count_siblings(first.read(evidence), count.read(evidence), tensor.depth)
            ):
                yield take("sibling", k, HASH)
