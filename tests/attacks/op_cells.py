"""Lies about maxima and bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from offchain.prove.compile.layout import (
    MaxPoolFill,
    ReluBitsFill,
)
from offchain.prove.program import NONE, Program, Residual
from offchain.prove.reference.field import R, inverse
from tests.attacks import changes
from tests.attacks.attack import (
    PRODUCT,
    RELATION,
    ROOT,
    Model,
    forgetting,
)
from tests.attacks.cheater import Tensors
from tests.attacks.op_sums import value
from tests.attacks.weakening import Change
from tests.attacks.witness import fill_of, lie
from tests.vectors import operator_models as om

Lie = Callable[[Model, Tensors], None]

# -------------------------------------------------------------------- maxima


def pool(model: Model) -> MaxPoolFill:
    """Return the pooling's tensors."""
    return fill_of(model, MaxPoolFill)


def pooled(pick: Callable[[Model], tuple[int, int]]) -> Lie:
    """Return the lie that one window's maximum is another number."""

    def change(model: Model, tensors: Tensors) -> None:
        window, maximum = pick(model)
        tensors[pool(model).y][window] = maximum

    return change


def windows(model: Model) -> list[list[int]]:
    """Return the cells of every window."""
    x = value(model, "s_q")[..., 0]
    return [
        [int(v) for v in x[2 * h : 2 * h + 2, 2 * w : 2 * w + 2].reshape(-1)]
        for h, w in np.ndindex(2, 2)
    ]


def above_maximum(model: Model) -> tuple[int, int]:
    """One more than the maximum, where the table has room."""
    cells = windows(model)
    window = min(range(4), key=lambda k: max(cells[k]))
    return window, max(cells[window]) + 1


def of_another_window(model: Model) -> tuple[int, int]:
    """The greatest cell of all in the window with the least."""
    cells = windows(model)
    return min(range(4), key=lambda k: max(cells[k])), max(map(max, cells))


def below_maximum(model: Model) -> tuple[int, int]:
    """The second largest cell."""
    return 0, sorted(windows(model)[0])[-2]


def maximum_unattained(model: Model) -> Change:
    """Look (window, y) up nowhere."""

    def change(program: Program) -> Program:
        number = table_of_counts(program, pool(model).counts)
        found = [
            k
            for k, b in enumerate(program.blocks)
            if b.table_id == number and k != changes.table_block(program, number)
        ]
        return changes.with_blocks(program, found, lambda b: replace(b, numerator=()))

    return change


def windows_unnamed(model: Model) -> Change:
    """Leave the window's number out."""
    number = table_of_counts(model.program, pool(model).counts)
    return changes.with_columns(number, lambda columns: ((), columns[1]))


def cells_unbounded(model: Model) -> Change:
    """Look y - x up nowhere."""
    return changes.unlooked(pool(model).y, model.layout.views["s_q"].tensor)


def table_of_counts(program: Program, counts: int) -> int:
    """Return the table whose multiplicities are in this tensor."""
    return next(
        b.table_id
        for b in program.blocks
        if b.numerator
        and b.numerator[0].slot != NONE
        and program.slots[b.numerator[0].slot].tensor == counts
    )


# -------------------------------------------------------------------- bits


def bits_of(model: Model) -> ReluBitsFill:
    """Return the bits' tensors."""
    return fill_of(model, ReluBitsFill)


def positive(model: Model) -> int:
    """Return a cell above 64."""
    return next(k for k, v in enumerate(value(model, "s_q")) if v > 64)


def fraction_for_sign(model: Model, tensors: Tensors) -> None:
    """Spell x > 0 by the sign bit -x / 128 alone: y = x + x^2 / 128."""
    fill = bits_of(model)
    cell = 0
    x = int(value(model, "s_q")[cell])
    for b in fill.bits[:-1]:
        tensors[b][cell] = 0
    tensors[fill.bits[-1]][cell] = -x * inverse(128) % R
    tensors[fill.y][cell] = x + x * x // 128


def flipped_sign(model: Model, tensors: Tensors) -> None:
    """Say of a positive number that it is negative."""
    fill, cell = bits_of(model), positive(model)
    tensors[fill.bits[-1]][cell] = 1
    tensors[fill.y][cell] = 0


def absolute(model: Model, tensors: Tensors) -> None:
    """Let a negative number's absolute value pass."""
    fill = bits_of(model)
    cell = next(k for k, v in enumerate(value(model, "s_q")) if v < 0)
    tensors[fill.y][cell] = -int(value(model, "s_q")[cell])


def sign_not_boolean(model: Model) -> Change:
    """Do not check that the sign is a bit."""
    program, sign = model.program, bits_of(model).bits[-1]
    relation = next(
        k
        for k, r in enumerate(program.relations)
        if r.residual == Residual.PRODUCT
        and [program.slots[a.slot].tensor for a in r.expression] == [sign]
    )
    return changes.without_relation(relation)


def bits_unspelled(model: Model) -> Change:
    """Do not compare the bits with x."""
    relation = changes.relation_of(model.program, Residual.NONE, *bits_of(model).bits)
    return changes.without_relation(relation)


def sign_unused(model: Model) -> Change:
    """Do not compare y with x - b x."""
    return changes.without_relation(
        changes.relation_of(model.program, Residual.PRODUCT, bits_of(model).y)
    )


ATTACKS: Final = (
    forgetting(
        "above-the-maximum", 6, om.maxima, lie(pooled(above_maximum)), maximum_unattained, ROOT
    ),
    forgetting(
        "maximum-of-another-window", 6, om.maxima, lie(pooled(of_another_window)), windows_unnamed,
        ROOT,
    ),
    forgetting(
        "below-the-maximum", 6, om.maxima, lie(pooled(below_maximum)), cells_unbounded, ROOT
    ),
    forgetting("bit-not-boolean", 5, om.bitwise, lie(fraction_for_sign), sign_not_boolean, PRODUCT),
    forgetting(
        "flipped-sign-bit", 10, om.bitwise, lie(flipped_sign), bits_unspelled, RELATION
    ),
    forgetting("absolute-value", 10, om.bitwise, lie(absolute), sign_unused, PRODUCT),
)  # fmt: skip
