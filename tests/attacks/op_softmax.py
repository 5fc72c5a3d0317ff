"""Lies about softmax: its maximum, its mask, its reciprocal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from offchain.prove.compile.layout import SoftmaxFill
from offchain.prove.program import Program, Residual
from offchain.prove.reference.field import R, inverse
from tests.attacks import changes
from tests.attacks.attack import (
    FOLDS,
    PRODUCT,
    ROOT,
    Model,
    forgetting,
)
from tests.attacks.cheater import Tensors
from tests.attacks.weakening import Change
from tests.attacks.witness import cut_digits, fill_of, lie, rewrite
from tests.vectors import operator_models as om

Lie = Callable[[Model, Tensors], None]


def small(value: int) -> int:
    """Return a field element as the integer of least magnitude."""
    value %= R
    return value - R if value > R // 2 else value


def soft(model: Model) -> SoftmaxFill:
    """Return the softmax's tensors."""
    return fill_of(model, SoftmaxFill)


def set_maximum(model: Model, tensors: Tensors, row: int, maximum: int) -> None:
    """Take another maximum for a row, and the e that follow from it."""
    fill, x, table = soft(model), model.execution.values["s_q"], model.weights["t"]
    tensors[fill.maximum][row] = maximum
    columns = 1 << (fill.shape[-1] - 1).bit_length()
    for k in range(row + 1 if fill.op.causal else fill.shape[-1]):
        distance = maximum - int(x[row, k])
        tensors[fill.e][columns * row + k] = int(table[max(0, distance)])


def settle(
    model: Model,
    tensors: Tensors,
    iota: Mapping[int, int] | None = None,
    total: Mapping[int, int] | None = None,
) -> None:
    """Compute reciprocals, remainders and results from e; some rows' iota or sum is a lie."""
    fill = soft(model)
    columns = 1 << (fill.shape[-1] - 1).bit_length()
    acc: list[int] = []
    for row in range(len(tensors[fill.iota])):
        e = tensors[fill.e][columns * row : columns * (row + 1)]
        selected = int(row < fill.shape[-2])
        d = (total or {}).get(row, sum(e))
        default = (1 << fill.op.g) // d if d else 0
        value = (iota or {}).get(row, default)
        below = small((selected << fill.op.g) - value * d)
        tensors[fill.iota][row] = value
        cut_digits(tensors, fill.iota_digits, row, value)
        if value >= 1 << sum(fill.iota_digits.widths):  # no small integer: one digit holds it all
            tensors[fill.iota_digits.tensors[0]][row] = value
            for tensor in fill.iota_digits.tensors[1:]:
                tensors[tensor][row] = 0
        cut_digits(tensors, fill.below, row, below)
        cut_digits(tensors, fill.above, row, sum(e) - selected - below)
        acc += [small(v * value) for v in e]
    rewrite(model, tensors, acc)


def maximum_at(row: int, maximum: int) -> Lie:
    """Return the lie about one row's maximum."""

    def change(model: Model, tensors: Tensors) -> None:
        set_maximum(model, tensors, row, maximum)
        settle(model, tensors)

    return change


def unmasked(row: int, column: int, e: int) -> Lie:
    """Return the lie that a cell takes part that does not."""

    def change(model: Model, tensors: Tensors) -> None:
        fill = soft(model)
        tensors[fill.e][(row << (fill.shape[-1] - 1).bit_length()) + column] = e
        settle(model, tensors)

    return change


def reciprocal(row: int, step: int) -> Lie:
    """Return the lie that a row's reciprocal is another integer."""

    def change(model: Model, tensors: Tensors) -> None:
        honest = int(model.execution.rows["a"].iota[row])  # type: ignore[union-attr]
        settle(model, tensors, iota={row: honest + step})

    return change


def in_the_field(model: Model, tensors: Tensors) -> None:
    """Take the field's 2^g / D (proofs-spec.md 19): both remainders are in range."""
    fill = soft(model)
    total = sum(tensors[fill.e])
    settle(model, tensors, iota={0: (1 << fill.op.g) * inverse(total) % R})


def other_sum(model: Model, tensors: Tensors) -> None:
    """Take the reciprocal of a sum 100 too large; the remainders agree with one another."""
    fill = soft(model)
    honest = int(model.execution.rows["a"].total[1])
    settle(model, tensors, iota={1: (1 << fill.op.g) // (honest + 100)})
    below = (1 << fill.op.g) - tensors[fill.iota][1] * honest
    cut_digits(tensors, fill.below, 1, below)
    cut_digits(tensors, fill.above, 1, 0)


def other_rows_maximum(model: Model, tensors: Tensors) -> None:
    """Take the next row's maximum, which is larger."""
    fill = soft(model)
    set_maximum(model, tensors, 1, tensors[fill.maximum][0])
    settle(model, tensors)


# Programs that believe it.


def maximum_unattained(model: Model) -> Change:
    """Look (row, M) up nowhere."""
    return changes.unlooked(soft(model).maximum)


def masked_cells_count(model: Model) -> Change:
    """Leave the mask out of the cells among which the maximum is."""

    def change(program: Program) -> Program:
        (k,) = _gather_table(program, model)
        outside = 1 << 31

        def unmasked_key(block: Any) -> Any:
            key, cell = block.columns
            kept = tuple(a for a in key if abs(a.coefficient.value) != outside)
            return replace(block, columns=(kept, cell))

        return changes.with_blocks(program, [k], unmasked_key)

    return change


def rows_unnamed(model: Model) -> Change:
    """Leave the row's number out of the cells among which the maximum is."""
    program = model.program
    (k,) = _gather_table(program, model)
    return changes.with_columns(program.blocks[k].table_id, lambda columns: ((), columns[1]))


def _gather_table(program: Program, model: Model) -> list[int]:
    sigma = soft(model).sigma
    return [
        k
        for k, b in enumerate(program.blocks)
        if b.numerator and b.numerator[0].slot < program.counts.total
        and program.slots[b.numerator[0].slot].tensor == sigma
    ]  # fmt: skip


def distances_unlooked(model: Model) -> Change:
    """Look (M - x, e) up nowhere."""
    fill = soft(model)
    x = model.layout.views["s_q"].tensor
    return changes.unlooked(fill.maximum, x, fill.e)


def mask_unchecked(model: Model) -> Change:
    """Let cells that take no part be anything."""
    program = model.program
    relation = changes.relation_of(program, Residual.PRODUCT, soft(model).e)
    return changes.without_relation(relation)


def unranged(pick: Callable[[Model], int]) -> Callable[[Model], Change]:
    """Look a digit up nowhere."""
    return lambda model: changes.unlooked(pick(model))


def sum_unchecked(model: Model) -> Change:
    """Do not compare the remainders with the row's sum."""
    relation = changes.relation_of(model.program, Residual.LINEAR, soft(model).above.tensors[0])
    return changes.without_relation(relation)


ATTACKS: Final = (
    forgetting(
        "unranged-reciprocal", 6, om.unranged_reciprocal, lie(in_the_field),
        unranged(lambda m: soft(m).iota_digits.tensors[0]), ROOT,
    ),
    forgetting(
        "reciprocal-too-large", 6, om.causal, lie(reciprocal(1, 1)),
        unranged(lambda m: soft(m).below.tensors[-1]), ROOT,
    ),
    forgetting(
        "reciprocal-too-small", 6, om.causal, lie(reciprocal(1, -1)),
        unranged(lambda m: soft(m).above.tensors[-1]), ROOT,
    ),
    forgetting(
        "reciprocal-of-another-sum", 6, om.causal, lie(other_sum), sum_unchecked, FOLDS
    ),
    forgetting(
        "maximum-on-a-masked-cell", 7, om.causal, lie(maximum_at(0, 5)), masked_cells_count, ROOT
    ),
    forgetting(
        "maximum-on-a-padding-cell", 7, om.masked, lie(maximum_at(2, 0)), masked_cells_count, ROOT
    ),
    forgetting(
        "maximum-above-all-cells", 6, om.causal, lie(maximum_at(1, 3)), maximum_unattained, ROOT
    ),
    forgetting(
        "maximum-of-another-row", 6, om.masked, lie(other_rows_maximum), rows_unnamed, ROOT
    ),
    forgetting(
        "maximum-below-a-cell", 6, om.causal, lie(maximum_at(1, 1)), distances_unlooked, ROOT
    ),
    forgetting("unmasked-cell", 7, om.causal, lie(unmasked(0, 1, 100)), mask_unchecked, PRODUCT),
    forgetting(
        "unmasked-padding-cell", 7, om.masked, lie(unmasked(0, 3, 1)), mask_unchecked, PRODUCT
    ),
)  # fmt: skip
