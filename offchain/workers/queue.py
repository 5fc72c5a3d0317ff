"""Hand a role's steps to its workers."""

from __future__ import annotations

from kombu.exceptions import KombuError, OperationalError
from sqlalchemy.exc import SQLAlchemyError

from offchain.chain.journal import StepKey
from offchain.errors import BrokerUnavailable
from offchain.workers.tasks import perform


def enqueue(key: StepKey) -> None:
    """Queue one step; raise BrokerUnavailable where the broker does not take it."""
    try:
        perform.delay(key.role, key.job, key.step)
    except (OperationalError, KombuError, SQLAlchemyError, OSError) as error:
        raise BrokerUnavailable(f"{type(error).__name__}: {error}") from error
