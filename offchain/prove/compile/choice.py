"""Chunk size, lookup argument and opening: the cheapest by measured gas and time (LOWERING.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from offchain.prove.compile.builder import DraftTensor
from offchain.prove.compile.points import ceil_log2
from offchain.prove.program import Block, Lookup, Opening, Tensor, TensorKind

CHUNK_LOGS: Final = range(4, 23)
# Gas of one more round, K point and evaluations; gas of one more commitment; prover time of 2^c
# opening points, weighed as 1 ms = 1 k gas.
GAS_PER_LOG: Final = 14_000
GAS_PER_CHUNK: Final = 9_000
TIME_PER_CELL: Final = 10
# Committing to an inverse costs as much as a hundred lookup cells of LogUp-GKR, whose rounds grow
# with the square of their number's logarithm.
MAX_INVERSE_LEAVES: Final = 1 << 15


@dataclass(frozen=True)
class Choice:
    """What is left to choose in a program; None: by the cost model."""

    c: int | None = None
    lookup: Lookup | None = None
    opening: Opening | None = None


@dataclass(frozen=True)
class Placement:
    """Tensors with their places, chunk size and chunks of each kind."""

    tensors: tuple[Tensor, ...]
    c: int
    fixed: int
    proof: int
    late: int


def choose_lookup(blocks: Sequence[Block], choice: Choice) -> Lookup:
    """Return the lookup argument."""
    if choice.lookup is not None:
        return choice.lookup
    leaves = sum(1 << b.n for b in blocks)
    return Lookup.INVERSES if leaves <= MAX_INVERSE_LEAVES else Lookup.GKR


def choose_opening(choice: Choice) -> Opening:
    """Return the opening."""
    return Opening.HYPERKZG if choice.opening is None else choice.opening


def count_rounds(blocks: Sequence[Block], lookup: Lookup) -> int:
    """Return lambda."""
    if lookup == Lookup.INVERSES:
        return max([1, *(b.n for b in blocks)])
    return max(1, ceil_log2(sum(1 << b.n for b in blocks)))


def choose_chunk_log(tensors: Sequence[DraftTensor], limit: int, choice: Choice) -> int:
    """Return c, at most `limit` where it is chosen here."""
    if choice.c is not None:
        return choice.c

    def cost(c: int) -> int:
        chunks = sum(_count_chunks(tensors, kind, c) for kind in TensorKind)
        return GAS_PER_LOG * c + GAS_PER_CHUNK * chunks + (TIME_PER_CELL << c)

    return min((c for c in CHUNK_LOGS if c <= max(limit, CHUNK_LOGS[0])), key=cost)


def _count_chunks(tensors: Sequence[DraftTensor], kind: TensorKind, c: int) -> int:
    if kind in (TensorKind.INPUT, TensorKind.OUTPUT):
        return 0
    cells = sum(1 << t.n for t in tensors if t.kind == kind and not t.own_chunks)
    own = sum(max(1, 1 << t.n >> c) for t in tensors if t.kind == kind and t.own_chunks)
    return own - (-cells >> c)


def place(tensors: Sequence[DraftTensor], c: int) -> Placement:
    """Place every committed tensor (FORMAT.md 3.5)."""
    placed = [Tensor(t.kind, t.n) for t in tensors]
    counts = []
    base = 0
    for kind in (TensorKind.FIXED, TensorKind.PROOF, TensorKind.LATE):
        offset = 0
        members = [k for k, t in enumerate(tensors) if t.kind == kind and t.chunk_of is None]
        for index in sorted(members, key=lambda k: (not tensors[k].own_chunks, -tensors[k].n, k)):
            n = tensors[index].n
            addr = 0 if n >= c else (offset & ((1 << c) - 1)) >> n
            placed[index] = Tensor(kind, n, base + (offset >> c), addr)
            offset += 1 << (max(n, c) if tensors[index].own_chunks else n)
        counts.append(-(-offset >> c))
        base += counts[-1]
    for index, tensor in enumerate(tensors):
        if tensor.chunk_of is not None:
            placed[index] = Tensor(tensor.kind, tensor.n, placed[tensor.chunk_of].chunk)
    return Placement(tuple(placed), c, *counts)
