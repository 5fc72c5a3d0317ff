"""What one element of an operator is: the arithmetic of the on-chain check (TRACE.md 5).

One walk for everybody: over recorded tensors it tells which elements are read, over evidence it
gives the verdict. Sums of products stay below 2^62; whatever could grow further is a Python int.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isqrt
from typing import Any, Final, Protocol

import numpy as np

from offchain.errors import EvidenceError
from offchain.model.operators import MAX_TABLE_ENTRY, SATURATED_WIDTH
from offchain.model.weights import IntArray
from offchain.trace.descriptor import (
    AddUp,
    Contract,
    Convolve,
    Descriptor,
    Embed,
    Greatest,
    Loop,
    Multiply,
    Norm,
    Operand,
    Pick,
    Pool,
    Reduce,
    Relu,
    Rescale,
    SoftmaxRow,
    Turn,
    View,
)

ACCUMULATOR_LIMIT: Final = 1 << 47  # LANGUAGE.md


class Reader(Protocol):
    """Gives elements of operands."""

    def read(self, operand: Operand, indices: IntArray) -> IntArray:
        """Return int64 elements; raise EvidenceError for one that is not there."""
        ...


def compute_element(d: Descriptor, element: int, reader: Reader) -> int:
    """Return what the element has to be, reading no more than it depends on.

    Raises EvidenceError for an element that the operator does not have, and for a table's key, a
    token or an index that leaves its tensor; and whatever the reader raises.
    """
    if not 0 <= element < d.out.count:
        raise EvidenceError(f"element {element} of {d.out.count}")
    source = _Source(d, reader)
    value = _ELEMENTS[type(d.params)](d.params, element, source)
    return value if d.rescale is None else _rescale(d, d.rescale, element, value, source)


class _Source:
    """Bounds every index before it is read."""

    def __init__(self, d: Descriptor, reader: Reader) -> None:
        self._descriptor = d
        self._reader = reader

    def count(self, operand: Operand) -> int:
        return self._descriptor.count(operand)

    def many(self, operand: Operand, indices: IntArray) -> IntArray:
        count = self.count(operand)
        if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < count:
            raise EvidenceError(
                f"index {indices.min()}..{indices.max()} of {count} elements of {operand:#04x}"
            )
        return self._reader.read(operand, indices)

    def one(self, operand: Operand, index: int) -> int:
        return int(self.many(operand, np.array([index], dtype=np.int64))[0])


def list_offsets(loops: tuple[Loop, ...], operand: int) -> IntArray:
    """Return an operand's offset for every run of the loops, row-major."""
    offsets = np.zeros(1, dtype=np.int64)
    for loop in loops:
        steps = np.arange(loop.size, dtype=np.int64) * loop.strides[operand]
        offsets = (offsets[:, None] + steps).reshape(-1)
    return offsets


def _contract(p: Contract, e: int, source: _Source) -> int:
    a = source.many(p.a, p.map_a.locate(e) + list_offsets(p.loops, 0))
    b = source.many(p.b, p.map_b.locate(e) + list_offsets(p.loops, 1))
    bias = 0
    if p.bias is not None and p.map_bias is not None:
        bias = source.one(p.bias, p.map_bias.locate(e))
    return int(a @ b) + bias


def _convolve(p: Convolve, e: int, source: _Source) -> int:
    place, output = divmod(e, p.outputs)
    row, column = divmod(place, p.columns)
    inner = p.channels // p.groups
    group = output // (p.outputs // p.groups)
    rows = row * p.stride - p.padding + np.arange(p.kernel_height)
    columns = column * p.stride - p.padding + np.arange(p.kernel_width)
    taps = np.arange(p.kernel_height * p.kernel_width).reshape(len(rows), len(columns))
    inside = ((rows >= 0) & (rows < p.height))[:, None] & ((columns >= 0) & (columns < p.width))
    cells = (rows[:, None] * p.width + columns)[inside]  # only what lies inside the input
    channels = np.arange(inner)
    x = source.many(p.x, (cells[:, None] * p.channels + group * inner + channels).reshape(-1))
    first = output * p.kernel_height * p.kernel_width
    w = source.many(p.w, ((first + taps[inside])[:, None] * inner + channels).reshape(-1))
    return int(x @ w) + (0 if p.bias is None else source.one(p.bias, output))


def _add_up(p: AddUp, e: int, source: _Source) -> int:
    return sum(t.coefficient * source.one(t.x, t.map.locate(e)) for t in p.terms)


def _multiply(p: Multiply, e: int, source: _Source) -> int:
    return source.one(p.a, p.map_a.locate(e)) * source.one(p.b, p.map_b.locate(e))


def _reduce(p: Reduce, e: int, source: _Source) -> int:
    return int(source.many(p.a, p.map_a.locate(e) + list_offsets(p.loops, 0)).sum())


def _turn(p: Turn, e: int, source: _Source) -> int:
    row, column = divmod(e, p.columns)
    half = p.columns // 2
    angle = row // p.inner * p.columns + column
    is_low = column < half
    turned = source.one(p.x, e + half if is_low else e - half)
    straight = source.one(p.x, e) * source.one(p.cos, angle)
    return straight + (-turned if is_low else turned) * source.one(p.sin, angle)


def _embed(p: Embed, e: int, source: _Source) -> int:
    step, column = divmod(e, p.columns)
    token = source.one(p.tokens, step)
    value = source.one(p.table, token * p.columns + column)
    return value + (0 if p.position is None else source.one(p.position, e))


def _norm(p: Norm, e: int, source: _Source) -> int:
    row, column = divmod(e, p.n)
    x = [int(value) for value in source.many(p.x, row * p.n + np.arange(p.n))]
    squares = sum(value * value for value in x)
    if p.kind == 0:
        centred = p.n * x[column] - sum(x)
        total = p.n * squares - sum(x) ** 2 + p.epsilon
    else:
        centred, total = x[column], squares + p.epsilon
    root = isqrt((1 << 2 * p.f) // total)
    acc = centred * root * source.one(p.gamma, column)
    return acc + (0 if p.beta is None else source.one(p.beta, column))


def _softmax(p: SoftmaxRow, e: int, source: _Source) -> int:
    row, column = divmod(e, p.keys)
    parts = row % p.queries + p.keys - p.queries + 1 if p.causal else p.keys
    if column >= parts:
        return 0
    x = source.many(p.x, row * p.keys + np.arange(parts))
    exponentials = source.many(p.table, x.max() - x)
    if exponentials.min() < 0 or exponentials.max() > MAX_TABLE_ENTRY or not exponentials.sum():
        raise EvidenceError("the softmax's table has an entry that no exponential has")
    return int(exponentials[column]) * ((1 << p.g) // int(exponentials.sum()))


def _pool(p: Pool, e: int, source: _Source) -> int:
    place, channel = divmod(e, p.channels)
    row, column = divmod(place, p.width // p.kernel_width)
    rows = row * p.kernel_height + np.arange(p.kernel_height)
    columns = column * p.kernel_width + np.arange(p.kernel_width)
    cells = (rows[:, None] * p.width + columns).reshape(-1)
    return int(source.many(p.x, cells * p.channels + channel).max())


def _relu(p: Relu, e: int, source: _Source) -> int:
    return max(source.one(p.x, e), 0)


def _view(p: View, e: int, source: _Source) -> int:
    return source.one(p.x, p.offset + p.map.locate(e))


def _pick(p: Pick, e: int, source: _Source) -> int:
    return source.one(p.x, source.one(p.index, e))


def _greatest(p: Greatest, _e: int, source: _Source) -> int:
    return int(source.many(p.x, np.arange(source.count(p.x))).argmax())


def _rescale(d: Descriptor, r: Rescale, e: int, acc: int, source: _Source) -> int:
    if abs(acc) >= ACCUMULATOR_LIMIT:
        raise EvidenceError(f"an accumulator of {acc}, outside the language's bounds")
    m = r.m if r.scale is None else r.m * source.one(r.scale, e % d.out.cols)
    key = (acc * m + (1 << (r.s - 1))) >> r.s
    half = 1 << (min(r.width, SATURATED_WIDTH) - 1)
    if r.width > SATURATED_WIDTH:
        key = min(max(key, -half), half - 1)
    if r.table_weight is not None:
        entry = source.one(r.table_weight, key + half)
        if not r.lo <= entry <= r.hi:
            raise EvidenceError(f"the table's entry {entry} is outside [{r.lo}, {r.hi}]")
        return entry
    return min(max(max(key, 0) if r.table == 1 else key, r.lo), r.hi)


_ELEMENTS: Final[Mapping[type, Callable[[Any, int, _Source], int]]] = {
    Contract: _contract,
    Convolve: _convolve,
    AddUp: _add_up,
    Multiply: _multiply,
    Reduce: _reduce,
    Turn: _turn,
    Embed: _embed,
    Norm: _norm,
    SoftmaxRow: _softmax,
    Pool: _pool,
    Relu: _relu,
    View: _view,
    Pick: _pick,
    Greatest: _greatest,
}
