"""Lowering of requantization, the identity that defines every accumulator (LOWERING.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from offchain.errors import ProgramError
from offchain.model.operators import (
    SATURATED_WIDTH,
    Conv2d,
    Embedding,
    Linear,
    MatMul,
    Normalize,
    Op,
    Product,
    ReduceSum,
    Requant,
    Rotate,
    Softmax,
    Sum,
)
from offchain.prove.compile.builder import atom, constant, make_coefficient
from offchain.prove.compile.context import Context, scale_expression, slot_atom
from offchain.prove.compile.elementwise import (
    lower_product,
    lower_reduce_sum,
    lower_rotate,
    lower_sum,
)
from offchain.prove.compile.layout import (
    ClampSource,
    RequantFill,
    SaturationSource,
    Shape,
    Wide,
)
from offchain.prove.compile.linear import (
    lower_conv2d,
    lower_embedding,
    lower_linear,
    lower_matmul,
)
from offchain.prove.compile.normalize import lower_normalize
from offchain.prove.compile.points import Coordinates, count_variables, take_axes
from offchain.prove.compile.softmax import lower_softmax
from offchain.prove.compile.sums import Accumulated, require_equal
from offchain.prove.program import Expression, Monomial, Source

MAX_FIELD_BITS: Final = 250  # static uniqueness bound of proofs-spec.md 16
LIMIT_16: Final = 1 << (SATURATED_WIDTH - 1)
_LOWERINGS: Final[dict[type, Callable[[Context, Any, Sequence[Coordinates]], Accumulated]]] = {
    MatMul: lower_matmul,
    Sum: lower_sum,
    Product: lower_product,
    ReduceSum: lower_reduce_sum,
    Rotate: lower_rotate,
    Normalize: lower_normalize,
    Softmax: lower_softmax,
    Embedding: lower_embedding,
}


def lower_requant(ctx: Context, op: Requant) -> None:
    """2^s t + remainder - 2^(s-1) = m acc, every digit in its range and (t, y) in its table."""
    source = ctx.ops[op.x]
    shape = ctx.shapes[op.name]
    acc = _accumulate(ctx, source, shape, op.scale)
    _check_bound(op, acc)
    tables = frozenset() if op.is_built_in else frozenset({op.table})
    y = ctx.write(op.name, tables).view.tensor
    wide, saturated, quotient = _saturate(ctx, op, shape)
    q, table, plain = _apply_table(ctx, op, shape, y)
    if wide is not None:
        # u + 2^15 a - b = a lo, where u is what the table (or y itself) says.
        n = count_variables(shape)
        a, lo = (ctx.factor(t, shape) for t in (wide.a, wide.lo))
        ctx.builder.add_product((*plain, *saturated), n, [Monomial(make_coefficient(1), (a, lo))])
    digits, remainder = ctx.add_digits(shape, op.digits)
    value = (
        *scale_expression(1 << op.s, plain if wide is None else quotient),
        *remainder,
        atom(-(1 << (op.s - 1))),
    )
    require_equal(ctx.builder, value, acc, op.m)
    ctx.fills.append(RequantFill(op, shape, y, q, table, digits, wide))


def is_range_form(op: Requant) -> bool:
    """Whether the clamp does nothing: y is the (saturated) quotient."""
    half = 1 << (op.key_width - 1)
    return op.table == "identity" and (op.lo, op.hi) == (-half, half - 1)


def _apply_table(
    ctx: Context, op: Requant, shape: Shape, y: int
) -> tuple[int | None, int | None, Expression]:
    """Return q, the table's index and the (saturated) quotient."""
    half = 1 << (op.key_width - 1)
    if is_range_form(op):
        if op.width > SATURATED_WIDTH:  # y is 16 bits by the saturation's own lookups
            return None, None, slot_atom(ctx.direct(y, shape))
        value = slot_atom(ctx.leaf(y, shape))
        return None, ctx.range_check(shape, op.width, (*value, *constant(half))), value
    q = ctx.add_tensor(shape)
    table = _function_table(ctx, op)
    key = slot_atom(ctx.leaf(q, shape))
    ctx.look_up(shape, table, [key, slot_atom(ctx.leaf(y, shape))])
    return q, table, (*key, *constant(-half))


def _function_table(ctx: Context, op: Requant) -> int:
    width = op.key_width
    if not op.is_built_in:
        return ctx.weight_table(op.table, width)
    source = ClampSource(op.table, width, op.lo, op.hi)
    return ctx.table(source, width, (ctx.add_fixed(source, width),))


def _saturate(
    ctx: Context, op: Requant, shape: Shape
) -> tuple[Wide | None, Expression, Expression]:
    """Return the tensors, 2^15 a - b, and t = 2^16 hi + lo - 2^(w-1) - 2^15."""
    if op.width <= SATURATED_WIDTH:
        return None, (), ()
    width = op.width - SATURATED_WIDTH + 1  # bits of hi
    columns = tuple(
        ctx.add_fixed(SaturationSource(op.width, offset), width) for offset in (False, True)
    )
    table = ctx.table(("saturation", op.width), width, columns)
    hi, lo, a, b = (ctx.add_tensor(shape) for _ in range(4))
    lo_slot, hi_slot, a_slot, b_slot = (ctx.leaf(t, shape) for t in (lo, hi, a, b))
    lo_table = ctx.range_check(shape, SATURATED_WIDTH, slot_atom(lo_slot))
    ctx.look_up(shape, table, [slot_atom(s) for s in (hi_slot, a_slot, b_slot)])
    quotient = (
        *slot_atom(hi_slot, 1 << SATURATED_WIDTH),
        *slot_atom(lo_slot),
        *constant(-(1 << (op.width - 1))),
        *constant(-LIMIT_16),
    )
    saturated = (*slot_atom(a_slot, LIMIT_16), *slot_atom(b_slot, -1))
    return Wide(hi, lo, a, b, lo_table, table), saturated, quotient


def _accumulate(ctx: Context, op: Op, shape: Shape, scale: str | None) -> Accumulated:
    """Lower the accumulator that a requant reads."""
    z = take_axes(Source.ZETA, shape)
    if isinstance(op, Linear):
        return lower_linear(ctx, op, z, scale)
    if isinstance(op, Conv2d):
        return lower_conv2d(ctx, op, z, scale)
    return _LOWERINGS[type(op)](ctx, op, z)


def _check_bound(op: Requant, acc: Accumulated) -> None:
    if op.m * acc.bound + (2 << (op.s + op.width)) + (1 << op.s) >= 1 << MAX_FIELD_BITS:
        raise ProgramError("the identity could wrap around the field")
