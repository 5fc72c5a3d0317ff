"""Trees of traces and plans: roots, paths, proofs of ranges, and leaves of every kind."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

from eth_utils.crypto import keccak

from offchain.commit.digest import TILE_BYTES, digest_of_root, tile_leaf
from offchain.trace.plan import build_plan, weight_roots
from offchain.trace.tree import EMPTY, MerkleTree, layer_leaf, operator_leaf, plan_leaf
from tests.random_models import draw_operator
from tests.random_operators import DRAWERS
from tests.vectors.encoding import hexed

# (leaves, depth): full and sparse trees of every depth that a small trace has, and deep ones.
TREES: Final = (
    *((1, 0), (1, 1), (2, 1), (1, 2), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (16, 4), (21, 5)),
    *((32, 5), (33, 6), (100, 7), (3, 8), (2, 10)),
)
PLACES: Final = (0, 1, 7, 8, 255, 256, (1 << 32) - 1, (1 << 64) - 1)


def trace_vectors() -> dict[str, Any]:
    """Return every part of `trace.json`; the same in every run."""
    rng = random.Random(6)
    return {
        "trees": [_tree(rng, count, depth) for count, depth in TREES],
        "tiles": [_tile(rng, index) for index in (0, 1, 4095)],
        "digests": [
            _digest(rng, size, rows, cols)
            for size, rows, cols in (
                (1, 1, 1),
                (1, 3, 700),
                (2, 64, 64),
                (4, 1, 5),
                (4, 1 << 20, 1),
            )
        ],
        "opLeaves": [_op_leaf(rng, place) for place in PLACES],
        "layerLeaves": [_layer_leaf(rng, place) for place in PLACES],
        "planLeaves": _plan_leaves(),
    }


def _word(rng: random.Random) -> bytes:
    return rng.randbytes(32)


def _hexes(words: Sequence[bytes]) -> list[str]:
    return [hexed(word) for word in words]


def _tree(rng: random.Random, count: int, depth: int) -> dict[str, Any]:
    tree = MerkleTree([_word(rng) for _ in range(count)], depth)
    width = 1 << depth
    places = sorted({0, count // 2, count - 1, width - 1})
    firsts = [rng.randrange(width) for _ in range(6)]
    ranges = {(0, width), (0, 1), *((first, rng.randint(1, width - first)) for first in firsts)}
    return {
        "depth": depth,
        "leaves": _hexes(tree.levels[0][:count]),
        "root": hexed(tree.root),
        "paths": [{"index": k, "path": _hexes(tree.path(k))} for k in places],
        "ranges": [
            {"first": first, "count": size, "siblings": _hexes(tree.range_proof(first, size))}
            for first, size in sorted(ranges)
        ],
    }


def _tile(rng: random.Random, index: int) -> dict[str, Any]:
    tile = rng.randbytes(TILE_BYTES)
    return {"index": index, "tile": hexed(tile), "leaf": hexed(tile_leaf(index, tile))}


def _digest(rng: random.Random, size: int, rows: int, cols: int) -> dict[str, Any]:
    root = _word(rng)
    digest = digest_of_root(root, (rows, cols), 8 * size)
    return {
        "bytes": size,
        "rows": rows,
        "cols": cols,
        "tileRoot": hexed(root),
        "digest": hexed(digest),
    }


def _op_leaf(rng: random.Random, position: int) -> dict[str, Any]:
    digest = _word(rng)
    return {
        "position": hexed(position.to_bytes(8, "big")),
        "digest": hexed(digest),
        "leaf": hexed(operator_leaf(position, digest)),
    }


def _layer_leaf(rng: random.Random, layer: int) -> dict[str, Any]:
    digest, op_root = _word(rng), rng.choice((EMPTY, _word(rng)))
    return {
        "layer": hexed(layer.to_bytes(8, "big")),
        "digest": hexed(digest),
        "opRoot": hexed(op_root),
        "leaf": hexed(layer_leaf(layer, digest, op_root)),
    }


def _plan_leaves() -> list[dict[str, Any]]:
    """Return the descriptors of a model with every operator, with a key in one of them."""
    leaves = []
    for number, kind in enumerate(DRAWERS):
        model = draw_operator(kind, 100 + number)
        plan = build_plan(model.graph, weight_roots(model.graph, model.weights))
        op = plan.ops[-1 if kind == "argmax" else min(1, len(plan.ops) - 1)]
        leaves.append(
            {
                "op": op.index,
                "desc": hexed(op.encoded),
                "hash": hexed(keccak(op.encoded)),
                "leaf": hexed(plan_leaf(op.index, op.encoded)),
            }
        )
    return leaves
