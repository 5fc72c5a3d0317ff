"""A client or a challenger runs on a machine without torch, onnx and scikit-learn."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

# The finder makes the operator's packages as absent as a missing wheel does.
PROGRAM: Final = """
import importlib, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "onnx", "sklearn"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

sys.meta_path.insert(0, Absent())
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize(
    "module",
    [
        "offchain.cli.main",
        "offchain.cli.challenge",
        "offchain.cli.job",
        "offchain.cli.withdraw",
        "offchain.roles.challenger",
        "offchain.roles.client",
        "offchain.sdk",
        "offchain.submit.proofs",
        "offchain.workers.process",
        "offchain.execute",
        "offchain.model",
    ],
)
def test_import__operators_packages_absent__works(module: str) -> None:
    run = run_program(module)
    assert run.returncode == 0, run.stderr


def test_import__torch_itself__is_absent_in_that_program() -> None:
    assert "No module named 'torch'" in run_program("torch").stderr


def run_program(module: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, module]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
