"""Mercury: open one multilinear polynomial at one point by 8 points and 6 scalars (OPENINGS.md 3).

Eagen, Gabizon, ePrint 2025/385; values of several polynomials at several points are opened together
after Boneh, Drake, Fisch, Gabizon, ePrint 2020/081, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from offchain.errors import ProofError
from offchain.prove.reference.curve import G1, Point, add, combine, scale, verify_pairing
from offchain.prove.reference.field import R, eq_table, inverse
from offchain.prove.reference.transcript import (
    TAG_MERCURY_CHECKS,
    TAG_MERCURY_DIVISION,
    TAG_MERCURY_LAST,
    TAG_MERCURY_QUOTIENTS,
    TAG_MERCURY_ROWS,
    TAG_MERCURY_VALUES,
    Receiver,
    Sender,
)
from offchain.prove.reference.univariate import (
    combine_linear,
    divide_by_root,
    horner,
    interpolate,
)

HALF: Final = inverse(2)


@dataclass(frozen=True)
class Challenges:
    """What the transcript answers before the quotients."""

    alpha: int  # the rows are one row at X^B = alpha
    gamma: int  # joins the two inner products
    zeta: int  # where the identities are checked
    beta: int  # joins the four opened polynomials

    @property
    def inverse_zeta(self) -> int:
        """1 / zeta."""
        return inverse(self.zeta)


def split(point: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the coordinates of the row, floor(c / 2), and of the column, ceil(c / 2)."""
    middle = len(point) // 2
    return list(point[:middle]), list(point[middle:])


def prove_opening(
    sender: Sender, srs: Sequence[Point], polynomial: Sequence[int], point: Sequence[int]
) -> None:
    """Open `polynomial` (2^len(point) evaluations, committed as coefficients) at `point`."""
    u_row, u_column = split(point)
    row_weights, column_weights = eq_table(u_row), eq_table(u_column)
    f, width = [v % R for v in polynomial], len(column_weights)
    rows = [f[k : k + width] for k in range(0, len(f), width)]

    h = [sum(w * v for w, v in zip(column_weights, row, strict=True)) % R for row in rows]
    sender.send_points(TAG_MERCURY_ROWS, [combine(srs, h)])
    alpha = sender.challenge()

    q, g = divide_by_binomial(rows, alpha)
    sender.send_points(TAG_MERCURY_DIVISION, [combine(srs, q), combine(srs, g)])
    gamma = sender.challenge()

    s = combine_linear(
        (1, cross_terms(g, column_weights)), (gamma, cross_terms(h, row_weights)), (1, [0])
    )
    d = g[::-1]
    sender.send_points(TAG_MERCURY_CHECKS, [combine(srs, s), combine(srs, d)])
    zeta = sender.challenge()
    require_distinct(alpha, zeta)

    inverse_zeta = inverse(zeta)
    values = [horner(p, at) for p in (g, h, s) for at in (zeta, inverse_zeta)]
    sender.send_scalars(TAG_MERCURY_VALUES, values)
    challenges = Challenges(alpha, gamma, zeta, sender.challenge())

    t = divide_by_root(combine_linear((1, f), (alpha - pow(zeta, width, R), q)), zeta)
    w = batch_quotient(h, g, s, d, challenges)
    sender.send_points(TAG_MERCURY_QUOTIENTS, [combine(srs, t), combine(srs, w)])
    z = sender.challenge()

    last = divide_by_root(
        combine_linear(*zip(batch_factors(challenges, z), (h, g, s, d, w), strict=True)), z
    )
    sender.send_points(TAG_MERCURY_LAST, [combine(srs, last)])
    sender.challenge()


def divide_by_binomial(rows: Sequence[Sequence[int]], alpha: int) -> tuple[list[int], list[int]]:
    """Return quotient and remainder of sum rows[k](X) X^(B k) by X^B - alpha, B = len(rows[0])."""
    quotients, carry = [], [0] * len(rows[0])
    for row in reversed(rows):
        carry = [(alpha * c + v) % R for c, v in zip(carry, row, strict=True)]
        quotients.append(carry)
    remainder = quotients.pop()
    return [v for quotient in reversed(quotients) for v in quotient], remainder


def cross_terms(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Return s with a(X) b(1/X) + a(1/X) b(X) = 2 <a, b> + X s(X) + s(1/X) / X."""
    return [
        sum(a[i + k] * b[i] + a[i] * b[i + k] for i in range(len(a) - k)) % R
        for k in range(1, len(a))
    ]


def require_distinct(alpha: int, zeta: int) -> None:
    """Raise ProofError unless zeta, 1 / zeta and alpha are three points."""
    if zeta * (zeta * zeta - 1) * (zeta - alpha) * (1 - alpha * zeta) % R == 0:
        raise ProofError("opening challenge is forbidden: zeta, 1 / zeta, alpha are not distinct")


def batch_quotient(
    h: Sequence[int], g: Sequence[int], s: Sequence[int], d: Sequence[int], c: Challenges
) -> list[int]:
    """Return sum beta^i (p_i - p_i*) / Z_i, Z_i the product of (X - x) over p_i's points."""
    # Quotients are linear and compose, so the common roots are divided out last.
    partial = combine_linear(
        (1, divide_by_root(h, c.alpha)), (c.beta, g), (c.beta * c.beta, s), (1, [0])
    )
    partial = divide_by_root(partial, c.inverse_zeta)
    return divide_by_root(combine_linear((1, partial), (c.beta**3, d)), c.zeta)


def batch_factors(c: Challenges, z: int) -> tuple[int, int, int, int, int]:
    """Return the factors of h, g, s, d and w in the equation at z: Z(z) / Z_i(z) beta^i; -Z(z)."""
    past_alpha = (z - c.alpha) % R
    past_pair = past_alpha * (z - c.inverse_zeta) % R
    return (
        1,
        c.beta * past_alpha % R,
        c.beta**2 * past_alpha % R,
        c.beta**3 * past_pair % R,
        -past_pair * (z - c.zeta) % R,
    )


def verify_opening(
    receiver: Receiver, commitment: Point, point: Sequence[int], value: int, tau_g2: bytes
) -> None:
    """Raise ProofError unless the committed polynomial is `value` at `point`."""
    width = 1 << len(split(point)[1])
    (h,) = receiver.receive_points(TAG_MERCURY_ROWS, 1)
    alpha = receiver.challenge()
    q, g = receiver.receive_points(TAG_MERCURY_DIVISION, 2)
    gamma = receiver.challenge()
    s, d = receiver.receive_points(TAG_MERCURY_CHECKS, 2)
    zeta = receiver.challenge()
    require_distinct(alpha, zeta)
    values = receiver.receive_scalars(TAG_MERCURY_VALUES, 6)
    challenges = Challenges(alpha, gamma, zeta, receiver.challenge())
    t, w = receiver.receive_points(TAG_MERCURY_QUOTIENTS, 2)
    z = receiver.challenge()
    (last,) = receiver.receive_points(TAG_MERCURY_LAST, 1)
    mix = receiver.challenge()

    h_alpha = row_value(point, value, values, challenges)
    d_zeta = reversed_value(width, values, challenges)
    starred = batch_value(values, h_alpha, d_zeta, challenges, z)
    left = combine(
        (commitment, q, t, h, g, s, d, w, last, G1),
        (
            mix,
            mix * (alpha - pow(zeta, width, R)),
            mix * zeta,
            *batch_factors(challenges, z),
            z,
            -mix * values[0] - starred,
        ),
    )
    verify_pairing(left, add(scale(t, mix), last), tau_g2)


def row_value(point: Sequence[int], value: int, values: Sequence[int], c: Challenges) -> int:
    """Return h(alpha) as the two inner products have it."""
    u_row, u_column = split(point)
    g_zeta, g_inverse, h_zeta, h_inverse, s_zeta, s_inverse = values
    columns = g_zeta * weight_value(u_column, c.inverse_zeta)
    columns += g_inverse * weight_value(u_column, c.zeta)
    rows = h_zeta * weight_value(u_row, c.inverse_zeta) + h_inverse * weight_value(u_row, c.zeta)
    cross = c.zeta * s_zeta + c.inverse_zeta * s_inverse
    return (columns + c.gamma * (rows - 2 * value) - cross) * HALF % R


def weight_value(u: Sequence[int], at: int) -> int:
    """Return sum eq(u, i) at^i = prod (1 - u_k + u_k at^(2^k)), the last coordinate's k being 0."""
    product, power = 1, at
    for coordinate in reversed(u):
        product = product * (1 - coordinate + coordinate * power) % R
        power = power * power % R
    return product


def reversed_value(width: int, values: Sequence[int], c: Challenges) -> int:
    """Return d(zeta) of d(X) = X^(B-1) g(1/X), which is a polynomial only if deg g < B."""
    return pow(c.zeta, width - 1, R) * values[1] % R


def batch_value(values: Sequence[int], h_alpha: int, d_zeta: int, c: Challenges, z: int) -> int:
    """Return sum beta^i Z(z) / Z_i(z) p_i*(z), p_i* being of the least degree with p_i's values."""
    g_pair, h_pair, s_pair = (
        [(c.zeta, values[k]), (c.inverse_zeta, values[k + 1])] for k in (0, 2, 4)
    )
    starred = (
        interpolate([*h_pair, (c.alpha, h_alpha)], z),
        interpolate(g_pair, z),
        interpolate(s_pair, z),
        d_zeta,
    )
    return sum(f * v for f, v in zip(batch_factors(c, z), starred, strict=False)) % R
