"""Claims on committed tensors and their reduction to one opening (FORMAT.md 7.6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offchain.prove.program import Lookup, Program, Residual, SlotKind, TensorKind
from offchain.prove.reference.field import R, bits, eq
from offchain.prove.reference.points import HALF, Challenges, build_point

Entry = tuple[int, int, list[int]]  # chunk, weight, low point


@dataclass(frozen=True)
class Term:
    """coefficient * tensor(point)."""

    coefficient: int
    tensor: int
    point: list[int]


@dataclass(frozen=True)
class Claim:
    """The sum of the terms is `value`."""

    terms: tuple[Term, ...]
    value: int


def collect_claims(
    program: Program,
    challenges: Challenges,
    slots: dict[int, int],
    relations: Sequence[int],
    inverses: Sequence[int],
    zeta: Sequence[int],
) -> list[Claim]:
    """Return all claims in the order of their powers of eta; `relations` are the values v_k."""
    claims = []
    for index, slot in enumerate(program.slots):
        if slot.kind == SlotKind.TENSOR and not program.tensors[slot.tensor].is_public:
            point = build_point(slot.point, challenges)
            claims.append(Claim((Term(1, slot.tensor, point),), slots[index]))
    for relation, value in zip(program.relations, relations, strict=True):
        if relation.residual == Residual.LINEAR:
            terms = tuple(
                Term(t.coefficient.value, t.tensor, build_point(t.point, challenges))
                for t in relation.terms
            )
            claims.append(Claim(terms, value))
    if program.lookup == Lookup.INVERSES:
        claims += _inverse_claims(program, inverses, zeta)
    return claims


def _inverse_claims(
    program: Program, inverses: Sequence[int], zeta: Sequence[int]
) -> Iterator[Claim]:
    late = [i for i, t in enumerate(program.tensors) if t.kind == TensorKind.LATE]
    for tensor, block, value in zip(late, program.blocks, inverses, strict=True):
        yield Claim((Term(1, tensor, list(zeta[len(zeta) - block.n :])),), value)
    yield Claim(
        tuple(
            Term(1 << block.n, tensor, [HALF] * block.n)
            for tensor, block in zip(late, program.blocks, strict=True)
        ),
        0,
    )


def lay_out(program: Program, term: Term) -> list[Entry]:
    """Return the chunks that a term is about, with their weights and the point in each."""
    tensor = program.tensors[term.tensor]
    above = tensor.n - program.c
    if above < 0:
        return [(tensor.chunk, term.coefficient, bits(tensor.addr, -above) + term.point)]
    high, low = term.point[:above], term.point[above:]
    return [
        (tensor.chunk + k, term.coefficient * eq(high, bits(k, above)) % R, low)
        for k in range(1 << above)
    ]


def chunk_weights(
    program: Program, claims: Sequence[Claim], eta: int, point: Sequence[int]
) -> list[int]:
    """Return kappa: the weight of every chunk in the opened combination."""
    kappa = [0] * program.chunks
    for power, claim in enumerate(claims):
        factor = pow(eta, power, R)
        for term in claim.terms:
            for chunk, weight, low in lay_out(program, term):
                kappa[chunk] = (kappa[chunk] + factor * weight * eq(low, point)) % R
    return kappa
