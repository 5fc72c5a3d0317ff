"""One performer a step at a time, across processes; a killed process leaves no lock behind."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offchain.chain.journal import StepKey


@contextmanager
def hold_step(home: Path, key: StepKey) -> Iterator[bool]:
    """Yield whether this process may perform the step now."""
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{key.job}-{key.step}").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
