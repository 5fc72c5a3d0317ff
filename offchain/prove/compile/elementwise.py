"""Lowering of sums and products of tensors cell by cell, and of sums over windows (LOWERING.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offchain.model.operators import Product, ReduceSum, Rotate, Sum
from offchain.prove.compile.builder import Phase, less_than, make_coefficient
from offchain.prove.compile.context import Activation, Context, scale_expression
from offchain.prove.compile.layout import Shape, SineSource
from offchain.prove.compile.points import (
    HALF,
    Coordinates,
    View,
    ceil_log2,
    count_variables,
    is_padded,
    take_axes,
)
from offchain.prove.compile.sums import Accumulated
from offchain.prove.program import FUNCTION_FACTOR, Expression, LinearTerm, Monomial, Source

Axes = Sequence[Coordinates]


@dataclass(frozen=True)
class Operand:
    """An operand broadcast to a result: its coordinates, and the axes that it lacks."""

    view: View
    axes: tuple[Coordinates, ...]
    lacking: tuple[int, ...]
    magnitude: int
    activation: Activation | None


def broadcast(ctx: Context, name: str, shape: Shape, z: Axes) -> Operand:
    """Return an activation or a weight as an operand of a result at coordinates z."""
    activation = None if ctx.is_weight(name) else ctx.read(name)
    view = ctx.weight(name) if activation is None else activation.view
    magnitude = ctx.weight_magnitude(name) if activation is None else activation.magnitude
    lead = len(shape) - len(view.shape)
    lacking = tuple(
        axis
        for axis, size in enumerate(shape)
        if size > 1 and (axis < lead or view.shape[axis - lead] == 1)
    )
    axes = tuple(() if lead + k in lacking else z[lead + k] for k in range(len(view.shape)))
    return Operand(view, axes, lacking, magnitude, activation)


def lower_sum(ctx: Context, op: Sum, z: Axes) -> Accumulated:
    """Claims on committed operands; values for those that are public, broadcast or known."""
    shape = ctx.shapes[op.name]
    known: list[Expression] = []
    terms: list[LinearTerm] = []
    bound = 0
    for name, coefficient in op.terms:
        operand = broadcast(ctx, name, shape, z)
        bound += abs(coefficient) * operand.magnitude
        if operand.activation is not None:
            ctx.require_zero_pads(op.name, operand.activation)
        point = operand.view.at(operand.axes)
        tensor = operand.view.tensor
        sent = ctx.is_public(operand.view) or ctx.builder.has_leaf(tensor, point)
        if operand.lacking or sent:
            slot = ctx.builder.add_slot(Phase.DIRECT, tensor, point)
            factors = less_than(
                [z[k] for k in operand.lacking], [shape[k] for k in operand.lacking]
            )
            known.append(scale_expression(coefficient, ctx.select(slot, factors)))
        else:
            terms.append(LinearTerm(make_coefficient(coefficient), tensor, point))
    expression = tuple(a for e in known for a in e)
    return Accumulated(expression, tuple(terms), count_variables(shape), bound)


def lower_product(ctx: Context, op: Product, _: Sequence[Coordinates]) -> Accumulated:
    """One product term; a broadcast operand leaves out the axes that it lacks."""
    shape = ctx.shapes[op.name]
    axes = take_axes(Source.PRODUCT, shape)
    a, b = (broadcast(ctx, name, shape, axes) for name in (op.a, op.b))
    _require_zero_product(ctx, op, shape, a, b)
    factors = tuple(ctx.slot(Phase.PRODUCT, x.view, x.axes) for x in (a, b))
    monomial = Monomial(make_coefficient(1), factors)
    return Accumulated((), (monomial,), count_variables(shape), a.magnitude * b.magnitude)


def _require_zero_product(ctx: Context, op: Product, shape: Shape, a: Operand, b: Operand) -> None:
    """In every padding cell one operand has to be 0: one that has all axes, else both."""
    if not any(map(is_padded, shape)):
        return
    full = [x for x in (a, b) if not x.lacking]
    if any(x.activation is None or not x.activation.zeros for x in full):
        return
    for x in full[:1]:
        if x.activation is not None:
            ctx.require_zero_pads(op.name, x.activation)


def lower_reduce_sum(ctx: Context, op: ReduceSum, z: Axes) -> Accumulated:
    """X with 1/2 at the summed bits, times 2 for each of them."""
    x = ctx.read(op.x)
    ctx.require_zero_pads(op.name, x)
    kept = iter(z)
    axes: list[Coordinates] = []
    summed = 0
    for size, window in zip(x.shape, op.windows, strict=True):
        spans = window == size and window != 1
        halves = ceil_log2(window)
        summed += halves
        axes.append((*(() if spans else next(kept)), *(HALF,) * halves))
    n = sum(map(len, z))
    bound = x.magnitude << summed
    if ctx.is_public(x.view):
        slot = ctx.slot(Phase.DIRECT, x.view, axes)
        return Accumulated(scale_expression(1 << summed, ctx.select(slot, ())), None, n, bound)
    term = LinearTerm(make_coefficient(1 << summed), x.view.tensor, x.view.at(axes))
    return Accumulated((), (term,), n, bound)


def lower_rotate(ctx: Context, op: Rotate, _: Sequence[Coordinates]) -> Accumulated:
    """X cos + x' sin', x' being x with the highest bit of the last axis flipped."""
    x = ctx.read(op.x)
    if any(map(is_padded, x.shape[1:])):
        ctx.require_zero_pads(op.name, x)
    axes = take_axes(Source.PRODUCT, x.shape)
    last = axes[-1]
    turned = (*axes[:-1], (replace(last[0], flip=True), *last[1:]))
    table = (x.shape[0], x.shape[-1])
    n = count_variables(table)
    cos = ctx.weight(op.cos)
    sine = View.whole(ctx.add_fixed(SineSource(op.sin, table), n), table)
    where = (axes[0], last)
    monomials = tuple(
        Monomial(
            make_coefficient(1),
            (ctx.slot(Phase.PRODUCT, x.view, at), ctx.slot(Phase.PRODUCT, weight, where)),
        )
        for at, weight in ((axes, cos), (turned, sine))
    )
    bound = x.magnitude * (ctx.weight_magnitude(op.cos) + ctx.weight_magnitude(op.sin))
    return Accumulated((), monomials, count_variables(x.shape), bound)


def function_factor(function: int) -> int:
    """Return a product's factor that is a public function."""
    return FUNCTION_FACTOR | function
