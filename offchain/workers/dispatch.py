"""Steps go to the workers; while the broker is away the role does them itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from offchain.chain.journal import StepKey
from offchain.errors import BrokerUnavailable
from offchain.roles.loop import Dispatch, Role, perform_inline

# Celery's workers look for a lost broker in growing intervals, at the latest after 30 s. A message
# sent before that would lie there while a deadline passes.
WORKER_RETURNS_S: Final = 35.0


class Dispatcher:
    """Hands a step to the broker or, for a while after that failed, performs it here.

    A worker may be performing the same step: whoever holds its lock does it, the other does
    nothing.
    """

    def __init__(
        self, role: Role, enqueue: Dispatch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = role.log
        self._enqueue = enqueue
        self._perform = perform_inline(role)
        self._clock = clock
        self._lost_at: float | None = None

    def __call__(self, key: StepKey) -> None:
        """Have one step performed."""
        if not (self._is_away() or self._hand_out(key)):
            self._lost_at = self._clock()
        if self._lost_at is not None:
            self._perform(key)

    def _is_away(self) -> bool:
        return self._lost_at is not None and self._clock() - self._lost_at < WORKER_RETURNS_S

    def _hand_out(self, key: StepKey) -> bool:
        try:
            self._enqueue(key)
        except BrokerUnavailable as error:
            if self._lost_at is None:
                self._log.event("broker-lost", reason=str(error), instead="steps are done here")
            return False
        if self._lost_at is not None:
            self._log.event("broker-back")
            self._lost_at = None
        return True
