"""Is the broker there? Asked without starting anything."""

from __future__ import annotations

from typing import Final

from kombu.connection import Connection
from kombu.exceptions import KombuError
from sqlalchemy.exc import SQLAlchemyError

from offchain.errors import BrokerUnavailable
from offchain.params.settings import Settings

TIMEOUT_S: Final = 3.0


def ping_broker(settings: Settings) -> None:
    """Raise BrokerUnavailable unless the broker takes a connection; its URL is never told."""
    try:
        connection = Connection(settings.broker, connect_timeout=TIMEOUT_S)  # type: ignore[no-untyped-call]
        with connection:
            connection.ensure_connection(  # type: ignore[no-untyped-call]
                max_retries=1, interval_start=0, timeout=TIMEOUT_S
            )
    except (KombuError, SQLAlchemyError, OSError, ValueError, ImportError) as error:
        # Messages quote the URL, which may hold a password.
        raise BrokerUnavailable(f"no connection to the broker: {type(error).__name__}") from None
