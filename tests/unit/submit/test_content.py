"""Content is what its digest says, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.errors import ContentError
from offchain.submit.content import ContentStore
from offchain.types import Digest

RAW = bytes(range(64))


def test_get__what_was_put__same_bytes(tmp_path: Path) -> None:
    digest = ContentStore(tmp_path).put(RAW, 8, (1, 64))
    assert ContentStore(tmp_path).get(digest, 8, (1, 64)) == RAW


def test_get__file_changed_by_somebody__refused(tmp_path: Path) -> None:
    store = ContentStore(tmp_path)
    digest = store.put(RAW, 8, (1, 64))
    (file,) = tmp_path.iterdir()
    file.write_bytes(bytes(64))
    with pytest.raises(ContentError, match="has digest"):
        store.get(digest, 8, (1, 64))


def test_get__missing__refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no content"):
        ContentStore(tmp_path).get(Digest(bytes(32)), 8, (1, 64))


def test_get__same_bytes_as_another_shape__refused(tmp_path: Path) -> None:
    store = ContentStore(tmp_path)
    digest = store.put(RAW, 8, (1, 64))
    with pytest.raises(ContentError, match="has digest"):
        store.get(digest, 8, (8, 8))


def test_put__wrong_number_of_bytes__refused_and_nothing_stored(tmp_path: Path) -> None:
    with pytest.raises(ContentError):
        ContentStore(tmp_path).put(RAW, 16, (1, 64))
    assert list(tmp_path.iterdir()) == []
