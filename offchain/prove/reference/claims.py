"""Claims on committed tensors and their reduction to one opening (FORMAT.md 7.2 to 7.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from offchain.prove.program import NO_TENSOR, Instance, Operand, Program, RequantEntry, Source
from offchain.prove.reference.field import R, bits, eq, eq_table, less_than, suffix


@dataclass(frozen=True)
class Claim:
    """tensor~(point) = value."""

    tensor: int
    point: list[int]
    value: int


def requant_value(
    entry: RequantEntry, leaf: Mapping[int, int], zeta: Sequence[int], bias: int
) -> int:
    """Return v_k = 2^s (q + qAddend) + rho - 2^(s-1) - m bias lt(rows; z_i)."""
    z_o = suffix(zeta, entry.rows_log + entry.cols_log)
    remainder = sum(leaf[tensor] << shift for tensor, shift in entry.digits)
    quotient = leaf[entry.q_tensor] + entry.q_addend
    selected = bias * less_than(entry.rows, z_o[: entry.rows_log])
    return ((quotient << entry.s) + remainder - (1 << entry.s - 1) - entry.m * selected) % R


def bias_point(entry: RequantEntry, zeta: Sequence[int]) -> list[int]:
    """Return z_j, at which the bias is claimed."""
    return suffix(zeta, entry.cols_log)


def biased(program: Program) -> list[int]:
    """Return the indices of the requant entries that have a bias."""
    return [k for k, e in enumerate(program.requants) if e.bias_tensor != NO_TENSOR]


def operand_point(operand: Operand, zeta: Sequence[int], r_c: Sequence[int]) -> list[int]:
    """Concatenate the operand's segments of the challenge vectors."""
    point: list[int] = []
    for segment in operand.segments:
        source = zeta if segment.source == Source.ZETA else r_c
        end = len(source) - segment.end
        point += source[end - segment.length : end]
    return point


def sent_operands(program: Program) -> list[Operand]:
    """Return the committed operands of all contractions, A then B, in order."""
    operands = [o for i in program.instances for o in (i.a, i.b)]
    return [o for o in operands if not program.tensors[o.tensor].is_public]


def outer_point(operand: Operand, zeta: Sequence[int]) -> list[int]:
    """Return the coordinates of an operand that are fixed before the contraction."""
    segments = tuple(s for s in operand.segments if s.source == Source.ZETA)
    return operand_point(Operand(operand.tensor, segments), zeta, ())


def contraction_claim(program: Program, values: Sequence[int], nu: int, rounds: int) -> int:
    """Return the batch claim sum nu^k 2^(rounds - l_k) v_k."""
    return (
        sum(
            pow(nu, k, R) * values[i.requant] << (rounds - i.variables)
            for k, i in enumerate(program.instances)
        )
        % R
    )


def coefficient(program: Program, k: int, instance: Instance, nu: int) -> int:
    """Return nu^k m_k."""
    return pow(nu, k, R) * program.requants[instance.requant].m % R


def lay_out(program: Program, claim: Claim) -> list[tuple[int, int, list[int]]]:
    """Return the claim's entries (chunk, weight, c-variable point)."""
    tensor, c = program.tensors[claim.tensor], program.c
    if tensor.n < c:
        return [(tensor.chunk, 1, bits(tensor.addr, c - tensor.n) + claim.point)]
    high, low = claim.point[: tensor.n - c], claim.point[tensor.n - c :]
    return [(tensor.chunk + b, w, low) for b, w in enumerate(eq_table(high))]


def chunk_weights(
    program: Program, claims: Sequence[Claim], eta: int, point: Sequence[int]
) -> list[int]:
    """Return kappa_chunk = sum_j eta^j w_j eq(lo_j, point) for all F + P chunks."""
    kappa = [0] * (program.fixed_chunks + program.proof_chunks)
    for j, claim in enumerate(claims):
        for chunk, weight, low in lay_out(program, claim):
            kappa[chunk] = (kappa[chunk] + pow(eta, j, R) * weight * eq(low, point)) % R
    return kappa


PublicValue = Callable[[int, Sequence[int]], int]
