"""The command line explains itself, loads lazily, and its exit codes mean what its help says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from offchain.cli.main import NOUNS
from offchain.cli.output import ExitCode, get_exit_code
from offchain.errors import (
    ConfigError,
    ContentError,
    ContractRevert,
    OffchainError,
    RangeError,
    RpcUnavailable,
    VersionMismatch,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), ExitCode.USAGE),
        (RangeError("x"), ExitCode.USAGE),
        (ContractRevert("Late", {}, "Market.commit", b""), ExitCode.REFUSED),
        (RpcUnavailable("eth_call", 6, "down"), ExitCode.UNAVAILABLE),
        (VersionMismatch("graph hash", b"\0", b"\1"), ExitCode.MISMATCH),
        (ContentError("x"), ExitCode.MISMATCH),
        (OffchainError("x"), ExitCode.FAILED),
    ],
)
def test_get_exit_code__every_kind_of_error(error: OffchainError, code: ExitCode) -> None:
    assert get_exit_code(error) is code


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "offchain.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help__lists_every_noun__and_imports_nothing_heavy() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(noun in done.stdout for noun in NOUNS)
    assert "Exit codes" in done.stdout
    for package in ("torch", "web3", "celery", "numpy"):
        assert f" {package}\n" not in done.stderr


def test_unknown_noun__usage_error() -> None:
    done = run("dance")
    assert done.returncode == ExitCode.USAGE


def test_job_help__does_not_import_the_operators_packages() -> None:
    done = run("job", "submit", "--help")
    assert done.returncode == 0
    for package in ("torch", "celery"):
        assert f" {package}\n" not in done.stderr
