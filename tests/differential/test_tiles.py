"""Native trees over tiles against the Python ones, for every shape of tree."""

from __future__ import annotations

import numpy as np
import pytest

from offchain.commit.digest import TILE_BYTES, tile_leaf, tile_root, tile_root_reference
from offchain.trace.tensors import TiledTensor
from offchain.trace.tree import MerkleTree

SIZES = (0, 1, 1023, 1024, 1025, *(k * TILE_BYTES + 5 for k in (2, 3, 4, 7, 8, 63, 64, 65, 300)))


@pytest.mark.parametrize("size", SIZES)
def test_tiles__native__equal_python(size: int) -> None:
    raw = np.random.default_rng(size).bytes(size)
    tensor = TiledTensor(raw, 1)
    tree = MerkleTree([tile_leaf(k, tensor.tile(k)) for k in range(tensor.tiles)])
    assert tile_root(raw) == tile_root_reference(raw) == tree.root == tensor.root
    assert [list(level) for level in tensor.levels] == tree.levels
