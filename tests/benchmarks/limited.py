"""Run a command under a limit of time and memory."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

POLL_S: Final = 0.1
MIB: Final = 2**20
PAGE: Final = resource.getpagesize()


@dataclass(frozen=True)
class Limited:
    """How a command ended; `reason` is None when it succeeded.

    `seen_mib` is the largest resident set that was seen, ten times a second; 0 without /proc.
    """

    seconds: float
    seen_mib: float
    reason: str | None


def run_limited(
    command: Sequence[str], log: Path, limit_s: float, limit_bytes: int, cwd: Path
) -> Limited:
    """Run a command with its output in `log`; kill it beyond a limit.

    Memory is watched where the system tells it (/proc); elsewhere only time is.
    """
    began = time.monotonic()
    seen, reason = 0, None
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=cwd)
    try:
        while reason is None and process.poll() is None:
            seen = max(seen, _resident_bytes(process.pid))
            if time.monotonic() - began > limit_s:
                reason = f"not done after {round(limit_s, 1):g} s"
            elif seen > limit_bytes:
                reason = f"does not fit in {limit_bytes / 2**30:.1f} GiB"
            time.sleep(POLL_S)
    finally:
        process.kill()  # no effect on one that has ended
        status = process.wait()
    if reason is None and status != 0:
        reason = _explain(status, log)
    return Limited(time.monotonic() - began, seen / MIB, reason)


def free_bytes() -> int:
    """Return the memory that nobody uses; where the system does not tell it, all there is."""
    table = Path("/proc/meminfo")
    if table.exists():
        for line in table.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except (OSError, IndexError):  # no /proc, or it has just ended
        return 0


def _explain(status: int, log: Path) -> str:
    if status < 0:
        return f"killed by signal {-status}"
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else f"exit status {status}"
