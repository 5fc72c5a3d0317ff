"""HyperKZG: open one multilinear polynomial at one point (proofs-spec.md 2.10)."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.errors import ProofError
from offchain.prove.reference.curve import G1, INFINITY, Point, add, combine, scale, verify_pairing
from offchain.prove.reference.field import R, inverse
from offchain.prove.reference.transcript import (
    TAG_OPEN_FOLDS,
    TAG_OPEN_QUOTIENTS,
    TAG_OPEN_VALUES,
    Receiver,
    Sender,
)
from offchain.prove.reference.univariate import divide_by_root, horner


def prove_opening(
    sender: Sender, srs: Sequence[Point], polynomial: Sequence[int], point: Sequence[int]
) -> None:
    """Open `polynomial` (2^len(point) evaluations, committed as coefficients) at `point`."""
    folds = [[v % R for v in polynomial]]
    for x in reversed(point[1:]):
        even, odd = folds[-1][::2], folds[-1][1::2]
        folds.append([(e + x * (o - e)) % R for e, o in zip(even, odd, strict=True)])
    sender.send_points(TAG_OPEN_FOLDS, [combine(srs, f) for f in folds[1:]])
    u = sender.challenge()
    points = (u, R - u, u * u % R)
    values = [horner(folds[0], points[2])]
    values += [horner(f, points[0]) for f in folds] + [horner(f, points[1]) for f in folds]
    sender.send_scalars(TAG_OPEN_VALUES, values)
    q = sender.challenge()
    batched = [0] * len(folds[0])
    for k, f in enumerate(folds):
        factor = pow(q, k, R)
        for i, v in enumerate(f):
            batched[i] = (batched[i] + factor * v) % R
    sender.send_points(
        TAG_OPEN_QUOTIENTS, [combine(srs, divide_by_root(batched, at)) for at in points]
    )
    sender.challenge()


def verify_opening(
    receiver: Receiver, commitment: Point, point: Sequence[int], value: int, tau_g2: bytes
) -> None:
    """Raise ProofError unless the committed polynomial is `value` at `point`."""
    length = len(point)
    folds = receiver.receive_points(TAG_OPEN_FOLDS, length - 1)
    u = receiver.challenge()
    if u == 0:
        raise ProofError("opening challenge is zero")
    sent = receiver.receive_scalars(TAG_OPEN_VALUES, 2 * length + 1)
    e, a, b = sent[0], sent[1 : length + 1], sent[length + 1 :]
    squares, half, half_over_u = [e], inverse(2), inverse(2 * u)
    for i in range(length):
        x = point[length - 1 - i]
        even, odd = (a[i] + b[i]) * half, (a[i] - b[i]) * half_over_u
        squares.append(((1 - x) * even + x * odd) % R)
    if squares.pop() != value:
        raise ProofError("the opening's folds do not end in the claimed value")
    q = receiver.challenge()
    quotients = receiver.receive_points(TAG_OPEN_QUOTIENTS, 3)
    d = receiver.challenge()
    powers = [pow(q, i, R) for i in range(length)]
    b_0, b_1, b_2 = (
        sum(f * v for f, v in zip(powers, column, strict=True)) for column in (a, b, squares)
    )
    batched = add(commitment, combine(folds, powers[1:]))
    left = combine(
        (batched, *quotients, G1),
        (1 + d + d * d, u, -d * u, d * d * u * u, -(b_0 + d * b_1 + d * d * b_2)),
    )
    right = INFINITY
    for quotient in reversed(quotients):
        right = add(scale(right, d), quotient)
    verify_pairing(left, right, tau_g2)
