"""Places of committed tensors in chunks (FORMAT.md 3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.prove.compile.builder import DraftTensor
from offchain.prove.program import Tensor, TensorKind


@dataclass(frozen=True)
class Placement:
    """Tensors with their places, and how many chunks of each kind there are."""

    tensors: tuple[Tensor, ...]
    fixed: int
    proof: int
    late: int


def place(tensors: Sequence[DraftTensor], c: int) -> Placement:
    """Place fixed, proof and late tensors, large ones first; those alone in chunks before all."""
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
    return Placement(tuple(placed), *counts)
