"""Lowering of operators whose results are cells of what they read: lookups (LOWERING.md)."""

from __future__ import annotations

from typing import Final

from offchain.model.operators import Argmax, Gather, MaxPool, ReluBits
from offchain.prove.compile.builder import Phase, atom, constant, less_than, make_coefficient
from offchain.prove.compile.context import (
    ALWAYS,
    Activation,
    Context,
    slot_atom,
    subtract,
)
from offchain.prove.compile.layout import (
    ArgmaxFill,
    GatherFill,
    IndexSource,
    MaxPoolFill,
    ReluBitsFill,
)
from offchain.prove.compile.points import (
    Coordinate,
    View,
    ceil_log2,
    count_variables,
    take_axes,
)
from offchain.prove.program import (
    FUNCTION_FACTOR,
    NONE,
    Factor,
    FactorKind,
    Monomial,
    Source,
)

SIGN: Final = 7  # the sign bit of an 8-bit integer


def lower_max_pool(ctx: Context, op: MaxPool) -> None:
    """No cell of a window exceeds y, and y is one of them."""
    x = ctx.read(op.x)
    y = ctx.write(op.name, x.zeros)
    axes = take_axes(Source.ZETA, x.shape)
    windows = tuple(
        axis[: len(axis) - ceil_log2(size)]
        for axis, size in zip(axes, (*op.window, 1), strict=True)
    )
    cell = slot_atom(ctx.slot(Phase.LEAF, x.view, axes))
    above = slot_atom(ctx.slot(Phase.LEAF, y.view, windows))
    table = ctx.range_check(x.shape, range_width(x), subtract(above, cell))
    number, counts = ctx.new_table_id(), ctx.add_tensor(x.shape)
    results = take_axes(Source.ZETA, y.shape)
    attained = [ctx.key(*results), slot_atom(ctx.leaf(y.view.tensor, y.shape))]
    ctx.builder.add_block(count_variables(y.shape), number, ALWAYS, attained)
    numerator = slot_atom(ctx.leaf(counts, x.shape), -1)
    ctx.builder.add_block(count_variables(x.shape), number, numerator, [ctx.key(*windows), cell])
    ctx.fills.append(MaxPoolFill(op, y.shape, x.shape, y.view.tensor, counts, table))


def range_width(x: Activation) -> int:
    """Return the width of the range table of differences between cells of x."""
    return max(1, (x.hi - x.lo).bit_length())


def lower_relu_bits(ctx: Context, op: ReluBits) -> None:
    """X = -2^7 b_7 + sum 2^i b_i, b_i^2 = b_i, y = x - b_7 x."""
    x = ctx.read(op.x)
    y = ctx.write(op.name, x.zeros)
    shape, n = x.shape, count_variables(x.shape)
    z, axes = take_axes(Source.ZETA, shape), take_axes(Source.PRODUCT, shape)
    bits = tuple(ctx.add_tensor(shape) for _ in range(SIGN + 1))
    table = None
    if ctx.is_public(x.view):  # else x is looked up where it comes from
        half = constant(1 << SIGN)
        result = slot_atom(ctx.leaf(y.view.tensor, shape))
        table = ctx.range_check(shape, SIGN + 1, (*result, *half))
    one = make_coefficient(1)
    direct = [ctx.direct(b, shape) for b in bits]
    for b, slot in zip(bits, direct, strict=True):
        factor = ctx.factor(b, shape)
        ctx.builder.add_product(slot_atom(slot), n, [Monomial(one, (factor, factor))])
    value = ctx.slot(Phase.DIRECT, x.view, z)
    spelled = tuple(atom(-(1 << k) if k == SIGN else 1 << k, slot) for k, slot in enumerate(direct))
    ctx.builder.add_check(subtract(spelled, slot_atom(value)))
    result = slot_atom(ctx.direct(y.view.tensor, shape))
    negative = Monomial(one, (ctx.factor(bits[SIGN], shape), ctx.slot(Phase.PRODUCT, x.view, axes)))
    ctx.builder.add_product(subtract(slot_atom(value), result), n, [negative])
    ctx.fills.append(ReluBitsFill(op, shape, y.view.tensor, bits, table))


def lower_gather(ctx: Context, op: Gather) -> None:
    """(index, y) among the cells (number, x), and y is 0 in padding cells."""
    x = ctx.read(op.x)
    y = ctx.write(op.name)
    tensor, shape = y.view.tensor, y.shape
    n, z = count_variables(shape), take_axes(Source.ZETA, shape)
    index = ctx.add_fixed(IndexSource(op.index, shape, x.shape), n)
    number, counts = ctx.new_table_id(), ctx.add_tensor(x.shape)
    real = less_than(z, shape)
    columns = [slot_atom(ctx.leaf(t, shape)) for t in (index, tensor)]
    ctx.builder.add_block(n, number, ctx.numerator(real) if real else ALWAYS, columns)
    axes = take_axes(Source.ZETA, x.shape)
    cell = slot_atom(ctx.slot(Phase.LEAF, x.view, axes))
    numerator = slot_atom(ctx.leaf(counts, x.shape), -1)
    ctx.builder.add_block(count_variables(x.shape), number, numerator, [ctx.key(*axes), cell])
    force_zero_pads(ctx, tensor, shape)
    ctx.fills.append(GatherFill(op, shape, x.shape, tensor, counts))


def force_zero_pads(ctx: Context, tensor: int, shape: tuple[int, ...]) -> None:
    """Require that a committed tensor is 0 in its padding cells; public ones are anyway."""
    real = less_than(take_axes(Source.ZETA, shape), shape)
    if not real or ctx.is_public(View.whole(tensor, shape)):
        return
    selector = FUNCTION_FACTOR | ctx.builder.add_function(*real)
    monomial = Monomial(make_coefficient(1), (selector, ctx.factor(tensor, shape)))
    value = slot_atom(ctx.leaf(tensor, shape))
    ctx.builder.add_product(value, count_variables(shape), [monomial])


def lower_argmax(ctx: Context, op: Argmax) -> None:
    """x[y] - x[v] - [v < y] is not negative for every v."""
    x = ctx.read(op.x)
    y = ctx.write(op.name)
    (axis,) = take_axes(Source.ZETA, x.shape)
    length = len(axis)
    chosen = tuple(Coordinate(Source.OUTPUT_BITS, length - 1 - k) for k in range(length))
    below = ctx.builder.add_function(Factor(FactorKind.LT_OUTPUT, 0, 0, length))
    distance = (
        *slot_atom(ctx.slot(Phase.LEAF, x.view, (chosen,))),
        *slot_atom(ctx.slot(Phase.LEAF, x.view, (axis,)), -1),
        atom(-1, NONE, below),
    )
    real = less_than([axis], x.shape)
    width = range_width(x)
    table = ctx.range_table(width)
    ctx.look_up(x.shape, table, [distance], ctx.numerator(real) if real else ALWAYS)
    ctx.fills.append(ArgmaxFill(op, x.shape, y.view.tensor, table))
