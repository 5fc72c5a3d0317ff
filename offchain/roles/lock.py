"""One performer a step at a time, across the processes and machines that share a journal."""

from __future__ import annotations

from contextlib import AbstractContextManager

from offchain.chain.journal import Journal, StepKey


def hold_step(journal: Journal, key: StepKey) -> AbstractContextManager[bool]:
    """Yield whether this process may perform the step now."""
    return journal.locks.try_hold(f"step-{journal.place.space}-{key.job}-{key.step}")
