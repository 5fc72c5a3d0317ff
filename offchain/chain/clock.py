"""The chain's clock against the machine's: a warning, never a decision.

Deadlines are block times compared with block times. How long a head has stood still is measured by
the machine's monotonic clock, which no operator and no time server can set.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from offchain.chain.rpc import Notify, ignore
from offchain.types import BlockStamp

MAX_DRIFT_S: Final = 60.0
MAX_HEAD_AGE_S: Final = 300.0  # 25 slots of Ethereum; a chain has stopped, or its node has


def compute_drift_s(head: BlockStamp, now_s: float) -> float:
    """Return how far the machine's clock is ahead of the head's timestamp, in seconds.

    Between 0 and the block time when all is well; beyond it either the clock is wrong or the node
    is behind, and nothing here can tell which.
    """
    return now_s - head.timestamp


class HeadWatch:
    """Notices a head that stands still and a machine's clock that is wrong."""

    def __init__(
        self,
        max_head_age_s: float = MAX_HEAD_AGE_S,
        max_drift_s: float = MAX_DRIFT_S,
        notify: Notify = ignore,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] | None = None,
    ) -> None:
        self._max_head_age_s = max_head_age_s
        self._max_drift_s = max_drift_s
        self._notify = notify
        self._clock = clock
        self._wall_clock = wall_clock
        self._hash = ""
        self._since = 0.0
        self._was_stale = False
        self._was_drifting = False

    def is_stale(self, head: BlockStamp) -> bool:
        """Whether this head has been the head for so long that nothing bonded should be begun.

        Call it with the head of every tick: what was not seen before counts as fresh.
        """
        now = self._clock()
        if head.hash != self._hash:
            self._hash, self._since = head.hash, now
        age_s = now - self._since
        is_stale = age_s > self._max_head_age_s
        if is_stale != self._was_stale:
            self._was_stale = is_stale
            name = "head-stale" if is_stale else "head-moves"
            self._notify(name, block=head.number, age_s=round(age_s, 1))
        self._warn_of_drift(head)
        return is_stale

    def _warn_of_drift(self, head: BlockStamp) -> None:
        wall_clock = self._wall_clock or time.time
        drift_s = compute_drift_s(head, wall_clock())
        is_drifting = abs(drift_s) > self._max_drift_s
        if is_drifting and not self._was_drifting:
            self._notify(
                "clock-drift",
                drift_s=round(drift_s, 1),
                limit_s=self._max_drift_s,
                remedy="set the machine's clock, or look whether the node follows its chain",
            )
        self._was_drifting = is_drifting
