"""What proving a program costs, bounded from the program alone: bytes, gas, seconds.

A version's proving time and gas are its registrant's word, and a deadline or a block that is too
small for an honest proof would cost an honest operator its stake. So whoever stakes on a version
compares that word with these bounds. Sizes are exact; gas and seconds are upper bounds with the
constants measured on the verifier and the prover of this package (tests/benchmarks).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from offchain.prove.program import INPUT_ID, NO_TENSOR, OUTPUT_ID, POINT_BYTES, Program

SCALAR_BYTES: Final = 32

# Gas. Precompiles by EIP-1108; calldata by EIP-7623; the rest measured, rounded up by a quarter.
TRANSACTION: Final = 21_000
CALLDATA_BYTE: Final = 16
CALLDATA_FLOOR_BYTE: Final = 40
GAME: Final = 150_000  # the dispute game around the verifier: statement, settlement, events
FIXED: Final = 150_000  # pairing, key, statement
POINT: Final = 7_000
ROUND: Final = 750
LAYER: Final = 2_000
BLOCK: Final = 5_000
CLAIM: Final = 4_000
CHUNK_OF_CLAIM: Final = 300
PUBLIC_READ: Final = 350  # one element decoded, checked and digested
PUBLIC_TERM: Final = 230  # one element in one evaluation
KEY_BYTE: Final = 60

# Seconds of two ordinary cores, several times what is measured on an idle machine.
START_S: Final = 1.5  # a Python process that imports numpy and the native core
POINT_S: Final = 10e-6  # a full-width point of the opening
LEAF_S: Final = 4e-6
CELL_S: Final = 0.1e-6  # a committed cell in two passes


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
    public = sum(p.byte_length for p in program.public)
    calldata = 4 + 10 * SCALAR_BYTES + proof + public
    floor = TRANSACTION + CALLDATA_FLOOR_BYTE * calldata
    used = TRANSACTION + CALLDATA_BYTE * calldata + _bound_execution(program, key_bytes)
    return ProvingCost(proof, calldata, max(floor, used), ceil(_bound_seconds(program)))


def compute_proof_bytes(program: Program) -> int:
    """Return the exact length of every proof of `program` (FORMAT.md 7)."""
    c, lam = program.c, program.lam
    points = program.proof_chunks + (c - 1) + 3
    layers = lam * (lam - 1) + 4 * lam
    claims = count_claims(program)
    scalars = 2 + layers + claims + 2 * program.rounds + 2 * c + (2 * c + 1)
    return POINT_BYTES * points + SCALAR_BYTES * scalars


def count_claims(program: Program) -> int:
    """Return how many claims on committed tensors a proof sends: leaves, biases, operands."""
    leaves = {c.tensor for b in program.blocks for c in b.columns}
    operands = [o.tensor for i in program.instances for o in (i.a, i.b)]
    biases = [e.bias_tensor for e in program.requants if e.bias_tensor != NO_TENSOR]
    return sum(not program.tensors[t].is_public for t in (*leaves, *operands, *biases))


def _bound_execution(program: Program, key_bytes: int) -> int:
    chunks = program.fixed_chunks + program.proof_chunks
    rounds = program.lam * (program.lam - 1) // 2 + program.rounds + program.c
    large = sum(1 << (t.n - program.c) for t in program.tensors if t.n >= program.c)
    evaluations = [b.columns[0].tensor for b in program.blocks]
    evaluations += [o.tensor for i in program.instances for o in (i.a, i.b)]
    elements = {
        k: p.rows * p.cols for k, p in zip((INPUT_ID, OUTPUT_ID), program.public, strict=True)
    }
    return (
        GAME
        + FIXED
        + POINT * (chunks + program.c + 4)
        + ROUND * rounds
        + LAYER * program.lam
        + BLOCK * len(program.blocks)
        + CLAIM * count_claims(program)
        + CHUNK_OF_CLAIM * large
        + PUBLIC_READ * sum(elements.values())
        + PUBLIC_TERM * sum(elements.get(tensor, 0) for tensor in evaluations)
        + KEY_BYTE * key_bytes
    )


def _bound_seconds(program: Program) -> float:
    cells = (program.fixed_chunks + program.proof_chunks) << program.c
    return START_S + POINT_S * (4 << program.c) + LEAF_S * (1 << program.lam) + CELL_S * cells
