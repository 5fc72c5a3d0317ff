"""Take a database away, as an administrator with a wrong command would."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from offchain.chain import event_store, journal_tables
from offchain.chain.database import Place


def lose(place: Place) -> None:
    """Delete the files or, on a server, drop every table of the roles."""
    if not place.url:
        for part in place.file.parent.glob(place.file.name + "*"):
            part.unlink()
        return
    engine = create_engine(place.url)
    with engine.begin() as connection:
        for schema in (journal_tables.SCHEMA, event_store.SCHEMA):
            for table in schema.tables:
                connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    engine.dispose()
