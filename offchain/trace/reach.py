"""How large evidence about one element of an operator can get, from its descriptor alone.

An element reads a pattern of each operand, moved to where the element lies. What it costs to open a
pattern depends on how it falls upon the tiles, so the dearest place counts that a move can reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import gcd
from typing import Final

import numpy as np

from offchain.commit.digest import TILE_BYTES
from offchain.model.weights import IntArray
from offchain.trace.descriptor import (
    WEIGHT,
    AddUp,
    Contract,
    Convolve,
    Descriptor,
    Greatest,
    IndexMap,
    Loop,
    Multiply,
    Norm,
    Operand,
    Pool,
    Reduce,
    SoftmaxRow,
    Turn,
    count_tiles,
    tile_depth,
)
from offchain.trace.element import list_offsets

WORD: Final = 32
ELEMENT_BYTES: Final = 8  # the element's number, at the beginning
RANGE_BYTES: Final = 6  # first tile and count


@dataclass(frozen=True)
class Pattern:
    """Elements of an operand that one element of the result reads: multiples of `step` + offsets.

    `times`: how often it is read, each time somewhere else.
    """

    operand: Operand
    offsets: IntArray
    step: int
    times: int = 1


def bound_evidence(d: Descriptor) -> int:
    """Return bytes that evidence about no element of the operator exceeds.

    Evidence that needs more ranges than can be told is longer, and far beyond any limit.
    """
    spent = dict.fromkeys((*range(len(d.inputs)), *(WEIGHT + k for k in range(len(d.weights)))), 0)
    for pattern in _list_patterns(d):
        spent[pattern.operand] += _bound_ranges(d, pattern)
    size = ELEMENT_BYTES
    for operand, ranges in spent.items():
        root = WORD if operand < WEIGHT and ranges else 0
        size += 1 + root + min(ranges, _bound_tiles(d, operand))
    out_depth = tile_depth(d.out.tiles)
    return size + 1 + WORD + RANGE_BYTES + TILE_BYTES + WORD * out_depth


def _bound_tiles(d: Descriptor, operand: Operand) -> int:
    """Return the bytes of ranges over any tiles of an operand: every second one is the worst."""
    tiles = _count_tiles(d, operand)
    return tiles * TILE_BYTES + -(-tiles // 2) * (RANGE_BYTES + WORD * tile_depth(tiles))


def _count_tiles(d: Descriptor, operand: Operand) -> int:
    return count_tiles(d.count(operand) * d.element_bytes(operand))


def _bound_ranges(d: Descriptor, pattern: Pattern) -> int:
    """Return the bytes of the ranges that open a pattern, where it falls worst."""
    size = d.element_bytes(pattern.operand)
    depth = tile_depth(_count_tiles(d, pattern.operand))
    starts, ends = _find_runs(pattern.offsets)
    starts, ends = starts * size, (ends + 1) * size - 1
    worst = 0
    for at in range(0, TILE_BYTES, gcd(TILE_BYTES, pattern.step * size)):
        first, last = (starts + at) // TILE_BYTES, (ends + at) // TILE_BYTES
        gaps = first[1:] - last[:-1]
        tiles = int((last - first + 1).sum() - (gaps == 0).sum())
        ranges = 1 + int((gaps > 1).sum())
        siblings = depth * min(tiles, 2 * ranges)
        worst = max(worst, tiles * TILE_BYTES + ranges * RANGE_BYTES + siblings * WORD)
    return worst * pattern.times


def _find_runs(offsets: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first and the last of each run of neighbours, ascending."""
    found = np.unique(offsets)
    cuts = np.flatnonzero(np.diff(found) > 1)
    return found[np.r_[0, cuts + 1]], found[np.r_[cuts, len(found) - 1]]


def _list_patterns(d: Descriptor) -> Iterator[Pattern]:
    yield from _list_wide(d)
    singles = [*_list_singles(d)]
    if d.rescale is not None:
        singles += [d.rescale.table_weight, d.rescale.scale]
    yield from (_single(operand) for operand in singles if operand is not None)


def _list_wide(d: Descriptor) -> Iterator[Pattern]:
    """Return what is read of operands of which an element reads more than a few cells."""
    match d.params:
        case Contract() as p:
            yield _looped(p.a, p.map_a, p.loops, 0)
            yield _looped(p.b, p.map_b, p.loops, 1)
        case Reduce() as p:
            yield _looped(p.a, p.map_a, p.loops, 0)
        case Convolve() as p:
            yield from _convolved(p)
        case Pool() as p:
            yield Pattern(p.x, _list_window(p) * p.channels, 1)
        case Norm() as p:
            yield Pattern(p.x, np.arange(p.n), p.n)
        case SoftmaxRow() as p:
            yield Pattern(p.x, np.arange(p.keys), p.keys)
            # Which entries are read depends on the values: any, but no more than there are.
            yield replace(_single(p.table), times=min(p.keys, d.count(p.table)))
        case Greatest() as p:
            yield Pattern(p.x, np.arange(d.count(p.x)), TILE_BYTES)


def _list_singles(d: Descriptor) -> Iterable[Operand | None]:
    """Return the operands of which an element reads one cell, as often as it does."""
    found: Iterable[Operand | None] = ()
    match d.params:
        case Reduce() | Pool() | SoftmaxRow() | Greatest():
            pass
        case Contract() | Convolve() as p:
            found = (p.bias,)
        case Norm() as p:
            found = (p.gamma, p.beta)
        case AddUp() as p:
            found = (term.x for term in p.terms)
        case Multiply() as p:
            found = (p.a, p.b)
        case Turn() as p:
            found = (p.x, p.x, p.cos, p.sin)
        case _:
            found = (*range(len(d.inputs)), *(WEIGHT + k for k in range(len(d.weights))))
    return found


def _single(operand: Operand) -> Pattern:
    return Pattern(operand, np.zeros(1, dtype=np.int64), TILE_BYTES)


def _looped(operand: Operand, moved: IndexMap, loops: tuple[Loop, ...], which: int) -> Pattern:
    strides = (dim.stride for dim in moved.dims if dim.size > dim.div)
    return Pattern(operand, list_offsets(loops, which), gcd(TILE_BYTES, *strides))


def _convolved(p: Convolve) -> Iterator[Pattern]:
    inner = p.channels // p.groups
    taps = p.kernel_height * p.kernel_width
    channels = np.arange(inner)
    yield Pattern(p.x, (_list_window(p)[:, None] * p.channels + channels).reshape(-1), inner)
    # At an edge rows and columns are left out: the tiles that saves outweigh ranges of their own.
    yield Pattern(p.w, np.arange(taps * inner), taps * inner)


def _list_window(p: Convolve | Pool) -> IntArray:
    """Return the cells of a whole window, from its first."""
    rows, columns = np.arange(p.kernel_height), np.arange(p.kernel_width)
    cells: IntArray = (rows[:, None] * p.width + columns).reshape(-1)
    return cells
