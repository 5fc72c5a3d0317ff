"""Equation (19): Y = X W of committed matrices, by one sum-check over the inner dimension.

For random u, v (Thaler): Y~(u, v) = sum over k of X~(u, k) W~(k, v). Matrices are row-major and
have powers of two of rows and columns; others are padded with zeros before they are committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from offchain.errors import ProofError
from offchain.prove.paper.conversation import Draw, ProverEnd, VerifierEnd
from offchain.prove.paper.evaluation import (
    Commitment,
    Table,
    prove_evaluations,
    verify_evaluations,
)
from offchain.prove.paper.sumcheck import prove_sum, verify_sum
from offchain.prove.reference.field import R, evaluate, fold

DEGREE: Final = 2


@dataclass(frozen=True)
class Shape:
    """(2^rows x 2^inner) @ (2^inner x 2^columns)."""

    rows: int
    inner: int
    columns: int


def prove_product(
    end: ProverEnd, shape: Shape, tables: tuple[Table, Table, Table], draw: Draw
) -> None:
    """Prove Y = X W for the tables (X, W, Y)."""
    x, w, y = tables
    _bind(end, shape, [t.commitment for t in tables])
    u, v = end.challenges(shape.rows), end.challenges(shape.columns)
    end.send_scalars([evaluate(y.values, [*u, *v])])
    x_u = list(x.values)
    for u_k in u:
        x_u = fold(x_u, u_k)
    width = 1 << shape.columns
    w_v = [evaluate(w.values[k : k + width], v) for k in range(0, len(w.values), width)]
    r, values = prove_sum(end, [x_u, w_v], _multiply, DEGREE)
    end.send_scalars(values)
    for table, point in zip(tables, ([*u, *r], [*r, *v], [*u, *v]), strict=True):
        prove_evaluations(end, [table], point, draw)


def verify_product(
    end: VerifierEnd, shape: Shape, commitments: tuple[Commitment, Commitment, Commitment]
) -> None:
    """Raise ProofError unless the commitments (X, W, Y) hold matrices with Y = X W."""
    _bind(end, shape, commitments)
    u, v = end.challenges(shape.rows), end.challenges(shape.columns)
    (y_value,) = end.receive_scalars(1)
    r, claim = verify_sum(end, y_value, shape.inner, DEGREE)
    x_value, w_value = end.receive_scalars(2)
    if _multiply([x_value, w_value]) != claim:
        raise ProofError("equation (19): the last claim is not X~(u, r) W~(r, v)")
    points = ([*u, *r], [*r, *v], [*u, *v])
    values = (x_value, w_value, y_value)
    for commitment, point, value in zip(commitments, points, values, strict=True):
        verify_evaluations(end, [commitment], point, [value])


def _multiply(values: Sequence[int]) -> int:
    return values[0] * values[1] % R


def _bind(end: ProverEnd | VerifierEnd, shape: Shape, commitments: Sequence[Commitment]) -> None:
    sizes = (shape.rows + shape.inner, shape.inner + shape.columns, shape.rows + shape.columns)
    for name, commitment, size in zip("XWY", commitments, sizes, strict=True):
        if commitment.variables != size:
            raise ProofError(f"{name} has 2^{commitment.variables} cells, not 2^{size}")
    dimensions = bytes((shape.rows, shape.inner, shape.columns))
    end.bind("matrix product", dimensions, *(c.to_bytes() for c in commitments))
