"""What a benchmark ran on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def describe_machine() -> dict[str, Any]:
    """Return processor, memory, system, versions of the tools and the commit measured."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "rust": _first_line("rustc", "--version"),
        "anvil": _first_line("anvil", "--version"),
        "commit": _first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _first_line(program: str, *arguments: str) -> str:
    if shutil.which(program) is None:
        return "absent"
    run = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return (run.stdout.splitlines() or ["unknown"])[0]
