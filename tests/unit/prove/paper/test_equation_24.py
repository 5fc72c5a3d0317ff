"""ReLU by bits (24) of committed integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from offchain.errors import ProofError, WitnessError
from offchain.prove.paper.conversation import Challenger, ProverEnd, VerifierEnd, fiat_shamir
from offchain.prove.paper.evaluation import Table, commit_table
from offchain.prove.paper.relu import BITS, DEGREE, SIGN, decompose, prove_relu, verify_relu
from tests.unit.prove.paper.support import (
    FORMS,
    StraightFacedEnd,
    assert_nothing_can_change,
    assert_refused,
    bound_by,
    draws,
    run,
)

A = (-128, 127, 0, -1)
Y = (0, 127, 0, 0)
VARIABLES = 2
WHY = "not the relations' value"
Planes = list[list[int]]


def commit_all(a: Sequence[int], y: Sequence[int], planes: Planes) -> list[Table]:
    draw = draws(7)
    return [commit_table(values, draw) for values in (a, y, *planes)]


def prove(end: ProverEnd, tables: Sequence[Table]) -> None:
    prove_relu(end, tables[0], tables[1], tables[2:], draws(9))


def check(end: VerifierEnd, tables: Sequence[Table]) -> None:
    verify_relu(end, tables[0].commitment, tables[1].commitment)


def seat(challenger: Challenger) -> ProverEnd:
    return StraightFacedEnd(challenger, DEGREE + 1, [VARIABLES])


def assert_lie_refused(form: str, a: Sequence[int], y: Sequence[int], planes: Planes) -> None:
    """Refused both from a prover that follows the protocol and from one that bends its rounds."""
    tables = commit_all(a, y, planes)
    for chair, why in ((ProverEnd, "round 0"), (seat, WHY)):
        assert_refused(
            form, lambda end: prove(end, tables), lambda end: check(end, tables), why, chair
        )


@pytest.mark.parametrize(
    "a", [(5,), (-5,), A, (-128, -127, -64, -2, 1, 2, 64, 126)], ids=["1+", "1-", "4", "8"]
)
@FORMS
def test_equation_24__relu_of_small_integers__is_accepted(form: str, a: tuple[int, ...]) -> None:
    tables = commit_all(a, [max(v, 0) for v in a], decompose(a))
    run(form, lambda end: prove(end, tables), lambda end: check(end, tables))


def test_equation_24__every_int8__is_recomposed_from_its_bits() -> None:
    for value in range(-128, 128):
        bits = [plane[0] for plane in decompose([value])]
        assert -128 * bits[SIGN] + sum(bits[i] << i for i in range(SIGN)) == value
        assert (1 - bits[SIGN]) * value == max(value, 0)


@pytest.mark.parametrize("value", [-129, 128, 1 << 60])
def test_equation_24__value_with_more_than_8_bits__names_the_element(value: int) -> None:
    with pytest.raises(WitnessError, match=r"relu\[2\]"):
        decompose([0, 1, value])


@FORMS
def test_equation_24__negative_number_passed_through__is_refused(form: str) -> None:
    assert_lie_refused(form, A, (*Y[:3], -1), decompose(A))


@FORMS
def test_equation_24__sign_bit_of_another_number__is_refused(form: str) -> None:
    planes = decompose((*A[:3], 127))  # -1 but for its sign bit
    assert_lie_refused(form, A, (*Y[:3], -1), planes)


@FORMS
def test_equation_24__bits_that_are_not_bits__are_refused(form: str) -> None:
    planes = decompose((*A[:3], 0))
    planes[0][3] = -1  # recomposes -1 with a positive sign
    assert_lie_refused(form, A, (*Y[:3], -1), planes)


@pytest.mark.parametrize("plane", range(BITS))
@FORMS
def test_equation_24__two_for_a_bit__is_refused_in_every_plane(form: str, plane: int) -> None:
    """Recomposition and sign agree with it, so that b^2 = b alone is violated."""
    planes = decompose((0, 0, 0, 0))
    planes[plane][3] = 2
    value = -256 if plane == SIGN else 2 << plane
    assert_lie_refused(form, (0, 0, 0, value), (0, 0, 0, abs(value)), planes)


@FORMS
def test_equation_24__value_with_nine_bits__is_refused(form: str) -> None:
    planes = decompose((*A[:3], 0))
    planes[SIGN - 1][3] = 4  # 256
    assert_lie_refused(form, (*A[:3], 256), (*Y[:3], 256), planes)


@FORMS
def test_equation_24__two_errors_that_cancel__are_refused(form: str) -> None:
    assert_lie_refused(form, A, (Y[0] + 1, Y[1] - 1, *Y[2:]), decompose(A))


@FORMS
def test_equation_24__zero_rounds_and_a_wrong_sign__is_refused(form: str) -> None:
    tables = commit_all((-5,), (-5,), decompose((-5,)))
    assert_refused(form, lambda end: prove(end, tables), lambda end: check(end, tables), WHY)


@pytest.mark.parametrize("which", [0, 1, 2 + SIGN])
@FORMS
def test_equation_24__values_that_were_not_committed__are_refused(form: str, which: int) -> None:
    """The sum-check runs over a true ReLU; one commitment holds another column."""
    tables = commit_all(A, Y, decompose(A))
    other = commit_table([v + 1 for v in tables[which].values], draws(8))
    tables[which] = replace(tables[which], blindings=other.blindings, commitment=other.commitment)
    assert_refused(form, lambda end: prove(end, tables), lambda end: check(end, tables), "not open")


def test_equation_24__columns_of_two_sizes__are_refused() -> None:
    a, y = commit_table(A, draws(7)), commit_table(Y[:2], draws(7))
    with pytest.raises(ProofError, match=r"a has 2\^2 cells and y has 2\^1"):
        verify_relu(VerifierEnd(fiat_shamir(), []), a.commitment, y.commitment)


def test_equation_24__both_columns__are_bound() -> None:
    a, y, other = (commit_table(v, draws(7)) for v in (A, Y, (1, 2, 3, 4)))
    pairs = ((a, y), (other, y), (a, other))
    assert len({bound_by(lambda end, p=p: check(end, p)) for p in pairs}) == 3


def test_equation_24__any_change_of_a_message__is_refused() -> None:
    tables = commit_all(A[:2], Y[:2], decompose(A[:2]))
    messages = run("fiat-shamir", lambda end: prove(end, tables), lambda end: check(end, tables))
    assert len(messages) == BITS + 1 + 1 + 3  # planes, one round, values, Algorithm 1
    assert_nothing_can_change(messages, lambda end: check(end, tables))
