"""Content is what its digest says, or it is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from offchain.errors import ContentError
from offchain.submit.content import FolderStore
from offchain.types import Digest

RAW = bytes(range(64))


def test_get__what_was_put__same_bytes(tmp_path: Path) -> None:
    digest = FolderStore(tmp_path).put(RAW, 8, (1, 64))
    assert FolderStore(tmp_path).get(digest, 8, (1, 64)) == RAW


def test_get__file_changed_by_somebody__refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    digest = store.put(RAW, 8, (1, 64))
    (file,) = tmp_path.iterdir()
    file.write_bytes(bytes(64))
    with pytest.raises(ContentError, match="has digest"):
        store.get(digest, 8, (1, 64))


def test_get__missing__refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no content"):
        FolderStore(tmp_path).get(Digest(bytes(32)), 8, (1, 64))


def test_get__same_bytes_as_another_shape__refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    digest = store.put(RAW, 8, (1, 64))
    with pytest.raises(ContentError, match="has digest"):
        store.get(digest, 8, (8, 8))


def test_put__wrong_number_of_bytes__refused_and_nothing_stored(tmp_path: Path) -> None:
    with pytest.raises(ContentError):
        FolderStore(tmp_path).put(RAW, 16, (1, 64))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to itself", "too long"])
def test_get__not_a_file_of_that_size__refused_without_hanging(tmp_path: Path, kind: str) -> None:
    digest = Digest(bytes(31) + b"\1")
    path = tmp_path / f"{digest.hex()}.bin"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to itself":
        path.symlink_to(path)
    else:
        path.write_bytes(bytes(65))
    with pytest.raises(ContentError):
        FolderStore(tmp_path).get(digest, 8, (1, 64))
