"""What proving a program costs, bounded from the program alone: bytes, gas, seconds.

A version's proving time and gas are its registrant's word, and a deadline or a block that is too
small for an honest proof would cost an honest operator its stake. So whoever stakes on a version
compares that word with these bounds. Sizes are exact; gas and seconds are upper bounds with the
constants measured on the verifier and the prover of this package (tests/benchmarks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Final

from offchain.prove.program import Lookup, Opening, Program, PublicTensor, SlotKind
from offchain.prove.verification_key import POINT_BYTES

SCALAR_BYTES: Final = 32

# Gas. Precompiles by EIP-1108; calldata by EIP-7623; the rest measured, rounded up by a quarter.
TRANSACTION: Final = 21_000
CALLDATA_BYTE: Final = 16
CALLDATA_FLOOR_BYTE: Final = 40
GAME: Final = 150_000  # the dispute game around the verifier: statement, settlement, events
FIXED: Final = 280_000  # pairing, key, statement
MERCURY: Final = 60_000  # its points and field operations; HyperKZG's are a point a round
POINT: Final = 9_500
ROUND: Final = 600
LAYER: Final = 1_700
BLOCK: Final = 3_500
INVERSE: Final = 6_000
CLAIM: Final = 5_000
FACTOR: Final = 1_000  # of a public function or a tie
WINDOW: Final = 1_700  # one (output, kernel) pair of an axis of a link
CHUNK_OF_CLAIM: Final = 300
PUBLIC_READ: Final = 350  # one element decoded, checked and digested
PUBLIC_TERM: Final = 650  # one element in one evaluation
TOKEN_BIT: Final = 300  # one coordinate of one token's row in a one-hot matrix
PROGRAM_BYTE: Final = 10

# Seconds of two ordinary cores, several times what is measured on an idle machine.
START_S: Final = 1.5  # a Python process that imports numpy and the native core
POINT_S: Final = 10e-6  # a full-width point
LEAF_S: Final = 4e-6
CELL_S: Final = 0.1e-6  # a committed cell in two passes
SUM_CELL_S: Final = 0.5e-6  # a cell of a product, contraction or link sum

OPENING_POINTS: Final = {Opening.HYPERKZG: 4, Opening.MERCURY: 2}  # a cell of a chunk


@dataclass(frozen=True)
class ProvingCost:
    """Upper bounds for one proof: its bytes, its transaction's calldata and gas, its seconds."""

    proof_bytes: int
    calldata_bytes: int
    gas: int
    seconds: int


def estimate_cost(program: Program, key_bytes: int) -> ProvingCost:
    """Return the bounds for `program` under a key blob of `key_bytes`."""
    proof = compute_proof_bytes(program)
    public = sum(p.byte_length for p in list_public(program))
    calldata = 4 + 10 * SCALAR_BYTES + proof + public
    floor = TRANSACTION + CALLDATA_FLOOR_BYTE * calldata
    used = TRANSACTION + CALLDATA_BYTE * calldata + _bound_execution(program, key_bytes)
    return ProvingCost(proof, calldata, max(floor, used), ceil(_bound_seconds(program)))


def compute_proof_bytes(program: Program) -> int:
    """Return the exact length of every proof of `program` (FORMAT.md 7)."""
    c, lam = program.c, program.lam
    if program.lookup == Lookup.GKR:
        lookups = 2 + lam * (lam - 1) + 4 * lam
    else:
        lookups = 2 * lam + len(program.blocks)
    rounds = 2 * (program.product_rounds + program.link_rounds + c)
    rounds += program.degree * program.contraction_rounds
    points, scalars = _opening_size(program)
    points += program.proof_chunks + program.late_chunks
    scalars += lookups + rounds + count_sent_slots(program)
    return POINT_BYTES * points + SCALAR_BYTES * scalars


def list_public(program: Program) -> Sequence[PublicTensor]:
    """Return inputs and output."""
    return (*program.inputs, program.output)


def count_sent_slots(program: Program) -> int:
    """Return how many slots' values a proof sends; verifiers evaluate the others themselves."""
    return sum(
        slot.kind == SlotKind.VIRTUAL
        or (slot.kind == SlotKind.TENSOR and not program.tensors[slot.tensor].is_public)
        for slot in program.slots
    )


def _opening_size(program: Program) -> tuple[int, int]:
    """Return the opening's points and scalars (OPENINGS.md)."""
    if program.opening == Opening.MERCURY:
        return 8, 6
    return program.c + 2, 2 * program.c + 1


def _bound_execution(program: Program, key_bytes: int) -> int:
    lam = program.lam
    rounds = program.product_rounds + program.contraction_rounds + program.link_rounds + program.c
    rounds += lam * (lam - 1) // 2 if program.lookup == Lookup.GKR else lam
    factors = sum(map(len, program.functions)) + sum(len(i.ties) for i in program.instances)
    pairs = sum(a.out * a.kernel for x in program.links for a in (x.height, x.width))
    claims = len(program.slots) + sum(len(r.terms) for r in program.relations)
    opening = MERCURY if program.opening == Opening.MERCURY else POINT * program.c
    return (
        GAME
        + FIXED
        + opening
        + POINT * program.chunks
        + ROUND * rounds
        + LAYER * lam
        + BLOCK * len(program.blocks)
        + (INVERSE * len(program.blocks) if program.lookup == Lookup.INVERSES else 0)
        + CLAIM * claims
        + FACTOR * factors
        + WINDOW * pairs
        + CHUNK_OF_CLAIM * _count_large(program)
        + _bound_public(program)
        + PROGRAM_BYTE * key_bytes
    )


def _count_large(program: Program) -> int:
    """Return the chunks of all claims on tensors of more than one."""
    claimed = [s.tensor for s in program.slots if s.kind == SlotKind.TENSOR]
    claimed += [t.tensor for r in program.relations for t in r.terms]
    tensors = [program.tensors[k] for k in claimed]
    return sum(1 << (t.n - program.c) for t in tensors if not t.is_public and t.n > program.c)


def _bound_public(program: Program) -> int:
    """Return the gas of reading public tensors and of evaluating them."""
    elements = {p.tensor: prod(p.shape) for p in list_public(program) if p.byte_length}
    gas = PUBLIC_READ * sum(elements.values())
    for slot in program.slots:
        count = elements.get(slot.tensor, 0)
        if slot.kind == SlotKind.TENSOR:
            gas += PUBLIC_TERM * count
        elif slot.kind == SlotKind.ONE_HOT:
            gas += TOKEN_BIT * count * sum(s.length for s in slot.point)
    return gas


def _bound_seconds(program: Program) -> float:
    cells = (program.fixed_chunks + program.proof_chunks) << program.c
    sums = sum(len(t.monomials) << t.n for t in program.terms)
    sums += sum(1 << i.variables for i in program.instances)
    sums += sum(1 << (x.height.log_in + x.width.log_in) for x in program.links)
    return (
        START_S
        + POINT_S * (OPENING_POINTS[program.opening] << program.c)
        + POINT_S * (program.late_chunks << program.c)
        + LEAF_S * sum(1 << b.n for b in program.blocks)
        + CELL_S * cells
        + SUM_CELL_S * sums
    )
