"""Lies about normalization: a row's sum of squares and its reciprocal root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from offchain.prove.compile.layout import NormalizeFill
from offchain.prove.program import Program, Residual, SlotKind
from offchain.prove.reference.field import R, inverse
from offchain.prove.reference.transcript import TAG_PRODUCT
from tests.attacks import changes
from tests.attacks import frozen_claims as fc
from tests.attacks.attack import (
    CONTRACTION,
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
from tests.attacks.op_softmax import small, unranged
from tests.attacks.weakening import Change
from tests.attacks.witness import cut_digits, fill_of, lie, rewrite
from tests.vectors import operator_models as om

Lie = Callable[[Model, Tensors], None]


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
