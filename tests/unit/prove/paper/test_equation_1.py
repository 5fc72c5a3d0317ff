"""Pedersen commitments (1) and the evaluation of committed tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from py_ecc.optimized_bn128 import FQ
from py_ecc.optimized_bn128 import add as py_add
from py_ecc.optimized_bn128 import multiply as py_multiply
from py_ecc.optimized_bn128 import normalize as py_normalize

from offchain.errors import ProofError, RangeError
from offchain.prove.paper.conversation import ProverEnd, VerifierEnd, fiat_shamir
from offchain.prove.paper.evaluation import (
    Commitment,
    commit_table,
    prove_evaluations,
    verify_evaluations,
)
from offchain.prove.paper.pedersen import H, U, commit, generators
from offchain.prove.reference.curve import INFINITY, Point, add, decode, encode, scale
from offchain.prove.reference.field import R, evaluate
from tests.unit.prove.paper.support import FORMS, assert_nothing_can_change, assert_refused, draws
from tests.unit.prove.paper.support import run as run_form

POINT = (5, 7, R - 2)
VALUES = (3, -1, 4, 1, -5, 9, 2, 6)


def to_py_ecc(point: Point) -> tuple[FQ, FQ, FQ]:
    x, y, z = point
    assert z == 1
    return FQ(x), FQ(y), FQ(1)


def test_equation_1__commitment__is_g_to_the_s_times_h_to_the_rho_in_another_library() -> None:
    values, rho = [7, R - 3, 0, 1 << 200], 12345
    expected = py_multiply(to_py_ecc(H), rho)
    for g, s in zip(generators(4), values, strict=True):
        expected = py_add(expected, py_multiply(to_py_ecc(g), s))
    x, y = py_normalize(expected)
    assert encode(commit(values, rho)) == int(x).to_bytes(32, "big") + int(y).to_bytes(32, "big")


def test_equation_1__generators__are_different_points_of_order_r_that_share_prefixes() -> None:
    points = [*generators(40), H, U]
    assert len({encode(p) for p in points}) == len(points)
    assert generators(40)[:7] == generators(7)
    for point in points:
        assert decode(encode(point)) == point
        assert add(scale(point, R - 1), point)[2] == INFINITY[2]


def test_equation_1__commitments__add_up_and_hide_behind_their_blinding() -> None:
    both = add(commit([1, 2], 3), commit([10, 20], 30))
    assert encode(both) == encode(commit([11, 22], 33))
    assert encode(commit([1, 2], 3)) != encode(commit([1, 2], 4))
    assert encode(commit([1, 2], 3)) != encode(commit([2, 1], 3))


@pytest.mark.parametrize("variables", range(5))
@FORMS
def test_evaluation__of_committed_tables__is_accepted(form: str, variables: int) -> None:
    draw = draws(2)
    tables = [commit_table([draw() for _ in range(1 << variables)], draw) for _ in range(3)]
    point = [draw() for _ in range(variables)]
    values = [evaluate(t.values, point) for t in tables]
    commitments = [t.commitment for t in tables]
    run_form(
        form,
        lambda end: prove_evaluations(end, tables, point, draw),
        lambda end: verify_evaluations(end, commitments, point, values),
    )


@FORMS
def test_evaluation__wrong_value__is_refused(form: str) -> None:
    table = commit_table(VALUES, draws(3))
    value = evaluate(VALUES, POINT)

    def verify(end: VerifierEnd) -> None:
        verify_evaluations(end, [table.commitment], POINT, [value + 1])

    assert_refused(
        form,
        lambda end: prove_evaluations(end, [table], POINT, draws(4)),
        verify,
        "linear form|not open",
    )


@FORMS
def test_evaluation__two_errors_that_cancel__are_refused(form: str) -> None:
    tables = [commit_table(VALUES, draws(3)), commit_table(VALUES[::-1], draws(5))]
    values = [evaluate(t.values, POINT) for t in tables]

    def verify(end: VerifierEnd) -> None:
        commitments = [t.commitment for t in tables]
        verify_evaluations(end, commitments, POINT, [values[0] + 1, values[1] - 1])

    assert_refused(
        form,
        lambda end: prove_evaluations(end, tables, POINT, draws(4)),
        verify,
        "linear form|not open",
    )


@FORMS
def test_evaluation__of_values_that_were_not_committed__is_refused(form: str) -> None:
    table = commit_table(VALUES, draws(3))
    changed = replace(table, values=(4, *VALUES[1:]))
    value = evaluate(changed.values, POINT)

    def verify(end: VerifierEnd) -> None:
        verify_evaluations(end, [table.commitment], POINT, [value])

    assert_refused(
        form, lambda end: prove_evaluations(end, [changed], POINT, draws(4)), verify, "not open"
    )


def test_evaluation__any_change_of_a_message__is_refused() -> None:
    table = commit_table(VALUES, draws(3))
    value = evaluate(VALUES, POINT)

    def verify(end: VerifierEnd) -> None:
        verify_evaluations(end, [table.commitment], POINT, [value])

    messages = run_form(
        "fiat-shamir", lambda end: prove_evaluations(end, [table], POINT, draws(4)), verify
    )
    assert_nothing_can_change(messages, verify)


def test_commitment__sizes_that_fit_nothing__are_refused() -> None:
    for values in ([], [1, 2, 3]):
        with pytest.raises(RangeError, match="power of two"):
            commit_table(values, draws(3))
    with pytest.raises(RangeError, match="rows"):
        Commitment(4, (H, U))


def test_conversation__scalar_that_is_not_canonical__is_refused() -> None:
    end = ProverEnd(fiat_shamir())
    end.send_scalars([R + 1])
    assert VerifierEnd(fiat_shamir(), end.messages).receive_scalars(1) == [1]
    with pytest.raises(ProofError, match="below the field modulus"):
        VerifierEnd(fiat_shamir(), [(R + 1).to_bytes(32, "big")]).receive_scalars(1)
