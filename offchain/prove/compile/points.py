"""Points made of single coordinates, and activations as views of tensors (LOWERING.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Final

from offchain.errors import ProgramError
from offchain.prove.program import Segment, Source

MAX_CONSTANT_BITS: Final = 8  # of one segment of constant bits
_DESCENDING: Final = (
    Source.ZETA,
    Source.PRODUCT,
    Source.CONTRACTION,
    Source.LINK,
    Source.OUTPUT_BITS,
)


@dataclass(frozen=True)
class Coordinate:
    """One coordinate: `end` counts from the source's end (a constant bit's value for BITS)."""

    source: Source
    end: int = 0
    flip: bool = False


Coordinates = tuple[Coordinate, ...]  # most significant first
Point = tuple[Segment, ...]

HALF: Final = Coordinate(Source.HALF)


def ceil_log2(size: int) -> int:
    """Return the number of variables that index `size` cells."""
    return (size - 1).bit_length()


def is_padded(size: int) -> bool:
    """Whether an axis of `size` cells has padding cells."""
    return bool(size & (size - 1))


def count_variables(shape: Sequence[int]) -> int:
    """Return the number of variables of a padded tensor."""
    return sum(map(ceil_log2, shape))


def take_suffix(source: Source, logs: Sequence[int]) -> tuple[Coordinates, ...]:
    """Return coordinates of axes with `logs` variables that together end the source's vector."""
    axes, end = [], sum(logs)
    for log in logs:
        axes.append(tuple(Coordinate(source, end - 1 - k) for k in range(log)))
        end -= log
    return tuple(axes)


def take_axes(source: Source, shape: Sequence[int]) -> tuple[Coordinates, ...]:
    """Return the coordinates of a padded shape's axes at the end of the source's vector."""
    return take_suffix(source, [ceil_log2(size) for size in shape])


def to_point(coordinates: Sequence[Coordinate]) -> Point:
    """Merge neighbouring coordinates into segments."""
    point: list[Segment] = []
    for c in coordinates:
        last = point[-1] if point else None
        if last is None or (last.source, last.flip) != (c.source, c.flip):
            point.append(Segment(c.source, c.end, 1, c.flip))
        elif c.source == Source.HALF:
            point[-1] = replace(last, length=last.length + 1)
        elif c.source == Source.BITS and last.length < MAX_CONSTANT_BITS:
            point[-1] = Segment(c.source, last.end * 2 + c.end, last.length + 1)
        elif c.source in _DESCENDING and last.end == c.end + 1:
            point[-1] = replace(last, end=c.end, length=last.length + 1)
        else:
            point.append(Segment(c.source, c.end, 1, c.flip))
    return tuple(point)


@dataclass(frozen=True)
class Bit:
    """An index bit of a tensor: bit `at` (0: least significant) of a view's axis, or a constant."""

    axis: int  # -1: the constant `at`
    at: int


@dataclass(frozen=True)
class View:
    """A tensor under another shape: each of its index bits is a bit of an axis or constant."""

    tensor: int
    shape: tuple[int, ...]
    bits: tuple[Bit, ...]

    @classmethod
    def whole(cls, tensor: int, shape: tuple[int, ...]) -> View:
        """Return the tensor as it is stored."""
        bits = [
            Bit(axis, at)
            for axis, size in enumerate(shape)
            for at in reversed(range(ceil_log2(size)))
        ]
        return cls(tensor, shape, tuple(bits))

    @property
    def is_whole(self) -> bool:
        """Whether this is the tensor as it is stored, up to how axes are named."""
        return View.whole(self.tensor, self.shape) == self

    def at(self, axes: Sequence[Coordinates]) -> Point:
        """Return the tensor's point for coordinates of the view's axes."""
        return to_point(
            [
                Coordinate(Source.BITS, b.at) if b.axis < 0 else axes[b.axis][-1 - b.at]
                for b in self.bits
            ]
        )

    def transpose(self, order: Sequence[int]) -> View:
        """Return the view whose axis k is this one's axis order[k]."""
        shape = tuple(self.shape[axis] for axis in order)
        bits = [b if b.axis < 0 else Bit(list(order).index(b.axis), b.at) for b in self.bits]
        return View(self.tensor, shape, tuple(bits))

    def cut(self, axis: int, start: int, size: int) -> View:
        """Return cells start ... start + size - 1 of an axis, which is dropped if size is 1."""
        kept = size.bit_length() - 1  # bits of the axis that stay free
        dropped = size == 1

        def change(b: Bit) -> Bit:
            if b.axis == axis:
                return Bit(axis, b.at) if b.at < kept else Bit(-1, start >> b.at & 1)
            return Bit(b.axis - 1, b.at) if dropped and b.axis > axis else b

        middle = () if dropped else (size,)
        shape = (*self.shape[:axis], *middle, *self.shape[axis + 1 :])
        return View(self.tensor, shape, tuple(map(change, self.bits)))

    def reshape(self, shape: tuple[int, ...]) -> View:
        """Return the same cells in row-major order; raise ProgramError where padding forbids it."""
        moved: dict[Bit, Bit] = {}
        for before, after in _match_axes(self.shape, shape):
            sources, targets = _group_bits(self.shape, before), _group_bits(shape, after)
            inner = [self.shape[a] for a in before[1:]] + [shape[a] for a in after[1:]]
            if any(map(is_padded, inner)):
                sizes = [[s[a] for a in g] for s, g in ((self.shape, before), (shape, after))]
                raise ProgramError(
                    f"axes {sizes[0]} do not become {sizes[1]} by index bits; use a Gather"
                )
            moved.update(zip(sources, targets, strict=True))
        bits = tuple(b if b.axis < 0 else moved[b] for b in self.bits)
        return View(self.tensor, shape, bits)


def _group_bits(shape: Sequence[int], axes: Sequence[int]) -> list[Bit]:
    return [Bit(axis, at) for axis in axes for at in reversed(range(ceil_log2(shape[axis])))]


def _match_axes(
    before: Sequence[int], after: Sequence[int]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return the finest groups of neighbouring axes (without those of one cell) of equal size."""
    left = [axis for axis, size in enumerate(before) if size > 1]
    right = [axis for axis, size in enumerate(after) if size > 1]
    groups = []
    while left:
        i = j = 1
        while (a := prod(before[k] for k in left[:i])) != (b := prod(after[k] for k in right[:j])):
            i, j = (i + 1, j) if a < b else (i, j + 1)
        groups.append((tuple(left[:i]), tuple(right[:j])))
        left, right = left[i:], right[j:]
    return groups
