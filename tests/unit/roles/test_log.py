"""Logs are one JSON object a line and never name where secrets lie."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from offchain.params.settings import Settings
from offchain.roles.log import PUBLIC_SETTINGS, Log, Reminders


def test_settings__logged__without_key_or_password_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(
        role="client",
        home=tmp_path,
        rpc_url="https://node.example:8545/the-token",
        manifest=tmp_path / "31337.json",
        key_file=tmp_path / "the-key-file",
        password_file=tmp_path / "the-password-file",
        content=str(tmp_path),
        models=tmp_path,
    )
    Log("client").settings(settings)
    (line,) = capsys.readouterr().err.splitlines()
    logged = json.loads(line)
    assert set(PUBLIC_SETTINGS) <= set(logged)
    assert "the-key-file" not in line
    assert "the-password-file" not in line
    assert logged["rpc_url"] == "https://node.example:8545"
    assert "the-token" not in line


def test_event__bytes_and_nested_values__plain_json(capsys: pytest.CaptureFixture[str]) -> None:
    Log("client").event("job-created", digest=b"\1\2", facts={"seed": b"\3"}, list=[1, b"\4"])
    logged = json.loads(capsys.readouterr().err)
    assert logged["event"] == "job-created"
    assert logged["digest"] == "0x0102"
    assert logged["facts"] == {"seed": "0x03"}
    assert logged["list"] == [1, "0x04"]


def test_reminders__standing_problem__told_less_and_less_often() -> None:
    now = 0.0
    reminders = Reminders(lambda: now)
    told = []
    for second in range(4_000):
        now = float(second)
        if reminders.is_due("no funds"):
            told.append(second)
    assert told == [0, 10, 30, 70, 150, 310, 630, 1270, 2550]
    assert reminders.is_due("another problem")


def test_event__written_side_by_side__a_line_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    stream = SimpleNamespace(write=written.append, flush=lambda: None)
    monkeypatch.setattr("offchain.roles.log.sys", SimpleNamespace(stderr=stream))
    Log("operator").event("job-accepted", job="0x1")
    (line,) = written
    assert line.endswith("\n")
    assert json.loads(line)["job"] == "0x1"
