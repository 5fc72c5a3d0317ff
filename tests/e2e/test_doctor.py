"""The doctor against a real deployment: healthy, and with what an operator may lack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from offchain.cli.demo.world import World
from offchain.cli.output import ExitCode


def examine(*arguments: str) -> tuple[int, Mapping[str, Mapping[str, str]]]:
    """Return exit code and findings by check."""
    done = subprocess.run(
        [sys.executable, "-m", "offchain.cli.main", "doctor", "--json", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    return done.returncode, {finding["check"]: finding for finding in report["findings"]}


def base(world: World, key_file: Path, role: str) -> Sequence[str]:
    return ("--role", role, *world.chain_arguments(key_file))


def test_doctor__client_of_a_sound_deployment__well(world: World, tmp_path: Path) -> None:
    key_file, address = world.create_account(tmp_path, "client")
    code, found = examine(
        *base(world, key_file, "client"), "--models", str(world.models), "--version", world.version
    )
    assert code == ExitCode.OK, found
    for name in world.manifest.contracts:
        assert "what this package was built with" in found[f"code of {name}"]["found"]
    assert address in found["key"]["found"]
    assert found[f"version {world.version[:12]}..."]["level"] == "ok"
    assert found["protocol"]["level"] == "ok"


def test_doctor__operator_without_owner_and_money__told_what_to_do(
    world: World, tmp_path: Path
) -> None:
    key_file, address = world.create_account(tmp_path, "worker")
    world.anvil.fund(address, 0)
    code, found = examine(*base(world, key_file, "operator"))
    assert code == ExitCode.FAILED
    assert found["worker"]["level"] == "failure"
    assert address in found["worker"]["remedy"]
    assert found["balance"]["level"] == "failure"


def test_doctor__version_that_nobody_registered__failure(world: World, tmp_path: Path) -> None:
    key_file, _ = world.create_account(tmp_path, "challenger")
    unknown = "0x" + "12" * 32
    code, found = examine(
        *base(world, key_file, "challenger"), "--models", str(world.models), "--version", unknown
    )
    assert code == ExitCode.FAILED
    assert found[f"version {unknown[:12]}..."]["level"] == "failure"
