"""The one place that decides whether a role's failure is fatal or tried again next tick."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from offchain.errors import ConfigError, KeyFileError, ManifestError, OffchainError
from offchain.roles.log import Log

# Waiting cures none of these: the user has to act.
FATAL: Final = (ConfigError, KeyFileError, ManifestError)


@contextmanager
def failure_policy(log: Log, doing: str) -> Iterator[None]:
    """Re-raise fatal errors; log every other expected one, so that the next tick tries again.

    So does what the machine refuses, a full disk for example, as an OSError. Any other error is a
    defect: it is never swallowed.
    """
    try:
        yield
    except FATAL:
        raise
    except (OffchainError, OSError) as error:
        log.event("retry", doing=doing, error=type(error).__name__, reason=str(error))
