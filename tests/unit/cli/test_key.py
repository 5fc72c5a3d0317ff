"""`zkdps key`: files are private, passwords come from files or a prompt, and nothing leaks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import offchain.cli.key as key_commands
from offchain.cli.output import ExitCode
from offchain.errors import KeyFileError
from tests.unit.chain.signer_service import SigningService, serve

KEY = "4c" * 32


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "offchain.cli.main", "key", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    return str(path)


def test_import_and_show__through_a_keystore_and_back__same_address(
    tmp_path: Path, password_file: str
) -> None:
    keystore, plain = str(tmp_path / "store.json"), str(tmp_path / "plain")
    done = run(
        "import", "--from", "-", "--key-file", keystore, "--keystore",
        "--password-file", password_file, "--json", stdin=KEY + "\n",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    address = json.loads(done.stdout)["address"]
    back = run(
        "import", "--from", keystore, "--from-password-file", password_file, "--key-file", plain
    )
    assert back.returncode == 0, back.stderr
    assert Path(plain).read_text().strip() == KEY
    for file, kind, options in ((keystore, "keystore", ["--password-file", password_file]),
                                (plain, "plain", [])):  # fmt: skip
        shown = run("show", "--key-file", file, *options, "--json")
        assert json.loads(shown.stdout) == {"address": address, "kind": kind, "key_file": file}
        assert Path(file).stat().st_mode & 0o777 == 0o600
        assert KEY not in shown.stdout + shown.stderr + done.stdout + done.stderr


def test_create__keystore_without_password_or_terminal__refused(tmp_path: Path) -> None:
    done = run("create", "--key-file", str(tmp_path / "store.json"), "--keystore")
    assert done.returncode == ExitCode.USAGE
    assert "--password-file" in done.stderr
    assert not (tmp_path / "store.json").exists()


def test_create__password_without_keystore__refused(tmp_path: Path, password_file: str) -> None:
    done = run("create", "--key-file", str(tmp_path / "key"), "--password-file", password_file)
    assert done.returncode == ExitCode.USAGE
    assert not (tmp_path / "key").exists()


def test_import__digits_that_are_no_key__refused_without_quoting_them(tmp_path: Path) -> None:
    done = run("import", "--from", "-", "--key-file", str(tmp_path / "key"), stdin="12" * 31)
    assert done.returncode == ExitCode.USAGE
    assert "12" * 31 not in done.stderr


def test_show__remote_signer__asked_whether_it_has_the_key() -> None:
    with serve(SigningService()) as service:
        options = ("--signer-url", service.url, "--signer-address")
        done = run("show", *options, service.account.address, "--json")
        assert json.loads(done.stdout)["address"] == service.account.address
        refused = run("show", *options, "0x" + "55" * 20)
        assert refused.returncode == ExitCode.FAILED
        assert "holds no key" in refused.stderr


def answer_with(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let these answers be typed at the prompts; return the prompts."""
    prompts: list[str] = []
    given = iter(answers)

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return next(given)

    monkeypatch.setattr(key_commands, "ask_password", ask)
    return prompts


def test_create__keystore_at_a_terminal__password_typed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.json"
    prompts = answer_with(monkeypatch, "correct horse", "correct horse", "correct horse")
    options = ["--key-file", str(path), "--json"]
    made = CliRunner().invoke(key_commands.command, ["create", "--keystore", *options])
    assert made.exit_code == 0, made.output
    assert len(prompts) == 2
    shown = CliRunner().invoke(key_commands.command, ["show", *options])
    assert json.loads(shown.stdout)["address"] == json.loads(made.stdout)["address"]
    assert "correct horse" not in made.output + shown.output


def test_create__two_passwords_that_differ__nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, "correct horse", "correct house")
    options = ["create", "--keystore", "--key-file", str(tmp_path / "store.json")]
    done = CliRunner().invoke(key_commands.command, options)
    assert isinstance(done.exception, KeyFileError)
    assert not (tmp_path / "store.json").exists()
