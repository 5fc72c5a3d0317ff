"""Lowering of layer and rms normalization: a row's reciprocal root is unique (LOWERING.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from offchain.errors import ProgramError
from offchain.model.operators import Normalize
from offchain.prove.compile.builder import (
    Contraction,
    Phase,
    constant,
    less_than,
    make_coefficient,
    make_ties,
)
from offchain.prove.compile.context import Activation, Context, slot_atom, subtract
from offchain.prove.compile.layout import NormalizeFill, Shape
from offchain.prove.compile.points import (
    HALF,
    Coordinates,
    ceil_log2,
    count_variables,
    take_axes,
)
from offchain.prove.compile.sums import Accumulated
from offchain.prove.program import Expression, Monomial, Source

LANGUAGE_BITS: Final = 62  # (2 r + 1) S < 2^62 in every graph
MAX_FIELD_BITS: Final = 250  # r^2 S of any r and S in range (proofs-spec.md 20)


def lower_normalize(ctx: Context, op: Normalize, z: Sequence[Coordinates]) -> Accumulated:
    """Return m (n x - L) r gamma, or m x r gamma, and beta as a bias."""
    x = ctx.read(op.x)
    ctx.require_zero_pads(op.name, x)
    size, rows = x.shape[-1], x.shape[:-1]
    root = _add_rows(ctx, op, x, rows)
    axes = take_axes(Source.PRODUCT, x.shape)
    gamma = ctx.slot(Phase.PRODUCT, ctx.weight(op.gamma), axes[-1:])
    r = ctx.row_factor(root, rows, axes[:-1])
    cell = ctx.slot(Phase.PRODUCT, x.view, axes)
    layer = op.kind == "layer"
    monomials = [Monomial(make_coefficient(size if layer else 1), (cell, r, gamma))]
    if layer:
        halves = ceil_log2(size)
        mean = ctx.slot(Phase.PRODUCT, x.view, (*axes[:-1], (HALF,) * halves))
        monomials.append(Monomial(make_coefficient(-(1 << halves)), (mean, r, gamma)))
    known: Expression = ()
    if op.beta is not None:
        beta = ctx.slot(Phase.DIRECT, ctx.weight(op.beta), z[-1:])
        known = ctx.select(beta, less_than(z[:-1], rows))
    centred = x.magnitude * (2 * size if layer else 1)
    bound = (centred << (op.f + 1)) * ctx.weight_magnitude(op.gamma) + (1 << 31)
    return Accumulated(known, tuple(monomials), count_variables(x.shape), bound)


def _add_rows(ctx: Context, op: Normalize, x: Activation, rows: Shape) -> int:
    """Add S and r with r^2 S <= 2^(2f) < (r+1)^2 S; return r's tensor."""
    total, square = ctx.add_tensor(rows), ctx.add_tensor(rows)
    _define_total(ctx, op, x, rows, total)
    widths = _row_widths(ctx, op, x)
    root_digits, root = ctx.add_number(rows, widths[0])
    below, a = ctx.add_digits(rows, widths[1])
    above, b = ctx.add_digits(rows, widths[1])
    n = count_variables(rows)
    r, s, u = (ctx.factor(t, rows) for t in (root, total, square))
    one = make_coefficient(1)
    squared = slot_atom(ctx.direct(square, rows))
    limit = constant(1 << (2 * op.f))
    ctx.builder.add_product(squared, n, [Monomial(one, (r, r))])
    ctx.builder.add_product(subtract(limit, a), n, [Monomial(one, (u, s))])
    # b + 1 + 2^(2f) - S = U S + 2 r S
    sum_s = slot_atom(ctx.direct(total, rows), -1)
    ctx.builder.add_product(
        (*b, *constant(1), *limit, *sum_s),
        n,
        [Monomial(one, (u, s)), Monomial(make_coefficient(2), (r, s))],
    )
    ctx.fills.append(NormalizeFill(op, x.shape, total, root, square, root_digits, below, above))
    return root


def _define_total(ctx: Context, op: Normalize, x: Activation, rows: Shape, total: int) -> None:
    """S - epsilon = n Q - L^2 (layer) or Q (rms), Q the rows' sums of squares."""
    value = (*slot_atom(ctx.direct(total, rows)), *constant(-op.epsilon))
    if op.kind == "rms":
        ctx.builder.add_contraction(value, _squares(ctx, x, take_axes(Source.ZETA, rows)))
        return
    size, halves = x.shape[-1], ceil_log2(x.shape[-1])
    axes = take_axes(Source.PRODUCT, rows)
    squares = ctx.builder.add_virtual(Phase.PRODUCT)
    ctx.builder.prove_by_contraction(squares, _squares(ctx, x, axes))
    mean = ctx.slot(Phase.PRODUCT, x.view, (*axes, (HALF,) * halves))
    monomials = [
        Monomial(make_coefficient(size), (squares,)),
        Monomial(make_coefficient(-(1 << (2 * halves))), (mean, mean)),
    ]
    ctx.builder.add_product(value, count_variables(rows), monomials)


def _squares(ctx: Context, x: Activation, rows: Sequence[Coordinates]) -> Contraction:
    """Sum over cells of eq(rows, .) x x."""
    cells = take_axes(Source.CONTRACTION, x.shape)
    slot = ctx.slot(Phase.CONTRACTION, x.view, cells)
    fixed = tuple(c for axis in rows for c in axis)
    inner = len(cells[-1])
    return Contraction(inner + len(fixed), slot, slot, ties=make_ties(fixed, inner))


def _row_widths(
    ctx: Context, op: Normalize, x: Activation
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the digit widths of r and of a and b: 2^w_r > 2^f, 2^w > max (2 r + 1) S."""
    size = x.shape[-1]
    factor = size if op.kind == "layer" else 1
    largest = factor * size * x.magnitude**2 + op.epsilon
    # r <= 2^f / sqrt(S), so (2 r + 1) S <= 2^(f+1) sqrt(S) + S
    half_bits = (largest.bit_length() + 1) // 2
    bits = min(((1 << (op.f + 1 + half_bits)) + largest).bit_length(), LANGUAGE_BITS)
    roots, slacks = ctx.digit_widths(op.f + 1), ctx.digit_widths(bits)
    if 2 * (sum(roots) + 1) + largest.bit_length() >= MAX_FIELD_BITS:
        raise ProgramError("a row's sum of squares could wrap around the field")
    return roots, slacks
