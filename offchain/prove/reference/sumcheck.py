"""Sum-check batches with suffix alignment, plain and with the eq factor (proofs-spec.md 2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from offchain.prove.reference.field import R, eq_table, fold
from offchain.prove.reference.transcript import Receiver, Sender

Polynomial = list[int]  # coefficients, constant first


@dataclass
class Sum:
    """One instance of a batch: `claim` = sum_x of the sum of coefficient * product of columns.

    Columns are indices into `columns`, vectors of 2^variables values each.
    """

    coefficient: int  # in the batch
    claim: int
    variables: int
    columns: list[list[int]]
    monomials: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)

    def round_polynomial(self, weights: Sequence[int] | None) -> Polynomial:
        """Return the coefficients in X of the sum over all but the first variable."""
        half = 1 << (self.variables - 1)
        total: Polynomial = []
        for k in range(half):
            weight = 1 if weights is None else weights[k]
            lines = [(c[k], c[k + half] - c[k]) for c in self.columns]
            for coefficient, factors in self.monomials:
                product = [coefficient * weight % R]
                for index in factors:
                    product = _times(product, lines[index])
                total = _plus(total, product)
        return [c % R for c in total]

    def bind(self, r: int) -> None:
        """Bind the first variable."""
        self.columns = [fold(column, r) for column in self.columns]
        self.variables -= 1

    def value(self) -> int:
        """Return the summand once all variables are bound."""
        total = 0
        for coefficient, factors in self.monomials:
            product = coefficient
            for index in factors:
                product = product * self.columns[index][0] % R
            total += product
        return total % R


def _times(a: Polynomial, line: tuple[int, int]) -> Polynomial:
    result = [0] * (len(a) + 1)
    for k, value in enumerate(a):
        result[k] = (result[k] + value * line[0]) % R
        result[k + 1] = (result[k + 1] + value * line[1]) % R
    return result


def _plus(a: Polynomial, b: Polynomial) -> Polynomial:
    size = max(len(a), len(b))
    return [(a[k] if k < len(a) else 0) + (b[k] if k < len(b) else 0) for k in range(size)]


def _round(sums: Sequence[Sum], left: int, z: Sequence[int] | None) -> Polynomial:
    """Return the batch's round polynomial when `left` rounds are left, this one included."""
    weights = None if z is None else eq_table(z[len(z) - left + 1 :])
    total: Polynomial = [0]
    for s in sums:
        if s.variables == left:
            mine = s.round_polynomial(weights)
        elif z is None:
            mine = [s.claim << (left - 1 - s.variables)]
        else:
            mine = [s.claim]
        total = _plus(total, [s.coefficient * c for c in mine])
    return total


def prove_plain(
    sender: Sender, tag: int, sums: Sequence[Sum], rounds: int, degree: int = 2
) -> list[int]:
    """Run a plain batch and return the point; all columns end as one value each."""
    point: list[int] = []
    for left in range(rounds, 0, -1):
        total = _round(sums, left, None) + [0] * degree
        sender.send_scalars(tag, [total[0], *total[2 : degree + 1]])
        point.append(_bind_all(sender, sums, left))
    return point


def prove_eq(sender: Sender, tag: int, sums: Sequence[Sum], z: Sequence[int]) -> list[int]:
    """Run an eq batch of degree 2, each sum weighted by eq of its suffix of z; return the point."""
    point: list[int] = []
    for left in range(len(z), 0, -1):
        total = [*_round(sums, left, z), 0, 0]
        sender.send_scalars(tag, total[1:3])
        point.append(_bind_all(sender, sums, left))
    return point


def _bind_all(sender: Sender, sums: Sequence[Sum], left: int) -> int:
    r = sender.challenge()
    for s in sums:
        if s.variables == left:
            s.bind(r)
    return r


def verify_plain(
    receiver: Receiver, tag: int, claim: int, rounds: int, degree: int = 2
) -> tuple[list[int], int]:
    """Return (point, final claim) of a plain batch."""
    point = []
    for _ in range(rounds):
        c_0, *high = receiver.receive_scalars(tag, degree)
        c_1 = claim - 2 * c_0 - sum(high)
        r = receiver.challenge()
        claim = 0
        for c in reversed([c_0, c_1, *high]):
            claim = (claim * r + c) % R
        point.append(r)
    return point, claim


def verify_eq(receiver: Receiver, tag: int, z: Sequence[int], claim: int) -> tuple[list[int], int]:
    """Return (point, final claim g(point)) of an eq sum-check of degree 2; no eq factor remains."""
    point = []
    for z_i in z:
        t_1, t_2 = receiver.receive_scalars(tag, 2)
        t_0 = claim - z_i * (t_1 + t_2)
        r = receiver.challenge()
        claim = (t_0 + r * (t_1 + r * t_2)) % R
        point.append(r)
    return point, claim
