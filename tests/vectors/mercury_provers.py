"""Provers of openings that a cheater can change, and that can open large polynomials.

They know tau of the development SRS and commit by one multiplication. What they commit to are
polynomials all the same: a multi-scalar multiplication would give the same points.
"""

from __future__ import annotations

from collections.abc import Sequence

from offchain.prove.reference.curve import G1, Point, scale
from offchain.prove.reference.field import R, eq_table, evaluate, inverse
from offchain.prove.reference.mercury import (
    Challenges,
    batch_factors,
    batch_quotient,
    cross_terms,
    divide_by_binomial,
    split,
)
from offchain.prove.reference.srs import INSECURE_TAU
from offchain.prove.reference.transcript import (
    TAG_MERCURY_CHECKS,
    TAG_MERCURY_DIVISION,
    TAG_MERCURY_LAST,
    TAG_MERCURY_QUOTIENTS,
    TAG_MERCURY_ROWS,
    TAG_MERCURY_VALUES,
    TAG_OPEN_FOLDS,
    TAG_OPEN_QUOTIENTS,
    TAG_OPEN_VALUES,
    Sender,
)
from offchain.prove.reference.univariate import combine_linear, divide_by_root, horner


def commit(polynomial: Sequence[int]) -> Point:
    """Return [polynomial(tau)]_1."""
    return scale(G1, horner(polynomial, INSECURE_TAU))


class MercuryProver:
    """Mercury's prover, step by step; a cheater overrides some of the steps."""

    h: list[int]
    g: list[int]
    q: list[int]
    s: list[int]
    d: list[int]
    t: list[int]
    w: list[int]
    values: list[int]
    challenges: Challenges
    z: int

    def __init__(self, polynomial: Sequence[int], point: Sequence[int], claim: int) -> None:
        self.f = [v % R for v in polynomial]
        self.point, self.claim = list(point), claim
        u_row, u_column = split(point)
        self.row_weights, self.column_weights = eq_table(u_row), eq_table(u_column)
        self.width = len(self.column_weights)

    def prove(self, sender: Sender) -> None:
        """Send the whole opening."""
        self.make_rows(sender)
        self.send(sender, TAG_MERCURY_ROWS, self.h)
        alpha = sender.challenge()
        self.make_division(sender, alpha)
        self.send(sender, TAG_MERCURY_DIVISION, self.q, self.g)
        gamma = sender.challenge()
        self.make_checks(sender, gamma)
        self.send(sender, TAG_MERCURY_CHECKS, self.s, self.d)
        self.challenges = Challenges(alpha, gamma, sender.challenge(), 0)
        self.make_values(sender)
        sender.send_scalars(TAG_MERCURY_VALUES, self.values)
        self.challenges = Challenges(alpha, gamma, self.challenges.zeta, sender.challenge())
        self.make_quotients(sender)
        self.send(sender, TAG_MERCURY_QUOTIENTS, self.t, self.w)
        self.z = sender.challenge()
        self.send(sender, TAG_MERCURY_LAST, self.make_last())
        sender.challenge()

    def send(self, sender: Sender, tag: int, *polynomials: Sequence[int]) -> None:
        """Send commitments as one message."""
        sender.send_points(tag, [commit(p) for p in polynomials])

    def rows(self) -> list[list[int]]:
        """Return the matrix."""
        return [self.f[k : k + self.width] for k in range(0, len(self.f), self.width)]

    def make_rows(self, sender: Sender) -> None:
        """Set h."""
        self.h = [dot(self.column_weights, row) for row in self.rows()]

    def make_division(self, sender: Sender, alpha: int) -> None:
        """Set q and g."""
        self.q, self.g = divide_by_binomial(self.rows(), alpha)

    def make_checks(self, sender: Sender, gamma: int) -> None:
        """Set s and d."""
        columns = cross_terms(*padded(self.g, self.column_weights))
        rows = cross_terms(*padded(self.h, self.row_weights))
        self.s = combine_linear((1, columns), (gamma, rows), (1, [0]))
        self.d = self.g[self.width - 1 :: -1]

    def make_values(self, sender: Sender) -> None:
        """Set the values at zeta and 1 / zeta."""
        points = (self.challenges.zeta, self.challenges.inverse_zeta)
        self.values = [horner(p, at) for p in (self.g, self.h, self.s) for at in points]

    def make_quotients(self, sender: Sender) -> None:
        """Set t and w."""
        c = self.challenges
        factor = c.alpha - pow(c.zeta, self.width, R)
        self.t = divide_by_root(combine_linear((1, self.f), (factor, self.q)), c.zeta)
        self.w = batch_quotient(self.h, self.g, self.s, self.d, c)

    def make_last(self) -> list[int]:
        """Return the last quotient."""
        polynomials = (self.h, self.g, self.s, self.d, self.w)
        terms = zip(batch_factors(self.challenges, self.z), polynomials, strict=True)
        return divide_by_root(combine_linear(*terms), self.z)


def dot(a: Sequence[int], b: Sequence[int]) -> int:
    """Return sum a_i b_i over the common length."""
    return sum(x * y for x, y in zip(a, b, strict=False)) % R


def padded(*polynomials: Sequence[int]) -> list[list[int]]:
    """Return the polynomials with zeros up to the longest."""
    size = max(map(len, polynomials))
    return [[*p, *([0] * (size - len(p)))] for p in polynomials]


class ProductProver(MercuryProver):
    """Opens f(X) = rows(X^B) columns(X) of any size in time of about its root.

    What is as long as f is committed to as the value at tau that it has: q and t are [value].
    """

    def __init__(self, rows: Sequence[int], columns: Sequence[int], point: Sequence[int]) -> None:
        super().__init__((), point, evaluate(rows, split(point)[0]))
        self.a, self.b = list(rows), list(columns)
        self.claim = self.claim * evaluate(columns, split(point)[1]) % R
        self.f_tau = product_value(rows, columns, INSECURE_TAU)

    def make_rows(self, sender: Sender) -> None:
        weight = dot(self.column_weights, self.b)
        self.h = [weight * v % R for v in self.a]

    def make_division(self, sender: Sender, alpha: int) -> None:
        value = horner(self.a, alpha)
        self.g = [value * v % R for v in self.b]
        binomial = pow(INSECURE_TAU, self.width, R) - alpha
        self.q = [(self.f_tau - horner(self.g, INSECURE_TAU)) * inverse(binomial) % R]

    def make_checks(self, sender: Sender, gamma: int) -> None:
        u_row, u_column = split(self.point)
        rows = fast_cross_terms(self.h, u_row)
        self.s = combine_linear((1, fast_cross_terms(self.g, u_column)), (gamma, rows), (1, [0]))
        self.d = self.g[::-1]

    def make_quotients(self, sender: Sender) -> None:
        c = self.challenges
        factor = pow(c.zeta, self.width, R) - c.alpha
        numerator = self.f_tau - factor * self.q[0] - self.values[0]
        self.t = [numerator * inverse(INSECURE_TAU - c.zeta) % R]
        self.w = batch_quotient(self.h, self.g, self.s, self.d, c)


def fast_cross_terms(a: Sequence[int], u: Sequence[int]) -> list[int]:
    """Return `cross_terms(a, eq_table(u))`: a(X) times the factors 1 - u_k + u_k X^(-2^k)."""
    middle = len(a) - 1
    product = [0] * middle + list(a)
    for k, x in enumerate(reversed(u)):
        shifted = product[1 << k :] + [0] * (1 << k)
        product = [(p + x * (q - p)) % R for p, q in zip(product, shifted, strict=True)]
    return [(product[middle + k] + product[middle - k]) % R for k in range(1, middle + 1)]


def product_value(rows: Sequence[int], columns: Sequence[int], at: int) -> int:
    """Return rows(at^B) columns(at)."""
    return horner(rows, pow(at, len(columns), R)) * horner(columns, at) % R


def prove_product_by_hyperkzg(
    sender: Sender, rows: Sequence[int], columns: Sequence[int], point: Sequence[int]
) -> None:
    """Open rows(X^B) columns(X) by HyperKZG: every fold is such a product again."""
    folds = [(list(rows), list(columns))]
    for x in reversed(point[1:]):
        a, b = folds[-1]
        folds.append((a, fold_last(b, x)) if len(b) > 1 else (fold_last(a, x), b))
    at_tau = [product_value(a, b, INSECURE_TAU) for a, b in folds]
    sender.send_points(TAG_OPEN_FOLDS, [scale(G1, v) for v in at_tau[1:]])
    u = sender.challenge()
    roots = (u, R - u, u * u % R)
    values = [[product_value(a, b, at) for a, b in folds] for at in roots]
    sender.send_scalars(TAG_OPEN_VALUES, [values[2][0], *values[0], *values[1]])
    q = sender.challenge()
    quotients = [
        (horner(at_tau, q) - horner(column, q)) * inverse(INSECURE_TAU - at)
        for column, at in zip(values, roots, strict=True)
    ]
    sender.send_points(TAG_OPEN_QUOTIENTS, [scale(G1, v) for v in quotients])


def fold_last(vector: Sequence[int], x: int) -> list[int]:
    """Bind the last variable."""
    return [(e + x * (o - e)) % R for e, o in zip(vector[::2], vector[1::2], strict=True)]
