"""Secrets of a home: one for all who ask at once, whole or not there, and nobody else's."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from offchain.errors import KeyFileError
from offchain.roles.blinding import read_secret


def test_secret__asked_for_by_many_at_once__is_one_and_private(tmp_path: Path) -> None:
    path = tmp_path / "reports.secret"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: read_secret(path), range(32)))
    assert len(found) == 1 and len(found.pop()) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*tmp_path.iterdir()] == [path]


def test_secret__killed_while_it_is_drawn__is_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a secret would stop its role at every start."""
    path = tmp_path / "reports.secret"

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(os, "fsync", die)
        read_secret(path)
    assert not path.exists()
    assert read_secret(path) == read_secret(path)


@pytest.mark.parametrize("text", ["", "zz", "00" * 31])
def test_secret__file_that_holds_none__says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reports.secret"
    path.write_text(text, encoding="ascii")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="not 32 bytes"):
        read_secret(path)
