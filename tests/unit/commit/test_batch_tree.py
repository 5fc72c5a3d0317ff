"""The tree over a batch's results: what leads to its root, and what does not."""

from __future__ import annotations

import random

import pytest
from eth_utils.crypto import keccak

from offchain.commit.batch_tree import (
    compute_leaf,
    compute_path,
    compute_root,
    compute_root_of_path,
)
from offchain.types import Digest

SIZES = (1, 2, 3, 5, 8, 33, 256)


def make_leaves(count: int) -> list[bytes]:
    return [
        compute_leaf(keccak(text=f"job {i}"), Digest(keccak(text=f"out {i}"))) for i in range(count)
    ]


def test_compute_root__three_leaves__by_hand() -> None:
    a, b, c = make_leaves(3)
    left, right = keccak(b"\x01" + a + b), keccak(b"\x01" + c + bytes(32))
    assert compute_root([a, b, c]) == keccak(b"\x01" + left + right)
    assert compute_leaf(bytes(32), Digest(bytes(32))) == keccak(b"\x00" + bytes(64))


@pytest.mark.parametrize("count", SIZES)
def test_compute_path__every_leaf__leads_to_the_root(count: int) -> None:
    leaves = make_leaves(count)
    root = compute_root(leaves)
    for index, leaf in enumerate(leaves):
        path = compute_path(leaves, index)
        assert 1 << len(path) >= count
        assert compute_root_of_path(leaf, index, path) == root


def test_compute_root_of_path__another_place_or_leaf__another_root() -> None:
    leaves, chance = make_leaves(21), random.Random(22)
    root = compute_root(leaves)
    for _ in range(100):
        index, other = chance.sample(range(21), 2)
        path = compute_path(leaves, index)
        assert compute_root_of_path(leaves[index], other, path) != root
        assert compute_root_of_path(leaves[other], index, path) != root


@pytest.mark.parametrize("count", [0, 257])
def test_compute_root__no_batch__refused(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 256"):
        compute_root(make_leaves(count))


@pytest.mark.parametrize("index", [-1, 5])
def test_compute_path__no_leaf__refused(index: int) -> None:
    with pytest.raises(ValueError, match="of 5"):
        compute_path(make_leaves(5), index)
