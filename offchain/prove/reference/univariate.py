"""Univariate polynomials over F as lists of coefficients, lowest degree first."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.prove.reference.field import R, inverse


def horner(polynomial: Sequence[int], at: int) -> int:
    """Return the polynomial's value."""
    value = 0
    for coefficient in reversed(polynomial):
        value = (value * at + coefficient) % R
    return value


def divide_by_root(polynomial: Sequence[int], root: int) -> list[int]:
    """Return the quotient of (f(X) - f(root)) by (X - root), as long as f; its last entry is 0."""
    quotient, carry = [0] * len(polynomial), 0
    for k in range(len(polynomial) - 1, 0, -1):
        carry = (polynomial[k] + root * carry) % R
        quotient[k - 1] = carry
    return quotient


def combine_linear(*terms: tuple[int, Sequence[int]]) -> list[int]:
    """Return sum factor_i f_i(X), as long as the longest."""
    total = [0] * max(len(polynomial) for _, polynomial in terms)
    for factor, polynomial in terms:
        for i, coefficient in enumerate(polynomial):
            total[i] = (total[i] + factor * coefficient) % R
    return total


def interpolate(values: Sequence[tuple[int, int]], at: int) -> int:
    """Return at `at` the polynomial of least degree through (x_i, y_i), the x_i distinct."""
    total = 0
    for i, (x, y) in enumerate(values):
        numerator, denominator = y, 1
        for k, (other, _) in enumerate(values):
            if k != i:
                numerator = numerator * (at - other) % R
                denominator = denominator * (x - other) % R
        total += numerator * inverse(denominator)
    return total % R
