"""Jobs as last read at the head: a walk over a thousand of them asks only about what may differ."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Final

from offchain.types import Job, JobId

if TYPE_CHECKING:
    from offchain.chain.cursor import EventCursor

# Whatever the events did not tell, such as another endpoint's view, is found out by reading what is
# older than this again: a few at a time, or a thousand would hold up every walk.
MAX_AGE_S: Final = 10.0
MOST_AGED: Final = 8
ReadJob = Callable[[JobId], Job | None]


@dataclass(frozen=True)
class Reading:
    """A job as it was at the head while the cursor stood at a block."""

    job: Job | None
    position: int
    read_at: float  # monotonic


class JobBook:
    """Remembers jobs; one is read again after an event of its own, a reorganisation or a while.

    Every change of a job emits an event that names it, so a reading that is younger than the
    job's last event is what the head holds. With confirmations the head may be ahead of the events:
    whatever is done about a job looks at the head itself.
    """

    def __init__(self, max_age_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_age_s = max_age_s  # 0: every job is read every time
        self._clock = clock
        self._readings: dict[JobId, Reading] = {}
        self._rewinds = 0

    def read(self, cursor: EventCursor, live: Iterable[JobId], read: ReadJob) -> Iterator[Job]:
        """Yield the live jobs that exist, in their order."""
        if not self._max_age_s:
            yield from (job for job in map(read, live) if job is not None)
            return
        if cursor.rewinds != self._rewinds:  # what was read may be of a branch that is gone
            self._readings, self._rewinds = {}, cursor.rewinds
        position, changed = cursor.get_position(), cursor.get_last_blocks()
        known, kept = self._readings, {}
        aged = self._choose_aged()
        for job_id in live:
            reading = known.get(job_id)
            if (
                reading is None
                or job_id in aged
                or not _holds(reading, position, changed.get(job_id))
            ):
                reading = Reading(read(job_id), position, self._clock())
            kept[job_id] = reading
            if reading.job is not None:
                yield reading.job
        self._readings = kept  # what lives no more is forgotten

    def _choose_aged(self) -> frozenset[JobId]:
        before = self._clock() - self._max_age_s
        aged = ((r.read_at, job_id) for job_id, r in self._readings.items() if r.read_at <= before)
        return frozenset(job_id for _, job_id in nsmallest(MOST_AGED, aged))


def _holds(reading: Reading, position: int, changed: int | None) -> bool:
    """Whether nothing has happened to a job since it was read, as far as events tell."""
    # A cursor that went back, in another process perhaps, has seen a reorganisation.
    return changed is not None and changed <= reading.position <= position
