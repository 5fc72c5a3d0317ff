"""Equation (26): every committed f(x) is in a public table t, by logarithmic derivatives.

    sum_x 1 / (beta - f(x)) = sum_j m(j) / (beta - t(j))

m(j) counts how often t(j) occurs and is committed before beta is drawn. The inverses
A(x) = 1 / (beta - f(x)) and B(j) = 1 / (beta - t(j)) are committed after it. Each side is one
sum-check that adds up n A and shows A d = 1 in every cell (n: numerator, d: denominator):

    sum_x [ n(x) A(x) + rho eq(tau, x) (A(x) d(x) - 1) ] = s        with the same s on both sides
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from offchain.prove.reference.field import R, eq, eq_table, evaluate, inverse

DEGREE: Final = 3


def count(f: Sequence[int], table: Sequence[int]) -> list[int]:
    """Return the multiplicities m; raise WitnessError for the first value outside the table."""
    place = {value: j for j, value in reversed(list(enumerate(table)))}
    m = [0] * len(table)
    for k, value in enumerate(f):
        if value not in place:
            raise WitnessError("lookup", k, f"{value} is not in the table")
        m[place[value]] += 1
    return m


def prove_lookup(end: ProverEnd, f: Table, m: Table, table: Sequence[int], draw: Draw) -> None:
    """Prove that all values of f are in `table` (2^k values); `m` commits to count(f, table)."""
    _bind(end, f.commitment, table)
    end.send_points(m.commitment.rows)
    beta = end.challenge()
    differences = [(beta - value) % R for value in f.values]
    poles = [(beta - value) % R for value in table]
    a = commit_table([inverse(d) for d in differences], draw)
    b = commit_table([inverse(d) for d in poles], draw)
    end.send_points(a.commitment.rows)
    end.send_points(b.commitment.rows)
    end.send_scalars([sum(a.values)])
    _prove_side(end, (a, f), [1] * len(f.values), differences, draw)
    _prove_side(end, (b, m), m.values, poles, draw)


def verify_lookup(end: VerifierEnd, f: Commitment, table: Sequence[int]) -> None:
    """Raise ProofError unless all committed values of f are in `table` (2^k values)."""
    _bind(end, f, table)
    variables = len(table).bit_length() - 1
    m = receive_commitment(end, variables)
    beta = end.challenge()
    a, b = receive_commitment(end, f.variables), receive_commitment(end, variables)
    (total,) = end.receive_scalars(1)
    _verify_side(end, (a, f), total, lambda _, f_value: (1, beta - f_value))
    _verify_side(end, (b, m), total, lambda r, m_value: (m_value, beta - evaluate(table, r)))


def _prove_side(
    end: ProverEnd,
    tables: tuple[Table, Table],
    numerators: Sequence[int],
    denominators: Sequence[int],
    draw: Draw,
) -> None:
    """Prove one side; `tables` are the inverses and the other committed column."""
    tau, rho = end.challenges(tables[0].commitment.variables), end.challenge()
    factors = [eq_table(tau), numerators, tables[0].values, denominators]
    point, _ = prove_sum(end, factors, lambda v: _relation(rho, *v), DEGREE)
    end.send_scalars(evaluate(t.values, point) for t in tables)
    prove_evaluations(end, tables, point, draw)


def _verify_side(
    end: VerifierEnd,
    commitments: tuple[Commitment, Commitment],
    total: int,
    complete: Callable[[Sequence[int], int], tuple[int, int]],
) -> None:
    """Verify one side; `complete(point, other value)` gives numerator and denominator there."""
    variables = commitments[0].variables
    tau, rho = end.challenges(variables), end.challenge()
    point, claim = verify_sum(end, total, variables, DEGREE)
    inverted, other = end.receive_scalars(2)
    n, d = complete(point, other)
    if _relation(rho, eq(tau, point), n, inverted, d) != claim:
        raise ProofError("equation (26): the last claim is not the fractions' value")
    verify_evaluations(end, commitments, point, [inverted, other])


def _relation(rho: int, eq_value: int, n: int, inverted: int, d: int) -> int:
    return (n * inverted + rho * eq_value * (inverted * d - 1)) % R


def _bind(end: ProverEnd | VerifierEnd, f: Commitment, table: Sequence[int]) -> None:
    if len(table) < 1 or len(table) & (len(table) - 1):
        raise ProofError(f"a table of {len(table)} values is not a power of two")
    words = b"".join((value % R).to_bytes(32, "big") for value in table)
    end.bind("lookup", words, f.to_bytes())
