"""What is wrong is refused before any money moves: exit codes for scripts, one line for people."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from offchain.cli.demo.world import World
from offchain.cli.output import ExitCode


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "offchain.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def submit(world: World, home: Path, values: object, version: str = "") -> Sequence[object]:
    """Return exit code, error text and what the client's balance lost."""
    key_file, address = world.create_account(home, "client")
    input_file = home / "input.json"
    input_file.write_text(json.dumps(values))
    before = world.client.get_balance(address)
    done = run(
        "job", "submit", "--version", version or world.version, "--fee-wei", "1000",
        "--input", str(input_file), "--home", str(home / "client"), "--no-wait",
        "--models", str(world.models), "--content", str(world.content),
        *world.chain_arguments(key_file),
    )  # fmt: skip
    return done.returncode, done.stderr, before - world.client.get_balance(address)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([0] * 63, "shape"),
        ([[0] * 8] * 9, "shape"),
        ([17] + [0] * 63, "16"),
        ([-1] + [0] * 63, "0"),
        ([1000] + [0] * 63, "8 bits"),
        ([0.5] + [0] * 63, "float"),
        ([None] * 64, "object"),
    ],
    ids=["short", "matrix", "above", "below", "wide", "fraction", "nothing"],
)
def test_job_submit__bad_input__refused_and_nothing_spent(
    world: World, tmp_path: Path, values: object, reason: str
) -> None:
    code, text, spent = submit(world, tmp_path, values)
    assert code not in (0, 1)
    assert spent == 0
    assert "error:" in str(text) and reason in str(text)
    assert "Traceback" not in str(text)


def test_job_submit__unknown_version__refused(world: World, tmp_path: Path) -> None:
    code, text, spent = submit(world, tmp_path, [0] * 64, "0x" + "12" * 32)
    assert (code, spent) == (ExitCode.REFUSED, 0)
    assert "UnknownVersion" in str(text)


def test_model_verify__the_registered_folder__reproduced(world: World) -> None:
    done = run(
        "model", "verify", "--json", "--version", world.version, "--rpc", world.anvil.url,
        "--manifest", str(world.manifest_file), "--model", str(world.models / "mlp-digits"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reproduced"] is True


def test_key_file__open_to_others__refused(world: World, tmp_path: Path) -> None:
    key_file, _ = world.create_account(tmp_path, "client")
    key_file.chmod(0o644)
    done = run("withdraw", *world.chain_arguments(key_file), "--state", str(tmp_path))
    assert done.returncode == ExitCode.USAGE
    assert "chmod 600" in done.stderr
    assert key_file.read_text().strip() not in done.stderr
