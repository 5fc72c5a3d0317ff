"""The verification key of a graph and its weights; recomputed by everybody before money moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from offchain.prove.compile import Layout
from offchain.prove.program import TensorKind
from offchain.prove.verification_key import POINT_BYTES, VerificationKey
from offchain.prove.witness import Array

Committer = Callable[[Array], bytes]  # k 2^c coefficients -> k commitments, 64 bytes each


def build_key(
    layout: Layout, fixed: Mapping[int, Array], srs_id: bytes, commit: Committer
) -> VerificationKey:
    """Return the key; `fixed` is what `build_fixed` returns for the model's weights."""
    points = b"".join(map(commit, fixed_chunks(layout, fixed)))
    commitments = [points[k : k + POINT_BYTES] for k in range(0, len(points), POINT_BYTES)]
    return VerificationKey(
        graph_hash=layout.graph.hash(),
        srs_id=srs_id,
        program=layout.program,
        commitments=tuple(commitments),
    )


def fixed_chunks(layout: Layout, fixed: Mapping[int, Array]) -> Iterator[Array]:
    """Yield the fixed chunks in order, k 2^c cells at a time; cells outside tensors are 0.

    A tensor of whole chunks is yielded as it is, small ones are gathered chunk by chunk.
    """
    program = layout.program
    size = 1 << program.c
    members: dict[int, list[int]] = {}
    for index, tensor in enumerate(program.tensors):
        if tensor.kind == TensorKind.FIXED:
            members.setdefault(tensor.chunk, []).append(index)
    for chunk in sorted(members):
        first, *_ = members[chunk]
        if program.tensors[first].n >= program.c:
            yield fixed[first]
            continue
        kind = np.result_type(*(fixed[k] for k in members[chunk]))
        cells = np.zeros(size, dtype=kind)
        for k in members[chunk]:
            start = program.tensors[k].addr << program.tensors[k].n
            cells[start : start + len(fixed[k])] = fixed[k]
        yield cells
