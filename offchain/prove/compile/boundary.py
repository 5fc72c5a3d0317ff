"""Committed inputs and outputs (form 1): ranges, padding cells, nothing else in their chunks."""

from __future__ import annotations

from offchain.errors import ProgramError
from offchain.model.operators import TensorSpec
from offchain.prove.compile.builder import Phase, atom, constant, less_than
from offchain.prove.compile.context import ALWAYS, Context, slot_atom
from offchain.prove.compile.layout import CommittedFill
from offchain.prove.compile.points import take_axes, take_suffix, to_point
from offchain.prove.compile.selections import force_zero_pads
from offchain.prove.program import Factor, FactorKind, Source


def check_committed(ctx: Context, spec: TensorSpec, tensor: int) -> None:
    """Require that a committed input lies in its range and is 0 in padding cells."""
    real = less_than(take_axes(Source.ZETA, spec.shape), spec.shape)
    numerator = ctx.numerator(real) if real else ALWAYS
    value = ctx.leaf(tensor, spec.shape)
    table = ctx.range_table(max(1, (spec.hi - spec.lo).bit_length()))
    for column in (
        (atom(1, value), *constant(-spec.lo)),
        (atom(-1, value), *constant(spec.hi)),
    ):
        ctx.look_up(spec.shape, table, [column], numerator)
    force_zero_pads(ctx, tensor, spec.shape)
    ctx.fills.append(CommittedFill(spec.name, spec.shape, tensor, spec.lo, spec.hi, table))


def clear_rest_of_chunks(ctx: Context, c: int, lam: int) -> dict[int, int]:
    """Require that nothing else is in the chunk of a small tensor that is alone in it.

    Returns the tensors that stand for whole chunks, and whose chunks they are.
    """
    builder = ctx.builder
    whole = {}
    alone = [k for k, t in enumerate(builder.tensors) if t.own_chunks and t.n < c]
    for tensor in alone:
        n = builder.tensors[tensor].n
        if c > lam:
            raise ProgramError(f"chunks of 2^{c} cells, but only {lam} coordinates to check them")
        chunk = builder.add_chunk(tensor, c)
        whole[chunk] = tensor
        point, inner = (to_point(take_suffix(Source.ZETA, [k])[0]) for k in (c, n))
        first = builder.add_function(Factor(FactorKind.LT, 1, n, c - n))
        builder.add_check(
            (
                *slot_atom(builder.add_slot(Phase.DIRECT, chunk, point)),
                atom(-1, builder.add_slot(Phase.DIRECT, tensor, inner), first),
            )
        )
    return whole
