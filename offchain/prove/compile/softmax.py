"""Lowering of softmax: attained maximum, unique reciprocal, exact masks (LOWERING.md)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from offchain.errors import ProgramError
from offchain.model.operators import MAX_TABLE_ENTRY, Softmax
from offchain.prove.compile.builder import Phase, atom, constant, less_than, make_coefficient
from offchain.prove.compile.context import (
    ALWAYS,
    Activation,
    Context,
    scale_expression,
    slot_atom,
    subtract,
)
from offchain.prove.compile.layout import Shape, SoftmaxFill
from offchain.prove.compile.points import (
    HALF,
    Coordinates,
    View,
    ceil_log2,
    count_variables,
    take_axes,
)
from offchain.prove.compile.sums import Accumulated
from offchain.prove.program import (
    FUNCTION_FACTOR,
    NONE,
    Expression,
    Factor,
    FactorKind,
    LinearTerm,
    Monomial,
    Source,
)

OUTSIDE: Final = 1 << 31  # added to the key of cells that take no part: no row has this number
MAX_FIELD_BITS: Final = 250  # iota D of any iota and D in range (proofs-spec.md 19)


def lower_softmax(ctx: Context, op: Softmax, _: Sequence[Coordinates]) -> Accumulated:
    """Return m e iota, e the table's value of the distance from the row's maximum."""
    x = ctx.read(op.x)
    rows = x.shape[:-1]
    # Rows are numbered in padded coordinates.
    if 1 << count_variables(rows) >= OUTSIDE:
        raise ProgramError(f"{prod(rows)} rows are too many for a softmax")
    z = take_axes(Source.ZETA, x.shape)
    cells, in_rows = _select(op, x.shape, z)
    e = ctx.add_tensor(x.shape)
    maximum, sigma, table = _look_up(ctx, op, x, e, cells, in_rows)
    _clear_outside(ctx, x.shape, e, cells)
    iota = _add_reciprocal(ctx, op, x.shape, e, (maximum, sigma, table))
    axes = take_axes(Source.PRODUCT, x.shape)
    factors = (ctx.factor(e, x.shape), ctx.row_factor(iota, rows, axes[:-1]))
    bound = MAX_TABLE_ENTRY << (op.g + 1)
    n = count_variables(x.shape)
    return Accumulated((), (Monomial(make_coefficient(1), factors),), n, bound)


def _select(
    op: Softmax, shape: Shape, z: Sequence[Coordinates]
) -> tuple[tuple[Factor, ...], tuple[Factor, ...]]:
    """Return the factors that select the cells that take part, and the same of their rows.

    The latter are on the same coordinates; `_at_rows` moves them to the end of a row's point.
    """
    in_rows = less_than(z[:-1], shape[:-1])
    # A single query sees every key: k <= 0 + (K - 1).
    if not op.causal or shape[-2] == 1:
        return less_than(z, shape), in_rows
    queries, keys = shape[-2:]
    if queries != keys:
        raise ProgramError(f"a causal mask of {queries} queries and {keys} keys; only square ones")
    key, query = z[-1], z[-2]
    mask = Factor(FactorKind.CAUSAL, queries, 0, len(key), query[-1].end, len(query))
    return (*less_than(z[:-2], shape[:-2]), mask), in_rows


def _look_up(
    ctx: Context,
    op: Softmax,
    x: Activation,
    e: int,
    cells: tuple[Factor, ...],
    in_rows: tuple[Factor, ...],
) -> tuple[int, int, int]:
    """(M - x, e) in the table; (row, M) among the cells (row, x) that take part."""
    rows, axes = x.shape[:-1], take_axes(Source.ZETA, x.shape)
    maximum, sigma = ctx.add_tensor(rows), ctx.add_tensor(x.shape)
    selector = ctx.numerator(cells) if cells else ALWAYS
    row = View.whole(maximum, rows)
    distance = (
        *slot_atom(ctx.slot(Phase.LEAF, row, axes[:-1])),
        *slot_atom(ctx.slot(Phase.LEAF, x.view, axes), -1),
    )
    table = ctx.weight_table(op.table, op.width)
    ctx.look_up(x.shape, table, [distance, slot_atom(ctx.leaf(e, x.shape))], selector)
    number = ctx.new_table_id()
    row_axes = take_axes(Source.ZETA, rows)
    attained = [ctx.key(*row_axes), slot_atom(ctx.leaf(maximum, rows))]
    numerator = ctx.numerator(_at_rows(in_rows, x.shape)) if in_rows else ALWAYS
    ctx.builder.add_block(count_variables(rows), number, numerator, attained)
    key = ctx.key(*axes[:-1])
    if cells:
        key = (*key, *constant(OUTSIDE), *scale_expression(-OUTSIDE, selector))
    values = slot_atom(ctx.slot(Phase.LEAF, x.view, axes))
    counts = slot_atom(ctx.leaf(sigma, x.shape), -1)
    ctx.builder.add_block(count_variables(x.shape), number, counts, [key, values])
    return maximum, sigma, table


def _at_rows(factors: tuple[Factor, ...], shape: Shape) -> tuple[Factor, ...]:
    """Return the factors for a point that ends where the last axis would begin."""
    last = ceil_log2(shape[-1])
    return tuple(Factor(f.kind, f.value, f.end - last, f.length) for f in factors)


def _clear_outside(ctx: Context, shape: Shape, e: int, cells: tuple[Factor, ...]) -> None:
    """E = sel e: cells that take no part are 0."""
    if not cells:
        return
    selector = FUNCTION_FACTOR | ctx.builder.add_function(*cells)
    monomial = Monomial(make_coefficient(1), (selector, ctx.factor(e, shape)))
    value = slot_atom(ctx.leaf(e, shape))
    ctx.builder.add_product(value, count_variables(shape), [monomial])


def _add_reciprocal(
    ctx: Context, op: Softmax, shape: Shape, e: int, found: tuple[int, int, int]
) -> int:
    """Add iota with 2^g sel - r_1 = iota D and sel + r_1 + r_2 = D, D the row's sum of e."""
    rows, halves = shape[:-1], ceil_log2(shape[-1])
    widths = ctx.digit_widths(op.g + 1)
    sums = ctx.digit_widths((shape[-1] * MAX_TABLE_ENTRY).bit_length())
    if sum(widths) + sum(sums) + 1 >= MAX_FIELD_BITS:
        raise ProgramError("a row's sum could wrap around the field")
    iota_digits, iota = ctx.add_number(rows, widths)
    below, r_1 = ctx.add_digits(rows, sums)
    above, r_2 = ctx.add_digits(rows, sums)
    z = take_axes(Source.ZETA, rows)
    function = ctx.builder.add_function(*less_than(z, rows))
    selected = (atom(1, NONE, function),)
    cells = View.whole(e, shape)
    axes = take_axes(Source.PRODUCT, rows)
    total = ctx.slot(Phase.PRODUCT, cells, (*axes, (HALF,) * halves))
    product = Monomial(make_coefficient(1 << halves), (ctx.factor(iota, rows), total))
    value: Expression = subtract(scale_expression(1 << op.g, selected), r_1)
    ctx.builder.add_product(value, count_variables(rows), [product])
    claim = LinearTerm(make_coefficient(1 << halves), e, cells.at((*z, (HALF,) * halves)))
    ctx.builder.add_linear((*selected, *r_1, *r_2), [claim])
    maximum, sigma, table = found
    ctx.fills.append(
        SoftmaxFill(op, shape, maximum, e, sigma, iota, iota_digits, below, above, table)
    )
    return iota
