"""A benchmark's command meets its limits and tells how it ended."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.benchmarks.limited import Limited, run_limited

GIB = 2**30


def run(tmp_path: Path, program: str, limit_s: float = 30, limit_bytes: int = GIB) -> Limited:
    command = [sys.executable, "-c", program]
    return run_limited(command, tmp_path / "log", limit_s, limit_bytes, tmp_path)


def test_run__succeeds__no_reason(tmp_path: Path) -> None:
    ended = run(tmp_path, "print('done')")
    assert ended.reason is None
    assert (tmp_path / "log").read_text() == "done\n"


def test_run__fails__last_line_is_the_reason(tmp_path: Path) -> None:
    assert run(tmp_path, "print('first'); raise ValueError('no')").reason == "ValueError: no"


def test_run__too_slow__killed(tmp_path: Path) -> None:
    ended = run(tmp_path, "import time; time.sleep(60)", limit_s=0.3)
    assert ended.reason == "not done after 0.3 s"
    assert ended.seconds < 10


def test_run__too_large__killed(tmp_path: Path) -> None:
    program = "x = bytearray(b'1') * 2**28; import time; time.sleep(60)"
    ended = run(tmp_path, program, limit_s=5, limit_bytes=GIB // 8)
    watched = Path("/proc/self/statm").exists()  # elsewhere time ends it
    assert ended.reason == ("does not fit in 0.1 GiB" if watched else "not done after 5 s")
    assert (ended.seen_mib > 128) == watched


def test_run__killed_from_outside__names_the_signal(tmp_path: Path) -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run(tmp_path, program).reason == "killed by signal 9"
