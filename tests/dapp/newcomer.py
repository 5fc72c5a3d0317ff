"""How long a newcomer takes: a fresh clone, the README's command, one digit ordered in the page.

    python -m tests.dapp.newcomer [--json FILE] [--keep]

Prints seconds by phase and fails when a finished job is more than ten minutes away. Nothing is
skipped: the set-up downloads and compiles, the models are trained, the window of 90 s is waited
for. Caches of pip, npm and cargo in the home folder are this machine's, warm or cold.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from tests.dapp.browser import DESKTOP, ROOT, TIMEOUT_MS, Watcher, open_browser
from tests.dapp.steps import await_state, choose_example, connect, submit

LIMIT_S: Final = 600.0
GIVE_UP_S: Final = 1800.0
COMMAND: Final = re.compile(r"^(\./scripts/demo --dapp)\b", re.MULTILINE)  # as in the README
OPEN: Final = re.compile(r"^Open\s+(http://\S+)")
STEP: Final = re.compile(r"^==> (\w[\w-]*): done in (\d+) s")
TITLE: Final = "Handwritten digits"
STOP_S: Final = 60.0


@dataclass
class Clock:
    """Seconds by phase, in the order in which they end."""

    began: float = field(default_factory=time.monotonic)
    phases: dict[str, float] = field(default_factory=dict)

    def end(self, phase: str) -> None:
        """Note that a phase ended now, and say so."""
        self.phases[phase] = round(time.monotonic() - self.began - sum(self.phases.values()), 1)
        print(f"{self.phases[phase]:7.1f} s  {phase}", flush=True)

    @property
    def total_s(self) -> float:
        """Return the seconds of all phases."""
        return round(sum(self.phases.values()), 1)


class Demo:
    """The README's command in its own process group; says what it has printed."""

    def __init__(self, folder: Path, command: str) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            ["bash", "-c", command],  # as a person types it
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=build_environment(),
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), daemon=True
        )
        self._reader.start()

    def wait_for(self, pattern: re.Pattern[str]) -> str:
        """Return the first group of the first line that matches."""
        deadline = time.monotonic() + GIVE_UP_S
        while time.monotonic() < deadline:
            for line in self.lines:
                if found := pattern.search(line):
                    return found[1]
            if self._process.poll() is not None:
                break
            time.sleep(0.2)
        raise SystemExit("the command did not come so far:\n" + "\n".join(self.lines[-30:]))

    def stop(self) -> int:
        """Interrupt it as Ctrl-C does; return its status."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.lines.append(line.rstrip())


def build_environment() -> Mapping[str, str]:
    """Return this environment without what belongs to this checkout."""
    own = {"VIRTUAL_ENV", "PYTHONPATH", "PIP_FIND_LINKS"}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    inside = str(ROOT)
    kept["PATH"] = ":".join(p for p in kept["PATH"].split(":") if not p.startswith(inside))
    # The CPU build of torch may lie beside the checkout; otherwise pip takes the registry's.
    wheels = ROOT.parent / "shared" / "wheels"
    return kept | ({"PIP_FIND_LINKS": str(wheels)} if wheels.is_dir() else {})


def find_command(readme: str) -> str:
    """Return the README's command; raise SystemExit where it has none."""
    found = COMMAND.search(readme)
    if found is None:
        raise SystemExit("the README does not say how to open the page")
    return found[1]


def order_digit(dapp: str, clock: Clock) -> None:
    """Connect, choose an example, order it, and wait until the job is final."""
    with open_browser() as browser:
        page = browser.new_page(viewport=DESKTOP)
        page.set_default_timeout(TIMEOUT_MS)
        watcher = Watcher()
        watcher.watch(page)
        page.goto(dapp)
        connect(page)
        page.get_by_test_id("model").filter(has_text=TITLE).first.click()
        choose_example(page, 0)
        clock.end("page opened, wallet connected, digit chosen")
        submit(page)
        await_state(page, "COMMITTED")
        clock.end("ordered, answered, committed")
        page.get_by_test_id("state").and_(page.locator('[data-state="FINAL"]')).wait_for(
            state="attached", timeout=300_000
        )
        clock.end("nobody objected in the window: final")
        watcher.verify()


def run(keep: bool) -> Clock:
    """Play a newcomer; return the seconds by phase."""
    folder = Path(tempfile.mkdtemp(prefix="zkdps-newcomer-"))
    clock = Clock()
    try:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "zkdps")], check=True)
        clock.end("clone")
        clone = folder / "zkdps"
        command = find_command((clone / "README.md").read_text(encoding="utf-8"))
        print(f"           $ {command}", flush=True)
        demo = Demo(clone, command)
        try:
            demo.wait_for(re.compile(r"(digits network)|(model mlp-digits)"))
            clock.end("set-up")
            for line in demo.lines:
                if step := STEP.match(line):
                    print(f"             {step[2]:>5} s  of it {step[1]}", flush=True)
            dapp = demo.wait_for(OPEN)
            clock.end("models trained, contracts deployed, everything started")
            order_digit(dapp, clock)
        finally:
            status = demo.stop()
        assert status == 0, f"the demo ended with status {status}"
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return clock


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, help="also write the seconds by phase")
    parser.add_argument("--keep", action="store_true", help="keep the clone")
    options = parser.parse_args(arguments)
    clock = run(options.keep)
    print(f"{clock.total_s:7.1f} s  from nothing to a finished job", flush=True)
    if options.json:
        report = {"phases": clock.phases, "total_s": clock.total_s, "limit_s": LIMIT_S}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if clock.total_s <= LIMIT_S else 1)


if __name__ == "__main__":
    main()
