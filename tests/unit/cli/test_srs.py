"""`zkdps srs`: import, show, generate."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from offchain.cli.main import cli
from offchain.commit.srs import insecure_srs_id
from offchain.commit.srs_file import read_srs_file
from offchain.errors import ConfigError, PtauError, SrsError
from tests.vectors.ptau_file import VECTORS

RAW = VECTORS / "raw-4.ptau"


@dataclass(frozen=True)
class Shell:
    """Runs commands of this noun and keeps what they print apart."""

    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: object) -> tuple[str, str]:
        """Return standard output and standard error of a command that succeeds."""
        self.capsys.readouterr()
        cli.main(["srs", *map(str, arguments)], standalone_mode=False)
        printed = self.capsys.readouterr()
        return printed.out, printed.err

    def ask(self, *arguments: object) -> dict[str, Any]:
        """Return a command's answer."""
        return dict(json.loads(self.run(*arguments, "--json")[0]))


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """A place to run commands."""
    return Shell(capsys)


def test_import__published_hash_named__imported_and_shown(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "powers"
    published = hashlib.blake2b(RAW.read_bytes()).hexdigest()
    found = shell.ask("import", RAW, "--power", 4, "--out", out, "--blake2b", published)
    assert found["powers"] == 16
    assert found["srs_id"] == "0x" + read_srs_file(out).id.hex()
    assert found["blake2b"] == published
    shown = shell.ask("show", out)
    assert shown["srs_id"] == found["srs_id"]
    assert shown["ptau_blake2b"] == published
    assert shown["insecure"] is False


def test_import__no_publication__refused_unless_insisted(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "powers"
    with pytest.raises(SrsError, match="--accept-unpublished"):
        shell.ask("import", RAW, "--power", 4, "--out", out)
    with pytest.raises(PtauError, match="file: BLAKE2b"):
        shell.ask("import", RAW, "--power", 4, "--out", out, "--blake2b", "00" * 64)
    with pytest.raises(ConfigError, match="128 hex digits"):
        shell.ask("import", RAW, "--power", 4, "--out", out, "--blake2b", "0x12")
    assert not out.exists()
    told, warned = shell.run("import", RAW, "--power", 4, "--out", out, "--accept-unpublished")
    assert "nobody vouches" in warned
    assert "beacon test beacon" in told


def test_import__target_exists__untouched(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "powers"
    out.write_text("precious")
    with pytest.raises(ConfigError, match="exists already"):
        shell.ask("import", RAW, "--power", 4, "--out", out, "--accept-unpublished")
    assert out.read_text() == "precious"


def test_generate__insecure__says_so(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "powers"
    assert shell.ask("generate", "--insecure-dev", "--power", 3, "--out", out)["powers"] == 8
    told, warned = shell.run("show", out, "--json")
    shown = json.loads(told)
    assert shown["insecure"] is True
    assert shown["srs_id"] == "0x" + insecure_srs_id().hex()
    assert "anybody can forge" in warned
    with pytest.raises(click.MissingParameter, match="insecure_dev"):
        shell.run("generate", "--power", 3, "--out", tmp_path / "other")
