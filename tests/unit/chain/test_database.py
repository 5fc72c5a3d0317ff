"""What cannot be used as a database is said without its password."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, select

from offchain.chain.database import Database, Place, _server_engine
from offchain.chain.journal import Journal, StepKey, StepStatus
from offchain.errors import ConfigError, DatabaseUnavailable, MissingDependencyError
from tests.unit.chain.losing import lose

KEY = StepKey("operator", "1", "commit")


@pytest.mark.parametrize("url", ["mysql://user:secret@host/name", "user:secret host"])
def test_open__no_url_of_postgresql__refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="database_url") as refused:
        Journal(Place(tmp_path / "unused", url))
    assert "secret" not in str(refused.value)


def test_open__driver_not_installed__the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _server_engine.cache_clear()
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingDependencyError, match="fleet"):
        Journal(Place(tmp_path / "unused", "postgresql://user@host/name"))


def test_open__folder_is_a_file__unavailable(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(DatabaseUnavailable):
        Journal(Place(tmp_path / "home" / "journal.sqlite3"))


def test_open__no_database_in_the_file__unavailable(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(DatabaseUnavailable, match="not a database"):
        Journal(tmp_path / "journal.sqlite3")


def test_use__file_deleted_meanwhile__empty_and_usable_for_every_process(tmp_path: Path) -> None:
    first = Journal(tmp_path / "home" / "journal.sqlite3")
    first.put_step(KEY, StepStatus.DONE)
    lose(first.place)
    second = Journal(first.place)
    second.put_step(StepKey("operator", "2", "commit"), StepStatus.DONE)
    assert not first.is_done(KEY)
    assert first.is_done(StepKey("operator", "2", "commit"))


def test_snapshot__written_meanwhile__every_read_sees_the_state_of_the_first(
    tmp_path: Path,
) -> None:
    table = Table("numbers", MetaData(), Column("number", BigInteger, primary_key=True))
    first = Database(Place(tmp_path / "numbers.sqlite3"), table.metadata)
    second = Database(first.place, table.metadata)
    with first.snapshot() as connection:
        before = connection.execute(select(table)).all()
        with second.writing() as writer:
            writer.execute(table.insert().values(number=1))
        assert connection.execute(select(table)).all() == before == []
    with first.snapshot() as connection:
        assert [row.number for row in connection.execute(select(table))] == [1]
