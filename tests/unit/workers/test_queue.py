"""Steps travel by id through a broker that needs no server; a lost message is only lost."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.params.settings import HOME_VARIABLE, Settings

# The application is bound to one home folder at import, so every case runs in a process of its own.
ENQUEUE = """
from offchain.chain.journal import StepKey
from offchain.errors import BrokerUnavailable
from offchain.workers.queue import enqueue
try:
    enqueue(StepKey("operator", "7", "commit"))
except BrokerUnavailable as error:
    print("lost:", type(error).__name__)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        role="operator",
        home=tmp_path / "home",
        rpc_url="http://127.0.0.1:1",
        manifest=tmp_path / "31337.json",
        key_file=tmp_path / "key",
        content=str(tmp_path / "content"),
        models=tmp_path / "models",
    )


def run(settings: Settings, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    settings.save()
    return subprocess.run(
        [sys.executable, "-c", ENQUEUE],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**environment, HOME_VARIABLE: str(settings.home)},
    )


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    import os

    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    return dict(os.environ)


def test_enqueue__default_broker__stored_in_the_home_folder(
    settings: Settings, environment: dict[str, str]
) -> None:
    done = run(settings, environment)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(settings.home / "broker.sqlite3") as broker:
        ((payload,),) = broker.execute("SELECT payload FROM kombu_message").fetchall()
    headers = json.loads(payload)["headers"]
    assert headers["task"] == "zkdps.perform"
    assert headers["argsrepr"] == "('operator', '7', 'commit')"


def test_enqueue__broken_broker__reported_as_lost(
    settings: Settings, environment: dict[str, str]
) -> None:
    broken = replace(settings, broker_url=f"sqla+sqlite:///{settings.home}/missing/broker")
    done = run(broken, environment)
    assert done.stdout.strip() == "lost: BrokerUnavailable", done.stderr


def test_import__no_home_named__refused(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import offchain.workers.app"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode != 0
    assert HOME_VARIABLE in done.stderr


FAILING_ONCE = """
from kombu.transport.sqlalchemy import Channel
from sqlalchemy.exc import OperationalError
from offchain.chain.journal import StepKey
from offchain.errors import BrokerUnavailable
from offchain.workers.queue import enqueue
put, failures = Channel._put, [OperationalError("CREATE TABLE", {}, Exception("exists"))]
def put_or_fail(*arguments, **options):
    if failures:
        raise failures.pop()
    return put(*arguments, **options)
Channel._put = put_or_fail
for step in ("accept", "accept", "commit"):
    try:
        enqueue(StepKey("operator", "7", step))
        print("queued")
    except BrokerUnavailable:
        print("lost")
"""


def test_enqueue__broker_fails_once__lost_once_and_queued_afterwards(
    settings: Settings, environment: dict[str, str]
) -> None:
    """Role and worker create the broker's tables at the same time: one of them may be refused."""
    settings.save()
    done = subprocess.run(
        [sys.executable, "-c", FAILING_ONCE],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**environment, HOME_VARIABLE: str(settings.home)},
    )
    assert done.stdout.split() == ["lost", "queued", "queued"], done.stderr
