"""Lies about rows: softmax and normalization."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from offchain.prove.compile.layout import NormalizeFill, SoftmaxFill
from offchain.prove.program import Program, Residual, SlotKind
from offchain.prove.reference.field import R, inverse
from offchain.prove.reference.transcript import TAG_PRODUCT
from tests.attacks import changes
from tests.attacks import frozen_claims as fc
from tests.attacks.attack import (
    CONTRACTION,
    FOLDS,
    NO_CONTRACTION,
    PRODUCT,
    ROOT,
    Attack,
    Model,
    following,
    forgetting,
    proving,
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


# -------------------------------------------------------------------- softmax


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


def reciprocal_unchecked(model: Model) -> Change:
    """Do not compare iota with the row's sum."""
    relation = changes.relation_of(model.program, Residual.PRODUCT, soft(model).below.tensors[0])
    return changes.without_relation(relation)


# -------------------------------------------------------------------- normalization


def norm(model: Model) -> NormalizeFill:
    """Return the normalization's tensors."""
    return fill_of(model, NormalizeFill)


def set_row(
    model: Model, tensors: Tensors, row: int, total: int, root: int, square: int | None = None
) -> None:
    """Take another S or r for a row, and whatever follows from them."""
    fill = norm(model)
    limit = 1 << (2 * fill.op.f)
    square = root * root % R if square is None else square
    tensors[fill.total][row], tensors[fill.root][row] = total, root
    tensors[fill.square][row] = square
    cut_digits(tensors, fill.root_digits, row, root)
    if root >= 1 << sum(fill.root_digits.widths):
        tensors[fill.root_digits.tensors[0]][row] = root
        for tensor in fill.root_digits.tensors[1:]:
            tensors[tensor][row] = 0
    cut_digits(tensors, fill.below, row, small(limit - square * total))
    cut_digits(tensors, fill.above, row, small(square * total + (2 * root + 1) * total - 1 - limit))
    acc: list[int] = []
    for other in range(len(tensors[fill.root])):  # what is a lie in other rows stays one
        acc += results(model, other, tensors[fill.root][other])
    rewrite(model, tensors, acc)


def results(model: Model, row: int, root: int) -> list[int]:
    """Return a row's accumulators for a root; no axis has padding cells."""
    fill = norm(model)
    x, gamma = model.execution.values["s_q"], model.weights["gamma"]
    beta = [0] * fill.shape[-1] if fill.op.beta is None else model.weights[fill.op.beta]
    n = fill.shape[-1] if fill.op.kind == "layer" else 1
    shift = int(x[row].sum()) if fill.op.kind == "layer" else 0
    return [
        small((n * int(x[row, k]) - shift) * root * int(gamma[k])) + int(beta[k])
        for k in range(fill.shape[-1])
    ]


def honest_row(model: Model, row: int) -> tuple[int, int]:
    """Return S and r."""
    step = model.execution.rows["a"]
    return int(step.total[row]), int(step.root[row])  # type: ignore[union-attr]


def other_root(step: int) -> Lie:
    """Return the lie that a row's root is another integer."""

    def change(model: Model, tensors: Tensors) -> None:
        total, root = honest_row(model, 1)
        set_row(model, tensors, 1, total, root + step)

    return change


def half_root(model: Model, tensors: Tensors) -> None:
    """Take r + 1/2, a root in the field whose remainders are in range."""
    total, root = honest_row(model, 0)
    set_row(model, tensors, 0, total, (root + inverse(2)) % R)


def with_totals(total: Callable[[Model, int], int]) -> Lie:
    """Return the lie that every row's S is another one, with its own root."""

    def change(model: Model, tensors: Tensors) -> None:
        for row in range(norm(model).shape[0]):
            value = total(model, row)
            root = 0
            while (root + 1) ** 2 * value <= 1 << (2 * norm(model).op.f):
                root += 1
            set_row(model, tensors, row, value, root)

    return change


def false_square(model: Model, tensors: Tensors) -> None:
    """Take r + 2 with the square of r."""
    total, root = honest_row(model, 1)
    set_row(model, tensors, 1, total, root + 2, root * root)


def without_epsilon(model: Model, row: int) -> int:
    """Return S without its epsilon."""
    return honest_row(model, row)[0] - norm(model).op.epsilon


def uncentred(model: Model, row: int) -> int:
    """Return n times the sum of squares, epsilon included."""
    x = model.execution.values["s_q"][row]
    return int(len(x) * (x * x).sum()) + norm(model).op.epsilon


def total_relation(model: Model, residual: Residual) -> int:
    """Return the relation that defines S."""
    fill = norm(model)
    program = model.program
    return next(
        k
        for k, r in enumerate(program.relations)
        if r.residual == residual
        and {program.slots[a.slot].tensor for a in r.expression if a.slot < program.counts.total}
        == {fill.total}
    )


def epsilon_forgotten(residual: Residual) -> Callable[[Model], Change]:
    """Leave epsilon out."""
    return lambda model: changes.without_constant(total_relation(model, residual))


def mean_forgotten(model: Model) -> Change:
    """Do not take off the square of the sum."""

    def change(program: Program) -> Program:
        place = changes.term_of(program, total_relation(model, Residual.PRODUCT))
        terms = list(program.terms)
        terms[place] = replace(terms[place], monomials=terms[place].monomials[:1])
        return replace(program, terms=tuple(terms))

    return change


def square_unchecked(model: Model) -> Change:
    """Do not compare U with r^2."""
    relation = next(
        k
        for k, r in enumerate(model.program.relations)
        if r.residual == Residual.PRODUCT
        and len(r.expression) == 1
        and model.program.slots[r.expression[0].slot].tensor == norm(model).square
    )
    return changes.without_relation(relation)


class FalseSquares(fc.FalseOperand):
    """Send a false sum of squares, with which the products end as they should."""

    phase = TAG_PRODUCT

    def last_operand(self, sent: Sequence[int]) -> int:
        """Take the virtual slot, which a contraction has to prove."""
        return next(i for i in sent if self.program.slots[i].kind == SlotKind.VIRTUAL)


ATTACKS: Final = (
    # ---- softmax
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
    # ---- normalization
    forgetting(
        "unranged-root", 6, om.half_root, lie(half_root),
        unranged(lambda m: norm(m).root_digits.tensors[0]), ROOT,
    ),
    forgetting(
        "root-too-large", 6, om.layer_norm, lie(other_root(1)),
        unranged(lambda m: norm(m).below.tensors[-1]), ROOT,
    ),
    forgetting(
        "root-too-small", 6, om.layer_norm, lie(other_root(-1)),
        unranged(lambda m: norm(m).above.tensors[-1]), ROOT,
    ),
    forgetting("false-square", 6, om.layer_norm, lie(false_square), square_unchecked, PRODUCT),
    forgetting(
        "no-epsilon", 6, om.layer_norm, lie(with_totals(without_epsilon)),
        epsilon_forgotten(Residual.PRODUCT), PRODUCT,
    ),
    forgetting(
        "no-epsilon-rms", 6, om.rms_norm, lie(with_totals(without_epsilon)),
        epsilon_forgotten(Residual.CONTRACTION), CONTRACTION,
    ),
    following(
        "uncentred", 10, om.layer_norm, lie(with_totals(uncentred)), mean_forgotten, PRODUCT
    ),
    Attack(
        "false-sum-of-squares", 10, proving(lie(with_totals(uncentred)), FalseSquares),
        *CONTRACTION, NO_CONTRACTION, om.layer_norm,
    ),
)  # fmt: skip
