"""Evaluations of committed multilinear extensions: what joins sum-checks to commitments.

2^n values are committed as a matrix, one Pedersen commitment (1) a row (Hyrax). With
point = (p_row, p_column), f~(point) = <sum_i eq(p_row, i) row_i, eq(p_column, .)>: the verifier
adds up the rows' commitments itself, and Algorithm 1 shows the linear form of the combined row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.errors import RangeError
from offchain.prove.paper.conversation import Draw, ProverEnd, VerifierEnd
from offchain.prove.paper.opening import Opening, Statement, prove_opening, verify_opening
from offchain.prove.paper.pedersen import commit
from offchain.prove.reference.curve import Point, combine, encode
from offchain.prove.reference.field import R, eq_table


@dataclass(frozen=True)
class Commitment:
    """Row commitments of a table of 2^variables values: 2^(variables // 2) rows."""

    variables: int
    rows: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.rows) != count_rows(self.variables):
            raise RangeError(f"{len(self.rows)} rows commit to no table of 2^{self.variables}")

    def to_bytes(self) -> bytes:
        """Return what both ends bind a conversation to."""
        return b"".join(encode(row) for row in self.rows)


@dataclass(frozen=True)
class Table:
    """The prover's side of a commitment: the values, row by row, and the rows' blindings."""

    values: tuple[int, ...]
    blindings: tuple[int, ...]
    commitment: Commitment


def count_rows(variables: int) -> int:
    """Return the number of rows of a table of 2^variables values."""
    return 1 << variables // 2


def commit_table(values: Sequence[int], draw: Draw) -> Table:
    """Commit to 2^n values; raise RangeError for another number of them."""
    variables = len(values).bit_length() - 1
    if len(values) != 1 << max(variables, 0):
        raise RangeError(f"{len(values)} values are not a power of two")
    blindings = tuple(draw() for _ in range(count_rows(variables)))
    rows = zip(_split(values, len(blindings)), blindings, strict=True)
    commitments = tuple(commit(row, blinding) for row, blinding in rows)
    return Table(tuple(values), blindings, Commitment(variables, commitments))


def receive_commitment(end: VerifierEnd, variables: int) -> Commitment:
    """Read a commitment that the prover makes during the conversation."""
    return Commitment(variables, tuple(end.receive_points(count_rows(variables))))


def prove_evaluations(
    end: ProverEnd, tables: Sequence[Table], point: Sequence[int], draw: Draw
) -> None:
    """Show the values, sent before, of tables of one size at `point`, by one Algorithm 1."""
    gamma = end.challenge()
    weights, form = _weigh(point, len(tables), gamma)
    rows = [row for t in tables for row in _split(t.values, len(t.blindings))]
    combined = tuple(_dot(weights, column) for column in zip(*rows, strict=True))
    blinding = _dot(weights, [b for t in tables for b in t.blindings])
    commitment = combine([row for t in tables for row in t.commitment.rows], weights)
    statement = Statement(commitment, len(form), form, _dot(form, combined))
    prove_opening(end, statement, Opening(combined, blinding), draw)


def verify_evaluations(
    end: VerifierEnd,
    commitments: Sequence[Commitment],
    point: Sequence[int],
    values: Sequence[int],
) -> None:
    """Raise ProofError unless the committed tables take these values at `point`."""
    gamma = end.challenge()
    weights, form = _weigh(point, len(commitments), gamma)
    commitment = combine([row for c in commitments for row in c.rows], weights)
    value = _dot(_powers(gamma, len(values)), values)
    verify_opening(end, Statement(commitment, len(form), form, value))


def _weigh(point: Sequence[int], tables: int, gamma: int) -> tuple[list[int], tuple[int, ...]]:
    """Return the weight of every row of every table, and the form for columns."""
    split = len(point) // 2
    row_weights = eq_table(point[:split])
    weights = [power * w % R for power in _powers(gamma, tables) for w in row_weights]
    return weights, tuple(eq_table(point[split:]))


def _powers(gamma: int, count: int) -> list[int]:
    return [pow(gamma, k, R) for k in range(count)]


def _split(values: Sequence[int], rows: int) -> list[Sequence[int]]:
    width = len(values) // rows
    return [values[k : k + width] for k in range(0, len(values), width)]


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True)) % R
