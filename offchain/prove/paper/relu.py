"""Equation (24): y = max(a, 0) of committed 8-bit integers, by committed bits.

    a = -2^7 b_7 + sum_{i<7} 2^i b_i        two's complement
    b_i^2 = b_i                             for all i
    y = (1 - b_7) a                         b_7 is the sign

All ten relations are one sum-check: sum_x eq(tau, x) sum_j rho^j relation_j(x) = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from offchain.errors import ProofError, WitnessError
from offchain.prove.paper.conversation import Draw, ProverEnd, VerifierEnd
from offchain.prove.paper.evaluation import (
    Commitment,
    Table,
    commit_table,
    prove_evaluations,
    receive_commitment,
    verify_evaluations,
)
from offchain.prove.paper.sumcheck import prove_sum, verify_sum
from offchain.prove.reference.field import R, eq, eq_table

BITS: Final = 8
SIGN: Final = BITS - 1
WEIGHTS: Final = (*(1 << i for i in range(SIGN)), -(1 << SIGN))
DEGREE: Final = 3  # eq times a square


def decompose(a: Sequence[int]) -> list[list[int]]:
    """Return the bit planes b_0 .. b_7; raise WitnessError for the first value that is no int8."""
    for k, value in enumerate(a):
        if not -(1 << SIGN) <= value < 1 << SIGN:
            raise WitnessError("relu", k, f"{value} has more than {BITS} bits")
    return [[value >> i & 1 for value in a] for i in range(BITS)]


def commit_planes(a: Sequence[int], draw: Draw) -> list[Table]:
    """Commit to the bit planes of `a`."""
    return [commit_table(plane, draw) for plane in decompose(a)]


def prove_relu(end: ProverEnd, a: Table, y: Table, planes: Sequence[Table], draw: Draw) -> None:
    """Prove y = max(a, 0); `planes` commit to decompose(a)."""
    end.bind("relu", a.commitment.to_bytes(), y.commitment.to_bytes())
    for plane in planes:
        end.send_points(plane.commitment.rows)
    tau, rho = end.challenges(a.commitment.variables), end.challenge()
    tables = [a, y, *planes]
    point, values = prove_sum(
        end,
        [eq_table(tau), *(t.values for t in tables)],
        lambda v: v[0] * _relations(rho, v[1], v[2], v[3:]),
        DEGREE,
    )
    end.send_scalars(values[1:])
    prove_evaluations(end, tables, point, draw)


def verify_relu(end: VerifierEnd, a: Commitment, y: Commitment) -> None:
    """Raise ProofError unless y = max(a, 0) in every cell, with a between -128 and 127."""
    if a.variables != y.variables:
        raise ProofError(f"a has 2^{a.variables} cells and y has 2^{y.variables}")
    end.bind("relu", a.to_bytes(), y.to_bytes())
    planes = [receive_commitment(end, a.variables) for _ in range(BITS)]
    tau, rho = end.challenges(a.variables), end.challenge()
    point, claim = verify_sum(end, 0, a.variables, DEGREE)
    values = end.receive_scalars(2 + BITS)
    if eq(tau, point) * _relations(rho, values[0], values[1], values[2:]) % R != claim:
        raise ProofError("equation (24): the last claim is not the relations' value")
    verify_evaluations(end, [a, y, *planes], point, values)


def _relations(rho: int, a: int, y: int, b: Sequence[int]) -> int:
    """Return sum_j rho^j relation_j, which is 0 in every cell of an honest witness."""
    recomposed = sum(weight * bit for weight, bit in zip(WEIGHTS, b, strict=True))
    total = 0
    for relation in ((1 - b[SIGN]) * a - y, a - recomposed, *(bit * (bit - 1) for bit in b)):
        total = (total * rho + relation) % R
    return total
