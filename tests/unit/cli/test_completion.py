"""Shells are told what can follow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from offchain.cli.main import NOUNS

ZKDPS = [sys.executable, "-m", "offchain.cli.main"]


def complete(*words: str) -> list[str]:
    """Return what is offered for the last word."""
    line = {"COMP_WORDS": " ".join(["zkdps", *words]), "COMP_CWORD": str(len(words))}
    environment = {**os.environ, **line, "_ZKDPS_COMPLETE": "bash_complete"}
    done = subprocess.run(ZKDPS, env=environment, capture_output=True, text=True, check=True)
    return [entry.partition(",")[2] for entry in done.stdout.split()]


def test_complete__nouns_verbs_and_options() -> None:
    assert complete("") == list(NOUNS)
    assert complete("ch") == ["chain", "challenge"]
    assert "import" in complete("key", "")
    assert complete("key", "show", "--signer-u") == ["--signer-url"]
    assert complete("key", "show", "--signer-api", "re") == ["rest"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script__calls_this_program_back__and_is_sound(shell: str) -> None:
    done = subprocess.run([*ZKDPS, "completion", shell], capture_output=True, text=True, check=True)
    assert "_ZKDPS_COMPLETE" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)
