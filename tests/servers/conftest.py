"""One Redis and one PostgreSQL for all these tests; without them they fail, and say why."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.chain.database import Place
from tests.servers.processes import MissingServer, Postgres, Redis
from tests.unit.chain.conftest import call, client, journal, node, signer

__all__ = ["call", "client", "journal", "node", "signer"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # pytest's own folders are closed to the service's user.
    with tempfile.TemporaryDirectory(prefix="zkdps-postgres-") as folder:
        try:
            server = Postgres(Path(folder))
            server.run()
        except MissingServer as error:
            pytest.fail(str(error))
        yield server
        server.kill()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    try:
        server = Redis(tmp_path_factory.mktemp("redis"))
        server.run()
    except MissingServer as error:
        pytest.fail(str(error))
    yield server
    server.kill()


@pytest.fixture
def place(tmp_path: Path, postgres: Postgres) -> Place:
    """A part of the server that no other test uses."""
    if not postgres.is_running():
        postgres.run()  # a test that failed may have left it killed
    return Place(tmp_path / "unused.sqlite3", postgres.url, uuid.uuid4().hex)
