"""The verification key of a graph and its weights; recomputed by everybody before money moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from offchain.prove.compile import Layout
from offchain.prove.program import TensorKind, VerificationKey
from offchain.prove.witness import Array, build_fixed


def build_key(
    layout: Layout,
    weights: Mapping[str, Array],
    srs_id: bytes,
    commit: Callable[[Array], bytes],
) -> VerificationKey:
    """Return the key; `commit` maps a chunk (2^c int64 coefficients) to its 64-byte commitment."""
    chunks = fixed_chunks(layout, build_fixed(layout, weights))
    return VerificationKey(
        graph_hash=layout.graph.hash(),
        srs_id=srs_id,
        program=layout.program,
        commitments=tuple(commit(chunk) for chunk in chunks),
    )


def fixed_chunks(layout: Layout, fixed: Mapping[int, Array]) -> list[Array]:
    """Return the F fixed chunks, (2^c,) int64 each; cells outside tensors are 0."""
    program = layout.program
    size = 1 << program.c
    chunks = np.zeros((program.fixed_chunks, size), dtype=np.int64)
    for index, values in fixed.items():
        tensor = program.tensors[index]
        if tensor.kind != TensorKind.FIXED:
            continue
        if tensor.n >= program.c:
            blocks = values.reshape(-1, size)
            chunks[tensor.chunk : tensor.chunk + len(blocks)] = blocks
        else:
            start = tensor.addr << tensor.n
            chunks[tensor.chunk, start : start + len(values)] = values
    return list(chunks)
