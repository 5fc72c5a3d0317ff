"""Trees against a definition that is spelled out, and proofs of ranges against what breaks them."""

from __future__ import annotations

import random

import pytest
from eth_hash.auto import keccak

from offchain.errors import TraceError
from offchain.trace.tree import (
    MerkleTree,
    count_siblings,
    layer_leaf,
    operator_leaf,
    plan_leaf,
    root_of_path,
    root_of_range,
)


def spelled_out(leaves: list[bytes], depth: int) -> bytes:
    if depth == 0:
        return leaves[0] if leaves else bytes(32)
    half = 1 << (depth - 1)
    left, right = spelled_out(leaves[:half], depth - 1), spelled_out(leaves[half:], depth - 1)
    return bytes(keccak(b"\1" + left + right))


def draw_tree(rng: random.Random) -> tuple[list[bytes], MerkleTree]:
    depth = rng.randrange(7)
    leaves = [rng.randbytes(32) for _ in range(rng.randint(1, 1 << depth))]
    return leaves, MerkleTree(leaves, depth)


def test_root__random_trees__as_spelled_out() -> None:
    rng = random.Random(1)
    for _ in range(50):
        leaves, tree = draw_tree(rng)
        assert tree.root == spelled_out(leaves, tree.depth)


def test_leaves__spelled_out() -> None:
    word = bytes(range(32))
    assert layer_leaf(3, word) == keccak(b"\x10" + bytes(7) + b"\3" + word + bytes(32))
    assert layer_leaf(3, word, word) == keccak(b"\x10" + bytes(7) + b"\3" + word + word)
    assert operator_leaf(258, word) == keccak(b"\x11" + bytes(6) + b"\1\2" + word)
    assert plan_leaf(1, b"abc") == keccak(b"\x13" + bytes(7) + b"\1" + keccak(b"abc"))


def test_range_proof__every_range_of_every_small_tree__leads_to_the_root() -> None:
    for depth in range(5):
        leaves = [bytes([k]) * 32 for k in range(1 << depth)]
        tree = MerkleTree(leaves, depth)
        for first in range(1 << depth):
            for count in range(1, (1 << depth) - first + 1):
                proof = tree.range_proof(first, count)
                assert len(proof) == count_siblings(first, count, depth)
                chosen = leaves[first : first + count]
                assert root_of_range(chosen, first, depth, proof) == tree.root


def test_range_proof__another_leaf_sibling_or_place__another_root() -> None:
    rng = random.Random(2)
    for _ in range(100):
        _, tree = draw_tree(rng)
        width = 1 << tree.depth
        first = rng.randrange(width)
        count = rng.randint(1, width - first)
        chosen = list(tree.levels[0][first : first + count])
        proof = list(tree.range_proof(first, count))
        wrong = chosen.copy()
        wrong[rng.randrange(count)] = rng.randbytes(32)
        assert root_of_range(wrong, first, tree.depth, proof) != tree.root
        if proof:
            proof[rng.randrange(len(proof))] = rng.randbytes(32)
            assert root_of_range(chosen, first, tree.depth, proof) != tree.root


def test_root_of_range__missing_or_spare_sibling__refused() -> None:
    leaves = [bytes([k]) * 32 for k in range(8)]
    proof = MerkleTree(leaves).range_proof(3, 2)
    for siblings in (proof[:-1], (*proof, bytes(32))):
        with pytest.raises(TraceError, match=r"siblings for leaves 3\.\.4"):
            root_of_range(leaves[3:5], 3, 3, siblings)
    with pytest.raises(TraceError, match=r"leaves 7\.\.8 in a tree of depth 3"):
        root_of_range(leaves[:2], 7, 3, proof)


def test_path__fixed_depth__as_many_siblings() -> None:
    tree = MerkleTree([bytes([k]) * 32 for k in range(5)], 6)
    for index in (0, 4, 63):
        path = tree.path(index)
        assert len(path) == 6
        assert root_of_path(tree.levels[0][index], index, path) == tree.root


def test_descendants__five_levels_down__hash_to_the_node() -> None:
    tree = MerkleTree([bytes([k % 256]) * 32 for k in range(300)])
    below = tree.descendants(7, 2, 5)
    assert len(below) == 32
    assert MerkleTree(below).root == tree.node(7, 2)
    with pytest.raises(TraceError, match="6 levels below height 5"):
        tree.descendants(5, 0, 6)
    with pytest.raises(TraceError, match="no node 4 at height 7"):
        tree.node(7, 4)


def test_tree__too_many_leaves_for_its_depth__refused() -> None:
    with pytest.raises(TraceError, match="5 leaves in a tree of depth 2"):
        MerkleTree([bytes(32)] * 5, 2)
    with pytest.raises(TraceError, match="a tree of 0 leaves"):
        MerkleTree([])
