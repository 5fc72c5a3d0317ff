"""One wheel, built as for a release and installed where nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import world

__all__ = ["world"]

ROOT = Path(__file__).parents[2]
TOOLS = ("cargo", "rustc", "maturin", "node", "npm", "solc", "forge", "anvil", "ape")


@dataclass(frozen=True)
class Client:
    """An environment with the wheel and its locked dependencies, and no path to anything else."""

    folder: Path

    @property
    def command(self) -> Sequence[str]:
        """Return what runs the wheel's command line."""
        return (str(self.folder / "venv" / "bin" / "zkdps"),)

    @property
    def environment(self) -> Mapping[str, str]:
        """Return an environment in which neither a compiler nor the checkout can be found."""
        return {
            "PATH": str(self.folder / "venv" / "bin"),
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
        }

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `zkdps` with these arguments, far from the checkout."""
        return self.run_program(*self.command, *arguments, stdin=stdin)

    def run_python(self, code: str) -> str:
        """Return what a line of Python prints in the wheel's environment."""
        python = str(self.folder / "venv" / "bin" / "python")
        done = self.run_program(python, "-I", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run_program(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments,
            cwd=self.folder / "home",
            env=dict(self.environment),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that `scripts/package` builds."""
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [str(ROOT / "scripts" / "package"), "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def client(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """Return a clean environment with the wheel, installed as its users do."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "home").mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    pip = [str(folder / "venv" / "bin" / "pip"), "install", "--quiet", "--no-deps"]
    lock = str(ROOT / "scripts" / "locks" / "core.txt")
    for step in (
        [sys.executable, "-m", "venv", str(folder / "venv")],
        [*pip, "--require-hashes", "-r", lock],
        [*pip, str(wheel)],
    ):
        subprocess.run(step, check=True, env=environment)
    made = Client(folder)
    for tool in TOOLS:
        assert shutil.which(tool, path=made.environment["PATH"]) is None
    return made
