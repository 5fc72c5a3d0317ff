"""Batches of every shape of tree: job ids, result digests, root, and paths."""

from __future__ import annotations

from typing import Any, Final

from eth_utils.crypto import keccak

from offchain.commit.batch_tree import compute_leaf, compute_path, compute_root
from offchain.types import Digest
from tests.vectors.encoding import hexed

SIZES: Final = (1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 255, 256)


def batch_vectors() -> dict[str, Any]:
    """Return one batch a size, with the paths of its first, middle and last result."""
    return {"batches": [_batch_vector(size) for size in SIZES]}


def _batch_vector(size: int) -> dict[str, Any]:
    jobs = [keccak(text=f"job {size}/{i}") for i in range(size)]
    outputs = [Digest(keccak(text=f"output {size}/{i}")) for i in range(size)]
    leaves = [compute_leaf(job, output) for job, output in zip(jobs, outputs, strict=True)]
    return {
        "jobs": [hexed(job) for job in jobs],
        "outputs": [hexed(output) for output in outputs],
        "root": hexed(compute_root(leaves)),
        "paths": [
            {"index": i, "path": [hexed(node) for node in compute_path(leaves, i)]}
            for i in sorted({0, size // 2, size - 1})
        ],
    }
