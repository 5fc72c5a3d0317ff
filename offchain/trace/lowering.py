"""From an operator of the language to a descriptor's parameters (TRACE.md 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, Final

from offchain.model.operators import (
    BUILT_IN_TABLES,
    NORM_KINDS,
    Argmax,
    Conv2d,
    Embedding,
    Gather,
    Linear,
    MatMul,
    MaxPool,
    Normalize,
    Op,
    Product,
    ReduceSum,
    ReluBits,
    Requant,
    Reshape,
    Rotate,
    Slice,
    Softmax,
    Sum,
    Transpose,
)
from offchain.model.scope import Shape
from offchain.trace.descriptor import (
    AddUp,
    Contract,
    Convolve,
    Dim,
    Embed,
    Greatest,
    IndexMap,
    Loop,
    Multiply,
    Norm,
    Operand,
    Params,
    Pick,
    Pool,
    Reduce,
    Relu,
    Rescale,
    SoftmaxRow,
    Term,
    Turn,
    View,
)


class Names:
    """Shapes and operands of what an operator reads, by name."""

    def __init__(self, shapes: Mapping[str, Shape], operands: Mapping[str, Operand]) -> None:
        """Shapes of values and weights; operands of those that this operator reads."""
        self.shapes = shapes
        self.operands = operands

    def optional(self, name: str | None) -> Operand | None:
        """Return an operand, or None for no name."""
        return None if name is None else self.operands[name]


def lower(op: Op, names: Names) -> Params:
    """Return the parameters of an accumulator or of any activation but a requant."""
    return _LOWERINGS[type(op)](op, names)


def lower_requant(op: Requant, names: Names) -> Rescale:
    """Return the block that follows an accumulator's parameters."""
    table = BUILT_IN_TABLES.index(op.table) if op.is_built_in else len(BUILT_IN_TABLES)
    return Rescale(
        op.m,
        op.s,
        op.width,
        table,
        None if op.is_built_in else names.operands[op.table],
        names.optional(op.scale),
        op.lo,
        op.hi,
    )


def strides_of(shape: Shape) -> Shape:
    """Return the row-major strides of a shape."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def make_map(dims: Sequence[Dim]) -> IndexMap:
    """Return the map with neighbouring dimensions fused where that changes nothing."""
    fused: list[Dim] = []
    for dim in dims:
        if dim.size == 1:
            continue
        if fused and fused[-1].div == dim.div == 1 and fused[-1].stride == dim.size * dim.stride:
            fused[-1] = Dim(fused[-1].size * dim.size, dim.stride)
        else:
            fused.append(dim)
    return IndexMap(tuple(fused) or (Dim(1, 0),))


def make_loops(loops: Sequence[Loop]) -> tuple[Loop, ...]:
    """Return the loops, the one of the least strides innermost (last), fused likewise."""
    fused: list[Loop] = []
    operands = len(loops[0].strides) if loops else 1
    for loop in sorted(loops, key=lambda x: x.strides, reverse=True):
        if loop.size == 1:
            continue
        continued = tuple(loop.size * stride for stride in loop.strides)
        if fused and fused[-1].strides == continued:
            fused[-1] = Loop(fused[-1].size * loop.size, loop.strides)
        else:
            fused.append(loop)
    return tuple(fused) or (Loop(1, (0,) * operands),)


def _broadcast(shape: Shape, full: Shape) -> IndexMap:
    """Send indices of `full` to those of a shape that broadcasts to it from the last axis on."""
    sizes = (1,) * (len(full) - len(shape)) + shape
    strides = strides_of(sizes)
    return make_map(
        [
            Dim(n, 0 if size == 1 else stride)
            for n, size, stride in zip(full, sizes, strides, strict=True)
        ]
    )


def _linear(op: Linear, names: Names) -> Params:
    x = names.shapes[op.x]
    rows, inner = prod(x[: len(x) - op.axes]), prod(x[len(x) - op.axes :])
    columns = names.shapes[op.w][0]
    return Contract(
        names.operands[op.x],
        names.operands[op.w],
        names.optional(op.b),
        make_map([Dim(rows, inner), Dim(columns, 0)]),
        make_map([Dim(rows, 0), Dim(columns, inner)]),
        None if op.b is None else make_map([Dim(rows, 0), Dim(columns, 1)]),
        make_loops([Loop(inner, (1, 1))]),
    )


def _conv2d(op: Conv2d, names: Names) -> Params:
    height, width, channels = names.shapes[op.x]
    outputs, kernel_height, kernel_width, _ = names.shapes[op.w]
    return Convolve(
        names.operands[op.x],
        names.operands[op.w],
        names.optional(op.b),
        *(height, width, channels, outputs, kernel_height, kernel_width),
        *(op.stride, op.padding, op.groups),
    )


def _matmul(op: MatMul, names: Names) -> Params:
    left, right, result = op.equation.replace("->", ",").split(",")
    a, b = names.shapes[op.a], names.shapes[op.b]
    strides_a = dict(zip(left, strides_of(a), strict=True))
    strides_b = dict(zip(right, strides_of(b), strict=True))
    sizes = {**dict(zip(right, b, strict=True)), **dict(zip(left, a, strict=True))}
    batch = set(left) & set(right) & set(result)
    summed = [letter for letter in left if letter in right and letter not in result]
    return Contract(
        names.operands[op.a],
        names.operands[op.b],
        None,
        make_map([Dim(sizes[c], strides_a.get(c, 0)) for c in result]),
        make_map(
            [Dim(sizes[c], strides_b.get(c, 0), op.share if c in batch else 1) for c in result]
        ),
        None,
        make_loops([Loop(sizes[c], (strides_a[c], strides_b[c])) for c in summed]),
    )


def _sum(op: Sum, names: Names) -> Params:
    full = _largest([names.shapes[name] for name, _ in op.terms])
    return AddUp(
        tuple(
            Term(names.operands[name], coefficient, _broadcast(names.shapes[name], full))
            for name, coefficient in op.terms
        )
    )


def _product(op: Product, names: Names) -> Params:
    a, b = names.shapes[op.a], names.shapes[op.b]
    full = _largest([a, b])
    return Multiply(
        names.operands[op.a], names.operands[op.b], _broadcast(a, full), _broadcast(b, full)
    )


def _largest(shapes: Sequence[Shape]) -> Shape:
    """Return the shape to which the others broadcast: it is among them."""
    return max(shapes, key=lambda shape: (prod(shape), len(shape)))


def _reduce_sum(op: ReduceSum, names: Names) -> Params:
    x = names.shapes[op.x]
    axes = list(zip(x, op.windows, strides_of(x), strict=True))
    return Reduce(
        names.operands[op.x],
        make_map([Dim(size // window, window * stride) for size, window, stride in axes]),
        make_loops([Loop(window, (stride,)) for _, window, stride in axes]),
    )


def _rotate(op: Rotate, names: Names) -> Params:
    x = names.shapes[op.x]
    return Turn(
        names.operands[op.x],
        names.operands[op.cos],
        names.operands[op.sin],
        *(x[0], prod(x[1:-1]), x[-1]),
    )


def _normalize(op: Normalize, names: Names) -> Params:
    return Norm(
        names.operands[op.x],
        names.operands[op.gamma],
        names.optional(op.beta),
        *(NORM_KINDS.index(op.kind), names.shapes[op.x][-1], op.epsilon, op.f),
    )


def _softmax(op: Softmax, names: Names) -> Params:
    x = names.shapes[op.x]
    queries = x[-2] if len(x) > 1 else 1
    return SoftmaxRow(
        names.operands[op.x],
        names.operands[op.table],
        *(op.width, op.g, int(op.causal), queries, x[-1]),
    )


def _embedding(op: Embedding, names: Names) -> Params:
    return Embed(
        names.operands[op.tokens],
        names.operands[op.table],
        names.optional(op.position),
        names.shapes[op.table][1],
    )


def _max_pool(op: MaxPool, names: Names) -> Params:
    height, width, channels = names.shapes[op.x]
    return Pool(names.operands[op.x], height, width, channels, *op.window)


def _relu_bits(op: ReluBits, names: Names) -> Params:
    return Relu(names.operands[op.x])


def _reshape(op: Reshape, names: Names) -> Params:
    return View(names.operands[op.x], 0, make_map([Dim(prod(op.shape), 1)]))


def _transpose(op: Transpose, names: Names) -> Params:
    x = names.shapes[op.x]
    strides = strides_of(x)
    return View(
        names.operands[op.x], 0, make_map([Dim(x[axis], strides[axis]) for axis in op.order])
    )


def _slice(op: Slice, names: Names) -> Params:
    x = names.shapes[op.x]
    strides = strides_of(x)
    dims = [
        Dim(op.size if axis == op.axis else size, stride)
        for axis, (size, stride) in enumerate(zip(x, strides, strict=True))
    ]
    return View(names.operands[op.x], op.start * strides[op.axis], make_map(dims))


def _gather(op: Gather, names: Names) -> Params:
    return Pick(names.operands[op.x], names.operands[op.index])


def _argmax(op: Argmax, names: Names) -> Params:
    return Greatest(names.operands[op.x])


_LOWERINGS: Final[Mapping[type, Callable[[Any, Names], Params]]] = {
    Linear: _linear,
    Conv2d: _conv2d,
    MatMul: _matmul,
    Sum: _sum,
    Product: _product,
    ReduceSum: _reduce_sum,
    Rotate: _rotate,
    Normalize: _normalize,
    Softmax: _softmax,
    Embedding: _embedding,
    MaxPool: _max_pool,
    ReluBits: _relu_bits,
    Reshape: _reshape,
    Transpose: _transpose,
    Slice: _slice,
    Gather: _gather,
    Argmax: _argmax,
}
