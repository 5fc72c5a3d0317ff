"""Chunk size, lookup argument and opening: the least gas times seconds by measured figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from offchain.errors import ProgramError
from offchain.prove.compile.builder import DraftTensor
from offchain.prove.compile.points import ceil_log2
from offchain.prove.program import Block, Lookup, Opening, TensorKind

CHUNK_LOGS: Final = range(4, 23)
MIN_STACKED: Final = 32  # blocks

# Gas on chain, calldata included (FORMAT.md 7, OPENINGS.md 4; tests/benchmarks). Whatever does not
# depend on the choice is only needed roughly: it says how much a saved unit of gas is worth.
GAS_BASE: Final = 400_000
GAS_ROUND: Final = 1_500
GAS_LAYER: Final = 3_400
GAS_BLOCK: Final = 2_700
GAS_INVERSE: Final = 5_200
GAS_CHUNK: Final = 8_000
GAS_CHUNK_LOG: Final = 1_500  # a round of the reduction
GAS_OPENING: Final = {Opening.HYPERKZG: (0, 9_500), Opening.MERCURY: (55_000, 200)}

# Nanoseconds of two cores: a full-width point, the openings' per cell of a chunk, a leaf of each
# lookup argument, a cell committed in every proof, a cell of the model. A second of them is what
# starting, executing and sending take anyway: less of the rest is worth little gas.
NS_BASE: Final = 1_000_000_000
NS_POINT: Final = 800
NS_OPENING: Final = {Opening.HYPERKZG: 3_600, Opening.MERCURY: 1_800}
NS_LEAF: Final = {Lookup.GKR: 90, Lookup.INVERSES: 60 + NS_POINT}
NS_PROOF_CELL: Final = 30
NS_FIXED_CELL: Final = 5


@dataclass(frozen=True)
class Choice:
    """What is left to choose in a program; None: by the cost model."""

    c: int | None = None
    lookup: Lookup | None = None
    opening: Opening | None = None
    stacks: bool | None = None  # whether lookups that are alike become one block
    patience: int = 1  # seconds beside which a proof's own count: more of them, and gas is dearer


@dataclass(frozen=True)
class Chosen:
    """A complete choice, and lambda, which follows from it."""

    c: int
    lookup: Lookup
    opening: Opening
    lam: int


def choose_stacks(blocks: Sequence[Block], choice: Choice) -> bool:
    """Return whether to stack: few blocks cost less than the values sent for what they held."""
    return len(blocks) >= MIN_STACKED if choice.stacks is None else choice.stacks


def choose(tensors: Sequence[DraftTensor], blocks: Sequence[Block], choice: Choice) -> Chosen:
    """Return the cheapest of what `choice` leaves open.

    Gas times seconds: a program is worth a tenth more of one for a tenth less of the other. Ties go
    to the smallest chunks and the first argument in the format's order.
    """
    own = any(t.own_chunks for t in tensors)
    # Only HyperKZG notices cells beyond a chunk's 2^c, which would give a tensor many digests.
    openings = (Opening.HYPERKZG,) if own else tuple(Opening)
    if own and choice.opening == Opening.MERCURY:
        raise ProgramError("a committed input or output needs HyperKZG")
    candidates = []
    for c, lookup, opening in product(
        CHUNK_LOGS if choice.c is None else (choice.c,),
        Lookup if choice.lookup is None else (choice.lookup,),
        openings if choice.opening is None else (choice.opening,),
    ):
        lam = count_rounds(blocks, lookup)
        # The rest of a small committed tensor's chunk is checked at c coordinates of zeta.
        if own and choice.c is None and CHUNK_LOGS[0] < c and c > lam:
            continue
        candidates.append(Chosen(c, lookup, opening, lam))
    patience = choice.patience * NS_BASE
    costs = [
        _gas(tensors, blocks, k) * (patience + _nanoseconds(tensors, blocks, k)) for k in candidates
    ]
    return candidates[costs.index(min(costs))]


def count_rounds(blocks: Sequence[Block], lookup: Lookup) -> int:
    """Return lambda."""
    if lookup == Lookup.INVERSES:
        return max([1, *(b.n for b in blocks)])
    return max(1, ceil_log2(_count_leaves(blocks)))


def _gas(tensors: Sequence[DraftTensor], blocks: Sequence[Block], k: Chosen) -> int:
    base, each = GAS_OPENING[k.opening]
    chunks = sum(_count_chunks(tensors, kind, k.c) for kind in (TensorKind.FIXED, TensorKind.PROOF))
    gas = GAS_BASE + base + (each + GAS_CHUNK_LOG) * k.c + GAS_BLOCK * len(blocks)
    if k.lookup == Lookup.GKR:
        gas += GAS_ROUND * (k.lam * (k.lam - 1) // 2) + GAS_LAYER * k.lam
    else:
        chunks += -(-_count_leaves(blocks) >> k.c)
        gas += GAS_ROUND * k.lam + GAS_INVERSE * len(blocks)
    return gas + GAS_CHUNK * chunks


def _nanoseconds(tensors: Sequence[DraftTensor], blocks: Sequence[Block], k: Chosen) -> int:
    fixed, proof = (
        sum(1 << t.n for t in tensors if t.kind == kind and not t.members)
        for kind in (TensorKind.FIXED, TensorKind.PROOF)
    )
    return (
        (NS_OPENING[k.opening] << k.c)
        + NS_LEAF[k.lookup] * _count_leaves(blocks)
        + NS_PROOF_CELL * proof
        + NS_FIXED_CELL * fixed
    )


def _count_leaves(blocks: Sequence[Block]) -> int:
    return sum(1 << b.n for b in blocks)


def _count_chunks(tensors: Sequence[DraftTensor], kind: TensorKind, c: int) -> int:
    # A stack's cells are those of the tensors in it.
    cells = sum(1 << t.n for t in tensors if t.kind == kind and not (t.own_chunks or t.members))
    own = sum(max(1, 1 << t.n >> c) for t in tensors if t.kind == kind and t.own_chunks)
    return own - (-cells >> c)
