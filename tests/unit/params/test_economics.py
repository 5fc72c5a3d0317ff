"""Conditions under which cheating does not pay, in exact fractions."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from offchain.errors import NoDetection
from offchain.params.economics import (
    BPS,
    detection_rate,
    is_challenge_paid,
    is_defence_paid,
    minimum_lock,
    minimum_slash,
    quorum_detection_rate,
)

FEE = 10**18


@pytest.mark.parametrize("rate", [0, -1, BPS + 1])
def test_minimum_slash__nobody_looks_or_more_than_surely__is_refused(rate: int) -> None:
    with pytest.raises(NoDetection):
        minimum_slash(1, 1, 1, rate)


def test_minimum_slash__of_the_design__is_21_fees() -> None:
    # protocol.md 3.9: p = 5 %, r = 10 %, V = 0 and V = 10 F.
    q = detection_rate(500)
    assert q == 450
    assert round(Fraction(minimum_slash(FEE, 0, FEE, q), FEE), 1) == Fraction("21.2")
    assert 233 <= minimum_slash(FEE, 10 * FEE, FEE, q) / FEE < 234
    # A.14: 35 fees are locked by default.
    assert 32 * FEE < minimum_lock(FEE, 0, FEE, q) < 35 * FEE


def gain(fee: int, insured: int, saved: int, q: Fraction, slash: int) -> Fraction:
    """Return what cheating earns more than honest work, on average."""
    return (1 - q) * (fee + insured) - q * slash - (fee - saved)


def test_minimum_slash__is_the_least_that_deters() -> None:
    draw = random.Random(9)
    for _ in range(500):
        fee, insured, saved = (draw.randrange(10**6) for _ in range(3))
        rate = draw.randrange(1, BPS + 1)
        q = Fraction(rate, BPS)
        slash = minimum_slash(fee, insured, saved, rate)
        assert gain(fee, insured, saved, q, slash) <= 0
        assert slash == 0 or gain(fee, insured, saved, q, slash - 1) > 0


def test_minimum_lock__what_an_accomplice_leaves__is_the_slash() -> None:
    draw = random.Random(10)
    for _ in range(200):
        fee, insured, rate = draw.randrange(10**9), draw.randrange(10**9), draw.randrange(1, BPS)
        slash, lock = minimum_slash(fee, insured, fee, rate), minimum_lock(fee, insured, fee, rate)
        assert 65 * lock >= 100 * slash
        assert lock == 0 or 65 * (lock - 1) < 100 * slash


def test_detection_rate__watchers__count_where_nobody_audits() -> None:
    assert detection_rate(0) == 0
    assert detection_rate(0, watch_bps=2_000) == 2_000
    assert detection_rate(5_000, collusion_bps=0, watch_bps=BPS) == BPS


def test_quorum_detection_rate__more_replicas__find_more() -> None:
    assert quorum_detection_rate(1, False, 5_000) == 0
    assert quorum_detection_rate(1, True, 5_000) == 4_500
    assert quorum_detection_rate(3, False, 0) == 9_900
    assert quorum_detection_rate(5, False, 0) == 9_999


def test_conditions__at_the_border() -> None:
    assert is_challenge_paid(100, 35) and not is_challenge_paid(100, 36)
    assert is_defence_paid(100, 80) and not is_defence_paid(100, 81)
