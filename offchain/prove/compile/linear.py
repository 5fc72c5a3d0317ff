"""Lowering of maps with weights and of products of matrices: contractions (LOWERING.md)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from offchain.errors import ProgramError
from offchain.model.operators import Conv2d, Embedding, Linear, MatMul
from offchain.prove.compile.builder import Contraction, Phase, less_than, make_ties
from offchain.prove.compile.context import Activation, Context
from offchain.prove.compile.points import (
    Coordinates,
    ceil_log2,
    count_variables,
    is_padded,
    take_axes,
    take_suffix,
    to_point,
)
from offchain.prove.compile.sums import Accumulated
from offchain.prove.program import Axis, Expression, Link, Segment, Source

MAX_BIAS: Final = 1 << 31
Axes = Sequence[Coordinates]


def lower_linear(ctx: Context, op: Linear, z: Axes, scale: str | None) -> Accumulated:
    """Return x at (rows, r) times w at (j, r)."""
    x, w = ctx.read(op.x), ctx.weight(op.w, scale)
    split = len(x.shape) - op.axes
    kept, inner = x.shape[:split], x.shape[split:]
    rows, columns = z[:-1], z[-1]
    k = take_axes(Source.CONTRACTION, inner)
    if any(map(is_padded, kept)):
        ctx.require_zero_pads(op.name, x)
    contraction = Contraction(
        count_variables(inner),
        ctx.slot(Phase.CONTRACTION, x.view, (*rows, *k)),
        ctx.slot(Phase.CONTRACTION, w, (columns, *k)),
    )
    known = _bias(ctx, op.b, scale, z, kept)
    return Accumulated(known, contraction, _count(z), _bound(ctx, op.w, scale, x, prod(inner)))


def lower_conv2d(ctx: Context, op: Conv2d, z: Axes, scale: str | None) -> Accumulated:
    """Return a window slot, linked to x, times w at (o, kh, kw, ci); groups are tied."""
    x, w = ctx.read(op.x), ctx.weight(op.w, scale)
    outputs, kernel_h, kernel_w, inner = w.shape
    _check_groups(op, outputs, inner)
    groups = ceil_log2(op.groups)
    group, kh, kw, ci = take_suffix(
        Source.CONTRACTION, [groups, *map(ceil_log2, (kernel_h, kernel_w, inner))]
    )
    variables = sum(map(len, (group, kh, kw, ci)))
    if (kernel_h, kernel_w, op.stride, op.padding) == (1, 1, 1, 0):
        if any(map(is_padded, x.shape[:2])):
            ctx.require_zero_pads(op.name, x)
        window = ctx.slot(Phase.CONTRACTION, x.view, (z[0], z[1], (*group, *ci)))
    else:
        window = _link_window(ctx, op, x, (z[0], z[1]), (kh, kw), (*group, *ci))
    contraction = Contraction(
        variables,
        window,
        ctx.slot(Phase.CONTRACTION, w, ((*group, *z[2][groups:]), kh, kw, ci)),
        ties=make_ties(z[2][:groups], variables - groups),
    )
    shape = ctx.shapes[op.name]
    known = _bias(ctx, op.b, scale, z, shape[:2])
    terms = kernel_h * kernel_w * inner
    return Accumulated(known, contraction, _count(z), _bound(ctx, op.w, scale, x, terms))


def _check_groups(op: Conv2d, outputs: int, inner: int) -> None:
    if op.groups > 1 and (is_padded(outputs // op.groups) or is_padded(inner)):
        raise ProgramError(
            f"{op.groups} groups of {inner} channels and {outputs // op.groups} outputs;"
            " both must be powers of two"
        )


def _link_window(
    ctx: Context, op: Conv2d, x: Activation, z: Axes, kernel: Axes, channels: Coordinates
) -> int:
    """Return the slot of x(h s + kh - p, w s + kw - p, channels), proven by a link."""
    window = ctx.builder.add_virtual(Phase.CONTRACTION)
    sizes = x.shape[:2]
    u, v = take_axes(Source.LINK, sizes)
    tensor = ctx.slot(Phase.LINK, x.view, (u, v, channels))
    kernels = ctx.graph.weight(op.w).shape[1:3]
    outs = ctx.shapes[op.name][:2]
    height, width = (
        Axis(
            outs[k],
            sizes[k],
            kernels[k],
            op.stride,
            op.padding,
            _segment(z[k]),
            _segment(kernel[k]),
            ceil_log2(sizes[k]),
        )
        for k in range(2)
    )
    ctx.builder.links.append(Link(window, tensor, height, width))
    return window


def _segment(axis: Coordinates) -> Segment | None:
    return to_point(axis)[0] if axis else None


def lower_matmul(ctx: Context, op: MatMul, z: Axes) -> Accumulated:
    """Return a at its letters times b at its letters; a batch letter is summed and tied to z."""
    a, b = ctx.read(op.a), ctx.read(op.b)
    left, right, result = op.equation.replace("->", ",").split(",")
    sizes = dict(zip(right, b.shape, strict=True)) | dict(zip(left, a.shape, strict=True))
    outer = dict(zip(result, z, strict=True))
    both = [letter for letter in left if letter in right]
    batch = [letter for letter in both if letter in result]
    summed = [letter for letter in both if letter not in result]
    order = batch + summed
    inner = dict(zip(order, take_axes(Source.CONTRACTION, [sizes[k] for k in order]), strict=True))
    where = outer | inner
    shared = dict(where)
    for letter in batch:
        shared[letter] = where[letter][: len(where[letter]) - ceil_log2(op.share)]
    _require_zero_operands(ctx, op, a, b)
    variables = sum(map(len, inner.values()))
    ties = [t for k in batch for t in make_ties(outer[k], variables - len(outer[k]))]
    contraction = Contraction(
        variables,
        ctx.slot(Phase.CONTRACTION, a.view, [where[k] for k in left]),
        ctx.slot(Phase.CONTRACTION, b.view, [shared[k] for k in right]),
        ties=tuple(ties),
    )
    bound = prod(sizes[k] for k in summed) * a.magnitude * b.magnitude
    return Accumulated((), contraction, _count(z), bound)


def _require_zero_operands(ctx: Context, op: MatMul, a: Activation, b: Activation) -> None:
    """Where an axis has padding cells, one operand is 0 there (the only one that has the axis)."""
    left, right, _ = op.equation.replace("->", ",").split(",")
    for letter, size in zip(left, a.shape, strict=True):
        if is_padded(size) and not (letter in right and not b.zeros):
            ctx.require_zero_pads(op.name, a)
    for letter, size in zip(right, b.shape, strict=True):
        if is_padded(size) and letter not in left:
            ctx.require_zero_pads(op.name, b)


def lower_embedding(ctx: Context, op: Embedding, z: Axes) -> Accumulated:
    """Return one-hot of the tokens at (t, r) times the table at (r, d)."""
    tokens, table = ctx.read(op.tokens), ctx.weight(op.table)
    if not ctx.is_public(tokens.view):
        raise ProgramError("its tokens are committed; they must be public")
    vocabulary = table.shape[0]
    (v,) = take_axes(Source.CONTRACTION, (vocabulary,))
    hot = ctx.builder.add_one_hot(Phase.CONTRACTION, tokens.view.tensor, to_point((*z[0], *v)))
    contraction = Contraction(len(v), hot, ctx.slot(Phase.CONTRACTION, table, (v, z[1])))
    known: Expression = ()
    bound = ctx.weight_magnitude(op.table)
    if op.position is not None:
        # Its first T rows: more would reach into padding cells, where the sum has to be 0.
        position = ctx.weight_rows(op.position, tokens.shape[0])
        known = ctx.select(ctx.slot(Phase.DIRECT, position, z), ())
        bound += ctx.weight_magnitude(op.position)
    return Accumulated(known, contraction, _count(z), bound)


def _bias(
    ctx: Context, bias: str | None, scale: str | None, z: Axes, kept: Sequence[int]
) -> Expression:
    """Return the bias at z_j, in real rows only."""
    if bias is None:
        return ()
    slot = ctx.slot(Phase.DIRECT, ctx.weight(bias, scale), z[-1:])
    return ctx.select(slot, less_than(z[:-1], kept))


def _count(z: Axes) -> int:
    return sum(map(len, z))


def _bound(ctx: Context, w: str, scale: str | None, x: Activation, terms: int) -> int:
    factor = 1 if scale is None else ctx.weight_magnitude(scale)
    return factor * (terms * x.magnitude * ctx.weight_magnitude(w) + MAX_BIAS)
