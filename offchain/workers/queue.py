"""Hand a role's steps to its workers."""

from __future__ import annotations

from typing import Any, Final

from kombu.exceptions import KombuError, OperationalError
from sqlalchemy.exc import SQLAlchemyError

from offchain.chain.journal import StepKey
from offchain.errors import BrokerUnavailable, QueueFull
from offchain.workers.tasks import perform

# So many steps a thread wait in the queue: what becomes urgent must not stand behind hundreds.
ROUNDS: Final = 1


def enqueue(key: StepKey) -> None:
    """Queue one step.

    Raises QueueFull while the workers have enough to do, BrokerUnavailable where the broker does
    not take it.

    A connection of its own and no retry: Celery's own retry goes on with a channel that the first
    failure has closed, and its pool would keep that channel. The next tick asks again anyway.
    """
    with perform.app.connection_for_write() as connection:
        try:
            if _count_waiting(connection) >= ROUNDS * perform.app.conf.worker_concurrency:
                raise QueueFull
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


def _count_waiting(connection: Any) -> int:
    """Return how many messages no worker has taken yet; a queue that is not there holds none."""
    channel = connection.channel()
    try:
        declared = channel.queue_declare(queue=perform.app.conf.task_default_queue, passive=True)
        return int(declared.message_count)
    except connection.channel_errors:
        return 0
    finally:
        channel.close()
