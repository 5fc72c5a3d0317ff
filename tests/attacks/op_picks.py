"""Lies about gathers, embeddings, argmax and views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from offchain.prove.compile.layout import (
    ArgmaxFill,
    GatherFill,
    RequantFill,
)
from offchain.prove.program import NONE, Expression, Program, Residual, Segment, Source
from tests.attacks import changes
from tests.attacks.attack import (
    CONTRACTION,
    NO_CONTRACTION,
    NO_RANGE,
    OUTPUT_RANGE,
    PAIRING,
    PRODUCT,
    ROOT,
    Attack,
    Model,
    following,
    forgetting,
    proving,
)
from tests.attacks.cheater import Cheater, Tensors, Tokens
from tests.attacks.forgeries import submit
from tests.attacks.op_cells import table_of_counts
from tests.attacks.op_sums import giving, honest_acc, value
from tests.attacks.weakening import Change
from tests.attacks.witness import cut_digits, fill_of, lie, rewrite
from tests.vectors import operator_models as om

Lie = Callable[[Model, Tensors], None]

# -------------------------------------------------------------------- gather, embedding, argmax


def gather(model: Model) -> GatherFill:
    """Return the gather's tensors."""
    return fill_of(model, GatherFill)


def gathered(place: int, pick: Callable[[Model], int]) -> Lie:
    """Return the lie that a gathered cell is another number."""

    def change(model: Model, tensors: Tensors) -> None:
        fill = gather(model)
        tensors[fill.y][place] = pick(model)
        rewrite(model, tensors, tensors[fill.y])

    return change


def other_cell(model: Model) -> int:
    """The value of a cell that the index does not name."""
    return int(value(model, "s_q")[0, 2])


def full_pad(model: Model, tensors: Tensors) -> None:
    """Put a number into a padding cell; the output's rounding swallows it."""
    fill, last = gather(model), fill_of(model, RequantFill, "a_q")
    cell = len(tensors[fill.y]) - 1
    tensors[fill.y][cell] = 1
    half = (1 << last.op.s - 1) + last.op.m
    cut_digits(tensors, last.digits, cell, half)


def places_unnamed(model: Model) -> Change:
    """Leave the cell's number out."""
    number = table_of_counts(model.program, gather(model).counts)
    return changes.with_columns(number, lambda columns: ((), columns[1]))


def unlooked_cells(model: Model) -> Change:
    """Look (index, y) up nowhere."""
    program = model.program
    index = next(k for k in model.layout.fixed if program.tensors[k].n == 3)
    return changes.unlooked(index, gather(model).y)


def pads_unchecked(model: Model) -> Change:
    """Let the gather's padding cells be anything."""
    relation = changes.relation_of(model.program, Residual.PRODUCT, gather(model).y)
    return changes.without_relation(relation)


class OtherTokens(Cheater):
    """Prove another sentence's embedding."""

    def __init__(
        self, key: Any, statement_hash: bytes, tensors: Tensors, tokens: Tokens | None = None
    ) -> None:
        other = {k: [v[0] ^ 1, *v[1:]] for k, v in (tokens or {}).items()}
        super().__init__(key, statement_hash, tensors, other)


def other_token(model: Model) -> Any:
    """Embed another first token."""
    acc = honest_acc(model).copy()
    e, tokens = model.weights["e"], value(model, "x")
    acc[0] += e[tokens[0] ^ 1] - e[tokens[0]]
    return acc


def next_positions(model: Model) -> Any:
    """Add the position of the neighbour."""
    p = model.weights["p"]
    return honest_acc(model) + p[[1, 0, 3, 2]] - p


def turned_positions(model: Model) -> Change:
    """Turn the lowest bit of the position around."""
    index = model.program.relations[0].expression[-1].slot
    turned = (
        Segment(Source.ZETA, 3, 1),
        Segment(Source.ZETA, 2, 1, True),
        Segment(Source.ZETA, 0, 2),
    )
    return changes.with_slot(index, lambda slot: replace(slot, point=turned))


def chosen(index: int) -> Lie:
    """Return the lie that another element is the greatest."""

    def change(model: Model, tensors: Tensors) -> None:
        tensors[fill_of(model, ArgmaxFill).y][0] = index

    return change


def distances_unlooked(model: Model) -> Change:
    """Look x[y] - x[v] - [v < y] up nowhere."""

    def change(program: Program) -> Program:
        found = [k for k, b in enumerate(program.blocks) if len(_slots(b.columns[0])) == 2]
        return changes.with_blocks(program, found, lambda b: replace(b, numerator=()))

    return change


def ties_ignored(model: Model) -> Change:
    """Leave [v < y] out."""

    def change(program: Program) -> Program:
        found = [k for k, b in enumerate(program.blocks) if len(_slots(b.columns[0])) == 2]
        kept: Callable[[Expression], Expression] = lambda column: tuple(  # noqa: E731
            a for a in column if a.slot != NONE
        )
        return changes.with_blocks(
            program, found, lambda b: replace(b, columns=(kept(b.columns[0]),))
        )

    return change


def _slots(column: Expression) -> list[int]:
    return [a.slot for a in column if a.slot != NONE]


# -------------------------------------------------------------------- views


def viewed(model: Model, start: int, order: str) -> Any:
    """Multiply another slice, or one whose axes are in another order, by the weights."""
    x = value(model, "s_q")
    turned = np.einsum(f"abc->{order}", x)[start : start + 2]
    return turned.reshape(2, 4) @ model.weights["w"].T


def other_slice(model: Model) -> Change:
    """Read the other half of the sliced axis."""
    program = model.program
    index = program.instances[0].a
    point = tuple(
        replace(s, end=s.end ^ 1) if s.source == Source.BITS else s
        for s in program.slots[index].point
    )
    return changes.with_slot(index, lambda slot: replace(slot, point=point))


def other_order(model: Model) -> Change:
    """Read the two summed axes in the other order."""
    program = model.program
    index = program.instances[0].a
    point = tuple(
        replace(s, end=1 - s.end) if s.source == Source.CONTRACTION else s
        for s in program.slots[index].point
    )
    return changes.with_slot(index, lambda slot: replace(slot, point=point))


ATTACKS: Final = (
    following(
        "other-order", 7, om.viewed, giving(lambda m: viewed(m, 2, "bca")), other_order, PAIRING
    ),
    forgetting(
        "other-index", 7, om.gathered, lie(gathered(0, other_cell)), places_unnamed, ROOT
    ),
    forgetting(
        "value-of-no-cell", 4, om.gathered, lie(gathered(0, lambda _: 1)), unlooked_cells, ROOT
    ),
    forgetting(
        "full-gather-pad", 7, om.gathered, lie(full_pad), pads_unchecked, PRODUCT
    ),
    Attack(
        "other-token", 1, lambda m: submit(m, giving(other_token)(m), OtherTokens), *CONTRACTION,
        NO_CONTRACTION, om.embedded,
    ),
    following(
        "other-position", 10, om.embedded, giving(next_positions), turned_positions, PAIRING
    ),
    forgetting("second-largest", 6, om.argmax, lie(chosen(5)), distances_unlooked, ROOT),
    forgetting("higher-of-two-equal", 6, om.argmax, lie(chosen(4)), ties_ignored, ROOT),
    Attack(
        "beyond-the-vocabulary", 8, proving(lie(chosen(7))), *OUTPUT_RANGE, NO_RANGE,
        om.negative_logits,
    ),
    following(
        "other-slice", 7, om.viewed, giving(lambda m: viewed(m, 0, "bac")), other_slice, PAIRING
    ),
)  # fmt: skip
