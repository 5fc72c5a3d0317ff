"""The smallest program with a lookup, a relation and a contraction, written by hand (FORMAT.md 3).

y = (x w^T + b + 8) >> 4 for a (2, 4) input and three outputs, all numbers in one 4-bit table.
It needs no compiler, so it tells a wrong verifier from a wrong program.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from offchain.prove.program import (
    NONE,
    Atom,
    Block,
    Coefficient,
    Factor,
    FactorKind,
    Form,
    Instance,
    Lookup,
    Opening,
    Origin,
    Program,
    PublicTensor,
    Relation,
    Residual,
    Segment,
    Slot,
    SlotCounts,
    SlotKind,
    Source,
    Tensor,
    TensorKind,
)
from offchain.prove.reference.curve import combine, encode
from offchain.prove.reference.prover import prove
from offchain.prove.reference.srs import insecure_srs
from offchain.prove.verification_key import VerificationKey

PATH = Path(__file__).parent / "tiny.json"
C = 4
HALF = 8


@dataclass(frozen=True)
class Tiny:
    """Everything that proving and verifying take."""

    key: VerificationKey
    tensors: dict[int, list[int]]
    public_in: bytes
    public_out: bytes


def _atom(coefficient: int, slot: int = NONE, function: int = NONE) -> Atom:
    return Atom(Coefficient(coefficient), slot, function)


def _zeta(end: int, length: int) -> Segment:
    return Segment(Source.ZETA, end, length)


def tiny_program(lookup: Lookup, opening: Opening) -> Program:
    """Return the program; tensors: x, y, w, b, multiplicities, remainders (, three inverses)."""
    tensors = [
        Tensor(TensorKind.INPUT, 3),
        Tensor(TensorKind.OUTPUT, 3),
        Tensor(TensorKind.FIXED, 4, 0, 0),
        Tensor(TensorKind.FIXED, 2, 1, 0),
        Tensor(TensorKind.PROOF, 4, 2, 0),
        Tensor(TensorKind.PROOF, 3, 3, 0),
    ]
    if lookup == Lookup.INVERSES:
        tensors += [Tensor(TensorKind.LATE, *p) for p in ((4, 4, 0), (3, 5, 0), (3, 5, 1))]
    inner = Segment(Source.CONTRACTION, 0, 2)
    points = (
        (4, (_zeta(0, 4),)),
        (1, (_zeta(0, 3),)),
        (5, (_zeta(0, 3),)),
        (3, (_zeta(0, 2),)),
        (0, (_zeta(2, 1), inner)),
        (2, (_zeta(0, 2), inner)),
    )
    one = (_atom(1),)
    return Program(
        c=C,
        lookup=lookup,
        opening=opening,
        fixed_chunks=2,
        proof_chunks=2,
        late_chunks=2 if lookup == Lookup.INVERSES else 0,
        op_count=2,
        tensors=tuple(tensors),
        inputs=(PublicTensor(0, Form.BYTES, 1, (2, 4), -3, 3),),
        output=PublicTensor(1, Form.BYTES, 1, (2, 3), -HALF, HALF - 1),
        functions=((Factor(FactorKind.ID, 0, 0, 4),), (Factor(FactorKind.LT, 2, 2, 1),)),
        counts=SlotCounts(leaf=3, direct=1, product=0, contraction=2, link=0),
        slots=tuple(Slot(SlotKind.TENSOR, tensor, point) for tensor, point in points),
        lam=4 if lookup == Lookup.INVERSES else 5,
        blocks=(
            Block(4, 1, (_atom(-1, 0),), ((_atom(1, NONE, 0),),)),
            Block(3, 1, one, ((_atom(1, 1), _atom(HALF)),)),
            Block(3, 1, one, ((_atom(1, 2),),)),
        ),
        relations=(
            Relation(
                Residual.CONTRACTION,
                (_atom(16, 1), _atom(1, 2), _atom(-HALF), _atom(-1, 3, 1)),
            ),
        ),
        product_rounds=0,
        terms=(),
        contraction_rounds=2,
        degree=2,
        instances=(Instance(2, Origin.RELATION, 0, Coefficient(1), 4, 5),),
        link_rounds=0,
        links=(),
    )


def make_tiny(lookup: Lookup, opening: Opening, seed: int = 1) -> Tiny:
    """Return a key, a witness and public bytes."""
    rng = random.Random(seed)
    x, w = ([[rng.randrange(-3, 4) for _ in range(4)] for _ in range(n)] for n in (2, 3))
    b = [rng.randrange(-3, 4) for _ in range(3)]
    acc = [[sum(p * q for p, q in zip(r, row, strict=True)) for row in w] for r in x]
    scaled = [[v + b[j] + HALF for j, v in enumerate(r)] + [HALF] for r in acc]
    y = [v >> C for r in scaled for v in r]
    rho = [v & (2 * HALF - 1) for r in scaled for v in r]
    counts = [0] * (2 * HALF)
    for key in [v + HALF for v in y] + rho:
        counts[key] += 1
    flat_w = [v for row in w for v in row] + [0] * 4
    flat_x = [v for row in x for v in row]
    program = tiny_program(lookup, opening)
    srs = insecure_srs(C)
    chunks = (flat_w, [*b, 0] + [0] * 12)
    commitments = tuple(encode(combine(srs, chunk)) for chunk in chunks)
    key = VerificationKey(bytes(32), bytes(32), program, commitments)
    tensors = {0: flat_x, 1: y, 2: flat_w, 3: [*b, 0], 4: counts, 5: rho}
    real = [v for k, v in enumerate(y) if k % 4 < 3]
    return Tiny(key, tensors, bytes(v % 256 for v in flat_x), bytes(v % 256 for v in real))


def main() -> None:
    """Write the vectors."""
    rows = []
    for lookup in Lookup:
        for opening in Opening:
            tiny = make_tiny(lookup, opening)
            proof = prove(tiny.key, insecure_srs(C), bytes(32), tiny.tensors)
            rows.append(
                {
                    "lookup": int(lookup),
                    "opening": int(opening),
                    "key": tiny.key.to_bytes().hex(),
                    "statement_hash": bytes(32).hex(),
                    "tensors": [tiny.tensors[k] for k in sorted(tiny.tensors)],
                    "input": tiny.public_in.hex(),
                    "output": tiny.public_out.hex(),
                    "proof": proof.hex(),
                }
            )
    PATH.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
