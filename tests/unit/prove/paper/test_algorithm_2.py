"""Algorithm 2: the sum-check protocol by itself, interactive and Fiat-Shamir."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

import pytest

from offchain.errors import ProofError
from offchain.prove.paper.conversation import (
    Challenger,
    Interactive,
    ProverEnd,
    VerifierEnd,
    verify_conversation,
)
from offchain.prove.paper.sumcheck import compute_round, interpolate, prove_sum, verify_sum
from offchain.prove.reference.field import R, evaluate, fold
from tests.unit.prove.paper.support import (
    COINS,
    FORMS,
    StraightFacedEnd,
    assert_nothing_can_change,
    assert_refused,
    draws,
    run,
)

DEGREE = 3
ROUNDS = 3


def cubic(v: Sequence[int]) -> int:
    return (v[0] * v[1] * v[2] + 5 * v[1] - v[2] * v[2] + 1) % R


def factors(variables: int) -> list[list[int]]:
    random = Random(variables)
    return [[random.randrange(R) for _ in range(1 << variables)] for _ in range(3)]


def true_sum(tables: Sequence[Sequence[int]]) -> int:
    return sum(cubic(values) for values in zip(*tables, strict=True)) % R


def prove(end: ProverEnd, claim: int, tables: Sequence[Sequence[int]]) -> None:
    end.bind("a sum")
    end.send_scalars([claim])
    prove_sum(end, tables, cubic, DEGREE)


def check(end: VerifierEnd, tables: Sequence[Sequence[int]]) -> None:
    """The verifier knows the factors, as the protocol's oracle."""
    end.bind("a sum")
    (claim,) = end.receive_scalars(1)
    rounds = len(tables[0]).bit_length() - 1
    point, left = verify_sum(end, claim, rounds, DEGREE)
    if cubic([evaluate(t, point) for t in tables]) != left:
        raise ProofError("the claim left is not g at the point")


@pytest.mark.parametrize("variables", range(5))
@FORMS
def test_algorithm_2__true_sum__is_accepted(form: str, variables: int) -> None:
    tables = factors(variables)
    messages = run(
        form, lambda end: prove(end, true_sum(tables), tables), lambda end: check(end, tables)
    )
    assert [len(m) // 32 for m in messages] == [1] + [DEGREE + 1] * variables


@FORMS
def test_algorithm_2__zero_rounds_and_a_wrong_value__is_refused(form: str) -> None:
    tables = factors(0)
    assert_refused(
        form,
        lambda end: prove(end, true_sum(tables) + 1, tables),
        lambda end: check(end, tables),
        "claim left",
    )


@FORMS
def test_algorithm_2__wrong_sum_and_honest_rounds__is_refused_in_the_first(form: str) -> None:
    tables = factors(ROUNDS)
    assert_refused(
        form,
        lambda end: prove(end, true_sum(tables) + 1, tables),
        lambda end: check(end, tables),
        "round 0",
    )


@FORMS
def test_algorithm_2__wrong_sum_that_no_round_contradicts__is_refused_at_the_end(form: str) -> None:
    tables = factors(ROUNDS)
    assert_refused(
        form,
        lambda end: prove(end, true_sum(tables) + 1, tables),
        lambda end: check(end, tables),
        "claim left",
        lambda challenger: StraightFacedEnd(challenger, DEGREE + 1, [ROUNDS]),
    )


def test_algorithm_2__wrong_sum_by_a_prover_who_foresees_the_coin__shows_why_coins_are_secret() -> (
    None
):
    tables = factors(ROUNDS)
    foreseen = draws(COINS)()

    def seat(challenger: Challenger) -> ProverEnd:
        return StraightFacedEnd(challenger, DEGREE + 1, [ROUNDS], root=foreseen)

    def lie(end: ProverEnd) -> None:
        prove(end, true_sum(tables) + 1, tables)

    run("interactive", lie, lambda end: check(end, tables), seat)
    assert_refused("fiat-shamir", lie, lambda end: check(end, tables), "claim left", seat)


class LaterRoundsEnd(ProverEnd):
    """Begins honestly and changes its factors before a later round."""

    def __init__(self, challenger: Challenger, changed: int) -> None:
        super().__init__(challenger)
        self.changed = changed
        self.sent = -1  # the claim comes first

    def send_scalars(self, scalars: Iterable[int]) -> None:
        values = list(scalars)
        if self.sent == self.changed:
            values[2] += 1  # s(0) and s(1) stay: only another polynomial
        self.sent += 1
        super().send_scalars(values)


@pytest.mark.parametrize(("changed", "why"), [(0, "round 1"), (1, "round 2"), (2, "claim left")])
@FORMS
def test_algorithm_2__another_polynomial_with_the_right_sum__is_refused_one_step_later(
    form: str, changed: int, why: str
) -> None:
    tables = factors(ROUNDS)
    assert_refused(
        form,
        lambda end: prove(end, true_sum(tables), tables),
        lambda end: check(end, tables),
        why,
        lambda challenger: LaterRoundsEnd(challenger, changed),
    )


@pytest.mark.parametrize("degree", [DEGREE - 1, DEGREE + 1, DEGREE + 5])
@FORMS
def test_algorithm_2__message_of_another_degree__is_refused(form: str, degree: int) -> None:
    """The sum is false; the rounds' polynomials interpolate it and the truth at degree - 2 places.

    With enough places one would be the challenge, which is why the degree is bounded.
    """
    tables = factors(ROUNDS)

    def lie(end: ProverEnd) -> None:
        end.bind("a sum")
        claim = true_sum(tables) + 1
        end.send_scalars([claim])
        bound = [list(t) for t in tables]
        for _ in range(ROUNDS):
            values = compute_round(bound, cubic, degree)
            values[0] += claim - values[0] - values[1]
            end.send_scalars(values)
            r = end.challenge()
            claim = interpolate(values, r)
            bound = [fold(t, r) for t in bound]

    assert_refused(form, lie, lambda end: check(end, tables), "message 1: .* bytes expected")


def test_algorithm_2__unbounded_degree__would_let_a_prover_cover_every_coin_of_a_small_set() -> (
    None
):
    """The degree's bound is what is tested: with coins below 8 and degree 9 a false sum passes."""
    tables = factors(1)
    claim, degree = true_sum(tables) + 1, 9
    live = Interactive(lambda: Random(5).randrange(2, 8))
    end = ProverEnd(live)
    values = compute_round(tables, cubic, degree)
    missing = claim - values[0] - values[1]
    values = [v + (missing if x == 0 else 0) for x, v in enumerate(values)]  # right at 1, 2, .., 9
    end.send_scalars(values)
    r = end.challenge()

    def verify(reader: VerifierEnd, allowed: int) -> None:
        point, left = verify_sum(reader, claim, 1, allowed)
        assert point == [r]
        assert left == cubic([evaluate(t, point) for t in tables])

    verify_conversation(live.replay(), end.messages, lambda reader: verify(reader, degree))
    with pytest.raises(ProofError, match="bytes expected"):
        verify_conversation(live.replay(), end.messages, lambda reader: verify(reader, DEGREE))


def test_algorithm_2__prover_who_stops_early__is_refused() -> None:
    tables = factors(ROUNDS)
    messages = run(
        "fiat-shamir",
        lambda end: prove(end, true_sum(tables), tables),
        lambda end: check(end, tables),
    )
    live = Interactive(draws(COINS))
    with pytest.raises(ProofError, match="ended before its last challenge"):
        verify_conversation(live.replay(), messages, lambda end: check(end, tables))


def test_algorithm_2__any_change_of_a_message__is_refused() -> None:
    tables = factors(ROUNDS)
    messages = run(
        "fiat-shamir",
        lambda end: prove(end, true_sum(tables), tables),
        lambda end: check(end, tables),
    )
    assert_nothing_can_change(messages, lambda end: check(end, tables))


def test_algorithm_2__interpolation__agrees_with_the_polynomial_at_other_places() -> None:
    def polynomial(x: int) -> int:
        return (7 * x**3 - 2 * x + 11) % R

    values = [polynomial(x) for x in range(4)]
    for x in (0, 3, 4, R - 1, 1 << 200):
        assert interpolate(values, x) == polynomial(x)
