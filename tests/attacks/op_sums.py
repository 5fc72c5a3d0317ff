"""Lies about products and sums: attention's products, gates, pooling, rotation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from offchain.prove.compile.layout import RequantFill
from offchain.prove.program import (
    Coefficient,
    Program,
    Residual,
    Segment,
    Slot,
    SlotKind,
    Source,
)
from offchain.prove.reference.transcript import (
    TAG_PRODUCT,
    TAG_PRODUCT_ROUND,
)
from tests.attacks import changes
from tests.attacks import frozen_claims as fc
from tests.attacks.attack import (
    CONTRACTION,
    FOLDS,
    NO_FOLDS,
    NO_PRODUCT,
    PAIRING,
    PRODUCT,
    RELATION,
    Attack,
    Model,
    following,
    forgetting,
    proving,
)
from tests.attacks.cheater import Tensors
from tests.attacks.op_requant import false_output
from tests.attacks.weakening import Change, altered, unabsorbed
from tests.attacks.witness import (
    cell_of,
    fill_of,
    key_at,
    last_requant,
    lie,
    rewrite,
    set_key,
)
from tests.vectors import operator_models as om
from tests.vectors.models import Array

# -------------------------------------------------------------------- other accumulators


def giving(acc: Callable[[Model], Array]) -> Callable[[Model], Tensors]:
    """Return the witness with another output accumulator."""
    return lie(lambda model, tensors: rewrite(model, tensors, acc(model)))


def value(model: Model, name: str) -> Array:
    """Return an activation of the honest execution."""
    return model.execution.values[name]


def honest_acc(model: Model) -> Array:
    """Return the output's accumulator."""
    return value(model, last_requant(model).op.x)


def other_share(model: Model) -> Array:
    """Let query head h read key head h mod 2 instead of h // 2."""
    high = value(model, "high")[[0, 1, 0, 1]]
    acc: Array = np.einsum("hid,hjd->hij", value(model, "low"), high)
    return acc


def other_sign(model: Model) -> Array:
    """Add the position instead of taking it off."""
    return honest_acc(model) + 6 * model.weights["p"]


def other_axis_sum(model: Model) -> Array:
    """Add the row's weights along the columns."""
    r = model.weights["r"]
    return honest_acc(model) + 5 * (r[:, None] - r)


def other_axis_product(model: Model) -> Array:
    """Multiply rows by the gate instead of columns."""
    return value(model, "s_q") * model.weights["g"][:3, None]


def rotated(model: Model, sign: int, turn: bool) -> Array:
    """Rotate by -angle (sign -1), or add a cell's own sine (no turn)."""
    x, cos, sin = value(model, "s_q"), model.weights["cos"], model.weights["sin"]
    signed = np.concatenate([-sin[:, :1], sin[:, 1:]], axis=1)
    partner = x[..., ::-1] if turn else x
    acc: Array = x * cos[:, None] + sign * partner * signed[:, None]
    return acc


def shift_both(first: tuple[int, ...], second: tuple[int, ...]) -> Callable[..., None]:
    """Return what adds 1 to one output and takes 1 off another, whichever way fits the table."""

    def change(model: Model, tensors: Tensors) -> None:
        fill = last_requant(model)
        cells = [cell_of(fill.shape, *place) for place in (first, second)]
        keys = [key_at(model, tensors, fill, cell) for cell in cells]
        step = 1 if keys[0] + 1 < 1 << fill.op.width and keys[1] else -1
        for cell, key, move in zip(cells, keys, (step, -step), strict=True):
            set_key(model, tensors, fill, cell, key + move)

    return change


def moved_inside_window(model: Model, tensors: Tensors) -> None:
    """Add 1 to a hidden cell and take 1 off its neighbour: their window's sum stays."""
    fill = fill_of(model, RequantFill, "s_q")
    first, second = (cell_of(fill.shape, 0, k, 0) for k in (2, 3))
    set_key(model, tensors, fill, first, key_at(model, tensors, fill, first) + 1)
    set_key(model, tensors, fill, second, key_at(model, tensors, fill, second) - 1)


def filled_pad(model: Model, tensors: Tensors) -> None:
    """Put a number into a padding row, which the sums then count."""
    fill = fill_of(model, RequantFill, "s_q")
    cell = cell_of(fill.shape, 3, 0)
    set_key(model, tensors, fill, cell, key_at(model, tensors, fill, cell) + 9)
    acc = honest_acc(model).copy()
    acc[0] += tensors[fill.y][cell]
    rewrite(model, tensors, acc)


# -------------------------------------------------------------------- other programs


def flipped_ties(_: Model) -> Change:
    """Sum over the other end of the batch axis."""

    def change(program: Program) -> Program:
        instances = [
            replace(
                i,
                ties=tuple(replace(t, segment=replace(t.segment, flip=True)) for t in i.ties),
            )
            for i in program.instances
        ]
        return replace(program, instances=tuple(instances))

    return change


def slot_at(model: Model, *point: Segment) -> int:
    """Return the slot of this point."""
    return next(k for k, s in enumerate(model.program.slots) if s.point == point)


def other_point(old: tuple[Segment, ...], new: tuple[Segment, ...]) -> Callable[[Model], Change]:
    """Return the program that reads a slot elsewhere."""
    return lambda model: changes.with_slot(
        slot_at(model, *old), lambda slot: replace(slot, point=new)
    )


def low_heads(model: Model) -> Change:
    """Read the key head of a query head's lowest bit."""
    program = model.program
    index = program.instances[0].b
    point = list(program.slots[index].point)
    at = next(k for k, s in enumerate(point) if s.source == Source.CONTRACTION)
    point[at] = replace(point[at], end=point[at].end - 1)
    return changes.with_slot(index, lambda slot: replace(slot, point=tuple(point)))


def opposite_terms(model: Model) -> Change:
    """Turn the sign of claimed terms."""

    def change(program: Program) -> Program:
        relations = [
            replace(
                r,
                terms=tuple(
                    replace(t, coefficient=Coefficient(-t.coefficient.a, t.coefficient.b))
                    for t in r.terms
                ),
            )
            for r in program.relations
        ]
        return replace(program, relations=tuple(relations))

    return change


def opposite_sine(_: Model) -> Change:
    """Turn the sign of the second product."""

    def change(program: Program) -> Program:
        (term,) = program.terms
        first, second = term.monomials
        a = second.coefficient
        second = replace(second, coefficient=Coefficient(-a.a, a.b))
        return replace(program, terms=(replace(term, monomials=(first, second)),))

    return change


def row_weights(model: Model) -> Change:
    """Read the row's weights, and the selector of the axis it lacks, along the other axis."""
    change = other_point((zeta(0, 2),), (zeta(2, 2),))(model)

    def changed(program: Program) -> Program:
        (factor,) = program.functions[0]
        functions = ((replace(factor, end=0),), *program.functions[1:])
        return change(replace(program, functions=functions))

    return changed


def zeta(end: int, length: int) -> Segment:
    """Return coordinates of zeta."""
    return Segment(Source.ZETA, end, length)


def at_point(
    model: Model, point: tuple[Segment, ...], moves: Callable[[Slot], Slot] = lambda slot: slot
) -> Change:
    """Take the output's identity at `point` instead of at its own suffix of zeta."""
    fill = last_requant(model)
    tensors = [fill.y, *fill.digits.tensors]

    def change(program: Program) -> Program:
        slots = [Slot(SlotKind.TENSOR, tensor, point) for tensor in tensors]
        read = [
            next(
                a.slot
                for r in program.relations
                for a in r.expression
                if a.slot < program.counts.total and program.slots[a.slot].tensor == tensor
            )
            for tensor in tensors
        ]
        program, added = changes.insert_direct(program, slots)
        names = dict(zip(read, added, strict=True))
        relations = list(program.relations)
        relations[-1] = replace(
            relations[-1],
            expression=tuple(
                replace(a, slot=names.get(a.slot, a.slot)) for a in relations[-1].expression
            ),
            terms=tuple(
                replace(t, point=(*(Segment(Source.HALF, 0, 1),) * fill_n(model, t.tensor),))
                for t in relations[-1].terms
            ),
        )
        program = replace(program, relations=tuple(relations))
        return replace(program, slots=tuple(map(moves, program.slots)))

    return change


def fill_n(model: Model, tensor: int) -> int:
    """Return the number of a tensor's variables."""
    return model.program.tensors[tensor].n


def at_diagonal(model: Model) -> Change:
    """Use the columns' coordinates for the rows, too: what reusing challenges per axis is."""

    def both_columns(slot: Slot) -> Slot:
        if slot.point[:1] == (zeta(2, 2),):
            return replace(slot, point=(zeta(0, 2), *slot.point[1:]))
        return slot

    return at_point(model, (zeta(0, 2), zeta(0, 2)), both_columns)


def at_half(model: Model) -> Change:
    """Sum over all cells without weighing them."""
    return at_point(model, (Segment(Source.HALF, 0, 1),) * 2)


def identity_dropped(model: Model) -> Change:
    """Forget the output's identity."""
    return changes.without_relation(len(model.program.relations) - 1)


def copy_unchecked(model: Model) -> Change:
    """Forget the identity of the hidden copy of the input."""
    tensor = fill_of(model, RequantFill, "s_q").digits.tensors[0]
    relation = changes.relation_of(model.program, Residual.NONE, tensor)
    return changes.without_relation(relation)


# -------------------------------------------------------------------- provers


class FalseFactor(fc.FalseOperand):
    """Send a false factor, with which the products end as they should."""

    phase = TAG_PRODUCT


class KnowsEtaBeforeFactors(fc.KnowsEta):
    """Send two false factors: the products end as they should, their batched claim is true."""

    phase = TAG_PRODUCT


ATTACKS: Final = (
    # ---- products of activations
    following(
        "wrong-head", 10, om.heads, giving(lambda m: honest_acc(m)[::-1]), flipped_ties,
        CONTRACTION,
    ),
    following("wrong-shared-head", 10, om.heads, giving(other_share), low_heads, PAIRING),
    forgetting(
        "antisymmetric-error", 3, om.square, lie(shift_both((0, 1), (1, 0))), at_diagonal,
        CONTRACTION,
    ),
    # ---- sums
    following("wrong-sign", 10, om.added, giving(other_sign), opposite_terms, PAIRING),
    following("wrong-broadcast", 10, om.added, giving(other_axis_sum), row_weights, FOLDS),
    forgetting(
        "cancelling-sums", 3, om.pooled, lie(shift_both((0, 0, 0), (1, 0, 0))), at_half, FOLDS
    ),
    forgetting(
        "moved-inside-window", 10, om.pooled, lie(moved_inside_window), copy_unchecked, RELATION
    ),
    forgetting("filled-sum-pad", 7, om.column_sums, lie(filled_pad), copy_unchecked, RELATION),
    # ---- products
    Attack(
        "false-product", 10, proving(lie(false_output)), *PRODUCT, NO_PRODUCT, om.gated,
        forgotten=lambda m: altered(m.key, identity_dropped(m)),
    ),
    Attack(
        "product-round-before-message", 10,
        proving(lie(false_output), fc.KnowsProductRound), *PRODUCT,
        partial(unabsorbed, TAG_PRODUCT_ROUND), om.gated,
    ),
    Attack(
        "false-factor", 2, proving(lie(false_output), FalseFactor), *FOLDS, NO_FOLDS, om.gated
    ),
    Attack(
        "eta-before-factors", 3, proving(lie(false_output), KnowsEtaBeforeFactors), *FOLDS,
        partial(unabsorbed, TAG_PRODUCT), om.rotary,
    ),
    following(
        "wrong-axis", 10, om.gated, giving(other_axis_product),
        other_point((Segment(Source.PRODUCT, 0, 2),), (Segment(Source.PRODUCT, 2, 2),)), PAIRING,
    ),
    following(
        "flipped-sign", 10, om.rotary, giving(lambda m: rotated(m, -1, True)), opposite_sine,
        PRODUCT,
    ),
    following(
        "unturned", 10, om.rotary, giving(lambda m: rotated(m, 1, False)),
        other_point(
            (Segment(Source.PRODUCT, 1, 2), Segment(Source.PRODUCT, 0, 1, True)),
            (Segment(Source.PRODUCT, 0, 3),),
        ),
        PAIRING,
    ),
)  # fmt: skip
