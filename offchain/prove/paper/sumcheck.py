"""Algorithm 2: the sum-check protocol for sum over x in {0,1}^n of g(f_1(x), .., f_m(x)) = claim.

The f are multilinear, g is a polynomial of total degree d. Round i sends the polynomial
s_i(X) = sum over the unbound variables, with x_i = X, as its values at 0..d. The verifier checks
s_i(0) + s_i(1) = claim, draws r_i and goes on with the claim s_i(r_i). What is left is one claim
about the f at the point r.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offchain.errors import ProofError
from offchain.prove.paper.conversation import ProverEnd, VerifierEnd
from offchain.prove.reference.field import R, fold, inverse

Combination = Callable[[Sequence[int]], int]
"""g: takes one value of each factor, in their order."""


def prove_sum(
    end: ProverEnd, factors: Sequence[Sequence[int]], g: Combination, degree: int
) -> tuple[list[int], list[int]]:
    """Return (point, the factors' values there); factors have 2^n values each."""
    point, bound = [], [list(f) for f in factors]
    while len(bound[0]) > 1:
        end.send_scalars(compute_round(bound, g, degree))
        r = end.challenge()
        point.append(r)
        bound = [fold(f, r) for f in bound]
    return point, [f[0] for f in bound]


def compute_round(factors: Sequence[Sequence[int]], g: Combination, degree: int) -> list[int]:
    """Return s(0) .. s(degree) of the first unbound variable."""
    half = len(factors[0]) // 2
    return [
        sum(g([f[k] + x * (f[k + half] - f[k]) for f in factors]) for k in range(half)) % R
        for x in range(degree + 1)
    ]


def verify_sum(end: VerifierEnd, claim: int, rounds: int, degree: int) -> tuple[list[int], int]:
    """Return (point, the claim left there); raise ProofError naming the round that fails."""
    point: list[int] = []
    for i in range(rounds):
        values = end.receive_scalars(degree + 1)  # a message of a higher degree is longer
        if (values[0] + values[1] - claim) % R:
            raise ProofError(f"round {i}: s(0) + s(1) is not the claim")
        r = end.challenge()
        point.append(r)
        claim = interpolate(values, r)
    return point, claim % R


def interpolate(values: Sequence[int], x: int) -> int:
    """Return the value at x of the polynomial that takes values_k at k = 0, 1, .. (Lagrange)."""
    total = 0
    for k, value in enumerate(values):
        top, bottom = value, 1
        for j in range(len(values)):
            if j != k:
                top, bottom = top * (x - j) % R, bottom * (k - j)
        total += top * inverse(bottom)
    return total % R
