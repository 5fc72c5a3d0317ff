"""Settings survive the file by which a role's processes share them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.errors import ConfigError
from offchain.params.settings import (
    FILE_NAME,
    HOME_VARIABLE,
    Settings,
    load_settings,
    read_home_settings,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        role="operator",
        home=tmp_path / "home",
        rpc_url="http://127.0.0.1:8545",
        manifest=tmp_path / "31337.json",
        key_file=tmp_path / "key",
        content=str(tmp_path / "content"),
        models=tmp_path / "models",
    )


def test_save__loaded_by_another_process__equal(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.save()
    assert load_settings(settings.home) == settings
    monkeypatch.setenv(HOME_VARIABLE, str(settings.home))
    assert read_home_settings() == settings


def test_read_home_settings__no_home_named__refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=HOME_VARIABLE):
        read_home_settings()


def test_load_settings__missing_or_foreign_file__refused(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_settings(settings.home)
    settings.save()
    file = settings.home / FILE_NAME
    file.write_text(json.dumps({**json.loads(file.read_text()), "surprise": 1}))
    with pytest.raises(ConfigError):
        load_settings(settings.home)


@pytest.mark.parametrize(
    "change", [{"confirmations": 0}, {"backend": "abacus"}, {"fault": "sleepy"}]
)
def test_settings__senseless_value__refused(settings: Settings, change: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        replace(settings, **change)  # type: ignore[arg-type]


def test_broker__default__needs_no_server(settings: Settings) -> None:
    assert settings.broker.startswith("sqla+sqlite:///")
    fleet = replace(settings, broker_url="redis://127.0.0.1")
    assert fleet.broker == "redis://127.0.0.1"
