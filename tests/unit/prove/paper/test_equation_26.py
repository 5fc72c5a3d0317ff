"""Lookups by logarithmic derivatives (26) of committed values in a public table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from offchain.errors import ProofError, WitnessError
from offchain.prove.paper import lookup
from offchain.prove.paper.conversation import Challenger, ProverEnd, VerifierEnd, fiat_shamir
from offchain.prove.paper.evaluation import Table, commit_table
from offchain.prove.paper.lookup import DEGREE, count, prove_lookup, verify_lookup
from offchain.prove.reference.field import R, inverse
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

TABLE = (0, 1, 4, 9, 16, 25, -36, R - 49)
F = (4, 4, -36, 0)
OUTSIDE = (4, 4, -36, 5)
F_ROUNDS, TABLE_ROUNDS = 2, 3
WHY = "not the fractions' value"


def prove(end: ProverEnd, f: Table, m: Sequence[int], table: Sequence[int] = TABLE) -> None:
    prove_lookup(end, f, commit_table(m, draws(8)), table, draws(9))


def check(end: VerifierEnd, f: Table, table: Sequence[int] = TABLE) -> None:
    verify_lookup(end, f.commitment, table)


def seat(challenger: Challenger) -> ProverEnd:
    return StraightFacedEnd(challenger, DEGREE + 1, [F_ROUNDS, TABLE_ROUNDS])


def assert_lie_refused(form: str, f: Sequence[int], m: Sequence[int]) -> None:
    """Refused from a prover that follows the protocol and from one that bends its rounds."""
    committed = commit_table(f, draws(7))
    for chair, why in ((ProverEnd, "round 0"), (seat, WHY)):
        assert_refused(
            form,
            lambda end: prove(end, committed, m),
            lambda end: check(end, committed),
            why,
            chair,
        )


@pytest.mark.parametrize("f", [(16,), (9, 9), F, TABLE, (0,) * 16], ids=["1", "2", "4", "8", "16"])
@pytest.mark.parametrize("table", [TABLE, (*TABLE, 1, 1, 1, 1, 2, 3, 4, 5)], ids=["8", "16"])
@FORMS
def test_equation_26__values_of_the_table__are_accepted(
    form: str, f: tuple[int, ...], table: tuple[int, ...]
) -> None:
    committed, m = commit_table(f, draws(7)), count([v % R for v in f], [t % R for t in table])
    run(form, lambda end: prove(end, committed, m, table), lambda end: check(end, committed, table))


@FORMS
def test_equation_26__table_of_one_value__is_accepted_and_binds(form: str) -> None:
    good, bad = commit_table((3, 3), draws(7)), commit_table((3, 4), draws(7))
    run(form, lambda end: prove(end, good, [2], (3,)), lambda end: check(end, good, (3,)))
    assert_refused(
        form, lambda end: prove(end, bad, [2], (3,)), lambda end: check(end, bad, (3,)), WHY
    )


def test_equation_26__value_outside_the_table__names_the_element() -> None:
    with pytest.raises(WitnessError, match=r"lookup\[3\]: 5 is not in the table"):
        count(OUTSIDE, TABLE)


def test_equation_26__both_sides__are_equal_at_any_beta() -> None:
    beta, m = 123456789, count(F, TABLE)
    left = sum(inverse(beta - v) for v in F) % R
    right = sum(n * inverse(beta - t) for n, t in zip(m, TABLE, strict=True)) % R
    assert left == right
    assert left != sum(inverse(beta - v) for v in OUTSIDE) % R


@FORMS
def test_equation_26__value_outside_the_table_counted_at_another__is_refused(form: str) -> None:
    assert_lie_refused(form, OUTSIDE, count(F, TABLE))


@FORMS
def test_equation_26__value_outside_the_table_not_counted__is_refused(form: str) -> None:
    assert_lie_refused(form, OUTSIDE, count(F[:3], TABLE))


@FORMS
def test_equation_26__two_values_whose_sum_is_right__are_refused(form: str) -> None:
    assert_lie_refused(form, (3, 5, -36, 0), count(F, TABLE))


@FORMS
def test_equation_26__counts_of_other_values__are_refused(form: str) -> None:
    assert_lie_refused(form, F, [1, 1, 1, 0, 0, 0, 1, 0])


@FORMS
def test_equation_26__inverses_bent_until_the_sums_agree__are_refused(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sums agree because one committed inverse is none; the zero-check of A d = 1 tells."""
    honest, committed = commit_table(F, draws(7)), commit_table(OUTSIDE, draws(7))
    calls: list[Sequence[int]] = []

    def bend(values: Sequence[int], draw: object) -> Table:
        calls.append(values)
        if len(calls) == 1:  # A, whose last entry takes up the difference
            beta = (inverse(values[0]) + F[0]) % R
            values = [*values[:-1], inverse(beta - F[3])]
        return commit_table(values, draws(10))

    assert honest.values[:3] == committed.values[:3]
    m = commit_table(count(F, TABLE), draws(8))
    monkeypatch.setattr(lookup, "commit_table", bend)
    for chair, why in ((ProverEnd, "round 0"), (seat, WHY)):
        calls.clear()
        assert_refused(
            form,
            lambda end: prove_lookup(end, committed, m, TABLE, draws(9)),
            lambda end: check(end, committed),
            why,
            chair,
        )


def test_equation_26__counts_chosen_after_beta__pass_only_where_beta_was_foreseen() -> None:
    """With beta known, counts that are no numbers of times make the two sides equal."""
    committed = commit_table(OUTSIDE, draws(7))
    beta = draws(COINS)()
    wanted = sum(inverse(beta - v) for v in OUTSIDE) % R
    m = [0] * len(TABLE)
    m[1] = wanted * (beta - TABLE[1]) % R
    run("interactive", lambda end: prove(end, committed, m), lambda end: check(end, committed))
    assert_refused(
        "fiat-shamir",
        lambda end: prove(end, committed, m),
        lambda end: check(end, committed),
        "round 0",
    )


@FORMS
def test_equation_26__values_that_were_not_committed__are_refused(form: str) -> None:
    honest, other = commit_table(F, draws(7)), commit_table(OUTSIDE, draws(8))
    stated = replace(honest, blindings=other.blindings, commitment=other.commitment)
    assert_refused(
        form,
        lambda end: prove(end, stated, count(F, TABLE)),
        lambda end: check(end, stated),
        "not open",
    )


def test_equation_26__proof_for_another_table__is_refused() -> None:
    committed = commit_table(F, draws(7))
    messages = run(
        "fiat-shamir",
        lambda end: prove(end, committed, count(F, TABLE)),
        lambda end: check(end, committed),
    )
    with pytest.raises(ProofError):
        check(VerifierEnd(fiat_shamir(), messages), committed, (*TABLE[:-1], 77))


def test_equation_26__column_and_table__are_bound() -> None:
    f, other = commit_table(F, draws(7)), commit_table(OUTSIDE, draws(7))
    pairs = ((f, TABLE), (other, TABLE), (f, (*TABLE[:-1], 77)))
    assert len({bound_by(lambda end, p=p: check(end, *p)) for p in pairs}) == 3


@pytest.mark.parametrize("table", [(), (1, 2, 3)])
def test_equation_26__table_that_is_no_power_of_two__is_refused(table: tuple[int, ...]) -> None:
    committed = commit_table(F, draws(7))
    with pytest.raises(ProofError, match="not a power of two"):
        check(VerifierEnd(fiat_shamir(), []), committed, table)


def test_equation_26__any_change_of_a_message__is_refused() -> None:
    committed = commit_table(F[:2], draws(7))
    messages = run(
        "fiat-shamir",
        lambda end: prove(end, committed, count(F[:2], TABLE[:4]), TABLE[:4]),
        lambda end: check(end, committed, TABLE[:4]),
    )
    assert_nothing_can_change(messages, lambda end: check(end, committed, TABLE[:4]))
