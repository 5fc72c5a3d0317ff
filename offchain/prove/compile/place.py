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
    inside = {member for t in tensors for member in t.members}
    inside |= {k for k, t in enumerate(tensors) if t.chunk_of is not None}
    counts = []
    base = 0
    for kind in (TensorKind.FIXED, TensorKind.PROOF, TensorKind.LATE):
        offset = 0
        alone = [k for k, t in enumerate(tensors) if t.kind == kind and k not in inside]
        for index in sorted(alone, key=lambda k: (not tensors[k].own_chunks, -tensors[k].n, k)):
            tensor = tensors[index]
            start = (base << c) + offset
            placed[index] = _put(tensor, start, c)
            for k, member in enumerate(tensor.members):
                placed[member] = _put(tensors[member], start + (k << tensors[member].n), c)
            offset += 1 << (max(tensor.n, c) if tensor.own_chunks else tensor.n)
        counts.append(-(-offset >> c))
        base += counts[-1]
    for index, tensor in enumerate(tensors):
        if tensor.chunk_of is not None:
            placed[index] = Tensor(tensor.kind, tensor.n, placed[tensor.chunk_of].chunk)
    return Placement(tuple(placed), *counts)


def _put(tensor: DraftTensor, start: int, c: int) -> Tensor:
    """Return the tensor at cell `start` of all chunks."""
    addr = 0 if tensor.n >= c else (start & ((1 << c) - 1)) >> tensor.n
    return Tensor(tensor.kind, tensor.n, start >> c, addr)
