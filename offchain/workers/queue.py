"""Hand a role's steps to its workers."""

from __future__ import annotations

from kombu.exceptions import KombuError, OperationalError
from sqlalchemy.exc import SQLAlchemyError

from offchain.chain.journal import StepKey
from offchain.errors import BrokerUnavailable
from offchain.workers.tasks import perform


def enqueue(key: StepKey) -> None:
    """Queue one step; raise BrokerUnavailable where the broker does not take it.

    A connection of its own and no retry: Celery's own retry goes on with a channel that the first
    failure has closed, and its pool would keep that channel. The next tick asks again anyway.
    """
    with perform.app.connection_for_write() as connection:
        try:
            arguments = (key.role, key.job, key.step)
            perform.apply_async(arguments, connection=connection, retry=False)
        except (
            OperationalError,
            KombuError,
            SQLAlchemyError,
            OSError,
            *connection.connection_errors,  # the transport's own, e.g. Redis's
            *connection.channel_errors,
        ) as error:
            # Messages may quote the broker's URL, and that its password.
            raise BrokerUnavailable(type(error).__name__) from error
