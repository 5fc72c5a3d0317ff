"""Matrix products (19) of committed matrices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest

from offchain.errors import ProofError
from offchain.prove.paper.conversation import Challenger, ProverEnd, VerifierEnd, fiat_shamir
from offchain.prove.paper.evaluation import Table, commit_table
from offchain.prove.paper.matmul import DEGREE, Shape, prove_product, verify_product
from tests.unit.prove.paper.support import (
    COINS,
    FORMS,
    StraightFacedEnd,
    assert_nothing_can_change,
    assert_refused,
    bound_by,
    draws,
    run,
)

SHAPE = Shape(1, 2, 1)
WHY_LAST = r"not X~\(u, r\)"


def multiply(shape: Shape, x: list[int], w: list[int]) -> list[int]:
    rows, inner, columns = 1 << shape.rows, 1 << shape.inner, 1 << shape.columns
    return [
        sum(x[i * inner + k] * w[k * columns + j] for k in range(inner))
        for i in range(rows)
        for j in range(columns)
    ]


def make(shape: Shape) -> tuple[Table, Table, Table]:
    random, draw = Random(6), draws(7)
    x = [random.randrange(-128, 128) for _ in range(1 << shape.rows + shape.inner)]
    w = [random.randrange(-128, 128) for _ in range(1 << shape.inner + shape.columns)]
    y = multiply(shape, x, w)
    return commit_table(x, draw), commit_table(w, draw), commit_table(y, draw)


def commit_changed(table: Table, cell: int = 0) -> Table:
    """The same table but for one cell, with a commitment of its own."""
    values = list(table.values)
    values[cell] += 1
    return commit_table(values, draws(8))


def prove(end: ProverEnd, tables: tuple[Table, Table, Table], shape: Shape = SHAPE) -> None:
    prove_product(end, shape, tables, draws(9))


def check(end: VerifierEnd, tables: tuple[Table, Table, Table], shape: Shape = SHAPE) -> None:
    x, w, y = (t.commitment for t in tables)
    verify_product(end, shape, (x, w, y))


def seat(challenger: Challenger) -> ProverEnd:
    return StraightFacedEnd(challenger, DEGREE + 1, [SHAPE.inner])


@pytest.mark.parametrize(
    "shape", [Shape(0, 0, 0), Shape(0, 3, 0), Shape(2, 0, 1), SHAPE, Shape(2, 3, 2)]
)
@FORMS
def test_equation_19__true_product__is_accepted(form: str, shape: Shape) -> None:
    tables = make(shape)
    run(form, lambda end: prove(end, tables, shape), lambda end: check(end, tables, shape))


@pytest.mark.parametrize("which", [0, 1, 2])
@FORMS
def test_equation_19__product_of_wrong_matrix__is_refused(form: str, which: int) -> None:
    tables = list(make(SHAPE))
    tables[which] = commit_changed(tables[which])
    x, w, y = tables
    assert_refused(
        form, lambda end: prove(end, (x, w, y)), lambda end: check(end, (x, w, y)), "round 0"
    )
    assert_refused(
        form, lambda end: prove(end, (x, w, y)), lambda end: check(end, (x, w, y)), WHY_LAST, seat
    )


@FORMS
def test_equation_19__zero_rounds_and_a_wrong_product__is_refused(form: str) -> None:
    shape = Shape(1, 0, 1)
    x, w, y = make(shape)
    tables = x, w, commit_changed(y)
    assert_refused(
        form,
        lambda end: prove(end, tables, shape),
        lambda end: check(end, tables, shape),
        WHY_LAST,
    )


@pytest.mark.parametrize("which", [0, 1, 2])
@FORMS
def test_equation_19__product_of_matrices_that_were_not_committed__is_refused(
    form: str, which: int
) -> None:
    """Sum-check and values are those of a true product; one commitment holds another matrix."""
    used = make(SHAPE)
    stated = list(used)
    wrong = commit_changed(used[which])
    stated[which] = replace(used[which], blindings=wrong.blindings, commitment=wrong.commitment)
    x, w, y = stated
    assert_refused(
        form, lambda end: prove(end, (x, w, y)), lambda end: check(end, (x, w, y)), "not open"
    )


@FORMS
def test_equation_19__errors_that_cancel_in_the_sum_of_cells__are_refused(form: str) -> None:
    x, w, y = make(SHAPE)
    a, b, *rest = y.values
    tables = x, w, commit_table([a + 1, b - 1, *rest], draws(8))
    assert_refused(
        form, lambda end: prove(end, tables), lambda end: check(end, tables), WHY_LAST, seat
    )


class SplittingEnd(ProverEnd):
    """Sends two last values whose product is what it must be, and which are not the factors'."""

    def send_scalars(self, scalars: Iterable[int]) -> None:
        values = list(scalars)
        if len(values) == 2 and values[0]:
            values = [1, values[0] * values[1]]
        super().send_scalars(values)


@FORMS
def test_equation_19__right_product_of_wrong_last_values__is_refused(form: str) -> None:
    tables = make(SHAPE)
    assert_refused(
        form,
        lambda end: prove(end, tables),
        lambda end: check(end, tables),
        "linear form|not open",
        SplittingEnd,
    )


def test_equation_19__wrong_product_by_a_prover_who_foresees_the_coins__is_accepted() -> None:
    """The forgery of the tests above is a real one: only unknown coins stand in its way."""
    x, w, y = make(SHAPE)
    tables = x, w, commit_changed(y)
    coins = draws(COINS)
    foreseen = [coins() for _ in range(SHAPE.rows + SHAPE.columns + 1)][-1]

    def prophet(challenger: Challenger) -> ProverEnd:
        return StraightFacedEnd(challenger, DEGREE + 1, [SHAPE.inner], root=foreseen)

    run("interactive", lambda end: prove(end, tables), lambda end: check(end, tables), prophet)
    assert_refused(
        "fiat-shamir",
        lambda end: prove(end, tables),
        lambda end: check(end, tables),
        WHY_LAST,
        prophet,
    )


def test_equation_19__matrix_of_another_size__is_refused() -> None:
    x, w, y = (t.commitment for t in make(SHAPE))
    with pytest.raises(ProofError, match=r"X has 2\^3 cells, not 2\^4"):
        verify_product(VerifierEnd(fiat_shamir(), []), Shape(2, 2, 1), (x, w, y))


def test_equation_19__every_part_of_the_statement__is_bound() -> None:
    tables = make(Shape(1, 1, 1))
    told = {bound_by(lambda end: check(end, tables, Shape(1, 1, 1)))}
    for which in range(3):
        x, w, y = (commit_changed(t) if k == which else t for k, t in enumerate(tables))
        told.add(bound_by(lambda end, t=(x, w, y): check(end, t, Shape(1, 1, 1))))
    assert len(told) == 4


def test_equation_19__any_change_of_a_message__is_refused() -> None:
    tables = make(SHAPE)
    messages = run("fiat-shamir", lambda end: prove(end, tables), lambda end: check(end, tables))
    assert_nothing_can_change(messages, lambda end: check(end, tables))
