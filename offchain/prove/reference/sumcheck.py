"""Sum-check rounds of degree 2, with and without the eq factor (proofs-spec.md 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offchain.prove.reference.field import R, eq_table, fold
from offchain.prove.reference.transcript import Receiver, Sender


@dataclass
class Product:
    """One instance of a plain batch: coefficient * sum_x a(x) b(x) = claim."""

    coefficient: int
    claim: int  # coefficient * sum
    a: list[int]
    b: list[int]

    @property
    def variables(self) -> int:
        """Number of variables that are not bound yet."""
        return len(self.a).bit_length() - 1


def prove_products(sender: Sender, tag: int, products: Sequence[Product], rounds: int) -> list[int]:
    """Run a plain batch and return the point; every product's a, b end as one value each."""
    point: list[int] = []
    for i in range(rounds):
        c_0 = c_2 = 0
        for p in products:
            if p.variables < rounds - i:  # it owns the last rounds and waits
                c_0 += p.claim << (rounds - 1 - i - p.variables)
                continue
            half = len(p.a) // 2
            for k in range(half):
                c_0 += p.coefficient * p.a[k] * p.b[k]
                c_2 += p.coefficient * (p.a[k + half] - p.a[k]) * (p.b[k + half] - p.b[k])
        sender.send_scalars(tag, (c_0, c_2))
        r = sender.challenge()
        for p in products:
            if p.variables == rounds - i:
                p.a, p.b = fold(p.a, r), fold(p.b, r)
        point.append(r)
    return point


def verify_products(receiver: Receiver, tag: int, claim: int, rounds: int) -> tuple[list[int], int]:
    """Return (point, final claim) of a plain batch of degree 2."""
    point = []
    for _ in range(rounds):
        c_0, c_2 = receiver.receive_scalars(tag, 2)
        c_1 = claim - 2 * c_0 - c_2
        r = receiver.challenge()
        claim = (c_0 + r * (c_1 + r * c_2)) % R
        point.append(r)
    return point, claim


def prove_eq(
    sender: Sender,
    tag: int,
    z: Sequence[int],
    columns: list[list[int]],
    coefficients: Callable[[Sequence[int], Sequence[int]], tuple[int, int, int]],
) -> tuple[list[int], list[list[int]]]:
    """Prove sum_x eq(z, x) g(columns(x)) for quadratic g; return the point and the folded columns.

    `coefficients(lo, hi)` gives g's coefficients (t_0, t_1, t_2) in X along lo + X (hi - lo).
    """
    point: list[int] = []
    for i in range(len(z)):
        weights = eq_table(z[i + 1 :])
        half = len(weights)
        t_1 = t_2 = 0
        for k, weight in enumerate(weights):
            lo = [column[k] for column in columns]
            hi = [column[k + half] for column in columns]
            _, linear, square = coefficients(lo, hi)
            t_1 += weight * linear
            t_2 += weight * square
        sender.send_scalars(tag, (t_1, t_2))
        r = sender.challenge()
        columns = [fold(column, r) for column in columns]
        point.append(r)
    return point, columns


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
